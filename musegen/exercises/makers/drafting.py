"""From a question to a draft: the form of the answer, its options, its distractors.

A maker says what is right and what is temptingly wrong; whether that becomes a field to type in or
four options to choose from is decided here, once for all kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from musegen.exercises.distractors import Wrong
from musegen.exercises.grading.typed import grade_part
from musegen.exercises.item import (
    Ask,
    Distractor,
    Draft,
    Form,
    Given,
    Solutions,
    Text,
    alternatives,
)
from musegen.exercises.kinds import DiscardError, Work
from theory_kb.pitch import Key, PitchClass

__all__ = ["ANSWER", "Part", "Words", "draft_of", "draw_key", "filled", "keys_within"]

OPTIONS = 4  # of a choice, the key among them
ANSWER = "answer"  # id of the part where there is one
MOST_STORED = 8  # distractors of a typed answer
MOST_OF_ONE = 3  # candidates of one operator
FEWEST = 2  # distractors of a choice; a question with fewer is none


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a question as its maker has it."""

    accepted: tuple[str, ...]  # the first is shown
    reader: str
    label: Text
    wrong: Iterable[Wrong] = ()
    points: int = 1
    id: str = ANSWER
    options: tuple[str, ...] = ()  # where all are always shown, in this order
    labels: Mapping[str, Text] = field(default_factory=dict)
    form: Form | None = None  # if not the one asked for


Words = Mapping[str, str | Text]  # what fills the {names} of a kind's sentences


def draft_of(
    work: Work,
    given: Given,
    parts: Part | Sequence[Part],
    words: Words,
    *,
    key: Key | None = None,
    kg: Sequence[str] = (),
    count: int | None = None,
    facts: Mapping[str, str] | None = None,
) -> Draft:
    """A draft of a question.

    Args:
        work: what the maker was given.
        given: what is shown.
        parts: what is asked.
        words: for the names in braces of the kind's instruction, hints and reasons.
        key: of the music.
        kg: nodes of the knowledge graph that it exercises.
        count: of the full answers, if not as many as are accepted.
        facts: what grading must know besides.

    Raises:
        DiscardError: too few wrong answers are wrong enough to choose among.
    """
    asked = (parts,) if isinstance(parts, Part) else tuple(parts)
    kind = work.kind
    draft = Draft(
        key="" if key is None else key.name,
        given=given,
        ask=tuple(_ask(work, part) for part in asked),
        prompt=filled(kind.instruction, words),
        uniqueness=kind.uniqueness,
        solutions=Solutions(
            {part.id: part.accepted for part in asked}, _count(asked) if count is None else count
        ),
        hints=tuple(filled(hint, words) for hint in kind.hints),
        why=filled(kind.why, words),
        rubric=kind.rubric,
        tolerance=kind.tolerance,
        kg=tuple(kg),
        facts=dict(facts or {}),
    )
    for part in asked:
        draft = _with_distractors(work, draft, part)
    return draft


def filled(text: Text, words: Words) -> Text:
    """A sentence of the catalogue with its names filled in."""
    english = {name: each.en if isinstance(each, Text) else each for name, each in words.items()}
    chinese = {name: each.zh if isinstance(each, Text) else each for name, each in words.items()}
    return Text(text.en.format_map(english), text.zh.format_map(chinese))


def _count(parts: Sequence[Part]) -> int:
    """Full answers that are stored: each part's, slot by slot, times the other parts'."""
    total = 1
    for part in parts:
        ways = 0
        for value in part.accepted:
            product = 1
            for slot in value.split(" "):
                product *= slot.count("=") + 1
            ways += product
        total *= ways
    return total


def _ask(work: Work, part: Part) -> Ask:
    form = part.form or work.form
    return Ask(part.id, form, part.reader, part.label, part.points, part.options, (), part.labels)


def _with_distractors(work: Work, draft: Draft, part: Part) -> Draft:
    ask = draft.part(part.id)
    wrong = _truly_wrong(draft, ask, part)
    if ask.form == "choice" and not part.options:
        chosen = _varied(work, wrong)
        if len(chosen) < FEWEST:
            raise DiscardError("too few distractors")
        values = [alternatives(part.accepted[0])[0], *(each.value for each in chosen)]
        order = work.rng.permutation(len(values))
        options = tuple(values[place] for place in order)
        ask = replace(ask, options=options)
        wrong = chosen
    stored = tuple(
        Distractor(part.id, each.value, each.op, each.op, each.told) for each in wrong[:MOST_STORED]
    )
    parts = tuple(ask if each.id == part.id else each for each in draft.ask)
    return replace(draft, ask=parts, distractors=(*draft.distractors, *stored))


def _truly_wrong(draft: Draft, ask: Ask, part: Part) -> list[Wrong]:
    """Candidates that the grader gives less for, each reading once."""
    found: list[Wrong] = []
    seen = set(part.accepted)
    tried: Counter[str] = Counter()
    for each in part.wrong:
        if each.value in seen or tried[each.op] >= MOST_OF_ONE:
            continue
        tried[each.op] += 1
        seen.add(each.value)
        clauses, _ = grade_part(draft, ask, each.value)
        if sum(clause.got for clause in clauses) < ask.points:
            found.append(each)
    return found


def _varied(work: Work, wrong: Sequence[Wrong]) -> list[Wrong]:
    """Three of them, of as many operators as there are."""
    pool = [wrong[place] for place in work.rng.permutation(len(wrong))]
    chosen: list[Wrong] = []
    while pool and len(chosen) < OPTIONS - 1:
        used = [each.op for each in chosen]
        fresh = next((each for each in pool if each.op not in used), pool[0])
        pool.remove(fresh)
        chosen.append(fresh)
    return chosen


# --- keys -----------------------------------------------------------------------------------


def keys_within(limit: int, modes: Sequence[str]) -> list[Key]:
    """Keys of these modes with at most so many sharps or flats, from the flats up."""
    return [
        Key(PitchClass(sharps + (3 if mode == "minor" else 0)), mode)
        for mode in modes
        for sharps in range(-limit, limit + 1)
    ]


def draw_key(work: Work, *, most: int = 7, modes: Sequence[str] = ("major", "minor")) -> Key:
    """A key by chance, within the level's `most` accidentals and the teacher's range."""
    limit = min(int(work.params.get("accidentals", most)), work.setting.key_range)
    return work.pick(keys_within(limit, work.params.get("modes", modes)))
