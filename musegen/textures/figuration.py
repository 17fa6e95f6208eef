"""From one chord a beat to a surface that moves in eighths, as chorales do.

Each beat may be decorated in one, two or three voices: passing and neighbour tones, suspensions,
anticipations at cadences, skips inside the chord. How likely each is in each voice was counted in
the corpus; what is allowed the rules say: the decorated beats are candidates of a lattice, judged
by the same kernels as the chords, and searched by the same beam.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from importlib import resources
from itertools import combinations, pairwise, product
from math import log

import numpy as np

from musegen.errors import InfeasibleError, StoredFileError
from musegen.models.protocol import BoolArray, FloatArray, IntArray
from musegen.plan.ensemble import CHOIR
from musegen.plan.plan import Given, Harmony, Plan, Slot
from musegen.search.beam import beam_search
from musegen.search.lattice import Lattice, PairTable
from musegen.sounding import delayed_pitch, delayed_voice, later, silence, spelled
from musegen.standing import Origin
from theory_kb.check import Style
from theory_kb.chords import spell
from theory_kb.moment import NON_CHORD, Moments
from theory_kb.pitch import Key, Pitch, PitchClass, ScaleDegree
from theory_kb.rule_sets import RuleSet, costs, pair_table, rule_set, without

__all__ = ["Decoration", "Figure", "decorate"]

PLAIN = "plain"
GIVEN = {  # kind of a given figure, by whether it moves and is struck
    (False, True): PLAIN,
    (False, False): "given-held",
    (True, True): "given",
    (True, False): "given-suspended",
}
HOLD = "held"  # the note of the slot before goes on
DELAYED = {True: "figured-suspension", False: "figured-appoggiatura"}  # by whether it is prepared
STILL = frozenset({PLAIN, HOLD, *DELAYED.values(), "given-held"})
HELD = frozenset({HOLD, DELAYED[True], "suspension", "given-held", "given-suspended"})
MOVING = (
    "passing",
    "neighbor-upper",
    "neighbor-lower",
    "suspension",
    "anticipation",
    "chordal-skip",
)
MOST_MOVING = 3  # voices that may be decorated in one beat
SKIP_REACH = 4  # staff steps of the widest skip inside the chord, an octave in the bass aside
IMPERFECT = frozenset(
    {3, 4, 8, 9}
)  # semitones, octaves removed, between two moving non-chord tones
HARSH = frozenset({1, 11})  # semitones, octaves removed
HARSH_COST = 1.0  # nats for a non-chord tone a semitone from another voice
SUSPENSION_FIGURES = frozenset({4, 7, 9, 2})  # generic intervals above the bass
STILL_COST = 1.5  # nats for a beat without an eighth after another one
PREPARED = 0.25  # share of beats on which a suspension could be prepared: counts are over all beats
RARE = 1e-3  # share given to an ornament that was never counted
WIDTH = 24  # of the beam over decorated beats
RULE_SETS = {  # that judge a surface: as it sounds, and from the end of a chord to the next
    "unary": ("unary", "surface"),
    "pair": ("pair", "surface"),
    "chords": ("pair", "harmonic"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """What one voice does in a beat."""

    kind: str
    first: Pitch  # on the beat
    second: Pitch  # in the middle of the beat; the same note goes on if the kind is plain
    goal: Pitch | None = None  # what the voice must sound on the next beat
    cost: float = 0.0  # nats
    source: Given | None = None  # all that the voice sounds, if it was not chosen here

    @property
    def moves(self) -> bool:
        """Whether the voice has two notes in the beat."""
        return self.kind not in STILL

    @property
    def given(self) -> bool:
        """Whether it was not chosen here."""
        return self.source is not None

    @property
    def goes_on(self) -> bool:
        """Whether the whole of it is the note of the slot before."""
        return self.kind in (HOLD, DELAYED[True])

    @property
    def struck(self) -> bool:
        """Whether the voice begins a note on the beat."""
        return self.kind not in HELD

    def at(self, time: Fraction, middle: Fraction) -> tuple[Pitch | None, bool]:
        """What sounds at a time in the beat, and whether it is struck there.

        Args:
            time: quarter notes from the onset.
            middle: when the second note of a chosen figure is struck.
        """
        if self.source is not None:
            return self.source.at(time)
        if time < middle:
            return self.first, self.struck and time == 0
        return self.second, self.moves and time == middle


@dataclass(frozen=True, slots=True)
class Decoration:
    """A beat as decorated: one figure a voice."""

    figures: tuple[Figure, ...]
    cost: float  # nats

    @property
    def moving(self) -> int:
        """Voices with two notes."""
        return sum(figure.moves for figure in self.figures)


def decorate(
    plan: Plan,
    skeleton: Moments,
    style: Style,
    *,
    rng: np.random.Generator,
    constrained: bool = True,
    plain: bool = False,
    forced: frozenset[str] = frozenset(),
) -> tuple[Decoration, ...]:
    """Decorate every beat of a skeleton under the surface rules of a style.

    Args:
        plan: the slots.
        skeleton: (T,) moments, one chord a slot.
        style: whose surface rules hold.
        rng: draws among what is likely.
        constrained: False leaves the rules out, to measure what they do.
        plain: True leaves every voice that is not given without ornament.
        forced: hard rules that the skeleton breaks already, since what is given does.

    Raises:
        InfeasibleError: no surface keeps the hard rules.
    """
    pitches = [spelled(moment) for moment in skeleton]
    rules = {
        group: without(rule_set(style, *which), forced, soft=True)
        for group, which in RULE_SETS.items()
    }
    beats = [
        _candidates(plan, place, pitches, skeleton, constrained=constrained, plain=plain)
        for place in range(len(plan.slots))
    ]
    heard = [
        _heard(skeleton[place], beat, plan.slots[place], plan.metre)
        for place, beat in enumerate(beats)
    ]
    origin = Origin.of(plan)
    unary, kept = [], []
    for place, (sounds, beat) in enumerate(zip(heard, beats, strict=True)):
        inside = {
            "unary": origin.spare(rules["unary"], place, "heard"),
            "pair": origin.spare(rules["pair"], place, "inside"),
        }
        inner = _inner_costs(sounds.moments, inside) if constrained else np.zeros(len(beat))
        cost = inner + np.array([decoration.cost for decoration in beat])
        unary.append(cost[np.isfinite(cost)])
        kept.append(np.flatnonzero(np.isfinite(cost)))
        if not len(kept[-1]):
            raise InfeasibleError(len(kept) - 1, "the given notes break a rule with every figure")
    pairs = [
        _junction(
            place, beats, heard, kept, _between(rules, origin, place), constrained=constrained
        )
        for place in range(1, len(beats))
    ]
    lattice = Lattice(tuple(unary), tuple(pairs))
    result = beam_search(
        lattice, scorer=None, look_back=None, width=WIDTH, rng=rng, temperature=1.0
    )
    return tuple(beats[place][kept[place][choice]] for place, choice in enumerate(result.paths[0]))


# --- what a voice may do in a beat ----------------------------------------------------------


def _candidates(
    plan: Plan,
    place: int,
    pitches: Sequence[Sequence[Pitch]],
    skeleton: Moments,
    *,
    constrained: bool,
    plain: bool,
) -> list[Decoration]:
    slot = plan.slots[place]
    if slot.figured is not None:
        return [Decoration(_figured(slot, skeleton[place], pitches[place]), 0.0)]
    given = slot.given or (None,) * plan.ensemble.size
    still = [
        [Figure(PLAIN, pitch, pitch)] if each is None else [_given_figure(each, slot.middle)]
        for pitch, each in zip(pitches[place], given, strict=True)
    ]
    if plain or slot.closes or place + 1 == len(plan.slots):
        return [Decoration(tuple(figure for (figure,) in still), 0.0)]
    options = [
        still[voice]
        if given[voice] is not None
        else _options(plan, place, voice, pitches, skeleton)
        for voice in range(plan.ensemble.size)
    ]
    decorations = (
        Decoration(figures, sum(figure.cost for figure in figures) + _clash_cost(figures))
        for figures in product(*options)
        if _few_move(figures) and (not constrained or _agree(figures))
    )
    return list(decorations)


def _few_move(figures: Sequence[Figure]) -> bool:
    """Whether few enough voices move; those that are given move as they do."""
    chosen = [figure for figure in figures if figure.moves and not figure.given]
    return not chosen or sum(figure.moves for figure in figures) <= MOST_MOVING


def _figured(slot: Slot, moment: np.void, pitches: Sequence[Pitch]) -> tuple[Figure, ...]:
    """What each voice does in a slot of a figured bass: no more than the figures say."""
    figured, given = slot.figured, slot.given[-1]
    assert figured is not None, "asked only of figured slots"
    assert given is not None, "a figured slot has its bass"
    found = [
        Figure(
            HOLD if figured.continues and each.pitch_class not in figured.struck else PLAIN,
            each,
            each,
        )
        for each in pitches[:-1]
    ]
    for delay in figured.delays:
        voice = delayed_voice(moment, delay)
        late = delayed_pitch(delay, pitches[voice])
        found[voice] = Figure(DELAYED[delay.prepared], late, late)
    return (*found, _given_figure(given, slot.middle))


def _given_figure(given: Given, middle: Fraction) -> Figure:
    second, _ = given.at(middle)
    kind = GIVEN[given.moves, given.struck]
    return Figure(kind, given.first, second or given.first, source=given)


def _options(
    plan: Plan, place: int, voice: int, pitches: Sequence[Sequence[Pitch]], skeleton: Moments
) -> list[Figure]:
    """What a voice that is free may do in a beat."""
    slot = plan.slots[place]
    free = place > 0 and not slot.opens and _given_at(plan, place - 1, voice) is None
    following = _given_at(plan, place + 1, voice)
    return list(
        _figures(
            voice,
            slot,
            _harmony(slot, skeleton[place]),
            pitches[place][voice],
            pitches[place - 1][voice] if free else None,  # a given note is held no longer
            pitches[place + 1][voice] if following is None else following.first,
            cadence=slot.to_end == 1,
        )
    )


def _given_at(plan: Plan, place: int, voice: int) -> Given | None:
    given = plan.slots[place].given
    return given[voice] if given else None


def _harmony(slot: Slot, moment: np.void) -> Harmony:
    for harmony in slot.harmonies:
        if harmony.chord.index == moment["chord"] and harmony.key.tonic.fifths == moment["tonic"]:
            return harmony
    raise AssertionError("a chosen moment carries one of its slot's harmonies")


def _figures(
    voice: int,
    slot: Slot,
    harmony: Harmony,
    here: Pitch,
    before: Pitch | None,
    after: Pitch,
    *,
    cadence: bool,
) -> Iterator[Figure]:
    interval = after.step - here.step

    def likely(kind: str) -> float:
        return _figure_cost(kind, voice, slot.strength, interval)

    yield Figure(PLAIN, here, here, None, likely(PLAIN))
    if abs(interval) == 2:
        middle = _scale_pitch(harmony, here.step + interval // 2, rising=interval > 0)
        yield Figure("passing", here, middle, after, likely("passing"))
    if interval == 0 and here == after:
        for kind, step in (("neighbor-upper", 1), ("neighbor-lower", -1)):
            neighbour = _scale_pitch(harmony, here.step + step, rising=step < 0)
            yield Figure(kind, here, neighbour, after, likely(kind))
    if before is not None and _suspends(before, here, harmony):
        cost = max(likely("suspension") + log(PREPARED), 0.0)
        yield Figure("suspension", before, here, None, cost)
    if cadence and abs(interval) == 1 and voice == 0:
        yield Figure("anticipation", here, after, after, likely("anticipation"))
    for skip in _skips(voice, harmony, here, after):
        yield Figure("chordal-skip", here, skip, None, likely("chordal-skip"))


def _suspends(before: Pitch, here: Pitch, harmony: Harmony) -> bool:
    """Whether the note before, a step above, would be a dissonance held over this chord."""
    letters = {member.letter for member in spell(harmony.chord, harmony.key)}
    return before.step == here.step + 1 and before.step % 7 not in letters


def _skips(voice: int, harmony: Harmony, here: Pitch, after: Pitch) -> Iterator[Pitch]:
    """Other notes of the chord near by that lead on by step or stay."""
    members = spell(harmony.chord, harmony.key)
    bass = voice == CHOIR.bass
    for member in members[:3]:
        for octave in (here.octave - 1, here.octave, here.octave + 1):
            pitch = Pitch.of(member, octave)
            distance = abs(pitch.step - here.step)
            near = 0 < distance <= SKIP_REACH or (bass and distance == 7)
            if near and abs(after.step - pitch.step) == 1:
                yield pitch


def _scale_pitch(harmony: Harmony, step: int, *, rising: bool) -> Pitch:
    """The pitch on a staff step: the chord's own form, else the scale's.

    In minor the sixth and seventh degrees are raised going up and natural going down; over a
    chord that holds the leading tone the sixth goes with it (melodic minor).
    """
    members = {member.letter: member for member in spell(harmony.chord, harmony.key)}
    letter = step % 7
    pitch_class = members.get(letter) or _scale_tone(harmony.key, letter, members, rising=rising)
    return Pitch.of(pitch_class, step // 7)


def _scale_tone(
    key: Key, letter: int, members: Mapping[int, PitchClass], *, rising: bool
) -> PitchClass:
    number = (letter - key.tonic.letter) % 7 + 1
    leading = key.leading_tone
    has_leading = members.get(leading.letter) == leading
    raised = key.mode == "minor" and number in (6, 7) and (rising or has_leading)
    return key.degree(ScaleDegree(number, 1 if raised else 0))


# --- how likely it is -----------------------------------------------------------------------


@cache
def _counts() -> Mapping[str, Mapping[str, float]]:
    file = resources.files("musegen") / "weights" / "figuration.json"
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        counts: Mapping[str, Mapping[str, float]] = record["counts"]
    except (OSError, ValueError, KeyError) as error:
        raise StoredFileError(str(file), f"not a table of figuration counts ({error})") from error
    return counts


@cache
def _figure_cost(kind: str, voice: int, strength: int, interval: int) -> float:
    """Negative log share of a figure among all beats alike, in nats."""
    row = _counts().get(f"{voice}|{strength}|{interval}", {})
    total = sum(row.values())
    return -log(max(row.get(kind, 0) / total if total else 0.0, RARE))


def _agree(figures: Sequence[Figure]) -> bool:
    """Whether voices that move together make consonances, and suspensions stand in a figure."""
    moving = [figure for figure in figures if figure.moves and figure.struck]
    for one, other in combinations(moving, 2):
        chosen = not (one.given and other.given)
        if chosen and (one.second.semitone - other.second.semitone) % 12 not in IMPERFECT:
            return False
    return all(
        _suspension_stands(voice, figures)
        for voice, figure in enumerate(figures)
        if figure.kind == "suspension"
    )


def _suspension_stands(voice: int, figures: Sequence[Figure]) -> bool:
    """A figure of 4-3, 7-6, 9-8 or 2-3, its resolution not sounding in another upper voice."""
    held, bass = figures[voice].first, figures[-1].first
    target = figures[voice].second
    others = [figure.first for place, figure in enumerate(figures) if place != voice]
    doubled = [other for other in others[:-1] if other.step % 7 == target.step % 7]
    if doubled or any(
        (held.semitone - other.semitone) % 12 in HARSH and other.step > held.step
        for other in others
    ):
        return False
    if voice == len(figures) - 1:
        return any((other.step - held.step) % 7 == 1 for other in others)
    return (held.step - bass.step) % 7 + 1 in {figure % 7 or 7 for figure in SUSPENSION_FIGURES}


def _clash_cost(figures: Sequence[Figure]) -> float:
    seconds = [figure.second for figure in figures]
    total = 0.0
    for voice, figure in enumerate(figures):
        if figure.moves and figure.kind != "suspension":
            gaps = [
                abs(figure.second.semitone - other.semitone) % 12
                for place, other in enumerate(seconds)
                if place != voice
            ]
            total += HARSH_COST * sum(gap in HARSH for gap in gaps)
    return total


# --- rules on the surface -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the decorations of a beat sound, (N,) each."""

    moments: tuple[Moments, ...]  # at each time at which any voice may strike
    entering: Moments  # the chord, each voice on its first chord tone
    leaving: Moments  # the chord, each voice on its last chord tone


