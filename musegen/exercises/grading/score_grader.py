"""Grading of answers that are scores: read, set in order, held against the rules, marked, explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from musegen.exercises.grading.align import Aligned, align, fit
from musegen.exercises.grading.arrange import Arranged, arrange, respelled
from musegen.exercises.grading.graded import Clause, Finding, Graded, Status
from musegen.exercises.grading.identify import identify, read_numerals, readings
from musegen.exercises.grading.mend import mend
from musegen.exercises.grading.observe import Defect, Observed, observe
from musegen.exercises.grading.readers import READERS
from musegen.exercises.grading.rubric import Rubric, Section, load_rubric, rubric_style
from musegen.exercises.grading.scoring import (
    Marking,
    rounded_points,
    score_sections,
    total,
)
from musegen.exercises.grading.submission import (
    Submission,
    SubmissionError,
    read_answer,
    read_file,
)
from musegen.exercises.grading.task import Task
from musegen.exercises.grading.typed import BLANKS, grade_part, slot_texts
from musegen.exercises.grading.words import sentence, spelled, voice_names
from musegen.exercises.item import Answer, Ask, Item, Text

__all__ = ["Marked", "findings_of", "grade_file", "grade_score", "mark", "score_part"]

SEVERITIES = {"E": "error", "W": "style", "I": "info"}
UNRELATED = 0.35  # share of notes that fit, below which an answer looks like another piece
STRANGE_LENGTH = 2  # times as long as the exercise


@dataclass(frozen=True, slots=True)
class Marked:
    """A grade with all that it was made from."""

    graded: Graded
    observed: Observed | None = None  # None where there was nothing to see


def grade_score(item: Item, answer: Answer) -> Graded:
    """Grade an answer with a score among its parts.

    Raises:
        UnknownNameError: there is no such rubric.
        FactError: the rubric says what no rubric can say.
        ScoreError: the item's own facts cannot be read.
    """
    return mark(item, answer).graded


def grade_file(item: Item, path: Path, typed: Answer | None = None) -> Marked:
    """Grade a score that was handed in as a file, with typed parts beside it.

    Raises:
        as `grade_score`.
    """
    try:
        submission = read_file(path)
    except SubmissionError as error:
        return Marked(_refused(item, error))
    return _mark(item, submission, dict(typed or {}))


def mark(item: Item, answer: Answer) -> Marked:
    """Grade an answer and keep what was seen; raises as `grade_score`."""
    part = score_part(item)
    try:
        submission = read_answer(answer.get(part.id, ""))
    except SubmissionError as error:
        return Marked(_refused(item, error))
    return _mark(item, submission, {name: text for name, text in answer.items() if name != part.id})


def score_part(item: Item) -> Ask:
    """The part of an item that is a score."""
    return next(each for each in item.ask if each.form == "score")


def _refused(item: Item, error: SubmissionError) -> Graded:
    said = Text(str(error), f"{error.code}：无法读取（{error.problem}）")
    return Graded("refused", Fraction(0), Fraction(item.points), notes=(said,))


def _mark(item: Item, submission: Submission, typed: dict[str, str]) -> Marked:
    task, rubric = Task.of(item), load_rubric(item.rubric)
    parts = submission.parts if submission.text is None else task.parts(submission.text)
    arranged = arrange(task, parts)
    typed = _with_symbols(item, task, submission, typed)
    if _is_blank(task, arranged) and not any(typed.values()):
        return Marked(Graded("blank", Fraction(0), Fraction(item.points)))
    aligned = (
        align(task, arranged.lines)
        if submission.spelled
        else align(task, arranged.lines, partial(respelled, task))
    )
    labels, unread = read_numerals(task, _label_slots(item, typed))
    numerals = identify(task, aligned.lines, labels) if task.named else ()
    style = rubric_style(rubric, task.style)
    named = _named_chords(item, task, aligned, labels)
    observed = observe(task, task.score(aligned.lines, numerals), style, named)
    clauses, said = _typed_clauses(item, rubric, typed, free=bool(named))
    clauses += score_sections(Marking(rubric, observed, score_part(item).id))
    notes = (*_about(task, submission, arranged, aligned), *said, *(unread if named else ()))
    return Marked(_graded(rubric, observed, aligned, (tuple(clauses), notes)), observed)


# --- the parts of an answer -----------------------------------------------------------------


def _is_blank(task: Task, arranged: Arranged) -> bool:
    """Whether nothing was written beside what is given."""
    given = {
        (voice, note.onset, note.pitch) for voice, line in enumerate(task.given) for note in line
    }
    return all(
        (voice, note.onset, note.pitch) in given
        for voice, line in enumerate(arranged.lines)
        for note in line
    )


def _with_symbols(
    item: Item, task: Task, submission: Submission, typed: dict[str, str]
) -> dict[str, str]:
    """Typed parts; one that is missing may be written in the score, or beside its voices."""
    for part in item.ask:
        if part.form == "text" and not typed.get(part.id) and part.reader in SYMBOLS:
            lines = list(submission.typed.values())
            if lines:
                typed[part.id] = " ".join(lines[0])
            elif submission.symbols:
                typed[part.id] = _by_slot(task, submission.symbols)
    return typed


LABELS = ("label", "labels")
SYMBOLS = (*LABELS, "figures")


def _by_slot(task: Task, symbols: Sequence[tuple[Fraction, str]]) -> str:
    """Symbols in the order of the slots; `?` where there is none."""
    found = ["?"] * len(task.slots)
    for onset, symbol in symbols:
        slot = task.slot_at(onset)
        if slot >= 0 and found[slot] == "?":
            found[slot] = symbol.split()[0]
    return " ".join(found)


def _label_slots(item: Item, typed: Mapping[str, str]) -> list[str]:
    """Symbols of chords that were typed, one a slot."""
    for part in item.ask:
        if part.form == "text" and part.reader in LABELS:
            texts = slot_texts(READERS[part.reader], typed.get(part.id, ""))
            return ["" if each in BLANKS else each for each in texts]
    return []


def _named_chords(
    item: Item, task: Task, aligned: Aligned, labels: Sequence[str]
) -> list[tuple[str, tuple[str, ...]]]:
    """Names that the student gave to chords of his own, with those that the notes bear out."""
    asked = any(part.reader in LABELS for part in item.ask if part.form == "text")
    if not asked or any(slot.numeral for slot in task.slots):
        return []
    came = [*labels, *([""] * len(task.slots))]
    return [(came[number], readings(slot, aligned.lines)) for number, slot in enumerate(task.slots)]


def _typed_clauses(
    item: Item, rubric: Rubric, typed: Mapping[str, str], *, free: bool
) -> tuple[list[Clause], list[Text]]:
    """Clauses of typed parts: by the section of the rubric that names the part.

    Names of chords of the student's own are judged with the notes, not here.
    """
    sections = {each.part: each for each in rubric.sections if each.unit == "label"}
    clauses: list[Clause] = []
    notes: list[Text] = []
    for part in item.ask:
        if part.form != "score" and not (free and part.reader in LABELS):
            found, said = grade_part(item, part, typed.get(part.id, ""))
            section = sections.get(part.id)
            clauses += [_by_section(each, section) if section else each for each in found]
            notes += said
    return clauses, notes


def _by_section(clause: Clause, section: Section) -> Clause:
    """A typed slot's clause under the name of its section; half a label is its numeral."""
    whole = section.figures_free and clause.got > 0
    return replace(clause, id=section.id, got=clause.most if whole else clause.got)


