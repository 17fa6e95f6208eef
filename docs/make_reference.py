"""Write the pages of docs/reference that list the modules of each package.

Run it from the repository root after adding, moving or removing a module: python docs/make_reference.py
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "theory_kb": (
        "what music theory says",
        (
            "Knows no search, no model, no file format of scores. "
            "{doc}`Architecture <../architecture>` says how the parts meet."
        ),
    ),
    "musegen": (
        "making music",
        "The first three lines of most scripts are `from musegen import compose` and a call of it.",
    ),
    "corpora": (
        "what music there is",
        "Corpora are read in place, cleaned with a report, labelled, split and cached.",
    ),
}


def modules(package: str) -> list[str]:
    """Modules with public names, the package first, then by depth."""
    found = []
    for file in (ROOT / package).rglob("*.py"):
        if re.search(r"^__all__", file.read_text(encoding="utf-8"), re.MULTILINE):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            found.append(name.removesuffix(".__init__"))
    return sorted(found, key=lambda name: (name != package, name.count(".") > 1, name))


def page(package: str) -> str:
    """One page in Markdown."""
    title, text = PACKAGES[package]
    sections = [
        f"## {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n```\n" for name in modules(package)
    ]
    return "\n".join([f"# {package}: {title}\n", f"{text}\n", *sections])


def descriptors() -> str:
    """The page of the descriptors: what each column of a table of scores holds."""
    from musegen.descriptors.emotion import levels
    from musegen.descriptors.table import DESCRIPTORS, reference

    lines = [
        "# Descriptors",
        "",
        "The columns of `musegen analyse --table`, made from `musegen.descriptors.table`. Ranges are",
        "bounds: what lies outside cannot come out. An empty cell is a value that does not exist.",
        "",
        "| column | level | unit | range | what it is | source |",
        "|---|---|---|---|---|---|",
    ]
    for each in DESCRIPTORS:
        last = f" to `{each.columns[-1]}`" if len(each.columns) > 1 else ""
        bounds = f"{each.low:g} to {each.high:g}".replace("-inf", "minus ∞").replace("inf", "∞")
        lines.append(
            f"| `{each.columns[0]}`{last} | {each.level} | {each.unit} | {bounds} | {each.text} "
            f"| {reference(each)} |"
        )
    lines += [
        "",
        "`emotion_facts` names the effects of the knowledge base (`musegen kb show effect`) that are",
        "present, and that valence and arousal rest on:",
        "",
        "| effect | present where | because |",
        "|---|---|---|",
    ]
    for level in levels():
        low = "" if level.at_least is None else f"≥ {level.at_least:g}"
        high = "" if level.at_most is None else f"≤ {level.at_most:g}"
        lines.append(f"| {level.effect} | `{level.descriptor}` {low}{high} | {level.why} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (ROOT / "docs" / "reference" / "descriptors.md").write_text(descriptors(), encoding="utf-8")
    for each in PACKAGES:
        (ROOT / "docs" / "reference" / f"{each}.md").write_text(page(each), encoding="utf-8")