def _heard(
    moment: np.void, beat: Sequence[Decoration], slot: Slot, metre: tuple[int, int]
) -> _Heard:
    chosen = any(figure.moves and not figure.given for each in beat for figure in each.figures)
    times = sorted({*slot.times(), *([slot.middle] if chosen else [])})
    chord = np.repeat(np.asarray(moment).reshape(1), len(beat))
    moments: list[Moments] = []
    for time in times:
        rows = later(chord, slot, time, metre) if time else chord.copy()
        real = time in slot.times()  # else only where a chosen figure has its second note
        for row, decoration in enumerate(beat):
            if not (real or any(fig.moves and not fig.given for fig in decoration.figures)):
                rows[row] = moments[-1][row]
                continue
            for voice, figure in enumerate(decoration.figures):
                pitch, struck = figure.at(time, slot.middle)
                _sound(rows, row, voice, pitch, moment, struck=struck)
        moments.append(rows)
    return _Heard(tuple(moments), _on_chord(chord, moments[::-1]), _on_chord(chord, moments))


def _on_chord(chord: Moments, moments: Sequence[Moments]) -> Moments:
    """A chord with each voice on the last of its notes that is one of the chord."""
    found = chord.copy()
    for rows in moments:
        held = rows["member"] >= 0
        for name in ("step", "semitone", "degree", "member"):
            found[name] = np.where(held, rows[name], found[name])
    return found


