"""Questions about themes: the answer of a fugue, the canons that a theme can make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from theory_kb.answers import Answer, QuestionError, Value, answer
from theory_kb.catalogue import catalogue
from theory_kb.check import check
from theory_kb.graph import statements
from theory_kb.imitation import fugue_answer, moved_in_key
from theory_kb.moment import TICKS, Moments, blank_moments
from theory_kb.pitch import Interval, Key, Pitch
from theory_kb.rules.piece import Piece
from theory_kb.rules.records import rules
from theory_kb.rules.styles import Style
from theory_kb.stored import degree_name

__all__ = ["canons", "tonal_answer"]

Row = Mapping[str, Value]
MOST_NOTES = 200


# --- the tonal answer -----------------------------------------------------------------------


def tonal_answer(subject: str, key: str) -> Answer:
    """The answer of a fugue subject, its mutations and their reason: `D4 A4 F4 D4` in D minor.

    Notes move up a fifth; where 5 belongs to the head it is answered by 1, and what stands in the
    dominant at the end of a subject that modulates moves up a fourth, so that it returns home.
    """
    home = Key.parse(key)
    pitches = [Pitch.parse(text) for text in subject.split()]
    if not 2 <= len(pitches) <= MOST_NOTES:
        raise QuestionError(f"a subject has 2 to {MOST_NOTES} notes, got {len(pitches)}")
    degrees = [_degree(pitch, home) for pitch in pitches]
    found = fugue_answer(pitches, home)
    reasons = [REASONS[each] for each in found.mutations]
    rows = [
        {
            "subject": pitch.name,
            "degree": degree,
            "answer": reply.name,
            "mutation": reason,
        }
        for pitch, degree, reply, reason in zip(
            pitches, degrees, found.pitches, reasons, strict=True
        )
    ]
    notes = " ".join(str(row["answer"]) for row in rows)
    why = next((reason for reason in reasons if reason), "the head does not touch 5")
    evidence = (*statements(("term", f"{found.kind} answer")), *statements(("term", "answer")))
    text = f"The answer is {found.kind}: {notes} ({why})."
    return answer("tonal-answer", text, rows, evidence, ["PR III", "PR IV"])


def _degree(pitch: Pitch, key: Key) -> str:
    name = degree_name(pitch.pitch_class.fifths - key.tonic.fifths)
    return name[1:] if key.mode == "minor" and name in ("b3", "b6") else name


REASONS = {
    "": "",
    "head": "in the head 5 is answered by 1 and 7 by 3",
    "turn": "the subject is in the dominant here, its answer returns to the tonic",
}


# --- canons ---------------------------------------------------------------------------------

PERFECT = ("parallel-unison", "parallel-octave", "parallel-fifth")


@dataclass(frozen=True, slots=True)
class _Note:
    """A note of a theme."""

    onset: Fraction  # quarter notes
    end: Fraction
    pitch: Pitch


def canons(theme: str, key: str = "C major", beats: str = "1 2 4") -> Answer:
    """At which intervals and delays a theme makes a canon without an error: `C4:1 D4:1 E4:2`.

    Notes are pitch and duration in quarter notes. The follower answers within the key, above or
    below, up to an octave. A canon is without error if what sounds at each beat is consonant, other
    dissonances are passed through by step, and no fifths, octaves or unisons are parallel.
    """
    notes, home = _theme(theme), Key.parse(key)
    delays = [_quarters(text) for text in beats.split()]
    found = [
        (steps, delay)
        for steps in range(-7, 8)
        for delay in delays
        if 0 < delay < notes[-1].end and _fits(notes, home, steps, delay)
    ]
    rows: list[Row] = [
        {"interval": f"{abs(steps) + 1}", "way": _way(steps), "delay in quarters": float(delay)}
        for steps, delay in found
    ]
    listed = ", ".join(
        f"{row['interval']} {row['way']} after {row['delay in quarters']:g}" for row in rows
    )
    evidence = [edge for name in PERFECT for edge in statements(("rule", name), "cites")]
    text = f"Canons without error: {listed or 'none'}."
    return answer("canons", text, rows, evidence, ["PR", "JP"])


def _way(steps: int) -> str:
    return "above" if steps > 0 else "below" if steps else "unison"


def _quarters(text: str) -> Fraction:
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise QuestionError(f"a duration is a number of quarter notes, got {text!r}") from None
    if not 0 < value <= 64 or value.denominator > 48:
        raise QuestionError(f"a duration is from 1/48 to 64 quarter notes, got {text!r}")
    return value


def _theme(text: str) -> list[_Note]:
    notes: list[_Note] = []
    time = Fraction(0)
    for word in text.split():
        name, _, length = word.partition(":")
        end = time + _quarters(length or "1")
        notes.append(_Note(time, end, Pitch.parse(name)))
        time = end
    if not 2 <= len(notes) <= MOST_NOTES:
        raise QuestionError(f"a theme has 2 to {MOST_NOTES} notes, got {len(notes)}")
    return notes


def _fits(notes: Sequence[_Note], key: Key, steps: int, delay: Fraction) -> bool:
    second = [
        _Note(note.onset + delay, note.end + delay, moved_in_key(note.pitch, key, steps))
        for note in notes
    ]
    pair = (second, notes) if steps > 0 else (notes, second)
    surface = _surface(pair, (delay, notes[-1].end))
    return _consonant(surface) and not _parallels(surface)


def _surface(pair: Sequence[Sequence[_Note]], span: tuple[Fraction, Fraction]) -> Moments:
    """Both voices where they sound together; the upper one first."""
    start, stop = span
    inside = [[note for note in line if note.end > start and note.onset < stop] for line in pair]
    onsets = sorted({max(start, note.onset) for line in inside for note in line})
    surface = blank_moments(len(onsets), 2)
    for voice, line in enumerate(inside):
        for row, onset in enumerate(onsets):
            note = next(each for each in line if each.onset <= onset < each.end)
            surface["step"][row, voice] = note.pitch.step
            surface["semitone"][row, voice] = note.pitch.semitone
            surface["attack"][row, voice] = note.onset == onset
    surface["onset"] = [int((onset - onsets[0]) * TICKS) for onset in onsets]
    surface["strength"] = [2 if onset.denominator == 1 else 1 for onset in onsets]
    return surface


def _consonant(surface: Moments) -> bool:
    """Whether all on beats is consonant and the rest is consonant or passed through by step."""
    return all(
        _is_consonant(surface[row]) or (surface["strength"][row] < 2 and _passes(surface, row))
        for row in range(len(surface))
    )


def _is_consonant(moment: np.void) -> bool:
    high, low = sorted((0, 1), key=lambda voice: -int(moment["semitone"][voice]))
    interval = Interval(
        int(moment["step"][high]) - int(moment["step"][low]),
        int(moment["semitone"][high]) - int(moment["semitone"][low]),
    )
    octaves = max(0, interval.steps - 1) // 7
    simple = Interval(interval.steps - 7 * octaves, interval.semitones - 12 * octaves).name
    known = catalogue()["interval"].get(simple)
    return known is not None and known["consonance"] != "dissonant"


def _passes(surface: Moments, row: int) -> bool:
    """Whether each voice that moves here comes and goes by step."""
    if not 0 < row < len(surface) - 1:
        return False
    steps = surface["step"][row - 1 : row + 2, :2].astype(int)
    moving = surface["attack"][row, :2].astype(bool)
    return bool((np.abs(np.diff(steps, axis=0))[:, moving] <= 1).all())


def _parallels(surface: Moments) -> bool:
    severities = dict.fromkeys(rules(), "-") | dict.fromkeys(PERFECT, "E")
    params = {name: each.params for name, each in rules().items()}
    alone = Style("parallels", "", severities, params, {})
    return bool(check(Piece(surface, None, ("upper", "lower"), TICKS), alone).findings)
