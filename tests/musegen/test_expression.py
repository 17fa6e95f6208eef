"""How scores are played: marks, loudness, tempo, touches; notes stay, and what is written is heard."""

import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from functools import cache
from io import BytesIO

import mido
import pytest

from musegen.errors import OptionError
from musegen.io.midi import program_of, write_midi
from musegen.io.musicxml import write_musicxml
from musegen.score import ChordSymbol, Direction, Metre, Note, Part, Score
from musegen.tasks.compose_form import FormRequest, as_played, form_work
from musegen.textures.expression import expressed
from theory_kb.pitch import Key, Pitch


def tune(text: str, *, words: str = "", mark: str = "mf", tempo: float = 72) -> Score:
    """A tune of quarters in 4/4, or of `pitch:length` words; `-` rests."""
    notes, time = [], Fraction(0)
    for word in text.split():
        pitch, _, length = word.partition(":")
        duration = Fraction(length or 1)
        if pitch != "-":
            notes.append(Note(time, duration, Pitch.parse(pitch)))
        time += duration
    told = [("dynamics", mark), *([("words", words)] if words else [])]
    directions = tuple(Direction(Fraction(0), kind, text) for kind, text in told)
    score = Score("x", Key.parse("C"), (Part("Tune", tuple(notes)),), (Metre(4, 4),))
    return replace(score, directions=directions, tempo=tempo)


@cache
def ternary() -> Score:
    """A piece for keyboard with a softer middle, with expression."""
    return form_work(FormRequest(form="small-ternary", seed=2, key="G major")).score


def slurs(score: Score) -> list[tuple[float, float]]:
    """Onsets of the first and the last note under each slur."""
    how = expressed(score).expression
    assert how is not None
    return [(float(each.start), float(each.end)) for each in how.slurs]


def events(score: Score, kind: str) -> list[mido.Message]:
    """Messages of one kind of the file, at absolute ticks."""
    found = []
    for track in mido.MidiFile(file=BytesIO(write_midi(score))).tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == kind:
                found.append(message.copy(time=now))
    return found


# --- slurs and touches ----------------------------------------------------------------------


def test_a_slur_ends_at_the_bar_a_rest_a_leap_and_a_note_struck_again() -> None:
    """Steps and thirds within a bar go under one slur, nothing else."""
    assert slurs(tune("C4 D4 E4 F4 G4 F4 E4 D4")) == [(0, 3), (4, 7)]
    assert slurs(tune("C4 D4 - F4 G4 F4 E4 E4")) == [(0, 1), (4, 6)]
    assert slurs(tune("C4 D4 A4 B4 C5:4")) == [(0, 1), (2, 3)]


def test_manners_phrase_by_the_words() -> None:
    """Legato slurs two bars, staccato none, and strikes its quarters short."""
    line = "C4 D4 E4 F4 G4 F4 E4 D4"
    assert slurs(tune(line, words="legato")) == [(0, 7)]
    how = expressed(tune(line, words="staccato")).expression
    assert how is not None
    assert how.slurs == ()
    assert {each.kind for each in how.touches} == {"staccato"}
    assert len(how.touches) == 7  # the last note of a phrase is held


def test_words_hold_for_their_section() -> None:
    """After a legato middle the theme is phrased as it was at first."""
    score = ternary()
    assert score.expression is not None
    starts = [each.onset for each in score.directions if each.kind == "section"]
    spans = [(each.start, each.end) for each in score.expression.slurs]
    first, again = (
        [(a - start, b - start) for a, b in spans if start <= a < start + 9]
        for start in (starts[0], starts[2])
    )
    assert first == again


def test_a_syncopation_has_an_accent() -> None:
    """A half note on the second quarter is held over the stronger third."""
    how = expressed(tune("C4 E4:2 G4 C5:4")).expression
    assert how is not None
    assert [(float(each.onset), each.kind) for each in how.touches] == [(1, "accent")]


def test_a_figure_and_a_lead_sheet_have_no_slurs() -> None:
    """Notes that the hands share are no line; a tune with chord symbols is left to its players."""
    assert slurs(tune("C4:1/2 D4:1/2 -:1/2 E4:1/2 F4:1/2 -:1/2 G4:1/2 -:1/2 C4:4")) == []
    line = tune("C4 D4 E4 F4")
    symbol = ChordSymbol(Fraction(0), Key.parse("C").tonic, "maj")
    assert slurs(line) != slurs(replace(line, symbols=(symbol,))) == []


def test_a_choir_has_no_slurs() -> None:
    """Four voices are sung by their words: dynamics and tempo alone are shaped."""
    line = Part("x", tune("C4 D4 E4 F4").parts[0].notes)
    how = expressed(replace(tune("C4"), parts=(line,) * 4)).expression
    assert how is not None
    assert (how.slurs, how.touches, how.program) == ((), (), 52)


# --- loudness -------------------------------------------------------------------------------


