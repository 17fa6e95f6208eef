"""Make the index that pieces are held against for what they share verbatim with the training pieces.

    python -m corpora.count_overlap

Writes `musegen/weights/overlap.npz`: fingerprints of the windows of every voice and of the chords of
the chorales that the models were trained on. The music cannot be read out of it.
"""

from __future__ import annotations

import sys
from io import BytesIO
from typing import Any

import numpy as np

from corpora.corpus import Corpus, load
from musegen.io.files import write_file
from musegen.originality import CHORDS, INDEX, NOTES, Index, Lines, gathered, harmony, melody

__all__ = ["index_of", "main", "packed"]

SPLIT = "train"  # the pieces that models learn from


def index_of(corpus: Corpus) -> Index:
    """The index of the training pieces of a corpus."""
    pieces = corpus.scores(SPLIT)
    lines = [
        (f"{piece.name} {part.name}", melody(part.notes))
        for piece in pieces
        for part in piece.score.parts
    ]
    chords = [(piece.name, harmony(piece.score)[0]) for piece in pieces]
    return Index(
        corpus.entry.title,
        corpus.entry.checksum,
        len(pieces),
        gathered(lines, NOTES - 1),
        gathered(chords, CHORDS),
    )


def packed(index: Index) -> bytes:
    """An index as a file; the same index gives the same bytes."""
    arrays: dict[str, Any] = {"card": np.array([index.corpus, index.checksum, str(index.pieces)])}
    for kind, lines in (("melody", index.melodies), ("harmony", index.harmonies)):
        arrays |= _arrays(kind, lines)
    target = BytesIO()
    np.savez_compressed(target, **arrays)
    return target.getvalue()


def _arrays(kind: str, lines: Lines) -> dict[str, Any]:
    return {
        f"{kind}_names": np.array(lines.names),
        f"{kind}_starts": lines.starts.astype(np.int32),
        f"{kind}_prints": lines.prints,
    }


def main() -> None:
    """Write the index beside the weights."""
    data = packed(index_of(load()))
    write_file(INDEX, data)
    sys.stdout.write(f"{INDEX}: {len(data)} bytes\n")


if __name__ == "__main__":
    main()
