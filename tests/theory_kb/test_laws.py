"""Laws of a check: what is spelled and sounds alike is judged alike, in any key, by any name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from theory_kb.check import Style, check
from theory_kb.pitch import Interval, Key, Pitch, PitchClass, PitchError
from theory_kb.rules.examples import FIELDS, findings, read_piece
from theory_kb.rules.records import Rule, rule, rules

REGISTER = {  # rules that measure from a fixed pitch: a score moved out of its register breaks them
    "range-core": "limits of the voices",
    "range-extended": "limits of the voices",
    "spacing-low-close": "close intervals are muddy below a fixed pitch",
    "tessitura": "thirds of the voices' ranges",
}
INTERVALS = ("m2", "M2", "m3", "M3", "P4", "A4", "d5", "P5", "m6", "M6", "m7", "M7", "P8", "A1")

CHORALES = {  # phrases of Bach's chorales
    "BWV 269": (
        "key: G major | chords: I _ IV6 _ V6 I V _ vi IV _ IV7 _ I V "
        "| time: 1 1 1/2 1/2 1 1 1/2 1/2 1 1/2 1/2 1/2 1/2 1 2 | metre: 3/4 | upbeat: 1 "
        "| marks: o . . . . . . . . . . . . . e "
        "| Soprano: G4 G4 _ _ D5 B4 _ A4 G4 G4 _ _ A4 B4 A4 "
        "| Alto: D4 D4 E4 _ D4 D4 _ _ B3 E4 D4 E4 F#4 G4 F#4 "
        "| Tenor: B3 B3 C4 B3 A3 G3 F#3 _ G3 C4 B3 C4 _ D4 D4 "
        "| Bass: G2 G3 E3 _ F#3 G3 D3 _ E3 C3 _ B2 A2 G2 D3"
    ),
    "BWV 66.6": (
        "key: F# minor | chords: V6 i _ V _ i | time: 1 1/2 1/2 1/2 1/2 1 | metre: 4/4 | upbeat: 1 "
        "| marks: o . . . . e | Soprano: C#5 A4 B4 G#4 _ F#4 | Alto: G#4 F#4 G#4 E#4 _ C#4 "
        "| Tenor: C#4 C#4 D4 C#4 B3 A3 | Bass: E#3 F#3 B2 C#3 _ F#2"
    ),
    "BWV 40.8": (
        "key: F minor | chords: i V42/iv iv6 _ i64 iiø65 _ V _ i _ "
        "| time: 1 1 1/2 1/2 1 1/2 1/2 1/2 1/2 1 1 | metre: 4/4 | marks: o . . . . . . . . . e "
        "| Soprano: C5 C5 Bb4 _ Ab4 G4 _ _ F4 F4 F4 | Alto: F4 F4 F4 E4 F4 F4 G4 E4 _ F4 C4 "
        "| Tenor: Ab3 A3 Bb3 _ C4 Db4 _ C4 Bb3 Ab3 Ab3 | Bass: F3 Eb3 Db3 _ C3 Bb2 _ C3 _ F2 F2"
    ),
    "BWV 253": (
        "key: A major | chords: I V _ V6/vi vi _ V/V _ V6 vi _ V "
        "| time: 1 1/2 1/2 1 1/2 1/2 1/2 1/2 1 1/2 1/2 1 | metre: 4/4 | upbeat: 1 "
        "| marks: o . . . . . . . . . . e | Soprano: C#5 B4 _ C#5 A4 _ F#4 _ B4 A4 _ B4 "
        "| Alto: A4 G#4 _ G#4 F#4 E4 D#4 _ E4 _ D#4 E4 | Tenor: E4 E4 D4 C#4 C#4 _ B3 _ B3 A3 _ G#3 "
        "| Bass: A2 E3 _ E#3 F#3 _ B3 A3 G#3 F#3 _ E3"
    ),
}
NAMES = ("Soprano", "Alto", "Tenor", "Bass")


# ------------------------------------------------------------------------------------- pieces


@cache
def everything() -> Style:
    """Every rule but those that measure from a fixed pitch."""
    severities = {name: "-" if name in REGISTER else "E" for name in rules()}
    return Style("all", "", severities, {name: each.params for name, each in rules().items()}, {})


def judged(text: str, style: Style | None = None) -> list[tuple[Any, ...]]:
    """What is found in a written piece, without words."""
    report = check(read_piece(text), style or everything())
    return [(each.rule, each.onset, each.voices, each.also) for each in report.findings]


@st.composite
def random_pieces(draw: st.DrawFn) -> str:
    """Small pieces of four voices, wild but spelled, some with harmony and phrases."""
    width = draw(st.integers(2, 6))
    mode = draw(st.sampled_from(["major", "minor"]))
    lines = []
    for name, octave in zip(NAMES, (4, 4, 3, 2), strict=True):
        notes = [draw(note_names(octave))]
        notes += [draw(st.one_of(note_names(octave), st.just("_"))) for _ in range(width - 1)]
        lines.append(f"{name}: {' '.join(notes)}")
    if draw(st.booleans()):
        symbols = CHORDS[mode]
        chosen = [draw(st.sampled_from(symbols))]
        chosen += [draw(st.sampled_from([*symbols, "_"])) for _ in range(width - 1)]
        lines.append(f"chords: {' '.join(chosen)}")
    if draw(st.booleans()):
        marks = [draw(st.sampled_from([".", "e b", "e"])) for _ in range(width)]
        lines.append(f"marks: {' '.join(' '.join(marks).split()[:width])}")
    lines.append(
        f"time: {' '.join(draw(st.sampled_from(['1', '1/2', '2'])) for _ in range(width))}"
    )
    return " | ".join([f"key: C {mode}", *lines])


CHORDS = {
    "major": ("I", "V", "V7", "I6", "ii65", "IV", "vi", "viio6", "V7/V", "V42", "I64"),
    "minor": ("i", "V", "V7", "i6", "iiø65", "iv6", "VI", "viio7", "V7/iv", "V42", "i64"),
}


def note_names(octave: int) -> st.SearchStrategy[str]:
    """Names of notes in two octaves, naturals more often than others."""
    signs = ("", "", "#", "b")
    names = [
        f"{letter}{sign}{high}"
        for letter in "CDEFGAB"
        for sign in signs
        for high in (octave, octave + 1)
    ]
    return st.sampled_from(names)


def texts() -> st.SearchStrategy[str]:
    """Random pieces and phrases of chorales."""
    return st.one_of(random_pieces(), st.sampled_from(sorted(CHORALES.values())))


# ------------------------------------------------------------------------------ transposition


def transposed(text: str, interval: Interval) -> str:
    """A written piece in another place, keys and declared pitches with it; raises PitchError."""
    segments = []
    for segment in text.split("|"):
        name, _, content = (part.strip() for part in segment.partition(":"))
        move = SEGMENTS.get(name, _same if name in FIELDS else _line)
        segments.append(f"{name}: {move(content, interval)}")
    return " | ".join(segments)


def _same(content: str, interval: Interval) -> str:
    return content


def _line(content: str, interval: Interval) -> str:
    return " ".join(_note(token, interval) for token in content.split())


def _note(token: str, interval: Interval) -> str:
    if token in "_-":
        return token
    return written(Pitch.parse(token) + interval)


def written(pitch: Pitch) -> str:
    """Name of a pitch; raises PitchError where no sign writes it."""
    if abs(pitch.alteration) > 2:
        raise PitchError(f"no sign alters a note by {pitch.alteration}")
    return pitch.name


def _key(content: str, interval: Interval) -> str:
    key = Key.parse(content)
    tonic = key.tonic.transposed(_fifths(interval))
    return Key.parse(Key(tonic, key.mode).name).name


def _chords(content: str, interval: Interval) -> str:
    tokens = []
    for token in content.split():
        turn, colon, symbol = token.rpartition(":")
        if colon:
            key = Key.parse(_key(turn, interval))
            turn = key.tonic.name if key.mode == "major" else key.tonic.name.lower()
        tokens.append(turn + colon + symbol)
    return " ".join(tokens)


def _final(content: str, interval: Interval) -> str:
    return PitchClass.parse(content).transposed(_fifths(interval)).name


def _given(content: str, interval: Interval) -> str:
    items = (item.split() for item in content.split(","))
    return ", ".join(f"{part} {column} {_note(name, interval)}" for part, column, name in items)


def _fifths(interval: Interval) -> int:
    return 7 * interval.semitones - 12 * interval.steps


SEGMENTS: dict[str, Callable[[str, Interval], str]] = {
    "key": _key,
    "home": _key,
    "chords": _chords,
    "final": _final,
    "given": _given,
}


def intervals() -> list[Interval]:
    """Spelled intervals up and down."""
    up = [Interval.parse(name) for name in INTERVALS]
    return [*up, *(-each for each in up)]


@given(text=texts(), interval=st.sampled_from(intervals()))
def test_transposing_changes_no_finding(text: str, interval: Interval) -> None:
    """A score moved by any spelled interval, its keys with it, is judged as before."""
    try:
        moved = transposed(text, interval)
    except PitchError:
        assume(False)
    assert judged(moved) == judged(text)


def possible(text: str, count: int) -> list[str]:
    """The first few transpositions of an example whose keys exist."""
    found = []
    for interval in intervals()[1::3]:
        try:
            found.append(transposed(text, interval))
        except PitchError:
            continue
    return found[:count]


@pytest.mark.parametrize("name", [name for name in rules() if name not in REGISTER])
def test_examples_of_rules_hold_in_any_key(name: str) -> None:
    """What a record shows as right stays right and what it shows as wrong stays wrong."""
    each: Rule = rule(name)
    for text, wrong in ((each.right, False), (each.wrong, True)):
        places = _places(each, text)
        assert bool(places) == wrong
        for moved in possible(text, 3):
            assert _places(each, moved) == places, moved


def _places(each: Rule, text: str) -> list[tuple[int, tuple[int, ...]]]:
    return [(found.onset, found.voices) for found in findings(each, text)]


# --------------------------------------------------------------------------------- renaming


@given(text=texts())
def test_renaming_the_voices_changes_no_finding_but_in_its_words(text: str) -> None:
    """Names of voices are told, never judged."""
    renamed = text
    for place, name in enumerate(NAMES):
        renamed = renamed.replace(f"{name}:", f"part {place}:")
    assert judged(renamed) == judged(text)
    words, others = (
        [each.message for each in check(read_piece(each_text), everything()).findings]
        for each_text in (text, renamed)
    )
    for place, name in enumerate(NAMES):
        others = [message.replace(f"part {place}", name) for message in others]
    assert others == words


# ----------------------------------------------------------------------- enharmonic respelling


def respelled(pitch: Pitch, steps: int) -> Pitch:
    """The same sound on another line of the staff."""
    return Pitch(pitch.step + steps, pitch.semitone)


PLAIN = [Interval.parse(name) for name in ("m2", "M2", "m3", "M3", "P4", "P5", "m6", "M6")]


@given(
    start=note_names(4),
    interval=st.sampled_from(PLAIN),
    down=st.booleans(),
    steps=st.sampled_from([-1, 1]),
)
def test_respelling_a_note_of_a_plain_line_makes_it_crooked(
    start: str, interval: Interval, down: bool, steps: int
) -> None:
    """No melodic interval stays plain when one of its notes is written on another line."""
    first = Pitch.parse(start)
    second = first + (-interval if down else interval)
    crooked = respelled(second, steps)
    assume(abs(second.alteration) <= 2 and abs(crooked.alteration) <= 2)
    names = ("mel-augmented", "mel-diminished", "mel-chromatic-step")
    severities = {name: "E" if name in names else "-" for name in rules()}
    params = {name: each.params for name, each in rules().items()}
    params |= {"mel-diminished": {**rule("mel-diminished").params, "forbidden": 1.0}}
    style = Style("lines", "", severities, params, {})
    assert not judged(f"S: {first.name} {second.name}", style)
    assert judged(f"S: {first.name} {crooked.name}", style)


@given(low=note_names(3), move=st.sampled_from(PLAIN), steps=st.sampled_from([-1, 1]))
def test_respelled_fifths_are_no_fifths(low: str, move: Interval, steps: int) -> None:
    """Parallel fifths are so by their spelling: a diminished sixth is none."""
    fifth = Interval.parse("P5")
    first = Pitch.parse(low)
    second = first + move
    above = respelled(second + fifth, steps)
    assume(max(abs(pitch.alteration) for pitch in (second, second + fifth, above)) <= 2)
    severities = {name: "E" if name == "parallel-fifth" else "-" for name in rules()}
    style = Style("fifths", "", severities, everything().params, {})
    lower = f"B: {first.name} {second.name}"
    assert judged(f"S: {(first + fifth).name} {(second + fifth).name} | {lower}", style)
    assert not judged(f"S: {(first + fifth).name} {above.name} | {lower}", style)


@pytest.mark.parametrize("name", CHORALES)
def test_a_chorale_with_one_note_respelled_is_judged_otherwise(name: str) -> None:
    """One note on another line of the staff, and the phrase has findings that it had not."""
    text = CHORALES[name]
    line = next(each for each in text.split(" | ") if each.startswith("Alto:"))
    tokens = line.split()
    place = next(place for place, token in enumerate(tokens) if "#" in token or token[0] == "E")
    tokens[place] = respelled(Pitch.parse(tokens[place]), 1).name
    before = judged(text)
    after = judged(text.replace(line, " ".join(tokens)))
    assert set(after) - set(before)
