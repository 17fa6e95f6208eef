"""Continuations of a hypothesis by a beat, before the rules judge them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from musegen.weaving.cells import Cells, Debt, Ground, cells
from musegen.weaving.fabric import PARTS, Copy, Free, Stated, Timbre
from musegen.weaving.hypotheses import Beam, Floats, Grown, Shorts
from musegen.weaving.options import Option
from musegen.weaving.setting import Setting
from theory_kb.moment import REST

__all__ = ["Drafter"]

FOREIGN = 7.0  # nats for a bound note outside the chord that is not entered and left by step
STRUCK_FOREIGN = 2.5  # nats for one that is struck on a beat
DEAREST = 9.0  # nats by which a chord may be dearer than the cheapest
MOST_CELLS = {1: 60, 2: 14, 3: 7, 4: 5}  # of a voice, by how many are free
ECHO = (0.9, 0.5)  # nats for a free voice that does what it did one beat, or two beats, ago
NOISE = 0.35  # nats, scale of what is added to each beat by the seed
STRONG = 2  # beat strength from which a beat is no place for a passing tone

Due = NDArray[
    np.bool_
]  # (7,) whether a voice may pay what it owes on a staff step within the octave


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """What the voices that are not free sound in a beat, for one hypothesis and option."""

    steps: Shorts  # (voices, PARTS)
    semitones: Shorts
    attacks: NDArray[np.int8]
    debts: list[int]
    cost: float


class Drafter:
    """What a beat may add to a hypothesis."""

    def __init__(self, setting: Setting, rng: np.random.Generator) -> None:
        """Keep what every beat needs."""
        self.setting, self.rng = setting, rng
        self.fabric, self.voices, self.options = setting.fabric, setting.voices, setting.options
        self.dues: dict[tuple[int, int, int | None], Due | None] = {}

    def drafts(self, beam: Beam, row: int, beat: int, most: int) -> Iterator[Grown]:
        """Continuations of one hypothesis, before they are judged: the cheapest by themselves."""
        chords = self.setting.chords(beam, row, beat)
        least = min((price for _, price in chords), default=0.0)
        found = [
            self._with_option(beam, row, beat, place, price)
            for place, price in chords
            if price < least + DEAREST
        ]
        kept = [each for each in found if each is not None]
        if not kept:
            return
        price = np.concatenate([each.costs for each in kept])
        price = price + self.rng.gumbel(scale=NOISE, size=len(price))
        order = np.argsort(price, kind="stable")[:most]
        start = 0
        for each in kept:
            stop = start + len(each.costs)
            chosen = order[(order >= start) & (order < stop)]
            if len(chosen):
                draft = each.taken(chosen - start)
                yield replace(draft, costs=price[chosen])
            start = stop

    def _with_option(
        self, beam: Beam, row: int, beat: int, place: int, price: float
    ) -> Grown | None:
        option = self.options[place]
        bound = self._bound(beam, row, beat, option)
        if bound is None:
            return None
        fixed = self._changes(beam, row, option) and self.fabric.bass
        free = [v for v in range(self.voices) if isinstance(self.fabric.tasks[v][beat], Free)]
        lowest = self._lowest(beat, bound)
        choices = []
        for voice in free:
            found = self._cells(beam, row, beat, voice, option)
            if voice == lowest and fixed and not self.fabric.crossing:
                found = _standing(found, option.bass)
            if voice == 0 and beat in self.fabric.tops:
                found = _on(found, option, self.fabric.tops[beat])
            found = _landing(found, self._due_on(beat, voice, lowest), self.fabric.voices[voice])
            found = self._fewer(found, len(free))
            if not len(found.costs):
                return None
            choices.append(found)
        cost = bound.cost + price
        return self._product(beam, row, place, bound, free, choices, cost)

    def _changes(self, beam: Beam, row: int, option: Option) -> bool:
        if not beam.options.shape[1]:
            return True
        return self.options[int(beam.options[row, -1])].harmony != option.harmony

    def _lowest(self, beat: int, bound: Bound) -> int | None:
        for voice in reversed(range(self.voices)):
            task = self.fabric.tasks[voice][beat]
            if isinstance(task, Free) or bound.semitones[voice, 0] != REST:
                return voice
        return None

    def _due_on(self, beat: int, voice: int, lowest: int | None) -> Due | None:
        """As `_due`, as a table (7,), kept for the other hypotheses."""
        key = (beat, voice, lowest)
        if key not in self.dues:
            steps = self._due(*key)
            self.dues[key] = None if steps is None else np.isin(range(7), list(steps))
        return self.dues[key]

    def _due(self, beat: int, voice: int, lowest: int | None) -> frozenset[int] | None:
        """The staff steps within the octave where a voice can pay on the next beat what it owes."""
        following = beat + 1
        if following in self.fabric.breaks:
            return frozenset()  # nothing is owed over the end of a phrase
        if following >= self.fabric.beats:
            return None
        if not isinstance(self.fabric.tasks[voice][following], Free):
            return None
        options = [
            self.options[place]
            for each in self.fabric.harmonies[following]
            for place in self.setting.places[each]
        ]
        basses = frozenset(option.bass for option in options)
        if voice == lowest and len(basses) == 1:
            return basses
        tops = self.fabric.tops.get(following) if voice == 0 else None
        return frozenset(
            step
            for option in options
            for step in option.members
            if tops is None or int(option.semitones[step]) % 12 in tops
        )

    def _fewer(self, found: Cells, free: int) -> Cells:
        most = MOST_CELLS[free]
        if len(found.costs) <= most:
            return found
        noise = self.rng.gumbel(scale=NOISE, size=len(found.costs))
        rows = np.argsort(found.costs + noise, kind="stable")[:most]
        return _rows(found, rows)

    def _cells(self, beam: Beam, row: int, beat: int, voice: int, option: Option) -> Cells:
        timbre = self.fabric.voices[voice]
        task = self.fabric.tasks[voice][beat]
        assert isinstance(task, Free)
        before: int | None = None
        held = False
        if beam.steps.shape[2] and beam.semitones[row, voice, -1] != REST:
            before = int(beam.steps[row, voice, -1])
            held = int(beam.semitones[row, voice, -1]) % 12 in option.classes
        strong = self.setting.strength(beat, 0) >= STRONG
        ground = Ground(option.members, strong, timbre.low, timbre.high)
        debt = Debt(int(beam.debts[row, voice]))
        if beat and not isinstance(self.fabric.tasks[voice][beat - 1], Free):
            debt = Debt.NONE  # what was bound may leave what no free note could pay
        return cells(task.rhythms, before, held, debt, ground)

    def _bound(self, beam: Beam, row: int, beat: int, option: Option) -> Bound | None:
        shape = (self.voices, PARTS)
        steps, semitones = np.zeros(shape, np.int16), np.full(shape, REST, np.int16)
        attacks = np.zeros(shape, np.int8)
        debts = [0] * self.voices
        cost = 0.0
        for voice in range(self.voices):
            task = self.fabric.tasks[voice][beat]
            if isinstance(task, Stated):
                steps[voice], semitones[voice] = task.steps, task.semitones
                attacks[voice] = task.attacks
            elif isinstance(task, Copy):
                if not self._copy(
                    beam, row, beat, option, task, voice, (steps, semitones, attacks)
                ):
                    return None
            else:
                continue
            line = (steps[voice], semitones[voice], attacks[voice])
            price, debts[voice] = self._foreign(beam, row, voice, option, line)
            if price >= FOREIGN and isinstance(task, Copy):
                return None  # its model is ours to choose
            cost += price
        return Bound(steps, semitones, attacks, debts, cost)

    def _copy(
        self,
        beam: Beam,
        row: int,
        beat: int,
        option: Option,
        task: Copy,
        voice: int,
        into: tuple[Shorts, Shorts, NDArray[np.int8]],
    ) -> bool:
        """Write what is copied; whether the voice can reach it."""
        steps, semitones, attacks = into
        start = (beat - task.lag) * PARTS
        inside = slice(start, start + PARTS)
        model = beam.semitones[row, task.voice, inside]
        steps[voice] = beam.steps[row, task.voice, inside] + task.steps
        attacks[voice] = beam.attacks[row, task.voice, inside]
        if task.begins and model[0] != REST:
            attacks[voice, 0] = 1
        if task.semitones is not None:
            semitones[voice] = model + task.semitones
        else:
            semitones[voice] = option.semitones[steps[voice]]
            self._keep_held(beam, row, voice, semitones[voice], attacks[voice])
        semitones[voice][model == REST] = REST
        timbre = self.fabric.voices[voice]
        sounding = steps[voice][model != REST]
        return bool(((sounding >= timbre.low - 2) & (sounding <= timbre.high + 2)).all())

    def _keep_held(
        self, beam: Beam, row: int, voice: int, semitones: Shorts, attacks: NDArray[np.int8]
    ) -> None:
        """A note that is held keeps its accidental whatever the chord becomes."""
        if beam.semitones.shape[2] == 0:
            return
        for part in range(PARTS):
            if attacks[part]:
                return
            semitones[part] = beam.semitones[row, voice, -1]

    def _foreign(
        self,
        beam: Beam,
        row: int,
        voice: int,
        option: Option,
        line: tuple[Shorts, Shorts, NDArray[np.int8]],
    ) -> tuple[float, int]:
        """What a bound voice's notes outside the chord cost, and what it owes at the end."""
        steps, semitones, attacks = (each.tolist() for each in line)
        debt = int(beam.debts[row, voice])
        before = int(beam.steps[row, voice, -1]) if beam.steps.shape[2] else 0
        sounded = beam.steps.shape[2] > 0 and int(beam.semitones[row, voice, -1]) != REST
        cost = 0.0
        for part in range(PARTS):
            if semitones[part] == REST:
                debt, sounded = 0, False
                continue
            inside = semitones[part] % 12 in option.classes
            if attacks[part]:
                move = steps[part] - before if sounded else 0
                cost += FOREIGN * ((debt == 1 and abs(move) != 1) or (debt == 2 and move != -1))
                debt = 0
                if not inside:
                    cost += FOREIGN * (not sounded or abs(move) > 1)
                    cost += STRUCK_FOREIGN * (part == 0)
                    debt = 1
            elif part == 0 and not inside:
                debt = 2
            before, sounded = steps[part], True
        return cost, debt

    def _product(
        self,
        beam: Beam,
        row: int,
        place: int,
        bound: Bound,
        free: Sequence[int],
        choices: Sequence[Cells],
        cost: float,
    ) -> Grown:
        """Every choice of the free voices beside the bound ones."""
        option = self.options[place]
        counts = [len(each.costs) for each in choices]
        number = prod(counts)
        picks = _picks(tuple(counts))
        steps = np.repeat(bound.steps[np.newaxis], number, axis=0)
        semitones = np.repeat(bound.semitones[np.newaxis], number, axis=0)
        attacks = np.repeat(bound.attacks[np.newaxis], number, axis=0)
        debts = np.repeat(np.array([bound.debts], np.int8), number, axis=0)
        total = np.full(number, float(beam.costs[row]) + cost)
        for column, (voice, found) in enumerate(zip(free, choices, strict=True)):
            rows = picks[:, column]
            total += _echo(beam.steps[row, voice], found)[rows]
            steps[:, voice] = found.steps[rows]
            attacks[:, voice] = found.attacks[rows]
            sounding = option.semitones[found.steps[rows]]
            if beam.semitones.shape[2]:
                held = np.cumsum(found.attacks[rows], axis=1) == 0
                sounding = np.where(held, beam.semitones[row, voice, -1], sounding)
            semitones[:, voice] = sounding
            debts[:, voice] = found.debts[rows]
            total += found.costs[rows]
        return Grown(
            np.full(number, row),
            np.full(number, place, np.int32),
            steps,
            semitones,
            attacks,
            debts,
            total,
        )


