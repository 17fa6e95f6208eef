"""Clefs: what stands on their lines, and what places of the staff are called."""

from __future__ import annotations

from collections.abc import Mapping

from musegen.exercises.item import Text
from theory_kb.pitch import Pitch

__all__ = ["BOTTOM_LINES", "CLEF_NAMES", "place_name", "place_text"]

BOTTOM_LINES: Mapping[str, int] = {  # step of the lowest line; C4 = 28
    "treble": 30,
    "bass": 18,
    "alto": 24,
    "tenor": 22,
    "treble-8": 23,
}
CLEF_NAMES: Mapping[str, Text] = {
    "treble": Text("treble", "高音谱号"),
    "bass": Text("bass", "低音谱号"),
    "alto": Text("alto", "中音谱号"),
    "tenor": Text("tenor", "次中音谱号"),
    "treble-8": Text("octave treble", "低八度高音谱号"),
}
SIGNS: Mapping[int, str] = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "x"}
TOP = 8  # staff steps from the lowest line to the highest


def place_text(pitch: Pitch, clef: str) -> str:
    """A place as it is typed: `l2` second line, `s1` first space, `l0` the ledger line below."""
    position = pitch.step - BOTTOM_LINES[clef]
    kind = "s" if position % 2 else "l"
    return f"{SIGNS[pitch.alteration]}{kind}{position // 2 + 1}"


def place_name(pitch: Pitch, clef: str) -> Text:
    """A place in words, without the note's name."""
    position = pitch.step - BOTTOM_LINES[clef]
    space = position % 2
    number = position // 2 + 1
    if 0 <= position <= TOP:
        text = Text(
            f"{'space' if space else 'line'} {number}", f"第{number}{'间' if space else '线'}"
        )
    elif position > TOP:
        text = _beyond(position - TOP, "above", "上")
    else:
        text = _beyond(-position, "below", "下")
    sign = SIGNS[pitch.alteration]
    return Text(
        f"{text.en}{', ' + sign if sign else ''}", f"{text.zh}{'，' + sign if sign else ''}"
    )


def _beyond(distance: int, side: str, zh: str) -> Text:
    """A place off the staff, so many steps beyond its outer line."""
    lines = distance // 2
    if not lines:
        return Text(f"the space just {side} the staff", f"{zh}加一间")
    if distance % 2:
        return Text(
            f"the space {side} ledger line {lines} {side} the staff", f"{zh}加{lines + 1}间"
        )
    return Text(f"ledger line {lines} {side} the staff", f"{zh}加{lines}线")
