"""Score and note array, there and back."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import ScoreError, UnknownNameError
from musegen.score import Cadence, ChordLabel, Metre, Note, Part, Score
from musegen.slices import (
    beat_spans,
    harmonic_moments,
    moments,
    parts_from_moments,
    phrase_spans,
    piece,
    sounding,
)
from theory_kb.chords import chord
from theory_kb.moment import MEMBER_UNKNOWN, NON_CHORD, NONE, REST, TICKS, UNKNOWN
from theory_kb.pitch import Key, Pitch

VOICES = ("Soprano", "Alto", "Tenor", "Bass")
HALF = Fraction(1, 2)


def part(name: str, *notes: tuple[str, Fraction | int]) -> Part:
    """A line from names and durations in quarter notes; `r` is a rest."""
    time, made = Fraction(0), []
    for text, length in notes:
        if text != "r":
            made.append(Note(time, Fraction(length), Pitch.parse(text)))
        time += length
    return Part(name, tuple(made))


def cadence_in_c() -> Score:
    """IV-V-I over an upbeat: the tenor passes from G through F to E."""
    home = Key.parse("C major")
    parts = (
        part("Soprano", ("A4", 1), ("B4", 1), ("C5", 2)),
        part("Alto", ("F4", 1), ("G4", 1), ("G4", 2)),
        part("Tenor", ("C4", 1), ("G3", HALF), ("F3", HALF), ("E3", 2)),
        part("Bass", ("F3", 1), ("G2", 1), ("C3", 2)),
    )
    chords = (
        ChordLabel(Fraction(0), Fraction(1), home, "IV"),
        ChordLabel(Fraction(1), Fraction(1), home, "V"),
        ChordLabel(Fraction(2), Fraction(2), home, "I"),
    )
    return Score(
        "cadence",
        home,
        parts,
        (Metre(4, 4),),
        Fraction(2),
        chords=chords,
        cadences=(Cadence(Fraction(2), "cad-pac", home),),
        phrase_ends=(Fraction(4),),
    )


def test_there_is_one_moment_for_each_attack() -> None:
    """Five attacks, the fourth only of the tenor."""
    array = moments(cadence_in_c())
    assert array["onset"].tolist() == [0, TICKS, TICKS * 3 // 2, TICKS * 2]
    assert array["attack"][:, :4].tolist() == [[1] * 4, [1] * 4, [0, 0, 1, 0], [1] * 4]
    assert array["semitone"][2, :5].tolist() == [71, 67, 53, 43, REST]


def test_a_moment_knows_its_place_in_the_bar() -> None:
    """After an upbeat of two beats the first downbeat is bar 1."""
    array = moments(cadence_in_c())
    assert array["bar"].tolist() == [0, 0, 0, 1]
    assert array["strength"].tolist() == [3, 2, 1, 4]
    assert array["position"].tolist() == [TICKS * 2, TICKS * 3, TICKS * 7 // 2, 0]


def test_the_surface_carries_the_harmony() -> None:
    """The passing F over V is the seventh degree of the chord only if the chord has one."""
    array = moments(cadence_in_c())
    assert array["chord"].tolist() == [chord("major", name).index for name in ("IV", "V", "V", "I")]
    assert array["member"][1, :4].tolist() == [1, 0, 0, 0]
    assert array["member"][2, 2] == NON_CHORD
    assert array["member"][2, 4] == MEMBER_UNKNOWN
    assert array["degree"][2, 4] == NONE


def test_phrases_are_marked() -> None:
    """The first chord opens, the cadence's chord closes and is the last of the piece."""
    array = moments(cadence_in_c())
    assert array["opening"].tolist() == [1, 0, 0, 0]
    assert array["phrase_end"].tolist() == [0, 0, 0, 1]
    assert array["final"].tolist() == [0, 0, 0, 1]
    assert array["boundary"].tolist() == [0, 0, 0, 0]


def test_a_boundary_stands_before_the_next_phrase() -> None:
    """A phrase end in the middle marks the moment after it."""
    score = replace(cadence_in_c(), phrase_ends=(Fraction(2), Fraction(4)), cadences=())
    assert moments(score)["boundary"].tolist() == [0, 0, 0, 1]
    assert len(phrase_spans(score)) == 2


def test_without_labels_nothing_is_known_of_the_harmony() -> None:
    """Chord, mode and tonic are unknown; the skeleton is refused."""
    bare = replace(cadence_in_c(), chords=(), cadences=())
    array = moments(bare)
    assert (array["chord"] == UNKNOWN).all()
    assert (array["tonic"] == NONE).all()
    with pytest.raises(ScoreError, match="no chord labels"):
        harmonic_moments(bare)
    assert piece(bare).harmonic is None


