"""An analysis as one page: the score with its numerals, keys as bands, tension and density, tables.

The page needs no network and no script. All texts are escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from html import escape
from importlib import resources

from musegen.analysis.places import place_text
from musegen.analysis.result import Analysis, FoundChord
from musegen.io.engraving import engrave
from musegen.io.musicxml import numeral_text, write_musicxml
from theory_kb.chords import read_chord, spell
from theory_kb.pitch import Key

__all__ = ["densities", "render_analysis", "tensions"]

WIDE, HIGH, BAND = 900, 90, 26  # pixels of the plots
HUES = 30  # degrees of the colour circle for a fifth


def render_analysis(analysis: Analysis) -> str:
    """The page of an analysis.

    Raises:
        ScoreError: a duration is finer than notation can write.
    """
    style = (resources.files("musegen.io") / "page.css").read_text(encoding="utf-8")
    title = escape(analysis.score.title or "analysis")
    pages = "\n".join(engrave(write_musicxml(analysis.annotated)))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{style}\n"
        "svg.plot { width: 100%; height: auto; }</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n<p>{escape(_summary(analysis))}</p>\n"
        f"{''.join(f'<p>{escape(each)}</p>' for each in analysis.remarks)}"
        f"<h2>Keys</h2>\n{_bands(analysis)}\n"
        f"<h2>Tension and density</h2>\n{_plot(analysis)}\n"
        f'<div class="score">{pages}</div>\n'
        f"<h2>Chords</h2>\n{_chords(analysis)}\n<h2>Cadences</h2>\n{_cadences(analysis)}\n"
        f"<h2>Non-chord tones</h2>\n{_tones(analysis)}\n</body>\n</html>\n"
    )


def _summary(analysis: Analysis) -> str:
    return (
        f"{analysis.home}, {len(analysis.chords)} chords, {len(analysis.keys)} stretches of a key, "
        f"{len(analysis.cadences)} phrase ends; mean probability of a chord {analysis.confidence:.2f}"
    )


def _colour(key: Key) -> str:
    """A hue by the signature, so that near keys look alike; minor keys are darker."""
    light = 78 if key.mode == "major" else 60
    return f"hsl({(key.signature * HUES) % 360} 60% {light}%)"


def _x(analysis: Analysis, onset: Fraction) -> float:
    return round(float(WIDE * onset / analysis.score.duration), 2)


def _bands(analysis: Analysis) -> str:
    parts = []
    for each in analysis.keys:
        left = _x(analysis, each.onset)
        width = _x(analysis, each.onset + each.duration) - left
        where = place_text(analysis.score, each.onset)
        parts.append(
            f"<g><title>{escape(f'{each.key} from {where}: {each.reached}')}</title>"
            f'<rect x="{left}" y="0" width="{width:.2f}" height="{BAND}" fill="{_colour(each.key)}"/>'
            f'<text x="{left + 3}" y="17" font-size="12">{escape(_short(each.key, width))}</text></g>'
        )
    return f'<svg class="plot" viewBox="0 0 {WIDE} {BAND}" role="img">{"".join(parts)}</svg>'


def _short(key: Key, width: float) -> str:
    name = key.tonic.name if key.mode == "major" else key.tonic.name.lower()
    return name if width >= 9 * len(name) else ""


# --- curves ---------------------------------------------------------------------------------


def tensions(chords: Sequence[FoundChord], home: Key) -> tuple[float, ...]:
    """Distance of each chord from home, 0 or more: fifths from the tonic triad, and dissonance.

    The chord's mean place on the line of fifths is compared with that of the tonic triad, and its
    key with home (after Lerdahl, Tonal Pitch Space, 2001, with fifths in place of his space);
    sevenths and diminished or augmented fifths add one each.
    """
    found = []
    for each in chords:
        chord = read_chord(each.key.mode, each.numeral)
        places = [tone.fifths for tone in spell(chord, each.key)]
        centre = sum(places) / len(places)
        tonic = home.tonic.fifths + (5 / 3 if home.mode == "major" else -2 / 3)
        rough = (chord.seventh is not None) + (chord.members[2] - chord.members[0] != 1)
        apart = abs(each.key.signature - home.signature)
        found.append(abs(centre - tonic) + apart / 2 + rough)
    return tuple(found)


def densities(analysis: Analysis) -> tuple[tuple[Fraction, float], ...]:
    """Notes that begin in each bar, in notes a quarter, with the bar's start."""
    score = analysis.score
    counts: dict[int, int] = {}
    starts: dict[int, Fraction] = {}
    for onset in sorted(note.onset for part in score.parts for note in part.notes):
        bar = score.bar_and_beat(onset)[0]
        counts[bar] = counts.get(bar, 0) + 1
        starts.setdefault(bar, onset)
    ends = [*list(starts.values())[1:], score.duration]
    return tuple(
        (start, counts[bar] / max(float(end - start), 1e-6))
        for (bar, start), end in zip(starts.items(), ends, strict=True)
    )


