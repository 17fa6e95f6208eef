"""The part of a long piece that a few bars depend on, so that they cost no more in a longer one."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from musegen.analysis.label import label
from musegen.io.notation import bars
from musegen.score import Metre, Note, Part, Score

__all__ = ["excerpt", "labelled", "spliced"]

WHOLE = 64  # bars of a piece that is taken as a whole
BEFORE, AFTER = 16, 8  # bars around the span that are taken of a longer one

Span = tuple[Fraction, Fraction]


def excerpt(score: Score, span: Span) -> Score:
    """A piece without the notes that lie far from a span of quarter notes; time is as it was."""
    found = bars(score)
    if len(found) <= WHOLE:
        return score
    inside = [place for place, bar in enumerate(found) if bar.onset < span[1] and span[0] < bar.end]
    first, last = found[max(0, inside[0] - BEFORE)], found[min(len(found), inside[-1] + AFTER) - 1]
    start, end = first.onset, last.end
    return replace(
        score,
        parts=tuple(
            Part(part.name, tuple(note for note in part.notes if start <= note.onset < end))
            for part in score.parts
        ),
        chords=tuple(each for each in score.chords if start <= each.onset < end),
        cadences=tuple(each for each in score.cadences if start <= each.onset < end),
        phrase_ends=tuple(each for each in score.phrase_ends if start < each <= end),
    )


def labelled(score: Score) -> Score:
    """A piece, or an excerpt of one, with its chords named."""
    if score.chords:
        return score
    start = min(part.notes[0].onset for part in score.parts if part.notes)
    named = label(_moved(score, -start)) if start else label(score)
    return replace(
        score,
        chords=tuple(replace(each, onset=each.onset + start) for each in named.chords),
        cadences=tuple(replace(each, onset=each.onset + start) for each in named.cadences),
        phrase_ends=tuple(each + start for each in named.phrase_ends),
    )


def _moved(score: Score, shift: Fraction) -> Score:
    """An excerpt that begins so much earlier, at 0, with the upbeat that it then has."""
    start = -shift
    bar = next(each for each in bars(score) if each.onset <= start < each.end)
    metre = score.metre_at(start)
    later = [Metre(each.beats, each.unit, each.onset - start) for each in score.metres]
    return replace(
        score,
        parts=tuple(
            Part(part.name, tuple(_note_moved(note, shift) for note in part.notes))
            for part in score.parts
        ),
        metres=(Metre(metre.beats, metre.unit), *(each for each in later if each.onset > 0)),
        upbeat=bar.end - start if bar.onset < start else Fraction(0),
        phrase_ends=(),
    )


def _note_moved(note: Note, shift: Fraction) -> Note:
    return replace(note, onset=note.onset + shift)


def spliced(whole: Score, seen: Score, made: Score) -> Score:
    """A piece in which an excerpt is replaced by another version of it.

    Args:
        whole: the piece.
        seen: the excerpt as it stood.
        made: the excerpt as it shall be.
    """
    if seen.parts == whole.parts:
        return made
    parts = []
    for old, gone, new in zip(whole.parts, seen.parts, made.parts, strict=True):
        taken = set(gone.notes)
        kept = (note for note in old.notes if note not in taken)
        parts.append(Part(old.name, tuple(sorted((*kept, *new.notes), key=lambda n: n.onset))))
    return replace(made, parts=tuple(parts), phrase_ends=whole.phrase_ends)
