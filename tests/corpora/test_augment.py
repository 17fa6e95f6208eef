"""Other versions of corpus pieces."""

from __future__ import annotations

from fractions import Fraction

from corpora.augment import augmented, line_versions
from corpora.corpus import CorpusPiece
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

LINE = Part(
    "Soprano",
    tuple(
        Note(Fraction(place), Fraction(1), Pitch.parse(name))
        for place, name in enumerate(("D4", "F#4", "A4"))
    ),
)


def test_versions_stay_in_their_split() -> None:
    """A validation piece in other keys is still not to be trained on."""
    score = Score("piece", Key.parse("D"), (LINE,), (Metre(4, 4),))
    versions = augmented(CorpusPiece("piece", "valid", score))
    assert len(versions) > 6
    assert {version.split for version in versions} == {"valid"}
    assert versions[0].score == score


def test_a_line_has_four_versions() -> None:
    """Prime, inversion, retrograde, retrograde inversion; their intervals agree."""
    prime, inversion, retrograde, both = line_versions(LINE)
    assert prime == LINE
    assert [note.pitch.name for note in inversion.notes] == ["D4", "Bb3", "G3"]
    assert [note.pitch.name for note in retrograde.notes] == ["A4", "F#4", "D4"]
    assert [note.pitch.name for note in both.notes] == ["G3", "Bb3", "D4"]


def test_an_empty_line_has_one_version() -> None:
    """Itself."""
    empty = Part("Alto", ())
    assert list(line_versions(empty)) == [empty]
