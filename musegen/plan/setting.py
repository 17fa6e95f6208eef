"""A plan around what is given: a tune, a bass, any voices; or a row of chords.

Phrases end where fermatas or rests say so, else where long notes stand every few bars. Each phrase
closes in the near key that its notes fit best, with a cadence whose soprano and bass are theirs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import log

from musegen.errors import ScoreError
from musegen.plan.plan import ANY, COMMON, Given, Harmony, Phrase, Plan, Slot, where
from musegen.score import Metre, Note, Score
from theory_kb.chords import Chord, chord, vocabulary
from theory_kb.metre import beat_strength, beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, PitchClass, ScaleDegree
from theory_kb.query import CadenceFormula, cadence_formulas, cadence_kinds, related_keys

__all__ = ["MOST_SLOTS", "plan_around", "plan_of_chords"]

MOST_SLOTS = 512  # chords of a piece; what is kept of each grows with the chords that fit
SOPRANO, BASS = 0, 3
FIT = 6.0  # weight, in nats, of the share of a phrase's notes that lie in a key
FAR = 0.5  # weight, in per cent, of a key in which the counted chorales never cadence
UNCOUNTED = 0.5  # phrases by which a formula that was never counted counts
NO_FORMULA = 0.05  # phrases by which a key counts in which no cadence fits the notes
CLOSING = 2  # last chords of a phrase that are bound to cadences
PHRASE_BARS = 4  # where nothing else says how long a phrase is
LONG = 2  # beats of a note that may end a phrase
OPENING = ("I", "I6", "V", "vi", "i", "i6", "VI")
MINOR_RAISED = (6, 7)


@dataclass(frozen=True, slots=True)
class _Span:
    """A slot before it knows its chords."""

    onset: Fraction
    end: Fraction
    ends_phrase: bool


def plan_around(
    score: Score,
    given: Mapping[int, Sequence[Note]],
    *,
    home: Key | None = None,
    name: str,
    least_grade: int = COMMON,
) -> Plan:
    """The plan of a piece of which some voices are given.

    Args:
        score: key, metre, upbeat, tempo and phrase ends.
        given: notes by voice, 0 soprano to 3 bass.
        home: the key, if it is not the score's.
        name: of the task.
        least_grade: of the progressions that may stand. Below `COMMON` phrases may close on any
            chord of any of their keys: for a tune that no common way carries.

    Raises:
        ScoreError: nothing is given, or more than a plan may hold.
        UnknownNameError: a metre that is not known.
    """
    lines = {voice: tuple(notes) for voice, notes in given.items() if notes}
    if not lines:
        raise ScoreError(score.title or name, "no note is given")
    key = home or score.key
    spans = _spans(score, lines)
    if len(spans) > MOST_SLOTS:
        raise ScoreError(score.title or name, f"{len(spans)} beats, allowed are {MOST_SLOTS}")
    slots = [
        replace(slot, given=_given(slot, lines))
        for slot in _slots(spans, score.metre, score.upbeat)
    ]
    phrases = _phrases(slots, key)
    return Plan(
        name,
        key,
        (score.metre.beats, score.metre.unit),
        score.upbeat,
        score.tempo,
        tuple(
            _with_harmony(
                slot,
                phrases[slot.phrase],
                slots,
                key,
                unit=score.metre.unit,
                free=least_grade < COMMON,
            )
            for slot in slots
        ),
        phrases,
        lines,
        least_grade=least_grade,
    )


def plan_of_chords(
    chords: Sequence[tuple[Harmony, Fraction]],
    *,
    metre: Metre,
    tempo: float = 72.0,
    name: str = "Realisation",
) -> Plan:
    """The plan of a row of chords, each for so many beats.

    Raises:
        ScoreError: no chord, or more than a plan may hold.
    """
    if not 1 <= len(chords) <= MOST_SLOTS:
        raise ScoreError(name, f"{len(chords)} chords, allowed are 1 to {MOST_SLOTS}")
    beat = Fraction(beat_ticks(metre.beats, metre.unit), TICKS)
    spans, time = [], Fraction(0)
    for number, (_, beats) in enumerate(chords):
        spans.append(_Span(time, time + beats * beat, number == len(chords) - 1))
        time += beats * beat
    slots = [
        replace(slot, harmonies=(harmony,))
        for slot, (harmony, _) in zip(_slots(spans, metre, Fraction(0)), chords, strict=True)
    ]
    keys = [harmony.key for harmony, _ in chords]
    phrase = Phrase(name, 0, len(slots) - 1, keys[0], keys[-1], fermata=False)
    return Plan(
        name,
        keys[0],
        (metre.beats, metre.unit),
        Fraction(0),
        tempo,
        tuple(slots),
        (phrase,),
        least_grade=ANY,
        chords_given=True,
    )


# --- time -----------------------------------------------------------------------------------


def _spans(score: Score, lines: Mapping[int, Sequence[Note]]) -> list[_Span]:
    """A span a beat where some given voice sounds; the last note of a phrase is one span."""
    lead = lines[min(lines)]
    ends = sorted({*_phrase_ends(score, lead), max(note.end for note in lead)})
    beat = Fraction(beat_ticks(score.metre.beats, score.metre.unit), TICKS)
    spans: list[_Span] = []
    start = Fraction(0)
    for end in ends:
        inside = [note for note in lead if start <= note.onset < end]
        if inside:
            spans.extend(_phrase_spans(inside, beat, end, score.upbeat))
        start = end
    return spans


def _phrase_spans(
    notes: Sequence[Note], beat: Fraction, end: Fraction, upbeat: Fraction
) -> Iterator[_Span]:
    last = max(notes[-1].onset, notes[0].onset)
    offset = upbeat % beat
    time = notes[0].onset
    while time < last:
        following = min(((time - offset) // beat + 1) * beat + offset, last)
        yield _Span(time, following, ends_phrase=False)
        time = following
    yield _Span(last, min(end, notes[-1].end), ends_phrase=True)


def _phrase_ends(score: Score, lead: Sequence[Note]) -> set[Fraction]:
    """Releases of last notes: marked, else before rests and after long notes."""
    marked = {note.end for note in lead if note.fermata} | set(score.phrase_ends)
    bar = score.metre.bar
    if len(marked) > 1 or (lead[-1].end <= 2 * PHRASE_BARS * bar and marked):
        return marked
    beat = Fraction(beat_ticks(score.metre.beats, score.metre.unit), TICKS)
    ends: set[Fraction] = set()
    start = lead[0].onset
    for note, following in pairwise(lead):
        rests = following.onset > note.end
        long = note.duration >= LONG * beat and note.end - start >= PHRASE_BARS * bar - beat * LONG
        due = following.onset - start >= PHRASE_BARS * bar and _full(following.onset, score)
        if rests or long or due:
            ends.add(note.end)
            start = following.onset
    return ends


def _full(onset: Fraction, score: Score) -> bool:
    return (onset - score.upbeat) % score.metre.bar == 0


def _slots(spans: Sequence[_Span], metre: Metre, upbeat: Fraction) -> list[Slot]:
    """Places in bars and phrases; what may stand there is still open."""
    bar = int(metre.bar * TICKS)
    offset = bar - int(upbeat * TICKS) if upbeat else 0
    phrases: list[list[_Span]] = [[]]
    for span in spans:
        phrases[-1].append(span)
        if span.ends_phrase:
            phrases.append([])
    slots = []
    for number, phrase in enumerate(each for each in phrases if each):
        for place, span in enumerate(phrase):
            ticks = int(span.onset * TICKS) + offset
            slots.append(
                Slot(
                    span.onset,
                    span.end - span.onset,
                    ticks // bar + (0 if upbeat else 1),
                    ticks % bar,
                    beat_strength(metre.beats, metre.unit, ticks % bar),
                    number,
                    len(phrase) - 1 - place,
                    place,
                    (),
                )
            )
    return slots


def _given(slot: Slot, lines: Mapping[int, Sequence[Note]]) -> tuple[Given | None, ...]:
    return tuple(
        _heard(lines[voice], slot) if voice in lines else None for voice in range(BASS + 1)
    )


def _heard(line: Sequence[Note], slot: Slot) -> Given | None:
    """What a line sounds at a slot's onset and in its middle; None where it rests."""
    first = _sounding(line, slot.onset)
    if first is None:
        return None
    second = _sounding(line, slot.onset + slot.duration / 2) or first
    return Given(first.pitch, second.pitch, struck=first.onset == slot.onset)


