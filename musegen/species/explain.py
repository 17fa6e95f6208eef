"""Why each note of a counterpoint stands there: its interval, its role, and what else was possible.

Alternatives are judged by the checker: the same exercise with one other note in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np

from musegen.score import Note
from musegen.slices import ticks
from musegen.species.exercise import BAR_TICKS, Exercise
from musegen.tasks.counterpoint import CounterpointDraft, declared
from theory_kb.check import check
from theory_kb.moment import REST, Moments
from theory_kb.pitch import Interval, Pitch
from theory_kb.rules.piece import Piece, line_notes
from theory_kb.rules.records import rules
from theory_kb.rules.species_bars import dissonant

__all__ = ["explanation"]

REACH = 5  # semitones around a note within which alternatives are looked at
MOST_ALTERNATIVES = 4
SOURCES = {1: "FX I.1", 2: "FX I.2", 3: "FX I.3", 4: "FX I.4", 5: "FX I.5"}
ROLES = {  # staff steps into and out of a dissonance that is struck
    (1, 1): "passing tone",
    (-1, -1): "passing tone",
    (1, -1): "upper neighbour",
    (-1, 1): "lower neighbour",
    (-1, -2): "cambiata",
}


def explanation(draft: CounterpointDraft) -> dict[str, Any]:
    """The explanation document of a draft: JSON-able, the same for the same draft."""
    exercise, score = draft.exercise, draft.score
    seen = declared(exercise, score)
    return {
        "title": score.title,
        "key": exercise.mode_name,
        "form": "species counterpoint",
        "style": exercise.style.name,
        "seed": draft.options.seed,
        "chords": [_bar(exercise, seen.surface, bar) for bar in range(exercise.bars)],
        "notes": [
            _note(draft, seen, voice, number, note)
            for voice, part in enumerate(score.parts)
            for number, note in enumerate(part.notes)
        ],
        "findings": [
            {
                "severity": finding.severity,
                "rule": finding.rule,
                "bar": finding.bar,
                "beat": finding.beat,
                "voices": [exercise.names[voice] for voice in finding.voices],
                "message": finding.message,
                "repair": finding.repair,
                "source": finding.source,
            }
            for finding in draft.report.findings
        ],
        "skipped": [{"rule": each.rule, "reason": each.reason} for each in draft.report.skipped],
    }


# --- bars -----------------------------------------------------------------------------------


def _bar(exercise: Exercise, surface: Moments, bar: int) -> dict[str, Any]:
    """A bar as the page lists it: the intervals of each counterpoint with the cantus."""
    moments = surface[surface["bar"] == bar + 1]
    figures = ["-".join(_numbers(exercise, moments, voice)) for voice in exercise.free]
    text = f"intervals with the cantus: {' and '.join(each for each in figures if each) or 'none'}"
    return {
        "index": bar,
        "bar": bar + 1,
        "beat": 1.0,
        "onset": str(Fraction(4 * bar)),
        "key": exercise.mode_name,
        "numeral": " ".join(figures).strip() or "rest",
        "function": "",
        "reasons": [{"text": text, "source": SOURCES[max(exercise.species)]}],
    }


def _numbers(exercise: Exercise, moments: Moments, voice: int) -> Iterator[str]:
    for place, moment in enumerate(moments):
        heard = moment["attack"][voice] or place == 0
        if heard and moment["semitone"][voice] != REST:
            yield str(abs(_interval(moment, voice, exercise.place).steps) + 1)


def _interval(moment: np.void, voice: int, other: int) -> Interval:
    pitches = [Pitch(int(moment["step"][v]), int(moment["semitone"][v])) for v in (voice, other)]
    return pitches[0] - pitches[1]


# --- notes ----------------------------------------------------------------------------------


def _note(
    draft: CounterpointDraft, seen: Piece, voice: int, number: int, note: Note
) -> dict[str, Any]:
    exercise = draft.exercise
    bar, beat = draft.score.bar_and_beat(note.onset)
    given = voice == exercise.place
    role, reasons = ("cantus firmus", ["given: it stands as the task has it"])
    alternatives: list[dict[str, Any]] = []
    if not given:
        role, reasons = _role(exercise, seen, voice, number)
        alternatives = list(islice(_alternatives(draft, seen, voice, note), MOST_ALTERNATIVES))
    source = SOURCES[exercise.species[voice] or 1]
    return {
        "id": f"p{voice}n{number}",
        "part": exercise.names[voice],
        "bar": bar,
        "beat": float(beat),
        "pitch": note.pitch.name,
        "duration": str(note.duration),
        "chord": bar - 1,
        "role": role,
        "reasons": [{"text": text, "source": "" if given else source} for text in reasons],
        "rules": sorted({each["rule"] for each in alternatives if each["rule"]}),
        "alternatives": alternatives,
        "models": {},
    }


def _role(exercise: Exercise, seen: Piece, voice: int, number: int) -> tuple[str, list[str]]:
    """What a note is against the cantus, and against what it is tied over to."""
    notes = line_notes(seen, voice)
    note, surface = notes[number], seen.surface
    interval = _interval(surface[note.start], voice, exercise.place)
    where = "below" if interval.steps < 0 else "above"
    reasons = [f"{interval.name.lstrip('-')} {where} the cantus"]
    tied = [
        moment
        for moment in range(note.start + 1, note.stop)
        if surface["attack"][moment, exercise.place]
    ]
    for moment in tied:
        held = _interval(surface[moment], voice, exercise.place).name.lstrip("-")
        kind = "suspended" if dissonant(seen, moment, voice) else "tied over, consonant"
        following = f"; goes on to {_name(notes[number + 1])}" if number + 1 < len(notes) else ""
        reasons.append(f"{kind} as {held} into bar {surface['bar'][moment]}{following}")
    if any(dissonant(seen, moment, voice) for moment in tied):
        return "suspension", reasons
    if not dissonant(seen, note.start, voice):
        return "consonance", reasons
    moves = [later.step - earlier.step for earlier, later in _around(notes, number)]
    role = ROLES.get((moves[0], moves[1]), "dissonance") if len(moves) == 2 else "dissonance"
    return role, [*reasons, "reached and left as the species allows a dissonance off the downbeat"]


def _around(notes: Sequence[Any], number: int) -> Iterator[tuple[Any, Any]]:
    for place in (number - 1, number):
        if 0 <= place < len(notes) - 1:
            yield notes[place], notes[place + 1]


def _name(note: Any) -> str:
    return Pitch(note.step, note.semitone).name


# --- alternatives ---------------------------------------------------------------------------


def _alternatives(
    draft: CounterpointDraft, seen: Piece, voice: int, note: Note
) -> Iterator[dict[str, Any]]:
    """Other notes in the place of one, nearest first, and what came of them."""
    exercise, surface = draft.exercise, seen.surface
    before = [finding.rule for finding in draft.report.findings]
    rows = (surface["onset"] >= ticks(note.onset)) & (surface["onset"] < ticks(note.end))
    choices = exercise.choices(voice, ticks(note.onset) // BAR_TICKS)
    near = [pitch for pitch in choices if 0 < abs(pitch.semitone - note.pitch.semitone) <= REACH]
    for pitch in sorted(near, key=lambda each: (abs(each.semitone - note.pitch.semitone), each)):
        changed = surface.copy()
        changed["step"][rows, voice] = pitch.step
        changed["semitone"][rows, voice] = pitch.semitone
        piece = Piece(changed, None, seen.voices, seen.beat_ticks, seen.bar_ticks, seen.context)
        found = check(piece, exercise.style).findings
        broken = next((each.rule for each in found if each.severity == "E"), "")
        worse = next((each.rule for each in found if each.rule not in before), "")
        text = "allowed here, but its line cost more"
        if broken or worse:
            text = rules()[broken or worse].name
        yield {
            "pitch": pitch.name,
            "rejected_by": "rule" if broken else "score",
            "rule": broken or worse,
            "text": text,
            "score": 0.0,
        }
