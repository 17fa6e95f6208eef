"""Figured basses realised: textbook basses, suspensions, hands, files, and what is refused."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from music21.figuredBass.realizerScale import FiguredBassScale

from musegen.errors import MusegenError, OptionError, ScoreError, UnknownNameError
from musegen.io.figured_bass import read_figured_bass
from musegen.io.musicxml import write_musicxml
from musegen.plan.bass_text import is_bass, read_bass
from musegen.plan.thoroughbass import plan_of_figures
from musegen.result import Composition
from musegen.score import Metre, Score
from musegen.slices import sounding
from musegen.sounding import spelled
from musegen.tasks.check import CheckOptions, check_one
from musegen.tasks.realise import realise
from musegen.tasks.relaxation import Change, Constraint, Loosened
from musegen.tasks.writing import Draft, Options
from theory_kb.check import load_style
from theory_kb.pitch import Pitch
from theory_kb.rules.records import rule
from theory_kb.thoroughbass import Figures, completed, tones

QUICK = Options(models=(), temperature=0.0, width=16)
OCTAVE_MAJOR = (
    "C major: C3 D3[6] E3[6] F3[6/5] | G3 A3[6] B3[6/5] C4 | "
    "B3[6] A3[#6] G3 F3[4/2] | E3[6] D3[6/4/3] C3*2"
)
OCTAVE_MINOR = (
    "D minor: D3 E3[#6] F3[6] G3[6/5] | A3[#] B3[6] C#4[6/5] D4 | "
    "C4[6] Bb3[6] A3[#] G3[4+/2] | F3[6] E3[#6/4/3] D3*2"
)
CHAIN = "D minor: D3*2 F3*2 | Bb2[7 6]*2 A2[7 6]*2 | G2[7 6]*2 F2[6]*2 | G2[6/5] A2[6/4 7/#]*2 D3"


def bass(text: str) -> Score:
    """A bass in common time."""
    return read_bass(text, metre=Metre(4, 4))


def errors(made: Draft) -> list[str]:
    """Errors in the notes; those in the order of the given chords are the givens'."""
    found = (each for each in made.report.findings if each.severity == "E")
    return [each.rule for each in found if rule(each.rule).scope not in ("H2", "P", "W")]


def heard(made: Draft, onset: Fraction) -> set[str]:
    """Names of the notes that sound at a time."""
    notes = (sounding(part.notes, onset) for part in made.score.parts)
    return {note.pitch.pitch_class.name for note in notes if note is not None}


@pytest.mark.parametrize("texture", ["chorale", "keyboard"])
@pytest.mark.parametrize("text", [OCTAVE_MAJOR, OCTAVE_MINOR, CHAIN])
def test_textbook_basses_are_realised(text: str, texture: str) -> None:
    """The rule of the octave up and down in both modes, and a chain of sevenths: bass kept, no E."""
    (made,) = realise(text, QUICK, texture=texture)
    given = bass(text)
    assert made.score.parts[-1].notes == given.parts[-1].notes
    assert made.score.figures == given.figures
    assert not errors(made)


@pytest.mark.parametrize("text", [OCTAVE_MAJOR, OCTAVE_MINOR, CHAIN])
def test_what_sounds_is_what_the_figures_ask_for(text: str) -> None:
    """At each figure no note sounds that it does not name or imply, and none that it names is missing."""
    (made,) = realise(text, QUICK)
    given = bass(text)
    for mark in given.figures:
        note = sounding(given.parts[-1].notes, mark.onset)
        assert note is not None
        figures = Figures.parse(mark.text)
        asked = {
            number: tone.name
            for number, tone in tones(
                completed(figures.written), note.pitch.pitch_class, given.key.signature
            ).items()
        }
        sounds = heard(made, mark.onset)
        assert {asked[number] for number in figures.written} <= sounds
        assert sounds <= set(asked.values())


