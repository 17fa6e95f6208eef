"""What an exercise asks of a piece besides its rules: that what was given stays, that figures are played.

An item lists it in `facts`, as `asked`: names of the table `FEATURES` with their points, `kept=4
wanted=6`. The rules are marked first, by the rubric; a feature that measures how much of the work is
done, such as `wanted`, scales what they give: who writes nothing makes no error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from musegen.errors import ScoreError
from musegen.exercises.grading.graded import Clause, Graded
from musegen.exercises.grading.observe import Observed
from musegen.exercises.grading.score_grader import Marked, mark, score_part
from musegen.exercises.grading.voice_text import read_voices
from musegen.exercises.item import Answer, Item, Text
from musegen.score import Note
from musegen.slices import sounding
from theory_kb.moment import TICKS
from theory_kb.pitch import PitchClass
from theory_kb.rules.dissonance import SUSPENSIONS, NonChordTone, non_chord_tones
from theory_kb.thoroughbass import Figures, completed, tones

__all__ = ["KINDS", "Seen", "asked_marked", "asked_points", "grade_asked", "wanted_words"]

SEEN = ("graded", "partial")


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as the rules saw it, and what was asked."""

    item: Item
    observed: Observed

    @property
    def lines(self) -> tuple[tuple[Note, ...], ...]:
        """The notes of each voice, high to low."""
        return tuple(part.notes for part in self.observed.score.parts)

    def bar_of(self, onset: Fraction) -> int:
        """Number of the bar that a time lies in."""
        return self.observed.score.bar_and_beat(onset)[0]

    def fact(self, name: str) -> str:
        """A fact of the item; raises ScoreError where it has none of that name."""
        if name not in self.item.facts:
            raise ScoreError("facts", f"{name!r} is missing")
        return self.item.facts[name]


Outcome = tuple[
    Fraction, Text
]  # share of what was asked that is there, and what is said if not all


def grade_asked(item: Item, answer: Answer) -> Graded:
    """Grade an answer by its rubric and by what is asked besides.

    Raises:
        as `musegen.exercises.grading.score_grader.grade_score`, and ScoreError for facts that cannot
        be read.
    """
    return asked_marked(item, mark(item, answer)).graded


def asked_marked(item: Item, marked: Marked) -> Marked:
    """A score that was marked by the rules, marked by what is asked besides as well."""
    if marked.observed is None or marked.graded.status not in SEEN:
        return replace(marked, graded=replace(marked.graded, most=Fraction(item.points)))
    seen = Seen(item, marked.observed)
    graded, done, clauses = marked.graded, Fraction(1), []
    for name, points in asked_points(item.facts).items():
        feature = FEATURES[name]
        share, said = feature.look(seen)
        most = Fraction(points)
        clauses.append(
            Clause(name, score_part(item).id, "", most * share, most, said if share < 1 else None)
        )
        done = min(done, share) if feature.measures else done
    return replace(marked, graded=graded.with_clauses(clauses).in_part(done))


def asked_points(facts: Mapping[str, str]) -> dict[str, int]:
    """What an item asks for besides its rules, with the points of each; raises ScoreError."""
    found = {}
    for word in facts.get("asked", "").split():
        name, _, points = word.partition("=")
        if name not in FEATURES or not points.isdecimal():
            allowed = ", ".join(FEATURES)
            raise ScoreError("facts, asked", f"must be such as kept=4, of {allowed}; got {word!r}")
        found[name] = int(points)
    return found


# --- what was given stays -------------------------------------------------------------------


def _plain(seen: Seen) -> list[tuple[Note, ...]]:
    """The voices that were to be decorated, by voice; a note a slot."""
    task = seen.observed.task
    parts = {each.name: each.notes for each in task.parts(read_voices(seen.fact("plain"), "facts"))}
    return [parts.get(name, ()) for name in task.voices]


def _kept(seen: Seen) -> Outcome:
    """Whether each given note sounds in its voice, if need be after an accented tone that delays it."""
    wrong, count = [], 0
    delayed = {
        (each.voice, Fraction(_onset(seen, each), TICKS)) for each in _tones(seen) if each.accented
    }
    for voice, plain in enumerate(_plain(seen)):
        for note in plain:
            count += 1
            if not _stays(seen.lines[voice], note, late=(voice, note.onset) in delayed):
                wrong.append(note)
    if not wrong:
        return Fraction(1), Text("", "")
    first = min(wrong, key=lambda note: note.onset)
    said = Text(
        f"{len(wrong)} given notes are gone, the first is {first.pitch} in bar {seen.bar_of(first.onset)}",
        f"缺少 {len(wrong)} 个给定音，首个为第 {seen.bar_of(first.onset)} 小节的 {first.pitch}",
    )
    return 1 - Fraction(len(wrong), count), said


def _stays(line: Sequence[Note], note: Note, *, late: bool) -> bool:
    here = sounding(line, note.onset)
    if here is not None and here.pitch == note.pitch:
        return True
    inside = [each for each in line if note.onset < each.onset < note.end]
    return late and any(each.pitch == note.pitch for each in inside)


