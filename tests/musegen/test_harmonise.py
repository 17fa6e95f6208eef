"""Writing around what is given: tunes, basses, rows of chords."""

from dataclasses import replace
from fractions import Fraction

import pytest

from musegen.errors import InfeasibleError, OptionError, UnknownNameError
from musegen.plan.chord_text import read_chords
from musegen.plan.setting import plan_around
from musegen.score import Metre, Note, Part, Score
from musegen.tasks.harmonise import harmonise
from musegen.tasks.realise import realise
from musegen.tasks.writing import Draft, Options
from theory_kb.chords import spell
from theory_kb.pitch import Key, Pitch

QUICK = Options(models=(), temperature=0.0, width=16)
TUNE = "G4:1 C5:1 D5:1 E5:1/2 D5:1/2 C5:1 B4:1 C5:2! C5:1 B4:1 A4:1/2 B4:1/2 C5:1 D5:1 G4:1 C5:1 B4:1 C5:3!"


def line(text: str) -> tuple[Note, ...]:
    """Notes of `C5:1/2` tokens, a fermata where `!` stands."""
    notes: list[Note] = []
    for token in text.split():
        name, length = token.rstrip("!").split(":")
        onset = notes[-1].end if notes else Fraction(0)
        notes.append(Note(onset, Fraction(length), Pitch.parse(name), token.endswith("!")))
    return tuple(notes)


def tune(text: str, key: str, *, upbeat: str = "0", metre: tuple[int, int] = (4, 4)) -> Score:
    """A score of one part."""
    return Score(
        "Tune", Key.parse(key), (Part("Soprano", line(text)),), (Metre(*metre),), Fraction(upbeat)
    )


@pytest.fixture(scope="module")
def solved() -> Draft:
    """A tune with passing eighths, in four voices."""
    (made,) = harmonise(tune(TUNE, "C major", upbeat="1"), QUICK)
    return made


def test_given_voice_stands_as_it_was_given(solved: Draft) -> None:
    """Not a note, not a rhythm, not a fermata of the tune is changed."""
    assert solved.score.parts[0].notes == line(TUNE)


def test_harmonisation_breaks_no_hard_rule(solved: Draft) -> None:
    """What is written around a tune passes the checker, tune included."""
    assert not solved.report.count("E")


def test_phrases_end_at_fermatas_with_a_cadence(solved: Draft) -> None:
    """Each phrase closes where the tune has its fermata; the last one at home."""
    ends = [note.onset for note in line(TUNE) if note.fermata]
    assert [cadence.onset for cadence in solved.score.cadences] == ends
    assert solved.score.cadences[-1].kind in ("cad-pac", "cad-iac-vii")
    assert solved.score.cadences[-1].key == Key.parse("C major")


def test_each_chord_holds_a_note_of_the_tune(solved: Draft) -> None:
    """A given note that its chord does not hold is a non-chord tone beside one that it holds."""
    for slot, label in zip(solved.plan.slots, solved.score.chords, strict=True):
        harmony = next(
            each
            for each in slot.harmonies
            if (each.key, each.chord.symbol) == (label.key, label.numeral)
        )
        given = slot.given[0]
        assert given is not None
        tones = spell(harmony.chord, harmony.key)
        assert {pitch.pitch_class for pitch in given.pitches} & set(tones)


def test_a_bass_can_be_given_too() -> None:
    """A bass alone is harmonised above, and stays."""
    bass = "C3:1 F3:1 G3:1 C3:1 A2:1 F3:1 G3:1 C3:2!"
    score = replace(tune(bass, "C major"), parts=(Part("Bass", line(bass)),))
    (made,) = harmonise(score, QUICK, voices=("bass",))
    assert made.score.parts[-1].notes == line(bass)
    assert not made.report.count("E")


def test_all_voices_given_are_only_labelled(solved: Draft) -> None:
    """With nothing left to write the notes come back as they were."""
    voices = ("soprano", "alto", "tenor", "bass")
    bare = replace(solved.score, chords=(), cadences=())
    (again,) = harmonise(bare, QUICK, voices=voices)
    assert [part.notes for part in again.score.parts] == [part.notes for part in bare.parts]


def test_phrases_are_found_where_no_fermata_stands() -> None:
    """Rests end phrases; without rests, in a metre of four beats, every second bar does."""
    plain = TUNE.replace("!", "")
    rested = line("G4:1 C5:1 B4:1 C5:1") + tuple(
        replace(note, onset=note.onset + 6) for note in line("C5:1 D5:1 B4:1 C5:1")
    )
    score = tune(plain, "C major")
    plan = plan_around(replace(score, parts=(Part("S", rested),)), {0: rested}, name="x")
    assert [plan.slots[phrase.last].onset for phrase in plan.phrases] == [3, 9]
    long = line(" ".join(["C5:1 D5:1 E5:1 D5:1"] * 8))
    plan = plan_around(replace(score, parts=(Part("S", long),)), {0: long}, name="x")
    assert [plan.slots[phrase.first].onset for phrase in plan.phrases] == [0, 8, 16, 24]


