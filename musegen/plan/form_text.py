"""What a form template says, in words: rows for a table, spans for its picture, a new file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from musegen.errors import OptionError
from musegen.plan.form_file import form_path
from musegen.plan.form_schema import ID, MODES, NO_CADENCE
from musegen.plan.template import Section, Template, load_template, phrase_groups, template_names
from theory_kb.cadences import cadence_name

__all__ = ["form_rows", "new_form", "section_rows", "settings_of", "span_values"]

SHORT_CLOSES = {  # as they stand in tables and pictures
    NO_CADENCE: "none",
    "cad-pac": "PAC",
    "cad-iac-soprano": "IAC",
    "cad-hc": "HC",
    "cad-plagal": "PC",
    "cad-deceptive": "DC",
    "cad-phrygian": "Phr",
    "cad-dominant-arrival": "V",
    "cad-loop": "loop",
    "cad-rock": "rock",
}


def form_rows() -> list[dict[str, object]]:
    """The forms that come with musegen, a row each."""
    return [
        {
            "form": name,
            "bars": made.bars,
            "phrases": len(phrase_groups(made.units)),
            "texture": made.texture,
            "metre": made.metre,
            "description": made.description,
        }
        for name, made in ((name, load_template(name)) for name in template_names())
    ]


def section_rows(made: Template) -> list[dict[str, object]]:
    """The sections of a template, a row each, with the bar in which each begins."""
    rows: list[dict[str, object]] = []
    bar = 1
    for each in made.sections:
        rows.append(
            {
                "bar": bar,
                "section": each.id,
                "bars": each.bars,
                "theme": " ".join((each.theme, *each.relations)),
                "key": key_text(each, made.mode),
                "close": "/".join(
                    SHORT_CLOSES[kind] if kind in SHORT_CLOSES else cadence_name(kind)
                    for kind in each.close
                ),
                "texture": each.texture or made.texture,
                "twice": _twice(each),
            }
        )
        bar += each.bars
    return rows


def _twice(section: Section) -> str:
    """With what a section is repeated, and which ending it is."""
    ending = f"ending {section.ending}" if section.ending else ""
    return ", ".join(filter(None, (section.repeat, ending)))


def span_values(made: Template) -> list[dict[str, Any]]:
    """The same for `musegen.io.timeline.Span`."""
    return [
        {
            "name": each.name,
            "bars": each.bars,
            "theme": each.theme,
            "key": key_text(each, made.mode),
            "close": "/".join(SHORT_CLOSES.get(kind, kind) for kind in each.close)
            if each.ends_phrase
            else "",
            "texture": each.texture or made.texture,
            "repeat": each.repeat,
            "ending": each.ending,
        }
        for each in made.sections
    ]


def key_text(section: Section, mode: str) -> str:
    """Where a section begins and closes, in major and minor: `I to V; i to III`."""
    modes = [mode] if mode else [each for each in MODES if each in section.keys]
    return "; ".join(
        " to ".join(
            "/".join(numerals)
            for numerals in (section.start.get(each, ()), section.keys[each])
            if numerals
        )
        for each in modes
    )


def new_form(name: str, base: str) -> str:
    """The text of a new template, the copy of another under a name of its own.

    Raises:
        OptionError: the name is none that a form may have.
        UnknownNameError: there is no such form to copy.
        FactError: what is copied is wrong itself.
    """
    if not ID.fullmatch(name):
        raise OptionError("name", name, "letters, digits and hyphens, 64 at most")
    load_template(base)
    text = form_path(base).read_text(encoding="utf-8")
    for field, value in (("id", name), ("name", name.replace("-", " ").capitalize())):
        text = re.sub(
            rf'^{field} = ".*"$', f'{field} = "{value}"', text, count=1, flags=re.MULTILINE
        )
    return f"# Made from {Path(base).stem}. `musegen form schema` says what each field may hold.\n{text}"


def settings_of(texts: list[str] | None) -> Mapping[str, str]:
    """Settings as they are typed, `name=value`.

    Raises:
        OptionError: one is none, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in texts or []:
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value.strip() or name.strip() in found:
            raise OptionError("--set", text, "NAME=VALUE, each name once, such as coda=true")
        found[name.strip()] = value.strip()
    return found
