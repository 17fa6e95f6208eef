"""Questions to the knowledge base about chords and voices.

What may follow what and why, what stands over a degree of the bass, how far a voice goes. General
facts are stored as TOML; what holds in a concrete key is derived from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory_kb.chords import Chord, chord, every_chord, read_chord, vocabulary
from theory_kb.errors import UnknownNameError
from theory_kb.facts import load_facts
from theory_kb.pitch import Pitch

__all__ = [
    "BassDegree",
    "Progression",
    "VoiceRange",
    "bass_degrees",
    "grade_table",
    "may_follow",
    "prolongations",
    "rule_of_the_octave",
    "voice_range",
]

GRADES = {"X": 0, "C": 1, "B": 2, "A": 3}
GRADE_WORDS = {"A": "normative", "B": "common", "C": "conditional", "X": "avoided"}


# --- progressions ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progression:
    """What the knowledge base says of one chord after another, inside a key."""

    before: str  # symbols
    after: str
    mode: str
    grade: str  # A normative, B common, C conditional, X avoided
    share: float | None  # per cent of Bach's continuations, where counted
    condition: str  # under which a conditional progression is right, else empty
    when: tuple[str, ...]  # the same as names of licences; one of them is enough
    text: str
    source: str


def _family(each: Chord) -> str:
    """The name under which facts/progressions.toml speaks of a chord."""
    return _families()[each.index]


@cache
def _families() -> tuple[str, ...]:
    return tuple(map(_family_name, every_chord()))


def _family_name(each: Chord) -> str:
    if each.applied_to is not None:
        return f"D/{each.applied_to}"
    stem = each.numeral.removesuffix("7").rstrip("ø")
    return {"vii": "viio", "ii": "iio" if each.quality == "m7b5" else "ii"}.get(stem, stem)


def _letter(fifths: int) -> int:
    """Letter of a place on the line of fifths, that of the tonic 0; plain numbers, for speed."""
    return fifths * 4 % 7


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A grade with its ground."""

    grade: str
    text: str
    source: str
    share: float | None = None  # per cent
    whose: str = ""  # chord, or harmony in any position, whose continuations were counted
    condition: str = ""
    when: tuple[str, ...] = ()


@cache
def may_follow(before: Chord, after: Chord) -> Progression:
    """Whether `after` may follow `before`, with the reason. Both must be of one mode."""
    found = _judge(before, after)
    sentence = f"{before.symbol} to {after.symbol} is {GRADE_WORDS[found.grade]}"
    if found.share is not None:
        sentence += f" ({found.share:g}% of what follows {found.whose} in Bach)"
    reasons = "; ".join(text for text in (found.text, found.condition) if text)
    return Progression(
        before.symbol,
        after.symbol,
        before.mode,
        found.grade,
        found.share,
        found.condition,
        found.when,
        f"{sentence}: {reasons}" if reasons else sentence,
        found.source,
    )


def _judge(before: Chord, after: Chord) -> _Verdict:
    """The grade of a step: duties, what the bass decides, refusals, then the table by root."""
    table = load_facts().progressions
    book = table["sources"]["textbook"]
    if before.mode != after.mode:
        return _Verdict("X", "they belong to different modes", book)
    if before == after:
        return _counted(before, after, _Verdict("B", "the chord goes on", book))
    duty = table["duties"].get(before.symbol)
    if duty is not None:
        grade = "A" if after.symbol in duty["to"] else "X"
        return _counted(before, after, _Verdict(grade, duty["text"], duty["source"]))
    special = _specials().get((before.mode, before.symbol, after.symbol))
    if special is not None:
        return _counted(before, after, special)
    for test, reason in REFUSALS:
        if test(before, after):
            return _Verdict("X", reason, book)
    return _counted(before, after, _by_root(before, after))


@cache
def _specials() -> Mapping[tuple[str, str, str], _Verdict]:
    """The grades that the bass alone decides, by mode and symbols."""
    found: dict[tuple[str, str, str], _Verdict] = {}
    for fact in load_facts().progressions["special"]:
        verdict = _Verdict(
            fact["grade"],
            fact["text"],
            fact["source"],
            condition=fact.get("condition", ""),
            when=tuple(fact.get("when", ())),
        )
        modes = (fact["mode"],) if "mode" in fact else ("major", "minor")
        for place in product(modes, fact["before"], fact["after"]):
            found.setdefault(place, verdict)
    return found


