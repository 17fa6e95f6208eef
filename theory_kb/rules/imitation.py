"""Rules on canon, invertible counterpoint, fugue and melodic sequence, as they are declared.

Entries are subject, answer, countersubject or imitation; a unit `exposition` says how far the
exposition of a fugue goes, else it goes to the first entry of the last voice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

from theory_kb.errors import UnknownNameError
from theory_kb.imitation import UP_A_FIFTH, UP_A_FOURTH, answering_shifts, head_length
from theory_kb.moment import NONE, REST, Moments
from theory_kb.rules.context import Canon, Entry
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.material import everyone, intervals, onset
from theory_kb.rules.piece import LineNote, Offence, Piece, line_notes

__all__: list[str] = []

ACCENTED = 3  # beat strength from which a beat is strong
FIFTH, FOURTH = 1, -1  # on the line of fifths
SIXTHS = (3, -4)
IMPERFECT = (2, 5)  # staff steps of thirds and sixths within the octave
TONIC, DOMINANT = 0, 4  # degrees by letter


# ------------------------------------------------------------------------------------- canon


class _Copy(NamedTuple):
    """A canon as it was meant and as it is."""

    wrong: list[LineNote]  # notes of the follower that are not the leader's, in time order
    last: int  # ticks where the canon ends: as declared, or with the last right note; 0 if it has none


def _copied(piece: Piece, canon: Canon) -> _Copy:
    """Compare a follower with its leader, from the first note that it owes."""
    leader = line_notes(piece, canon.leader)
    due = {
        onset(piece, note.start) + canon.delay: (
            note.step + canon.steps,
            note.semitone + canon.semitones,
        )
        for note in leader
    }
    wrong, last = [], 0
    for note in line_notes(piece, canon.follower):
        time = onset(piece, note.start)
        if due and time >= min(due):
            wanted = due.get(time)
            if wanted is None or not _answers(note, wanted, exact=canon.strict):
                wrong.append(note)
            else:
                last = onset(piece, note.stop)
    return _Copy(wrong, last if canon.close is None else canon.close)


def _answers(note: LineNote, wanted: tuple[int, int], *, exact: bool) -> bool:
    return note.step == wanted[0] and (not exact or note.semitone == wanted[1])


def _canon(piece: Piece) -> Canon:
    canon = piece.context.canon
    assert canon is not None, "rules on a canon need one"
    return canon


@piece_rule()
def canon_strict(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The follower of a canon leaves its leader, before the free ending."""
    canon = _canon(piece)
    copy = _copied(piece, canon)
    for note in copy.wrong:
        if onset(piece, note.start) < copy.last or not copy.last:
            yield Offence(note.start, (canon.follower,), {"leader": piece.voices[canon.leader]})


