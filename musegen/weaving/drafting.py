"""What a beat may add to hypotheses, before the rules judge it: all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from musegen.weaving.bound import Bound, bound_by
from musegen.weaving.cells import Cells, Debt, Ground, cells
from musegen.weaving.fabric import PARTS, Copy, Free, Silent, Stated, Timbre
from musegen.weaving.hypotheses import Beam, Floats, Grown, Shorts, Ways
from musegen.weaving.setting import Setting
from theory_kb.moment import REST

__all__ = ["Drafter"]

MOST_CELLS = {1: 60, 2: 14, 3: 7, 4: 5}  # of a voice, by how many are free
DEAREST = 9.0  # nats by which a chord may be dearer than the cheapest
SPARE = 2  # times as many among which the seed draws
ECHO = (0.9, 0.5)  # nats for a free voice that does what it did one beat, or two beats, ago
NOISE = 0.35  # nats, scale of what is added to each beat by the seed
STRONG = 2  # beat strength from which a beat is no place for a passing tone

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Choices:
    """What a free voice may do, for each way (P) up to so many candidates (C)."""

    voice: int
    steps: Shorts  # (cells, PARTS) of all candidates
    attacks: NDArray[np.int8]  # (cells, PARTS)
    debts: NDArray[np.int8]  # (cells,)
    picked: Ints  # (P, C) which of them
    costs: Floats  # (P, C) inf where there are fewer


class Drafter:
    """What a beat may add to hypotheses."""

    def __init__(self, setting: Setting, rng: np.random.Generator) -> None:
        """Keep what every beat needs."""
        self.setting, self.rng, self.fabric = setting, rng, setting.fabric
        self.dues: dict[tuple[int, int, bool], Bools] = {}

    def drafted(self, beam: Beam, beat: int, most: int) -> Grown | None:
        """Continuations of all hypotheses, of each the cheapest by themselves; None: there are none.

        Args:
            beam: hypotheses up to the beat.
            beat: that is added.
            most: continuations of a hypothesis.
        """
        ways = self.setting.ways(beam, beat)
        bound = bound_by(self.setting, beam, ways, beat)
        live = _cheap(ways.costs + bound.costs, ways.rows)
        if not len(live):
            return None
        ways, bound = ways.taken(live), bound.taken(live)
        tasks = [line[beat] for line in self.fabric.tasks]
        free = [voice for voice, task in enumerate(tasks) if isinstance(task, Free)]
        lowest = self._lowest(bound, free)
        choices = [
            self._choices(beam, ways, beat, voice, lowest == voice, MOST_CELLS[len(free)])
            for voice in free
        ]
        if any(not each.costs.shape[1] for each in choices):
            return None
        return self._product(beam, ways, bound, choices, most)

    def _lowest(self, bound: Bound, free: list[int]) -> Ints:
        """The voice that sounds lowest on the beat, for each way (P,)."""
        sounding = bound.semitones[:, :, 0] != REST
        sounding[:, free] = True
        lowest: Ints = self.setting.voices - 1 - np.argmax(sounding[:, ::-1], axis=1)
        return lowest

    # --- candidates of one voice ------------------------------------------------------------

    def _choices(
        self, beam: Beam, ways: Ways, beat: int, voice: int, lowest: Bools, most: int
    ) -> _Choices:
        """What a free voice may do: for each way the cheapest, shuffled a little by the seed."""
        states = self._states(beam, ways, voice, lowest)
        kinds, which = np.unique(states, axis=0, return_inverse=True)
        found = [self._cells(beat, voice, kind) for kind in kinds.tolist()]
        counts = np.array([len(each.costs) for each in found])
        kind_of = np.repeat(np.arange(len(kinds)), counts)
        every = _joined(found)
        fits = self._fits(every, beat, voice, kinds[kind_of])
        table = _ranked(kind_of[fits], len(kinds), SPARE * most)
        places = np.append(np.flatnonzero(fits), -1)[table]
        costs = np.where(places < 0, np.inf, every.costs[places])
        costs, picked = costs[which], places[which]
        if picked.shape[1] > most:
            noise = self.rng.gumbel(scale=NOISE, size=costs.shape)
            order = np.argsort(costs + noise, axis=1, kind="stable")[:, :most]
            costs = np.take_along_axis(costs, order, axis=1)
            picked = np.take_along_axis(picked, order, axis=1)
        costs = costs + _echo(beam.steps[ways.rows, voice], every, picked)
        return _Choices(voice, every.steps, every.attacks, every.debts, picked, costs)

    def _states(self, beam: Beam, ways: Ways, voice: int, lowest: Bools) -> NDArray[np.int64]:
        """What candidates depend on (P, 6): option, note before, held, debt, lowest, bass bound."""
        count = len(ways.rows)
        states = np.zeros((count, 6), np.int64)
        states[:, 0], states[:, 1], states[:, 4] = ways.options, REST, lowest
        if beam.steps.shape[2]:
            semitones = beam.semitones[ways.rows, voice, -1]
            sounding = semitones != REST
            states[:, 1] = np.where(sounding, beam.steps[ways.rows, voice, -1], REST)
            states[:, 2] = sounding & self.setting.classes[ways.options, semitones % 12]
        states[:, 3] = beam.debts[ways.rows, voice]
        if self.fabric.bass and not self.fabric.crossing:
            states[:, 5] = lowest & self.setting.changed(beam, ways)
        return states

    def _cells(self, beat: int, voice: int, kind: list[int]) -> Cells:
        place, before, held, debt, _, _ = kind
        task, timbre = self.fabric.tasks[voice][beat], self.fabric.voices[voice]
        assert isinstance(task, Free)
        strong = self.setting.strength(beat, 0) >= STRONG
        members = self.setting.options[place].members
        ground = Ground(members, strong, timbre.low, timbre.high)
        return cells(
            task.rhythms, None if before == REST else before, bool(held), Debt(debt), ground
        )

    def _fits(self, found: Cells, beat: int, voice: int, kinds: Ints) -> Bools:
        """Which candidates (n,) stand where they must, and can pay what they owe."""
        options, lowest, fixed = kinds[:, 0], kinds[:, 4] == 1, kinds[:, 5] == 1
        first = found.steps[:, 0].astype(np.int64)
        fits: Bools = ~fixed | (first % 7 == self.setting.basses[options])
        if voice == 0 and beat in self.fabric.tops:
            wanted = list(self.fabric.tops[beat])
            fits &= np.isin(self.setting.scales[options, first] % 12, wanted)
        dues = np.stack([self._due(beat, voice, lowest=each) for each in (False, True)])
        due = dues[lowest.astype(np.int64)]
        timbre = self.fabric.voices[voice]
        fits &= _lands(found, due, timbre)
        return fits

    def _due(self, beat: int, voice: int, *, lowest: bool) -> Bools:
        """The staff steps within the octave (7,) where a voice can pay on the next beat what it owes."""
        key = (beat, voice, lowest)
        if key not in self.dues:
            steps = self._due_steps(beat + 1, voice, lowest=lowest)
            self.dues[key] = np.isin(range(7), list(steps))
        return self.dues[key]

    def _due_steps(self, following: int, voice: int, *, lowest: bool) -> frozenset[int]:
        if following in self.fabric.breaks or following >= self.fabric.beats:
            return frozenset()  # nothing is owed over the end of a phrase
        task = self.fabric.tasks[voice][following]
        if isinstance(task, Silent):
            return frozenset()
        if isinstance(task, Stated):
            return frozenset({task.steps[0] % 7})
        if isinstance(task, Copy):
            return frozenset(range(7))  # as its model does, which each hypothesis has for itself
        options = [self.setting.options[place] for place in self.setting.open[following].options]
        basses = frozenset(option.bass for option in options)
        if lowest and len(basses) == 1:
            return basses
        tops = self.fabric.tops.get(following) if voice == 0 else None
        return frozenset(
            step
            for option in options
            for step in option.members
            if tops is None or int(option.semitones[step]) % 12 in tops
        )

    # --- all voices together ----------------------------------------------------------------

    def _product(
        self, beam: Beam, ways: Ways, bound: Bound, choices: list[_Choices], most: int
    ) -> Grown | None:
        """The cheapest choices of the free voices beside the bound ones."""
        picks = _picks(tuple(each.costs.shape[1] for each in choices))
        price = (ways.costs + bound.costs)[:, np.newaxis]
        price = price + sum(
            (each.costs[:, picks[:, place]] for place, each in enumerate(choices)),
            np.zeros((len(ways.rows), len(picks))),
        )
        price += self.rng.gumbel(scale=NOISE, size=price.shape)
        at, pick = _cheapest(price, ways.rows, most)
        if not len(at):
            return None
        parent, options = ways.rows[at], ways.options[at]
        made = bound.taken(at)
        for place, each in enumerate(choices):
            chosen = each.picked[at, picks[pick, place]]
            steps, attacks = each.steps[chosen], each.attacks[chosen]
            sounding = np.take_along_axis(self.setting.scales[options], steps.astype(np.int64), 1)
            if beam.semitones.shape[2]:
                held = np.cumsum(attacks, axis=1) == 0
                before = beam.semitones[parent, each.voice, -1]
                sounding = np.where(held, before[:, np.newaxis], sounding)
            made.steps[:, each.voice], made.attacks[:, each.voice] = steps, attacks
            made.semitones[:, each.voice] = sounding
            made.debts[:, each.voice] = each.debts[chosen]
        cost = beam.costs[parent] + price[at, pick]
        return Grown(parent, options, made.steps, made.semitones, made.attacks, made.debts, cost)


def _cheap(price: Floats, rows: Ints) -> Ints:
    """The ways (P,) that are not far dearer than the cheapest of their hypothesis."""
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    least = np.minimum.reduceat(price, starts) if len(rows) else price
    counts = np.diff(starts, append=len(rows))
    return np.flatnonzero(price < np.repeat(least, counts) + DEAREST)


@cache
def _picks(counts: tuple[int, ...]) -> Ints:
    """Every choice of one of so many for each of some voices (choices, voices)."""
    return np.array(list(product(*map(range, counts))), np.int64).reshape(prod(counts), len(counts))


def _cheapest(price: Floats, rows: Ints, most: int) -> tuple[Ints, Ints]:
    """For each hypothesis its cheapest continuations: which ways, and which picks there.

    Args:
        price: (P, picks) in nats.
        rows: (P,) hypothesis of each way, in order.
        most: continuations of a hypothesis.
    """
    width = price.shape[1]
    flat = price.ravel()
    bounds = np.flatnonzero(np.diff(rows, prepend=-1, append=rows[-1] + 1)) * width
    found = []
    for start, stop in pairwise(bounds.tolist()):
        inside = flat[start:stop]
        few = np.argpartition(inside, most)[:most] if len(inside) > most else np.arange(len(inside))
        few = few[np.isfinite(inside[few])]
        found.append(start + few[np.argsort(inside[few], kind="stable")])
    places = np.concatenate(found)
    return places // width, places % width


def _joined(found: list[Cells]) -> Cells:
    """All candidates one after another."""
    return Cells(
        np.concatenate([each.steps for each in found]),
        np.concatenate([each.attacks for each in found]),
        np.concatenate([each.debts for each in found]),
        np.concatenate([each.costs for each in found]),
    )


def _ranked(kind_of: Ints, kinds: int, most: int) -> Ints:
    """For each kind the places of its first candidates (kinds, C), -1 where there are fewer.

    Args:
        kind_of: (n,) kind of each candidate, in order.
        kinds: how many.
        most: candidates of a kind.
    """
    counts = np.bincount(kind_of, minlength=kinds)
    starts = np.cumsum(counts) - counts
    columns = np.arange(min(most, counts.max(initial=0)))
    table: Ints = np.where(columns < counts[:, np.newaxis], starts[:, np.newaxis] + columns, -1)
    return table


def _echo(lines: Shorts, found: Cells, picked: Ints) -> Floats:
    """What repeating oneself costs (P, C).

    Args:
        lines: (P, parts so far) what the voice did.
        found: all candidates.
        picked: (P, C) those of each way.
    """
    total = np.zeros(picked.shape)
    moves: Bools = (found.attacks[:, 1:] == 1).any(axis=1)
    for back, price in enumerate(ECHO, 1):
        start = lines.shape[1] - back * PARTS
        if start >= 0:
            past = lines[:, np.newaxis, start : start + PARTS]
            total += price * ((found.steps[picked] == past).all(axis=2) & moves[picked])
    return total


def _lands(found: Cells, due: Bools, voice: Timbre) -> Bools:
    """Which candidates can pay what they owe on a step (n, 7) where the voice is due."""
    last = found.steps[:, -1].astype(np.int64)
    each = np.arange(len(last))
    down = due[each, (last - 1) % 7] & (last > voice.low)
    up = due[each, (last + 1) % 7] & (last < voice.high)
    lands: Bools = (found.debts == Debt.NONE) | down | ((found.debts == Debt.STEP) & up)
    return lands
