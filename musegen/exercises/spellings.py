"""Ways to write an answer, for systems that compare letters and know no music.

A learning system takes an answer for right if it is written as one of those that it was given. So each
accepted answer is written in all the ways that students use, and the item's own grader decides
which of them are right: what is proposed here is never a second opinion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import permutations

from musegen.exercises.grading.plain import HAN, NUMBERS, QUALITIES, named_key
from musegen.exercises.grading.readers import READERS, Context
from musegen.exercises.grading.typed import grade_part, read_slots
from musegen.exercises.item import Ask, Draft, alternatives
from musegen.exercises.names import key_text
from theory_kb.chord_symbols import SUFFIXES, ChordSymbol
from theory_kb.errors import MusegenError
from theory_kb.labels import find_label, functional_label
from theory_kb.pitch import Interval, Key

__all__ = ["MOST_IN_ANY_ORDER", "RISING", "readable", "share_of", "spellings"]

MOST_IN_ANY_ORDER = 4  # parts of an answer whose every order is listed: 24 of them
RISING = ("number-set",)  # readers of sets that are asked for in rising order
TWO_FIGURES = re.compile(r"(?<=[A-Za-z°ø+])(\d)(\d)(?!\d)")
NOTE = re.compile(r"\b([A-G])(##|bb|#|b|x)(?![a-zA-Z#])")
IN_CHINESE = {"#": "升", "b": "降", "##": "重升", "bb": "重降", "x": "重升"}
IN_ENGLISH = {
    "#": "sharp", "b": "flat", "##": "double sharp", "bb": "double flat", "x": "double sharp",
}  # fmt: skip


def share_of(draft: Draft, part: Ask, text: str) -> Fraction:
    """What share of a typed part's points an answer earns, by the grader of typed answers."""
    clauses, _ = grade_part(draft, replace(part, points=1), text)
    return sum((each.got for each in clauses), Fraction(0))


def readable(draft: Draft, part: Ask, text: str) -> bool:
    """Whether the grader can read each slot of an answer."""
    pieces = re.split(r"[\s,]+", text) if READERS[part.reader].slots else [text]
    values, _ = read_slots(Context(draft, part), pieces)
    return None not in values


def spellings(draft: Draft, part: Ask, accepted: Iterable[str]) -> tuple[str, ...]:
    """Ways to write accepted answers to a part, the answers themselves first, all with full marks."""
    found: dict[str, None] = {}
    for answer in accepted:
        for way in alternatives(answer):
            for text in (part.shown(way, "en"), part.shown(way, "zh"), *_orders(part, way)):
                found.update(dict.fromkeys((text, *_proposed(draft, part, text))))
    return tuple(text for text in found if share_of(draft, part, text) == 1)


def _orders(part: Ask, text: str) -> Iterator[str]:
    """An answer whose parts stand in any order, in each of them."""
    reader = READERS[part.reader]
    pieces = text.split()
    free = reader.slots and not reader.ordered and part.reader not in RISING
    if not free or len(pieces) > MOST_IN_ANY_ORDER:
        yield text
        return
    yield from (" ".join(order) for order in permutations(pieces))


def _proposed(draft: Draft, part: Ask, text: str) -> Iterator[str]:
    """Other ways that may be right."""
    yield from WAYS.get(part.reader, _as_it_is)(draft, text)
    if READERS[part.reader].slots and " " in text:
        yield ", ".join(text.split())


def _as_it_is(_: Draft, text: str) -> Iterator[str]:
    yield text


# --- a way a reader -------------------------------------------------------------------------


def _notes(_: Draft, text: str) -> Iterator[str]:
    """Names of notes with printed signs, and with words for them."""
    yield NOTE.sub(lambda match: match[1] + match[2].replace("#", "♯").replace("b", "♭"), text)
    if NOTE.search(text) and " " not in text:
        yield NOTE.sub(lambda match: IN_CHINESE[match[2]] + match[1], text)
        yield NOTE.sub(lambda match: f"{match[1]} {IN_ENGLISH[match[2]]}", text)
        yield NOTE.sub(lambda match: f"{match[1]}-{IN_ENGLISH[match[2]]}", text)


def _intervals(_: Draft, text: str) -> Iterator[str]:
    """`m3` in words: each quality that the grader reads with each number."""
    try:
        interval = Interval.parse(text)
    except MusegenError:
        return
    number = abs(interval.number)
    words = [word for word, value in QUALITIES.items() if value == interval.quality]
    western = [word for word, value in NUMBERS.items() if value == number]
    eastern = [f"{word}度" for word, value in HAN.items() if value == number]
    for word in words:
        latin = word.isascii()
        for name in western if latin else eastern:
            yield f"{word} {name}" if latin else f"{word}{name}"
        yield f"{word} {number}" if latin else f"{word}{number}度"


def _keys(_: Draft, text: str) -> Iterator[str]:
    try:
        key = named_key(text)
    except MusegenError:
        return
    yield key_text(key).zh
    yield f"{key.tonic.name.lower()} {key.mode}"
    yield f"{key.tonic.name}{'m' if key.mode == 'minor' else ''}"
    yield from _notes(_, text)


def _labels(draft: Draft, text: str) -> Iterator[str]:
    """Roman numerals with their figures one above the other, and T S D for one of them."""
    yield TWO_FIGURES.sub(r"\1/\2", text)
    yield text.replace("cad64", "I64").replace("ø", "o")
    yield text.replace("cad64", "K46")
    yield text.replace("o", "°")
    if " " not in text:
        yield from _functional(draft, text)


def _functional(draft: Draft, text: str) -> Iterator[str]:
    chord = find_label(Key.parse(draft.key).mode, text) if draft.key else None
    try:
        yield functional_label(chord) if chord is not None else text
    except KeyError:  # the school has no label for it
        return


def _symbols(_: Draft, text: str) -> Iterator[str]:
    """A chord symbol with each suffix that means its quality."""
    try:
        symbol = ChordSymbol.parse(text)
    except MusegenError:
        return
    stroke = f"/{symbol.bass}" if symbol.bass else ""
    for suffix, quality in SUFFIXES.items():
        if quality == symbol.quality:
            yield f"{symbol.root}{suffix}{stroke}"


def _pairs(_: Draft, text: str) -> Iterator[str]:
    yield from (text.replace(">", arrow) for arrow in ("->", "→", " > "))


def _figures(_: Draft, text: str) -> Iterator[str]:
    yield text.replace("/", "")


WAYS: Mapping[str, Callable[[Draft, str], Iterator[str]]] = {
    "interval": _intervals,
    "intervals": _intervals,
    "pitch": _notes,
    "pitches": _notes,
    "pitch-class": _notes,
    "pitch-classes": _notes,
    "pitch-set": _notes,
    "key": _keys,
    "label": _labels,
    "labels": _labels,
    "roman": _labels,
    "functional": _labels,
    "symbol": _symbols,
    "symbols": _symbols,
    "pairs": _pairs,
    "pivot": _pairs,
    "figures": _figures,
    "figure-row": _figures,
}
