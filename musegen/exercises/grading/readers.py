"""How typed answers are read and compared: one row a sort of answer.

A reader turns the text of one slot into a value, or says why it cannot; a comparison says what
share of the slot's points a value earns beside the key, and why not all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from musegen.exercises.clefs import BOTTOM_LINES
from musegen.exercises.grading.plain import (
    REMEMBERED,
    named_interval,
    named_key,
    named_pitch,
    plain,
)
from musegen.exercises.item import Ask, Draft, Text
from musegen.exercises.rhythm_text import RhythmValue
from theory_kb.chord_symbols import ChordSymbol
from theory_kb.chords import Chord
from theory_kb.errors import MusegenError
from theory_kb.labels import View, find_label, functional_label, read_view
from theory_kb.pitch import Interval, Key, Pitch, PitchClass
from theory_kb.thoroughbass import Figures, completed

__all__ = ["READERS", "Context", "Judgement", "Reader"]


@dataclass(frozen=True, slots=True)
class Context:
    """What an answer belongs to."""

    draft: Draft
    part: Ask

    @property
    def key(self) -> Key:
        """The key that the part's labels belong to: the item's, if its facts name no other."""
        return Key.parse(self.draft.facts.get(f"key.{self.part.id}", self.draft.key))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a value earns."""

    share: Fraction  # of the slot's points, 0 to 1
    said: Text | None = None  # why not all, or what to mend though all was given


RIGHT = Judgement(Fraction(1))
WRONG = Judgement(Fraction(0))
HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Reader:
    """A sort of answer."""

    read: Callable[[str, Context], Any]  # raises MusegenError
    compare: Callable[[Any, Any, Context], Judgement]  # key, then what was answered
    slots: bool = False  # several in a row, split at spaces and commas
    ordered: bool = True
    words: bool = False  # whether a slot may hold a space: then commas alone split


def _equal(key: Any, answered: Any, _: Context) -> Judgement:
    return RIGHT if key == answered else WRONG


# --- words and numbers ----------------------------------------------------------------------


def _choice(text: str, context: Context) -> str:
    """The value that a word stands for, in either language, or an option by its letter."""
    part = context.part
    wanted = plain(text).casefold()
    for value in (*part.options, *part.labels):
        names = [value]
        if value in part.labels:
            names += [part.labels[value].en, part.labels[value].zh]
        if wanted in [plain(name).casefold() for name in names]:
            return value
    letter = wanted.strip("().")
    place = ord(letter) - ord("a") if len(letter) == 1 and letter != wanted else -1
    if 0 <= place < len(part.options):
        return part.options[place]
    return wanted


def _number(text: str, _: Context) -> Fraction:
    try:
        return Fraction(plain(text))
    except (ValueError, ZeroDivisionError):
        raise MusegenError(f"{text!r} is no number") from None


# --- notes ----------------------------------------------------------------------------------

ENHARMONIC: Mapping[str, Fraction] = {"strict": Fraction(0), "partial": HALF, "free": Fraction(1)}


def _spelled(key: Any, answered: Any, context: Context) -> Judgement:
    if key == answered:
        return RIGHT
    if key.semitone != answered.semitone:
        return _octave(key, answered)
    share = ENHARMONIC[context.draft.tolerance.get("enharmonic", "strict")]
    said = Text(
        f"{answered} sounds right; it is written {key}", f"{answered} 音响正确，应写作 {key}"
    )
    return Judgement(share, None if share == 1 else said)


def _class(text: str, _: Context) -> PitchClass:
    """A note's name; an octave number after it is let pass."""
    return _named_class(text)


@lru_cache(maxsize=REMEMBERED)
def _named_class(text: str) -> PitchClass:
    return PitchClass.parse(re.sub(r"-?\d+$", "", named_pitch(text)))


@lru_cache(maxsize=REMEMBERED)
def _named_note(text: str) -> Pitch:
    return Pitch.parse(named_pitch(text))


def _place(text: str, context: Context) -> Pitch:
    """A place of the staff, `l1` to `l5` or `s1` to `s4` and on beyond, with a sign before it."""
    match = PLACE.fullmatch(plain(text).lower())
    if match is None:
        raise MusegenError(
            f"a place is a line l1 to l5 or a space s1 to s4 and on, such as l2 or #s3, got {text!r}"
        )
    bottom = BOTTOM_LINES[context.draft.facts["clef"]]
    step = bottom + 2 * (int(match[3]) - 1) + (match[2] == "s")
    natural = Pitch.parse(f"{'CDEFGAB'[step % 7]}{step // 7}")
    sign = match[1].replace("x", "##")
    return Pitch(step, natural.semitone + sign.count("#") - sign.count("b"))


