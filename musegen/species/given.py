"""The cantus firmus that is given, as a score, as text or by name, and the mode it is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from musegen.errors import OptionError, ScoreError, UnknownNameError
from musegen.score import Note, Score
from musegen.species.exercise import BAR_TICKS, HIGHEST, LOWEST, METRE, WHOLE_NOTE
from theory_kb.catalogue import catalogue
from theory_kb.check import Style, check
from theory_kb.metre import beat_ticks
from theory_kb.modes import ChurchMode, church_mode, church_mode_names
from theory_kb.moment import Moments, blank_moments
from theory_kb.pitch import Pitch, PitchClass, PitchError
from theory_kb.rules.context import Context
from theory_kb.rules.piece import Piece, write_declared

__all__ = [
    "Cantus",
    "cantus_from_score",
    "cantus_from_text",
    "check_cantus",
    "mode_of",
    "named_mode",
]

FEWEST, MOST = 3, 200  # notes
KEYS = {"major": "ionian", "minor": "aeolian"}
BY_DISTANCE = {  # the mode on a final so many fifths above the tonic of its signature's major key
    0: "ionian",
    1: "mixolydian",
    2: "dorian",
    3: "aeolian",
    4: "phrygian",
    -1: "lydian",
}
SIGNATURES = sorted(range(-7, 8), key=lambda sharps: (abs(sharps), -sharps))
FRAME = frozenset({"line-begin-end", "mel-approach-final"})  # what a cantus is not asked for


@dataclass(frozen=True, slots=True)
class Cantus:
    """A cantus firmus as it was given."""

    name: str  # file, text or name in the table
    pitches: tuple[Pitch, ...]
    signature: int | None = None  # sharps, if it was written with a key signature
    mode: str | None = None  # if it is known by name


# --- from what it is read -------------------------------------------------------------------


def cantus_from_text(text: str) -> Cantus:
    """A stored cantus by its name, such as `fux-dorian`, or notes such as `D4 F4 E4 D4`.

    Raises:
        UnknownNameError: neither a name of the table nor notes.
        ScoreError: too few notes, too many, or one out of range.
    """
    stored = catalogue()["cantus-firmus"]
    if text in stored:
        entry = stored[text]
        return Cantus(text, _pitches(entry["notes"]), mode=entry["mode"])
    try:
        return _checked(Cantus("the cantus firmus", _pitches(text)))
    except PitchError as error:
        if len(text.split()) == 1:
            raise UnknownNameError("cantus firmus", text, (*stored, "notes: D4 F4 ...")) from error
        raise ScoreError("the cantus firmus", str(error)) from error


def _pitches(text: str) -> tuple[Pitch, ...]:
    return tuple(Pitch.parse(each) for each in text.split())


def cantus_from_score(score: Score, name: str) -> Cantus:
    """The only line of a score, read note by note; each becomes a whole note.

    Raises:
        ScoreError: several voices, rests, notes of different lengths; too few, too many, or one out
            of range.
    """
    parts = [part for part in score.parts if part.notes]
    if not parts:
        raise ScoreError(name, "the cantus firmus has no notes")
    if len(parts) > 1:
        voices = ", ".join(part.name for part in parts)
        raise ScoreError(name, f"a cantus firmus is one voice without chords, got {voices}")
    notes = parts[0].notes
    for problem, note in _misfits(notes):
        bar, beat = score.bar_and_beat(note.onset)
        raise ScoreError(name, f"bar {bar}, beat {float(beat):g}: {problem}")
    pitches = tuple(note.pitch for note in notes)
    return _checked(Cantus(name, pitches, signature=score.key.signature))


def _misfits(notes: Sequence[Note]) -> Iterator[tuple[str, Note]]:
    """What no cantus firmus has: a rest, or another length; only the last note may be longer."""
    length = notes[0].duration
    end = Fraction(0)
    for note in notes:
        if note.onset != end:
            yield f"a cantus firmus has no rests, {note.pitch} follows one", note
        if note.duration != length and (note is not notes[-1] or note.duration < length):
            yield (
                (
                    f"the notes of a cantus firmus are of one length, {note.pitch} has "
                    f"{note.duration} quarter notes and the first has {length}"
                ),
                note,
            )
        end = note.end


def _checked(cantus: Cantus) -> Cantus:
    count = len(cantus.pitches)
    if not FEWEST <= count <= MOST:
        raise ScoreError(cantus.name, f"{count} notes, a cantus firmus has {FEWEST} to {MOST}")
    for bar, pitch in enumerate(cantus.pitches, 1):
        if not LOWEST.semitone <= pitch.semitone <= HIGHEST.semitone:
            problem = f"bar {bar}: {pitch} is out of the range of voices, {LOWEST} to {HIGHEST}"
            raise ScoreError(cantus.name, problem)
    return cantus


# --- the mode -------------------------------------------------------------------------------


def mode_of(cantus: Cantus, name: str | None) -> tuple[ChurchMode, bool]:
    """The mode of a cantus, and whether it was asked for as a major or minor key.

    Args:
        cantus: its last note is the final.
        name: such as `dorian` or `minor`; None finds it from the signature, else from the notes.

    Raises:
        OptionError: no such mode.
        ScoreError: the notes belong to no mode on their last note, or not to the one asked for.
    """
    final = cantus.pitches[-1].pitch_class
    if name is not None:
        mode = named_mode(name, final)
        strange = _strange(cantus, mode)
        if strange is not None:
            bar, pitch = strange
            problem = f"bar {bar}: {pitch} does not belong to {final} {name}"
            raise ScoreError(cantus.name, problem)
        return mode, name in KEYS
    if cantus.mode is not None:
        return church_mode(cantus.mode, final), False
    return _found(cantus, final), False


def named_mode(name: str, final: PitchClass) -> ChurchMode:
    """A church mode, or that of a `major` or `minor` key, on a final.

    Raises:
        OptionError: no such mode.
    """
    allowed = (*church_mode_names(), *KEYS)
    if name not in allowed:
        raise OptionError("mode", name, f"one of {', '.join(allowed)}")
    return church_mode(KEYS.get(name, name), final)


def _found(cantus: Cantus, final: PitchClass) -> ChurchMode:
    """The mode of the signature, or of the one nearest to it that has all notes.

    The soft note counts as one of the mode only where no other mode has it.
    """
    own = cantus.signature or 0
    nearest = sorted(SIGNATURES, key=lambda each: abs(each - own))
    for soft in (False, True):
        for sharps in nearest:
            name = BY_DISTANCE.get(final.fifths - sharps)
            if name is not None and _strange(cantus, church_mode(name, final), soft=soft) is None:
                return church_mode(name, final)
    raise ScoreError(cantus.name, f"no church mode on its last note, {final}, has all its notes")


def _strange(cantus: Cantus, mode: ChurchMode, *, soft: bool = True) -> tuple[int, Pitch] | None:
    """The first note that is neither of the mode nor of its ficta, with its bar."""
    last = len(cantus.pitches) - 2
    lowered = {mode.soft} if soft else set()
    for place, pitch in enumerate(cantus.pitches):
        raised = {mode.leading_tone} if place >= last else set()
        if pitch.pitch_class not in {*mode.scale, *lowered, *raised}:
            return place + 1, pitch
    return None


# --- what no counterpoint could mend --------------------------------------------------------


def check_cantus(cantus: Cantus, style: Style) -> None:
    """Raise ScoreError where the cantus alone breaks a hard rule, with bar and rule."""
    surface = _alone(cantus.pitches)
    end = len(cantus.pitches) * BAR_TICKS
    context = Context(cantus=0, final=cantus.pitches[-1].pitch_class.fifths, end=end)
    write_declared(surface, context)
    piece = Piece(surface, None, ("Cantus firmus",), beat_ticks(*METRE), BAR_TICKS, context)
    severities = {**style.severities, **dict.fromkeys(FRAME, "-")}
    for finding in check(piece, replace(style, severities=severities)).findings:
        if finding.severity == "E":
            raise ScoreError(cantus.name, f"bar {finding.bar}: {finding.message} [{finding.rule}]")


def _alone(pitches: Sequence[Pitch]) -> Moments:
    surface = blank_moments(len(pitches), 1)
    surface["step"][:, 0] = [pitch.step for pitch in pitches]
    surface["semitone"][:, 0] = [pitch.semitone for pitch in pitches]
    surface["attack"][:, 0] = 1
    surface["bar"] = np.arange(len(pitches)) + 1
    surface["onset"] = np.arange(len(pitches)) * BAR_TICKS
    surface["strength"] = int(WHOLE_NOTE)
    surface["opening"][0] = 1
    for name in ("final", "phrase_end"):
        surface[name][-1] = 1
    return surface
