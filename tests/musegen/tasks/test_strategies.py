"""Strategies, distance and time limit of the writing tasks."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from musegen.errors import OptionError
from musegen.models.protocol import FloatArray
from musegen.result import Composition
from musegen.tasks.realise import realise
from musegen.tasks.writing import Draft, Options

PLAIN = Options(models=(), temperature=0.0, figures=False)
CHORDS = "D minor: i iv6 V7 i iv V6 i V i"


def pitches(made: Draft) -> FloatArray:
    """Semitones of the skeleton (T, voices)."""
    found: FloatArray = made.skeleton["semitone"][:, :4].astype(np.float64)
    return found


@pytest.mark.parametrize("strategy", ["beam", "exact", "sample"])
def test_every_strategy_writes_without_errors(strategy: str) -> None:
    """A row of chords is realised under all hard rules, whatever searches."""
    (made,) = realise(CHORDS, replace(PLAIN, strategy=strategy))
    assert not made.report.count("E")
    assert made.search.account.strategy == strategy
    assert made.search.cost >= made.search.account.bound - 1e-9


@pytest.mark.parametrize("strategy", ["beam", "exact", "sample"])
def test_solutions_differ_in_as_many_notes_as_asked(strategy: str) -> None:
    """Any two differ in twelve notes or more, and the best comes first."""
    found = realise(CHORDS, replace(PLAIN, strategy=strategy, distance=12), count=3)
    assert len(found) == 3
    for one, other in combinations(found, 2):
        assert (pitches(one) != pitches(other)).sum() >= 12
    scores = [made.search.score for made in found]
    assert scores == sorted(scores, reverse=True)


def test_the_first_of_several_is_the_one_of_one() -> None:
    """Asking for more does not change what is found first, ornaments included."""
    options = replace(PLAIN, figures=True, temperature=1.0, seed=3)
    (alone,) = realise(CHORDS, options)
    first = [made for made in realise(CHORDS, options, count=3) if made.path.tobytes()]
    assert alone.score in [made.score for made in first]


def test_exact_is_proved_and_says_so() -> None:
    """The table of an exact solution tells that none is cheaper."""
    (made,) = realise(CHORDS, replace(PLAIN, strategy="exact"))
    summary = Composition.of(made).summary
    assert made.search.proved
    assert summary["search"] == "exact, by costs alone"
    assert summary["cost with long rules"].endswith("proved: no solution costs less")
    assert "time limit" not in summary


def test_a_uniform_draw_says_so() -> None:
    """Without models a sample is one of all solutions; seeds give others."""
    drawn = [realise(CHORDS, replace(PLAIN, strategy="sample", seed=seed))[0] for seed in (0, 1, 1)]
    assert drawn[0].path.tobytes() != drawn[1].path.tobytes() == drawn[2].path.tobytes()
    summary = Composition.of(drawn[0]).summary
    assert summary["search"] == "one of all solutions, each equally likely"


def test_a_time_limit_is_told() -> None:
    """The table tells the stages and how the search ended."""
    (made,) = realise(CHORDS, replace(PLAIN, time_limit=60.0))
    summary = Composition.of(made).summary
    assert made.search.proved
    assert summary["time limit"].startswith("ended before the time limit of 60 s (costs alone: gap")
    (hurried,) = realise(CHORDS, replace(PLAIN, time_limit=1e-6, temperature=1.0))
    said = Composition.of(hurried).summary["time limit"]
    assert said.startswith("stopped at the time limit")
    assert not hurried.report.count("E")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strategy": "annealing"}, "strategy must be one of beam, exact, sample, got 'annealing'"),
        ({"strategy": "sample", "top_k": 0}, "top-k must be 1 or more, got 0"),
        ({"strategy": "sample", "top_p": 1.5}, "top-p must be above 0 and at most 1, got 1.5"),
        ({"models": ("hmm",), "top_k": 3}, "must be sample with a model, got 'beam with hmm'"),
        ({"strategy": "sample", "top_k": 3}, "got 'sample with no model'"),
        ({"strategy": "sample", "models": ("hmm",), "top_p": 0.5}, "top-p must be above 0, got 0"),
        ({"time_limit": 0.0}, "time limit must be above 0 and at most 86400 s, got 0.0"),
        ({"time_limit": float("nan")}, "time limit must be above 0"),
        ({"distance": 0}, "distance must be 1 note or more, got 0"),
    ],
)
def test_options_out_of_range_are_refused(changes: dict[str, object], words: str) -> None:
    """The refusal names the option, what came and what is allowed."""
    with pytest.raises(OptionError) as caught:
        realise(CHORDS, replace(PLAIN, **changes))  # type: ignore[arg-type]
    assert words in str(caught.value)
