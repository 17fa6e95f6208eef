"""Rules common to all species of counterpoint against a cantus firmus.

A downbeat is where the cantus begins a note. Of two voices that clash it is the one of the higher
species that answers for it. The fourth is dissonant with the lowest voice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from theory_kb.modes import ChurchMode, church_mode
from theory_kb.moment import UNKNOWN
from theory_kb.pitch import Pitch, PitchClass
from theory_kb.rules.engine import helper, kernel, pair_bit, piece_rule, voice_bit
from theory_kb.rules.measure import (
    CONSONANT,
    answers,
    clash,
    is_dissonant,
    is_downbeat,
    is_hidden,
    lowest,
    opposed,
    perfect,
    pitch_class,
    similar,
    sounding,
    staff_steps,
    vertical,
)
from theory_kb.rules.piece import LineNote, Offence, Piece, line_notes
from theory_kb.rules.species_bars import bars, interval, voices_of_species

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it

MAJOR_THIRD, MINOR_THIRD, MAJOR_SIXTH = 4, -3, 3  # on the line of fifths
MELODIC = (0, 1, -1, 2, -5, 4, -3, -4)  # unison and octave, fifth, fourth, seconds, thirds, m6

# -------------------------------------------------------------------------- first and last


@helper
def is_start(now: Moment, voice: int, other: int) -> bool:
    """Whether a voice may begin with this interval to the cantus, or to the lowest voice."""
    fifths = vertical(now, voice, other)
    if now.voices > 2:
        return fifths in (0, 1, MAJOR_THIRD, MINOR_THIRD)
    return fifths == 0 or (fifths == 1 and now.semitone[voice] > now.semitone[other])


@helper
def may_have_perfect(now: Moment) -> bool:
    """Whether some voice is a perfect consonance away from the lowest one, or has yet to enter."""
    low = lowest(now)
    for voice in range(now.voices):
        if not sounding(now, voice):
            return True
        if voice != low and vertical(now, voice, low) in (0, 1):
            return True
    return False


@kernel()
def sp_start(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A counterpoint does not begin on a perfect consonance."""
    bits = 0
    if now.opening == 0 or now.cantus == UNKNOWN:
        return bits
    for voice in range(now.voices):
        if now.species[voice] == 0 or now.attack[voice] == 0:
            continue
        other = now.cantus if now.voices == 2 else lowest(now)
        if other == voice:
            other = now.cantus
        if sounding(now, other) and not (is_start(now, voice, other) and may_have_perfect(now)):
            bits |= voice_bit(voice)
    return bits


@helper
def is_end(now: Moment, voice: int) -> bool:
    """Whether a counterpoint may end here: on the final, in three voices on its fifth or third."""
    low = lowest(now)
    if now.voices == 2 or voice == low:
        return pitch_class(now, voice) == pitch_class(now, now.cantus)
    return vertical(now, voice, low) in (0, 1, MAJOR_THIRD)


