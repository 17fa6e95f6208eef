"""An analysis along time as one drawing: bars, phrases, keys, tension, density."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from html import escape
from math import nan

from musegen.analysis.places import bar_lines, place_text
from musegen.analysis.result import Analysis
from musegen.descriptors.descriptor import Material
from musegen.descriptors.rhythm import densities
from musegen.descriptors.tension import tension
from theory_kb.pitch import Key

__all__ = ["timeline"]

WIDE, LEFT, RIGHT = 960, 64, 10  # pixels
BARS, PHRASES, KEYS, CURVE, GAP = 16, 26, 26, 70, 8  # heights
HUES = 30  # degrees of the colour circle for a fifth
FEWEST = 34  # pixels between two bar numbers
LINES = {BARS: 12, PHRASES: 17, CURVE: 32}  # where a row is named, from its top
LETTER = 7  # pixels of a letter
STRAIN, DIAMETER, MOMENTUM, DENSITY = "#c0281a", "#b36b00", "#6b4fa0", "#1553a8"
ABBREVIATIONS = {
    "cad-pac": "PAC",
    "cad-iac-soprano": "IAC",
    "cad-iac-inverted": "IAC",
    "cad-iac-vii": "IAC",
    "cad-hc": "HC",
    "cad-phrygian": "Phr",
    "cad-plagal": "Pl",
    "cad-deceptive": "DC",
    "cad-dominant-arrival": "V",
    "cad-evaded": "ev",
    "cad-clausula-vera": "CV",
}
Curve = tuple[str, str, Sequence[tuple[float, float]]]  # name, colour, (quarter note, value)


def timeline(analysis: Analysis) -> str:
    """The drawing as SVG, with a line of explanation below it."""
    told = tension(Material(analysis, nan))
    times = told.times.tolist()
    ribbons: list[Curve] = [
        ("distance from home", STRAIN, list(zip(times, told.strain.tolist(), strict=True))),
        ("width", DIAMETER, list(zip(times, told.diameter.tolist(), strict=True))),
        ("movement", MOMENTUM, list(zip(times, told.momentum.tolist(), strict=True))),
    ]
    dense: list[Curve] = [("density", DENSITY, densities(analysis.score))]
    rows = [
        (BARS, "bar", _bars(analysis)),
        (PHRASES, "phrases", _phrases(analysis)),
        (KEYS, "keys", _keys(analysis)),
        (CURVE, "tension", _curves(analysis, ribbons)),
        (CURVE, "density", _curves(analysis, dense)),
    ]
    parts, top = [], 0
    for height, name, content in rows:
        label = f'<text x="0" y="{LINES[height]}">{name}</text>'
        parts.append(f'<g transform="translate(0 {top})">{label}{"".join(content)}</g>')
        top += height + GAP
    return (
        f'<svg class="plot" viewBox="0 0 {WIDE} {top}" role="img" font-size="12" '
        f'fill="currentColor" font-family="sans-serif">{_ends(analysis, top)}{"".join(parts)}</svg>'
        f"<p>{_legend([*ribbons, *dense])}</p>"
    )


def _x(analysis: Analysis, time: Fraction | float) -> float:
    share = float(time) / float(analysis.score.duration)
    return round(LEFT + (WIDE - LEFT - RIGHT) * share, 2)


def _legend(curves: Sequence[Curve]) -> str:
    units = {"density": "notes a quarter"}
    told = [
        f'<span style="color:{colour}">{name}</span> up to {_most(points):.1f} '
        f"{units.get(name, 'radii')}"
        for name, colour, points in curves
    ]
    return f"Tension in the spiral array (Herremans and Chew 2016): {', '.join(told)}."


def _most(points: Sequence[tuple[float, float]]) -> float:
    return max((value for _, value in points), default=0.0)


# --- rows -----------------------------------------------------------------------------------


def _ends(analysis: Analysis, height: int) -> str:
    """A thin line at each phrase end inside the piece."""
    xs = [_x(analysis, each.end) for each in analysis.phrases[:-1]]
    return "".join(
        f'<path d="M{x} {BARS}V{height - GAP}" stroke="currentColor" stroke-opacity=".25"/>'
        for x in xs
    )


def _bars(analysis: Analysis) -> Iterator[str]:
    last = -1.0 * FEWEST
    for number, time in bar_lines(analysis.score):
        x = _x(analysis, time)
        if number and x - last >= FEWEST:
            yield f'<text x="{x}" y="12" fill-opacity=".7">{number}</text>'
            last = x


def _phrases(analysis: Analysis) -> Iterator[str]:
    starts = [(each.onset, each.kind, each.name) for each in analysis.cadences]
    for each in analysis.form.phrases:
        phrase = each.phrase
        left, right = _x(analysis, phrase.onset), _x(analysis, phrase.end)
        closes = [(kind, name) for at, kind, name in starts if phrase.onset <= at < phrase.end]
        kind, name = closes[-1] if closes else (None, "no cadence")
        sign = ABBREVIATIONS.get(kind or "", "")
        title = escape(f"{each.letter}: bars {each.bars[0]}-{each.bars[1]}, {name}")
        close = (
            f'<text x="{right - 4}" y="17" text-anchor="end" fill-opacity=".7">{sign}</text>'
            if right - left > LETTER * (len(each.letter) + len(sign) + 2)
            else ""
        )
        yield (
            f'<g><title>{title}</title><path d="M{left + 1} 22V4H{right - 1}V22" fill="none" '
            f'stroke="currentColor" stroke-opacity=".6"/><text x="{left + 5}" y="17">'
            f"{escape(each.letter)}</text>{close}</g>"
        )


def _keys(analysis: Analysis) -> Iterator[str]:
    for each in analysis.keys:
        left, right = _x(analysis, each.onset), _x(analysis, each.onset + each.duration)
        where = place_text(analysis.score, each.onset)
        name = each.key.tonic.name if each.key.mode == "major" else each.key.tonic.name.lower()
        shown = name if right - left >= LETTER * (len(name) + 1) else ""
        yield (
            f"<g><title>{escape(f'{each.key} from {where}: {each.reached}')}</title>"
            f'<rect x="{left}" y="0" width="{right - left:.2f}" height="{KEYS}" '
            f'fill="{_colour(each.key)}"/>'
            f'<text x="{left + 4}" y="17" fill="#1c1b19">{escape(shown)}</text></g>'
        )


def _colour(key: Key) -> str:
    """A hue by the signature, so that near keys look alike; minor keys are darker."""
    light = 78 if key.mode == "major" else 62
    return f"hsl({(key.signature * HUES) % 360} 60% {light}%)"


def _curves(analysis: Analysis, curves: Sequence[Curve]) -> Iterator[str]:
    """Steps of some curves on one scale, from 0 at the foot."""
    most = max(_most(points) for _, _, points in curves) or 1.0
    yield (
        f'<path d="M{LEFT} {CURVE}H{WIDE - RIGHT}" stroke="currentColor" stroke-opacity=".3"/>'
        f'<text x="{LEFT - 6}" y="10" text-anchor="end" fill-opacity=".7">{most:.1f}</text>'
    )
    end = float(analysis.score.duration)
    for name, colour, points in curves:
        steps = []
        for (time, value), stop in zip(
            points, [*(time for time, _ in points[1:]), end], strict=True
        ):
            y = round(CURVE - (CURVE - 4) * value / most, 2)
            steps += [f"{_x(analysis, time)},{y}", f"{_x(analysis, stop)},{y}"]
        yield (
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.4" '
            f'points="{" ".join(steps)}"><title>{name}</title></polyline>'
        )