def _counted(before: Chord, after: Chord, found: _Verdict) -> _Verdict:
    """The verdict with the share of these very inversions, where it was counted."""
    table = load_facts().progressions
    share = table["positions"][before.mode].get(before.symbol, {}).get(after.symbol)
    counts = table["sources"]["counts"]
    if share is None or (found.grade == "X" and found.text != UNNAMED):
        return found
    if found.grade == "X":
        return _Verdict("C", "the books pass over it, Bach does not", counts, share, before.symbol)
    return replace(
        found, share=share, whose=before.symbol, source=found.source if found.text else counts
    )


UNNAMED = "no progression of the style leads there"


def _by_root(before: Chord, after: Chord) -> _Verdict:
    """The grade of two harmonies, whatever their positions."""
    table = load_facts().progressions
    book = table["sources"]["textbook"]
    here, there = _family(before), _family(after)
    if here == there:
        return _Verdict("B", "one harmony goes on in another position", book)
    if before.applied_to is not None:
        return _applied(before, after)
    for grade, facts in table[before.mode].get(here, {}).items():
        if there in facts:
            found = _rooted(grade, "", facts[there], f"{here} in any position")
            return replace(found, **_conditions(before.mode, here, there))
    return _Verdict("X", UNNAMED, book)


def _conditions(mode: str, here: str, there: str) -> dict[str, Any]:
    """Condition of a progression by root, and the names that its licences are tested under."""
    table = load_facts().progressions
    text = table["conditions"][mode].get(here, {}).get(there, "")
    names = table["licences"][mode].get(here, {}).get(there, ())
    return {"condition": text, "when": tuple(names)}


def _rooted(grade: str, text: str, value: float | str, whose: str) -> _Verdict:
    """A verdict by a number that was counted or, where none was, by the text of a source."""
    if isinstance(value, str):
        return _Verdict(grade, text, value)
    counts = load_facts().progressions["sources"]["counts"]
    return _Verdict(grade, text, counts, value, whose)


def _applied(before: Chord, after: Chord) -> _Verdict:
    """An applied dominant goes to its target, from V also to the cadential six-four."""
    target = before.applied_to or ""
    turns = load_facts().progressions["deceptive"]
    book = turns["source"]
    upright = after.inversion < 2 or after.seventh is not None
    if upright and after.numeral.removesuffix("7") == target:
        return _Verdict("A", f"an applied dominant resolves to its target {target}", book)
    if after.cadential and target == "V":
        return _Verdict("B", "the cadential six-four holds back the target V", book)
    value = turns[before.mode].get(target, {}).get(after.numeral)
    if value is not None and after.inversion < 2:
        return _rooted("B", turns["text"], value, f"applied dominants of {target}")
    lowered = load_facts().progressions["lowered"]
    value = lowered[before.mode].get(target, {}).get(after.numeral)
    if value is not None and after.inversion < 2:
        return _rooted("C", lowered["text"], value, f"applied dominants of {target}")
    if after.quality == "7" and after.root == before.target:
        return _Verdict("C", lowered["text"], lowered["source"])
    return _Verdict("X", f"an applied dominant must go to its target {target}", book)


def _loses_seventh(before: Chord, after: Chord) -> bool:
    return (
        _family(before) == _family(after) and before.seventh is not None and after.seventh is None
    )


def _second_inversion(before: Chord, after: Chord) -> bool:
    """An ordinary six-four comes only between neighbours of its bass, or over a held bass."""
    plain = after.inversion == 2 and after.seventh is None and not after.cadential
    return plain and not (_bass_step(before, after) and after.numeral in ("V", "I", "i"))


def _bass_step(before: Chord, after: Chord) -> bool:
    return abs(_letter(before.bass) - _letter(after.bass)) in (1, 6)


def _root_leading_tone(_before: Chord, after: Chord) -> bool:
    return after.quality == "dim" and after.inversion != 1