def test_the_exercise_of_the_book_has_its_chords() -> None:
    """D minor i V6/5 i iio6 cad64 V7 i: the figures of an examination, named."""
    (made,) = realise("D minor: D3 C#3[6/5] D3 G3[6] A3[6/4] A2[7/#] D3*2", QUICK)
    names = [label.numeral for label in made.score.chords]
    assert names == ["i", "V65", "i", "iio6", "cad64", "V7", "i"]
    assert not errors(made)


@pytest.mark.parametrize(
    ("text", "onset", "late", "tone"),
    [
        ("C major: C3*2 G3[4 3]*2 C3*4", 2, "C", "B"),
        ("C major: C3 E3[6]*1 F3[9 8]*2 G3*2 C3*2", 2, "G", "F"),
        ("C major: C3 F3[6] E3[7 6]*2 D3[6]*2 C3*2", 2, "D", "C"),
        ("D minor: D3*2 A3[4 #]*2 D3*4", 2, "D", "C#"),
        ("C major: C3*2 G3[4*3/2 3]*2 C3*4", 2, "C", "B"),
    ],
)
@pytest.mark.parametrize("texture", ["chorale", "keyboard"])
def test_suspensions_are_held_and_fall_by_step(
    text: str, onset: int, late: str, tone: str, texture: str
) -> None:
    """4-3, 9-8, 7-6: one upper voice holds the note from before and falls; the rest stand still."""
    (made,) = realise(text, QUICK, texture=texture)
    held = [
        (note, following)
        for part in made.score.parts[:-1]
        for note, following in pairwise(part.notes)
        if note.onset < onset < note.end and note.pitch.pitch_class.name == late
    ]
    assert held
    for note, following in held:
        assert following.pitch.pitch_class.name == tone
        assert note.pitch.step - following.pitch.step == 1
    labels = [label for label in made.score.chords if label.onset == onset]
    assert labels[0].duration == 2


def test_the_cadential_six_four_is_two_chords() -> None:
    """6/4 then 5/3 over one bass note: cad64 and V."""
    (made,) = realise("C major: C3*2 F3*2 G3[6/4 5/3]*2 C3*2", QUICK)
    assert [label.numeral for label in made.score.chords][2:4] == ["cad64", "V"]
    assert made.score.parts[-1].notes == bass("C: C3*2 F3*2 G3*2 C3*2").parts[-1].notes


def test_unfigured_notes_between_beats_carry_the_harmony_on() -> None:
    """Passing eighths in the bass have no chord of their own."""
    (made,) = realise("C major: C3*1/2 D3*1/2 E3[6] F3 G3 C3*4", QUICK)
    assert [label.numeral for label in made.score.chords] == ["I", "I6", "IV", "V", "I"]
    assert all(len(part.notes) == 5 for part in made.score.parts[:-1])


def test_a_line_holds_the_chord_over_a_moving_bass() -> None:
    """`_` over the next note keeps the upper voices where they are."""
    (made,) = realise("C major: C3 E3[_] F3*2 G3*2 C3*2", QUICK)
    assert [label.numeral for label in made.score.chords] == ["I", "IV", "V", "I"]


def test_an_unfigured_bass_is_harmonised_freely_or_in_triads() -> None:
    """Without figures any chord may stand; told so, every note has its triad."""
    text = "C major: C3 D3 E3 F3 G3*2 C3*2"
    (free,) = realise(text, QUICK)
    (strict,) = realise("C major: C3 F3 G3 C3", QUICK, unfigured="triad")
    assert free.score.parts[-1].notes == bass(text).parts[-1].notes
    assert [label.numeral for label in strict.score.chords] == ["I", "IV", "V", "I"]
    assert free.score.chords[1].numeral != "ii"


def test_free_notes_stand_beside_figured_ones() -> None:
    """Where the bass is figured in part, the rest is chosen."""
    (made,) = realise("C major: C3 F3[6/5] G3 C3*2", QUICK, unfigured="free")
    assert made.score.chords[1].numeral == "ii65"
    assert not errors(made)


