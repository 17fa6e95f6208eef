"""How much of a piece stands verbatim in the music that the models learnt from, in whatever key.

A melody is the row of its intervals and note values, a harmony the row of its chords with their distance
from the home key; so a passage and its transposition are the same. The index holds a 32-bit
fingerprint of each window of eight notes, or of six chords, in the order of the pieces; a run of windows
that match in one line is a run of notes. Chance makes about one window in sixty thousand match that
should not, and a longer run with the square of that, and so on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import blake2b
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musegen.errors import ScoreError, StoredFileError
from musegen.score import ChordLabel, Note, Score

__all__ = [
    "CHORDS",
    "INDEX",
    "MOST_NOTES",
    "NOTES",
    "Index",
    "Lines",
    "Overlap",
    "Run",
    "check_overlap",
    "gathered",
    "harmony",
    "load_index",
    "melody",
    "overlap",
]

INDEX = Path(__file__).parent / "weights" / "overlap.npz"
NOTES, CHORDS = 8, 6  # of a window
MOST_NOTES = 15  # in a row that a melody may share; see docs/how-to/originality.md
NEAREST = 3  # pieces that are named
LARGEST = 16 * 2**20  # bytes of an index

Tokens = tuple[tuple[object, ...], ...]
Fingerprints = NDArray[np.uint32]


@dataclass(frozen=True)
class Lines:
    """The windows of many lines, one line after another."""

    names: tuple[str, ...]  # of the lines
    starts: NDArray[np.int64]  # of each line's windows
    prints: Fingerprints  # of all windows

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """The windows by their fingerprints."""
        return np.argsort(self.prints, kind="stable")


@dataclass(frozen=True)
class Index:
    """What a corpus holds."""

    corpus: str  # its name
    checksum: str  # of its files
    pieces: int
    melodies: Lines
    harmonies: Lines


@dataclass(frozen=True, slots=True)
class Run:
    """The longest passage that stands in a line of the corpus too."""

    length: int  # notes or chords; 0: none as long as a window
    voice: str = ""  # of the piece
    place: int = 0  # number of its first note or chord there, from 0
    bar: int = 0  # where that stands
    source: str = ""  # line of the corpus


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a piece has in common with a corpus."""

    melody: Run
    harmony: Run
    nearest: tuple[tuple[str, float], ...]  # pieces with the share of the windows found there
    corpus: str
    pieces: int

    def as_json(self) -> dict[str, Any]:
        """For the provenance of a piece."""
        runs = {
            name: {
                "longest run": run.length or f"under {window}",
                "unit": unit,
                **(
                    {"voice": run.voice, "bar": run.bar, "source": run.source} if run.length else {}
                ),
            }
            for name, run, window, unit in (
                ("melody", self.melody, NOTES, "notes"),
                ("harmony", self.harmony, CHORDS, "chords"),
            )
        }
        nearest = [{"piece": name, "share": round(share, 4)} for name, share in self.nearest]
        return {"corpus": self.corpus, "pieces": self.pieces, **runs, "nearest": nearest}

    @property
    def text(self) -> str:
        """In a line."""
        parts = []
        for run, window, unit in ((self.melody, NOTES, "notes"), (self.harmony, CHORDS, "chords")):
            where = f" (bar {run.bar}, {run.voice}; {run.source})" if run.length else ""
            parts.append(f"{run.length or f'under {window}'} {unit}{where}")
        return "longest run in the training corpus: " + ", ".join(parts)


# --- lines ----------------------------------------------------------------------------------


def melody(notes: Sequence[Note]) -> Tokens:
    """The intervals and note values of a line: (semitones to the next note, quarter notes)."""
    return tuple(
        (after.pitch.semitone - before.pitch.semitone, str(after.onset - before.onset))
        for before, after in pairwise(notes)
    )


def harmony(score: Score) -> tuple[Tokens, tuple[ChordLabel, ...]]:
    """The chords of a score relative to its key, each once, and their labels."""
    home = score.key.tonic.fifths

    def named(label: ChordLabel) -> tuple[object, ...]:
        return label.key.tonic.fifths - home, label.key.mode, label.numeral

    kept = [next(group) for _, group in groupby(score.chords, key=named)]
    return tuple(named(label) for label in kept), tuple(kept)


def fingerprints(tokens: Tokens, length: int) -> Fingerprints:
    """(N,) of each window of so many tokens."""
    texts = [repr(each).encode() for each in tokens]
    return np.array(
        [
            int.from_bytes(blake2b(b";".join(texts[n : n + length]), digest_size=4).digest(), "big")
            for n in range(len(texts) - length + 1)
        ],
        np.uint32,
    )


