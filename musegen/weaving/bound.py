"""What voices sound that are stated or copy another, beside each way that a beat may go on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.weaving.cells import Debt
from musegen.weaving.fabric import PARTS, Copy, Stated, Timbre
from musegen.weaving.hypotheses import Beam, Floats, Shorts, Ways
from musegen.weaving.options import STEPS
from musegen.weaving.setting import Setting
from theory_kb.moment import REST

__all__ = ["FOREIGN", "Bound", "Line", "Walk", "bound_by", "walked"]

FOREIGN = 7.0  # nats for a bound note outside the chord that is not entered and left by step
STRUCK_FOREIGN = 2.5  # nats for one that is struck on a beat
REACH = 2  # staff steps beyond its compass that a copy may go


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """What one voice sounds in a beat, for each way (P)."""

    steps: Shorts  # (P, PARTS)
    semitones: Shorts  # (P, PARTS)
    attacks: NDArray[np.int8]  # (P, PARTS)


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """A line through a beat as the chord sees it; all arrays (..., PARTS)."""

    steps: Shorts
    sounds: NDArray[np.bool_]
    outside: NDArray[np.bool_]  # whether the chord has no such note
    struck: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """What the voices that are not free sound in a beat, for each way (P)."""

    steps: Shorts  # (P, voices, PARTS)
    semitones: Shorts
    attacks: NDArray[np.int8]
    debts: NDArray[np.int8]  # (P, voices)
    costs: Floats  # (P,) inf where a copy cannot be

    def taken(self, rows: NDArray[np.int64]) -> Bound:
        """Some of them."""
        return Bound(
            self.steps[rows],
            self.semitones[rows],
            self.attacks[rows],
            self.debts[rows],
            self.costs[rows],
        )


def bound_by(setting: Setting, beam: Beam, ways: Ways, beat: int) -> Bound:
    """What the bound voices sound beside each way; free and resting voices are silent."""
    count, voices = len(ways.rows), setting.voices
    shape = (count, voices, PARTS)
    made = Bound(
        np.zeros(shape, np.int16),
        np.full(shape, REST, np.int16),
        np.zeros(shape, np.int8),
        np.zeros((count, voices), np.int8),
        np.zeros(count),
    )
    for voice in range(voices):
        task = setting.fabric.tasks[voice][beat]
        if isinstance(task, Stated):
            line = _stated(task, count)
        elif isinstance(task, Copy):
            line = _copied(setting, beam, ways, beat, voice, task)
            made.costs[:] += _out_of_reach(line, setting.fabric.voices[voice])
        else:
            continue
        made.steps[:, voice], made.semitones[:, voice] = line.steps, line.semitones
        made.attacks[:, voice] = line.attacks
        price, made.debts[:, voice] = _foreign(setting, beam, ways, voice, line)
        if isinstance(task, Copy):
            price[price >= FOREIGN] = np.inf  # its model is ours to choose
        made.costs[:] += price
    return made


def _stated(task: Stated, count: int) -> Line:
    return Line(
        np.tile(np.array(task.steps, np.int16), (count, 1)),
        np.tile(np.array(task.semitones, np.int16), (count, 1)),
        np.tile(np.array(task.attacks, np.int8), (count, 1)),
    )


def _copied(setting: Setting, beam: Beam, ways: Ways, beat: int, voice: int, task: Copy) -> Line:
    """What is copied; a note that is held keeps its accidental whatever the chord becomes."""
    inside = slice((beat - task.lag) * PARTS, (beat - task.lag + 1) * PARTS)
    rests = beam.semitones[ways.rows, task.voice, inside] == REST
    steps = beam.steps[ways.rows, task.voice, inside] + np.int16(task.steps)
    attacks = beam.attacks[ways.rows, task.voice, inside].copy()
    if task.begins:
        attacks[~rests[:, 0], 0] = 1
    if task.semitones is not None:
        semitones = beam.semitones[ways.rows, task.voice, inside] + np.int16(task.semitones)
    else:
        tables = setting.scales[ways.options]
        semitones = np.take_along_axis(tables, np.clip(steps, 0, STEPS - 1).astype(np.int64), 1)
        held = np.cumsum(attacks, axis=1) == 0
        before = beam.semitones[ways.rows, voice, -1]
        semitones = np.where(held, before[:, np.newaxis], semitones)
    return Line(steps, np.where(rests, np.int16(REST), semitones), attacks)


def _out_of_reach(line: Line, timbre: Timbre) -> Floats:
    """Infinite (P,) where a copy leaves the compass of its voice."""
    low, high = timbre.low - REACH, timbre.high + REACH
    sounding = line.semitones != REST
    out = sounding & ((line.steps < low) | (line.steps > high))
    price: Floats = np.where(out.any(axis=1), np.inf, 0.0)
    return price


def _foreign(
    setting: Setting, beam: Beam, ways: Ways, voice: int, line: Line
) -> tuple[Floats, NDArray[np.int8]]:
    """What a bound voice's notes outside the chord cost (P,), and what it owes at the end (P,)."""
    count = len(ways.rows)
    before, sounded = np.zeros(count, np.int16), np.zeros(count, bool)
    if beam.steps.shape[2]:
        before = beam.steps[ways.rows, voice, -1]
        sounded = beam.semitones[ways.rows, voice, -1] != REST
    sounds = line.semitones != REST
    outside = ~setting.classes[ways.options[:, np.newaxis], line.semitones % 12]
    walk = Walk(line.steps, sounds, outside, line.attacks == 1)
    return walked(walk, before, sounded, beam.debts[ways.rows, voice])


def walked(
    walk: Walk, before: Shorts, sounded: NDArray[np.bool_], debt: NDArray[np.int8]
) -> tuple[Floats, NDArray[np.int8]]:
    """What the notes of a line outside the chord cost, and what it owes at the end.

    Args:
        walk: the line.
        before: staff step that it comes from.
        sounded: whether it comes from one.
        debt: that it owes (see `Debt`).

    Returns:
        Nats and debts, of the shape of the arguments less the parts of the beat.
    """
    cost = np.zeros(debt.shape)
    for part in range(PARTS):
        step, sounds = walk.steps[..., part], walk.sounds[..., part]
        outside = sounds & walk.outside[..., part]
        struck = sounds & walk.struck[..., part]
        move = np.where(sounded, step - before, 0)
        leapt = np.abs(move) > 1
        unpaid = ((debt == Debt.STEP) & (np.abs(move) != 1)) | ((debt == Debt.FALL) & (move != -1))
        cost += FOREIGN * (struck & unpaid) + FOREIGN * (struck & outside & (~sounded | leapt))
        cost += STRUCK_FOREIGN * (struck & outside & (part == 0))
        owed = np.where(struck, np.where(outside, Debt.STEP, Debt.NONE), debt)
        if part == 0:
            held = outside & ~struck
            cost += FOREIGN * (held & (debt != Debt.NONE))  # it was dissonant before
            owed = np.where(held, Debt.FALL, owed)
        debt = np.where(sounds, owed, Debt.NONE).astype(np.int8)
        before, sounded = np.where(sounds, step, before), sounds
    return cost, debt
