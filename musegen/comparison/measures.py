"""What is measured of one model on one data set: trained or loaded, then judged, in one process.

The weights go to files of `musegen.models.roll_models`, the figures to a JSON file beside them, which
carries a mark of all that they depend on: what is finished is not done again, and nothing else is
taken for it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musegen.comparison.judging import rule_judge
from musegen.comparison.legal import drawn_under_rules
from musegen.comparison.predictions import (
    Calibration,
    Loss,
    SymbolModel,
    calibration,
    loss_by_beat,
    loss_by_rank,
    loss_by_time,
)
from musegen.comparison.roll_set import RollSet
from musegen.errors import StoredFileError
from musegen.io.files import write_file
from musegen.models.cards import WeightsError, card_path
from musegen.models.roll_models import (
    StoredRolls,
    load_frame_model,
    roll_entry_of,
    save_frame_model,
    train_frame_model,
)
from musegen.models.roll_proposals import proposes
from musegen.models.rolls import (
    FrameSampler,
    Roll,
    negative_log_likelihood,
)
from musegen.models.training import Progress

__all__ = ["Asked", "Measures", "job_name", "measured", "read_measures"]

FORMAT = 2  # raise it when figures are measured otherwise
DIGITS = 6  # of a frame's nats that are kept

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """One model on one data set."""

    model: str  # name of its row
    data: RollSet
    settings: Any  # frozen, of the model's settings class
    seed: int
    samples: int  # rolls that are drawn
    length: int  # frames of each
    legal: tuple[Roll, ...]  # pieces under the rules that the model weighs
    folder: Path  # of its files
    ruled: int = 0  # pieces that it draws under the rules, if it proposes


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of one model on one data set."""

    model: str
    data: str
    split: str
    seed: int
    exact: bool  # else likelihoods are estimates
    parameters: int  # numbers that are stored
    seconds: float  # of training
    machine: str  # kind of machine that trained it
    memory: float | None  # MiB, most that its process held, libraries included; None on Windows
    speed: float  # symbols a second, judging both splits and the legal pieces
    history: tuple[dict[str, Any], ...]  # of training
    valid: tuple[tuple[float, ...], ...]  # log-probability of each frame, by roll
    test: tuple[tuple[float, ...], ...]
    legal: tuple[float, ...]  # nats a frame of the pieces under the rules
    ranks: tuple[Loss, ...]  # empty if the model tells no symbols
    beats: tuple[Loss, ...]  # empty if the data has no bar lines
    times: tuple[Loss, ...]
    calibration: Calibration | None  # None if the model tells no symbols
    samples: tuple[Roll, ...]
    ruled: tuple[Roll, ...]  # drawn under the rules; empty if the model does not propose


def job_name(asked: Asked) -> str:
    """Name of the files of a model on a data set."""
    return f"{asked.model}-{asked.data.split}-{asked.seed}"


def measured(asked: Asked, progress: Progress | None = None) -> Measures:
    """Train or load a model, and judge it, unless that is done already.

    Raises:
        TrainingError: it cannot be trained.
        WeightsError: stored weights are damaged, or of other data, settings or seed.
        StoredFileError: stored figures are damaged.
        OutputError: the folder cannot be written to.
    """
    path = asked.folder / f"{job_name(asked)}.safetensors"
    target = path.with_suffix(".measures.json")
    known = read_measures(target, _mark(asked, path)) if path.exists() else None
    if known is not None:
        return known
    found = _judged(asked, _trained(asked, path, progress))
    record = {"mark": _mark(asked, path), "measures": asdict(found)}
    write_file(target, (json.dumps(record) + "\n").encode())
    return found


# --- weights --------------------------------------------------------------------------------


def _trained(asked: Asked, path: Path, progress: Progress | None) -> StoredRolls:
    if not path.exists():
        checkpoint = path.with_suffix(".checkpoint")
        data = asked.data
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        trained = train_frame_model(
            asked.model,
            data.splits["train"],
            data.splits["valid"],
            asked.settings,
            seed=asked.seed,
            judging=rule_judge,
            progress=progress,
            checkpoint=checkpoint,
        )
        save_frame_model(path, asked.model, trained, data.card)
        checkpoint.unlink(missing_ok=True)
    stored = load_frame_model(path, asked.model)
    _see_same(asked, stored, path)
    return stored


def _see_same(asked: Asked, stored: StoredRolls, path: Path) -> None:
    """Refuse weights that were trained on something else."""
    card = stored.card
    for what, found, wanted in (
        ("data of checksum", card.data.checksum[:12], asked.data.checksum[:12]),
        ("seed", card.seed, asked.seed),
        ("settings", _plain(card.settings), _plain(asdict(asked.settings))),
    ):
        if found != wanted:
            problem = f"was trained with {what} {found}, asked for is {wanted}; give another --out"
            raise WeightsError(path, problem)


