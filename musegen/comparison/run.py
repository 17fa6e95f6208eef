"""A comparison: which models on which data, done one after another or side by side.

Each model is trained and judged in a process of its own, so that its memory can be told and nothing
is lost with it but itself. What is finished lies in files; an interrupted comparison goes on from them, and
networks from their last epoch. A model that fails does not stop the others.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from musegen.comparison.legal import legal_rolls
from musegen.comparison.measures import Asked, Measures, job_name, measured
from musegen.comparison.roll_set import RollSet
from musegen.errors import MusegenError, OptionError, StoredFileError, TrainingError
from musegen.io.files import write_file
from musegen.models.roll_models import default_settings
from musegen.models.rolls import Roll

__all__ = ["Compared", "Comparison", "Failure", "check_models", "compare"]

FEWEST = 5  # samples that the two-sample test needs

Report = Callable[[str, Mapping[str, Any]], None]  # what is at work, and how far it is


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is to be compared."""

    models: tuple[str, ...]
    data: tuple[RollSet, ...]  # the first is the main one: samples are drawn of models of it
    settings: Mapping[str, Any] = field(default_factory=dict)  # by model, instead of the defaults
    seeds: tuple[int, ...] = (0,)
    samples: int = 20  # rolls drawn of each model
    length: int = 64  # frames of each
    legal: int = 32  # pieces under the rules that models weigh
    ruled: int = 0  # pieces that each model draws under the rules
    jobs: int = 1  # processes at work at a time


@dataclass(frozen=True, slots=True)
class Failure:
    """A model that could not be trained or judged."""

    model: str
    data: str
    split: str
    problem: str  # one line


@dataclass(frozen=True, slots=True)
class Compared:
    """All figures of a comparison."""

    asked: Comparison
    measures: tuple[Measures, ...]  # by data, model and seed, in the order asked for
    failures: tuple[Failure, ...]
    legal: tuple[Roll, ...]  # empty if the data is not in four voices

    def of(self, data: RollSet) -> tuple[Measures, ...]:
        """The figures on a data set."""
        key = (data.name, data.split)
        return tuple(each for each in self.measures if (each.data, each.split) == key)


def compare(asked: Comparison, folder: Path, *, report: Report | None = None) -> Compared:
    """Train what is not trained yet, and judge what is not judged yet.

    Args:
        asked: what is compared.
        folder: of models and figures.
        report: told of what is at work and how far it is.

    Raises:
        UnknownNameError: no such model.
        OptionError: too few samples, pieces or jobs, a seed below 0, or a name or seed twice.
        OutputError: the folder cannot be written to.
        StoredFileError: a file of the folder is damaged.
        TrainingError: no model could be compared.
    """
    check_models(asked.models, samples=asked.samples, jobs=asked.jobs)
    _check_numbers(asked)
    tell = report or _silent
    legal = _legal(asked, folder, tell)
    jobs = list(_jobs(asked, folder, legal))
    outcomes = _all_done(jobs, asked.jobs, tell)
    failures = tuple(each for each in outcomes if isinstance(each, Failure))
    found = tuple(each for each in outcomes if isinstance(each, Measures))
    if not found:
        raise TrainingError(f"no model could be compared; {failures[0].problem}")
    return Compared(asked, found, failures, legal)


def _silent(_name: str, _state: Mapping[str, Any]) -> None:
    """Nobody looks on."""


def check_models(models: Sequence[str], *, samples: int, jobs: int) -> None:
    """Refuse early what needs no data to be refused.

    Raises:
        UnknownNameError: no such model.
        OptionError: too few samples or jobs, or a model twice.
    """
    if not models or len(set(models)) < len(models):
        raise OptionError("--models", ",".join(models), "at least one, each named once")
    for option, value, least in (("--samples", samples, FEWEST), ("--jobs", jobs, 1)):
        if value < least:
            raise OptionError(option, value, f"at least {least}")
    for name in models:
        default_settings(name)  # refuses a name that is none


def _check_numbers(asked: Comparison) -> None:
    names = [f"{each.name}, {each.split} split" for each in asked.data]
    if not names or len(set(names)) < len(names):
        raise OptionError("--data", "; ".join(names), "at least one set of rolls, each once")
    if not asked.seeds or len(set(asked.seeds)) < len(asked.seeds) or min(asked.seeds) < 0:
        raise OptionError("--seed", asked.seeds, "at least one, each once and 0 or more")
    for option, value in (("--legal", asked.legal), ("--ruled", asked.ruled)):
        if value < 0:
            raise OptionError(option, value, "0 or more")


