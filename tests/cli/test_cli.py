"""The command line: what it writes, what it refuses, and with which exit code."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A shell starts what runs in the background with interrupts ignored; the tests send some.
HEED_INTERRUPT = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"


def musegen(*arguments: str, cwd: Path, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-c", "import cli; cli.main()", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_compose_writes_a_whole_folder_and_prints_its_table(tmp_path: Path) -> None:
    """One run leaves score, MIDI, picture, audio and explanation, and says what it made."""
    run = musegen("compose", "--key", "D minor", "--seed", "7", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    table = json.loads(run.stdout)
    folder = tmp_path / table["folder"]
    names = {path.name for path in folder.iterdir()}
    assert {
        "score.musicxml",
        "score.mid",
        "score.svg",
        "score.png",
        "score.wav",
        "explanation.json",
        "explanation.html",
    } <= names
    assert table["key"] == "D minor"
    assert table["seed"] == "7"
    assert table["findings"].startswith("0 errors")
    assert len(table["phrases"].split(";")) == 4
    again = musegen("compose", "--key", "D minor", "--seed", "7", cwd=tmp_path)
    assert again.returncode == 2
    assert "--force" in again.stderr
    other = tmp_path / "other"
    repeat = musegen(
        "compose", "--key", "D minor", "--seed", "7", "--quiet", "--out", str(other), cwd=tmp_path
    )
    assert repeat.returncode == 0
    assert repeat.stdout == ""
    for name in names:
        assert (other / folder.name / name).read_bytes() == (folder / name).read_bytes(), name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--key", "H dur"], ["key", "'H dur'"]),
        (["--key", "G# major"], ["8 accidentals"]),
        (["--form", "chorle"], ["unknown form", "did you mean 'chorale'"]),
        (["--form", "no/such.toml"], ["such.toml", "cannot be read"]),
        (["--style", "baroque"], ["unknown style", "bach"]),
        (["--models", "hmm,gpt"], ["unknown model", "lstm"]),
        (["--metre", "5/4"], ["metre", "4/4"]),
        (["--weight", "lstm=much"], ["--weight", "lstm=0.5"]),
        (["--weight", "lstm=-1"], ["weight lstm", "-1"]),
        (["--width", "0"], ["width", "0"]),
        (["--strategy", "annealing"], ["strategy", "beam, exact, sample"]),
        (["--top-k", "5"], ["top-k", "sample with a model"]),
        (["--time-limit", "0"], ["time limit", "above 0"]),
        (["--seed", "-3"], ["seed", "-3"]),
        (["-n", "0"], ["-n", "0"]),
        (["--seed", "many"], ["many"]),
        (["--colour", "blue"], ["--colour"]),
    ],
)
def test_bad_option_is_refused_in_one_line(
    tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    """Exit code 2, one line that names what came and what is allowed, nothing written."""
    run = musegen("compose", *arguments, cwd=tmp_path)
    assert run.returncode == 2, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert all(word in run.stderr for word in words), run.stderr
    assert list(tmp_path.iterdir()) == []


def test_output_under_a_file_is_refused(tmp_path: Path) -> None:
    """A folder that cannot be made is refused in one line that names it."""
    (tmp_path / "taken").write_text("not a folder")
    run = musegen("compose", "--out", "taken", cwd=tmp_path)
    assert run.returncode == 2
    assert "taken" in run.stderr
    assert "Traceback" not in run.stderr


def test_closed_output_leaves_a_whole_folder(tmp_path: Path) -> None:
    """A reader that goes away after the first line costs neither files nor a traceback."""
    command = [sys.executable, "-c", "import cli; cli.main()", "compose", "--no-audio"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    reader, writer = os.pipe()
    os.close(reader)
    try:
        run = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.PIPE,
            stdout=writer,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert "Traceback" not in run.stderr
    (folder,) = (tmp_path / "musegen-out").iterdir()
    assert (folder / "explanation.html").exists()


def test_json_of_several_pieces_is_one_object_a_line(tmp_path: Path) -> None:
    """`-n` counts the seeds up from the first that is free; each line stands alone."""
    for first in (0, 2):
        run = musegen("compose", "-n", "2", "--no-audio", "--json", cwd=tmp_path)
        tables = [json.loads(line) for line in run.stdout.splitlines()]
        assert [table["seed"] for table in tables] == [str(first), str(first + 1)]


def test_folder_with_a_file_of_the_user_is_never_replaced(tmp_path: Path) -> None:
    """`--force` over a folder that holds a file of another is refused, and the file is kept."""
    folder = tmp_path / "musegen-out" / "chorale-seed-0"
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("years of work")
    run = musegen("compose", "--seed", "0", "--force", cwd=tmp_path)
    assert run.returncode == 2
    assert "thesis.tex" in run.stderr
    assert (folder / "thesis.tex").read_text() == "years of work"


def test_weights_that_are_damaged_are_named(tmp_path: Path) -> None:
    """Weights cut short are refused by their path, with the command that makes them again."""
    for package in ("commands", "musegen", "theory_kb", "corpora"):
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / "cli.py", tmp_path)
    weights = tmp_path / "musegen" / "weights" / "lstm.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    run = musegen("compose", cwd=tmp_path, root=tmp_path)
    assert run.returncode == 2
    assert str(weights) in run.stderr
    assert "musegen train lstm" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while composing ends with code 130, without traceback or half a folder."""
    program = f"{HEED_INTERRUPT}; import cli; cli.main()"
    command = [sys.executable, "-c", program, "compose", "-n", "50"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    for folder in (tmp_path / "musegen-out").glob("*"):
        assert (folder / "explanation.html").exists(), folder


def test_help_is_short_and_has_an_example(tmp_path: Path) -> None:
    """Help of the program and of each command fits a screen and shows an example."""
    for arguments in (
        [],
        ["compose"],
        ["train"],
        ["corpus"],
        ["corpus", "build"],
        ["corpus", "show"],
    ):
        run = musegen(*arguments, "--help", cwd=tmp_path)
        assert run.returncode == 0
        assert "Example: musegen" in run.stdout
        assert len(run.stdout.splitlines()) <= 40


TUNE = """X:1
T:Tune
M:4/4
L:1/4
K:C
G | c d e c | d c B G | c d e d | c3 |]
"""


def test_harmonise_writes_a_folder_a_solution(tmp_path: Path) -> None:
    """A tune in, four voices out, in as many different folders as solutions are asked for."""
    (tmp_path / "tune.abc").write_text(TUNE)
    run = musegen(
        "harmonise", "tune.abc", "-n", "2", "--models", "hmm", "--no-audio", "--json", cwd=tmp_path
    )
    assert run.returncode == 0, run.stderr
    tables = [json.loads(line) for line in run.stdout.splitlines()]
    assert all(table["findings"].startswith("0 errors") for table in tables)
    scores = {(tmp_path / table["folder"] / "score.musicxml").read_bytes() for table in tables}
    assert len(scores) == len(tables) == 2


def test_what_has_no_solution_is_explained(tmp_path: Path) -> None:
    """Exit 2, a fact a line, the same as an object with --json, and nothing is written."""
    octaves = "X:1\nT:octaves\nM:4/4\nL:1/4\nK:C\nV:1\nc d e c|\nV:2\nC, D, E, C,|\n"
    (tmp_path / "octaves.abc").write_text(octaves)
    arguments = ("octaves.abc", "--voice", "soprano,bass", "--models", "none", "--json")
    run = musegen("harmonise", *arguments, cwd=tmp_path)
    assert run.returncode == 2
    lines = run.stderr.splitlines()
    assert all(each.startswith("musegen: ") for each in lines)
    assert lines[0].startswith("musegen: bar 1, beat 2")
    assert "these cannot hold together: soprano C5 at bar 1, beat 1" in lines[1]
    assert any("cheapest way out" in each for each in lines)
    kinds = [each["kind"] for each in json.loads(run.stdout)["conflict"]["members"]]
    assert kinds == ["note"] * 4 + ["rule"]
    assert [each.name for each in tmp_path.iterdir()] == ["octaves.abc"]


def test_realise_writes_chords(tmp_path: Path) -> None:
    """A row of chords in, four voices out."""
    run = musegen("realise", "D minor: i iv6 V7*2 i", "--no-audio", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["key"] == "D minor"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["harmonise", "nope.xml"], ["nope.xml", "No such file"]),
        (["harmonise", "tune.txt"], ["tune.txt", ".musicxml"]),
        (["harmonise", "two.abc"], ["two.abc", "2 pieces", "one is needed"]),
        (["harmonise", "tune.abc", "--voice", "treble"], ["treble", "soprano"]),
        (["harmonise", "tune.abc", "--key", "H"], ["'H'"]),
        (["harmonise", "tune.abc", "-n", "0"], ["number of solutions", "0"]),
        (["harmonise", "tune.abc", "--temperature", "-1"], ["temperature", "-1"]),
        (["realise", "D minor: i V99"], ["V99", "D minor"]),
        (["realise", "i V i"], ["a key and its chords"]),
    ],
)
def test_tasks_that_cannot_be_done_are_refused_in_one_line(
    tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    """Exit code 2, one line that names what came and what is allowed, nothing written."""
    for name, text in {"tune.abc": TUNE, "tune.txt": TUNE, "two.abc": f"{TUNE}\n{TUNE}"}.items():
        (tmp_path / name).write_text(text)
    run = musegen(*arguments, cwd=tmp_path)
    assert run.returncode == 2, run.stdout + run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert all(word in run.stderr for word in words), run.stderr
    assert not (tmp_path / "musegen-out").exists()
