"""What a model of rolls writes under the hard rules: legal, the model's own, the same again."""

from dataclasses import replace

import numpy as np
import pytest

from musegen.constraints import build_problem
from musegen.errors import InfeasibleError, OptionError
from musegen.models.roll_models import default_settings, train_frame_model
from musegen.models.roll_proposals import RollProposer, proposer_of, sonorities
from musegen.models.rolls import Roll
from musegen.plan.planner import make_plan
from musegen.plan.template import load_template
from musegen.tasks import sample_legal
from musegen.tasks.sample_legal import UnderRules, legal_draft
from musegen.tasks.scorer import ModelScorer
from musegen.tasks.writing import finish
from theory_kb.check import load_style
from theory_kb.pitch import Key

HIGH = ((48, 60, 67, 76), (53, 60, 69, 77), (55, 62, 67, 79), (55, 62, 71, 79), (57, 64, 72, 76))
LOW = ((48, 55, 60, 64), (53, 57, 60, 65), (43, 55, 59, 62), (50, 55, 59, 62), (45, 57, 60, 64))


def proposer(chords: tuple[tuple[int, ...], ...]) -> RollProposer:
    """A small HMM of rolls of some chords."""
    rng = np.random.default_rng(0)
    rolls = [
        Roll(str(k), tuple(chords[each] for each in rng.integers(5, size=12))) for k in range(9)
    ]
    settings = replace(default_settings("hmm"), states=4, passes=3, starts=1)
    return proposer_of(train_frame_model("hmm", rolls[:6], rolls[6:], settings, seed=0).model)


def test_pieces_break_no_hard_rule_and_are_the_same_again() -> None:
    """The checker that all scores meet finds nothing of severity E; frames have their log-scores."""
    wanted = UnderRules(key="D minor", particles=4)
    one, two = (legal_draft(proposer(HIGH), wanted, rng=np.random.default_rng(3)) for _ in range(2))
    assert one.score == two.score
    assert not [each for each in one.report.findings if each.severity == "E"]
    assert str(one.score.key) == "D minor"
    assert np.isfinite(one.log_scores["hmm"]).all()


def test_what_a_model_likes_is_heard() -> None:
    """In the same plan a model of high chords writes higher than one of low chords."""
    means = []
    for chords in (HIGH, LOW):
        draft = legal_draft(proposer(chords), UnderRules(particles=8), rng=np.random.default_rng(1))
        means.append(float(draft.skeleton["semitone"][:, 0].mean()))
    assert means[0] > means[1] + 2


def test_readings_of_a_frame_share_its_probability() -> None:
    """So the candidates of a slot together have the probability of its frames."""
    plan = make_plan(load_template("chorale"), Key.parse("C major"), rng=np.random.default_rng(0))
    problem = build_problem(plan, load_style("bach"), dear=np.inf)
    model = proposer(LOW)
    scorer = ModelScorer.of(problem, {"hmm": model}, {"hmm": 1.0})
    read = sample_legal._Read.of(scorer, problem)
    left = np.flatnonzero(np.isfinite(problem.lattice.unary[0]))
    frames = sonorities(scorer.slots[0].notes[left])
    apart = sorted(set(frames))
    assert len(apart) < len(frames)
    found = np.exp(read.scores(0, read.start(), left)).sum()
    told = np.exp(model.steps.log_scores(model.steps.start(), apart)).sum()
    assert found == pytest.approx(told)


def test_a_refused_piece_is_drawn_anew_and_in_the_end_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Others of the same particles first; no path is tried twice."""
    tried: list[bytes] = []
    wait = 3

    def picky(*given: object) -> object:
        tried.append(given[3].path.tobytes())  # type: ignore[attr-defined]
        if len(tried) < wait:
            raise refusal()
        return finish(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(sample_legal, "finish", picky)
    wanted, model = UnderRules(particles=4), proposer(LOW)
    assert legal_draft(model, wanted, rng=np.random.default_rng(0)).score.parts
    assert len(tried) == len(set(tried)) == 3
    wait = 10**6
    monkeypatch.setattr(sample_legal, "RUNS", 1)
    with pytest.raises(InfeasibleError, match="not this one; so for all of 1 sets of 4 particles"):
        legal_draft(model, wanted, rng=np.random.default_rng(0))


def refusal() -> InfeasibleError:
    """A refusal of the whole piece."""
    return InfeasibleError(0, "bar 1, beat 1: not this one", placed=True)


def test_a_number_of_particles_out_of_its_range_is_refused() -> None:
    """In a line that names the option."""
    with pytest.raises(OptionError, match="--particles must be from 1 to 65536, got 0"):
        UnderRules(particles=0)
