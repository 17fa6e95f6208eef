"""Four-voice settings as their files have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora import cache, settings
from corpora.catalogue import Entry, entry, verified_files
from corpora.clean import Dropped
from corpora.read import VOICE_NAMES, read_voices
from corpora.settings import load_settings, read_settings
from musegen.errors import ScoreError
from musegen.score import Metre


def corpus_file(name: str) -> Path:
    """A file of the chorales."""
    return next(path for path in verified_files(entry("bach-chorales")) if path.name == name)


def test_the_singers_are_read_and_the_instruments_left_out() -> None:
    """BWV 1.6 has two horns above its four voices."""
    score = read_voices(corpus_file("bwv1.6.mxl"))
    assert tuple(part.name for part in score.parts) == VOICE_NAMES
    assert score.parts[0].notes[0].pitch.name == "F4"


def test_a_change_of_metre_is_kept() -> None:
    """BWV 304 goes from 4/4 to 3/4."""
    metres = read_voices(corpus_file("bwv304.mxl")).metres
    assert metres[0] == Metre(4, 4)
    assert metres[1].beats == 3
    assert metres[1].onset > 0


def test_phrases_end_where_fermatas_are_released() -> None:
    """Each release of a note with a fermata, in order, and nothing else."""
    score = read_voices(corpus_file("bwv66.6.mxl"))
    ends = {note.end for part in score.parts for note in part.notes if note.fermata}
    assert score.phrase_ends == tuple(sorted(ends))
    assert len(ends) > 3


@pytest.mark.parametrize("file", ["bwv846.mxl", "bwv227.3.mxl"])
def test_what_has_not_four_singers_is_refused(file: str) -> None:
    """A keyboard piece, and a setting with two sopranos."""
    with pytest.raises(ScoreError, match="not one soprano, alto, tenor and bass"):
        read_voices(corpus_file(file))


def test_duplicates_and_refusals_are_reported() -> None:
    """The first of two equal files is kept; progress runs from nothing to all."""
    told: list[tuple[int, int]] = []
    files = tuple(map(corpus_file, ("bwv190.7-inst.mxl", "bwv190.7.mxl", "bwv846.mxl")))
    kept, report = read_settings(files, lambda done, total: told.append((done, total)))
    assert [name for name, _ in kept] == ["bwv190.7-inst.mxl"]
    assert report == (
        Dropped("bwv190.7.mxl", "the same notes as bwv190.7-inst.mxl"),
        Dropped("bwv846.mxl", "not one soprano, alto, tenor and bass"),
    )
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_the_second_load_reads_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read once; afterwards from disk, and again from the files where the cache is damaged."""

    def few_files(of: Entry) -> tuple[Path, ...]:
        return (corpus_file("bwv269.mxl"),)

    monkeypatch.setattr(cache, "user_cache_dir", lambda name: str(tmp_path / name))
    monkeypatch.setattr(settings, "verified_files", few_files)
    told: list[int] = []
    first = load_settings(lambda done, _: told.append(done))
    again = load_settings(lambda done, _: told.append(done))
    assert first == again
    assert told == [0, 1]
    (file,) = (tmp_path / "musegen").iterdir()
    file.write_bytes(b"nothing")
    assert load_settings() == first
