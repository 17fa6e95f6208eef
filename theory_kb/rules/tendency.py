"""Rules on notes that want to move: leading tones, sevenths, tritones."""

from __future__ import annotations

from typing import Any

from theory_kb.moment import NONE, UNKNOWN
from theory_kb.rules.engine import helper, kernel, pair_bit, voice_bit
from theory_kb.rules.measure import (
    dominant_of,
    is_chord_tone,
    is_frustrated,
    moves,
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

# ---------------------------------------------------------------------------- leading tones


@helper
def rises(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice goes up a minor second."""
    return (
        staff_steps(before, now, voice) == 1 and now.semitone[voice] - before.semitone[voice] == 1
    )


@helper
def holds_leading(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice that sounds in both moments had the chord's leading tone."""
    if not (sounding(before, voice) and sounding(now, voice)):
        return False
    return relative(before, voice) == before.leading


@helper
def steps_from(before: Moment, now: Moment, voice: int, old: int, new: int) -> bool:
    """Whether a voice goes from one degree to another, by step or, in the bass, by any leap."""
    if relative(before, voice) != old or relative(now, voice) != new:
        return False
    return voice == now.voices - 1 or abs(staff_steps(before, now, voice)) == 1


@helper
def is_tonic(now: Moment) -> bool:
    """Whether the chord is I or the submediant that takes its place."""
    return (now.root == 0 and not now.cadential) or now.root == (3 if now.mode == 0 else -4)


@helper
def passes_down(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice goes through the leading tone on its way 1-7-6-5."""
    onwards = staff_steps(before, now, voice) == -1 and now.exit[voice] == -1
    return before.entry[voice] == -1 and onwards


@helper
def falls_to_submediant(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice goes 1-7-6 as I, V and the submediant follow one another."""
    steps = before.entry[voice] == -1 and staff_steps(before, now, voice) == -1
    return steps and before.came_from == 0 and now.root != 0


@kernel("submediant_free")
def leading_tone_outer(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The leading tone in an outer voice of V or viio does not rise when I or vi comes."""
    bits = 0
    if not dominant_of(before, now) or not is_tonic(now):
        return bits
    for voice in range(now.voices):
        if outer(now, voice) and holds_leading(before, now, voice):
            if not rises(before, now, voice) and not passes_down(before, now, voice):
                if not (p[0] and falls_to_submediant(before, now, voice)):
                    bits |= voice_bit(voice)
    return bits


@helper
def leaps_to_third(before: Moment, now: Moment, voice: int) -> bool:
    """Whether the tenor's leading tone rises a fourth to the third of I."""
    tenor = voice == now.voices - 2
    return tenor and staff_steps(before, now, voice) == 3 and relative(now, voice) == now.third


@kernel()
def leading_tone_inner(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The leading tone in an inner voice of V neither rises nor falls a third for a full I."""
    bits = 0
    if not dominant_of(before, now) or now.root != 0 or now.cadential or before.root != 1:
        return bits
    low = now.voices - 1
    top = steps_from(before, now, 0, 2, 0) or steps_from(before, now, 0, -1, now.third)
    freed = top and steps_from(before, now, low, 1, 0)
    for voice in range(1, low):
        if holds_leading(before, now, voice) and not rises(before, now, voice):
            fourth = leaps_to_third(before, now, voice)
            if not fourth and not (freed and is_frustrated(before, now, voice)):
                bits |= voice_bit(voice)
    return bits


@kernel()
def leading_tone_deceptive(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The leading tone of V does not rise when the submediant comes instead of I."""
    bits = 0
    submediant = 3 if now.mode == 0 else -4
    if not dominant_of(before, now) or before.root != 1 or now.root != submediant:
        return bits
    for voice in range(now.voices):
        if holds_leading(before, now, voice) and not rises(before, now, voice):
            falls = staff_steps(before, now, voice) == -1 and now.mode == 0
            if not falls or outer(now, voice):
                bits |= voice_bit(voice)
    return bits


@kernel("frustrated_allowed")
def applied_leading_tone(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The leading tone of an applied chord neither rises nor falls chromatically."""
    bits = 0
    if before.leading in (NONE, 5) or before.tonic != now.tonic or now.boundary:
        return bits
    if is_chord_tone(now, before.leading):
        return bits
    for voice in range(now.voices):
        if holds_leading(before, now, voice) and not rises(before, now, voice):
            down = now.semitone[voice] - before.semitone[voice] == -1
            lands = now.seventh != NONE and relative(now, voice) == now.seventh
            chromatic = down and staff_steps(before, now, voice) == 0 and lands
            if not chromatic and not (p[0] and is_frustrated(before, now, voice)):
                bits |= voice_bit(voice)
    return bits


# --------------------------------------------------------------------------------- sevenths


@helper
def rises_in_tenths(before: Moment, now: Moment, voice: int) -> bool:
    """Whether the seventh of V43 rises by step as the bass goes 1-2-3 to I6."""
    passing = before.inversion == 2 and before.root == 1 and now.root == 0 and now.inversion == 1
    low = now.voices - 1
    rising = before.entry[low] == 1 and staff_steps(before, now, low) == 1
    return passing and rising and staff_steps(before, now, voice) == 1


@helper
def falls_by_step(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice goes down a minor or major second."""
    down = before.semitone[voice] - now.semitone[voice]
    return staff_steps(before, now, voice) == -1 and 1 <= down <= 2


@helper
def seventh_astray(before: Moment, now: Moment, rising: bool) -> int:
    """Bits of the voices whose seventh leaves other than by step down."""
    bits = 0
    if before.seventh == NONE or now.root == NONE or now.boundary:
        return bits
    if is_chord_tone(now, before.seventh + before.tonic - now.tonic):
        return bits
    for voice in range(now.voices):
        if not (sounding(before, voice) and sounding(now, voice)):
            continue
        if relative(before, voice) == before.seventh and not falls_by_step(before, now, voice):
            if not (rising and rises_in_tenths(before, now, voice)):
                bits |= voice_bit(voice)
    return bits


@kernel("rising_allowed")
def seventh_resolves_down(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The seventh of a chord of the key does not fall by step."""
    if before.leading not in (NONE, 5):
        return 0
    return seventh_astray(before, now, p[0] != 0)


@kernel()
def rising_seventh(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The seventh of V43 rises by step in tenths with the bass into I6."""
    bits = 0
    if before.seventh == NONE or now.boundary or before.tonic != now.tonic:
        return bits
    for voice in range(now.voices - 1):
        silent = not (sounding(before, voice) and sounding(now, voice))
        if silent or relative(before, voice) != before.seventh:
            continue
        if rises_in_tenths(before, now, voice):
            bits |= voice_bit(voice)
    return bits


@kernel()
def applied_seventh(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The seventh of an applied chord does not fall by step."""
    return 0 if before.leading in (NONE, 5) else seventh_astray(before, now, False)


@kernel("smallest_down", "upward_free")
def seventh_approach(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A seventh is entered by leap; that of a dominant may be leapt up to."""
    bits = 0
    if now.seventh == NONE or now.boundary or same_harmony(before, now):
        return bits
    if before.function != UNKNOWN and before.function == now.function:
        if before.tonic == now.tonic:
            return bits
    for voice in range(now.voices):
        if not (sounding(before, voice) and sounding(now, voice)):
            continue
        if relative(now, voice) == now.seventh:
            steps = staff_steps(before, now, voice)
            leapt_up = steps > 1 and now.leading == NONE and p[1] == 0
            if steps <= -p[0] or leapt_up:
                bits |= voice_bit(voice)
    return bits


@kernel()
def dominant_third_inversion(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A dominant with its seventh in the bass does not go to the sixth chord it leads to."""
    if before.inversion != 3 or before.leading == NONE or now.root == NONE or now.boundary:
        return 0
    shift = before.tonic - now.tonic
    arrives = now.root == before.target + shift and now.inversion == 1
    stays = now.leading != NONE and is_chord_tone(now, before.seventh + shift)
    return 0 if arrives or stays else voice_bit(now.voices - 1)


# --------------------------------------------------------------------------------- tritones


@helper
def has_tritone(before: Moment, upper: int, lower: int) -> bool:
    """Whether two voices sound the leading tone of their chord and the tritone to it."""
    if not (sounding(before, upper) and sounding(before, lower)):
        return False
    pulls = relative(before, upper) == before.leading or relative(before, lower) == before.leading
    return pulls and abs(vertical(before, upper, lower)) == 6


@helper
def tritone_resolves(before: Moment, now: Moment, upper: int, lower: int) -> bool:
    """Whether a diminished fifth closes, or an augmented fourth opens, by step."""
    if pitch_class(before, upper) == before.tonic + before.leading:
        leading, other = upper, lower
    else:
        leading, other = lower, upper
    if is_frustrated(before, now, leading):
        return True
    up = staff_steps(before, now, leading) == 1 and staff_steps(before, now, other) == 1
    if up and before.root == before.leading and before.inversion == 1 and not outer(now, other):
        return True
    return staff_steps(before, now, leading) == 1 and staff_steps(before, now, other) == -1


@kernel("outer_only")
def tritone_resolution(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A tritone of a dominant chord does not resolve by step outwards or inwards."""
    bits = 0
    inside = now.boundary == 0 and before.tonic == now.tonic and before.leading != NONE
    arrives = now.root == before.target or (before.leading == 5 and is_tonic(now))
    if not inside or not arrives or now.cadential:
        return bits
    if before.inversion == 2 and now.inversion == 1:
        return bits
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            framed = outer(now, upper) and outer(now, lower)
            silent = not (sounding(now, upper) and sounding(now, lower))
            if silent or (p[0] and not framed) or not has_tritone(before, upper, lower):
                continue
            if not tritone_resolves(before, now, upper, lower):
                bits |= pair_bit(upper, lower)
    return bits


# ------------------------------------------------------------------- chords of stronger pull


@kernel()
def viio7_resolution(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The seventh of viio7 does not fall, or its leading tone not rise, as I comes."""
    bits = 0
    if not dominant_of(before, now) or before.root != 5 or before.seventh == NONE:
        return bits
    if now.root != 0 or now.cadential:
        return bits
    for voice in range(now.voices):
        if holds_leading(before, now, voice) and not rises(before, now, voice):
            bits |= voice_bit(voice)
        if sounding(before, voice) and sounding(now, voice):
            if relative(before, voice) == before.seventh:
                if not falls_by_step(before, now, voice):
                    bits |= voice_bit(voice)
    return bits


@kernel()
def half_dim_fifths(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Third and seventh of viiø7 fall in parallel fifths into I."""
    bits = 0
    half = before.root == 5 and before.third == 2 and before.seventh == 3
    if not half or not dominant_of(before, now) or now.root != 0:
        return bits
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            pair = relative(before, upper) == 3 and relative(before, lower) == 2
            if pair and similar(before, now, upper, lower) and perfect(before, upper, lower) == 5:
                if perfect(now, upper, lower) == 5:
                    bits |= pair_bit(upper, lower)
    return bits


@helper
def holds_flat_six(before: Moment) -> bool:
    """Whether the lowered sixth is a pulling member: of iv, iio, N, an augmented sixth or viio7."""
    return is_chord_tone(before, -4) and before.root in (-1, 2, -5, 6, 5)


@kernel()
def le_resolves_down(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The lowered sixth of a chord that pulls to the dominant does not fall to 5."""
    bits = 0
    inside = now.boundary == 0 and before.tonic == now.tonic and now.root != NONE
    if not inside or not holds_flat_six(before) or same_harmony(before, now):
        return bits
    for voice in range(now.voices):
        if not (sounding(before, voice) and sounding(now, voice)):
            continue
        if relative(before, voice) != -4 or not moves(before, now, voice):
            continue
        moved = now.semitone[voice] - before.semitone[voice]
        steps = staff_steps(before, now, voice)
        rising_bass = voice == now.voices - 1 and steps == 0 and moved == 1
        if not rising_bass and not (steps == -1 and moved == -1):
            bits |= voice_bit(voice)
    return bits


@kernel()
def neapolitan_flat2(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The lowered second of the Neapolitan goes neither down to the leading tone nor to 1."""
    bits = 0
    inside = now.boundary == 0 and before.tonic == now.tonic and now.root != NONE
    if not inside or before.root != -5 or now.root == -5 or before.leading != NONE:
        return bits
    if now.cadential or (now.leading == 6 and now.root == 6):
        return bits
    for voice in range(now.voices):
        if not (sounding(before, voice) and sounding(now, voice)):
            continue
        if relative(before, voice) != -5 or not moves(before, now, voice):
            continue
        steps = staff_steps(before, now, voice)
        third = steps == -2 and relative(now, voice) == 5
        if not third and not (steps == -1 and relative(now, voice) == 0):
            bits |= voice_bit(voice)
    return bits
