"""The stored statements of the graph, from the facts and from the records of the rules.

One function a part; each yields edges. What a single field of an entry names becomes an edge by the
schema; what takes more than one field is written out here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import Any

from theory_kb.catalogue import Catalogue, Entry, catalogue
from theory_kb.chords import MODES, Chord, every_chord, figures
from theory_kb.facts import Facts, load_facts
from theory_kb.numerals import Numeral, numeral_names, numerals
from theory_kb.pitch import Interval, Key, PitchClass
from theory_kb.query import bass_degrees, rule_of_the_octave
from theory_kb.rules.records import Rule, rules
from theory_kb.schema import KINDS
from theory_kb.statements import Edge, Node

__all__ = ["KEYS", "chord_node", "degree_name", "stored_edges", "stored_nodes"]

MAJOR_TONICS = range(-7, 8)  # C flat to C sharp on the line of fifths
KEYS: tuple[Key, ...] = (
    *(Key(PitchClass(tonic), "major") for tonic in MAJOR_TONICS),
    *(Key(PitchClass(tonic + 3), "minor") for tonic in MAJOR_TONICS),
)
PITCH_CLASSES = range(-15, 20)
MEMBER_NAMES = ("root", "third", "fifth", "seventh", "ninth", "eleventh")
SCOPES = {
    "N": "pitch",
    "V": "sonority",
    "M1": "melodic interval",
    "M2": "move",
    "L3": "line",
    "H2": "progression",
    "P": "phrase",
    "W": "form",
}
DEGREES = ("1", "b2", "2", "b3", "3", "4", "b5", "5", "b6", "6", "b7", "7")  # by semitone
APPLIED_STEMS = ("V", "V7", "viio", "viio7", "viiø7")


def chord_node(chord: Chord) -> Node:
    """The node of a chord."""
    return "chord", f"{chord.mode} {chord.symbol}"


def stored_edges() -> Iterator[Edge]:
    """Every stored statement."""
    facts, found = load_facts(), catalogue()
    for part in (_sources, _scales, _functions, _qualities, _cadences, _progressions, _metres):
        yield from part(facts)
    yield from _church_modes(facts)
    for each in (_entries, _stages, _themes, _effects, _devices, _bass_chords, _closes, _forms):
        yield from each(found)
    yield from _pitch_classes()
    yield from _keys()
    yield from _numerals()
    yield from _chords()
    yield from _rules(found)


def stored_nodes() -> Iterator[tuple[Node, Mapping[str, Any]]]:
    """Nodes that carry attributes, with them."""
    for kind in KINDS:
        for each in catalogue()[kind.name].values():
            yield _node(each), dict(each.values)
    for numeral in numerals():
        yield ("numeral", numeral.name), _numeral_values(numeral)
    for rule in rules().values():
        yield ("rule", rule.id), _rule_values(rule)
    for kind_name, table in _tables(load_facts()):
        for name, fact in table.items():
            yield (kind_name, name), {key: fact[key] for key in fact if key != "source"}


def _tables(facts: Facts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Tables of nodes in the files that the composer reads."""
    yield "source", facts.sources["sources"]
    yield "scale", facts.scales["scales"]
    yield "church-mode", facts.modes["modes"]
    yield "quality", _all_qualities(facts)
    yield "cadence", _cadence_kinds(facts)
    yield "metre", facts.metres["metres"]
    yield "grouping", facts.metres["groupings"]
    yield "range", facts.ranges["voices"]


def _node(each: Entry) -> Node:
    return each.kind, each.id


def _numeral_values(numeral: Numeral) -> dict[str, Any]:
    return {
        "members": numeral.members,
        "origin": numeral.origin,
        "aliases": numeral.aliases,
    }


def _rule_values(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "scope": rule.scope,
        "message": rule.message,
        "why": rule.why,
        "repair": rule.repair,
        "params": dict(rule.params),
        "right": rule.right,
        "wrong": rule.wrong,
    }


# --- entries of the catalogue ---------------------------------------------------------------


def _entries(found: Catalogue) -> Iterator[Edge]:
    """What each field of an entry names, and its sources."""
    for kind in KINDS:
        for each in found[kind.name].values():
            source = each.sources[0]
            for name, field in kind.fields.items():
                if field.refers:
                    value = each.get(name, ())
                    names = (value,) if isinstance(value, str) else value
                    for place, item in enumerate(names, 1):
                        other = (field.refers, item)
                        yield Edge(
                            _node(each), field.edge, other, source, attributes={"index": place}
                        )
            yield from _cites(_node(each), each.sources)


