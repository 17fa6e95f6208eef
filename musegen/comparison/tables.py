"""The figures of a comparison as tables: what models lose and what they cost."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from musegen.comparison.bootstrap import (
    LEAST_DIFFERENCE,
    Interval,
    paired_difference,
    ratio_interval,
)
from musegen.comparison.copying import near_copies
from musegen.comparison.measures import Measures
from musegen.comparison.predictions import Loss
from musegen.comparison.published import beside
from musegen.comparison.roll_set import RollSet
from musegen.comparison.run import Compared
from musegen.comparison.tunes import new_tunes, shared_notes
from musegen.models.rolls import CONVENTIONS, Roll

__all__ = [
    "Cell",
    "Table",
    "as_csv",
    "as_record",
    "calibration_table",
    "cost_table",
    "difference_table",
    "likelihood_table",
    "loss_tables",
]

FloatArray = NDArray[np.float64]
Cell = str | int | float | Interval | None
STANDARD, TUNE = "standard", "tune"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of figures."""

    name: str  # of its file
    title: str
    notes: tuple[str, ...]  # what must be known to read it
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def as_csv(table: Table) -> str:
    """A table with each interval in three columns."""
    wide = {
        place
        for place in range(len(table.columns))
        if any(isinstance(row[place], Interval) for row in table.rows)
    }
    target = io.StringIO()
    out = csv.writer(target, lineterminator="\n")
    out.writerow(
        [
            part
            for place, name in enumerate(table.columns)
            for part in ([name, f"{name} low", f"{name} high"] if place in wide else [name])
        ]
    )
    for row in table.rows:
        out.writerow(
            [part for place, cell in enumerate(row) for part in _parts(cell, place in wide)]
        )
    return target.getvalue()


def _parts(cell: Cell, wide: bool) -> list[str | int | float]:
    if isinstance(cell, Interval):
        return [cell.value, cell.low, cell.high]
    plain = "" if cell is None else cell
    return [plain, "", ""] if wide else [plain]


def as_record(table: Table) -> dict[str, object]:
    """A table as JSON values; an interval is a list of value, low and high."""
    rows = [
        [[cell.value, cell.low, cell.high] if isinstance(cell, Interval) else cell for cell in row]
        for row in table.rows
    ]
    return {"title": table.title, "notes": table.notes, "columns": table.columns, "rows": rows}


# --- likelihoods ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Judged:
    """A model on the test split of a data set, its seeds together."""

    model: str
    measures: tuple[Measures, ...]  # one a seed
    rolls: tuple[Roll, ...]

    @property
    def nats(self) -> FloatArray:
        """Nats of each test piece, the mean of the seeds, (P,)."""
        of = [[-sum(logs) for logs in each.test] for each in self.measures]
        found: FloatArray = np.array(of).mean(axis=0)
        return found

    @property
    def frames(self) -> FloatArray:
        """Frames of each test piece, (P,)."""
        return np.array([len(roll.frames) for roll in self.rolls], np.float64)

    def figure(self, kept: Sequence[bool] | None = None) -> Interval | None:
        """Nats a frame, convention A, of the pieces that are kept; None if there are none."""
        chosen = np.ones(len(self.rolls), np.bool_) if kept is None else np.array(kept)
        if not chosen.any():
            return None
        return ratio_interval(self.nats[chosen], self.frames[chosen], np.random.default_rng(0))

    def mean(self, split: str, convention: str = "A") -> float:
        """Nats a frame of a split, the mean of the seeds."""
        return float(np.mean([_nats(each, split, convention) for each in self.measures]))

    @property
    def spread(self) -> float | None:
        """Standard deviation over seeds of the test figure; None of one seed."""
        if len(self.measures) < 2:
            return None
        return float(np.std([_nats(each, "test") for each in self.measures], ddof=1))


