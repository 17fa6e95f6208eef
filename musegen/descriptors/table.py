"""All descriptors, and what they say of a score: the one table that files, pages and tests read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, nan

from musegen.analysis.analyse import analyse
from musegen.analysis.result import Analysis
from musegen.descriptors.descriptor import Descriptor, Material
from musegen.descriptors.emotion import estimate
from musegen.descriptors.harmony import HARMONY
from musegen.descriptors.pitch import PITCH
from musegen.descriptors.rhythm import RHYTHM
from musegen.descriptors.tension import TENSION
from musegen.score import Score

__all__ = ["DESCRIPTORS", "FACTS", "SOURCES", "Description", "columns", "describe", "reference"]

SOURCES: Mapping[str, str] = {
    "CA": "Caplin, Classical Form, 1998",
    "EF": "Eerola, Friberg and Bresin, Emotional expression in music, 2013",
    "GL": "Gabrielsson and Lindström, The role of structure in the musical expression, 2010",
    "HC": "Herremans and Chew, Tension ribbons, 2016",
    "HM": "Huron, The melodic arch in Western folksongs, 1996",
    "JS": "McKay, Cumming and Fujinaga, jSymbolic 2.2, 2018",
    "KK": "Krumhansl, Cognitive Foundations of Musical Pitch, 1990",
    "KP": "Kostka, Payne and Almén, Tonal Harmony",
    "LH": "Longuet-Higgins and Lee, The rhythmic interpretation of monophonic music, 1984",
    "PD": "Patel and Daniele, An empirical comparison of rhythm in language and music, 2003",
    "RS": "Russell, A circumplex model of affect, 1980",
    "SC": "Schubert, Modeling perceived emotion with continuous musical features, 2004",
    "SH": "Shannon, A mathematical theory of communication, 1948",
    "own": "as defined here",
}


@dataclass(frozen=True, slots=True)
class Description:
    """What the descriptors say of a score."""

    values: Mapping[str, float]  # by column; nan where a value does not exist
    facts: tuple[str, ...]  # effects of the knowledge base that valence and arousal rest on

    @property
    def row(self) -> dict[str, float | str]:
        """Values and facts as cells of a table; what does not exist is empty."""
        cells: dict[str, float | str] = {
            name: "" if isnan(value) else round(value, DIGITS) + 0.0
            for name, value in self.values.items()
        }
        return {**cells, FACTS: " ".join(self.facts)}


DIGITS = 6
FACTS = "emotion_facts"  # name of the one column of text


EMOTION = Descriptor(
    "emotion", "high", "after Russell", -1, 1,
    "expression that the notes suggest, from the effects of the knowledge base that are present",
    "RS", None, ("valence", "arousal"),
)  # fmt: skip
DESCRIPTORS: tuple[Descriptor, ...] = (*PITCH, *RHYTHM, *HARMONY, *TENSION, EMOTION)


def columns() -> tuple[str, ...]:
    """Names of the columns of a table, in its order."""
    return (*(name for each in DESCRIPTORS for name in each.columns), FACTS)


def describe(
    score: Score, *, analysis: Analysis | None = None, tempo_known: bool = True
) -> Description:
    """Measure a score.

    Args:
        score: with at least one note.
        analysis: of it, if it is there already.
        tempo_known: whether its tempo comes from the piece, not from a default.

    Raises:
        ScoreError: the score has no notes.
    """
    material = Material(analysis or analyse(score, readings=1), score.tempo if tempo_known else nan)
    values: dict[str, float] = {}
    for each in DESCRIPTORS:
        if each.measure is None:
            continue
        found = each.measure(material)
        cells = (found,) if isinstance(found, int | float) else found
        values |= dict(zip(each.columns, map(float, cells), strict=True))
    told = estimate(values)
    values |= dict(zip(EMOTION.columns, (told.valence, told.arousal), strict=True))
    return Description(values, told.facts)


def reference(each: Descriptor) -> str:
    """The source of a descriptor in full."""
    key, _, chapter = each.source.partition(" ")
    return f"{SOURCES[key]}{f', ch. {chapter}' if chapter else ''}"
