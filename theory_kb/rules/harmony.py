"""Rules on the succession of chords: syntax, untyped six-fours, chords held over the bar line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from theory_kb.moment import NONE, UNKNOWN, Moments
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import Offence, Piece, phrase_spans

__all__: list[str] = []


def _harmonic(piece: Piece) -> Moments:
    assert piece.harmonic is not None, "rules on an unknown harmony are skipped"
    return piece.harmonic


def _bass(piece: Piece) -> tuple[int, ...]:
    return (len(piece.voices) - 1,)


# ------------------------------------------------------------------------------------ syntax


@piece_rule()
def syntax_forbidden(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A chord goes where no class of progression leads, inside one phrase and key."""
    from theory_kb.chords import vocabulary
    from theory_kb.query import may_follow

    moments = _harmonic(piece)
    chords = vocabulary()
    for index in range(1, len(moments)):
        before, now = moments[index - 1], moments[index]
        if now["boundary"] or not _in_one_key(before, now) or before["chord"] == now["chord"]:
            continue
        progression = may_follow(chords[before["chord"]], chords[now["chord"]])
        if progression.grade == "X":
            yield Offence(
                index,
                _bass(piece),
                {"text": progression.text.partition(": ")[2] or progression.text},
            )


def _in_one_key(before: np.void, now: np.void) -> bool:
    known = before["chord"] != UNKNOWN and now["chord"] != UNKNOWN
    return bool(known and before["tonic"] == now["tonic"] and before["mode"] == now["mode"])


@piece_rule("free_bars")
def syntax_repeat_weak_strong(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A chord that began on a weak beat goes on over the bar line."""
    moments = piece.surface
    began = 0
    for start, stop in phrase_spans(moments):
        free = moments["bar"][start] + p["free_bars"]
        for index in range(start, stop):
            now, before = moments[index], moments[max(start, index - 1)]
            if index == start or not _goes_on(before, now):
                began = index
            elif now["bar"] != before["bar"] and moments["strength"][began] < now["strength"]:
                if now["bar"] >= free and now["root"] != 1:
                    yield Offence(index, _bass(piece))


def _goes_on(before: np.void, now: np.void) -> bool:
    return _in_one_key(before, now) and before["chord"] == now["chord"]


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