@cache
def _picks(counts: tuple[int, ...]) -> NDArray[np.int64]:
    """Every choice of one of so many for each of some voices (choices, voices)."""
    return np.array(list(product(*map(range, counts))), np.int64).reshape(prod(counts), len(counts))


def _rows(found: Cells, rows: NDArray[np.int64]) -> Cells:
    return Cells(found.steps[rows], found.attacks[rows], found.debts[rows], found.costs[rows])


def _standing(found: Cells, bass: int) -> Cells:
    """Candidates that begin on the bass of the chord."""
    return _rows(found, np.flatnonzero(found.steps[:, 0] % 7 == bass))


def _echo(line: Shorts, found: Cells) -> Floats:
    """What repeating oneself costs (n,)."""
    total = np.zeros(len(found.costs))
    moves = found.attacks[:, 1:].any(axis=1)
    for back, price in enumerate(ECHO, 1):
        start = len(line) - back * PARTS
        if start >= 0:
            same = (found.steps == line[start : start + PARTS]).all(axis=1)
            total += price * (same & moves)
    return total


def _landing(found: Cells, due: Due | None, voice: Timbre) -> Cells:
    """Candidates that can pay what they owe on a step where the voice is due."""
    if due is None:
        return found
    last = found.steps[:, -1]
    down = due[(last - 1) % 7] & (last > voice.low)
    up = due[(last + 1) % 7] & (last < voice.high)
    free = found.debts == Debt.NONE
    fits = free | down | ((found.debts == Debt.STEP) & up)
    return _rows(found, np.flatnonzero(fits))


def _on(found: Cells, option: Option, wanted: frozenset[int]) -> Cells:
    """Candidates that begin on one of some pitch classes (semitones within the octave)."""
    sounding = option.semitones[found.steps[:, 0]] % 12
    return _rows(found, np.flatnonzero(np.isin(sounding, list(wanted))))
