"""Rules on a single line: its intervals and what follows its leaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NONE, REST, Moments
from theory_kb.rules.engine import helper, kernel, piece_rule, voice_bit
from theory_kb.rules.measure import (
    direction,
    is_chord_tone,
    is_diminished,
    melodic,
    moves,
    outer,
    pitch_class,
    same_harmony,
    staff_steps,
)
from theory_kb.rules.piece import Offence, Piece

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it
FIFTH_SEMITONES = 7

# ------------------------------------------------------------------------- melodic intervals


@helper
def steps_in_phrase(before: Moment, now: Moment, voice: int) -> int:
    """Staff steps of a move inside a phrase, without direction; -1 where there is none."""
    if now.boundary or not moves(before, now, voice):
        return -1
    return abs(staff_steps(before, now, voice))


@helper
def fifths_sequence(before: Moment, now: Moment) -> bool:
    """Whether the bass goes a tritone from root to root, into the diminished triad of a sequence."""
    if before.root == NONE or before.tonic != now.tonic or not is_diminished(now):
        return False
    return now.root - before.root == 6 and before.inversion == 0 and now.inversion == 0


@kernel("tune_free")
def mel_augmented(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice moves by an augmented interval; where p[0] is 1, the top voice may."""
    bits = 0
    for voice in range(now.voices):
        if steps_in_phrase(before, now, voice) > 0 and melodic(before, now, voice) >= 6:
            tune = p[0] != 0 and voice == 0
            fourth = melodic(before, now, voice) == 6 and voice == now.voices - 1
            if not tune and not (fourth and fifths_sequence(before, now)):
                bits |= voice_bit(voice)
    return bits


