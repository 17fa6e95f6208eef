"""How a voice of a species may move: small automata, built by asking the rules on note values.

Each rhythm of a bar that can be written on the finest grid of a species is laid before the rules
themselves, in a line that only steps upward; what they do not refuse is allowed, and so is what
may follow what. An automaton's state says which attacks may still come in the bar, and what the
bar may then be followed by; ways that leave the same open are one state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

from theory_kb.check import Style, piece_offences
from theory_kb.metre import beat_ticks
from theory_kb.moment import TICKS, blank_moments
from theory_kb.pitch import Pitch
from theory_kb.rules.context import Context
from theory_kb.rules.piece import Piece, write_declared
from theory_kb.rules.species_bars import HALVES, Rhythm

__all__ = ["Automaton", "RhythmState", "automaton", "followers", "kind_of_bar", "step"]

BAR = 4 * TICKS
WHOLE, HALF, QUARTERS = Fraction(0), Fraction(1, 2), tuple(Fraction(beat, 4) for beat in range(4))
GRIDS: Mapping[int, tuple[Fraction, ...]] = {  # offsets, in parts of a bar, of possible attacks
    1: (WHOLE,),
    2: (WHOLE, HALF),
    3: QUARTERS,
    4: (WHOLE, HALF),
    5: tuple(Fraction(eighth, 8) for eighth in (0, 2, 3, 4, 6, 7)),
}
VALUE_RULES = frozenset(
    {"sp1-note-values", "sp2-values", "sp3-values", "sp4-values", "sp5-values", "sp5-tie-length"}
)
PLACES = {"first": 0, "inside": 1, "penultimate": 3, "last": 4}  # where each kind of bar is asked
PAIRS = {  # kinds of two bars: how many bars the exercise has in which they are asked, and where
    ("first", "inside"): (5, 0),
    ("inside", "inside"): (5, 1),
    ("inside", "penultimate"): (5, 2),
    ("penultimate", "last"): (5, 3),
    ("first", "penultimate"): (3, 0),
}
NEIGHBOUR = Rhythm("struck", HALVES)  # a half may be tied over, and closes whatever came before
START = Pitch.parse("C4").step
SCALE = (0, 2, 4, 5, 7, 9, 11)  # semitones of the steps from C

Way = tuple[tuple[Fraction, ...], frozenset[Rhythm]]  # attacks to come, and what may follow
RhythmState = frozenset[Way]


def kind_of_bar(bar: int, bars: int) -> str:
    """Where a bar stands, counted from 0: first, inside, penultimate or last."""
    if bar == bars - 1:
        return "last"
    if bar == 0:
        return "first"
    return "penultimate" if bar == bars - 2 else "inside"


@dataclass(frozen=True, slots=True)
class Automaton:
    """The rhythms of one voice."""

    rhythms: Mapping[str, tuple[Rhythm, ...]]  # by kind of bar
    follows: Mapping[tuple[str, str], Mapping[Rhythm, frozenset[Rhythm]]]  # by kinds of two bars

    def offsets(self, kind: str) -> frozenset[Fraction]:
        """Where a voice may strike in a kind of bar."""
        return frozenset(offset for each in self.rhythms[kind] for offset in each.attacks)

    def enter(
        self, allowed: frozenset[Rhythm] | None, kind: str, following: str | None
    ) -> dict[str, RhythmState]:
        """How a bar may begin, struck, held or rest, each with the state after its downbeat.

        Args:
            allowed: what the bar before may be followed by; None at the start.
            kind: of this bar.
            following: kind of the next bar, None if there is none.
        """
        found: dict[str, set[Way]] = {}
        for each in self.rhythms[kind]:
            onward = self.follows[kind, following][each] if following else frozenset[Rhythm]()
            if (allowed is None or each in allowed) and (onward or not following):
                later = tuple(offset for offset in each.attacks if offset)
                found.setdefault(each.entry, set()).add((later, onward))
        return {entry: frozenset(ways) for entry, ways in found.items()}


def step(state: RhythmState, offset: Fraction) -> dict[bool, RhythmState]:
    """State after an offset of the bar, by whether the voice strikes there."""
    struck = frozenset((left[1:], onward) for left, onward in state if left[:1] == (offset,))
    still = frozenset((left, onward) for left, onward in state if left[:1] != (offset,))
    return {strikes: each for strikes, each in ((True, struck), (False, still)) if each}


def followers(state: RhythmState) -> frozenset[Rhythm]:
    """What may follow a bar that has come to its end."""
    return frozenset(rhythm for left, onward in state if not left for rhythm in onward)


# --- asking the rules -----------------------------------------------------------------------


@lru_cache(maxsize=64)
def automaton(style: Style, species: int, voices: int) -> Automaton:
    """The rhythms that a style allows a voice of a species, among so many voices."""
    possible = tuple(_possible(species))

    def allows(bars: int, first: int, *rhythms: Rhythm) -> bool:
        row = [NEIGHBOUR] * bars
        row[first : first + len(rhythms)] = rhythms
        return _allowed(row, range(first, first + len(rhythms)), style, species, voices)

    rhythms = {
        kind: tuple(each for each in possible if allows(5, place, each))
        for kind, place in PLACES.items()
    }
    follows = {
        kinds: {
            one: frozenset(two for two in rhythms[kinds[1]] if allows(bars, first, one, two))
            for one in rhythms[kinds[0]]
        }
        for kinds, (bars, first) in PAIRS.items()
    }
    return Automaton(rhythms, follows)


def _possible(species: int) -> Iterator[Rhythm]:
    """Every way to move in a bar on the grid of a species."""
    later = GRIDS[species][1:]
    for count in range(len(later) + 1):
        for chosen in combinations(later, count):
            yield Rhythm("struck", (WHOLE, *chosen))
            yield Rhythm("held", chosen)
            if chosen:
                yield Rhythm("rest", chosen)


def _allowed(row: Sequence[Rhythm], asked: range, style: Style, species: int, voices: int) -> bool:
    """Whether no rule on note values, in force as a hard one, objects to the bars asked about."""
    if row[0].entry == "held" or any(each.entry == "rest" for each in row[1:]):
        return False
    hard = {name for name in VALUE_RULES if style.severities[name] == "E"}
    piece = _in_one_rhythm(row, species, voices)
    bars = {
        int(piece.surface["bar"][offence.moment])
        for _, offence in piece_offences(piece, style, hard)
    }
    return bars.isdisjoint(asked)


def _in_one_rhythm(row: Sequence[Rhythm], species: int, voices: int) -> Piece:
    """A piece whose top voice steps upward in these rhythms while the others hold whole notes."""
    attacks = {bar + offset for bar, each in enumerate(row) for offset in each.attacks}
    onsets = sorted({*attacks, *(Fraction(bar) for bar in range(len(row)))})
    surface, steps = blank_moments(len(onsets), voices), START
    for place, onset in enumerate(onsets):
        surface["onset"][place], surface["bar"][place] = int(onset * BAR), int(onset)
        surface["position"][place] = int(onset % 1 * BAR)
        steps += onset in attacks
        surface["attack"][place, 0] = onset in attacks
        surface["attack"][place, 1:voices] = onset % 1 == 0
        surface["step"][place, 0] = steps
        surface["step"][place, 1:voices] = START - 7
        for voice in range(voices):
            octave, degree = divmod(int(surface["step"][place, voice]), 7)
            surface["semitone"][place, voice] = 12 * (octave + 1) + SCALE[degree]
    if row[0].entry == "rest":
        surface["semitone"][: onsets.index(min(attacks)), 0] = -1
    context = Context(
        cantus=voices - 1,
        species={0: species, **dict.fromkeys(range(1, voices - 1), 1)},
        end=len(row) * BAR,
    )
    write_declared(surface, context)
    names = tuple(str(voice) for voice in range(voices))
    return Piece(surface, None, names, beat_ticks(2, 2), BAR, context)
