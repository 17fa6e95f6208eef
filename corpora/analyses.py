"""Analyses by people that music21 carries, each with the score that it analyses.

Bach: the first twenty chorales of Riemenschneider's collection (Jones, Tymoczko, Robb). Monteverdi:
forty-eight madrigals of books 3 to 5 (Tymoczko, Wild and others). Both are RomanText.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from corpora.read import Progress, read_voices
from musegen.analysis.figures import chord_of_figure
from musegen.analysis.label import phrase_ends
from musegen.io.reading import read_piece
from musegen.score import Score
from theory_kb.pitch import Key, PitchClass

__all__ = [
    "AnalysedPiece",
    "HumanLabel",
    "agreement",
    "analysed_pieces",
    "chorale_names",
    "read_analysis",
]

FOLDERS = {"bach": "bach/choraleAnalyses", "monteverdi": "monteverdi"}
SCORES = {
    "riemenschneider009": "bwv248.12-2.mxl",  # the BWV number names a cantata of several chorales
    "riemenschneider015": "bwv277.krn",  # the MusicXML of this one writes the repeat out
}
SHIFTED = {
    "riemenschneider014": 1,
    "riemenschneider017": 2,
}  # fifths from the analysis up to the score
INTERLUDES = {
    "riemenschneider011": ((16, 4), (32, 8))
}  # from a quarter on, so many more in the score
LEAST_AGREEMENT = 0.8  # of a score and an analysis that belong together
FINEST = 96


@dataclass(frozen=True, slots=True)
class HumanLabel:
    """What a person wrote over a span."""

    onset: Fraction  # quarter notes
    duration: Fraction
    key: Key
    figure: str  # as written
    chord: int | None  # place in `every_chord()`, None if it is none that is known


@dataclass(frozen=True, slots=True)
class AnalysedPiece:
    """A score and what a person said of its harmony."""

    name: str
    collection: str
    score: Score
    labels: tuple[HumanLabel, ...]


def analysed_pieces(
    collections: Sequence[str] = ("bach", "monteverdi"), *, progress: Progress | None = None
) -> tuple[AnalysedPiece, ...]:
    """The analyses with their scores, in order of name.

    Those whose chords fit the score for less than four fifths of the time are left out: there the
    score is another version, or its bars are counted in another way.
    """
    from music21 import corpus

    root = Path(corpus.__file__).parent
    paths = [
        (each, path)
        for each in collections
        for path in sorted((root / FOLDERS[each]).glob("*.rntxt"))
    ]
    found = []
    for done, (collection, path) in enumerate(paths):
        if progress is not None:
            progress(done, len(paths))
        found.append(read_analysis(root, collection, path))
    return tuple(each for each in found if agreement(each) >= LEAST_AGREEMENT)


def read_analysis(root: Path, collection: str, path: Path) -> AnalysedPiece:
    """Read one analysis and its score.

    Args:
        root: folder of music21's corpus.
        collection: bach or monteverdi.
        path: the RomanText.

    Raises:
        ScoreError: the score cannot be read.
    """
    if collection == "bach":
        score = read_voices(root / "bach" / _chorale(path))
        score = replace(score, phrase_ends=phrase_ends(score))
    else:
        score = read_piece(path.with_suffix(".mxl"))
    return AnalysedPiece(path.stem, collection, score, _labels(path, SHIFTED.get(path.stem, 0)))


def _chorale(path: Path) -> str:
    """File name of the chorale that an analysis is of."""
    named = re.search(r"BWV:?\s*([\d.]+)", path.read_text(encoding="utf-8"))
    return SCORES.get(path.stem) or f"bwv{named[1] if named else ''}.mxl"


def chorale_names() -> tuple[str, ...]:
    """Names of the corpus pieces that the chorale analyses are of, in whatever encoding."""
    from music21 import corpus

    root = Path(corpus.__file__).parent
    names = [Path(_chorale(path)).stem for path in sorted((root / FOLDERS["bach"]).glob("*.rntxt"))]
    return (*names, *(f"{name}.krn" for name in names))


def _labels(path: Path, shift: int) -> tuple[HumanLabel, ...]:
    from music21 import converter, roman

    stream: Any = converter.parse(path, format="romantext", forceSource=True, storePickle=False)
    found = []
    for each in stream.recurse().getElementsByClass(roman.RomanNumeral):
        tonic = PitchClass.parse(each.key.tonic.name.replace("-", "b"))
        key = Key(tonic.transposed(shift), each.key.mode)
        chord = chord_of_figure(key.mode, each.figure)
        found.append(
            HumanLabel(
                _moved(path.stem, _fraction(each.getOffsetInHierarchy(stream))),
                _fraction(each.quarterLength),
                key,
                each.figure,
                None if chord is None else chord.index,
            )
        )
    return tuple(found)


def _moved(name: str, onset: Fraction) -> Fraction:
    return onset + max(
        (more for start, more in INTERLUDES.get(name, ()) if onset >= start), default=0
    )


def _fraction(value: Any) -> Fraction:
    return Fraction(value).limit_denominator(FINEST)


def agreement(piece: AnalysedPiece) -> float:
    """Share of the sounding time that is on tones of the chords written: whether both fit."""
    from theory_kb.chords import every_chord

    fitting = total = Fraction(0)
    for label in piece.labels:
        if label.chord is None:
            continue
        tones = {label.key.tonic.fifths + member for member in every_chord()[label.chord].members}
        for part in piece.score.parts:
            for note in part.notes:
                shared = min(note.end, label.onset + label.duration) - max(note.onset, label.onset)
                if shared > 0:
                    total += shared
                    fitting += shared * (note.pitch.pitch_class.fifths in tones)
    return float(fitting / total) if total else 0.0
