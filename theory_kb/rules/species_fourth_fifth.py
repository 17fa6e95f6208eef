"""Rules of the fourth species, which ties over the bar line, and of the fifth, which mixes all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from theory_kb.moment import REST, TICKS
from theory_kb.rules.engine import helper, kernel, pair_bit, piece_rule, voice_bit
from theory_kb.rules.measure import (
    answers,
    between,
    clash,
    clashes_with,
    closes_on_cantus,
    is_dissonant,
    is_downbeat,
    is_held,
    leads_to_close,
    leaves_suspension,
    sounding,
    staff_steps,
    vertical,
)
from theory_kb.rules.piece import LineNote, Offence, Piece, line_notes
from theory_kb.rules.species_bars import (
    HALVES,
    QUARTERS,
    WHOLE,
    Bar,
    Rhythm,
    bars,
    beats,
    clashes,
    dissonant,
    interval,
    notes_of_species,
    rhythms,
    voices_of_species,
)

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it

MAJOR_SIXTH, MINOR_THIRD = 3, -3  # on the line of fifths
SECOND, FOURTH, FIFTH, SEVENTH, NINTH = 1, 3, 4, 6, 8  # staff steps
HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)

# ---------------------------------------------------------------------------- suspensions


@helper
def ties(now: Moment, voice: int) -> bool:
    """Whether a voice is of a species that ties over the bar line.

    One of the second species does where it holds a note over, before the close of three voices.
    """
    if now.species[voice] == 2:
        return now.voices > 2 and is_held(now, voice)
    return now.species[voice] == 4 or now.species[voice] == 5


@helper
def is_suspended(moment: Moment, voice: int) -> bool:
    """Whether a voice of such a species holds a dissonant note into the downbeat."""
    held = ties(moment, voice) and is_downbeat(moment) and is_held(moment, voice)
    return held and is_dissonant(moment, voice)


@helper
def is_passing_half(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether the note off the downbeat is reached and left by step the same way."""
    step = staff_steps(earlier, before, voice)
    return (
        earlier.semitone[voice] != REST
        and abs(step) == 1
        and staff_steps(before, now, voice) == step
    )