@piece_rule("bars")
def canon_end(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The free ending of a canon is too long."""
    canon = _canon(piece)
    copy = _copied(piece, canon)
    free = [note for note in copy.wrong if onset(piece, note.start) >= copy.last]
    length = (onset(piece, len(piece.surface)) - copy.last) / piece.bar_ticks
    if free and copy.last and length > p["bars"]:
        yield Offence(free[0].start, (canon.follower,), {"bars": f"{length:g}"})


# --------------------------------------------------------------------------- invertible parts


class _Pair(NamedTuple):
    """Two voices that are to change places, and where."""

    upper: int
    lower: int
    start: int
    stop: int


def _vertical(moment: Moments, upper: int, lower: int) -> int:
    """Interval from the lower-sounding to the higher-sounding voice, line of fifths."""
    semitones = int(moment["semitone"][upper]) - int(moment["semitone"][lower])
    steps = int(moment["step"][upper]) - int(moment["step"][lower])
    fifths = 7 * semitones - 12 * steps
    return -fifths if semitones < 0 else fifths


def _sounds(moment: Moments, pair: _Pair) -> bool:
    return bool(REST not in (moment["semitone"][pair.upper], moment["semitone"][pair.lower]))


def _suspended(piece: Piece, pair: _Pair, index: int) -> bool:
    """Whether one of two voices is held into a moment and then steps down."""
    surface = piece.surface
    for voice in (pair.upper, pair.lower):
        held = index > 0 and not surface["attack"][index, voice]
        later = line_notes(piece, voice, start=index + 1)
        if held and later and later[0].step == int(surface["step"][index, voice]) - 1:
            return True
    return False


def _strong(piece: Piece, pair: _Pair, kinds: Sequence[int]) -> Iterator[int]:
    """Strong moments at which two voices form one of some intervals and it is no suspension."""
    surface = piece.surface
    for index in range(pair.start, pair.stop):
        moment = surface[index]
        struck = moment["attack"][pair.upper] or moment["attack"][pair.lower]
        if not (struck and moment["strength"] >= ACCENTED and _sounds(moment, pair)):
            continue
        if _vertical(moment, pair.upper, pair.lower) in kinds:
            if not _suspended(piece, pair, index):
                yield index


def _moves(piece: Piece, pair: _Pair) -> Iterator[tuple[int, int, int]]:
    """Moments at which both voices move the same way, with the staff steps between them."""
    surface = piece.surface
    for index in range(pair.start + 1, pair.stop):
        before, now = surface[index - 1], surface[index]
        if _sounds(before, pair) and _sounds(now, pair) and not now["boundary"]:
            up, low = (
                int(now["semitone"][voice]) - int(before["semitone"][voice])
                for voice in (pair.upper, pair.lower)
            )
            if up * low > 0:
                yield index, _staff_gap(before, pair), _staff_gap(now, pair)


def _staff_gap(moment: Moments, pair: _Pair) -> int:
    """Staff steps between two voices, within the octave."""
    return abs(int(moment["step"][pair.upper]) - int(moment["step"][pair.lower])) % 7


def _at_octave(piece: Piece, pair: _Pair) -> Iterator[tuple[int, str]]:
    for index in _strong(piece, pair, (FIFTH,)):
        yield index, "a fifth on a strong beat becomes a fourth"


def _at_tenth(piece: Piece, pair: _Pair) -> Iterator[tuple[int, str]]:
    for index, before, now in _moves(piece, pair):
        if before == now and now in IMPERFECT:
            yield index, "thirds or sixths in parallel become octaves or fifths"


def _at_twelfth(piece: Piece, pair: _Pair) -> Iterator[tuple[int, str]]:
    for index in _strong(piece, pair, SIXTHS):
        yield index, "a sixth that is not prepared becomes a seventh"


INVERSIONS = {8: _at_octave, 10: _at_tenth, 12: _at_twelfth}


def _pairs(piece: Piece) -> Iterator[_Pair]:
    """The voices that change places: the two of a duet, or entries that sound together."""
    if len(piece.voices) == 2:
        yield _Pair(0, 1, 0, len(piece.surface))
        return
    for one, other in combinations(piece.context.entries, 2):
        yield from _overlap(one, other)


def _overlap(one: Entry, other: Entry) -> Iterator[_Pair]:
    start, stop = max(one.start, other.start), min(one.stop, other.stop)
    if start < stop and one.voice != other.voice:
        yield _Pair(min(one.voice, other.voice), max(one.voice, other.voice), start, stop)


@piece_rule()
def invertible_8ve(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two parts of double counterpoint cannot change places at the declared interval."""
    interval = piece.context.invertible
    if interval not in INVERSIONS:
        raise UnknownNameError("interval of inversion", str(interval), map(str, INVERSIONS))
    for pair in _pairs(piece):
        for index, problem in INVERSIONS[interval](piece, pair):
            yield Offence(index, (pair.upper, pair.lower), {"problem": problem})


# ------------------------------------------------------------------------------------- fugue


def _entries(piece: Piece, *kinds: str) -> list[Entry]:
    """The entries of some kinds, in time order."""
    chosen = [entry for entry in piece.context.entries if entry.kind in kinds]
    return sorted(chosen, key=lambda entry: (entry.start, entry.voice))


def _exposition(piece: Piece) -> list[Entry]:
    """Statements of the exposition: to its declared end, or to the entry of the last voice."""
    statements = _entries(piece, "subject", "answer")
    ends = [unit.stop for unit in piece.context.units if unit.kind == "exposition"]
    if ends:
        return [each for each in statements if each.start < ends[0]]
    heard: set[int] = set()
    for place, each in enumerate(statements):
        heard.add(each.voice)
        if len(heard) == len(piece.voices):
            return statements[: place + 1]
    return statements


def _theme(piece: Piece, entry: Entry) -> list[LineNote]:
    return line_notes(piece, entry.voice, start=entry.start, stop=entry.stop)


def _shifts(piece: Piece, model: Entry, entry: Entry) -> list[int]:
    """Staff steps within the octave from each note of one entry to that of another."""
    notes = zip(_theme(piece, model), _theme(piece, entry), strict=False)
    return [(other.step - one.step) % 7 for one, other in notes]


@piece_rule()
def fugue_entry_order(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Entries of an exposition do not stand on tonic and dominant in turn."""
    statements = _exposition(piece)
    firsts = [
        each
        for place, each in enumerate(statements)
        if each.voice not in {other.voice for other in statements[:place]}
    ]
    for place, each in enumerate(firsts[1:], 1):
        wanted, level = (("answer", UP_A_FIFTH), ("subject", 0))[(place + 1) % 2]
        shifts = _shifts(piece, firsts[0], each)
        placed = 2 * shifts.count(level) >= len(shifts)
        if each.kind != wanted or not placed:
            where = "dominant" if wanted == "answer" else "tonic"
            detail = {"number": str(place + 1), "wanted": f"{wanted} on the {where}"}
            yield Offence(each.start, (each.voice,), detail)


def _degrees(piece: Piece, entry: Entry) -> list[int]:
    """Degrees by letter, 0 to 6, of an entry's notes above the tonic at its start."""
    tonic = int(piece.surface["tonic"][entry.start])
    return [(note.step - 4 * tonic) % 7 for note in _theme(piece, entry)]


def _turn(piece: Piece, entry: Entry) -> int | None:
    """The first note of a subject in the key of the dominant, if it ends there."""
    tonics = piece.surface["tonic"][[note.start for note in _theme(piece, entry)]].tolist()
    if NONE in (tonics[0], tonics[-1]) or tonics[-1] != tonics[0] + 1:
        return None
    return len(tonics) - next(i for i, each in enumerate(reversed(tonics)) if each != tonics[-1])


@piece_rule("head")
def fugue_tonal_answer(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An answer does not mutate its head where it must, or mutates elsewhere."""
    statements = _exposition(piece)
    subjects = [each for each in statements if each.kind == "subject"]
    for answer in (each for each in statements if each.kind == "answer"):
        model = next((each for each in subjects if each.start <= answer.start), None)
        if model is None or piece.surface["tonic"][model.start] == NONE:
            continue
        place = _misanswered(piece, model, answer, int(p["head"]))
        if place is not None:
            notes = _theme(piece, answer)
            yield Offence(notes[min(place, len(notes) - 1)].start, (answer.voice,))


def _misanswered(piece: Piece, model: Entry, answer: Entry, most: int) -> int | None:
    """Place of the first note that an answer has wrong, None if it is right."""
    degrees, shifts = _degrees(piece, model), _shifts(piece, model, answer)
    if not degrees or len(_theme(piece, answer)) != len(degrees):
        return len(shifts)
    head = head_length(degrees, most)
    turn = _turn(piece, model)
    tail = len(shifts) if turn is None else _tail(shifts, degrees, max(head, 1), turn)
    for place, (degree, shift) in enumerate(zip(degrees, shifts, strict=True)):
        wanted = answering_shifts(degree, inside=place < head) if place < tail else (UP_A_FOURTH,)
        if shift not in wanted:
            return place
    return None


def _tail(shifts: Sequence[int], degrees: Sequence[int], head: int, turn: int) -> int:
    """Where the answer to a modulating subject goes back to I.

    It may do so where the subject changes key, or next to a 1 or 5 of the subject; at the last
    note it must.
    """
    for place in range(head, len(shifts)):
        near = {TONIC, DOMINANT} & {degrees[place - 1], degrees[place]}
        if (near or place == turn) and set(shifts[place:]) == {UP_A_FOURTH}:
            return place
    return len(shifts) - 1


@piece_rule()
def fugue_countersubject(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A countersubject cannot change places with its subject at the octave."""
    for counter in _entries(piece, "countersubject"):
        for theme in _entries(piece, "subject", "answer"):
            for pair in _overlap(theme, counter):
                yield from _not_invertible(piece, pair)


def _not_invertible(piece: Piece, pair: _Pair) -> Iterator[Offence]:
    """At the octave, strong fifths become fourths and parallel fourths become fifths."""
    for index, problem in _at_octave(piece, pair):
        yield Offence(index, (pair.upper, pair.lower), {"problem": problem})
    for index, *_ in _moves(piece, pair):
        verticals = [
            _vertical(piece.surface[place], pair.upper, pair.lower) for place in (index - 1, index)
        ]
        if verticals == [FOURTH, FOURTH]:
            detail = {"problem": "fourths in parallel become fifths"}
            yield Offence(index, (pair.upper, pair.lower), detail)


@piece_rule()
def fugue_exposition_complete(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A voice never states subject or answer."""
    heard = {each.voice for each in _exposition(piece)}
    for voice in everyone(piece):
        if voice not in heard:
            yield Offence(0, (voice,))


@piece_rule("most")
def fugue_redundant(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An exposition has more redundant entries than one."""
    heard: set[int] = set()
    again = []
    for each in _exposition(piece):
        if each.voice in heard:
            again.append(each)
        heard.add(each.voice)
    for each in again[int(p["most"]) :]:
        yield Offence(each.start, (each.voice,), {"count": str(len(again))})


# ------------------------------------------------------------------------ imitation, sequence


@piece_rule("fewest")
def imitation_recognisable(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An imitation keeps too few notes of what it imitates, in staff steps or turned over."""
    entries = _entries(piece, "subject", "answer", "imitation")
    for place, entry in enumerate(entries):
        models = [each for each in entries[:place] if each.voice != entry.voice]
        if entry.kind == "imitation" and models:
            notes = max(_shared(piece, model, entry) for model in models)
            if notes < p["fewest"]:
                yield Offence(entry.start, (entry.voice,), {"notes": str(notes)})


def _shared(piece: Piece, model: Entry, entry: Entry) -> int:
    """How many notes an imitation has in common with its model, from the first."""
    wanted, got = (intervals(_theme(piece, each)) for each in (model, entry))
    return 1 + max(_agreeing(wanted, got), _agreeing([-step for step in wanted], got))


def _agreeing(wanted: Sequence[int], got: Sequence[int]) -> int:
    pairs = list(zip(wanted, got, strict=False))
    return next((place for place, (a, b) in enumerate(pairs) if a != b), len(pairs))


@piece_rule("fewest")
def sequence_real_tonal(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A line repeats a figure on another step: exactly, or with the notes of the key."""
    for voice in everyone(piece):
        notes = line_notes(piece, voice)
        index = 0
        while index < len(notes):
            size = _figure(notes, index, int(p["fewest"]))
            if size:
                first, second = (notes[at : at + size] for at in (index, index + size))
                kind = "real" if _semitones(first) == _semitones(second) else "tonal"
                yield Offence(second[0].start, (voice,), {"kind": kind, "notes": str(size)})
            index += size or 1


def _figure(notes: Sequence[LineNote], index: int, fewest: int) -> int:
    """Notes of the shortest figure at a place that comes again at once on another step, or 0."""
    for size in range(fewest, (len(notes) - index) // 2 + 1):
        first, second = notes[index : index + size], notes[index + size : index + 2 * size]
        rhythm = [note.ticks for note in first[:-1]] == [note.ticks for note in second[:-1]]
        if rhythm and first[0].step != second[0].step and any(intervals(first)):
            if intervals(first) == intervals(second):
                return size
    return 0


def _semitones(notes: Sequence[LineNote]) -> list[int]:
    return [after.semitone - before.semitone for before, after in pairwise(notes)]
