"""Grading of canons and of parts that change places: exact imitation, and clean wherever they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from musegen.errors import ScoreError
from musegen.exercises.grading.graded import Clause, Graded
from musegen.exercises.grading.score_grader import Marked, mark, score_part
from musegen.exercises.grading.typed import grade_typed
from musegen.exercises.grading.voice_text import write_line
from musegen.exercises.item import Answer, Item, Text
from musegen.exercises.metres import metre_of
from musegen.score import Note
from theory_kb.imitation import exchanged, imitated, mirrored
from theory_kb.pitch import Key, Pitch

__all__ = [
    "Follower",
    "canon_marked",
    "exchange_marked",
    "followed",
    "followers_of",
    "follows",
    "grade_canon",
    "grade_invertible",
]

EXACT = Fraction(10)  # points of the imitation
SEEN = ("graded", "partial")


@dataclass(frozen=True, slots=True)
class Follower:
    """How a voice follows the leader of a canon; as text `Follower=-7:4:copy`."""

    name: str
    steps: int  # staff steps from the leader
    delay: Fraction  # quarter notes
    how: str  # copy, mirror or augment

    def __str__(self) -> str:
        return f"{self.name}={self.steps}:{self.delay}:{self.how}"

    @classmethod
    def parse(cls, text: str) -> Follower:
        """Read one; raises ScoreError."""
        name, _, rest = text.partition("=")
        words = rest.split(":")
        if len(words) != 3 or words[2] not in WAYS or not words[0].lstrip("-").isdecimal():
            raise ScoreError("facts, canon", f"must be such as Follower=-7:4:copy, got {text!r}")
        return cls(name, int(words[0]), Fraction(words[1]), words[2])


WAYS = {"copy": 1, "mirror": 1, "augment": 2}  # and how many times as long its notes are


def followers_of(item: Item) -> list[Follower]:
    """The followers that the facts of an item name."""
    return [Follower.parse(each) for each in item.facts["canon"].split()]


def followed(line: Sequence[Pitch], follower: Follower, key: Key) -> tuple[Pitch, ...]:
    """The notes of a leader as a follower has them."""
    turned = mirrored(line, key, line[0]) if follower.how == "mirror" and line else tuple(line)
    return imitated(turned, key, follower.steps)


def follows(
    leader: Sequence[Note], follower: Follower, key: Key, end: Fraction
) -> tuple[Note, ...]:
    """What a follower owes, up to the end of the piece; its last note may be cut there."""
    scale = WAYS[follower.how]
    pitches = followed([note.pitch for note in leader], follower, key)
    owed = [
        Note(follower.delay + scale * note.onset, scale * note.duration, pitch)
        for note, pitch in zip(leader, pitches, strict=True)
    ]
    return tuple(
        replace(note, duration=min(note.duration, end - note.onset))
        for note in owed
        if note.onset < end
    )


# --- canons ---------------------------------------------------------------------------------


def grade_canon(item: Item, answer: Answer) -> Graded:
    """Grade a canon: half its points for counterpoint, half for how exactly it is followed.

    Raises:
        as `musegen.exercises.grading.score_grader.grade_score`, and ScoreError for facts that name no
        follower.
    """
    return canon_marked(item, mark(item, answer)).graded


def canon_marked(item: Item, marked: Marked) -> Marked:
    """A score that was marked by the rules, marked as a canon as well."""
    if marked.observed is None or marked.graded.status not in SEEN:
        return replace(marked, graded=replace(marked.graded, most=Fraction(item.points)))
    parts = {part.name: part.notes for part in marked.observed.score.parts}
    followers = followers_of(item)
    share = EXACT / len(followers)
    end, key = Fraction(item.facts["length"]), Key.parse(item.key)
    clauses = [_followed(item, parts, each, key, end, share) for each in followers]
    written = sum(note.duration for note in parts.get("Leader", ()))
    return replace(marked, graded=marked.graded.in_part(written / end).with_clauses(clauses))


def _followed(
    item: Item,
    parts: dict[str, tuple[Note, ...]],
    follower: Follower,
    key: Key,
    end: Fraction,
    most: Fraction,
) -> Clause:
    owed = follows(parts.get("Leader", ()), follower, key, end)
    came = parts.get(follower.name, ())
    right = sum(note in came for note in owed)
    count = max(len(owed), len(came), 1)
    wrong = [note for note in owed if note not in came]
    bar = metre_of(item.facts["metre"]).bar
    said = None
    if right < count:
        where = int(wrong[0].onset // bar) + 1 if wrong else int(came[-1].onset // bar) + 1
        said = Text(
            f"{follower.name}: {right} of {count} notes follow the leader; look at bar {where}",
            f"{follower.name}：{count} 个音中 {right} 个与主导声部一致；见第 {where} 小节",
        )
    return Clause("imitation", score_part(item).id, follower.name, most * right / count, most, said)


# --- parts that change places ---------------------------------------------------------------


def grade_invertible(item: Item, answer: Answer) -> Graded:
    """Grade a part that is to change places with a given one; typed answers as others are.

    Raises:
        as `musegen.exercises.grading.score_grader.grade_score`.
    """
    if not any(part.form == "score" for part in item.ask):
        return grade_typed(item, answer)
    return exchange_marked(item, mark(item, answer)).graded


def exchange_marked(item: Item, marked: Marked) -> Marked:
    """A score that was marked as it stands, marked with its parts exchanged as well."""
    if marked.observed is None or marked.graded.status not in SEEN:
        return replace(marked, graded=replace(marked.graded, most=Fraction(item.points)))
    at = int(item.facts["invert"])
    other = mark(_turned(item), {score_part(item).id: _exchanged(item, marked, at)}).graded
    clauses = [
        replace(each, id="exchanged", said=each.said and _when(each.said, at))
        for each in other.clauses
    ]
    upper, lower = (sum(n.duration for n in part.notes) for part in marked.observed.score.parts)
    share = Fraction(lower, upper) if upper else Fraction(0)
    inside = replace(other, clauses=tuple(clauses)).in_part(share).clauses
    return replace(marked, graded=marked.graded.in_part(share).with_clauses(inside))


def _when(said: Text, at: int) -> Text:
    return Text(f"inverted at the {at}th: {said.en}", f"{at} 度转位后：{said.zh}")


def _exchanged(item: Item, marked: Marked, at: int) -> str:
    """Both parts as text, the lower one above."""
    assert marked.observed is not None, "the caller has looked"
    upper, lower = marked.observed.score.parts
    key, bar = Key.parse(item.key), metre_of(item.facts["metre"]).bar
    rows = exchanged([n.pitch for n in upper.notes], [n.pitch for n in lower.notes], key, at)
    lines = (
        [replace(note, pitch=pitch) for note, pitch in zip(lower.notes, rows[0], strict=True)],
        [replace(note, pitch=pitch) for note, pitch in zip(upper.notes, rows[1], strict=True)],
    )
    names = (lower.name, upper.name)
    return "\n".join(
        f"{name}: {write_line(line, bar)}" for name, line in zip(names, lines, strict=True)
    )


def _turned(item: Item) -> Item:
    """The exercise with its voices the other way up and nothing given."""
    voices = " ".join(reversed(item.facts["voices"].split()))
    facts = {name: value for name, value in item.facts.items() if name != "given"}
    return replace(item, facts={**facts, "voices": voices})
