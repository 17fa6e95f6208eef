"""Rules on what a chord lacks, told over its whole span."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NONE, REST
from theory_kb.rules.arrays import next_pitch, skeleton, surface_pitches
from theory_kb.rules.dissonance import FREE, non_chord_tones
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import Offence, Piece

__all__: list[str] = []

Bools = NDArray[np.bool_]

ROOT, THIRD, FIFTH, SEVENTH = range(4)
FEWEST = 3  # voices below which a chord cannot be complete


def _sounding(piece: Piece, index: int) -> tuple[int, ...]:
    pitches = skeleton(piece).moments["semitone"][index, : len(piece.voices)]
    return tuple(np.flatnonzero(pitches != REST).tolist())


# --------------------------------------------------------------------------- unknown chords


@cache
def _recipes(*, extended: bool) -> tuple[frozenset[int], ...]:
    """Chord qualities as places above the root; without `extended` of three or four thirds."""
    from theory_kb.facts import load_facts

    tables = load_facts().qualities
    found = [each["members"] for each in tables["qualities"].values()]
    if extended:
        found += [each["members"] for each in tables.get("extended", {}).values()]
    return tuple(frozenset(members) for members in found)


@lru_cache(maxsize=4096)
def _is_chord(places: frozenset[int], *, extended: bool) -> bool:
    """Whether some chord, on any root, holds all these places on the line of fifths."""
    return any(
        places <= {root + member for member in recipe}
        for recipe in _recipes(extended=extended)
        for root in {place - member for place in places for member in recipe}
    )


@lru_cache(maxsize=4)
def _explained(piece: Piece) -> Bools:
    """Which notes are non-chord tones of a known kind, (n, voices)."""
    found = np.zeros((len(piece.surface), len(piece.voices)), bool)
    for tone in non_chord_tones(piece):
        if tone.kind != FREE:
            found[tone.moment : tone.stop, tone.voice] = True
    return found


def _accented_tones(piece: Piece, start: int, stop: int) -> frozenset[int]:
    """Pitch classes of a span's notes, less non-chord tones and what is weak or held into it.

    They are counted from the first of them on the line of fifths.
    """
    steps, pitches = surface_pitches(piece)
    strengths, attacks = piece.surface["strength"], piece.surface["attack"]
    taken = (pitches != REST) & ~_explained(piece)
    found = set()
    for voice in range(pitches.shape[1]):
        for index in range(start, stop):
            strong = attacks[index, voice] and strengths[index] >= strengths[start]
            begins = index == start and not _leaves_by_step(piece, voice, start, stop)
            if taken[index, voice] and (begins or (index > start and strong)):
                found.add(int(7 * pitches[index, voice] - 12 * steps[index, voice]))
    return frozenset(place - min(found) for place in found)


def _leaves_by_step(piece: Piece, voice: int, start: int, stop: int) -> bool:
    """Whether a note that is held into a span leaves by step while the span lasts."""
    if piece.surface["attack"][start, voice]:
        return False
    steps, _ = surface_pitches(piece)
    onwards = int(next_pitch(piece)[start, voice])
    return start <= onwards < stop and abs(int(steps[onwards, voice] - steps[start, voice])) == 1


@piece_rule("extended")
def chord_unclassified(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """No chord explains the accented notes of a span that no label fits.

    A span is looked at if it has no label, or if a voice sounds none of its label's tones.
    Non-chord tones, notes on weaker places than its start, and notes held into it that leave by
    step are taken away.
    """
    chords = skeleton(piece)
    moments = chords.moments
    odd = (moments["root"] == NONE) | ~chords.pure
    starts = np.searchsorted(piece.surface["onset"], moments["onset"])
    stops = np.append(starts[1:], len(piece.surface))
    for index in np.flatnonzero(odd).tolist():
        tones = _accented_tones(piece, int(starts[index]), int(stops[index]))
        if len(tones) >= FEWEST and not _is_chord(tones, extended=bool(p["extended"])):
            yield Offence(index, _sounding(piece, index))


# -------------------------------------------------------------------------- missing members


@piece_rule()
def omit_root(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A chord sounds no root, and is not the V7 that can be read as viio."""
    chords = skeleton(piece)
    moments = chords.moments
    absent = (moments["root"] != NONE) & (chords.counts[:, ROOT] == 0) & (moments["heard"] & 1 == 0)
    as_viio = (moments["leading"] == moments["third"]) & (moments["seventh"] != NONE)
    full = chords.pure & (chords.sounding >= FEWEST)
    for index in np.flatnonzero(absent & ~as_viio & full).tolist():
        yield Offence(index, _sounding(piece, index))


@piece_rule()
def omit_seventh(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The label says seventh and none sounds while the chord lasts."""
    chords = skeleton(piece)
    moments = chords.moments
    absent = (moments["seventh"] != NONE) & (chords.counts[:, SEVENTH] == 0)
    absent &= (moments["heard"] & 8 == 0) & (chords.sounding >= FEWEST)
    for index in np.flatnonzero(absent).tolist():
        yield Offence(index, _sounding(piece, index))


@piece_rule()
def incomplete_dominant_and_tonic(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """V7 and the I after it both lack their fifth, and no close makes I triple its root."""
    chords = skeleton(piece)
    moments, counts = chords.moments, chords.counts
    bare = (counts[:, FIFTH] == 0) & (moments["heard"] & 4 == 0) & (chords.sounding >= 4)
    bare &= (moments["inversion"] == 0) & chords.pure
    dominant = bare & (moments["root"] == 1) & (moments["seventh"] != NONE)
    tonic = bare & (moments["root"] == 0) & (moments["seventh"] == NONE)
    closes = (moments["phrase_end"] | moments["final"]).astype(bool)
    tonic &= ~(closes & (counts[:, ROOT] > 2))
    for index in np.flatnonzero(tonic[1:] & dominant[:-1] & chords.joined[1:]).tolist():
        yield Offence(index + 1, _sounding(piece, index + 1))
