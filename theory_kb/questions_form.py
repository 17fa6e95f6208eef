"""Questions about keys, cadences, schemata, forms and expression."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

from theory_kb.answers import Answer, QuestionError, Value, answer
from theory_kb.catalogue import Entry, catalogue, entry
from theory_kb.chords import Chord, figures, vocabulary
from theory_kb.derived import derived_edges, licence
from theory_kb.errors import UnknownNameError
from theory_kb.graph import statements
from theory_kb.key_relations import common_triads, pivots
from theory_kb.metre import metre_names
from theory_kb.pitch import Key
from theory_kb.query import grade_table, may_follow
from theory_kb.stored import KEYS, degree_name

__all__ = [
    "bass_for_soprano",
    "cadences_for",
    "features_for",
    "forms_for",
    "harmonise",
    "key_plan",
    "modulation_path",
    "parameters_for",
    "pivot_chords",
    "schemata_with",
]

Row = Mapping[str, Value]
MODES = ("major", "minor")


# --- keys -----------------------------------------------------------------------------------


def modulation_path(start: str, goal: str) -> Answer:
    """The shortest ways from key to key through triads that both share: C major to Eb major."""
    first, last = Key.parse(start), Key.parse(goal)
    paths = sorted(_shortest(first, last), key=_roughness)
    rows: list[Row] = [
        {"path": " > ".join(key.name for key in path), "pivots": _pivot_texts(path)}
        for path in paths
    ]
    borrowed = _borrowed(first, last)
    rows += [{"path": f"{first} > {last}", "pivots": (text,)} for text in borrowed]
    steps = len(paths[0]) - 1
    text = f"{steps} step{'s' if steps != 1 else ''} from {first} to {last} by diatonic pivots"
    if paths[0][1:-1]:
        text += f", best by {', '.join(key.name for key in paths[0][1:-1])}"
        text += f"; the two keys share {_counted(common_triads(first, last))}"
    if borrowed and steps > 1:
        text += f"; with mixture in one step ({borrowed[0]})"
    evidence = [
        edge
        for one, other in pairwise(paths[0])
        for edge in derived_edges(("key", one.name))
        if edge.object == ("key", other.name)
    ]
    return answer("modulation-path", f"{text}.", rows, evidence, ["KP 18"])


def _counted(number: int) -> str:
    return f"{number or 'no'} triad{'s' if number != 1 else ''}"


@cache
def _near(key: Key) -> tuple[Key, ...]:
    return tuple(other for other in KEYS if other != key and common_triads(key, other))


def _shortest(start: Key, goal: Key) -> list[tuple[Key, ...]]:
    """Every shortest path between two keys; a key that is start and goal is its own path."""
    paths: deque[tuple[Key, ...]] = deque([(start,)])
    found: list[tuple[Key, ...]] = []
    seen = {start: 0}
    while paths:
        path = paths.popleft()
        if path[-1] == goal:
            found.append(path)
        if found and len(path) >= len(found[0]):
            continue
        for key in _near(path[-1]):
            if seen.setdefault(key, len(path)) == len(path):
                paths.append((*path, key))
    return found


def _roughness(path: tuple[Key, ...]) -> tuple[int, int, int]:
    """More shared triads first, then fewer changes of mode, then nearer to C on the line."""
    shared = sum(common_triads(one, other) for one, other in pairwise(path))
    modes = sum(one.mode != other.mode for one, other in pairwise(path))
    return modes, -shared, -path[len(path) // 2].signature


def _pivot_texts(path: Sequence[Key]) -> tuple[str, ...]:
    return tuple(f"{_triad_names(one, other)} into {other.name};" for one, other in pairwise(path))


def _triad_names(one: Key, other: Key) -> str:
    chords = [pivot.before for pivot in pivots(one, other) if pivot.before.quality != "dim"]
    return ", ".join(_triad_name(each, one) for each in chords)


def _triad_name(each: Chord, key: Key) -> str:
    root = key.tonic.transposed(each.root).name
    return root + ("m" if each.quality == "min" else "")


def _borrowed(start: Key, goal: Key) -> list[str]:
    """Triads that the first key borrows from its parallel and the second has of its own."""
    if goal == start.parallel:
        return []
    shared = [each for each in pivots(start.parallel, goal) if each.before.function in "TS"]
    shared.sort(key=lambda pivot: (pivot.before.root != 0, pivot.before.function))
    return [
        f"{_triad_name(pivot.before, start)} = {pivot.before.symbol} of {start.parallel} = "
        f"{pivot.after.symbol} of {goal}"
        for pivot in shared
        if pivot.before.quality != "dim"
    ]


def pivot_chords(start: str, goal: str) -> Answer:
    """The triads that two keys share, smoothest first: A minor and G major."""
    first, last = Key.parse(start), Key.parse(goal)
    found = pivots(first, last)
    rows = [
        {
            "chord": _triad_name(pivot.before, first),
            f"in {first}": pivot.before.symbol,
            f"in {last}": pivot.after.symbol,
            "functions": f"{pivot.before.function}-{pivot.after.function}",
        }
        for pivot in found
    ]
    listed = ", ".join(f"{row['chord']} {row[f'in {first}']}={row[f'in {last}']}" for row in rows)
    text = f"Pivots from {first} to {last}: {listed or 'none'}; predominants of the new key first."
    evidence = [
        edge
        for edge in derived_edges(("key", first.name))
        if edge.relation == "pivot" and edge.object == ("key", last.name)
    ]
    return answer("pivots", text, rows, evidence, ["KP 18"])


# --- cadences and schemata ------------------------------------------------------------------


def cadences_for(unit: str) -> Answer:
    """Which cadences may end a unit: `consequent`, `antecedent`, `chorale/phrase-8`."""
    units = {**catalogue()["phrase-function"], **catalogue()["section"]}
    if unit not in units:
        raise UnknownNameError("unit of form", unit, units)
    found = units[unit]
    node = (found.kind, found.id)
    names = tuple(found["ends"])
    rows = [_cadence_row(name) for name in names]
    listed = ", ".join(str(row["name"]) for row in rows) or "none: it runs on"
    text = f"{unit} may end with: {listed}."
    return answer("cadences-for", text, rows, statements(node, "ends_with"), found.sources)


def _cadence_row(name: str) -> Row:
    from theory_kb.facts import load_facts

    table = load_facts().cadences
    fact = {**table["kinds"], **table["further"]}[name]
    return {
        "cadence": name,
        "name": fact["name"],
        "strength": fact["strength"],
        "clauses": "; ".join(entry("cadence-clauses", name)["clauses"]),
    }


def schemata_with(soprano: str = "", bass: str = "", end: str = "") -> Answer:
    """Which galant schemata start with a soprano over a bass degree and end with a soprano degree."""
    for degree in (soprano, bass, end):
        if degree and degree not in catalogue()["degree"]:
            raise UnknownNameError("degree", degree, catalogue()["degree"])
    found = [each for each in catalogue()["schema"].values() if _fits(each, soprano, bass, end)]
    rows: list[Row] = [
        {
            "schema": each.id,
            "soprano": " ".join(_outer(stage)[0] for stage in each["stages"]),
            "bass": " ".join(_outer(stage)[1] for stage in each["stages"]),
            "figures": ", ".join(stage.partition(" ")[2] for stage in each["stages"]),
            "slots": tuple(each["slots"]),
        }
        for each in found
    ]
    text = f"{', '.join(each.id for each in found) or 'No schema'} fit."
    evidence = [edge for each in found for edge in statements(("schema", each.id), "fits_slot")]
    sources = [source for each in found for source in each.sources]
    return answer("schemata", text, rows, evidence, sources)


def _outer(stage: str) -> tuple[str, str]:
    soprano, _, bass = stage.partition(" ")[0].partition("/")
    return soprano, bass


def _fits(each: Entry, soprano: str, bass: str, end: str) -> bool:
    first, last = _outer(each["stages"][0]), _outer(each["stages"][-1])
    wanted = ((soprano, first[0]), (bass, first[1]), (end, last[0]))
    return all(not asked or asked == there for asked, there in wanted)


# --- harmonising ----------------------------------------------------------------------------


def _degrees(text: str, mode: str) -> tuple[int, ...]:
    """Places above the tonic of degrees such as `4 3`; 3, 6 and 7 of a minor key as they sound there.

    In minor 3 and 6 are the lowered ones, 7 is the leading tone.
    """
    if mode not in MODES:
        raise UnknownNameError("mode", mode, MODES)
    table = catalogue()["degree"]
    found = []
    for name in text.replace("-", " ").split():
        lowered = f"b{name}" if mode == "minor" and name in ("3", "6") else name
        if lowered not in table:
            raise UnknownNameError("degree", name, table)
        found.append(int(table[lowered]["fifths"]))
    if len(found) < 2:
        raise QuestionError(f"two soprano degrees or more, such as '4 3', got {text!r}")
    return tuple(found)


def bass_for_soprano(soprano: str, mode: str = "major") -> Answer:
    """Which basses can harmonise soprano degrees at a cadence, and in which style: `4 3`."""
    wanted = _degrees(soprano, mode)
    if len(wanted) != 2:
        raise QuestionError(f"a cadence has two soprano degrees here, got {soprano!r}")
    pairs = [
        (one, other)
        for one in _holding(mode, wanted[0])
        for other in _holding(mode, wanted[1])
        if _closes(one, other)
    ]
    pairs.sort(key=lambda pair: (_fault(pair, wanted), pair[0].inversion + pair[1].inversion))
    rows = [_close_row(pair, wanted) for pair in pairs]
    good = ", ".join(str(row["chords"]) for row in rows if not row["fault"])
    text = f"Soprano {soprano} at a cadence in {mode}: {good or 'nothing'}."
    evidence = [edge for pair in pairs for edge in licence(*pair)]
    return answer("bass-for-soprano", text, rows, evidence, ["KP 10", "OMT"])


def _holding(mode: str, place: int) -> list[Chord]:
    return [
        each
        for each in vocabulary()
        if each.mode == mode and place in each.members and each.applied_to is None
    ]


TONICS = ("I", "i", "vi", "VI")
HALF = ("V",)


def _closes(one: Chord, other: Chord) -> bool:
    """Whether two chords make a cadence: dominant to tonic or submediant, or something to V."""
    if grade_table()[one.index, other.index] < 2 or one.use == "rare" or other.use == "rare":
        return False
    authentic = one.function == "D" and other.numeral in TONICS and not one.cadential
    half = other.numeral in HALF and other.inversion == 0 and one.function in ("T", "S")
    plagal = one.numeral in ("IV", "iv") and other.numeral in ("I", "i")
    return other.inversion < 2 and (authentic or half or (plagal and not one.inversion))


def _fault(pair: tuple[Chord, Chord], soprano: Sequence[int]) -> str:
    """Why a harmonisation is wrong in graded styles, empty if it is not."""
    one, other = pair
    if soprano[0] == one.bass and soprano[0] in (one.seventh, one.leading):
        return "doubles a tendency tone with the bass"
    if soprano[0] == one.bass and soprano[1] == other.bass:
        return "octaves with the bass"
    fifths = soprano[0] - one.bass == 1 and soprano[1] - other.bass == 1
    return "fifths with the bass" if fifths and one.bass != other.bass else ""


def _close_row(pair: tuple[Chord, Chord], soprano: Sequence[int]) -> Row:
    said = may_follow(*pair)
    return {
        "chords": f"{pair[0].symbol}-{pair[1].symbol}",
        "bass": f"{degree_name(pair[0].bass)}-{degree_name(pair[1].bass)}",
        "kind": _kind(pair),
        "grade": said.grade,
        "per cent in Bach": "" if said.share is None else said.share,
        "fault": _fault(pair, soprano),
    }


def _kind(pair: tuple[Chord, Chord]) -> str:
    one, other = pair
    if other.numeral in HALF:
        return "half"
    if one.function != "D":
        return "plagal"
    if other.numeral in ("vi", "VI"):
        return "deceptive"
    return "authentic, inverted" if one.inversion or other.inversion else "authentic"


MOST_HARMONISATIONS = 50


def harmonise(soprano: str, mode: str = "major", count: int = 3) -> Answer:
    """Harmonisations of soprano degrees with bass and figures: three of `3 2 1`."""
    wanted = _degrees(soprano, mode)
    if not 1 <= count <= MOST_HARMONISATIONS:
        raise QuestionError(f"count must be from 1 to {MOST_HARMONISATIONS}, got {count}")
    if len(wanted) > 12:
        raise QuestionError(f"at most 12 soprano degrees, got {len(wanted)}")
    found = _harmonisations(mode, wanted, count)
    rows: list[Row] = [
        {
            "chords": tuple(each.symbol for each in path),
            "bass": tuple(degree_name(each.bass) for each in path),
            "figures": tuple(figures(each) or "5/3" for each in path),
            "weight": round(weight, 1),
        }
        for weight, path in found
    ]
    first = " ".join(each.symbol for each in found[0][1]) if found else "none"
    text = f"{len(found)} harmonisations of soprano {soprano} in {mode}, the best {first}."
    evidence = [edge for pair in pairwise(found[0][1] if found else ()) for edge in licence(*pair)]
    return answer("harmonise", text, rows, evidence, ["DC", "KP 7"])


Path = tuple[Chord, ...]


def _harmonisations(mode: str, soprano: Sequence[int], count: int) -> list[tuple[float, Path]]:
    """The best paths of chords under a soprano that differ in more than one place's position."""
    beam: list[tuple[float, Path]] = [
        (_taste(each), (each,)) for each in _candidates(mode, soprano[0])
    ]
    for before, now in pairwise(soprano):
        grown = [
            (weight + gain, (*path, each))
            for weight, path in beam
            for each in _candidates(mode, now)
            if (gain := _gain(path[-1], each, (before, now))) is not None
        ]
        beam = sorted(grown, key=_best_first)[:400]
    ends = {"I", "i", "V", "vi", "VI"}
    closed = [pair for pair in beam if pair[1][-1].numeral in ends and not pair[1][-1].inversion]
    return _distinct(sorted(closed, key=_best_first), count)


