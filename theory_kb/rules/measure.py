"""What the kernels measure: intervals, motions, chord members. Small compiled helpers.

All take MOMENT records. An interval is read as its place on the line of fifths, 7 semitones less
12 steps, which tells every quality apart whatever the octave: 0 a perfect octave or unison, 1 a
perfect fifth, 6 an augmented fourth, -6 a diminished fifth, 9 an augmented second.
"""

from __future__ import annotations

from typing import Any

from theory_kb.moment import NONE, REST, UNKNOWN
from theory_kb.rules.engine import helper, voice_bit

__all__ = [
    "CONSONANT",
    "answers",
    "between",
    "clash",
    "clashes_with",
    "closes_on_cantus",
    "count_voices",
    "crossed",
    "direction",
    "dominant_of",
    "is_chord_tone",
    "is_diminished",
    "is_dissonant",
    "is_downbeat",
    "is_frustrated",
    "is_held",
    "is_hidden",
    "is_major",
    "is_minor",
    "is_pair_free",
    "is_tendency",
    "is_triad",
    "leads_to_close",
    "leaps",
    "leaves_suspension",
    "letter",
    "lowest",
    "melodic",
    "moves",
    "octave_leap",
    "opposed",
    "outer",
    "perfect",
    "pitch_class",
    "relative",
    "same_chord",
    "same_harmony",
    "similar",
    "sounding",
    "staff_steps",
    "tenor_role",
    "vertical",
    "voices_with",
]

Moment = Any  # a MOMENT record as numba sees it
OCTAVE, FIFTH = 8, 5  # perfect classes


@helper
def sounding(moment: Moment, voice: int) -> bool:
    """Whether a voice sounds."""
    return moment.semitone[voice] != REST


@helper
def pitch_class(moment: Moment, voice: int) -> int:
    """Place of a voice's pitch class on the line of fifths, C = 0."""
    return 7 * moment.semitone[voice] - 12 * moment.step[voice] - 84


@helper
def relative(moment: Moment, voice: int) -> int:
    """Place of a voice's pitch class above the local tonic."""
    return pitch_class(moment, voice) - moment.tonic


@helper
def letter(moment: Moment, voice: int) -> int:
    """Letter of a voice's note, C = 0."""
    return moment.step[voice] % 7


@helper
def vertical(moment: Moment, upper: int, lower: int) -> int:
    """Interval from the lower-sounding to the higher-sounding of two voices, line of fifths."""
    semitones = moment.semitone[upper] - moment.semitone[lower]
    fifths = 7 * semitones - 12 * (moment.step[upper] - moment.step[lower])
    return -fifths if semitones < 0 else fifths


@helper
def perfect(moment: Moment, upper: int, lower: int) -> int:
    """Perfect class of two voices: 8 unison or octave, 5 fifth, 0 anything else."""
    fifths = vertical(moment, upper, lower)
    if fifths == 0:
        return OCTAVE
    return FIFTH if fifths == 1 else 0


@helper
def crossed(moment: Moment, upper: int, lower: int) -> bool:
    """Whether the lower-named voice sounds above the higher-named one."""
    return moment.semitone[lower] > moment.semitone[upper]


@helper
def direction(before: Moment, now: Moment, voice: int) -> int:
    """1 if a voice rises, -1 if it falls, 0 if it stays or is silent in either moment."""
    if before.semitone[voice] == REST or now.semitone[voice] == REST:
        return 0
    moved = now.semitone[voice] - before.semitone[voice]
    return 1 if moved > 0 else (-1 if moved < 0 else 0)


