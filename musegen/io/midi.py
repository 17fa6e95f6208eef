"""MIDI out: a track a voice, named, with tempo, key and time signature."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from typing import Any

from musegen.score import Metre, Score
from theory_kb.pitch import Key

__all__ = ["write_midi"]

PROGRAM = 52  # Choir Aahs, counted from 0
VELOCITY = 80
DIVISION = 480  # ticks a quarter note
RELEASE = 0.03  # seconds taken off each note, so that repeated notes are heard


def write_midi(score: Score) -> bytes:
    """The score as a standard MIDI file; the same score gives the same bytes."""
    import pretty_midi

    midi = pretty_midi.PrettyMIDI(initial_tempo=score.tempo, resolution=DIVISION)
    midi.key_signature_changes.append(
        pretty_midi.KeySignature(_key_number(score.key), 0.0))
    for metre, onset in _metres(score):
        midi.time_signature_changes.append(
            pretty_midi.TimeSignature(metre.beats, metre.unit, _seconds(onset, score)))
    for part in score.parts:
        track: Any = pretty_midi.Instrument(PROGRAM, name=part.name)
        for note in part.notes:
            end = max(_seconds(note.end, score) - RELEASE, _seconds(note.onset, score) + RELEASE)
            track.notes.append(pretty_midi.Note(
                VELOCITY, note.pitch.semitone, _seconds(note.onset, score), end))
        midi.instruments.append(track)
    target = BytesIO()
    midi.write(target)
    return target.getvalue()


def _seconds(time: Fraction, score: Score) -> float:
    return float(time) * 60 / score.tempo


def _metres(score: Score) -> list[tuple[Metre, Fraction]]:
    """Time signatures; an upbeat is a short bar of its own."""
    changes = [(metre, metre.onset) for metre in score.metres]
    if not score.upbeat:
        return changes
    unit = score.metre.unit
    beats = score.upbeat * unit / 4
    if beats.denominator != 1:
        return changes
    return [(Metre(int(beats), unit), Fraction(0)), (score.metre, score.upbeat), *changes[1:]]


def _key_number(key: Key) -> int:
    """pretty_midi's number of a key: pitch class, 12 more for minor."""
    return key.tonic.semitone + (12 if key.mode == "minor" else 0)