def _best_first(pair: tuple[float, Path]) -> tuple[float, tuple[int, ...]]:
    return -pair[0], tuple(each.index for each in pair[1])


def _distinct(found: Sequence[tuple[float, Path]], count: int) -> list[tuple[float, Path]]:
    """The first paths that do not have the roots of an earlier one."""
    seen: set[tuple[int, ...]] = set()
    kept: list[tuple[float, Path]] = []
    for weight, path in found:
        roots = tuple(each.root for each in path)
        if roots not in seen and len(kept) < count:
            seen.add(roots)
            kept.append((weight, path))
    return kept


def _candidates(mode: str, place: int) -> list[Chord]:
    return [
        each
        for each in _holding(mode, place)
        if each.use != "rare"
        and not (place == each.bass and place in (each.seventh, each.leading))
        and not (each.inversion == 2 and each.seventh is None)
    ]


def _taste(each: Chord) -> float:
    return {"common": 0.0, "occasional": -1.0, "rare": -3.0}[each.use] - 0.2 * each.inversion


def _gain(before: Chord, after: Chord, soprano: tuple[int, int]) -> float | None:
    grade = int(grade_table()[before.index, after.index])
    if grade < 2 or _fault((before, after), soprano) or before.numeral == after.numeral:
        return None
    return _taste(after) + grade + (may_follow(before, after).share or 0) / 25


