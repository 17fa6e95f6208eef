"""Rules on modulation: by what means a key is left, how the new one is confirmed, where it all goes.

A key change is a chord whose key is not that of the chord before. The means are those of the
textbooks (Kostka & Payne ch. 18-19): a phrase that begins anew, a chord of both keys, a common
tone, a chromatic step to the new leading tone, a sequence, a chord spelled anew, a single line.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NONE, REST, UNKNOWN
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.phrase import AUTHENTIC, HALF, cadences
from theory_kb.rules.piece import Offence, Piece
from theory_kb.rules.succession import Succession, bass, succession

__all__: list[str] = []

Key = tuple[int, int]  # tonic on the line of fifths, mode
SCALES = {
    0: range(-1, 6),
    1: (*range(-4, 3), 5),
}  # places above the tonic; minor with its leading tone
WIDTH = 512  # of a table by line of fifths; negative places count from its end
MINOR_RAISED = 3  # the raised sixth degree of minor
THIRDS = (3, 4, -3, -4)  # root motions by a third, on the line of fifths
STEP_UP = (2, -5, 7)  # a whole or half tone up
ALTERED = ("mixture", "neapolitan", "augmented-sixth")


@dataclass(frozen=True, slots=True)
class _Area:
    """Chords in one key."""

    start: int
    stop: int
    key: Key


@lru_cache(maxsize=2)
def _areas(piece: Piece) -> tuple[_Area, ...]:
    """The keys of a piece in order; chords that are not known belong to the key before them."""
    chords = succession(piece)
    known = np.flatnonzero(chords.known)
    if not len(known):
        return ()
    tonic, mode = chords["tonic"][known], chords["mode"][known]
    turns = np.flatnonzero((np.diff(tonic) != 0) | (np.diff(mode) != 0)) + 1
    starts = [int(known[0]), *known[turns].tolist()]
    stops = [*starts[1:], len(chords.moments)]
    return tuple(
        _Area(start, stop, (int(chords["tonic"][start]), int(chords["mode"][start])))
        for start, stop in zip(starts, stops, strict=True)
    )


def _home(piece: Piece) -> Key | None:
    """The declared key, else that of the first known chord."""
    if piece.context.home is not None:
        return piece.context.home
    areas = _areas(piece)
    return areas[0].key if areas else None


def _new_keys(piece: Piece) -> list[_Area]:
    """Areas after the first that are not in the home key."""
    home = _home(piece)
    return [area for area in _areas(piece)[1:] if area.key != home]


def _key_name(key: Key) -> str:
    from theory_kb.pitch import Key as SpelledKey
    from theory_kb.pitch import PitchClass

    return SpelledKey(PitchClass(key[0]), ("major", "minor")[key[1]]).name


# ----------------------------------------------------------------------------------- confirmation


@piece_rule("bars")
def mod_unconfirmed(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """No cadence confirms a new key in time."""
    chords = succession(piece)
    confirmed = [(each.place, each.key) for each in cadences(piece) if each.kind in CONFIRMING]
    for area in _new_keys(piece):
        limit = chords["bar"][area.start] + p["bars"]
        if not any(
            key == area.key and place >= area.start and chords["bar"][place] <= limit
            for place, key in confirmed
        ):
            yield Offence(area.start, bass(piece), {"key": _key_name(area.key)})


CONFIRMING = (*AUTHENTIC, *HALF)


@piece_rule("bars", "chords")
def mod_duration(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A new key is left before it has settled."""
    chords = succession(piece)
    onsets = np.append(chords["onset"], chords.end)
    closes = [each.place for each in cadences(piece) if each.kind in CONFIRMING]
    for area in _new_keys(piece):
        least = p["bars"] * piece.bar_ticks
        settled = range(area.start + int(p["chords"]) - 1, area.stop)
        if onsets[area.stop] - onsets[area.start] < least and not any(
            place in settled for place in closes
        ):
            yield Offence(area.start, bass(piece), {"key": _key_name(area.key)})


