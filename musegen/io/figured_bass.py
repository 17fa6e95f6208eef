"""Figures of a thorough bass in files: `<figured-bass>` and lyrics of MusicXML, `**fb` of Humdrum.

music21 drops `<figured-bass>` on its way in, so the elements are read here from the file itself.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from musegen.errors import ScoreError
from musegen.io.kern_reading import read_figure_spine
from musegen.io.limits import brief
from musegen.io.musicxml_reading import file_root
from musegen.io.reading import read_piece
from musegen.score import FigureMark, Score
from theory_kb.thoroughbass import FigureError, Figures

__all__ = ["add_figures", "read_figured_bass"]

SIGNS: Mapping[str, str] = {  # prefixes and suffixes of MusicXML
    "sharp": "#",
    "flat": "b",
    "natural": "n",
    "double-sharp": "##",
    "sharp-sharp": "##",
    "flat-flat": "bb",
    "double-flat": "bb",
    "plus": "+",
    "slash": "+",
    "backslash": "+",
    "back-slash": "+",
    "vertical": "+",
    "cross": "+",
}
WORDS: Mapping[str, str] = {
    "#": "sharp",
    "b": "flat",
    "n": "natural",
    "##": "double-sharp",
    "bb": "flat-flat",
}
MUSICXML = (".musicxml", ".xml", ".mxl")
KERN = (".krn", ".kern")


def read_figured_bass(path: str | Path) -> Score:
    """The lowest part of a score, with the figures that the file has under it.

    Figures are `<figured-bass>` elements of MusicXML, else its lyrics where all of them read as
    figures, or the `**fb` or `**fba` spine of a Humdrum file; a file without any has none.

    Raises:
        ScoreError: the file cannot be read, or its figures cannot; names the place.
    """
    path = Path(path)
    score = read_piece(path)
    bass = replace(score, parts=score.parts[-1:])
    suffix = path.suffix.lower()
    if suffix in MUSICXML:
        return replace(bass, figures=_musicxml_figures(path, bass))
    if suffix in KERN:
        marks = tuple(_kern_marks(read_figure_spine(path), bass))
        return replace(bass, figures=marks)
    return bass


# --- MusicXML in ----------------------------------------------------------------------------


def _musicxml_figures(path: Path, bass: Score) -> tuple[FigureMark, ...]:
    root = file_root(path)
    found: list[FigureMark] = []
    lyrics: list[FigureMark] = []
    for part in root.findall("part"):
        for bar, measure, start, divisions in _measures(part):
            where = f"{path.name}, bar {brief(bar, 20)}"
            found.extend(_elements(measure, start, divisions, where))
            lyrics.extend(_lyrics(measure, start, divisions))
    if found:
        return tuple(sorted(_lasting(found, bass), key=lambda mark: mark.onset))
    return tuple(_lasting(_lyric_figures(lyrics), bass))


def _measures(part: ET.Element) -> Iterator[tuple[str, ET.Element, Fraction, Fraction]]:
    """Number, element, onset in quarter notes and divisions of each bar."""
    start, divisions = Fraction(0), Fraction(1)
    for count, measure in enumerate(part.findall("measure"), 1):
        text = measure.findtext("attributes/divisions")
        divisions = Fraction(text) if text else divisions
        yield measure.get("number", str(count)), measure, start, divisions
        start += max((time for _, time in _timed(measure)), default=Fraction(0)) / divisions


def _timed(measure: ET.Element) -> Iterator[tuple[ET.Element, Fraction]]:
    """Each note, backup and forward of a bar with the time at its end, in divisions."""
    time = Fraction(0)
    for child in measure:
        length = Fraction(child.findtext("duration", "0") or 0)
        if child.tag == "backup":
            time -= length
        elif child.tag == "forward" or (child.tag == "note" and child.find("chord") is None):
            time += length
        else:
            continue
        yield child, time


def _elements(
    measure: ET.Element, start: Fraction, divisions: Fraction, where: str
) -> Iterator[FigureMark]:
    """The figures of a bar; several before one note follow one another."""
    time, ahead = Fraction(0), Fraction(0)
    for child in measure:
        length = Fraction(child.findtext("duration", "0") or 0)
        if child.tag == "figured-bass":
            offset = Fraction(child.findtext("offset", "0") or 0)
            text = _column(child, where)
            onset = start + (time + ahead + offset) / divisions
            if text:
                yield FigureMark(onset, length / divisions, text)
            ahead += length
        elif child.tag in ("backup", "forward", "note"):
            ahead = Fraction(0)
            if child.tag != "note" or child.find("chord") is None:
                time += -length if child.tag == "backup" else length


def _column(element: ET.Element, where: str) -> str:
    """The figures of an element, as text."""
    parts = []
    for figure in element.findall("figure"):
        number = (figure.findtext("figure-number") or "").strip()
        signs = [figure.findtext(name) or "" for name in ("prefix", "suffix")]
        strange = [sign for sign in signs if sign.strip() and sign.strip() not in SIGNS]
        if strange:
            allowed = ", ".join(SIGNS)
            raise ScoreError(
                where, f"sign {brief(strange[0], 20)!r} of a figure; allowed: {allowed}"
            )
        extend = figure.find("extend")
        goes_on = extend is not None and extend.get("type", "start") in ("continue", "stop")
        if not number and not any(signs):
            parts.append("_" if goes_on else "")
        elif not (goes_on and not number):
            sign = "".join(SIGNS.get(sign.strip(), "") for sign in signs)
            parts.append(number + sign if sign == "+" else sign + number)
    text = "/".join(part for part in parts if part not in ("", "_"))
    return _checked(text, where) if text else "_" if "_" in parts else ""


def _checked(text: str, where: str) -> str:
    try:
        return Figures.parse(text).text
    except FigureError as error:
        raise ScoreError(where, str(error)) from error


def _lyrics(measure: ET.Element, start: Fraction, divisions: Fraction) -> Iterator[FigureMark]:
    """Texts under the notes of a bar, verses one above the other."""
    for child, end in _timed(measure):
        verses = [lyric.findtext("text") or "" for lyric in child.findall("lyric")]
        if child.tag == "note" and any(verses):
            length = Fraction(child.findtext("duration", "0") or 0)
            text = "/".join(verse.strip() for verse in verses if verse.strip())
            yield FigureMark(start + (end - length) / divisions, length / divisions, text)


def _lyric_figures(lyrics: Sequence[FigureMark]) -> tuple[FigureMark, ...]:
    """Lyrics as figures, if all of them are; a space sets figures of one note after each other."""
    found: list[FigureMark] = []
    for mark in lyrics:
        columns = mark.text.replace("–", " ").split()
        length = mark.duration / max(1, len(columns))
        for place, column in enumerate(columns):
            try:
                text = Figures.parse(column).text
            except FigureError:
                return ()
            found.append(FigureMark(mark.onset + place * length, length, text))
    return tuple(found)


def _lasting(marks: Sequence[FigureMark], bass: Score) -> Iterator[FigureMark]:
    """Figures with the time that they stand for: to the next, or to the end of their note."""
    ordered = sorted(marks, key=lambda mark: mark.onset)
    notes = bass.parts[-1].notes
    for mark, following in zip(ordered, [*ordered[1:], None], strict=True):
        ends = [note.end for note in notes if note.onset <= mark.onset < note.end]
        if following is not None and following.onset > mark.onset:
            ends.append(following.onset)
        yield replace(mark, duration=min(ends) - mark.onset if ends else mark.duration)


# --- Humdrum in -----------------------------------------------------------------------------


def _kern_marks(
    tokens: Sequence[tuple[Fraction | None, str, str]], bass: Score
) -> Iterator[FigureMark]:
    """Tokens of a figure spine: numbers with spaces, `~` or `_` to hold, `-` for a flat.

    Those on lines where no note begins share the time to the next note evenly.
    """
    groups: list[tuple[Fraction, list[str]]] = []
    for onset, token, where in tokens:
        parts = [part.rstrip("~_") for part in token.split()]
        text = _checked("/".join(part for part in parts if part) or "_", where)
        if onset is not None:
            groups.append((onset, [text]))
        elif groups:
            groups[-1][1].append(text)
    for (onset, texts), following in zip(groups, [*groups[1:], None], strict=True):
        ends = [note.end for note in bass.parts[-1].notes if note.onset <= onset < note.end]
        ends += [] if following is None else [following[0]]
        length = (min(ends, default=onset + 1) - onset) / len(texts)
        for place, text in enumerate(texts):
            yield FigureMark(onset + place * length, length, text)


# --- MusicXML out ---------------------------------------------------------------------------


def add_figures(measure: ET.Element, text: str, duration: str) -> None:
    """Write figures before the bass note that they stand under; no text lets time pass.

    Args:
        measure: to add to.
        text: as `theory_kb.thoroughbass.Figures.parse` reads it.
        duration: as the file counts it.
    """
    figures = Figures.parse(text)
    element = ET.SubElement(measure, "figured-bass")
    for each in figures.stack:
        figure = ET.SubElement(element, "figure")
        sign = WORDS.get(each.sign)
        if sign is not None:
            ET.SubElement(figure, "prefix").text = sign
        if each.number != 3 or not each.sign:
            ET.SubElement(figure, "figure-number").text = str(each.number)
        if each.sign and sign is None:
            ET.SubElement(figure, "suffix").text = "slash"
    if not figures.stack:
        figure = ET.SubElement(element, "figure")
        if figures.tasto:
            ET.SubElement(figure, "figure-number").text = "t.s."
        elif figures.held:
            ET.SubElement(figure, "extend", type="continue")
    ET.SubElement(element, "duration").text = duration