def _plain(settings: object) -> object:
    """Settings as JSON gives them back; what the machine decided is left out."""
    record = json.loads(json.dumps(settings))
    return {name: value for name, value in record.items() if name not in ("device", "precision")}


# --- figures --------------------------------------------------------------------------------


def _mark(asked: Asked, path: Path) -> str:
    """A digest of all that figures depend on; equal ones need no model to be loaded."""
    card = card_path(path)
    digest = hashlib.sha256(path.read_bytes() + (card.read_bytes() if card.exists() else b""))
    legal = [roll.frames for roll in asked.legal]
    wanted = [asked.data.checksum, asked.seed, _plain(asdict(asked.settings))]
    record = [FORMAT, wanted, asked.samples, asked.length, legal, asked.ruled]
    digest.update(json.dumps(record).encode())
    return digest.hexdigest()


def read_measures(path: Path, mark: str) -> Measures | None:
    """Figures that were measured before; None if there are none, or of something else.

    Raises:
        StoredFileError: the file is damaged.
    """
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_bytes())
        return _from_record(record["measures"]) if record["mark"] == mark else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"is damaged ({type(error).__name__}); remove it to measure again"
        raise StoredFileError(path, problem) from error


def _from_record(record: dict[str, Any]) -> Measures:
    """Lists of JSON as the tuples that they were."""
    shape = record["calibration"]
    made: dict[str, Any] = {
        **record,
        "history": tuple(record["history"]),
        "legal": tuple(record["legal"]),
        "calibration": None if shape is None else Calibration(**_tuples(shape)),
    }
    made |= {
        name: tuple(Roll(each["name"], tuple(map(tuple, each["frames"]))) for each in record[name])
        for name in ("samples", "ruled")
    }
    made |= {name: tuple(map(tuple, record[name])) for name in ("valid", "test")}
    made |= {
        name: tuple(Loss(**each) for each in record[name]) for name in ("ranks", "beats", "times")
    }
    return Measures(**made)


def _tuples(record: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in record.items()
    }


def _judged(asked: Asked, stored: StoredRolls) -> Measures:
    model, data = stored.model, asked.data
    valid, test = data.splits["valid"], data.splits["test"]
    begin = time.perf_counter()
    logs = model.frame_log_probs([*valid, *test, *asked.legal])
    seconds = time.perf_counter() - begin
    parts = _split(logs, (len(valid), len(test), len(asked.legal)))
    tables = model.symbol_log_probs(test) if isinstance(model, SymbolModel) else None
    tensors = roll_entry_of(asked.model).tensors(model)
    samples = _drawn(model, asked)
    return Measures(
        model=asked.model,
        data=data.name,
        split=data.split,
        seed=asked.seed,
        exact=model.exact,
        parameters=sum(array.size for array in tensors.values()),
        seconds=stored.seconds,
        machine=stored.machine,
        memory=_peak_memory(),
        speed=_symbols([*valid, *test, *asked.legal]) / seconds,
        history=stored.history,
        valid=_rounded(parts[0]),
        test=_rounded(parts[1]),
        legal=tuple(negative_log_likelihood([each]) for each in parts[2]),
        ranks=() if tables is None else loss_by_rank(test, tables),
        beats=loss_by_beat(test, parts[1], data.beats),
        times=loss_by_time(parts[1]),
        calibration=None if tables is None else calibration(test, tables),
        samples=samples,
        ruled=_ruled(model, asked),
    )


def _split(logs: Sequence[FloatArray], counts: Sequence[int]) -> list[Sequence[FloatArray]]:
    ends = np.cumsum([0, *counts]).tolist()
    return [logs[first:last] for first, last in itertools.pairwise(ends)]


def _rounded(logs: Sequence[FloatArray]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(np.round(each, DIGITS).tolist()) for each in logs)


def _symbols(rolls: Sequence[Roll]) -> int:
    """Notes and ends of frames."""
    return sum(len(frame) + 1 for roll in rolls for frame in roll.frames)


def _drawn(model: FrameSampler, asked: Asked) -> tuple[Roll, ...]:
    """Rolls of the model, each from a random stream of its own."""
    found = []
    for number in range(asked.samples):
        rng = np.random.default_rng([asked.seed, number])
        frames = model.sample(asked.length, rng).frames
        found.append(Roll(f"{asked.model} {number + 1}", frames))
    return tuple(found)


def _ruled(model: FrameSampler, asked: Asked) -> tuple[Roll, ...]:
    """Pieces that the model draws under the rules; none of one that does not propose."""
    if not asked.ruled or not proposes(model):
        return ()
    return tuple(drawn_under_rules(model, asked.ruled, seed=asked.seed))


def _peak_memory() -> float | None:
    """Most that this process has held, MiB, where the system tells."""
    if sys.platform == "win32":
        return None
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage tells on Linux begins with what the parent held
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        held = next(line for line in lines if line.startswith("VmHWM:"))
        return int(held.split()[1]) / (1 << 10)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
