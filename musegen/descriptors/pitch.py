"""Descriptors of pitch: pitches, pitch classes, intervals, register, shape of the tune."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf, nan

import numpy as np

from musegen.descriptors.descriptor import Descriptor, FloatArray, Material, entropy, mean, share
from musegen.score import Note

__all__ = ["PITCH"]

OCTAVE = 12
STEP = 1  # staff steps of the widest step
CLASSES = ("unison", "second", "third", "fourth", "fifth", "sixth", "seventh", "octave", "wider")
DIATONIC = {
    "major": (-1, 5),
    "minor": (-4, 5),
}  # places above the tonic, raised degrees of minor in


def _by_class(m: Material) -> FloatArray:
    """(12,) sounding time of each pitch class, by semitones above the tonic."""
    places = (m.semitones - m.home.tonic.semitone) % OCTAVE
    weights = np.bincount(places.astype(int), weights=m.durations, minlength=OCTAVE)
    return weights.astype(float)


def _class_shares(m: Material) -> Sequence[float]:
    weights = _by_class(m)
    shares: Sequence[float] = (weights / weights.sum()).tolist()
    return shares


def _moves(m: Material) -> list[tuple[Note, Note]]:
    """Notes of the tune and what follows them at once."""
    return [(a, b) for a, b in pairwise(m.tune) if a.end == b.onset]


def _steps(m: Material) -> list[int]:
    return [b.pitch.step - a.pitch.step for a, b in _moves(m)]


def _interval_mean(m: Material) -> float:
    return mean([abs(b.pitch.semitone - a.pitch.semitone) for a, b in _moves(m)])


def _interval_shares(m: Material) -> Sequence[float]:
    sizes = np.minimum(np.abs(_steps(m)), len(CLASSES) - 1).astype(int)
    if not len(sizes):
        return [nan] * len(CLASSES)
    counts = np.bincount(sizes, minlength=len(CLASSES))
    shares: Sequence[float] = (counts / counts.sum()).tolist()
    return shares


def _foreign(m: Material) -> float:
    """Share of the time of notes that are not of the scale of the local key."""
    spans = [(each.onset, each.key) for each in m.analysis.keys]
    starts = np.array([float(onset) for onset, _ in spans])
    found = []
    for note in m.notes:
        key = spans[max(int(np.searchsorted(starts, float(note.onset), side="right")) - 1, 0)][1]
        low, high = DIATONIC[key.mode]
        found.append(not low <= note.pitch.pitch_class.fifths - key.tonic.fifths <= high)
    return share(found, m.durations)


def _spacing(m: Material) -> float:
    """Semitones from the lowest to the highest note, over the time in which two parts sound."""
    apart = np.where(m.sounds, m.heights, -(10**6)).max(axis=0) - np.where(
        m.sounds, m.heights, 10**6
    ).min(axis=0)
    several = m.sounds.sum(axis=0) > 1
    return mean(apart[several], m.lengths[several])


def _bass(m: Material) -> float:
    heard = m.sounds.any(axis=0)
    heights = m.heights[m.lowest, np.arange(m.heights.shape[1])]
    return mean(heights[heard], m.lengths[heard])


# --- the shape of the tune ------------------------------------------------------------------


def _arch(m: Material) -> float:
    """Correlation of the tune with an arch, mean over the phrases by their notes."""
    found = []
    for phrase in m.analysis.phrases:
        notes = [each for each in m.tune if phrase.onset <= each.onset < phrase.end]
        if len(notes) < 4:
            continue
        times = np.array([float(note.onset - notes[0].onset) for note in notes])
        arch = -((times / times[-1] - 0.5) ** 2)
        heights = np.array([note.pitch.semitone for note in notes], float)
        if heights.std() and arch.std():
            found.append((float(np.corrcoef(arch, heights)[0, 1]), len(notes)))
    return mean([value for value, _ in found], np.array([count for _, count in found], float))


def _slope(m: Material) -> float:
    """Semitones that the tune rises in a phrase, mean over the phrases."""
    found = []
    for phrase in m.analysis.phrases:
        notes = [each for each in m.tune if phrase.onset <= each.onset < phrase.end]
        if len(notes) > 2:
            times = np.array([float(note.onset - notes[0].onset) for note in notes])
            heights = [note.pitch.semitone for note in notes]
            found.append(float(np.polyfit(times, heights, 1)[0] * times[-1]))
    return mean(found)


def _tune_heights(m: Material) -> FloatArray:
    return np.array([note.pitch.semitone for note in m.tune], float)


PITCH: tuple[Descriptor, ...] = (
    Descriptor(
        "pitch_mean", "low", "MIDI number", 0, 127, "mean pitch of all notes, by duration",
        "JS", lambda m: mean(m.semitones, m.durations),
    ),
    Descriptor(
        "pitch_deviation", "low", "semitones", 0, 127, "standard deviation of the pitch of notes",
        "JS", lambda m: float(m.semitones.std()),
    ),
    Descriptor(
        "pitch_lowest", "low", "MIDI number", 0, 127, "lowest note", "JS",
        lambda m: float(m.semitones.min()),
    ),
    Descriptor(
        "pitch_highest", "low", "MIDI number", 0, 127, "highest note", "JS",
        lambda m: float(m.semitones.max()),
    ),
    Descriptor(
        "pitch_class_share", "low", "share of the sounding time", 0, 1,
        "pitch classes by semitones above the tonic", "KK", _class_shares,
        tuple(map(str, range(OCTAVE))),
    ),
    Descriptor(
        "pitch_class_entropy", "low", "bits", 0, 3.5850, "entropy of the pitch classes",
        "SH", lambda m: entropy(_by_class(m)),
    ),
    Descriptor(
        "chromatic_share", "low", "share of the sounding time", 0, 1,
        "notes outside the scale of the local key; 6 and 7 of minor may be raised", "GL", _foreign,
    ),
    Descriptor(
        "interval_mean", "low", "semitones", 0, 127, "mean size of the intervals of the tune",
        "JS", _interval_mean,
    ),
    Descriptor(
        "interval_share", "low", "share of the intervals", 0, 1,
        "intervals of the tune by staff steps, either way; rests part them", "JS",
        _interval_shares, CLASSES,
    ),
    Descriptor(
        "interval_rising", "low", "share of the moves", 0, 1, "moves of the tune that go up",
        "JS", lambda m: share([step > 0 for step in _steps(m) if step]),
    ),
    Descriptor(
        "step_share", "low", "share of the moves", 0, 1, "moves of the tune by step",
        "JS", lambda m: share([abs(step) == STEP for step in _steps(m) if step]),
    ),
    Descriptor(
        "leap_share", "low", "share of the moves", 0, 1, "moves of the tune by a fourth or more",
        "JS", lambda m: share([abs(step) > 2 for step in _steps(m) if step]),
    ),
    Descriptor(
        "tune_pitch_mean", "low", "MIDI number", 0, 127, "mean pitch of the highest part",
        "JS", lambda m: mean(_tune_heights(m)),
    ),
    Descriptor(
        "tune_range", "low", "semitones", 0, 127, "compass of the highest part", "JS",
        lambda m: float(np.ptp(_tune_heights(m))),
    ),
    Descriptor(
        "bass_pitch_mean", "low", "MIDI number", 0, 127, "mean pitch of the lowest note, by time",
        "JS", _bass,
    ),
    Descriptor(
        "spacing_mean", "low", "semitones", 0, 127,
        "from the lowest to the highest note, while two or more sound", "JS", _spacing,
    ),
    Descriptor(
        "melody_arch", "high", "correlation", -1, 1,
        "tune against a parabola that rises and falls, mean over the phrases", "HM", _arch,
    ),
    Descriptor(
        "contour_slope", "high", "semitones a phrase", -inf, inf,
        "rise of the straight line through the tune of a phrase, mean over the phrases", "SC",
        _slope,
    ),
)  # fmt: skip
