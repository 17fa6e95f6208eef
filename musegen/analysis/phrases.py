"""Where phrases end: at marks and fermatas, and where all parts rest."""

from __future__ import annotations

from fractions import Fraction

from musegen.analysis.label import phrase_ends
from musegen.analysis.result import Phrase
from musegen.analysis.surface import rests
from musegen.score import Score

__all__ = ["phrases_of"]


def phrases_of(score: Score) -> tuple[Phrase, ...]:
    """The phrases of a score with at least one note, in order."""
    ends = dict.fromkeys(score.phrase_ends, "the score marks it")
    if any(note.fermata for part in score.parts for note in part.notes):
        ends |= dict.fromkeys(phrase_ends(score), "a fermata")
    ends |= dict.fromkeys(rests(score), "all parts rest")
    ends = {end: why for end, why in ends.items() if 0 < end < score.duration}
    ends[score.duration] = "the piece ends"
    starts = [Fraction(0), *sorted(ends)]
    return tuple(
        Phrase(start, end, ends[end]) for start, end in zip(starts, sorted(ends), strict=False)
    )
