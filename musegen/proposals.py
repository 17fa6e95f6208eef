"""What models see of a slot: its candidates as tokens, and a row of features."""

from __future__ import annotations

import numpy as np

from musegen.constraints import Problem
from musegen.encoding import tonic_reference
from musegen.models.protocol import (
    FEATURE_SIZES,
    LOWEST,
    REST_TOKEN,
    VOICES,
    Candidates,
    IntArray,
)
from musegen.plan.plan import Plan, Slot
from theory_kb.chords import vocabulary
from theory_kb.moment import REST, UNKNOWN, Moments
from theory_kb.pitch import MODES, Key

__all__ = ["as_candidates", "candidates_for_models", "features"]


def features(slot: Slot, home: Key) -> IntArray:
    """A slot's row of features for the models."""
    mode = list(MODES).index(home.mode)
    row = (mode, slot.strength, slot.to_end, slot.from_start)
    return np.array([min(value, size - 1) for value, size in zip(row, FEATURE_SIZES, strict=True)])


def candidates_for_models(problem: Problem, slot: int) -> Candidates:
    """All candidates of a slot as tokens."""
    return as_candidates(problem.slots[slot].moments, problem.plan.slots[slot], problem.plan)


def as_candidates(moments: Moments, slot: Slot, plan: Plan) -> Candidates:
    """Moments of a slot as models know them: four voices, the pitches they reach, their chords.

    Of fewer voices the bass is the lowest one still; of more, those in the middle are not shown; a
    pitch out of reach counts as the farthest.
    """
    size = plan.ensemble.size
    reference = tonic_reference(plan.home)
    semitones = moments["semitone"][:, :size].astype(np.int64)
    notes = np.clip(semitones - reference - LOWEST, 0, REST_TOKEN - 1)
    notes[semitones == REST] = REST_TOKEN
    if size > VOICES:
        notes = np.concatenate([notes[:, : VOICES // 2], notes[:, -(VOICES // 2) :]], axis=1)
    if size < VOICES:
        silent = np.full((len(notes), VOICES - size), REST_TOKEN)
        notes = np.concatenate([notes[:, :-1], silent, notes[:, -1:]], axis=1)
    chords = moments["chord"].astype(np.int64)
    chords[chords >= len(vocabulary())] = UNKNOWN
    return Candidates(notes, chords, features(slot, plan.home))
