"""Laws of the house that a reader can check: quick to start, no pickle, no eval, no network."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = (
    "torch",
    "music21",
    "numba",
    "matplotlib",
    "networkx",
    "hmmlearn",
    "verovio",
    "numpy",
    "rdflib",
)
BANNED_MODULES = {
    "pickle",
    "dill",
    "joblib",
    "shelve",
    "marshal",
    "random",
    "socket",
    "urllib",
    "requests",
    "http",
}
BANNED_CALLS = {"eval", "exec", "compile", "__import__"}
BANNED_ATTRIBUTES = {
    ("np", "random", "seed"),
    ("numpy", "random", "seed"),
    ("torch", "load"),
    ("torch", "save"),
    ("datetime", "now"),
    ("time", "time"),
}
SOURCES = sorted(
    [
        ROOT / "cli.py",
        *(
            file
            for package in ("commands", "corpora", "musegen", "theory_kb")
            for file in (ROOT / package).rglob("*.py")
        ),
    ]
)


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that a statement loads in a new process."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = json.loads(run.stdout.splitlines()[-1])
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    "statement",
    [
        "import musegen",
        "import musegen.errors",
        "import cli",
        "import typer.testing, cli; typer.testing.CliRunner().invoke(cli.app, ['--help'])",
        "import typer.testing, cli; typer.testing.CliRunner().invoke(cli.app, ['compose', '--help'])",
        "import typer.testing, cli; typer.testing.CliRunner().invoke(cli.app, ['kb', 'ask', '--help'])",
    ],
)
def test_start_is_light(statement: str) -> None:
    """Importing the package, and asking for help, loads no heavy library."""
    assert loaded_by(statement) & set(HEAVY) == set()


def dotted(node: ast.expr) -> tuple[str, ...]:
    """A dotted name as a tuple, empty if the expression is none."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute) and (head := dotted(node.value)):
        return (*head, node.attr)
    return ()


def offences(tree: ast.AST) -> Iterator[str]:
    """Banned imports and calls of a file, in words."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            names = []
            name = dotted(node.func) if isinstance(node, ast.Call) else ()
            if name in BANNED_ATTRIBUTES or (len(name) == 1 and name[0] in BANNED_CALLS):
                yield f"line {line}: calls {'.'.join(name)}"
        for name_ in names:
            if name_.partition(".")[0] in BANNED_MODULES:
                yield f"line {line}: imports {name_}"


def test_offences_are_seen() -> None:
    """The watcher itself sees each kind of offence, and leaves method names alone."""
    text = "import pickle\nfrom urllib import request\neval('1')\ntorch.load(p)\nmodel.eval()\n"
    assert [said.partition(":")[0] for said in offences(ast.parse(text))] == [
        "line 1",
        "line 2",
        "line 3",
        "line 4",
    ]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_code_is_run_from_data_and_nothing_is_global(file: Path) -> None:
    """No pickle, eval, network, clock or global random state in any module."""
    assert list(offences(ast.parse(file.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_is_left_to_do(file: Path) -> None:
    """No stub and no note of unfinished work is shipped."""
    text = file.read_text(encoding="utf-8")
    for word in ("TODO", "FIXME", "XXX", "NotImplementedError"):
        assert word not in text, word


def test_every_dependency_is_pinned() -> None:
    """Each requirement of pyproject.toml has its tested version in constraints.txt, without a local suffix."""
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {re.split(r"[<>=\[]", text)[0].strip() for one in lists for text in one} - {"musegen"}
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    pins = dict(line.split("==") for line in lines)
    plain = {re.sub(r"[-_.]+", "-", name).lower() for name in pins}
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in wanted} <= plain
    assert all("+" not in version and "@" not in version for version in pins.values())
    assert pins["torch"] == "2.13.0"
