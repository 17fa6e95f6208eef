"""The weaver: a beam over beats in which each hypothesis holds all lines so far.

A copy is tied to what its model did in the same hypothesis, however far back, so that a canon is
searched and not hoped for. Every moment that a beat adds is judged by the rules of the style, by the
kernels that judge a finished piece. Where the beam gets stuck it goes back, and widens until it is
past that place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.errors import InfeasibleError
from musegen.plan.plan import Harmony
from musegen.weaving.drafting import Drafter
from musegen.weaving.fabric import Fabric
from musegen.weaving.hypotheses import Beam, Chords, Shorts
from musegen.weaving.judging import Judge
from musegen.weaving.setting import Setting
from theory_kb.check import Style
from theory_kb.moment import blank_moments

__all__ = ["RETURNS", "Weave", "Woven", "weave"]

RETURNS = 6  # times that a search goes back, if nothing else is said
LABOUR = 2  # beats that it tries, by those of the piece
BACK = 3  # beats by which it goes back at first


@dataclass(frozen=True, slots=True)
class Weave:
    """How the search is done."""

    width: int = 24  # hypotheses that are kept
    each: int = 70  # continuations that are judged of each hypothesis
    returns: int = RETURNS  # times that it goes back
    flow: float = 1.0  # how much it is wanted that some voice moves between beats


@dataclass(frozen=True, slots=True, eq=False)
class Woven:
    """A piece as it was found."""

    steps: Shorts  # (voices, parts)
    semitones: Shorts  # (voices, parts), REST
    attacks: NDArray[np.int8]  # (voices, parts)
    harmonies: tuple[Harmony, ...]  # one a beat
    cost: float  # nats


def weave(
    fabric: Fabric, style: Style, *, rng: np.random.Generator, how: Weave | None = None
) -> Woven:
    """Find lines for a fabric.

    Args:
        fabric: what is asked for.
        style: whose hard rules no moment breaks, and whose soft ones cost.
        rng: draws what varies from seed to seed.
        how: the search is done; None: as for whole pieces.

    Raises:
        InfeasibleError: no hypothesis got past a beat; names the bar.
    """
    loom = _Loom(fabric, style, how or Weave(), rng)
    beam = loom.found()
    best = int(np.argmin(beam.costs))
    options = loom.setting.options
    return Woven(
        beam.steps[best],
        beam.semitones[best],
        beam.attacks[best],
        tuple(options[place].harmony for place in beam.options[best].tolist()),
        float(beam.costs[best]),
    )


class _Loom:
    """The search of one fabric."""

    def __init__(self, fabric: Fabric, style: Style, how: Weave, rng: np.random.Generator) -> None:
        self.how = how
        self.setting = Setting(fabric)
        self.drafter = Drafter(self.setting, rng)
        self.judge = Judge(self.setting, style, how.flow)

    def found(self) -> Beam:
        """The beam at the end.

        Raises:
            InfeasibleError: it was stuck too often; names the last place.
        """
        beats = self.setting.fabric.beats
        beams = [self._start()]
        stuck = again = furthest = tried = 0
        while len(beams) <= beats:
            beat = len(beams) - 1
            tried += 1
            wider = 1 + (beat <= furthest + BACK and stuck > 0)
            beam = self._grown(beams[-1], beat, wider)
            if beam is not None:
                beams.append(beam)
                continue
            stuck += 1
            if stuck > self.how.returns or tried > LABOUR * beats:
                raise self._stuck(beat)
            again = again + 1 if beat <= furthest + BACK else 1
            furthest = max(furthest, beat)
            del beams[max(1, len(beams) - BACK * again) :]
        return beams[-1]

    def _start(self) -> Beam:
        """Nothing yet."""
        voices = self.setting.voices
        none = np.zeros((1, voices, 0), np.int16)
        silence = blank_moments(1, voices)
        return Beam(
            none,
            none,
            none.astype(np.int8),
            np.zeros((1, 0), np.int32),
            np.zeros((1, voices), np.int8),
            silence,
            silence,
            Chords(silence, silence, silence),
            {},
            np.zeros(1),
        )

    def _grown(self, beam: Beam, beat: int, wider: int) -> Beam | None:
        """All hypotheses with another beat, the best of them; None if there are none."""
        most = self.how.each * wider
        found = self.drafter.drafted(beam, beat, most)
        if found is None:
            return None
        return self.judge.judged(beam, found, beat, self.how.width * wider)

    def _stuck(self, beat: int) -> InfeasibleError:
        bar, place = divmod(beat, self.setting.fabric.per_bar)
        why = "the rules leave no way on for lines that keep to what is imitated"
        return InfeasibleError(beat, f"bar {bar + 1}, beat {place + 1}: {why}")
