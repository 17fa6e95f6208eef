"""Rules of the first three species: note against note, two against one, four against one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Any

from theory_kb.moment import REST, TICKS
from theory_kb.rules.engine import helper, kernel, pair_bit, piece_rule, voice_bit
from theory_kb.rules.measure import (
    answers,
    between,
    clashes_with,
    closes_on_cantus,
    direction,
    is_dissonant,
    is_downbeat,
    leads_to_close,
    leaps,
    leaves_suspension,
    melodic,
    moves,
    perfect,
    sounding,
    staff_steps,
)
from theory_kb.rules.piece import LineNote, Offence, Piece
from theory_kb.rules.species_bars import (
    HALVES,
    QUARTERS,
    WHOLE,
    Rhythm,
    beats,
    dissonant,
    interval,
    notes_of_species,
    rhythms,
    voices_of_species,
)

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it

FIFTH = 1  # on the line of fifths
TRITONES, SEVENTHS = (6, -6), (5, -2)

# --------------------------------------------------------------------------- note values


def _misfits(piece: Piece, species: int) -> Iterator[Offence]:
    """Each bar of a voice of a species that does not move in the values of its species."""
    for voice in voices_of_species(piece, species):
        found = rhythms(piece, voice)
        for number, (bar, values) in enumerate(found):
            place = _place(number, len(found))
            tied = place == "penultimate" and species == 2 and len(piece.voices) > 2
            allowed = VALUES[species].get(place, VALUES[species]["inside"])
            if values not in allowed and not (tied and values == TIED_HALVES):
                yield Offence(bar.start, (voice,))


def _place(number: int, count: int) -> str:
    if number == count - 1:
        return "last"
    if number == 0:
        return "first"
    return "penultimate" if number == count - 2 else "inside"


STRUCK_WHOLE = Rhythm("struck", WHOLE)
STRUCK_HALVES = Rhythm("struck", HALVES)
TIED_HALVES = Rhythm("held", HALVES[1:])  # a suspension at the close of three voices
STRUCK_QUARTERS = Rhythm("struck", QUARTERS)
VALUES: Mapping[int, Mapping[str, tuple[Rhythm, ...]]] = {
    1: {"inside": (STRUCK_WHOLE,)},
    2: {
        "first": (STRUCK_HALVES, Rhythm("rest", HALVES[1:])),
        "inside": (STRUCK_HALVES,),
        "penultimate": (STRUCK_HALVES, STRUCK_WHOLE),
        "last": (STRUCK_WHOLE,),
    },
    3: {
        "first": (STRUCK_QUARTERS, *(Rhythm("rest", QUARTERS[rest:]) for rest in (1, 2, 3))),
        "inside": (STRUCK_QUARTERS,),
        "last": (STRUCK_WHOLE,),
    },
}


@piece_rule()
def sp1_note_values(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A bar of the first species is not one note."""
    yield from _misfits(piece, 1)


