"""A figured bass as text: `D minor: D3 F3[6] G3[6/5] A3[4 3]*2 | D3`.

A key stands first, with a colon; then notes with their octave (C4 is middle C), `r` for a rest,
`*2` for two beats. Figures stand in brackets behind their note, one above the other with a stroke
(`6/5`, `7/#`), one after the other with a space (`4 3`): those share the note's time evenly, unless
`[4*3 3]` gives one its beats. `_` holds what sounds, `!` after a note is a fermata, bar lines are
for the reader's eye.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from musegen.errors import OptionError
from musegen.score import FigureMark, Metre, Note, Part, Score
from theory_kb.metre import beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, Pitch
from theory_kb.thoroughbass import FigureError, Figures

__all__ = ["is_bass", "read_bass"]

EXAMPLE = "a key and a bass, such as 'D minor: D3 F3[6] G3[6/5] A3[4 3]*2 D3'"
HEAD = re.compile(r"\s*([^:]*):(.*)", re.DOTALL)
NOTE = re.compile(
    r"(?P<pitch>[A-G](?:#{1,2}|x|b{1,2}|♯|♭)?-?\d|r)(?:\[(?P<figures>[^\[\]]*)\])?"
    r"(?:\*(?P<beats>\d{1,4}(?:/\d{1,4})?))?(?P<fermata>!)?"
)
FIRST = re.compile(r"\s*\|*\s*([A-G](#|b|x|♯|♭){0,2}-?\d|r\b)")
LONGEST = 64  # beats of a note
MOST = 2000  # notes


def is_bass(text: str) -> bool:
    """Whether a text is a bass with its notes, not a row of Roman numerals."""
    match = HEAD.fullmatch(text)
    return match is not None and FIRST.match(match[2]) is not None


def read_bass(text: str, *, metre: Metre, tempo: float = 72.0) -> Score:
    """The bass and its figures, as a score of one part.

    Args:
        text: see the module.
        metre: of the piece; `*` counts its beats.
        tempo: quarter notes a minute.

    Raises:
        OptionError: no key, no note, a token that is none, or a length out of range.
        PitchError: a key that does not exist.
    """
    match = HEAD.fullmatch(text)
    if match is None or not match[2].strip(" |\n\t"):
        raise OptionError("bass", text, EXAMPLE)
    key = Key.parse(match[1])
    beat = Fraction(beat_ticks(metre.beats, metre.unit), TICKS)
    notes: list[Note] = []
    marks: list[FigureMark] = []
    time = Fraction(0)
    for number, token in enumerate(_tokens(match[2]), 1):
        length = _beats(token["beats"], token[0]) * beat
        if token["pitch"] != "r":
            pitch = Pitch.parse(token["pitch"])
            notes.append(Note(time, length, pitch, token["fermata"] is not None))
            marks.extend(_marks(token, time, length, beat))
        time += length
        if number > MOST:
            raise OptionError("bass", f"more than {MOST} notes", f"at most {MOST} notes long")
    if not notes:
        raise OptionError("bass", text, EXAMPLE)
    return Score(
        "Bass", key, (Part("Bass", tuple(notes)),), (metre,), tempo=tempo, figures=tuple(marks)
    )


def _tokens(text: str) -> Iterator[re.Match[str]]:
    place = 0
    while place < len(text):
        if text[place] in " |\n\t\r":
            place += 1
            continue
        match = NOTE.match(text, place)
        if match is None or (match.end() < len(text) and text[match.end()] not in " |\n\t\r"):
            rest = text[place:].split(maxsplit=1)[0]
            raise OptionError("bass note", rest, "a note such as D3, F#2[6]*2, A3[4 3] or r")
        yield match
        place = match.end()


def _beats(text: str | None, token: str) -> Fraction:
    try:
        beats = Fraction(text) if text else Fraction(1)
    except ZeroDivisionError:
        beats = Fraction(0)
    if not 0 < beats <= LONGEST:
        raise OptionError("length of a note", token, f"more than 0 and at most {LONGEST} beats")
    return beats


def _marks(
    token: re.Match[str], onset: Fraction, length: Fraction, beat: Fraction
) -> Iterator[FigureMark]:
    """The figures of a note, each for its time."""
    written = (token["figures"] or "").split()
    lengths = [_own_length(each, token[0], beat) for each in written]
    rest = length - sum(each for each in lengths if each is not None)
    even = sum(each is None for each in lengths)
    if rest < 0 or (even and not rest) or (lengths and not even and rest):
        problem = f"as long as its note ({length / beat} beats) in all"
        raise OptionError("figures", token[0], problem)
    for each, own in zip(written, lengths, strict=True):
        lasts = rest / even if own is None else own
        yield FigureMark(onset, lasts, _figures(each.partition("*")[0], token[0]))
        onset += lasts


def _own_length(figures: str, token: str, beat: Fraction) -> Fraction | None:
    _, star, beats = figures.partition("*")
    if not star:
        return None
    if not re.fullmatch(r"\d{1,4}(/\d{1,4})?", beats):
        raise OptionError("length of figures", figures, "beats such as *2 or *1/2")
    return _beats(beats, token) * beat


def _figures(text: str, token: str) -> str:
    try:
        return Figures.parse(text).text
    except FigureError as error:
        raise OptionError("figures", token, f"read as figures ({error})") from error
