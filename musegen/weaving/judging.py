"""The rules of the style on what a beat adds, by the kernels that judge a finished piece."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from musegen.plan.plan import Harmony
from musegen.weaving.fabric import PARTS
from musegen.weaving.hypotheses import Beam, Chords, Floats, Grown, Judged, Shorts, scattered
from musegen.weaving.prospects import Prospects
from musegen.weaving.setting import PART_TICKS, Setting
from theory_kb.check import Style
from theory_kb.chords import set_harmony, set_members, spell
from theory_kb.moment import REST, TICKS, Moments, blank_moments, taken
from theory_kb.rule_sets import costs, rule_set

__all__ = ["Judge"]

WRONG_BASS = 6.0  # nats for a bound bass that is not the chord's
CROSSED = 2.5  # nats for each pair of voices that cross
UNISON = 1.2  # nats for each unison
STILL = 1.0  # nats for a beat in whose middle nothing is struck, where the lines should flow
BATCH = 400  # drafts that are judged at once
LEVELS = ("surface", "harmonic")
GROUPS = ("unary", "pair", "line")


class Judge:
    """What continuations cost."""

    def __init__(self, setting: Setting, style: Style, flow: float) -> None:
        """Compile the rules of a style.

        Args:
            setting: of the search.
            style: whose hard rules no moment breaks, and whose soft ones cost.
            flow: how much it is wanted that some voice moves between beats.
        """
        self.setting, self.flow, self.prospects = setting, flow, Prospects(setting)
        self.fabric, self.voices, self.options = setting.fabric, setting.voices, setting.options
        self.heard, self.classes = setting.heard, setting.classes
        self.sounding = blank_moments(len(self.options), self.voices)  # a silence in each chord
        for place, each in enumerate(self.options):
            set_harmony(self.sounding[place : place + 1], each.harmony.chord, each.harmony.key)
        self.rules = {
            (group, level): rule_set(style, group, level) for level in LEVELS for group in GROUPS
        }

    def judged(self, beam: Beam, found: Grown, beat: int, width: int) -> Beam | None:
        """The best of what was drafted; None if the rules leave nothing.

        The cheapest drafts come first: rules only add to a cost, so that what is dearer as a draft
        than `width` judged ones is not judged.
        """
        total = found.costs + self._texture(found.semitones, found.attacks)
        total += self._wrong_bass(beam, found)
        if beat in self.fabric.cadences and self.voices > 2:
            total += self._bare(found)
        order = np.argsort(total, kind="stable")
        order = order[np.isfinite(total[order])]
        best: Judged | None = None
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            if best and len(best.costs) == width and best.costs[-1] <= total[rows[0]]:
                break
            more = self._judged(beam, found.taken(rows), total[rows], beat)
            best = best.joined(more) if best else more
            best = best.taken(np.argsort(best.costs, kind="stable")[:width])
        return best.grown(beam) if best and len(best.costs) else None

    def _judged(self, beam: Beam, found: Grown, total: Floats, beat: int) -> Judged:
        """What the rules leave of some drafts, judged moment by moment."""
        before, left = taken(beam.last, found.parent), taken(beam.left, found.parent)
        for part in range(PARTS):
            rows = np.flatnonzero((found.attacks[:, :, part] == 1).any(axis=1))
            if not len(rows):
                continue
            now = self._moments(found, rows, beat, part)
            here, gone = taken(before, rows), taken(left, rows)
            total[rows] += self._ruled(gone, here, now)
            left = scattered(left, rows, _left(gone, here, now))
            before = scattered(before, rows, now)
            live = np.flatnonzero(np.isfinite(total))
            found, total = found.taken(live), total[live]
            before, left = taken(before, live), taken(left, live)
        chords, price = self._harmonic(beam, found, beat)
        stands = {
            (voice, late): each[found.parent]
            for (voice, late), each in beam.stands.items()
            if late > beat
        }
        stands |= self.prospects.stands(beam, found, beat)
        total = np.where(self.prospects.alive(stands, found, beat), total + price, np.inf)
        judged = Judged(found, before, left, chords, stands, total)
        return judged.taken(np.flatnonzero(np.isfinite(judged.costs)))

    def _harmonic(self, beam: Beam, found: Grown, beat: int) -> tuple[Chords, Floats]:
        """The chords with the beat, and what the rules on them cost.

        As the checker takes them: a voice enters a chord with the first of its tones that it has in
        the whole span, and leaves it with the last.
        """
        classes = self.classes[found.options]  # (K, 12)
        inside = (found.semitones != REST) & np.take_along_axis(
            classes[:, np.newaxis, :], found.semitones % 12, axis=2
        )
        tones = inside.any(axis=2)
        first = np.argmax(inside, axis=2)  # 0 where a voice has no chord tone in the beat
        last = PARTS - 1 - np.argmax(inside[:, :, ::-1], axis=2)
        entered, left = (self._chord(found, parts, beat) for parts in (first, last))
        before = beam.chords.taken(found.parent)
        begun = np.ones(len(tones), bool)
        if beat:
            begun = self.heard[found.options] != self.heard[beam.options[found.parent, -1]]
            begun |= beat % self.fabric.per_bar == 0  # a bar names its chord anew
        came = before.came.copy()
        came[begun] = before.left[begun]
        on = np.flatnonzero(~begun)
        news = tones[on] & (before.entered["member"][on][:, : self.voices] < 0)
        entered[on] = _replaced(before.entered[on], entered[on], news)
        left[on] = _replaced(before.left[on], left[on], tones[on])
        chords = Chords(came, entered, left)
        price = np.zeros(len(tones))
        starts = np.flatnonzero(begun)
        price[starts] = self._entered(chords.taken(starts))
        late = on[news.any(axis=1)]  # a voice reaches its first chord tone here
        price[late] = np.where(np.isfinite(self._entered(chords.taken(late))), 0.0, np.inf)
        return chords, price

    def _entered(self, chords: Chords) -> Floats:
        """What the rules on chords cost (n,), by how each chord is entered."""
        now = chords.entered
        price = costs(self.rules["unary", "harmonic"], now, now, now)
        beats = now["onset"] // TICKS
        bound = np.flatnonzero(~np.isin(beats, [0, *self.fabric.breaks]))
        came, here = taken(chords.came, bound), taken(now, bound)
        price[bound] += costs(self.rules["pair", "harmonic"], came, came, here)
        return price

    def _chord(self, found: Grown, parts: NDArray[np.int64], beat: int) -> Moments:
        """One moment for each candidate (K), each voice as it is in one part of the beat."""
        place = parts[:, :, np.newaxis]
        steps = np.take_along_axis(found.steps, place, axis=2)
        semitones = np.take_along_axis(found.semitones, place, axis=2)
        attacks = np.ones_like(steps, np.int8)
        single = replace(found, steps=steps, semitones=semitones, attacks=attacks)
        return self._moments(single, np.arange(len(found.costs)), beat, 0)

    def _ruled(self, left: Moments, before: Moments, now: Moments) -> Floats:
        price = costs(self.rules["unary", "surface"], now, now, now)
        moved = np.flatnonzero(np.isfinite(price) & (before["semitone"] != REST).any(axis=1))
        if len(moved):
            gone, here, there = taken(left, moved), taken(before, moved), taken(now, moved)
            price[moved] += costs(self.rules["pair", "surface"], here, here, there)
            price[moved] += costs(self.rules["line", "surface"], gone, here, there)
        return price

    def _moments(self, found: Grown, rows: NDArray[np.int64], beat: int, part: int) -> Moments:
        made = taken(self.sounding, found.options[rows].astype(np.int64))
        voices = slice(0, self.voices)
        made["step"][:, voices] = found.steps[rows, :, part]
        made["semitone"][:, voices] = found.semitones[rows, :, part]
        made["attack"][:, voices] = found.attacks[rows, :, part]
        made["onset"] = beat * TICKS + part * PART_TICKS
        bar, place = divmod(beat, self.fabric.per_bar)
        made["bar"], made["position"] = bar + 1, place * TICKS + part * PART_TICKS
        made["strength"] = self.setting.strength(beat, part)
        made["phrase_end"] = beat in self.fabric.cadences
        made["final"] = beat in self.fabric.cadences and beat == max(self.fabric.cadences)
        set_members(made)
        return made

    def _wrong_bass(self, beam: Beam, found: Grown) -> Floats:
        """What it costs (n,) that a chord begins on another bass than its own."""
        if not self.fabric.bass:
            return np.zeros(len(found.costs))
        first = np.where(found.semitones[:, :, 0] == REST, 999, found.semitones[:, :, 0])
        lowest = np.argmin(first, axis=1)[:, np.newaxis]
        steps = np.take_along_axis(found.steps[:, :, 0], lowest, axis=1)[:, 0]
        basses = np.array([option.bass for option in self.options])[found.options]
        wrong = (steps % 7 != basses) & (first.min(axis=1) < 999)
        if beam.options.shape[1]:
            goes_on = self.heard[found.options] == self.heard[beam.options[found.parent, -1]]
            wrong &= ~goes_on
        price: Floats = WRONG_BASS * wrong
        return price

    def _bare(self, found: Grown) -> Floats:
        """What an arrival without its third costs (n,)."""
        thirds = np.array([_third(each.harmony) for each in self.options])[found.options]
        sounding = np.where(found.semitones[:, :, 0] == REST, -1, found.semitones[:, :, 0] % 12)
        full = (sounding == thirds[:, np.newaxis]).any(axis=1)
        price: Floats = np.where(full, 0.0, np.inf)
        return price

    def _texture(self, semitones: Shorts, attacks: NDArray[np.int8]) -> Floats:
        """What crossing, unisons and a beat that stands still cost (n,)."""
        total = np.zeros(len(semitones))
        for upper in range(self.voices):
            for lower in range(upper + 1, self.voices):
                one, other = semitones[:, upper], semitones[:, lower]
                both = (one != REST) & (other != REST)
                if not self.fabric.crossing:
                    total += CROSSED * ((one < other) & both).any(axis=1)
                total += UNISON * ((one == other) & both).any(axis=1)
        moving = attacks[:, :, PARTS // 2].any(axis=1)
        return total + self.flow * STILL * ~moving

    # --- rules ------------------------------------------------------------------------------


def _third(harmony: Harmony) -> int:
    """The third of a chord, semitones within the octave."""
    return spell(harmony.chord, harmony.key)[1].semitone


def _left(left: Moments, before: Moments, now: Moments) -> Moments:
    """What each voice left before the note that it has now."""
    found = left.copy()
    moved = (
        (before["semitone"] != now["semitone"])
        & (before["semitone"] != REST)
        & (now["semitone"] != REST)
    )
    for name in ("step", "semitone"):
        found[name] = np.where(moved, before[name], left[name])
    return found


def _replaced(old: Moments, new: Moments, voices: NDArray[np.bool_]) -> Moments:
    """Moments in which some voices (n, voices) have the notes of others."""
    found = old.copy()
    place = slice(0, voices.shape[1])
    for name in ("step", "semitone", "degree", "member"):
        found[name][:, place] = np.where(voices, new[name][:, place], old[name][:, place])
    return found