@pytest.mark.parametrize("key", ["C major", "Eb major", "F# minor", "D minor"])
def test_a_tune_is_harmonised_in_every_key(key: str) -> None:
    """The tune stays, and no hard rule is broken, whatever the key."""
    home = Key.parse(key)
    text = (
        "C5:1 D5:1 E5:1 D5:1 C5:1 B4:1 C5:2!"
        if home.mode == "major"
        else ("C5:1 D5:1 Eb5:1 D5:1 C5:1 B4:1 C5:2!")
    )
    start = Pitch.parse("C5")
    goal = min(
        (Pitch.of(home.tonic, octave) for octave in (4, 5)),
        key=lambda pitch: abs(pitch.semitone - start.semitone),
    )
    moved = tuple(replace(note, pitch=note.pitch + (goal - start)) for note in line(text))
    score = replace(tune(text, key), parts=(Part("Soprano", moved),))
    (made,) = harmonise(score, QUICK)
    assert made.score.parts[0].notes == moved
    assert not made.report.count("E")


@pytest.mark.parametrize(
    ("text", "voices", "error", "words"),
    [
        (TUNE, ("treble",), OptionError, "one of soprano, alto, tenor, bass"),
        (TUNE, ("soprano", "bass"), OptionError, "one for each of 1 parts"),
        ("C5:1 Fb5:1 C5:1", ("soprano",), InfeasibleError, "bar 1, beat 2: none of 0 voicings"),
    ],
)
def test_what_cannot_be_harmonised_is_named(
    text: str, voices: tuple[str, ...], error: type[Exception], words: str
) -> None:
    """The voice, or the bar and beat, and what is allowed."""
    with pytest.raises(error, match=words):
        harmonise(tune(text, "C major"), QUICK, voices=voices)


def test_given_voices_that_break_a_rule_among_themselves_are_refused() -> None:
    """Given parallel octaves cannot be mended by the voices between them."""
    soprano, bass = line("C5:1 D5:1 E5:1 C5:2!"), line("C3:1 D3:1 E3:1 C3:2!")
    score = replace(tune(TUNE, "C major"), parts=(Part("Soprano", soprano), Part("Bass", bass)))
    with pytest.raises(InfeasibleError, match=r"bar 1, beat \d"):
        harmonise(score, QUICK, voices=("soprano", "bass"))


# --- rows of chords -------------------------------------------------------------------------


def test_chords_are_written_as_they_stand() -> None:
    """The labels of the score are the numerals of the text, with their lengths."""
    (made,) = realise("D minor: i iv6 | V7*2 i", QUICK)
    assert [(label.numeral, label.duration) for label in made.score.chords] == [
        ("i", Fraction(1)),
        ("iv6", Fraction(1)),
        ("V7", Fraction(2)),
        ("i", Fraction(1)),
    ]
    assert not made.report.count("E")


def test_a_retrogression_is_written_and_reported() -> None:
    """Given chords are not ours to mend: V to IV is voiced well and found by the checker."""
    (made,) = realise("C: I V IV I", QUICK)
    rules = {finding.rule for finding in made.report.findings if finding.severity != "I"}
    assert "parallel-fifth" not in rules
    assert made.score.chords[2].numeral == "IV"


def test_several_solutions_differ_and_the_best_comes_first() -> None:
    """Solutions are distinct and in order of their scores."""
    found = realise("C: I vi IV V I", QUICK, count=4)
    assert len({made.path.tobytes() for made in found}) == len(found) > 1
    scores = [made.search.score for made in found]
    assert scores == sorted(scores, reverse=True)


def test_keys_may_change_in_a_row_of_chords() -> None:
    """A key before its chords holds until the next one."""
    chords = read_chords("C: I V | G major: I V7 I")
    assert [harmony.key.name for harmony, _ in chords] == ["C major"] * 2 + ["G major"] * 3


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("i iv", OptionError, "a key and its chords"),
        ("", OptionError, "a key and its chords"),
        ("D minor:", OptionError, "a key and its chords"),
        ("D minor: i V99", UnknownNameError, "V99"),
        ("D minor: i*0", OptionError, "more than 0"),
        ("D minor: i*x", OptionError, "more than 0"),
        ("D minor: i*1/0", OptionError, "more than 0"),
    ],
)
def test_wrong_rows_of_chords_are_named(text: str, error: type[Exception], words: str) -> None:
    """The token that came and what is allowed."""
    with pytest.raises(error, match=words):
        read_chords(text)


def test_unknown_metre_is_refused() -> None:
    """The metre that came and those that are known."""
    with pytest.raises(OptionError, match="4/4"):
        realise("C: I", QUICK, metre="11/7")
