"""Imitation: the answer of a fugue subject, lines moved within a key, parts that change places.

Pure functions on spelled pitches. An answer is real where the whole subject moves to the dominant,
tonal where its head exchanges 1 and 5, or where what has turned to the dominant returns home.
Sources: Prout, Fugue (1891), III and IV; Prout, Double Counterpoint and Canon (1891), II to V.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

from theory_kb.errors import MusegenError
from theory_kb.pitch import MODES, Interval, Key, Pitch, PitchClass

__all__ = [
    "HEAD",
    "INVERSIONS",
    "UP_A_FIFTH",
    "UP_A_FOURTH",
    "FugueAnswer",
    "ImitationError",
    "answering_shifts",
    "degree_of",
    "exchanged",
    "fugue_answer",
    "fugue_answers",
    "head_length",
    "imitated",
    "inverted_interval",
    "mirrored",
    "moved_in_key",
    "turning_place",
]

HEAD = 4  # notes within which a leap between 1 and 5 belongs to the head
UP_A_FIFTH, UP_A_FOURTH = 4, 3  # staff steps
TONIC, MEDIANT, SUBDOMINANT, DOMINANT, SEVENTH = 0, 2, 3, 4, 6  # degrees by letter
FIFTH, FOURTH, OCTAVE = Interval(4, 7), Interval(3, 5), Interval(7, 12)
EXACT = {UP_A_FIFTH: FIFTH, UP_A_FOURTH: FOURTH}
INVERSIONS = {8: 7, 10: 9, 12: 11}  # staff steps by which parts change places
RAISED_FOURTH = 6  # fifths above the tonic: the leading tone of the dominant

Mutation = Literal["", "head", "turn"]


class ImitationError(MusegenError):
    """A line that cannot be imitated as was asked."""


# --- the answer of a fugue subject ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FugueAnswer:
    """The answer to a subject."""

    pitches: tuple[Pitch, ...]
    mutations: tuple[Mutation, ...]  # of each note that moves up a fourth, why; else empty

    @property
    def kind(self) -> Literal["real", "tonal"]:
        """Real where every note moves alike."""
        return "tonal" if any(self.mutations) else "real"


def fugue_answer(
    subject: Sequence[Pitch], key: Key, *, below: bool = False, turn: int | None = None
) -> FugueAnswer:
    """The answer of a subject in a key.

    Notes move up an exact fifth. In the head 5 is answered by 1 and 7, the third of V, by 3, both
    an exact fourth up; so is what stands in the dominant at the end of a subject that modulates.

    Args:
        subject: its notes.
        key: of the subject at its beginning.
        below: whether the answer lies an octave lower, so a fourth or a fifth below.
        turn: place of the first note that stands in the dominant; None: found by its leading tone.

    Raises:
        ImitationError: there is no note, or no such place.
    """
    if not subject:
        raise ImitationError("a subject has one note or more, got none")
    if turn is not None and not 0 <= turn <= len(subject):
        raise ImitationError(f"turn must be from 0 to {len(subject)}, got {turn}")
    degrees = [degree_of(pitch, key) for pitch in subject]
    last = turning_place(subject, key) if turn is None else turn
    shifts = [*_head_shifts(degrees[: head_length(degrees)])]
    shifts += [UP_A_FIFTH] * (len(subject) - len(shifts))
    shifts[last:] = [UP_A_FOURTH] * (len(subject) - last)
    down = -OCTAVE if below else Interval(0, 0)
    pitches = [p + EXACT[shift] + down for p, shift in zip(subject, shifts, strict=True)]
    return FugueAnswer(
        tuple(pitches),
        tuple(
            "" if shift == UP_A_FIFTH else "turn" if place >= last else "head"
            for place, shift in enumerate(shifts)
        ),
    )


def fugue_answers(
    subject: Sequence[Pitch], key: Key, *, below: bool = False
) -> tuple[tuple[Pitch, ...], ...]:
    """All answers that a subject may have, that of `fugue_answer` first.

    A note of the head that is neither 1, 3, 5 nor 7 may go either way, and a subject that modulates
    may be led home next to any 1 or 5 before the leading tone of the dominant.

    Args:
        subject: its notes.
        key: of the subject at its beginning.
        below: whether the answers lie an octave lower.

    Raises:
        ImitationError: there is no note.
    """
    first = fugue_answer(subject, key, below=below)
    degrees = [degree_of(pitch, key) for pitch in subject]
    head = head_length(degrees)
    ways = [answering_shifts(each, inside=at < head) for at, each in enumerate(degrees)]
    down = -OCTAVE if below else Interval(0, 0)
    found = {first.pitches: None}
    for turn in _turning_places(subject, key, max(head, 1)):
        rows = [each if at < turn else (UP_A_FOURTH,) for at, each in enumerate(ways)]
        for shifts in product(*rows):
            moved = (p + EXACT[shift] + down for p, shift in zip(subject, shifts, strict=True))
            found[tuple(moved)] = None
    return tuple(found)


def _turning_places(subject: Sequence[Pitch], key: Key, head: int) -> list[int]:
    """Where a subject may be held to have turned to the dominant; its length, if it does not."""
    last = turning_place(subject, key)
    if last == len(subject):
        return [last]
    degrees = [degree_of(pitch, key) for pitch in subject]
    raised = next(
        at for at, p in enumerate(subject) if p.pitch_class == key.tonic.transposed(RAISED_FOURTH)
    )
    home = max((at for at in range(raised) if degrees[at] == SUBDOMINANT), default=-1)
    near = [
        at
        for at in range(max(head, home + 1), raised + 1)
        if {TONIC, DOMINANT} & {degrees[at - 1], degrees[at]}
    ]
    return sorted({last, *near})


def degree_of(pitch: Pitch, key: Key) -> int:
    """Degree of a note by its letter, 0 for the tonic to 6."""
    return (pitch.step - key.tonic.letter) % 7


def head_length(degrees: Sequence[int], most: int = HEAD) -> int:
    """How many notes of a subject belong to its head, 0 if it asks for a real answer.

    The head goes to the end of a leap between 1 and 5; else it is the 5 that begins it.

    Args:
        degrees: by letter, 0 for the tonic to 6.
        most: notes within which the leap must lie.
    """
    for place, pair in enumerate(pairwise(degrees[:most])):
        if set(pair) == {TONIC, DOMINANT}:
            return place + 2
    return next((at for at, each in enumerate(degrees) if each != DOMINANT), len(degrees))


def answering_shifts(degree: int, *, inside: bool) -> tuple[int, ...]:
    """Staff steps up that may answer a note.

    In the head 5 is answered by 1 and 7 by 3, but 1 by 5 and 3 by 7; the others may go either way.

    Args:
        degree: by letter, 0 for the tonic to 6.
        inside: whether the note belongs to the head.
    """
    if not inside:
        return (UP_A_FIFTH,)
    if degree in (DOMINANT, SEVENTH):
        return (UP_A_FOURTH,)
    return (UP_A_FIFTH,) if degree in (TONIC, MEDIANT) else (UP_A_FOURTH, UP_A_FIFTH)


def _head_shifts(degrees: Sequence[int]) -> list[int]:
    """One shift a note of the head; a note that may go either way keeps its distance to the last."""
    found: list[int] = []
    for degree in degrees:
        ways = answering_shifts(degree, inside=True)
        kept = found[-1] if found else UP_A_FIFTH
        found.append(kept if kept in ways else ways[0])
    return found


def turning_place(subject: Sequence[Pitch], key: Key) -> int:
    """Where a subject that ends in the dominant has turned to it; its length, if it has not.

    Such a subject ends on 5 or 7 and has had the leading tone of the dominant. It turns after the
    last 1 or 5 before that, unless the fourth degree of home comes later.
    """
    degrees = [degree_of(pitch, key) for pitch in subject]
    raised = key.tonic.transposed(RAISED_FOURTH)
    leads = [at for at, pitch in enumerate(subject) if pitch.pitch_class == raised]
    if not leads or degrees[-1] not in (DOMINANT, SEVENTH):
        return len(subject)
    before = degrees[: leads[0]]
    at_home = max((at for at, each in enumerate(before) if each == SUBDOMINANT), default=-1)
    pivots = [at for at, each in enumerate(before) if each in (TONIC, DOMINANT) and at > at_home]
    return pivots[-1] + 1 if pivots else leads[0]


# --- lines moved, turned upside down, exchanged ---------------------------------------------


def moved_in_key(pitch: Pitch, key: Key, steps: int) -> Pitch:
    """The pitch so many staff steps off within a key; its alteration against the key is kept."""
    here, there = _natural(pitch.step, key), _natural(pitch.step + steps, key)
    return Pitch(there.step, there.semitone + pitch.semitone - here.semitone)


def _natural(step: int, key: Key) -> Pitch:
    """The pitch of a staff step as the key signature has it."""
    fifths = {PitchClass(key.tonic.fifths + each).letter: each for each in MODES[key.mode]}
    return Pitch.of(key.tonic.transposed(fifths[step % 7]), step // 7)


def imitated(
    line: Sequence[Pitch], key: Key, steps: int, *, exact: Interval | None = None
) -> tuple[Pitch, ...]:
    """A line as the follower of a canon has it.

    Args:
        line: of the leader.
        key: that a diatonic canon stays in.
        steps: staff steps from leader to follower.
        exact: the interval of a strict canon, in place of the steps.
    """
    if exact is not None:
        return tuple(pitch + exact for pitch in line)
    return tuple(moved_in_key(pitch, key, steps) for pitch in line)


def mirrored(line: Sequence[Pitch], key: Key, axis: Pitch) -> tuple[Pitch, ...]:
    """A line in contrary motion within a key: what lay so many steps above the axis lies below.

    Args:
        line: to be turned upside down.
        key: that it stays in; alterations against it turn over too.
        axis: the note that stays where it is.
    """
    found = []
    for pitch in line:
        natural = _natural(2 * axis.step - pitch.step, key)
        bent = pitch.semitone - _natural(pitch.step, key).semitone
        found.append(Pitch(natural.step, natural.semitone - bent))
    return tuple(found)


def inverted_interval(number: int, at: int) -> int:
    """What an interval becomes when its parts change places: at the octave a third is a sixth.

    Args:
        number: of the interval, 1 for a unison; a negative one says that the parts have crossed.
        at: 8, 10 or 12.

    Returns:
        The number of the other; negative where the parts cross.

    Raises:
        ImitationError: no double counterpoint is at that interval, or 0 is no interval.
    """
    if number == 0:
        raise ImitationError("an interval is numbered from 1, got 0")
    steps = _exchange(at) - (number - 1 if number > 0 else number + 1)
    return steps + 1 if steps >= 0 else steps - 1


def _exchange(at: int) -> int:
    if at not in INVERSIONS:
        allowed = ", ".join(map(str, INVERSIONS))
        raise ImitationError(f"an interval of inversion is one of {allowed}, got {at}")
    return INVERSIONS[at]


def exchanged(
    upper: Sequence[Pitch], lower: Sequence[Pitch], key: Key, at: int
) -> tuple[tuple[Pitch, ...], tuple[Pitch, ...]]:
    """Two parts after they have changed places, the higher of the two rows first.

    The lower part goes up, at the octave exactly, at the tenth and twelfth within the key; the
    upper one stays and is now the lower.

    Raises:
        ImitationError: no double counterpoint is at that interval.
    """
    steps = _exchange(at)
    moved = imitated(lower, key, steps, exact=OCTAVE if at == 8 else None)
    return moved, tuple(upper)
