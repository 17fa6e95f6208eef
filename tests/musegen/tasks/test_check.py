from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from musegen import check_file
from musegen.errors import MusegenError, OptionError, OutputError, ScoreError, UnknownNameError
from musegen.report import CheckReport, Unreadable
from musegen.study import Study
from musegen.tasks.check import (
    CheckOptions,
    Output,
    both_move,
    check_files,
    check_single,
    checked_output,
    place_of,
)
from theory_kb.rules.examples import read_piece

FIFTHS = "**kern\t**kern\n*M4/4\t*M4/4\n4F\t4cc\n4G\t4dd\n4A\t4ff\n4G\t4gg\n*-\t*-\n"
CHORALE = "\n".join(
    "\t".join(line.split())
    for line in """**kern **kern **kern **kern
*M4/4 *M4/4 *M4/4 *M4/4
*C: *C: *C: *C:
4C 4e 4g 4cc
4F 4f 4a 4cc
4G 4d 4g 4b
4C 4e 4g 4cc;
*- *- *- *-""".splitlines()
)


def write(folder: Path, name: str, text: str) -> Path:
    """A file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_finding_has_number_place_voices_and_notes(tmp_path: Path) -> None:
    """Parallel fifths from beat 1 to beat 2 of bar 1 point at the four notes."""
    report = check_file(write(tmp_path, "fifths.krn", FIFTHS), style="strict")
    (found,) = [each for each in report.findings if each.rule == "parallel-fifth"]
    assert str(found.place) == "bar 1, beat 2"
    assert found.severity == "E"
    assert found.notes == ("p0n0", "p0n1", "p1n0", "p1n1")
    assert "C5-D5 over F3-G3" in found.message
    assert [each.number for each in report.findings] == list(range(1, len(report.findings) + 1))


def test_rules_on_unknown_harmony_are_skipped_not_guessed(tmp_path: Path) -> None:
    """In two voices the harmony is not analysed, unless it is asked for."""
    path = write(tmp_path, "fifths.krn", FIFTHS)
    report = check_file(path)
    assert report.harmony == (
        "not known: it has 2 voices, not four; --harmony analyses it all the same"
    )
    assert "the harmony is not known" in report.skipped_by_reason
    asked = check_file(path, harmony=True)
    assert asked.harmony.startswith("analysed in ")
    assert "the harmony is not known" not in asked.skipped_by_reason


def test_chorale_is_analysed_unless_that_is_switched_off(tmp_path: Path) -> None:
    """Four voices moving together have a harmony; the report says where it comes from."""
    path = write(tmp_path, "chorale.krn", CHORALE)
    report = check_file(path)
    assert report.harmony == "analysed in C major (the piece is like a chorale in four parts)"
    assert [each.numeral for each in report.score.chords] == ["I", "IV", "V", "I"]
    off = check_file(path, harmony=False)
    assert off.harmony == "not known: its analysis is switched off"
    assert off.score.chords == ()


def test_declared_key_cantus_and_species_reach_the_rules(tmp_path: Path) -> None:
    """What the caller declares is no longer a reason to skip."""
    path = write(tmp_path, "fifths.krn", FIFTHS)
    bare = check_file(path, style="fux2").skipped_by_reason
    told = check_file(
        path, style="fux2", key="F", cantus="part 2", species={"Part 1": 1}
    ).skipped_by_reason
    assert any("key" in reason for reason in bare)
    assert not any("key is not known" in reason for reason in told)
    assert not any("cantus" in reason or "species is declared" in reason for reason in told)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"cantus": "Viola"}, r"--cantus must be one of the voices Part 1, Part 2, got 'Viola'"),
        ({"species": {"Viola": 1}}, r"--species must be one of the voices"),
        ({"species": {"Part 1": 6}}, r"--species must be from 1 to 5, got 6"),
        ({"key": "H dur"}, r"key must look like"),
        ({"style": "baroque"}, r"unknown style"),
    ],
)
def test_wrong_declaration_is_refused(
    tmp_path: Path, options: dict[str, object], problem: str
) -> None:
    """A voice, species, key or style that is none names what is allowed."""
    path = write(tmp_path, "fifths.krn", FIFTHS)
    with pytest.raises(MusegenError, match=problem):
        check_file(path, **options)  # type: ignore[arg-type]


def test_more_voices_than_can_be_checked_are_refused(tmp_path: Path) -> None:
    """Nine spines are one voice too many."""
    text = "\n".join("\t".join([cell] * 9) for cell in ("**kern", "*M2/4", "4c", "4d", "*-"))
    with pytest.raises(ScoreError, match="nine: 9 voices, at most 8 can be checked"):
        check_file(write(tmp_path, "nine.krn", text))


def test_what_the_notation_does_not_say_is_remarked_on(tmp_path: Path) -> None:
    """No time signature, an unknown metre, a bar that is too short."""
    bare = check_file(write(tmp_path, "bare.krn", FIFTHS.replace("*M4/4\t*M4/4\n", "")))
    assert any("no time signature" in remark for remark in bare.remarks)
    assert "the metre is not known" in bare.skipped_by_reason
    strange = check_file(write(tmp_path, "strange.krn", FIFTHS.replace("4/4", "7/16")))
    assert "the metre 7/16 is not known: no rule on metre is judged" in strange.remarks
    bars = "**kern\n*M2/4\n4c\n4d\n=2\n4e\n=3\n4f\n4g\n=4\n2a\n*-\n"
    short = check_file(write(tmp_path, "short.krn", bars))
    assert short.remarks[0].startswith("bar 2 does not fill the metre")
    assert [each.rule for each in short.findings if each.rule == "bar-sum"] == ["bar-sum"]


def test_report_can_be_narrowed_and_keeps_its_numbers(tmp_path: Path) -> None:
    """By severity and by rule; numbers stay those of the whole."""
    report = check_file(write(tmp_path, "fifths.krn", FIFTHS), style="strict")
    errors = report.only(severity="E")
    assert {each.severity for each in errors.findings} == {"E"}
    assert set(errors.findings) < set(report.findings)
    one = report.only(rules=("parallel-fifth",))
    assert {each.rule for each in one.findings} == {"parallel-fifth"}
    assert report.by_rule["parallel-fifth"] == 1


def test_many_files_come_in_order_whatever_the_number_of_jobs(tmp_path: Path) -> None:
    """Two processes give the same outcomes as one; what cannot be read is told in its place."""
    paths = [
        write(tmp_path, "a.krn", FIFTHS),
        write(tmp_path, "b.krn", "**kern\n4z\n*-\n"),
        write(tmp_path, "c.abc", "X:1\nM:4/4\nL:1/4\nK:C\nC D E F\n\nX:2\nK:C\nC ]\n"),
    ]
    alone = list(check_files(paths, CheckOptions()))
    assert list(check_files(paths, CheckOptions(), jobs=2)) == alone
    kinds = [[type(each) for each in outcomes] for outcomes in alone]
    assert kinds == [[CheckReport], [Unreadable], [CheckReport, Unreadable]]
    with pytest.raises(OptionError, match="--jobs must be at least 1"):
        list(check_files(paths, CheckOptions(), jobs=0))


def test_study_counts_findings_over_moves(tmp_path: Path) -> None:
    """Two copies of a piece with three moves and one parallel fifth: 333 per 1000."""
    path = write(tmp_path, "fifths.krn", FIFTHS)
    study = Study()
    for outcomes in check_files([path, path], CheckOptions("strict")):
        study.add(outcomes)
    assert (study.pieces, study.moves) == (2, 6)
    (row,) = [each for each in study.rows if each.rule == "parallel-fifth"]
    assert (row.findings, row.pieces) == (2, 2)
    assert row.rate == pytest.approx(1000 / 3)


def test_moves_are_those_at_which_both_voices_go_on_to_another_note() -> None:
    """Neither oblique motion nor a note after a rest nor a repeated one is a move."""
    piece = read_piece("S: C5 D5 _ E5 - F5 F5 | B: C4 D4 E4 E4 F4 G4 A4")
    assert both_move(piece.surface).tolist() == [0, 1, 0, 0, 0, 0, 0]
    three = read_piece("S: C5 D5 | A: E4 F4 | B: C3 D3")
    assert both_move(three.surface).tolist() == [0, 3]
    assert both_move(piece.surface[:0]).dtype == np.int64


def test_piece_of_a_file_of_several_is_asked_for_by_number(tmp_path: Path) -> None:
    """Without a number a file of two tunes is refused; with one the tune comes, or its refusal."""
    path = write(tmp_path, "two.abc", "X:1\nM:2/4\nL:1/4\nK:C\nC D\n\nX:2\nK:C\nC ]\n")
    with pytest.raises(OptionError, match="piece must be a number from 1 to 2"):
        check_file(path)
    assert check_single(path, CheckOptions(), number=1).report.name == "two 1"
    with pytest.raises(ScoreError, match="line 9"):
        check_single(path, CheckOptions(), number=2)
    with pytest.raises(OptionError, match="piece must be from 1 to 2, got 3"):
        check_single(path, CheckOptions(), number=3)


def test_beats_of_a_place_are_those_of_its_metre(tmp_path: Path) -> None:
    """In 6/8 the second dotted quarter is beat 2; after a change to 2/4 a quarter is a beat."""
    text = "**kern\n*M6/8\n4.c\n4.d\n=2\n*M2/4\n4e\n4f\n*-\n"
    score = check_single(write(tmp_path, "mixed.krn", text), CheckOptions()).score
    onsets = [Fraction(3, 2), Fraction(3), Fraction(4)]
    assert [str(place_of(score, onset)) for onset in onsets] == [
        "bar 1, beat 2",
        "bar 2, beat 1",
        "bar 2, beat 2",
    ]


def test_wanted_files_are_refused_before_the_work(tmp_path: Path) -> None:
    """A page of two scores, over the checked score, over what is there, or in no folder."""
    score = write(tmp_path, "a.krn", FIFTHS)
    there = write(tmp_path, "there.html", "")
    cases: list[tuple[Output, list[Path], type[Exception]]] = [
        (Output(html=tmp_path / "a.html"), [score, score], OptionError),
        (Output(annotated=score, force=True), [score], OptionError),
        (Output(html=there), [score], OutputError),
        (Output(html=tmp_path), [score], OutputError),
        (Output(html=score / "a.html"), [score], OutputError),
        (Output(html=there, annotated=there, force=True), [score], OptionError),
        (Output("X"), [score], OptionError),
        (Output(rules=("no-such",)), [score], UnknownNameError),
    ]
    for output, paths, error in cases:
        with pytest.raises(error):
            checked_output(output, paths)
    checked_output(Output(html=there, force=True), [score])


def test_report_shows_itself_in_a_notebook(tmp_path: Path) -> None:
    """The picture has coloured notes and a table of findings."""
    report = check_file(write(tmp_path, "fifths.krn", FIFTHS), style="strict")
    html = report._repr_html_()
    assert 'class="note found-E"' in html
    assert "parallel-fifth" in html
