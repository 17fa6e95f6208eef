"""Melodies of the corpora: the sopranos of chorales, as whole numbers for models of melodies.

Pearce (2005, table 4.1) took 185 sopranos of BWV 253 to 438: 9,227 notes of 21 pitches. The files that
music21 carries of the same numbers are 186; one repeats another chorale note for note and is left
out. Several tunes occur more than once, in his set as in ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from corpora.read import Progress
from corpora.settings import load_settings
from musegen.comparison.tunes import SHARE, interval_runs, share_in_common
from musegen.models.viewpoints import Melody
from musegen.score import Score
from theory_kb.moment import TICKS

__all__ = ["chorale_sopranos", "melody_of", "one_a_tune", "share_of_tune"]

FIRST, LAST = 253, 438  # BWV numbers of the chorales that stand by themselves
FILE_NAME = re.compile(r"bwv(\d+)\.(mxl|xml)")  # three more have a second encoding, in Humdrum form
MINOR = "minor"
RUN = 7  # intervals from beat to beat that are compared as one


def chorale_sopranos(progress: Progress | None = None) -> tuple[Melody, ...]:
    """The sopranos of BWV 253 to 438, in the order of their numbers.

    Args:
        progress: called with files done and files in all, if they must be read.

    Raises:
        StoredFileError: the corpus files are missing or are not those catalogued.
    """
    numbered = []
    for name, score in load_settings(progress):
        found = FILE_NAME.fullmatch(name)
        if found and FIRST <= int(found[1]) <= LAST:
            numbered.append((int(found[1]), melody_of(name.partition(".")[0], score)))
    return tuple(melody for _, melody in sorted(numbered, key=lambda each: each[0]))


def melody_of(name: str, score: Score, part: int = 0) -> Melody:
    """One part of a score; a phrase ends on its notes with a fermata, and on the last."""
    notes = score.parts[part].notes
    ends = np.array([note.fermata for note in notes])
    ends[-1] = True
    beats = [score.bar_and_beat(note.onset)[1] - 1 for note in notes]
    units = [score.metre_at(note.onset).unit for note in notes]
    return Melody(
        name,
        np.array([note.pitch.semitone for note in notes], np.int64),
        np.array([int(note.onset * TICKS) for note in notes], np.int64),
        np.array([int(note.duration * TICKS) for note in notes], np.int64),
        np.array([int(beat * 4 / unit * TICKS) for beat, unit in zip(beats, units, strict=True)]),
        ends,
        score.key.tonic.semitone,
        score.key.mode == MINOR,
    )


# --- tunes ----------------------------------------------------------------------------------


def one_a_tune(melodies: Sequence[Melody]) -> tuple[Melody, ...]:
    """The first melody of each tune: the others share much of its intervals.

    As tunes of rolls are told (`musegen.comparison.tunes`), but by beats, which melodies know: passing
    notes do not hide a tune.
    """
    kept: list[Melody] = []
    for melody in melodies:
        if all(share_of_tune(melody, other) < SHARE for other in kept):
            kept.append(melody)
    return tuple(kept)


def share_of_tune(first: Melody, second: Melody) -> float:
    """Share of the shorter melody's runs of seven intervals from beat to beat that the other has too."""
    return share_in_common(_beat_runs(first), _beat_runs(second))


def _beat_runs(melody: Melody) -> frozenset[tuple[int, ...]]:
    """Runs of intervals between what sounds on successive quarter notes."""
    beats = np.arange(0, melody.onsets[-1] + 1, TICKS)
    on_beats = melody.pitches[np.searchsorted(melody.onsets, beats, side="right").clip(1) - 1]
    return interval_runs(on_beats.tolist(), RUN)
