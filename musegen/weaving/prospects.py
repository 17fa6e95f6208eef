"""What a line leads to where it will be copied: whether chords can be found for the copies.

A copy is bound to its model many beats later, when it is too late to change either. So each
hypothesis knows, of every copy that is to come, in which chords it can stand and what it then owes
(`Stands`); one from whose last chord no way leads through them is a dead end, struck out at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from musegen.weaving.bound import FOREIGN, Walk, walked
from musegen.weaving.cells import Debt
from musegen.weaving.fabric import Copy
from musegen.weaving.hypotheses import Beam, Grown, Stands
from musegen.weaving.setting import Setting
from theory_kb.moment import REST

__all__ = ["Prospects"]

NEVER = -1  # a copy that cannot stand in a chord
Bools = NDArray[np.bool_]


class Prospects:
    """The chords that lie open to copies."""

    def __init__(self, setting: Setting) -> None:
        """Note when what is copied."""
        self.setting = setting
        self.copies: list[list[tuple[int, int, Copy]]] = [[] for _ in range(setting.fabric.beats)]
        for voice, line in enumerate(setting.fabric.tasks):
            for beat, task in enumerate(line):
                if isinstance(task, Copy):
                    self.copies[beat - task.lag].append((voice, beat, task))

    def stands(self, beam: Beam, found: Grown, beat: int) -> Stands:
        """Where the copies of a beat can stand."""
        return {
            (voice, late): self._stand(beam, found, late, task)
            for voice, late, task in self.copies[beat]
        }

    def alive(self, known: Stands, found: Grown, beat: int) -> Bools:
        """Which continuations (K,) lead on: chords can follow theirs that bear the copies to come.

        Args:
            known: where all copies after the beat can stand.
            found: continuations by the beat.
            beat: that they add.
        """
        alive = np.ones(len(found.costs), bool)
        columns = self.setting.column_of[beat][found.options]
        each = np.arange(len(alive))
        for voice in {voice for voice, _ in known}:
            led = self._led(known, voice, beat)
            if led is not None:
                alive &= led[each, columns, found.debts[:, voice]]
        return alive

    def _led(self, known: Stands, voice: int, beat: int) -> Bools | None:
        """For each chord of a beat and each debt (K, chords, debts), whether it leads on."""
        stop = beat + 1
        while (voice, stop) in known:
            stop += 1
        led: Bools | None = None
        for late in range(stop - 1, beat, -1):
            stand = known[voice, late]
            can = stand != NEVER
            if led is not None:
                columns = self.setting.open[late].columns
                can &= np.take_along_axis(led[:, columns], np.maximum(stand, 0).astype(np.int64), 2)
            can &= self._all_stand(known, late)[:, :, np.newaxis]
            led = self._reaching(can, late)
        return led

    def _all_stand(self, known: Stands, late: int) -> Bools:
        """In which options (K, n) every copy of a beat can stand with some debt."""
        each = [(stand != NEVER).any(axis=2) for (_, beat), stand in known.items() if beat == late]
        together: Bools = np.logical_and.reduce(each)
        return together

    def _reaching(self, can: Bools, late: int) -> Bools:
        """From which chords of the beat before (K, chords, debts) an option of a beat is reached."""
        here = self.setting.open[late]
        ahead = self.setting.ahead[late]
        goes = np.isfinite(ahead.follow[:, here.columns] + ahead.least[here.columns])
        led = goes.astype(np.float32) @ can.astype(np.float32)
        reaching: Bools = led > 0
        return reaching

    def _stand(self, beam: Beam, found: Grown, late: int, task: Copy) -> NDArray[np.int8]:
        """What a copy owes after its beat, by its chord and what it owed (K, n, debts), or `NEVER`."""
        here = self.setting.open[late].options
        steps = found.steps[:, task.voice] + np.int16(task.steps)
        semitones = found.semitones[:, task.voice]
        if task.semitones is None:
            inside = self.setting.members[here][:, steps % 7]
        else:
            inside = self.setting.classes[here][:, (semitones + task.semitones) % 12]
        struck = found.attacks[:, task.voice] == 1
        struck[:, 0] |= task.begins
        before, sounded = steps[:, 0], np.ones(len(steps), bool)
        if beam.steps.shape[2]:
            before = beam.steps[found.parent, task.voice, -1] + np.int16(task.steps)
            sounded = beam.semitones[found.parent, task.voice, -1] != REST
        walk = Walk(
            steps[:, np.newaxis],
            (semitones != REST)[:, np.newaxis],
            ~inside.transpose(1, 0, 2),
            struck[:, np.newaxis],
        )
        owed = np.full((len(steps), len(here), len(Debt)), NEVER, np.int8)
        for debt in Debt:
            start = np.full(owed.shape[:2], debt, np.int8)
            price, after = walked(walk, before[:, np.newaxis], sounded[:, np.newaxis], start)
            owed[:, :, debt] = np.where(price < FOREIGN, after, NEVER)
        return owed
