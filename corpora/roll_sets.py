"""Data sets of piano-rolls by name: the built-in chorales as rolls, or a benchmark's file.

The built-in rolls hold what sounds at each quarter note of the labelled chorales of the catalogue,
in the order and split of the corpus: `builtin` transposed to a tonic of C, as the JSB benchmark is,
`builtin-untransposed` as they stand. Nothing needs to be downloaded for them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from corpora.corpus import load
from corpora.read import Progress
from corpora.rolls import benchmark_names, read_benchmark, read_voices
from musegen.comparison.roll_set import RollSet, roll_of
from musegen.comparison.tunes import split_by_tune
from musegen.comparison.voices import VoiceSet
from musegen.errors import OptionError, UnknownNameError

__all__ = [
    "BUILT_IN",
    "by_tune",
    "is_of_voices",
    "read_roll_set",
    "read_voice_set",
    "roll_set_names",
]

BUILT_IN = ("builtin", "builtin-untransposed")
SPLITS = ("train", "valid", "test")


def roll_set_names() -> tuple[str, ...]:
    """Names that `read_roll_set` knows."""
    return (*BUILT_IN, *benchmark_names(), *benchmark_names(voices=True))


def read_roll_set(text: str, *, progress: Progress | None = None) -> RollSet:
    """The data set that an option names: `builtin`, or NAME=PATH of a benchmark's file.

    Raises:
        OptionError: a benchmark without a path, or the built-in set with one.
        UnknownNameError: no such data set.
        StoredFileError: the file cannot be read, or its checksum is another.
    """
    name, _, path = text.partition("=")
    if name in BUILT_IN:
        if path:
            raise OptionError("--data", text, f"{name} without a path, it is built in")
        return _built_in(name, progress)
    if name not in benchmark_names():
        raise UnknownNameError("data set", name, roll_set_names())
    if not path:
        raise OptionError("--data", text, f"{name}=PATH, the file is not part of musegen")
    found = read_benchmark(name, Path(path))
    entry = found.entry
    return RollSet(name, entry.title, entry.licence, entry.checksum, found.splits, {})


def is_of_voices(text: str) -> bool:
    """Whether an option names a data set that tells voices apart."""
    return text.partition("=")[0] in benchmark_names(voices=True)


def read_voice_set(text: str) -> VoiceSet:
    """The data set of voices that an option names, NAME=PATH.

    Raises:
        OptionError: without a path.
        UnknownNameError: no such data set.
        StoredFileError: the file cannot be read, or its checksum is another.
    """
    name, _, path = text.partition("=")
    if not path:
        raise OptionError("--data", text, f"{name}=PATH, the file is not part of musegen")
    found = read_voices(name, Path(path))
    return VoiceSet(name, found.entry.title, found.entry.checksum, found.splits)


def by_tune(data: RollSet, *, seed: int = 0) -> RollSet:
    """The same pieces, split so that no tune is in two splits."""
    splits = split_by_tune(data.splits, seed=seed)
    record = {name: [roll.name for roll in some] for name, some in splits.items()}
    digest = hashlib.sha256(json.dumps([data.checksum, record]).encode()).hexdigest()
    return replace(data, splits=splits, checksum=digest, split="tune")


def _built_in(name: str, progress: Progress | None) -> RollSet:
    corpus = load(progress)
    made = {
        split: [
            roll_of(each.score, each.name, to_c=name == "builtin") for each in corpus.scores(split)
        ]
        for split in SPLITS
    }
    key = "transposed to C" if name == "builtin" else "in their own keys"
    record = [corpus.entry.checksum, {split: [str(each) for each in made[split]] for split in made}]
    return RollSet(
        name,
        f"{corpus.entry.title}, quarter-note frames, {key}",
        corpus.entry.licence,
        hashlib.sha256(json.dumps(record).encode()).hexdigest(),
        {split: tuple(roll for roll, _ in some) for split, some in made.items()},
        {roll.name: beats for some in made.values() for roll, beats in some},
    )
