"""The judge that tunes models says what the checker says."""

from __future__ import annotations

import numpy as np

from musegen.comparison.judging import RANGE_RULES, rule_judge
from musegen.comparison.roll_set import RollSet
from musegen.comparison.scores import findings, score_of
from musegen.models.rolls import Roll

# C over G to A over D and E over B: fifths and octaves in parallel between bass and tenor.
PARALLEL = Roll("parallel", ((48, 55, 64, 72), (50, 57, 65, 74), (52, 59, 67, 76)))


def test_its_findings_are_those_of_the_checker(small_set: RollSet) -> None:
    """Summed over the frames, each severity is what the report on models counts."""
    judge = rule_judge(small_set.splits["train"])
    for roll in (PARALLEL, *small_set.splits["test"]):
        told = findings(score_of(roll, roll.name), without=RANGE_RULES)
        assert judge(roll).findings.sum(axis=0).tolist() == [told.count(level) for level in "EWI"]


def test_a_parallel_stands_in_the_frame_it_leads_to(small_set: RollSet) -> None:
    """The first frame is led to by nothing."""
    found = rule_judge(small_set.splits["train"])(PARALLEL).findings[:, 0]
    assert found[0] == 0
    assert (found[1:] > 0).all()


def test_likeness_is_greatest_of_the_corpus_itself(small_set: RollSet) -> None:
    """A piece of the corpus is more like it than one note that is held."""
    judge = rule_judge(small_set.splits["train"])
    held = Roll("held", ((60,),) * 20)
    assert 0 <= judge(held).likeness < judge(small_set.splits["train"][0]).likeness <= 1


def test_what_is_no_score_has_an_error_in_every_frame(small_set: RollSet) -> None:
    """Silence cannot be a way out."""
    judge = rule_judge(small_set.splits["train"])
    silent = judge(Roll("silent", ((),) * 4))
    assert np.array_equal(silent.findings, np.array([[1, 0, 0]] * 4))
