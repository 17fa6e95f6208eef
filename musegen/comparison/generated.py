"""What models write, held against held-out music of the corpus: tables of sets of pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from musegen.comparison.bootstrap import Interval, ratio_interval
from musegen.comparison.copying import Training, copied_share, longest_overlap
from musegen.comparison.diversity import distinct_share, shared_share
from musegen.comparison.judging import RANGE_RULES
from musegen.comparison.legal import chosen
from musegen.comparison.roll_set import RollSet
from musegen.comparison.run import Compared
from musegen.comparison.scores import Findings, findings, score_of
from musegen.comparison.statistics import FEATURES, Reference, likeness, passages, vectors
from musegen.comparison.tables import Cell, Table
from musegen.comparison.two_sample import FOLDS, Examples, two_sample_area
from musegen.errors import ScoreError
from musegen.models.rolls import Roll

__all__ = [
    "HELD_OUT",
    "RULES",
    "PieceSet",
    "generated_tables",
    "of_the_legal",
    "piece_sets",
    "under_rules",
]

HELD_OUT = "corpus, held out"
RULES = "rules alone"
UNDER = "under the rules"
PREFERRED = "of the rules' pieces"
VARIED = (1, 2, 4)  # frames of passages that are distinct or shared
GRAMS = (1, 2, 4, 8)  # frames of the windows that are looked for
SEVERITIES = ("E", "W", "I")
WORST = 8  # rules that are named

Told = Callable[[int, int], None]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PieceSet:
    """Pieces of one origin."""

    name: str
    rolls: tuple[Roll, ...]


def under_rules(model: str) -> str:
    """Name of the set of pieces that a model draws under the rules."""
    return f"{model}, {UNDER}"


def of_the_legal(model: str) -> str:
    """Name of the set of legal pieces that a model prefers."""
    return f"{model}, {PREFERRED}"


def piece_sets(compared: Compared) -> tuple[PieceSet, ...]:
    """Held-out music, legal pieces, and of each model its samples, without rules and under them.

    Of the latter those that it draws, if it can, and the legal ones that it prefers.
    """
    data = compared.asked.data[0]
    found = [PieceSet(HELD_OUT, data.splits["test"])]
    if compared.legal:
        found.append(PieceSet(RULES, compared.legal))
    for each in compared.of(data):
        if each.samples:
            found.append(PieceSet(each.model, each.samples))
        if each.ruled:
            found.append(PieceSet(under_rules(each.model), each.ruled))
        if each.legal:
            preferred = chosen(compared.legal, np.array(each.legal))
            found.append(PieceSet(of_the_legal(each.model), tuple(preferred)))
    return tuple(found)


def generated_tables(
    sets: Sequence[PieceSet], data: RollSet, *, progress: Told | None = None
) -> tuple[Table, ...]:
    """Findings, statistics, diversity, copying and the two-sample test of all sets.

    Args:
        sets: of pieces, see `piece_sets`.
        data: whose training split they are held against.
        progress: told of tables done and of all.
    """
    makers = (
        _findings_table,
        _statistics_table,
        _diversity_table,
        _copying_table,
        _two_sample_table,
    )
    tables = []
    for done, make in enumerate(makers):
        tables.append(make(sets, data))
        if progress is not None:
            progress(done + 1, len(makers))
    return tuple(tables)


# --- findings -------------------------------------------------------------------------------


def _findings_table(sets: Sequence[PieceSet], _data: RollSet) -> Table:
    rows = tuple(_findings_row(each) for each in sets)
    return Table(
        "findings",
        "What the rules say, findings per 1000 moves of two voices",
        (
            (
                "Style bach, without rules on harmony, metre and singers' ranges, which rolls do not "
                "have. All pieces are read alike: chords in quarter notes, four voices that move least. "
                "So the corpus's own row is the band to be in, not zero: passing notes are cut away and "
                "with them what excuses a parallel, and where phrases end is not known."
            ),
            "In brackets 95 % by bootstrap over pieces.",
        ),
        ("pieces", "read", "moves", *(f"severity {each}" for each in SEVERITIES), "most often"),
        rows,
    )


def _findings_row(of: PieceSet) -> tuple[Cell, ...]:
    found = [each for roll in of.rolls if (each := _judged(roll)) is not None]
    moves = np.array([each.moves for each in found], np.float64)
    head: tuple[Cell, ...] = (of.name, f"{len(found)} of {len(of.rolls)}", int(moves.sum()))
    if not moves.sum():
        return (*head, None, None, None, "no two voices ever move together")
    rates = (_rate([each.count(level) for each in found], moves) for level in SEVERITIES)
    return (*head, *rates, _most_often(found))


def _judged(roll: Roll) -> Findings | None:
    """What the rules say of a roll; None of silence, and of more notes at once than parts can be."""
    try:
        score = score_of(roll, roll.name)
    except ScoreError:
        return None
    return findings(score, without=RANGE_RULES)


def _rate(counts: Sequence[int], moves: FloatArray) -> Interval:
    return ratio_interval(1000 * np.array(counts, np.float64), moves, np.random.default_rng(0))


def _most_often(found: Sequence[Findings]) -> str:
    totals: dict[str, int] = {}
    for each in found:
        for rule, severity, count in each.by_rule:
            if severity != "I":
                totals[rule] = totals.get(rule, 0) + count
    worst = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:WORST]
    return ", ".join(f"{rule} {count}" for rule, count in worst)


# --- statistics -----------------------------------------------------------------------------


def _statistics_table(sets: Sequence[PieceSet], data: RollSet) -> Table:
    rng = np.random.default_rng(0)
    rows = []
    for feature in FEATURES:
        reference = Reference.of(vectors(data.splits["train"], feature))
        for each in sets:
            found = likeness(vectors(each.rolls, feature), reference, rng)
            rows.append((feature, each.name, found.area, found.divergence, found.overlap))
    return Table(
        "statistics",
        "How like the training corpus",
        (
            (
                "Area and divergence: of the densities of distances within the corpus and from the "
                "pieces to it (Yang and Lerch 2020); 1 and 0 are best. Overlap: common area of the mean "
                "histograms. In brackets 95 % by bootstrap over pieces."
            ),
            (
                "Shorter pieces are farther from the corpus by chance: the corpus's own held-out row is "
                "of whole chorales, those of models and rules are of pieces of their own length."
            ),
        ),
        ("feature", "pieces", "overlapping area", "divergence, nats", "overlap of histograms"),
        tuple(rows),
    )


# --- diversity ------------------------------------------------------------------------------


def _diversity_table(sets: Sequence[PieceSet], _data: RollSet) -> Table:
    return Table(
        "diversity",
        "How varied the pieces are",
        (
            (
                "Passages of so many frames, in whatever key. Distinct: different ones over all "
                "(Li et al. 2016). Shared: how many of a piece stand in another one of the same row too, the "
                "mean of the pieces (after Zhu et al. 2018, self-BLEU)."
            ),
            "Of more and longer pieces more is shared: only rows of as many frames can be compared.",
        ),
        (
            "pieces",
            "frames",
            *(f"{length} frames, distinct" for length in VARIED),
            *(f"{length} frames, shared" for length in VARIED),
        ),
        tuple(
            (
                each.name,
                sum(len(roll.frames) for roll in each.rolls),
                *(distinct_share(each.rolls, length) for length in VARIED),
                *(shared_share(each.rolls, length) for length in VARIED),
            )
            for each in sets
        ),
    )


# --- copying --------------------------------------------------------------------------------


def _copying_table(sets: Sequence[PieceSet], data: RollSet) -> Table:
    training = Training(data.splits["train"])
    rows = tuple(_copying_row(each, training) for each in sets)
    return Table(
        "copying",
        "What is copied from the training pieces",
        (
            (
                "A passage is found if some training piece has the same notes, frame for frame, in "
                "whatever key. Longest: frames of the longest passage of a piece that is found."
            ),
        ),
        (
            "pieces",
            "longest, median",
            "longest of all",
            *(f"{grams} frames, found" for grams in GRAMS),
        ),
        rows,
    )


def _copying_row(of: PieceSet, training: Training) -> tuple[Cell, ...]:
    longest = [longest_overlap(roll, training) for roll in of.rolls]
    counts = np.ones(len(of.rolls))
    shares = (
        ratio_interval(
            np.array([copied_share(roll, training, grams) for roll in of.rolls]),
            counts,
            np.random.default_rng(0),
        )
        for grams in GRAMS
    )
    return (of.name, float(median(longest)), max(longest), *shares)


# --- two samples ----------------------------------------------------------------------------


def _two_sample_table(sets: Sequence[PieceSet], data: RollSet) -> Table:
    real = _examples(data.splits["test"])
    rows: list[tuple[Cell, ...]] = []
    control = PieceSet("corpus, training pieces", data.splits["train"])
    for each in (control, *sets):
        if each.name != HELD_OUT and len(each.rolls) >= FOLDS:
            found = two_sample_area(real, _examples(each.rolls), np.random.default_rng(0))
            rows.append((each.name, len(each.rolls), found))
    return Table(
        "two-sample",
        "Can a classifier tell it from held-out music?",
        (
            (
                "Area under the ROC curve of a logistic regression on figures of passages of 16 frames, "
                "cross-validated by piece (Lopez-Paz and Oquab 2017): 0.5 it cannot, 1 it always can; "
                "a little under 0.5 is chance too. In brackets 95 % by bootstrap over pieces."
            ),
        ),
        ("pieces", "how many", "area under the curve"),
        tuple(rows),
    )


def _examples(rolls: Sequence[Roll]) -> Examples:
    return Examples.of([passages(roll) for roll in rolls])
