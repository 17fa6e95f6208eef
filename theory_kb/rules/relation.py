"""What a stretch of a tune does with an earlier one: repeat, vary, sequence, turn upside down.

The relations are those of `thematic-relation` in the knowledge base. Each is measured as the share,
from 0 to 1, of the notes (or of the moves from note to note) that both have once one of them is
transformed, and the same bounds hold as for the rules on form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from theory_kb.pitch import Interval
from theory_kb.rules.material import RECOGNISABLE, SAME, Tune, intervals, places, shared

__all__ = ["Relation", "head_of", "relation"]

FEWEST = 3  # notes from which a transformed shape is more than chance
MOVED = 2 / 3  # share of notes moved by one interval that makes an altered sequence
OCTAVE = 7  # steps

Places = set[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Relation:
    """How a stretch is related to an earlier one."""

    kind: str  # id of a thematic relation; contrast if there is none
    share: float  # of the notes or moves that agree, 0 to 1
    rhythm: float  # share of attacks at the same distances, 0 to 1
    steps: int = 0  # staff steps up, of a sequence
    interval: Interval | None = None  # of a real sequence; None if it keeps to the scale


def relation(first: Tune, second: Tune, *, fewest: int = FEWEST) -> Relation:
    """The closest relation of two stretches; the second comes later.

    A repetition counts before any other; what begins alike or has half of the notes is varied.

    Args:
        first: the model.
        second: what is made of it, or not.
        fewest: notes that a sequence has; fewer say something only as a part of more.
    """
    rhythm = shared(set(first.offsets), set(second.offsets))
    same = shared(places(first), places(second))
    if same >= SAME:
        return Relation("repeat", same, rhythm)
    steps, interval, moved = _moved(first, second)
    if moved >= SAME and len(second.notes) >= fewest:
        return Relation("sequence", moved, rhythm, steps, interval)
    kind, share = _transformed(first, second)
    if share >= SAME:
        return Relation(kind, share, rhythm)
    head = _heads(first, second)
    if same >= RECOGNISABLE or head >= SAME:
        return Relation("vary", same, rhythm)
    if moved >= MOVED and len(second.notes) > fewest:
        return Relation("sequence", moved, rhythm, steps, interval)
    return Relation("contrast", same, rhythm)


def head_of(line: Tune, ticks: int) -> Tune:
    """What a tune begins before a time."""
    count = sum(at < ticks for at in line.offsets)
    return Tune(line.offsets[:count], line.notes[:count])


def _heads(first: Tune, second: Tune) -> float:
    """Likeness of the first halves."""
    if min(len(first.notes), len(second.notes)) < 2 * FEWEST:
        return 0.0
    middle = max(first.offsets[-1], second.offsets[-1]) // 2
    one, other = head_of(first, middle), head_of(second, middle)
    enough = min(len(one.notes), len(other.notes)) >= FEWEST
    return shared(places(one), places(other)) if enough else 0.0


def _moved(first: Tune, second: Tune) -> tuple[int, Interval | None, float]:
    """The steps by which most notes are moved, the exact interval if it is one, and their share."""
    here = dict(zip(*first, strict=True))
    pairs = [(here[at], note) for at, note in zip(*second, strict=True) if at in here]
    counts = Counter(after.step - before.step for before, after in pairs)
    moves = [steps for steps in counts if steps % OCTAVE]
    if not moves:
        return 0, None, 0.0
    steps = min(moves, key=lambda each: (-counts[each], abs(each), each))
    exact = {b.semitone - a.semitone for a, b in pairs if b.step - a.step == steps}
    interval = Interval(steps, exact.pop()) if len(exact) == 1 else None
    return steps, interval, counts[steps] / max(len(first.notes), len(second.notes))


# --------------------------------------------------------------------------- turned and stretched


def _shape(line: Tune) -> Places:
    return places(line, shape=True)


def _backwards(line: Tune) -> Places:
    """The moves of a tune from its end to its beginning, counted from there."""
    ends = [at + note.ticks for at, note in zip(*line, strict=True)]
    offsets = [ends[-1] - end for end in reversed(ends)]
    return set(zip(offsets[1:], intervals(line.notes[::-1]), strict=True))


TRANSFORMS: Mapping[str, Callable[[Tune], Places]] = {
    "invert": lambda line: {(at, -move) for at, move in _shape(line)},
    "retrograde": _backwards,
    "augment": lambda line: {(2 * at, move) for at, move in _shape(line)},
    "diminish": lambda line: {(at // 2, move) for at, move in _shape(line) if at % 2 == 0},
}


def _transformed(first: Tune, second: Tune) -> tuple[str, float]:
    """The transformation of the first whose moves the second has best, and the share of them.

    Of few notes, or of moves that are all alike, nobody could tell.
    """
    if min(len(first.notes), len(second.notes)) <= FEWEST or len(set(intervals(first.notes))) < 2:
        return "", 0.0
    found = _shape(second)
    shares = {kind: shared(turn(first), found) for kind, turn in TRANSFORMS.items()}
    best = max(shares, key=lambda kind: shares[kind])
    return best, shares[best]
