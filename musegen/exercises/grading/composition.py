"""Grading of a theme of the student's own: what can be counted is; the mark is advice.

Bars, key, closes, range and singable steps are asked of every theme; that the opening comes again, and
that there is more than one rhythm, is asked of a good one. A teacher has the last word.
Sources: Caplin, Classical Form (1998), ch. 3 to 5; Schachter and Aldwell (2003), ch. 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from musegen.exercises.grading.graded import Clause, Graded
from musegen.exercises.grading.submission import SubmissionError, read_answer
from musegen.exercises.grading.voice_text import read_voices, timed
from musegen.exercises.item import Answer, Item, Text
from musegen.exercises.metres import metre_of
from musegen.motive import Motive, similarity
from musegen.score import Note
from theory_kb.pitch import Key, Pitch, PitchClass
from theory_kb.thoroughbass import scale_tone

__all__ = ["CLAUSES", "PART", "grade_theme"]

PART = "score"
ALIKE = 0.6  # similarity from which a bar is held to take up another
WIDEST = 11  # staff steps between lowest and highest note: a twelfth
OCTAVE = 7
DOMINANT = (2, 5, 7)  # degrees that may end a half
ADVICE = Text(
    "human_review: an advisory mark by what can be counted; listen to it as well",
    "human_review：仅按可计数的项目给出参考分，请教师聆听后定分",
)


@dataclass(frozen=True, slots=True)
class _Theme:
    """An answer and what was asked."""

    notes: tuple[Note, ...]
    opening: tuple[Note, ...]
    bar: Fraction
    bars: int
    half: int  # bar that ends on the dominant; 0: none
    home: Key
    goal: Key

    def degree(self, note: Note, key: Key) -> int:
        return (note.pitch.step - key.tonic.letter) % 7 + 1

    @property
    def share(self) -> Fraction:
        """Of its bars, how many have a note: what is not written earns nothing."""
        struck = {
            note.onset // self.bar for note in self.notes if note.onset < self.bar * self.bars
        }
        return Fraction(len(struck), self.bars)

    def bar_of(self, number: int) -> list[Note]:
        """The notes that begin in a bar, from 1."""
        return [n for n in self.notes if n.onset // self.bar + 1 == number]


def grade_theme(item: Item, answer: Answer) -> Graded:
    """Grade a theme: MusicXML, or a voice as text.

    The facts of the item hold `opening` (as text), `metre`, `bars`, `half` (bar that ends on the
    dominant, 0 for none) and `goal` (the key that it closes in).
    """
    most = Fraction(item.points)
    try:
        submission = read_answer(answer.get(PART, ""))
    except SubmissionError as error:
        said = Text(str(error), f"{error.code}：无法读取（{error.problem}）")
        return Graded("refused", Fraction(0), most, notes=(said,))
    bar = metre_of(item.facts["metre"]).bar
    if submission.text is not None:
        tokens = next(iter(submission.text.voices.values()), ())
        notes = _notes(timed(tokens, Fraction(1), bar))
    else:
        notes = submission.parts[0].notes if submission.parts else ()
    if not notes:
        return Graded("blank", Fraction(0), most)
    opening = next(iter(read_voices(item.facts["opening"], "facts, opening").voices.values()))
    theme = _Theme(
        notes, _notes(timed(opening, Fraction(1), bar)), bar, int(item.facts["bars"]),
        int(item.facts["half"]), Key.parse(item.key), Key.parse(item.facts["goal"]),
    )  # fmt: skip
    clauses = tuple(_clause(name, theme) for name in CLAUSES)
    points = sum((each.got for each in clauses), Fraction(0))
    return Graded("graded", points, most, clauses, notes=(ADVICE,))


def _notes(rows: Sequence[tuple[Pitch, Fraction, Fraction]]) -> tuple[Note, ...]:
    return tuple(Note(onset, length, pitch) for pitch, onset, length in rows)


def _clause(name: str, theme: _Theme) -> Clause:
    holds, points, said = CLAUSES[name]
    right = holds(theme)
    most = Fraction(points)
    got = most * theme.share if right else Fraction(0)
    return Clause(name, PART, "", got, most, None if got == most else said)


# --- what is asked --------------------------------------------------------------------------


def _opens(theme: _Theme) -> bool:
    return theme.notes[: len(theme.opening)] == theme.opening


def _fills(theme: _Theme) -> bool:
    """Whether the bars are all there, and a note begins in each."""
    struck = {note.onset // theme.bar + 1 for note in theme.notes}
    whole = theme.notes[-1].end == theme.bar * theme.bars
    return whole and struck == set(range(1, theme.bars + 1))


def _closes(theme: _Theme) -> bool:
    """Whether it ends on the tonic, on the beat, and longer than it moved."""
    last = theme.notes[-1]
    usual = sorted(note.duration for note in theme.notes)[len(theme.notes) // 2]
    tonic = last.pitch.pitch_class == theme.goal.tonic
    return tonic and last.onset.denominator == 1 and last.duration > usual


def _pauses(theme: _Theme) -> bool:
    if not theme.half:
        return True
    inside = theme.bar_of(theme.half)
    return bool(inside) and theme.degree(inside[-1], theme.home) in DOMINANT


def _in_key(theme: _Theme) -> bool:
    """Whether every note is of the key, or of that which it goes to; minor has both forms of 6 and 7."""
    own = {note for key in (theme.home, theme.goal) for note in _scale(key)}
    return all(note.pitch.pitch_class in own for note in theme.notes)


def _scale(key: Key) -> set[PitchClass]:
    found = {scale_tone(letter, key.signature) for letter in range(7)}
    if key.mode == "minor":
        found |= {key.leading_tone, key.leading_tone.transposed(-2)}
    return found


def _sings(theme: _Theme) -> bool:
    """Whether it keeps within a twelfth, and moves by intervals that are sung."""
    steps = [note.pitch.step for note in theme.notes]
    moves = [after.pitch - before.pitch for before, after in pairwise(theme.notes)]
    plain = all(move.quality in ("P", "M", "m") and abs(move.steps) <= OCTAVE for move in moves)
    return plain and max(steps) - min(steps) <= WIDEST


def _returns(theme: _Theme) -> bool:
    """Whether a later bar takes up one of the opening."""
    given = int(-(-theme.opening[-1].end // theme.bar))
    models = [Motive.of(theme.bar_of(number)) for number in range(1, given + 1)]
    later = [theme.bar_of(number) for number in range(given + 1, theme.bars + 1)]
    return any(
        similarity(model, Motive.of(bar)) >= ALIKE for model in models for bar in later if bar
    )


def _varies(theme: _Theme) -> bool:
    rhythms = {
        tuple(note.duration for note in theme.bar_of(number)) for number in range(1, theme.bars + 1)
    }
    return len(rhythms) > 1


Asked = tuple[Callable[[_Theme], bool], int, Text]
CLAUSES: Mapping[str, Asked] = {
    "opening": (_opens, 1, Text("the opening was changed", "所给开头被改动")),
    "bars": (_fills, 2, Text("the bars are not all filled, or too many", "小节数或时值不符")),
    "close": (_closes, 2, Text("end on the tonic, long and on the beat", "应以拍上较长的主音结束")),
    "half": (_pauses, 1, Text("the first half ends on 2, 5 or 7", "前半应停在 2、5 或 7 级")),
    "key": (_in_key, 1, Text("a note is foreign to the keys", "有调外音")),
    "line": (_sings, 1, Text("a leap that is not sung, or too wide a range", "有不宜歌唱的跳进或音域过宽")),
    "motive": (_returns, 1, Text("take up the opening again", "应再现开头的材料")),
    "rhythm": (_varies, 1, Text("all bars have one rhythm", "各小节节奏全同")),
}  # fmt: skip
