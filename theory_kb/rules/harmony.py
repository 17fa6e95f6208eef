"""Rules on the succession of chords: syntax, untyped six-fours, chords held over the bar line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NONE, TICKS, UNKNOWN, Moments
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import Offence, Piece, phrase_spans

__all__: list[str] = []


def _harmonic(piece: Piece) -> Moments:
    assert piece.harmonic is not None, "rules on an unknown harmony are skipped"
    return piece.harmonic


def _bass(piece: Piece) -> tuple[int, ...]:
    return (len(piece.voices) - 1,)


# --------------------------------------------------------------------------- harmonic syncopation


@piece_rule("free_bars", "fast")
def syntax_repeat_weak_strong(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A chord that began on a weak beat goes on over the bar line."""
    if _is_fast_alla_breve(piece, p["fast"]):
        return
    moments = piece.surface
    goes_on = _goes_on(moments)
    strength, bar = moments["strength"], moments["bar"]
    over = goes_on & (np.diff(bar, prepend=bar[:1]) != 0)
    over &= (moments["root"] != 1) & (moments["phrase_end"] == 0)
    if not over.any():
        return
    began = np.maximum.accumulate(np.where(goes_on, 0, np.arange(len(moments))))
    opens = moments["boundary"] == 1
    opens[:1] = True
    start = np.maximum.accumulate(np.where(opens, np.arange(len(moments)), 0))
    late = bar >= bar[start] + p["free_bars"]
    for index in np.flatnonzero(over & late & (strength[began] < strength)):
        yield Offence(int(index), _bass(piece))


def _is_fast_alla_breve(piece: Piece, fast: float) -> bool:
    """Whether two half notes are the beats of a bar, at a declared tempo of so many quarter notes."""
    tempo = piece.context.tempo
    halves = piece.beat_ticks == 2 * TICKS and piece.bar_ticks == 4 * TICKS
    return halves and tempo is not None and tempo >= fast


def _goes_on(moments: Moments) -> NDArray[np.bool_]:
    """Where the chord of the moment before goes on, inside one phrase."""
    same = (moments["chord"] != UNKNOWN) & (moments["boundary"] == 0)
    for name in ("chord", "tonic", "mode"):
        same[1:] &= moments[name][1:] == moments[name][:-1]
    same[:1] = False
    return same


# --------------------------------------------------------------------------------- six-fours


@piece_rule()
def six_four_untyped(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A consonant six-four is neither cadential, passing, pedal nor arpeggiated."""
    moments = _harmonic(piece)
    for start, stop in phrase_spans(moments):
        for index in range(start, stop):
            before = moments[index - 1] if index > start else None
            after = moments[index + 1] if index + 1 < stop else None
            now = moments[index]
            if _is_six_four(now) and not any(test(before, now, after) for test in TYPES):
                yield Offence(index, _bass(piece))


def _is_six_four(now: np.void) -> bool:
    triad = now["root"] != NONE and now["seventh"] == NONE and now["inversion"] == 2
    return bool(triad and now["fifth"] - now["root"] == 1)


Neighbour = np.void | None


def _step(moment: np.void) -> int:
    return int(moment["step"][int(moment["voices"]) - 1])


def _cadential(before: Neighbour, now: np.void, after: Neighbour) -> bool:
    if after is None:
        return False
    on_dominant = after["root"] == 1 and after["inversion"] == 0
    return bool(now["cadential"] or (on_dominant and now["fifth"] == 1))


def _passing(before: Neighbour, now: np.void, after: Neighbour) -> bool:
    if before is None or after is None:
        return False
    up, on = _step(now) - _step(before), _step(after) - _step(now)
    return abs(up) <= 1 and abs(on) <= 1 and up != 0 and on != 0


def _pedal(before: Neighbour, now: np.void, after: Neighbour) -> bool:
    if before is None or after is None:
        return False
    return (_step(before) - _step(now)) % 7 == 0 and (_step(after) - _step(now)) % 7 == 0


def _arpeggiated(before: Neighbour, now: np.void, after: Neighbour) -> bool:
    return any(
        each is not None
        and each["root"] == now["root"]
        and each["tonic"] == now["tonic"]
        and each["inversion"] != 2
        for each in (before, after)
    )


TYPES = (_cadential, _passing, _pedal, _arpeggiated)
