from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import ScoreError
from musegen.io.notation import Piece, bars, beam_states, beat, pieces, shown_accidentals, value
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch


def line(metre: str, *notes: tuple[str, str, str], upbeat: str = "0") -> Score:
    """A one-part score in C major: notes as (onset, duration, pitch)."""
    beats, unit = map(int, metre.split("/"))
    made = tuple(Note(Fraction(a), Fraction(b), Pitch.parse(c)) for a, b, c in notes)
    metres = (Metre(beats, unit),)
    return Score("Line", Key.parse("C major"), (Part("Line", made),), metres, Fraction(upbeat))


def written(score: Score) -> list[str]:
    """Durations of the written notes of the first part, `~` where a tie leads on, `r` a rest."""
    return [
        f"{'' if piece.note else 'r'}{piece.duration}{'~' if piece.tied_to else ''}"
        for piece in pieces(score, 0, bars(score))
    ]


@pytest.mark.parametrize(
    ("metre", "beat_length"), [("4/4", "1"), ("6/8", "3/2"), ("2/2", "2"), ("5/8", "1/2")]
)
def test_beats(metre: str, beat_length: str) -> None:
    """A beat is the lower number, three of them in compound metre."""
    beats, unit = map(int, metre.split("/"))
    assert beat(Metre(beats, unit)) == Fraction(beat_length)


@pytest.mark.parametrize(
    ("metre", "onset", "duration", "expected"),
    [
        ("4/4", "0", "4", ["4"]),
        ("4/4", "1", "2", ["r1", "2", "r1"]),  # a half note over the middle is read at once
        ("4/4", "1/2", "1", ["r1/2", "1", "r1/2", "r2"]),  # the plain syncopation
        (
            "4/4",
            "3/2",
            "1",
            ["r1", "r1/2", "1/2~", "1/2", "r1/2", "r1"],
        ),  # which may not hide the middle
        ("4/4", "1/2", "3/2", ["r1/2", "1/2~", "1", "r2"]),
        ("4/4", "0", "5/2", ["2~", "1/2", "r1/2", "r1"]),
        ("4/4", "0", "7/4", ["1~", "3/4", "r1/4", "r2"]),
        ("4/4", "3", "2", ["r2", "r1", "1~", "1", "r1", "r2"]),  # over the bar line
        ("6/8", "0", "3", ["3"]),
        ("6/8", "0", "2", ["3/2~", "1/2", "r1"]),
        ("6/8", "1/2", "1", ["r1/2", "1", "r3/2"]),
        ("9/8", "0", "9/2", ["3~", "3/2"]),
        ("3/4", "0", "1/3", ["1/3", "r2/3", "r1", "r1"]),
        ("4/4", "1/3", "1", ["r1/3", "2/3~", "1/3", "r2/3", "r2"]),
    ],
)
def test_durations_keep_the_beat_visible(
    metre: str, onset: str, duration: str, expected: list[str]
) -> None:
    """Values are cut at bar lines and, where they begin off the beat, at the next beat."""
    assert written(line(metre, (onset, duration, "C4"))) == expected


def test_first_piece_of_a_note_carries_its_id() -> None:
    """A note is found by its id; what is tied to it has the same with a number."""
    score = line("4/4", ("0", "1", "C4"), ("3", "2", "D4"))
    found = [piece.id for piece in pieces(score, 0, bars(score)) if piece.note]
    assert found == ["p0n0", "p0n1", "p0n1-1"]


def test_cuts_part_a_held_note() -> None:
    """A cut makes a tie where notation would not need one."""
    score = line("4/4", ("0", "4", "C4"))
    found = pieces(score, 0, bars(score), (Fraction(2),))
    assert [(int(piece.duration), piece.tied_to) for piece in found] == [(2, True), (2, False)]


def test_upbeat_bar_is_number_0_and_the_last_bar_completes_it() -> None:
    """A chorale with an upbeat of a quarter ends with a bar of three."""
    score = line("4/4", ("0", "1", "C4"), ("1", "4", "D4"), ("5", "3", "C4"), upbeat="1")
    found = [(bar.number, int(bar.onset), int(bar.duration)) for bar in bars(score)]
    assert found == [(0, 0, 1), (1, 1, 4), (2, 5, 3)]
    assert bars(score)[0].position(Fraction(0)) == 3


def test_bars_follow_a_change_of_metre() -> None:
    """From 4/4 to 3/4 at the second bar."""
    score = line("4/4", ("0", "4", "C4"), ("4", "6", "D4"))
    metres = (Metre(4, 4), Metre(3, 4, Fraction(4)))
    changed = Score(score.title, score.key, score.parts, metres)
    assert [bar.duration for bar in bars(changed)] == [4, 3, 3]


