"""Phrases to write exercises on: chords drawn by the harmony model, voices found by search and model.

The chords of a phrase are those of a level. They follow one another by steps that the knowledge graph
grades as common, drawn by what the hidden Markov model of the chorales expects at each beat, and end
with a cadence of the level. The voices break no rule of the rubric; among those that do not, the
restricted Boltzmann machine of the chorales chooses. How many ways there are is counted exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from musegen.constraints import Problem, build_problem
from musegen.encoding import chord_table
from musegen.errors import DeadEndError, InfeasibleError, ScoreError
from musegen.exercises.grading.rubric import load_rubric, rubric_style
from musegen.exercises.grading.task import CHOIR, Slot, chord_words
from musegen.exercises.kinds import DiscardError, Work
from musegen.models.hmm import HMM
from musegen.models.protocol import Candidates, SlotModel
from musegen.models.registry import load_models
from musegen.plan.ensemble import Ensemble
from musegen.plan.given_notes import with_notes
from musegen.plan.plan import Harmony, Plan
from musegen.plan.plan import Slot as PlanSlot
from musegen.plan.setting import plan_of_chords
from musegen.proposals import features
from musegen.score import Metre, Note, Part, Score
from musegen.search.optimum import count_solutions, sample_uniform
from musegen.search.strategy import Strategy, each_solution
from musegen.tasks.scorer import ModelScorer
from theory_kb.check import Style, load_style
from theory_kb.chords import Chord, chord
from theory_kb.pitch import Key, Pitch, PitchClass
from theory_kb.query import grade_table

__all__ = [
    "Phrase",
    "Voiced",
    "draw_key",
    "draw_phrase",
    "joined",
    "phrase_of",
    "search_style",
    "solved",
    "voiced",
]

Floats = NDArray[np.float64]
COMMON = 2  # grade B of a progression
MINOR_SHIFT = 3  # fifths from the tonic of a major key to that of its relative minor
FOUR_FOUR = Metre(4, 4)
STRICT = "strict"
BEAM = Strategy(width=16)
ECONOMY = "inner-economy"  # weighs more than in the style, and any skip counts: few leaps
SKIP, SKIP_COST = {"widest": 2.0}, 3.0  # semitones, nats


@dataclass(frozen=True, slots=True)
class Phrase:
    """Chords in time."""

    key: Key
    harmonies: tuple[Harmony, ...]
    beats: tuple[int, ...]  # length of each chord, in quarter notes
    metre: Metre = FOUR_FOUR
    ends: tuple[int, ...] = ()  # numbers of the chords that end phrases, where there are several

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The chords as graders see them."""
        found, onset = [], Fraction(0)
        for each, beats in zip(self.harmonies, self.beats, strict=True):
            found.append(Slot(onset, Fraction(beats), each.key, each.chord.symbol))
            onset += beats
        return tuple(found)

    @property
    def words(self) -> str:
        """The chords as the facts of an item write them."""
        return chord_words(self.slots, self.key)

    @property
    def plan(self) -> Plan:
        """The chords as the search takes them."""
        chords = [(each, Fraction(n)) for each, n in zip(self.harmonies, self.beats, strict=True)]
        return plan_of_chords(chords, metre=self.metre)


@dataclass(frozen=True, slots=True)
class Voiced:
    """A phrase in voices."""

    phrase: Phrase
    problem: Problem
    lines: tuple[tuple[Note, ...], ...]  # high to low
    count: int  # of ways that break no rule on one chord or two, exact

    @property
    def pitches(self) -> tuple[tuple[Pitch, ...], ...]:
        """The notes of each voice, one a chord."""
        return tuple(tuple(note.pitch for note in line) for line in self.lines)

    def score(self, title: str, voices: Sequence[str] = CHOIR) -> Score:
        """The phrase as a score with its chords."""
        parts = tuple(Part(name, line) for name, line in zip(voices, self.lines, strict=True))
        return Score(title, self.phrase.key, parts, (self.phrase.metre,))


# --- keys -----------------------------------------------------------------------------------


