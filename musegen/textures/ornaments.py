"""What a voice may do in a beat: the ornaments that lead from its note to the next, and their cost.

How likely each is in each voice was counted in the corpus.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from math import log

from musegen.errors import StoredFileError
from musegen.plan.ensemble import CHOIR
from musegen.plan.plan import Harmony, Slot
from musegen.textures.figures import PLAIN, Figure
from theory_kb.chords import spell
from theory_kb.pitch import Key, Pitch, PitchClass, ScaleDegree

__all__ = ["ornaments", "scale_pitch"]

SKIP_REACH = 4  # staff steps of the widest skip inside the chord, an octave in the bass aside
PREPARED = 0.25  # share of beats on which a suspension could be prepared: counts are over all beats
RARE = 1e-3  # share given to an ornament that was never counted


def ornaments(
    voice: int,
    slot: Slot,
    harmony: Harmony,
    here: Pitch,
    before: Pitch | None,
    after: Pitch,
    *,
    cadence: bool,
) -> Iterator[Figure]:
    """What a voice that is free may do in a beat, nothing at all included.

    Args:
        voice: 0 soprano to 3 bass.
        slot: the beat.
        harmony: its chord.
        here: the voice's note of the chord.
        before: its note in the beat before, if it may be held; None if not.
        after: its note in the next beat.
        cadence: whether the next beat closes a phrase.

    Raises:
        StoredFileError: the table of counts is damaged.
    """
    interval = after.step - here.step

    def likely(kind: str) -> float:
        return _figure_cost(kind, voice, slot.strength, interval)

    yield Figure(PLAIN, here, here, None, likely(PLAIN))
    if abs(interval) == 2:
        middle = scale_pitch(harmony, here.step + interval // 2, rising=interval > 0)
        yield Figure("passing", here, middle, after, likely("passing"))
    if interval == 0 and here == after:
        for kind, step in (("neighbor-upper", 1), ("neighbor-lower", -1)):
            neighbour = scale_pitch(harmony, here.step + step, rising=step < 0)
            yield Figure(kind, here, neighbour, after, likely(kind))
    if before is not None and _suspends(before, here, harmony):
        cost = max(likely("suspension") + log(PREPARED), 0.0)
        yield Figure("suspension", before, here, None, cost)
    if cadence and abs(interval) == 1 and voice == 0:
        yield Figure("anticipation", here, after, after, likely("anticipation"))
    for skip in _skips(voice, harmony, here, after):
        yield Figure("chordal-skip", here, skip, None, likely("chordal-skip"))


def _suspends(before: Pitch, here: Pitch, harmony: Harmony) -> bool:
    """Whether the note before, a step above, would be a dissonance held over this chord."""
    letters = {member.letter for member in spell(harmony.chord, harmony.key)}
    return before.step == here.step + 1 and before.step % 7 not in letters


def _skips(voice: int, harmony: Harmony, here: Pitch, after: Pitch) -> Iterator[Pitch]:
    """Other notes of the chord near by that lead on by step or stay."""
    members = spell(harmony.chord, harmony.key)
    bass = voice == CHOIR.bass
    for member in members[:3]:
        for octave in (here.octave - 1, here.octave, here.octave + 1):
            pitch = Pitch.of(member, octave)
            distance = abs(pitch.step - here.step)
            near = 0 < distance <= SKIP_REACH or (bass and distance == 7)
            if near and abs(after.step - pitch.step) == 1:
                yield pitch


def scale_pitch(harmony: Harmony, step: int, *, rising: bool) -> Pitch:
    """The pitch on a staff step: the chord's own form, else the scale's.

    In minor the sixth and seventh degrees are raised going up and natural going down; over a
    chord that holds the leading tone the sixth goes with it (melodic minor).
    """
    members = {member.letter: member for member in spell(harmony.chord, harmony.key)}
    letter = step % 7
    pitch_class = members.get(letter) or _scale_tone(harmony.key, letter, members, rising=rising)
    return Pitch.of(pitch_class, step // 7)


def _scale_tone(
    key: Key, letter: int, members: Mapping[int, PitchClass], *, rising: bool
) -> PitchClass:
    number = (letter - key.tonic.letter) % 7 + 1
    leading = key.leading_tone
    has_leading = members.get(leading.letter) == leading
    raised = key.mode == "minor" and number in (6, 7) and (rising or has_leading)
    return key.degree(ScaleDegree(number, 1 if raised else 0))


# --- how likely it is -----------------------------------------------------------------------


@cache
def _counts() -> Mapping[str, Mapping[str, float]]:
    file = resources.files("musegen") / "weights" / "figuration.json"
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        counts: Mapping[str, Mapping[str, float]] = record["counts"]
    except (OSError, ValueError, KeyError) as error:
        raise StoredFileError(str(file), f"not a table of figuration counts ({error})") from error
    return counts


@cache
def _figure_cost(kind: str, voice: int, strength: int, interval: int) -> float:
    """Negative log share of a figure among all beats alike, in nats."""
    row = _counts().get(f"{voice}|{strength}|{interval}", {})
    total = sum(row.values())
    return -log(max(row.get(kind, 0) / total if total else 0.0, RARE))
