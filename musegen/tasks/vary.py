"""Alternatives to a piece or to some bars of it, ranked, each at a stated distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from musegen.errors import DeadEndError, InfeasibleError, OptionError
from musegen.models.protocol import SlotModel
from musegen.plan.window import voice_names
from musegen.score import Score
from musegen.tasks.infill import Passage, note_distance, passage, rewrite
from musegen.tasks.locks import Locks, parse_voices
from musegen.tasks.writing import TEMPERATURE, Draft, Options
from theory_kb.errors import MusegenError

__all__ = ["MOST_ALTERNATIVES", "Alternative", "vary"]

MOST_ALTERNATIVES = 50
DRAWS = 3  # for each alternative that is wanted
APART = 0.1  # share of the notes in which two alternatives differ at least, if enough do


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way to write a piece or a passage.

    Distances are shares of the notes in the window that differ in pitch, onset or length, 0 to 1.
    """

    draft: Draft
    distance: float  # to the piece as it is
    apart: float  # to the nearest of the alternatives ranked before it; 1 for the first

    @property
    def score(self) -> float:
        """What the search says it is worth: weighted log-scores less rule costs, in nats."""
        return self.draft.search.score


def vary(
    score: Score,
    options: Options,
    *,
    keep: Sequence[str] = (),
    bars: tuple[int, int] | None = None,
    locks: Locks | None = None,
    keep_harmony: bool = False,
    count: int = 3,
    models: Mapping[str, SlotModel] | None = None,
) -> tuple[Alternative, ...]:
    """Ranked alternatives, best first; each differs from the piece and from the others.

    Of a few draws for each alternative the best is taken first, then always the best of those that
    differ from all taken before in a tenth of the notes; where they run out, in one note.

    Args:
        score: of two to five voices, high to low.
        options: how; the draws take the seed and those after it, warm enough to differ.
        keep: voices that stay, named as for `infill`.
        bars: first and last; None: the whole piece.
        locks: notes that stay.
        keep_harmony: whether each chord stays what it is.
        count: of alternatives; fewer come where there are no more.
        models: proposers by name, if not those of the shipped weights.

    Raises:
        OptionError: a count out of range, a voice that does not exist, or none left to vary.
        ScoreError, UnknownNameError: as of `musegen.tasks.infill.infill`.
        InfeasibleError: there is no solution, or none but the piece itself.
    """
    if not 1 <= count <= MOST_ALTERNATIVES:
        raise OptionError("number of alternatives", count, f"from 1 to {MOST_ALTERNATIVES}")
    names = voice_names(score)
    kept = parse_voices(",".join(keep), names, option="--keep") if keep else ()
    voices = [name for voice, name in enumerate(names) if voice not in kept]
    if not voices:
        raise OptionError("--keep", ",".join(keep), f"fewer than all {len(names)} voices")
    here = passage(score, options, voices=voices, bars=bars, locks=locks)
    drafts = _drawn(here, options, count * DRAWS, keep_harmony=keep_harmony, models=models)
    return _ranked(here, drafts, count)


def _drawn(
    here: Passage,
    options: Options,
    draws: int,
    *,
    keep_harmony: bool,
    models: Mapping[str, SlotModel] | None,
) -> list[Draft]:
    """Different solutions, none of them the piece itself, the most valued first.

    Raises:
        InfeasibleError: there is none.
    """
    warm = max(options.temperature, TEMPERATURE)
    found: dict[object, Draft] = {}
    failed: MusegenError | None = None
    for number in range(draws):
        chosen = replace(options, seed=options.seed + number, temperature=warm)
        try:
            made = rewrite(here, chosen, keep_harmony=keep_harmony, models=models)
        except (InfeasibleError, DeadEndError) as error:
            failed = failed or error
            continue
        if note_distance(here.score, made.score, here.window):
            found.setdefault(tuple(part.notes for part in made.score.parts), made)
    if not found:
        raise failed or InfeasibleError(0, "the rules leave no other notes than those it has")
    return sorted(found.values(), key=lambda each: -each.search.score)


def _ranked(here: Passage, drafts: Sequence[Draft], count: int) -> tuple[Alternative, ...]:
    """The best, then always the best that is far enough from all before it."""
    left, taken = list(drafts), [drafts[0]]
    left.remove(drafts[0])
    while left and len(taken) < count:
        far = [each for each in left if _apart(here, each, taken) >= APART]
        taken.append((far or left)[0])
        left.remove(taken[-1])
    return tuple(
        Alternative(
            each,
            note_distance(here.score, each.score, here.window),
            _apart(here, each, taken[:place]),
        )
        for place, each in enumerate(taken)
    )


def _apart(here: Passage, draft: Draft, others: Sequence[Draft]) -> float:
    """Distance to the nearest of some others, 1 if there are none."""
    return min(
        (note_distance(draft.score, each.score, here.window) for each in others), default=1.0
    )
