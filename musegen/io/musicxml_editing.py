"""Other notes in a MusicXML file, and not a byte changed beside them.

Of each voice that differs, the notes of the beats in which it differs are written anew, in the
place, the encoding and the layout of those that stood there. Every other byte stays: other voices,
other bars, attributes, directions, comments, white space. A lyric, a fermata or a slur of a note
that is replaced goes to the note that begins (or for a fermata, ends) at the same time; where all
lyrics of the voice are Roman numerals, they are those of the new chords.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise
from math import lcm
from pathlib import Path

from musegen.errors import ScoreError
from musegen.io.lines import Written, join_ties
from musegen.io.musicxml_note import Manner, aside, note_text
from musegen.io.musicxml_reading import score_content
from musegen.io.musicxml_text import Child, Line, Measure, MusicXmlText, Place, parse_text
from musegen.io.notation import Piece, bars, beam_states, pieces, shown_accidentals
from musegen.io.numerals import shown_numerals
from musegen.score import Note, Score
from musegen.slices import beat_spans
from theory_kb.pitch import Interval, Key, Pitch, PitchClass

__all__ = ["edited_file", "edited_musicxml"]

LETTERS = "CDEFGAB"
SEMITONES = (0, 2, 4, 5, 7, 9, 11)
NUMERAL = re.compile(r"([A-Ga-g][♯♭]*: )?(Cad\d+|(♭?[IViv]+[°øo+]?|N|It|Fr|Ger)\d*)(/♭?[IViv]+)?")

Span = tuple[Fraction, Fraction]
Edit = tuple[int, int, str]  # bytes from, bytes to, text instead


def edited_file(path: Path, before: Score, after: Score, span: Span) -> bytes:
    """The bytes of a MusicXML file, plain or compressed, with other notes.

    Of a compressed one every other entry stays as it is, in its order.

    Args:
        path: the file that `before` was read from.
        before: what it holds.
        after: what it shall hold.
        span: quarter notes within which the notes differ.

    Raises:
        ScoreError: the file cannot be read, or its voices cannot be found again in its text.
    """
    data, entry = score_content(path)
    made = edited_musicxml(data, before, after, span, name=path.name)
    if entry is None:
        return made
    packed = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w") as new:
        new.comment = old.comment
        for info in old.infolist():
            content = made if info.filename == entry else old.read(info)
            new.writestr(info, content, compress_type=info.compress_type)
    return packed.getvalue()


def edited_musicxml(data: bytes, before: Score, after: Score, span: Span, *, name: str) -> bytes:
    """The bytes of a MusicXML text with other notes; arguments and refusals as of `edited_file`."""
    text = parse_text(data, name)
    found = _voices(text, before, name)
    edits: list[Edit] = []
    for number, voice in enumerate(found):
        old, new = before.parts[number].notes, after.parts[number].notes
        if _sounds(old) != _sounds(new):
            edits.extend(_Rewriting(text, before, after, number, voice, found, span).edits())
    return _applied(text, edits)


def _sounds(line: Sequence[Note]) -> set[tuple[Fraction, Fraction, Pitch]]:
    return {(note.onset, note.duration, note.pitch) for note in line}


def _applied(text: MusicXmlText, edits: Sequence[Edit]) -> bytes:
    pieces_, at = [], 0
    for start, end, new in sorted(edits):
        pieces_ += [text.data[at:start], new.encode(text.encoding, "xmlcharrefreplace")]
        at = end
    return b"".join([*pieces_, text.data[at:]])


# --- which voice is which -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Voice:
    """A voice of the file."""

    line: Line
    notes: tuple[Place, ...]  # without rests, in time
    shift: Interval  # from written to sounding pitch


def _voices(text: MusicXmlText, score: Score, name: str) -> tuple[_Voice, ...]:
    """The voice of the file that each part of the score is.

    Raises:
        ScoreError: a part is made of chords or of several voices, or does not fit.
    """
    sounding = [each for each in text.notes() if not each.has("rest") and _counts(each)]
    ordered = sorted(sounding, key=lambda each: (each.line[:2], _rank(each.line[2]), each.onset))
    lines = [(line, tuple(notes)) for line, notes in groupby(ordered, key=lambda each: each.line)]
    if len(lines) != len(score.parts):
        problem = f"{len(lines)} voices in the text, {len(score.parts)} in the score"
        raise ScoreError(name, f"cannot be edited in place: {problem}")
    return tuple(
        _Voice(line, notes, _shift(notes, part.notes, f"{name}, {part.name}"))
        for (line, notes), part in zip(lines, score.parts, strict=True)
    )


def _counts(note: Place) -> bool:
    return not (note.has("grace") or note.has("cue"))


def _rank(voice: str) -> tuple[int, str]:
    head = voice.partition(".")[0]
    return (int(head) if head.isdecimal() else 0), voice


def _shift(notes: Sequence[Place], line: Sequence[Note], where: str) -> Interval:
    """How far above the written pitch a part sounds; it must be the same for all of its notes."""
    written = [Written(_note(each), _tied(each, "start"), "") for each in notes]
    joined = join_ties(written)[0]
    shifts = {
        (new.pitch.step - old.pitch.step, new.pitch.semitone - old.pitch.semitone)
        for old, new in zip(joined, line, strict=False)
    }
    same = [(each.onset, each.duration) for each in joined] == [
        (each.onset, each.duration) for each in line
    ]
    if not same or len(shifts) != 1 or any(each.has("chord") for each in notes):
        raise ScoreError(where, "cannot be edited in place: its notes are not one voice of a staff")
    return Interval(*shifts.pop())


def _note(place: Place) -> Note:
    element = place.child.element
    letter = LETTERS.index(element.findtext("pitch/step", "C").strip())
    octave = int(float(element.findtext("pitch/octave", "4")))
    alteration = int(float(element.findtext("pitch/alter", "0")))
    semitone = 12 * (octave + 1) + SEMITONES[letter] + alteration
    return Note(place.onset, place.duration, Pitch(7 * octave + letter, semitone))


def _tied(place: Place, kind: str) -> bool:
    return any(tie.get("type") == kind for tie in place.child.element.iterfind("tie"))


# --- one voice ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rewriting:
    """A voice whose notes differ."""

    text: MusicXmlText
    before: Score
    after: Score
    number: int  # of the part in the scores
    voice: _Voice
    voices: tuple[_Voice, ...]  # all of the file
    span: Span

    def edits(self) -> Iterator[Edit]:
        """What is to be done to the bytes."""
        spans = self._spans()
        measures = self.text.measures[self.voice.line[0]]
        written = self._pieces(measures)
        for measure in measures:
            inside = [each for each in spans if _meet(each, (measure.onset, _end(measure)))]
            if inside:
                yield from self._measure(measure, inside, written)

    def _spans(self) -> list[Span]:
        """Where the voice differs, widened to whole beats, notes and beamed groups."""
        old, new = (score.parts[self.number].notes for score in (self.before, self.after))
        shared = _sounds(old) & _sounds(new)
        units = [(note.onset, note.end) for note in (*old, *new)]
        changed = [
            (note.onset, note.end)
            for note in (*old, *new)
            if (note.onset, note.duration, note.pitch) not in shared
        ]
        units += [*beat_spans(self.before), *_beamed(self.voice.notes)]
        return _widened(changed, units, self.span)

    def _pieces(self, measures: Sequence[Measure]) -> tuple[Piece, ...]:
        """The new line as it is written, cut at the bar lines of score and file."""
        part = self.after.parts[self.number]
        notes = tuple(
            replace(note, pitch=note.pitch + -self.voice.shift)
            for note in part.notes
            if _meet((note.onset, note.end), self.span)
        )
        score = self.after.with_parts((replace(part, notes=notes),))
        within = bars(self.after)
        return pieces(score, 0, within, [measure.onset for measure in measures])

    def _measure(
        self, measure: Measure, spans: Sequence[Span], written: Sequence[Piece]
    ) -> Iterator[Edit]:
        def inside(onset: Fraction) -> bool:
            return any(start <= onset < end for start, end in spans)

        old = [
            each for each in measure.notes if each.line == self.voice.line and inside(each.onset)
        ]
        new = [
            each
            for each in written
            if each.note and measure.onset <= each.onset < _end(measure) and inside(each.onset)
        ]
        kept = [_piece(each) for each in self.voice.notes if _in(each, measure)]
        kept = [each for each in kept if not inside(each.onset)]
        manner = self._manner(measure, old, sorted([*kept, *new], key=lambda each: each.onset))
        for run in _runs(measure.children, old):
            yield from _run_edits(run, new, manner)

    def _manner(self, measure: Measure, old: Sequence[Place], line: Sequence[Piece]) -> Manner:
        """How the new notes of a measure look."""
        bar = next(each for each in reversed(bars(self.after)) if each.onset <= measure.onset)
        lines: dict[int, Sequence[Piece]] = {
            number: [_piece(each) for each in voice.notes if _in(each, measure)]
            for number, voice in enumerate(self.voices)
            if voice.line[:2] == self.voice.line[:2]
        }
        lines[self.number] = line
        key = Key(PitchClass(measure.fifths), "major")
        shown = shown_accidentals(lines, key)
        stems = {each.child.element.findtext("stem") for each in self.voice.notes}
        return Manner(
            self.text,
            tuple(old),
            {onset: sign for (number, onset), sign in shown.items() if number == self.number},
            beam_states(line, bar),
            stems.pop() if len(lines) > 1 and len(stems) == 1 else None,
            self._numerals(),
        )

    def _numerals(self) -> Mapping[Fraction, str] | None:
        """The new Roman numerals, if the lyrics of the voice are such and nothing else."""
        lyrics = [
            (text.text or "").strip()
            for note in self.voice.notes
            for text in note.child.element.iterfind("lyric/text")
        ]
        if not lyrics or not all(NUMERAL.fullmatch(each) for each in lyrics):
            return None
        return shown_numerals(self.after)


def _end(measure: Measure) -> Fraction:
    return measure.onset + measure.length


def _in(note: Place, measure: Measure) -> bool:
    return measure.onset <= note.onset < _end(measure)


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _piece(place: Place) -> Piece:
    """A note of the file as a written one."""
    return Piece(
        place.onset,
        place.duration,
        _note(place),
        tied_from=_tied(place, "stop"),
        tied_to=_tied(place, "start"),
    )


def _beamed(notes: Sequence[Place]) -> Iterator[Span]:
    """Spans of the notes of a file that hang on one beam."""
    start: Fraction | None = None
    for note in notes:
        states = [beam.text for beam in note.child.element.iterfind("beam[@number='1']")]
        if "begin" in states:
            start = note.onset
        if "end" in states and start is not None:
            yield start, note.end
            start = None


def _widened(changed: Sequence[Span], units: Sequence[Span], limits: Span) -> list[Span]:
    """The least spans that hold what changed and cut no unit, within limits."""

    def clipped(spans: Sequence[Span]) -> list[Span]:
        cut = [(max(start, limits[0]), min(end, limits[1])) for start, end in spans]
        return sorted((start, end) for start, end in cut if start < end)

    found = _joined(clipped(changed))
    parts = clipped(units)
    while True:
        more = [unit for unit in parts if any(_meet(unit, span) for span in found)]
        wider = _joined(sorted([*found, *more]))
        if wider == found:
            return found
        found = wider


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Ordered spans with those that overlap made one."""
    found: list[Span] = []
    for start, end in spans:
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


