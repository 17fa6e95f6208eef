"""Chords without functions: open fifths, triads, triads with a substitute for their third, quartal chords.

Modal and pentatonic tunes are set with them where a leading tone would be foreign. A substitute chord
has the second or the fourth above its bass in place of the third (Li Yinghai, Han Modes and Their
Harmony, 1959); a quartal chord stands in perfect fourths above its bass (Persichetti, Twentieth-Century
Harmony, 1961, ch. 4). The same three tones C G D are a substitute chord on C or G, quartal on D.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from theory_kb.pitch import PitchClass

__all__ = ["FIFTH", "QUARTAL", "ROOTED", "SHAPES", "SUBSTITUTE", "TRIAD", "open_chord"]

FIFTH, TRIAD, SUBSTITUTE, QUARTAL = "fifth", "triad", "substitute", "quartal"
SHAPES: Mapping[frozenset[int], str] = {  # fifths above the bass of each tone
    frozenset({0}): FIFTH,
    frozenset({0, 1}): FIFTH,
    frozenset({0, -1}): FIFTH,
    frozenset({0, 4, 1}): TRIAD,  # major: root, first and second inversion
    frozenset({0, -3, -4}): TRIAD,
    frozenset({0, 3, -1}): TRIAD,
    frozenset({0, -3, 1}): TRIAD,  # minor
    frozenset({0, 4, 3}): TRIAD,
    frozenset({0, -4, -1}): TRIAD,
    frozenset({0, 1, 2}): SUBSTITUTE,  # second for third
    frozenset({0, 1, -1}): SUBSTITUTE,  # fourth for third
    frozenset({0, -1, -2}): QUARTAL,
    frozenset({0, -1, -2, -3}): QUARTAL,
}

ROOTED = frozenset({-3, 0, 1, 4})  # tones over their own root: a fifth or a triad that may close


def open_chord(tones: Iterable[PitchClass], bass: PitchClass) -> str | None:
    """What kind of open chord some tones are over a bass that is one of them; None if they are none.

    A bass alone or doubled, a fifth and its inversion are fifths.
    """
    return SHAPES.get(frozenset(tone.fifths - bass.fifths for tone in tones) | {0})
