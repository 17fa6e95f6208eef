"""What follows from the stored facts in a concrete key: derived when asked for, and kept.

Each function answers for one kind of node and names itself in `derived_by`. Nothing here is edited
by hand, and nothing is transposed by a table: chords and keys are sets of places on the line of
fifths, so that transposing is adding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product

from theory_kb.catalogue import catalogue
from theory_kb.chords import Chord, every_chord, spell, vocabulary
from theory_kb.errors import MusegenError
from theory_kb.facts import load_facts
from theory_kb.key_relations import common_triads, pivots
from theory_kb.numerals import read_symbol
from theory_kb.pitch import Interval, Key, PitchClass, PitchError
from theory_kb.query import grade_table, may_follow
from theory_kb.statements import Edge, Node
from theory_kb.stored import KEYS, chord_node, degree_name

__all__ = [
    "chords_of",
    "derived_edges",
    "enharmonic_chords",
    "is_derived_node",
    "licence",
    "read_spelled",
    "spelled_node",
]

Tones = frozenset[int]  # places on the line of fifths
DIATONIC = {
    "major": frozenset((0, 2, 4, -1, 1, 3, 5)),
    "minor": frozenset((0, 2, -3, -1, 1, -4, -2)),
}
LEADING = 5


def derived_edges(node: Node) -> tuple[Edge, ...]:
    """The statements about a node that are derived; empty if its kind has none."""
    make = MAKERS.get(node[0])
    return make(node[1]) if make else ()


def is_derived_node(node: Node) -> bool:
    """Whether a node exists only as derived: a chord of a key, a modal key, a compound interval."""
    read = DERIVED.get(node[0])
    if read is None:
        return False
    try:
        read(node[1])
    except MusegenError:
        return False
    return True


# --- intervals ------------------------------------------------------------------------------


@cache
def interval_edges(name: str) -> tuple[Edge, ...]:
    """What an interval becomes when it is turned over, and what it makes with each other one."""
    table = catalogue()["interval"]
    one = _compound(name)
    if name not in table:
        simple = Interval(one.steps - 7, one.semitones - 12).name
        text = "an octave wider"
        pair = ("interval", name), ("interval", simple)
        return (Edge(pair[0], "compound_of", pair[1], "KP 1", text, "interval_edges"),)
    found = [
        Edge(("interval", name), relation, ("interval", other), "KP 1", text, "interval_edges")
        for relation, other, text in _interval_pairs(one, table)
    ]
    return tuple(found)


def _compound(name: str) -> Interval:
    """An interval of the table, or one of its compounds up to two octaves; raises PitchError."""
    one = Interval.parse(name)
    simple = Interval(one.steps - 7, one.semitones - 12).name
    table = catalogue()["interval"]
    if name not in table and (one.steps < 8 or simple not in table):
        raise PitchError(
            f"interval must be within two octaves and doubly altered at most, got {name!r}"
        )
    return one


def _interval_pairs(one: Interval, table: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    turned = Interval(7 - one.steps, 12 - one.semitones).name
    if turned in table:
        yield "inverts_to", turned, "within an octave"
    for other in table:
        total = (one + Interval.parse(other)).name
        if total in table:
            yield "sum_to", total, f"with {other}"


# --- chords of keys -------------------------------------------------------------------------


def spelled_node(key: Key, chord: Chord) -> Node:
    """The node of a chord in a key."""
    return "spelled-chord", f"{key.name} {chord.symbol}"


def read_spelled(name: str) -> tuple[Key, Chord]:
    """Key and chord of a name such as `C major V65`; raises PitchError or UnknownNameError."""
    words = name.split()
    if len(words) != 3:
        raise PitchError(f"chord of a key must look like 'C major V65', got {name!r}")
    key = Key.parse(" ".join(words[:2]))
    return key, read_symbol(key.mode, words[2])


@cache
def _by_tones(mode: str) -> Mapping[Tones, tuple[Chord, ...]]:
    """Chords in root position of a mode, by their tones above the tonic."""
    return _grouped(mode, lambda member: member)


@cache
def _by_sound(mode: str) -> Mapping[Tones, tuple[Chord, ...]]:
    """Chords of a mode by what they sound: semitones above the tonic."""
    return _grouped(mode, lambda member: member * 7 % 12)


def _grouped(mode: str, form: Callable[[int], int]) -> Mapping[Tones, tuple[Chord, ...]]:
    found: dict[Tones, list[Chord]] = {}
    seen: set[str] = set()
    for each in every_chord():
        if each.mode == mode and each.numeral not in seen and not each.cadential:
            seen.add(each.numeral)
            found.setdefault(frozenset(map(form, each.members)), []).append(each)
    return {tones: tuple(chords) for tones, chords in found.items()}


def chords_of(tones: Tones) -> Iterator[tuple[Key, Chord]]:
    """Keys and chords that consist of some pitch classes, given on the line of fifths."""
    for key in KEYS:
        tonic = key.tonic.fifths
        for chord in _by_tones(key.mode).get(frozenset(tone - tonic for tone in tones), ()):
            yield key, chord


def enharmonic_chords(tones: Tones) -> Iterator[tuple[Key, Chord]]:
    """Keys and chords that sound as some pitch classes do but are spelled otherwise."""
    sound = {tone * 7 % 12 for tone in tones}
    for key in KEYS:
        tonic = key.tonic.semitone
        for chord in _by_sound(key.mode).get(frozenset((one - tonic) % 12 for one in sound), ()):
            if frozenset(tone.fifths for tone in spell(chord, key)) != tones:
                yield key, chord


def _diatonic_keys(tones: Tones) -> Iterator[Key]:
    """Keys that hold all of some pitch classes; minor keys with the leading tone too."""
    for key in KEYS:
        places = {tone - key.tonic.fifths for tone in tones}
        own = DIATONIC[key.mode]
        if places <= own or (key.mode == "minor" and places <= own - {-2} | {LEADING}):
            yield key


@cache
def spelled_edges(name: str) -> tuple[Edge, ...]:
    """Tones, numeral, keys, other readings and enharmonic doubles of a chord in a key."""
    key, chord = read_spelled(name)
    node, maker = spelled_node(key, chord), "spelled_edges"
    tones = spell(chord, key)
    places = frozenset(tone.fifths for tone in tones)
    members = ("root", "third", "fifth", "seventh")
    found = [
        Edge(node, "spells", ("pitch-class", tone.name), chord.source, member, maker)
        for tone, member in zip(tones, members, strict=False)
    ]
    numeral = ("numeral", f"{chord.mode} {chord.numeral}")
    found.append(Edge(node, "instance_of", numeral, chord.source, key.name, maker))
    found.extend(
        Edge(node, "diatonic_in", ("key", near.name), "KP 1", "", maker)
        for near in _diatonic_keys(places)
    )
    for other, reading in chords_of(places):
        if other != key and len(tones) == 3:
            text = f"{chord.symbol} of {key} is {reading.symbol} of {other}"
            found.append(Edge(node, "pivot", spelled_node(other, reading), "KP 18", text, maker))
    for other, reading in enharmonic_chords(places):
        text = _enharmonic_kind(chord, reading)
        found.append(
            Edge(node, "enharmonic_to", spelled_node(other, reading), "KP 19", text, maker)
        )
    return tuple(found)


def _enharmonic_kind(one: Chord, other: Chord) -> str:
    """Which of the enharmonic ways this is."""
    qualities = {one.quality, other.quality}
    if qualities == {"dim7"}:
        return "diminished seventh"
    if qualities == {"aug"}:
        return "augmented triad"
    if "german" in qualities or "swiss" in qualities:
        return "German sixth as a dominant seventh"
    return "same sound"


# --- pitch classes and keys -----------------------------------------------------------------


@cache
def pitch_class_edges(name: str) -> tuple[Edge, ...]:
    """Keys that a pitch class belongs to, with its degree there."""
    tone = PitchClass.parse(name)
    return tuple(
        Edge(
            ("pitch-class", tone.name),
            "diatonic_in",
            ("key", key.name),
            "KP 1",
            f"degree {degree_name(tone.fifths - key.tonic.fifths)}",
            "pitch_class_edges",
        )
        for key in KEYS
        if tone.fifths - key.tonic.fifths in DIATONIC[key.mode]
    )


CHURCH_MODES: Mapping[str, int] = {  # fifths of its final above that of the major key it shares
    "ionian": 0,
    "dorian": 2,
    "phrygian": 4,
    "lydian": -1,
    "mixolydian": 1,
    "aeolian": 3,
    "locrian": 5,
}


def read_modal(name: str) -> tuple[PitchClass, str]:
    """Final and mode of a name such as `D dorian`; raises PitchError."""
    word, _, mode = name.partition(" ")
    if mode not in CHURCH_MODES:
        raise PitchError(f"modal key must look like 'D dorian', got {name!r}")
    final = PitchClass.parse(word)
    if abs(final.fifths - CHURCH_MODES[mode]) > MOST_ACCIDENTALS:
        raise PitchError(f"modal key must have seven accidentals at most, got {name!r}")
    return final, mode


MOST_ACCIDENTALS = 7


@cache
def modal_edges(name: str) -> tuple[Edge, ...]:
    """Scale and notes of a church mode on a final, and the major key with its signature."""
    final, mode = read_modal(name)
    node, maker = ("modal-key", name), "modal_edges"
    home = Key(final.transposed(-CHURCH_MODES[mode]), "major")
    found = [
        Edge(node, "in_mode", ("scale", mode), "JP", "", maker),
        Edge(node, "related_key", ("key", home.name), "JP", "same signature", maker),
    ]
    found += [
        Edge(
            ("pitch-class", home.tonic.transposed(place).name),
            "diatonic_in",
            node,
            "JP",
            f"degree {degree_name(place - CHURCH_MODES[mode])}",
            maker,
        )
        for place in sorted(DIATONIC["major"])
    ]
    return tuple(found)


RELATIONS: Mapping[tuple[str, str, int], str] = {
    ("major", "major", 1): "dominant",
    ("major", "major", -1): "subdominant",
    ("major", "minor", 3): "relative",
    ("major", "minor", 0): "parallel",
    ("major", "minor", 2): "supertonic",
    ("major", "minor", 4): "mediant",
    ("minor", "minor", 1): "minor dominant",
    ("minor", "minor", -1): "subdominant",
    ("minor", "major", -3): "relative",
    ("minor", "major", 0): "parallel",
    ("minor", "major", -2): "subtonic",
    ("minor", "major", -4): "submediant",
    ("minor", "major", 1): "dominant",
}


@cache
def key_edges(name: str) -> tuple[Edge, ...]:
    """How a key stands to every other one, and the triads that join them."""
    key = Key.parse(name)
    found: list[Edge] = []
    for other in KEYS:
        if other != key:
            found.extend(_between_keys(key, other))
    return tuple(found)


def _between_keys(key: Key, other: Key) -> Iterator[Edge]:
    fifths = other.tonic.fifths - key.tonic.fifths
    distance = abs(other.signature - key.signature)
    relation = RELATIONS.get((key.mode, other.mode, fifths), "")
    shared = common_triads(key, other)
    words = [relation, f"{distance} accidentals apart", f"{shared} common triads"]
    yield Edge(
        ("key", key.name),
        "related_key",
        ("key", other.name),
        "KP 18",
        ", ".join(word for word in words if word),
        "key_edges",
        {"distance": distance, "common": shared, "kind": relation},
    )
    for pivot in pivots(key, other):
        functions = f"{pivot.before.function}-{pivot.after.function}"
        yield Edge(
            ("key", key.name),
            "pivot",
            ("key", other.name),
            pivot.source,
            f"{pivot.text} ({functions})",
            "key_edges",
        )


@cache
def metre_edges(name: str) -> tuple[Edge, ...]:
    """Places of a bar with their strength."""
    fact = load_facts().metres["metres"].get(name)
    if fact is None:
        return ()
    return tuple(
        Edge(
            ("metre", name),
            "has_position",
            ("beat", f"{name} beat {beat}"),
            fact["source"],
            f"strength {strength}",
            "metre_edges",
        )
        for beat, strength in enumerate(fact["strengths"], 1)
    )


# --- progressions ---------------------------------------------------------------------------


def licence(before: Chord, after: Chord) -> tuple[Edge, ...]:
    """The statement that one chord may go to another; empty if it may not."""
    if max(before.index, after.index) >= len(vocabulary()):
        return ()  # chords that are read but not composed with have no grade
    grades = grade_table()
    if max(before.index, after.index) >= len(grades):
        return ()  # chords that are read but not composed with have no grade
    if not grades[before.index, after.index]:
        return ()
    found = may_follow(before, after)
    return (
        Edge(
            chord_node(before),
            "may_go_to",
            chord_node(after),
            found.source,
            found.text,
            "may_follow",
            {"grade": found.grade, "bach_pct": found.share, "condition": found.condition},
        ),
    )


@cache
def chord_edges(name: str) -> tuple[Edge, ...]:
    """What a chord of the vocabulary may go to."""
    mode, _, symbol = name.partition(" ")
    found = [each for each in vocabulary() if each.mode == mode and each.symbol == symbol]
    return tuple(
        edge for before, after in product(found, vocabulary()) for edge in licence(before, after)
    )


MAKERS: Mapping[str, Callable[[str], tuple[Edge, ...]]] = {
    "interval": interval_edges,
    "spelled-chord": spelled_edges,
    "pitch-class": pitch_class_edges,
    "key": key_edges,
    "modal-key": modal_edges,
    "metre": metre_edges,
    "chord": chord_edges,
}

DERIVED: Mapping[str, Callable[[str], object]] = {
    "spelled-chord": read_spelled,
    "modal-key": read_modal,
    "interval": _compound,
}
