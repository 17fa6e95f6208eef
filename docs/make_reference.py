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


if __name__ == "__main__":
    for each in PACKAGES:
        (ROOT / "docs" / "reference" / f"{each}.md").write_text(page(each), encoding="utf-8")
