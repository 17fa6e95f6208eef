"""Data sets of rolls by name, and the built-in chorales as rolls."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import corpora.rolls
from corpora.roll_sets import by_tune, read_roll_set, read_voice_set
from corpora.rolls import benchmark_names, roll_entry
from musegen.comparison.roll_set import roll_of
from musegen.comparison.tunes import shared_notes
from musegen.errors import OptionError, StoredFileError, UnknownNameError
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch


def written(path: Path, name: str, content: object, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that passes for the known one of a data set."""
    data = gzip.compress(json.dumps(content).encode(), mtime=0)
    path.write_bytes(data)
    entry = replace(roll_entry(name), checksum=hashlib.sha256(data).hexdigest())
    entries = {**{each: roll_entry(each) for each in (name, "nottingham-pianoroll")}, name: entry}
    monkeypatch.setattr(corpora.rolls, "_entries", lambda: entries)
    return path


def test_a_score_is_what_sounds_at_its_quarters() -> None:
    """An upbeat of an eighth is a frame of its own; then every quarter; D goes to C."""
    line = (("D4", 0, 0.5), ("E4", 0.5, 1.0), ("F4", 1.5, 0.5), ("G4", 2.0, 1.5))
    notes = tuple(
        Note(Fraction(begin), Fraction(length), Pitch.parse(name)) for name, begin, length in line
    )
    score = Score(
        "tune", Key.parse("D minor"), (Part("Soprano", notes),), (Metre(4, 4),), Fraction(1, 2)
    )
    roll, beats = roll_of(score, "tune", to_c=True)
    assert roll.frames == ((60,), (62,), (63,), (65,))
    assert beats == (4, 1, 2, 3)
    assert roll_of(score, "tune", to_c=False)[0].frames[0] == (62,)


def test_built_in_chorales_end_on_c() -> None:
    """Transposed, more than nine of ten end with C in the bass; each frame has its beat."""
    data = read_roll_set("builtin")
    rolls = [roll for some in data.splits.values() for roll in some]
    assert {name: len(some) for name, some in data.splits.items()} == {
        "train": 215,
        "valid": 62,
        "test": 68,
    }
    last = [next(frame for frame in reversed(roll.frames) if frame)[0] % 12 for roll in rolls]
    assert sum(pitch == 0 for pitch in last) > 0.9 * len(rolls)
    assert all(len(data.beats[roll.name]) == len(roll.frames) for roll in rolls)
    assert data.in_four_voices


def test_a_split_by_tune_shares_less() -> None:
    """Sopranos of the standard split stand in training to two thirds; by tune to one third."""
    data = read_roll_set("builtin")
    split = by_tune(data)
    assert shared_notes(data.splits["train"], data.splits["test"]) > 0.6
    assert shared_notes(split.splits["train"], split.splits["test"]) < 0.4
    assert split.checksum != data.checksum
    assert by_tune(data).splits == split.splits


def test_voices_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames keep their order and their silences."""
    frames = [[72, 67, 60, 48], [72, 67, -1, 48]]
    content = {"train": [frames], "valid": [frames], "test": [frames[:1]]}
    path = written(tmp_path / "voices.json.gz", "jsb-16th", content, monkeypatch)
    found = read_voice_set(f"jsb-16th={path}")
    assert found.splits["train"][0].pitches.tolist() == frames
    assert found.splits["test"][0].name == "jsb-16th, test 0"


def test_names_and_paths_are_refused() -> None:
    """What is no data set, what has no path, what has one too many, and other files."""
    assert benchmark_names(voices=True) == ("jsb-16th",)
    with pytest.raises(UnknownNameError, match="jsb-16th"):
        read_roll_set("jsb")
    with pytest.raises(OptionError, match="jsb-16th=PATH"):
        read_voice_set("jsb-16th")
    with pytest.raises(StoredFileError, match="is not that of jsb-16th"):
        read_voice_set(f"jsb-16th={__file__}")
