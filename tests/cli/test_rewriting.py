"""infill and vary on the command line: what they write, what they say, what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from musegen.errors import InfeasibleError, MusegenError
from musegen.io.musicxml import write_musicxml
from musegen.io.musicxml_reading import read_musicxml
from musegen.io.musicxml_text import parse_text
from musegen.tasks.realise import realise
from musegen.tasks.writing import Options
from theory_kb.pitch import Pitch

CHORDS = "C major: I V6 I IV | V I vi ii6 | V I IV6 V | I ii6 V7 I"
RUN = ("--models", "none", "--no-audio")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four bars in four voices."""
    (made,) = realise(CHORDS, Options(models=(), temperature=0.0))
    path = tmp_path_factory.mktemp("piece") / "score.musicxml"
    path.write_bytes(write_musicxml(made.score))
    return path


def run(*arguments: str) -> str:
    """What a command prints; refusals are raised."""
    found = CliRunner().invoke(cli.app, arguments, catch_exceptions=True)
    if isinstance(found.exception, MusegenError):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found.stdout


def test_infill_writes_the_file_with_other_notes(file: Path, tmp_path: Path) -> None:
    """The score of the folder is the given file but for the notes that were asked for."""
    arguments = ("infill", str(file), "--bars", "2-3", "--voices", "alto,tenor", *RUN)
    table = json.loads(run(*arguments, "--out", str(tmp_path / "a"), "--json"))
    assert table["file"] == "every other byte as it was"
    assert table["new errors"] == "0"
    folder = Path(table["folder"])
    assert {"score.musicxml", "score.mid", "score.png", "explanation.json"} <= {
        path.name for path in folder.iterdir()
    }
    before, after = read_musicxml(file), read_musicxml(folder / "score.musicxml")
    assert before.parts[0] == after.parts[0]
    assert before.parts[3] == after.parts[3]
    assert before.parts[1:3] != after.parts[1:3]
    old, new = (path.read_bytes() for path in (file, folder / "score.musicxml"))
    text = parse_text(old, "old")
    second, fourth = (text.measures[0][number].children[0].start for number in (1, 3))
    assert new[:second] == old[:second]
    assert new.endswith(old[fourth:])
    again = run(*arguments, "--out", str(tmp_path / "b"), "--json")
    repeated = Path(json.loads(again)["folder"])
    for path in folder.iterdir():
        assert (repeated / path.name).read_bytes() == path.read_bytes(), path.name


def test_vary_ranks_alternatives(file: Path, tmp_path: Path) -> None:
    """A row for each alternative, best first, with its distances and its folder."""
    out = ("--out", str(tmp_path), "--json")
    rows = json.loads(
        run("vary", str(file), "--bars", "2", "--keep", "soprano,bass", "-n", "2", *RUN, *out)
    )
    assert [row["rank"] for row in rows] == [1, 2]
    for row in rows:
        assert row["differs from the piece"] != "0%"
        assert (
            read_musicxml(Path(row["folder"]) / "score.musicxml").parts[0]
            == (read_musicxml(file).parts[0])
        )


def test_given_notes_stand(file: Path, tmp_path: Path) -> None:
    """A row of chords is realised around the notes of a score."""
    table = json.loads(
        run("realise", CHORDS, "--given", str(file), *RUN, "--out", str(tmp_path), "--json")
    )
    made = read_musicxml(Path(table["folder"]) / "score.musicxml")
    assert [part.notes for part in made.parts] == [part.notes for part in read_musicxml(file).parts]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("infill", "--bars", "3-9", "--voices", "alto"), "from 1 to 4 in this piece"),
        (("infill", "--bars", "x", "--voices", "alto"), "bars as 3-4"),
        (("infill", "--bars", "2", "--voices", "viola"), "soprano, alto, tenor, bass"),
        (("infill", "--bars", "2", "--voices", "alto", "--lock", "alto"), "nothing of the alto"),
        (("infill", "--bars", "2", "--voices", "alto", "--lock", "2"), "--lock must be as soprano"),
        (("vary", "--keep", "soprano,alto,tenor,bass"), "fewer than all 4"),
        (("vary", "--keep", "alto", "--voices", "bass"), "left out where --keep is given"),
        (("vary", "-n", "0"), "from 1 to 50"),
    ],
)
def test_refusals_write_nothing(
    arguments: tuple[str, ...], problem: str, file: Path, tmp_path: Path
) -> None:
    """Each says in one line what is allowed, and no folder appears."""
    command, *options = arguments
    out = tmp_path / "out"
    with pytest.raises(MusegenError, match=problem) as refused:
        run(command, str(file), *options, *RUN, "--out", str(out))
    assert "\n" not in str(refused.value)
    assert not out.exists()


@pytest.mark.parametrize(
    "command", [("infill", "--voices", "tenor"), ("vary", "--keep", "soprano,alto,bass", "-n", "1")]
)
def test_json_says_why_there_is_no_solution(
    command: tuple[str, ...], file: Path, tmp_path: Path
) -> None:
    """An alto an octave lower leaves the tenor no way: the error stands on the standard output as an object."""
    piece = read_musicxml(file)
    down = Pitch.parse("C4") - Pitch.parse("C5")
    alto = tuple(replace(note, pitch=note.pitch + down) for note in piece.parts[1].notes)
    parts = (piece.parts[0], replace(piece.parts[1], notes=alto), *piece.parts[2:])
    low = tmp_path / "low.musicxml"
    low.write_bytes(write_musicxml(piece.with_parts(parts)))
    name, *options = command
    asked = (
        name,
        str(low),
        *options,
        "--bars",
        "1-2",
        *RUN,
        "--json",
        "--out",
        str(tmp_path / "o"),
    )
    found = CliRunner().invoke(cli.app, asked)
    assert isinstance(found.exception, InfeasibleError)
    assert json.loads(found.stdout)["error"] == str(found.exception)
    assert not (tmp_path / "o").exists()
