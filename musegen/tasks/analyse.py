"""Analysing files: what is asked for, checked before any work, then done and written whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from musegen.analysis.analyse import analyse, hear
from musegen.analysis.comparison import Comparison, HumanLabel, compared
from musegen.analysis.places import bar_lines
from musegen.analysis.result import Analysis
from musegen.errors import MusegenError, OptionError, ScoreError
from musegen.io.analysis_text import NOTATIONS, romantext
from musegen.io.files import check_file_target, write_file
from musegen.io.musicxml import write_musicxml
from musegen.io.pieces import Reading
from musegen.io.reading import read_pieces
from musegen.io.romantext_reading import read_romantext
from musegen.score import Score
from musegen.tasks.pool import in_order
from musegen.threads import one_thread
from theory_kb.pitch import Key

__all__ = [
    "AnalyseOptions",
    "Analysed",
    "analyse_files",
    "check_alone",
    "checked_options",
    "write_outputs",
]

MOST_READINGS = 50


@dataclass(frozen=True, slots=True)
class AnalyseOptions:
    """What is asked of an analysis."""

    key: str | None = None  # home key, such as 'D minor'; else estimated
    readings: int = 3  # how many readings of the whole piece
    notation: str = "roman"  # roman, function or lead
    romantext: Path | None = None
    annotated: Path | None = None  # MusicXML with the numerals below
    html: Path | None = None
    against: Path | None = None  # RomanText to compare with
    force: bool = False


@dataclass(frozen=True, slots=True)
class Analysed:
    """What came of a piece of a file."""

    file: str
    name: str
    analysis: Analysis | None
    problem: str = ""  # why there is none
    comparison: Comparison | None = None  # with the analysis that was given


def checked_options(options: AnalyseOptions, paths: Sequence[Path]) -> None:
    """Refuse early what could not be done afterwards.

    Raises:
        OptionError: an unknown notation, a strange number of readings, or a file that is asked for
            where there are several scores, or that would take a score's place.
        PitchError: a declared key that is none.
        ScoreError: a given analysis that cannot be read.
        OutputError: a file that is there already, or could not be written.
    """
    if options.notation not in NOTATIONS:
        raise OptionError("--notation", options.notation, f"one of {', '.join(NOTATIONS)}")
    if not 1 <= options.readings <= MOST_READINGS:
        raise OptionError("--readings", options.readings, f"from 1 to {MOST_READINGS}")
    if options.key is not None:
        Key.parse(options.key)
    targets = _targets(options)
    if options.against is not None:
        if len(paths) != 1:
            raise OptionError("--against", len(paths), "left out unless one score is analysed")
        read_romantext(options.against)
    if targets and len(paths) != 1:
        raise OptionError(next(iter(targets)), len(paths), "left out unless one score is analysed")
    if len({path.resolve() for path in targets.values()}) < len(targets):
        raise OptionError("the files to write", "one name twice", "different files")
    for option, path in targets.items():
        if any(path.resolve() == each.resolve() for each in paths):
            raise OptionError(option, str(path), "another file than the score")
        check_file_target(path, force=options.force)


def check_alone(options: AnalyseOptions) -> None:
    """Refuse options that say how one score is told, where a table of many is asked for.

    Raises:
        OptionError: one of them is given.
    """
    given = {"--key": options.key, "--against": options.against, **_targets(options)}
    for option, value in given.items():
        if value is not None:
            raise OptionError(option, str(value), "left out with --table")


def _targets(options: AnalyseOptions) -> dict[str, Path]:
    named = {
        "--romantext": options.romantext,
        "--annotated": options.annotated,
        "--html": options.html,
    }
    return {option: path for option, path in named.items() if path is not None}


def analyse_files(
    paths: Sequence[Path], options: AnalyseOptions, *, jobs: int = 1
) -> Iterator[Analysed]:
    """What comes of each piece of each file, in their order, as soon as it is there.

    Args:
        paths: files.
        options: how to analyse.
        jobs: processes at work at a time.

    Raises:
        OptionError: fewer jobs than one.
    """
    for found in in_order(partial(_analysed, options=options), paths, jobs=jobs):
        yield from found


def _analysed(path: Path, *, options: AnalyseOptions) -> list[Analysed]:
    """What comes of each piece of a file."""
    try:
        readings = read_pieces(path)
    except ScoreError as error:
        return [Analysed(str(path), path.name, None, str(error))]
    return [_one(path, reading, options) for reading in readings]


def _one(path: Path, reading: Reading | ScoreError, options: AnalyseOptions) -> Analysed:
    if isinstance(reading, ScoreError):
        return Analysed(str(path), path.name, None, str(reading))
    key = Key.parse(options.key) if options.key else None
    try:
        given = _given(options.against, reading.score) if options.against else ()
        with one_thread():
            heard = hear(reading.score, key=key)
            found = analyse(reading.score, readings=options.readings, heard=heard)
    except MusegenError as error:
        return Analysed(str(path), reading.name, None, f"{path}: {error}")
    name = options.against.name if options.against else ""
    comparison = compared(name, given, heard, found) if given else None
    remarks = (*reading.remarks, *found.remarks)
    told = replace(found, remarks=remarks)
    return Analysed(str(path), reading.name, told, comparison=comparison)


def _given(path: Path, score: Score) -> tuple[HumanLabel, ...]:
    """A given analysis, its bars laid on those of the score; of a number that comes twice the first."""
    return read_romantext(path, bars=dict(reversed(bar_lines(score))))


def write_outputs(found: Sequence[Analysed], options: AnalyseOptions) -> None:
    """Write the files that were asked for; all are made before one is written.

    Raises:
        OptionError: the file holds several pieces.
        ScoreError: a duration is finer than notation can write.
        OutputError: a file cannot be written.
    """
    targets = _targets(options)
    if not targets:
        return
    if len(found) != 1:
        raise OptionError(next(iter(targets)), len(found), "left out unless one piece is analysed")
    analysis = found[0].analysis
    if analysis is None:
        return
    contents: dict[Path, bytes] = {}
    if options.romantext:
        contents[options.romantext] = romantext(analysis).encode()
    if options.annotated:
        contents[options.annotated] = write_musicxml(analysis.annotated)
    if options.html:
        from musegen.io.analysis_html import render_analysis

        contents[options.html] = render_analysis(analysis).encode()
    for path, data in contents.items():
        write_file(path, data)