@helper
def moves(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice goes from one pitch to another."""
    return direction(before, now, voice) != 0


@helper
def similar(before: Moment, now: Moment, upper: int, lower: int) -> bool:
    """Whether two voices move the same way inside a phrase."""
    way = direction(before, now, upper)
    return way != 0 and way == direction(before, now, lower) and now.boundary == 0


@helper
def opposed(before: Moment, now: Moment, upper: int, lower: int) -> bool:
    """Whether two voices move in opposite ways inside a phrase."""
    way = direction(before, now, upper)
    return way != 0 and way == -direction(before, now, lower) and now.boundary == 0


@helper
def staff_steps(before: Moment, now: Moment, voice: int) -> int:
    """Staff steps a voice moves, up positive."""
    return now.step[voice] - before.step[voice]


@helper
def leaps(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice moves by a third or more."""
    return moves(before, now, voice) and abs(staff_steps(before, now, voice)) >= 2


@helper
def melodic(before: Moment, now: Moment, voice: int) -> int:
    """Melodic interval without its direction, line of fifths: 9 for an augmented second."""
    steps = now.step[voice] - before.step[voice]
    semitones = now.semitone[voice] - before.semitone[voice]
    fifths = 7 * semitones - 12 * steps
    return -fifths if steps < 0 or (steps == 0 and semitones < 0) else fifths


@helper
def octave_leap(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice leaps onto its own pitch class."""
    return pitch_class(before, voice) == pitch_class(now, voice)


@helper
def outer(moment: Moment, voice: int) -> bool:
    """Whether a voice is the highest- or lowest-named one."""
    return voice == 0 or voice == moment.voices - 1


@helper
def tenor_role(moment: Moment, voice: int) -> int:
    """Part of a four-part choir a voice is measured as: 0 soprano to 3 bass."""
    if voice == moment.voices - 1:
        return 3 if voice > 0 else 0
    return min(voice, 2)


@helper
def is_pair_free(moment: Moment, upper: int, lower: int) -> bool:
    """Whether either of two voices is silent or holds a non-chord tone."""
    silent = moment.semitone[upper] == REST or moment.semitone[lower] == REST
    return silent or moment.member[upper] == -1 or moment.member[lower] == -1


# ------------------------------------------------------------------------------------ chords


@helper
def same_chord(before: Moment, now: Moment) -> bool:
    """Whether both moments stand in one known chord, inversion included."""
    return before.chord != UNKNOWN and before.chord == now.chord and before.tonic == now.tonic


@helper
def same_harmony(before: Moment, now: Moment) -> bool:
    """Whether root, third and fifth are the same, whatever the bass."""
    if before.root == NONE or now.root == NONE or before.tonic != now.tonic:
        return False
    return before.root == now.root and before.third == now.third and before.fifth == now.fifth


@helper
def voices_with(moment: Moment, place: int) -> int:
    """Bits of the voices that sound a pitch class, given above the tonic."""
    bits = 0
    for voice in range(moment.voices):
        if sounding(moment, voice) and relative(moment, voice) == place:
            bits |= voice_bit(voice)
    return bits


@helper
def count_voices(moment: Moment, place: int) -> int:
    """How many voices sound a pitch class, given above the tonic."""
    count = 0
    for voice in range(moment.voices):
        if sounding(moment, voice) and relative(moment, voice) == place:
            count += 1
    return count


@helper
def is_chord_tone(moment: Moment, place: int) -> bool:
    """Whether a pitch class, given above the moment's tonic, belongs to its chord."""
    if place == moment.root or place == moment.third or place == moment.fifth:
        return True
    return moment.seventh != NONE and place == moment.seventh


@helper
def is_triad(moment: Moment) -> bool:
    """Whether the chord is known and has no seventh."""
    return moment.root != NONE and moment.seventh == NONE


@helper
def is_major(moment: Moment) -> bool:
    """Whether the chord rests on a major triad."""
    return moment.third - moment.root == 4 and moment.fifth - moment.root == 1


@helper
def is_minor(moment: Moment) -> bool:
    """Whether the chord rests on a minor triad."""
    return moment.third - moment.root == -3 and moment.fifth - moment.root == 1


@helper
def is_diminished(moment: Moment) -> bool:
    """Whether the chord rests on a diminished triad."""
    return moment.third - moment.root == -3 and moment.fifth - moment.root == -6


@helper
def is_tendency(moment: Moment, place: int) -> bool:
    """Whether a chromatic note, given above the tonic, pulls to a neighbour.

    A raised note, the leading tone of an applied chord, the lowered sixth of a major key, and the
    lowered second; but not a borrowed root, nor the root of a root-position Neapolitan.
    """
    if moment.tonic == NONE:
        return False
    if place >= 6 or (place == moment.leading and moment.leading not in (5, NONE)):
        return True
    if place == -4:
        return moment.mode == 0 and moment.root != -4
    return place == -5 and not (moment.root == -5 and moment.inversion == 0)


@helper
def dominant_of(before: Moment, now: Moment) -> bool:
    """Whether the key's own dominant is followed, in the phrase and key, by another chord."""
    inside = now.boundary == 0 and before.tonic == now.tonic and before.tonic != NONE
    return inside and before.leading == 5


@helper
def is_frustrated(before: Moment, now: Moment, voice: int) -> bool:
    """Whether an inner leading tone falls a third to the fifth of the chord it leads to."""
    return not outer(now, voice) and now.step[voice] - before.step[voice] == -2


# ----------------------------------------------------------------------- species counterpoint

CONSONANT = (0, 1, -3, 4, -4, 3)  # octave, fifth, thirds and sixths on the line of fifths
FREE_ABOVE = (-1, 6, -6)  # fourth and tritone: dissonant only with the lowest voice


@helper
def is_downbeat(moment: Moment) -> bool:
    """Whether a declared cantus firmus begins a note."""
    return moment.cantus != UNKNOWN and moment.attack[moment.cantus] == 1


@helper
def is_held(moment: Moment, voice: int) -> bool:
    """Whether a voice goes on with a note that it began before."""
    return moment.semitone[voice] != REST and moment.attack[voice] == 0


@helper
def lowest(moment: Moment) -> int:
    """The lowest-sounding voice, -1 in silence; of two voices in unison the lower-named one."""
    low = -1
    for voice in range(moment.voices):
        if moment.semitone[voice] != REST:
            if low < 0 or moment.semitone[voice] <= moment.semitone[low]:
                low = voice
    return low


@helper
def between(first: Moment, voice: int, second: Moment, other: int) -> int:
    """Interval of a voice's note in one moment and another's in a second one, line of fifths."""
    semitones = first.semitone[voice] - second.semitone[other]
    fifths = 7 * semitones - 12 * (first.step[voice] - second.step[other])
    return -fifths if semitones < 0 else fifths


@helper
def clash(first: Moment, voice: int, second: Moment, other: int) -> bool:
    """Whether a voice's note in one moment is dissonant with another's in a second one.

    A fourth and a tritone are dissonant unless a third voice sounds below both; off the downbeat
    of three voices a tritone is none.
    """
    if first.semitone[voice] == REST or second.semitone[other] == REST:
        return False
    semitones = first.semitone[voice] - second.semitone[other]
    fifths = 7 * semitones - 12 * (first.step[voice] - second.step[other])
    fifths = -fifths if semitones < 0 else fifths
    if fifths in CONSONANT:
        return False
    if fifths not in FREE_ABOVE:
        return True
    strong = second.cantus == UNKNOWN or second.attack[second.cantus] == 1
    if fifths != -1 and second.voices > 2 and not strong:
        return False
    low = min(first.semitone[voice], second.semitone[other])
    for third in range(second.voices):
        if third != voice and second.semitone[third] != REST and second.semitone[third] < low:
            return False
    return True


@helper
def answers(moment: Moment, voice: int, other: int) -> bool:
    """Whether it is a voice that answers for its clashes with another.

    The one of the higher species does; of two voices of one species the upper-named one.
    """
    own, its = moment.species[voice], moment.species[other]
    return own > its or (own == its and own > 0 and other > voice)


@helper
def clashes_with(first: Moment, voice: int, second: Moment) -> bool:
    """Whether a voice's note in one moment clashes with what it answers for in a second one."""
    for other in range(second.voices):
        if other != voice and answers(second, voice, other):
            if clash(first, voice, second, other):
                return True
    return False


@helper
def is_dissonant(moment: Moment, voice: int) -> bool:
    """Whether a voice of a declared species is dissonant with a voice it answers for."""
    return clashes_with(moment, voice, moment)


@helper
def is_hidden(before: Moment, now: Moment, upper: int, lower: int) -> bool:
    """Whether three voices cover the same motion of two of them into a perfect consonance.

    One of the two moves by step, or a third voice moves the other way; parallels stay open.
    """
    if now.voices < 3 or perfect(before, upper, lower) == perfect(now, upper, lower):
        return False
    way = direction(before, now, upper)
    for third in range(now.voices):
        if third not in (upper, lower) and direction(before, now, third) == -way:
            return True
    up, down = staff_steps(before, now, upper), staff_steps(before, now, lower)
    return abs(up) == 1 or abs(down) == 1


@helper
def closes_on_cantus(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice makes the close with a cantus that steps down to the final.

    The counterpoint of two voices does; of three or more, the one that steps up.
    """
    cantus = now.cantus
    if now.final == 0 or before.final == 1 or cantus == UNKNOWN or voice == cantus:
        return False
    if staff_steps(before, now, cantus) != -1 or not sounding(before, voice):
        return False
    return now.voices == 2 or staff_steps(before, now, voice) == 1


@helper
def leads_to_close(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice is a major sixth above or a minor third below a cantus about to close."""
    above = before.semitone[voice] > before.semitone[now.cantus]
    return vertical(before, voice, now.cantus) == (3 if above else -3)


@helper
def leaves_suspension(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice has just left a seventh above the cantus, or a second below it."""
    if earlier.semitone[voice] == REST or is_downbeat(before):
        return False
    steps = earlier.step[voice] - before.step[now.cantus]
    if before.semitone[voice] > before.semitone[now.cantus]:
        return steps % 7 == 6
    return -steps % 7 == 1
