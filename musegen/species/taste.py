"""What a species exercise costs beside its rules, so that the line sings: nats for every move.

The rules say what is wrong; among all that is right, steps are dearer to the ear than leaps,
contrary motion than similar, a sixth or third than a bare fifth, a dissonance that is tied over
than a tie without one. The numbers are judgement, in the order in which Fux and Jeppesen rank the
same things (Gradus ad Parnassum, 1725; Counterpoint, 1931, chapter on melody).
"""

from __future__ import annotations

import numpy as np

from musegen.search.lattice import BoolArray, FloatArray, IntArray
from musegen.species.exercise import Exercise
from theory_kb.moment import REST, TICKS, Moments

__all__ = ["taste", "taste_of_line"]

STEPS = np.array([0.9, 0.0, 0.5, 1.1, 1.5, 2.4, 4.0, 2.6])  # nats by staff steps, 0 to the octave
QUICK = 1.6  # times dearer: a leap in the third and fifth species, where steps run
SAME_WAY, OBLIQUE = 0.5, 0.2  # nats for moving with a voice, and while it stays, on a downbeat
PERFECT = {8: 1.4, 5: 0.8}  # nats for a bare octave or fifth on a downbeat inside
OFF_DOWNBEAT = 0.5  # share of that for one off the downbeat
RETURN = 0.6  # nats for going back to the note before, so that a line does not circle
SOFT = 3.0  # nats for a note that ficta lowers
TIE_WITHOUT, NO_TIE = 0.5, 1.6  # nats for a tie that suspends nothing, and for a broken one
# nats in the fifth species, by beat of the bar: for striking it, and for a beat without a note
FLORID = np.array([0.1, 0.0, 0.0, 0.3])
UNSTRUCK = np.array([0.0, 1.2, 2.0, 0.0])
EIGHTH = 0.6  # nats for an eighth off the beat
ROOTLESS = 2.5  # nats for a first chord that does not stand on the final
LATE_ENTRY = 1.5  # nats for each quarter of rest beyond a half before a voice enters


def taste(exercise: Exercise, before: Moments, now: Moments) -> FloatArray:
    """Cost of moving from one moment to another, (K,) nats; both (K,)."""
    cost = np.zeros(len(now))
    for voice in exercise.free:
        cost += _melody(exercise, voice, before, now)
        cost += _harmony(exercise, voice, now)
        cost += _rhythm(exercise, voice, now)
        if exercise.species[voice] == 5:
            cost += _unstruck(voice, before, now)
    for voice in exercise.free:
        for other in range(exercise.voices):
            if other == exercise.place or other > voice:
                cost += _motion(before, now, voice, other)
    return cost


def taste_of_line(
    exercise: Exercise, earlier: Moments, before: Moments, now: Moments
) -> FloatArray:
    """Cost of three notes of each line, (K,) nats; all (K,)."""
    cost = np.zeros(len(now))
    for voice in exercise.free:
        back = earlier["semitone"][:, voice] == now["semitone"][:, voice]
        back &= before["semitone"][:, voice] != now["semitone"][:, voice]
        cost += RETURN * (back & _struck(now, voice))
    return cost


def _struck(moments: Moments, voice: int) -> BoolArray:
    struck: BoolArray = (moments["attack"][:, voice] == 1) & (moments["semitone"][:, voice] != REST)
    return struck


def _column(moments: Moments, name: str, voice: int) -> IntArray:
    column: IntArray = moments[name][:, voice].astype(np.int64)
    return column


def _downbeat(moments: Moments) -> BoolArray:
    downbeat: BoolArray = moments["position"] == 0
    return downbeat