# --- forms ----------------------------------------------------------------------------------


def key_plan(form: str, part: str = "") -> Answer:
    """The keys and closes of a form's sections: `sonata-minor`, or its `exposition` only."""
    plan = entry("form", form)
    sections = _sections(form)
    if part:
        sections = _part(sections, part)
    if not sections:
        raise UnknownNameError(
            f"part of {form}", part, ("exposition", *(s["id"] for s in _sections(form)))
        )
    rows: list[Row] = [
        {key: section[key] for key in ("id", "bars", "key", "close")} for section in sections
    ]
    walk = ", ".join(f"{row['id']} {row['key']}" for row in rows)
    text = f"Keys of {form}{f' ({part})' if part else ''}: {walk}."
    evidence = [
        edge
        for section in sections
        for edge in statements(("section", section.id), "part_of", "ends_with")
    ]
    return answer("key-plan", text, rows, evidence, plan.sources)


def _sections(form: str) -> list[Entry]:
    return [each for each in catalogue()["section"].values() if each["form"] == form]


def _part(sections: Sequence[Entry], part: str) -> list[Entry]:
    """Sections whose id begins so; an exposition is what comes before the development or return."""
    if part != "exposition":
        return [each for each in sections if str(each["id"]).startswith(part)]
    stops = ("dev", "retransition", "recap")
    kept: list[Entry] = []
    for each in sections:
        if str(each["id"]).startswith(stops):
            break
        kept.append(each)
    return kept if len(kept) < len(sections) else []


