"""Rules on the shape of a whole line: range, climax, runs, leaps, repetition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from theory_kb.pitch import Pitch
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import LineNote, Offence, Piece, line_notes, phrase_spans
from theory_kb.rules.records import rule

__all__: list[str] = []

FEWEST_NOTES = 5  # a line shorter than this has no shape to judge
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


@piece_rule()
def single_climax(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The top voice reaches the highest note of a phrase more than once."""
    for voice, notes in _lines(piece, (0,)):
        peaks = _peaks(notes)
        if len(notes) >= FEWEST_NOTES and len(peaks) > 1:
            yield Offence(peaks[1].start, (voice,))


def _peaks(notes: Sequence[LineNote]) -> list[LineNote]:
    highest = max(note.semitone for note in notes)
    return [note for note in _pitches(notes) if note.semitone == highest]


@piece_rule("earliest", "latest")
def climax_placement(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The highest note of a phrase comes too early or too late, in parts of its length."""
    for voice, notes in _lines(piece, (0,)):
        if len(notes) < FEWEST_NOTES:
            continue
        peak, onsets = _peaks(notes)[0], piece.surface["onset"]
        place = (onsets[peak.start] - onsets[notes[0].start]) / sum(note.ticks for note in notes)
        if not p["earliest"] <= place <= p["latest"]:
            early = place < p["earliest"]
            yield Offence(peak.start, (voice,), {"place": "early" if early else "late"})


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


@piece_rule("widest_steps", "most_notes")
def monotone_run_long(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A line goes on too long in one direction."""
    for voice, notes in _lines(piece, _everyone(piece)):
        for run, _ in _runs(notes):
            if _outline(run)[0] > p["widest_steps"] or len(run) > p["most_notes"]:
                yield Offence(run[-1].start, (voice,), _ends(run))


# -------------------------------------------------------------------- leaps and repetition


@piece_rule("soprano", "inner", "bass", "in_a_row")
def leaps_count(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Too many moves of a phrase are leaps, or too many of them follow one another."""
    shares = (p["soprano"], p["inner"], p["inner"], p["bass"])
    for voice, notes in _lines(piece, _everyone(piece)):
        line = _pitches(notes)
        leaps = [abs(b.step - a.step) > 1 for a, b in pairwise(line)]
        if len(leaps) < FEWEST_NOTES - 1:
            continue
        many = sum(leaps) > shares[_part(piece, voice)] * len(leaps)
        if many or _longest(leaps) > p["in_a_row"]:
            detail = {"leaps": str(sum(leaps)), "moves": str(len(leaps))}
            yield Offence(notes[0].start, (voice,), detail)


def _longest(flags: Sequence[bool]) -> int:
    """Length of the longest stretch that is true."""
    best = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best


@piece_rule("fewest", "window", "most_returns")
def static_line(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The top voice circles around few pitches, or keeps coming back to its top note."""
    window = int(p["window"])
    for voice, notes in _lines(piece, (0,)):
        for index in range(len(notes) - window + 1):
            pitches = {note.semitone for note in notes[index : index + window]}
            if len(pitches) < p["fewest"]:
                yield Offence(notes[index].start, (voice,))
                break
        else:
            peaks = _peaks(notes)
            if len(peaks) > p["most_returns"]:
                yield Offence(peaks[-1].start, (voice,))


@piece_rule("most")
def repeated_note(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The top voice strikes one pitch too often in a row."""
    for voice, notes in _lines(piece, (0,)):
        row = 0
        for first, second in pairwise(notes):
            row = row + 1 if first.semitone == second.semitone else 0
            if row == int(p["most"]) + 1:
                yield Offence(second.start, (voice,), {"times": str(row + 1)})
