"""From one chord a slot to a surface that moves: passing and neighbour tones and suspensions, as asked for.

A decoration fills the slot of one voice: a passing or neighbour tone takes its second half, a suspension
its first. Places are tried in an order by chance; what stays is what costs nothing under the rubric of
the grader (Kostka and Payne, ch. 11 and 12).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from musegen.exercises.grading.observe import Observed, observe
from musegen.exercises.grading.rubric import load_rubric, rubric_style
from musegen.exercises.grading.scoring import Marking, score_sections
from musegen.exercises.grading.task import Slot, Task
from musegen.exercises.kinds import DiscardError
from musegen.exercises.makers.phrases import Phrase
from musegen.score import Note
from musegen.slices import chord_tones
from theory_kb.pitch import Key, Pitch, PitchClass
from theory_kb.thoroughbass import scale_tone

__all__ = ["Surface", "broad", "decorated"]

HALF, WHOLE = Fraction(1, 2), Fraction(1)
THIRD = 2  # staff steps
MOST_TRIED = 80  # decorations held against the rules, before a surface is given up
Fill = tuple[tuple[Fraction, Pitch], ...]  # shares of a slot and what sounds in them
Fills = Mapping[tuple[int, int], Fill]  # by voice and slot


def broad(phrase: Phrase, times: int = 2) -> Phrase:
    """A phrase with so many quarter notes for each of its beats; its last chord fills its bar."""
    bar = phrase.metre.beats
    beats = [times * each if times < bar else bar for each in phrase.beats]
    beats[-1] = bar - sum(beats[:-1]) % bar
    return replace(phrase, beats=tuple(beats))


@dataclass(frozen=True, slots=True)
class Surface:
    """Voices over the chords of a phrase, some of them decorated."""

    phrase: Phrase
    voices: tuple[str, ...]  # high to low
    plain: tuple[tuple[Pitch, ...], ...]  # of each voice, a pitch a slot
    rubric: str  # whose rules it keeps
    facts: Mapping[str, str] = field(default_factory=dict)  # what else graders know of it
    fills: Fills = field(default_factory=dict)

    @property
    def lines(self) -> tuple[tuple[Note, ...], ...]:
        """The notes of each voice."""
        return tuple(tuple(self._line(voice)) for voice in range(len(self.voices)))

    def _line(self, voice: int) -> list[Note]:
        line: list[Note] = []
        for place, slot in enumerate(self.phrase.slots):
            onset = slot.onset
            plain = self.plain[voice][place]
            for share, pitch in self.fill(voice, place):
                length = slot.duration * share
                if onset == slot.onset and pitch != plain:  # held over from the slot before
                    last = line.pop()
                    line.append(replace(last, duration=last.duration + length))
                else:
                    line.append(Note(onset, length, pitch))
                onset += length
        return line

    def fill(self, voice: int, place: int) -> Fill:
        """What a voice has in a slot."""
        return self.fills.get((voice, place), ((WHOLE, self.plain[voice][place]),))

    def with_fills(self, more: Fills) -> Surface:
        """With some slots decorated."""
        return replace(self, fills={**self.fills, **more})

    def seen(self) -> Observed:
        """What the grader sees of it."""
        rubric = load_rubric(self.rubric)
        ends = self.phrase.ends or (len(self.phrase.slots),)
        task = Task(
            "", self.phrase.key, self.voices, self.phrase.slots, ((),) * len(self.voices),
            metre=self.phrase.metre, style=self.facts.get("style", ""),
            phrase_ends=tuple(self.phrase.slots[each - 1].end for each in ends),
            hands=int(self.facts["hands"]) if "hands" in self.facts else None,
        )  # fmt: skip
        named = [slot.numeral for slot in task.slots]
        return observe(task, task.score(self.lines, named), rubric_style(rubric, task.style))

    @property
    def clean(self) -> bool:
        """Whether the rubric takes nothing from it."""
        clauses = score_sections(Marking(load_rubric(self.rubric), self.seen(), ""))
        return all(each.got == each.most for each in clauses)


def decorated(
    surface: Surface,
    kinds: Sequence[str],
    voices: Sequence[int],
    rng: np.random.Generator,
    *,
    fits: Callable[[Surface], bool] = lambda _: True,
) -> Surface:
    """A surface with decorations in some of its voices.

    Args:
        surface: as it is so far.
        kinds: of the decorations, one by one, names of `OPTIONS`.
        voices: that may have them.
        rng: draws places.
        fits: what else must hold after each.

    Raises:
        DiscardError: no choice of places that was tried keeps the rules.
    """
    left = [MOST_TRIED]

    def grow(here: Surface, kinds: Sequence[str]) -> Surface | None:
        if not kinds:
            return here
        options = [more for voice in voices for more in OPTIONS[kinds[0]](here, voice)]
        for at in rng.permutation(len(options)):
            left[0] -= 1
            if left[0] < 0:
                return None
            there = here.with_fills(options[at])
            found = grow(there, kinds[1:]) if fits(there) and there.clean else None
            if found is not None:
                return found
        return None

    found = grow(surface, kinds)
    if found is None:
        raise DiscardError("no place for the decorations")
    return found


# --- the kinds ------------------------------------------------------------------------------


def _passing(here: Surface, voice: int) -> Iterator[Fills]:
    """Tones that fill a third on the way to the next chord."""
    for place, slot, pitch, goal in _moves(here, voice):
        if abs(goal.step - pitch.step) == THIRD:
            yield from _second_halves(slot, voice, place, pitch, (pitch.step + goal.step) // 2)


def _neighbour(here: Surface, voice: int) -> Iterator[Fills]:
    """Tones a step away from one that is struck again."""
    for place, slot, pitch, goal in _moves(here, voice):
        if goal == pitch:
            for step in (pitch.step + 1, pitch.step - 1):
                yield from _second_halves(slot, voice, place, pitch, step)


def _moves(here: Surface, voice: int) -> Iterator[tuple[int, Slot, Pitch, Pitch]]:
    """Slots of a voice that are plain, with their pitch and the one that comes next."""
    slots, plain = here.phrase.slots, here.plain[voice]
    ends = {end - 1 for end in here.phrase.ends}
    for place in range(len(slots) - 1):
        following = here.fill(voice, place + 1)[0][1]
        if (voice, place) not in here.fills and following == plain[place + 1] and place not in ends:
            yield place, slots[place], plain[place], following


def _second_halves(slot: Slot, voice: int, place: int, pitch: Pitch, step: int) -> Iterator[Fills]:
    for tone in _foreign(slot, step):
        yield {(voice, place): ((HALF, pitch), (HALF, tone))}


def _foreign(slot: Slot, step: int) -> list[Pitch]:
    """The notes of the key on a staff step that are not of the chord; minor has 6 and 7 in two forms."""
    own = chord_tones(slot.key, slot.numeral)
    names = [scale_tone(step % 7, slot.key.signature), *_raised(slot.key)]
    fitting = [each for each in names if each.letter == step % 7 and each.fifths not in own]
    return [Pitch.of(each, step // 7) for each in fitting]


def _raised(key: Key) -> tuple[PitchClass, ...]:
    """Sixth and seventh degree of minor, raised."""
    seventh = key.leading_tone
    return (seventh.transposed(-2), seventh) if key.mode == "minor" else ()


def _suspension(here: Surface, voice: int) -> Iterator[Fills]:
    """Notes that are held over a chord into which their voice falls by step."""
    for place in range(1, len(here.phrase.slots)):
        if _falls(here, voice, place):
            yield _held(here, voice, place)


def _chain(here: Surface, voice: int) -> Iterator[Fills]:
    """Two suspensions on end."""
    for place in range(1, len(here.phrase.slots) - 1):
        if _falls(here, voice, place) and _falls(here, voice, place + 1):
            yield {**_held(here, voice, place), **_held(here, voice, place + 1)}


def _falls(here: Surface, voice: int, place: int) -> bool:
    """Whether a voice falls by step into a chord that does not hold the note it comes from."""
    before, now = here.plain[voice][place - 1], here.plain[voice][place]
    slot = here.phrase.slots[place]
    free = (voice, place) not in here.fills and place not in here.phrase.ends
    prepared = here.fill(voice, place - 1)[-1][1] == before
    foreign = before.pitch_class.fifths not in chord_tones(slot.key, slot.numeral)
    return free and prepared and foreign and before.step - now.step == 1


def _held(here: Surface, voice: int, place: int) -> Fills:
    before, now = here.plain[voice][place - 1], here.plain[voice][place]
    return {(voice, place): ((HALF, before), (HALF, now))}


OPTIONS: Mapping[str, Callable[[Surface, int], Iterator[Fills]]] = {
    "passing": _passing,
    "neighbour": _neighbour,
    "suspension": _suspension,
    "chain": _chain,
}
