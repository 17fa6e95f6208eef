"""The exposition of a fugue in four voices."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from musegen.errors import InfeasibleError
from musegen.weaving.design import Design, Loom
from musegen.weaving.entries import Subject, both_keys, countered, enter, imitable
from musegen.weaving.fabric import Timbre
from musegen.weaving.material import CHOIR, drawn_subject, fitting
from musegen.weaving.rhythms import CALM, RUNNING

__all__ = ["VOICES", "fugue"]

VOICES: tuple[Timbre, ...] = CHOIR
OUTER = (VOICES[0], VOICES[2])  # between which a countersubject is found
SUBJECTS = 8  # that are drawn before an attempt is given up
SOON = 1  # times that the search of a countersubject goes back
PARTS = 6  # subject, answer, codetta, subject, answer, close
ORDERS = ((1, 0, 3, 2), (2, 1, 0, 3), (0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 2, 3))


def fugue(loom: Loom) -> Design:
    """A fugue exposition: subject, answer, codetta, subject, answer and a close, alike in length."""
    unit = loom.beats // PARTS
    if loom.theme:
        notes = fitting(loom.theme, Fraction(unit), "each entry")
        subject = imitable(loom, notes, unit, OUTER)
    else:
        subject = _drawn(loom, unit)
    order = ORDERS[int(loom.rng.integers(len(ORDERS)))]
    _exposition(loom, subject, order)
    loom.closed()
    return loom.design()


def _drawn(loom: Loom, unit: int) -> Subject:
    """The first of some subjects for which a countersubject is soon found.

    Raises:
        InfeasibleError: for none of them.
    """
    bars = unit // loom.per_bar
    for _ in range(SUBJECTS):
        notes = drawn_subject(loom.home, loom.layout.metre, bars, loom.style, rng=loom.rng)
        try:
            return imitable(loom, notes, unit, OUTER, returns=SOON)
        except InfeasibleError as error:
            refused = error
    raise refused


def _exposition(loom: Loom, subject: Subject, order: Sequence[int]) -> None:
    """Subject and answer in all voices, the countersubject beside each but the first."""
    unit = subject.beats
    first, second, third, fourth = order
    both_keys(loom, range(1, unit), subject.home)
    enter(loom, subject, first, 0)
    both_keys(loom, range(unit, 2 * unit), subject.dominant, subject.home)
    enter(loom, subject, second, unit, kind="answer")
    countered(loom, subject, first, unit, kind="answer")
    both_keys(loom, range(2 * unit, 3 * unit), subject.dominant, subject.home)
    loom.free(first, range(2 * unit, 3 * unit), RUNNING)
    loom.free(second, range(2 * unit, 3 * unit), CALM)
    loom.mark("codetta", first, 2 * unit, unit, "codetta")
    both_keys(loom, range(3 * unit, 4 * unit), subject.home)
    enter(loom, subject, third, 3 * unit)
    countered(loom, subject, second, 3 * unit)
    loom.free(first, range(3 * unit, 4 * unit), CALM)
    both_keys(loom, range(4 * unit, 5 * unit), subject.dominant, subject.home)
    enter(loom, subject, fourth, 4 * unit, kind="answer")
    countered(loom, subject, third, 4 * unit, kind="answer")
    for voice in (first, second):
        loom.free(voice, range(4 * unit, 5 * unit), CALM)
    for voice in range(len(VOICES)):
        how = RUNNING if voice == third else CALM
        loom.free(voice, range(5 * unit, 6 * unit), how)