def _jobs(asked: Comparison, folder: Path, legal: tuple[Roll, ...]) -> Iterator[Asked]:
    for data in asked.data:
        main = data is asked.data[0]
        for model in asked.models:
            for seed in asked.seeds:
                first = main and seed == asked.seeds[0]
                yield Asked(
                    model,
                    data,
                    asked.settings.get(model) or default_settings(model),
                    seed,
                    asked.samples if first else 0,
                    asked.length,
                    legal if first else (),
                    folder / "models" / data.name,
                    asked.ruled if first and data.in_four_voices else 0,
                )


# --- pieces under the rules -----------------------------------------------------------------


def _legal(asked: Comparison, folder: Path, tell: Report) -> tuple[Roll, ...]:
    """The pool, from its file if that holds as many pieces."""
    if not asked.data[0].in_four_voices:
        return ()
    path = folder / "legal.json"
    stored = _read_legal(path)
    if len(stored) < asked.legal:
        name = "pieces under the rules"
        stored = tuple(
            legal_rolls(
                asked.legal,
                progress=lambda done, total: tell(name, {"epoch": done, "epochs": total}),
            )
        )
        record = [roll.frames for roll in stored]
        digest = hashlib.sha256(json.dumps(record).encode()).hexdigest()
        write_file(path, (json.dumps({"sha256": digest, "frames": record}) + "\n").encode())
    return stored[: asked.legal]


def _read_legal(path: Path) -> tuple[Roll, ...]:
    if not path.exists():
        return ()
    try:
        record = json.loads(path.read_bytes())
        frames = record["frames"]
        whole = hashlib.sha256(json.dumps(frames).encode()).hexdigest() == record["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        whole, problem = False, type(error).__name__
    else:
        problem = "its checksum is another"
    if not whole:
        raise StoredFileError(path, f"is damaged ({problem}); remove it to write them anew")
    return tuple(
        Roll(f"legal {number}", tuple(map(tuple, each))) for number, each in enumerate(frames)
    )


# --- workers --------------------------------------------------------------------------------


def _all_done(jobs: Sequence[Asked], workers: int, tell: Report) -> list[Measures | Failure]:
    """What came of each job, in their order; an interrupt or an error ends all workers."""
    waiting = list(jobs)
    at_work: dict[Connection, tuple[Asked, BaseProcess]] = {}
    done: dict[str, Measures | Failure] = {}
    try:
        while waiting or at_work:
            while waiting and len(at_work) < workers:
                job = waiting.pop(0)
                tell(_name(job), {})
                at_work |= _begun(job)
            for line in wait(list(at_work)):
                assert isinstance(line, Connection)
                job, process = at_work[line]
                state = _heard(line, job, process)
                if isinstance(state, dict):
                    tell(_name(job), state)
                    continue
                done[_name(job)] = state
                del at_work[line]
                tell(_name(job), {"done": True})
    finally:
        for _, process in at_work.values():
            process.terminate()
    return [done[_name(job)] for job in jobs]


def _name(job: Asked) -> str:
    return f"{job.data.name} {job_name(job)}"


def _begun(job: Asked) -> dict[Connection, tuple[Asked, BaseProcess]]:
    """A process at work on a job, by the line on which it speaks."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, theirs), daemon=True)
    process.start()
    theirs.close()
    return {ours: (job, process)}


def _heard(
    line: Connection, job: Asked, process: BaseProcess
) -> dict[str, Any] | Measures | Failure:
    """What a worker says: how far it is, what it found, or nothing any more."""
    try:
        said = line.recv()
    except EOFError:
        process.join()
        said = f"its process ended with code {process.exitcode}: {_why(process.exitcode)}"
    if isinstance(said, str):
        said = Failure(job.model, job.data.name, job.data.split, said)
    if not isinstance(said, dict):
        process.join()
    return said  # type: ignore[no-any-return]


def _why(code: int | None) -> str:
    """What an exit code tells: a signal is below 0, an error that nobody expected 1."""
    return "what it printed says why" if code == 1 else "out of memory, or killed"


def _work(job: Asked, line: Connection) -> None:
    """Do a job; an expected refusal is told as its line."""
    try:
        line.send(measured(job, line.send))
    except MusegenError as error:
        line.send(str(error))
    except KeyboardInterrupt:
        pass  # the process that began this one says so