def draw_key(work: Work, modes: Sequence[str] = ("major", "minor")) -> Key:
    """A key of the level: at most so many sharps or flats as level and teacher allow."""
    most = min(int(work.params.get("signature", 4)), work.setting.key_range)
    mode = str(work.rng.choice(list(modes)))
    signature = int(work.rng.integers(-most, most + 1))
    return Key(PitchClass(signature + (MINOR_SHIFT if mode == "minor" else 0)), mode)


# --- chords ---------------------------------------------------------------------------------


@cache
def _sonorities() -> SlotModel:
    return load_models(("rbm",), chord_table())["rbm"]


@cache
def _model() -> HMM:
    model = load_models(("hmm",), chord_table())["hmm"]
    assert isinstance(model, HMM), "the registry names it so"
    return model


def draw_phrase(work: Work, key: Key | None = None, *, last: bool = True) -> Phrase:
    """A phrase of the level.

    Its parameters: `major` and `minor` (symbols of chords), `close_major` and `close_minor` (rows of
    symbols that may end it), `half_major` and `half_minor` (that may end one before the last),
    `chords` (how many, from and to), `signature`.

    Raises:
        DiscardError: the chords lead to no close.
    """
    params = work.params
    key = key or draw_key(work, [mode for mode in ("major", "minor") if params.get(mode)])
    low, high = params["chords"]
    count = int(work.rng.integers(low, high + 1))
    closes = [row.split() for row in params[f"{'close' if last else 'half'}_{key.mode}"]]
    close = [chord(key.mode, each) for each in closes[int(work.rng.integers(len(closes)))]]
    allowed = [chord(key.mode, each) for each in params[key.mode].split()]
    if count <= len(close):
        close = close[len(close) - count + 1 :]
    walk = _walk(work, key, allowed, close, count)
    return phrase_of(key, walk)


def phrase_of(key: Key, chords: Sequence[Chord]) -> Phrase:
    """Chords of one key in time.

    A beat a chord; the first is longer where that puts a cadential six-four, or else the last chord,
    on a strong beat; the last fills its bar.
    """
    beats = [1] * len(chords)
    cadential = [place for place, each in enumerate(chords) if each.cadential]
    lands = cadential[-1] if cadential else len(chords) - 1
    if lands % 2 and lands:
        beats[0] = 2
    bar = FOUR_FOUR.beats
    beats[-1] = bar - sum(beats[:-1]) % bar
    return Phrase(key, tuple(Harmony(key, each) for each in chords), tuple(beats))


def _walk(
    work: Work, key: Key, allowed: Sequence[Chord], close: Sequence[Chord], count: int
) -> list[Chord]:
    """So many chords from the tonic to the close."""
    tonic = chord(key.mode, "I" if key.mode == "major" else "i")
    if count <= len(close):
        return list(close[-count:])
    free = count - len(close)
    options = [[tonic], *([list(allowed)] * (free - 1)), *([each] for each in close)]
    reach = _reaching(options)
    if not reach[0].any():
        raise DiscardError("no common progression leads to the close")
    return _drawn(work.rng, key, options, reach)


def _drawn(
    rng: np.random.Generator,
    key: Key,
    options: Sequence[Sequence[Chord]],
    reach: Sequence[NDArray[np.bool_]],
) -> list[Chord]:
    """One chord a place, drawn as the model expects it among those that lead on."""
    rows = np.stack(
        [features(slot, key) for slot in _timed_places(key, options[0][0], len(options))]
    )
    model, grades = _model(), grade_table()
    state = model.start(rows)
    walk: list[Chord] = []
    for place, ways in enumerate(options):
        fit = [
            each
            for each, alive in zip(ways, reach[place], strict=True)
            if alive and (not walk or _follows(grades, walk[-1], each))
        ]
        symbols = model.symbols_of(np.array([each.index for each in fit]))
        chances = model.next_symbol(state)[0][symbols]
        chosen = fit[int(rng.choice(len(fit), p=chances / chances.sum()))]
        walk.append(chosen)
        one = Candidates(np.zeros((1, 0), np.int64), np.array([chosen.index]), rows[place])
        state = model.advance(state, one, np.array([0]), np.array([0]))
    return walk


