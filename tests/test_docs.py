"""The documentation keeps up with the commands, the modules and the files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import cli

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)|<img [^>]*src=\"([^\"]+)\"")


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of the program with its words, groups left out."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands(typer.main.get_command(cli.app)))


def section(text: str, title: str) -> str:
    """The part of a page under a heading, up to the next heading of any level."""
    _, found, rest = text.partition(f"\n## {title}\n")
    return rest.partition("\n## ")[0] if found else ""


def test_commands_are_found() -> None:
    """The list that the other tests walk is not empty."""
    assert ("compose",) in COMMANDS
    assert ("corpus", "show") in COMMANDS


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_command_is_documented_with_all_its_options(words: tuple[str, ...]) -> None:
    """Each command has a section in the reference that names each option and shows an example."""
    title = " ".join(("musegen", *words))
    text = section((DOCS / "reference" / "commands.md").read_text(encoding="utf-8"), title)
    assert f"{title} " in text or f"{title}\n" in text, f"no section with an example of {title}"
    for option in COMMANDS[words].params:
        for flag in (*option.opts, *option.secondary_opts):
            assert f"`{flag}" in text or f"/{flag}" in text, f"{title}: {flag}"


@pytest.mark.parametrize("words", [(), ("corpus",), *COMMANDS], ids=" ".join)
def test_help_shows_an_example(words: tuple[str, ...]) -> None:
    """The help of each command holds a line that can be typed as it stands."""
    run = CliRunner().invoke(cli.app, [*words, "--help"])
    assert run.exit_code == 0
    assert re.search(rf"Example: musegen {' '.join(words)}", run.output)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Each relative link or picture of a page is a file."""
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        target = match[1] or match[2]
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


def test_every_module_is_in_the_reference() -> None:
    """Each module with public names stands in a reference page, and no other does."""
    pages = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    named = set(re.findall(r"^\.\. automodule:: (\S+)$", pages, re.MULTILINE))
    public = set()
    for package in ("corpora", "musegen", "theory_kb"):
        for file in (ROOT / package).rglob("*.py"):
            if re.search(r"^__all__", file.read_text(encoding="utf-8"), re.MULTILINE):
                parts = file.relative_to(ROOT).with_suffix("").parts
                public.add(".".join(parts).removesuffix(".__init__"))
    assert sorted(named - public) == []
    assert sorted(public - named) == []


def test_readme_shows_the_commands_that_are_run() -> None:
    """The two commands of the README are those that CI runs in a fresh environment."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command in (
        "python -m pip install -c constraints.txt -e . && musegen compose",
        "python -m pip install -c constraints.txt -e '.[test]' && pytest",
    ):
        assert f"\n{command}\n" in readme
        assert f"\n    {command}\n" in script
