"""Rolls as scores in parts, so that they can be engraved, heard and judged by the rules.

A frame says which pitches sound, not who sings them. Four voices take the notes of a frame from the
top down without crossing, so that they move least; with fewer notes than voices neighbours sing in
unison, with more the notes that are left over stand in further parts. Each frame is struck. Bach's
rolls are read by the same rules as a model's, so that their findings can be compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, combinations_with_replacement

from musegen.errors import ScoreError
from musegen.io.pieces import Reading
from musegen.io.spelling import KeyStroke, likeliest_key, spell_voices
from musegen.models.rolls import Frame, Roll
from musegen.report import CheckReport
from musegen.score import Metre, Note, Part, Score
from musegen.tasks.check import CheckOptions, check_reading
from theory_kb.moment import MAX_VOICES
from theory_kb.pitch import Pitch

__all__ = ["Findings", "findings", "lines", "placed_findings", "score_of"]

VOICES = ("Soprano", "Alto", "Tenor", "Bass")
QUARTER = Fraction(1)
TEMPO = 80.0  # quarter notes a minute
HOME = (67, 62, 57, 50)  # where the voices are before they have sung: middles of their ranges

Line = tuple[int | None, ...]  # MIDI number of each frame, None in a rest


@dataclass(frozen=True, slots=True)
class Findings:
    """What the rules say of a piece."""

    moves: int  # steps at which two voices both go on, over all pairs
    by_rule: tuple[tuple[str, str, int], ...]  # rule, severity, how often

    def count(self, severity: str) -> int:
        """How many findings have a severity."""
        return sum(count for _, level, count in self.by_rule if level == severity)


def lines(roll: Roll) -> tuple[Line, ...]:
    """The notes of each voice, high to low, then of what four voices cannot sing."""
    before: tuple[int, ...] = HOME
    sung: list[tuple[int | None, ...]] = []
    spare: list[Frame] = []
    for frame in roll.frames:
        held = _assigned(frame, before)
        spare.append(_spare(frame, held))
        sung.append(held or (None,) * len(VOICES))
        before = held or before
    more = max(map(len, spare))
    rows = [
        (*voices, *sorted(others, reverse=True), *(None,) * (more - len(others)))
        for voices, others in zip(sung, spare, strict=True)
    ]
    return tuple(zip(*rows, strict=True))


def _assigned(frame: Frame, before: tuple[int, ...]) -> tuple[int, ...]:
    """What four voices sing of a frame, moving least; nothing of a silent one."""
    if not frame:
        return ()
    return min(_ways(frame), key=lambda way: _motion(way, before))


def _motion(way: tuple[int, ...], before: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    return sum(abs(to - at) for to, at in zip(way, before, strict=True)), way


def _ways(frame: Frame) -> Iterator[tuple[int, ...]]:
    """All ways to share out the notes: highest and lowest are sung, and as many as voices can."""
    high = frame[::-1]
    if len(frame) >= len(VOICES):
        for inner in combinations(high[1:-1], len(VOICES) - 2):
            yield (high[0], *inner, high[-1])
        return
    for way in combinations_with_replacement(high, len(VOICES)):
        if set(way) == set(frame):
            yield way


def _spare(frame: Frame, held: tuple[int, ...]) -> Frame:
    return tuple(pitch for pitch in frame if pitch not in held)


def score_of(roll: Roll, title: str, *, frame: Fraction = QUARTER) -> Score:
    """A roll as a spelled score in 4/4 without upbeat, each frame struck anew.

    Args:
        roll: at least one frame that sounds.
        title: of the score.
        frame: length of a frame, quarter notes.

    Raises:
        ScoreError: silence, or more notes at once than a score can have parts.
    """
    found = lines(roll)
    if len(found) > MAX_VOICES or not any(roll.frames):
        notes = max(map(len, roll.frames))
        raise ScoreError(title, f"up to {notes} notes at once, allowed are 1 to {MAX_VOICES}")
    strokes = [
        [
            KeyStroke(place * frame, frame, pitch)
            for place, pitch in enumerate(line)
            if pitch is not None
        ]
        for line in found
    ]
    key = likeliest_key(strokes)
    names = (*VOICES, *(f"Further {number}" for number in range(1, len(found) - 3)))
    parts = tuple(
        Part(name, tuple(map(_note, some, pitches)))
        for name, some, pitches in zip(names, strokes, spell_voices(strokes, key), strict=True)
    )
    return Score(title, key, parts, (Metre(4, 4),), tempo=TEMPO)


def _note(stroke: KeyStroke, pitch: Pitch) -> Note:
    return Note(stroke.onset, stroke.duration, pitch)


def placed_findings(
    score: Score, *, style: str = "bach", without: Container[str] = ()
) -> CheckReport:
    """What the rules of a style say of the voices, and where; none that asks for harmony or metre.

    The harmony of music that may have none is not analysed, and rolls have no bar lines.

    Args:
        score: of a roll.
        style: name or path of a style.
        without: ids of rules that are left out.

    Raises:
        UnknownNameError: no such style.
    """
    reading = Reading(score.title, score, metre=False, tempo=False, key_declared=False)
    report = check_reading(reading, CheckOptions(style=style, harmony=False)).report
    kept = tuple(each for each in report.findings if each.rule not in without)
    return replace(report, findings=kept)


def findings(score: Score, *, style: str = "bach", without: Container[str] = ()) -> Findings:
    """How often each rule speaks; see `placed_findings`."""
    report = placed_findings(score, style=style, without=without)
    counts = Counter((each.rule, each.severity) for each in report.findings)
    return Findings(report.moves, tuple((*name, count) for name, count in sorted(counts.items())))
