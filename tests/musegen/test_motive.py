"""Motives: what is done with them, how alike they are, and themes as text."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import OptionError
from musegen.motive import Motive, read_theme, similarity
from theory_kb.pitch import Pitch

HALF = Fraction(1, 2)
FATE = Motive((HALF, HALF, HALF, Fraction(2)), (0, 0, -2))  # Beethoven op. 67, g g g e flat
MOTIVES = st.lists(
    st.tuples(st.sampled_from([HALF, Fraction(1), Fraction(3, 2)]), st.integers(-4, 4)),
    min_size=1,
    max_size=8,
).map(lambda rows: Motive(tuple(d for d, _ in rows), tuple(s for _, s in rows[1:])))


def test_the_motive_of_the_fifth_symphony() -> None:
    """Three repeated notes and a third down: turned over it rises, backwards it begins long."""
    assert FATE.inverted().steps == (0, 0, 2)
    assert FATE.retrograde() == Motive((Fraction(2), HALF, HALF, HALF), (2, 0, 0))
    assert list(map(int, FATE.augmented().durations)) == [1, 1, 1, 4]
    assert FATE.diminished().length == FATE.length / 2
    assert FATE.fragment(Fraction(1)) == Motive((HALF, HALF), (0,))
    assert FATE.repeated(Fraction(7)).length == 7
    assert FATE.liquidated() == Motive((Fraction(7, 4), Fraction(7, 4)), (-1,))


@given(motive=MOTIVES)
def test_transformations_undo_themselves(motive: Motive) -> None:
    """Twice inverted, twice backwards, augmented and diminished, a motive is itself again."""
    assert motive.inverted().inverted() == motive
    assert motive.retrograde().retrograde() == motive
    assert motive.augmented().diminished() == motive
    assert motive.fragment(motive.length) == motive


@given(one=MOTIVES, other=MOTIVES)
def test_similarity_is_a_share(one: Motive, other: Motive) -> None:
    """It is 1 for the same motive, and alike in both directions."""
    assert similarity(one, one) == 1
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, other) == pytest.approx(similarity(other, one))


def test_a_changed_note_costs_little_another_motive_much() -> None:
    """One step changed by one leaves a motive recognisable; another rhythm and contour does not."""
    near = Motive(FATE.durations, (0, 0, -3))
    far = Motive((Fraction(3, 2), HALF, Fraction(3, 2), HALF), (4, -3, 4))
    assert similarity(FATE, near) > 0.9
    assert similarity(FATE, far) < 0.5


def test_a_theme_is_read_from_text() -> None:
    """Letters for note values, dots, fractions of quarter notes, rests and bar lines."""
    notes = read_theme("E4:q F4:e | G4:e. r:s Bb4:3/2")
    assert [note.pitch for note in notes] == [Pitch.parse(p) for p in ("E4", "F4", "G4", "Bb4")]
    assert [note.duration for note in notes] == [1, HALF, Fraction(3, 4), Fraction(3, 2)]
    assert notes[-1].onset == Fraction(5, 2)


@pytest.mark.parametrize(
    "text",
    ["", "E4:q", "H4:q F4:q", "E4 F4", "E4:q F4:0", "E4:q F4:99", "E4:q F4:4/0", "E4:q F4:4/00"],
)
def test_what_is_no_theme_is_refused(text: str) -> None:
    """The token that is wrong is named, with an example of a right one."""
    with pytest.raises(OptionError, match=r"theme|length of a note"):
        read_theme(text)
