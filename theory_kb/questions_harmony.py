"""Questions about chords: what may follow, how they are spelled, what resolves where.

Each function is one question; musicians' texts go in, an `Answer` comes out. Unknown chords, keys
and notes raise UnknownNameError or PitchError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from theory_kb.answers import Answer, QuestionError, Value, answer
from theory_kb.catalogue import catalogue, entry
from theory_kb.chord_symbols import ChordSymbol
from theory_kb.chords import Chord, every_chord, spell, vocabulary
from theory_kb.derived import chords_of, derived_edges, enharmonic_chords, licence, spelled_node
from theory_kb.errors import UnknownNameError
from theory_kb.facts import load_facts
from theory_kb.graph import statements
from theory_kb.numerals import read_symbol
from theory_kb.pitch import Key, PitchClass
from theory_kb.query import grade_table, may_follow
from theory_kb.stored import KEYS, degree_name

__all__ = [
    "chords_after",
    "chords_with",
    "doublings",
    "enharmonic_ways",
    "keys_of_chord",
    "may_seventh_rise",
    "outside_key",
    "spell_chord",
    "tendency_tones",
]

Row = Mapping[str, Value]
GRADES = "CBA"
POSITIONS = ("root", "first", "second", "third")
PURE: Mapping[str, tuple[str, ...]] = {
    "major": ("I", "ii", "iii", "IV", "V", "vi", "viio"),
    "minor": ("i", "iio", "III", "iv", "v", "V", "VI", "VII", "viio"),
}


def chords_after(symbol: str, key: str) -> Answer:
    """Which chords may follow a chord in a key, and why: `V65/ii` in D major."""
    home = Key.parse(key)
    stem, slash, target = symbol.partition("/")
    targets = load_facts().numerals["applied"][home.mode]["targets"]
    if slash and target not in (*targets, "N") and stem.rstrip("ø") != "viio":
        return _no_such_target(symbol, home, list(targets))
    chord = read_symbol(home.mode, symbol)
    before = _composed(chord)
    after = [each for each in vocabulary() if before and grade_table()[before.index, each.index]]
    found = [(may_follow(before, each), each) for each in after if before]
    found.sort(key=lambda pair: (-GRADES.index(pair[0].grade), -(pair[0].share or 0)))
    rows = [
        {
            "chord": each.symbol,
            "grade": said.grade,
            "per cent in Bach": "" if said.share is None else said.share,
            "tones": _names(spell(each, home)),
            "moves": _moves_text(chord, each, home),
        }
        for said, each in found
    ]
    best = ", ".join(str(row["chord"]) for row in rows if row["grade"] == "A") or "nothing"
    text = f"{symbol} of {home} is {_tones(chord, home)}; it normally goes to {best}."
    evidence = [edge for _, each in found if before for edge in licence(before, each)]
    return answer("chords-after", text, rows, evidence, [chord.source])


def _composed(chord: Chord) -> Chord | None:
    """The chord as one of the vocabulary, None if it is only read."""
    return chord if chord.index < len(vocabulary()) else None


def _no_such_target(symbol: str, home: Key, targets: Sequence[str]) -> Answer:
    stem, _, target = symbol.partition("/")
    qualities = {each.numeral: each.quality for each in every_chord() if each.mode == home.mode}
    numeral = next((name for name in (target, f"{target}o") if name in qualities), None)
    reason = f"{target} is no chord of {home}"
    if home.mode == "minor" and target in ("ii", "iio"):
        reason = f"{target} of {home} is diminished and cannot be a local tonic"
    elif numeral is not None:
        reason = f"{target} of {home} is not treated as a local tonic"
    offers = [f"{stem}/{name}" for name in targets]
    text = f"None: {reason}. Possible are {', '.join(offers)}."
    evidence = (
        statements(("numeral", f"{home.mode} iio"), "has_quality") if home.mode == "minor" else ()
    )
    return answer("chords-after", text, (), evidence, ["KP 16"])


def _names(tones: Sequence[PitchClass]) -> tuple[str, ...]:
    return tuple(tone.name for tone in tones)


def _tones(chord: Chord, key: Key) -> str:
    return " ".join(_names(_from_bass(chord, key)))


def _from_bass(chord: Chord, key: Key) -> tuple[PitchClass, ...]:
    tones = spell(chord, key)
    return (*tones[chord.inversion :], *tones[: chord.inversion])


# --- where notes go -------------------------------------------------------------------------


def spell_chord(symbol: str, key: str) -> Answer:
    """The notes of a chord in a key and where each of them goes: `Ger6` in F# minor."""
    home = Key.parse(key)
    chord = read_symbol(home.mode, symbol)
    goals = _goals(chord)
    rows = [_spelled_row(chord, home, tone, goals) for tone in _from_bass(chord, home)]
    names = " and ".join(goal.symbol for goal in goals)
    text = f"{symbol} of {home} is {_tones(chord, home)}, from the bass up; it goes to {names}."
    node = spelled_node(home, chord)
    evidence = [edge for edge in derived_edges(node) if edge.relation == "spells"]
    return answer("spell", text, rows, evidence, [chord.source])