def test_loudness_follows_the_marks() -> None:
    """The same tune is louder under f than under p, note by note."""
    line = "C4 D4 E4 F4 G4 F4 E4 D4"
    loud, soft = (expressed(tune(line, mark=mark)).expression for mark in ("f", "p"))
    assert loud is not None
    assert soft is not None
    pairs = list(zip(loud.velocities[0], soft.velocities[0], strict=True))
    assert {high - low for high, low in pairs} == {96 - 49}


def test_a_phrase_swells_to_its_top() -> None:
    """On beats of one strength loudness rises to the highest note and falls after it."""
    how = expressed(tune("C4:4 E4:4 G4:4 C5:4 G4:4 E4:4 C4:4")).expression
    assert how is not None
    line = how.velocities[0]
    assert list(line[:4]) == sorted(line[:4])
    assert list(line[3:]) == sorted(line[3:], reverse=True)
    assert [each.louder for each in how.hairpins] == [True, False]


def test_the_left_hand_stays_under_the_tune() -> None:
    """At one time the tune is the loudest."""
    score = ternary()
    how = score.expression
    assert how is not None
    tops = {
        note.onset: velocity
        for note, velocity in zip(score.parts[0].notes, how.velocities[0], strict=True)
    }
    for part, line in list(zip(score.parts, how.velocities, strict=True))[1:]:
        pairs = [
            (tops[note.onset], velocity)
            for note, velocity in zip(part.notes, line, strict=True)
            if note.onset in tops
        ]
        assert pairs
        assert all(top > low for top, low in pairs)


# --- tempo ----------------------------------------------------------------------------------


def test_the_end_slows_down_as_a_runner_stops() -> None:
    """The tempo falls by q = 3 towards three fifths; halfway the share is the model's."""
    how = expressed(tune("C4 " * 16, tempo=100)).expression
    assert how is not None
    tempos = dict(how.tempos)
    assert tempos[Fraction(12)] == pytest.approx(100 * (1 + (0.6**3 - 1) / 2) ** (1 / 3), abs=0.01)
    last = [tempo for _, tempo in how.tempos]
    assert last == sorted(last, reverse=True)
    assert all(tempo > 60 for tempo in last)


def test_tempo_comes_back_after_each_close_but_the_last() -> None:
    """Sections begin in their tempo."""
    score = ternary()
    assert score.expression is not None
    tempos = dict(score.expression.tempos)
    inner = [end for end in score.phrase_ends if end < score.duration]
    assert inner
    assert {tempos[end] for end in inner} == {score.tempo}


# --- files ----------------------------------------------------------------------------------


def test_notes_stay_and_what_is_written_is_heard() -> None:
    """With and without expression the keys and onsets are the same; tempos and loudness are its own."""
    score = ternary()
    plain = replace(score, expression=None)
    struck = [
        [(each.time, each.note) for each in events(one, "note_on") if each.velocity]
        for one in (score, plain)
    ]
    assert struck[0] == struck[1]
    assert score.expression is not None
    assert {each.velocity for each in events(plain, "note_on")} == {0, 80}
    heard = Counter(each.velocity for each in events(score, "note_on") if each.velocity)
    assert heard == Counter(v for line in score.expression.velocities for v in line)
    assert len(events(score, "set_tempo")) == len(score.expression.tempos)
    assert len(events(plain, "set_tempo")) == 1


def test_slurs_and_hairpins_begin_and_stop() -> None:
    """In MusicXML each has its two ends, and each touch stands at its note."""
    score = ternary()
    how = score.expression
    assert how is not None
    root = ET.fromstring(write_musicxml(score))
    kinds = Counter(each.get("type") for each in root.iter("slur"))
    assert kinds["start"] == kinds["stop"] == len(how.slurs)
    wedges = Counter(each.get("type") for each in root.iter("wedge"))
    assert wedges["stop"] == wedges["crescendo"] + wedges["diminuendo"] == len(how.hairpins)
    assert len(list(root.iter("articulations"))) == len(how.touches)
    assert len([each for each in root.iter("words") if each.text == "rit."]) == 1


def test_staccato_is_half_its_value() -> None:
    """A short note apart is let go at its half, one under a slur is held to the next."""
    ons = events(expressed(tune("C4:1/2 C4:1/2 D4 E4:2", words="usual")), "note_on")
    keys = [(each.time, each.note, bool(each.velocity)) for each in ons]
    assert (120, 60, False) in keys  # the first C: half of 240 ticks
    assert (960, 62, False) in keys  # the D, until the E


def test_instruments_have_names_and_numbers() -> None:
    """General MIDI counts from 1; what it does not know is refused with what is near."""
    assert program_of("Flute") == program_of("74") == 73
    with pytest.raises(OptionError, match="such as 'Flute'"):
        program_of("Flaute")
    assert as_played("Flute") == {"expression": True, "program": 73}
    assert as_played("plain") == {"expression": False}


def test_without_expression_a_piece_is_as_it_was() -> None:
    """`expression=False` leaves everything out that it adds."""
    score = form_work(FormRequest(form="period-parallel", key="C", expression=False)).score
    assert score.expression is None
    assert "slur" not in write_musicxml(score).decode()