def _plot(analysis: Analysis) -> str:
    tension = tensions(analysis.chords, analysis.home)
    density = densities(analysis)
    tight = [(each.onset, value) for each, value in zip(analysis.chords, tension, strict=True)]
    return (
        f'<svg class="plot" viewBox="0 0 {WIDE} {HIGH}" role="img">'
        f"{_curve(analysis, tight, '#C0281A')}{_curve(analysis, list(density), '#1553A8')}</svg>"
        '<p><span style="color:#C0281A">tension</span>: distance of the chords from the tonic, in '
        f"fifths, up to {max(tension):.1f}; "
        '<span style="color:#1553A8">density</span>: notes a quarter, '
        f"up to {max(value for _, value in density):.1f}</p>"
    )


def _curve(analysis: Analysis, points: Sequence[tuple[Fraction, float]], colour: str) -> str:
    most = max(value for _, value in points) or 1.0
    steps = []
    ends = [*[onset for onset, _ in points][1:], analysis.score.duration]
    for (onset, value), end in zip(points, ends, strict=True):
        height = round(HIGH - 4 - (HIGH - 10) * value / most, 2)
        assert math.isfinite(height), "values are finite"
        steps += [f"{_x(analysis, onset)},{height}", f"{_x(analysis, end)},{height}"]
    return (
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{" ".join(steps)}"/>'
    )


# --- tables ---------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p>None.</p>"
    top = "".join(f"<th>{escape(each)}</th>" for each in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(each)}</td>' for each in row)}</tr>" for row in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def _chords(analysis: Analysis) -> str:
    rows = [
        (
            place_text(analysis.score, each.onset),
            each.key.name,
            numeral_text(each.numeral),
            each.symbol,
            each.function,
            f"{each.probability:.2f}",
            "; ".join(
                f"{numeral_text(other.numeral)} of {other.key} {other.probability:.2f}"
                for other in each.others
            ),
            each.reason,
        )
        for each in analysis.chords
    ]
    head = ("where", "key", "numeral", "chord", "function", "probability", "or", "what sounds")
    return _table(head, rows)


def _cadences(analysis: Analysis) -> str:
    rows = [
        (
            place_text(analysis.score, each.onset),
            each.key.name,
            ", ".join((each.name, *each.modifiers)),
            "; ".join(clause.text for clause in each.clauses if clause.holds),
            "; ".join(clause.text for clause in each.clauses if not clause.holds),
        )
        for each in analysis.cadences
    ]
    return _table(("where", "key", "cadence", "holds", "fails"), rows)


def _tones(analysis: Analysis) -> str:
    rows = [
        (place_text(analysis.score, each.onset), each.part, each.pitch, each.name)
        for each in analysis.tones
    ]
    return _table(("where", "part", "tone", "kind"), rows)
