"""Rules on rhythm and metre: bars, beats, syncopation, text, tempo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from math import gcd
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import REST, TICKS
from theory_kb.rules.context import Syllable, WrittenNote
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import LineNote, Offence, Piece, line_notes, lines, phrase_spans

__all__: list[str] = []

FLORID = 5  # species
SECOND_BEAT = 1
MIDDLE_BEATS = (4,)  # beats of the metres whose middle is shown
TRIPLE = 3  # beats of a bar
TWOS = {0, 2, 4}  # beats of two such bars that a hemiola marks
LAST_BEAT = 5  # of the two bars, where the cadence may go on
CROSS_RHYTHMS = ((3, 2), (4, 3))  # that are played without being declared
DECLARED_CROSS_RHYTHM = "cross-rhythm"
SECONDS_A_MINUTE = 60
Ints = NDArray[np.int64]


def _all(piece: Piece) -> tuple[int, ...]:
    return tuple(range(len(piece.voices)))


def _bar_place(piece: Piece, onset: int) -> int:
    """Ticks from the start of the bar at an onset, counted on from the last moment before it."""
    row = _row(piece, onset)
    passed = onset - int(piece.surface["onset"][row])
    return (int(piece.surface["position"][row]) + passed) % piece.bar_ticks


def _row(piece: Piece, onset: int) -> int:
    """The surface moment at an onset, or the last one before."""
    return max(0, int(np.searchsorted(piece.surface["onset"], onset, side="right")) - 1)


def _end(piece: Piece) -> int:
    """Ticks at which the piece ends; its last moment lasts a beat where that is not known."""
    if piece.context.end is not None:
        return piece.context.end
    return int(piece.surface["onset"][-1]) + piece.beat_ticks


# --------------------------------------------------------------------------------------- bars


@piece_rule()
def bar_sum(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The notes of a bar are too many or too few for it; first and last bars may be short."""
    bars = piece.context.bars
    parted = _parted([filled for _, filled in bars], piece.bar_ticks)
    for place, (number, filled) in enumerate(bars):
        free = place in (0, len(bars) - 1) or place in parted
        if filled > piece.bar_ticks or (filled < piece.bar_ticks and not free):
            row = int(np.searchsorted(piece.surface["bar"], number))
            detail = {"bar": str(number), "filled": _quarters(filled)}
            detail["full"] = _quarters(piece.bar_ticks)
            yield Offence(min(row, len(piece.surface) - 1), _all(piece), detail)


def _parted(lengths: Sequence[int], full: int) -> set[int]:
    """Bars that are the two parts of one, as at a repeat in the middle of a bar."""
    parted: set[int] = set()
    for place, (one, other) in enumerate(pairwise(lengths)):
        if one < full and one + other == full and place not in parted:
            parted |= {place, place + 1}
    return parted


def _quarters(ticks: int) -> str:
    return str(Fraction(ticks, TICKS))


