"""Rules on altered notes and on the chords that hold them, over a whole piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import LICENCES, NONE, REST
from theory_kb.rules.arrays import Skeleton, next_pitch, relative_degrees, skeleton
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import Offence, Piece

__all__: list[str] = []

Bools = NDArray[np.bool_]
RAISED_FOUR, LOWERED_SIX, LOWERED_THREE = 6, -4, -3
RAISED_SIX, RAISED_SEVEN, NATURAL_SEVEN = 3, 5, -2
LEADING = 5


def _bass(piece: Piece) -> int:
    return len(piece.voices) - 1


def _move(chords: Skeleton, index: int, voice: int) -> tuple[int, int] | None:
    """Staff steps and semitones of a voice into a chord, None from or into silence."""
    before, now = chords.closing[index - 1], chords.moments[index]
    if before["semitone"][voice] == REST or now["semitone"][voice] == REST:
        return None
    steps = int(now["step"][voice]) - int(before["step"][voice])
    return steps, int(now["semitone"][voice]) - int(before["semitone"][voice])


def _voices_on(chords: Skeleton, index: int, place: int, voices: int) -> list[int]:
    """Voices that leave a chord from a place above the tonic."""
    return np.flatnonzero(chords.closing["degree"][index, :voices] == place).tolist()


# ----------------------------------------------------------------------------- chords


@piece_rule()
def viio6_fourth_degree(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Degree 4 in the top voice of viio6 does not fall to 3 as I comes."""
    chords = skeleton(piece)
    now, before = chords.moments, chords.closing
    sixth = (before["root"] == LEADING) & (before["inversion"] == 1) & (before["seventh"] == NONE)
    fourth = sixth & (before["degree"][:, 0] == -1)
    for index in (np.flatnonzero(fourth[:-1] & (now["root"][1:] == 0)) + 1).tolist():
        move = _move(chords, index, 0)
        if chords.joined[index] and move is not None and move[0] != -1:
            yield Offence(index, (0,), _pitches(chords, index, 0))


def _pitches(chords: Skeleton, index: int, voice: int) -> dict[str, str]:
    """The notes of a voice on either side of a change of chord."""
    from theory_kb.pitch import Pitch

    before, now = chords.closing[index - 1], chords.moments[index]
    names = [
        Pitch(int(each["step"][voice]), int(each["semitone"][voice])).name for each in (before, now)
    ]
    return {"from": names[0], "to": names[1]}


def _augmented_sixths(piece: Piece) -> list[int]:
    """Chords that follow, in their phrase and key, one of b6 and #4 that they do not hold."""
    chords = skeleton(piece)
    degree = chords.closing["degree"][:, : len(piece.voices)]
    both = (degree == RAISED_FOUR).any(axis=1) & (degree == LOWERED_SIX).any(axis=1)
    if not both.any():
        return []
    new = chords.degree
    still = (new == RAISED_FOUR).any(axis=1) & (new == LOWERED_SIX).any(axis=1)
    return (np.flatnonzero(both[:-1] & chords.joined[1:] & ~still[1:]) + 1).tolist()