# -------------------------------------------------------------------------------- means of a change


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of key: the chord that is the first of the new one."""

    piece: Piece
    chords: Succession
    place: int
    old: Key
    new: Key

    @property
    def before(self) -> np.void:
        """The last chord of the old key."""
        moment: np.void = self.chords.moments[self.place - 1]
        return moment

    @property
    def now(self) -> np.void:
        """The first chord of the new key."""
        moment: np.void = self.chords.moments[self.place]
        return moment


@lru_cache(maxsize=2)
def _changes(piece: Piece) -> tuple[_Change, ...]:
    """Every change of key whose two chords are known."""
    chords, areas = succession(piece), _areas(piece)
    return tuple(
        _Change(piece, chords, area.start, last.key, area.key)
        for last, area in itertools.pairwise(areas)
        if chords.known[area.start - 1]
    )


def _members(moment: np.void) -> tuple[int, ...]:
    """The pitch classes of a chord on the line of fifths."""
    places = [int(moment[name]) for name in ("root", "third", "fifth", "seventh")]
    return tuple(place + int(moment["tonic"]) for place in places if place != NONE)


def _in_scale(moment: np.void, key: Key) -> bool:
    """Whether every note of a chord belongs to a key; minor has its raised leading tone."""
    return all(place - key[0] in SCALES[key[1]] for place in _members(moment))


@cache
def _readings(members: tuple[int, ...], mode: int) -> tuple[str, ...]:
    """Origins of the chords of a mode with these places above the tonic."""
    from theory_kb.chords import every_chord

    name = ("major", "minor")[mode]
    return tuple(
        each.origin for each in every_chord() if each.mode == name and each.members == members
    )


def _origins(moment: np.void, key: Key) -> tuple[str, ...]:
    return _readings(tuple(place - key[0] for place in _members(moment)), key[1])


def _new_phrase(change: _Change) -> bool:
    return not change.chords.joined[change.place]


def _shared(change: _Change) -> bool:
    """Whether the last chord or the first is diatonic in both keys."""
    return any(
        _in_scale(moment, change.old) and _in_scale(moment, change.new)
        for moment in (change.before, change.now)
    )


def _borrowed(change: _Change) -> bool:
    """Whether the last chord is an altered one in the new key, or the first one in the old."""
    sides = ((change.before, change.new), (change.now, change.old))
    return any(set(ALTERED) & set(_origins(moment, key)) for moment, key in sides)


def _parallel(change: _Change) -> bool:
    return change.old[0] == change.new[0]


def _held_tone(change: _Change) -> bool:
    """Whether chords a third apart share a note that one voice keeps."""
    root, other = _members(change.before)[0], _members(change.now)[0]
    held = (change.before["semitone"] == change.now["semitone"]) & (change.now["semitone"] != REST)
    return other - root in THIRDS and bool(held.any())


def _chromatic(change: _Change) -> bool:
    """Whether one voice reaches the leading tone of the new key by a chromatic semitone."""
    for voice in range(len(change.piece.voices)):
        steps = change.before["step"][voice], change.now["step"][voice]
        tones = int(change.before["semitone"][voice]), int(change.now["semitone"][voice])
        if REST in tones or steps[0] != steps[1] or tones[1] - tones[0] != 1:
            continue
        if 7 * tones[1] - 12 * int(steps[1]) - 84 == change.new[0] + 5:
            return True
    return False


def _sequential(change: _Change) -> bool:
    return bool(change.chords.in_sequence[change.place])


def _respelled(change: _Change) -> bool:
    """Whether the two chords sound alike, and are spelled in two ways."""
    one, other = _members(change.before), _members(change.now)
    return one != other and _sound(one) == _sound(other)


def _sound(members: tuple[int, ...]) -> frozenset[int]:
    return frozenset(place * 7 % 12 for place in members)


def _single_line(change: _Change) -> bool:
    """Whether one voice alone leads over."""
    surface, onset = change.piece.surface, change.chords["onset"]
    between = surface["onset"] >= onset[change.place - 1]
    between &= surface["onset"] <= onset[change.place]
    voices = (surface["semitone"][between] != REST).sum(axis=1)
    return bool((voices == 1).any())


def _stepped_up(change: _Change) -> bool:
    """Whether a declared step up lifts everything by a half or whole tone."""
    declared = "step-up" in change.piece.context.devices
    return declared and change.new[0] - change.old[0] in STEP_UP and change.old[1] == change.new[1]


Means = Callable[[_Change], bool]
OTHER_MEANS: tuple[Means, ...] = (  # than a diatonic pivot
    _new_phrase,
    _borrowed,
    _parallel,
    _held_tone,
    _chromatic,
    _sequential,
    _respelled,
    _single_line,
    _stepped_up,
)


def _offence(change: _Change, **detail: str) -> Offence:
    named = {"old": _key_name(change.old), "new": _key_name(change.new)}
    return Offence(change.place, bass(change.piece), {**named, **detail})


@lru_cache(maxsize=2)
def _by_pivot_only(piece: Piece) -> tuple[_Change, ...]:
    """Changes that have no means but, perhaps, a chord of both keys."""
    return tuple(
        change for change in _changes(piece) if not any(means(change) for means in OTHER_MEANS)
    )


@piece_rule()
def mod_no_pivot(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A key is left by none of the known means."""
    for change in _by_pivot_only(piece):
        if not _shared(change):
            yield _offence(change)