def _sound(
    rows: Moments, row: int, voice: int, pitch: Pitch | None, skeleton: np.void, *, struck: bool
) -> None:
    if pitch is None:
        silence(rows[row : row + 1], voice)
        return
    rows["step"][row, voice] = pitch.step
    rows["semitone"][row, voice] = pitch.semitone
    rows["attack"][row, voice] = struck
    if pitch.semitone != skeleton["semitone"][voice]:
        fifths = pitch.pitch_class.fifths - int(skeleton["tonic"])
        members = [int(skeleton[name]) for name in ("root", "third", "fifth", "seventh")]
        rows["degree"][row, voice] = fifths
        rows["member"][row, voice] = members.index(fifths) if fifths in members else NON_CHORD


def _between(rules: Mapping[str, RuleSet], origin: Origin, place: int) -> dict[str, RuleSet]:
    """The rules on the way into a slot, blind to what stood there among the voices that stay."""
    return {
        "pair": origin.spare(rules["pair"], place, "join"),
        "chords": origin.spare(rules["chords"], place, "move"),
    }


def _inner_costs(moments: Sequence[Moments], rules: Mapping[str, RuleSet]) -> FloatArray:
    """Costs of all that sounds in a beat, and of the moves inside it."""
    total = np.zeros(len(moments[0]))
    for now in moments:
        total += costs(rules["unary"], now, now, now)
    for before, now in pairwise(moments):
        total += costs(rules["pair"], before, before, now)
    return total


