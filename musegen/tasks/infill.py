"""Write some voices of some bars of a piece anew; every other note stays.

The window alone is searched, with a few beats around it that stand. Faults that lie among the notes
that stay are not ours to mend and refuse nothing; every fault in which a new note takes part counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from musegen.errors import DeadEndError, InfeasibleError, OptionError, ScoreError
from musegen.models.protocol import SlotModel
from musegen.plan.plan import ANY, COMMON, CONDITIONAL, Plan
from musegen.plan.window import Window, open_window, plan_window, voice_names
from musegen.score import Note, Score
from musegen.slices import piece
from musegen.tasks.excerpt import excerpt, labelled, spliced
from musegen.tasks.locks import Locks, bar_span, parse_voices
from musegen.tasks.writing import MOST_SOLUTIONS, Draft, Options, write
from theory_kb.check import Style, check, load_style
from theory_kb.errors import MusegenError
from theory_kb.metre import is_known, metre_names

__all__ = ["Passage", "infill", "note_distance", "passage"]

GRADES = (COMMON, CONDITIONAL, ANY)  # of progressions, tried in turn
FEWEST, MOST = 2, 5  # voices
COMPOUND = 3  # eighths of a beat that is not halved
DRAWS = 4  # of each plan, where rules that see the whole piece refuse what the search found
WARM = 1.0  # temperature that is added to all draws but the first


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece, the window that is open in it, and the errors it has there."""

    whole: Score
    window: Window  # of the piece, or of the bars around it if it is long
    known: frozenset[tuple[str, int, tuple[int, ...]]]  # rule, onset in ticks, voices

    @property
    def score(self) -> Score:
        """What is seen of the piece as it stands, its chords named."""
        return self.window.score


def infill(
    score: Score,
    options: Options,
    *,
    voices: Sequence[str],
    bars: tuple[int, int] | None = None,
    locks: Locks | None = None,
    keep_harmony: bool = False,
    count: int = 1,
    models: Mapping[str, SlotModel] | None = None,
) -> tuple[Draft, ...]:
    """Write some voices of some bars anew.

    Args:
        score: of two to five voices, high to low.
        options: how; solution number k is drawn with the seed plus k, and kept if it differs from
            those before it in `distance` notes, in one where none is said.
        voices: which: soprano, alto, tenor, bass; where there are not four, by the names of the
            parts (`musegen.plan.window.voice_names`).
        bars: first and last, an upbeat is bar 0; None: the whole piece.
        locks: notes of them that stay all the same.
        keep_harmony: whether each chord stays what it is.
        count: how many different solutions, best first.
        models: proposers by name, if not those of the shipped weights.

    Returns:
        Drafts whose score is the whole piece, and whose plan is the window.

    Raises:
        OptionError: bars or voices that the piece does not have, a count out of range.
        ScoreError: fewer voices than two or more than five, nothing left to rewrite, or notes that
            no chord holds.
        UnknownNameError: a style, model or metre that does not exist.
        InfeasibleError: the hard rules leave no solution; names the place and the rules.
    """
    here = passage(score, options, voices=voices, bars=bars, locks=locks)

    if not 1 <= count <= MOST_SOLUTIONS:
        raise OptionError("number of solutions", count, f"from 1 to {MOST_SOLUTIONS}")
    found: list[Draft] = []
    for number in range(count):
        warm = max(options.temperature, WARM) if number else options.temperature
        chosen = replace(options, seed=options.seed + number, temperature=warm)
        try:
            made = rewrite(here, chosen, keep_harmony=keep_harmony, models=models)
        except (InfeasibleError, DeadEndError):
            if not found:
                raise
            continue
        if all(_notes_apart(made, other) >= (options.distance or 1) for other in found):
            found.append(made)
    return tuple(sorted(found, key=lambda each: -each.search.score))


def _notes_apart(one: Draft, other: Draft) -> int:
    """How many notes of a solution another does not have."""
    pairs = zip(one.score.parts, other.score.parts, strict=True)
    return sum(len(set(mine.notes) - set(theirs.notes)) for mine, theirs in pairs)


