"""The seam between search and models: batch first, arrays only.

A slot is one place of the piece where a sonority is chosen (a beat of a chorale). A model keeps a
state for each of B hypotheses and gives, for N candidates of a slot, B x N natural-log scores;
then its states advance by the candidates that were chosen. A model knows no theory and no score:
notes are tokens, chords are indices, and what else is known of the slot is a row of small
integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FEATURES",
    "FEATURE_SIZES",
    "LOWEST",
    "REST_TOKEN",
    "VOCABULARY",
    "VOICES",
    "BoolArray",
    "Candidates",
    "ChordTable",
    "FloatArray",
    "IntArray",
    "NoteModel",
    "SlotModel",
    "SlotSequence",
    "State",
]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
State = Any  # a model's own value for B hypotheses; opaque to the search, never mutated

VOICES = 4
LOWEST = -30  # key-relative semitone of token 0; token = semitone - tonic reference - LOWEST
REST_TOKEN = 61  # a silent voice
VOCABULARY = 62  # tokens of one voice: semitones -30..30 around the tonic, and the rest

# What is known of a slot before its notes, one small integer each, in this order:
FEATURES = ("mode", "strength", "to_end", "from_start")
FEATURE_SIZES = (2, 5, 9, 9)  # mode 0 major 1 minor; beat strength; beats to the phrase's last
# chord and from its first, clipped at 8 (0 = that chord itself)


@dataclass(frozen=True, slots=True)
class ChordTable:
    """The vocabulary that chord indices refer to; an index says nothing without it."""

    size: int
    digest: str  # SHA-256 of the names in their order


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates of one slot."""

    notes: IntArray  # (N, V) tokens, voices high to low
    chords: IntArray  # (N,) indices in the chord vocabulary, -1 where unknown
    features: IntArray  # (F,) of the slot


@dataclass(frozen=True, slots=True)
class SlotSequence:
    """One piece as models are trained on it."""

    name: str
    notes: IntArray  # (T, V) tokens, voices high to low
    chords: IntArray  # (T,) indices in the chord vocabulary, -1 where unknown
    features: IntArray  # (T, F)


class SlotModel(Protocol):
    """A proposer of sonorities."""

    @property
    def name(self) -> str:
        """Name in reports and weights, such as `lstm`."""

    def start(self, features: IntArray) -> State:
        """State of one hypothesis (B = 1) before the first slot; features (T, F) of the whole plan."""

    def log_scores(self, state: State, candidates: Candidates) -> FloatArray:
        """Natural-log scores (B, N) of each candidate after each hypothesis."""

    def advance(
        self, state: State, candidates: Candidates, parents: IntArray, chosen: IntArray
    ) -> State:
        """States of B' new hypotheses: parents (B',) index old ones, chosen (B',) candidates."""


@runtime_checkable
class NoteModel(SlotModel, Protocol):
    """A proposer that also tells the notes of a sonority apart."""

    def note_log_probs(self, state: State, candidates: Candidates) -> FloatArray:
        """Natural-log probability (B, N, V) of each note given those before it in the slot."""
