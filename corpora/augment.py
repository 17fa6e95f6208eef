"""Other versions of corpus pieces, for models that see absolute pitch or single lines.

Models of key-relative tokens gain nothing from transposition. Versions stay in the split of their
piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from corpora.corpus import CorpusPiece
from musegen.encoding import inverted, retrograde, transpositions
from musegen.score import Part

__all__ = ["augmented", "line_versions"]


def augmented(piece: CorpusPiece) -> tuple[CorpusPiece, ...]:
    """The piece and its spelled transpositions within the voices' ranges."""
    return tuple(replace(piece, score=score) for score in transpositions(piece.score))


def line_versions(part: Part) -> Iterator[Part]:
    """A line, its inversion about its first note, its retrograde, and both at once.

    For models of single lines: intervals are kept, harmony and phrase ends are not.
    """
    if not part.notes:
        yield part
        return
    upside_down = inverted(part, part.notes[0].pitch)
    yield from (part, upside_down, retrograde(part), retrograde(upside_down))
