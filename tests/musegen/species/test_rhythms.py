"""Rhythms of the species: what the rules on note values allow, as automata."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from musegen.species.rhythms import PAIRS, Automaton, automaton, followers, kind_of_bar, step
from theory_kb.check import load_style
from theory_kb.rules.species_bars import HALVES, QUARTERS, WHOLE, Rhythm

TIED = Rhythm("held", HALVES[1:])


def of(species: int, voices: int = 2) -> Automaton:
    """The automaton of a species in Fux's style."""
    return automaton(load_style(f"fux{voices}"), species, voices)


def test_bars_are_those_of_the_textbook() -> None:
    """One note, two halves, four quarters a bar; ties after a half rest; whole notes close."""
    assert of(1).rhythms["inside"] == (Rhythm("struck", WHOLE),)
    assert of(2).rhythms["inside"] == (Rhythm("struck", HALVES),)
    assert Rhythm("rest", HALVES[1:]) in of(2).rhythms["first"]
    assert of(3).rhythms["inside"] == (Rhythm("struck", QUARTERS),)
    assert of(4).rhythms["first"] == (Rhythm("rest", HALVES[1:]),)
    assert set(of(4).rhythms["inside"]) == {TIED, Rhythm("struck", HALVES)}
    for species in range(1, 6):
        assert of(species).rhythms["last"] == (Rhythm("struck", WHOLE),)


def test_three_voices_may_suspend_before_the_close() -> None:
    """The last bar but one of the second species is tied only where a third voice sounds."""
    assert TIED not in of(2).rhythms["penultimate"]
    assert TIED in of(2, voices=3).rhythms["penultimate"]


def test_a_tie_starts_with_a_half() -> None:
    """In the fifth species no quarter is tied over, and no whole note stands inside."""
    florid = of(5)
    inside = florid.follows["inside", "inside"]
    assert Rhythm("struck", WHOLE) not in florid.rhythms["inside"]
    assert TIED in inside[Rhythm("struck", HALVES)]
    assert TIED not in inside[Rhythm("struck", QUARTERS)]


@pytest.mark.parametrize("species", range(1, 6))
def test_an_automaton_accepts_what_its_table_lists(species: int) -> None:
    """Walking the states gives the same pairs of bars as the table of what follows what."""
    machine = of(species)
    for here, after in PAIRS:
        listed = {
            (one, two)
            for one, following in machine.follows[here, after].items()
            for two in following
        }
        ends = {"penultimate": "last", "last": None}
        walked = {
            (one, two)
            for one, two in product(machine.rhythms[here], machine.rhythms[after])
            if _walks(machine, (one, two), (here, after), ends.get(after, "inside"))
        }
        live = {(one, two) for one, two in listed if _goes_on(machine, two, after, ends)}
        assert walked == live


def _goes_on(machine: Automaton, rhythm: Rhythm, kind: str, ends: dict[str, str | None]) -> bool:
    following = ends.get(kind, "inside")
    return following is None or bool(machine.follows[kind, following][rhythm])


def _walks(
    machine: Automaton, rhythms: tuple[Rhythm, Rhythm], kinds: tuple[str, str], end: str | None
) -> bool:
    """Whether two bars can be walked through, one state after the other."""
    allowed = None
    for rhythm, kind, following in zip(rhythms, kinds, (kinds[1], end), strict=True):
        state = machine.enter(allowed, kind, following).get(rhythm.entry)
        for offset in sorted(machine.offsets(kind) - {Fraction(0)}):
            if state is None:
                return False
            state = step(state, offset).get(offset in rhythm.attacks)
        if state is None or (following and not followers(state)):
            return False
        allowed = followers(state)
    return True


def test_kinds_of_bars() -> None:
    """The last bar is the last one even where there is but one more."""
    assert [kind_of_bar(bar, 4) for bar in range(4)] == ["first", "inside", "penultimate", "last"]
    assert [kind_of_bar(bar, 2) for bar in range(2)] == ["first", "last"]
