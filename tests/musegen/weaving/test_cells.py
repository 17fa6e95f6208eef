"""What a free voice may do in a beat, against the sentences of a counterpoint class."""

from itertools import pairwise, product

import pytest

from musegen.errors import OptionError
from musegen.motive import read_theme
from musegen.weaving.cells import Cells, Debt, Ground, cells
from musegen.weaving.fabric import PARTS, Silent, Stated, stated_line
from musegen.weaving.rhythms import PATTERNS, bar_of, liking

C_MAJOR = frozenset({0, 2, 4})  # C E G by staff steps
EVERY = liking((0,)).rhythms
GROUND = Ground(C_MAJOR, strong=True, low=28, high=40)


def lines(found: Cells) -> list[list[int]]:
    """The notes that are struck, cell by cell."""
    return [
        [int(step) for step, struck in zip(steps, attacks, strict=True) if struck]
        for steps, attacks in zip(found.steps.tolist(), found.attacks.tolist(), strict=True)
    ]


@pytest.mark.parametrize(("before", "strong"), list(product((28, 31, 33, 36), (True, False))))
def test_a_note_outside_the_chord_is_entered_and_left_by_step(before: int, *, strong: bool) -> None:
    """No foreign note stands beside a leap; what ends outside the chord owes a step."""
    ground = Ground(C_MAJOR, strong, 28, 40)
    found = cells(EVERY, before, before % 7 in C_MAJOR, Debt.NONE, ground)
    assert len(found.costs)
    for line, debt in zip(lines(found), found.debts.tolist(), strict=True):
        path = [before, *line]
        for here, there in pairwise(path):
            foreign = there % 7 not in C_MAJOR or (here % 7 not in C_MAJOR and here is not before)
            assert not foreign or abs(there - here) == 1
        if line:
            assert (debt == Debt.STEP) == (line[-1] % 7 not in C_MAJOR)


def test_a_suspension_falls_by_step() -> None:
    """F held into C major goes to E, in this beat or the next; on a weak beat it is none."""
    found = cells(EVERY, 31, False, Debt.NONE, GROUND)
    held = [
        line for line, attacks in zip(lines(found), found.attacks, strict=True) if not attacks[0]
    ]
    assert [] in held
    assert all(line[0] == 30 for line in held if line)
    later = cells(EVERY, 31, False, Debt.FALL, GROUND)
    assert {line[0] for line in lines(later)} == {30}
    weak = cells(EVERY, 31, False, Debt.NONE, Ground(C_MAJOR, strong=False, low=28, high=40))
    assert all(attacks[0] for attacks in weak.attacks.tolist())


def test_patterns_are_bars_of_note_values() -> None:
    """A dotted quarter and an eighth strike on the first beat and before the third."""
    notes = read_theme("C4:q. D4:e E4:h")
    assert bar_of([note.duration for note in notes]) == ((0,), (2,), (0,), ())
    assert all(part < PARTS for pattern in PATTERNS for part in pattern)


def test_a_stated_line_is_cut_into_beats() -> None:
    """A half note is struck once and sounds for two beats; then the voice rests."""
    first, second, third = stated_line(read_theme("C4:h D4:e"), 3)
    assert isinstance(first, Stated)
    assert isinstance(second, Stated)
    assert (first.attacks, second.attacks) == ((1, 0, 0, 0), (0, 0, 0, 0))
    assert second.steps == first.steps
    assert isinstance(third, Stated)
    assert third.semitones[2:] == (-1, -1)
    assert isinstance(stated_line(read_theme("C4:q D4:q"), 3)[2], Silent)
    with pytest.raises(OptionError, match="sixteenths"):
        stated_line(read_theme("C4:1/3 D4:2/3"), 1)
