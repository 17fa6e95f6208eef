"""What is counted of tunes: patterns of bars, and which of four bars share one."""

from fractions import Fraction

from corpora.count_rhythms import count_plans, count_rhythms
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch


def tune(*bars: str) -> Score:
    """A line in 2/4 on one pitch, its note values bar by bar."""
    notes, time = [], Fraction(0)
    for value in " ".join(bars).split():
        notes.append(Note(time, Fraction(value), Pitch.parse("C5")))
        time += Fraction(value)
    return Score("", Key.parse("C"), (Part("", tuple(notes)),), (Metre(2, 4),))


def test_a_plan_names_which_bars_are_alike() -> None:
    """Two groups of `abac` and one of `aabb`; a group that is not full does not count."""
    plain, run, rest = "1 1", "1/2 1/2 1", "2"
    group = (plain, run, plain, rest)
    tunes = [tune(*group, *group), tune(plain, plain, run, run, rest)] * 3
    assert count_plans(tunes)["2/4"] == {"abac": 6, "aabb": 3}
    assert count_plans(tunes)["3/4"] == {}
    assert count_rhythms(tunes)["2/4"]["inner"][plain] == 4 * 3 + 2 * 3
