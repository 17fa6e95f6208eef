"""Plans: slots that fill the bars, keys and cadences that the template admits."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.plan.plan import Plan
from musegen.plan.planner import make_plan
from musegen.plan.template import each_metre, load_template, relative_key, template_names
from theory_kb.pitch import Key


def plan_of(form: str, key: str, seed: int, metre: str | None = None) -> Plan:
    """A plan from its form, key and seed."""
    return make_plan(
        load_template(form, metre=metre), Key.parse(key), rng=np.random.default_rng(seed)
    )


@pytest.mark.parametrize(
    ("form", "metre"),
    [(form, made.metre) for form in template_names() for made in each_metre(form)],
)
def test_slots_fill_the_bars(form: str, metre: str) -> None:
    """Slots follow one another without gap and end where the last bar (less the upbeat) ends."""
    home = "G major" if load_template(form).mode == "major" else "D minor"
    plan = plan_of(form, home, 3, metre)
    for before, after in zip(plan.slots, plan.slots[1:], strict=False):
        assert before.onset + before.duration == after.onset
    last = plan.slots[-1]
    beats, unit = plan.metre
    length = plan.bars * Fraction(4 * beats, unit)
    assert last.onset + last.duration == length


@given(seed=st.integers(0, 2**32 - 1), key=st.sampled_from(["C", "e", "Bb", "f#"]))
def test_plan_keeps_to_its_template(seed: int, key: str) -> None:
    """Whatever the seed, each phrase closes in a key and with a cadence that the form admits."""
    home = Key.parse(key)
    plan = plan_of("chorale", key, seed)
    sections = load_template("chorale").sections
    for phrase, section in zip(plan.phrases, sections, strict=True):
        assert phrase.key in {relative_key(home, roman) for roman in section.keys[home.mode]}
        assert phrase.cadence in section.close
        assert plan.slots[phrase.last].closes
        assert plan.slots[phrase.first].opens
    assert plan.phrases[-1].key == home
    assert plan.slots[-1].soprano == (1,)


def test_neighbouring_phrases_seldom_close_alike() -> None:
    """Of Bach's neighbours 6 in 100 share key and kind of cadence; independent draws made 20 so."""
    alike = closes = 0
    for seed, key in enumerate(["C", "a"] * 150):
        heard = [(phrase.key, phrase.cadence) for phrase in plan_of("chorale", key, seed).phrases]
        alike += sum(before == after for before, after in pairwise(heard))
        closes += len(heard) - 1
    assert 0.03 < alike / closes < 0.09


def test_every_slot_has_a_chord_to_stand_on() -> None:
    """No slot is left without harmony, and cadence slots have exactly the formula's chord."""
    plan = plan_of("binary", "G", 1)
    assert all(slot.harmonies for slot in plan.slots)
    for phrase in plan.phrases:
        assert len(plan.slots[phrase.last].harmonies) == 1


def test_consequent_takes_up_the_antecedent() -> None:
    """In a parallel period the head of the consequent is bound to that of the antecedent."""
    plan = plan_of("period-parallel", "C", 0)
    bound = [slot.repeats for slot in plan.slots if slot.repeats is not None]
    assert bound == list(range(len(bound)))
    assert len(bound) >= 4


def test_same_seed_same_plan() -> None:
    """A plan is a pure function of template, key and seed."""
    assert plan_of("chorale", "C", 5) == plan_of("chorale", "C", 5)
