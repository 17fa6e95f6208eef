"""Audio by our own additive synthesis: every note in tune, the same on every machine.

A note is a sum of harmonics read from a table, with a soft attack and a release. Samplers were
tried: symusic 0.5.9 with the soundfont of pretty_midi sounds layers at wrong pitches (of its choir
the loudest partial of A4 lies at 618 Hz). The sound is plain, but it is that of the score.

A piece is 16-bit stereo; what an exercise plays is one channel of 8-bit mu-law (ITU-T G.711), which
every browser decodes and which is an eleventh of that size.
"""

from __future__ import annotations

import struct
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RATE", "STEM_RATE", "TIMBRES", "Timbre", "synthesise", "synthesise_stem"]

RATE, STEM_RATE = 44_100, 16_000  # samples a second of a piece, and of what an exercise plays
PEAK = 0.89  # of full scale, about -1 dB
HIGHEST = 0.45  # of the sampling rate: harmonics above it are left out
TABLE = 4096  # samples of one period
BASS = 0.25  # exponent by which low notes are louder, as the ear asks for
SPREAD = 0.3  # tracks stand from left to right by so much of the stereo field
DIGITS = 9  # to which tables are rounded, so that every machine's are equal


@dataclass(frozen=True, slots=True)
class Timbre:
    """How a note sounds."""

    partials: tuple[float, ...]  # amplitudes of harmonics
    attack: float  # seconds
    release: float  # seconds
    decay: float  # seconds in which a note falls to `held`
    held: float  # share of its amplitude


TIMBRES: Mapping[str, Timbre] = {
    "organ": Timbre((1.0, 0.5, 0.32, 0.15, 0.1, 0.06, 0.03, 0.02), 0.04, 0.25, 2.0, 0.7),
    "piano": Timbre((1.0, 0.55, 0.3, 0.22, 0.12, 0.08, 0.05, 0.03), 0.008, 0.2, 2.5, 0.12),
    "flute": Timbre((1.0, 0.22, 0.07, 0.03), 0.06, 0.12, 3.0, 0.85),
    "strings": Timbre((1.0, 0.7, 0.5, 0.36, 0.26, 0.18, 0.12, 0.08), 0.09, 0.2, 3.0, 0.9),
}
ORGAN = TIMBRES["organ"]
Samples = NDArray[np.float64]


def synthesise(midi: bytes) -> bytes:
    """A MIDI file as 16-bit stereo WAV; it ends with the release of the last note.

    Args:
        midi: what `musegen.io.midi.write_midi` gives.
    """
    import pretty_midi

    tracks: list[Any] = pretty_midi.PrettyMIDI(BytesIO(midi)).instruments
    ends = [note.end for track in tracks for note in track.notes]
    length = round((max(ends) + ORGAN.release) * RATE) + 1 if ends else 0
    sound = np.zeros((length, 2))
    for place, track in enumerate(tracks):
        side = SPREAD * (2 * (place + 0.5) / len(tracks) - 1)
        gains = np.array([1 - side, 1 + side])
        for note in track.notes:
            begin = round(note.start * RATE)
            tone = _tone(note.pitch, note.end - note.start, ORGAN, RATE) * note.velocity
            sound[begin : begin + len(tone)] += tone[: length - begin, None] * gains
    return _wav(sound)


def synthesise_stem(
    notes: Sequence[tuple[int, float, float]], timbre: str = "piano", *, rate: int = STEM_RATE
) -> bytes:
    """Notes as a WAV file of one channel, 8-bit mu-law.

    Args:
        notes: MIDI key, onset and duration in seconds of each.
        timbre: a key of `TIMBRES`.
        rate: samples a second.
    """
    sounds = TIMBRES[timbre]
    last = max((onset + seconds for _, onset, seconds in notes), default=0.0)
    sound = np.zeros(round((last + sounds.release) * rate) + 1)
    for key, onset, seconds in notes:
        begin = round(onset * rate)
        tone = _tone(key, seconds, sounds, rate)
        sound[begin : begin + len(tone)] += tone[: len(sound) - begin]
    return _mulaw_wav(_full_scale(sound), rate)


def _tone(key: int, seconds: float, timbre: Timbre, rate: int) -> Samples:
    """One note with its release."""
    frequency = round(440.0 * 2.0 ** ((key - 69) / 12), DIGITS)
    time = np.arange(round((seconds + timbre.release) * rate)) / rate
    count = max(1, min(len(timbre.partials), int(HIGHEST * rate / frequency)))
    period = _period(timbre.partials[:count])
    place = time * frequency % 1.0 * TABLE
    index = place.astype(np.int64)
    wave_form = period[index] + (period[index + 1] - period[index]) * (place - index)
    decay = 1 - (1 - timbre.held) * np.minimum(time / timbre.decay, 1.0)
    ending = _smooth((seconds + timbre.release - time) / timbre.release)
    envelope = _smooth(time / timbre.attack) * decay * ending
    tone: Samples = wave_form * envelope * round((440.0 / frequency) ** BASS, DIGITS)
    return tone


@cache
def _period(partials: tuple[float, ...]) -> Samples:
    """One period of a sum of harmonics, its first sample again at the end."""
    phase = np.arange(TABLE + 1) / TABLE
    waves = (
        amplitude * np.sin(2 * np.pi * number * phase)
        for number, amplitude in enumerate(partials, 1)
    )
    return np.round(sum(waves, start=np.zeros(TABLE + 1)), DIGITS)


def _smooth(ratio: Samples) -> Samples:
    """From 0 at 0 to 1 at 1 without a corner, and level outside."""
    inside = np.clip(ratio, 0.0, 1.0)
    smooth: Samples = inside * inside * (3 - 2 * inside)
    return smooth


def _full_scale(sound: Samples) -> NDArray[np.int64]:
    """Samples of any loudness as whole numbers of 16 bits."""
    loudest = np.abs(sound).max(initial=0.0)
    scaled = sound * (PEAK / loudest if loudest else 1.0)
    return np.round(scaled * 32767).astype(np.int64)


def _wav(sound: Samples) -> bytes:
    """A WAV file of samples of any loudness, one column a channel."""
    target = BytesIO()
    with wave.open(target, "wb") as out:
        out.setnchannels(sound.shape[1])
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(_full_scale(sound).astype("<i2").tobytes())
    return target.getvalue()


# --- mu-law (ITU-T G.711) -------------------------------------------------------------------

MULAW = 7  # number of the format in a WAV file
BIAS, CLIP = 132, 32_635  # of the magnitude, in steps of 16 bits
FIRST_SEGMENT = 8  # binary exponent, by frexp, of a biased magnitude in the lowest segment


def _mulaw(samples: NDArray[np.int64]) -> bytes:
    """Samples of 16 bits as bytes: sign, segment and place in it, all bits turned over."""
    magnitude = np.minimum(np.abs(samples), CLIP) + BIAS
    segment = np.frexp(magnitude.astype(np.float64))[1] - FIRST_SEGMENT
    place = (magnitude >> (segment + 3)) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    code = ~(sign | (segment << 4) | place) & 0xFF
    return bytes(code.astype(np.uint8))


def _mulaw_wav(samples: NDArray[np.int64], rate: int) -> bytes:
    data = _mulaw(samples)
    form = struct.pack("<HHIIHHH", MULAW, 1, rate, rate, 1, 8, 0)
    chunks = (
        _chunk(b"fmt ", form)
        + _chunk(b"fact", struct.pack("<I", len(data)))
        + _chunk(b"data", data)
    )
    return _chunk(b"RIFF", b"WAVE" + chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a RIFF file; an odd one is padded, which its length does not say."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