def test_a_score_without_notes_has_one_bar() -> None:
    """An empty part is a bar of rest."""
    assert written(line("3/4")) == ["r3"]


def test_too_short_a_note_is_refused_by_its_bar() -> None:
    """What no note value can write is refused, not rounded."""
    with pytest.raises(ScoreError, match=r"bar 1: 1/4096 of a quarter note is too short"):
        written(line("4/4", ("0", "1/4096", "C4")))


@given(
    metre=st.sampled_from(["4/4", "3/4", "2/2", "6/8", "5/8", "12/8"]),
    onset=st.integers(0, 60),
    duration=st.integers(1, 100),
    unit=st.sampled_from([1, 2, 3, 4, 6, 8, 12]),
)
def test_written_values_add_up(metre: str, onset: int, duration: int, unit: int) -> None:
    """Whatever is cut, its pieces follow one another, each has a value, none crosses a bar line."""
    score = line(metre, (str(Fraction(onset, unit)), str(Fraction(duration, unit)), "C4"))
    within = bars(score)
    found = pieces(score, 0, within)
    assert found[0].onset == 0
    assert all(a.end == b.onset for a, b in pairwise(found))
    assert sum(piece.duration for piece in found if piece.note) == Fraction(duration, unit)
    for piece in found:
        bar = next(bar for bar in within if bar.onset <= piece.onset < bar.end)
        assert piece.end <= bar.end
        assert value(piece.duration) or (piece.note is None and piece.duration == bar.duration)


def accidentals(*pitches: str, key: str = "C major", tied: int | None = None) -> list[int | None]:
    """What each of a row of quarter notes shows; the tied one comes over the bar line."""
    row = [
        Piece(
            Fraction(place),
            Fraction(1),
            Note(Fraction(place), Fraction(1), Pitch.parse(pitch)),
            tied_from=place == tied,
        )
        for place, pitch in enumerate(pitches)
    ]
    shown = shown_accidentals({0: row}, Key.parse(key))
    return [shown.get((0, piece.onset)) for piece in row]


def test_accidental_holds_to_the_bar_line_in_its_octave() -> None:
    """F# is shown once, again in another octave, and F needs a natural after it."""
    assert accidentals("F#4", "F#4", "F#5", "F4") == [1, None, 1, 0]


def test_signature_is_not_repeated() -> None:
    """In D minor B flat is silent and B natural and C sharp are shown."""
    assert accidentals("Bb4", "B4", "C#5", "Bb4", key="D minor") == [None, 0, 1, -1]


def test_tie_over_the_bar_line_carries_its_accidental_alone() -> None:
    """A tied F# needs no sign, the next F# does."""
    assert accidentals("F#4", "F#4", tied=0) == [None, 1]


def test_voices_of_a_staff_share_accidentals() -> None:
    """The alto need not repeat the sharp that the soprano just showed."""
    note = Note(Fraction(0), Fraction(1), Pitch.parse("F#4"))
    upper = [Piece(Fraction(0), Fraction(1), note)]
    lower = [Piece(Fraction(1), Fraction(1), note)]
    assert shown_accidentals({0: upper, 1: lower}, Key.parse("C major")) == {(0, Fraction(0)): 1}


def beams(score: Score) -> list[str]:
    """Beam states of each note of the first bar, levels joined."""
    bar = bars(score)[0]
    found = pieces(score, 0, (bar,))
    states = beam_states(found, bar)
    return ["+".join(states.get(piece.onset, ())) for piece in found]


def test_eighths_are_beamed_by_the_beat() -> None:
    """Four eighths in 4/4 make two beams, in 6/8 three make one."""
    eighths = [(str(Fraction(place, 2)), "1/2", "C4") for place in range(6)]
    assert beams(line("4/4", *eighths[:4]))[:4] == ["begin", "end"] * 2
    assert beams(line("6/8", *eighths)) == ["begin", "continue", "end"] * 2


def test_dotted_rhythm_gets_a_hook() -> None:
    """A sixteenth after a dotted eighth has one hook backward."""
    score = line("2/4", ("0", "3/4", "C4"), ("3/4", "1/4", "D4"), ("1", "1/2", "E4"))
    assert beams(score)[:2] == ["begin", "end+backward hook"]
    assert beams(score)[2] == ""


def test_beams_stop_at_rests() -> None:
    """An eighth before and one after a rest stand alone."""
    score = line("6/8", ("0", "1/2", "C4"), ("1", "1/2", "D4"), ("3/2", "3/2", "D4"))
    assert beams(score) == ["", "", "", ""]