@pytest.mark.parametrize("voices", [3, 4])
def test_hands_reach_what_they_play(voices: int) -> None:
    """The right hand stays within an octave, in order, above the bass; the score says so."""
    (made,) = realise(OCTAVE_MAJOR, QUICK, texture="keyboard", voices=voices)
    assert made.score.hands == voices - 1
    for moment in made.skeleton:
        pitches = [pitch.semitone for pitch in spelled(moment)]
        assert all(low < high for high, low in pairwise(pitches))
        assert pitches[0] - pitches[-2] <= 12


def test_chords_are_played_too() -> None:
    """A row of Roman numerals at the keyboard, its figures written under the bass."""
    (made,) = realise("D minor: i iv6 V7*2 i", QUICK, texture="keyboard")
    assert [mark.text for mark in made.score.figures] == ["6", "7/#"]
    assert not errors(made)


@pytest.mark.parametrize("texture", ["chorale", "keyboard"])
def test_a_written_file_reads_back_and_passes(texture: str, tmp_path: Path) -> None:
    """Bass and figures come back from MusicXML as they were; the checker finds no error in notes."""
    (made,) = realise(CHAIN, QUICK, texture=texture)
    path = tmp_path / "score.musicxml"
    path.write_bytes(write_musicxml(made.score))
    back = read_figured_bass(path)
    assert back.figures == made.score.figures
    assert back.parts[-1].notes == made.score.parts[-1].notes
    (report,) = check_one(path, CheckOptions(style=made.problem.style.name))
    found = report.findings if hasattr(report, "findings") else ()
    bad = [each.rule for each in found if each.severity == "E"]
    assert not [name for name in bad if rule(name).scope not in ("H2", "P", "W")]


def test_figures_are_read_from_lyrics_and_from_humdrum(tmp_path: Path) -> None:
    """Where a file has no figured-bass elements, its lyrics, and a `**fb` spine."""
    kern = tmp_path / "bass.krn"
    lines = ["**kern\t**fb", "*k[b-]\t*", "*d:\t*", "*M4/4\t*", "=1\t=1", "4D\t."]
    lines += ["4F\t6", "4G\t6 5", "4A\t#", "=2\t=2", "2A\t4", ".\t#", "2D\t.", "==\t==", "*-\t*-"]
    kern.write_text("\n".join(lines) + "\n")
    score = read_figured_bass(kern)
    assert [(float(mark.onset), mark.text) for mark in score.figures] == [
        (1, "6"),
        (2, "6/5"),
        (3, "#"),
        (4, "4"),
        (5, "#"),
    ]
    xml = tmp_path / "bass.musicxml"
    plain = write_musicxml(Score("Bass", score.key, score.parts, score.metres)).decode()
    sung = plain.replace("</note>", "<lyric><text>6,5</text></lyric></note>", 2)
    xml.write_text(sung)
    assert [mark.text for mark in read_figured_bass(xml).figures] == ["6/5", "6/5"]


@pytest.mark.parametrize(
    ("bass_note", "text"),
    [
        ("C3", ""),
        ("E3", "6"),
        ("G3", "6,4"),
        ("G3", "7"),
        ("B2", "6,5"),
        ("D3", "4,3"),
        ("F3", "4,2"),
        ("A3", "#"),
        ("E3", "#6"),
    ],
)
def test_music21_finds_the_same_notes(bass_note: str, text: str) -> None:
    """The pitch names of music21's figured-bass scale, for figures that both know."""
    scale: Any = FiguredBassScale
    theirs = scale("C", "major").getPitchNames(bass_note, text)
    figures = Figures.parse(text.replace(",", "/"))
    ours = tones(completed(figures.written), Pitch.parse(bass_note).pitch_class, 0)
    assert {name.replace("-", "b") for name in theirs} == {note.name for note in ours.values()}


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("C major: C3 D3[6/6]", OptionError, "same note"),
        ("C major: C3 D3[y]", OptionError, "cannot be read"),
        ("C major: C3 D3[7/6/4/3/2]", ScoreError, "bar 1, beat 2: figures 7/6/4/3/2 over D3"),
        ("C major: C3 D3[9]", ScoreError, "no suspension that falls"),
        ("C# major: C#3 A#3[bb5 _]", ScoreError, "bar 1, beat 2"),
        ("C major: C3[_] D3[6]", ScoreError, "bar 1, beat 1: '_' holds"),
        ("C major: C3 C7[6]", ScoreError, "bar 1, beat 2: the bass C7 leaves no room"),
        ("C major: C3*0", OptionError, "more than 0"),
        ("C major: C3[4*3 3]*2", OptionError, "as long as its note"),
        ("C major: C3 H3", OptionError, "a note such as"),
        ("C major: r r", OptionError, "a key and a bass"),
        ("X major: C3", MusegenError, "key must look like"),
        ("C major: " + "C3 " * 600, ScoreError, "allowed are 512"),
        ("C major: " + "C3 " * 3000, OptionError, "at most 2000"),
    ],
)
def test_basses_that_cannot_be_realised_are_refused(
    text: str, error: type[MusegenError], words: str
) -> None:
    """One line: bar and beat, what came, what is allowed."""
    with pytest.raises(error, match=words) as caught:
        realise(text, QUICK, unfigured="triad")
    assert "\n" not in str(caught.value)