def _junction(
    place: int,
    beats: Sequence[Sequence[Decoration]],
    heard: Sequence[_Heard],
    kept: Sequence[IntArray],
    rules: Mapping[str, RuleSet],
    *,
    constrained: bool,
) -> PairTable:
    """Which decorated beat may follow which."""
    before = [beats[place - 1][choice] for choice in kept[place - 1]]
    after = [beats[place][choice] for choice in kept[place]]
    gate = np.array([[_joins(one, other) for other in after] for one in before])
    still = np.array([[not one.moving and not other.moving for other in after] for one in before])
    if not constrained:
        rules = {group: _none(each) for group, each in rules.items()}
    last, first = (heard[place - 1], kept[place - 1]), (heard[place], kept[place])
    chords = _table(rules["chords"], last[0].leaving[last[1]], first[0].entering[first[1]], gate)
    surface = _table(
        rules["pair"],
        last[0].moments[-1][last[1]],
        first[0].moments[0][first[1]],
        np.isfinite(chords),
    )
    total = chords + surface + STILL_COST * still
    sources, successors = np.nonzero(np.isfinite(total))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(sources, minlength=len(before)))])
    return PairTable(indptr, successors.astype(np.int32), total[sources, successors])


def _table(rules: RuleSet, before: Moments, after: Moments, gate: BoolArray) -> FloatArray:
    """Costs of all pairs, infinite where one is not allowed."""
    indptr, successors, price = pair_table(rules, before, after, gate)
    found = np.full(gate.shape, np.inf)
    found[np.repeat(np.arange(len(before)), np.diff(indptr)), successors] = price
    return found


def _none(rules: RuleSet) -> RuleSet:
    return replace(rules, hard=0, weights=np.zeros_like(rules.weights))


def _joins(one: Decoration, other: Decoration) -> bool:
    """Every goal is reached, every suspension prepared by the very note it holds."""
    for before, after in zip(one.figures, other.figures, strict=True):
        if before.goal is not None and before.goal != after.first:
            return False
        if after.kind == "suspension" and before.second != after.first:
            return False
    return True
