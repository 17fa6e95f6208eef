"""Audio: MIDI to WAV by symusic's synthesiser and the soundfont that comes with pretty_midi."""

from __future__ import annotations

import importlib.util
import wave
from io import BytesIO
from pathlib import Path

import numpy as np

__all__ = ["RATE", "synthesise"]

RATE = 44_100  # samples a second
PEAK = 0.89  # of full scale, about -1 dB
FADE = 0.05  # seconds at the end
SOUNDFONT = "TimGM6mb.sf2"


def synthesise(midi: bytes) -> bytes:
    """A MIDI file as 16-bit stereo WAV."""
    from symusic import Score, Synthesizer

    synthesiser = Synthesizer(sf_path=str(_soundfont()), sample_rate=RATE)
    sound = np.asarray(synthesiser.render(Score.from_midi(midi), stereo=True), dtype=np.float64)
    loudest = np.abs(sound).max()
    sound = sound * (PEAK / loudest if loudest else 1.0)
    length = min(int(FADE * RATE), sound.shape[1])
    sound[:, sound.shape[1] - length :] *= np.linspace(1.0, 0.0, length)
    samples = np.round(sound.T * 32767).astype("<i2")
    target = BytesIO()
    with wave.open(target, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return target.getvalue()


def _soundfont() -> Path:
    found = importlib.util.find_spec("pretty_midi")
    assert found is not None  # a dependency of musegen
    assert found.origin is not None
    return Path(found.origin).parent / SOUNDFONT
