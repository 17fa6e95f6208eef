"""What a surface scores in a space, before chords are joined into a path: sums of weighted features."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from musegen.analysis.parameters import LENGTHS, PLACES, Parameters, graph_grades, number
from musegen.analysis.states import Space, distance
from musegen.analysis.surface import SILENT, TREATMENTS, WIDTH, Surface
from theory_kb.chords import every_chord

__all__ = [
    "FULL",
    "ROLES",
    "STEP_FEATURES",
    "STRONG",
    "Powers",
    "Tables",
    "change_features",
    "clipped_places",
    "close_features",
    "contradictions",
    "ends_phrase",
    "length_class",
    "lowest_columns",
    "numbers",
    "powers",
    "segment_scores",
    "step_kinds",
    "tables",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FULL = 0.5  # beats from which a tone counts as present
STRONG = 2  # beat strength on which a cadential six-four stands
INFLECTION = 7  # fifths from a tone to its sharp
ROLES = ("missing root", "missing third", "missing fifth", "missing seventh")


@dataclass(frozen=True, slots=True)
class Powers:
    """Exponentials of steps at a temperature."""

    change: FloatArray  # (K, K)
    jump: float
    inner: dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Tables:
    """What a surface scores in a space, before chords are joined into a path."""

    surface: Surface
    space: Space
    weights: FloatArray  # of the features
    sound: FloatArray  # (n + 1, G) running sums of what does not depend on where a chord begins
    begin: FloatArray  # (n, G) score of beginning a chord there
    under: FloatArray  # (WIDTH + 1, G) score of a lowest tone in each column; none in the last
    keyed: FloatArray  # (n + 1, K) running sums of what a key scores
    present: FloatArray  # (n + 1, WIDTH) running sums of beats of tones
    absence: FloatArray  # (G, WIDTH) score of a member that is absent
    alone: FloatArray  # (S,) score of a state by itself
    strength: FloatArray  # (n,) score of beginning a chord at that strength
    length: FloatArray  # (classes,) score of a chord's length
    beats: FloatArray  # (n + 1,) running sums
    steps: tuple[FloatArray, FloatArray]  # (C, C) inside a phrase, over a boundary
    change: tuple[FloatArray, FloatArray]  # (K, K) the same of a change of key
    jump: tuple[float, float]  # more for a change without a common chord
    close: FloatArray  # (S,) score of ending a phrase
    cadential: FloatArray  # (2, S) score of beginning weak, strong
    blocks: tuple[tuple[int, int, IntArray], ...]  # of each key: first, last state, their chords
    inner: tuple[dict[str, FloatArray], dict[str, FloatArray]]  # steps between the chords of a mode
    widest: tuple[dict[str, FloatArray], dict[str, FloatArray]]  # the best of each row of them
    extra: FloatArray | None = None  # (n + 1, S) running sums added by training
    powers: dict[tuple[float, int], Powers] = field(default_factory=dict)  # once computed
    kept: dict[int, FloatArray] = field(
        default_factory=dict
    )  # segment scores by end, once computed
    entries: dict[tuple[int, float, int], FloatArray] = field(
        default_factory=dict
    )  # steps into a state over a boundary or not, late or not, once computed
    crossings: dict[tuple[int, float], FloatArray] = field(
        default_factory=dict
    )  # changes of key between `Space.alike`, over a boundary or not, late or not, once computed


def tables(surface: Surface, space: Space, parameters: Parameters) -> Tables:
    """Weigh everything that does not depend on the path."""
    w = parameters.weights
    foreign = np.einsum(
        "c,ncw->nw", w[numbers(f"foreign {name}" for name in TREATMENTS)], surface.tones
    )
    outside = 1 - space.members
    other = space.members.copy()
    other[np.arange(len(other)), space.lowest] = 0
    sound = foreign @ outside.T
    sound += w[number("bass foreign")] * surface.bass @ outside.T
    sound += w[number("bass other")] * surface.bass @ other.T
    begin = np.zeros_like(sound)
    heard = surface.first_bass >= 0
    first = surface.first_bass[heard]
    begin[heard] = (
        w[number("bass first foreign")] * outside[:, first].T
        + w[number("bass first other")] * other[:, first].T
    )
    keyed = surface.weights @ _profiles(space, w).T
    apart = np.array([distance(space.home, key) for key in space.keys])
    away = np.array([key != space.home for key in space.keys])
    keyed += surface.beats[:, None] * (w[number("away")] * away + w[number("away fifths")] * apart)
    steps = _steps(space, parameters)
    inner = _by_mode(space, steps[0]), _by_mode(space, steps[1])
    widest = _widest(inner[0]), _widest(inner[1])
    return Tables(
        surface,
        space,
        w,
        _running(sound),
        begin,
        _under(w, outside, other),
        _running(keyed),
        _running(surface.weights),
        _absence(space, w),
        _alone(space, parameters),
        w[numbers(f"strength {each}" for each in range(5))][np.minimum(surface.strength, 4)],
        w[numbers(f"length {each}" for each in range(len(LENGTHS) + 1))],
        _running(surface.beats[:, None])[:, 0],
        steps,
        _changes(space, w),
        (w[number("no pivot")], w[number("no pivot over a boundary")]),
        w[close_features(space)],
        _cadential(space, w),
        tuple(
            (int(a), int(b), space.chord[a:b])
            for a, b in zip(space.first, space.first[1:], strict=False)
        ),
        inner,
        widest,
    )


def powers(t: Tables, temperature: float, boundary: int) -> Powers:
    """The exponentials of the steps inside a phrase or over a boundary; kept with the tables."""
    key = temperature, boundary
    if key not in t.powers:
        t.powers[key] = Powers(
            np.exp(t.change[boundary] / temperature),
            float(np.exp(t.jump[boundary] / temperature)),
            {mode: np.exp(each / temperature) for mode, each in t.inner[boundary].items()},
        )
    return t.powers[key]


def _under(w: FloatArray, outside: FloatArray, other: FloatArray) -> FloatArray:
    scores = w[number("lowest foreign")] * outside + w[number("lowest other")] * other
    return np.concatenate([scores.T, np.zeros((1, len(outside)))])


def lowest_columns(surface: Surface, starts: IntArray, end: int) -> IntArray:
    """Columns of the lowest tone from each start, one after another, to an end; WIDTH in silence."""
    packed = np.minimum.accumulate(surface.lowest[starts[0] : end][::-1])[::-1]
    found: IntArray = np.where(packed == SILENT, WIDTH, packed % WIDTH)
    return found


def _widest(steps: dict[str, FloatArray]) -> dict[str, FloatArray]:
    return {mode: each.max(axis=1) for mode, each in steps.items()}


def _by_mode(space: Space, steps: FloatArray) -> dict[str, FloatArray]:
    places = {
        mode: np.array([c for c, each in enumerate(space.chords) if each.mode == mode])
        for mode in ("major", "minor")
    }
    return {mode: steps[np.ix_(rows, rows)] for mode, rows in places.items()}


def numbers(names: Iterable[str]) -> IntArray:
    """Places of features."""
    return np.array([number(name) for name in names])


def _running(values: FloatArray) -> FloatArray:
    sums = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


def _profiles(space: Space, w: FloatArray) -> FloatArray:
    """(K, WIDTH) score of a beat of each tone in each key."""
    rows = [
        w[numbers(f"{key.mode} {place:+d}" for place in PLACES)][clipped_places(space.degree[k])]
        for k, key in enumerate(space.keys)
    ]
    return np.array(rows)


def clipped_places(degrees: IntArray) -> IntArray:
    """Which of PLACES each degree counts as."""
    clipped: IntArray = np.clip(degrees, PLACES[0], PLACES[-1]) - PLACES[0]
    return clipped


def _absence(space: Space, w: FloatArray) -> FloatArray:
    scores = np.zeros_like(space.members)
    rows = np.arange(len(scores))
    for role, name in enumerate(ROLES):
        has = space.roles[:, role] >= 0
        scores[rows[has], space.roles[has, role]] = w[number(name)]
    altered = rows[space.altered]
    scores[altered, space.roles[altered, 2]] = w[number("missing altered fifth")]
    return scores


def _alone(space: Space, parameters: Parameters) -> FloatArray:
    w = parameters.weights
    index = np.array([each.index for each in space.chords])
    rare = np.array([each.use == "rare" for each in space.chords])
    scores = w[number("chord")] * parameters.chord_scores[index] + w[number("rare")] * rare
    found: FloatArray = scores[space.chord]
    return found


def _steps(space: Space, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
    w = parameters.weights
    count = len(space.chords)
    score = parameters.step_scores[:count, :count]
    kinds = step_kinds(count)
    inside = w[number("progression")] * score
    for place, name in enumerate(STEP_FEATURES):
        inside = inside + w[number(name)] * kinds[place]
    return inside, w[number("progression over a boundary")] * score


STEP_FEATURES = ("avoided", "other position", "repeated")


@cache
def step_kinds(count: int) -> FloatArray:
    """(3, C, C) indicators: avoided by the graph, the numeral in another position, repeated.

    Args:
        count: C, of the first chords that are read.
    """
    chords = every_chord()[:count]
    names = [f"{each.mode} {each.numeral}" for each in chords]
    numerals = np.unique(names, return_inverse=True)[1]
    same = numerals[:, None] == numerals[None, :]
    repeated = np.eye(count, dtype=bool)
    avoided = (graph_grades()[:count, :count] == 0) & ~same
    return np.array([avoided, same & ~repeated, repeated], float)


def change_features(space: Space, before: int, after: int, *, boundary: bool) -> dict[str, float]:
    """Features of a change from one key to another."""
    one, other = space.keys[before], space.keys[after]
    return {
        "modulation over a boundary" if boundary else "modulation": 1.0,
        "modulation fifths": float(distance(one, other)),
        "modulation parallel": float(one.tonic == other.tonic),
        "modulation relative": float(one.signature == other.signature),
        "modulation home": float(other == space.home),
    }


def _changes(space: Space, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    count = len(space.keys)
    found = []
    for boundary in (False, True):
        scores = np.full((count, count), -np.inf)
        for before in range(count):
            for after in range(count):
                if before != after:
                    parts = change_features(space, before, after, boundary=boundary)
                    scores[before, after] = sum(w[number(k)] * v for k, v in parts.items())
        found.append(scores)
    return found[0], found[1]


def close_features(space: Space) -> IntArray:
    """(S,) the feature of ending a phrase with each state."""
    kinds = [
        "close tonic"
        if each.numeral in ("I", "i") and each.inversion == 0
        else "close dominant"
        if each.symbol == "V"
        else "close other"
        for each in space.chords
    ]
    return numbers(kinds)[space.chord]


def _cadential(space: Space, w: FloatArray) -> FloatArray:
    is_cadential = np.array([each.cadential for each in space.chords])[space.chord]
    names = ("cadential weak", "cadential strong")
    return np.array([w[number(name)] * is_cadential for name in names])


# --- one chord ------------------------------------------------------------------------------


def length_class(beats: FloatArray) -> IntArray:
    """Which of the classes of LENGTHS a number of beats falls into."""
    found: IntArray = np.searchsorted(np.array(LENGTHS), beats - 1e-9)
    return found


def ends_phrase(surface: Surface, end: int) -> bool:
    """Whether a chord that ends there is the last of a phrase."""
    return end == len(surface.beats) or bool(surface.boundary[end])


def contradictions(beats: FloatArray, spans: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What speaks against chords: (m, WIDTH) tones absent but inflected, and tones throughout.

    Args:
        beats: (m, WIDTH) beats of tones in some stretches.
        spans: (m,) their lengths in beats.
    """
    present = np.minimum(beats / FULL, 1)
    around = np.zeros_like(present)
    around[:, :-INFLECTION] = present[:, INFLECTION:]
    around[:, INFLECTION:] = np.maximum(around[:, INFLECTION:], present[:, :-INFLECTION])
    throughout = (beats >= spans[:, None] - 1e-9) & (spans[:, None] >= 1)
    return (1 - present) * around, throughout.astype(float)


def segment_scores(t: Tables, starts: IntArray, end: int) -> FloatArray:
    """(starts, S) score of one chord from each start to an end."""
    space = t.space
    present = np.minimum((t.present[end] - t.present[starts]) / FULL, 1)
    sound = t.sound[end] - t.sound[starts] + t.begin[starts] + (1 - present) @ t.absence.T
    sound += t.under[lowest_columns(t.surface, starts, end)]
    inflected, throughout = contradictions(
        t.present[end] - t.present[starts], t.beats[end] - t.beats[starts]
    )
    sound += t.weights[number("inflected")] * inflected @ space.members.T
    sound += t.weights[number("foreign throughout")] * throughout @ (1 - space.members).T
    span = t.length[length_class(t.beats[end] - t.beats[starts])] + t.strength[starts]
    keyed = t.keyed[end] - t.keyed[starts] + span[:, None]
    scores: FloatArray = sound.take(space.group, axis=1)
    scores += keyed.take(space.key, axis=1)
    scores += t.alone
    scores += t.cadential[(t.surface.strength[starts] >= STRONG).astype(int)]
    if ends_phrase(t.surface, end):
        scores += t.close
    if t.extra is not None:
        scores += t.extra[end] - t.extra[starts]
    return scores
