"""Descriptors of time: durations, onsets, density, metre, syncopation, repetition."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from math import inf, nan

import numpy as np

from musegen.analysis.places import bar_lines
from musegen.analysis.surface import strength_at
from musegen.descriptors.descriptor import Descriptor, FloatArray, Material, entropy, mean, share
from musegen.score import Score

__all__ = ["RHYTHM", "densities"]

DOWNBEAT = 4
BEAT = 2  # strength of the weakest beat
GRID = Fraction(1, 4)  # quarter notes between the places where syncopation is looked for
DOTTED = Fraction(3)  # a note and the next in this proportion are a dotted pair


def _gaps(m: Material) -> FloatArray:
    """(onsets - 1,) quarter notes from onset to onset of the tune."""
    return np.array([float(b.onset - a.onset) for a, b in pairwise(m.tune)])


def _npvi(m: Material) -> float:
    """Normalised pairwise variability of the gaps of the tune, 0 to 200."""
    gaps = _gaps(m)
    if len(gaps) < 2:
        return nan
    return 100 * mean(np.abs(np.diff(gaps)) / ((gaps[1:] + gaps[:-1]) / 2))


def densities(score: Score) -> list[tuple[float, float]]:
    """Start of each bar in quarter notes, and the notes that begin in it, in notes a quarter."""
    lines = [line for _, line in bar_lines(score)]
    counts = Counter(
        bisect_right(lines, note.onset) - 1 for part in score.parts for note in part.notes
    )
    ends = [*lines[1:], score.duration]
    return [
        (float(start), counts[place] / float(end - start))
        for place, (start, end) in enumerate(zip(lines, ends, strict=True))
    ]


def _on_beat(m: Material, least: int) -> float:
    return share([strength_at(m.score, onset) >= least for onset in m.onsets])


def _dotted(m: Material) -> float:
    pairs = [(a.duration, b.duration) for a, b in pairwise(m.tune) if a.end == b.onset]
    return share([long == DOTTED * short for long, short in pairs])


def _bars(m: Material) -> float:
    """Length in bars; parts of bars count as such."""
    stops = [*(metre.onset for metre in m.score.metres[1:]), m.score.duration]
    return float(
        sum(
            (max(stop - metre.onset, Fraction(0)) / metre.bar)
            for metre, stop in zip(m.score.metres, stops, strict=True)
        )
    )


def _syncopation(m: Material) -> float:
    """How much stronger the places are that the tune holds or rests over than its notes, a bar.

    For each note the strongest place before the next one; what it exceeds the note's own strength
    by counts, in strengths of the metre.
    """
    total = 0
    for note, following in pairwise(m.tune):
        own = strength_at(m.score, note.onset)
        over = max(
            (strength_at(m.score, time) for time in _places(note.onset, following.onset)),
            default=0,
        )
        total += max(over - own, 0)
    return total / _bars(m)


def _places(start: Fraction, stop: Fraction) -> list[Fraction]:
    """Places of the grid between two times, both left out; a long hold is looked at in its start."""
    first = (start // GRID + 1) * GRID
    count = min(int((stop - first) / GRID) + 1, 64)
    return [time for each in range(count) if (time := first + each * GRID) < stop]


def _triple(m: Material) -> float:
    """Share of the time in which a bar, or its beats, divide by three."""
    stops = [*(metre.onset for metre in m.score.metres[1:]), m.score.duration]
    spans = [
        (metre.beats % 3 == 0, float(max(stop - metre.onset, Fraction(0))))
        for metre, stop in zip(m.score.metres, stops, strict=True)
    ]
    return share([three for three, _ in spans], np.array([length for _, length in spans]))


def _duration_entropy(m: Material) -> float:
    counts = Counter(note.duration for note in m.notes)
    return entropy(list(map(float, counts.values())))


def _made(m: Material) -> float:
    """Share of the bars that are made of earlier ones."""
    told = sum(each.bars[1] - each.bars[0] + 1 for each in m.analysis.form.bars)
    return min(told / max(_bars(m), 1), 1.0)


def _phrase_length(m: Material) -> float:
    return mean([float(each.end - each.onset) for each in m.analysis.phrases])


RHYTHM: tuple[Descriptor, ...] = (
    Descriptor(
        "length_quarters", "low", "quarter notes", 0, inf, "from the first note to the end",
        "own", lambda m: m.length,
    ),
    Descriptor("length_bars", "low", "bars", 0, inf, "length in bars", "own", _bars),
    Descriptor(
        "note_count", "low", "notes", 1, inf, "notes; a tied chain is one", "JS",
        lambda m: float(len(m.notes)),
    ),
    Descriptor(
        "duration_mean", "low", "quarter notes", 0, inf, "mean duration of a note", "JS",
        lambda m: mean(m.durations),
    ),
    Descriptor(
        "duration_deviation", "low", "quarter notes", 0, inf, "standard deviation of the durations",
        "JS", lambda m: float(m.durations.std()),
    ),
    Descriptor(
        "duration_entropy", "low", "bits", 0, inf, "entropy of the durations", "SH",
        _duration_entropy,
    ),
    Descriptor(
        "onset_gap_mean", "low", "quarter notes", 0, inf, "from onset to onset of the tune",
        "JS", lambda m: mean(_gaps(m)),
    ),
    Descriptor(
        "onset_variability", "low", "nPVI", 0, 200,
        "how much neighbouring gaps between onsets of the tune differ", "PD", _npvi,
    ),
    Descriptor(
        "onset_on_beat", "low", "share of the onsets", 0, 1, "onsets on a beat", "JS",
        lambda m: _on_beat(m, BEAT),
    ),
    Descriptor(
        "onset_on_downbeat", "low", "share of the onsets", 0, 1, "onsets on a downbeat", "JS",
        lambda m: _on_beat(m, DOWNBEAT),
    ),
    Descriptor(
        "dotted_share", "low", "share of the pairs", 0, 1,
        "neighbours in the tune of which the first is three times as long", "GL", _dotted,
    ),
    Descriptor(
        "triple_share", "low", "share of the time", 0, 1, "bars of three or compound beats", "GL",
        _triple,
    ),
    Descriptor(
        "density_quarter", "low", "notes a quarter", 0, inf, "notes of all parts a quarter",
        "JS", lambda m: len(m.notes) / m.length,
    ),
    Descriptor(
        "density_onsets", "low", "onsets a quarter", 0, inf, "onsets of any part a quarter",
        "JS", lambda m: len(m.onsets) / m.length,
    ),
    Descriptor(
        "density_second", "low", "onsets a second", 0, inf,
        "the same in time; unknown without a tempo", "JS",
        lambda m: len(m.onsets) / m.length * m.tempo / 60,
    ),
    Descriptor(
        "tempo", "low", "quarter notes a minute", 5, 1000, "tempo at the start; unknown if unsaid",
        "own", lambda m: m.tempo,
    ),
    Descriptor(
        "phrase_length", "high", "quarter notes", 0, inf, "mean length of a phrase", "CA",
        _phrase_length,
    ),
    Descriptor(
        "syncopation", "high", "metrical strengths a bar", 0, inf,
        "strength of the places that notes of the tune are held over, beyond their own",
        "LH", _syncopation,
    ),
    Descriptor(
        "repeated_share", "high", "share of the bars", 0, 1,
        "bars of the tune that repeat, move or vary earlier ones", "CA 3", _made,
    ),
)  # fmt: skip