def test_a_free_bass_of_thousands_of_bars_is_refused_before_its_phrases_are_sought() -> None:
    """The limit is the same with figures and without."""
    with pytest.raises(ScoreError, match="1900 beats, at most 512 are written at once"):
        realise("C major: " + "C3 " * 1900, QUICK)


def test_unknown_textures_and_policies_are_refused() -> None:
    """What there is is named."""
    with pytest.raises(UnknownNameError, match="keyboard in 3"):
        realise("C: C3 G3 C3", QUICK, texture="organ")
    with pytest.raises(OptionError, match="triad, free"):
        realise("C: C3 G3 C3", QUICK, unfigured="maybe")


@pytest.mark.parametrize("texture", ["chorale", "keyboard"])
@pytest.mark.parametrize(
    "text",
    [
        "C major: F3*2 E3[7 6]*2 D3[6]*2 C3*2",  # a seventh that nothing prepares
        "C major: C3*2 C3[7/4/2]*2 C3*4",  # a pedal
        "C major: C3*2 F3[5/2] E3[6] F3*2 G3[7] C3",  # a bass that is suspended
        "C minor: C3*2 Ab2[#6]*2 G2[n]*2 C3*2",  # an augmented sixth, read but not composed with
    ],
)
def test_every_note_of_a_realisation_is_explained(text: str, texture: str) -> None:
    """Also those that no chord holds, and chords beyond the composer's vocabulary."""
    (made,) = realise(text, QUICK, texture=texture)
    notes = Composition.of(made).explanation["notes"]
    assert len(notes) == sum(len(part.notes) for part in made.score.parts)
    assert all(each["reasons"] for each in notes)


def test_text_is_told_from_numerals() -> None:
    """Notes carry their octave, numerals never do."""
    assert is_bass("D minor: D3 F3[6]")
    assert is_bass("F: | Bb2*2")
    assert not is_bass("D minor: i iv6 V7 i")
    assert not is_bass("C: bVI Ger65 N6")


def test_a_chord_of_another_key_is_read_there() -> None:
    """A bass that stays in the key of the supertonic has its chords there; one applied chord has not."""
    stays = plan_of_figures(bass("C: C3 F3 D3[7/#] G3 C3*4"))
    turns = plan_of_figures(
        bass("C: C3 A2[7/#] D3 Bb2 | G2[b] A2[7/#] D3 Bb2 | G2[b] A2[7/#] D3*2 | G2[7] C3*2")
    )
    assert {slot.harmonies[0].key.name for slot in stays.slots} == {"C major"}
    names = [slot.harmonies[0].key.name for slot in turns.slots]
    assert names[3:5] == ["D minor"] * 2
    assert names[-1] == "C major"


def test_the_last_chord_is_read_at_home() -> None:
    """A turn to the relative major does not make the last chord one of that key."""
    text = "G minor: G2 D3[#] G2 C3 | F3 Bb2 Eb3[7] A2[6/5] | D3[7/#] G2*2"
    assert plan_of_figures(bass(text)).slots[-1].harmonies[0].chord.symbol == "i"