def _nats(of: Measures, split: str, convention: str = "A") -> float:
    logs = [np.array(each) for each in (of.test if split == "test" else of.valid)]
    return CONVENTIONS[convention](logs)


def _judged(compared: Compared, data: RollSet) -> Iterator[_Judged]:
    found = compared.of(data)
    for model in compared.asked.models:
        of = tuple(each for each in found if each.model == model)
        if of:
            yield _Judged(model, of, data.splits["test"])


def _data(compared: Compared, main: RollSet, split: str) -> RollSet | None:
    """The same data in another split, if it was asked for."""
    for each in compared.asked.data:
        if each.name == main.name and each.split == split:
            return each
    return None


def likelihood_table(compared: Compared, data: RollSet) -> Table:
    """Nats a frame on the test split, without leaked pieces, by tune, and what is published."""
    train, test = data.splits["train"], data.splits["test"]
    copies = near_copies(test, (*train, *data.splits["valid"]))
    fresh = new_tunes(train, test)
    by_tune = _data(compared, data, TUNE) if data.split == STANDARD else None
    others = {} if by_tune is None else {each.model: each for each in _judged(compared, by_tune)}
    rows: list[tuple[Cell, ...]] = [
        (
            each.model,
            "exact" if each.measures[0].exact else "estimate",
            each.mean("valid"),
            each.figure(),
            each.spread,
            each.figure([not copy for copy in copies]),
            each.figure(fresh),
            others[each.model].figure() if each.model in others else None,
            each.mean("test", "B"),
            each.mean("test", "C"),
            _published(data.name, each.model),
        )
        for each in _judged(compared, data)
    ]
    columns = (
        "model",
        "likelihood",
        "validation",
        "test",
        "spread of seeds",
        f"test without {sum(copies)} near copies",
        f"test, {sum(fresh)} of {len(fresh)} pieces with new tunes",
        "test, split by tune",
        "test, convention B",
        "test, convention C",
        "best published of its kind",
    )
    return Table(
        f"likelihood-{data.name}",
        f"Negative log-likelihood, nats a frame: {data.title}",
        (*_LIKELIHOOD_NOTES, *_leaks(data, by_tune)),
        columns,
        tuple(sorted(rows, key=_by_test)),
    )


_LIKELIHOOD_NOTES = (
    (
        "Convention A (all frames over the number of frames, the first frame scored) unless a column "
        "says otherwise; B leaves the first frame of each piece out, C is the mean of the pieces' means."
    ),
    (
        "Every choice is made on the validation split. In brackets 95 % by bootstrap over pieces. "
        f"A difference under {LEAST_DIFFERENCE} nats is no difference."
    ),
    (
        "Only figures of the same convention can be compared. An estimate is by annealed importance "
        "sampling, which flatters on average; no bound stands in this table."
    ),
)


def _leaks(data: RollSet, by_tune: RollSet | None) -> tuple[str, ...]:
    """How far the splits share their tunes."""
    found = [(data, "the standard split")]
    if by_tune is not None:
        found.append((by_tune, "the split by tune"))
    return tuple(
        f"Of the steps of test sopranos in {name}, {shared_notes(each.splits['train'], each.splits['test']):.0%} "
        "stand in runs of 8 or more intervals that also stand in a training soprano."
        for each, name in found
    )


def _by_test(row: Sequence[Cell]) -> float:
    figure = row[3]
    assert isinstance(figure, Interval)
    return figure.value


def _published(data: str, model: str) -> str:
    """The best figure in convention A, and the best in others with a warning."""
    found = beside(data, model)
    same = [each for each in found if each.convention == "A"][:1]
    other = [each for each in found if each.convention != "A"][:1]
    texts = [f"{each.nats:g} {each.model} ({each.kind}; {each.source})" for each in same]
    texts += [
        f"not comparable, convention {'not stated' if each.convention == '?' else each.convention}: "
        f"{each.nats:g} {each.model} ({each.kind}; {each.source})"
        for each in other
    ]
    return "; ".join(texts)