def _melody(exercise: Exercise, voice: int, before: Moments, now: Moments) -> FloatArray:
    moved = np.abs(_column(now, "step", voice) - _column(before, "step", voice))
    cost = STEPS[np.minimum(moved, len(STEPS) - 1)]
    if exercise.species[voice] in (3, 5):
        cost = np.where(moved > 1, QUICK * cost, cost)
    sounded = _struck(now, voice) & (before["semitone"][:, voice] != REST)
    soft = exercise.mode.soft.fifths
    place = 7 * _column(now, "semitone", voice) - 12 * _column(now, "step", voice) - 84
    lowered = _struck(now, voice) & (place == soft)
    result: FloatArray = np.where(sounded, cost, 0.0) + SOFT * lowered
    return result


def _harmony(exercise: Exercise, voice: int, now: Moments) -> FloatArray:
    """Bare consonances on downbeats inside the exercise."""
    cantus = exercise.place
    semitones = _column(now, "semitone", voice) - _column(now, "semitone", cantus)
    steps = _column(now, "step", voice) - _column(now, "step", cantus)
    fifths = np.where(semitones < 0, -1, 1) * (7 * semitones - 12 * steps)
    inside = (now["opening"] == 0) & (now["final"] == 0) & (now["semitone"][:, voice] != REST)
    share = np.where(_downbeat(now), 1.0, OFF_DOWNBEAT) * inside
    cost: FloatArray = share * (PERFECT[8] * (fifths == 0) + PERFECT[5] * (fifths == 1))
    return cost + _rootless(exercise, voice, now)


def _rootless(exercise: Exercise, voice: int, now: Moments) -> FloatArray:
    """A lowest voice that opens elsewhere than on the final."""
    lowest = voice == exercise.voices - 1
    place = 7 * _column(now, "semitone", voice) - 12 * _column(now, "step", voice) - 84
    opens = (now["opening"] == 1) & (now["attack"][:, voice] == 1)
    cost: FloatArray = ROOTLESS * (opens & lowest & (place != exercise.mode.final.fifths))
    return cost


def _rhythm(exercise: Exercise, voice: int, now: Moments) -> FloatArray:
    species, struck = exercise.species[voice], _struck(now, voice)
    down = _downbeat(now) & (now["bar"] > 1) & (now["final"] == 0)
    if species == 5:
        beat, off = np.divmod(now["position"], TICKS)
        inside = struck & ((beat > 0) | down)
        florid: FloatArray = inside * np.where(off == 0, FLORID[beat % 4], EIGHTH)
        return florid
    if species == 4:
        held = down & ~struck
        steps = _column(now, "step", voice) - _column(now, "step", exercise.place)
        suspends = np.isin(np.abs(steps) % 7, (1, 3, 6))
        tied: FloatArray = NO_TIE * (down & struck) + TIE_WITHOUT * (held & ~suspends)
        return tied
    late = (now["opening"] == 1) & struck & (now["position"] > 2 * TICKS)
    entered: FloatArray = LATE_ENTRY * late
    return entered


def _unstruck(voice: int, before: Moments, now: Moments) -> FloatArray:
    """The quarters of the bar, since the moment before, on which a florid voice strikes nothing."""
    silent = now["semitone"][:, voice] == REST
    end = np.where(_downbeat(now), 4 * TICKS, now["position"])
    cost = np.zeros(len(now))
    for beat in range(1, 4):
        place = beat * TICKS
        passed = (before["position"] < place) & (place < end)
        here = (now["position"] == place) & ~_struck(now, voice)
        cost += UNSTRUCK[beat] * ((passed | here) & ~silent)
    return cost


def _motion(before: Moments, now: Moments, voice: int, other: int) -> FloatArray:
    """How two voices move into a downbeat."""
    first, second = (
        np.sign(_column(now, "semitone", each) - _column(before, "semitone", each))
        for each in (voice, other)
    )
    sounded = (before["semitone"][:, voice] != REST) & (before["semitone"][:, other] != REST)
    counted = _downbeat(now) & sounded
    cost: FloatArray = counted * np.where(
        (first == 0) | (second == 0), OBLIQUE, np.where(first == second, SAME_WAY, 0.0)
    )
    return cost
