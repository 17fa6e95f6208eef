"""Rounds and grounds: what makes them so, and what is refused."""

from fractions import Fraction
from functools import cache
from itertools import pairwise

import pytest

from musegen.batch import piece_of
from musegen.errors import OptionError, UnknownNameError
from musegen.motive import read_theme
from musegen.plan.form_schema import IMITATION
from musegen.plan.form_schema import TECHNIQUES as NAMED
from musegen.plan.template import load_template, template_names
from musegen.score import Note
from musegen.tasks.compose_form import FormRequest, form_work, is_woven
from musegen.tasks.compose_woven import STYLE, TECHNIQUES
from musegen.woven_result import WovenPiece
from theory_kb.catalogue import catalogue
from theory_kb.check import final_cadences, load_style
from theory_kb.chords import chord, spell
from theory_kb.imitation import fugue_answer
from theory_kb.pitch import Key, Pitch
from theory_kb.query import may_follow

PASSACAGLIA = "C3:h Eb3:q F3:h G3:q Ab3:h F3:q G3:h. C3:h. F3:h. G3:h. C3:h."


@cache
def made(form: str, seed: int = 0, key: str = "D major", *settings: tuple[str, str]) -> WovenPiece:
    """A piece, composed once for all tests."""
    piece = piece_of(FormRequest(form=form, seed=seed, key=key, settings=dict(settings)))
    assert isinstance(piece, WovenPiece)
    return piece


def sung(notes: tuple[Note, ...], start: Fraction, end: Fraction) -> list[tuple[Fraction, Pitch]]:
    """What a line strikes from a time on, times counted from there."""
    return [(note.onset - start, note.pitch) for note in notes if start <= note.onset < end]


def test_every_technique_that_a_form_may_name_is_written() -> None:
    """The names that templates may use are those that have a writer, and the forms use them."""
    assert set(NAMED) == {IMITATION, *TECHNIQUES}
    used = {form: load_template(form).technique for form in template_names()}
    assert set(used.values()) == {"", IMITATION, *TECHNIQUES}
    waiting = {form for form, name in used.items() if name == IMITATION}
    assert waiting == {"fugue-4v", "invention-2v"}
    assert not any(is_woven(FormRequest(form=form)) for form in waiting)


@pytest.mark.parametrize(
    "form", [name for name in template_names() if load_template(name).technique in TECHNIQUES]
)
def test_a_woven_form_ends_as_its_rules_let_a_piece_end(form: str) -> None:
    """A close that the checker would refuse is never drawn: every attempt with it would be in vain."""
    template = load_template(form)
    for mode in (template.mode,) if template.mode else ("major", "minor"):
        allowed = final_cadences(load_style(STYLE), mode)
        assert allowed is None or set(template.sections[-1].close) <= allowed


@pytest.mark.parametrize("form", ["fugue-4v", "invention-2v"])
def test_a_form_whose_technique_is_not_written_says_so(form: str) -> None:
    """It is a tune above a bass in the plan of the form, and its summary says what it lacks."""
    told = piece_of(FormRequest(form=form)).summary["not written"]
    assert told == f"{IMITATION} ({NAMED[IMITATION]})"
    assert "not written" not in made("round").summary


def test_the_lament_falls_from_the_tonic_to_the_dominant() -> None:
    """1 b7 b6 5, and every other ground spells as a bass in a key of its mode."""
    basses = {}
    for name, fact in catalogue()["ground"].items():
        key = Key.parse("A minor" if fact["mode"] == "minor" else "C major")
        phrases = [[chord(key.mode, symbol) for symbol in text.split()] for text in fact["chords"]]
        if len(phrases) == 1:
            phrases = [[*phrases[0], phrases[0][0]]]
        pairs = [pair for phrase in phrases for pair in pairwise(phrase)]
        assert all(may_follow(*pair).grade != "X" for pair in pairs), name
        found = [chord(key.mode, each) for text in fact["chords"] for each in text.split()]
        basses[name] = [spell(each, key)[each.inversion].name for each in found]
    assert basses["lamento"] == ["A", "G", "F", "E"]
    assert basses["falling-fourths"] == ["C", "G", "A", "E", "F", "C", "F", "G"]


def test_voices_of_a_round_sing_the_same_line() -> None:
    """Each voice enters a line later at the unison, and no rule that must hold is broken."""
    piece = made("round")
    first = piece.score.parts[0].notes
    line = Fraction(16)
    for number, part in enumerate(piece.score.parts[1:], 1):
        late = number * line
        assert sung(part.notes, late, Fraction(64)) == sung(first, Fraction(0), 64 - late)
    assert [each for each in piece.findings if each.severity == "E"] == []
    assert [each["bar"] for each in piece.explanation["statements"]] == [1, 5, 9, 13]


