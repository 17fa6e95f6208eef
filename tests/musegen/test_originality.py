"""What pieces share with the corpus: runs in any key, planted excerpts told from composed pieces."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.corpus import load
from corpora.count_overlap import index_of, packed
from musegen.batch import piece_of, read_jobs
from musegen.errors import ScoreError, StoredFileError
from musegen.originality import (
    INDEX,
    NOTES,
    Index,
    Lines,
    check_overlap,
    fingerprints,
    gathered,
    harmony,
    load_index,
    melody,
    overlap,
)
from musegen.score import Metre, Note, Part, Score
from musegen.tasks.compose_form import FormRequest
from theory_kb.pitch import Interval, Key, Pitch

NONE = Lines((), np.array([], np.int64), np.array([], np.uint32))
SCALE = [Pitch.parse(name) for name in ("C4", "D4", "E4", "F4", "G4", "A4")]
UNISON = Interval(0, 0)


def line(steps: list[int], lengths: list[int], *, up: Interval = UNISON) -> tuple[Note, ...]:
    """Notes of a scale with lengths in eighths."""
    notes, time = [], Fraction(0)
    for step, length in zip(steps, lengths, strict=True):
        duration = Fraction(length, 2)
        notes.append(Note(time, duration, SCALE[step] + up))
        time += duration
    return tuple(notes)


def score(notes: tuple[Note, ...]) -> Score:
    """A tune alone."""
    return Score("x", Key.parse("C"), (Part("Tune", notes),), (Metre(4, 4),))


def index(*lines: tuple[Note, ...]) -> Index:
    """An index of some tunes."""
    named = [(f"piece-{n} Tune", melody(notes)) for n, notes in enumerate(lines)]
    return Index("test", "", len(lines), gathered(named, NOTES - 1), NONE)


def naive(one: tuple[Note, ...], others: list[tuple[Note, ...]]) -> int:
    """The longest run of notes that stands in another line too, by trying all pairs of places."""
    best = 0
    own = melody(one)
    for other in map(melody, others):
        for a in range(len(own)):
            for b in range(len(other)):
                run = 0
                while own[a + run : a + run + 1] == other[b + run : b + run + 1] != ():
                    run += 1
                best = max(best, run)
    return best + 1 if best >= NOTES - 1 else 0


def test_a_transposed_passage_is_the_same() -> None:
    """Ten notes a third higher are a run of ten; with another length inside, less than a window."""
    tune = line([0, 2, 4, 3, 1, 5, 4, 2, 3, 0], [2, 2, 1, 1, 2, 2, 3, 1, 2, 2])
    known = index(tune)
    higher = score(line([0, 2, 4, 3, 1, 5, 4, 2, 3, 0], [2, 2, 1, 1, 2, 2, 3, 1, 2, 4],
                        up=Interval(2, 4)))  # fmt: skip
    found = overlap(higher, known)
    assert (found.melody.length, found.melody.bar, found.melody.source) == (10, 1, "piece-0 Tune")
    assert found.nearest == (("piece-0", 1.0),)
    changed = score(line([0, 2, 4, 3, 1, 5, 4, 2, 3, 0], [2, 2, 1, 1, 4, 2, 3, 1, 2, 2]))
    assert overlap(changed, known).melody.length == 0


small = st.lists(st.integers(0, 1), min_size=10, max_size=40)


@given(small, st.lists(small, min_size=1, max_size=3))
def test_runs_are_those_of_the_naive_search(steps: list[int], others: list[list[int]]) -> None:
    """On lines of two pitches, where much is alike; a run never goes on into the next line."""
    tunes = [line(each, [2] * len(each)) for each in others]
    own = line(steps, [2] * len(steps))
    assert overlap(score(own), index(*tunes)).melody.length == naive(own, tunes)


def test_fingerprints_are_one_a_window() -> None:
    """A line shorter than a window has none."""
    assert len(fingerprints(melody(line([0, 1, 2], [2, 2, 2])), NOTES - 1)) == 0
    assert len(fingerprints(melody(line([0] * 10, [2] * 10)), NOTES - 1)) == 3


def test_the_shipped_index_is_that_of_the_training_chorales(tmp_path: Path) -> None:
    """What is made from the corpus is what is stored, and small; a packed index reads back."""
    made, path = index_of(load()), tmp_path / "overlap.npz"
    path.write_bytes(packed(made))
    for stored in (load_index(), load_index(path)):
        assert (stored.corpus, stored.checksum, stored.pieces) == (
            made.corpus,
            made.checksum,
            215,
        )
        for kept, lines in (
            (stored.melodies, made.melodies),
            (stored.harmonies, made.harmonies),
        ):
            assert kept.names == lines.names
            assert np.array_equal(kept.starts, lines.starts)
            assert np.array_equal(kept.prints, lines.prints)
    assert INDEX.stat().st_size < 300_000


@cache
def composed(seed: int) -> Score:
    """A chorale without models."""
    return piece_of(FormRequest(seed=seed, models=(), most_overlap=None)).score


def test_a_training_chorale_is_found_whole_and_refused() -> None:
    """Every voice stands in the corpus, the harmony too; the refusal names bar, voice and source."""
    piece = load().scores("train")[0]
    found = overlap(piece.score)
    longest = max(len(part.notes) for part in piece.score.parts)
    assert found.melody.length == longest
    assert found.harmony.length == len(harmony(piece.score)[0])
    assert found.nearest[0] == (piece.name, 1.0)
    with pytest.raises(ScoreError, match=f"bar [01], .*: {longest} notes stand in {piece.name}"):
        check_overlap(found, 15, piece.score.title)
    check_overlap(found, None, piece.score.title)


def test_planted_excerpts_are_told_from_composed_pieces() -> None:
    """Sixteen notes of a training soprano, transposed, in a composed one: AUC 0.95 or more."""
    rng = np.random.default_rng(0)
    sources = [piece.score.parts[0].notes for piece in load().scores("train")]
    plain, planted = [], []
    for seed in range(4):
        piece = composed(seed)
        own = piece.parts[0].notes
        source = sources[int(rng.integers(len(sources)))]
        at = int(rng.integers(len(source) - 16))
        new = (*own[:3], *_moved(source[at : at + 16], own[3]))
        parts = (Part("Soprano", new), *piece.parts[1:])
        plain.append(overlap(piece).melody.length)
        planted.append(overlap(replace(piece, parts=parts)).melody.length)
    wins = [(b > a) + (b == a) / 2 for a in plain for b in planted]
    assert sum(wins) / len(wins) >= 0.95
    assert min(planted) >= 15


def _moved(notes: tuple[Note, ...], to: Note) -> tuple[Note, ...]:
    shift, up = to.onset - notes[0].onset, to.pitch - notes[0].pitch
    return tuple(replace(n, onset=n.onset + shift, pitch=n.pitch + up) for n in notes)


def test_a_request_refuses_what_shares_too_much(tmp_path: Path) -> None:
    """The same piece is refused under a low limit, and carries the report otherwise."""
    request = FormRequest(seed=0, models=(), most_overlap=None)
    made = piece_of(request)
    length = made.overlap.melody.length
    if length:
        with pytest.raises(ScoreError, match="--max-overlap any"):
            piece_of(replace(request, most_overlap=length - 1))
    origin = json.loads(made.files(audio=False)["provenance.json"])
    assert origin["overlap"] == made.overlap.as_json()
    assert origin["seed"] == 0
    path = tmp_path / "jobs.toml"
    path.write_text('[[job]]\nform = "chorale"\nmax_overlap = 9\n[[job]]\nform = "hymn"\n')
    assert [job.request.most_overlap for job in read_jobs(path)] == [9, 15]


def test_a_damaged_index_is_said_to_be_one(tmp_path: Path) -> None:
    """The refusal says how to make it."""
    path = tmp_path / "overlap.npz"
    path.write_bytes(b"no index")
    with pytest.raises(StoredFileError, match=r"python -m corpora\.count_overlap"):
        load_index(path)
