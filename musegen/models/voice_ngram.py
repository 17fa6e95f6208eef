"""n-grams over voices: each moves from its own last note, given what the others do.

The voices of a frame are told one after another, highest, lowest, then inner ones upwards. A symbol is
a voice's move in semitones from the pitch it last sang, or silence; so contexts know no key, and all
transpositions are counted at once. Moves and pitches are one to one: the chain rule over voices and
frames gives the exact probability of a piece. Contexts are mixed as in `ngram`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musegen.models.context_mixing import (
    Chain,
    ContextMixture,
    FloatArray,
    IntArray,
    Mixing,
    Passage,
    count_contexts,
    fit_exponents,
    mixed_hash,
)
from musegen.models.rolls import KEYS
from musegen.models.training import Progress
from musegen.models.voice_rolls import SILENT, VoiceRoll, check_voice_rolls

__all__ = ["VoiceNGram", "VoiceNGramSettings", "train_voice_ngram", "voice_passage"]

REST = 0  # symbol of a silent voice; a move of m semitones is symbol m + KEYS
ALPHABET = 2 * KEYS  # moves from one end of the keyboard to the other, and the rest
LONGEST = 32  # frames for which a note has lasted; longer ones count as so long
BEAT, BAR = 4, 16  # frames
BACK = 3  # notes of a line's own past
START = 60  # where a voice is before it has sung

# Columns: voice; dur, frames that its note has lasted; phase, place in the beat, and bar, in 16; moved,
# which voices told before have moved; first, nows: the first and all of these, from its own last pitch;
# before, the others' last pitches likewise; p1..p3 its last different pitches likewise; at, that pitch.
LONG: tuple[Chain, ...] = (
    ("voice", "dur", "phase", "moved", "p1", "p2", "bar"),
    ("voice", "first", "dur", "phase", "p1", "before"),
    ("voice", "moved", "nows", "phase", "before", "dur"),
    ("voice", "p1", "phase", "dur", "moved", "p2", "p3"),
    ("voice", "nows", "p1", "moved", "phase", "p2", "before"),
)
SHORT: tuple[Chain, ...] = (
    ("voice", "at", "phase", "dur", "p1"),
    ("voice", "moved", "at", "nows", "before"),
)


@dataclass(frozen=True, slots=True)
class VoiceNGramSettings:
    """How the model is made."""

    long_escape: float = 3.0  # Witten-Bell escape factor of the training data
    short_escape: float = 1.0  # the same, of the piece so far
    rounds: int = 30  # of fitting the exponents, at most
    fitted: int = 25  # validation pieces that exponents are fitted on, for memory's sake

    @property
    def mixing(self) -> Mixing:
        """The contexts and their smoothing."""
        return Mixing(ALPHABET, LONG, SHORT, self.long_escape, self.short_escape)


@dataclass(frozen=True, slots=True)
class VoiceNGram:
    """The model of voices."""

    settings: VoiceNGramSettings
    mixture: ContextMixture

    def frame_log_probs(self, rolls: Sequence[VoiceRoll]) -> list[FloatArray]:
        """Natural-log probability of each frame given those before it, (T,) a roll; exact."""
        check_voice_rolls(rolls)
        return [
            self.mixture.log_probs(voice_passage(roll)).reshape(roll.pitches.shape).sum(axis=1)
            for roll in rolls
        ]


def voice_passage(roll: VoiceRoll) -> Passage:
    """A roll as moves with the columns that contexts are made of, frame by frame."""
    pitches = roll.pitches
    frames, voices = pitches.shape
    order = _order(voices)
    at, past, lasted = _lines(pitches)
    before = np.vstack([np.full(voices, SILENT), pitches[:-1]])
    symbols = np.where(pitches == SILENT, REST, pitches - at + KEYS)
    columns: dict[str, list[IntArray]] = {}
    for place, voice in enumerate(order):
        told, own = order[:place], at[:, voice]
        nows = _relative(pitches[:, told], own)
        values = {
            "voice": np.full(frames, voice),
            "dur": lasted[:, voice],
            "phase": np.arange(frames) % BEAT,
            "bar": np.arange(frames) % BAR,
            "moved": (pitches[:, told] != before[:, told]) @ (1 << np.arange(place)),
            "first": nows[:, 0] if place else np.zeros(frames, np.int64),
            "nows": _joined(nows),
            "before": _joined(_relative(before[:, order[place + 1 :]], own)),
            "at": own * (before[:, voice] != SILENT),
        }
        values |= {f"p{back}": past[back - 1][:, voice] - own for back in range(1, BACK + 1)}
        for name, column in values.items():
            columns.setdefault(name, []).append(column)
    flat = {name: np.stack(some, axis=1).ravel() for name, some in columns.items()}
    return Passage(symbols[:, order].ravel(), np.full(symbols.size, ALPHABET), flat)


def _order(voices: int) -> list[int]:
    """The highest voice, the lowest, then the inner ones upwards."""
    return [0, *range(voices - 1, 0, -1)]


def _relative(pitches: IntArray, own: IntArray) -> IntArray:
    """Pitches (T, k) from a voice's own; silence is a number that no interval is."""
    return np.where(pitches == SILENT, ALPHABET, pitches - own[:, None])


def _joined(values: IntArray) -> IntArray:
    """One number for each row."""
    hashes = np.zeros(len(values), np.uint64)
    for column in values.T:
        hashes = mixed_hash(hashes, column)
    return hashes.view(np.int64)


def _lines(pitches: IntArray) -> tuple[IntArray, list[IntArray], IntArray]:
    """Of each voice before each frame, (T, V): its last pitch, those before, how long it lasted."""
    shape = pitches.shape
    at, lasted = np.empty(shape, np.int64), np.empty(shape, np.int64)
    past = [np.empty(shape, np.int64) for _ in range(BACK)]
    for voice, line in enumerate(pitches.T.tolist()):
        notes, length, silent = [START] * (BACK + 1), 0, True
        for frame, pitch in enumerate(line):
            at[frame, voice], lasted[frame, voice] = notes[0], -1 if silent else length
            for back in range(BACK):
                past[back][frame, voice] = notes[back + 1]
            silent = pitch == SILENT
            length = min(length + 1, LONGEST)
            if not silent and pitch != notes[0]:
                notes, length = [pitch, *notes[:BACK]], 1
    return at, past, lasted


def train_voice_ngram(
    train: Sequence[VoiceRoll],
    valid: Sequence[VoiceRoll],
    settings: VoiceNGramSettings,
    *,
    progress: Progress | None = None,
) -> VoiceNGram:
    """Count the training rolls and fit the exponents on validation rolls.

    Nothing is drawn: the same rolls give the same model.

    Raises:
        TrainingError: a split is empty, or a roll is none.
    """
    check_voice_rolls(train)
    check_voice_rolls(valid)
    counted = count_contexts(settings.mixing, [voice_passage(each) for each in train])

    def tell(round_: int, nats: float) -> None:
        if progress is not None:
            progress({"epoch": round_, "epochs": settings.rounds, "nats a note": nats})

    some = [voice_passage(each) for each in valid[: settings.fitted]]
    mixture = fit_exponents(counted, some, progress=tell, rounds=settings.rounds)
    return VoiceNGram(settings, mixture)