# --- the outcome ----------------------------------------------------------------------------


def _about(
    task: Task, submission: Submission, arranged: Arranged, aligned: Aligned
) -> tuple[Text, ...]:
    """What is said of the answer as a whole."""
    notes = [*arranged.notes, *aligned.notes]
    if not submission.spelled:
        notes.append(_SPELLING)
    if submission.key is not None and submission.key.signature != task.key.signature:
        came, wanted = submission.key.signature, task.key.signature
        notes.append(
            Text(
                f"W_KEY: the sheet has a signature of {_signature(came)}, the exercise of "
                f"{_signature(wanted)}; the notes are marked as they sound",
                f"W_KEY：调号为{_signature_zh(came)}，题目为{_signature_zh(wanted)}；按音高评分",
            )
        )
    notes += _strange(task, aligned)
    notes += [Text(f"W_READING: {each}", f"W_READING：{each}") for each in submission.remarks]
    return tuple(notes)


def _signature(fifths: int) -> str:
    return f"{abs(fifths)} {'flat' if fifths < 0 else 'sharp'}{'' if abs(fifths) == 1 else 's'}"


def _signature_zh(fifths: int) -> str:
    return f" {abs(fifths)} 个{'降号' if fifths < 0 else '升号'}"


def _strange(task: Task, aligned: Aligned) -> list[Text]:
    """A word on an answer that hardly fits: another piece, perhaps."""
    if not task.duration:  # nothing is given that it could fit
        return []
    last = max((line[-1].end for line in aligned.lines if line), default=Fraction(0))
    long = last >= STRANGE_LENGTH * task.duration
    share = fit(task, aligned.lines)
    if (task.slots and share < UNRELATED) or long:
        return [
            Text(
                f"W_UNRELATED: {share:.0%} of the notes fit the exercise, and the answer lasts {last} "
                f"of its {task.duration} quarter notes; is it the right file?",
                f"W_UNRELATED：只有 {share:.0%} 的音符合题目，答案长 {last} 拍（题目 "
                f"{task.duration} 拍），是否交错了文件？",
            )
        ]
    return []


