"""Rules on the shape of a whole line: range, climax, runs, leaps, repetition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NONE
from theory_kb.pitch import Pitch
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import LineNote, Offence, Piece, line_notes, lines, phrase_spans
from theory_kb.rules.records import rule

__all__: list[str] = []

SEQUENCE_NOTES = 3  # the shortest pattern that is heard as one
Ints = NDArray[np.int64]
FEWEST_NOTES = 5  # a line shorter than this has no shape to judge
LETTER_OF_FIFTHS = tuple(4 * place % 7 for place in range(7))  # of a place on it: C, G, D, ...
MOVING_SPECIES = (2, 3)
THIRD_SPECIES = 3
PARTS = ("soprano", "alto", "tenor", "bass")
TRITONE, DIMINISHED_FIFTH = 6, -6  # on the line of fifths
SEVENTHS = (5, -2)


def _part(piece: Piece, voice: int) -> int:
    """Part of a choir that a voice is measured as: 0 soprano to 3 bass."""
    if voice == len(piece.voices) - 1:
        return 3 if voice else 0
    return min(voice, 2)


def _lines(piece: Piece, voices: Sequence[int]) -> Iterator[tuple[int, list[LineNote]]]:
    """Each phrase of each voice: the voice and its notes."""
    for voice in voices:
        for start, stop in phrase_spans(piece.surface):
            notes = line_notes(piece, voice, start=start, stop=stop)
            if notes:
                yield voice, notes


def _everyone(piece: Piece) -> range:
    return range(len(piece.voices))


def _melodies(piece: Piece) -> tuple[int, ...]:
    """The voices whose shape is judged: those of a species, else the top voice if it is no tune.

    A voice that is given, as a chorale tune or a cantus, is not graded.
    """
    voices = sorted(piece.context.species) or [0]
    return tuple(voice for voice in voices if not _is_given(piece, voice))


def _is_given(piece: Piece, voice: int) -> bool:
    context = piece.context
    return voice == context.cantus or any(note.voice == voice for note in context.given)


def _tonic(piece: Piece, moment: int) -> int:
    """Line of fifths of the tonic at a moment, or of the mode's final; NONE if unknown."""
    final = piece.context.final
    return int(piece.surface["tonic"][moment]) if final is None else final


def _degree(piece: Piece, note: LineNote, moment: int) -> int | None:
    """Staff steps of a note above the tonic, 0 to 6; None where the tonic is not known."""
    tonic = _tonic(piece, moment)
    return None if tonic == NONE else (note.step - LETTER_OF_FIFTHS[tonic % 7]) % 7


def _pitches(notes: Sequence[LineNote]) -> list[LineNote]:
    """The notes without immediate repetitions."""
    return [
        note
        for index, note in enumerate(notes)
        if index == 0 or note.semitone != notes[index - 1].semitone
    ]


def _name(note: LineNote) -> str:
    return Pitch(note.step, note.semitone).name


# ------------------------------------------------------------------------- range and climax


