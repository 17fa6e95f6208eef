"""Rules on two voices moving together."""

from __future__ import annotations

from typing import Any

from theory_kb.moment import NONE
from theory_kb.rules.engine import helper, kernel, pair_bit
from theory_kb.rules.measure import (
    crossed,
    direction,
    leaps,
    letter,
    moves,
    octave_leap,
    opposed,
    outer,
    perfect,
    pitch_class,
    relative,
    same_chord,
    same_harmony,
    similar,
    sounding,
    staff_steps,
    vertical,
)

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it

# -------------------------------------------------------------------- parallel and contrary


@helper
def unison(moment: Moment, upper: int, lower: int) -> bool:
    """Whether two voices sound one pitch."""
    return moment.semitone[upper] == moment.semitone[lower]


@helper
def anticipates(before: Moment, now: Moment, upper: int, lower: int) -> bool:
    """Whether the upper voice anticipates the tonic while the lower takes the seventh of V.

    Off the beat, degrees 2-1 above 5-4: the fifths of Bach's cadences.
    """
    if now.tonic == NONE or before.tonic != now.tonic or now.strength > 1 or before.root != 1:
        return False
    above = relative(before, upper) == 2 and relative(now, upper) == 0
    return above and relative(before, lower) == 1 and relative(now, lower) == -1


@helper
def parallel(before: Moment, now: Moment, upper: int, lower: int, kind: int) -> bool:
    """Whether two voices move the same way, to new pitch classes, from one class to itself."""
    same_way = direction(before, now, upper) != 0
    same_way = same_way and direction(before, now, upper) == direction(before, now, lower)
    if not same_way or perfect(before, upper, lower) != kind:
        return False
    return perfect(now, upper, lower) == kind and not octave_leap(before, now, upper)


