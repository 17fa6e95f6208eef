"""Grading of what was taken down by ear, or sung: melodies, rhythms, and phrases with their chords."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from musegen.exercises.grading.dictation import (
    Melody,
    MelodyMarks,
    chord_marks,
    melody_marks,
    points_for_chords,
    points_for_melody,
)
from musegen.exercises.grading.graded import Clause, Graded, Status
from musegen.exercises.grading.plain import plain
from musegen.exercises.grading.rubric import MelodyPoints, load_rubric
from musegen.exercises.grading.scoring import rounded_points
from musegen.exercises.grading.submission import Submission, SubmissionError, read_answer
from musegen.exercises.grading.voice_text import Token, read_voices, timed
from musegen.exercises.item import Answer, Item, Text
from musegen.exercises.metres import metre_of, total
from musegen.exercises.rhythm_text import RhythmError, read_rhythm
from musegen.score import Note, Part
from theory_kb.pitch import Pitch

__all__ = ["MELODY", "RHYTHM", "grade_chords", "grade_melody", "grade_rhythm", "grade_sung"]

MELODY, RHYTHM, NUMERALS = "score", "answer", "rn"  # ids of parts
CHORD_VOICES = ("Soprano", "Bass")
ONE_PITCH = Pitch.parse("B4")  # of a rhythm
COMMON = 3  # times as many notes as not, that tell a shift
HALF = Fraction(1, 2)


def _blank(item: Item) -> Graded:
    return Graded("blank", Fraction(0), Fraction(item.points))


def _refused(item: Item, said: Text) -> Graded:
    return Graded("refused", Fraction(0), Fraction(item.points), notes=(said,))


# --- melodies and rhythms -------------------------------------------------------------------


def grade_melody(item: Item, answer: Answer) -> Graded:
    """Grade a melody: MusicXML, or a voice as text.

    The facts of the item hold `melody` (what was played, as text), `metre`, and `segment` in
    quarter notes.

    Raises:
        UnknownNameError: there is no such rubric.
        FactError: the rubric says nothing of melodies.
    """
    text = answer.get(MELODY, "")
    try:
        submission = read_answer(text)
        written = _melody(item, submission)
    except SubmissionError as error:
        return _refused(item, Text(str(error), f"{error.code}：无法读取（{error.problem}）"))
    if not written.notes:
        return _blank(item)
    reference = _played(item)
    if not submission.spelled:
        written = _respelled(written, reference)
    return _marked(item, MELODY, reference, written)


def grade_rhythm(item: Item, answer: Answer) -> Graded:
    """Grade a rhythm that was taken down; facts as of a melody, with `rhythm` in place of `melody`.

    Raises:
        as `grade_melody`.
    """
    text = plain(answer.get(RHYTHM, ""))
    if not text:
        return _blank(item)
    try:
        written = _beaten(text)
    except RhythmError as error:
        return _refused(item, Text(str(error), f"节奏无法识别：{error}"))
    return _marked(item, RHYTHM, _beaten(item.facts["rhythm"]), written)


def grade_sung(item: Item, answer: Answer) -> Graded:
    """Grade a melody that was sung or played at sight, on any tonic; of a rhythm pitch does not count.

    Eight points are for segments, as in dictation; the last is for the flow: the last segment comes when
    it is due. Facts as of a melody; `sung = rhythm` where only the rhythm counts.

    Raises:
        as `grade_melody`.
    """
    try:
        submission = read_answer(answer.get(MELODY, ""))
        written = _melody(item, submission)
    except SubmissionError as error:
        return _refused(item, Text(str(error), f"{error.code}：无法读取（{error.problem}）"))
    if not written.notes:
        return _blank(item)
    reference = _played(item)
    if item.facts.get("sung") == "rhythm":
        reference, written = _on_one_pitch(reference), _on_one_pitch(written)
    else:
        written = _respelled(_on_tonic(written, reference), reference)
    reference, written = _by_onsets(reference), _by_onsets(written)
    points = points_for_melody(load_rubric(item.rubric))
    marks = melody_marks(reference, written, Fraction(item.facts["segment"]), points)
    most = points.segments * Fraction(str(points.each))
    flows = bool(marks.right) and written.notes[-1].onset == reference.notes[-1].onset
    said = None if flows else Text("hesitation, or a new start", "有停顿或重来")
    clauses = (
        *_clauses(MELODY, marks, points, most),
        Clause("flow", MELODY, "", Fraction(flows), Fraction(1), said),
    )
    return Graded("graded", marks.points + flows, most + 1, clauses)


def _by_onsets(melody: Melody) -> Melody:
    """A melody as it is sung: a note lasts until the next begins, and no one sets bar lines."""
    notes = [
        Note(note.onset, after.onset - note.onset, note.pitch)
        for note, after in pairwise(melody.notes)
    ]
    return Melody((*notes, Note(melody.notes[-1].onset, Fraction(1), melody.notes[-1].pitch)))


def _on_one_pitch(melody: Melody) -> Melody:
    return Melody(tuple(Note(n.onset, n.duration, ONE_PITCH) for n in melody.notes), melody.bars)


def _on_tonic(written: Melody, reference: Melody) -> Melody:
    """A melody on another tonic, moved to that of the page by the interval that most notes lie off."""
    pairs = zip(reference.notes, written.notes, strict=False)
    off = Counter(right.pitch - mine.pitch for right, mine in pairs)
    shift = off.most_common(1)[0][0]
    notes = (Note(n.onset, n.duration, n.pitch + shift) for n in written.notes)
    return Melody(tuple(notes), written.bars)


def _beaten(text: str) -> Melody:
    """A rhythm as a melody on one pitch; bar lines count where there are any."""
    notes: list[Note] = []
    time, tied = Fraction(0), False
    for value in read_rhythm(text):
        if tied and not value.rest:
            last = notes.pop()
            notes.append(Note(last.onset, last.duration + value.length, ONE_PITCH))
        elif not value.rest:
            notes.append(Note(time, value.length, ONE_PITCH))
        time += value.length
        tied = value.tied
    bars = [read_rhythm(bar) for bar in text.split("|") if bar.strip()]
    return Melody(tuple(notes), tuple(map(total, bars)) if len(bars) > 1 else ())


def _played(item: Item) -> Melody:
    tokens = next(iter(read_voices(item.facts["melody"], "facts, melody").voices.values()))
    return _timed(item, tokens)


def _timed(item: Item, tokens: Sequence[Token]) -> Melody:
    """A typed line in time, with the lengths of its bars."""
    bar = metre_of(item.facts["metre"]).bar
    notes = tuple(Note(onset, length, p) for p, onset, length in timed(tokens, Fraction(1), bar))
    lengths: Counter[int] = Counter()
    for token in tokens:
        lengths[token.bar] += token.length or Fraction(1)  # type: ignore[assignment]
    whole = tuple(Fraction(lengths[number]) for number in sorted(lengths))
    return Melody(notes, whole if len(whole) > 1 else ())


def _melody(item: Item, submission: Submission) -> Melody:
    """The first voice of an answer."""
    if submission.text is not None:
        return _timed(item, next(iter(submission.text.voices.values()), ()))
    if not submission.parts:
        return Melody(())
    metre = submission.metre
    return Melody(submission.parts[0].notes, () if metre is None else (metre.bar,))


def _respelled(written: Melody, reference: Melody) -> Melody:
    """Keys of a keyboard, spelled as the melody has them."""
    names = {note.pitch.semitone: note.pitch for note in reference.notes}
    notes = (Note(n.onset, n.duration, names.get(n.pitch.semitone, n.pitch)) for n in written.notes)
    return Melody(tuple(notes), written.bars)


def _marked(item: Item, part: str, reference: Melody, written: Melody) -> Graded:
    points = points_for_melody(load_rubric(item.rubric))
    marks = melody_marks(reference, written, Fraction(item.facts["segment"]), points)
    most = points.segments * Fraction(str(points.each)) + Fraction(str(points.any_right))
    clauses = tuple(_clauses(part, marks, points, most))
    notes = () if marks.points == most else tuple(_shifts(reference, written))
    return Graded("graded", marks.points, most, clauses, notes=notes)


def _clauses(
    part: str, marks: MelodyMarks, points: MelodyPoints, most: Fraction
) -> Sequence[Clause]:
    """Which guide gave the points."""
    if marks.points > marks.regular:
        said = Text(
            f"fewer than {points.few:g} points by segments: {marks.pitches} right in pitch, "
            f"{marks.rhythms} in rhythm, the better of the two counts",
            f"按片段不足 {points.few:g} 分：音高对 {marks.pitches} 段，节奏对 {marks.rhythms} 段，取其高者",
        )
        return [Clause("alternate", part, "", marks.points, most, said)]
    bonus = Fraction(str(points.any_right))
    segments = marks.right * Fraction(str(points.each))
    said_of = None
    if marks.right < points.segments:
        said_of = Text(
            f"{marks.right} of {points.segments} segments are right",
            f"{points.segments} 个片段中 {marks.right} 个正确",
        )
    found = [
        Clause("segments", part, "", segments, most - bonus, said_of),
    ]
    if bonus:
        got = bonus if marks.right else Fraction(0)
        found.append(Clause("any_right", part, "", got, bonus))
    if marks.regular < segments + (bonus if marks.right else 0):
        said = Text("all right but the bar lines", "全部正确，但小节线不对")
        found.append(Clause("bar_lines", part, "", marks.regular - most, Fraction(0), said))
    return found


def _shifts(reference: Melody, written: Melody) -> list[Text]:
    """Whether the whole answer lies some steps off, or comes some time late."""
    found = []
    pairs = list(zip(reference.notes, written.notes, strict=False))
    steps = Counter(mine.pitch.step - right.pitch.step for right, mine in pairs)
    move, count = steps.most_common(1)[0]
    if move and count * COMMON >= (COMMON - 1) * len(pairs):
        way = ("higher", "高") if move > 0 else ("lower", "低")
        number = abs(move) + 1
        found.append(
            Text(f"most of it lies a {ORDINALS.get(number, f'{number}th')} too {way[0][:-2]}",
                 f"大部分比原旋律{way[1]} {number} 度")
        )  # fmt: skip
    times = Counter(mine.onset - right.onset for right, mine in pairs)
    late, count = times.most_common(1)[0]
    if late and count * COMMON >= (COMMON - 1) * len(pairs):
        way = ("late", "晚") if late > 0 else ("early", "早")
        found.append(
            Text(f"most of it comes {abs(late)} quarter notes {way[0]}",
                 f"大部分{way[1]}了 {abs(late)} 个四分音符")
        )  # fmt: skip
    return found


ORDINALS: Mapping[int, str] = {2: "second", 3: "third", 8: "octave"}


# --- chords ---------------------------------------------------------------------------------


def grade_chords(item: Item, answer: Answer) -> Graded:
    """Grade soprano, bass and numerals of a phrase; the first chord is given.

    The facts of the item hold `played`: both voices as text, a note a chord, and `slots`: onsets in
    quarter notes.

    Raises:
        as `grade_melody`.
    """
    rubric = load_rubric(item.rubric)
    points = points_for_chords(rubric)
    typed = plain(answer.get(NUMERALS, "")).split()
    try:
        submission = read_answer(answer.get(MELODY, ""))
    except SubmissionError as error:
        return _refused(item, Text(str(error), f"{error.code}：无法读取（{error.problem}）"))
    outer = _outer(item, submission)
    if not typed and not any(outer.values()):
        return _blank(item)
    right = item.solutions.model[NUMERALS].split()
    played = _pitches(read_voices(item.facts["played"], "facts, played").voices)
    reference = list(zip(played["Soprano"], played["Bass"], right, strict=True))
    count = len(reference)
    rows = [_to_length(outer[name], count) for name in CHORD_VOICES]
    labels = [each if each != "?" else "" for each in [*typed, *[""] * count][:count]]
    written = list(zip(*rows, labels, strict=True))
    marks = chord_marks(reference[1:], written[1:], item.key.split()[-1], points)
    each = [Fraction(str(one)) for one in (points.soprano, points.bass, points.symbol)]
    clauses = tuple(
        Clause(name, NUMERALS if name == "symbol" else MELODY, str(place), got, most)
        for place, row in enumerate(marks, start=2)
        for name, got, most in zip(("soprano", "bass", "symbol"), row, each, strict=True)
    )
    raw = sum((clause.got for clause in clauses), Fraction(0))
    status: Status = "graded" if typed and any(outer.values()) else "partial"
    return Graded(status, rounded_points(rubric, raw), Fraction(item.points), clauses)


Outer = dict[str, list[Pitch | None]]


def _outer(item: Item, submission: Submission) -> Outer:
    """Soprano and bass of an answer, a pitch a chord."""
    if submission.text is not None:
        return _typed_outer(submission.text.voices)
    if not submission.parts:
        return {name: [] for name in CHORD_VOICES}
    onsets = [Fraction(each) for each in item.facts["slots"].split()]
    ends = (submission.parts[0], submission.parts[-1])
    return {name: _by_slot(part, onsets) for name, part in zip(CHORD_VOICES, ends, strict=True)}


def _typed_outer(voices: Mapping[str, Sequence[Token]]) -> Outer:
    """Typed lines: by their names, else the first and the last."""
    lines = list(voices.values())
    named = {name[0].upper(): line for name, line in voices.items()}
    found = {}
    for name, fallback in zip(CHORD_VOICES, (lines[0], lines[-1]), strict=True):
        line = named.get(name[0], fallback)
        found[name] = [token.pitch for token in line]
    return found


def _by_slot(part: Part, onsets: Sequence[Fraction]) -> list[Pitch | None]:
    """A pitch a chord: in order where there are as many notes, else by what sounds there."""
    if len(part.notes) == len(onsets):
        return [note.pitch for note in part.notes]
    found: list[Pitch | None] = []
    for onset in onsets:
        sounding = [note.pitch for note in part.notes if note.onset <= onset < note.end]
        found.append(sounding[0] if sounding else None)
    return found


def _pitches(voices: Mapping[str, Sequence[Token]]) -> dict[str, list[Pitch]]:
    return {
        name: [token.pitch for token in line if token.pitch is not None]
        for name, line in voices.items()
    }


def _to_length(line: Sequence[Pitch | None], count: int) -> list[Pitch | None]:
    return [*line, *[None] * count][:count]