@piece_rule()
def mod_pivot_altered(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The chord that both keys are to share has a note foreign to one of them."""
    for change in _by_pivot_only(piece):
        if _shared(change):
            continue
        sides = ((change.before, change.new), (change.now, change.old))
        if any(_origins(moment, key) for moment, key in sides):
            yield _offence(change)


@piece_rule()
def mod_distance(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two keys without a common triad are joined as if they had one."""
    for change in _by_pivot_only(piece):
        if _common_triads(change.old, change.new) == 0:
            yield _offence(change)


@cache
def _common_triads(one: Key, other: Key) -> int:
    from theory_kb.key_relations import pivots
    from theory_kb.pitch import Key as SpelledKey

    first, second = (SpelledKey.parse(_key_name(key)) for key in (one, other))
    return sum(pivot.before.quality != "dim" for pivot in pivots(first, second))


@piece_rule()
def mod_enharmonic_spelling(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The first chord of a new key keeps the spelling of the old one."""
    for change in _changes(piece):
        members = _members(change.now)
        sound = _sound(members)
        for voice in range(len(piece.voices)):
            tone, step = int(change.now["semitone"][voice]), int(change.now["step"][voice])
            place = 7 * tone - 12 * step - 84
            if tone != REST and place not in members and place * 7 % 12 in sound:
                yield Offence(change.place, (voice,), {"new": _key_name(change.new)})
                break


# ------------------------------------------------------------------------------ the first new note


@piece_rule()
def mod_first_accidental(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The first note that only the new key has is not reached by step."""
    surface, onsets = piece.surface, succession(piece)["onset"]
    for change in _changes(piece):
        if not change.chords.joined[change.place]:
            continue
        stop = _area_stop(piece, change.place)
        place = _characteristic(piece, change, (int(onsets[change.place]), stop))
        if place is not None:
            row, voice = place
            before = _note_before(piece, voice, row)
            if before is not None and abs(int(surface["step"][row, voice]) - before) > 1:
                yield Offence(row, (voice,), {"new": _key_name(change.new)})


def _area_stop(piece: Piece, start: int) -> int:
    """Tick at which the key area that starts at a chord stops."""
    chords = succession(piece)
    area = next(each for each in _areas(piece) if each.start == start)
    return int(np.append(chords["onset"], chords.end)[area.stop])


def _characteristic(piece: Piece, change: _Change, span: tuple[int, int]) -> tuple[int, int] | None:
    """Row and voice of the first struck note that the new key has and the old one has not."""
    surface, voices = piece.surface, len(piece.voices)
    first, last = np.searchsorted(surface["onset"], span)
    rows = surface[first:last]
    places = 7 * rows["semitone"].astype(np.int64) - 12 * rows["step"].astype(np.int64) - 84
    new, old = _scale(change.new)[places], _scale(change.old)[places]
    fresh = (new & ~old & (rows["attack"] == 1) & (rows["semitone"] != REST))[:, :voices]
    if not fresh.any():
        return None
    row, voice = divmod(int(np.argmax(fresh)), voices)
    return int(first) + row, voice


@cache
def _scale(key: Key) -> NDArray[np.bool_]:
    """Which places on the line of fifths a key has, by index; minor in all its forms."""
    found = np.zeros(WIDTH, bool)
    found[[key[0] + place for place in SCALES[key[1]]]] = True
    if key[1] == 1:
        found[key[0] + MINOR_RAISED] = True
    return found


def _note_before(piece: Piece, voice: int, row: int) -> int | None:
    """Staff step of the note from which a voice comes, None after a rest or a phrase end."""
    surface = piece.surface
    if row == 0 or surface["boundary"][row] or surface["semitone"][row - 1, voice] == REST:
        return None
    return int(surface["step"][row - 1, voice])


# --------------------------------------------------------------------------------------- the plan


@piece_rule()
def mod_return(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The piece ends in another key than its own."""
    home, areas = _home(piece), _areas(piece)
    if home is not None and areas and areas[-1].key[0] != home[0]:
        last = len(succession(piece).moments) - 1
        names = {"home": _key_name(home), "key": _key_name(areas[-1].key)}
        yield Offence(last, bass(piece), names)


GOALS: Mapping[int, frozenset[Key]] = {  # of each mode: tonic above home, mode
    0: frozenset({(1, 0), (3, 1), (2, 1), (-1, 0)}),
    1: frozenset({(-3, 0), (1, 1)}),
}


@piece_rule()
def mod_plan(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The first key in which a piece cadences away from home is an unusual one."""
    home = _home(piece)
    if home is None or home[1] == UNKNOWN:
        return
    for each in cadences(piece):
        if each.kind in CONFIRMING and each.key != home and each.tonic != home[0]:
            goal = (each.tonic - home[0], each.mode)
            if goal not in GOALS[home[1]]:
                names = {"home": _key_name(home), "key": _key_name(each.key)}
                yield Offence(each.place, bass(piece), names)
            return
