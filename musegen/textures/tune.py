"""A tune over given chords: notes whose times are fixed find their pitches.

Each note may be a tone of its chord or, off the strong beats, a passing or neighbour tone, which is
reached and left by step. The rules on single lines of a style judge every note and every move; a
reference contour, where there is one, says which steps make the motive recognisable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from musegen.models.protocol import BoolArray, FloatArray, IntArray
from musegen.plan.plan import Harmony
from musegen.score import Note
from musegen.search.beam import beam_search
from musegen.search.lattice import Lattice, PairTable
from musegen.textures.ornaments import scale_pitch
from theory_kb.check import Style
from theory_kb.chords import set_harmony, spell
from theory_kb.moment import Moments, blank_moments
from theory_kb.pitch import Pitch, PitchClass
from theory_kb.rule_sets import RuleSet, compiled_set, costs, pair_costs
from theory_kb.rules.records import rules

__all__ = ["Spot", "TuneTaste", "draw_tune"]

MELODIC = ("N", "M1")  # scopes of the rules on one voice
STEP_COSTS = (1.2, 0.0, 0.5, 1.1, 1.4, 2.2, 4.0, 3.0)  # nats by staff steps, an octave the last
FURTHER = 6.0  # nats for more than an octave
LEANING = {3: 1.6, 2: 0.7, 1: 0.3, 0: 0.2}  # nats for a non-chord tone, by strength of its place
STRONGEST_ORNAMENT = 2  # strength of a place from which on only chord tones stand
AWAY = 2.0  # nats for each staff step by which a move misses the reference
MOST_AWAY = 4  # staff steps beyond which missing costs no more
CURVE = 0.05  # nats for the square of the staff steps from the curve
SEVENTH_MEMBER = 3
WIDTH = 32


@dataclass(frozen=True, slots=True)
class Spot:
    """One note before it has its pitch."""

    onset: Fraction  # quarter notes from the start of the phrase
    duration: Fraction
    harmony: Harmony
    strength: int  # of its place in the bar
    chord_begins: bool  # whether its chord begins with it
    step: int | None = None  # staff steps from the note before that the motive asks for
    fixed: Pitch | None = None  # what it must be
    held: tuple[Harmony, ...] = ()  # chords that begin while it sounds
    degrees: tuple[int, ...] = ()  # scale degrees that it must be on; empty: any
    height: float = 0.5  # where in its compass the curve has it, from 0 to 1


@dataclass(frozen=True, slots=True)
class TuneTaste:
    """How a tune is drawn."""

    low: int  # staff steps of its compass
    high: int
    leaps: float = 1.0  # how dear leaps are, as a factor
    temperature: float = 0.6


@dataclass(frozen=True, slots=True)
class _Choices:
    """What a note may be."""

    pitches: tuple[Pitch, ...]
    turn: IntArray  # 0 a chord tone; 1, -1 a tone on the way up or down, 2 either
    moments: Moments
    cost: FloatArray
    harmony: Harmony


def draw_tune(
    spots: Sequence[Spot], style: Style, taste: TuneTaste, *, rng: np.random.Generator
) -> tuple[Note, ...]:
    """The notes of a tune.

    Raises:
        InfeasibleError: no tune keeps the rules; names the note by its number.
    """
    unary, pair = _rules(style)
    choices = [_choices(spot, taste, unary) for spot in spots]
    pairs = tuple(
        _moves(before, after, spot, pair, taste)
        for before, after, spot in zip(choices[:-1], choices[1:], spots[1:], strict=True)
    )
    lattice = Lattice(tuple(each.cost for each in choices), pairs)
    path = beam_search(lattice, width=WIDTH, rng=rng, temperature=taste.temperature).paths[0]
    return tuple(
        Note(spot.onset, spot.duration, each.pitches[place])
        for spot, each, place in zip(spots, choices, path, strict=True)
    )


@cache
def _rules(style: Style) -> tuple[RuleSet, RuleSet]:
    """The rules of a style that look at a single line."""
    chosen = [
        each
        for each in rules().values()
        if each.scope in MELODIC and each.level == "surface" and style.severities[each.id] != "-"
    ]
    return (
        compiled_set(style, [each for each in chosen if each.group == "unary"]),
        compiled_set(style, [each for each in chosen if each.group == "pair"]),
    )


# --- what a note may be ---------------------------------------------------------------------


def _choices(spot: Spot, taste: TuneTaste, unary: RuleSet) -> _Choices:
    found: dict[tuple[Pitch, int], None] = {}
    if spot.fixed is not None:
        found[spot.fixed, _turn_of(spot, spot.fixed)] = None
    else:
        for step in range(taste.low, taste.high + 1):
            found.update(dict.fromkeys(_at_step(spot, step)))
    kept = [each for each in found if _fits(spot, *each)]
    pitches = tuple(pitch for pitch, _ in kept)
    turn = np.array([turn for _, turn in kept], np.int64)
    moments = _moments(spot, pitches)
    cost = costs(unary, moments, moments, moments) if spot.fixed is None else np.zeros(len(kept))
    curve = taste.low + spot.height * (taste.high - taste.low)
    steps = np.array([pitch.step for pitch in pitches], dtype=float)
    cost = cost + np.where(turn != 0, LEANING.get(spot.strength, 0.2), 0.0)
    if spot.fixed is None:
        cost = cost + CURVE * (steps - curve) ** 2
    return _Choices(pitches, turn, moments, cost, spot.harmony)


def _at_step(spot: Spot, step: int) -> list[tuple[Pitch, int]]:
    """The chord tone on a staff step, or the tones of the scale where one may stand."""
    members = {member.letter: member for member in members_of(spot.harmony)}
    seventh = None if spot.harmony.chord.seventh is None else members_of(spot.harmony)[3].letter
    if step % 7 in members and step % 7 != seventh:
        return [(Pitch.of(members[step % 7], step // 7), 0)]
    if spot.chord_begins or spot.strength > STRONGEST_ORNAMENT:
        return []
    if step % 7 == seventh:  # comes and goes as a passing tone does
        return [(Pitch.of(members[step % 7], step // 7), 2)]
    up, down = (scale_pitch(spot.harmony, step, rising=rising) for rising in (True, False))
    return [(up, 2)] if up == down else [(up, 1), (down, -1)]


def members_of(harmony: Harmony) -> tuple[PitchClass, ...]:
    """The pitch classes of a chord in its key."""
    return spell(harmony.chord, harmony.key)


def _fits(spot: Spot, pitch: Pitch, turn: int) -> bool:
    """Whether a note is on a degree that it may have, and a tone of every chord it is held into."""
    if spot.fixed is not None:
        return True
    if spot.degrees and _degree(spot, pitch) not in spot.degrees:
        return False
    held = all(pitch.pitch_class in spell(each.chord, each.key) for each in spot.held)
    return held and (turn == 0 or not spot.held)


def _turn_of(spot: Spot, pitch: Pitch) -> int:
    members = spell(spot.harmony.chord, spot.harmony.key)
    return 0 if pitch.pitch_class in members else 2


def _degree(spot: Spot, pitch: Pitch) -> int:
    return (pitch.step - spot.harmony.key.tonic.letter) % 7 + 1


def _moments(spot: Spot, pitches: Sequence[Pitch]) -> Moments:
    moments = blank_moments(len(pitches), 1)
    moments["step"][:, 0] = [pitch.step for pitch in pitches]
    moments["semitone"][:, 0] = [pitch.semitone for pitch in pitches]
    moments["attack"][:, 0] = 1
    moments["strength"] = spot.strength
    set_harmony(moments, spot.harmony.chord, spot.harmony.key)
    return moments


# --- what may follow what -------------------------------------------------------------------


def _moves(
    before: _Choices, after: _Choices, spot: Spot, pair: RuleSet, taste: TuneTaste
) -> PairTable:
    first = np.array([pitch.step for pitch in before.pitches], np.int64)
    second = np.array([pitch.step for pitch in after.pitches], np.int64)
    move: IntArray = second[None, :] - first[:, None]
    allowed = _joined(before.turn, after.turn, move)
    if spot.fixed is not None:
        allowed |= True
    size = np.abs(move)
    table = np.array([*STEP_COSTS, FURTHER])
    price: FloatArray = table[np.minimum(size, len(STEP_COSTS))]
    price = np.where(size > 2, price * taste.leaps, price)
    if spot.step is not None:
        price = 0.3 * price + AWAY * np.minimum(np.abs(move - spot.step), MOST_AWAY)
    allowed &= _resolves(before, spot, move) | (spot.fixed is not None)
    rows, columns = np.nonzero(allowed)
    ruled = pair_costs(pair, before.moments, after.moments, rows, columns)
    if spot.fixed is not None:
        ruled = np.where(np.isfinite(ruled), ruled, FURTHER)
    legal = np.isfinite(ruled)
    rows, columns = rows[legal], columns[legal]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(first)))])
    return PairTable(indptr, columns.astype(np.int32), price[rows, columns] + ruled[legal])


def _joined(before: IntArray, after: IntArray, move: IntArray) -> BoolArray:
    """Non-chord tones are reached and left by step, those of a direction in it, two never meet."""
    by_step = np.abs(move) == 1
    leaves = (before == 0)[:, None] | (by_step & _goes(before[:, None], move))
    enters = (after == 0)[None, :] | by_step
    both: BoolArray = leaves & enters & ~((before != 0)[:, None] & (after != 0)[None, :])
    return both


def _goes(turn: IntArray, move: IntArray) -> BoolArray:
    along: BoolArray = (turn == 2) | (turn == 0) | (np.sign(move) == turn)
    return along


def _resolves(before: _Choices, spot: Spot, move: IntArray) -> BoolArray:
    """Notes that must go a certain way do: what the rules ask of the chords' members, beforehand.

    A seventh falls or waits; a leading tone rises where its chord resolves; over a cadential six-four
    sixth and fourth fall.
    """
    allowed = np.ones(move.shape, np.bool_)
    member, degree = before.moments["member"][:, 0], before.moments["degree"][:, 0]
    seventh = (member == SEVENTH_MEMBER)[:, None]
    allowed &= ~seventh | (move == -1) | ((move == 0) & (not spot.chord_begins))
    if not spot.chord_begins:
        return allowed
    chord = before.harmony.chord
    key_step = before.harmony.key.tonic.fifths - spot.harmony.key.tonic.fifths
    resolves = chord.target is not None and spot.harmony.chord.root == chord.target + key_step
    if resolves and chord.leading is not None:
        allowed &= ~(degree == chord.leading)[:, None] | (move == 1)
    if chord.cadential:
        falls = (degree == 0) | (degree == chord.members[1])
        allowed &= ~falls[:, None] | (move == -1)
        allowed &= falls[:, None] | (move == 0)
    return allowed
