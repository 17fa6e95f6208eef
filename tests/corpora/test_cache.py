"""The corpus on disk."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

import corpora
from corpora import cache
from corpora import corpus as module
from corpora.cache import cache_path, load_cache, save_cache
from corpora.catalogue import Entry, entry, verified_files
from corpora.clean import Dropped
from corpora.read import read_score
from musegen.analysis.label import label
from musegen.errors import StoredFileError

NAMES = ("bwv269.mxl", "bwv304.mxl", "bwv66.6.mxl")


def few_files(of: Entry) -> tuple[Path, ...]:
    """Three files instead of 413."""
    return tuple(path for path in verified_files(of) if path.name in NAMES)


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder and a small corpus."""
    monkeypatch.setattr(cache, "user_cache_dir", lambda name: str(tmp_path / name))
    monkeypatch.setattr(module, "verified_files", few_files)
    return tmp_path / "musegen"


def test_pieces_come_back_as_they_were(tmp_path: Path) -> None:
    """A labelled piece and the report survive the file."""
    path = next(path for path in verified_files(entry("bach-chorales")) if path.name == NAMES[0])
    content = (
        (("bwv269", label(read_score(path))),),
        (Dropped("x", "why"), Dropped("y", "z", kept=True)),
    )
    target = tmp_path / "folder" / "corpus.json.gz"
    save_cache(target, content)
    assert load_cache(target) == content
    assert [each.name for each in target.parent.iterdir()] == ["corpus.json.gz"]


def test_the_second_load_reads_the_cache(cache_folder: Path) -> None:
    """Built once, then the same corpus without reading a file; progress is told only once."""
    told: list[tuple[int, int]] = []
    built = corpora.load(lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)
    again = corpora.load(lambda done, total: told.append((-1, total)))
    assert again == built
    assert (-1, 3) not in told
    assert [piece.name for piece in built.pieces] == ["bwv269", "bwv66.6"]
    assert corpora.dropped(built) == (("bwv304", "mixed metre (4/4, 3/4)"),)
    assert len(list(cache_folder.iterdir())) == 1


def test_the_summary_has_what_people_ask() -> None:
    """Origin, licence, counts and split are rows; each value can be printed."""
    piece = module.CorpusPiece(
        "bwv269", "train", label(read_score(few_files(entry("bach-chorales"))[0]))
    )
    rows = corpora.summary(module.Corpus(entry("bach-chorales"), (piece,), (), ("hello",)))
    assert {"origin", "licence", "checksum", "split", "pieces used", "cadences"} <= set(rows)
    assert rows["split"] == "train 1, valid 0, test 0, held_out 0"
    assert rows["note"] == "hello"


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"not gzip",
        gzip.compress(b"{", mtime=0),
        gzip.compress(b'{"pieces": [["a", {}]]}', mtime=0),
        gzip.compress(json.dumps({"pieces": [], "report": [["a"]]}).encode(), mtime=0),
    ],
)
def test_a_damaged_cache_is_built_again_and_said_so(cache_folder: Path, damage: bytes) -> None:
    """Whatever the damage: refused by the reader, rebuilt by `load` with a message."""
    path = cache_path(entry("bach-chorales"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(damage)
    with pytest.raises(StoredFileError, match="damaged"):
        load_cache(path)
    corpus = corpora.load()
    assert len(corpus.pieces) == 2
    assert "damaged" in corpus.messages[0]
    assert corpora.load().messages == ()


def test_an_interrupt_leaves_nothing(cache_folder: Path) -> None:
    """Ctrl-C while reading: no file, no half file."""

    def stop(done: int, total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        corpora.build(progress=stop)
    assert not list(cache_folder.glob("*"))


def test_a_cache_that_cannot_be_written_is_no_obstacle(cache_folder: Path) -> None:
    """The corpus is there all the same, with a message."""
    cache_folder.parent.mkdir(parents=True, exist_ok=True)
    cache_folder.write_bytes(b"a file where the folder should be")
    corpus = corpora.load()
    assert len(corpus.pieces) == 2
    assert "read again next time" in corpus.messages[-1]


def test_other_files_have_another_cache() -> None:
    """The name of the cache depends on the checksum."""
    of = entry("bach-chorales")
    assert cache_path(of) != cache_path(replace(of, checksum="0" * 64))
