"""An analysis as one page: phrases, keys, tension and density along time, the score, tables.

The page needs no network and no script. All texts are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import resources

from musegen.analysis.places import place_text
from musegen.analysis.result import Analysis
from musegen.io.analysis_plots import timeline
from musegen.io.analysis_text import bars_text, phrase_text, relation_text
from musegen.io.engraving import engrave
from musegen.io.musicxml import write_musicxml
from musegen.io.numerals import numeral_text

__all__ = ["render_analysis"]


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
        f"<h2>Phrases, keys, tension and density</h2>\n{timeline(analysis)}\n"
        f'<div class="score">{pages}</div>\n'
        f"<h2>Chords</h2>\n{_chords(analysis)}\n<h2>Cadences</h2>\n{_cadences(analysis)}\n"
        f"<h2>Form: {escape(analysis.form.letters)}</h2>\n{_form(analysis)}\n"
        f"<h2>Non-chord tones</h2>\n{_tones(analysis)}\n</body>\n</html>\n"
    )


def _summary(analysis: Analysis) -> str:
    return (
        f"{analysis.home}, {len(analysis.chords)} chords, {len(analysis.keys)} stretches of a key, "
        f"{len(analysis.cadences)} phrase ends; mean probability of a chord {analysis.confidence:.2f}"
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


def _form(analysis: Analysis) -> str:
    form = analysis.form
    named = "".join(f"<p>{escape(f'{name}: {why}')}</p>" for name, why in form.forms)
    phrases = [
        (bars_text(each.bars), each.letter, phrase_text(form, each), each.phrase.reason)
        for each in form.phrases
    ]
    runs = [
        (bars_text(each.bars), relation_text(each.relation, bars_text(each.model)))
        for each in form.bars
    ]
    return (
        f"{named}{_table(('phrase', 'material', 'made of', 'ends because'), phrases)}"
        f"{_table(('bars', 'made of'), runs)}"
    )


def _tones(analysis: Analysis) -> str:
    rows = [
        (place_text(analysis.score, each.onset), each.part, each.pitch, each.name)
        for each in analysis.tones
    ]
    return _table(("where", "part", "tone", "kind"), rows)
