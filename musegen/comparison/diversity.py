"""How varied a set of pieces is: how many of its passages are distinct, and how many pieces share.

Passages are successive frames, relative to their lowest pitch, so that a transposed passage is the same.

Sources: Li et al., A diversity-promoting objective function for neural conversation models (2016), distinct
n-grams; Zhu et al., Texygen (2018), self-BLEU, here its precision with all other pieces as references.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from musegen.comparison.copying import windows
from musegen.models.rolls import Roll

__all__ = ["distinct_share", "shared_share"]


def distinct_share(rolls: Sequence[Roll], length: int) -> float | None:
    """Different passages of so many frames over all of them, 0 to 1; None if there are none."""
    found = [passage for roll in rolls for passage in windows(roll, length)]
    return len(set(found)) / len(found) if found else None


def shared_share(rolls: Sequence[Roll], length: int) -> float | None:
    """Share of a piece's passages that another piece has as well, the mean of the pieces.

    Returns:
        0 to 1; None if there are fewer than two pieces that are as long.
    """
    own = [passages for roll in rolls if (passages := windows(roll, length))]
    if len(own) < 2:
        return None
    pieces = Counter(passage for passages in own for passage in set(passages))
    return float(np.mean([np.mean([pieces[each] > 1 for each in passages]) for passages in own]))
