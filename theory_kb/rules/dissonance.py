"""Non-chord tones: which kind each is, and the rules on those that are none.

A kind is told by how a dissonant note is approached and left (Kostka & Payne ch. 11-12): the
notes of the voice just before and after it, inside the phrase.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from theory_kb.moment import NON_CHORD
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import LineNote, Offence, Piece, line_notes

__all__ = ["NonChordTone", "non_chord_tones"]

FREE = "nct-free"  # fits no kind
SUSPENSIONS = ("nct-suspension", "nct-bass-suspension", "nct-suspension-ornamented")
ORNAMENT_NOTES = 3  # notes within which a decorated suspension resolves


@dataclass(frozen=True, slots=True)
class NonChordTone:
    """A dissonant note and what it is."""

    voice: int
    moment: int  # surface moment at which it becomes dissonant
    kind: str  # id of a kind, such as `nct-passing`
    held: bool  # it was sounding, or has just sounded, when it became dissonant
    prepared: bool  # what it was held over from was consonant


@dataclass(frozen=True, slots=True)
class _Place:
    """A dissonant note among its neighbours."""

    piece: Piece
    voice: int
    note: LineNote
    moment: int
    before: LineNote | None
    after: tuple[LineNote, ...]  # the next notes of the phrase

    @property
    def struck(self) -> bool:
        return self.moment == self.note.start

    @property
    def approach(self) -> int | None:
        """Staff steps into the note, None from silence."""
        return None if self.before is None else self.note.step - self.before.step

    @property
    def departure(self) -> int | None:
        """Staff steps out of the note, None into silence or the end of the phrase."""
        return self.after[0].step - self.note.step if self.after else None

    @property
    def repeats(self) -> bool:
        return self.before is not None and self.before.semitone == self.note.semitone

    @property
    def repeated(self) -> bool:
        return bool(self.after) and self.after[0].semitone == self.note.semitone

    @property
    def settles(self) -> bool:
        """Whether the note becomes a chord tone while it is held."""
        members = self.piece.surface["member"][self.moment : self.note.stop, self.voice]
        return bool((members >= 0).any())


def non_chord_tones(piece: Piece) -> list[NonChordTone]:
    """Every dissonant note of a piece whose harmony is known, by voice and time, with its kind."""
    return [
        NonChordTone(
            place.voice,
            place.moment,
            _kind(place),
            not place.struck or place.repeats,
            _is_prepared(place),
        )
        for voice in range(len(piece.voices))
        for place in _places(piece, voice)
    ]


def _places(piece: Piece, voice: int) -> Iterator[_Place]:
    notes = line_notes(piece, voice)
    members = piece.surface["member"][:, voice]
    for index, note in enumerate(notes):
        dissonant = np.flatnonzero(members[note.start : note.stop] == NON_CHORD)
        if len(dissonant):
            before = notes[index - 1] if index and _joined(piece, notes[index - 1], note) else None
            after = tuple(_following(piece, notes[index : index + 1 + ORNAMENT_NOTES]))
            yield _Place(piece, voice, note, note.start + int(dissonant[0]), before, after)


def _joined(piece: Piece, first: LineNote, second: LineNote) -> bool:
    """Whether one note follows another without rest or phrase end between."""
    return first.stop == second.start and not piece.surface["boundary"][second.start]


def _following(piece: Piece, notes: list[LineNote]) -> Iterator[LineNote]:
    for first, second in pairwise(notes):
        if not _joined(piece, first, second):
            return
        yield second


def _kind(place: _Place) -> str:
    if not place.struck or place.repeats:
        return _held_kind(place)
    if place.settles or place.repeated:
        return "nct-anticipation"
    if place.departure is None:
        return FREE
    if place.approach is None:
        return "nct-incomplete-neighbor" if abs(place.departure) == 1 else FREE
    return _struck_kind(place, place.approach, place.departure)


def _held_kind(place: _Place) -> str:
    bass = place.voice == len(place.piece.voices) - 1
    if place.departure == -1:
        return "nct-bass-suspension" if bass else "nct-suspension"
    if place.departure == 1:
        return "nct-retardation"
    if place.settles:
        return "nct-pedal" if bass else "nct-change-of-bass"
    resolution = place.note.step - 1
    if any(note.step == resolution for note in place.after):
        return "nct-suspension-ornamented"
    return "nct-pedal" if place.repeated else FREE


def _struck_kind(place: _Place, approach: int, departure: int) -> str:
    stepwise_in, stepwise_out = abs(approach) <= 1, abs(departure) <= 1
    if stepwise_in and stepwise_out:
        return _stepwise_kind(approach, departure)
    if stepwise_out:
        return "nct-appoggiatura" if _accented(place) else "nct-incomplete-neighbor"
    if not stepwise_in:
        return FREE
    if approach * departure < 0:
        return "nct-escape"
    back = len(place.after) > 1 and place.after[1].step - place.after[0].step == -approach
    return "nct-cambiata" if abs(departure) == 2 and back else FREE


def _stepwise_kind(approach: int, departure: int) -> str:
    if approach == 0 or departure == 0:
        return "nct-chromatic-passing"
    return "nct-passing" if approach == departure else "nct-neighbor"


def _accented(place: _Place) -> bool:
    strength = piece_strength(place.piece)
    return bool(strength[place.moment] > strength[place.after[0].start])


def piece_strength(piece: Piece) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """Beat strength of each surface moment."""
    strengths: np.ndarray[tuple[int], np.dtype[np.int8]] = piece.surface["strength"]
    return strengths


def _is_prepared(place: _Place) -> bool:
    """Whether the note was consonant just before it became dissonant."""
    last = place.moment - 1
    return last >= 0 and bool(place.piece.surface["member"][last, place.voice] != NON_CHORD)


# ------------------------------------------------------------------------------------- rules


@piece_rule()
def nct_unclassified(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A dissonant note fits no kind of non-chord tone."""
    for tone in non_chord_tones(piece):
        if tone.kind == FREE:
            yield Offence(tone.moment, (tone.voice,))


@piece_rule()
def suspension_preparation(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A suspension repeats a note that was dissonant already."""
    for tone in non_chord_tones(piece):
        if tone.kind in SUSPENSIONS and not tone.prepared:
            yield Offence(tone.moment, (tone.voice,))


@piece_rule("accent")
def suspension_resolution(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A dissonance held onto an accent does not move on by step."""
    strength = piece_strength(piece)
    for tone in non_chord_tones(piece):
        if tone.held and tone.kind == FREE and strength[tone.moment] >= p["accent"]:
            yield Offence(tone.moment, (tone.voice,))
