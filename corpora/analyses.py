"""Analyses by people that music21 carries, each with the score that it analyses.

Bach: the first twenty chorales of Riemenschneider's collection (Jones, Tymoczko, Robb). Monteverdi:
forty-eight madrigals of books 3 to 5 (Tymoczko, Wild and others). Both are RomanText.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from corpora.read import Progress, read_voices
from musegen.analysis.comparison import HumanLabel, fit
from musegen.analysis.label import phrase_ends
from musegen.io.reading import read_piece
from musegen.io.romantext_reading import parse_romantext, read_romantext
from musegen.score import Score

__all__ = [
    "AnalysedPiece",
    "HumanLabel",
    "agreement",
    "analysed_pieces",
    "chorale_names",
    "read_analysis",
    "second_readings",
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
SLIPS = {"madrigal.4.14": ("b.25", "b2.5")}  # of the pen, in second readings, and what is meant
LEAST_AGREEMENT = 0.8  # of a score and an analysis that belong together


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


VARIANT = re.compile(r"^m(?P<bar>\d+)var\d+(?P<rest>\s.*)$")
BAR = re.compile(r"^m(?P<bar>\d+)\s")


def second_readings(piece: AnalysedPiece) -> tuple[HumanLabel, ...]:
    """What the analysts wrote as another reading of some bars, in order; the other bars are left out.

    Of several variants of a bar the first counts.
    """
    from music21 import corpus

    path = Path(corpus.__file__).parent / FOLDERS[piece.collection] / f"{piece.name}.rntxt"
    lines = path.read_text(encoding="utf-8").replace(*SLIPS.get(piece.name, ("", ""))).splitlines()
    found = [match for line in lines if (match := VARIANT.match(line))]
    variants = {match["bar"]: match["rest"] for match in reversed(found)}
    text = "\n".join(_varied(line, variants) for line in lines if not VARIANT.match(line))
    shift = SHIFTED.get(piece.name, 0)
    labels = [
        replace(each, onset=_moved(piece.name, each.onset))
        for each in parse_romantext(text + "\n", path.name, shift=shift)
    ]
    bars = set(map(int, variants))
    return tuple(each for each in labels if piece.score.bar_and_beat(each.onset)[0] in bars)


def _varied(line: str, variants: Mapping[str, str]) -> str:
    """A line of a bar with its variant in its place, if it has one."""
    match = BAR.match(line)
    rest = variants.get(match["bar"]) if match else None
    return line if rest is None or match is None else f"m{match['bar']}{rest}"


def _labels(path: Path, shift: int) -> tuple[HumanLabel, ...]:
    return tuple(
        replace(each, onset=_moved(path.stem, each.onset))
        for each in read_romantext(path, shift=shift)
    )


def _moved(name: str, onset: Fraction) -> Fraction:
    return onset + max(
        (more for start, more in INTERLUDES.get(name, ()) if onset >= start), default=0
    )


def agreement(piece: AnalysedPiece) -> float:
    """Share of the sounding time that is on tones of the chords written: whether both fit."""
    return fit(piece.score, piece.labels)
