"""A score as plain text, a line for each bar of each voice, so that two versions can be held together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import unified_diff
from fractions import Fraction

from musegen.io.notation import Bar, Piece, bars, pieces
from musegen.score import Score

__all__ = ["score_diff", "score_lines"]

LETTERS = {Fraction(4, 2**place): letter for place, letter in enumerate("whqest")}
DOTTED = {length * Fraction(3, 2): f"{letter}." for length, letter in LETTERS.items()}


def score_lines(score: Score) -> list[str]:
    """The notes of a score, voice by voice in each bar: `bar 5 alto: E4:q F4:e r:e G4:h~`.

    Lengths are those of `musegen.motive.read_theme`; `~` ties a note to the next.
    """
    within = bars(score)
    lines = [pieces(score, part, within, ()) for part in range(len(score.parts))]
    return [
        f"bar {bar.number} {part.name}: {' '.join(_tokens(line, bar))}"
        for bar in within
        for part, line in zip(score.parts, lines, strict=True)
    ]


def _tokens(line: Sequence[Piece], bar: Bar) -> Iterator[str]:
    for piece in line:
        if bar.onset <= piece.onset < bar.end:
            name = "r" if piece.note is None else piece.note.pitch.name
            length = LETTERS.get(piece.duration) or DOTTED.get(piece.duration)
            yield f"{name}:{length or piece.duration}{'~' if piece.tied_to else ''}"


def score_diff(before: Score, after: Score, names: tuple[str, str]) -> str:
    """What differs between two versions as a unified diff without context; empty if nothing does."""
    lines = unified_diff(score_lines(before), score_lines(after), *names, n=0, lineterm="")
    return "".join(f"{line}\n" for line in lines if not line.startswith("@@"))
