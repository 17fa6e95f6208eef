"""Models of rolls as proposers of sonorities: the adapter from slots of a plan to frames of a roll.

A candidate of a slot is a frame: the set of its notes, moved so that the tonic is C, as the rolls were that
models learnt from. What a model must do for it is little: keep a state for each hypothesis, say how likely
frames are in it, and go on. Models over notes share what they say of beginnings (`note_steps`). A Boltzmann
machine whose sum over all frames differs from one hypothesis to the next says how likely frames are given
that one of those offered comes. HMMs whose emissions look at the frame before do not propose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from musegen.errors import TrainingError
from musegen.models.cards import WeightsError
from musegen.models.frame_emissions import Bernoulli, FactorialBernoulli, observe
from musegen.models.frame_hmm import FrameHMM
from musegen.models.frame_lstm import FrameLSTM
from musegen.models.frame_rbm import FrameRBM
from musegen.models.frame_steps import FrameNetworkSteps
from musegen.models.ngram import NGram
from musegen.models.note_steps import NoteSteps, teller_of
from musegen.models.protocol import LOWEST as LOWEST_TOKEN
from musegen.models.protocol import REST_TOKEN, Candidates, FloatArray, IntArray, State
from musegen.models.rnn_rbm import RNNRBM
from musegen.models.roll_models import load_frame_model
from musegen.models.roll_networks import NetworkModel
from musegen.models.roll_product import NoteProduct
from musegen.models.rolls import Frame, FrameModel, Roll, as_matrix

__all__ = ["FrameSteps", "RollProposer", "load_proposer", "proposer_of", "proposes", "sonorities"]

MIDDLE_C = 60


class FrameSteps(Protocol):
    """A model of rolls that can be asked frame by frame, for several hypotheses at once."""

    def start(self) -> State:
        """State of one hypothesis (B = 1) before the first frame."""

    def log_scores(self, state: State, frames: Sequence[Frame]) -> FloatArray:
        """Natural-log probabilities (B, N) of what may come, up to one constant of the model.

        A model that cannot say so gives those of each frame given that one of these comes.
        """

    def advance(self, state: State, parents: IntArray, frames: Sequence[Frame]) -> State:
        """States of B' hypotheses: parents (B',) index old ones, frames (B') came."""


@dataclass(frozen=True, slots=True)
class RollProposer:
    """A proposer of sonorities (`musegen.models.protocol.SlotModel`)."""

    model: FrameModel
    steps: FrameSteps

    @property
    def name(self) -> str:
        """Of the model of rolls."""
        return self.model.name

    def start(self, features: IntArray) -> State:
        """Rolls know nothing of the plan but what sounds."""
        del features
        return self.steps.start()

    def log_scores(self, state: State, candidates: Candidates) -> FloatArray:
        """Natural-log scores (B, N); candidates with the same notes have the same."""
        every = sonorities(candidates.notes)
        frames = sorted(set(every))
        place = {frame: number for number, frame in enumerate(frames)}
        return self.steps.log_scores(state, frames)[:, [place[frame] for frame in every]]

    def advance(
        self, state: State, candidates: Candidates, parents: IntArray, chosen: IntArray
    ) -> State:
        """States of the new hypotheses."""
        return self.steps.advance(state, parents, sonorities(candidates.notes[chosen]))


def sonorities(notes: IntArray) -> list[Frame]:
    """Frames of tokens (N, V): sets of pitches with the tonic at C; rests are silent."""
    return [
        tuple(sorted({MIDDLE_C + LOWEST_TOKEN + token for token in row if token != REST_TOKEN}))
        for row in notes.tolist()
    ]


# --- which models, and how ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _HMMSteps:
    """A hidden Markov model whose states alone say what sounds; state: (B, S) chances of its own."""

    model: FrameHMM

    def start(self) -> State:
        return np.asarray(self.model.transition.start, np.float64)[None]

    def log_scores(self, state: State, frames: Sequence[Frame]) -> FloatArray:
        logs = self._emitted(frames)
        most = logs.max(axis=1)
        found: FloatArray = np.log(state @ np.exp(logs - most[:, None]).T) + most
        return found

    def advance(self, state: State, parents: IntArray, frames: Sequence[Frame]) -> State:
        logs = self._emitted(frames)
        heard = state[parents] * np.exp(logs - logs.max(axis=1, keepdims=True))
        return self.model.transition.ahead(heard / heard.sum(axis=1, keepdims=True))

    def _emitted(self, frames: Sequence[Frame]) -> FloatArray:
        """Natural-log probability (N, S) of each frame in each state."""
        seen = observe([Roll("", tuple(frames))], None)
        return np.asarray(self.model.emission.log_likelihoods(seen), np.float64)


@dataclass(frozen=True, slots=True)
class _RBMSteps:
    """A Boltzmann machine over single frames: minus its free energy, whatever came before."""

    model: FrameRBM

    def start(self) -> State:
        return np.zeros(1)

    def log_scores(self, state: State, frames: Sequence[Frame]) -> FloatArray:
        units = as_matrix(Roll("", tuple(frames))).astype(np.float32)
        return np.repeat(-self.model.free_energy(units)[None], len(state), axis=0)

    def advance(self, state: State, parents: IntArray, frames: Sequence[Frame]) -> State:
        del frames
        return state[parents]


def _hmm(model: FrameHMM) -> FrameSteps | None:
    emission = model.emission
    alone = isinstance(emission, FactorialBernoulli) or (
        isinstance(emission, Bernoulli) and len(emission.odds) == 1
    )
    return _HMMSteps(model) if alone else None


def _network(model: NetworkModel) -> FrameSteps | None:
    if isinstance(model.network, FrameLSTM | RNNRBM):
        return FrameNetworkSteps(model.network, model.weights)
    return _notes(model)


def _notes(model: NGram | NetworkModel | NoteProduct) -> FrameSteps | None:
    teller = teller_of(model)
    return None if teller is None else NoteSteps(teller)


STEPS: Mapping[type, Callable[[Any], FrameSteps | None]] = {
    FrameHMM: _hmm,
    FrameRBM: _RBMSteps,
    NetworkModel: _network,
    NGram: _notes,
    NoteProduct: _notes,
}
PROPOSE = (
    "ngram",
    "hmm",
    "hmm-factorial",
    "rbm",
    "lstm",
    "ngram-lstm",
    "lstm-reinforce",
    "lstm-sigmoid",
    "lstm-nade",
    "transformer",
    "rnn-rbm",
    "lstm-rbm",
)


def proposes(model: FrameModel) -> bool:
    """Whether a model of rolls can propose."""
    return _steps_of(model) is not None


def proposer_of(model: FrameModel) -> RollProposer:
    """A model of rolls as a proposer.

    Raises:
        TrainingError: one that does not propose.
    """
    made = _steps_of(model)
    if made is None:
        allowed = ", ".join(PROPOSE)
        raise TrainingError(f"model of rolls {model.name!r} does not propose; {allowed} do")
    return RollProposer(model, made)


def _steps_of(model: FrameModel) -> FrameSteps | None:
    return STEPS.get(type(model), lambda _: None)(model)


def load_proposer(path: Path) -> RollProposer:
    """A stored model of rolls as a proposer.

    Raises:
        WeightsError: a file is missing, damaged or foreign, or of a model that does not propose.
    """
    model = load_frame_model(path).model
    try:
        return proposer_of(model)
    except TrainingError as error:
        raise WeightsError(path, f"cannot propose: {error}") from error