# --- tones of a kind ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A kind of decoration that may be asked for."""

    name: Text
    plural: Text
    count: Callable[[Seen], int]


def _tones(seen: Seen) -> tuple[NonChordTone, ...]:
    return non_chord_tones(seen.observed.piece)


def _onset(seen: Seen, tone: NonChordTone) -> int:
    return int(seen.observed.piece.surface["onset"][tone.moment])


def _of_kind(*kinds: str) -> Callable[[Seen], int]:
    return lambda seen: sum(each.kind in kinds for each in _tones(seen))


def _chained(seen: Seen) -> int:
    """Suspensions of the longest chain: in one voice, each prepared by the resolution of the one before."""
    found = [each for each in _tones(seen) if each.kind in SUSPENSIONS]
    longest = run = 1 if found else 0
    for one, other in pairwise(found):
        joined = one.voice == other.voice and one.resolution == other.tone.start
        run = run + 1 if joined else 1
        longest = max(longest, run)
    return longest


PASSING = ("nct-passing", "nct-accented-passing", "nct-chromatic-passing")
KINDS: Mapping[str, _Wanted] = {
    "passing": _Wanted(
        Text("passing tone", "经过音"), Text("passing tones", "经过音"), _of_kind(*PASSING)
    ),
    "neighbour": _Wanted(
        Text("neighbour tone", "辅助音"),
        Text("neighbour tones", "辅助音"),
        _of_kind("nct-neighbor", "nct-double-neighbor"),
    ),
    "suspension": _Wanted(
        Text("suspension", "延留音"), Text("suspensions", "延留音"), _of_kind(*SUSPENSIONS)
    ),
    "chain": _Wanted(
        Text("suspension in a chain", "连锁延留音"),
        Text("suspensions in a chain in one voice", "同一声部的连锁延留音"),
        _chained,
    ),
}


def _asked_kinds(text: str) -> dict[str, int]:
    """Kinds and how many of each, from `passing=2 suspension=1`; raises ScoreError."""
    found = {}
    for word in text.split():
        name, _, count = word.partition("=")
        if name not in KINDS or not count.isdecimal():
            allowed = ", ".join(KINDS)
            raise ScoreError(
                "facts, wanted", f"must be such as passing=2, of {allowed}; got {word!r}"
            )
        found[name] = int(count)
    return found


def wanted_words(text: str) -> Text:
    """What `passing=2 suspension=1` asks for, in words; raises ScoreError."""
    words = [
        (KINDS[name].name if count == 1 else KINDS[name].plural, count)
        for name, count in _asked_kinds(text).items()
    ]
    *first, last = (f"{count} {name.en}" for name, count in words)
    listed = f"{', '.join(first)} and {last}" if first else last
    return Text(listed, "、".join(f"{count} 个{name.zh}" for name, count in words))


def _wanted(seen: Seen) -> Outcome:
    """The share of the tones asked for that are there."""
    asked = _asked_kinds(seen.fact("wanted"))
    came = {name: min(count, KINDS[name].count(seen)) for name, count in asked.items()}
    missing = " ".join(
        f"{name}={asked[name] - came[name]}" for name in asked if came[name] < asked[name]
    )
    share = Fraction(sum(came.values()), sum(asked.values()))
    words = wanted_words(missing) if missing else Text("", "")
    return share, Text(f"still to be added: {words.en}", f"尚缺：{words.zh}")


# --- figures --------------------------------------------------------------------------------


def _figured(seen: Seen) -> Outcome:
    """The share of the figures whose notes, and no others, sound above the bass at their time."""
    signature = seen.observed.task.key.signature
    *upper, bass = seen.lines
    wrong: list[tuple[Fraction, str]] = []
    rows = [word.partition("=") for word in seen.fact("figures").split()]
    for time, _, text in rows:
        onset = Fraction(time)
        low = sounding(bass, onset)
        sounds = {note.pitch.pitch_class for line in upper if (note := sounding(line, onset))}
        if low is None or not _realised(text, low.pitch.pitch_class, signature, sounds):
            wrong.append((onset, text))
    if not wrong:
        return Fraction(1), Text("", "")
    onset, text = wrong[0]
    said = Text(
        f"{len(wrong)} figures are not played as written, the first is {text} in bar {seen.bar_of(onset)}",
        f"{len(wrong)} 处数字未按谱奏出，首处为第 {seen.bar_of(onset)} 小节的 {text}",
    )
    return 1 - Fraction(len(wrong), len(rows)), said


def _realised(text: str, bass: PitchClass, signature: int, sounds: set[PitchClass]) -> bool:
    written = Figures.parse(text).written
    asked = tones(completed(written), bass, signature)
    named = {asked[number] for number in written}
    return bool(sounds) and named <= sounds <= {*asked.values()}


# --- the table ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Feature:
    """Something that is asked for."""

    look: Callable[[Seen], Outcome]
    measures: bool = False  # how much of the work is done


FEATURES: Mapping[str, _Feature] = {
    "kept": _Feature(_kept),
    "wanted": _Feature(_wanted, measures=True),
    "figures": _Feature(_figured),
}