def _cites(node: Node, sources: Sequence[str]) -> Iterator[Edge]:
    for source in sources:
        yield Edge(node, "cites", ("source", source.split()[0]), source)


def _stages(found: Catalogue) -> Iterator[Edge]:
    """Stages of schemata: soprano, bass and figure of each event."""
    for schema in found["schema"].values():
        source = schema.sources[0]
        for place, text in enumerate(schema["stages"], 1):
            outer, _, figure = text.partition(" ")
            soprano, bass = outer.split("/")
            stage = ("stage", f"{schema.id} {place}")
            yield Edge(stage, "stage_of", _node(schema), source, text, attributes={"index": place})
            yield Edge(stage, "has_soprano", ("degree", soprano), source)
            yield Edge(stage, "has_bass", ("degree", bass), source)
            for name in figure.split("-") if figure not in found["figure"] else (figure,):
                yield Edge(stage, "has_figure", ("figure", name), source)


def _themes(found: Catalogue) -> Iterator[Edge]:
    """Sections that treat the material of an earlier section of their form."""
    first: dict[tuple[str, str], Node] = {}
    for section in found["section"].values():
        letters = re.findall(r"\b[A-Za-z]\b", section.get("theme", "").partition("(")[0])
        for letter in letters:
            key = section["form"], letter
            before = first.setdefault(key, _node(section))
            if before != _node(section):
                text = ", ".join(section.get("relations", ())) or "goes on"
                yield Edge(_node(section), "relates_to", before, section.sources[0], text)


def _forms(found: Catalogue) -> Iterator[Edge]:
    """The order of sections."""
    for one, other in _neighbours(found):
        yield Edge(_node(one), "goes_before", _node(other), other.sources[0])


def _neighbours(found: Catalogue) -> Iterator[tuple[Entry, Entry]]:
    sections = tuple(found["section"].values())
    for one, other in pairwise(sections):
        if one["form"] == other["form"]:
            yield one, other


def _effects(found: Catalogue) -> Iterator[Edge]:
    """How levels of features move the dimensions of emotion."""
    for each in found["effect"].values():
        for name in found["dimension"]:
            size = each[name]
            if size:
                way = "up" if size > 0 else "down"
                attributes = {
                    "sign": 1 if size > 0 else -1,
                    "size": abs(size),
                    "strength": each["strength"],
                    "agreement": each["agreement"],
                }
                text = f"{way}, strength {each['strength']}, agreement {each['agreement']:g}"
                yield Edge(
                    _node(each),
                    "affects",
                    ("dimension", name),
                    each.sources[0],
                    text,
                    "",
                    attributes,
                )


def _devices(found: Catalogue) -> Iterator[Edge]:
    """Progressions with their chords, and the chords among them that prolong another."""
    for each in found["progression"].values():
        symbols = [text.split() for text in each["chords"]]
        yield from _steps(_node(each), each["mode"], symbols, each.sources[0])
        if each.get("device"):
            yield from _prolonging(each["mode"], each["chords"], each["device"], each.sources[0])
    for fact in load_facts().bass_degrees["prolongation"]:
        for number, names in enumerate(fact["chords"], 1):
            node = ("progression", f"{fact['name']} {number}")
            yield from _steps(node, "major", [[name] for name in names], fact["source"])
            yield from _prolonging("major", names, fact["name"], fact["source"])
            yield from _cites(node, [fact["source"]])


@cache
def _known() -> frozenset[str]:
    """Names of the chord nodes."""
    return frozenset(f"{chord.mode} {chord.symbol}" for chord in every_chord())


def _steps(node: Node, mode: str, symbols: Sequence[Sequence[str]], source: str) -> Iterator[Edge]:
    for place, names in enumerate(symbols, 1):
        for name in (f"{mode} {symbol}" for symbol in names):
            if name in _known():
                yield Edge(node, "has_step", ("chord", name), source, str(place))


def _prolonging(mode: str, names: Sequence[str], device: str, source: str) -> Iterator[Edge]:
    """The chords between the first and the last prolong the first."""
    home = ("chord", f"{mode} {names[0]}")
    for name in names[1:-1]:
        yield Edge(("chord", f"{mode} {name}"), "prolongs", home, source, device)


FIGURES = {
    "": "5/3",
    "6": "6",
    "64": "6/4",
    "7": "7",
    "65": "6/5",
    "43": "4/3",
    "42": "4/2",
}


