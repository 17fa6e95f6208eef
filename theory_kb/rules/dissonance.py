"""Non-chord tones: which kind each is, and the rules on them.

A kind is told by how a dissonant note is approached and left, and by its accent (Kostka & Payne
ch. 11-12, Aldwell & Schachter unit 20): the notes of the voice just before and after it, inside the
phrase. A pitch that is struck again is one tone that goes on. A note is accented if it is stronger
than the note it leads to, or at least as strong as the start of its chord.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from theory_kb.moment import NON_CHORD, REST
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import LineNote, Offence, Piece, line_notes

__all__ = ["FREE", "ORNAMENT_NOTES", "SUSPENSIONS", "NonChordTone", "non_chord_tones"]

FREE = "nct-free"  # fits no kind
SUSPENSIONS = (
    "nct-suspension",
    "nct-bass-suspension",
    "nct-change-of-bass",
    "nct-suspension-ornamented",
)
PASSING = ("nct-passing", "nct-accented-passing", "nct-chromatic-passing")
ORNAMENT_NOTES = 3  # notes within which a decorated suspension resolves
PEDAL_CHORDS = 3  # a tone under or over so many chords is a pedal point
Move = tuple[int, int]  # staff steps and semitones, up positive


class NonChordTone(NamedTuple):
    """A dissonant stretch of a tone, among its neighbours, and what it is."""

    voice: int
    moment: int  # surface moment at which it becomes dissonant
    stop: int  # first moment at which it no longer is
    tone: LineNote  # the pitch as long as it sounds or is struck again
    line: tuple[LineNote, ...]  # the tones of its phrase, without a rest between them
    place: int  # of the tone in the line
    settles: bool  # it becomes a chord tone before it moves
    prepared: bool  # it was sounding just before, and not as a dissonance
    accented: bool
    ticks: int  # how long it is dissonant
    preparation: int  # ticks for which it was sounding until it became dissonant
    kind: str = FREE  # id of a kind, such as `nct-passing`
    resolution: int | None = None  # surface moment at which a suspension resolves

    @property
    def held(self) -> bool:
        """Whether it was sounding, or had just sounded, when it became dissonant."""
        return self.moment > self.tone.start

    def near(self, places: int) -> LineNote | None:
        """The tone so many places further on in the line, or further back if negative."""
        wanted = self.place + places
        return self.line[wanted] if 0 <= wanted < len(self.line) else None

    @property
    def approach(self) -> Move | None:
        """The move into the tone, None from silence."""
        before = self.near(-1)
        return None if before is None else _move(before, self.tone)

    @property
    def departure(self) -> Move | None:
        """The move out of the tone, None into silence or the end of the phrase."""
        after = self.near(1)
        return None if after is None else _move(self.tone, after)


def _move(first: LineNote, second: LineNote) -> Move:
    return second.step - first.step, second.semitone - first.semitone


def _is_step(move: Move | None) -> bool:
    """Whether a move is a minor or major second."""
    return move is not None and abs(move[0]) == 1 and abs(move[1]) <= 2


def _is_leap(move: Move | None) -> bool:
    """Whether a move is a third or more, or an augmented second."""
    return move is not None and not _is_step(move) and move[0] != 0


# -------------------------------------------------------------------------- where they stand


@dataclass(frozen=True, slots=True)
class _Surface:
    """What is asked of the moments again and again, as plain lists."""

    onsets: list[int]  # and the end of the last moment
    strengths: list[int]
    chord_starts: list[int]  # for each moment, the one at which its chord begins
    boundaries: list[int]


def _read_surface(piece: Piece) -> _Surface:
    surface = piece.surface
    changes = np.ones(len(surface), bool)
    for name in ("chord", "tonic"):
        changes[1:] &= surface[name][1:] == surface[name][:-1]
    changes[1:] = ~changes[1:]
    places = np.arange(len(surface))
    last = piece.context.end
    if last is None:
        last = int(surface["onset"][-1]) + piece.beat_ticks
    return _Surface(
        [*surface["onset"].tolist(), last],
        surface["strength"].tolist(),
        np.maximum.accumulate(np.where(changes, places, 0)).tolist(),
        surface["boundary"].tolist(),
    )


@lru_cache(maxsize=4)
def non_chord_tones(piece: Piece) -> tuple[NonChordTone, ...]:
    """Every dissonant tone of a piece whose harmony is known, by voice and time, with its kind."""
    if not len(piece.surface):
        return ()
    surface = _read_surface(piece)
    return tuple(
        _classified(piece, surface, found)
        for voice in range(len(piece.voices))
        for found in _dissonances(piece, surface, voice)
    )


def _classified(piece: Piece, surface: _Surface, found: NonChordTone) -> NonChordTone:
    kind, resolution = _kind(piece, surface, found)
    return found._replace(kind=kind, resolution=resolution)


def _dissonances(piece: Piece, surface: _Surface, voice: int) -> Iterator[NonChordTone]:
    dissonant = piece.surface["member"][:, voice] == NON_CHORD
    if not dissonant.any():
        return
    flags = dissonant.tolist()
    counted = [0, *np.cumsum(dissonant).tolist()]  # most tones are consonant all through
    for line in _tone_lines(surface, line_notes(piece, voice)):
        for index, tone in enumerate(line):
            if counted[tone.stop] > counted[tone.start]:
                for start, stop in _stretches(surface, flags, tone):
                    yield _placed(surface, flags, voice, (line, index), (start, stop))


def _tone_lines(surface: _Surface, notes: list[LineNote]) -> Iterator[tuple[LineNote, ...]]:
    """The tones of a voice, cut at rests and phrase ends; a repeated pitch is one tone."""
    line: list[LineNote] = []
    for note in notes:
        last = line[-1] if line else None
        if last is not None and (last.stop != note.start or surface.boundaries[note.start]):
            yield tuple(line)
            line, last = [], None
        if last is not None and (last.step, last.semitone) == (note.step, note.semitone):
            line[-1] = LineNote(
                last.start, note.stop, last.step, last.semitone, last.ticks + note.ticks
            )
        else:
            line.append(note)
    yield tuple(line)


def _stretches(surface: _Surface, flags: list[bool], tone: LineNote) -> Iterator[tuple[int, int]]:
    """First and last-plus-one moment of each dissonance of a tone.

    A dissonance that is held into a new chord on a stronger place is a new one.
    """
    if True not in flags[tone.start : tone.stop]:
        return
    start: int | None = None
    for moment in range(tone.start, tone.stop):
        if not flags[moment]:
            if start is not None:
                yield start, moment
            start = None
        elif start is None:
            start = moment
        elif surface.chord_starts[moment] == moment and (
            surface.strengths[moment] > surface.strengths[start]
        ):
            yield start, moment
            start = moment
    if start is not None:
        yield start, tone.stop


def _placed(
    surface: _Surface,
    flags: list[bool],
    voice: int,
    place: tuple[tuple[LineNote, ...], int],
    span: tuple[int, int],
) -> NonChordTone:
    line, index = place
    start, stop = span
    tone, onsets = line[index], surface.onsets
    settled = next((m for m in range(stop, tone.stop) if not flags[m]), None)
    after = line[index + 1].start if index + 1 < len(line) else None
    goal = after if settled is None else settled
    strength = surface.strengths[start]
    accented = strength >= surface.strengths[surface.chord_starts[start]] or (
        goal is not None and strength > surface.strengths[goal]
    )
    sounded = start
    while sounded > tone.start and not flags[sounded - 1]:
        sounded -= 1
    return NonChordTone(
        voice,
        start,
        stop,
        tone,
        line,
        index,
        settled is not None,
        sounded < start,
        accented,
        onsets[stop] - onsets[start],
        onsets[start] - onsets[sounded],
    )


# --------------------------------------------------------------------------- what they are


def _kind(piece: Piece, surface: _Surface, found: NonChordTone) -> tuple[str, int | None]:
    """The kind, and where a suspension or retardation resolves."""
    if found.held:
        return _held_kind(piece, surface, found)
    if found.settles:
        return ("nct-anticipation" if not found.accented else FREE), None
    return _struck_kind(surface, found), None


def _held_kind(piece: Piece, surface: _Surface, found: NonChordTone) -> tuple[str, int | None]:
    if found.settles:
        return "nct-pedal", None
    after, departure = found.near(1), found.departure
    if after is None or departure is None:
        return FREE, None
    if departure[0] < 0 and _is_step(departure):
        return _suspension_kind(piece, found, after), after.start
    resolution = _ornamented(piece, surface, found)
    if resolution is not None:
        return "nct-suspension-ornamented", resolution
    return ("nct-retardation", after.start) if _is_step(departure) else (FREE, None)


def _suspension_kind(piece: Piece, found: NonChordTone, after: LineNote) -> str:
    bass = len(piece.voices) - 1
    if found.voice == bass:
        return "nct-bass-suspension"
    semitones = piece.surface["semitone"][:, bass]
    old, new = int(semitones[after.start - 1]), int(semitones[after.start])
    moved = REST not in (old, new) and (new - old) % 12 != 0
    return "nct-change-of-bass" if moved else "nct-suspension"


def _ornamented(piece: Piece, surface: _Surface, found: NonChordTone) -> int | None:
    """Where a decorated suspension resolves: in time, over chord tones or a lower neighbour."""
    members = piece.surface["member"][:, found.voice]
    strength, goal = surface.strengths[found.moment], found.tone.step - 1
    for places in range(1, ORNAMENT_NOTES + 1):
        note = found.near(places)
        if note is None or max(surface.strengths[found.moment + 1 : note.start + 1]) >= strength:
            return None
        if note.step == goal and members[note.start] >= 0:
            return note.start
        if members[note.start] < 0 and note.step not in (goal - 1, goal + 1):
            return None
    return None


def _struck_kind(surface: _Surface, found: NonChordTone) -> str:
    approach, departure = found.approach, found.departure
    if departure is None:
        return FREE
    if approach is None:
        return _leapt_kind(found) if _is_step(departure) else FREE
    if 2 in (abs(approach[0]), abs(departure[0])) and _is_double_neighbor(surface, found):
        return "nct-double-neighbor"
    if _is_step(departure):
        return _resolved_kind(found, approach, departure)
    if _is_semitones(approach, departure):
        return "nct-accented-passing" if found.accented else "nct-chromatic-passing"
    if _is_step(approach) and _is_leap(departure) and not found.accented:
        return _left_kind(found, approach, departure)
    return FREE


def _resolved_kind(found: NonChordTone, approach: Move, departure: Move) -> str:
    """The kind of a tone that is left by step."""
    if _is_step(approach):
        if approach[0] == -departure[0]:
            return "nct-neighbor"
        return "nct-accented-passing" if found.accented else "nct-passing"
    if _is_semitones(approach, departure):
        return "nct-accented-passing" if found.accented else "nct-chromatic-passing"
    return _leapt_kind(found) if _is_leap(approach) else FREE


def _leapt_kind(found: NonChordTone) -> str:
    return "nct-appoggiatura" if found.accented else "nct-incomplete-neighbor"


def _is_semitones(approach: Move, departure: Move) -> bool:
    """Whether a tone is passed by semitones one way, one of them chromatic."""
    one_way = approach[1] == departure[1] and abs(approach[1]) == 1
    return one_way and 0 in (approach[0], departure[0])


def _left_kind(found: NonChordTone, approach: Move, departure: Move) -> str:
    """The kind of a weak tone that is approached by step and left by leap."""
    if approach[0] * departure[0] < 0:
        return "nct-escape"
    following = [found.near(places) for places in (1, 2, 3)]
    notes = [note for note in following if note is not None]
    back = [second.step - first.step for first, second in pairwise(notes)]
    is_cambiata = departure[0] == 2 * approach[0] and back == [-approach[0], -approach[0]]
    return "nct-cambiata" if is_cambiata else FREE


def _is_double_neighbor(surface: _Surface, found: NonChordTone) -> bool:
    """Whether a tone is one of the two neighbours of the tone that surrounds them."""
    for first in (-1, -2):
        four = [found.near(places) for places in range(first, first + 4)]
        home, upper, lower, back = four
        if home is None or upper is None or lower is None or back is None:
            continue
        moves = [_move(home, upper), _move(upper, lower), _move(lower, back)]
        around = _is_step(moves[0]) and _is_step(moves[2]) and moves[1][0] == -2 * moves[0][0]
        strongest = max(surface.strengths[home.start : home.stop])
        weak = all(surface.strengths[note.start] < strongest for note in (upper, lower))
        if around and weak and back.semitone == home.semitone:
            return True
    return False


# ------------------------------------------------------------------------------------- rules


@piece_rule()
def nct_unclassified(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A dissonant note fits no kind of non-chord tone."""
    for tone in non_chord_tones(piece):
        if tone.kind == FREE:
            yield Offence(tone.moment, (tone.voice,))