PLACE = re.compile(r"(#{1,2}|x|b{1,2}|)\s*([ls])(-?\d+)")


def _octave(key: Any, answered: Any) -> Judgement:
    """A right name in another octave is half right."""
    if isinstance(key, Pitch) and key.pitch_class == answered.pitch_class:
        said = Text(f"right name, wrong octave: {key}", f"音名正确，八度不对：{key}")
        return Judgement(HALF, said)
    return WRONG


def _interval_value(key: Interval, answered: Interval, _: Context) -> Judgement:
    if (key.number, key.quality) == (answered.number, answered.quality):
        return RIGHT
    if key.number == answered.number:
        said = Text(f"the number {key.number} is right, the quality is not", "度数正确，性质不对")
        return Judgement(Fraction(0), said)
    letters = Text(
        f"count the letters first: {key.number} of them, then the semitones",
        f"先数音名：共 {key.number} 个，再数半音",
    )
    return Judgement(Fraction(0), letters)


# --- chords ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Label:
    """A label as it was read: the chord by its letters as they stand, and by either case."""

    exact: Chord | None
    folded: tuple[Chord, ...]


def _label(text: str, context: Context) -> _Label:
    return _read_label(context.key, text)


@lru_cache(maxsize=REMEMBERED)
def _read_label(key: Key, text: str) -> _Label:
    """A label in a key; raises MusegenError."""
    mode = key.mode
    clean = plain(text)
    exact = find_label(mode, clean)
    stem = clean.partition("/")[0]
    variants = {stem.upper(), stem.lower()} - {stem}
    rest = clean[len(stem) :]
    folded = (find_label(mode, each + rest) for each in sorted(variants))
    found = tuple(each for each in folded if each is not None)
    if exact is None and not found:
        raise MusegenError(f"{text!r} is no label of a chord in {key}")
    return _Label(exact, found)


def _label_value(key: _Label, answered: _Label, _: Context) -> Judgement:
    right = key.exact or key.folded[0]
    if answered.exact is not None and _same_chord(right, answered.exact):
        return RIGHT
    if any(_same_chord(right, each) for each in answered.folded):
        said = Text(
            f"mind capital and small letters: {right.symbol}", f"注意大小写：{right.symbol}"
        )
        return Judgement(Fraction(1), said)
    read = (answered.exact, *answered.folded)
    if any(each is not None and each.numeral == right.numeral for each in read):
        said = Text(
            f"the numeral is right, the figures are not: {right.symbol}",
            f"级数正确，转位数字不对：{right.symbol}",
        )
        return Judgement(HALF, said)
    return WRONG


def _same_chord(one: Chord, other: Chord) -> bool:
    """Whether two labels mean one chord: as Roman numerals, or as T S D tells chords apart."""
    if one.symbol == other.symbol:
        return True
    try:
        return functional_label(one) == functional_label(other)
    except KeyError:  # the school has no label for it
        return False


def _in_view(view: View) -> Callable[[str, Context], _Label]:
    """A reader of labels in one view only."""

    def read(text: str, context: Context) -> _Label:
        return _Label(read_view(context.key.mode, plain(text), view), ())

    return read


def _pair(text: str, _: Context) -> tuple[PitchClass, PitchClass]:
    """A note and where it goes, `B>C`."""
    start, mark, goal = re.sub(r"->|→|-(?=[A-Ga-g])", ">", plain(text)).partition(">")
    if not mark:
        raise MusegenError(f"a note and its goal are wanted, such as B>C, got {text!r}")
    return PitchClass.parse(named_pitch(start)), PitchClass.parse(named_pitch(goal))


def _pair_value(
    key: tuple[PitchClass, PitchClass], answered: tuple[PitchClass, PitchClass], _: Context
) -> Judgement:
    if key == answered:
        return RIGHT
    if key[0] == answered[0]:
        said = Text(f"{key[0]} goes to {key[1]}", f"{key[0]} 应进行到 {key[1]}")
        return Judgement(HALF, said)
    return WRONG


def _pivot(text: str, context: Context) -> tuple[int, Chord, Chord]:
    """A place and a label in each of two keys, `4 vi>ii`."""
    match = PIVOT.fullmatch(plain(text))
    if match is None:
        raise MusegenError(f"a place and two labels are wanted, such as 4 vi>ii, got {text!r}")
    away = Key.parse(context.draft.facts["key.away"])
    home_chord = find_label(context.key.mode, match[2])
    away_chord = find_label(away.mode, match[3])
    if home_chord is None or away_chord is None:
        raise MusegenError(f"{text!r} holds no two labels of chords in {context.key} and {away}")
    return int(match[1]), home_chord, away_chord


