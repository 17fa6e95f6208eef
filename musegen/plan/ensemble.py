"""Who plays: the voices of a piece from high to low, their compass, and how far apart they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise

from musegen.errors import UnknownNameError
from musegen.score import Part, Score
from musegen.slices import sounding
from theory_kb.catalogue import entry
from theory_kb.pitch import Pitch
from theory_kb.query import VoiceRange, voice_range

__all__ = [
    "CHOIR",
    "KEYBOARD",
    "KEYBOARD_TRIO",
    "PIANO",
    "TEXTURES",
    "Ensemble",
    "ensemble",
    "players_of",
]

OCTAVE = 12  # semitones
RIGHT_HAND = ("keyboard-right-hand", "keyboard-right-middle", "keyboard-right-low")


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Voices from high to low; what is proposed keeps to their compass and distances."""

    name: str
    voices: tuple[str, ...]
    ranges: tuple[str, ...]  # of each voice, as the facts name them
    gaps: tuple[tuple[int, int], ...]  # fewest and most semitones between neighbours
    hands: int = 0  # voices of the right hand, 0 if these are no hands
    span: int | None = None  # semitones that the right hand reaches
    style: str = "bach"  # whose rules hold where none are asked for
    own: tuple[VoiceRange, ...] = ()  # how low and high each voice goes, if not as `ranges` say

    @property
    def compass(self) -> tuple[VoiceRange, ...]:
        """How low and high each voice goes."""
        return self.own or tuple(_compass(name) for name in self.ranges)

    @property
    def size(self) -> int:
        """Number of voices."""
        return len(self.voices)

    @property
    def bass(self) -> int:
        """The lowest voice."""
        return len(self.voices) - 1


@cache
def _compass(name: str) -> VoiceRange:
    if not name.startswith("keyboard"):
        return voice_range(name)
    record = entry("range", name)
    low, high = Pitch.parse(record["low"]), Pitch.parse(record["high"])
    return VoiceRange(low, high, low, high)


def _keyboard(voices: tuple[str, ...]) -> Ensemble:
    right = len(voices) - 1
    return Ensemble(
        "keyboard",
        voices,
        (*RIGHT_HAND[:right], "keyboard-left-hand"),
        (*((1, OCTAVE),) * (right - 1), (1, 3 * OCTAVE)),
        hands=right,
        span=OCTAVE,
        style="kbd",
    )


VOICES = ("Soprano", "Alto", "Tenor", "Bass")
CHOIR = Ensemble(
    "chorale",
    VOICES,
    ("soprano", "alto", "tenor", "bass"),
    ((0, OCTAVE), (0, OCTAVE), (0, 2 * OCTAVE)),
)
KEYBOARD = _keyboard(VOICES)
KEYBOARD_TRIO = _keyboard(("Soprano", "Alto", "Bass"))
PIANO = Ensemble(  # a tune in the right hand, three voices of accompaniment in the left
    "homophony",
    ("Melody", "Alto", "Tenor", "Bass"),
    (RIGHT_HAND[0], *("keyboard-left-hand",) * 3),  # the style says how low each goes
    ((1, 3 * OCTAVE), (1, OCTAVE), (1, 16)),
    hands=1,
    span=OCTAVE,
    style="homophony",
)
TEXTURES: Mapping[tuple[str, int], Ensemble] = {
    ("chorale", 4): CHOIR,
    ("keyboard", 4): KEYBOARD,
    ("keyboard", 3): KEYBOARD_TRIO,
}


def players_of(score: Score) -> Ensemble:
    """Who plays a piece that is there: four voices are a choir, others go as far as they do in it.

    A voice may go wherever the choir's nearest voice may, and where it goes already; neighbours may
    stand as far apart as they do somewhere.
    """
    if len(score.parts) == CHOIR.size:
        return CHOIR
    heights = [[note.pitch.semitone for note in part.notes] for part in score.parts]
    nearest = [min(CHOIR.compass, key=partial(_apart, sorted(each))) for each in heights]
    own = tuple(
        _widened(compass, [note.pitch for note in part.notes])
        for compass, part in zip(nearest, score.parts, strict=True)
    )
    last = len(own) - 2
    gaps = tuple(
        (0, max((2 if place == last else 1) * OCTAVE, _widest(upper, lower)))
        for place, (upper, lower) in enumerate(pairwise(score.parts))
    )
    names = tuple(part.name for part in score.parts)
    return Ensemble("voices", names, (), gaps, own=own)


def _apart(heights: Sequence[int], compass: VoiceRange) -> float:
    """How far the middle of some pitches is from the middle of a range."""
    middle = (compass.core_low.semitone + compass.core_high.semitone) / 2
    return abs(heights[len(heights) // 2] - middle)


def _widened(compass: VoiceRange, pitches: Sequence[Pitch]) -> VoiceRange:
    low, high = min(pitches, key=_height), max(pitches, key=_height)
    return VoiceRange(
        min(compass.core_low, low, key=_height),
        max(compass.core_high, high, key=_height),
        min(compass.extended_low, low, key=_height),
        max(compass.extended_high, high, key=_height),
    )


def _height(pitch: Pitch) -> int:
    return pitch.semitone


def _widest(upper: Part, lower: Part) -> int:
    """Semitones between two voices where they sound farthest apart."""
    found = 0
    for note in upper.notes:
        below = sounding(lower.notes, note.onset)
        found = max(found, 0 if below is None else note.pitch.semitone - below.pitch.semitone)
    return found


def ensemble(texture: str, voices: int = 4) -> Ensemble:
    """The ensemble of a texture, by name and number of voices.

    Raises:
        UnknownNameError: there is none; names what there is.
    """
    found = TEXTURES.get((texture, voices))
    if found is None:
        allowed = [f"{name} in {count}" for name, count in TEXTURES]
        raise UnknownNameError("texture", f"{texture} in {voices}", allowed)
    return found