def forms_for(bars: int, mode: str = "major", repeats: int = -1, middle: str = "") -> Answer:
    """Which forms fit a number of bars, a mode, a number of repeats and the key of the middle.

    A form fits if its sections can be laid out in whole fours (twos in short forms) of about their
    usual proportion.
    """
    if mode not in MODES:
        raise UnknownNameError("mode", mode, MODES)
    if not 1 <= bars <= 1000:
        raise QuestionError(f"bars must be from 1 to 1000, got {bars}")
    found = []
    for form in catalogue()["form"].values():
        sections = _sections(form.id)
        layout = _layout(sections, bars)
        if layout and form.get("mode", mode) == mode and _suits(sections, repeats, middle):
            found.append((_strain(sections, layout, repeats), form, sections, layout))
    found.sort(key=lambda each: (each[0], each[1].id))
    rows: list[Row] = [
        {"form": form.id, "repeats": _repeats(sections), "sections": _laid_out(sections, layout)}
        for _, form, sections, layout in found
    ]
    names = ", ".join(str(row["form"]) for row in rows[:4])
    text = f"{bars} bars in {mode}: {names or 'no form fits'}."
    evidence = [
        edge
        for _, form, sections, _ in found[:3]
        for section in sections
        for edge in statements(("section", section.id), "part_of")
    ]
    sources = [source for _, form, _, _ in found[:4] for source in form.sources]
    return answer("forms-for", text, rows, evidence, sources)


