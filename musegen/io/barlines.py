"""Bars as a file draws them, made metres and an upbeat.

A score counts its bars from its metres. Where a file's bar is not as long as its metre says, and
is not one half of a bar that a repeat sign cuts in two, the count begins anew after it: the metre
is stated again there, so that no later downbeat falls beside its bar line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from musegen.errors import ScoreError
from musegen.score import Metre

__all__ = ["Grid", "grid"]

MOST_METRES = 500


@dataclass(frozen=True, slots=True)
class Grid:
    """How the bars of a piece are counted."""

    metres: tuple[Metre, ...]
    upbeat: Fraction  # quarter notes
    irregular: tuple[Fraction, ...] = ()  # onsets of bars, but the first and last, not full
    bars: tuple[tuple[Fraction, Fraction], ...] = ()  # onset and length of each as it is drawn


def grid(
    lines: Sequence[Fraction], signatures: Sequence[Metre], total: Fraction, where: str
) -> Grid:
    """Metres and upbeat of a piece.

    Args:
        lines: where bars begin, in quarter notes, the first at 0.
        signatures: time signatures, the first at 0; the same one again changes nothing.
        total: length of the piece in quarter notes.
        where: how a refusal calls the piece.

    Raises:
        ScoreError: the metre changes, or bars do not fill it, too often to be counted with.
    """
    stated = [each for before, each in _with_former(signatures) if str(before) != str(each)]
    starts = sorted({each for each in lines if 0 <= each < total} | {Fraction(0)})
    first = starts[1] if len(starts) > 1 else total
    upbeat = first if len(starts) > 1 and first < stated[0].bar else Fraction(0)
    if upbeat and len(stated) > 1 and stated[1].onset < upbeat:
        upbeat = Fraction(0)
    metres = [stated[0]]
    irregular: list[Fraction] = []
    halves: set[Fraction] = set()
    origin = upbeat or Fraction(0)
    begun = [each for each in starts if each >= origin]
    for place, (start, stop) in enumerate(pairwise(begun)):
        metre = _in_force(stated, start)
        if metre.onset == start and start > metres[-1].onset:
            metres.append(metre)
            origin = start
        if (stop - origin) % metre.bar == 0:
            continue
        later = begun[place + 2] if place + 2 < len(begun) else total
        halved = stop - start < metre.bar and (later - origin) % metre.bar == 0
        if halved and _in_force(stated, stop) is metre:
            halves.add(stop)
            continue
        irregular.append(start)
        origin = stop
        if _in_force(stated, stop).onset != stop:
            metres.append(Metre(metre.beats, metre.unit, stop))
    known = {each.onset for each in metres}
    metres += [each for each in stated if each.onset not in known and each.onset < total]
    drawn = [each for each in starts if each not in halves]
    lengths = [stop - start for start, stop in pairwise([*drawn, total])]
    if len(metres) > MOST_METRES:
        problem = f"{len(metres)} changes of metre and bars that do not fill it"
        raise ScoreError(where, f"{problem}, at most {MOST_METRES} are read")
    return Grid(
        tuple(sorted(metres, key=lambda each: each.onset)),
        upbeat,
        tuple(irregular),
        tuple(zip(drawn, lengths, strict=True)),
    )


def _with_former(signatures: Sequence[Metre]) -> list[tuple[Metre | None, Metre]]:
    ordered = sorted(signatures, key=lambda each: each.onset)
    return list(zip([None, *ordered], ordered, strict=False))


def _in_force(stated: Sequence[Metre], time: Fraction) -> Metre:
    return next(each for each in reversed(stated) if each.onset <= time)
