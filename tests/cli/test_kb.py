"""The commands of the knowledge base: what they print and what they refuse."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from theory_kb.questions import QUESTIONS

ROOT = Path(__file__).resolve().parents[2]


def musegen(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-c", "import cli; cli.main()", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def output(*arguments: str) -> str:
    """What a command prints, in this process."""
    run = CliRunner().invoke(cli.app, ["kb", *arguments])
    assert run.exit_code == 0, run.output
    return run.output


def test_each_question_is_a_command() -> None:
    """As many commands as questions, and each has a line of help."""
    text = output("ask", "--help")
    assert all(each.name in text for each in QUESTIONS)


def test_an_answer_is_printed_with_its_sources() -> None:
    """A sentence, a table, evidence and sources."""
    text = output("ask", "spell", "Ger6", "F# minor")
    assert text.startswith("Ger6 of F# minor is D F# A B#")
    assert "evidence:" in text
    assert "sources: KP 22" in text


def test_an_answer_is_json() -> None:
    """Values by name, all evidence."""
    found = json.loads(output("ask", "doublings", "viio6", "--json"))
    assert found["question"] == "doublings"
    assert found["values"][0]["member"] == "third"
    assert found["evidence"]


def test_options_may_be_left_out() -> None:
    """Arguments with a default need not be given."""
    assert "tempo" in output("ask", "features-for")


def test_the_graph_is_counted_shown_and_walked() -> None:
    """Counts by kind, a node with its statements, a chain between two nodes."""
    assert json.loads(output("stats", "--json"))["nodes"]["section"] == 220
    assert "pitch-class" in output("stats")
    assert "Parallel perfect fifths" in output("show", "rule:parallel-fifth")
    assert "spells pitch-class:B" in output("show", "spelled-chord:C major V7")
    assert "cadence:cad-pac" in output("path", "schema:prinner", "cadence:cad-pac")
    assert isinstance(json.loads(output("path", "prinner", "cad-pac", "--json")), list)


def test_an_export_is_not_written_over(tmp_path: Path) -> None:
    """A file that is there is kept, unless --force says so."""
    target = tmp_path / "theory.graphml"
    assert musegen("kb", "export", str(target), cwd=tmp_path).returncode == 0
    size = target.stat().st_size
    assert size > 100_000
    again = musegen("kb", "export", str(target), cwd=tmp_path)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert musegen("kb", "export", str(target), "--force", cwd=tmp_path).returncode == 0
    assert target.stat().st_size == size


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "rule:paralel-fifth"], ["unknown node", "rule:parallel-fifth"]),
        (["path", "prinner", "qqqq"], ["unknown node", "qqqq"]),
        (["ask", "spell", "Ger9", "F# minor"], ["unknown chord", "Ger7"]),
        (["ask", "spell", "Ger6", "H"], ["key", "'H'"]),
        (["ask", "spell", "Ger6"], ["Missing", "key"]),
        (["ask", "spel"], ["spel"]),
        (["ask", "forms-for", "many"], ["bars", "whole number"]),
        (["ask", "norms", "no-such-file"], ["piece", "no-such-file"]),
        (["ask", "why-chosen", "none.json", "p0n0"], ["record", "none.json"]),
        (["export", "--format", "csv", "x"], ["format", "turtle"]),
    ],
)
def test_bad_requests_are_refused_in_one_line(
    tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    """Exit code 2, one line that names what came and what is near, nothing written."""
    run = musegen("kb", *arguments, cwd=tmp_path)
    assert run.returncode == 2, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert all(word in run.stderr for word in words), run.stderr
    assert list(tmp_path.iterdir()) == []
