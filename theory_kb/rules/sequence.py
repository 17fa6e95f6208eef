"""Rules on sequences, runs of sixth chords, chains of sevenths, and the rate of change of chords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NONE, REST
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import Offence, Piece
from theory_kb.rules.succession import (
    Sequence,
    Succession,
    all_voices,
    bass,
    offences,
    succession,
)

__all__: list[str] = []

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

MODEL = 2  # chords of a unit that make a sequence of more than parallel chords
CADENCE_CHORDS = 3  # the last chords of a phrase, where the harmony may hasten


@piece_rule()
def syntax_sequence_broken(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A voice of a sequence does not copy its model."""
    chords = succession(piece)
    for each in chords.sequences:
        if each.unit >= MODEL:
            yield from _uncopied(chords, each)


def _uncopied(chords: Succession, each: Sequence) -> Iterator[Offence]:
    """Each upper voice at its first note that is not copied, the exit from the last copy left out."""
    last = each.start + each.statements * each.unit
    rows = slice(each.start, last - each.unit)
    wrong = chords.copies(each.unit)[rows] != each.shift
    for voice in np.flatnonzero(wrong.any(axis=0)):
        place = each.start + each.unit + int(np.argmax(wrong[:, voice]))
        yield Offence(place, (int(voice),))


@piece_rule("most")
def syntax_sequence_length(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A sequence has more copies than the ear likes."""
    for each in succession(piece).sequences:
        copies = each.statements - 1
        if each.unit >= MODEL and copies > p["most"]:
            place = each.start + int(p["most"] + 1) * each.unit
            yield Offence(place, bass(piece), {"copies": str(copies)})


# ---------------------------------------------------------------------------------- sixth chords


@piece_rule("most")
def syntax_six_three_run(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Too many sixth chords in parallel, or fifths between their upper voices."""
    surface = piece.surface
    voices = len(piece.voices)
    if voices < 3:
        return
    sixths = _sixth_chords(surface["step"], surface["semitone"], voices)
    step = np.diff(surface["step"][:, voices - 1].astype(np.int64), prepend=-99)
    goes_on = sixths & (np.abs(step) == 1) & (surface["boundary"] == 0)
    goes_on[1:] &= sixths[:-1]
    if not goes_on.any():
        return
    length = 1
    for place in np.flatnonzero(goes_on):
        length = length + 1 if place and goes_on[place - 1] else 2
        if length == p["most"] + 1 or _parallel_fifths(piece, int(place)):
            yield Offence(int(place), all_voices(piece), {"count": str(length)})


def _sixth_chords(step: NDArray[np.int16], semitone: NDArray[np.int16], voices: int) -> Bools:
    """Where every voice sounds a third, sixth or octave of the lowest-named, a third and a sixth too."""
    above = (step[:, :voices] - step[:, voices - 1 : voices]) % 7
    third, sixth = above == 2, above == 5
    fits = (third | sixth | (above == 0)).all(axis=1)
    found: Bools = fits & third.any(axis=1) & sixth.any(axis=1)
    return found & (semitone[:, :voices] != REST).all(axis=1)


def _parallel_fifths(piece: Piece, place: int) -> bool:
    """Whether two upper voices keep a fifth apart, whatever its quality."""
    upper = len(piece.voices) - 1
    steps = piece.surface["step"][place - 1 : place + 1, :upper].astype(np.int64)
    apart = steps[:, :, None] - steps[:, None, :]
    fifths = (apart > 0) & (apart % 7 == 4)
    return bool((fifths[0] & fifths[1]).any())


# -------------------------------------------------------------------------------------- sevenths


@piece_rule()
def syntax_seventh_chain(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two sevenths in root position by falling fifth are both complete, or both lack a member."""
    chords = succession(piece)
    rooted = (chords["seventh"] != NONE) & (chords["inversion"] == 0)
    falls = (chords.root_letter - chords.earlier(chords.root_letter)) % 7 == 3
    linked = chords.joined & rooted & np.append(False, rooted[:-1]) & falls
    if linked.any() and len(piece.voices) == 4:
        complete = _is_complete(chords)
        yield from offences(piece, linked & (complete == np.append(False, complete[:-1])))


def _is_complete(chords: Succession) -> Bools:
    """Whether the voices hold all four members of a chord."""
    held = [(chords.moments["member"] == member).any(axis=1) for member in range(4)]
    found: Bools = np.all(held, axis=0)
    return found


# -------------------------------------------------------------------------------- rate of change


@piece_rule("most", "at_cadence")
def syntax_chord_change_rate(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A chord lasts far longer or shorter than the chords of its phrase do."""
    chords = succession(piece)
    changes = ~chords.joined | (chords["chord"] != chords.before("chord"))
    starts = np.flatnonzero(changes)
    if len(starts) < 2:
        return
    lengths = np.diff(np.append(chords["onset"][starts], chords.end))
    phrase = chords.phrase[starts]
    usual = _median_of_phrase(lengths, phrase)
    left = np.searchsorted(phrase, phrase, side="right") - 1 - np.arange(len(starts))
    fastest = np.where(left < CADENCE_CHORDS, p["most"] * p["at_cadence"], p["most"])
    slow = (lengths > p["most"] * usual) & (left > 0)  # the last chord may be held
    found = slow | (lengths * fastest < usual)
    for place in starts[found]:
        yield Offence(int(place), bass(piece))


def _median_of_phrase(lengths: Ints, phrase: Ints) -> NDArray[np.float64]:
    """Median length of the chords of each chord's phrase; phrases are numbered from 1."""
    order = np.lexsort((lengths, phrase))
    first = np.searchsorted(phrase, phrase)
    count = np.searchsorted(phrase, phrase, side="right") - first
    ranked = lengths[order]
    return (ranked[first + (count - 1) // 2] + ranked[first + count // 2]) / 2