@piece_rule("widest", "upper_only")
def line_range(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A line spans too much."""
    for voice in _everyone(piece):
        notes = line_notes(piece, voice)
        if not notes or (p["upper_only"] and _part(piece, voice) == 3):
            continue
        low, high = (pick(notes, key=lambda note: note.semitone) for pick in (min, max))
        if high.semitone - low.semitone > p["widest"]:
            yield Offence(high.start, (voice,), {"low": _name(low), "high": _name(high)})


@piece_rule("share")
def tessitura(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase lies for most of its time in the top or bottom third of its voice."""
    limits = rule("range-core").params
    for voice, notes in _lines(piece, _everyone(piece)):
        part = PARTS[_part(piece, voice)]
        low, high = limits[f"{part}_low"], limits[f"{part}_high"]
        third = (high - low) / 3
        total = sum(note.ticks for note in notes)
        for edge, above in (("bottom", False), ("top", True)):
            inside = sum(
                note.ticks
                for note in notes
                if (note.semitone > high - third if above else note.semitone < low + third)
            )
            if len(notes) >= FEWEST_NOTES and inside > p["share"] * total:
                yield Offence(notes[0].start, (voice,), {"edge": edge})


@piece_rule("earliest")
def single_climax(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A line reaches its highest note more than once, in its first part, or at its end."""
    for voice, notes in _lines(piece, _melodies(piece)):
        peaks = _peaks(notes)
        if len(notes) < FEWEST_NOTES:
            continue
        if len(peaks) > 1 and not _in_sequence(notes, peaks):
            yield Offence(peaks[1].start, (voice,), {"fault": "again"})
        elif len(peaks) == 1 and peaks[0].semitone == notes[-1].semitone:
            yield Offence(peaks[0].start, (voice,), {"fault": "at its end"})
        elif len(peaks) == 1 and _place(piece, notes, peaks[0]) < p["earliest"]:
            yield Offence(peaks[0].start, (voice,), {"fault": "at its beginning"})


def _place(piece: Piece, notes: Sequence[LineNote], note: LineNote) -> float:
    """Where a note of a line begins, in parts of the line's length."""
    onsets = piece.surface["onset"]
    passed = int(onsets[note.start]) - int(onsets[notes[0].start])
    return passed / sum(each.ticks for each in notes)


def _in_sequence(notes: Sequence[LineNote], peaks: Sequence[LineNote]) -> bool:
    """Whether all peaks lie in one melodic sequence."""
    starts = [note.start for note in notes]
    places = [starts.index(peak.start) for peak in peaks]
    return any(start <= min(places) and max(places) < stop for start, stop in _sequences(notes))


def _sequences(notes: Sequence[LineNote]) -> Iterator[tuple[int, int]]:
    """First and last-plus-one note of each pattern that is repeated at once on another step."""
    for size in range(SEQUENCE_NOTES, len(notes) // 2 + 1):
        for start in range(len(notes) - 2 * size + 1):
            model = notes[start : start + size]
            copy = notes[start + size : start + 2 * size]
            shifts = {second.step - first.step for first, second in zip(model, copy, strict=True)}
            same_rhythm = all(a.ticks == b.ticks for a, b in zip(model, copy, strict=True))
            moved = len(shifts) == 1 and shifts != {0} and same_rhythm
            if moved and not _goes_on(notes[start : start + 2 * size]):
                yield start, start + 2 * size


def _peaks(notes: Sequence[LineNote]) -> list[LineNote]:
    highest = max(note.semitone for note in notes)
    return [note for note in _pitches(notes) if note.semitone == highest]


@piece_rule("earliest", "latest")
def climax_placement(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The highest note of a phrase comes too early or too late, in parts of its length."""
    for voice, notes in _lines(piece, () if _is_given(piece, 0) else (0,)):
        if len(notes) < FEWEST_NOTES:
            continue
        peak = _peaks(notes)[0]
        place = _place(piece, notes, peak)
        if not p["earliest"] <= place <= p["latest"]:
            early = place < p["earliest"]
            yield Offence(peak.start, (voice,), {"place": "early" if early else "late"})


def _goes_on(notes: Sequence[LineNote]) -> bool:
    """Whether notes all rise or all fall: a scale is no pattern that comes again."""
    return len({second.step > first.step for first, second in pairwise(notes)}) == 1


@piece_rule()
def climax_coincide(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The outer lines reach their highest notes at the same moment."""
    bass = len(piece.voices) - 1
    for start, stop in phrase_spans(piece.surface):
        top, low = (line_notes(piece, voice, start=start, stop=stop) for voice in (0, bass))
        if bass and min(len(top), len(low)) >= FEWEST_NOTES:
            both = {note.start for note in _peaks(top)} & {note.start for note in _peaks(low)}
            if both:
                yield Offence(min(both), (0, bass))


# ------------------------------------------------------------------------ beginning and end


@piece_rule()
def line_begin_end(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A melody begins off the tonic triad, or ends on neither tonic nor third."""
    for voice in _melodies(piece):
        notes = line_notes(piece, voice)
        for verb, note, moment, allowed in _frame(piece, notes):
            degree = _degree(piece, note, moment)
            if degree is not None and degree not in allowed:
                yield Offence(note.start, (voice,), {"verb": verb, "note": _name(note)})


def _frame(
    piece: Piece, notes: Sequence[LineNote]
) -> Iterator[tuple[str, LineNote, int, tuple[int, ...]]]:
    """The first and last note, if those of the piece, with the degrees they may have."""
    if notes and piece.surface["opening"][0]:
        yield "begins", notes[0], 0, (0, 2, 4)
    if notes and piece.surface["final"][-1]:
        yield "ends", notes[-1], len(piece.surface) - 1, (0, 2)


@piece_rule()
def mel_approach_final(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A melody reaches its last tonic by leap."""
    if not piece.surface["final"][-1]:
        return
    bass = len(piece.voices) - 1
    free_bass = bass if len(piece.voices) > 2 else None
    for voice in _approached(piece):
        line = _pitches(line_notes(piece, voice))
        if len(line) < 2 or voice == free_bass:
            continue
        moment = len(piece.surface) - 1
        degrees = [_degree(piece, note, moment) for note in line[-2:]]
        tune = degrees[0] == 4 and _is_given(piece, voice)
        if degrees[1] == 0 and degrees[0] not in (1, 6) and not tune:
            yield Offence(line[-1].start, (voice,), {"before": _name(line[-2])})


def _approached(piece: Piece) -> list[int]:
    """The voices of a species, else the top voice, given or not."""
    return sorted(piece.context.species) or [0]


@piece_rule()
def mel_octave_frame(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An octave leap is not preceded and followed by motion inside it."""
    for voice, notes in _lines(piece, _everyone(piece)):
        line = _pitches(notes)
        for index, (first, second) in enumerate(pairwise(line)):
            if abs(second.step - first.step) != 7 or abs(second.semitone - first.semitone) != 12:
                continue
            around = (*line[index - 1 : index], *line[index + 2 : index + 3])
            low, high = sorted((first.semitone, second.semitone))
            if not all(low < note.semitone < high for note in around):
                yield Offence(second.start, (voice,), {"first": _name(first)})


# ------------------------------------------------------------------------------------- runs


def _runs(notes: Sequence[LineNote]) -> Iterator[tuple[list[LineNote], LineNote | None]]:
    """The stretches in one direction, each with the note after it."""
    line = _pitches(notes)
    start = 0
    for index in range(1, len(line)):
        onward = index + 1 < len(line) and (
            (line[index + 1].semitone > line[index].semitone)
            == (line[index].semitone > line[index - 1].semitone)
        )
        if not onward:
            following = line[index + 1] if index + 1 < len(line) else None
            yield line[start : index + 1], following
            start = index


def _outline(run: Sequence[LineNote]) -> tuple[int, int]:
    """Staff steps and line-of-fifths place of the interval between the ends of a run."""
    steps = run[-1].step - run[0].step
    fifths = 7 * (run[-1].semitone - run[0].semitone) - 12 * steps
    return abs(steps), (-fifths if steps < 0 else fifths)


def _ends(run: Sequence[LineNote]) -> dict[str, str]:
    return {"first": _name(run[0]), "last": _name(run[-1])}


@piece_rule()
def outline_tritone(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A run in one direction spans a tritone and does not resolve it."""
    for voice, notes in _lines(piece, _everyone(piece)):
        for run, following in _runs(notes):
            steps, fifths = _outline(run)
            if len(run) < 3 or steps > 4 or fifths not in (TRITONE, DIMINISHED_FIFTH):
                continue
            inward = following is not None and abs(following.step - run[-1].step) == 1
            if fifths == TRITONE or not inward:
                yield Offence(run[-1].start, (voice,), _ends(run))


@piece_rule()
def outline_seventh(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A run in one direction spans a seventh."""
    for voice, notes in _lines(piece, _everyone(piece)):
        for run, _ in _runs(notes):
            steps, fifths = _outline(run)
            if len(run) > 2 and steps == 6 and fifths in SEVENTHS:
                yield Offence(run[-1].start, (voice,), _ends(run))


@piece_rule("widest_steps", "most_notes", "most_third")
def monotone_run_long(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A line goes on too long in one direction."""
    for voice, notes in _lines(piece, _everyone(piece)):
        third = piece.context.species.get(voice) == THIRD_SPECIES
        most = p["most_third"] if third else p["most_notes"]
        for run, _ in _runs(notes):
            if _outline(run)[0] > p["widest_steps"] or len(run) > most:
                yield Offence(run[-1].start, (voice,), _ends(run))


# -------------------------------------------------------------------- leaps and repetition


class _Moves(NamedTuple):
    """The moves of one voice from pitch to pitch, inside its phrases, (n,) each."""

    start: Ints  # moment that each begins from
    stop: Ints  # moment that it reaches
    steps: Ints  # staff steps, up positive
    phrase: Ints  # number of its phrase


@lru_cache(maxsize=16)
def _moves(piece: Piece, voice: int) -> _Moves:
    line = lines(piece)[voice]
    phrase = np.cumsum(piece.surface["boundary"])[line.start]
    new = np.ones(len(line.start), bool)
    new[1:] = (np.diff(line.semitone) != 0) | (np.diff(phrase) != 0)
    start, step, phrase = line.start[new], line.step[new], phrase[new]
    inside = phrase[1:] == phrase[:-1]
    return _Moves(start[:-1][inside], start[1:][inside], np.diff(step)[inside], phrase[1:][inside])


def _in_a_row(ways: Ints, phrase: Ints) -> Ints:
    """For each move, how many moves up to it in its phrase go its way; 0 where that is 0."""
    places = np.arange(len(ways))
    fresh = np.ones(len(ways), bool)
    fresh[1:] = (ways[1:] != ways[:-1]) | (phrase[1:] != phrase[:-1])
    since = np.maximum.accumulate(np.where(fresh, places, 0))
    rows: Ints = np.where(ways != 0, places - since + 1, 0)
    return rows


@piece_rule("soprano", "inner", "bass", "in_a_row")
def leaps_count(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Too many moves of a phrase are leaps, or too many of them follow one another."""
    shares = (p["soprano"], p["inner"], p["inner"], p["bass"])
    for voice in _everyone(piece):
        moves = _moves(piece, voice)
        leaps = np.abs(moves.steps) > 1
        count = np.bincount(moves.phrase)
        leapt = np.bincount(moves.phrase, leaps)
        longest = np.zeros(len(count), np.int64)
        np.maximum.at(longest, moves.phrase, _in_a_row(leaps.astype(np.int64), moves.phrase))
        many = (leapt > shares[_part(piece, voice)] * count) | (longest > p["in_a_row"])
        for phrase in np.flatnonzero(many & (count >= FEWEST_NOTES - 1)):
            first = int(moves.start[np.searchsorted(moves.phrase, phrase)])
            detail = {"leaps": str(int(leapt[phrase])), "moves": str(int(count[phrase]))}
            yield Offence(first, (voice,), detail)


@piece_rule("most", "bass_free")
def leaps_three_same(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A line leaps more than so many times in one direction, whatever the leaps spell."""
    most = int(p["most"])
    for voice in range(max(1, len(piece.voices) - int(p["bass_free"]))):
        moves = _moves(piece, voice)
        ways = np.where(np.abs(moves.steps) > 1, np.sign(moves.steps), 0)
        for place in np.flatnonzero(_in_a_row(ways, moves.phrase) == most + 1):
            yield Offence(int(moves.stop[place]), (voice,), {"leaps": str(most + 1)})


@piece_rule("fewest", "window", "most_returns")
def static_line(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The top voice circles around few pitches, or keeps coming back to its top note."""
    window = int(p["window"])
    for voice, notes in _lines(piece, _melodies(piece)):
        for index in range(len(notes) - window + 1):
            pitches = {note.semitone for note in notes[index : index + window]}
            if len(pitches) < p["fewest"]:
                yield Offence(notes[index].start, (voice,))
                break
        else:
            peaks = _peaks(notes)
            if len(peaks) - 1 > p["most_returns"]:
                yield Offence(peaks[-1].start, (voice,))


@piece_rule("most", "most_moving", "most_three")
def repeated_note(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A line strikes one pitch too often in a row."""
    for voice, notes in _lines(piece, _melodies(piece)):
        most = int(_most_repeated(piece, voice, p))
        row = 0
        for first, second in pairwise(notes):
            row = row + 1 if first.semitone == second.semitone else 0
            if row == most + 1:
                yield Offence(second.start, (voice,), {"times": str(row + 1)})


def _most_repeated(piece: Piece, voice: int, p: Mapping[str, float]) -> float:
    """How often a voice may repeat its note: the second and third species never."""
    species = piece.context.species.get(voice, 0)
    if species in MOVING_SPECIES:
        return p["most_moving"]
    upper = species and len(piece.voices) > 2 and voice < len(piece.voices) - 1
    return p["most_three"] if upper else p["most"]


@piece_rule("pitches", "notes")
def motive_repeat_cf(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A cantus repeats a succession of pitches, or a pattern on another step."""
    voice = piece.context.cantus
    assert voice is not None, "rules on an undeclared cantus are skipped"
    notes = line_notes(piece, voice)
    exact = _repetition(notes, int(p["pitches"]), shifted=False)
    found = exact or _repetition(notes, int(p["notes"]), shifted=True)
    if found is not None:
        yield Offence(found.start, (voice,), {"first": _name(found)})


def _repetition(notes: Sequence[LineNote], size: int, *, shifted: bool) -> LineNote | None:
    """The first note of the first pattern that comes again: as it was, or moved at once."""
    for start in range(len(notes)):
        latest = start + size if shifted else len(notes)
        for again in range(start + size, min(latest, len(notes) - size) + 1):
            model, copy = notes[start : start + size], notes[again : again + size]
            shifts = {second.step - first.step for first, second in zip(model, copy, strict=True)}
            scale = shifted and _goes_on([*model, *copy])
            if len(shifts) == 1 and shifted != (shifts == {0}) and not scale:
                return notes[again]
    return None