PIVOT = re.compile(r"(\d+)[\s:.,]*(\S+?)\s*(?:>|->|→|,|\s)\s*(\S+)")


def _pivot_value(
    key: tuple[int, Chord, Chord], answered: tuple[int, Chord, Chord], _: Context
) -> Judgement:
    right = [key[0] == answered[0], *(map(_same_chord, key[1:], answered[1:]))]
    share = Fraction(sum(right), len(right)) if right[0] else Fraction(0)
    said = Text(
        f"chord {key[0]}: {key[1].symbol} becomes {key[2].symbol}",
        f"第 {key[0]} 个和弦：{key[1].symbol} 变为 {key[2].symbol}",
    )
    return Judgement(share, None if share == 1 else said)


def _symbol_value(key: ChordSymbol, answered: ChordSymbol, context: Context) -> Judgement:
    if key == answered:
        return RIGHT
    if {tone.fifths for tone in key.tones} == {tone.fifths for tone in answered.tones}:
        if key.lowest == answered.lowest:
            return RIGHT
        said = Text(
            f"the chord is right, the bass is {key.lowest}", f"和弦正确，低音应为 {key.lowest}"
        )
        return Judgement(HALF, said)
    free = context.draft.tolerance.get("enharmonic") == "free"
    same = {tone.semitone for tone in key.tones} == {tone.semitone for tone in answered.tones}
    return RIGHT if free and same and key.lowest.semitone == answered.lowest.semitone else WRONG


def _figures(text: str, _: Context) -> Figures:
    return Figures.parse(plain(text))


def _figure_value(key: Figures, answered: Figures, _: Context) -> Judgement:
    """Figures are alike with what they leave out: 6 is 6/3, nothing is 5/3."""
    same = completed(key.written) == completed(answered.written)
    return RIGHT if same and (key.held, key.tasto) == (answered.held, answered.tasto) else WRONG


# --- rhythm ---------------------------------------------------------------------------------


def _rhythm_value(key: RhythmValue, answered: RhythmValue, _: Context) -> Judgement:
    if (key.length, key.rest) == (answered.length, answered.rest):
        return RIGHT
    said = Text(f"{key} wanted, {answered} given", f"应为 {key}，答为 {answered}")
    return Judgement(Fraction(0), said)


READERS: Mapping[str, Reader] = {
    "choice": Reader(_choice, _equal),
    "choices": Reader(_choice, _equal, slots=True, ordered=False),
    "words": Reader(_choice, _equal, slots=True),
    "number": Reader(_number, _equal),
    "numbers": Reader(_number, _equal, slots=True),
    "number-set": Reader(_number, _equal, slots=True, ordered=False),
    "interval": Reader(lambda text, _: named_interval(text), _interval_value),
    "intervals": Reader(lambda text, _: named_interval(text), _interval_value, slots=True),
    "pitch": Reader(lambda text, _: _named_note(text), _spelled),
    "pitches": Reader(lambda text, _: _named_note(text), _spelled, slots=True),
    "pitch-class": Reader(_class, _spelled),
    "pitch-classes": Reader(_class, _spelled, slots=True),
    "pitch-set": Reader(_class, _spelled, slots=True, ordered=False),
    "places": Reader(_place, _spelled, slots=True),
    "key": Reader(lambda text, _: named_key(text), _equal),
    "key-set": Reader(
        lambda text, _: named_key(text), _equal, slots=True, ordered=False, words=True
    ),
    "label": Reader(_label, _label_value),
    "labels": Reader(_label, _label_value, slots=True),
    "label-set": Reader(_label, _label_value, slots=True, ordered=False),
    "roman": Reader(_in_view("roman"), _label_value, slots=True),
    "functional": Reader(_in_view("functional"), _label_value, slots=True),
    "pivot": Reader(_pivot, _pivot_value),
    "pairs": Reader(_pair, _pair_value, slots=True, ordered=False),
    "symbol": Reader(lambda text, _: ChordSymbol.parse(plain(text)), _symbol_value),
    "symbols": Reader(lambda text, _: ChordSymbol.parse(plain(text)), _symbol_value, slots=True),
    "figures": Reader(_figures, _figure_value),
    "figure-row": Reader(_figures, _figure_value, slots=True),
    "rhythm": Reader(lambda text, _: RhythmValue.parse(plain(text)), _rhythm_value, slots=True),
}
