"""Our rules on two voices against music21's VoiceLeadingQuartet, on random moves.

The two agree but for definitions. Each row of `COMPARED` sets rules of ours beside a question of the
peer, and lists the moves on which they differ by definition, with the reason and with what ours say
there. On every other move the answers must be the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from music21.note import Note
from music21.voiceLeading import VoiceLeadingQuartet

from theory_kb.check import Style
from theory_kb.moment import blank_moments
from theory_kb.pitch import Pitch
from theory_kb.rule_sets import broken, rule_set
from theory_kb.rules.records import rules

LETTERS = "CDEFGAB"
SIGNS = ("", "#", "b")


@dataclass(frozen=True)
class Move:
    """Two voices, each from one pitch to another."""

    upper: tuple[Pitch, Pitch]
    lower: tuple[Pitch, Pitch]

    def fifths(self, place: int) -> int:
        """Interval from the lower-sounding to the higher-sounding note, on the line of fifths."""
        above = self.upper[place].semitone - self.lower[place].semitone
        steps = self.upper[place].step - self.lower[place].step
        return (7 * above - 12 * steps) * (-1 if above < 0 else 1)

    def generic(self, place: int) -> int:
        """The interval in staff steps, octaves left out."""
        above = self.upper[place].semitone - self.lower[place].semitone
        return (self.upper[place].step - self.lower[place].step) * (-1 if above < 0 else 1) % 7

    def unison(self, place: int) -> bool:
        """Whether both sound one pitch."""
        return self.upper[place] == self.lower[place]

    def leaps(self, voice: tuple[Pitch, Pitch]) -> bool:
        """Whether a voice moves by a third or more."""
        return abs(voice[1].step - voice[0].step) >= 2

    @property
    def octave_leaps(self) -> bool:
        """Whether both voices leap onto their own pitch classes."""
        return all(
            7 * (voice[1].semitone - voice[0].semitone) == 12 * (voice[1].step - voice[0].step)
            for voice in (self.upper, self.lower)
        )

    @property
    def similar(self) -> bool:
        """Whether both voices go the same way."""
        return self.way(self.upper) == self.way(self.lower) != 0

    @staticmethod
    def way(voice: tuple[Pitch, Pitch]) -> int:
        """1 up, -1 down, 0 where the pitch stays."""
        return (voice[1].semitone > voice[0].semitone) - (voice[1].semitone < voice[0].semitone)

    @property
    def crossed(self) -> tuple[bool, bool]:
        """Whether the lower-named voice is the higher one, before and after."""
        before, after = (
            self.lower[place].semitone > self.upper[place].semitone for place in (0, 1)
        )
        return before, after


@dataclass(frozen=True)
class Difference:
    """Moves on which the two differ by definition."""

    reason: str
    holds: Callable[[Move], bool]
    ours: bool  # what our rules say there


@dataclass(frozen=True)
class Compared:
    """Rules of ours and the question of the peer that they are held against."""

    ours: tuple[str, ...]
    peer: Callable[[Any], bool]
    differences: tuple[Difference, ...]


ONE_CLASS = "an octave and a unison are one perfect class to us, two intervals to music21"
COMPARED = {
    "fifths": Compared(
        ("parallel-fifth", "contrary-fifth"),
        lambda quartet: quartet.parallelFifth(),
        (
            Difference(
                "voices that both leap an octave only change register",
                lambda move: move.octave_leaps and move.similar and move.fifths(0) == 1,
                ours=False,
            ),
        ),
    ),
    "octaves and unisons": Compared(
        ("parallel-octave", "parallel-unison", "contrary-octave"),
        lambda quartet: quartet.parallelUnisonOrOctave(),
        (
            Difference(
                "voices that both leap an octave only change register, unisons apart",
                lambda move: (
                    move.octave_leaps
                    and move.similar
                    and move.fifths(0) == move.fifths(1) == 0
                    and not (move.unison(0) and move.unison(1))
                ),
                ours=False,
            ),
            Difference(
                ONE_CLASS,
                lambda move: (
                    move.similar
                    and move.fifths(0) == move.fifths(1) == 0
                    and move.unison(0) != move.unison(1)
                ),
                ours=True,
            ),
        ),
    ),
    "direct fifths": Compared(
        ("direct-fifth-outer",),
        lambda quartet: quartet.hiddenFifth(),
        (
            Difference(
                "the upper voice moves by step: textbooks allow it",
                lambda move: not move.leaps(move.upper),
                ours=False,
            ),
            Difference(
                "a diminished or augmented fifth becomes perfect: to music21 that is parallel",
                lambda move: (
                    move.similar
                    and move.leaps(move.upper)
                    and move.fifths(1) == 1
                    and move.fifths(0) != 1
                    and move.generic(0) == 4
                ),
                ours=True,
            ),
        ),
    ),
    "direct octaves": Compared(
        ("direct-octave-outer",),
        lambda quartet: quartet.hiddenOctave(),
        (
            Difference(
                "the upper voice moves by step: textbooks allow it",
                lambda move: not move.leaps(move.upper),
                ours=False,
            ),
            Difference(
                ONE_CLASS,
                lambda move: move.fifths(0) == 0 and move.fifths(1) == 0,
                ours=False,
            ),
            Difference(
                "an augmented or diminished octave becomes perfect: to music21 that is parallel",
                lambda move: (
                    move.similar
                    and move.leaps(move.upper)
                    and move.fifths(1) == 0
                    and move.fifths(0) != 0
                    and move.generic(0) == 0
                ),
                ours=True,
            ),
        ),
    ),
    "overlap": Compared(
        ("voice-overlap",),
        lambda quartet: quartet.voiceOverlap(),
        (
            Difference(
                "voices that cross, before or after, are reported as crossing alone",
                lambda move: any(move.crossed),
                ours=False,
            ),
        ),
    ),
    "crossing": Compared(
        ("voice-crossing",),
        lambda quartet: quartet.voiceCrossing(),
        (
            Difference(
                "crossing is a matter of one sonority, music21 looks at both",
                lambda move: move.crossed == (True, False),
                ours=False,
            ),
        ),
    ),
}


@cache
def style(names: tuple[str, ...]) -> Style:
    """These rules alone."""
    severities = {name: "E" if name in names else "-" for name in rules()}
    params = {name: each.params for name, each in rules().items()}
    return Style("compared", "", severities, params, {})


def ours(names: tuple[str, ...], move: Move) -> bool:
    """Whether one of some rules speaks on a move; of a sonority, on where it arrives."""
    moments = blank_moments(2, 2)
    for column, voice in enumerate((move.upper, move.lower)):
        moments["step"][:, column] = [pitch.step for pitch in voice]
        moments["semitone"][:, column] = [pitch.semitone for pitch in voice]
    before, now = moments[:1], moments[1:]
    sets = [rule_set(style(names), group) for group in ("unary", "pair")]
    return any(broken(each, before, before, now).any() for each in sets)


@cache
def note(pitch: Pitch) -> Any:
    """A note of the peer."""
    return Note(pitch.name.replace("b", "-"))


def peer(question: Callable[[Any], bool], move: Move) -> bool:
    """What the peer answers."""
    quartet: Any = VoiceLeadingQuartet(*(note(each) for each in (*move.upper, *move.lower)))
    return bool(question(quartet))


def pitches(lowest: int, highest: int) -> st.SearchStrategy[Pitch]:
    """Spelled pitches of two octave numbers."""
    names = [
        f"{letter}{sign}{octave}"
        for octave in range(lowest, highest + 1)
        for letter in LETTERS
        for sign in SIGNS
    ]
    return st.sampled_from([Pitch.parse(name) for name in names])


@st.composite
def random_moves(draw: st.DrawFn) -> Move:
    """Moves of two voices that often keep an interval, as random ones seldom do."""
    upper, lower = draw(pitches(3, 5)), draw(pitches(3, 4))
    low = draw(pitches(2, 4))
    if draw(st.booleans()):
        wanted = draw(st.sampled_from([(4, 7), (7, 12), (0, 0), (4, 6), (11, 19), (14, 24)]))
        steps, semitones = wanted if draw(st.booleans()) else (-wanted[0], -wanted[1])
        high = Pitch(low.step + steps, low.semitone + semitones)
        assume(abs(high.alteration) <= 2)
        if draw(st.booleans()):
            steps, semitones = draw(st.sampled_from([wanted, (4, 7), (4, 6), (4, 8), (7, 12)]))
            upper = Pitch(lower.step + steps, lower.semitone + semitones)
            assume(abs(upper.alteration) <= 2)
    else:
        high = draw(pitches(3, 5))
    move = Move((upper, high), (lower, low))
    assume(upper.semitone != high.semitone and lower.semitone != low.semitone)
    return move


@pytest.mark.parametrize("name", COMPARED)
@given(move=random_moves())
def test_rules_agree_with_music21_or_differ_by_definition(name: str, move: Move) -> None:
    """Where no definition sets them apart, both give one answer."""
    compared = COMPARED[name]
    reasons = [each for each in compared.differences if each.holds(move)]
    expected = reasons[0].ours if reasons else peer(compared.peer, move)
    assert ours(compared.ours, move) == expected, [each.reason for each in reasons]


def pair(upper: str, lower: str) -> Move:
    """A move written as two pairs of names."""
    first, second = upper.split(), lower.split()
    return Move(
        (Pitch.parse(first[0]), Pitch.parse(first[1])),
        (Pitch.parse(second[0]), Pitch.parse(second[1])),
    )


APART = [  # what is compared, a move on which the two differ, upper and lower
    ("fifths", "G4 G5", "C4 C5"),
    ("octaves and unisons", "A4 A3", "A3 A2"),
    ("octaves and unisons", "C4 E5", "C4 E4"),
    ("direct fifths", "F4 G4", "E3 C4"),
    ("direct fifths", "F4 C5", "B3 F4"),
    ("direct octaves", "B4 C5", "G3 C4"),
    ("direct octaves", "C5 F5", "C#4 F4"),
    ("overlap", "C4 G4", "E4 D4"),
    ("crossing", "C4 E4", "D4 B3"),
]


@pytest.mark.parametrize(("name", "upper", "lower"), APART)
def test_differences_by_definition_are_real(name: str, upper: str, lower: str) -> None:
    """Each difference is met by a move on which the two do answer differently."""
    compared, move = COMPARED[name], pair(upper, lower)
    assert ours(compared.ours, move) != peer(compared.peer, move)
    assert any(each.holds(move) for each in compared.differences)


def test_spelling_decides_for_both() -> None:
    """A diminished sixth sounds as a fifth and is none."""
    compared = COMPARED["fifths"]
    for upper, answer in (("G4 A4", True), ("Abb4 A4", False)):
        move = pair(upper, "C4 D4")
        assert ours(compared.ours, move) == peer(compared.peer, move) == answer


def test_voices_that_cross_by_octaves_still_make_fifths() -> None:
    """One voice leaps two octaves under the other: its own pitch class, not the other's."""
    compared, move = COMPARED["fifths"], pair("C4 C2", "F3 G2")
    assert ours(compared.ours, move)
    assert peer(compared.peer, move)


def test_a_diminished_second_is_no_unison() -> None:
    """E sharp and F that go to one C were no unison before."""
    compared, move = COMPARED["octaves and unisons"], pair("F4 C2", "E#4 C2")
    assert not ours(compared.ours, move)
    assert not peer(compared.peer, move)


def test_every_rule_that_is_compared_exists() -> None:
    """The table names rules that there are."""
    assert {name for each in COMPARED.values() for name in each.ours} <= set(rules())
