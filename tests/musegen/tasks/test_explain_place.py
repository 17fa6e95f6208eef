from __future__ import annotations

import pytest

from musegen.errors import OptionError
from musegen.io.place_text import place_lines
from musegen.tasks.check import CheckOptions, Judged, check_single
from musegen.tasks.explain_place import explain_finding, explain_place

CHORALE = "\n".join(
    "\t".join(line.split())
    for line in """**kern **kern **kern **kern
*M4/4 *M4/4 *M4/4 *M4/4
*C: *C: *C: *C:
*Ibass *Itenor *Ialto *Isoprn
4C 4e 4g 8cc
. . . 8dd
4C 4e 4g 4ee
4G 4d 4g 4b
4C; 4e; 4g; 4cc;
=2 =2 =2 =2
4D 4f 4a 4dd
4G 4d 4g 4b
2C 2e 2g 2cc
*- *- *- *-""".splitlines()
)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Two phrases of a chorale, with fifths and octaves into the second."""
    path = tmp_path_factory.mktemp("scores") / "chorale.krn"
    path.write_text(CHORALE, encoding="utf-8")
    return check_single(path, CheckOptions())


def test_place_says_what_sounds_and_what_it_is(judged: Judged) -> None:
    """On the off-beat of bar 1 the soprano passes over the held tonic chord."""
    found = explain_place(judged, 1, 1.5)
    assert str(found.place) == "bar 1, beat 1.5"
    assert (found.chord, found.key) == ("I", "C major")
    soprano, alto, tenor, bass = found.notes
    assert (soprano.pitch, soprano.struck, soprano.role) == ("D5", True, "passing")
    assert (alto.pitch, alto.struck, alto.role) == ("G4", False, "fifth of the chord")
    assert tenor.interval == "M10"
    assert bass.interval == ""


def test_time_between_attacks_is_that_of_the_attack_before(judged: Judged) -> None:
    """Beat 3.5 of bar 1 sounds what was struck on beat 3."""
    assert str(explain_place(judged, 1, 3.5).place) == "bar 1, beat 3"


def test_voice_narrows_what_is_said(judged: Judged) -> None:
    """Only the tenor's note, and only what concerns the tenor."""
    found = explain_place(judged, 2, 1, "tenor")
    assert [note.voice for note in found.notes] == ["Tenor"]
    assert all("Tenor" in finding.voices for finding in found.findings)


def test_boundary_that_excuses_parallels_is_told(judged: Judged) -> None:
    """Octaves from C-C to D-D over the fermata are excused by the phrase boundary."""
    found = explain_place(judged, 2, 1)
    assert "parallel-octave" not in {finding.rule for finding in found.findings}
    excused = {each.rule: each for each in found.excused}
    assert excused["parallel-octave"].by == "across a phrase boundary"
    assert "from one octave to another" in excused["parallel-octave"].message


def test_rules_that_were_judged_are_those_kept_and_those_that_spoke(judged: Judged) -> None:
    """Nothing is said of a rule that was skipped."""
    found = explain_place(judged, 1, 3)
    skipped = {each.rule for each in judged.report.skipped}
    assert not skipped & set(found.kept)
    spoke = {finding.rule for finding in found.findings}
    spoke |= {name for finding in found.findings for name in finding.also}
    assert len(found.kept) + len(spoke) >= judged.report.judged


@pytest.mark.parametrize(
    ("bar", "beat", "voice", "problem"),
    [
        (3, 1.0, None, r"--bar must be from 1 to 2, got 3"),
        (1, 5.0, None, r"--beat must be at least 1 and less than 5, got '5'"),
        (1, 0.5, None, r"--beat"),
        (1, 1.0, "Viola", r"--voice must be one of Soprano, Alto, Tenor, Bass, got 'Viola'"),
    ],
)
def test_place_that_is_none_is_refused(
    judged: Judged, bar: int, beat: float, voice: str | None, problem: str
) -> None:
    """Bar, beat and voice name what is allowed."""
    with pytest.raises(OptionError, match=problem):
        explain_place(judged, bar, beat, voice)


def test_finding_is_explained_by_its_number(judged: Judged) -> None:
    """Each number of the report leads to its place; another is refused."""
    for finding in judged.report.findings:
        found, explanation = explain_finding(judged, finding.number)
        assert found is finding
        assert explanation.place == finding.place
        assert finding in explanation.findings
    with pytest.raises(OptionError, match=r"--finding must be"):
        explain_finding(judged, len(judged.report.findings) + 1)


def test_explanation_in_words_and_as_values(judged: Judged) -> None:
    """Both name chord, notes, findings, excuses and the rules that were kept."""
    found = explain_place(judged, 2, 1)
    text = "\n".join(place_lines(found))
    assert text.startswith("bar 2, beat 1\n  Soprano: D5, ")
    assert f"chord: {found.chord} in C major" in text
    assert "parallel-octave is excused (across a phrase boundary): " in text
    assert f"{len(found.kept)} other rules were judged and say nothing here" in text
    record = found.as_json()
    assert record["notes"][0]["pitch"] == "D5"
    assert record["kept"] == list(found.kept)