@kernel()
def sp4_preparation(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A dissonant downbeat is not held over from a consonance, or the weak half is dissonant."""
    bits = 0
    if not is_downbeat(now):
        return bits
    for voice in range(now.voices):
        if not ties(now, voice) or not sounding(now, voice):
            continue
        weak = not is_downbeat(before) and is_dissonant(before, voice)
        if now.attack[voice] == 0:
            if weak:
                bits |= voice_bit(voice)
        elif is_dissonant(now, voice):
            bits |= voice_bit(voice)
        elif weak and now.species[voice] == 4:
            if not is_passing_half(earlier, before, now, voice):
                bits |= voice_bit(voice)
    return bits


@helper
def resolves(before: Moment, now: Moment, voice: int) -> bool:
    """Whether a suspended voice falls by step to a consonance.

    In the fifth species it may first leap down to a consonance, from which it leaps back.
    """
    if not sounding(now, voice) or is_dissonant(now, voice):
        return False
    step = staff_steps(before, now, voice)
    return step == -1 or (now.species[voice] == 5 and step < -1 and not is_downbeat(now))


@helper
def comes_back(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice that left its suspension by a leap down is now a step below it."""
    return staff_steps(earlier, now, voice) == -1 and not is_dissonant(now, voice)


@helper
def leapt_from_suspension(earlier: Moment, before: Moment, voice: int) -> bool:
    """Whether the second quarter of a florid bar was reached by a leap down from a dissonance."""
    if before.species[voice] != 5 or before.position != TICKS or earlier.semitone[voice] == REST:
        return False
    return staff_steps(earlier, before, voice) < -1 and clashes_with(earlier, voice, before)


@kernel()
def sp4_resolution(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A suspension does not fall by step to a consonance."""
    bits = 0
    for voice in range(now.voices):
        left = now.attack[voice] == 1 or is_downbeat(now) or not sounding(now, voice)
        if not left:
            continue
        if is_suspended(before, voice):
            if not resolves(before, now, voice):
                bits |= voice_bit(voice)
        elif leapt_from_suspension(earlier, before, voice):
            if not comes_back(earlier, before, now, voice):
                bits |= voice_bit(voice)
    return bits


@helper
def is_figure(now: Moment, voice: int, other: int) -> bool:
    """Whether a suspension against another voice is one that resolves well.

    Above 7-6, 4-3 and 9-8; below 2-3, 9-10, 4-5 and 5-6.
    """
    steps = now.step[voice] - now.step[other]
    if now.semitone[voice] > now.semitone[other]:
        return steps % 7 in (SEVENTH, FOURTH) or (steps % 7 == SECOND and steps >= NINTH)
    return -steps % 7 in (SECOND, FOURTH, FIFTH)


@kernel()
def sp4_figures(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A suspension makes an interval that does not resolve well."""
    bits = 0
    for voice in range(now.voices):
        if is_suspended(now, voice):
            for other in range(now.voices):
                if voice != other and answers(now, voice, other):
                    if clash(now, voice, now, other) and not is_figure(now, voice, other):
                        bits |= pair_bit(min(voice, other), max(voice, other))
    return bits


@kernel()
def sp4_parallel(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A ninth resolves to an octave and the weak half before it was an octave too."""
    bits = 0
    for voice in range(now.voices):
        if now.species[voice] != 4 or now.attack[voice] == 0 or not is_suspended(before, voice):
            continue
        for other in range(now.voices):
            if voice == other or not answers(now, voice, other) or not sounding(now, other):
                continue
            ninth = (before.step[voice] - before.step[other]) % 7 == SECOND
            was = earlier.semitone[other] != REST and between(before, voice, earlier, other) == 0
            if ninth and was and vertical(now, voice, other) == 0:
                bits |= pair_bit(min(voice, other), max(voice, other))
    return bits


@kernel()
def sp4_penultimate(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The bar before the last is no suspension 7-6 above or 2-3 below."""
    bits = 0
    for voice in range(now.voices):
        if now.species[voice] == 4 and closes_on_cantus(before, now, voice):
            suspended = leaves_suspension(earlier, before, now, voice)
            if not (suspended and leads_to_close(before, now, voice)):
                bits |= voice_bit(voice)
    return bits


# -------------------------------------------------------------------- fourth species: form

TIED = Rhythm("held", HALVES[1:])
UNTIED = Rhythm("struck", HALVES)
ENTRY = Rhythm("rest", HALVES[1:])
STRUCK_WHOLE = Rhythm("struck", WHOLE)


@piece_rule()
def sp4_values(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A bar of the fourth species is not made of halves tied over, after a half rest."""
    for voice in voices_of_species(piece, 4):
        found = rhythms(piece, voice)
        for number, (bar, values) in enumerate(found):
            allowed: tuple[Rhythm, ...] = (TIED, UNTIED)
            if number == len(found) - 1:
                allowed = (STRUCK_WHOLE,)
            elif number == 0:
                allowed = (ENTRY,)
            if values not in allowed:
                yield Offence(bar.start, (voice,))


@piece_rule("most_breaks")
def sp4_tie_majority(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The chain of ties is broken too often."""
    for voice in voices_of_species(piece, 4):
        breaks = [bar for bar, values in rhythms(piece, voice)[1:-1] if values.is_struck]
        if len(breaks) > p["most_breaks"]:
            place = breaks[int(p["most_breaks"])]
            yield Offence(place.start, (voice,), {"breaks": str(len(breaks))})


@piece_rule("most")
def sp4_chain(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """One figure follows itself too often."""
    cantus = piece.context.cantus
    assert cantus is not None, "rules on species are skipped where no cantus is declared"
    for voice in voices_of_species(piece, 4):
        run, last = 0, None
        for bar, values in rhythms(piece, voice):
            figure = _figure(piece, voice, cantus, bar) if values == TIED else None
            run = run + 1 if figure is not None and figure == last else 1
            last = figure
            if run == p["most"] + 1:
                yield Offence(bar.start, (voice,), {"figure": f"{figure}", "times": str(run)})


def _figure(piece: Piece, voice: int, cantus: int, bar: Bar) -> str:
    """Numbers of the two intervals of a tied bar, such as 7-6."""
    steps = piece.surface["step"][bar.start : bar.stop, [voice, cantus]].astype(int)
    sizes = abs(steps[:, 0] - steps[:, 1])
    return f"{_number(sizes[0])}-{_number(sizes[-1])}"


def _number(steps: int) -> int:
    """Number of an interval; an octave and more is told from its simple form up to a tenth."""
    return steps + 1 if steps <= NINTH + 1 else steps % 7 + 1


# --------------------------------------------------------------------- fifth species: form

FLORID_OFFSETS = (*QUARTERS, Fraction(3, 8), Fraction(7, 8))
EIGHTH = Fraction(1, 8)


@piece_rule()
def sp5_values(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A bar of the fifth species has values that none of the others has, or misplaced eighths."""
    for voice in voices_of_species(piece, 5):
        found = rhythms(piece, voice)
        for (bar, values), (_, following) in pairwise(found):
            problem = _florid_problem(values, following)
            if problem:
                yield Offence(bar.start, (voice,), {"problem": problem})
        bar, values = found[-1]
        if values != STRUCK_WHOLE:
            yield Offence(bar.start, (voice,), {"problem": "ends on no whole note"})
        yield from _leaping_eighths(piece, voice)


def _florid_problem(values: Rhythm, following: Rhythm) -> str:
    """What is wrong with a bar that is not the last one; nothing if all is well."""
    attacks = set(values.attacks)
    if not attacks <= set(FLORID_OFFSETS):
        return "moves in values that no species has"
    if attacks <= {Fraction(0)}:
        return "holds a whole note before the last bar"
    if values.entry == "rest" and min(attacks) < HALF:
        return "begins after a rest that is no half"
    if QUARTER in attacks and HALF not in attacks:
        return "begins a half on the second quarter"
    return _eighths_problem(attacks, following)


def _eighths_problem(attacks: set[Fraction], following: Rhythm) -> str:
    for second in (Fraction(3, 8), Fraction(7, 8)):
        if second in attacks:
            closed = second + EIGHTH in attacks or (second > HALF and following.is_struck)
            if second - EIGHTH not in attacks or not closed:
                return "has an eighth without its pair"
    return ""


def _leaping_eighths(piece: Piece, voice: int) -> Iterator[Offence]:
    """Each pair of eighths that is not joined and left by step."""
    offsets = beats(piece)
    notes = line_notes(piece, voice)
    for index in range(1, len(notes) - 1):
        second = notes[index]
        if offsets[second.start] not in (Fraction(3, 8), Fraction(7, 8)):
            continue
        figure = notes[index - 1 : index + 2]
        if any(abs(after.step - before.step) != 1 for before, after in pairwise(figure)):
            detail = {"problem": "has eighths that do not go by step"}
            yield Offence(notes[index - 1].start, (voice,), detail)


@piece_rule("quarters")
def sp5_variety(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Bars repeat their rhythm, run on in quarters, or hold no suspension."""
    for voice in voices_of_species(piece, 5):
        found = rhythms(piece, voice)
        for (_, before), (bar, now) in pairwise(found):
            if before == now:
                detail = {"problem": "repeats the rhythm of the bar before"}
                yield Offence(bar.start, (voice,), detail)
        yield from _quarters_run(found, voice, int(p["quarters"]))
        held = [bar for bar, values in found if values.entry == "held"]
        if found and not any(dissonant(piece, bar.start, voice) for bar in held):
            yield Offence(found[0][0].start, (voice,), {"problem": "has no suspension"})


def _quarters_run(found: Sequence[tuple[Bar, Rhythm]], voice: int, most: int) -> Iterator[Offence]:
    run = 0
    for bar, values in found:
        run = run + 1 if values == Rhythm("struck", QUARTERS) else 0
        if run == most + 1:
            detail = {"problem": f"moves in quarters for more than {most} bars"}
            yield Offence(bar.start, (voice,), detail)


@piece_rule()
def sp5_tie_length(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A tie joins other values than a half to a half or a half to a quarter."""
    for voice in voices_of_species(piece, 5):
        for (_, before), (bar, now) in pairwise(rhythms(piece, voice)):
            if now.entry != "held":
                continue
            starts = before.attacks[-1:] == (HALF,)
            ends = now.attacks[:1] in ((HALF,), (QUARTER,))
            if not (starts and ends):
                yield Offence(bar.start, (voice,))


@piece_rule()
def sp5_halves_quarters(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two quarters begin a bar and the half after them is not tied."""
    for voice in voices_of_species(piece, 5):
        for (bar, values), (_, following) in pairwise(rhythms(piece, voice)):
            if _later(values) == (QUARTER, HALF) and following.entry != "held":
                yield Offence(bar.start, (voice,))


def _later(values: Rhythm) -> tuple[Fraction, ...]:
    """Attacks after the downbeat."""
    return tuple(offset for offset in values.attacks if offset)


# ----------------------------------------------------------------- fifth species: suspensions


def _suspensions(piece: Piece) -> Iterator[tuple[int, LineNote, Sequence[LineNote], int]]:
    """Voice, suspension, the notes after it, and its downbeat, of the fifth species."""
    surface_bars = bars(piece)
    for voice, notes in notes_of_species(piece, 5):
        for index, note in enumerate(notes):
            downs = [bar.start for bar in surface_bars if note.start < bar.start < note.stop]
            for down in downs:
                if dissonant(piece, down, voice):
                    yield voice, note, notes[index + 1 : index + 5], down


@piece_rule()
def sp5_ornamental_resolution(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Names each ornament between a suspension and its resolution on the second half."""
    offsets = beats(piece)
    for voice, note, following, _ in _suspensions(piece):
        between_notes = []
        for each in following:
            if offsets[each.start] in (0, HALF):
                break
            between_notes.append(each)
        kind = _ornament(note, between_notes)
        goal = following[len(between_notes) : len(between_notes) + 1]
        if kind and goal and goal[0].step == note.step - 1:
            yield Offence(between_notes[0].start, (voice,), {"kind": kind})


def _ornament(note: LineNote, between_notes: Sequence[LineNote]) -> str:
    """Name of the ornament that some notes make after a suspension, empty if it is none."""
    steps = [each.step - note.step for each in between_notes]
    if steps == [-1]:
        return "a quarter that anticipates it"
    if len(steps) == 1 and steps[0] < -1:
        return "a leap below it and back"
    return "a turn of eighths" if steps == [-1, -2] else ""


@piece_rule()
def sp5_penultimate(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The bar before the last is no suspension 7-6 above or 2-3 below."""
    cantus = piece.context.cantus
    assert cantus is not None, "rules on species are skipped where no cantus is declared"
    found = bars(piece)
    for voice in voices_of_species(piece, 5):
        if len(found) > 1 and _closes(piece, voice, cantus, found[-1].start):
            if not _has_cadence(piece, voice, cantus, found[-2]):
                yield Offence(found[-2].start, (voice,))


def _closes(piece: Piece, voice: int, cantus: int, end: int) -> bool:
    """Whether a voice makes the close with a cantus that steps down."""
    steps = piece.surface["step"]
    if int(steps[end, cantus]) - int(steps[end - 1, cantus]) != -1:
        return False
    return len(piece.voices) == 2 or int(steps[end, voice]) - int(steps[end - 1, voice]) == 1


def _has_cadence(piece: Piece, voice: int, cantus: int, bar: Bar) -> bool:
    surface, last = piece.surface, bar.stop - 1
    steps = int(surface["step"][bar.start, voice]) - int(surface["step"][bar.start, cantus])
    above = surface["semitone"][last, voice] > surface["semitone"][last, cantus]
    if surface["attack"][bar.start, voice] or cantus not in _clashing(piece, bar, voice):
        return False
    wanted = (SEVENTH, MAJOR_SIXTH) if above else (SECOND, MINOR_THIRD)
    return ((steps if above else -steps) % 7, interval(piece, last, voice, cantus)) == wanted


def _clashing(piece: Piece, bar: Bar, voice: int) -> list[int]:
    return clashes(piece, bar.start, voice)
