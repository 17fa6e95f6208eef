"""Melodies and bars on a grid: scores to tokens of models with a latent space, and back.

A segment is one voice over a few steps of equal length: the token of a note where it begins (see
`musegen.encoding`), HOLD while it goes on, the rest token in silence. A bar is four voices at once: which
keys sound at each step, in semitones from the tonic.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby

import numpy as np

from musegen.encoding import semitones, tokens
from musegen.io.spelling import KeyStroke, spell_voices
from musegen.models.protocol import REST_TOKEN, IntArray
from musegen.models.segment_tokens import BAR_KEYS, HOLD, LOWEST_KEY, BoolArray
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

__all__ = ["bar_matrix", "bar_score", "segment_of", "segment_score"]


def segment_of(
    part: Part, key: Key, *, start: Fraction, steps: int, grid: Fraction
) -> IntArray | None:
    """Tokens (T,) of a voice from a time on; None if a note begins or ends off the grid.

    Args:
        part: the voice.
        key: whose tonic tokens count from.
        start: quarter notes.
        steps: T.
        grid: length of a step, quarter notes.

    Raises:
        ScoreError: a note is further than 30 semitones from the tonic.
    """
    end = start + steps * grid
    inside = [note for note in part.notes if note.onset < end and note.end > start]
    found = np.full(steps, REST_TOKEN, np.int64)
    for note in inside:
        first, last = max(note.onset, start) - start, min(note.end, end) - start
        if (first / grid).denominator > 1 or (last / grid).denominator > 1:
            return None
        found[int(first / grid) : int(last / grid)] = HOLD
        found[int(first / grid)] = tokens(np.array([note.pitch.semitone]), key)[0]
    return found


def bar_matrix(
    score: Score, key: Key, *, start: Fraction, steps: int, grid: Fraction
) -> BoolArray | None:
    """Which keys sound at each step, (T, K); None where one lies outside, or nothing sounds."""
    found = np.zeros((steps, BAR_KEYS), np.bool_)
    for step in range(steps):
        time = start + step * grid
        for part in score.parts:
            for note in part.notes:
                if note.onset <= time < note.end:
                    place = int(tokens(np.array([note.pitch.semitone]), key)[0]) - LOWEST_KEY
                    if not 0 <= place < BAR_KEYS:
                        return None
                    found[step, place] = True
    return found if found.any() else None


# --- back -----------------------------------------------------------------------------------


def _strokes(sounding: list[tuple[int, int, int]], key: Key, grid: Fraction) -> list[KeyStroke]:
    """Key strokes of (first step, steps, token)."""
    return [
        KeyStroke(first * grid, count * grid, int(semitones(np.array([token]), key)[0]))
        for first, count, token in sounding
    ]


def _part(name: str, strokes: list[KeyStroke], key: Key) -> Part:
    pitches: tuple[Pitch, ...] = spell_voices([strokes], key)[0] if strokes else ()
    return Part(
        name,
        tuple(
            Note(stroke.onset, stroke.duration, pitch)
            for stroke, pitch in zip(strokes, pitches, strict=True)
        ),
    )


def segment_score(
    title: str, segment: IntArray, key: Key, *, grid: Fraction, metre: Metre | None = None
) -> Score:
    """A segment as a score of one part, spelled by its key."""
    sounding: list[tuple[int, int, int]] = []
    for step, token in enumerate(segment.tolist()):
        if token == HOLD and sounding and sum(sounding[-1][:2]) == step:
            first, count, held = sounding[-1]
            sounding[-1] = (first, count + 1, held)
        elif token not in (HOLD, REST_TOKEN):
            sounding.append((step, 1, token))
    part = _part("Melody", _strokes(sounding, key, grid), key)
    return Score(title, key, (part,), (metre or Metre(4, 4),))


def bar_score(
    title: str, matrix: BoolArray, key: Key, *, grid: Fraction, metre: Metre | None = None
) -> Score:
    """A bar (T, K) as a score: the highest key of each step in the first part, and so on down.

    A key that goes on in the same part is one note.
    """
    rows = [np.flatnonzero(row)[::-1].tolist() for row in matrix]
    voices = max((len(row) for row in rows), default=0)
    parts = []
    for voice in range(voices):
        line = [row[voice] if voice < len(row) else None for row in rows]
        sounding, step = [], 0
        for place, steps in groupby(line):
            count = len(list(steps))
            if place is not None:
                sounding.append((step, count, place + LOWEST_KEY))
            step += count
        parts.append(_part(f"Voice {voice + 1}", _strokes(sounding, key, grid), key))
    return Score(title, key, tuple(parts), (metre or Metre(4, 4),))
