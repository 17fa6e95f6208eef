"""Exercises in imitation: canons, and parts that change places, note against note.

Lines are found by search: note by note, with what the followers make of it, each sonority and each
move held against the rules of the rubric, the finished piece once more as the grader will.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np

from musegen.exercises.distractors import Wrong
from musegen.exercises.grading.imitation import Follower, followed, follows
from musegen.exercises.grading.observe import Observed, observe
from musegen.exercises.grading.rubric import load_rubric, rubric_style
from musegen.exercises.grading.task import Task
from musegen.exercises.grading.voice_text import write_line
from musegen.exercises.item import Ask, Draft, Given, Solutions, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, draft_of, draw_key, filled
from musegen.exercises.makers.score_drafts import SCORE
from musegen.exercises.makers.showing import shown_begun
from musegen.exercises.names import key_text
from musegen.io.examples import Example
from musegen.score import Metre, Note
from theory_kb.imitation import exchanged, inverted_interval
from theory_kb.pitch import Key, Pitch
from theory_kb.thoroughbass import scale_tone

__all__ = ["invert_parts", "write_canon"]

RUBRIC = "imitation"
HALF = Fraction(2)  # quarter notes of each note
COMMON = Metre(4, 4)
SHORT = {1: 4.0, 2: 1.0, 3: 0.5, 4: 0.3}  # weight of a move by so many staff steps
FAR = 6  # staff steps that a line may leave its first note
MOST_LOOKED_AT = 1500  # notes tried, before a search is given up
Column = tuple[Pitch | None, ...]  # what sounds at a time, high to low
Lines = Sequence[Sequence[Note]]
Pair = tuple[tuple[Pitch, ...], tuple[Pitch, ...]]  # upper and lower part


# --- what the rules say ---------------------------------------------------------------------


def _task(key: Key, voices: Sequence[str], cantus: str) -> Task:
    """An exercise as the rules see it: every other voice is of the first species."""
    place = voices.index(cantus)
    species = {voice: 1 for voice in range(len(voices)) if voice != place}
    return Task(
        "", key, tuple(voices), (), ((),) * len(voices), metre=COMMON, unit=HALF, cantus=place,
        species=species,
    )  # fmt: skip


def _seen(key: Key, voices: Sequence[str], cantus: str, lines: Lines) -> Observed:
    task = _task(key, voices, cantus)
    return observe(task, task.score(lines), rubric_style(load_rubric(RUBRIC)))


@cache
def _allowed(key: Key, before: Column, now: Column) -> bool:
    """Whether voices may move so; a voice alone may do as it likes."""
    voices = [place for place, pitch in enumerate(now) if pitch is not None]
    if len(voices) < 2:
        return True
    lines = [_held([(Fraction(0), before[v]), (HALF, now[v])]) for v in voices]
    names = tuple(map(str, voices))
    return not _seen(key, names, names[-1], lines).defects


def _held(line: Sequence[tuple[Fraction, Pitch | None]]) -> tuple[Note, ...]:
    return tuple(Note(onset, HALF, pitch) for onset, pitch in line if pitch is not None)


# --- the search -----------------------------------------------------------------------------

Fits = Callable[[Sequence[Pitch]], bool]  # of a line up to its last note


def _lines(
    rng: np.random.Generator, key: Key, start: Sequence[Pitch], count: int, fits: Fits
) -> Iterator[tuple[Pitch, ...]]:
    """Lines of a key that fit at each note, in an order by chance; depth first."""
    left = [MOST_LOOKED_AT]

    def grow(line: tuple[Pitch, ...]) -> Iterator[tuple[Pitch, ...]]:
        if len(line) == count:
            yield line
            return
        for pitch in _next(rng, key, start, line):
            left[0] -= 1
            if left[0] < 0:
                return
            if fits((*line, pitch)):
                yield from grow((*line, pitch))

    return grow(())


def _next(
    rng: np.random.Generator, key: Key, start: Sequence[Pitch], line: Sequence[Pitch]
) -> list[Pitch]:
    """Notes that may come next, the likelier ones mostly first."""
    if not line:
        return [start[place] for place in rng.permutation(len(start))]
    here = line[-1].step
    steps = [
        here + sign * size
        for size in SHORT
        for sign in (1, -1)
        if abs(here + sign * size - line[0].step) <= FAR
    ]
    weights = np.array([SHORT[abs(step - here)] for step in steps])
    order = rng.choice(len(steps), size=len(steps), replace=False, p=weights / weights.sum())
    return [_in_key(key, steps[place]) for place in order]


def _in_key(key: Key, step: int) -> Pitch:
    return Pitch.of(scale_tone(step % 7, key.signature), step // 7)


# --- canons ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Canon:
    """A canon to be written."""

    key: Key
    followers: tuple[Follower, ...]
    count: int  # notes of the leader
    voices: tuple[str, ...]  # high to low

    def sounding(self, line: Sequence[Pitch], time: int) -> Column:
        """What sounds at the time of a note of the leader."""
        rows: dict[str, Pitch | None] = {"Leader": line[time]}
        for each in self.followers:
            late = time - int(each.delay / HALF)
            place = late // 2 if each.how == "augment" else late
            rows[each.name] = followed(line, each, self.key)[place] if late >= 0 else None
        return tuple(rows[name] for name in self.voices)

    def fits(self, line: Sequence[Pitch]) -> bool:
        """Whether the last note may stand."""
        time = len(line) - 1
        now = self.sounding(line, time)
        before = self.sounding(line, time - 1) if time else (None,) * len(now)
        last = time == self.count - 1
        return not (last and not self._closes(now)) and _allowed(self.key, before, now)

    def _closes(self, now: Column) -> bool:
        """Whether all that sounds is of the tonic chord."""
        return all(pitch is not None and _degree(self.key, pitch) in CHORD for pitch in now)


NAMES = {1: ("Follower",), 2: ("First", "Second")}
INTERVALS = {
    0: Text("unison", "同度"), -7: Text("octave below", "下方八度"), 7: Text("octave above", "上方八度"),
    -4: Text("fifth below", "下方五度"), 4: Text("fifth above", "上方五度"),
    -3: Text("fourth below", "下方四度"), -14: Text("two octaves below", "下方两个八度"),
}  # fmt: skip
HOW = {
    "copy": Text("", ""),
    "mirror": Text(" in contrary motion", "，倒影"),
    "augment": Text(" in augmentation", "，扩大"),
}


def write_canon(work: Work) -> Draft:
    """The opening of a leader: the rest of it, and its followers.

    Parameters: `followers` (rows of words `steps:delay:how`, the delay in notes), `notes` (of the
    leader), `given` (of them).
    """
    key = draw_key(work, most=3, modes=("major",))
    row = work.pick(work.params["followers"]).split()
    followers = tuple(
        Follower(name, int(steps), HALF * int(delay), how)
        for name, (steps, delay, how) in zip(
            NAMES[len(row)], (word.split(":") for word in row), strict=True
        )
    )
    canon = _Canon(key, followers, int(work.params["notes"]), _ordered(followers))
    lines = work.settle(lambda: _written(work, canon))
    return _canon_draft(work, canon, lines)


def _ordered(followers: Sequence[Follower]) -> tuple[str, ...]:
    """Names of the voices, high to low."""
    rows = [("Leader", 0), *((each.name, each.steps) for each in followers)]
    return tuple(name for name, _ in sorted(rows, key=lambda row: -row[1]))


def _written(work: Work, canon: _Canon) -> dict[str, tuple[Note, ...]]:
    """The voices of a canon that loses no point."""
    key = canon.key
    start = [_in_key(key, 32 + away) for away in range(-3, 4)]
    start = [p for p in start if (p.step - key.tonic.letter) % 7 in (0, 4)]
    end = HALF * canon.count
    for tried, line in enumerate(_lines(work.rng, key, start, canon.count, canon.fits)):
        leader = tuple(Note(HALF * at, HALF, pitch) for at, pitch in enumerate(line))
        lines = {"Leader": leader}
        lines |= {each.name: follows(leader, each, key, end) for each in canon.followers}
        rows = [lines[name] for name in canon.voices]
        if _moves(line) and not _seen(key, canon.voices, "Leader", rows).defects:
            return lines
        if tried > TRIES:
            break
    raise DiscardError("no canon without fault")


TRIES, LEAST_NOTES = 40, 4


def _moves(line: Sequence[Pitch]) -> bool:
    return len(set(line)) >= LEAST_NOTES


def _canon_draft(work: Work, canon: _Canon, lines: Mapping[str, tuple[Note, ...]]) -> Draft:
    key, given = canon.key, lines["Leader"][: int(work.params["given"])]
    opening = f"Leader: {write_line(given, COMMON.bar)}"
    model = "\n".join(f"{name}: {write_line(lines[name], COMMON.bar)}" for name in canon.voices)
    told = [_entering(each) for each in canon.followers]
    words: dict[str, str | Text] = {
        "key": key_text(key),
        "bars": str(int(HALF * canon.count / COMMON.bar)),
        "followers": Text("; ".join(each.en for each in told), "；".join(each.zh for each in told)),
        "entry": " ".join(note.pitch.name for note in lines[canon.followers[0].name][:2]),
        "next": " ".join(n.pitch.name for n in lines["Leader"][len(given) : len(given) + 2]),
        "answer": " / ".join(
            f"{name}: {' '.join(note.pitch.name for note in lines[name])}" for name in canon.voices
        ),
    }
    facts = {
        "voices": " ".join(canon.voices),
        "given": opening,
        "metre": "4/4",
        "unit": "2",
        "cantus": "Leader",
        "species": " ".join(f"{each.name}=1" for each in canon.followers),
        "canon": " ".join(map(str, canon.followers)),
        "length": str(HALF * canon.count),
    }
    staves = [(_clef(lines[name]), given if name == "Leader" else ()) for name in canon.voices]
    staff = Example((), key.signature, COMMON)
    shown = shown_begun(f"{key}: {opening}", staves, HALF * canon.count, staff)
    page = _Page(key, shown, model, canon.voices, "canon-strict")
    return _score_draft(work, page, words, facts)


def _entering(follower: Follower) -> Text:
    """Where, how and when a follower enters."""
    where, how = INTERVALS[follower.steps], HOW[follower.how]
    bars = int(follower.delay / COMMON.bar)
    return Text(
        f"{follower.name} at the {where.en}{how.en}, {bars} bar{'' if bars == 1 else 's'} later",
        f"{follower.name}：{where.zh}{how.zh}，晚 {bars} 小节",
    )


def _clef(line: Sequence[Note]) -> str:
    return "treble" if sum(note.pitch.step for note in line) >= 28 * len(line) else "bass"


@dataclass(frozen=True, slots=True)
class _Page:
    """What is shown and what is right."""

    key: Key
    given: Given
    model: str
    voices: tuple[str, ...]  # to be written
    rule: str


def _score_draft(
    work: Work, page: _Page, words: Mapping[str, str | Text], facts: Mapping[str, str]
) -> Draft:
    kind = work.kind
    label = Text("score", "乐谱")
    return Draft(
        key=page.key.name,
        given=page.given,
        ask=(Ask(SCORE, "score", "score", label, MOST_POINTS, voices=page.voices),),
        prompt=filled(kind.instruction, words),
        uniqueness="R",
        solutions=Solutions({SCORE: (page.model,)}),
        hints=tuple(filled(hint, words) for hint in kind.hints),
        why=filled(kind.why, words),
        rubric=kind.rubric,
        kg=(f"rule:{page.rule}",),
        facts=facts,
    )


MOST_POINTS = 20


# --- parts that change places ---------------------------------------------------------------

ORDINALS = {8: Text("octave", "八度"), 10: Text("tenth", "十度"), 12: Text("twelfth", "十二度")}
UPPER, LOWER = "Upper", "Lower"


def invert_parts(work: Work) -> Draft:
    """Two parts that change places: their intervals, what fails, or the lower one to be written.

    Parameters: `ask` (table, test or write), `at` (8, 10, 12), `notes`.
    """
    key = draw_key(work, most=3, modes=("major",))
    at = int(work.pick(work.params["at"]))
    upper, lower = work.settle(lambda: _parts(work, key, at))
    return ASKED[work.params["ask"]](work, key, at, (upper, lower))


def _parts(work: Work, key: Key, at: int) -> Pair:
    """Two lines that are clean together; exchanged as the question wants them."""
    count, ask = int(work.params["notes"]), work.params["ask"]
    above = [pitch for pitch in (_in_key(key, 34 + away) for away in range(-2, 5))
             if _degree(key, pitch) in CHORD]  # fmt: skip
    upper = next(_lines(work.rng, key, above, count, _Over(key, count).fits), None)
    if upper is None:
        raise DiscardError("no upper part")
    start = [_in_key(key, upper[0].step - away) for away in (2, 4, 5, 7, 9, 11)]
    fits = _Under(key, upper, at, exchanges=ask == "write").fits
    for tried, lower in enumerate(_lines(work.rng, key, start, count, fits)):
        pair = upper, lower
        if _moves(lower) and not _faulty(key, pair) and _wanted(ask, key, pair, at):
            return pair
        if tried > TRIES:
            break
    raise DiscardError("no two parts without fault")


CHORD = (0, 2, 4)  # degrees of the tonic chord, by letter
FAULTS: Mapping[str, range] = {  # how many notes may be faulty when the parts are exchanged
    "table": range(100),
    "test": range(1, 5),
    "write": range(1),
}


def _wanted(ask: str, key: Key, pair: Pair, at: int) -> bool:
    return len(_faulty(key, pair, at)) in FAULTS[ask]


def _degree(key: Key, pitch: Pitch) -> int:
    return (pitch.step - key.tonic.letter) % 7


@dataclass(frozen=True, slots=True)
class _Over:
    """An upper part: it moves, never twice by leap, and comes by step to the tonic chord."""

    key: Key
    count: int

    def fits(self, line: Sequence[Pitch]) -> bool:
        """Whether the last note may stand."""
        steps = [pitch.step for pitch in line[-3:]]
        sizes = [abs(after - before) for before, after in pairwise(steps)]
        closes = len(line) < self.count or (sizes[-1] == 1 and _degree(self.key, line[-1]) in CHORD)
        return 0 not in sizes and sum(size > 1 for size in sizes) < 2 and closes


@dataclass(frozen=True, slots=True)
class _Under:
    """A lower part under a given one."""

    key: Key
    upper: tuple[Pitch, ...]
    at: int  # number of the interval at which the parts may change places, and that they stay within
    exchanges: bool  # whether they must be clean then, too

    def fits(self, line: Sequence[Pitch]) -> bool:
        """Whether the last note may stand, as it is and exchanged."""
        time = len(line) - 1
        upper = self.upper[max(time - 1, 0) : time + 1]
        lower = line[max(time - 1, 0) :]
        if not 0 <= upper[-1].step - lower[-1].step < self.at:
            return False
        if len(line) == len(self.upper) and _degree(self.key, line[-1]) not in CHORD[:2]:
            return False
        ways = [(upper, lower)]
        if self.exchanges:
            ways.append(exchanged(upper, lower, self.key, self.at))
        for rows in ways:
            columns = list(zip(*rows, strict=True))
            before = columns[-2] if time else (None, None)
            if not _allowed(self.key, before, columns[-1]):
                return False
        return True


def _faulty(key: Key, pair: Pair, at: int = 0) -> list[int]:
    """Numbers of the notes at which two parts are faulty, as they are or exchanged."""
    voices, lines = (UPPER, LOWER), pair
    if at:
        voices, lines = (LOWER, UPPER), exchanged(*pair, key, at)
    seen = _seen(key, voices, UPPER, [_timed(line) for line in lines])
    return sorted({int(each.onset // HALF) + 1 for each in seen.defects})


def _timed(line: Sequence[Pitch]) -> tuple[Note, ...]:
    return _held([(HALF * at, pitch) for at, pitch in enumerate(line)])


def _told(key: Key, at: int, pair: Pair) -> dict[str, str | Text]:
    """What the sentences of the catalogue may name."""
    return {
        "key": key_text(key),
        "at": ORDINALS[at],
        "sum": str(at + 1),
        "upper": " ".join(map(str, pair[0])),
        "lower": " ".join(map(str, pair[1])),
        "exchanged": " / ".join(" ".join(map(str, line)) for line in exchanged(*pair, key, at)),
    }


def _shown_pair(key: Key, pair: Pair) -> Given:
    rows = [_timed(line) for line in pair]
    text = f"{key}: upper {' '.join(map(str, pair[0]))}; lower {' '.join(map(str, pair[1]))}"
    staves = [(_clef(row), row) for row in rows]
    return shown_begun(text, staves, HALF * len(pair[0]), Example((), key.signature, COMMON))


def _ask_table(work: Work, key: Key, at: int, pair: Pair) -> Draft:
    """The number of each interval after inversion."""
    numbers = [high.step - low.step + 1 for high, low in zip(*pair, strict=True)]
    answer = " ".join(str(inverted_interval(number, at)) for number in numbers)
    words = {
        **_told(key, at, pair),
        "task": Text("Give the number of each interval after the parts have changed places",
                     "写出两声部互换后各音程的度数"),
        "first": answer.split()[0],
        "answer": answer,
    }  # fmt: skip
    other = 12 if at == 8 else 8
    wrong = [
        Wrong(" ".join(str(at - number) for number in numbers), "D8"),
        Wrong(" ".join(str(inverted_interval(number, other)) for number in numbers), "D3"),
    ]
    part = Part((answer,), "numbers", Text("numbers", "度数"), wrong, len(numbers), form="text")
    return draft_of(work, _shown_pair(key, pair), part, words, key=key, kg=("rule:invertible-8ve",))


def _ask_test(work: Work, key: Key, at: int, pair: Pair) -> Draft:
    """At which notes the parts are faulty when they have changed places."""
    places = _faulty(key, pair, at)
    answer = " ".join(map(str, places))
    words = {
        **_told(key, at, pair),
        "task": Text("Number the notes from 1: at which does a fault come when the parts change places",
                     "各音从 1 起编号：两声部互换后哪些音处有错误"),
        "first": str(places[0]),
        "answer": answer,
    }  # fmt: skip
    wrong = [Wrong(str(place + 1), "D8") for place in places[:1] if place + 1 not in places]
    label = Text("numbers of the notes", "音的编号")
    part = Part((answer,), "number-set", label, wrong, len(places), form="text")
    return draft_of(work, _shown_pair(key, pair), part, words, key=key, kg=("rule:invertible-8ve",))


def _ask_write(work: Work, key: Key, at: int, pair: Pair) -> Draft:
    """The upper part is given: a lower one that may change places with it."""
    upper, lower = (_timed(line) for line in pair)
    words = {
        **_told(key, at, pair),
        "task": Text("Write the lower part note against note, so that the parts may change places",
                     "写一对一的下方声部，使两声部可以互换"),
        "first": pair[1][0].name,
        "answer": " ".join(map(str, pair[1])),
    }  # fmt: skip
    given = f"{UPPER}: {write_line(upper, COMMON.bar)}"
    facts = {
        "voices": f"{UPPER} {LOWER}", "given": given, "metre": "4/4", "unit": "2", "cantus": UPPER,
        "species": f"{LOWER}=1", "invert": str(at),
    }  # fmt: skip
    staves = [(_clef(upper), upper), (_clef(lower), ())]
    shown = shown_begun(
        f"{key}: {given}", staves, HALF * len(upper), Example((), key.signature, COMMON)
    )
    model = f"{given}\n{LOWER}: {write_line(lower, COMMON.bar)}"
    return _score_draft(work, _Page(key, shown, model, (LOWER,), "invertible-8ve"), words, facts)


ASKED: Mapping[str, Callable[[Work, Key, int, Pair], Draft]] = {
    "table": _ask_table,
    "test": _ask_test,
    "write": _ask_write,
}
