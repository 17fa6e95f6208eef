"""Many pieces from one file: what is to be composed, which of it is there already, what came of it.

A file of jobs names forms, keys, settings and seeds. Each piece is a pure function of its request, so
that it does not matter where or in which order pieces are made; those whose folder is there are left.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from musegen.errors import FactError, MusegenError
from musegen.io.files import write_files
from musegen.originality import MOST_NOTES, check_overlap
from musegen.plan.form_file import Record
from musegen.plan.form_schema import Field
from musegen.score import Score
from musegen.tasks.compose_form import FormRequest, as_played, in_mood, is_chorale, is_woven, parted
from musegen.written import Written

__all__ = ["Job", "Outcome", "piece_of", "read_jobs", "run_jobs"]

MOST_PIECES = 100_000
LONGEST_NAME = 120  # letters of the name of a folder, its seed aside
MINUS = re.compile(r"(?<![A-Za-z0-9])-(?=[0-9])")
NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 400


def _seeds(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(each, int) and not isinstance(each, bool) for each in value)
        and 0 <= value[0] <= value[1] < 2**32
    )


def _settings(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(each, str | int | float | bool) for each in value.values()
    )


def _level(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -1 <= value <= 1


def _length(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


FIELDS: Mapping[str, Field] = {
    "form": Field(_text, "a form, or the path of a template", dict, needed=True),
    "seeds": Field(_seeds, "the first and the last seed, such as [0, 9]", dict, default=[0, 0]),
    "key": Field(_text, 'a key such as "D minor"', dict),
    "metre": Field(_text, 'a metre such as "3/4"', dict),
    "set": Field(_settings, "a table of settings of the form", dict, default={}),
    "emotion": Field(_text, "an emotion", dict),
    "valence": Field(_level, "a number from -1 to 1", dict),
    "arousal": Field(_level, "a number from -1 to 1", dict),
    "play": Field(_text, "plain, expressive, or an instrument of General MIDI", dict),
    "max_overlap": Field(_length, "notes, a whole number from 1", dict, default=MOST_NOTES),
    "allow_overlap": Field(
        lambda value: isinstance(value, bool), "true or false", dict, default=False
    ),
}


@dataclass(frozen=True, slots=True)
class Job:
    """One piece: its folder and its request."""

    folder: str
    request: FormRequest


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    folder: str
    state: str  # composed, there already, or refused
    told: str  # findings, or why it was refused


def read_jobs(path: Path) -> tuple[Job, ...]:
    """The pieces that a file asks for, in order.

    Raises:
        FactError: the file cannot be read, or asks for what cannot be; names the job and the field.
        MusegenError: an emotion that does not exist.
    """
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FactError(path.name, "file", f"cannot be read: {error}") from error
    tables = record.pop("job", None)
    if record or not isinstance(tables, list) or not tables:
        raise FactError(path.name, "job", "must be one [[job]] or more, and nothing else")
    jobs = [job for number, table in enumerate(tables, 1) for job in _jobs(path, number, table)]
    folders = [job.folder for job in jobs]
    twice = next((name for name, count in Counter(folders).items() if count > 1), None)
    if twice is not None:
        raise FactError(path.name, "job", f"{twice} is asked for twice")
    return tuple(jobs)


def _jobs(path: Path, number: int, table: Any) -> Iterator[Job]:
    if not isinstance(table, dict):
        raise FactError(path.name, f"job {number}", "must be a table")
    values = Record(f"job {number}", table, {}, path.name).checked(FIELDS)
    first, last = values["seeds"]
    if last - first >= MOST_PIECES:
        raise FactError(path.name, f"job {number}.seeds", f"at most {MOST_PIECES} pieces")
    settings = {name: _typed(value) for name, value in values["set"].items()}
    felt = any(values[name] is not None for name in ("emotion", "valence", "arousal"))
    mood = (
        in_mood(
            values["emotion"],
            valence=values["valence"],
            arousal=values["arousal"],
            settings=settings,
        )
        if felt
        else {}
    )
    asked = parted(settings, key=values["key"], metre=values["metre"]) | as_played(values["play"])
    most = None if values["allow_overlap"] else values["max_overlap"]
    for seed in range(first, last + 1):
        request = FormRequest(form=values["form"], seed=seed, most_overlap=most, **asked, **mood)
        yield Job(_folder(request), request)


def _typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _folder(request: FormRequest) -> str:
    """A name that tells the piece, of letters, digits and hyphens alone."""
    settings = "-".join(f"{name}-{value}" for name, value in sorted(request.settings.items()))
    key = request.key or ""
    minor = "minor" if key[:1].islower() and len(key.split()) == 1 else ""
    how = (settings, request.feeling, request.playing)
    parts = (Path(request.form).stem, key, minor, request.metre, *how)
    text = MINUS.sub("minus-", "-".join(part for part in parts if part)).replace("#", "-sharp")
    kept = "".join(letter if letter in NAME else "-" for letter in text.lower())
    name = "-".join(part for part in kept.split("-") if part)[:LONGEST_NAME]
    return f"{name}-seed-{request.seed}"


def piece_of(request: FormRequest, *, pattern: Score | None = None) -> Written:
    """The piece of a request, in four voices or as a tune above chords, as its form asks.

    Args:
        request: what is asked for.
        pattern: notes that a piece in four voices must hold.

    Raises:
        ScoreError: more of it stands in the training corpus than the request allows.
        MusegenError: as of `musegen.tasks.compose.draft` and `musegen.tasks.compose_form.form_work`.
    """
    made = _composed(request, pattern)
    check_overlap(made.overlap, request.most_overlap, made.score.title)
    return made


def _composed(request: FormRequest, pattern: Score | None) -> Written:
    if pattern is not None or is_chorale(request):
        from musegen.result import Composition
        from musegen.tasks.compose import draft

        made = draft(request, pattern=pattern)
        return Composition(made, bool(request.expression), request.program)
    if is_woven(request):
        from musegen.tasks.compose_woven import woven_work
        from musegen.woven_result import WovenPiece

        return WovenPiece(woven_work(request))
    from musegen.form_result import FormPiece
    from musegen.tasks.compose_form import form_work

    return FormPiece(form_work(request))


def run_jobs(
    jobs: Sequence[Job],
    out: Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    audio: bool = False,
    told: Callable[[int, int], None] | None = None,
) -> tuple[Outcome, ...]:
    """Compose what is not there yet; each piece appears whole or not at all.

    Args:
        jobs: what is to be composed.
        out: folder of the pieces.
        workers: processes; what is composed does not depend on them.
        scheduler: address of a Dask scheduler whose workers compose instead; the files come back
            and are written here.
        audio: whether sound is written too.
        told: is told how many are done, of how many.

    Returns:
        One outcome a job, in the order of the jobs.

    Raises:
        OptionError: a scheduler that does not answer, or whose workers are not ours.
    """
    found: dict[str, Outcome] = {
        job.folder: Outcome(job.folder, "there already", "")
        for job in jobs
        if (out / job.folder).exists()
    }
    missing = [job for job in jobs if job.folder not in found]
    tell = told or _silent
    tell(len(found), len(jobs))
    for made in _made(missing, workers, scheduler, audio):
        found[made.folder] = _kept(made, out)
        tell(len(found), len(jobs))
    return tuple(found[job.folder] for job in jobs)


def _silent(_done: int, _total: int) -> None:
    """Nobody looks on."""


def _made(jobs: Sequence[Job], workers: int, scheduler: str | None, audio: bool) -> Iterator[_Made]:
    """What comes of jobs, as it comes: here, in processes, or on a cluster."""
    if scheduler is not None:
        from musegen.cluster import on_cluster

        yield from on_cluster(scheduler, _make, [(job, audio) for job in jobs])
    elif workers == 1:
        yield from (_make(job, audio) for job in jobs)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for done in as_completed([pool.submit(_make, job, audio) for job in jobs]):
                yield done.result()


@dataclass(frozen=True, slots=True)
class _Made:
    """A piece as files, or why there is none."""

    folder: str
    files: Mapping[str, bytes]
    told: str


def _make(job: Job, audio: bool) -> _Made:
    try:
        made = piece_of(job.request)
        return _Made(job.folder, made.files(audio=audio), made.counts)
    except MusegenError as error:
        return _Made(job.folder, {}, str(error))


def _kept(made: _Made, out: Path) -> Outcome:
    if not made.files:
        return Outcome(made.folder, "refused", made.told)
    try:
        write_files(out / made.folder, made.files, force=False)
    except MusegenError as error:
        return Outcome(made.folder, "refused", str(error))
    return Outcome(made.folder, "composed", made.told)
