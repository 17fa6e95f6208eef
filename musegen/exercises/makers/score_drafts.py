"""From a phrase in voices to an exercise: what is given, what is to be written, what it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from musegen.exercises.grading.rubric import load_rubric
from musegen.exercises.grading.scoring import most_points
from musegen.exercises.grading.task import CHOIR, Slot, chord_words, given_words
from musegen.exercises.grading.voice_text import write_line
from musegen.exercises.item import Ask, Distractor, Draft, Given, Solutions, Text
from musegen.exercises.kinds import Work
from musegen.exercises.makers.drafting import Words, filled
from musegen.exercises.makers.phrases import Phrase
from musegen.io.blank_sheet import write_blank
from musegen.score import ChordLabel, FigureMark, Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

__all__ = ["NUMERALS", "SCORE", "Labels", "Sheet", "score_draft", "voices_text"]

SCORE, NUMERALS = "score", "rn"  # ids of parts

Pitches = Sequence[Pitch | None]


@dataclass(frozen=True, slots=True)
class Labels:
    """A typed row of symbols that is asked for beside the voices, or instead of them."""

    accepted: tuple[str, ...]
    reader: str = "labels"
    id: str = NUMERALS
    label: Text = field(default_factory=lambda: Text("Roman numerals", "和弦标记"))
    points: int | None = None  # None: one a slot


@dataclass(frozen=True, slots=True)
class Sheet:
    """A score exercise as its maker has it."""

    key: Key
    slots: tuple[Slot, ...]
    given: Mapping[int, Pitches]  # by voice, a pitch or None a slot
    model: tuple[Pitches, ...]  # of every voice, a pitch a slot
    metre: Metre | None
    voices: tuple[str, ...] = CHOIR
    words: str = ""  # what is shown beside the notes, such as the numerals
    shown_chords: bool = False  # whether the numerals stand under the staff
    asked_chords: bool = False  # whether the student names them
    asked_key: bool = False  # whether the student names it: only the signature is shown
    figures: tuple[FigureMark, ...] = ()
    hands: int | None = None
    phrases: tuple[int, ...] = ()  # slots that end phrases, from 1
    facts: Mapping[str, str] = field(default_factory=dict)
    begun: Mapping[int, Sequence[Note]] = field(
        default_factory=dict
    )  # given voices that move freely

    @classmethod
    def of(cls, phrase: Phrase, model: Sequence[Pitches], given: Mapping[int, Pitches]) -> Sheet:
        """A sheet of a phrase for a choir."""
        return cls(phrase.key, phrase.slots, given, tuple(model), phrase.metre)

    @property
    def written(self) -> tuple[int, ...]:
        """Voices in which something is to be written."""
        return tuple(voice for voice in range(len(self.voices)) if not self._is_given(voice))

    def _is_given(self, voice: int) -> bool:
        """Whether a voice is given to its end."""
        if voice in self.begun:
            return self.begun[voice][-1].end >= self.slots[-1].end
        return all(each is not None for each in self.given.get(voice, (None,)))

    @property
    def given_text(self) -> str:
        """What is given, in the plain notation of voices."""
        if self.begun:
            assert self.metre is not None, "what moves freely stands in a metre"
            bar = self.metre.bar
            rows = (f"{self.voices[v]}: {write_line(self.begun[v], bar)}" for v in self.begun)
            return "\n".join(rows)
        return given_words({self.voices[v]: list(line) for v, line in self.given.items()})


def score_draft(
    work: Work,
    sheet: Sheet,
    words: Words,
    *,
    labels: Labels | None = None,
    count: int | None = None,
    distractors: Sequence[Distractor] = (),
    kg: Sequence[str] = (),
) -> Draft:
    """A draft of an exercise whose answer is a score.

    Args:
        work: what the maker was given; the kind's rubric gives the points.
        sheet: what is given and what is to be written.
        words: for the names in braces of the kind's sentences.
        labels: a typed part beside the score.
        count: how many full answers there are, if that is known.
        distractors: wrong answers that proof must mark down.
        kg: nodes of the knowledge graph that it exercises.
    """
    kind = work.kind
    rubric = load_rubric(kind.rubric)
    slots = len(sheet.slots)
    most = most_points(rubric, slots, max(1, len(sheet.phrases)), 0)
    written = tuple(sheet.voices[voice] for voice in sheet.written)
    ask = [Ask(SCORE, "score", "score", Text("score", "乐谱"), int(most), voices=written)]
    accepted: dict[str, tuple[str, ...]] = {SCORE: (voices_text(sheet.voices, sheet.model),)}
    if labels is not None:
        points = labels.points
        if points is None:
            points = len(labels.accepted[0].split())
        ask.append(Ask(labels.id, "text", labels.reader, labels.label, points))
        accepted[labels.id] = labels.accepted
    return Draft(
        key=sheet.key.name,
        given=_given(sheet),
        ask=tuple(ask),
        prompt=filled(kind.instruction, words),
        uniqueness=kind.uniqueness,
        solutions=Solutions(accepted, count),
        hints=tuple(filled(hint, words) for hint in kind.hints),
        why=filled(kind.why, words),
        rubric=kind.rubric,
        tolerance=kind.tolerance,
        distractors=tuple(distractors),
        kg=tuple(kg),
        facts=_facts(sheet),
    )


def voices_text(voices: Sequence[str], lines: Sequence[Pitches]) -> str:
    """Voices in the plain notation, a note a chord."""
    return given_words({name: list(line) for name, line in zip(voices, lines, strict=True)})


def _facts(sheet: Sheet) -> dict[str, str]:
    """What graders must know, see `musegen.exercises.grading.task`."""
    slots = sheet.slots
    if sheet.asked_chords:
        slots = tuple(Slot(each.onset, each.duration, each.key, "") for each in slots)
    facts = {
        "voices": " ".join(sheet.voices),
        "chords": chord_words(slots, sheet.key),
        "given": sheet.given_text,
        **sheet.facts,
    }
    if sheet.metre is not None:
        facts["metre"] = str(sheet.metre)
    if sheet.phrases:
        facts["phrases"] = " ".join(map(str, sheet.phrases))
    return facts


def _given(sheet: Sheet) -> Given:
    """What the student sees: the given notes on staves, and the same in words."""
    lines = [_notes(sheet, voice) for voice in range(len(sheet.voices))]
    score = Score(
        "",
        sheet.key,
        tuple(Part(name, line) for name, line in zip(sheet.voices, lines, strict=True)),
        (sheet.metre or Metre(4, 4),),
        chords=_labels(sheet),
        figures=sheet.figures,
        hands=sheet.hands,
    )
    ids = tuple(
        f"p{voice}n{number}" for voice, line in enumerate(lines) for number in range(len(line))
    )
    return Given(_text(sheet), write_blank(score, sheet.slots[-1].end).decode(), ids)


def _notes(sheet: Sheet, voice: int) -> tuple[Note, ...]:
    if voice in sheet.begun:
        return tuple(sheet.begun[voice])
    line = sheet.given.get(voice, ())
    return tuple(
        Note(slot.onset, slot.duration, pitch)
        for slot, pitch in zip(sheet.slots, line, strict=False)
        if pitch is not None
    )


def _labels(sheet: Sheet) -> tuple[ChordLabel, ...]:
    if not sheet.shown_chords:
        return ()
    return tuple(ChordLabel(s.onset, s.duration, s.key, s.numeral) for s in sheet.slots)


def _text(sheet: Sheet) -> str:
    """Key, metre, chords or figures, and the given notes, in words."""
    rows = [f"{_key_text(sheet)}{f', {sheet.metre}' if sheet.metre else ''}"]
    if sheet.words:
        rows.append(sheet.words)
    if sheet.begun:
        rows.append(sheet.given_text)
    elif sheet.given:
        shown = {sheet.voices[v]: list(line) for v, line in sorted(sheet.given.items())}
        rows.append(given_words(shown).replace(" r", " _"))
    return "\n".join(rows)


def _key_text(sheet: Sheet) -> str:
    """The key, or its signature where the key is asked for."""
    if not sheet.asked_key:
        return sheet.key.name
    count = abs(sheet.key.signature)
    sign = "flat" if sheet.key.signature < 0 else "sharp"
    return f"{count} {sign}{'' if count == 1 else 's'}" if count else "no sharps or flats"
