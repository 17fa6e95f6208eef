"""The judge that tunes models: the checker's findings in each frame, and likeness to the training rolls.

Findings are those of the report (`musegen.comparison.scores.findings`): what lowers them here lowers them
there. Likeness is the mean over all features of the common area of a piece's histogram and the corpus's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from musegen.comparison.scores import placed_findings, score_of
from musegen.comparison.statistics import FEATURES, histogram_overlap, vectors
from musegen.errors import ScoreError
from musegen.models.judged import Judge, Judgement
from musegen.models.rolls import Roll
from musegen.report import SEVERITIES

__all__ = ["RANGE_RULES", "rule_judge"]

RANGE_RULES = ("range-core", "range-extended")  # of singers: rolls are moved to C
LEVELS = {severity: place for place, severity in enumerate(SEVERITIES)}


def rule_judge(train: Sequence[Roll]) -> Judge:
    """A judge of style bach who knows these training rolls."""
    corpus = {feature: vectors(train, feature) for feature in FEATURES}

    def judge(roll: Roll) -> Judgement:
        overlaps = [
            histogram_overlap(vectors([roll], feature), corpus[feature]) for feature in FEATURES
        ]
        return Judgement(_counts(roll), float(np.mean(overlaps)))

    return judge


def _counts(roll: Roll) -> NDArray[np.int64]:
    """Findings (T, 3) of each frame; what cannot be read as a score has an error in every one."""
    found = np.zeros((len(roll.frames), len(LEVELS)), np.int64)
    try:
        score = score_of(roll, roll.name)
    except ScoreError:
        found[:, 0] = 1
        return found
    for each in placed_findings(score, without=RANGE_RULES).findings:
        found[min(int(each.onset), len(found) - 1), LEVELS[each.severity]] += 1
    return found
