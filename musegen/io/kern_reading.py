"""Humdrum kern in, by our own reader: every note has its line, and none is dropped unsaid.

Read are notes, rests, chords, ties, fermatas, phrase marks, split and joined spines, bar lines,
metre, key, tempo, names and the title; repeats are not expanded; spines that hold no kern are
passed over. music21's reader finds the same notes (the tests hold the two against each other), but
names no line of a faulty file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from musegen.errors import ScoreError
from musegen.io.barlines import grid
from musegen.io.limits import (
    LONGEST,
    MOST_NOTES,
    brief,
    checked_metre,
    checked_parts,
    checked_tempo,
    text_of,
)
from musegen.io.lines import Staff, Written, join_ties, named_parts, staff_lines
from musegen.io.pieces import TEMPO, Reading, home_key, left_out
from musegen.score import Metre, Note, Score
from theory_kb.pitch import Pitch

__all__ = ["LARGEST", "read_figure_spine", "read_kern"]

LARGEST = 5_000_000  # bytes of a file
MOST_SPINES = 64
KERN = "**kern"
FIGURES = ("**fb", "**fba", "**Bnum")  # spines of a figured bass
FIGURED = -2  # staff of such a spine
LETTERS = "cdefgab"
LETTER_SEMITONES = (0, 2, 4, 5, 7, 9, 11)
MIDDLE = 4  # octave of a single small letter
RECIP = re.compile(r"(\d+)(?:%(\d+))?(\.*)|(\.+)")
PITCH = re.compile(r"([a-gA-G])\1*")
SIGNS = re.compile(r"##|#|--|-|n")
FINEST = 768  # notes in the time of a whole
LONG = {"0": 8, "00": 16, "000": 32}  # quarter notes of breve, long, maxima
METRE = re.compile(r"\*M(\d{1,3})/(\d{1,3})$")
SIGNATURE = re.compile(r"\*k\[((?:[a-g](?:#|-|n))*)\]")
KEY = re.compile(r"\*([a-gA-G])(#|-)?:(?:(dor|phr|lyd|mix|aeo|ion|loc))?$")
TEMPO_MARK = re.compile(r"\*MM(\d{1,4}(?:\.\d+)?)$")
NAME = re.compile(r'\*I(?:"|:)(.+)$')
CODES = {
    "*Isoprn": "Soprano",
    "*Icant": "Cantus",
    "*Ialto": "Alto",
    "*Icalto": "Alto",
    "*Itenor": "Tenor",
    "*Ibass": "Bass",
    "*Ivioln": "Violin",
    "*Iviola": "Viola",
    "*Icello": "Cello",
    "*Ipiano": "Piano",
    "*Iorgan": "Organ",
    "*Icemba": "Harpsichord",
}
KEYBOARDS = ("Piano", "Organ", "Harpsichord")
TITLES = {"OTL": "title", "COM": "composer"}
SCALE = {"dor": "dorian", "phr": "phrygian", "lyd": "lydian", "mix": "mixolydian"}
SCALE |= {"aeo": "minor", "ion": "major", "loc": "locrian"}


@dataclass(slots=True)
class _Spine:
    """A column of the file at one line."""

    staff: int  # number of its **kern column from the left, FIGURED, -1 if it is something else
    time: Fraction  # where its next note begins, in quarter notes


@dataclass(slots=True)
class _Sheet:
    """What has been read of a piece."""

    name: str
    spines: list[_Spine] = field(default_factory=list)
    notes: dict[tuple[int, int], list[Written]] = field(default_factory=dict)  # staff, layer
    names: dict[int, str] = field(default_factory=dict)
    bars: list[Fraction] = field(default_factory=list)
    metres: list[Metre] = field(default_factory=list)
    phrases: dict[tuple[int, int], list[Fraction]] = field(default_factory=dict)
    signature: int | None = None
    tonic: tuple[str, str, str] | None = None  # letter, sign and mode as they are written
    tempo: float | None = None
    texts: dict[str, str] = field(default_factory=dict)
    graces: list[str] = field(default_factory=list)
    figures: list[tuple[Fraction | None, str, str]] = field(default_factory=list)
    count: int = 0
    end: Fraction = Fraction(0)

    def layers(self) -> list[int]:
        """For each spine its number within its staff, 0 the first from the left."""
        seen: dict[int, int] = {}
        found = []
        for spine in self.spines:
            found.append(seen.get(spine.staff, 0))
            seen[spine.staff] = found[-1] + 1
        return found

    @property
    def now(self) -> Fraction:
        """Time that the kern spines have reached."""
        return max((each.time for each in self.spines if each.staff >= 0), default=Fraction(0))


def read_kern(path: str | Path) -> tuple[Reading, ...]:
    """Read a Humdrum file; it may hold several pieces, one after another.

    Staves come from the right, which is the top of the page; layers of a staff and notes of a
    chord become voices.

    Raises:
        ScoreError: the file cannot be read, is too large, or says what no score can hold: the
            message names the line.
    """
    path = Path(path)
    lines = text_of(path, LARGEST).splitlines()
    pieces = list(_pieces(path.name, lines))
    if not pieces:
        raise ScoreError(path.name, f"holds no {KERN}")
    several = len(pieces) > 1
    return tuple(
        _reading(sheet, f"{path.stem} {number}" if several else path.stem)
        for number, sheet in enumerate(pieces, 1)
    )


def read_figure_spine(path: str | Path) -> tuple[tuple[Fraction | None, str, str], ...]:
    """The tokens of the figured-bass spines of a Humdrum file's first piece.

    Returns:
        Onset (None where no note begins on the line), token, and where it stands.

    Raises:
        ScoreError: as `read_kern`.
    """
    path = Path(path)
    sheets = _pieces(path.name, text_of(path, LARGEST).splitlines())
    return tuple(each for sheet in list(sheets)[:1] for each in sheet.figures)


# --- lines ----------------------------------------------------------------------------------


def _pieces(name: str, lines: Sequence[str]) -> Iterator[_Sheet]:
    """A sheet for each run of spines from `**` to `*-`."""
    sheet = _Sheet(name)
    for number, line in enumerate(lines, 1):
        where = f"{name}, line {number}"
        if not line or line.startswith("!"):
            _read_comment(sheet, line)
            continue
        cells = line.split("\t")
        if cells[0].startswith("**") and not sheet.spines:
            if any(sheet.notes.values()):
                yield sheet
                sheet = _Sheet(name, texts={})
            _open(sheet, cells, where)
            continue
        if len(cells) != len(sheet.spines):
            problem = f"{len(cells)} columns where {len(sheet.spines)} are open"
            raise ScoreError(where, problem)
        _read_line(sheet, cells, where)
    if any(sheet.notes.values()):
        yield sheet


def _read_comment(sheet: _Sheet, line: str) -> None:
    match = re.match(r"!!!(\w{3})\w*(?:@+\w*)?: *(.+)", line)
    if match and match[1] in TITLES:
        sheet.texts.setdefault(TITLES[match[1]], brief(match[2]))


def _open(sheet: _Sheet, cells: Sequence[str], where: str) -> None:
    if len(cells) > MOST_SPINES:
        raise ScoreError(where, f"{len(cells)} spines, at most {MOST_SPINES} are read")
    staff = 0
    for cell in cells:
        kern = cell == KERN
        other = FIGURED if cell in FIGURES else -1
        sheet.spines.append(_Spine(staff if kern else other, sheet.end))
        staff += kern


def _read_line(sheet: _Sheet, cells: Sequence[str], where: str) -> None:
    if cells[0].startswith("="):
        sheet.bars.append(sheet.now)
    elif cells[0].startswith("*"):
        _read_interpretation(sheet, cells, where)
    else:
        _read_data(sheet, cells, where)


# --- interpretations ------------------------------------------------------------------------


def _read_interpretation(sheet: _Sheet, cells: Sequence[str], where: str) -> None:
    if any(cell in PATHS or cell in JOINED or cell in UNREAD for cell in cells):
        _change_spines(sheet, cells, where)
        return
    for spine, cell in zip(sheet.spines, cells, strict=True):
        if spine.staff < 0 or cell == "*":
            continue
        for pattern, read in INTERPRETATIONS:
            match = pattern.match(cell)
            if match:
                read(sheet, spine, match, where)
        if cell in CODES:
            sheet.names.setdefault(spine.staff, CODES[cell])


def _read_metre(sheet: _Sheet, spine: _Spine, match: re.Match[str], where: str) -> None:
    metre = checked_metre(Metre(int(match[1]), int(match[2]), spine.time), where)
    if metre not in sheet.metres:
        sheet.metres.append(metre)


def _read_signature(sheet: _Sheet, spine: _Spine, match: re.Match[str], where: str) -> None:
    if sheet.signature is None:
        sheet.signature = match[1].count("#") - match[1].count("-")


def _read_key(sheet: _Sheet, spine: _Spine, match: re.Match[str], where: str) -> None:
    if sheet.tonic is None:
        mode = SCALE.get(match[3] or "", "major" if match[1].isupper() else "minor")
        sheet.tonic = match[1].upper(), match[2] or "", mode


def _read_tempo(sheet: _Sheet, spine: _Spine, match: re.Match[str], where: str) -> None:
    if sheet.tempo is None:
        sheet.tempo = checked_tempo(float(match[1]), where)


def _read_name(sheet: _Sheet, spine: _Spine, match: re.Match[str], where: str) -> None:
    sheet.names[spine.staff] = brief(match[1].strip("[]"), 40).capitalize()


INTERPRETATIONS: tuple[
    tuple[re.Pattern[str], Callable[[_Sheet, _Spine, re.Match[str], str], None]], ...
] = (
    (METRE, _read_metre),
    (SIGNATURE, _read_signature),
    (KEY, _read_key),
    (TEMPO_MARK, _read_tempo),
    (NAME, _read_name),
)


PATHS = {"*^": 2, "*-": 0}  # spines that come after one that splits or ends
JOINED = ("*v",)
UNREAD = ("*x", "*+", KERN)


def _change_spines(sheet: _Sheet, cells: Sequence[str], where: str) -> None:
    """Split, end and join spines; spines of one staff that are joined next to each other are one."""
    if any(cell in UNREAD for cell in cells):
        raise ScoreError(where, "spines that change places or begin later are not read")
    sheet.end = max(sheet.end, sheet.now)
    after: list[_Spine] = []
    joined: _Spine | None = None
    for place, cell in enumerate(cells):
        spine = sheet.spines[place]
        if cell == "*v" and joined is not None and joined.staff == spine.staff:
            joined.time = max(joined.time, spine.time)
            continue
        after += [replace(spine) for _ in range(PATHS.get(cell, 1))]
        joined = after[-1] if cell == "*v" else None
    if len(after) > MOST_SPINES:
        raise ScoreError(where, f"{len(after)} spines, at most {MOST_SPINES} are read")
    sheet.spines = after


# --- notes ----------------------------------------------------------------------------------


def _read_data(sheet: _Sheet, cells: Sequence[str], where: str) -> None:
    layers = sheet.layers()
    begun: set[Fraction] = set()
    for spine, layer, cell in zip(sheet.spines, layers, cells, strict=True):
        if spine.staff < 0 or cell in (".", ""):
            continue
        tokens = [token for token in cell.split() if not _is_grace(token)]
        graces = len(cell.split()) - len(tokens)
        if graces:
            sheet.graces.append(f"{where.rpartition(', ')[2]}: {left_out(graces, 'grace note')}")
        if tokens:
            begun.add(spine.time)
            _read_chord(sheet, spine, layer, tokens, where)
    sheet.figures += [
        (min(begun, default=None), cell, where)
        for spine, cell in zip(sheet.spines, cells, strict=True)
        if spine.staff == FIGURED and cell not in (".", "")
    ]
    if len(begun) > 1:
        times = " and ".join(f"{float(time):g}" for time in sorted(begun))
        raise ScoreError(where, f"spines disagree about the time: {times} quarter notes")


def _is_grace(token: str) -> bool:
    return "q" in token or "Q" in token


def _read_chord(
    sheet: _Sheet, spine: _Spine, layer: int, tokens: Sequence[str], where: str
) -> None:
    length: Fraction | None = None
    onset = spine.time
    for token in tokens:
        found = _length(token, where)
        length = found if found is not None else length
        if length is None:
            raise ScoreError(where, f"{brief(token, 20)!r} has no duration")
        if onset + length > LONGEST:
            raise ScoreError(where, f"lasts longer than {LONGEST} quarter notes")
        spine.time = max(spine.time, onset + length)
        if "r" not in token:
            _add(sheet, (spine.staff, layer), token, (onset, length), where)
        if "}" in token:
            sheet.phrases.setdefault((spine.staff, layer), []).append(onset + length)
    sheet.end = max(sheet.end, spine.time)


def _add(
    sheet: _Sheet, voice: tuple[int, int], token: str, span: tuple[Fraction, Fraction], where: str
) -> None:
    sheet.count += 1
    if sheet.count > MOST_NOTES:
        raise ScoreError(where, f"more than {MOST_NOTES} notes; no more are read")
    note = Note(*span, _pitch(token, where), ";" in token)
    place = where.rpartition(", ")[2]
    tied = "[" in token or "_" in token
    sheet.notes.setdefault(voice, []).append(Written(note, tied, place))


def _length(token: str, where: str) -> Fraction | None:
    """Quarter notes of a token, None where it states none."""
    match = RECIP.search(token)
    if match is None or match[1] is None:
        return None
    if match[1] in LONG:
        plain = Fraction(LONG[match[1]])
    else:
        number, times = (int(text) if len(text) <= 4 else 0 for text in (match[1], match[2] or "1"))
        if not (0 < number <= FINEST and times):
            raise ScoreError(where, f"{brief(token, 20)!r}: a duration that no note has")
        plain = Fraction(4 * times, number)
    dots = len(match[3])
    if dots > 4:
        raise ScoreError(where, f"{brief(token, 20)!r}: a duration that no note has")
    return plain * (2 - Fraction(1, 2**dots))


def _pitch(token: str, where: str) -> Pitch:
    match = PITCH.search(token)
    if match is None:
        raise ScoreError(where, f"{brief(token, 20)!r} is neither note nor rest")
    name = match[0]
    low = name[0].isupper()
    octave = MIDDLE - len(name) if low else MIDDLE - 1 + len(name)
    if not 0 <= octave <= 9:
        raise ScoreError(where, f"{brief(token, 20)!r} is none of the MIDI keys 0 to 127")
    letter = LETTERS.index(name[0].lower())
    signs = SIGNS.match(token, match.end())
    text = signs[0] if signs else ""
    alteration = text.count("#") - text.count("-")
    return Pitch(7 * octave + letter, 12 * (octave + 1) + LETTER_SEMITONES[letter] + alteration)


# --- the piece ------------------------------------------------------------------------------


def _reading(sheet: _Sheet, name: str) -> Reading:
    remarks = list(sheet.graces)
    staves = []
    for staff in sorted({staff for staff, _ in sheet.notes}, reverse=True):
        voices: list[tuple[Note, ...]] = []
        title = sheet.names.get(staff, "")
        for key in sorted(key for key in sheet.notes if key[0] == staff):
            notes, hanging = join_ties(sheet.notes[key])
            remarks += hanging
            voices.append(notes)
        where = f"{sheet.name}, {title or f'staff {staff + 1}'}"
        staves.append(Staff(title, staff_lines(voices, where)))
    parts = checked_parts(named_parts(staves), sheet.name)
    metres = sheet.metres if sheet.metres and not sheet.metres[0].onset else []
    counted = grid(sheet.bars, metres or [Metre(4, 4)], sheet.end, sheet.name)
    home, declared = home_key(parts, sheet.signature, sheet.tonic)
    score = Score(
        sheet.texts.get("title", name),
        home,
        parts,
        counted.metres,
        counted.upbeat,
        sheet.tempo or TEMPO,
        phrase_ends=_phrase_ends(sheet, len(parts)),
        credit=sheet.texts.get("composer", ""),
    )
    return Reading(
        name,
        score,
        tuple(remarks),
        metre=bool(metres),
        tempo=sheet.tempo is not None,
        key_declared=declared,
        irregular=counted.irregular,
        bars=counted.bars,
        written=tuple(each for voice in sheet.notes.values() for each in voice),
        hands=len(staves[0].voices) if _for_keyboard(staves) else None,
    )


def _for_keyboard(staves: Sequence[Staff]) -> bool:
    return len(staves) == 2 and all(staff.name in KEYBOARDS for staff in staves)


def _phrase_ends(sheet: _Sheet, voices: int) -> tuple[Fraction, ...]:
    """Phrase marks of a single line; in several voices they are slurs of each."""
    marks = next(iter(sheet.phrases.values()), []) if voices == 1 else []
    return tuple(sorted(set(marks)))
