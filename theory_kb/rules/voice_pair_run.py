"""Rules on two voices over more than two events: beats, downbeats, runs, suspensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import MEMBER_UNKNOWN, NON_CHORD, NONE, REST, UNKNOWN, Moments
from theory_kb.rules.arrays import (
    PairMotion,
    next_pitch,
    pair_motion,
    run_lengths,
    skeleton,
    surface_pitches,
)
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import Offence, Piece, phrase_spans

__all__: list[str] = []

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
OCTAVE, FIFTH = 8, 5  # perfect classes
THIRD, SIXTH = 2, 5  # staff steps within the octave
CONSONANT = (0, 1, 4, -3, 3, -4)  # intervals above the lower note, line of fifths
FOURTH = -1
DOWNBEAT = 4
WEAK_PERFECTS = {FIFTH: (2, 3), OCTAVE: (1, 2, 3)}  # quarters before a downbeat, third species


def _both_moved(piece: Piece, pair: PairMotion, first: int, second: int) -> int:
    """1 or -1 if both voices have moved up or down, 2 if they have moved apart, 0 if one stays."""
    _, pitches = surface_pitches(piece)
    up = np.sign(pitches[second, pair.upper] - pitches[first, pair.upper])
    low = np.sign(pitches[second, pair.lower] - pitches[first, pair.lower])
    if up == 0 or low == 0:
        return 0
    return int(up) if up == low else 2


# --------------------------------------------------------------------- resolved elsewhere


@piece_rule()
def unequal_fifth_perfect_dim(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two voices go from a perfect to a diminished fifth that does not then close by step."""
    onwards = next_pitch(piece)
    for pair in pair_motion(piece):
        found = (pair.fifths[1:] == -6) & (pair.fifths[:-1] == 1) & (pair.motion[1:] != 0)
        for index in (np.flatnonzero(found) + 1).tolist():
            if not _closes(piece, pair, index, onwards):
                yield Offence(index, (pair.upper, pair.lower))


def _closes(piece: Piece, pair: PairMotion, index: int, onwards: Ints) -> bool:
    steps, _ = surface_pitches(piece)
    down, up = onwards[index, pair.upper], onwards[index, pair.lower]
    if min(down, up) < 0:
        return False
    falls = steps[down, pair.upper] - steps[index, pair.upper] == -1
    return bool(falls and steps[up, pair.lower] - steps[index, pair.lower] == 1)


# ------------------------------------------------------------------------- beat to beat


@lru_cache(maxsize=4)
def _beats(piece: Piece) -> Ints:
    """Moments on successive beats of a phrase with others between them, (m, 2)."""
    surface = piece.surface
    onsets = surface["onset"]
    on_beat = np.flatnonzero(surface["position"] % piece.beat_ticks == 0)
    first, second = on_beat[:-1], on_beat[1:]
    next_beat = onsets[second] - onsets[first] == piece.beat_ticks
    crossings = np.cumsum(surface["boundary"])
    chosen = next_beat & (second - first > 1) & (crossings[second] == crossings[first])
    return np.stack([first[chosen], second[chosen]], axis=1)


def _beat_parallels(piece: Piece, kind: int) -> Iterator[Offence]:
    beats = _beats(piece)
    if not len(beats):
        return
    for pair in pair_motion(piece):
        perfect = pair.perfect
        both = (perfect[beats[:, 0]] == kind) & (perfect[beats[:, 1]] == kind)
        for first, second in beats[both].tolist():
            together = abs(_both_moved(piece, pair, first, second)) == 1
            if together and _chords_change(piece, first, second):
                if _is_ornament(piece, pair, first, second):
                    yield Offence(second, (pair.upper, pair.lower))


def _chords_change(piece: Piece, first: int, second: int) -> bool:
    """Whether the chord is another on the second beat; where none is known, it is."""
    before, now = piece.surface["chord"][first], piece.surface["chord"][second]
    return bool(before == UNKNOWN or now == UNKNOWN or before != now)


def _is_ornament(piece: Piece, pair: PairMotion, first: int, second: int) -> bool:
    """Whether short non-chord tones alone part the two beats for these voices."""
    surface = piece.surface
    _, pitches = surface_pitches(piece)
    moved = False
    for index in range(first + 1, second):
        for voice in (pair.upper, pair.lower):
            if pitches[index, voice] != pitches[index - 1, voice]:
                late = 2 * (surface["onset"][index] - surface["onset"][first])
                if late < piece.beat_ticks or not _is_foreign(piece, pair, index, voice):
                    return False
                moved = True
    return moved


