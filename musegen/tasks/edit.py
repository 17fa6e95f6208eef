"""Edit a piece where it lies: bars written anew, ranked, every version kept.

The engine is that of `musegen.tasks.vary`: what is not to be written anew is a window's edge or a lock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musegen.errors import OptionError, ScoreError, StoredFileError
from musegen.io.musicxml_reading import read_musicxml
from musegen.io.score_text import score_diff
from musegen.plan.window import voice_names
from musegen.rewritten import Rewritten
from musegen.tasks.locks import Lock, parse_locks
from musegen.tasks.vary import Alternative, vary
from musegen.tasks.writing import Options
from musegen.versions import SCORE, History, add_version, open_history, use_version

__all__ = ["Edit", "edit", "version_diff"]

EXPLANATION, PROVENANCE = "explanation.json", "provenance.json"


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be written anew, and what stays."""

    regenerate: str  # as bars=5-8, alto or alto:5-8
    locks: tuple[str, ...] = ()  # in the same words, or alto:5.2 for a note
    keep_harmony: bool = False
    count: int = 1  # alternatives


def edit(
    folder: Path, asked: Edit, options: Options, *, audio: bool = True
) -> tuple[History, tuple[Alternative, ...]]:
    """Write part of a piece anew; the best alternative becomes the piece, all are kept as versions.

    Args:
        folder: of a piece in two to five voices that musegen wrote.
        asked: what, and what stays.
        options: of the search; alternatives take the seed and those after it.
        audio: whether sound is written too.

    Returns:
        The history with its new versions, and the alternatives, best first.

    Raises:
        StoredFileError: no piece is there, or its history is damaged.
        ScoreError: a tune above an accompaniment, or a score that cannot be edited.
        OptionError: bars, voices or locks that the piece does not have.
        InfeasibleError: the rules leave no other notes; names the place.
    """
    _check_voices(folder)
    history = open_history(folder)
    source = history.path(history.current) / SCORE
    score = read_musicxml(source)
    names = voice_names(score)
    what = _window(asked.regenerate, names)
    keep = () if what.voice is None else [n for v, n in enumerate(names) if v != what.voice]
    found = vary(
        score,
        options,
        keep=keep,
        bars=what.bars,
        locks=parse_locks(asked.locks, names),
        keep_harmony=asked.keep_harmony,
        count=asked.count,
    )
    for rank, each in enumerate(found, 1):
        made = Rewritten(each.draft, score, source)
        history = add_version(
            history,
            _with_origin(made.files(audio=audio), history, _asked(asked, options)),
            how=f"{asked.regenerate} anew",
            asked=_asked(asked, options),
            measures=_measures(rank, each),
        )
    best = history.versions[-len(found)].number
    return use_version(history, best), found


def version_diff(folder: Path, one: int, other: int) -> str:
    """The notes in which two versions differ, bar by bar and voice by voice, as a unified diff.

    Raises:
        StoredFileError: no piece is there, or its history is damaged.
        OptionError: there is no such version.
    """
    history = open_history(folder)
    before, after = (read_musicxml(history.path(each) / SCORE) for each in (one, other))
    return score_diff(before, after, (f"version {one}", f"version {other}"))


def _window(text: str, names: Sequence[str]) -> Lock:
    """What is written anew, in the words of a lock."""
    try:
        (what,) = parse_locks([text], names).items
    except OptionError as error:
        raise OptionError("--regenerate", error.got, error.allowed) from error
    if what.beat is not None:
        raise OptionError("--regenerate", text, "bars=5-8, a voice such as alto, or alto:5-8")
    return what


def _record(path: Path) -> dict[str, Any]:
    """A file of JSON, empty if it is not there.

    Raises:
        StoredFileError: it is damaged.
    """
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoredFileError(path, "is damaged; take it away") from error
    if not isinstance(found, dict):
        raise StoredFileError(path, "is damaged; take it away")
    return found


def _check_voices(folder: Path) -> None:
    """Refuse what is no row of chords in voices: its bars are composed by themes and figures."""
    if "sections" in _record(folder / EXPLANATION):
        raise ScoreError(
            str(folder),
            "is a tune above an accompaniment; edit takes pieces in two to five voices, and "
            "compose with another --seed or --set writes the form anew",
        )


def _with_origin(
    files: Mapping[str, bytes], history: History, asked: Mapping[str, Any]
) -> Mapping[str, bytes]:
    """The files with the provenance of the piece, and the edits that led from it to here."""
    composed = _record(history.path(1) / PROVENANCE)
    steps = [{**json.loads(files[PROVENANCE]), **asked}]
    here = next(each for each in history.versions if each.number == history.current)
    if here.number > 1:
        steps = [*_record(history.path(here.number) / PROVENANCE).get("edits", []), *steps]
    text = json.dumps({**composed, "edits": steps}, ensure_ascii=False, indent=1)
    return {**files, PROVENANCE: f"{text}\n".encode()}


def _asked(asked: Edit, options: Options) -> Mapping[str, Any]:
    return {
        "regenerate": asked.regenerate,
        "locks": list(asked.locks),
        "keep_harmony": asked.keep_harmony,
        "seed": options.seed,
        "style": options.style,
        "models": list(options.models),
    }


def _measures(rank: int, each: Alternative) -> Mapping[str, Any]:
    return {
        "rank": rank,
        "score": round(each.score, 2),
        "differs": round(each.distance, 4),
        **{mark: each.draft.report.count(mark) for mark in "EWI"},
    }