def _sounding(line: Sequence[Note], time: Fraction) -> Note | None:
    place = bisect_right(line, time, key=lambda note: note.onset) - 1
    return line[place] if place >= 0 and line[place].end > time else None


# --- keys and cadences ----------------------------------------------------------------------


def _phrases(slots: Sequence[Slot], home: Key) -> tuple[Phrase, ...]:
    phrases: list[Phrase] = []
    count = slots[-1].phrase + 1
    near = {related.key for related in related_keys(home)}
    for number in range(count):
        places = [place for place, slot in enumerate(slots) if slot.phrase == number]
        inside = [slots[place] for place in places]
        key = _key_of(inside, home, last=number == count - 1)
        before = phrases[-1].key if phrases else home
        start = before if before in near and _fit(before, inside[:CLOSING]) == 1 else home
        phrases.append(
            Phrase(f"phrase {number + 1}", places[0], places[-1], start, key, fermata=True)
        )
    return tuple(phrases)


def _key_of(slots: Sequence[Slot], home: Key, *, last: bool) -> Key:
    """The near key that the second half of a phrase fits best; the last one goes home if it can."""
    late = slots[len(slots) // 2 :]
    if last and any(_closes(formula, home, slots) for formula in _formulas(home)):
        return home

    def worth(key: Key, share: float) -> float:
        counted = sum(
            formula.count + UNCOUNTED for formula in _formulas(key) if _closes(formula, key, slots)
        )
        return log(share + FAR) + FIT * _fit(key, late) + log(counted + NO_FORMULA)

    choices = {related.key: worth(related.key, related.share) for related in related_keys(home)}
    return max(choices, key=lambda key: choices[key])


def _fit(key: Key, slots: Sequence[Slot]) -> float:
    """Share of the given notes of some slots that lie in a key."""
    notes = [
        pitch.pitch_class
        for slot in slots
        for each in slot.given
        if each is not None
        for pitch in (each.first, each.second)
    ]
    return sum(note in _scale(key) for note in notes) / max(1, len(notes))


@cache
def _scale(key: Key) -> frozenset[PitchClass]:
    degrees = {key.degree(ScaleDegree(number, 0)) for number in range(1, 8)}
    if key.mode == "minor":
        degrees |= {key.degree(ScaleDegree(number, 1)) for number in MINOR_RAISED}
    return frozenset(degrees)


@cache
def _formulas(key: Key) -> tuple[CadenceFormula, ...]:
    return tuple(
        formula for kind in cadence_kinds() for formula in cadence_formulas(kind, key.mode)
    )


def _closes(formula: CadenceFormula, key: Key, slots: Sequence[Slot]) -> bool:
    """Whether the last given notes of a phrase can stand over the last chords of a formula."""
    symbols = formula.chords[-CLOSING:]
    last = slots[-len(symbols) :]
    if len(last) < len(symbols):
        return False
    return all(
        _holds(chord(key.mode, symbol), key, slot)
        for symbol, slot in zip(symbols, last, strict=True)
    )


def _holds(each: Chord, key: Key, slot: Slot) -> bool:
    """Whether a chord holds, for every given voice, one of its two pitches."""
    members = [key.tonic.transposed(member) for member in each.members]
    return all(
        note is None
        or any(
            pitch.pitch_class in ([members[each.inversion]] if voice == BASS else members)
            for pitch in (note.first, note.second)
        )
        for voice, note in enumerate(slot.given)
    )


# --- chords ---------------------------------------------------------------------------------


@cache
def _chords(key: Key) -> tuple[Harmony, ...]:
    return tuple(Harmony(key, each) for each in vocabulary() if each.mode == key.mode)


def _with_harmony(
    slot: Slot, phrase: Phrase, slots: Sequence[Slot], home: Key, *, unit: int, free: bool
) -> Slot:
    """The chords that may stand at a slot and hold what is given there."""
    keys = _keys_of(slot, phrase)
    if free:
        near = [related.key for related in related_keys(home)] if slot.to_end < CLOSING else []
        keys = tuple(dict.fromkeys((*keys, phrase.start_key, phrase.key, home, *near)))
    everyday = dict.fromkeys(
        harmony for key in keys for harmony in _chords(key) if _holds(harmony.chord, key, slot)
    )
    if not any(everyday):
        raise ScoreError(
            where(slot, unit),
            f"no chord of {' or '.join(map(str, keys))} holds {_named(slot)}",
        )
    last = slot.phrase == slots[-1].phrase
    closes = slot.to_end < CLOSING and (last or not free)
    chosen = _closing(slot, phrase, slots) if closes else ()
    if not chosen and slot.from_start == 0 and slot.phrase == 0:
        chosen = tuple(each for each in everyday if each.chord.symbol in OPENING)
    return replace(slot, harmonies=tuple(chosen) or tuple(everyday))


def _closing(slot: Slot, phrase: Phrase, slots: Sequence[Slot]) -> tuple[Harmony, ...]:
    """Chords of the cadences that the end of a phrase admits at a place."""
    inside = slots[phrase.first : phrase.last + 1]
    found = dict.fromkeys(
        formula.chords[-1 - slot.to_end]
        for formula in _formulas(phrase.key)
        if len(formula.chords) > slot.to_end and _closes(formula, phrase.key, inside)
    )
    if phrase.key.mode == "minor" and "i" in found and slot.to_end == 0:
        found["I"] = None  # the Picardy third
    chords = (chord(phrase.key.mode, symbol) for symbol in found)
    return tuple(Harmony(phrase.key, each) for each in chords if _holds(each, phrase.key, slot))


def _keys_of(slot: Slot, phrase: Phrase) -> tuple[Key, ...]:
    """Keys in whose chords a slot may be heard: a phrase that modulates turns in its middle."""
    if phrase.start_key == phrase.key:
        return (phrase.key,)
    if slot.to_end <= CLOSING:
        return (phrase.key,)
    return (phrase.start_key,) if slot.from_start < 1 else (phrase.start_key, phrase.key)


def _named(slot: Slot) -> str:
    return " and ".join(str(each.first) for each in slot.given if each is not None)
