"""The catalogue and its checksum."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from corpora.catalogue import digest, entry, entry_names, verified_files
from musegen.errors import StoredFileError, UnknownNameError


def test_every_entry_says_where_it_comes_from_and_under_what_terms() -> None:
    """Origin, licence, checksum and split are filled in."""
    assert entry_names()
    for name in entry_names():
        of = entry(name)
        assert of.origin
        assert of.licence
        assert len(of.checksum) == 64


def test_the_installed_chorales_are_those_catalogued() -> None:
    """413 files with the catalogued checksum."""
    of = entry("bach-chorales")
    assert len(verified_files(of)) == of.files == 413


def test_other_files_are_refused() -> None:
    """The text names the folder and the package version."""
    of = replace(entry("bach-chorales"), checksum="0" * 64)
    with pytest.raises(StoredFileError, match=r"bach.*checksum.*music21"):
        verified_files(of)


def test_a_missing_package_is_refused() -> None:
    """The text says what is not installed."""
    of = replace(entry("bach-chorales"), package="no_such_package_here")
    with pytest.raises(StoredFileError, match="not installed"):
        verified_files(of)


def test_an_unknown_corpus_is_refused() -> None:
    """The text names what is allowed."""
    with pytest.raises(UnknownNameError, match="bach-chorales"):
        entry("beatles")


def test_the_digest_depends_on_names_and_bytes_but_not_on_order(tmp_path: Path) -> None:
    """Two files in either order are the same corpus; a changed byte is another."""
    one, other = tmp_path / "a.krn", tmp_path / "b.krn"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    before = digest([one, other])
    assert before == digest([other, one])
    other.write_bytes(b"3")
    assert digest([one, other]) != before