def _is_foreign(piece: Piece, pair: PairMotion, index: int, voice: int) -> bool:
    """Whether a note is no chord tone; where no chord is known, dissonant with the other voice."""
    member = piece.surface["member"][index, voice]
    if member != MEMBER_UNKNOWN:
        return bool(member == NON_CHORD)
    return bool(pair.sounding[index] and pair.fifths[index] not in CONSONANT)


@piece_rule()
def beat_fifths(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Fifths on successive beats, parted by a short non-chord tone only."""
    yield from _beat_parallels(piece, FIFTH)


@piece_rule()
def beat_octaves(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Octaves on successive beats, parted by a short non-chord tone only."""
    yield from _beat_parallels(piece, OCTAVE)


# ------------------------------------------------------------------------- bar to bar


def _species_of(piece: Piece, pair: PairMotion) -> tuple[int, int]:
    """The species of a pair, that of its busier voice, and that voice."""
    species = piece.context.species
    return max((species.get(voice, 0), voice) for voice in (pair.upper, pair.lower))


def _at(piece: Piece, share: float) -> dict[int, int]:
    """Bar number: surface moment that lies so far into the bar."""
    surface = piece.surface
    place = np.flatnonzero(surface["position"] == int(piece.bar_ticks * share))
    return {int(surface["bar"][index]): int(index) for index in place}


@piece_rule("saving_leap")
def downbeat_fifths_species(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Second species: one perfect class on two downbeats; third: just before and on a downbeat."""
    downbeats = _at(piece, 0)
    for pair in pair_motion(piece):
        species, voice = _species_of(piece, pair)
        for bar, index in downbeats.items():
            if species == 2 and bar - 1 in downbeats:
                first = downbeats[bar - 1]
                if _same_perfect(piece, pair, first, index):
                    if not _leaps_between(piece, voice, first, index, p["saving_leap"]):
                        yield Offence(index, (pair.upper, pair.lower))
            elif species == 3 and _is_in_window(piece, pair, bar, index):
                yield Offence(index, (pair.upper, pair.lower))


def _same_perfect(piece: Piece, pair: PairMotion, first: int, second: int) -> bool:
    kind = int(pair.perfect[second])
    same = kind != 0 and pair.perfect[first] == kind
    return same and _both_moved(piece, pair, first, second) != 0


def _leaps_between(piece: Piece, voice: int, first: int, second: int, smallest: float) -> bool:
    """Whether a voice leaps so many staff steps on its way from one moment to another."""
    steps, _ = surface_pitches(piece)
    return bool((np.abs(np.diff(steps[first : second + 1, voice])) >= smallest).any())


def _is_in_window(piece: Piece, pair: PairMotion, bar: int, index: int) -> bool:
    """Whether the perfect class of a downbeat sounds too near before it."""
    kind = int(pair.perfect[index])
    for quarter in WEAK_PERFECTS.get(kind, ()):
        before = _at(piece, quarter / 4).get(bar - 1)
        if before is not None and _same_perfect(piece, pair, before, index):
            return True
    return False


@piece_rule()
def afterbeat_fifths(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Second and fourth species: one perfect class on two successive weak halves."""
    weak = _at(piece, 1 / 2)
    for pair in pair_motion(piece):
        species, _ = _species_of(piece, pair)
        if species not in (2, 4):
            continue
        for bar, index in weak.items():
            first = weak.get(bar - 1)
            if first is not None and _same_perfect(piece, pair, first, index):
                if not (species == 4 and _is_six_five_chain(piece, pair, first, index)):
                    yield Offence(index, (pair.upper, pair.lower))


def _is_six_five_chain(piece: Piece, pair: PairMotion, first: int, second: int) -> bool:
    """Whether, in three voices, tied sixths on the downbeats fall to the two fifths."""
    if len(piece.voices) < 3 or pair.perfect[second] != FIFTH:
        return False
    downbeats = _at(piece, 0)
    for index in (first, second):
        start = downbeats.get(int(piece.surface["bar"][index]))
        if start is None or pair.steps[start] % 7 != SIXTH:
            return False
        if piece.surface["attack"][start, [pair.upper, pair.lower]].all():
            return False
    return True


# ------------------------------------------------------------------- behind ornaments


@lru_cache(maxsize=4)
def _suspensions(piece: Piece) -> tuple[tuple[int, int, int], ...]:
    """Voice, moment and moment of resolution of each suspension.

    A suspension is a note held onto a place stronger than that of the step down that follows, and
    dissonant there with a note that is struck; where the chord is known it is foreign to it.
    """
    steps, pitches = surface_pitches(piece)
    surface, onwards = piece.surface, next_pitch(piece)
    voices = np.arange(pitches.shape[1])
    later = np.maximum(onwards, 0)
    strengths, members = surface["strength"], surface["member"][:, : len(voices)]
    found = (surface["attack"][:, : len(voices)] == 0) & (pitches != REST) & (onwards >= 0)
    found &= steps[later, voices] - steps == -1
    found &= strengths[:, None] > strengths[later]
    found &= (members == NON_CHORD) | (members == MEMBER_UNKNOWN)
    return tuple(
        (voice, index, int(onwards[index, voice]))
        for index, voice in np.argwhere(found).tolist()
        if _clashes(piece, index, voice)
    )


def _clashes(piece: Piece, index: int, voice: int) -> bool:
    """Whether a held note is dissonant with one that another voice strikes."""
    struck = np.flatnonzero(piece.surface["attack"][index, : len(piece.voices)]).tolist()
    return any(_is_dissonant(piece, index, voice, other) for other in struck)


def _is_dissonant(piece: Piece, index: int, one: int, other: int) -> bool:
    """Whether two voices form a dissonance; a fourth is one above the lowest voice only."""
    steps, pitches = surface_pitches(piece)
    high, low = (one, other) if pitches[index, one] >= pitches[index, other] else (other, one)
    fifths = 7 * (pitches[index, high] - pitches[index, low])
    fifths -= 12 * (steps[index, high] - steps[index, low])
    if fifths == FOURTH:
        row = pitches[index]
        return bool(pitches[index, low] == row[row != REST].min())
    return bool(fifths not in CONSONANT)


def _suspension_parallels(piece: Piece, kind: int) -> Iterator[Offence]:
    """Pairs that are parallel once each suspension is put on its note of resolution."""
    resolved = {(voice, index): later for voice, index, later in _suspensions(piece)}
    surface = piece.surface
    pairs = {(pair.upper, pair.lower): pair for pair in pair_motion(piece)}
    for (voice, index), later in resolved.items():
        for other in range(len(piece.voices)):
            started = _note_before(surface, other, index)
            if other == voice or started is None:
                continue
            pair = pairs[min(voice, other), max(voice, other)]
            source = resolved.get((voice, started), started)
            if _is_parallel(piece, (voice, other), (source, started, later, index), kind):
                if not (pair.motion[index] and pair.perfect[index] == kind):
                    yield Offence(index, (pair.upper, pair.lower))


def _note_before(surface: Moments, voice: int, index: int) -> int | None:
    """Where the note before the one that a voice strikes at a moment began, in the phrase."""
    if not surface["attack"][index, voice] or surface["boundary"][index] or index == 0:
        return None
    start = index - 1
    if surface["semitone"][start, voice] == REST:
        return None
    while start > 0 and not surface["attack"][start, voice] and not surface["boundary"][start]:
        start -= 1
    return start


def _is_parallel(
    piece: Piece, voices: tuple[int, int], at: tuple[int, int, int, int], kind: int
) -> bool:
    """Whether two voices, each at two moments, go the same way from a class to itself."""
    steps, pitches = surface_pitches(piece)
    one, other = voices
    high = [(steps[at[place], one], pitches[at[place], one]) for place in (0, 2)]
    low = [(steps[at[place], other], pitches[at[place], other]) for place in (1, 3)]
    if any(semitone == REST for _, semitone in (*high, *low)):
        return False
    ways = {int(np.sign(line[1][1] - line[0][1])) for line in (high, low)}
    kinds = {_class_of(u, v) for u, v in zip(high, low, strict=True)}
    return len(ways) == 1 and 0 not in ways and kinds == {kind}


def _class_of(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Perfect class of two notes, each a step and a semitone."""
    (high, top), (low, bottom) = (one, other) if one[1] >= other[1] else (other, one)
    fifths = 7 * (top - bottom) - 12 * (high - low)
    return OCTAVE if fifths == 0 else (FIFTH if fifths == 1 else 0)


@piece_rule()
def parallel_by_suspension(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Octaves run in parallel once the suspensions are put on their resolutions."""
    yield from _suspension_parallels(piece, OCTAVE)


@piece_rule()
def parallel_fifth_by_suspension(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Fifths run in parallel once the suspensions are put on their resolutions."""
    yield from _suspension_parallels(piece, FIFTH)


@piece_rule()
def parallel_by_nct(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Parallel fifths or octaves of which a note is an unaccented non-chord tone."""
    surface = piece.surface
    members = surface["member"]
    weak = surface["strength"] < _chord_strength(piece)
    for pair in pair_motion(piece):
        perfect = pair.perfect
        found = (pair.motion[1:] != 0) & (perfect[1:] != 0) & (perfect[1:] == perfect[:-1])
        for index in (np.flatnonzero(found) + 1).tolist():
            ornament = any(
                weak[at] and members[at, voice] == NON_CHORD
                for at in (index - 1, index)
                for voice in (pair.upper, pair.lower)
            )
            if ornament and not _leaps_octave(piece, pair, index):
                yield Offence(index, (pair.upper, pair.lower))


def _leaps_octave(piece: Piece, pair: PairMotion, index: int) -> bool:
    steps, _ = surface_pitches(piece)
    return bool((steps[index, pair.upper] - steps[index - 1, pair.upper]) % 7 == 0)


def _chord_strength(piece: Piece) -> Ints:
    """Strength of the beat on which the chord of each surface moment begins."""
    moments = skeleton(piece).moments
    place = np.searchsorted(moments["onset"], piece.surface["onset"], side="right") - 1
    strengths: Ints = moments["strength"][np.maximum(place, 0)].astype(np.int64)
    return strengths


# ------------------------------------------------------------------------------- runs


@piece_rule("most")
def parallel_imperfect_run(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two voices move in parallel thirds or sixths for more than so many intervals."""
    length = int(p["most"])  # moves between one interval more than the most
    for pair in pair_motion(piece):
        for number in (THIRD, SIXTH):
            same = pair.sounding & (pair.steps % 7 == number)
            moves = np.zeros(len(same), bool)
            moves[1:] = same[1:] & same[:-1] & (pair.motion[1:] != 0)
            runs = run_lengths(moves, piece.surface)
            for index in np.flatnonzero(runs == length).tolist():
                if not _is_fauxbourdon(piece, index - length, index):
                    yield Offence(index, (pair.upper, pair.lower))


def _is_fauxbourdon(piece: Piece, first: int, last: int) -> bool:
    """Whether all moments of a run are sixth chords: a third and a sixth above the lowest voice."""
    steps, pitches = surface_pitches(piece)
    if pitches.shape[1] < 3:
        return False
    for index in range(first, last + 1):
        sounds = pitches[index] != REST
        above = (steps[index, sounds] - steps[index, sounds].min()) % 7
        if set(above.tolist()) != {0, THIRD, SIXTH}:
            return False
    return True


@piece_rule("contrary", "contrary_oblique", "fewest")
def outer_contrary(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Too few moves of the outer voices in a phrase are contrary, or contrary or oblique."""
    _, pitches = surface_pitches(piece)
    low = pitches.shape[1] - 1
    if low < 1:
        return
    outer = pitches[:, [0, low]]
    ways = np.zeros_like(outer)
    ways[1:] = np.sign(outer[1:] - outer[:-1])
    ways[1:] *= (outer[1:] != REST) & (outer[:-1] != REST)
    against, moving = ways[:, 0] * ways[:, 1] < 0, (ways != 0).any(axis=1)
    oblique = moving & (ways == 0).any(axis=1)
    for start, stop in phrase_spans(piece.surface):
        inside = slice(start + 1, stop)
        moves = int(moving[inside].sum())
        contrary, free = int(against[inside].sum()), int((against | oblique)[inside].sum())
        few = contrary < p["contrary"] * moves or free < p["contrary_oblique"] * moves
        if moves >= p["fewest"] and few:
            detail = {"contrary": str(contrary), "free": str(free), "moves": str(moves)}
            yield Offence(start, (0, low), detail)


# ------------------------------------------------------------------- counterpoint's own


@piece_rule()
def mi_contra_fa(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two thirds in a row set a tritone between the lower voice and the upper one after it."""
    steps, pitches = surface_pitches(piece)
    for pair in pair_motion(piece):
        thirds = pair.sounding & (pair.steps % 7 == THIRD)
        found = thirds[1:] & thirds[:-1] & (pair.motion[1:] != 0)
        for index in (np.flatnonzero(found) + 1).tolist():
            before = index - 1
            tone = pitches[index, pair.lower] - pitches[before, pair.lower]
            step = steps[index, pair.lower] - steps[before, pair.lower]
            major = pair.fifths[index] == pair.fifths[before] == 4
            cross = 7 * (pitches[index, pair.upper] - pitches[before, pair.lower])
            cross -= 12 * (steps[index, pair.upper] - steps[before, pair.lower])
            if (major and abs(tone) == 2 and abs(step) == 1) or abs(cross) == 6:
                yield Offence(index, (pair.upper, pair.lower))


@piece_rule()
def perfect_succession(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A fifth follows an octave, or an octave a fifth."""
    inside = piece.surface["boundary"] == 0
    for pair in pair_motion(piece):
        perfect = pair.perfect
        other = (perfect[1:] + perfect[:-1] == OCTAVE + FIFTH) & (perfect[1:] * perfect[:-1] != 0)
        for index in (np.flatnonzero(other & inside[1:]) + 1).tolist():
            if _both_moved(piece, pair, index - 1, index):
                yield Offence(index, (pair.upper, pair.lower))


@piece_rule("most")
def exposed_perfect(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A downbeat holds an octave or fifth where a third or sixth was within a step.

    That is so where a note a step from the counterpoint's makes an imperfect consonance and lies
    within a step of the notes before and after. So many perfect consonances in all are too many.
    """
    cantus = piece.context.cantus
    assert cantus is not None, "rules on a cantus that is not declared are skipped"
    for pair in pair_motion(piece):
        if cantus in (pair.upper, pair.lower):
            yield from _exposed(piece, pair, p["most"])


def _exposed(piece: Piece, pair: PairMotion, most: float) -> Iterator[Offence]:
    downbeats = np.flatnonzero(piece.surface["position"] == 0)[1:-1]
    perfect = pair.perfect
    for index in downbeats[perfect[downbeats] != 0].tolist():
        if _was_free(piece, pair, index):
            yield Offence(index, (pair.upper, pair.lower))
    consonant = np.isin(pair.fifths, CONSONANT) & pair.sounding
    total, perfects = int(consonant.sum()), int((perfect != 0).sum())
    if total and perfects > most * total:
        yield Offence(len(perfect) - 1, (pair.upper, pair.lower))


def _was_free(piece: Piece, pair: PairMotion, index: int) -> bool:
    """Whether a neighbour of the counterpoint's note was imperfect and near what surrounds it."""
    steps, _ = surface_pitches(piece)
    voice = pair.upper if piece.context.cantus == pair.lower else pair.lower
    cantus = pair.lower if voice == pair.upper else pair.upper
    onwards = int(next_pitch(piece)[index, voice])
    if index == 0 or onwards < 0:
        return False
    before, after = int(steps[index - 1, voice]), int(steps[onwards, voice])
    for other in (int(steps[index, voice]) - 1, int(steps[index, voice]) + 1):
        imperfect = abs(other - int(steps[index, cantus])) % 7 in (THIRD, SIXTH)
        if imperfect and abs(other - before) <= 1 and abs(other - after) <= 1:
            return True
    return False


# ------------------------------------------------------------------------------ licence


@piece_rule()
def voice_exchange(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two voices exchange their notes by step over a passing chord."""
    chords = skeleton(piece)
    degree, moments = chords.degree, chords.moments
    steps = moments["step"].astype(np.int64)
    for upper in range(len(piece.voices) - 1):
        for lower in range(upper + 1, len(piece.voices)):
            old, new = degree[:-2], degree[2:]
            swapped = (old[:, upper] == new[:, lower]) & (old[:, lower] == new[:, upper])
            swapped &= (old[:, upper] != old[:, lower]) & (old[:, [upper, lower]] != NONE).all(
                axis=1
            )
            swapped &= chords.joined[2:] & chords.joined[1:-1]
            for voice in (upper, lower):
                moved = np.abs(np.diff(steps[:, voice]))
                swapped &= (moved[:-1] == 1) & (moved[1:] == 1)
            for index in (np.flatnonzero(swapped) + 2).tolist():
                yield Offence(index, (upper, lower))
