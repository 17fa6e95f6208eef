"""Who plays: the voices of a piece from high to low, their compass, and how far apart they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from musegen.errors import UnknownNameError
from theory_kb.catalogue import entry
from theory_kb.pitch import Pitch
from theory_kb.query import VoiceRange, voice_range

__all__ = ["CHOIR", "KEYBOARD", "KEYBOARD_TRIO", "TEXTURES", "Ensemble", "ensemble"]

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

    @property
    def compass(self) -> tuple[VoiceRange, ...]:
        """How low and high each voice goes."""
        return tuple(_compass(name) for name in self.ranges)

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
TEXTURES: Mapping[tuple[str, int], Ensemble] = {
    ("chorale", 4): CHOIR,
    ("keyboard", 4): KEYBOARD,
    ("keyboard", 3): KEYBOARD_TRIO,
}


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
