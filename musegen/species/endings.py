"""Rules on whole pieces that say how a line begins and ends, asked of the few moments they look at.

They are the checker's own functions, run on excerpts; what they forbid there is left out of the
lattice, so that the search never walks toward a close that cannot be.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from musegen.search.lattice import BoolArray
from musegen.species.exercise import BAR_TICKS, METRE, Exercise
from theory_kb.check import piece_offences
from theory_kb.metre import beat_ticks
from theory_kb.moment import REST, Moments
from theory_kb.rules.piece import Piece

__all__ = ["Endings", "excerpt"]

FRAME = frozenset({"line-begin-end", "mel-approach-final"})
CADENCE = frozenset({"sp5-penultimate"})
FLORID = 5


def excerpt(exercise: Exercise, moments: Moments, bars: int) -> Piece:
    """Some moments as a piece of so many bars, with what is declared of them."""
    beat = beat_ticks(*METRE)
    return Piece(moments, None, exercise.names, beat, BAR_TICKS, exercise.context(bars))


@dataclass(frozen=True)
class Endings:
    """The hard rules of an exercise's style on beginnings and ends."""

    exercise: Exercise
    known: dict[tuple[frozenset[str], bytes], bool] = field(
        default_factory=dict, repr=False
    )  # of each excerpt

    def open_well(self, moments: Moments) -> BoolArray:
        """Which moments, where they open a line, may do so, (N,)."""
        opens = moments["opening"] == 1
        return np.array(
            [
                not opens[row] or self._is_clean(moments[[row]], FRAME)
                for row in range(len(moments))
            ],
            bool,
        )

    def close_well(self, before: Moments, now: Moments) -> BoolArray:
        """Which pairs of moments (K,) may close a piece."""
        both = np.stack([before, now], axis=1)
        both["opening"] = 0
        return np.array([self._is_clean(pair, FRAME) for pair in both], bool)

    def prepare_well(self, moments: Moments) -> BoolArray:
        """Which downbeats (N,) of the last bar but one some close may follow."""
        florid = [voice for voice in self.exercise.free if self.exercise.species[voice] == FLORID]
        rows = (moments[[row]] for row in range(len(moments)))
        return np.array([all(self._may_close(row, voice) for voice in florid) for row in rows])

    def _may_close(self, downbeat: Moments, voice: int) -> bool:
        """Whether a florid voice can go on from a downbeat to a close that no rule forbids."""
        exercise = self.exercise
        if downbeat["semitone"][0, voice] == REST:
            return True
        for pitch in exercise.choices(voice, exercise.bars - 2):
            for last in exercise.choices(voice, exercise.bars - 1):
                if abs(last.step - pitch.step) > 1:
                    continue
                three = np.repeat(downbeat, 3)
                three["attack"][1:, voice] = 1
                three["attack"][1, exercise.place] = 0
                three["step"][1:, voice] = pitch.step, last.step
                three["semitone"][1:, voice] = pitch.semitone, last.semitone
                three["step"][2, exercise.place] = exercise.cantus[-1].step
                three["semitone"][2, exercise.place] = exercise.cantus[-1].semitone
                three["onset"][1] += BAR_TICKS // 2
                three["onset"][2] += BAR_TICKS
                if self._is_clean(three, CADENCE):
                    return True
        return False

    def _is_clean(self, moments: Moments, rules: frozenset[str]) -> bool:
        """Whether none of some rules, in force as a hard one, is broken in an excerpt."""
        hard = {name for name in rules if self.exercise.style.severities[name] == "E"}
        key = (rules, moments.tobytes())
        if key not in self.known:
            piece = excerpt(self.exercise, moments, self.exercise.bars)
            context = replace(piece.context, given=())
            found = piece_offences(replace(piece, context=context), self.exercise.style, hard)
            self.known[key] = not any(True for _ in found)
        return self.known[key]
