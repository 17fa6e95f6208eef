"""Scores unlike a chorale: each has a sensible analysis, in every form it is told, or one refusal."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from musegen.analysis.analyse import analyse
from musegen.analysis.result import Analysis
from musegen.errors import MusegenError
from musegen.io.analysis_text import analysis_lines, analysis_record, romantext
from musegen.io.musicxml import write_musicxml
from musegen.score import Metre, Note, Part, Score
from musegen.tasks.analyse import AnalyseOptions, analyse_files
from theory_kb.pitch import Key, Pitch


def line(name: str, text: str) -> Part:
    """A part from `pitch:quarters` words, `-` a rest."""
    notes, time = [], Fraction(0)
    for word in text.split():
        pitch, _, length = word.partition(":")
        duration = Fraction(length or "1")
        if pitch != "-":
            notes.append(Note(time, duration, Pitch.parse(pitch)))
        time += duration
    return Part(name, tuple(notes))


def made(*texts: str, metres: tuple[Metre, ...] = (Metre(4, 4),), upbeat: int = 0) -> Score:
    """A score of some lines, high to low."""
    parts = tuple(line(f"V{place}", text) for place, text in enumerate(texts, 1))
    return Score("odd", Key.parse("C major"), parts, metres, Fraction(upbeat))


CLUSTER = tuple(f"{name}4:4 {name}4:4" for name in ("G", "F#", "F", "E", "Eb", "D", "Db", "C"))
SCALE = "C4 D4 E4 F4 G4 A4 B4 C5"
THIRTEEN_SIXTEENTHS = Metre(13, 16)
CASES = {  # score, chords that are told, what a remark says
    "one note": (made("C4:4"), ["I"], "one part alone"),
    "one chord": (made("G4:4", "E4:4", "C4:4"), ["I"], ""),
    "one note again and again": (made("C4 C4 C4 C4"), ["I"], "one part alone"),
    "a scale": (made(SCALE), None, "one part alone"),
    "a cluster": (made(*CLUSTER), None, "foreign to the chords"),
    "twenty parts": (made(*(["G5:4", "E5:4", "C5:4", "G3:4", "C3:4"] * 4)), ["I"], "20 parts"),
    "an empty part": (made("G4:4", "-:4", "C4:4"), ["I"], ""),
    "a rest of all parts first": (made("-:4 G4:4", "-:4 E4:4", "-:4 C4:4"), ["I"], ""),
    "a rest of all parts inside": (
        made("G4:4 -:8 E4:4", "E4:4 -:8 C4:4", "C4:4 -:8 C4:4"),
        ["I", "I"],
        "",
    ),
    "an upbeat": (made("G4 C5:3 B4:3 C5:2", "- E3:3 D3:3 E3:2", upbeat=1), None, ""),
    "changes of metre": (
        made(
            "C5 E5 C5:2 B4:3 C5:7/2",
            "G4 G4 G4:2 G4:3 G4:7/2",
            "C3 C3 C3:2 G3:3 C3:7/2",
            metres=(Metre(4, 4), Metre(3, 4, Fraction(4)), Metre(7, 8, Fraction(7))),
        ),
        ["I", "V", "I"],
        "",
    ),
    "a metre that is not known": (
        made("C4:13/4 G4:13/4", metres=(THIRTEEN_SIXTEENTHS,)),
        None,
        "one part",
    ),
    "sixty-fourths": (made(" ".join(["C4:1/16", "E4:1/16", "G4:1/16"] * 8)), ["I"], "one part"),
    "quintuplets": (made("C4:2/5 E4:2/5 G4:2/5 E4:2/5 C4:2/5", "C3:2"), ["I"], ""),
    "a note of a hundred bars": (made("C4:400"), ["I"], "one part alone"),
    "crossed parts": (made("C3:4", "E4:4", "G4:4"), ["I"], ""),
    "double sharps": (made("B#4 C#5", "F##4 E#4", "D#4 C#4", "D#3 C#3"), None, ""),
}


def whole(found: Analysis) -> None:
    """What every analysis keeps: chords in order within the piece, at most one cadence a phrase, told."""
    ends = [each.onset + each.duration for each in found.chords]
    starts = [each.onset for each in found.chords]
    assert starts == sorted(starts)
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    assert ends[-1] <= found.score.duration
    assert all(0 < each.probability <= 1 + 1e-9 for each in found.chords)
    assert 1 <= len(found.cadences) <= len(found.phrases)
    assert "chords" in list(analysis_lines(found))
    assert len(analysis_record(found)["chords"]) == len(found.chords)
    assert romantext(found).count("\nm") >= 1
    assert write_musicxml(found.annotated)


@pytest.mark.parametrize("name", CASES)
def test_an_odd_score_has_a_sensible_analysis(name: str) -> None:
    """Chords as the book would tell them, a remark where they are doubtful, no failure anywhere."""
    score, chords, remark = CASES[name]
    found = analyse(score)
    whole(found)
    if chords is not None:
        assert [each.numeral for each in found.chords] == chords
    assert not remark or any(remark in each for each in found.remarks)


def test_a_chord_after_a_general_rest_begins_where_it_sounds() -> None:
    """Bars of silence belong to no chord."""
    found = analyse(CASES["a rest of all parts inside"][0])
    assert [(each.onset, each.duration) for each in found.chords] == [
        (Fraction(0), Fraction(4)),
        (Fraction(12), Fraction(4)),
    ]
    first = analyse(CASES["a rest of all parts first"][0])
    assert [each.onset for each in first.chords] == [4]


# --- files ----------------------------------------------------------------------------------

TUNE = "".join(
    f"<note><pitch><step>{step}</step>{{alter}}<octave>4</octave></pitch><duration>1</duration>"
    "</note>"
    for step in "CEGE"
)
DRUMS = (
    "<note><unpitched><display-step>E</display-step><display-octave>4</display-octave></unpitched>"
    "<duration>1</duration></note>" * 4
)
REST = "<note><rest/><duration>4</duration></note>"
FIRST = (
    "<attributes><divisions>1</divisions><key><fifths>0</fifths></key>"
    "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
)


def sheet(path: Path, **parts: str) -> Path:
    """A file of parts of one bar each."""
    names = "".join(
        f'<score-part id="P{n}"><part-name>{name}</part-name></score-part>'
        for n, name in enumerate(parts)
    )
    bars = "".join(
        f'<part id="P{n}"><measure number="1">{FIRST}{notes}</measure></part>'
        for n, notes in enumerate(parts.values())
    )
    path.write_text(
        f'<score-partwise version="4.0"><part-list>{names}</part-list>{bars}</score-partwise>'
    )
    return path


PLAIN = TUNE.format(alter="")


def test_percussion_beside_other_parts_is_left_out_and_said(tmp_path: Path) -> None:
    """The drums stand first in the file; the tune is analysed all the same."""
    path = sheet(tmp_path / "band.musicxml", Drums=DRUMS, Tune=PLAIN)
    (found,) = analyse_files([path], AnalyseOptions())
    assert found.analysis is not None
    assert "Drums: percussion left out" in found.analysis.remarks
    assert [part.name for part in found.analysis.score.parts] == ["Tune"]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"Drums": DRUMS}, "bar 1: a note without pitch; take its part out"),
        ({"Tune": TUNE.format(alter="<alter>0.5</alter>")}, "bar 1: C altered by 0.5 lies between"),
        ({"Tune": REST}, "holds no note"),
    ],
)
def test_what_cannot_be_analysed_is_refused_in_one_line(
    tmp_path: Path, parts: dict[str, str], said: str
) -> None:
    """The refusal names the file, the bar, what came and what is allowed."""
    path = sheet(tmp_path / "odd.musicxml", **parts)
    (found,) = analyse_files([path], AnalyseOptions())
    assert found.analysis is None
    assert "odd.musicxml" in found.problem
    assert said in found.problem
    assert "\n" not in found.problem


def test_a_score_without_a_note_is_refused() -> None:
    """Parts of rests alone hold nothing to analyse."""
    with pytest.raises(MusegenError, match="no notes"):
        analyse(made("-:4", "-:4"))
