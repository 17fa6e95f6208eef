"""The home key of a piece, from its signature, its pitches and its last bass note.

The profiles are those of Krumhansl (Cognitive Foundations of Musical Pitch, 1990, ch. 2).
"""

from __future__ import annotations

from collections.abc import Sequence

from musegen.score import Part
from theory_kb.pitch import Key, PitchClass

__all__ = ["estimate_key"]

# Krumhansl-Kessler probe-tone ratings by line of fifths above the tonic, -6 to 6.
PROFILES = {
    "major": (2.52, 2.23, 2.39, 2.33, 2.29, 4.09, 6.35, 5.19, 3.48, 3.66, 4.38, 2.88, 2.52),
    "minor": (2.54, 2.68, 3.98, 5.38, 3.34, 3.53, 6.33, 4.75, 3.52, 2.69, 2.60, 3.17, 2.54),
}
PROFILE_REACH = 6
FINAL_TONIC = 2.0  # worth of a last bass note on the tonic, in units of the profile mean's spread
FINAL_DOMINANT = 0.6  # a minor piece may end on its dominant (Bach: 27 of 169)
FINAL_MODE = 0.5  # a last third that is the mode's own
SIGNATURE_STEP = 1.4  # price of each accidental between the signature and that of the key
OLD_SIGNATURE = 0.5  # price of the old ones: dorian (a flat less), mixolydian (a sharp less)
OLD_SIGNATURES = {"major": -1, "minor": 1}  # signature written minus signature of the key


def estimate_key(parts: Sequence[Part], signature: int) -> Key:
    """Estimate key and mode of a piece.

    Candidates are all keys within two accidentals of the signature (old pieces write minor keys
    with one flat less, and end on the dominant at times). Each is judged by the correlation of the
    durations of its pitch classes with the mode's profile, by the last bass note and last third.

    Args:
        parts: high to low.
        signature: sharps, flats negative.
    """
    weights: dict[int, float] = {}
    for part in parts:
        for note in part.notes:
            fifths = note.pitch.pitch_class.fifths
            weights[fifths] = weights.get(fifths, 0.0) + float(note.duration)
    last = [part.notes[-1].pitch.pitch_class.fifths for part in parts if part.notes]
    candidates = [
        Key(PitchClass(sharps + shift), mode)
        for mode, shift in (("major", 0), ("minor", 3))
        for sharps in range(max(signature - 2, -7), min(signature + 2, 7) + 1)
    ]
    return max(candidates, key=lambda key: _key_score(key, signature, weights, last))


def _key_score(key: Key, signature: int, weights: dict[int, float], last: Sequence[int]) -> float:
    tonic, profile = key.tonic.fifths, PROFILES[key.mode]
    reach = range(-PROFILE_REACH, PROFILE_REACH + 1)
    fit = _correlation([weights.get(tonic + place, 0.0) for place in reach], profile)
    bass = last[-1] - tonic if last else None
    difference = signature - key.signature
    old = difference == OLD_SIGNATURES[key.mode]
    score = 4 * fit - (OLD_SIGNATURE if old else SIGNATURE_STEP * abs(difference))
    if bass == 0 and tonic - 1 not in last:
        third = 4 if key.mode == "major" else -3
        score += FINAL_TONIC + FINAL_MODE * (tonic + third in last)
    elif bass == 1 and key.mode == "minor":
        score += FINAL_DOMINANT
    return score


def _correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    dx, dy = [x - mean_x for x in xs], [y - mean_y for y in ys]
    scale = (sum(x * x for x in dx) * sum(y * y for y in dy)) ** 0.5
    return sum(x * y for x, y in zip(dx, dy, strict=True)) / scale if scale else 0.0
