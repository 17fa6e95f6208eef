"""musegen edit: versions that are kept, what stays, what differs, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from musegen.errors import MusegenError
from musegen.io.musicxml import write_musicxml
from musegen.io.musicxml_reading import read_musicxml
from musegen.tasks.realise import realise
from musegen.tasks.writing import Options

CHORDS = "C major: I V6 I IV | V I vi ii6 | V I IV6 V | I ii6 V7 I"
RUN = ("--models", "none", "--no-audio")


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four bars in four voices, their second and third bar written anew twice."""
    (made,) = realise(CHORDS, Options(models=(), temperature=0.0))
    folder = tmp_path_factory.mktemp("work") / "piece"
    folder.mkdir()
    (folder / "score.musicxml").write_bytes(write_musicxml(made.score))
    run("edit", str(folder), "--regenerate", "bars=2-3", "--lock", "soprano", "-n", "2", *RUN)
    return folder


@pytest.fixture
def folder(composed: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(composed, tmp_path / "piece"))


def run(*arguments: str) -> str:
    """What a command prints; refusals are raised."""
    found = CliRunner().invoke(cli.app, arguments, catch_exceptions=True)
    if isinstance(found.exception, MusegenError):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found.stdout


def versions(folder: Path) -> list[dict[str, object]]:
    """The table of versions."""
    found: list[dict[str, object]] = json.loads(run("edit", str(folder), "--json"))
    return found


def test_alternatives_are_ranked_versions_and_the_best_is_the_piece(folder: Path) -> None:
    """The old score is version 1; the new ones keep the soprano and the other bars."""
    rows = versions(folder)
    assert [(row["version"], row["current"], row["from"], row["rank"]) for row in rows] == [
        (1, "", "-", "-"),
        (2, "*", 1, 1),
        (3, "", 1, 2),
    ]
    scores = [read_musicxml(folder / "versions" / str(n) / "score.musicxml") for n in (1, 2, 3)]
    assert scores[0].parts[0] == scores[1].parts[0] == scores[2].parts[0]
    assert len({score.parts for score in scores}) == 3
    for score in scores[1:]:
        for old, new in zip(scores[0].parts, score.parts, strict=True):
            assert [n for n in old.notes if n.end <= 4 or n.onset >= 12] == [
                n for n in new.notes if n.end <= 4 or n.onset >= 12
            ]
    assert (folder / "score.musicxml").read_bytes() == (
        folder / "versions" / "2" / "score.musicxml"
    ).read_bytes()


def test_versions_differ_as_text(folder: Path) -> None:
    """A line a bar and voice, gone or come, of the bars that were written anew alone."""
    lines = run("edit", str(folder), "--diff", "1", "2").splitlines()
    assert lines[:2] == ["--- version 1", "+++ version 2"]
    assert {line[1:].split()[1] for line in lines[2:]} == {"2", "3"}
    assert not any("Soprano" in line for line in lines)
    assert run("edit", str(folder), "--diff", "2", "2") == ""


def test_an_earlier_version_can_be_used_again(folder: Path) -> None:
    """What it was is the piece again, and nothing is lost; the next edit starts from there."""
    run("edit", str(folder), "--use", "1")
    first = folder / "versions" / "1" / "score.musicxml"
    assert (folder / "score.musicxml").read_bytes() == first.read_bytes()
    run("edit", str(folder), "--regenerate", "alto:2", "--keep-harmony", *RUN)
    assert [(row["version"], row["from"]) for row in versions(folder)][-1] == (4, 1)
    origin = json.loads((folder / "provenance.json").read_text())
    assert [step["regenerate"] for step in origin["edits"]] == ["alto:2"]
    assert origin["edits"][0]["keep_harmony"] is True


def test_what_was_changed_by_hand_is_a_version(folder: Path) -> None:
    """A file that another program wrote is kept before anything is written over it."""
    path = folder / "score.musicxml"
    changed = path.read_bytes().replace(b"<!-- ", b"<!--  ").replace(b"musegen", b"my hand")
    path.write_bytes(changed)
    rows = versions(folder)
    assert (rows[-1]["version"], rows[-1]["how"], rows[-1]["current"]) == (
        4,
        "changed by hand",
        "*",
    )
    assert (folder / "versions" / "4" / "score.musicxml").read_bytes() == changed


@pytest.mark.slow
def test_the_same_edit_with_the_same_seed_gives_the_same_bytes(folder: Path) -> None:
    """Seeds alone choose."""
    for _ in range(2):
        run("edit", str(folder), "--use", "1")
        run("edit", str(folder), "--regenerate", "tenor:3", "--seed", "5", *RUN)
    one, two = (folder / "versions" / n / "score.musicxml" for n in ("4", "5"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--regenerate", "bars=9"], "from 1 to 4 in this piece"),
        (["--regenerate", "flute"], "--regenerate must be one of soprano"),
        (["--regenerate", "alto:2.1"], "--regenerate must be bars=5-8"),
        (["--use", "7"], "version must be from 1 to 3"),
        (["--diff", "1", "7"], "version must be from 1 to 3"),
        (["--use", "1", "--diff", "1", "2"], "--use must be left out beside --diff"),
    ],
)
def test_what_cannot_be_is_refused(folder: Path, arguments: list[str], message: str) -> None:
    """One line says what is allowed; no version is added."""
    with pytest.raises(MusegenError, match=message):
        run("edit", str(folder), *arguments, *RUN)
    assert len(versions(folder)) == 3


def test_a_tune_over_an_accompaniment_and_a_strange_folder_are_refused(
    folder: Path, tmp_path: Path
) -> None:
    """Neither is a row of chords in voices; a damaged record is said to be one."""
    with pytest.raises(MusegenError, match=r"holds no score.musicxml"):
        run("edit", str(tmp_path))
    for text, message in (
        ('{"sections": []}', "tune above an accompaniment"),
        ("{", r"explanation\.json: is damaged"),
    ):
        (folder / "explanation.json").write_text(text)
        with pytest.raises(MusegenError, match=message):
            run("edit", str(folder), "--regenerate", "bars=2", *RUN)
    (folder / "versions" / "history.json").write_text("[]")
    with pytest.raises(MusegenError, match="is damaged"):
        run("edit", str(folder))