def gathered(lines: Sequence[tuple[str, Tokens]], length: int) -> Lines:
    """The windows of named lines."""
    prints = [fingerprints(tokens, length) for _, tokens in lines]
    starts = np.cumsum([0, *(len(each) for each in prints)])[:-1]
    return Lines(tuple(name for name, _ in lines), starts, np.concatenate(prints))


# --- what is found --------------------------------------------------------------------------


def overlap(score: Score, index: Index | None = None) -> Overlap:
    """What a score has in common with a corpus, that of the shipped weights if none is given.

    Args:
        score: its chords are compared where it names them.
        index: of the corpus.
    """
    known = index or load_index()
    best, found, total = Run(0), Counter[str](), 0
    for part in score.parts:
        prints = fingerprints(melody(part.notes), NOTES - 1)
        total += len(prints)
        length, place, line = _longest(prints, known.melodies, found)
        if length and length + NOTES - 1 > best.length:
            bar, _ = score.bar_and_beat(part.notes[place].onset)
            source = known.melodies.names[line]
            best = Run(length + NOTES - 1, part.name, place, bar, source)
    tokens, labels = harmony(score)
    length, place, line = _longest(fingerprints(tokens, CHORDS), known.harmonies, Counter())
    chords = Run(0)
    if length:
        bar, _ = score.bar_and_beat(labels[place].onset)
        chords = Run(length + CHORDS - 1, "chords", place, bar, known.harmonies.names[line])
    nearest = sorted(found.items(), key=lambda each: (-each[1], each[0]))[:NEAREST]
    shares = tuple((name, count / total) for name, count in nearest)
    return Overlap(best, chords, shares, known.corpus, known.pieces)


def _longest(prints: Fingerprints, lines: Lines, found: Counter[str]) -> tuple[int, int, int]:
    """Windows of the longest run, the first of them, and the line where it stands.

    Counts by piece how many windows are found there.
    """
    order = lines.order
    ordered = lines.prints[order]
    lows, highs = (np.searchsorted(ordered, prints, side) for side in ("left", "right"))
    starts = frozenset(lines.starts.tolist())
    longest = (0, 0, 0)
    before: dict[int, int] = {}
    for place, (low, high) in enumerate(zip(lows, highs, strict=True)):
        here = {
            at: 1 if at in starts else before.get(at - 1, 0) + 1
            for at in sorted(order[low:high].tolist())
        }
        found.update({lines.names[_line(lines, at)].split()[0] for at in here})
        for at, run in here.items():
            if run > longest[0]:
                longest = (run, place - run + 1, _line(lines, at))
        before = here
    return longest


def _line(lines: Lines, at: int) -> int:
    """The line that a window stands in; empty lines have none."""
    return int(np.searchsorted(lines.starts, at, side="right")) - 1


def check_overlap(found: Overlap, most: int | None, title: str) -> None:
    """Refuse a piece that has too much in common with the training corpus.

    Args:
        found: what it has in common.
        most: notes in a row that a voice may share; None: any number.
        title: of the piece.

    Raises:
        ScoreError: a voice shares more; names bar, voice and source.
    """
    run = found.melody
    if most is not None and run.length > most:
        raise ScoreError(
            f"{title}, bar {run.bar}, {run.voice.lower()}",
            f"{run.length} notes stand in {run.source} as well, at most {most} in a row may; "
            "take another seed, a higher --max-overlap, or --max-overlap any",
        )


# --- the index ------------------------------------------------------------------------------


@cache
def load_index(path: Path = INDEX) -> Index:
    """Read an index.

    Raises:
        StoredFileError: it is missing or damaged; `python -m corpora.count_overlap` makes it.
    """
    problem = "make it with `python -m corpora.count_overlap`"
    try:
        if path.stat().st_size > LARGEST:
            raise StoredFileError(path, f"is no index; {problem}")
        with np.load(path, allow_pickle=False) as file:
            corpus, checksum, pieces = (str(each) for each in file["card"])
            melodies, harmonies = (
                Lines(
                    tuple(str(name) for name in file[f"{kind}_names"]),
                    file[f"{kind}_starts"].astype(np.int64),
                    file[f"{kind}_prints"].astype(np.uint32),
                )
                for kind in ("melody", "harmony")
            )
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise StoredFileError(path, f"is missing or damaged; {problem}") from error
    return Index(corpus, checksum, int(pieces), melodies, harmonies)