@pytest.mark.slow
def test_the_ground_of_a_chaconne_returns_unchanged() -> None:
    """Sixteen statements of four bars, exact but for the close; what is above it quickens."""
    piece = made("chaconne", 0, "B minor")
    *above, ground = piece.score.parts
    length = Fraction(12)
    first = sung(ground.notes, Fraction(0), length)
    assert len(first) == 4
    for number in range(1, 15):
        start = number * length
        assert sung(ground.notes, start, start + length) == first
    assert ground.notes[-1].pitch.pitch_class == piece.score.key.tonic
    melody = above[0].notes
    early = sum(note.onset < 24 for note in melody)
    late = sum(72 <= note.onset < 96 for note in melody)
    assert late > early
    assert [each for each in piece.findings if each.severity == "E"] == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["", PASSACAGLIA])
def test_a_passacaglia_holds_its_bass_under_every_variation(theme: str) -> None:
    """Eight bars alone, then seven variations; the bass is the same but for the last close."""
    notes = read_theme(theme) if theme else ()
    piece = piece_of(FormRequest(form="passacaglia", key="C minor", theme=notes))
    *above, ground = piece.score.parts
    length = Fraction(24)
    first = sung(ground.notes, Fraction(0), length)
    wanted = theme or "C3 G2 C3 Bb2 Eb2 Bb1 C2 G2"
    names = [each.partition(":")[0].rstrip("123") for each in wanted.split()]
    assert [pitch.pitch_class.name for _, pitch in first] == names
    for number in range(1, 7):
        start = number * length
        assert sung(ground.notes, start, start + length) == first
    assert min(part.notes[0].onset for part in above) >= length
    assert ground.notes[-1].pitch.pitch_class == piece.score.key.tonic
    assert [each for each in piece.findings if each.severity == "E"] == []


@pytest.mark.slow
def test_an_exposition_answers_its_subject_in_every_voice() -> None:
    """Subject, answer, subject, answer, a voice each; the answer is that of the knowledge base."""
    piece = made("fugue-exposition-4v", 0, "C major")
    themes = [
        each for each in piece.explanation["statements"] if each["kind"] in ("subject", "answer")
    ]
    assert [each["kind"] for each in themes] == ["subject", "answer"] * 2
    assert [each["bar"] for each in themes] == [1, 3, 7, 9]
    assert len({each["voice"] for each in themes}) == 4
    lines = {part.name: part.notes for part in piece.score.parts}
    subject, answer = (
        [
            note.pitch
            for note in lines[each["voice"]]
            if 4 * each["bar"] - 4 <= note.onset < 4 * each["bar"] + 4
        ]
        for each in themes[:2]
    )
    wanted = fugue_answer(subject, piece.score.key)
    assert [each.pitch_class for each in answer] == [each.pitch_class for each in wanted.pitches]
    assert f"answer, {wanted.kind}" in piece.summary["statements"]
    assert [each for each in piece.findings if each.severity == "E"] == []


@pytest.mark.slow
@pytest.mark.parametrize("interval", ["-P8", "-P5", "P4", "-M6"])
def test_a_canon_is_right_at_any_interval(interval: str) -> None:
    """The checker knows of the canon that was meant, and finds no error."""
    piece = made("canon", 1, "F major", ("interval", interval))
    assert [each for each in piece.findings if each.severity == "E"] == []
    assert not {"canon-strict"} & {each.rule for each in piece.work.report.skipped}


def test_what_a_technique_cannot_take_is_refused() -> None:
    """One line that names the option and what is allowed."""
    with pytest.raises(OptionError, match="interval must be an interval"):
        load_template("canon", settings={"interval": "ninth"})
    with pytest.raises(UnknownNameError, match="unknown parameter 'interval'"):
        load_template("round", settings={"interval": "P5"})
    with pytest.raises(OptionError, match="ground must be one in minor: folia"):
        piece_of(FormRequest(form="chaconne", key="D minor", settings={"ground": "ciaccona"}))
    theme = read_theme("C4:w D4:w E4:w")
    with pytest.raises(OptionError, match="theme must be"):
        piece_of(FormRequest(form="passacaglia", key="C minor", theme=theme))
    with pytest.raises(OptionError, match="technique"):
        form_work(FormRequest(form="canon"))