_SPELLING = Text(
    "spelling=inferred: MIDI has keys, no spelling; no points were given or taken for it",
    "spelling=inferred：MIDI 没有记谱拼写，不因此加分或扣分",
)


def _graded(
    rubric: Rubric,
    observed: Observed,
    aligned: Aligned,
    said: tuple[tuple[Clause, ...], tuple[Text, ...]],
) -> Graded:
    clauses, notes = said
    most = sum(
        (each.most for each in clauses), Fraction(0)
    )  # of this rubric, perhaps not the item's
    points = total(clauses)
    if aligned.transposed:
        points *= Fraction(str(rubric.policy.transposed))
    if aligned.changed:
        points = min(points, most * Fraction(str(rubric.policy.given_changed_cap)))
    if rubric.rounded and points.denominator != 1:
        whole = rounded_points(rubric, points)
        notes = (
            *notes,
            Text(f"reported in whole points: {whole} of {most}", f"按整数计分：{whole}/{most}"),
        )
    complete = not any(note.en.startswith("E_VOICES: nothing") for note in notes)
    status: Status = "graded" if complete else "partial"
    return Graded(status, points, most, clauses, findings_of(observed, rubric.policy.shown), notes)


def findings_of(observed: Observed, mended: int = 0) -> tuple[Finding, ...]:
    """What was observed, in words.

    Args:
        observed: an answer.
        mended: for how many of the first faults a repair is looked for.
    """
    found, left = [], mended
    for each in observed.defects:
        tried = left > 0 and each.cause is None and each.finding.severity != "I"
        left -= tried
        found.append(_finding(each, observed, mend(each, observed) if tried else None))
    return tuple(found)


def _finding(defect: Defect, observed: Observed, how: Text | None) -> Finding:
    found = defect.finding
    return Finding(
        found.rule,
        SEVERITIES[found.severity],
        found.bar,
        round(found.beat, 6),
        defect.slot + 1,
        voice_names(defect, observed),
        spelled(defect, observed),
        sentence(defect, observed, how),
        defect.cause,
        {"also": " ".join(found.also)} if found.also else {},
    )