# --- bytes ----------------------------------------------------------------------------------


def _runs(children: Sequence[Child], old: Sequence[Place]) -> Iterator[list[Place]]:
    """Notes that stand one after another in the text, nothing but white space between them."""
    places = {id(each.child): each for each in old}
    run: list[Place] = []
    for child in children:
        place = places.get(id(child))
        if place is not None:
            run.append(place)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _run_edits(run: Sequence[Place], new: Sequence[Piece], manner: Manner) -> Iterator[Edit]:
    """Put the new notes of a run where the old ones stood; what follows stays where it was."""
    if any(each.has("cue") for each in run):
        raise ScoreError("a cue note", "cannot be edited in place; take it out")
    start, end = run[0].onset, max(each.end for each in run)
    here = [piece for piece in new if start <= piece.onset < end]
    divisions = run[0].divisions
    times = [time for piece in here for time in (piece.onset - start, piece.end - start)]
    finer = lcm(*((time * divisions).denominator for time in (*times, Fraction(0))))
    items = _items(here, (start, end), manner, divisions * finer)
    if finer > 1:
        items = [
            aside(manner, "attributes", divisions=divisions * finer),
            *items,
            aside(manner, "attributes", divisions=divisions),
        ]
    for place, (old, item) in enumerate(zip(run, items, strict=False)):
        last = place + 1 == len(run)
        more = [manner.between + each for each in items[place + 1 :]] if last else []
        yield old.child.start, old.child.end, "".join([item, *more])
    for before, surplus in pairwise(run[max(0, len(items) - 1) :]):
        yield before.child.end, surplus.child.end, ""
    if not items:
        yield run[0].child.start, run[0].child.end, ""


def _items(here: Sequence[Piece], span: Span, manner: Manner, divisions: Fraction) -> list[str]:
    """The elements of a run, which takes the time that it took."""
    start, end = span
    items: list[str] = []
    time = start
    for piece in here:
        if piece.onset > time:
            items.append(aside(manner, "forward", duration=(piece.onset - time) * divisions))
        items.append(note_text(piece, manner, divisions))
        time = piece.end
    if time < end:
        items.append(aside(manner, "forward", duration=(end - time) * divisions))
    elif time > end:
        items.append(aside(manner, "backup", duration=(time - end) * divisions))
    return items