def test_the_skeleton_leaves_the_passing_note_out() -> None:
    """One moment a chord: the tenor stands on G over V."""
    array = harmonic_moments(cadence_in_c())
    assert array["onset"].tolist() == [0, TICKS, 2 * TICKS]
    assert array["semitone"][:, 2].tolist() == [60, 55, 52]
    assert (array["member"][:, :4] >= 0).all()


def test_the_skeleton_replaces_a_suspension_by_its_resolution() -> None:
    """Over V a held C waits for the B."""
    home = Key.parse("C major")
    parts = (part("Soprano", ("C5", HALF * 3), ("B4", HALF)), part("Bass", ("C3", 1), ("G2", 1)))
    labels = (
        ChordLabel(Fraction(0), Fraction(1), home, "I"),
        ChordLabel(Fraction(1), Fraction(1), home, "V"),
    )
    score = Score("suspension", home, parts, (Metre(4, 4),), chords=labels)
    array = harmonic_moments(score)
    assert array["semitone"][:, 0].tolist() == [72, 71]
    assert array["attack"][1, :2].tolist() == [1, 1]


def test_a_piece_for_the_checker_has_both_levels() -> None:
    """Surface, skeleton, names and the length of a beat."""
    made = piece(cadence_in_c())
    assert (len(made.surface), made.voices, made.beat_ticks) == (4, VOICES, TICKS)
    assert made.harmonic is not None
    assert len(made.harmonic) == 3


def test_beats_begin_with_a_short_upbeat() -> None:
    """An eighth before the first bar is a beat of its own."""
    score = Score(
        "upbeat", Key.parse("C"), (part("Soprano", ("C4", HALF), ("D4", 2)),), (Metre(3, 4),), HALF
    )
    assert beat_spans(score) == ((Fraction(0), HALF), (HALF, HALF * 3), (HALF * 3, HALF * 5))


def test_nine_parts_are_refused() -> None:
    """A moment holds eight voices."""
    score = cadence_in_c()
    crowd = score.with_parts(score.parts * 2 + score.parts[:1])
    with pytest.raises(ScoreError, match="9 parts"):
        moments(crowd)


def test_an_unknown_numeral_is_refused() -> None:
    """The text names it."""
    home = Key.parse("C")
    labels = (ChordLabel(Fraction(0), Fraction(4), home, "Q7"),)
    with pytest.raises(UnknownNameError, match="Q7"):
        moments(replace(cadence_in_c(), chords=labels))


def test_sounding_finds_the_held_note_or_the_rest() -> None:
    """A note sounds until its end, exclusive."""
    notes = part("Alto", ("C4", 1), ("r", 1), ("D4", 1)).notes
    assert sounding(notes, HALF) == notes[0]
    assert sounding(notes, Fraction(1)) is None
    assert sounding(notes, Fraction(2)) == notes[1]


LINES = st.lists(
    st.tuples(st.sampled_from(["C4", "D4", "F#4", "Bb3", "r"]), st.sampled_from([HALF, 1, 2])),
    min_size=1,
    max_size=8,
).filter(lambda notes: any(name != "r" for name, _ in notes))


@given(first=LINES, second=LINES)
def test_moments_keep_every_note(
    first: list[tuple[str, Fraction]], second: list[tuple[str, Fraction]]
) -> None:
    """There and back keeps onset and pitch of every note, and its end unless a rest follows."""
    parts = (part("Soprano", *first), part("Bass", *second))
    score = Score("two lines", Key.parse("C"), parts, (Metre(4, 4),))
    back = parts_from_moments(moments(score), score.duration, ("Soprano", "Bass"))
    for before, after in zip(parts, back, strict=True):
        assert [(note.onset, note.pitch) for note in before.notes] == [
            (note.onset, note.pitch) for note in after.notes
        ]
        for note, following, again in zip(
            before.notes, before.notes[1:], after.notes, strict=False
        ):
            if note.end == following.onset:
                assert again.end == note.end


def test_a_time_has_its_place_in_a_bar_of_its_metre() -> None:
    """An upbeat is bar 0 and counts from the bar line it lacks; another metre begins a bar."""
    metres = (Metre(3, 4), Metre(6, 8, Fraction(7)))
    score = replace(cadence_in_c(), metres=metres, upbeat=Fraction(1))
    assert score.place_of(Fraction(0)) == (0, Fraction(2), metres[0])
    assert score.place_of(Fraction(9, 2)) == (2, HALF, metres[0])
    assert score.place_of(Fraction(21, 2)) == (4, HALF, metres[1])
    assert score.bar_and_beat(Fraction(21, 2)) == (4, Fraction(2))
