"""Looking ahead: what the copies to come leave open, against every way that there is."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.weaving.bound import FOREIGN, Walk, walked
from musegen.weaving.cells import Debt
from musegen.weaving.course import chords_of
from musegen.weaving.fabric import PARTS, Copy, Fabric, Silent, Task, Timbre
from musegen.weaving.hypotheses import Grown
from musegen.weaving.prospects import NEVER, Prospects
from musegen.weaving.rhythms import RUNNING
from musegen.weaving.setting import Setting
from theory_kb.pitch import Key

LAG = 3
C_MAJOR = Key.parse("C major")


def setting_of(chords: int) -> Setting:
    """A canon at the octave of three beats each over some chords of C major."""
    lead: tuple[Task, ...] = (RUNNING,) * (2 * LAG)
    follow: tuple[Task, ...] = (*(Silent(),) * LAG, *(Copy(0, LAG, -7, -12),) * LAG)
    harmonies = (chords_of(C_MAJOR)[:chords],) * (2 * LAG)
    voices = (Timbre("L", 28, 40), Timbre("F", 21, 33))
    return Setting(Fabric((4, 4), voices, (lead, follow), harmonies, bass=False))


@given(seed=st.integers(0, 2**32 - 1), chords=st.integers(1, 5))
@settings(max_examples=25)
def test_a_hypothesis_is_alive_where_chords_lead_through_its_copies(seed: int, chords: int) -> None:
    """As found by trying every row of chords after the one that it has."""
    rng = np.random.default_rng(seed)
    setting = setting_of(chords)
    prospects = Prospects(setting)
    many, count, beat = 4, len(setting.options), LAG - 1
    stands = {
        (1, LAG + place): rng.choice([NEVER, NEVER, 0, 1, 2], (many, count, len(Debt))).astype(
            np.int8
        )
        for place in range(LAG)
    }
    options = rng.integers(0, count, many).astype(np.int32)
    debts = rng.integers(0, len(Debt), (many, 2)).astype(np.int8)
    none = np.zeros((many, 2, PARTS), np.int16)
    found = Grown(np.arange(many), options, none, none, none.astype(np.int8), debts, np.zeros(many))
    alive = prospects.alive(stands, found, beat)

    def leads(row: int, path: tuple[int, ...]) -> bool:
        debt, before = int(debts[row, 1]), int(options[row])
        for place, option in enumerate(path):
            follow = setting.ahead[LAG + place].follow
            columns = setting.column_of[LAG + place]
            if not np.isfinite(follow[columns[before], columns[option]]):
                return False
            debt = int(stands[1, LAG + place][row, option, debt])
            if debt == NEVER:
                return False
            before = option
        return True

    paths = list(product(range(count), repeat=LAG))
    assert alive.tolist() == [any(leads(row, path) for path in paths) for row in range(many)]


def walk(steps: list[int], struck: list[int], outside: list[int]) -> tuple[float, int]:
    """What a line from step 30 through a beat costs and owes, as numbers."""
    rows = (np.array([each]) for each in (steps, [1] * PARTS, outside, struck))
    lines, sounds, beyond, begins = rows
    found = Walk(lines.astype(np.int16), sounds == 1, beyond == 1, begins == 1)
    start = np.array([30], np.int16), np.array([True]), np.array([Debt.NONE], np.int8)
    cost, debt = walked(found, *start)
    return float(cost[0]), int(debt[0])


def test_a_passing_tone_is_no_fault_and_a_leap_to_a_dissonance_is() -> None:
    """Entered and left by step: free; left open: it owes a step; leapt to: foreign."""
    assert walk([30, 30, 31, 32], [1, 0, 1, 1], [0, 0, 1, 0]) == (0.0, Debt.NONE)
    assert walk([30, 30, 31, 31], [1, 0, 1, 0], [0, 0, 1, 1]) == (0.0, Debt.STEP)
    assert walk([30, 30, 33, 33], [1, 0, 1, 0], [0, 0, 1, 1])[0] >= FOREIGN
    assert walk([30, 30, 29, 29], [0, 0, 1, 0], [1, 1, 0, 0]) == (0.0, Debt.NONE)
    assert walk([30, 30, 31, 31], [0, 0, 1, 0], [1, 1, 0, 0])[0] >= FOREIGN
