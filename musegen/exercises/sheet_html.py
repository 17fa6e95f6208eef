"""A paper as one HTML page, for students and as key; it shows everything without a network.

Pictures are engraved and stand in the page. A button plays what is shown, by the browser's own
synthesis; without a script the page is a printed sheet.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from html import escape
from importlib import resources

from musegen.exercises.hints import ladder
from musegen.exercises.item import Ask, Item, Text
from musegen.exercises.kinds import kind
from musegen.exercises.papers import Paper
from musegen.exercises.playing import sounds, stem_audio
from musegen.io.engraving import engrave_small

__all__ = ["render_sheet"]

PLACE = re.compile(r"<!-- (\w+) -->")
NOTE_ID = re.compile(r'(id|href|xlink:href)="(#?)(n\d+|p\d+n\d+(?:-\d+)?)"')
WORDS: Mapping[str, Text] = {
    "key": Text("Key", "答案"),
    "points": Text("points", "分"),
    "play": Text("Play", "播放"),
    "plays": Text("plays left", "剩余播放次数"),
    "hint": Text("Hint", "提示"),
    "name": Text("Name", "姓名"),
    "date": Text("Date", "日期"),
    "accepted": Text("also accepted", "亦可"),
    "wrong": Text("Likely wrong answers", "常见错误"),
    "rhythm": Text(
        "Note values: w whole, h half, q quarter, e eighth, s sixteenth, t thirty-second, b breve; "
        "a dot follows, r before makes a rest, /3 makes a triplet.",
        "时值：w 全音符，h 二分，q 四分，e 八分，s 十六分，t 三十二分，b 二全音符；后加点为附点，前加 r 为休止，/3 为三连音。",
    ),
}
LETTERS = "abcdefgh"


def render_sheet(paper: Paper, *, key: bool) -> str:
    """The page of a paper.

    Args:
        paper: its items.
        key: with answers, reasons and likely errors; else with lines to write on.
    """
    page, style, script = (
        (resources.files("musegen.exercises") / name).read_text(encoding="utf-8")
        for name in ("sheet.html", "sheet.css", "sheet.js")
    )
    heading = WORDS["key"].to(paper.lang) if key else ""
    title = f"{paper.title} {heading}".strip()
    parts = {
        "lang": paper.lang,
        "title": escape(title),
        "style": f"\n{style}",
        "script": f"\n{script}",
        "head": "" if key else _lines(paper),
        "legend": _legend(paper),
        "total": f"{paper.points} {WORDS['points'].to(paper.lang)}",
        "items": "\n".join(
            _item(item, number, key=key) for number, item in enumerate(paper.items, start=1)
        ),
    }
    return PLACE.sub(lambda match: parts[match[1]], page)


def _lines(paper: Paper) -> str:
    """Name and date, to be filled in."""
    return "".join(
        f'<span class="field">{WORDS[name].to(paper.lang)}: <span class="line"></span></span>'
        for name in ("name", "date")
    )


def _legend(paper: Paper) -> str:
    """What letters of rhythms mean, where a question uses them."""
    used = any(part.reader == "rhythm" for item in paper.items for part in item.ask)
    return f'<p class="legend">{escape(WORDS["rhythm"].to(paper.lang))}</p>' if used else ""


def _item(item: Item, number: int, *, key: bool) -> str:
    lang = item.lang
    title = kind(item.id).title.to(lang)
    head = (
        f'<h2><span class="number">{number}</span> {escape(title)}'
        f'<span class="points">{item.points} {WORDS["points"].to(lang)}</span></h2>'
    )
    asked = "".join(_answers(item, part, key=key) for part in item.ask)
    extra = _solution(item) if key else _hints(item)
    return (
        f'<section class="item" id="{escape(item.name)}">{head}'
        f'<p class="prompt">{escape(item.prompt.to(lang))}</p>{_music(item, key=key)}{asked}{extra}'
        "</section>"
    )


def _music(item: Item, *, key: bool) -> str:
    """What is shown and what is played; the key shows that too."""
    heard, shown = item.given.heard, item.given.musicxml
    found = _figure(item, shown, "", plays=heard is None) if shown else ""
    if heard is None:
        return found
    return found + (_figure(item, heard.musicxml, "h-") if key else _player(item))


def _figure(item: Item, musicxml: str, prefix: str, *, plays: bool = True) -> str:
    own = f"{item.name}-{prefix}"
    picture = NOTE_ID.sub(rf'\1="\2{own}\3"', engrave_small(musicxml))
    if not plays:
        return f"<figure>{picture}</figure>"
    notes = json.dumps(sounds(musicxml), separators=(",", ":"))
    play = WORDS["play"].to(item.lang)
    return f'<figure>{picture}<button class="play" data-notes="{escape(notes)}">{play}</button></figure>'


def _player(item: Item) -> str:
    """The sound as it is, so that no one reads its notes in the page; plays are counted."""
    heard = item.given.heard
    assert heard is not None, "the caller has looked"
    source = f"data:audio/wav;base64,{b64encode(stem_audio(heard)).decode()}"
    return (
        f'<figure class="heard"><audio preload="auto" src="{source}"></audio>'
        f'<button class="hear" data-plays="{heard.plays}">{WORDS["play"].to(item.lang)}</button> '
        f'{WORDS["plays"].to(item.lang)}: <span class="left">{heard.plays}</span></figure>'
    )


def _answers(item: Item, part: Ask, *, key: bool) -> str:
    label = escape(part.prompt.to(item.lang))
    if part.options:
        return f'<ol class="options">{"".join(_options(item, part, key=key))}</ol>'
    if key:
        shown = escape(part.shown(item.solutions.model[part.id], item.lang))
        return f'<p class="answer">{label}: <b>{shown}</b>{_also(item, part)}</p>'
    return f'<p class="answer">{label}: <span class="line"></span></p>'


def _options(item: Item, part: Ask, *, key: bool) -> Iterator[str]:
    right = item.solutions.accepted[part.id]
    for letter, value in zip(LETTERS, part.options, strict=False):
        mark = ' class="right"' if key and value in right else ""
        yield f"<li{mark}><span>{letter})</span> {escape(part.shown(value, item.lang))}</li>"


def _also(item: Item, part: Ask) -> str:
    """Other answers that are right."""
    others = [value for value in item.solutions.accepted[part.id][1:] if not value.startswith("<")]
    if not others:
        return ""
    shown = escape("; ".join(part.shown(value, item.lang) for value in others))
    return f' <span class="also">({WORDS["accepted"].to(item.lang)}: {shown})</span>'


def _hints(item: Item) -> str:
    """The ladder without the solution; print leaves it out."""
    lang = item.lang
    steps = "".join(
        f"<details><summary>{WORDS['hint'].to(lang)} {number}</summary>{escape(hint.to(lang))}</details>"
        for number, hint in enumerate(ladder(item)[1:-1], start=1)
    )
    return f'<div class="hints">{steps}</div>'


def _solution(item: Item) -> str:
    lang = item.lang
    why = f'<p class="why">{escape(item.why.to(lang))}</p>' if item.why.to(lang) else ""
    rows = "".join(
        f"<li><b>{escape(item.part(each.part).shown(each.value, lang))}</b>: "
        f"{escape(each.said.to(lang))}</li>"
        for each in item.distractors[:4]
    )
    wrong = f"<p>{WORDS['wrong'].to(lang)}:</p><ul>{rows}</ul>" if rows else ""
    return f'{why}<div class="wrong">{wrong}</div>'