@kernel()
def sp_end(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A counterpoint does not end on the final, or in three voices on its fifth or major third."""
    bits = 0
    if now.final == 0 or now.cantus == UNKNOWN:
        return bits
    for voice in range(now.voices):
        if now.species[voice] > 0 and sounding(now, voice) and not is_end(now, voice):
            bits |= voice_bit(voice)
    return bits


@helper
def closes_by_step(before: Moment, now: Moment, upper: int, lower: int) -> bool:
    """Whether two voices go by step, opposite ways, from a sixth or third into the octave."""
    if not opposed(before, now, upper, lower) or perfect(now, upper, lower) != 8:
        return False
    if abs(staff_steps(before, now, upper)) != 1 or abs(staff_steps(before, now, lower)) != 1:
        return False
    return vertical(before, upper, lower) in (MAJOR_SIXTH, MINOR_THIRD)


@kernel()
def sp_close_contrary(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """No two voices close by contrary steps into the octave or unison of the final."""
    if now.final == 0 or before.final == 1 or now.cantus == UNKNOWN:
        return 0
    if abs(staff_steps(before, now, now.cantus)) != 1:
        return 0
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if closes_by_step(before, now, upper, lower):
                return 0
            bits |= pair_bit(upper, lower)
    return bits


# -------------------------------------------------------------------------------- consonance


@kernel()
def sp_consonance_strong(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice of the first three species is dissonant on the downbeat."""
    bits = 0
    if not is_downbeat(now):
        return bits
    for voice in range(now.voices):
        if 1 <= now.species[voice] <= 3 and now.attack[voice] and is_dissonant(now, voice):
            bits |= voice_bit(voice)
    return bits


@helper
def strikes(now: Moment, voice: int, other: int) -> bool:
    """Whether two voices strike an interval together for which the first answers."""
    if voice == other or now.attack[voice] == 0 or now.attack[other] == 0:
        return False
    return answers(now, voice, other)


@kernel()
def sp_fourth_with_bass(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A fourth with the lowest voice is struck on the downbeat."""
    bits = 0
    if not is_downbeat(now):
        return bits
    for voice in range(now.voices):
        for other in range(now.voices):
            if strikes(now, voice, other) and vertical(now, voice, other) == -1:
                if clash(now, voice, now, other):
                    bits |= voice_bit(voice)
    return bits


@helper
def is_bare(now: Moment, voice: int, other: int) -> bool:
    """Whether the tritone of two voices does not belong to a sixth chord on a lower voice."""
    low = lowest(now)
    if clash(now, voice, now, other):
        return True
    if voice == low or other == low:
        return False
    return clash(now, voice, now, low) or clash(now, other, now, low)


@kernel()
def sp_tritone_vertical(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A tritone is struck on the downbeat."""
    bits = 0
    if not is_downbeat(now):
        return bits
    for voice in range(now.voices):
        for other in range(now.voices):
            if strikes(now, voice, other) and vertical(now, voice, other) in (6, -6):
                if is_bare(now, voice, other):
                    bits |= voice_bit(voice)
    return bits


@kernel()
def sp_motion_to_perfect(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices go the same way into a perfect consonance."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if now.species[upper] == 0 and now.species[lower] == 0:
                continue
            if similar(before, now, upper, lower) and perfect(now, upper, lower):
                if not is_hidden(before, now, upper, lower):
                    bits |= pair_bit(upper, lower)
    return bits


# ------------------------------------------------------------------------------ whole pieces


@piece_rule()
def sp_imperfect_majority(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Inside the exercise the downbeats have more perfect than imperfect consonances."""
    cantus = piece.context.cantus
    assert cantus is not None, "rules on species are skipped where no cantus is declared"
    inside = bars(piece)[1:-1]
    for voice in voices_of_species(piece, 1, 2, 3, 4, 5):
        found = [interval(piece, bar.start, voice, cantus) for bar in inside]
        consonant = [fifths for fifths in found if fifths in CONSONANT]
        perfects = sum(fifths in (0, 1) for fifths in consonant)
        others = len(consonant) - perfects
        if perfects > others:
            detail = {"perfect": str(perfects), "imperfect": str(others)}
            yield Offence(inside[0].start, (voice,), detail)


@piece_rule()
def sp_mode(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A note belongs neither to the mode nor to its musica ficta."""
    name, final = piece.context.mode, piece.context.final
    assert name is not None, "the rule is skipped where no mode is declared"
    assert final is not None, "the rule is skipped where no final is declared"
    mode = church_mode(name, PitchClass(final))
    last = bars(piece)[-2:]
    for voice in range(len(piece.voices)):
        notes = line_notes(piece, voice)
        for note, following in zip(notes, [*notes[1:], None], strict=True):
            allowed = {*mode.scale, mode.soft}
            if note.stop > last[0].start:
                allowed |= _closing_notes(note, following, last[-1].start, mode)
            if _class(note) not in allowed and not _is_given(piece, voice):
                yield Offence(note.start, (voice,), {"mode": f"{mode.final} {mode.name}"})


def _closing_notes(
    note: LineNote, following: LineNote | None, end: int, mode: ChurchMode
) -> set[PitchClass]:
    """The leading tone, a raised sixth that rises to it, and a major third in the last chord."""
    allowed = {mode.leading_tone}
    rises = following is not None and following.step > note.step
    if rises and following is not None and _class(following) == mode.leading_tone:
        allowed.add(mode.leading_tone.transposed(-2))
    if note.stop > end:
        allowed.add(mode.final.transposed(MAJOR_THIRD))
    return allowed


def _class(note: LineNote) -> PitchClass:
    return Pitch(note.step, note.semitone).pitch_class


def _is_given(piece: Piece, voice: int) -> bool:
    """Whether a voice is the cantus and an exercise gives it."""
    given = any(note.voice == voice for note in piece.context.given)
    return given and voice == piece.context.cantus


# ------------------------------------------------------------------------------- the cantus


@piece_rule("fewest", "most", "widest", "leaps_in_a_row")
def sp_cf_form(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The cantus firmus is not shaped as one; a given cantus is not judged."""
    cantus = piece.context.cantus
    assert cantus is not None, "rules on species are skipped where no cantus is declared"
    notes = line_notes(piece, cantus)
    if _is_given(piece, cantus) or not notes:
        return
    for fault in CANTUS_FAULTS:
        for note, problem in fault(piece, notes, p):
            yield Offence(note.start, (cantus,), {"problem": problem})


Fault = Iterator[tuple[LineNote, str]]


def _wrong_length(piece: Piece, notes: Sequence[LineNote], p: Mapping[str, float]) -> Fault:
    if not p["fewest"] <= len(notes) <= p["most"]:
        yield notes[-1], f"has {len(notes)} notes, not {p['fewest']:g} to {p['most']:g}"
    lengths = [bar.ticks for bar in bars(piece)]
    for note, ticks in zip(notes, lengths, strict=True):
        if ticks != lengths[0]:
            yield note, "has notes of different lengths"
            return


def _wrong_frame(piece: Piece, notes: Sequence[LineNote], p: Mapping[str, float]) -> Fault:
    declared = piece.context.final
    final = _class(notes[-1]) if declared is None else PitchClass(declared)
    for note, place in ((notes[0], "start"), (notes[-1], "end")):
        if _class(note) != final:
            yield note, f"does not {place} on its final {final}"
    if len(notes) > 1 and abs(notes[-1].step - notes[-2].step) != 1:
        yield notes[-1], "does not reach its last note by step"


def _wrong_compass(piece: Piece, notes: Sequence[LineNote], p: Mapping[str, float]) -> Fault:
    high = max(note.semitone for note in notes)
    peaks = [note for note in notes if note.semitone == high]
    if high - min(note.semitone for note in notes) > p["widest"]:
        yield peaks[0], "spans more than a tenth"
    if len(peaks) > 1:
        yield peaks[1], "reaches its highest note twice"


def _wrong_moves(piece: Piece, notes: Sequence[LineNote], p: Mapping[str, float]) -> Fault:
    leaps = 0
    for before, now in pairwise(notes):
        steps, semitones = now.step - before.step, now.semitone - before.semitone
        fifths = 7 * semitones - 12 * steps
        if (-fifths if steps < 0 else fifths) not in MELODIC or abs(semitones) > 12:
            yield now, "moves by a melodic dissonance"
        leaps = leaps + 1 if abs(steps) > 1 else 0
        if leaps == p["leaps_in_a_row"] + 1:
            yield now, f"leaps more than {p['leaps_in_a_row']:g} times in a row"


CANTUS_FAULTS: tuple[Callable[[Piece, Sequence[LineNote], Mapping[str, float]], Fault], ...] = (
    _wrong_length,
    _wrong_frame,
    _wrong_compass,
    _wrong_moves,
)
