"""A sequence to be continued: its outer voices, leg by leg, and the bass of the cadence after it.

A leg is data: steps of soprano and bass above the tonic, and how far the next one lies. Patterns:
Aldwell and Schachter, Harmony and Voice Leading (2003), ch. 17; Gjerdingen, Music in the Galant
Style (2007), ch. 7, for the Monte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.cadences import SEQUENCES
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.showing import shown_begun
from musegen.exercises.names import key_text
from musegen.io.examples import Example
from musegen.score import Metre, Note
from theory_kb.imitation import moved_in_key
from theory_kb.pitch import Interval, Key, Pitch, ScaleDegree

__all__ = ["continue_sequence"]

HALF, COMMON = Fraction(2), Metre(4, 4)
SHOWN = 2  # legs: the model and its first repetition
MOST_SIGNS = 1
BROKEN = Text("one note leaves the pattern", "有一音不合模进")
REAL = Text("The sequence is real: every interval stays as it was.", "这是严格模进：音程性质不变。")
TONAL = Text("The sequence is tonal: it stays in the key.", "这是调内模进：保持在原调内。")


@dataclass(frozen=True, slots=True)
class _Leg:
    """One leg: its notes, and how they move on."""

    key: Key
    rows: tuple[tuple[Pitch, ...], tuple[Pitch, ...]]  # soprano and bass
    step: int  # staff steps to the next leg
    exact: Interval | None  # of a real sequence

    def voice(self, place: int, legs: int) -> list[Pitch]:
        """A voice through so many legs."""
        found: list[Pitch] = []
        for number in range(legs):
            found += [self._moved(pitch, number) for pitch in self.rows[place]]
        return found

    def _moved(self, pitch: Pitch, times: int) -> Pitch:
        if self.exact is None:
            return moved_in_key(pitch, self.key, times * self.step)
        for _ in range(times):
            pitch = pitch + self.exact
        return pitch


def continue_sequence(work: Work) -> Draft:
    """The first legs of a sequence: its next ones, and the bass of an authentic cadence.

    Parameters: `patterns` (rows of soprano / bass / step / name, a step `M2` for a real one), `legs`.
    """
    key = draw_key(work, most=3)
    soprano, bass, step, name = (
        part.strip() for part in work.pick(work.params["patterns"]).split("/")
    )
    leg = work.settle(lambda: _leg(work, key, (soprano, bass), step))
    legs = int(work.params["legs"])
    voices = [leg.voice(place, SHOWN + legs) for place in (0, 1)]
    if max(abs(pitch.alteration) for line in voices for pitch in line) > MOST_SIGNS:
        raise DiscardError("two accidentals before a note")
    cut = SHOWN * len(leg.rows[0])
    dominant, tonic = key.degree(ScaleDegree(5)), key.tonic
    words: Words = {
        "key": key_text(key),
        "legs": str(legs),
        "name": SEQUENCES[name],
        "kind": REAL if leg.exact else TONAL,
        "second": " ".join(map(str, voices[1][cut : cut + 2])),
        "soprano": _row(voices[0][cut:]),
        "bass": _row(voices[1][cut:]),
        "cadence": f"{dominant} {tonic}",
    }
    parts = [
        _part(key, ("soprano", "高音"), voices[0], cut, leg),
        _part(key, ("bass", "低音"), voices[1], cut, leg),
        Part((f"{dominant} {tonic}",), "pitch-classes", Text("bass of the cadence", "终止式低音"),
             [Wrong(f"{tonic} {dominant}", "D3")], 2, "cadence", form="text"),
    ]  # fmt: skip
    kg = (f"sequence-kind:{name}",)
    return draft_of(work, _shown(key, voices, cut), parts, words, key=key, kg=kg)


def _row(pitches: Sequence[Pitch]) -> str:
    return " ".join(map(str, pitches))


def _leg(work: Work, key: Key, rows: tuple[str, str], step: str) -> _Leg:
    """A pattern in a key, its bass where a bass sings."""
    low = Pitch.of(key.tonic, int(work.pick((2, 3))))
    voices = tuple(tuple(_note(key, low, word) for word in row.split()) for row in rows)
    exact = None if step.lstrip("-").isdecimal() else Interval.parse(step)
    leg = _Leg(key, (voices[0], voices[1]), exact.steps if exact else int(step), exact)
    bass = leg.voice(1, SHOWN + int(work.params["legs"]))
    if (
        min(bass).step < LOWEST
        or max(leg.voice(0, SHOWN + int(work.params["legs"]))).step > HIGHEST
    ):
        raise DiscardError("a sequence out of range")
    return leg


LOWEST, HIGHEST = Pitch.parse("E2").step, Pitch.parse("A5").step


def _note(key: Key, low: Pitch, word: str) -> Pitch:
    """A step above the tonic, lowered by `b` or raised by `#`."""
    number = int(word.strip("b#"))
    pitch = moved_in_key(low, key, number)
    return Pitch(pitch.step, pitch.semitone + word.count("#") - word.count("b"))


def _part(key: Key, name: tuple[str, str], line: Sequence[Pitch], cut: int, leg: _Leg) -> Part:
    """The notes of a voice after the given ones, and likely slips."""
    right = line[cut:]
    broken = [*right[:-1], moved_in_key(right[-1], key, 1)]
    other = [moved_in_key(p, key, leg.step) for p in line[cut - len(leg.rows[0]) :]][: len(right)]
    wrong = [Wrong(_row(broken), "D12", BROKEN)]
    if leg.exact and len(other) == len(right):
        wrong.append(Wrong(_row(other), "D5", REAL))
    wrong.append(Wrong(_row([*right[1:], right[-1]]), "D8"))
    label = Text(name[0], name[1])
    return Part((_row(right),), "pitches", label, wrong, len(right), name[0], form="text")


def _shown(key: Key, voices: Sequence[Sequence[Pitch]], cut: int) -> Given:
    """The first legs in half notes, and room for the others."""
    rows = [
        [Note(HALF * at, HALF, pitch) for at, pitch in enumerate(line[:cut])] for line in voices
    ]
    text = f"{key}: soprano {_row(voices[0][:cut])}; bass {_row(voices[1][:cut])}"
    length = HALF * (len(voices[0]) + 2)
    length += -length % COMMON.bar
    staves = [("treble", rows[0]), ("bass", rows[1])]
    return shown_begun(text, staves, length, Example((), key.signature, COMMON))