def _seventh_held_up(before: Chord, after: Chord) -> bool:
    """A chordal seventh must find its note, or a step below it, in the next chord."""
    if before.seventh is None:
        return False
    letters = {_letter(member) for member in after.members}
    seventh = _letter(before.seventh)
    return seventh not in letters and (seventh - 1) % 7 not in letters


def _tonic_to_cadential(before: Chord, after: Chord) -> bool:
    return after.cadential and before.function == "D" and before.applied_to != "V"


def _inverted_seventh_bass(before: Chord, after: Chord) -> bool:
    """The seventh in the bass is prepared or reached by step."""
    return (
        after.inversion == 3
        and not _bass_step(before, after)
        and (_letter(before.bass) != _letter(after.bass))
    )


def _bass_seventh_leaves(before: Chord, after: Chord) -> bool:
    """A seventh in the bass is held or falls by step in the bass, while the harmony changes."""
    if before.inversion != 3 or _family(before) == _family(after):
        return False
    fall = (_letter(before.bass) - _letter(after.bass)) % 7
    return fall not in (0, 1)


REFUSALS = (
    (_loses_seventh, "the seventh would be left before it resolves"),
    (_root_leading_tone, "a diminished triad stands in first inversion"),
    (_second_inversion, "an ordinary six-four needs a bass that moves by step"),
    (_seventh_held_up, "the seventh could not fall by step"),
    (_tonic_to_cadential, "a cadential six-four follows a predominant"),
    (_inverted_seventh_bass, "a seventh in the bass is held or reached by step"),
    (_bass_seventh_leaves, "the seventh in the bass must fall by step there"),
)


@cache
def grade_table() -> NDArray[np.int8]:
    """Grades of all pairs of the vocabulary, (n, n): 0 avoided or of another mode, 1 C, 2 B, 3 A."""
    chords = vocabulary()
    grades = np.zeros((len(chords), len(chords)), np.int8)
    for before in chords:
        for after in chords:
            if before.mode == after.mode:
                grades[before.index, after.index] = GRADES[_judge(before, after).grade]
    return grades


# --- degrees of the bass --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BassDegree:
    """What usually stands on a degree of the scale in the bass."""

    name: str  # such as 4, raised 4, lowered 6
    place: int  # fifths above the tonic
    chords: Mapping[str, tuple[Chord, ...]]  # by function T, S, D; the plainest first
    use: str  # what the degree does in a line, empty if nothing is said of it
    source: str


@cache
def bass_degrees(mode: str) -> tuple[BassDegree, ...]:
    """The degrees of a mode that carry chords in the bass, with the chords by function."""
    found = []
    for fact in load_facts().bass_degrees["degree"]:
        chords = {
            function: tuple(read_chord(mode, symbol) for symbol in symbols)
            for function, symbols in fact[mode].items()
        }
        if any(chords.values()):
            found.append(
                BassDegree(fact["name"], fact["place"], chords, fact["use"], fact["source"])
            )
    return tuple(found)


@cache
def rule_of_the_octave(mode: str, *, down: bool = False) -> tuple[Chord, ...]:
    """The eight chords over the scale in the bass, from tonic to tonic."""
    way = "down" if down else "up"
    return tuple(chord(mode, symbol) for symbol in load_facts().bass_degrees["octave"][mode][way])


@cache
def prolongations() -> Mapping[str, tuple[tuple[Chord, ...], ...]]:
    """Ways to prolong the tonic of a major key, by name."""
    return {
        fact["name"]: tuple(
            tuple(chord("major", symbol) for symbol in chords) for chords in fact["chords"]
        )
        for fact in load_facts().bass_degrees["prolongation"]
    }


# --- voices ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VoiceRange:
    """How low and high a voice goes."""

    core_low: Pitch
    core_high: Pitch
    extended_low: Pitch
    extended_high: Pitch


@cache
def voice_range(name: str) -> VoiceRange:
    """Range of a voice, such as `alto`. Raises UnknownNameError."""
    voices = load_facts().ranges["voices"]
    if name not in voices:
        raise UnknownNameError("voice", name, voices)
    texts = (*voices[name]["core"], *voices[name]["extended"])
    return VoiceRange(*(Pitch.parse(text) for text in texts))