def passage(
    score: Score,
    options: Options,
    *,
    voices: Sequence[str],
    bars: tuple[int, int] | None = None,
    locks: Locks | None = None,
) -> Passage:
    """What is open in a piece; arguments and refusals as of `infill`."""
    _check_piece(score)
    numbers = parse_voices(",".join(voices), voice_names(score))
    span = (Fraction(0), score.duration) if bars is None else bar_span(score, bars)
    kept = locks or Locks()
    kept.check(score)
    seen = labelled(excerpt(score, span))
    window = open_window(seen, span, numbers, lambda voice, note: kept.holds(score, voice, note))
    report = check(piece(seen), load_style(options.style))
    known = (finding.place for finding in report.findings if finding.severity == "E")
    return Passage(score, window, frozenset(known))


def _check_piece(score: Score) -> None:
    if not FEWEST <= len(score.parts) <= MOST:
        problem = f"has {len(score.parts)} voices; {FEWEST} to {MOST} can be rewritten"
        raise ScoreError(score.title, problem)
    for name, part in zip(voice_names(score), score.parts, strict=True):
        if not part.notes:
            raise ScoreError(score.title, f"the {name} has no note")
    for metre in score.metres:
        if not is_known(metre.beats, metre.unit):
            bar, _ = score.bar_and_beat(metre.onset)
            allowed = ", ".join(metre_names())
            raise ScoreError(score.title, f"bar {bar} is in {metre}; metres are {allowed}")


def rewrite(
    here: Passage,
    options: Options,
    *,
    keep_harmony: bool = False,
    models: Mapping[str, SlotModel] | None = None,
) -> Draft:
    """One solution: by common progressions if they carry what stands, else by rarer ones.

    What the search finds may still break a rule that sees the whole piece. Then the plans that have
    solutions at all are drawn from anew, a few times.
    """
    chosen = options if _halves(here.score) else replace(options, figures=False)
    warm = replace(chosen, temperature=WARM + chosen.temperature)
    plans = list(_plans(here, load_style(options.style), keep_harmony=keep_harmony))
    failed: MusegenError | None = None
    for draw in range(DRAWS):
        for plan in tuple(plans):
            rng = np.random.default_rng([options.seed, draw] if draw else options.seed)
            try:
                made = write(plan, warm if draw else chosen, rng=rng, models=models)
                return replace(made, score=spliced(here.whole, here.score, made.score))
            except (InfeasibleError, DeadEndError) as error:
                failed = failed or error
                if isinstance(error, InfeasibleError) and error.from_right is not None:
                    plans.remove(plan)  # no pair of chords joins there, whatever is drawn
    assert failed is not None, "a passage has at least one plan"
    raise failed


def _halves(score: Score) -> bool:
    """Whether all beats of a piece are halved into plain values: those of compound metres not."""
    return all(metre.unit < 8 or metre.beats % COMPOUND for metre in score.metres)


def _plans(here: Passage, style: Style, *, keep_harmony: bool) -> Iterator[Plan]:
    """Plans of a passage, from the strict to the loose; the chords as they are come last."""
    if not keep_harmony:
        for grade in GRADES:
            yield plan_window(
                here.window, here.known, name="Infill", style=style, least_grade=grade
            )
    yield plan_window(here.window, here.known, name="Infill", keep_harmony=True)


# --- how far a solution is ------------------------------------------------------------------


def note_distance(one: Score, other: Score, window: Window) -> float:
    """Share of the notes in a window that differ between two versions of a piece, 0 to 1.

    A note of one version differs if the other has none of that pitch, onset and length in that
    voice. Where both have as many notes it does not matter which is which; else the longer one
    counts.
    """
    differing = total = 0
    for voice in frozenset().union(*window.free):
        first, second = (_inside(score.parts[voice].notes, voice, window) for score in (one, other))
        total += max(len(first), len(second))
        differing += max(len(first - second), len(second - first))
    return differing / max(1, total)


def _inside(
    line: Sequence[Note], voice: int, window: Window
) -> frozenset[tuple[Fraction, Fraction, object]]:
    spans = [span for span, free in zip(window.spans, window.free, strict=True) if voice in free]
    return frozenset(
        (note.onset, note.duration, note.pitch)
        for note in line
        if any(start <= note.onset < end for start, end in spans)
    )
