"""What an emotion asks of a piece: mode, tempo, loudness, register, density, leaps, harmony.

The emotions and the effects of musical features on perceived emotion are facts of the knowledge base
(`emotions.toml`), after reviews of experiments with Western listeners. Effects add up without
interaction (Eerola, Friberg & Bresin 2013), so that each choice moves one way with valence or arousal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from musegen.errors import OptionError
from musegen.plan.form_schema import DYNAMICS
from musegen.tasks.form import Character
from theory_kb.catalogue import Entry, catalogue
from theory_kb.errors import UnknownNameError

__all__ = ["Feeling", "Mood", "emotion_names", "mood_of"]

USUAL_TEMPO = 92.0  # quarter notes a minute where arousal is none
TEMPO_RANGE = 0.75  # octaves of tempo from arousal 0 to 1
USUAL_DENSITY, DENSITY_RANGE = 1.1, 0.6  # notes a quarter note, and octaves of it
LOW, HIGH = 29, 40  # compass of a tune in staff steps, D4 to A5
SHIFT = 2.0  # staff steps by which the register moves at most
WIDER = 2.0  # staff steps by which a compass is wider at most
COLOUR, LEAPS, CHORDS = 0.8, 0.5, 0.6  # shares by which costs and rates change at most
FINE, COARSE = Fraction(1, 4), Fraction(1, 2)  # shortest notes of tunes
CALM = -0.25  # arousal below which a tune has no sixteenths
NOTICED = 0.1  # less of valence or arousal is none
WORDS = ((-0.25, "legato"), (0.45, ""), (1.0, "staccato"))  # by arousal, up to


@dataclass(frozen=True, slots=True)
class Feeling:
    """A place in the plane of emotions, after Russell."""

    valence: float  # -1 to 1
    arousal: float  # -1 to 1
    name: str = ""  # of the emotion, if it has one


@dataclass(frozen=True, slots=True)
class Mood:
    """What an emotion chooses."""

    mode: str  # major or minor
    tempo: float  # quarter notes a minute
    dynamics: str
    words: str  # how it is to be played
    character: Character
    facts: tuple[str, ...]  # the choices with their reasons


# Which effect speaks for a choice: feature, axis, the effect above and the one below none.
EFFECTS = (
    ("mode", "valence", "mode-major", "mode-minor"),
    ("tempo", "arousal", "tempo-fast", "tempo-slow"),
    ("loudness", "arousal", "loud", "soft"),
    ("register", "both", "register-high", "register-low"),
    ("melodic range", "arousal", "range-wide", "range-narrow"),
    ("melodic motion", "arousal", "melodic-leaps", "melodic-steps"),
    ("harmony", "valence", "harmony-simple", "harmony-complex"),
    ("harmonic rhythm", "arousal", "harmonic-rhythm-fast", ""),
    ("density", "arousal", "rhythm-dense", ""),
    ("articulation", "arousal", "staccato", "legato"),
)


def emotion_names() -> tuple[str, ...]:
    """Emotions that the knowledge base knows by name."""
    return tuple(catalogue()["emotion"])


def mood_of(
    emotion: str | None = None, *, valence: float | None = None, arousal: float | None = None
) -> Mood:
    """What an emotion asks of a piece.

    Args:
        emotion: its name or a synonym; or else
        valence: from -1 (unpleasant) to 1; 0 if only arousal is given.
        arousal: from -1 (calm) to 1; 0 if only valence is given.

    Raises:
        UnknownNameError: an emotion that is in no table.
        OptionError: both a name and numbers, neither, or a number out of range.
    """
    if (emotion is None) == (valence is None and arousal is None):
        raise OptionError("emotion", emotion, "a name, or valence and arousal, and not both")
    for name, value in (("valence", valence), ("arousal", arousal)):
        if value is not None and not -1 <= value <= 1:
            raise OptionError(name, value, "from -1 to 1")
    known = None if emotion is None else _entry(emotion)
    feeling = (
        Feeling(valence or 0.0, arousal or 0.0)
        if known is None
        else Feeling(known["valence"], known["arousal"], known.id)
    )
    return _mood(feeling, known)


def _entry(name: str) -> Entry:
    for each in catalogue()["emotion"].values():
        if name == each.id or name in each.get("synonyms", ()):
            return each
    raise UnknownNameError("emotion", name, emotion_names())


def _mood(feeling: Feeling, known: Entry | None) -> Mood:
    valence, arousal = feeling.valence, feeling.arousal
    tempo = USUAL_TEMPO * 2 ** (TEMPO_RANGE * arousal)
    mode = "major" if valence >= 0 else "minor"
    if known is not None:
        low, high = known["tempo"]
        tempo = min(max(tempo, float(low)), float(high))
        modes = [str(each) for each in known["mode"]]
        mode = mode if any(mode in each for each in modes) else modes[0].removeprefix("natural-")
    shift = round(SHIFT * (valence + arousal) / 2)
    character = Character(
        density=USUAL_DENSITY * 2 ** (DENSITY_RANGE * arousal),
        shortest=COARSE if arousal < CALM else FINE,
        low=LOW + shift - round(max(0.0, WIDER * arousal) / 2),
        high=HIGH + shift + round(WIDER * arousal / 2),
        leaps=1 - LEAPS * arousal,
        colour=1 + COLOUR * valence,
        chords=1 + CHORDS * arousal,
    )
    dynamics = DYNAMICS[min(len(DYNAMICS) - 1, max(0, round(2.5 + 2.5 * arousal)))]
    words = next(text for limit, text in WORDS if arousal <= limit)
    chosen = {
        "mode": mode,
        "tempo": f"{tempo:.0f}",
        "loudness": dynamics,
        "register": f"{shift:+d} staff steps",
        "articulation": words or "as written",
    }
    return Mood(mode, round(tempo), dynamics, words, character, tuple(_facts(feeling, chosen)))


def _facts(feeling: Feeling, chosen: Mapping[str, str]) -> Iterator[str]:
    """The choices, each with the effect that speaks for it."""
    name = f"{feeling.name}: " if feeling.name else ""
    yield f"{name}valence {feeling.valence:+.1f}, arousal {feeling.arousal:+.1f}"
    both = (feeling.valence + feeling.arousal) / 2
    levels = {"valence": feeling.valence, "arousal": feeling.arousal, "both": both}
    for feature, axis, above, below in EFFECTS:
        level = levels[axis]
        effect = above if level > NOTICED else below if level < -NOTICED else ""
        if not effect:
            continue
        fact = catalogue()["effect"][effect]
        value = f" {chosen[feature]}" if feature in chosen else ""
        yield f"{feature}{value} ({fact['level']}: {', '.join(fact.sources)})"
