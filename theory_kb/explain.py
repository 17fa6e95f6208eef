"""Words for a breach: a sentence that names voices and pitches, its source, its repair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from theory_kb.moment import REST, UNKNOWN
from theory_kb.pitch import Pitch
from theory_kb.rules.records import Rule, rule

__all__ = ["message", "reasons", "repair", "source"]

STAGES = "012"  # earlier, before, now


def message(
    rule: Rule,
    voices: Sequence[int],
    seen: tuple[np.void, np.void, np.void],
    names: Sequence[str],
    detail: Mapping[str, str],
) -> str:
    """The sentence of one breach.

    Args:
        rule: the rule that was broken.
        voices: the offending voices, high to low.
        seen: the earlier moment, the one before and the present one.
        names: names of all voices, high to low.
        detail: further fields of the rule's own.
    """
    fields = {**_chords(seen), **_notes(voices, seen, names), **detail}
    return rule.message.format_map(fields)


def _chords(seen: tuple[np.void, np.void, np.void]) -> dict[str, str]:
    return {f"chord{stage}": _chord(moment) for stage, moment in zip(STAGES, seen, strict=True)}


def _chord(moment: np.void) -> str:
    if moment["chord"] == UNKNOWN:
        return "the chord"
    from theory_kb.chords import every_chord

    return every_chord()[int(moment["chord"])].symbol


def _notes(
    voices: Sequence[int], seen: tuple[np.void, np.void, np.void], names: Sequence[str]
) -> dict[str, str]:
    named = [names[voice] for voice in voices]
    now = seen[2]
    fields = {"voices": _listed(named), "notes": _sonority(now)}
    for letter, role, voice in _roles(voices):
        fields[role] = names[voice]
        for stage, moment in zip(STAGES, seen, strict=True):
            fields[letter + stage] = _pitch(moment, voice)
    return fields


def _roles(voices: Sequence[int]) -> list[tuple[str, str, int]]:
    if not voices:
        return []
    return [("n", "voice", voices[0]), ("u", "upper", voices[0]), ("l", "lower", voices[-1])]


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _pitch(moment: np.void, voice: int) -> str:
    semitone = int(moment["semitone"][voice])
    return "a rest" if semitone == REST else Pitch(int(moment["step"][voice]), semitone).name


def _sonority(moment: np.void) -> str:
    """Sounding pitches from the highest voice down."""
    sounding = range(int(moment["voices"]))
    return " ".join(_pitch(moment, v) for v in sounding if moment["semitone"][v] != REST)


def repair(rule: Rule) -> str:
    """What to do about it."""
    return "; or ".join(rule.repair)


def source(rule: Rule) -> str:
    """Where the rule is taught."""
    return ", ".join(rule.cites)


def reasons(ids: Sequence[str]) -> list[tuple[str, str]]:
    """Sentence and source of each of some rules: why a choice was kept or turned down."""
    found = [rule(name) for name in ids]
    return [(f"{each.name}: {each.why}.", source(each)) for each in found]