@piece_rule()
def nct_accented_unprepared(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An accented dissonance is struck from a leap or a rest."""
    for tone in non_chord_tones(piece):
        if tone.accented and not tone.held and (tone.approach is None or _is_leap(tone.approach)):
            yield Offence(tone.moment, (tone.voice,))


@piece_rule()
def escape_direction(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A dissonance is approached by step and left by leap in the same direction."""
    for tone in non_chord_tones(piece):
        approach, departure = tone.approach, tone.departure
        if tone.kind != FREE or tone.held or tone.settles or approach is None or departure is None:
            continue
        if _is_step(approach) and _is_leap(departure) and approach[0] * departure[0] > 0:
            yield Offence(tone.moment, (tone.voice,))


@piece_rule()
def nct_simultaneous(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two non-chord tones sound together as a second, seventh, fourth or tritone."""
    sounding: dict[int, list[NonChordTone]] = {}
    for tone in non_chord_tones(piece):
        for moment in range(tone.moment, tone.stop):
            sounding.setdefault(moment, []).append(tone)
    for moment, tones in sorted(sounding.items()):
        for upper, lower in combinations(tones, 2):
            begins = moment == max(upper.moment, lower.moment)
            if begins and _clash(upper.tone, lower.tone) and not _pass_by(upper, lower):
                yield Offence(moment, (upper.voice, lower.voice))


def _clash(first: LineNote, second: LineNote) -> bool:
    """Whether two tones form a second, a seventh, a fourth or a tritone."""
    high, low = (first, second) if first.semitone >= second.semitone else (second, first)
    steps, semitones = (high.step - low.step) % 7, (high.semitone - low.semitone) % 12
    return steps in (1, 3, 6) or (steps == 4 and semitones == 6)


def _pass_by(first: NonChordTone, second: NonChordTone) -> bool:
    """Whether two passing tones go opposite ways."""
    if first.kind not in PASSING or second.kind not in PASSING:
        return False
    one, other = first.departure, second.departure
    return one is not None and other is not None and one[1] * other[1] < 0


@piece_rule()
def nct_obscures(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A non-chord tone lasts longer than each chord tone that it decorates."""
    members = piece.surface["member"]
    for tone in non_chord_tones(piece):
        if tone.held or tone.settles:
            continue
        moves = ((tone.near(-1), tone.approach), (tone.near(1), tone.departure))
        steps = [note for note, move in moves if note is not None and _is_step(move)]
        decorated = [note.ticks for note in steps if members[note.start, tone.voice] >= 0]
        if decorated and tone.ticks > max(decorated):
            yield Offence(tone.moment, (tone.voice,))


@piece_rule("longest")
def anticipation_long(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An anticipation lasts longer than a part of the beat."""
    for tone in non_chord_tones(piece):
        if tone.kind == "nct-anticipation" and tone.ticks > p["longest"] * piece.beat_ticks:
            yield Offence(tone.moment, (tone.voice,))


@piece_rule()
def pedal_ends_dissonant(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A pedal point is left by leap, or breaks off, as a dissonance."""
    surface = piece.surface
    for tone in non_chord_tones(piece):
        if not tone.held or tone.stop != tone.tone.stop or _is_step(tone.departure):
            continue
        span = slice(tone.tone.start, tone.tone.stop)
        chords, tonics = surface["chord"][span], surface["tonic"][span]
        changes = (chords[1:] != chords[:-1]) | (tonics[1:] != tonics[:-1])
        if 1 + int(changes.sum()) >= PEDAL_CHORDS and surface["member"][span][0, tone.voice] >= 0:
            yield Offence(tone.moment, (tone.voice,))