@kernel()
def parallel_unison(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go from one unison to another."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if similar(before, now, upper, lower) and unison(now, upper, lower):
                if unison(before, upper, lower):
                    bits |= pair_bit(upper, lower)
    return bits


@kernel()
def parallel_octave(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go the same way from one octave to another."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if now.boundary == 0 and parallel(before, now, upper, lower, 8):
                if not (unison(before, upper, lower) and unison(now, upper, lower)):
                    bits |= pair_bit(upper, lower)
    return bits


@kernel("anticipation_allowed")
def parallel_fifth(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go the same way from one perfect fifth to another."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if now.boundary == 0 and parallel(before, now, upper, lower, 5):
                if not (p[0] and anticipates(before, now, upper, lower)):
                    bits |= pair_bit(upper, lower)
    return bits


@kernel()
def cadential_anticipation_fifths(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Fifths between an anticipated tonic and the passing seventh of V."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if now.boundary == 0 and parallel(before, now, upper, lower, 5):
                if anticipates(before, now, upper, lower):
                    bits |= pair_bit(upper, lower)
    return bits


@kernel()
def chorale_cross_phrase(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Parallel fifths or octaves between the end of a phrase and the next one."""
    bits = 0
    if now.boundary == 0:
        return bits
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            octaves = parallel(before, now, upper, lower, 8)
            if octaves or parallel(before, now, upper, lower, 5):
                bits |= pair_bit(upper, lower)
    return bits


@helper
def contrary(before: Moment, now: Moment, upper: int, lower: int, kind: int) -> bool:
    """Whether two voices move opposite ways from a perfect class to itself."""
    if not opposed(before, now, upper, lower) or perfect(before, upper, lower) != kind:
        return False
    return perfect(now, upper, lower) == kind


@helper
def closes(before: Moment, now: Moment, lower: int) -> bool:
    """Whether the bass of V leaps to the root of I at the end of a phrase."""
    close = (now.phrase_end or now.final) and before.root == 1 and now.root == 0
    return close and lower == now.voices - 1 and before.tonic == now.tonic


@kernel("cadence_allowed")
def contrary_octave(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go opposite ways from one octave to another."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if contrary(before, now, upper, lower, 8):
                if not (p[0] and closes(before, now, lower)):
                    bits |= pair_bit(upper, lower)
    return bits


@kernel("inner_leaps_allowed")
def contrary_fifth(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go opposite ways from one perfect fifth to another."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if contrary(before, now, upper, lower, 5):
                framed = outer(now, upper) and outer(now, lower)
                leap = leaps(before, now, upper) and leaps(before, now, lower)
                if not p[0] or framed or not leap:
                    bits |= pair_bit(upper, lower)
    return bits


# ------------------------------------------------------------------------ direct and unequal


@helper
def direct_outer(before: Moment, now: Moment, kind: int) -> int:
    """Bit of the outer pair if it moves the same way into a class, the top voice leaping."""
    low = now.voices - 1
    if low < 1 or not similar(before, now, 0, low) or same_chord(before, now):
        return 0
    if perfect(now, 0, low) != kind or perfect(before, 0, low) == kind:
        return 0
    return pair_bit(0, low) if leaps(before, now, 0) else 0


@kernel()
def direct_octave_outer(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The outer voices go the same way into an octave, the top voice leaping."""
    return direct_outer(before, now, 8)


@kernel()
def direct_fifth_outer(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The outer voices go the same way into a fifth, the top voice leaping."""
    return direct_outer(before, now, 5)


@kernel()
def direct_unison(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go the same way into a unison."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if similar(before, now, upper, lower) and unison(now, upper, lower):
                if not unison(before, upper, lower):
                    bits |= pair_bit(upper, lower)
    return bits


@helper
def in_tenths(before: Moment, now: Moment, upper: int) -> bool:
    """Whether a voice rises by step in parallel thirds with the bass."""
    low = now.voices - 1
    if upper == low or staff_steps(before, now, low) != staff_steps(before, now, upper):
        return False
    third = (now.step[upper] - now.step[low]) % 7 == 2
    return third and staff_steps(before, now, upper) == 1


@kernel()
def unequal_fifth_dim_perfect(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go the same way from a diminished to a perfect fifth."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if similar(before, now, upper, lower) and vertical(before, upper, lower) == -6:
                tenths = in_tenths(before, now, upper) or in_tenths(before, now, lower)
                if vertical(now, upper, lower) == 1 and not tenths:
                    bits |= pair_bit(upper, lower)
    return bits


@kernel()
def unequal_fifth_bass(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """An upper voice and the bass go the same way from a diminished to a perfect fifth."""
    bits, low = 0, now.voices - 1
    for upper in range(low):
        if low > 1 and similar(before, now, upper, low) and vertical(before, upper, low) == -6:
            if vertical(now, upper, low) == 1:
                bits |= pair_bit(upper, low)
    return bits


@kernel()
def unequal_fifth_perfect_dim(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go the same way from a perfect to a diminished fifth."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if similar(before, now, upper, lower) and vertical(before, upper, lower) == 1:
                if vertical(now, upper, lower) == -6:
                    bits |= pair_bit(upper, lower)
    return bits


# -------------------------------------------------------------------------- order of voices


@kernel()
def voice_overlap(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice passes the place its neighbour has just left."""
    bits = 0
    if now.boundary or same_chord(before, now):
        return bits
    for upper in range(now.voices - 1):
        lower = upper + 1
        if not (moves(before, now, upper) or moves(before, now, lower)):
            continue
        silent = not (sounding(before, upper) and sounding(before, lower))
        if silent or not (sounding(now, upper) and sounding(now, lower)):
            continue
        if crossed(before, upper, lower) or crossed(now, upper, lower):
            continue
        over = now.semitone[lower] > before.semitone[upper]
        if over or now.semitone[upper] < before.semitone[lower]:
            bits |= pair_bit(upper, lower)
    return bits


@kernel()
def all_same_direction(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Every voice moves the same way into a new harmony."""
    bits, way = 0, direction(before, now, 0)
    if now.voices < 3 or way == 0 or now.boundary or same_harmony(before, now):
        return 0
    if before.inversion == 1 or now.inversion == 1:
        return 0
    for voice in range(1, now.voices):
        if direction(before, now, voice) != way:
            return 0
        bits |= pair_bit(0, voice)
    return bits


# -------------------------------------------------------------------------- cross relation


@helper
def steps_chromatically(before: Moment, now: Moment, name: int) -> bool:
    """Whether some voice goes from one form of a letter to another."""
    for voice in range(now.voices):
        if sounding(before, voice) and sounding(now, voice):
            if letter(before, voice) == name and letter(now, voice) == name:
                if pitch_class(before, voice) != pitch_class(now, voice):
                    return True
    return False


@helper
def is_excused(before: Moment, now: Moment, old: int, new: int) -> bool:
    """Whether a contradiction is one that practice allows.

    Forms of degrees 6 and 7 of a minor key left by step, a Picardy third, an applied leading
    tone in the bass.
    """
    if now.tonic == NONE or before.tonic != now.tonic:
        return False
    was, comes = relative(before, old), relative(now, new)
    minor_forms = was + comes == -1 or was + comes == 3  # 6 with raised 6, 7 with raised 7
    if now.mode == 1 and minor_forms and abs(staff_steps(before, now, old)) == 1:
        return True
    if comes == 4 and was == -3 and (now.phrase_end or now.final):
        return True
    return now.leading != 5 and new == now.voices - 1 and comes == now.leading


@kernel()
def cross_relation(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """One voice contradicts the form of a letter that another has just sounded."""
    bits = 0
    if now.boundary:
        return bits
    for old in range(now.voices):
        for new in range(now.voices):
            framed = outer(now, old) or outer(now, new)
            if old == new or not framed or not (sounding(before, old) and sounding(now, new)):
                continue
            name = letter(before, old)
            if letter(now, new) != name or pitch_class(before, old) == pitch_class(now, new):
                continue
            if steps_chromatically(before, now, name) or is_excused(before, now, old, new):
                continue
            bits |= pair_bit(min(old, new), max(old, new))
    return bits
