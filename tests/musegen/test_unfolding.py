"""Repeats written out: order, endings, and everything that stands with the notes."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from musegen.io.midi import write_midi
from musegen.io.musicxml import write_musicxml
from musegen.score import ChordLabel, Ending, Metre, Note, Part, Score
from musegen.textures.expression import expressed
from musegen.unfolding import played_order, unfolded
from theory_kb.pitch import Key, Pitch, PitchClass

BAR = 4


def bars(count: int, repeats: tuple[tuple[int, int], ...], *endings: Ending) -> Score:
    """A note a bar, rising from C4 by steps, with repeats by bar."""
    letters = [Pitch.of(PitchClass.parse("CDEFGAB"[n % 7]), 4 + n // 7) for n in range(count)]
    notes = tuple(Note(Fraction(BAR * n), Fraction(BAR), pitch) for n, pitch in enumerate(letters))
    spans = tuple((Fraction(BAR * a), Fraction(BAR * b)) for a, b in repeats)
    score = Score("x", Key.parse("C"), (Part("a", notes),), (Metre(4, 4),))
    return replace(score, repeats=spans, endings=endings)


def heard(score: Score) -> list[int]:
    """The bars of the original, in the order in which they are heard."""
    return [note.pitch.step - 28 for note in unfolded(score).parts[0].notes]


def ending(number: int, first: int, last: int) -> Ending:
    """An ending from one bar line to another."""
    return Ending(number, Fraction(BAR * first), Fraction(BAR * last))


def test_a_binary_form_is_played_twice_by_halves() -> None:
    """||: A :||: B :|| is A A B B."""
    score = bars(4, ((0, 2), (2, 4)))
    assert heard(score) == [0, 1, 0, 1, 2, 3, 2, 3]
    assert unfolded(score).repeats == ()


def test_the_second_time_has_the_second_ending() -> None:
    """||: 0 1 [1. 2 :|| [2. 3 | 4 is 0 1 2 0 1 3 4."""
    score = bars(5, ((0, 3),), ending(1, 2, 3), ending(2, 3, 4))
    assert heard(score) == [0, 1, 2, 0, 1, 3, 4]
    text = write_musicxml(score).decode()
    assert text.count('<ending number="1" type="start"') == 1
    assert text.count('<ending number="1" type="stop"') == 1
    assert text.count('<ending number="2" type="discontinue"') == 1
    assert write_midi(score) == write_midi(unfolded(score))


def test_without_repeats_nothing_changes() -> None:
    """The score is its own unfolding."""
    score = bars(3, ())
    assert unfolded(score) is score
    assert played_order(score) == ((Fraction(0), Fraction(12)),)


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=1, max_size=6))
def test_unfolding_is_the_list_written_out(blocks: list[tuple[int, bool]]) -> None:
    """Stretches that are repeated or not, against lists of bars; chords and loudness go with them."""
    expected: list[int] = []
    repeats = []
    time = 0
    for length, twice in blocks:
        here = list(range(time, time + length))
        expected += here * (1 + twice)
        if twice:
            repeats.append((time, time + length))
        time += length
    score = bars(time, tuple(repeats))
    key = score.key
    labels = tuple(ChordLabel(Fraction(BAR * n), Fraction(BAR), key, f"{n}") for n in range(time))
    score = expressed(replace(score, chords=labels))
    done = unfolded(score)
    assert heard(score) == expected
    assert [note.onset for note in done.parts[0].notes] == [BAR * n for n in range(len(expected))]
    assert [(int(each.onset / BAR), int(each.numeral)) for each in done.chords] == list(
        enumerate(expected)
    )
    assert score.expression is not None
    assert done.expression is not None
    before, after = score.expression.velocities[0], done.expression.velocities[0]
    assert list(after) == [before[n] for n in expected]
    times = [onset for onset, _ in done.expression.tempos]
    assert times == sorted(set(times))
