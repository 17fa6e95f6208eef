"""Exercises on the fugue: the answer to a subject.

A subject is a short tune over its key, begun as the level asks; what answers it is theory
(`theory_kb.imitation`), and every answer that theory allows is accepted, above or below.
"""

from __future__ import annotations

from collections.abc import Sequence

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.hearing import line_given
from musegen.exercises.makers.tunes import frame_of, is_singable, keyed_row, rhythm_over, tune_over
from musegen.exercises.metres import metre_of
from musegen.exercises.names import key_text
from musegen.io.notation import beat
from musegen.score import Note
from theory_kb.imitation import FugueAnswer, fugue_answer, fugue_answers, moved_in_key
from theory_kb.pitch import Interval, Key, Pitch, PitchClass

__all__ = ["answer_subject"]

FEWEST, MOST = 5, 12  # notes of a subject
FIFTH, FOURTH = Interval(4, 7), Interval(3, 5)
MOST_SIGNS = 2
KINDS = {"real": Text("real", "真实答题"), "tonal": Text("tonal", "守调答题")}
REAL = Text("5 in the head is answered by 1, and 1 by 5", "主题开头的 5 应以 1 应答，1 以 5 应答")
SUBDOMINANT = Text(
    "the answer stands in the dominant, not in the subdominant", "答题应在属调，不在下属调"
)
OLD_KEY = Text("the answer has the accidentals of the dominant", "答题应带属调的变音记号")


def answer_subject(work: Work) -> Draft:
    """A subject: its answer.

    Parameters: `kind` (real, head, turn or any), `harmony_major`, `harmony_minor`,
    `ends` (degrees), `metres`, `cells`, `chord` (beats of a chord).
    """
    key = draw_key(work, most=3)
    subject, answer = work.settle(lambda: work.settle(lambda: _subject(work, key)))
    pitches = [note.pitch for note in subject]
    accepted = [
        _row(each) for below in (False, True) for each in fugue_answers(pitches, key, below=below)
    ]
    changed = [at for at, why in enumerate(answer.mutations) if why]
    words: Words = {
        "key": key_text(key),
        "subject": _row(pitches),
        "kind": KINDS[answer.kind],
        "places": ", ".join(str(at + 1) for at in changed) or "-",
        "first": answer.pitches[0].name,
        "answer": accepted[0],
    }
    metre = metre_of(work.params["metres"][0])
    given = line_given(f"{key}: {_row(pitches)}", subject, metre, key.signature)
    label = Text("notes of the answer", "答题各音")
    part = Part(tuple(accepted), "pitches", label, _wrong(key, pitches), len(pitches))
    kg = (f"term:{answer.kind} answer", "rule:fugue-tonal-answer")
    return draft_of(work, given, part, words, key=key, kg=kg)


def _row(pitches: Sequence[Pitch]) -> str:
    return " ".join(map(str, pitches))


def _wrong(key: Key, subject: Sequence[Pitch]) -> list[Wrong]:
    """Everything moved up a fifth, everything moved up a fourth, the old key kept."""
    rows = (
        ("D12", [pitch + FIFTH for pitch in subject], REAL),
        ("D3", [pitch + FOURTH for pitch in subject], SUBDOMINANT),
        ("D5", [moved_in_key(pitch, key, 4) for pitch in subject], OLD_KEY),
    )
    return [
        Wrong(_row(row), op, said)
        for op, row, said in rows
        if max(abs(pitch.alteration) for pitch in row) <= MOST_SIGNS
    ]


# --- subjects -------------------------------------------------------------------------------


def _subject(work: Work, key: Key) -> tuple[tuple[Note, ...], FugueAnswer]:
    """A subject of the level with its answer."""
    metre = metre_of(work.params["metres"][0])
    row = work.pick(work.params[f"harmony_{key.mode}"])
    length = beat(metre) * int(work.params["chord"])
    frame = frame_of(keyed_row(key, row), length, metre, work.params["ends"])
    line = tune_over(frame, rhythm_over(work, frame), work.rng)
    pitches = [note.pitch for note in line]
    answer = fugue_answer(pitches, key)
    wanted = work.params["kind"]
    reasons = set(answer.mutations) - {""}
    if not FEWEST <= len(line) <= MOST or len(set(pitches)) < FEWEST - 1:
        raise DiscardError("a subject too short or too long")
    if not is_singable(line):
        raise DiscardError("a subject that no one would sing")
    if wanted not in ("any", answer.kind) and wanted not in reasons:
        raise DiscardError("a subject that is answered otherwise")
    if wanted == "real" and pitches[0].pitch_class not in (key.tonic, _third(key)):
        raise DiscardError("a subject that begins on another degree")
    if max(abs(pitch.alteration) for pitch in answer.pitches) > MOST_SIGNS:
        raise DiscardError("triple accidentals")
    return line, answer


def _third(key: Key) -> PitchClass:
    return moved_in_key(Pitch.of(key.tonic, 4), key, 2).pitch_class
