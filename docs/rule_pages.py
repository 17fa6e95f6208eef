"""Write the reference of the rules: a page a group, every rule with its examples engraved.

Sphinx calls `write_pages` before it reads the documents; pages and pictures are not kept in the
repository. A file that would not change is left alone, so that the next build is quick.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from musegen.tasks.rule_pictures import example_picture
from musegen.tasks.rules import SCOPE_NAMES, cited
from theory_kb.rules.records import FOLDER, RULE_STYLES, Rule, rules

__all__ = ["group_page", "groups", "keep_only", "plain", "write_pages"]

SIGNS = re.compile(r"([\\`*_{}\[\]<>#|$~])")
LEVELS = {"E": "error", "W": "warning", "I": "remark", "-": "off"}


def write_pages(folder: Path) -> None:
    """Write all pages and pictures into a folder, and take out what belongs to none."""
    wanted: dict[Path, str] = {folder / "index.md": index_page()}
    for stem, (title, ids) in groups().items():
        chosen = [rules()[name] for name in ids]
        wanted[folder / f"{stem}.md"] = group_page(title, chosen)
        for each in chosen:
            for kind in ("right", "wrong"):
                picture = example_picture(each, getattr(each, kind))
                wanted[folder / "pictures" / f"{each.id}-{kind}.svg"] = picture
    keep_only(folder, wanted)


def keep_only(folder: Path, wanted: Mapping[Path, str]) -> None:
    """Write pages and pictures, those alone that change, and take out all others of a folder."""
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in {*folder.glob("*.md"), *folder.glob("pictures/*.svg")} - set(wanted):
        path.unlink()


def groups() -> dict[str, tuple[str, list[str]]]:
    """For each file of rules its title, the first line of the file, and its rules' ids."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        title = text.splitlines()[0].lstrip("# ").rstrip(".")
        found[path.stem] = title, [entry["id"] for entry in tomllib.loads(text)["rule"]]
    return found


def index_page() -> str:
    """The list of groups."""
    rows = [f"| [{title}]({stem}.md) | {len(ids)} |" for stem, (title, ids) in groups().items()]
    return "\n".join(
        [
            "# Rules",
            "",
            f"All {len(rules())} rules, by what they look at. Notes at fault are red. The severities",
            "of a rule are those of the built-in styles; a style of one's own may change them.",
            "",
            "| group | rules |",
            "|---|---|",
            *rows,
            "",
            "```{toctree}",
            ":hidden:",
            "",
            *groups(),
            "```",
            "",
        ]
    )


def group_page(title: str, chosen: list[Rule]) -> str:
    """The page of one group."""
    lines = [f"# {plain(title)}", ""]
    for each in chosen:
        lines += _rule(each)
    return "\n".join(lines)


def plain(text: str) -> str:
    """A text without signs that Markdown would take for its own."""
    return SIGNS.sub(r"\\\1", text)


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _rule(each: Rule) -> Iterator[str]:
    yield f"## {plain(each.name)}"
    yield ""
    yield f"`{each.id}`: {plain(each.why)}."
    yield ""
    for head, text in _fields(each):
        yield f"- **{head}**: {text}"
    yield ""
    yield "| " + " | ".join(RULE_STYLES) + " |"
    yield "|" + "---|" * len(RULE_STYLES)
    yield "| " + " | ".join(LEVELS[each.severity[style]] for style in RULE_STYLES) + " |"
    yield ""
    for kind in ("right", "wrong"):
        example = getattr(each, kind)
        yield f"{kind.capitalize()}:"
        yield ""
        yield f"![{kind}: {plain(example)}](pictures/{each.id}-{kind}.svg)"
        yield ""
        yield f"```text\n{example}\n```"
        yield ""


def _fields(each: Rule) -> Iterator[tuple[str, str]]:
    yield "says", _code(each.message)
    yield "looks at", f"{SCOPE_NAMES[each.scope]}, {each.level} level"
    yield "reports", f"one finding a {each.reports}"
    if each.needs:
        yield "needs", ", ".join(each.needs)
    if each.exceptions:
        yield "except", "; ".join(plain(text) for text in each.exceptions)
    if each.params:
        yield (
            "parameters",
            ", ".join(f"`{name} = {value:g}`" for name, value in each.params.items()),
        )
    yield "to mend it", "; or ".join(plain(text) for text in each.repair)
    if each.family:
        yield "family", f"`{each.family}`: one defect is told once, by its first rule"
    yield (
        "sources",
        "; ".join(
            f"{plain(cite)} ({plain(title)})" if title else cite for cite, title in cited(each)
        ),
    )