def _bass_chords(_found: Catalogue) -> Iterator[Edge]:
    """Functions of chords over a bass degree, and the figures of the rule of the octave."""
    for mode in MODES:
        for degree in bass_degrees(mode):
            name = degree_name(degree.place)
            for function, chords in degree.chords.items():
                for chord in chords:
                    node = chord_node(chord)
                    goal = ("function", function)
                    yield Edge(node, "has_function", goal, degree.source, f"over {name}")
                    yield Edge(node, "stands_on", ("degree", name), degree.source, degree.use)
        source = load_facts().bass_degrees["octave"]["source"]
        for way in (False, True):
            for chord in rule_of_the_octave(mode, down=way):
                figure = ("figure", FIGURES[figures(chord)])
                over = f"over {degree_name(chord.bass)}, {'down' if way else 'up'} the octave"
                yield Edge(figure, "realises", chord_node(chord), source, over)


def _closes(found: Catalogue) -> Iterator[Edge]:
    """Clauses of the cadence kinds."""
    for each in found["cadence-clauses"].values():
        for place, text in enumerate(each["clauses"], 1):
            clause = ("clause", f"{each.id} {place}")
            yield Edge(("cadence", each.id), "requires", clause, each.sources[0], text)


# --- pitch, scales, chords ------------------------------------------------------------------


def _pitch_classes() -> Iterator[Edge]:
    for fifths in PITCH_CLASSES[:-1]:
        one, other = PitchClass(fifths), PitchClass(fifths + 1)
        yield Edge(("pitch-class", one.name), "fifth_below", ("pitch-class", other.name), "RG")


def _keys() -> Iterator[Edge]:
    for key in KEYS:
        node = ("key", key.name)
        yield Edge(node, "in_mode", ("scale", _scale(key.mode)), "KP 1")
        yield Edge(node, "has_tonic", ("pitch-class", key.tonic.name), "KP 1")


def _scale(mode: str) -> str:
    return "natural-minor" if mode == "minor" else mode


def _sources(facts: Facts) -> Iterator[Edge]:
    for name, fact in facts.sources["sources"].items():
        yield Edge(("source", name), "written_by", ("author", fact["author"]), name, fact["title"])


def _scales(facts: Facts) -> Iterator[Edge]:
    for name, fact in facts.scales["scales"].items():
        places = list(accumulate(fact["steps"], initial=0))[:-1]
        names = fact.get("degrees") or _degree_names(places)
        for index, (degree, semitones) in enumerate(zip(names, places, strict=True), 1):
            attributes = {"index": index, "semitones": semitones}
            yield Edge(
                ("scale", name),
                "has_degree",
                ("degree", degree),
                fact["source"],
                f"{semitones} semitones above the first",
                "",
                attributes,
            )
        yield from _cites(("scale", name), [fact["source"]])


def _church_modes(facts: Facts) -> Iterator[Edge]:
    for name, fact in facts.modes["modes"].items():
        node, source = ("church-mode", name), fact["source"]
        yield Edge(node, "has_scale", ("scale", fact["scale"]), source)
        yield Edge(node, "ends_on", ("pitch-class", fact["final"]), source)
        yield Edge(node, "recites_on", ("pitch-class", fact["reciting"]), source)
        yield from _cites(node, [source])


def _degree_names(places: Sequence[int]) -> list[str]:
    """Degrees of a scale: by number where it has seven of them, else by semitone."""
    if len(places) != 7:
        return [DEGREES[place] for place in places]
    major = (0, 2, 4, 5, 7, 9, 11)
    signs = {-2: "bb", -1: "b", 0: "", 1: "#"}
    return [f"{signs[place - major[at]]}{at + 1}" for at, place in enumerate(places)]


def degree_name(fifths: int) -> str:
    """Name of a degree so many fifths above the tonic, counted on the major scale: 1, b3, #4."""
    tone = PitchClass(fifths)
    sign = "#" * tone.alteration if tone.alteration > 0 else "b" * -tone.alteration
    return f"{sign}{tone.letter + 1}"


def _functions(facts: Facts) -> Iterator[Edge]:
    for name, fact in facts.scales["functions"].items():
        term = ("term", fact["name"])
        yield Edge(("function", name), "is_called", term, fact["source"], fact["text"])


def _all_qualities(facts: Facts) -> dict[str, Any]:
    return {**facts.qualities["qualities"], **facts.qualities["extended"]}


