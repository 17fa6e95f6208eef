"""Descriptors of what sounds together: polyphony, dissonance, harmonic rhythm, keys, closes."""

from __future__ import annotations

from math import inf, nan

import numpy as np

from musegen.descriptors.descriptor import MISSING, Descriptor, FloatArray, Material, mean, share
from theory_kb.chords import read_chord
from theory_kb.rules.phrase import AUTHENTIC

__all__ = ["HARMONY"]

CONSONANT = (0, 1, 3, 4)  # fifths between the tones of unison, fifth, sixths and thirds
FOURTH = -1  # fifths from the lowest tone to one a fourth above it, a dissonance
SUSPENSION = "nct-suspension"


def _voices(m: Material) -> FloatArray:
    voices: FloatArray = m.sounds.sum(axis=0).astype(float)
    return voices


def _polyphony(m: Material) -> float:
    """Parts that sound, mean over the time in which any does."""
    voices = _voices(m)
    heard = voices > 0
    return mean(voices[heard], m.lengths[heard])


def _dissonance(m: Material) -> float:
    """Share of dissonant intervals among all pairs of sounding tones, by time."""
    rough = np.zeros(len(m.lengths))
    pairs = np.zeros(len(m.lengths))
    for one in range(len(m.parts)):
        for other in range(one):
            both = m.sounds[one] & m.sounds[other]
            apart = np.abs(m.fifths[one] - m.fifths[other])
            rough += both & ~np.isin(apart, CONSONANT)
            pairs += both
    columns = np.arange(len(m.lengths))
    above = m.fifths - m.fifths[m.lowest, columns]
    rough += ((above == FOURTH) & (m.fifths != MISSING)).sum(axis=0)
    total = float(pairs @ m.lengths)
    return float(rough @ m.lengths) / total if total else nan


def _chord_lengths(m: Material) -> FloatArray:
    return np.array([float(each.duration) for each in m.analysis.chords])


def _of_chords(m: Material, which: list[bool]) -> float:
    return share(which, _chord_lengths(m))


def _sevenths(m: Material) -> float:
    chords = (read_chord(each.key.mode, each.numeral) for each in m.analysis.chords)
    return _of_chords(m, [each.seventh is not None for each in chords])


def _mixture(m: Material) -> float:
    chords = (read_chord(each.key.mode, each.numeral) for each in m.analysis.chords)
    return _of_chords(m, [each.origin == "mixture" for each in chords])


def _chord_rate(m: Material) -> float:
    bar = float(m.score.metre.bar)
    return len(m.analysis.chords) * bar / float(_chord_lengths(m).sum())


def _major(m: Material) -> float:
    spans = np.array([float(each.duration) for each in m.analysis.keys])
    return share([each.key.mode == "major" for each in m.analysis.keys], spans)


def _away(m: Material) -> float:
    spans = np.array([float(each.duration) for each in m.analysis.keys])
    return mean([abs(each.key.signature - m.home.signature) for each in m.analysis.keys], spans)


def _modulations(m: Material) -> float:
    return 100 * (len(m.analysis.keys) - 1) / m.length


def _foreign_notes(m: Material) -> float:
    return len(m.analysis.tones) / len(m.notes)


def _suspensions(m: Material) -> float:
    return sum(each.kind == SUSPENSION for each in m.analysis.tones) / len(m.notes)


def _closes(m: Material) -> float:
    return share([each.kind in AUTHENTIC for each in m.analysis.cadences])


HARMONY: tuple[Descriptor, ...] = (
    Descriptor(
        "part_count", "low", "parts", 1, inf, "parts that have notes", "JS",
        lambda m: float(len(m.parts)),
    ),
    Descriptor(
        "polyphony_mean", "low", "parts", 0, inf, "parts that sound, while any does", "JS",
        _polyphony,
    ),
    Descriptor(
        "polyphony_most", "low", "parts", 1, inf, "most parts that sound at once", "JS",
        lambda m: float(_voices(m).max()),
    ),
    Descriptor(
        "dissonance", "low", "share of the pairs of tones", 0, 1,
        "seconds, sevenths, augmented and diminished intervals as written, fourths above the "
        "lowest tone, by time", "KP 1", _dissonance,
    ),
    Descriptor(
        "non_chord_share", "low", "share of the notes", 0, inf,
        "non-chord tones of the analysis to all notes", "KP 11", _foreign_notes,
    ),
    Descriptor(
        "suspension_share", "low", "share of the notes", 0, inf, "suspensions to all notes",
        "KP 12", _suspensions,
    ),
    Descriptor(
        "harmonic_rhythm", "high", "chords a bar", 0, inf, "chords in a bar of the first metre",
        "CA", _chord_rate,
    ),
    Descriptor(
        "chord_length_deviation", "high", "quarter notes", 0, inf,
        "standard deviation of the lengths of chords", "CA",
        lambda m: float(_chord_lengths(m).std()),
    ),
    Descriptor(
        "seventh_share", "high", "share of the time", 0, 1, "chords of four members", "KP 13",
        _sevenths,
    ),
    Descriptor(
        "mixture_share", "high", "share of the time", 0, 1, "chords borrowed from the other mode",
        "KP 21", _mixture,
    ),
    Descriptor(
        "major_share", "high", "share of the time", 0, 1, "local keys that are major", "EF",
        _major,
    ),
    Descriptor(
        "key_distance", "high", "fifths", 0, inf, "from the local key's signature to the home key's",
        "KP 18", _away,
    ),
    Descriptor(
        "modulations", "high", "changes a hundred quarters", 0, inf, "changes of the local key",
        "KP 18", _modulations,
    ),
    Descriptor(
        "authentic_share", "high", "share of the phrases", 0, 1,
        "phrases that end with an authentic cadence", "CA 2", _closes,
    ),
    Descriptor(
        "chord_certainty", "high", "probability", 0, 1, "mean probability of the chords", "own",
        lambda m: m.analysis.confidence,
    ),
)  # fmt: skip