@kernel("passing_allowed")
def mel_chromatic_step(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice moves by a chromatic semitone; where p[0] is 1, a non-chord tone may."""
    bits = 0
    for voice in range(now.voices):
        if steps_in_phrase(before, now, voice) == 0:
            passing = before.member[voice] == -1 or now.member[voice] == -1
            if not (passing and p[0]):
                bits |= voice_bit(voice)
    return bits


@kernel("minor_falling_allowed")
def mel_sixth_species(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice leaps a major sixth, or falls a minor one unless p[0] is 1."""
    bits = 0
    for voice in range(now.voices):
        if steps_in_phrase(before, now, voice) == 5:
            fifths = melodic(before, now, voice)
            falls = direction(before, now, voice) < 0 and not p[0]
            if fifths == 3 or (fifths == -4 and falls):
                bits |= voice_bit(voice)
    return bits


@kernel("displaced_free")
def mel_seventh(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice leaps a minor or major seventh."""
    bits = 0
    for voice in range(now.voices):
        if steps_in_phrase(before, now, voice) == 6:
            fifths = melodic(before, now, voice)
            dominant = now.seventh != NONE and now.leading != NONE
            displaced = p[0] != 0 and outer(now, voice) and dominant and same_harmony(before, now)
            if (fifths == 5 or fifths == -2) and not displaced:
                bits |= voice_bit(voice)
    return bits


@kernel("widest", "bass_octave")
def mel_large_leap(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice leaps further than a fifth, by a sixth or an octave."""
    bits = 0
    for voice in range(now.voices):
        steps = steps_in_phrase(before, now, voice)
        free = p[1] != 0 and voice == now.voices - 1
        if (steps == 5 or (steps == 7 and not free)) and steps > p[0]:
            bits |= voice_bit(voice)
    return bits


@kernel()
def mel_over_octave(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice leaps further than an octave."""
    bits = 0
    for voice in range(now.voices):
        size = abs(now.semitone[voice] - before.semitone[voice])
        steps = steps_in_phrase(before, now, voice)
        if steps > 7 or (steps == 7 and size > 12):
            bits |= voice_bit(voice)
    return bits


@kernel("widest")
def inner_economy(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """An inner voice leaps more than p[0] semitones though it could stay or step."""
    bits = 0
    if now.root == NONE or same_harmony(before, now):
        return bits
    for voice in range(1, now.voices - 1):
        size = abs(now.semitone[voice] - before.semitone[voice])
        if steps_in_phrase(before, now, voice) < 2 or size <= p[0]:
            continue
        place = pitch_class(before, voice) - now.tonic
        near = is_chord_tone(now, place + 2) or is_chord_tone(now, place - 2)
        near = near or is_chord_tone(now, place + 5) or is_chord_tone(now, place - 5)
        if near or is_chord_tone(now, place):
            bits |= voice_bit(voice)
    return bits


# ------------------------------------------------------------------------- after a leap


@helper
def two_moves(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice moves twice inside one phrase."""
    if now.boundary or earlier.semitone[voice] == REST:
        return False
    return moves(earlier, before, voice) and moves(before, now, voice)


@helper
def triad_apart(first: int, second: int, third: int) -> bool:
    """Whether three pitch classes spell a major or minor triad or part of one."""
    low, high = min(first, second, third), max(first, second, third)
    middle = first + second + third - low - high
    if low in (middle, high) or middle == high:
        return high - low in (0, 1, 3, 4)
    return high - low == 4 and (middle - low == 1 or middle - low == 3)


@helper
def arpeggio(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether the three notes of a voice spell one triad."""
    return triad_apart(
        pitch_class(earlier, voice), pitch_class(before, voice), pitch_class(now, voice)
    )


@helper
def spreads_dominant(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether the bass leaps from note to note of a dominant or diminished seventh chord."""
    if voice != now.voices - 1 or before.seventh == NONE or before.leading == NONE:
        return False
    first = pitch_class(earlier, voice) - before.tonic
    return is_chord_tone(before, first) and same_harmony(before, now)


@kernel("forbidden")
def mel_diminished(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A diminished leap does not turn back by step; where p[0] is 1, any diminished leap."""
    bits = 0
    for voice in range(now.voices):
        if p[0]:
            if steps_in_phrase(before, now, voice) > 1 and melodic(before, now, voice) <= -6:
                bits |= voice_bit(voice)
        elif two_moves(earlier, before, now, voice) and melodic(earlier, before, voice) <= -6:
            wide = abs(staff_steps(earlier, before, voice)) > 2
            turned = staff_steps(before, now, voice) == -direction(earlier, before, voice)
            if wide and not turned and not spreads_dominant(earlier, before, now, voice):
                bits |= voice_bit(voice)
    return bits


@kernel("smallest", "smallest_bass", "by_step")
def leap_recovery(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A leap of p[0] staff steps or more, in the bass p[1], is not followed by a turn.

    Where p[2] is 1 the turn is a step.
    """
    bits = 0
    for voice in range(now.voices):
        bass = voice > 0 and voice == now.voices - 1
        smallest = p[1] if bass else p[0]
        if not two_moves(earlier, before, now, voice):
            continue
        if abs(staff_steps(earlier, before, voice)) < smallest:
            continue
        onward = direction(earlier, before, voice) == direction(before, now, voice)
        leapt_back = p[2] != 0 and abs(staff_steps(before, now, voice)) > 1
        if onward or leapt_back:
            cadence = voice == now.voices - 1 and (now.phrase_end or now.final)
            if not cadence and not arpeggio(earlier, before, now, voice):
                bits |= voice_bit(voice)
    return bits


@helper
def dissonant_span(earlier: Moment, now: Moment, voice: int) -> bool:
    """Whether two notes of a voice are a dissonance apart."""
    fifths = melodic(earlier, now, voice)
    return fifths < -4 or fifths > 4 or abs(fifths) == 2


@kernel("bass_free")
def leaps_consecutive_same(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two leaps the same way span a dissonance or more than an octave, or spell no triad."""
    bits = 0
    for voice in range(now.voices):
        if not two_moves(earlier, before, now, voice) or (p[0] and voice == now.voices - 1):
            continue
        way = direction(earlier, before, voice)
        first = way * staff_steps(earlier, before, voice)
        second = way * staff_steps(before, now, voice)
        if first >= 2 and second >= 2:
            larger_below = first > second if way > 0 else second > first
            astray = not larger_below and not arpeggio(earlier, before, now, voice)
            if first + second > 7 or dissonant_span(earlier, now, voice) or astray:
                bits |= voice_bit(voice)
    return bits


# --------------------------------------------------------------------- from chord to chord


@kernel()
def bass_repeat_over_bar(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The bass strikes the same root-and-bass again across a bar line."""
    bass = now.voices - 1
    if bass == 0 or now.bar == before.bar or now.boundary or before.opening:
        return 0
    if now.attack[bass] == 0 or before.root == NONE or before.tonic != now.tonic:
        return 0
    same = before.semitone[bass] == now.semitone[bass] and now.semitone[bass] != REST
    return voice_bit(bass) if same and before.root == now.root else 0


@piece_rule()
def common_tone(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An inner voice leaves a note of the next chord to another voice, which moves to it."""
    moments, changes = _harmonies(piece)
    for index in np.flatnonzero(changes):
        before, now = moments[index], moments[index + 1]
        for voice in range(1, len(piece.voices) - 1):
            if _is_left(before, now, voice) and (taker := _taker(before, now, voice)) is not None:
                yield Offence(int(index) + 1, tuple(sorted((voice, taker))))


def _harmonies(piece: Piece) -> tuple[Moments, NDArray[np.bool_]]:
    """The chords, and for each but the first whether it is a new harmony inside a phrase."""
    moments = piece.harmonic
    assert moments is not None, "rules on an unknown harmony are skipped"
    before, now = moments[:-1], moments[1:]
    changes = (now["boundary"] == 0) & (before["root"] != NONE) & (now["root"] != NONE)
    changes &= (before["root"] != now["root"]) | (before["tonic"] != now["tonic"])
    return moments, changes


def _is_left(before: np.void, now: np.void, voice: int) -> bool:
    """Whether a voice that is bound to no resolution leaves a note that the next chord has."""
    old, new = int(before["semitone"][voice]), int(now["semitone"][voice])
    if REST in (old, new) or old == new or before["member"][voice] not in (0, 1, 2):
        return False
    degree = int(before["degree"][voice])
    place = degree + int(before["tonic"]) - int(now["tonic"])
    tones = [int(now[name]) for name in ("root", "third", "fifth", "seventh")]
    return degree != before["leading"] and place in tones


def _taker(before: np.void, now: np.void, voice: int) -> int | None:
    """The voice that moves to the pitch that a voice has left, None if none does."""
    old = int(before["semitone"][voice])
    for other in range(int(now["voices"])):
        came = int(now["semitone"][other])
        if other != voice and came != REST and came == old != before["semitone"][other]:
            return other
    return None


@piece_rule("widest")
def mel_span_voice_leading(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The upper voices together move too far from one chord to the next."""
    moments, changes = _harmonies(piece)
    pitches = moments["semitone"][:, : len(piece.voices)].astype(np.int64)
    silent = (pitches == REST).any(axis=1)
    moved = np.abs(np.diff(pitches, axis=0))
    total = moved[:, :-1][:, -3:].sum(axis=1)
    wide = changes & ~silent[1:] & ~silent[:-1] & (total > p["widest"])
    for index in np.flatnonzero(wide & (moved[:, -1] <= FIFTH_SEMITONES)):
        voices = tuple(range(len(piece.voices) - 1))
        yield Offence(int(index) + 1, voices, {"total": str(total[index])})