def _qualities(facts: Facts) -> Iterator[Edge]:
    for name, fact in _all_qualities(facts).items():
        labels = fact.get("labels", MEMBER_NAMES)
        for member, fifths in zip(labels, fact["members"], strict=False):
            node = ("interval", _interval(fifths))
            yield Edge(("quality", name), "contains", node, fact["source"], member)
        yield from _cites(("quality", name), [fact["source"]])


def _interval(fifths: int) -> str:
    """The ascending simple interval of so many fifths."""
    tone = PitchClass(fifths)
    natural = (0, 2, 4, 5, 7, 9, 11)[tone.letter]
    return Interval(tone.letter, natural + tone.alteration).name


def _numerals() -> Iterator[Edge]:
    names = numeral_names()
    for each in numerals():
        node = ("numeral", each.name)
        tonic = ("degree", degree_name(each.members[0]))
        yield Edge(node, "built_on", tonic, each.source)
        yield Edge(node, "has_quality", ("quality", each.quality), each.source)
        yield Edge(node, "in_mode", ("scale", _scale(each.mode)), each.source, each.origin)
        yield Edge(node, "has_function", ("function", each.function), each.source)
        yield from _cites(node, [each.source])
        target = f"{each.mode} {each.applied_to}"
        if each.applied_to is not None and target in names:
            kind = "leading-tone type" if each.symbol.startswith("vii") else "dominant type"
            kind = "predominant type" if each.function == "S" else kind
            yield Edge(node, "applied_to", ("numeral", target), each.source, kind)


def _chords() -> Iterator[Edge]:
    for each in every_chord():
        node, source = chord_node(each), each.source
        numeral = ("numeral", f"{each.mode} {each.numeral}")
        yield Edge(node, "inversion_of", numeral, source, _position(each))
        yield Edge(node, "has_function", ("function", each.function), source)


def _position(each: Chord) -> str:
    return ("root position", "first inversion", "second inversion", "third inversion")[
        each.inversion
    ]


# --- what may follow ------------------------------------------------------------------------


def _progressions(facts: Facts) -> Iterator[Edge]:
    table = facts.progressions
    for mode in MODES:
        for before, grades in table[mode].items():
            for grade, shares in grades.items():
                for after, value in shares.items():
                    yield from _by_root(table, mode, before, after, (grade, value))
        for before, shares in table["positions"][mode].items():
            for after, share in shares.items():
                pair = (("chord", f"{mode} {before}"), ("chord", f"{mode} {after}"))
                yield _follow(pair, table["sources"]["counts"], f"{share:g}%", {"bach_pct": share})
        for kind in ("deceptive", "lowered"):
            for before, turns in table[kind][mode].items():
                for after, value in turns.items():
                    yield from _by_root(table, mode, f"D/{before}", after, ("B", value))
    yield from _special(table)


def _follow(pair: tuple[Node, Node], source: str, text: str, attributes: Mapping[str, Any]) -> Edge:
    return Edge(pair[0], "may_follow", pair[1], source, text, "", attributes)


def _by_root(
    table: Mapping[str, Any], mode: str, before: str, after: str, said: tuple[str, Any]
) -> Iterator[Edge]:
    grade, value = said
    condition = table["conditions"][mode].get(before, {}).get(after, "")
    counted = not isinstance(value, str)
    source = table["sources"]["counts"] if counted else value
    words = [f"class {grade}", f"{value:g}%" if counted else "", condition]
    attributes = {"grade": grade, "condition": condition, "bach_pct": value if counted else None}
    for first in _family(mode, before):
        for second in _family(mode, after):
            text = ", ".join(word for word in words if word)
            yield _follow((first, second), source, text, attributes)


def _family(mode: str, name: str) -> Iterator[Node]:
    stem, slash, target = name.partition("/")
    stems = APPLIED_STEMS if slash and stem == "D" else (stem,)
    found = [f"{mode} {each}{slash}{target}" for each in stems]
    if not slash and found[0] not in numeral_names():
        found = [f"{mode} {stem}7"]  # a family named by its stem, such as Ger
    yield from (("numeral", name) for name in found if name in numeral_names())


