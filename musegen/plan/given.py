"""Given voices as a writing task needs them: what cannot be worked with is refused by its place.

Limits, stated here once: one metre of the table, at most `MOST_SLOTS` beats, each voice one line
within a fourth of its range, all given voices sounding together from the first note to the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from musegen.errors import OptionError, ScoreError
from musegen.plan.spans import check_length
from musegen.score import Note, Part, Score
from theory_kb.metre import is_known, metre_names
from theory_kb.query import voice_range

__all__ = ["MARGIN", "VOICES", "given_voices"]

VOICES = ("soprano", "alto", "tenor", "bass")
MARGIN = 5  # semitones beyond its extended range that a given voice may go
MOST_NAMED = 3  # places that a refusal names

Lines = Mapping[int, tuple[Note, ...]]


def given_voices(score: Score, voices: Sequence[str]) -> Lines:
    """The notes of given voices by voice, 0 soprano to 3 bass.

    Args:
        score: its parts are the given voices, high to low.
        voices: which voice each part is.

    Raises:
        OptionError: a voice that does not exist, or not one for each part.
        ScoreError: a part without notes; notes out of their voice's range; a metre that is not
            known or changes; voices that do not sound together; more than may be worked with.
            Names part, bar and beat, and what is allowed.
    """
    _check_names(score, voices)
    lines = {
        VOICES.index(voice): _line(part, voice)
        for voice, part in zip(voices, score.parts, strict=True)
    }
    _check_metre(score)
    check_length(score, lines)
    for voice, line in sorted(lines.items()):
        _check_range(score, voice, line)
    _check_together(score, lines)
    return lines


def _check_names(score: Score, voices: Sequence[str]) -> None:
    for voice in voices:
        if voice not in VOICES:
            raise OptionError("voice", voice, f"one of {', '.join(VOICES)}")
    if len(voices) != len(score.parts) or len(set(voices)) < len(voices):
        parts = ", ".join(part.name for part in score.parts[: 2 * MOST_NAMED]) or "none"
        allowed = f"one for each of {len(score.parts)} parts or lines of chords ({parts})"
        raise OptionError("voices", ",".join(voices), allowed)


def _line(part: Part, voice: str) -> tuple[Note, ...]:
    if not part.notes:
        raise ScoreError(part.name, f"the {voice} that is given has no notes")
    return part.notes


def _check_metre(score: Score) -> None:
    for metre in score.metres:
        place = _place(score, metre.onset)
        if not is_known(metre.beats, metre.unit):
            raise ScoreError(
                place, f"metre {metre} is not known (allowed: {', '.join(metre_names())})"
            )
        if (metre.beats, metre.unit) != (score.metre.beats, score.metre.unit):
            problem = f"the metre changes from {score.metre} to {metre}"
            raise ScoreError(place, f"{problem}; one metre is needed: give each section alone")


def _check_range(score: Score, voice: int, line: Sequence[Note]) -> None:
    """Refuse notes that no such voice can sing; those a little out are left to the style's rules."""
    compass = voice_range(VOICES[voice])
    low, high = compass.extended_low, compass.extended_high
    out = [
        note
        for note in line
        if not low.semitone - MARGIN <= note.pitch.semitone <= high.semitone + MARGIN
    ]
    if out:
        named = ", ".join(
            f"{each.pitch} at {_place(score, each.onset)}" for each in out[:MOST_NAMED]
        )
        more = f" and {len(out) - MOST_NAMED} more" if len(out) > MOST_NAMED else ""
        raise ScoreError(
            f"the {VOICES[voice]} that is given",
            f"{named}{more}: out of its range, {low} to {high} (transpose it, or name another voice)",
        )


def _check_together(score: Score, lines: Lines) -> None:
    """Refuse voices that rest while another given voice sounds."""
    for voice, line in sorted(lines.items()):
        for other, others in sorted(lines.items()):
            if voice != other:
                _check_gaps(score, (voice, line), (other, others))


def _check_gaps(
    score: Score, resting: tuple[int, Sequence[Note]], sounding: tuple[int, Sequence[Note]]
) -> None:
    voice, line = resting
    other, notes = sounding
    ends = [Fraction(0), *(note.end for note in line)]
    starts = [*(note.onset for note in line), max(score.duration, line[-1].end)]
    place = 0
    for begin, end in zip(ends, starts, strict=True):
        while place < len(notes) and notes[place].end <= begin:
            place += 1
        if begin < end and place < len(notes) and notes[place].onset < end:
            where = _place(score, max(begin, notes[place].onset))
            raise ScoreError(
                where,
                f"the {VOICES[voice]} rests while the {VOICES[other]} sounds; given voices must "
                "sound together (fill the rest, or give the other voice alone)",
            )


def _place(score: Score, onset: Fraction) -> str:
    bar, beat = score.bar_and_beat(onset)
    return f"bar {bar}, beat {float(beat):g}"
