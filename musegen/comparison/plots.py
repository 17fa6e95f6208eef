"""Curves and bars as SVG texts that stand in the report; the same figures give the same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Axis", "bars", "curves"]

WIDTH, HEIGHT = 7.2, 3.4  # inches
COLOURS = (
    "#1553a8",
    "#c0281a",
    "#3d8b37",
    "#b36b00",
    "#6a3d9a",
    "#00818a",
    "#8c564b",
    "#555555",
)
SETTINGS: Any = {
    "svg.hashsalt": "musegen",
    "svg.fonttype": "none",
    "font.family": "serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

METADATA = ("Date", "Creator", "Type", "Format")  # left out: a clock, versions
SIZE = re.compile(r'(<svg [^>]*?) width="[^"]*" height="[^"]*"')  # the page decides it

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """What the two directions and the colours show."""

    across: str
    upward: str
    names: tuple[str, ...]  # of what may be shown, in the order of their colours

    def colour(self, name: str) -> str:
        """The same for a name in all pictures."""
        return COLOURS[self.names.index(name) % len(COLOURS)]


def curves(lines: Mapping[str, Points], axis: Axis, *, diagonal: bool = False) -> str:
    """Lines through points, one a name.

    Args:
        lines: points by name.
        axis: labels.
        diagonal: draw where both directions are equal.
    """
    from matplotlib.ticker import MaxNLocator

    def draw(axes: Axes) -> None:
        if diagonal:
            axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle="--")
        for name, points in lines.items():
            across, upward = zip(*points, strict=True)
            colour = axis.colour(name)
            axes.plot(across, upward, label=name, color=colour, linewidth=1.3, marker=".")
        if not diagonal:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    return _drawn(draw, axis)


def bars(groups: Mapping[str, Mapping[str, float]], axis: Axis) -> str:
    """Bars side by side: for each name of the inner mappings, one of each group."""

    def draw(axes: Axes) -> None:
        places = list(dict.fromkeys(name for values in groups.values() for name in values))
        width = 0.8 / len(groups)
        for number, (group, values) in enumerate(groups.items()):
            left = [place + number * width for place in range(len(places))]
            heights = [values.get(name, 0.0) for name in places]
            colour = axis.colour(group)
            axes.bar(left, heights, width, label=group, color=colour, align="edge")
        axes.set_xticks([place + 0.4 for place in range(len(places))], places)

    return _drawn(draw, axis)


def _drawn(draw: Callable[[Axes], None], axis: Axis) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    target = StringIO()
    with rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set_xlabel(axis.across)
        axes.set_ylabel(axis.upward)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.savefig(target, format="svg", metadata=dict.fromkeys(METADATA))
    text = target.getvalue()
    return SIZE.sub(r"\1", text[text.index("<svg") :], count=1)
