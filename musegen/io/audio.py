"""Audio: MIDI to WAV by our own additive synthesis: every note in tune, the same on every machine.

A note is a sum of harmonics read from a table, with a soft attack and a release. Samplers were
tried: symusic 0.5.9 with the soundfont of pretty_midi sounds layers at wrong pitches (of its choir
the loudest partial of A4 lies at 618 Hz). The sound is plain, but it is that of the score.
"""

from __future__ import annotations

import wave
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RATE", "synthesise"]

RATE = 44_100  # samples a second
PEAK = 0.89  # of full scale, about -1 dB
PARTIALS = (1.0, 0.5, 0.32, 0.15, 0.1, 0.06, 0.03, 0.02)  # amplitudes of harmonics: a soft organ
HIGHEST = 0.45  # of the sampling rate: harmonics above it are left out
TABLE = 4096  # samples of one period
ATTACK, RELEASE = 0.04, 0.25  # seconds
DECAY, HELD = 2.0, 0.7  # seconds in which a note falls to this share of its amplitude
BASS = 0.25  # exponent by which low notes are louder, as the ear asks for
SPREAD = 0.3  # tracks stand from left to right by so much of the stereo field
DIGITS = 9  # to which tables are rounded, so that every machine's are equal

Samples = NDArray[np.float64]


def synthesise(midi: bytes) -> bytes:
    """A MIDI file as 16-bit stereo WAV; it ends with the release of the last note.

    Args:
        midi: what `musegen.io.midi.write_midi` gives.
    """
    import pretty_midi

    tracks: list[Any] = pretty_midi.PrettyMIDI(BytesIO(midi)).instruments
    ends = [note.end for track in tracks for note in track.notes]
    length = round((max(ends) + RELEASE) * RATE) + 1 if ends else 0
    sound = np.zeros((length, 2))
    for place, track in enumerate(tracks):
        side = SPREAD * (2 * (place + 0.5) / len(tracks) - 1)
        gains = np.array([1 - side, 1 + side])
        for note in track.notes:
            begin = round(note.start * RATE)
            tone = _tone(note.pitch, note.end - note.start) * note.velocity
            sound[begin : begin + len(tone)] += tone[: length - begin, None] * gains
    return _wav(sound)


def _tone(key: int, seconds: float) -> Samples:
    """One note with its release."""
    frequency = round(440.0 * 2.0 ** ((key - 69) / 12), DIGITS)
    time = np.arange(round((seconds + RELEASE) * RATE)) / RATE
    period = _period(max(1, min(len(PARTIALS), int(HIGHEST * RATE / frequency))))
    place = time * frequency % 1.0 * TABLE
    index = place.astype(np.int64)
    wave_form = period[index] + (period[index + 1] - period[index]) * (place - index)
    decay = 1 - (1 - HELD) * np.minimum(time / DECAY, 1.0)
    envelope = _smooth(time / ATTACK) * decay * _smooth((seconds + RELEASE - time) / RELEASE)
    tone: Samples = wave_form * envelope * round((440.0 / frequency) ** BASS, DIGITS)
    return tone


@cache
def _period(partials: int) -> Samples:
    """One period of the sum of so many harmonics, its first sample again at the end."""
    phase = np.arange(TABLE + 1) / TABLE
    waves = (
        amplitude * np.sin(2 * np.pi * number * phase)
        for number, amplitude in enumerate(PARTIALS[:partials], 1)
    )
    return np.round(sum(waves, start=np.zeros(TABLE + 1)), DIGITS)


def _smooth(ratio: Samples) -> Samples:
    """From 0 at 0 to 1 at 1 without a corner, and level outside."""
    inside = np.clip(ratio, 0.0, 1.0)
    smooth: Samples = inside * inside * (3 - 2 * inside)
    return smooth


def _wav(sound: Samples) -> bytes:
    """A WAV file of samples of any loudness, one column a channel."""
    loudest = np.abs(sound).max(initial=0.0)
    scaled = sound * (PEAK / loudest if loudest else 1.0)
    target = BytesIO()
    with wave.open(target, "wb") as out:
        out.setnchannels(sound.shape[1])
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(np.round(scaled * 32767).astype("<i2").tobytes())
    return target.getvalue()