def difference_table(compared: Compared, data: RollSet) -> Table:
    """Each pair of models on the same test pieces."""
    judged = list(_judged(compared, data))
    rng = np.random.default_rng(0)
    rows = []
    for one, other in combinations(sorted(judged, key=lambda each: each.mean("test")), 2):
        found = paired_difference(other.nats, one.nats, one.frames, rng)
        interval = Interval(found.value, found.low, found.high)
        rows.append((one.model, other.model, interval, found.verdict))
    return Table(
        f"differences-{data.name}-{data.split}",
        f"Pairs of models, nats a frame: {data.title}, {data.split} split",
        (
            (
                "How much worse the second model is on the same pieces, 95 % by paired bootstrap over "
                f"pieces; under {LEAST_DIFFERENCE} nats it is no difference."
            ),
        ),
        ("first", "second", "second less first", "the second is"),
        tuple(rows),
    )


# --- where it is lost, and what it costs ----------------------------------------------------


def loss_tables(compared: Compared, data: RollSet) -> tuple[Table, ...]:
    """Loss by rank in the chord, by beat and by time; those that the models and the data allow."""
    kinds: Mapping[str, tuple[str, str, Callable[[Measures], tuple[Loss, ...]]]] = {
        "ranks": (
            "Loss by voice, nats a note",
            "Voices are ranks from the top; models that do not tell note by note are left out.",
            lambda each: each.ranks,
        ),
        "beats": ("Loss by beat, nats a frame", "Beats of the bar.", lambda each: each.beats),
        "times": (
            "Loss by place in the piece, nats a frame",
            "What falls from left to right is learnt from the piece itself.",
            lambda each: each.times,
        ),
    }
    tables = []
    for name, (title, note, pick) in kinds.items():
        found = {each.model: pick(each.measures[0]) for each in _judged(compared, data)}
        columns = list(dict.fromkeys(loss.name for losses in found.values() for loss in losses))
        rows = tuple(
            (model, *(_nats_of(losses, column) for column in columns))
            for model, losses in found.items()
            if losses
        )
        if rows:
            tables.append(Table(name, title, (note,), ("model", *columns), rows))
    return tuple(tables)


def _nats_of(losses: Sequence[Loss], name: str) -> float | None:
    return next((each.nats for each in losses if each.name == name), None)


def calibration_table(compared: Compared, data: RollSet) -> Table:
    """Promised and kept probabilities of each model that tells symbols."""
    rows = tuple(
        (each.model, found.error, promised, kept, count)
        for each in _judged(compared, data)
        if (found := each.measures[0].calibration) is not None
        for promised, kept, count in zip(found.promised, found.kept, found.counts, strict=True)
    )
    note = "All predictions of 0.001 and more on the test split, in 15 classes of probability."
    return Table(
        "calibration",
        "Calibration",
        (note, "The error is the mean distance between promised and kept (Naeini et al. 2015)."),
        ("model", "calibration error", "promised", "kept", "predictions"),
        rows,
    )


def cost_table(compared: Compared) -> Table:
    """Seconds, numbers, memory, speed."""
    rows = tuple(
        (
            each.model,
            each.data,
            each.split,
            each.seed,
            each.seconds,
            each.parameters,
            each.memory,
            each.speed,
            each.machine,
        )
        for each in compared.measures
    )
    return Table(
        "cost",
        "What it costs",
        (
            (
                "Stored numbers: weights, or the counted pieces of an n-gram. Memory is the most that the "
                "model's process held, with all libraries. Symbols (notes and ends of frames) a second: "
                "judging all that is judged. Times are of one run on this machine."
            ),
        ),
        (
            "model",
            "data",
            "split",
            "seed",
            "seconds to train",
            "stored numbers",
            "memory, MiB",
            "symbols a second",
            "machine",
        ),
        rows,
    )