def _spelled_row(chord: Chord, key: Key, tone: PitchClass, goals: Sequence[Chord]) -> Row:
    place = tone.fifths - key.tonic.fifths
    row: dict[str, Value] = {"note": tone.name, "degree": degree_name(place)}
    row["tendency"] = _tendency(chord, place)
    for goal in goals:
        row[f"to {goal.symbol}"] = _goal(chord, goal, place, key)
    return row


@cache
def _goals(chord: Chord) -> tuple[Chord, ...]:
    """The chords that a chord most naturally goes to: two for augmented sixths."""
    if chord.origin in ("augmented-sixth", "neapolitan"):
        return read_symbol(chord.mode, "V"), read_symbol(chord.mode, "cad64")
    if chord.origin == "common-tone":
        return (read_symbol(chord.mode, "I" if chord.mode == "major" else "i"),)
    if _composed(chord) is None:
        return (read_symbol(chord.mode, "V" if chord.function != "D" else _tonic(chord.mode)),)
    grades = grade_table()[chord.index]
    best = max(range(len(grades)), key=lambda index: (_weight(chord, index), -index))
    return (vocabulary()[best],)


def _weight(chord: Chord, index: int) -> tuple[int, float]:
    other = vocabulary()[index]
    if not grade_table()[chord.index, index] or other.numeral == chord.numeral:
        return 0, 0.0
    return int(grade_table()[chord.index, index]), may_follow(chord, other).share or 0.0


def _tonic(mode: str) -> str:
    return "I" if mode == "major" else "i"


def _tendency(chord: Chord, place: int) -> str:
    if chord.origin == "augmented-sixth" and place == 6:
        return "raised fourth, rises"
    if chord.origin == "augmented-sixth" and place == -4:
        return "lowered sixth, falls"
    if place == chord.leading:
        return "leading tone, rises"
    if place == chord.seventh and chord.origin != "augmented-sixth":
        return "seventh, falls"
    if chord.quality == "dim" and chord.leading is not None and place == chord.members[2]:
        return "diminished fifth, falls"
    degree = degree_name(place)
    raised = degree.startswith("#") and chord.origin != "diatonic"
    return "raised, rises" if raised else ""


def _goal(chord: Chord, goal: Chord, place: int, key: Key) -> str:
    """Where a note goes: held, by its tendency, or to the nearest note of the goal."""
    duty = _tendency(chord, place)
    way = 1 if "rises" in duty else -1 if "falls" in duty else 0
    target = min(goal.members, key=lambda member: _cost(place, member, way))
    name = key.tonic.transposed(target).name
    return f"{name} (stays)" if target == place else name


def _cost(place: int, member: int, way: int) -> tuple[int, int]:
    """How far a note is from another, a step in the way it tends to first."""
    steps = (PitchClass(member).letter - PitchClass(place).letter + 3) % 7 - 3
    semitones = ((member - place) * 7 + 6) % 12 - 6
    if way and steps == way:
        return -1, abs(semitones)
    return (0 if member == place else abs(semitones)), -steps * (1 if way >= 0 else -1)


def _moves_text(before: Chord, after: Chord, key: Key) -> str:
    """What the tendency tones of a chord do in the next one."""
    found = []
    for place in before.members:
        duty = _tendency(before, place).partition(",")[0]
        if duty:
            name = key.tonic.transposed(place).name
            found.append(f"{duty} {name} to {_goal(before, after, place, key)}")
    return "; ".join(found)


def tendency_tones(symbol: str, key: str) -> Answer:
    """Which notes of a chord tend somewhere, and where: `V43` in B flat minor."""
    home = Key.parse(key)
    chord = read_symbol(home.mode, symbol)
    goal = _goals(chord)[0]
    rows = [
        {
            "note": tone.name,
            "tendency": _tendency(chord, place),
            "goes to": _goal(chord, goal, place, home),
        }
        for tone in spell(chord, home)
        if _tendency(chord, place := tone.fifths - home.tonic.fifths)
    ]
    named = ", ".join(f"{row['note']} ({row['tendency']})" for row in rows) or "none"
    text = f"Tendency tones of {symbol} in {home}: {named}."
    degrees = [("degree", degree_name(place)) for place in chord.members]
    evidence = [edge for node in degrees for edge in statements(node, "resolves_to")]
    return answer("tendency-tones", text, rows, evidence, [chord.source])


