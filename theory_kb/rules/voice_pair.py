"""Rules on two voices moving together."""

from __future__ import annotations

from typing import Any

from theory_kb.moment import NONE
from theory_kb.rules.engine import helper, kernel, pair_bit
from theory_kb.rules.measure import (
    count_voices,
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
    """Whether two voices sound one pitch; a diminished second is none."""
    same = moment.semitone[upper] == moment.semitone[lower]
    return same and moment.step[upper] == moment.step[lower]


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
    """Whether two voices move the same way, not both to their own pitch classes, from one class to itself."""
    same_way = direction(before, now, upper) != 0
    same_way = same_way and direction(before, now, upper) == direction(before, now, lower)
    if not same_way or perfect(before, upper, lower) != kind:
        return False
    leaps = octave_leap(before, now, upper) and octave_leap(before, now, lower)
    return perfect(now, upper, lower) == kind and not leaps


@helper
def is_doubling(now: Moment, upper: int, lower: int) -> bool:
    """Whether one of two voices is declared to double the other."""
    return now.doubles[lower] == upper + 1 or now.doubles[upper] == lower + 1


@helper
def is_german(before: Moment, now: Moment, upper: int, lower: int) -> bool:
    """Whether the fifths are those of a German sixth that falls into V: b6-b3 to 5-2."""
    if now.tonic == NONE or before.tonic != now.tonic or count_voices(before, 6) == 0:
        return False
    falls = relative(before, lower) == -4 and relative(now, lower) == 1
    return falls and relative(before, upper) == -3 and relative(now, upper) == 2


@kernel()
def parallel_unison(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go from one unison to another."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if similar(before, now, upper, lower) and unison(now, upper, lower):
                if unison(before, upper, lower) and not is_doubling(now, upper, lower):
                    bits |= pair_bit(upper, lower)
    return bits


@kernel()
def parallel_octave(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go the same way from one octave to another."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if now.boundary == 0 and parallel(before, now, upper, lower, 8):
                unisons = unison(before, upper, lower) and unison(now, upper, lower)
                if not unisons and not is_doubling(now, upper, lower):
                    bits |= pair_bit(upper, lower)
    return bits


@kernel("anticipation_allowed")
def parallel_fifth(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go the same way from one perfect fifth to another."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if now.boundary == 0 and parallel(before, now, upper, lower, 5):
                spared = p[0] and anticipates(before, now, upper, lower)
                if not spared and not is_german(before, now, upper, lower):
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
    """Whether the bass of V falls a fifth to the root of I at the end of a phrase."""
    close = (now.phrase_end or now.final) and before.root == 1 and now.root == 0
    falls = staff_steps(before, now, lower) == -4
    return close and falls and lower == now.voices - 1 and before.tonic == now.tonic


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
    if low < 1 or not similar(before, now, 0, low) or same_harmony(before, now):
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


@helper
def opens_fifth(before: Moment, now: Moment, upper: int, lower: int) -> bool:
    """Whether two voices go the same way from a diminished to a perfect fifth."""
    dim = similar(before, now, upper, lower) and vertical(before, upper, lower) == -6
    return dim and vertical(now, upper, lower) == 1


@kernel()
def unequal_fifth_dim_perfect(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice and the lowest one go the same way from a diminished to a perfect fifth."""
    bits, low = 0, now.voices - 1
    for upper in range(low):
        if opens_fifth(before, now, upper, low):
            bits |= pair_bit(upper, low)
    return bits


@kernel("falling_free")
def unequal_fifth_upper(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two upper voices go the same way from a diminished to a perfect fifth."""
    bits = 0
    for upper in range(now.voices - 2):
        for lower in range(upper + 1, now.voices - 1):
            if opens_fifth(before, now, upper, lower):
                falls = p[0] != 0 and now.semitone[upper] < before.semitone[upper]
                if not (falls or in_tenths(before, now, upper) or in_tenths(before, now, lower)):
                    bits |= pair_bit(upper, lower)
    return bits


@kernel()
def unequal_fifth_bass(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """An upper voice and the bass go the same way from a diminished to a perfect fifth."""
    bits, low = 0, now.voices - 1
    for upper in range(low):
        if low > 1 and opens_fifth(before, now, upper, low):
            bits |= pair_bit(upper, low)
    return bits


@kernel()
def direct_perfect_any(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go the same way into a perfect consonance of another kind.

    Of more than two voices only the outer pair counts, or a pair of which both leap.
    """
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            kind = perfect(now, upper, lower)
            into = kind != 0 and perfect(before, upper, lower) != kind
            if not into or not similar(before, now, upper, lower):
                continue
            framed = outer(now, upper) and outer(now, lower)
            if framed or (leaps(before, now, upper) and leaps(before, now, lower)):
                bits |= pair_bit(upper, lower)
    return bits


@kernel("leap")
def battuta(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Contrary motion strikes an octave on a downbeat from above by step.

    It comes from a tenth, or the lower voice leaps up by p[0] staff steps or more.
    """
    bits = 0
    if now.position != 0 or now.final or now.phrase_end:
        return bits
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            closing = opposed(before, now, upper, lower) and perfect(now, upper, lower) == 8
            tenth = (before.step[upper] - before.step[lower]) % 7 == 2
            leapt = staff_steps(before, now, lower) >= p[0]
            if closing and staff_steps(before, now, upper) == -1 and (tenth or leapt):
                bits |= pair_bit(upper, lower)
    return bits


# ----------------------------------------------------------------- unisons and dissonances


@kernel()
def unison_by_leap(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice leaps into a unison or out of one that is not the first sonority."""
    bits = 0
    if now.boundary:
        return bits
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            silent = not (sounding(before, upper) and sounding(before, lower))
            if silent or not (sounding(now, upper) and sounding(now, lower)):
                continue
            left = unison(before, upper, lower) and not before.opening
            leap = leaps(before, now, upper) or leaps(before, now, lower)
            if leap and (left or unison(now, upper, lower)):
                bits |= pair_bit(upper, lower)
    return bits


@helper
def dissonance_number(moment: Moment, upper: int, lower: int) -> int:
    """Staff steps of a second (1) or seventh (6) between two voices, 0 for other intervals."""
    steps = abs(moment.step[upper] - moment.step[lower]) % 7
    return steps if steps == 1 or steps == 6 else 0


@kernel()
def parallel_dissonance(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go the same way from a second, seventh or ninth to another."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if similar(before, now, upper, lower):
                number = dissonance_number(now, upper, lower)
                if number != 0 and dissonance_number(before, upper, lower) == number:
                    bits |= pair_bit(upper, lower)
    return bits


@kernel()
def parallel_fourths_bass(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice and the bass go the same way from one perfect fourth to another."""
    bits, low = 0, now.voices - 1
    for upper in range(low):
        if similar(before, now, upper, low) and not crossed(now, upper, low):
            if vertical(before, upper, low) == -1 and vertical(now, upper, low) == -1:
                bits |= pair_bit(upper, low)
    return bits


# -------------------------------------------------------------------------- order of voices


@kernel("inner_allowed")
def voice_overlap(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice passes the place its neighbour has just left."""
    bits = 0
    if now.boundary or same_harmony(before, now):
        return bits
    for upper in range(now.voices - 1):
        lower = upper + 1
        if p[0] and not outer(now, upper) and not outer(now, lower):
            continue
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