@piece_rule()
def augmented_sixth_resolves(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The notes of an augmented sixth do not open by semitone to the octave on 5."""
    chords = skeleton(piece)
    for index in _augmented_sixths(piece):
        to_seventh = chords.moments["root"][index] == 1 and chords.moments["seventh"][index] == -1
        for place, way in ((RAISED_FOUR, 1), (LOWERED_SIX, -1)):
            for voice in _voices_on(chords, index - 1, place, len(piece.voices)):
                move = _move(chords, index, voice)
                drop = place == RAISED_FOUR and to_seventh and move == (0, -1)
                if move not in (None, (way, way)) and not drop:
                    yield Offence(index, (voice,), _pitches(chords, index, voice))


@piece_rule()
def german_sixth_fifths(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A German sixth falls into V in parallel fifths, b6-b3 to 5-2."""
    chords = skeleton(piece)
    late = bool(int(chords.moments["licences"][0]) & LICENCES["late-style"])
    for index in _augmented_sixths(piece):
        for lower in _voices_on(chords, index - 1, LOWERED_SIX, len(piece.voices)):
            for upper in _voices_on(chords, index - 1, LOWERED_THREE, len(piece.voices)):
                framed = upper == 0 and lower == _bass(piece)
                new = chords.degree[index]
                fifths = upper < lower and new[lower] == 1 and new[upper] == 2
                falls = _move(chords, index, lower) == _move(chords, index, upper) == (-1, -1)
                if fifths and falls and (framed or not late):
                    yield Offence(index, (upper, lower), _pitches(chords, index, upper))


@piece_rule()
def ct_dim7(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A common-tone diminished seventh lets its common tone go, or another voice leaps."""
    chords = skeleton(piece)
    decorates = np.isin(chords.moments["chord"][:-1], _common_tone_chords()) & chords.joined[1:]
    for index in (np.flatnonzero(decorates) + 1).tolist():
        seventh = chords.moments["seventh"][index - 1]
        for voice in range(len(piece.voices)):
            move = _move(chords, index, voice)
            common = chords.closing["degree"][index - 1, voice] == seventh
            well = move is None or (move == (0, 0) if common else abs(move[0]) == 1)
            if not well:
                yield Offence(index, (voice,), _pitches(chords, index, voice))


@cache
def _common_tone_chords() -> tuple[int, ...]:
    """Indices of the common-tone diminished sevenths among all chords."""
    from theory_kb.chords import every_chord

    return tuple(each.index for each in every_chord() if each.numeral.startswith("CTo"))


@piece_rule()
def unresolved_at_boundary(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase ends on a leading tone or seventh that the next one does not take up."""
    chords = skeleton(piece)
    left, moments = chords.closing, chords.moments
    for index in np.flatnonzero(moments["boundary"]).tolist():
        if index == 0 or _is_half_cadence(left[index - 1]):
            continue
        for place, step in (("leading", 1), ("seventh", -1)):
            for voice in _pulling(piece, left[index - 1], place):
                if not _taken_up(left[index - 1], moments[index], voice, step):
                    yield Offence(index - 1, (voice,), {"note": _name(left[index - 1], voice)})


def _is_half_cadence(chord: np.void) -> bool:
    return bool(chord["root"] == 1 and chord["leading"] == LEADING and chord["seventh"] == NONE)


def _pulling(piece: Piece, chord: np.void, place: str) -> list[int]:
    if chord[place] == NONE:
        return []
    return np.flatnonzero(chord["degree"][: len(piece.voices)] == chord[place]).tolist()


def _taken_up(left: np.void, entered: np.void, voice: int, step: int) -> bool:
    """Whether some voice enters on the note of resolution, in the register of the first."""
    target = left["step"][voice] + step
    gap = entered["semitone"].astype(int) - int(left["semitone"][voice])
    near = (gap == 1) if step > 0 else ((gap == -1) | (gap == -2))
    return bool(((entered["step"] == target) & near & (entered["semitone"] != REST)).any())


def _name(moment: np.void, voice: int) -> str:
    from theory_kb.pitch import Pitch

    return Pitch(int(moment["step"][voice]), int(moment["semitone"][voice])).name


# ----------------------------------------------------------------------------- lines


def _starts(piece: Piece, chosen: Bools) -> Iterator[tuple[int, int, int]]:
    """Moment, voice and moment of the next pitch of each chosen note, in the same key."""
    surface, onwards = piece.surface, next_pitch(piece)
    pitches = surface["semitone"][:, : len(piece.voices)]
    begins = chosen.copy()
    goes_on = (pitches[1:] == pitches[:-1]) & (surface["boundary"][1:] == 0)[:, None]
    begins[1:] &= ~(goes_on & chosen[:-1])
    for index, voice in np.argwhere(begins & (onwards >= 0)).tolist():
        after = int(onwards[index, voice])
        if surface["tonic"][after] == surface["tonic"][after - 1]:
            yield after - 1, voice, after


def _step(piece: Piece, first: int, second: int, voice: int) -> int:
    steps = piece.surface["step"]
    return int(steps[second, voice]) - int(steps[first, voice])


@piece_rule()
def raised_six_seven_minor(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """In minor, raised 6 does not go on to raised 7, raised 7 falls, or natural 7 closes."""
    surface = piece.surface
    minor = (surface["mode"] == 1) & (surface["licences"] & LICENCES["modal"] == 0)
    minor &= (surface["leading"] == NONE) | (surface["leading"] == LEADING)
    if not minor.any():
        return
    degrees = relative_degrees(piece)
    for place, wrong in WRONG_TURNS.items():
        for index, voice, after in _starts(piece, (degrees == place) & minor[:, None]):
            if wrong(piece, index, voice, after):
                yield Offence(after, (voice,))


def _six_astray(piece: Piece, index: int, voice: int, after: int) -> bool:
    if relative_degrees(piece)[after, voice] == RAISED_SEVEN:
        return False
    return not (voice == _bass(piece) and _descends(piece, index, voice, after))


def _descends(piece: Piece, index: int, voice: int, after: int) -> bool:
    """Whether a bass under IV6 has come down from raised 7, as over V6, and goes on down."""
    now = piece.surface[index]
    start = index
    while start > 0 and piece.surface["semitone"][start - 1, voice] == now["semitone"][voice]:
        start -= 1
    from_seven = start > 0 and relative_degrees(piece)[start - 1, voice] == RAISED_SEVEN
    sixth = now["root"] == -1 and now["inversion"] == 1
    return bool(sixth and from_seven and _step(piece, index, after, voice) == -1)


def _seven_astray(piece: Piece, index: int, voice: int, after: int) -> bool:
    return bool(relative_degrees(piece)[after, voice] == LOWERED_SIX)


def _natural_close(piece: Piece, index: int, voice: int, after: int) -> bool:
    surface = piece.surface
    rises = relative_degrees(piece)[after, voice] == 0 and _step(piece, index, after, voice) == 1
    close = bool(surface["phrase_end"][after] or surface["final"][after])
    return bool(rises and close and surface["root"][index] == 1)


WRONG_TURNS = {
    RAISED_SIX: _six_astray,
    RAISED_SEVEN: _seven_astray,
    NATURAL_SEVEN: _natural_close,
}


@piece_rule()
def chromatic_direction(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A raised note moves down, or a lowered one up, by step or leap."""
    surface, degrees = piece.surface, relative_degrees(piece)
    minor = (surface["mode"] == 1)[:, None]
    raised = (degrees >= RAISED_FOUR) | (minor & (degrees == 4))
    lowered = (degrees != NONE) & (degrees <= np.where(minor, -5, NATURAL_SEVEN))
    for altered, wrong in ((raised, -1), (lowered, 1)):
        if altered.any():
            yield from _against(piece, altered, wrong)


def _against(piece: Piece, altered: Bools, wrong: int) -> Iterator[Offence]:
    for index, voice, after in _starts(piece, altered):
        moved = _step(piece, index, after, voice)
        if moved * wrong > 0 and not _is_excused(piece, index, voice, after):
            yield Offence(after, (voice,))


def _is_excused(piece: Piece, index: int, voice: int, after: int) -> bool:
    """Whether another voice takes the altered note over, or the chord is a common-tone seventh."""
    degrees = relative_degrees(piece)
    taken = (degrees[after] == degrees[index, voice]).any()
    return bool(taken or piece.surface["chord"][index] in _common_tone_chords())