def test_what_the_chords_force_is_reported_and_its_surface_found() -> None:
    """A seventh that no voicing can resolve is written, plain and ornate, and the checker says so."""
    text = "C major: I V7 V65/IV IV V7 I"
    for figures in (False, True):
        (made,) = realise(text, Options(models=(), temperature=0.0, figures=figures))
        assert made.problem.forced == {"seventh-resolves-down"}
        errors = {each.rule for each in made.report.findings if each.severity == "E"}
        assert errors == {"seventh-resolves-down"}


def test_a_rule_that_is_forced_at_one_place_holds_at_all_others() -> None:
    """The seventh of V42 cannot fall before V; that of V7 four chords later does, ornate or not."""
    text = "C major: I V42 V I IV V7 I vi ii6 V I IV I6 V43 I V7 vi IV ii V7 I IV I V I ii6 V7 I"
    (made,) = realise(text, Options(models=()))
    assert [place for place, names in enumerate(made.problem.forced_at) if names] == [2]
    errors = [(each.bar, each.beat) for each in made.report.findings if each.severity == "E"]
    assert errors == [(1, 3.0)]


def test_what_figures_force_is_found_among_several_readings() -> None:
    """Each way on breaks some rule, none the same: those of the way that breaks the fewest are reported."""
    for text in (
        "A minor: A2[] A2[4/2] D3[6/5] G#2[6/5] B2[6] A2[]",
        "A minor: i iiø42 iiø65 V65 V6/III i",
    ):
        (made,) = realise(text, Options(models=(), temperature=0.0))
        assert made.problem.forced == {"seventh-resolves-down"}
        found = [each for each in made.report.findings if each.rule == "seventh-resolves-down"]
        assert [(each.bar, each.beat) for each in found] == [(1, 4.0)]


@pytest.mark.parametrize(
    "text",
    [
        "C major: I V64 V64 I6 V7 I",
        "A minor: i V64 V64 i6 V7 i",
        "C major: C3 D3[6/4] D3[6/4] E3[6] G2[7] C3",
    ],
)
def test_six_fours_of_no_type_that_the_chords_force_are_reported(text: str) -> None:
    """At the keyboard they are errors whoever plays: all four voices stay, and both are named."""
    (made,) = realise(text, Options(models=(), temperature=0.0), texture="keyboard")
    assert len(made.score.parts) == 4
    assert made.problem.forced == {"six-four-untyped"}
    found = [each for each in made.report.findings if each.rule == "six-four-untyped"]
    assert [(each.severity, each.beat) for each in found] == [("E", 2.0), ("E", 3.0)]


def test_a_figured_bass_that_is_given_up_takes_its_figures_along() -> None:
    """What a bass note says of its chord goes with it, or moves with it."""
    loose = Loosened(plan_of_figures(bass("A minor: A2 D3[6/5] G#2[6/5] A2")), load_style("bach"))
    note = Constraint("note", (1,), voice=3)
    freed = loose.changed_plan(frozenset({Change(note)})).slots[1]
    assert (freed.given[3], freed.figured) == (None, None)
    moved = loose.changed_plan(frozenset({Change(note, Pitch.parse("D2"))})).slots[1]
    assert moved.figured is not None
    assert moved.figured.bass == Pitch.parse("D2")
    assert len(loose.all_at(1, frozenset({Change(note)})))


@pytest.mark.parametrize("texture", ["chorale", "keyboard"])
def test_rules_give_way_where_each_step_has_a_voicing_but_no_row_of_them(texture: str) -> None:
    """Every pair of these chords can be written, the whole only with an error, which is reported."""
    text = "E minor: i v6 iv7 cad64 V7 V65 V42/III III6 V65/III i V/III V/III III6 V i"
    (made,) = realise(text, QUICK, texture=texture)
    errors = {each.rule for each in made.report.findings if each.severity == "E"}
    assert made.problem.forced
    assert made.problem.forced <= errors