# --- chords by their notes ------------------------------------------------------------------


def chords_with(notes: str) -> Answer:
    """Which chords, in all keys, contain some notes, and where those go: `F B`."""
    tones = _read_notes(notes)
    rows: list[Row] = []
    for key in KEYS:
        places = {tone.fifths - key.tonic.fifths for tone in tones}
        seen: set[str] = set()
        for chord in every_chord():
            held = chord.mode == key.mode and places <= set(chord.members)
            if held and chord.numeral not in seen and not chord.cadential:
                seen.add(chord.numeral)
                rows.append(_holding(chord, key, tones))
    text = f"{len(rows)} chords of {len(KEYS)} keys contain {' and '.join(_names(tones))}."
    evidence = [edge for name in _names(tones) for edge in derived_edges(("pitch-class", name))]
    return answer("chords-with", text, rows, evidence, ["KP 3", "KP 13"])


def _holding(chord: Chord, key: Key, tones: Sequence[PitchClass]) -> Row:
    goal = _goals(chord)[0]
    moves = [
        f"{tone.name} to {_goal(chord, goal, tone.fifths - key.tonic.fifths, key)}"
        for tone in tones
    ]
    return {
        "key": key.name,
        "chord": chord.numeral,
        "notes": _names(spell(chord, key)),
        "goes to": goal.symbol,
        "moves": "; ".join(moves),
    }


def _read_notes(text: str) -> tuple[PitchClass, ...]:
    found = tuple(
        PitchClass.parse(word) for word in re.split(r"[\s,]+|(?<=[#b\w])-(?=[A-G])", text.strip())
    )
    if len(set(found)) != len(found):
        raise QuestionError(f"notes must differ, got {text!r}")
    return found


def keys_of_chord(notes: str) -> Answer:
    """In which keys a chord is diatonic, and as what: `F A C`.

    Minor keys count in their natural form, with V and viio.
    """
    tones = _read_notes(notes)
    places = frozenset(tone.fifths for tone in tones)
    found = [
        (key, chord) for key, chord in chords_of(places) if chord.numeral in PURE[key.mode]
    ] or [(key, chord) for key, chord in chords_of(places) if chord.origin == "diatonic"]
    rows = [{"key": key.name, "numeral": chord.numeral} for key, chord in found]
    listed = ", ".join(f"{row['numeral']} of {row['key']}" for row in rows) or "no chord of a key"
    text = f"{'-'.join(_names(tones))} is {listed}."
    evidence = [
        edge
        for key, chord in found
        for edge in derived_edges(spelled_node(key, chord))
        if edge.relation == "instance_of"
    ]
    return answer("keys-of-chord", text, rows, evidence, ["KP 4", "KP 18"])


def enharmonic_ways(key: str, start: str = "") -> Answer:
    """Which chords, heard with another spelling, lead into a key: its viio7, Ger6, V7 and III+ or V+.

    With a key to start from, only chords of that key are named.
    """
    goal = Key.parse(key)
    home = Key.parse(start) if start else None
    rows: list[Row] = []
    evidence = []
    for symbol in ("viio7", "Ger65", "V7", "V+"):
        chord = read_symbol(goal.mode, symbol)
        tones = frozenset(tone.fifths for tone in spell(chord, goal))
        node = spelled_node(goal, chord)
        for other, reading in enharmonic_chords(tones):
            if _useful(reading) and (home is None or other == home):
                rows.append(_heard(chord, goal, reading, other))
                wanted = spelled_node(other, reading)
                evidence += [edge for edge in derived_edges(node) if edge.object == wanted]
    text = f"{len(rows)} chords can be heard as a dominant or German sixth of {goal}."
    return answer("enharmonic", text, rows, evidence, ["KP 19", "KP 22"])


def _useful(chord: Chord) -> bool:
    return chord.origin in ("diatonic", "minor-form", "mixture", "augmented-sixth", "altered")


def _heard(chord: Chord, goal: Key, reading: Chord, other: Key) -> Row:
    return {
        "in": other.name,
        "chord": reading.symbol,
        "spelled": _names(spell(reading, other)),
        "heard as": f"{chord.symbol} of {goal}",
        "respelled": _names(spell(chord, goal)),
    }


# --- sevenths and doublings -----------------------------------------------------------------


def may_seventh_rise() -> Answer:
    """Whether a chordal seventh may rise, and how often Bach lets it."""
    counts = [
        each
        for each in catalogue()["exception-count"].values()
        if each["rule"] == "seventh-resolves-down"
    ]
    rows = [
        {"exception": each["exception"], "count in Bach": each["count"], "what": each["text"]}
        for each in counts
    ]
    text = (
        "Yes: in I-V43-I6 (and viio6 or viiø43 in the same place) the seventh may rise by step in "
        "tenths with the bass; otherwise it falls, is held, or passes to another voice."
    )
    node = ("rule", "seventh-resolves-down")
    evidence = statements(node, "excepted_by", "judged_by")
    return answer("may-seventh-rise", text, rows, evidence, ["AS 9", "OMT", "BX"])


