"""The commands check, explain and rules: what they print, write and refuse, with which exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli

ROOT = Path(__file__).resolve().parents[2]
# A shell starts what runs in the background with interrupts ignored; the tests send some.
HEED_INTERRUPT = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
FIFTHS = "**kern\t**kern\n*M4/4\t*M4/4\n4F\t4cc\n4G\t4dd\n4A\t4ff\n4G\t4gg\n*-\t*-\n"
CLEAN = "**kern\t**kern\n*M2/4\t*M2/4\n4C\t4g\n4D\t4f\n=2\t=2\n2C\t2e\n*-\t*-\n"
BAD = "**kern\n4z\n*-\n"


def musegen(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-c", "import cli; cli.main()", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def invoke(*arguments: object) -> tuple[int, str]:
    """Run the command here; gives exit code and output."""
    run = CliRunner().invoke(cli.app, [str(each) for each in arguments], catch_exceptions=False)
    return run.exit_code, run.stdout


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """A folder with a faulty piece, a clean one, and one that cannot be read."""
    folder = tmp_path / "scores"
    (folder / "more").mkdir(parents=True)
    for name, text in (("a.krn", FIFTHS), ("b.krn", BAD), ("more/c.krn", CLEAN)):
        (folder / name).write_text(text)
    return folder


def test_exit_code_says_whether_there_is_an_error(scores: Path) -> None:
    """1 with an error, 0 without, also where the errors are filtered out."""
    code, text = invoke("check", scores / "a.krn", "--style", "strict")
    assert code == 1
    assert "E bar 1, beat 2, Part 1 and Part 2: parallel-fifth" in text
    assert invoke("check", scores / "more" / "c.krn", "--severity", "E", "-q") == (0, "")
    assert invoke("check", scores / "a.krn", "--rule", "bar-sum", "-q") == (0, "")


def test_folder_is_studied_and_what_cannot_be_read_is_told_at_the_end(scores: Path) -> None:
    """The other files are checked all the same; the exit code is 2."""
    run = musegen("check", scores, "--style", "strict", "--summary", cwd=scores)
    assert run.returncode == 2
    lines = run.stdout.splitlines()
    assert lines[0].startswith(f"{scores / 'a.krn'}: a: ")
    assert lines[1].startswith(f"{scores / 'more' / 'c.krn'}: c: ")
    assert lines[2].split() == ["findings", "pieces", "per", "1000", "moves", "rule"]
    assert "2 pieces with 5 moves of two voices, 1 could not be checked" in lines[-1]
    assert run.stderr == "musegen: b.krn, line 2: '4z' is neither note nor rest\n"


def test_json_holds_all_that_is_known(scores: Path) -> None:
    """Findings, skipped rules, remarks, the study, and what could not be read."""
    code, text = invoke("check", scores, "--json")
    assert code == 2
    record = json.loads(text)
    assert [piece["name"] for piece in record["pieces"]] == ["a", "c"]
    first = record["pieces"][0]
    assert {"findings", "skipped", "remarks", "harmony", "counts", "moves"} <= set(first)
    assert record["study"]["unreadable"][0]["file"] == str(scores / "b.krn")


def test_sarif_is_printed_alone(scores: Path) -> None:
    """Nothing else stands in the output."""
    code, text = invoke("check", scores / "a.krn", "--style", "strict", "--sarif")
    assert code == 1
    assert json.loads(text)["version"] == "2.1.0"


def test_page_and_coloured_score_are_written_and_not_over_others(
    scores: Path, tmp_path: Path
) -> None:
    """A second run is refused without --force, before anything is printed; the score reads back."""
    page, score = tmp_path / "page.html", tmp_path / "coloured.musicxml"
    wanted = ["check", scores / "a.krn", "--html", page, "--annotated", score]
    assert musegen(*wanted, cwd=tmp_path).returncode == 1
    before = page.read_bytes(), score.read_bytes()
    again = musegen(*wanted, cwd=tmp_path)
    assert again.returncode == 2
    assert again.stdout == ""
    assert "--force" in again.stderr
    assert musegen(*wanted, "--force", cwd=tmp_path).returncode == 1
    assert (page.read_bytes(), score.read_bytes()) == before
    assert invoke("check", score, "-q")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "none.krn"], ["none.krn", "does not exist"]),
        (["check", "a.krn", "--style", "baroque"], ["unknown style", "bach"]),
        (["check", "a.krn", "--severity", "X"], ["--severity", "E, W, I"]),
        (["check", "a.krn", "--rule", "fifths"], ["unknown rule"]),
        (["check", "a.krn", "--jobs", "0"], ["--jobs", "at least 1"]),
        (["check", "a.krn", "--species", "many"], ["--species", "Soprano=2"]),
        (["check", "a.krn", "--cantus", "Viola"], ["--cantus", "Part 1"]),
        (["check", ".", "--html", "x.html"], ["--html", "one piece"]),
        (["check", "notes.txt"], ["notes.txt", "none of the formats"]),
        (["explain", "a.krn"], ["--bar or --finding"]),
        (["explain", "a.krn", "--bar", "9"], ["--bar", "from 1 to 1"]),
        (["explain", "a.krn", "--finding", "99"], ["--finding"]),
        (["explain", "none.krn", "--bar", "1"], ["none.krn", "cannot be read"]),
        (["explain", "fifths"], ["unknown rule"]),
        (["rules", "show", "fifths"], ["unknown rule"]),
        (["rules", "list", "--scope", "Q"], ["unknown scope", "M2"]),
    ],
)
def test_refusal_is_one_line_and_leaves_nothing(
    tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    """Exit code 2, one line that names what came and what is allowed."""
    (tmp_path / "a.krn").write_text(FIFTHS)
    (tmp_path / "b.krn").write_text(CLEAN)
    (tmp_path / "notes.txt").write_text("hello")
    before = sorted(tmp_path.iterdir())
    run = musegen(*arguments, cwd=tmp_path)
    assert run.returncode == 2, run.stdout + run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert all(word in run.stderr for word in words), run.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_interrupt_leaves_what_is_finished_printed(tmp_path: Path) -> None:
    """Ctrl-C in a long study: whole lines and the table so far, code 130, no traceback."""
    for number in range(4000):
        (tmp_path / f"{number:04}.krn").write_text(FIFTHS)
    program = f"{HEED_INTERRUPT}; import cli; cli.main()"
    command = [sys.executable, "-u", "-c", program, "check", ".", "--summary"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert first.startswith("0000.krn: 0000: ")
    assert "moves of two voices" in rest.splitlines()[-1]


def test_explain_tells_of_a_place_a_finding_and_a_rule(scores: Path) -> None:
    """Three ways to ask, in words and as JSON."""
    score = scores / "a.krn"
    code, text = invoke("explain", score, "--bar", 1, "--beat", 2, "--style", "strict")
    assert code == 0
    assert text.startswith("bar 1, beat 2\n  Part 1: D5, ")
    assert "parallel-fifth" in text
    code, text = invoke("explain", score, "--finding", 1, "--style", "strict", "--json")
    assert code == 0
    assert json.loads(text)["bar"] == 1
    assert invoke("explain", "parallel-fifth") == invoke("rules", "show", "parallel-fifth")


def test_rules_are_listed_shown_and_described(scores: Path) -> None:
    """Lists can be narrowed; the schema is one of JSON Schema."""
    code, text = invoke("rules", "list", "--search", "parallel fifths", "--json")
    assert code == 0
    assert "parallel-fifth" in {rule["id"] for rule in json.loads(text)}
    assert invoke("rules", "list", "--scope", "M2")[0] == 0
    assert json.loads(invoke("rules", "show", "parallel-fifth", "--json")[1])["scope"] == "M2"
    assert "$schema" in json.loads(invoke("rules", "schema")[1])
