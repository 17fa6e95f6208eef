"""Phrase ends, chords and cadences of chorales."""

from __future__ import annotations

from fractions import Fraction

import pytest

from corpora.catalogue import entry, verified_files
from corpora.read import read_score
from musegen.analysis.label import cadence_kind, label, phrase_ends
from musegen.score import ChordLabel, Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch


def close(key: str, *symbols: str) -> tuple[ChordLabel, ...]:
    """Chords of one key, a quarter each."""
    return tuple(
        ChordLabel(Fraction(place), Fraction(1), Key.parse(key), symbol)
        for place, symbol in enumerate(symbols)
    )


@pytest.mark.parametrize(
    ("key", "before", "last", "soprano", "kind"),
    [
        ("C major", "V7", "I", 1, "cad-pac"),
        ("A minor", "V", "I", 1, "cad-pac"),  # Picardy third
        ("C major", "V", "I", 3, "cad-iac-soprano"),
        ("C major", "V65", "I", 1, "cad-iac-inverted"),
        ("C major", "V", "I6", 1, "cad-iac-inverted"),
        ("C major", "viio6", "I", 1, "cad-iac-vii"),
        ("C major", "ii6", "V", 2, "cad-hc"),
        ("A minor", "iv6", "V", 5, "cad-phrygian"),
        ("C major", "IV", "I", 1, "cad-plagal"),
        ("C major", "V", "vi", 1, "cad-deceptive"),
        ("C major", "I", "ii", 2, "other"),
        ("C major", "ii", "V7", 2, "other"),
    ],
)
def test_cadences_by_the_book(key: str, before: str, last: str, soprano: int, kind: str) -> None:
    """One example a kind."""
    first, second = close(key, before, last)
    assert cadence_kind(first, second, soprano) == kind


def test_a_chord_of_another_key_is_read_in_the_key_of_the_cadence() -> None:
    """D7 before G is V7/V of C and V7 of G; without a chord before there is no cadence."""
    applied = ChordLabel(Fraction(0), Fraction(1), Key.parse("C major"), "V7/V")
    tonic = ChordLabel(Fraction(1), Fraction(1), Key.parse("G major"), "I")
    assert cadence_kind(applied, tonic, 1) == "cad-pac"
    assert cadence_kind(None, tonic, 1) == "other"


def test_the_sopranos_fermatas_end_the_phrases() -> None:
    """Two lower voices may add one where the soprano has none; one alone may not."""

    def part(name: str, *fermatas: int) -> Part:
        return Part(
            name,
            tuple(
                Note(Fraction(place), Fraction(1), Pitch.parse("C4"), place in fermatas)
                for place in range(12)
            ),
        )

    parts = (part("Soprano", 3), part("Alto", 3, 7), part("Tenor", 3, 7), part("Bass", 9))
    score = Score("fermatas", Key.parse("C"), parts, (Metre(4, 4),))
    assert [int(end) for end in phrase_ends(score)] == [4, 8, 12]


def test_a_chorale_is_labelled_phrase_by_phrase() -> None:
    """BWV 269: six lines in G major, the first a half cadence, the last perfect."""
    path = next(
        path for path in verified_files(entry("bach-chorales")) if path.name == "bwv269.mxl"
    )
    score = label(read_score(path))
    kinds = [cadence.kind for cadence in score.cadences]
    assert len(kinds) == len(score.phrase_ends) == 6
    assert (kinds[0], kinds[-1]) == ("cad-hc", "cad-pac")
    assert score.cadences[-1].key == Key.parse("G major")
    assert [chord.numeral for chord in score.chords[:6]] == ["I", "IV6", "V6", "I", "V", "vi"]
    assert label(score) == score