def _timed_places(key: Key, tonic: Chord, count: int) -> Sequence[PlanSlot]:
    plan = plan_of_chords([(Harmony(key, tonic), Fraction(1))] * count, metre=FOUR_FOUR)
    return plan.slots


def _follows(grades: NDArray[np.int8], before: Chord, after: Chord) -> bool:
    """Whether a step is common and goes somewhere."""
    return before.index != after.index and bool(grades[before.index, after.index] >= COMMON)


def _reaching(options: Sequence[Sequence[Chord]]) -> list[NDArray[np.bool_]]:
    """Which chords of each place reach the end by common steps."""
    grades = grade_table()
    found = [np.ones(len(options[-1]), bool)]
    for here, there in zip(options[-2::-1], options[:0:-1], strict=True):
        onward = found[-1]
        found.append(
            np.array(
                [
                    any(
                        ok and _follows(grades, before, after)
                        for after, ok in zip(there, onward, strict=True)
                    )
                    for before in here
                ]
            )
        )
    return found[::-1]


def joined(phrases: Sequence[Phrase]) -> Phrase:
    """Phrases one after the other."""
    return Phrase(
        phrases[0].key,
        tuple(each for phrase in phrases for each in phrase.harmonies),
        tuple(beats for phrase in phrases for beats in phrase.beats),
        ends=tuple(accumulate(len(phrase.harmonies) for phrase in phrases)),
    )


# --- voices ---------------------------------------------------------------------------------


@cache
def search_style(rubric: str, base: str = STRICT) -> Style:
    """A style under which only full answers are found: what costs points in a rubric is an error."""
    marked = load_rubric(rubric)
    found, taste = rubric_style(marked), load_style(base)
    named = {name for section in marked.sections for name, _ in section.named}
    severities = {**taste.severities, **{n: "E" for n in named if n in found.severities}}
    params = {
        **taste.params,
        **{name: found.params[name] for name in named if name in found.params},
    }
    params[ECONOMY] = {**params[ECONOMY], **SKIP}
    weights = {**taste.weights, ECONOMY: SKIP_COST}
    return replace(
        taste,
        name=f"{base} for {rubric}",
        severities=severities,
        params=params,
        weights=weights,
    )


def voiced(
    phrase: Phrase,
    style: Style,
    rng: np.random.Generator,
    *,
    given: Mapping[int, Sequence[Note]] | None = None,
    ensemble: Ensemble | None = None,
    uniform: bool = False,
) -> Voiced:
    """Voices for a phrase, and how many ways there are.

    Args:
        phrase: its chords.
        style: what may not be broken.
        rng: draws, where `uniform` takes any way rather than the likeliest.
        given: notes by voice that must stand.
        ensemble: players, if not a choir.
        uniform: any way that breaks nothing, each equally likely.

    Raises:
        DiscardError: there is no way.
    """
    plan = phrase.plan
    if ensemble is not None:
        plan = replace(plan, ensemble=ensemble)
    try:
        problem = build_problem(with_notes(plan, given) if given else plan, style)
        path = sample_uniform(problem.lattice, rng) if uniform else solved(problem, rng)
    except (InfeasibleError, DeadEndError, ScoreError):
        raise DiscardError("the rules leave no voices") from None
    if problem.forced:
        raise DiscardError("the chords themselves break a rule")
    moments = [slot.moments[at] for slot, at in zip(problem.slots, path, strict=True)]
    lines = tuple(
        tuple(
            Note(slot.onset, slot.duration, Pitch(int(m["step"][v]), int(m["semitone"][v])))
            for slot, m in zip(phrase.slots, moments, strict=True)
        )
        for v in range(plan.ensemble.size)
    )
    return Voiced(phrase, problem, lines, count_solutions(problem.lattice))


def solved(problem: Problem, rng: np.random.Generator) -> NDArray[np.int64]:
    """A path under all rules that the chorales' model of sonorities finds most likely."""
    scorer = ModelScorer.of(problem, {"rbm": _sonorities()}, {"rbm": 1.0})
    (found,) = each_solution(
        problem.lattice, BEAM, scorer=scorer, look_back=problem.long_rules, rng=rng
    )
    return found.path
