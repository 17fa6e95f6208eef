"""What a stored model writes by itself: rolls of any model of rolls, melodies of the VAE, bars of the GAN.

No rule is asked: this shows what a model has learnt. `musegen check` judges it, `musegen harmonise` sets a
melody. Melodies can also lie between two others, or go along an attribute from one (Roberts et al. 2018).
With a style, models of rolls that propose write under its hard rules (`musegen.tasks.sample_legal`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musegen.errors import OptionError, ScoreError
from musegen.models.cards import read_card
from musegen.score import Score
from theory_kb.pitch import Key

if TYPE_CHECKING:
    from musegen.models.melody_vae import MelodyVAE

__all__ = ["MOST_SAMPLES", "Line", "Sampling", "Toward", "samples"]

IntArray = NDArray[np.int64]
MOST_SAMPLES = 1000
MOST_FRAMES = 1024
FRAMES = 64
EIGHTH = Fraction(1, 2)  # the grid of melodies and bars


@dataclass(frozen=True, slots=True)
class Line:
    """Melodies from one to another."""

    first: Score  # whose first part begins with the one
    last: Score


@dataclass(frozen=True, slots=True)
class Toward:
    """Melodies from one on, with more and more of an attribute."""

    first: Score  # whose first part begins with it
    attribute: str  # of `musegen.models.segment_tokens.ATTRIBUTES`
    segments: IntArray  # (n, T) that tell what it means
    most: float = 2.0  # attribute vectors that the last is away; below 0 for less of it


@dataclass(frozen=True, slots=True)
class Sampling:
    """What is wanted of a model."""

    count: int = 1
    seed: int = 0
    length: int | None = None  # frames of a roll without rules, 64 if not said
    key: str = "C major"  # of what knows only its tonic: melodies, bars, rolls under rules
    temperature: float = 1.0  # of melodies; below 1 the likely is drawn more often
    along: Line | Toward | None = None  # melodies only
    style: str | None = None  # whose hard rules rolls keep; None asks no rule
    particles: int | None = None  # of the draw under rules, 32 if not said


def samples(path: Path, wanted: Sampling) -> Iterator[Score]:
    """Scores of what a stored model writes, one after another.

    Args:
        path: of its weights.
        wanted: how many, of what.

    Raises:
        WeightsError: a file is missing, damaged, or of no model that writes by itself.
        OptionError: a number out of its range, or one that this model does not know.
        InfeasibleError, DeadEndError: the rules of the style left nothing that was drawn.
        ScoreError: a melody to begin from is too short, or moves off the grid of eighths; or what was
            drawn is no score: silence, or more notes at once than it can have parts.
        UnknownNameError: no such attribute or style.
        PitchError: the key is none.
    """
    _check_numbers(wanted)
    kind = read_card(path).kind
    write = WRITERS.get(kind, _rolls)
    if wanted.along is not None and write is not _melodies:
        raise OptionError("--from", kind, "left out but for melody-vae")
    if wanted.style is not None and write is not _rolls:
        raise OptionError("--style", kind, "left out but for models of rolls")
    return write(path, wanted)


def _check_numbers(wanted: Sampling) -> None:
    for name, value, most in (
        ("-n", wanted.count, MOST_SAMPLES),
        ("--length", FRAMES if wanted.length is None else wanted.length, MOST_FRAMES),
    ):
        if not 1 <= value <= most:
            raise OptionError(name, value, f"from 1 to {most}")
    if wanted.seed < 0:
        raise OptionError("--seed", wanted.seed, "0 or more")
    if not 0 < wanted.temperature < np.inf:
        raise OptionError("--temperature", wanted.temperature, "above 0")
    if wanted.style is not None and wanted.length is not None:
        raise OptionError("--length", wanted.length, "left out with --style: the plan says it")
    if wanted.style is None and wanted.particles is not None:
        raise OptionError("--particles", wanted.particles, "left out without --style")


def _rolls(path: Path, wanted: Sampling) -> Iterator[Score]:
    from musegen.comparison.scores import score_of
    from musegen.models.roll_models import load_frame_model

    if wanted.style is not None:
        yield from _rolls_under_rules(path, wanted, wanted.style)
        return
    stored = load_frame_model(path)
    for number in range(wanted.count):
        rng = np.random.default_rng([wanted.seed, number])
        yield score_of(
            stored.model.sample(wanted.length or FRAMES, rng), _title(stored.model.name, number)
        )


def _rolls_under_rules(path: Path, wanted: Sampling, style: str) -> Iterator[Score]:
    from musegen.models.roll_proposals import load_proposer
    from musegen.tasks.sample_legal import PARTICLES, UnderRules, legal_draft

    particles = PARTICLES if wanted.particles is None else wanted.particles
    how = UnderRules(key=wanted.key, style=style, particles=particles)
    model = load_proposer(path)
    for number in range(wanted.count):
        rng = np.random.default_rng([wanted.seed, number])
        score = legal_draft(model, how, rng=rng, seed=wanted.seed).score
        yield replace(score, title=_title(model.name, number))


def _bars(path: Path, wanted: Sampling) -> Iterator[Score]:
    from musegen.models.roll_gan import load_gan
    from musegen.segments import bar_score

    model = load_gan(path)
    drawn = model.sample(wanted.count, np.random.default_rng(wanted.seed))
    for number, bar in enumerate(drawn):
        title = _title("bar", number)
        if not bar.any():
            raise ScoreError(title, "silence; another --seed may sound")
        yield bar_score(title, bar, Key.parse(wanted.key), grid=EIGHTH)


def _melodies(path: Path, wanted: Sampling) -> Iterator[Score]:
    from musegen.models.melody_vae import load_vae
    from musegen.segments import segment_score

    model = load_vae(path)
    for number, segment in enumerate(_segments(model, wanted)):
        yield segment_score(_title("melody", number), segment, Key.parse(wanted.key), grid=EIGHTH)


def _segments(model: MelodyVAE, wanted: Sampling) -> IntArray:
    """Segments (count, T): drawn, on a line, or along an attribute."""
    along, steps = wanted.along, model.settings.steps
    if along is None:
        rng = np.random.default_rng(wanted.seed)
        return model.sample(wanted.count, rng, temperature=wanted.temperature)
    first = _beginning(along.first, steps)
    if isinstance(along, Line):
        return model.interpolate(first, _beginning(along.last, steps), count=wanted.count)
    code, _ = model.encode(first[None])
    shares = np.linspace(0, along.most, wanted.count)[:, None]
    return model.decode(code + shares * model.attribute_vector(along.segments, along.attribute))


def _beginning(score: Score, steps: int) -> IntArray:
    """The first bars of a score's first part as tokens (T,)."""
    from musegen.segments import segment_of

    if score.duration - score.upbeat < steps * EIGHTH:
        problem = f"{score.duration - score.upbeat} quarter notes after the upbeat"
        raise ScoreError(score.title, f"{problem}, a melody needs {steps * EIGHTH}")
    found = segment_of(score.parts[0], score.key, start=score.upbeat, steps=steps, grid=EIGHTH)
    if found is None:
        problem = f"its first {steps * EIGHTH} quarter notes leave the grid"
        raise ScoreError(score.title, f"{problem}, melodies move in eighths")
    return found


def _title(name: str, number: int) -> str:
    return f"{name.capitalize()} {number + 1}"


WRITERS: Mapping[str, Callable[[Path, Sampling], Iterator[Score]]] = {
    "melody-vae": _melodies,
    "roll-gan": _bars,
}