def doublings(symbol: str, mode: str = "major") -> Answer:
    """Which member of a triad is doubled in four voices, best first: `viio6`."""
    if mode not in PURE:
        raise UnknownNameError("mode", mode, PURE)
    chord = read_symbol(mode, symbol)
    position = POSITIONS[chord.inversion]
    shape = f"{chord.quality} {position}"
    table = catalogue()["doubling"]
    if shape not in table:
        allowed = ", ".join(sorted(table))
        raise QuestionError(f"doublings were counted for {allowed}; {symbol} is {shape}")
    fact = entry("doubling", shape)
    members = ("root", "third", "fifth")
    order = sorted(
        zip(members, chord.members, fact["shares"], strict=True), key=lambda each: -each[2]
    )
    rows = [
        {
            "member": member,
            "degree": degree_name(place),
            "per cent in Bach": share,
            "allowed": place != chord.leading,
        }
        for member, place, share in order
    ]
    good = [str(row["member"]) for row in rows if row["allowed"]]
    never = [str(row["member"]) for row in rows if not row["allowed"]]
    text = f"Double the {', then the '.join(good)} of {symbol}"
    text += f"; never the {' or the '.join(never)}, a tendency tone." if never else "."
    evidence = statements(("rule", "double-leading-tone"), "cites", "judged_by")
    return answer("doublings", text, rows, evidence, [*fact.sources, "KP 8", "AS 8"])


# --- lead sheets ----------------------------------------------------------------------------


def outside_key(symbols: str, key: str) -> Answer:
    """Which chord symbols of a lead sheet lie outside the key, and what explains each."""
    home = Key.parse(key)
    chords = [_read_chord_symbol(text) for text in symbols.replace("|", " ").split()]
    rows: list[Row] = []
    for place, (text, root, quality, tones) in enumerate(chords):
        following = chords[place + 1] if place + 1 < len(chords) else None
        if not _inside(tones, home):
            why, source = _explain((root, quality, tones), following and following[1], home)
            rows.append({"place": place + 1, "symbol": text, "explanation": why, "source": source})
    outside = ", ".join(f"{row['symbol']} ({row['explanation']})" for row in rows) or "none"
    sources = dict.fromkeys(str(row["source"]) for row in rows)
    return answer("outside-key", f"Outside {home}: {outside}.", rows, (), sources)


Symbol = tuple[str, int, str, frozenset[int]]  # as written, root, quality, tones


def _read_chord_symbol(text: str) -> Symbol:
    read = ChordSymbol.parse(text)
    tones = frozenset(tone.fifths for tone in read.tones)
    return text, read.root.fifths, read.quality, tones


def _inside(tones: frozenset[int], key: Key) -> bool:
    places = {tone - key.tonic.fifths for tone in tones}
    scale = set(range(-1, 6)) if key.mode == "major" else set(range(-4, 3))
    return places <= scale or (key.mode == "minor" and places <= scale - {-2} | {5})


DOMINANTS = ("7", "9", "7b9", "7#9", "13", "aug7")


def _explain(
    symbol: tuple[int, str, frozenset[int]], following: int | None, key: Key
) -> tuple[str, str]:
    """What explains a chord outside the key: the first way that fits."""
    root, quality, tones = symbol
    places = root - key.tonic.fifths
    near = range(-1, 5) if key.mode == "major" else range(-4, 2)
    if quality in DOMINANTS and following is not None and following - root == 5:
        return f"tritone substitute, falls a semitone to {PitchClass(following).name}", "JZ"
    dominant = quality in ("maj", *DOMINANTS)
    if dominant and following is not None and root - following == 1 and places - 1 in near:
        return f"applied dominant of {PitchClass(following).name}", "KP 16"
    if quality in ("dim7", "m7b5", "dim") and following is not None and root - following == 5:
        return f"applied leading-tone chord of {PitchClass(following).name}", "KP 17"
    if _inside(tones, key.parallel):
        return f"mixture: from {key.parallel}", "KP 21"
    if places == -5 and quality in ("maj", "maj7"):
        return "Neapolitan", "KP 21"
    if dominant and places - 1 in near and quality != "maj":
        return f"applied dominant of {PitchClass(root - 1).name}, not resolved there", "KP 16"
    if quality in ("dim7", "dim"):
        return "chromatic passing chord", "KP 23"
    return "chromatic", "KP 23"
