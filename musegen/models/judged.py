"""What a judge says of a roll that a model wrote: models learn from it, and know no rules themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.models.rolls import Roll

__all__ = ["Judge", "Judgement", "Judging"]


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What is said of a roll."""

    findings: NDArray[np.int64]  # (T, 3) errors, warnings and remarks in each frame
    likeness: float  # to the training rolls, 0 to 1


Judge = Callable[[Roll], Judgement]
Judging = Callable[[Sequence[Roll]], Judge]  # a judge who knows the training rolls