def _special(table: Mapping[str, Any]) -> Iterator[Edge]:
    known = _known()
    cases = [
        (fact["before"], fact["after"], fact) for fact in table["special"] if fact["grade"] != "X"
    ]
    cases += [
        ([before], duty["to"], {"grade": "A", **duty}) for before, duty in table["duties"].items()
    ]
    for before, after, fact in cases:
        grade, text, source = fact["grade"], fact["text"], fact["source"]
        for mode in (fact["mode"],) if "mode" in fact else MODES:
            for one in before:
                for other in after:
                    pair = (("chord", f"{mode} {one}"), ("chord", f"{mode} {other}"))
                    if {pair[0][1], pair[1][1]} <= known:
                        attributes = {"grade": grade, "condition": fact.get("condition", "")}
                        yield _follow(pair, source, f"class {grade}, {text}", attributes)


# --- cadences, metres -----------------------------------------------------------------------


def _cadence_kinds(facts: Facts) -> dict[str, Any]:
    return {**facts.cadences["kinds"], **facts.cadences["further"]}


def _cadences(facts: Facts) -> Iterator[Edge]:
    for name, fact in _cadence_kinds(facts).items():
        yield Edge(("cadence", name), "is_called", ("term", fact["name"]), fact["source"])
        yield from _cites(("cadence", name), [fact["source"]])
    for formula in facts.cadences["formula"]:
        node = ("formula", formula["id"])
        yield Edge(node, "makes", ("cadence", formula["kind"]), formula["source"])
        for mode in ("major", "minor"):
            for place, symbol in enumerate(formula.get(mode, ()), 1):
                yield Edge(node, f"stage_{place}", ("chord", f"{mode} {symbol}"), formula["source"])


def _metres(facts: Facts) -> Iterator[Edge]:
    for name, fact in facts.metres["metres"].items():
        yield from _cites(("metre", name), [fact["source"]])
    for name, fact in facts.metres["groupings"].items():
        yield Edge(("grouping", name), "groups", ("metre", fact["metre"]), fact["source"])
    for name, fact in facts.ranges["voices"].items():
        yield from _cites(("range", name), [fact["source"]])


# --- rules ----------------------------------------------------------------------------------


def _rules(found: Catalogue) -> Iterator[Edge]:
    table = rules()
    files = _files()
    for rule in table.values():
        node = ("rule", rule.id)
        for style, severity in rule.severity.items():
            yield Edge(node, "severity", ("style", style), rule.cites[0], severity)
        yield from _cites(node, rule.cites)
        yield Edge(
            node, "governs", ("term", SCOPES[rule.scope]), rule.cites[0], f"scope {rule.scope}"
        )
        for text in rule.exceptions:
            yield Edge(
                node, "excepted_by", ("exception", f"{rule.id}: {text}"), rule.cites[0], text
            )
        for name, principle in found["principle"].items():
            if files[rule.id] in principle["files"]:
                yield Edge(node, "grounded_in", ("principle", name), principle.sources[0])
    yield from _overrides(table)
    yield from _between_rules(found)


def _files() -> Mapping[str, str]:
    """File of each rule's function."""
    from theory_kb.rules import functions

    return {name: each.function.__module__.rpartition(".")[2] for name, each in functions().items()}


def _overrides(table: Mapping[str, Rule]) -> Iterator[Edge]:
    """Of one defect the rule of lower rank is reported; the others are attached to it."""
    for one in table.values():
        for other in table.values():
            if one.family and one.family == other.family and one.rank < other.rank:
                yield Edge(
                    ("rule", one.id), "overrides", ("rule", other.id), one.cites[0], one.family
                )


def _between_rules(found: Catalogue) -> Iterator[Edge]:
    for each in found["duty"].values():
        for name in each["rules"]:
            text = f"{each['text']}, rank {each['rank']}"
            yield Edge(("rule", name), "serves_duty", ("duty", each.id), each.sources[0], text)
    for each in found["rule-conflict"].values():
        pair = (("rule", each["first"]), ("rule", each["second"]))
        yield Edge(pair[0], "conflicts_with", pair[1], each.sources[0], each["text"])
    for each in found["rule-implication"].values():
        pair = (("rule", each["first"]), ("rule", each["second"]))
        yield Edge(pair[0], "implies", pair[1], each.sources[0], each["text"])
    for each in found["stance"].values():
        by = ("source", each["by"])
        yield Edge(
            ("rule", each["rule"]), "judged_by", by, each["by"], f"{each['stance']}: {each['text']}"
        )
    for each in found["norm"].values():
        text = f"{each['count']} in {each['trials']} {each['per']}"
        yield Edge(
            ("rule", each.id), "counted_in", ("corpus", "Bach chorales"), each.sources[0], text
        )
