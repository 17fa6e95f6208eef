from __future__ import annotations

import wave
from fractions import Fraction
from io import BytesIO

import numpy as np
import pytest

from musegen.io.audio import RATE, STEM_RATE, TIMBRES, synthesise, synthesise_stem
from musegen.io.midi import write_midi
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

RELEASE = TIMBRES["organ"].release


def sound(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Samples of a WAV file from -1 to 1, one column a channel."""
    with wave.open(BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        raw = file.readframes(file.getnframes())
    return np.frombuffer(raw, "<i2").reshape(-1, 2) / 32768


def song(*voices: str, tempo: float = 120.0) -> Score:
    """Voices in half notes."""
    parts = tuple(
        Part(
            str(number),
            tuple(
                Note(Fraction(2 * place), Fraction(2), Pitch.parse(text))
                for place, text in enumerate(voice.split())
            ),
        )
        for number, voice in enumerate(voices)
    )
    return Score("x", Key.parse("C"), parts, (Metre(4, 4),), tempo=tempo)


@pytest.mark.parametrize("tempo", [60.0, 120.0])
def test_sound_lasts_as_long_as_the_score(tempo: float) -> None:
    """Two half notes, and the time in which the last one is let go."""
    length = len(sound(synthesise(write_midi(song("A4 A4", tempo=tempo))))) / RATE
    assert length == pytest.approx(4 * 60 / tempo + RELEASE, abs=0.05)


def test_sound_is_loud_without_clipping_and_dies_away() -> None:
    """The loudest sample is about -1 dB, both notes sound on both sides, the end is silence."""
    samples = sound(synthesise(write_midi(song("C4 G4", "E3 D3"))))
    assert np.abs(samples).max() == pytest.approx(0.89, abs=0.001)
    for begin in (0, RATE):
        assert (np.sqrt((samples[begin : begin + RATE] ** 2).mean(axis=0)) > 0.1).all()
    assert np.abs(samples[-5:]).max() < 0.001


@pytest.mark.parametrize("pitch", ["E2", "C3", "A3", "C4", "F#4", "A4", "A5", "C8"])
def test_sound_has_the_pitch_that_is_written(pitch: str) -> None:
    """All that sounds lies at whole multiples of the note's frequency, equal tempered from A 440."""
    samples = sound(synthesise(write_midi(song(pitch, tempo=60.0))))
    part = samples[RATE // 2 : RATE // 2 + RATE].mean(axis=1)  # a second: one bin a hertz
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    frequency = 440 * 2 ** ((Pitch.parse(pitch).semitone - 69) / 12)
    hertz = np.arange(len(power))
    nearest = np.maximum(np.round(hertz / frequency), 1) * frequency
    assert power[np.abs(hertz - nearest) < 4].sum() > 0.999 * power.sum()
    assert abs(int(power.argmax()) - frequency) < 2


def test_chord_sounds_all_its_notes() -> None:
    """No voice is drowned: the fundamentals of a chord are of about one loudness."""
    names = ("C5", "G4", "E4", "C3")
    samples = sound(synthesise(write_midi(song(*names, tempo=60.0))))
    part = samples[RATE // 2 : RATE // 2 + RATE].mean(axis=1)
    power = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    found = [
        power[round(440 * 2 ** ((Pitch.parse(name).semitone - 69) / 12))] / power.max()
        for name in names
    ]
    assert min(found) > 0.3


def test_same_midi_same_bytes() -> None:
    """Nothing random is in the sound."""
    midi = write_midi(song("C4 E4"))
    assert synthesise(midi) == synthesise(midi)


def test_piece_without_notes_is_an_empty_sound() -> None:
    """No division by a loudness of zero."""
    assert len(sound(synthesise(write_midi(song(""))))) == 0


# --- what an exercise plays -----------------------------------------------------------------


def heard(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Samples of a mu-law WAV file, decoded by the formula of G.711."""
    assert data[:4] + data[8:16] == b"RIFFWAVEfmt "
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert int.from_bytes(data[20:22], "little") == 7
    start = data.index(b"data") + 8
    length = int.from_bytes(data[start - 4 : start], "little")
    turned = ~np.frombuffer(data[start : start + length], np.uint8)
    segment, place = (turned >> 4) & 7, (turned & 15).astype(np.int64)
    magnitude = (((place << 3) + 132) << segment) - 132
    return np.where(turned & 128, -magnitude, magnitude) / 32768


@pytest.mark.parametrize("timbre", TIMBRES)
def test_a_stem_is_small_and_sounds_as_it_is_written(timbre: str) -> None:
    """A byte a sample, loud without clipping, and its loudest partial the note's own or an octave."""
    samples = heard(synthesise_stem([(69, 0.0, 1.5)], timbre))
    assert len(samples) == pytest.approx((1.5 + TIMBRES[timbre].release) * STEM_RATE, abs=2)
    assert np.abs(samples).max() == pytest.approx(0.89, abs=0.02)
    part = samples[STEM_RATE // 4 : STEM_RATE // 4 + STEM_RATE]
    assert abs(int(np.abs(np.fft.rfft(part * np.hanning(len(part)))).argmax()) - 440) < 2


def test_mu_law_keeps_every_loudness_within_its_step() -> None:
    """Coded and decoded, no sample is off by more than a thirtieth of itself and the smallest step."""
    from musegen.io.audio import _mulaw_wav

    samples = np.arange(-32_635, 32_636, 7)
    back = heard(_mulaw_wav(samples, STEM_RATE)) * 32768
    assert (np.abs(back - samples) <= np.abs(samples) / 30 + 8).all()


def test_silence_is_a_file_too() -> None:
    """A question that plays nothing yet is no error of the sound."""
    assert len(heard(synthesise_stem([]))) > 0