@piece_rule()
def anacrusis_balance(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Upbeat and last bar do not make a full bar together."""
    upbeat = -int(piece.surface["position"][0]) % piece.bar_ticks
    last = _bar_place(piece, _end(piece)) or piece.bar_ticks
    if upbeat and upbeat + last != piece.bar_ticks:
        detail = {"upbeat": _quarters(upbeat), "last": _quarters(last)}
        yield Offence(len(piece.surface) - 1, _all(piece), detail)


@piece_rule()
def cadence_slowing(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The last bar moves faster than the bars of the piece do in the middle of their order."""
    bars = piece.surface["bar"]
    counts = np.bincount(bars - int(bars[0]))
    if len(counts) > 2 and counts[-1] > median(counts[counts > 0].tolist()):
        first = int(np.searchsorted(bars, bars[-1]))
        yield Offence(first, _all(piece), {"attacks": str(int(counts[-1]))})


@piece_rule("most", "most_florid")
def rhythm_monotony(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A line has the same rhythm in too many bars running."""
    species = piece.context.species
    chosen = [voice for voice, kind in species.items() if kind == FLORID] if species else [0]
    most = int(p["most_florid"] if species else p["most"])
    for voice in chosen:
        rhythms = _bar_rhythms(piece, voice)
        row = 0
        for place in range(1, len(rhythms)):
            row = row + 1 if rhythms[place][1] == rhythms[place - 1][1] else 0
            if row == most:
                yield Offence(rhythms[place][0], (voice,), {"bars": str(row + 1)})


def _bar_rhythms(piece: Piece, voice: int) -> list[tuple[int, tuple[int, ...]]]:
    """For each full bar that a voice begins a note in: its first moment and the onsets in it."""
    found: dict[int, tuple[int, list[int]]] = {}
    positions, bars = piece.surface["position"], piece.surface["bar"]
    for note in line_notes(piece, voice):
        onsets = found.setdefault(int(bars[note.start]), (note.start, []))[1]
        onsets.append(int(positions[note.start]))
    return [(row, tuple(onsets)) for row, onsets in found.values()]


@piece_rule()
def hemiola(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two bars of three beats before a cadence are grouped in twos: a label, no fault."""
    surface, beat = piece.surface, piece.beat_ticks
    if piece.bar_ticks != TRIPLE * beat:
        return
    ends = surface["onset"][(surface["phrase_end"] == 1) | (surface["final"] == 1)]
    grouped = [set(onsets.tolist()) for onsets in _groupings(piece)]
    for row in np.flatnonzero(surface["position"] == 0):
        start = int(surface["onset"][row])
        middle, stop = start + piece.bar_ticks, start + 2 * piece.bar_ticks
        beats = {start + number * beat: number for number in range(LAST_BEAT)}
        even = any({beats[each] for each in beats if each in one} == TWOS for one in grouped)
        if even and ((ends >= middle) & (ends <= stop)).any():
            yield Offence(int(row), _all(piece))


def _groupings(piece: Piece) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Onsets of the bass, and of the chords where they are known."""
    surface = piece.surface
    changes = np.zeros(len(surface), bool)
    for name in ("chord", "tonic"):
        changes[1:] |= surface[name][1:] != surface[name][:-1]
    struck = surface["attack"][:, len(piece.voices) - 1] != 0
    return surface["onset"][struck], surface["onset"][changes | (np.arange(len(surface)) == 0)]


# -------------------------------------------------------------------------------------- beats


@piece_rule()
def metre_notation(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A written note hides a beat, or the middle of the bar, that it should be tied over."""
    for note in piece.context.written:
        hidden = _hidden(piece, note)
        if hidden:
            yield Offence(_row(piece, note.onset), (note.voice,), {"hidden": hidden})


def _hidden(piece: Piece, note: WrittenNote) -> str:
    """What of the metre a written note covers, empty where that is in use."""
    start, beat = _bar_place(piece, note.onset), piece.beat_ticks
    stop, middle = start + note.duration, piece.bar_ticks // 2
    if stop > piece.bar_ticks:
        return "the bar line"
    halves = piece.bar_ticks // beat in MIDDLE_BEATS
    half_note = start == SECOND_BEAT * beat and note.duration == 2 * beat
    if halves and 0 < start < middle < stop and not half_note:
        return "the middle of the bar"
    next_beat = start - start % beat + beat
    syncopated = note.duration == beat and start % beat * 2 == beat
    return "a beat" if start % beat and stop > next_beat and not syncopated else ""


@piece_rule()
def syncopation_resolve(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A voice holds a note over a stronger beat that no voice strikes."""
    surface = piece.surface
    onsets = np.append(surface["onset"], _end(piece))
    over = _held_over(piece, onsets)
    if not len(over):
        return
    places, strength = surface["position"].tolist(), surface["strength"].tolist()
    strengths = dict(zip(places, strength, strict=True))
    for row in over:
        own = int(surface["strength"][row])
        beats = _beats_within(piece, int(onsets[row]), int(onsets[row + 1]))
        if any(strengths.get(place, 0) > own for place in beats):
            sounding = (surface["attack"][row] != 0) & (surface["semitone"][row] != REST)
            yield Offence(int(row), tuple(int(voice) for voice in np.flatnonzero(sounding)))


def _held_over(piece: Piece, onsets: NDArray[np.int32]) -> NDArray[np.intp]:
    """Moments off the downbeat, inside a phrase, that last beyond the next beat."""
    surface = piece.surface
    to_beat = piece.beat_ticks - surface["position"] % piece.beat_ticks
    inside = (surface["phrase_end"] == 0) & (surface["final"] == 0) & (surface["position"] != 0)
    found: NDArray[np.intp] = np.flatnonzero(inside & (np.diff(onsets) > to_beat))
    return found


def _beats_within(piece: Piece, start: int, stop: int) -> list[int]:
    """Places in the bar of the beats strictly between two onsets."""
    first = start + piece.beat_ticks - _bar_place(piece, start) % piece.beat_ticks
    return [_bar_place(piece, onset) for onset in range(first, stop, piece.beat_ticks)]


@piece_rule()
def polyrhythm_limits(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two voices divide a beat or a bar evenly in a ratio beyond 3:2 and 4:3."""
    if DECLARED_CROSS_RHYTHM in piece.context.devices:
        return
    seen: set[tuple[int, int]] = set()
    for span in (piece.beat_ticks, piece.bar_ticks):
        divisions = [_divisions(piece, voice, span) for voice in _all(piece)]
        for upper, lower in combinations(_all(piece), 2):
            for place in sorted(set(divisions[upper]) & set(divisions[lower])):
                ratio = _ratio(divisions[upper][place], divisions[lower][place])
                if min(ratio) > 1 and ratio not in CROSS_RHYTHMS and (upper, lower) not in seen:
                    seen.add((upper, lower))
                    detail = {"ratio": f"{ratio[0]}:{ratio[1]}"}
                    yield Offence(_row(piece, place), (upper, lower), detail)


def _divisions(piece: Piece, voice: int, span: int) -> dict[int, int]:
    """For each beat or bar that a voice divides evenly: its onset and into how many."""
    first = int(piece.surface["onset"][0]) - int(piece.surface["position"][0])
    line = lines(piece)[voice]
    onsets = piece.surface["onset"][line.start].astype(np.int64)
    groups: dict[int, list[int]] = {}
    for onset, ticks in zip(onsets.tolist(), line.ticks.tolist(), strict=True):
        place = first + (onset - first) // span * span
        if onset + ticks <= place + span:
            groups.setdefault(place, []).append(onset - place)
    return {
        place: len(found)
        for place, found in groups.items()
        if [each * len(found) for each in found] == [n * span for n in range(len(found))]
    }


def _ratio(one: int, other: int) -> tuple[int, int]:
    """Two divisions in lowest terms, the finer first."""
    common = gcd(one, other)
    return max(one, other) // common, min(one, other) // common


@piece_rule("most")
def tempo_density(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A voice strikes more notes within a second than can be sung or played."""
    tempo = piece.context.tempo
    assert tempo is not None, "rules on an unknown tempo are skipped"
    second = tempo / SECONDS_A_MINUTE * TICKS
    if _most_within(piece.surface["onset"], second).max(initial=0) <= p["most"]:
        return  # not even all voices together
    for voice, line in enumerate(lines(piece)):
        onsets = piece.surface["onset"][line.start].astype(np.int64)
        counts = _most_within(onsets, second)
        fast = np.flatnonzero(counts > p["most"])
        if len(fast):
            place = int(line.start[fast[0]])
            yield Offence(place, (voice,), {"notes": str(int(counts[fast[0]]))})


def _most_within(onsets: NDArray[Any], span: float) -> Ints:
    """For each of some onsets, how many lie within a span from it."""
    counts: Ints = np.searchsorted(onsets, onsets + span) - np.arange(len(onsets))
    return counts


# ------------------------------------------------------------------------------ lines and text


@piece_rule()
def rest_inside_phrase(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A voice rests between two notes of a phrase."""
    silent = piece.surface["semitone"][:, : len(piece.voices)] == REST
    if not silent.any():
        return
    for start, stop in phrase_spans(piece.surface):
        for voice in _all(piece):
            sounds = np.flatnonzero(~silent[start:stop, voice])
            gaps = np.flatnonzero(np.diff(sounds) > 1)
            for gap in gaps:
                yield Offence(start + int(sounds[gap]) + 1, (voice,))


@piece_rule()
def lyric_stress(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A stressed syllable stands on a weaker beat than the unstressed ones beside it."""
    syllables = sorted(piece.context.syllables, key=lambda each: each.moment)
    strengths = piece.surface["strength"]
    for place, syllable in enumerate(syllables):
        beside = [*syllables[max(place - 1, 0) : place], *syllables[place + 1 : place + 2]]
        weak = [each for each in beside if not each.stressed]
        if syllable.stressed and weak and _is_weaker(strengths, syllable, weak):
            yield Offence(syllable.moment, ())


def _is_weaker(strengths: NDArray[np.int8], syllable: Syllable, others: Sequence[Syllable]) -> bool:
    own = strengths[syllable.moment]
    return all(own < strengths[each.moment] for each in others)


@piece_rule()
def cross_motive_contrast(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A basic idea has one note value only, and one size of interval only."""
    voice = piece.context.melody or 0
    for unit in piece.context.units:
        notes = line_notes(piece, voice, start=unit.start, stop=unit.stop)
        if unit.kind == "basic-idea" and notes and not _has_character(notes):
            yield Offence(unit.start, (voice,))


def _has_character(notes: Sequence[LineNote]) -> bool:
    """Whether a rhythm or an interval of some notes differs from the rest."""
    sizes = {abs(b.step - a.step) for a, b in pairwise(notes)}
    return len({note.ticks for note in notes}) > 1 or len(sizes) > 1
