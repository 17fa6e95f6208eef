"""Every four-voice setting of a corpus as its file has it: neither cleaned, labelled nor split.

What the cleaned corpus leaves out is here too: changes of metre, instruments beside the voices
(only the voices are read), known slips. Rules are calibrated on it, models never learn from it.
"""

from __future__ import annotations

from pathlib import Path

from corpora.cache import load_cache, save_cache, settings_path
from corpora.catalogue import entry, verified_files
from corpora.clean import Dropped
from corpora.read import Progress, read_voices
from musegen.errors import OutputError, ScoreError, StoredFileError
from musegen.score import Part, Score

__all__ = ["load_settings", "read_settings"]

DEFAULT = "bach-chorales"

Settings = tuple[tuple[str, Score], ...]


def load_settings(progress: Progress | None = None, *, name: str = DEFAULT) -> Settings:
    """Names of files and scores, from the cache, or read if there is none or a damaged one.

    Args:
        progress: called with files done and files in all.
        name: of the catalogue entry.

    Raises:
        UnknownNameError: no such corpus.
        StoredFileError: the corpus files are missing or are not those catalogued.
    """
    of = entry(name)
    path = settings_path(of)
    try:
        return load_cache(path)[0]
    except (FileNotFoundError, StoredFileError):
        settings, report = read_settings(verified_files(of), progress)
    try:
        save_cache(path, (settings, report))
    except OutputError:
        return settings  # it will be read again next time
    return settings


def read_settings(
    files: tuple[Path, ...], progress: Progress | None = None
) -> tuple[Settings, tuple[Dropped, ...]]:
    """Read the voices of files; of exact duplicates the first is kept.

    Returns:
        Names of files with scores, and what was left out with the reason.
    """
    kept: list[tuple[str, Score]] = []
    report: list[Dropped] = []
    seen: dict[tuple[Part, ...], str] = {}
    for done, file in enumerate(files):
        if progress is not None:
            progress(done, len(files))
        try:
            score = read_voices(file)
        except ScoreError as error:
            report.append(Dropped(file.name, error.problem))
            continue
        if score.parts in seen:
            report.append(Dropped(file.name, f"the same notes as {seen[score.parts]}"))
        else:
            seen[score.parts] = file.name
            kept.append((file.name, score))
    if progress is not None:
        progress(len(files), len(files))
    return tuple(kept), tuple(report)
