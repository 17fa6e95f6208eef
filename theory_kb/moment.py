"""The note array that rules, search and checker all see: one record a moment of music.

A moment is either a slice of a score (the notes sounding at an attack of any voice) or a
candidate sonority of the search: the same record, so the same rule kernels judge both. Voices
are ordered high to low. Time is in ticks. Harmony fields hold UNKNOWN where nothing is known, and
rules that need harmony do not run there.

Line-of-fifths values of the harmony fields are relative to the local tonic (tonic 0, dominant 1,
leading tone 5, subdominant -1, lowered sixth -4): what is said of them holds in every key.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LICENCES",
    "MAX_VOICES",
    "MOMENT",
    "NONE",
    "REST",
    "TICKS",
    "UNKNOWN",
    "UNSTEPPED",
    "Moments",
    "blank_moments",
    "copied",
    "joined",
    "taken",
]

TICKS = 5040  # a quarter note; divisible by 2^4, 3^2, 5 and 7
MAX_VOICES = 8
REST = -1  # semitone of a silent voice
UNKNOWN = -1  # chord, function, mode, quality: nothing is known
NONE = -99  # a line-of-fifths value that does not exist, such as the seventh of a triad
NON_CHORD = -1  # member of a non-chord tone
MEMBER_UNKNOWN = -2
UNSTEPPED = -99  # no motion in staff steps: a rest, a phrase boundary, or not known
LICENCES = {  # declared devices that excuse what would be a fault, as bits of `licences`
    "divisi": 1,  # a part is divided or silent as the setting wants it
    "sixteen-foot": 2,  # organ or continuo double the bass an octave lower
    "late-style": 4,  # freedoms taken after about 1780
    "chromatic-parallel": 8,  # chords glide in parallel as a colour
    "invertible": 16,  # two-voice writing whose voices may change places
    "modal": 32,  # a final is declared: no key, but a mode
}

MOMENT = np.dtype(
    [
        ("step", np.int16, (MAX_VOICES,)),  # diatonic step of each voice
        ("semitone", np.int16, (MAX_VOICES,)),  # MIDI number of each voice, REST if silent
        (
            "degree",
            np.int16,
            (MAX_VOICES,),
        ),  # line of fifths above the local tonic, NONE if unknown
        (
            "member",
            np.int8,
            (MAX_VOICES,),
        ),  # 0 root 1 third 2 fifth 3 seventh, -1 non-chord, -2 unknown
        ("attack", np.int8, (MAX_VOICES,)),  # 1 where the voice begins a note here
        ("species", np.int8, (MAX_VOICES,)),  # 1 to 5 as declared of a voice, 0 if nothing is
        ("doubles", np.int8, (MAX_VOICES,)),  # 1 + the voice that a voice is declared to double
        ("written_rest", np.int8, (MAX_VOICES,)),  # 1 where a silence is declared
        ("entry", np.int8, (MAX_VOICES,)),  # staff steps from the chord before, else UNSTEPPED
        ("exit", np.int8, (MAX_VOICES,)),  # staff steps to the next chord, else UNSTEPPED
        ("brief", np.int8, (MAX_VOICES,)),  # 1 if it leaps on to another chord tone within a beat
        ("heard", np.int8),  # bits of the members that sound anywhere in the chord's span
        ("florid", np.int8),  # 1 if a voice moves while the chord lasts
        ("came_from", np.int16),  # root of the chord before in the phrase, above the tonic, NONE
        ("goes_to", np.int16),  # root of the next chord of the phrase, above the tonic, NONE
        ("licences", np.int16),  # bits of LICENCES
        ("hands", np.int8),  # voices of the right hand as declared, 0 if nothing is
        ("cantus", np.int8),  # voice of a declared cantus firmus, UNKNOWN
        ("voices", np.int8),  # number of voices
        ("strength", np.int8),  # beat strength, 4 = downbeat, 0 = sixteenth
        ("boundary", np.int8),  # 1 if a phrase boundary lies just before this moment
        ("phrase_end", np.int8),  # 1 at the last chord of a phrase
        ("opening", np.int8),  # 1 at the first chord of a phrase
        ("final", np.int8),  # 1 at the last chord of the piece
        ("mode", np.int8),  # 0 major, 1 minor, UNKNOWN
        ("function", np.int8),  # 0 T, 1 S, 2 D, 3 other, UNKNOWN
        ("quality", np.int8),  # index in the table of chord qualities, UNKNOWN
        ("inversion", np.int8),  # member in the bass, UNKNOWN
        ("cadential", np.int8),  # 1 if the chord is a cadential six-four
        ("onset", np.int32),  # ticks from the start of the piece
        ("bar", np.int32),  # bar number, an upbeat is bar 0
        ("position", np.int32),  # ticks from the start of the bar
        ("chord", np.int32),  # index in the chord vocabulary, UNKNOWN
        ("tonic", np.int16),  # line of fifths of the local tonic, NONE if unknown
        ("root", np.int16),  # line of fifths above the tonic
        ("third", np.int16),
        ("fifth", np.int16),
        ("seventh", np.int16),  # NONE in a triad
        (
            "leading",
            np.int16,
        ),  # the chord's leading tone (of the key or of the applied target), NONE
        ("target", np.int16),  # root that the chord's leading tone leads to, NONE
    ],
    align=True,
)

Moments = NDArray[np.void]  # shape (n,), dtype MOMENT
MEMORY = np.dtype((np.void, MOMENT.itemsize))  # records as such are copied field by field, slowly


def taken(moments: Moments, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Moments:
    """A copy of some moments (k,) by their index, or by a mask (n,)."""
    chosen: Moments = moments.view(MEMORY)[rows].view(MOMENT)
    return chosen


def copied(moments: Moments) -> Moments:
    """A copy of moments."""
    copy: Moments = moments.view(MEMORY).copy().view(MOMENT)
    return copy


def joined(groups: Sequence[Moments]) -> Moments:
    """Some arrays of moments one after the other, at least one."""
    moments: Moments = np.concatenate([each.view(MEMORY) for each in groups]).view(MOMENT)
    return moments


def blank_moments(count: int, voices: int) -> Moments:
    """`count` moments of silence for so many voices, nothing known of their harmony."""
    moments = np.zeros(count, MOMENT)
    moments["semitone"] = REST
    moments["degree"] = NONE
    moments["member"] = MEMBER_UNKNOWN
    moments["voices"] = voices
    for field in ("cantus", "mode", "function", "quality", "inversion", "chord"):
        moments[field] = UNKNOWN
    for field in ("entry", "exit"):
        moments[field] = UNSTEPPED
    places = ("tonic", "root", "third", "fifth", "seventh", "leading", "target")
    for field in (*places, "came_from", "goes_to"):
        moments[field] = NONE
    return moments