def _laid_out(sections: Sequence[Entry], layout: Sequence[int]) -> str:
    parts = zip(sections, layout, strict=True)
    return "; ".join(
        f"{each['id']} {bars} ({each['key']}, {each['close']})" for each, bars in parts
    )


def _repeats(sections: Sequence[Entry]) -> int:
    """Repeated parts: sections repeated together count once."""
    return sum(
        bool(each.get("repeated")) and "with" not in each.get("note", "") for each in sections
    )


def _suits(sections: Sequence[Entry], repeats: int, middle: str) -> bool:
    if len(sections) < 2:
        return False
    if middle and not (
        _returns(sections) and any(_begins_in(each, middle) for each in sections[1:-1])
    ):
        return False
    marked = _repeats(sections)
    return repeats < 0 or marked == repeats or (marked == 0 and _returns(sections))


def _returns(sections: Sequence[Entry]) -> bool:
    """Whether the opening comes back at the end, so that parts may be repeated."""
    return len(sections) == 3 and "return" in sections[-1].get("relations", ())


def _begins_in(section: Entry, key: str) -> bool:
    return str(section["key"]).replace(",", " ").replace("(", " ").split()[0] == key


def _layout(sections: Sequence[Entry], bars: int) -> list[int]:
    """Bars of each section, in units of four, two or one, that add up; empty if none comes near."""
    usual = [int(each["bars"]) for each in sections]
    for unit in (4, 2, 1):
        if bars % unit == 0 and all(length % unit == 0 for length in usual):
            laid = _proportioned(usual, bars // unit, unit)
            if laid and all(0.5 <= now / then <= 2 for now, then in zip(laid, usual, strict=True)):
                return laid
    return []


def _proportioned(usual: Sequence[int], units: int, unit: int) -> list[int]:
    """Largest remainders: whole units in proportion, one at least."""
    total = sum(usual)
    exact = [units * length / total for length in usual]
    laid = [max(1, int(share)) for share in exact]
    order = sorted(range(len(usual)), key=lambda at: (laid[at] - exact[at], at))
    for place in range(units - sum(laid)):
        laid[order[place % len(order)]] += 1
    return [unit * count for count in laid] if sum(laid) == units else []


def _strain(sections: Sequence[Entry], layout: Sequence[int], repeats: int) -> float:
    """How far a layout is from the usual one; 0 where it only doubles or fits."""
    ratio = [now / int(each["bars"]) for each, now in zip(sections, layout, strict=True)]
    missing = 0.0 if repeats < 0 or _repeats(sections) == repeats else 0.1
    return max(ratio) - min(ratio) + missing


# --- expression -----------------------------------------------------------------------------

WAYS = {"+": 1, "-": -1, "0": 0}


def features_for(arousal: str = "+", valence: str = "0") -> Answer:
    """Which features move arousal and valence as asked (+, - or 0), the surest first."""
    for way in (arousal, valence):
        if way not in WAYS:
            raise UnknownNameError("direction", way, WAYS)
    found = [
        each
        for each in catalogue()["effect"].values()
        if _sign(each["arousal"]) == WAYS[arousal] and _sign(each["valence"]) == WAYS[valence]
    ]
    found.sort(key=lambda each: (-each["strength"], -each["agreement"], each["feature"] != "tempo"))
    rows: list[Row] = [
        {
            "feature": each["feature"],
            "level": each["level"],
            "strength": each["strength"],
            "agreement": each["agreement"],
            "sources": each.sources,
        }
        for each in found
    ]
    best = [str(row["feature"]) for row in rows if row["strength"] == 3]
    listed = ", ".join(dict.fromkeys(best or [str(row["feature"]) for row in rows]))
    text = (
        f"Arousal {arousal}, valence {valence}: {listed or 'no feature'}, by the surest evidence."
    )
    evidence = [edge for each in found for edge in statements(("effect", each.id), "affects")]
    sources = [source for each in found for source in each.sources]
    return answer("features-for", text, rows, evidence, sources)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def parameters_for(emotion: str, metre: str = "", bars: int = 0) -> Answer:
    """Which parameters follow from an emotion, a metre and a length: tender, 6/8, 16 bars."""
    feeling = _emotion(emotion)
    if metre and metre not in metre_names():
        raise UnknownNameError("metre", metre, metre_names())
    node = ("emotion", feeling.id)
    rows: list[Row] = list(_settings(feeling))
    if metre:
        rows.append({"parameter": "metre", "value": metre, "from": "asked"})
    if bars:
        forms = forms_for(bars, _common_mode(feeling)).values
        rows.append(_form_row(forms, metre))
    for name in feeling["features"]:
        effect = entry("effect", name)
        rows.append(
            {"parameter": effect["feature"], "value": effect["level"], "from": f"effect:{name}"}
        )
    text = f"{feeling.id}: " + ", ".join(f"{row['parameter']} {row['value']}" for row in rows[:5])
    evidence = statements(node, "expressed_by", "in_mode")
    return answer("parameters-for", f"{text}.", rows, evidence, feeling.sources)


def _common_mode(feeling: Entry) -> str:
    return "major" if "major" in feeling["mode"] else "minor"


def _emotion(name: str) -> Entry:
    table = catalogue()["emotion"]
    by_name = {word: each for each in table.values() for word in (each.id, *each["synonyms"])}
    if name not in by_name:
        raise UnknownNameError("emotion", name, by_name)
    return by_name[name]


def _settings(feeling: Entry) -> Iterator[Row]:
    low, high = feeling["tempo"]
    origin = f"emotion:{feeling.id}"
    yield {"parameter": "mode", "value": " or ".join(feeling["mode"]), "from": origin}
    yield {"parameter": "tempo", "value": f"{low} to {high} beats a minute", "from": origin}
    for name in ("dynamics", "register", "rhythm", "melody", "harmony"):
        yield {"parameter": name, "value": feeling[name], "from": origin}


def _form_row(forms: Sequence[Row], metre: str) -> Row:
    metres = {str(row["form"]): entry("form", str(row["form"])).get("metres", ()) for row in forms}
    fitting = [name for name, known in metres.items() if not (metre and known) or metre in known]
    fitting.sort(key=lambda name: metre not in metres[name])
    return {
        "parameter": "form",
        "value": ", ".join(fitting[:4]) or "none fits",
        "from": "forms-for",
    }