@piece_rule()
def sp2_values(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A bar of the second species is not two halves."""
    yield from _misfits(piece, 2)


@piece_rule()
def sp3_values(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A bar of the third species is not four quarters."""
    yield from _misfits(piece, 3)


# -------------------------------------------------------------------------- first species


@kernel()
def sp1_consonant(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A note of the first species is dissonant."""
    bits = 0
    for voice in range(now.voices):
        if now.species[voice] == 1 and now.attack[voice] and is_dissonant(now, voice):
            bits |= voice_bit(voice)
    return bits


@piece_rule("most")
def sp1_repeat(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A note of the first species is repeated more than once."""
    for voice, notes in notes_of_species(piece, 1):
        for _, group in groupby(notes, key=lambda note: note.semitone):
            run = list(group)
            if len(run) > p["most"] + 1:
                place = run[int(p["most"]) + 1]
                yield Offence(place.start, (voice,), {"times": str(len(run))})


@kernel()
def sp1_skips_together(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice of the first species leaps the same way as another."""
    bits = 0
    for voice in range(now.voices):
        for other in range(now.voices):
            if voice == other or now.species[voice] != 1 or not answers(now, voice, other):
                continue
            same_way = direction(before, now, voice) == direction(before, now, other)
            if same_way and leaps(before, now, voice) and leaps(before, now, other):
                bits |= pair_bit(min(voice, other), max(voice, other))
    return bits


# ------------------------------------------------------------------------- second species


@helper
def passes(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether the middle of three notes is reached and left by step the same way."""
    if earlier.semitone[voice] == REST or now.semitone[voice] == REST:
        return False
    step = staff_steps(earlier, before, voice)
    return abs(step) == 1 and staff_steps(before, now, voice) == step


@helper
def repeats(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice strikes again the note it has just sounded."""
    struck = now.attack[voice] == 1 and sounding(before, voice) and now.boundary == 0
    return struck and before.semitone[voice] == now.semitone[voice]


@helper
def leaves(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice ends here a note that stood off the downbeat."""
    if is_downbeat(before) or not sounding(before, voice):
        return False
    return now.attack[voice] == 1 or now.semitone[voice] == REST


@kernel()
def sp2_upbeat_dissonance(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A dissonant weak half is not a passing tone."""
    bits = 0
    for voice in range(now.voices):
        species = now.species[voice]
        half = species == 2 or (species == 5 and is_downbeat(now))
        half = half and (species == 2 or before.position == 2 * TICKS)
        if half and leaves(before, now, voice) and is_dissonant(before, voice):
            if not passes(earlier, before, now, voice):
                bits |= voice_bit(voice)
    return bits


@kernel("widest")
def sp2_leap_size(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A leap across the bar line is wider than p[0] semitones."""
    bits = 0
    for voice in range(now.voices):
        if now.species[voice] == 2 and is_downbeat(now) and moves(before, now, voice):
            if abs(now.semitone[voice] - before.semitone[voice]) > p[0]:
                bits |= voice_bit(voice)
    return bits


@kernel()
def sp2_repeat(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A half note is repeated."""
    bits = 0
    for voice in range(now.voices):
        if now.species[voice] == 2 and repeats(before, now, voice):
            bits |= voice_bit(voice)
    return bits


@helper
def follows_downbeat(earlier: Moment, before: Moment, now: Moment, voice: int, other: int) -> bool:
    """Whether two voices go the same way into a perfect consonance from the last downbeat."""
    if earlier.semitone[voice] == REST or perfect(now, voice, other) == 0:
        return False
    way = now.semitone[voice] - earlier.semitone[voice]
    return way * direction(before, now, other) > 0


@kernel("widest_unsaved")
def sp2_downbeats(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """From downbeat to downbeat two voices go the same way into a perfect consonance.

    A leap of more than p[0] semitones between them saves it.
    """
    bits = 0
    if not is_downbeat(now) or is_downbeat(before):
        return bits
    for voice in range(now.voices):
        if now.species[voice] != 2:
            continue
        saved = abs(before.semitone[voice] - earlier.semitone[voice]) > p[0]
        for other in range(now.voices):
            if other != voice and answers(now, voice, other) and not saved:
                if follows_downbeat(earlier, before, now, voice, other):
                    bits |= pair_bit(min(voice, other), max(voice, other))
    return bits


@helper
def has_fifth(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether the first half of the last bar but one is a fifth, where the mode has one.

    Below a cantus that falls a semitone, as in phrygian, it has none.
    """
    if earlier.semitone[voice] == REST:
        return False
    below = before.semitone[voice] < before.semitone[now.cantus]
    if below and before.semitone[now.cantus] - now.semitone[now.cantus] == 1:
        return True
    return between(earlier, voice, before, now.cantus) == FIFTH


@helper
def is_prepared_close(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether the last bar but one is a whole note, begins with a fifth, or holds a suspension."""
    if is_downbeat(before) or has_fifth(earlier, before, now, voice):
        return True
    return now.voices > 2 and leaves_suspension(earlier, before, now, voice)


@kernel()
def sp2_penultimate(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The bar before the last is neither fifth and sixth, fifth and third, nor one whole note."""
    bits = 0
    for voice in range(now.voices):
        if now.species[voice] == 2 and closes_on_cantus(before, now, voice):
            prepared = is_prepared_close(earlier, before, now, voice)
            if not (prepared and leads_to_close(before, now, voice)):
                bits |= voice_bit(voice)
    return bits


@kernel()
def sp2_outline(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two downbeats make a seventh or a tritone, with no octave leap between."""
    bits = 0
    if not is_downbeat(now) or is_downbeat(before):
        return bits
    for voice in range(now.voices):
        if now.species[voice] != 2 or earlier.semitone[voice] == REST or not sounding(now, voice):
            continue
        if abs(staff_steps(earlier, before, voice)) != 7:
            fifths = melodic(earlier, now, voice)
            if fifths in TRITONES or fifths in SEVENTHS:
                bits |= voice_bit(voice)
    return bits


@piece_rule()
def sp2_weak_patterns(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A weak half fills the way between its downbeats in no usual way."""
    offsets = beats(piece)
    for voice, notes in notes_of_species(piece, 2):
        for before, weak, after in zip(notes, notes[1:], notes[2:], strict=False):
            halves = [offsets[note.start] for note in (before, weak, after)]
            if halves == [0, Fraction(1, 2), 0]:
                first, second = weak.step - before.step, after.step - weak.step
                way = 1 if first > 0 else -1
                if not _fills(way * first, way * second):
                    yield Offence(weak.start, (voice,))


def _fills(first: int, second: int) -> bool:
    """Whether two moves, the first of them upward or turned so, make a pattern of the weak half."""
    total = first + second
    return (
        (first, second) == (1, 1)  # passing tone, dissonant or consonant
        or (first, second) == (3, -1)  # substitution: a fourth and a step back for a passing tone
        or sorted((first, second)) == [1, 2]  # skipped passing tone: a fourth, one note left out
        or (first, second) == (1, -1)  # neighbour
        or (first, second) == (2, -1)  # delay: a third and a step back for a step
        or (first >= 4 and second == -1)  # change of register
        or (min(first, second) >= 2 and total in (4, 5, 7))  # interval subdivided by a consonance
    )


# -------------------------------------------------------------------------- third species


@kernel()
def sp3_first_quarter(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The first quarter of a bar is dissonant."""
    bits = 0
    for voice in range(now.voices):
        if now.species[voice] == 3 and is_downbeat(now) and is_dissonant(now, voice):
            bits |= voice_bit(voice)
    return bits


@helper
def figures(first: int, second: int) -> bool:
    """Whether two moves leave a dissonant second quarter as a cambiata or a double neighbour do."""
    cambiata = first == -1 and second == -2
    return cambiata or (abs(first) == 1 and second == -2 * first)


@helper
def is_second_quarter(before: Moment, now: Moment, voice: int, first: int, second: int) -> bool:
    """Whether a dissonant second quarter is left as it should: by step, or by a figure's leap."""
    if abs(first) == 1 and abs(second) == 1:
        return True
    falls_on = first == -1 and second == -2
    return figures(first, second) and not (falls_on and is_dissonant(now, voice))


@helper
def is_third_quarter(
    earlier: Moment, before: Moment, now: Moment, voice: int, first: int, second: int
) -> bool:
    """Whether a dissonant third quarter passes between consonances or belongs to a figure."""
    stands = clashes_with(earlier, voice, before)
    if abs(first) == 2:
        return stands and second * first == -2
    return first == second and abs(first) == 1 and not stands and not is_dissonant(now, voice)


@helper
def is_quarter_licensed(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether a dissonant quarter off the downbeat is passing, a neighbour or part of a figure."""
    if earlier.semitone[voice] == REST or now.semitone[voice] == REST:
        return False
    first, second = staff_steps(earlier, before, voice), staff_steps(before, now, voice)
    if before.position == TICKS:
        return is_second_quarter(before, now, voice, first, second)
    if before.position == 2 * TICKS:
        return is_third_quarter(earlier, before, now, voice, first, second)
    return abs(first) == 1 and abs(second) == 1


@helper
def breaks_figure(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether a dissonant second quarter left by a third is not followed by the step back."""
    if before.position != 2 * TICKS or earlier.semitone[voice] == REST:
        return False
    first, second = staff_steps(earlier, before, voice), staff_steps(before, now, voice)
    return abs(first) == 2 and first * second != -2 and clashes_with(earlier, voice, before)


@kernel()
def sp3_dissonance(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A dissonant quarter off the downbeat is neither passing, neighbour nor part of a figure."""
    bits = 0
    for voice in range(now.voices):
        species = now.species[voice]
        half = species == 5 and before.position == 2 * TICKS and is_downbeat(now)
        if species not in (3, 5) or half or not leaves(before, now, voice):
            continue
        if is_dissonant(before, voice):
            if not is_quarter_licensed(earlier, before, now, voice):
                bits |= voice_bit(voice)
        elif breaks_figure(earlier, before, now, voice):
            bits |= voice_bit(voice)
    return bits


@kernel("widest")
def sp3_leap_from_strong(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A strong quarter leaps up, or a leap wider than p[0] semitones is no octave."""
    bits = 0
    for voice in range(now.voices):
        if now.species[voice] != 3 or not leaps(before, now, voice):
            continue
        strong = before.position % (2 * TICKS) == 0 and direction(before, now, voice) > 0
        size = abs(now.semitone[voice] - before.semitone[voice])
        if strong or (size > p[0] and abs(staff_steps(before, now, voice)) != 7):
            bits |= voice_bit(voice)
    return bits


@kernel()
def sp3_penultimate(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The last quarter before the close is no sixth or third, or is not reached by step."""
    bits = 0
    for voice in range(now.voices):
        if now.species[voice] == 3 and closes_on_cantus(before, now, voice):
            by_step = abs(staff_steps(earlier, before, voice)) == 1
            by_step = by_step and earlier.semitone[voice] != REST
            if not leads_to_close(before, now, voice) or not by_step:
                bits |= voice_bit(voice)
    return bits


@kernel()
def sp3_repeat(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A quarter is repeated."""
    bits = 0
    for voice in range(now.voices):
        if now.species[voice] == 3 and repeats(before, now, voice):
            bits |= voice_bit(voice)
    return bits


# ------------------------------------------------------------- third species: five quarters

Five = Sequence[LineNote]


def _fives(piece: Piece) -> Iterator[tuple[int, Five]]:
    """The four quarters of each bar with the downbeat after them, of each voice."""
    offsets = beats(piece)
    wanted = [*QUARTERS, Fraction(0)]
    for voice, notes in notes_of_species(piece, 3):
        for index in range(len(notes) - 4):
            five = notes[index : index + 5]
            if [offsets[note.start] for note in five] == wanted:
                yield voice, five


def _steps(five: Five) -> list[int]:
    return [after.step - before.step for before, after in pairwise(five)]


@piece_rule()
def sp3_five_in_a_row(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Five quarters go by step one way and their first, third and fifth are not all consonant."""
    for voice, five in _fives(piece):
        if _steps(five) in ([1] * 4, [-1] * 4):
            for note in five[::2]:
                if dissonant(piece, note.start, voice):
                    yield Offence(note.start, (voice,))
                    break


@piece_rule()
def sp3_cambiata(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Names each cambiata: a dissonant second quarter left by a third down, then steps up."""
    for voice, five in _fives(piece):
        clear = not any(dissonant(piece, note.start, voice) for note in five[::2])
        if clear and _steps(five) == [-1, -2, 1, 1] and dissonant(piece, five[1].start, voice):
            yield Offence(five[1].start, (voice,))


@piece_rule()
def sp3_double_neighbor(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Names each double neighbour: dissonant notes on both sides of a note that comes back."""
    for voice, five in _fives(piece):
        steps = _steps(five)
        around = steps[:3] in ([1, -2, 1], [-1, 2, -1])
        onward = steps[3] * steps[2] > 0
        if around and onward and dissonant(piece, five[1].start, voice):
            yield Offence(five[1].start, (voice,))


# ---------------------------------------------------- third species: parallels at a distance

WINDOW = {8: Fraction(1, 4), 5: Fraction(1, 2)}  # from this offset a perfect class is still heard


@piece_rule()
def sp3_parallel_window(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A perfect consonance on the downbeat was just heard in the bar before."""
    cantus = piece.context.cantus
    assert cantus is not None, "rules on species are skipped where no cantus is declared"
    for voice in voices_of_species(piece, 3):
        last: dict[int, int] = {}  # perfect class: latest moment of the bar before
        for moment, offset in enumerate(beats(piece)):
            kind = {0: 8, 1: 5}.get(interval(piece, moment, voice, cantus), 0)
            if offset == 0:
                if kind in last and _both_move(piece, last[kind], moment, voice, cantus):
                    pair = (min(voice, cantus), max(voice, cantus))
                    yield Offence(moment, pair, {"kind": KINDS[kind]})
                last = {}
            elif kind and offset >= WINDOW[kind]:
                last[kind] = moment


KINDS = {8: "octave", 5: "fifth"}


def _both_move(piece: Piece, before: int, now: int, voice: int, other: int) -> bool:
    semitones = piece.surface["semitone"]
    return all(semitones[before, each] != semitones[now, each] for each in (voice, other))
