"""What is held against beginnings guides the search, and is given back in the end."""

from __future__ import annotations

import numpy as np
import pytest

from musegen.species.foresight import Foresight
from musegen.species.judge import LineJudge
from musegen.tasks.counterpoint import counterpoint


@pytest.mark.parametrize("species", [2, 5])
def test_a_complete_path_gains_nothing(species: int) -> None:
    """Asked along a path, the scores add up to nothing, though some on the way are not."""
    (made,) = counterpoint("D4 F4 E4 G4 F4 E4 D4", species=species)
    assert made.beam.terms[0]["models"] == pytest.approx(0.0)
    foresight, zero = Foresight(LineJudge(made.problem)), np.zeros(1, np.int64)
    state, said = foresight.start(), []
    for slot, candidate in enumerate(made.path):
        chosen = np.array([candidate])
        said.append(float(foresight.scores(slot, state, chosen)[0, 0]))
        state = foresight.advance(slot, state, zero, chosen)
    assert sum(said) == pytest.approx(0.0)
    assert species == 2 or min(said) < 0  # a florid line has no suspension at first
