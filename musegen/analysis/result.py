"""What an analysis says: chords, keys, non-chord tones, cadences, phrases, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from musegen.score import Score
from theory_kb.pitch import Key
from theory_kb.rules.relation import Relation

__all__ = [
    "Analysis",
    "BarRelation",
    "CadenceClause",
    "ChordReading",
    "FormSketch",
    "FoundCadence",
    "FoundChord",
    "FoundTone",
    "KeySpan",
    "Phrase",
    "PhraseForm",
    "WholeReading",
]


@dataclass(frozen=True, slots=True)
class ChordReading:
    """A way to hear a chord."""

    key: Key
    numeral: str  # symbol with figures
    probability: float  # 0 to 1


@dataclass(frozen=True, slots=True)
class FoundChord:
    """A chord of the analysis."""

    onset: Fraction  # quarter notes
    duration: Fraction
    key: Key
    numeral: str  # symbol with figures: V65, viio6/V
    figure: str  # as RomanText writes it: V6/5
    root: str  # spelled pitch class
    quality: str  # id of a chord quality
    function: str  # T, S, D or X
    symbol: str  # lead sheet: Am7/C
    probability: float  # of this numeral in this key, mean over its time
    key_probability: float
    others: tuple[ChordReading, ...]  # further readings, the likeliest first
    reason: str  # what sounds and what does not


@dataclass(frozen=True, slots=True)
class KeySpan:
    """A stretch in one key, and how it was reached."""

    onset: Fraction
    duration: Fraction
    key: Key
    probability: float
    pivot: tuple[str, str] | None  # common chord: numeral in the key before, in this key
    reached: str  # in words: by which chord, or without one


@dataclass(frozen=True, slots=True)
class FoundTone:
    """A non-chord tone."""

    onset: Fraction  # from where it is dissonant
    part: str
    pitch: str
    kind: str  # id, such as nct-passing
    name: str


@dataclass(frozen=True, slots=True)
class CadenceClause:
    """A condition of a cadence and whether it holds."""

    text: str
    holds: bool


@dataclass(frozen=True, slots=True)
class FoundCadence:
    """How a phrase ends."""

    onset: Fraction  # of the arrival
    key: Key
    kind: str | None  # id, None if it makes no cadence
    name: str
    modifiers: tuple[str, ...]  # names, such as Picardy close
    clauses: tuple[CadenceClause, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase and why it is thought to end where it does."""

    onset: Fraction
    end: Fraction
    reason: str


@dataclass(frozen=True, slots=True)
class PhraseForm:
    """What a phrase does with the material of those before it."""

    phrase: Phrase
    bars: tuple[int, int]  # first and last; the upbeat belongs to the bar after it
    letter: str  # of its material: a, b, ...; a', a'' if it is varied, moved or turned
    model: int | None  # place of the phrase that it is made of, None if it is new
    relation: Relation | None


@dataclass(frozen=True, slots=True)
class BarRelation:
    """Bars of the tune that are made of earlier ones."""

    bars: tuple[int, int]  # first and last
    model: tuple[int, int]
    relation: Relation


@dataclass(frozen=True, slots=True)
class FormSketch:
    """The phrases of a piece by their material, and what form they may make."""

    phrases: tuple[PhraseForm, ...]
    bars: tuple[BarRelation, ...]
    forms: tuple[tuple[str, str], ...]  # name of a form or theme type, and why

    @property
    def letters(self) -> str:
        """Letters of the phrases in turn."""
        return " ".join(each.letter for each in self.phrases)


@dataclass(frozen=True, slots=True)
class WholeReading:
    """One of the best readings of the whole piece, as it differs from the best."""

    score: float  # log odds against the best: 0 for the best, below for the others
    changes: tuple[tuple[Fraction, Key, str], ...]  # onset, key, numeral where it differs


@dataclass(frozen=True, slots=True)
class Analysis:
    """The analysis of a score."""

    score: Score  # with chords, cadences and phrase ends written in, in the home key
    written: Key  # key of the score as it came, by its signature
    home: Key
    chords: tuple[FoundChord, ...]
    keys: tuple[KeySpan, ...]
    tones: tuple[FoundTone, ...]
    cadences: tuple[FoundCadence, ...]
    phrases: tuple[Phrase, ...]
    form: FormSketch
    readings: tuple[WholeReading, ...]
    remarks: tuple[str, ...]  # what could not be said, and why

    @property
    def annotated(self) -> Score:
        """The score with its labels, under the key signature that it came with."""
        return replace(self.score, key=self.written)

    @property
    def confidence(self) -> float:
        """Mean probability of the chords, by duration."""
        total = sum(each.duration for each in self.chords)
        return sum(each.probability * float(each.duration / total) for each in self.chords)
