"""Whether what is heard follows the emotion that is asked for, step by step, over many seeds.

Pieces of one form are composed at five steps of arousal, with valence at rest, and the other way round. Each
figure is measured on the notes as they are written and played, not on what was asked for: its mean
over the seeds, with the standard error; `moves` says whether the means go the way that the facts of
the knowledge base name, at every step and from end to end.

    python benchmarks/emotion.py --seeds 100
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import fmean, stdev

from musegen.errors import MusegenError
from musegen.score import Score
from musegen.tasks.compose_form import FormRequest, form_work, in_mood

FORM = "period-parallel"
STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def _tempo(score: Score) -> float:
    return score.tempo


def _velocity(score: Score) -> float:
    assert score.expression is not None, "tunes are composed with it"
    return fmean(score.expression.velocities[0])


def _register(score: Score) -> float:
    return fmean(note.pitch.semitone for note in score.parts[0].notes)


def _density(score: Score) -> float:
    return len(score.parts[0].notes) / float(score.duration)


def _rate(score: Score) -> float:
    return _density(score) * score.tempo / 60


def _leaps(score: Score) -> float:
    moves = [abs(b.pitch.step - a.pitch.step) for a, b in pairwise(score.parts[0].notes)]
    return fmean(move > 2 for move in moves)


def _compass(score: Score) -> float:
    semitones = [note.pitch.semitone for note in score.parts[0].notes]
    return max(semitones) - min(semitones)


def _short(score: Score) -> float:
    how = score.expression
    assert how is not None, "tunes are composed with it"
    struck = sum(each.kind == "staccato" for each in how.touches)
    return struck / len(score.parts[0].notes)


def _chords(score: Score) -> float:
    return len(score.chords) / float(score.duration / score.metre.bar)


def _major(score: Score) -> float:
    return float(score.key.mode == "major")


def _foreign(score: Score) -> float:
    """Share of chords with a key of their own or an applied or borrowed function."""
    home = score.key
    return fmean(
        each.key != home or "/" in each.numeral or each.numeral.startswith(("b", "#"))
        for each in score.chords
    )


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured, and which way it goes as the axis rises."""

    unit: str
    of: Callable[[Score], float]
    axis: str
    rises: bool = True


MEASURES: Mapping[str, Measure] = {
    "tempo": Measure("quarter notes a minute", _tempo, "arousal"),
    "loudness": Measure("velocity", _velocity, "arousal"),
    "rate": Measure("notes a second", _rate, "arousal"),
    "density": Measure("notes a quarter note", _density, "arousal"),
    "height": Measure("semitones, C4 = 60", _register, "arousal"),
    "compass": Measure("semitones", _compass, "arousal"),
    "leaps": Measure("share of moves wider than a third", _leaps, "arousal"),
    "short notes": Measure("share struck staccato", _short, "arousal"),
    "harmonic rhythm": Measure("chords a bar", _chords, "arousal"),
    "major": Measure("share of pieces", _major, "valence"),
    "height, by valence": Measure("semitones, C4 = 60", _register, "valence"),
    "foreign chords": Measure("share of chords", _foreign, "valence", rises=False),
}


def composed(axis: str, step: float, seeds: int) -> list[Score]:
    """The pieces of a step; what is refused is left out."""
    mood = in_mood(valence=step) if axis == "valence" else in_mood(arousal=step)
    found = []
    for seed in range(seeds):
        try:
            found.append(form_work(FormRequest(form=FORM, seed=seed, **mood)).score)
        except MusegenError as error:
            print(f"{axis} {step:+.1f}, seed {seed}: {error}")
    return found


def told(measure: Measure, steps: list[list[float]]) -> str:
    """Means with standard errors, and whether they move as they should."""
    means = [fmean(values) * (1 if measure.rises else -1) for values in steps]
    cells = [f"{fmean(each):.3g} ± {stdev(each) / sqrt(len(each)):.2g}" for each in steps]
    every = all(before <= after for before, after in pairwise(means))
    ends = means[0] < means[-1]
    verdict = "every step" if every and ends else "end to end" if ends else "NO"
    return " | ".join([*cells, verdict])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    seeds = parser.parse_args().seeds
    print(f"| measure | unit | {' | '.join(f'{step:+.1f}' for step in STEPS)} | moves |")
    print(f"|---|---|{'---:|' * len(STEPS)}---|")
    for axis in ("arousal", "valence"):
        pieces = [composed(axis, step, seeds) for step in STEPS]
        for name, measure in MEASURES.items():
            if measure.axis == axis:
                steps = [[measure.of(score) for score in each] for each in pieces]
                print(f"| {name} | {measure.unit} | {told(measure, steps)} |", flush=True)


if __name__ == "__main__":
    main()
