"""Items as questions of a learning system: fields, ways to write what is right, shares, media.

What an answer is worth is asked of the item's own grader, answer by answer. A row of places becomes a
field a place where that gives nothing away; what rules judge is left to whoever marks it, with rubric
and model answer at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from musegen.exercises.grading.handed_in import SCORE_GRADERS
from musegen.exercises.grading.readers import READERS
from musegen.exercises.grading.rubric import Rubric, Unit, load_rubric, rubric_names
from musegen.exercises.grading.score_grader import mark
from musegen.exercises.item import Ask, Item, Lang, Solutions, Text, alternatives
from musegen.exercises.kinds import kind
from musegen.exercises.playing import stem_audio
from musegen.exercises.sheet_html import WORDS as SHEET_WORDS
from musegen.exercises.spellings import MOST_IN_ANY_ORDER, RISING, readable, share_of, spellings
from musegen.io.engraving import engrave_small, to_png
from musegen.io.musicxml import write_musicxml
from musegen.io.quizzes.question import Answer, Field, Media, Question

__all__ = ["question_of"]

TYPED = "grading.typed:grade_typed"  # the grader whose answers can be listed
ZOOM = 2.0  # pixels of a picture's file by one of the page
LOOKED_AT = 4  # right answers that are tried with letters of the other case: the rest are alike
DECIMAL = re.compile(r"-?\d+(\.\d+)?")
VIEWBOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
WORDS: Mapping[str, Text] = {
    "music": Text("music example", "谱例"),
    "file": Text("the music as MusicXML", "乐谱 MusicXML 文件"),
    "sound": Text("sound", "录音"),
    "plays": Text("You may listen {plays} times.", "可听 {plays} 遍。"),
    "hand": Text(
        "Open the music in a notation program, write your answer there and hand in the MusicXML file.",
        "在打谱软件中打开乐谱作答，交 MusicXML 文件。",
    ),
    "write": Text(
        "Write your answer in a notation program and hand in the MusicXML file.",
        "在打谱软件中作答，交 MusicXML 文件。",
    ),
    "row": Text("Leave one space between the parts of the answer.", "答案各项之间空一格。"),
    "order": Text("Write them in the order of the alphabet.", "按字母顺序书写。"),
    "rising": Text("Write the numbers in rising order.", "数字由小到大书写。"),
    "marking": Text("Marking", "评分"),
    "grade": Text(
        "musegen marks the file that is handed in: musegen exercise grade FILE --item {name}.item.json",
        "musegen 可批改所交文件：musegen exercise grade FILE --item {name}.item.json",
    ),
}
UNITS: Mapping[Unit, Text] = {  # for which the points of a section are given, but for dictations
    "chord": Text("each chord", "每个和弦"),
    "connection": Text("each connection", "每个连接"),
    "whole": Text("for the whole", "整题"),
    "label": Text("each label", "每个标记"),
    "phrase": Text("each phrase", "每个乐句"),
}


def question_of(item: Item) -> Question:
    """An item as one question.

    Raises:
        ScoreError: its music cannot be engraved.
    """
    lang = item.lang
    return Question(
        name=f"{item.name}-{lang}",
        series=f"{item.id}-l{item.level}-s{item.seed}-{lang}",
        title=kind(item.id).title.to(lang),
        lang=lang,
        version=item.version,
        stem=_stem(item),
        given=item.given.text,
        fields=tuple(field for part in item.ask for field in _fields(item, part)),
        media=tuple(_media(item)),
        hints=tuple(hint.to(lang) for hint in item.hints),
        why=item.why.to(lang),
        shown=tuple(_shown(item)),
        marking=_marking(item),
        tags=(item.id, f"level-{item.level}", f"family-{kind(item.id).family}"),
    )


# --- stem -----------------------------------------------------------------------------------


def _stem(item: Item) -> str:
    """What is asked, with what a student must know who answers in a learning system."""
    notes = [note for part in item.ask for note in _notes(item, part)]
    said = dict.fromkeys(note.to(item.lang) for note in notes)
    if item.given.heard is not None:
        said[WORDS["plays"].to(item.lang).format(plays=item.given.heard.plays)] = None
    return "\n".join([item.prompt.to(item.lang).strip(), *said])


def _notes(item: Item, part: Ask) -> Iterator[Text]:
    if part.form == "score":
        yield WORDS["hand" if item.given.musicxml else "write"]
    if part.reader == "rhythm" and not part.options:
        yield SHEET_WORDS["rhythm"]
    if part.options or _judged(item, part) or _places(item, part):
        return
    reader = READERS[part.reader]
    pieces = max(len(each.split()) for each in item.solutions.accepted[part.id])
    if reader.slots and pieces > 1:
        yield WORDS["row"]
    if part.reader in RISING:
        yield WORDS["rising"]
    elif reader.slots and not reader.ordered and pieces > MOST_IN_ANY_ORDER:
        yield WORDS["order"]


def _media(item: Item) -> Iterator[Media]:
    name = f"{item.name}-{item.lang}"
    if item.given.heard is not None:
        sound = stem_audio(item.given.heard)
        yield Media(f"{name}.wav", "sound", "audio/wav", sound, WORDS["sound"].to(item.lang))
    if not item.given.musicxml:
        return
    yield _picture(f"{name}.png", item.given.musicxml, item.lang)
    if _hands_in(item):
        data = item.given.musicxml.encode()
        mime = "application/vnd.recordare.musicxml+xml"
        yield Media(f"{name}.musicxml", "file", mime, data, WORDS["file"].to(item.lang))


def _shown(item: Item) -> Iterator[Media]:
    """Music to be looked at afterwards: what was played, or the model answer as the grader reads it."""
    if item.given.heard is not None:
        yield _picture(f"{item.name}-{item.lang}-heard.png", item.given.heard.musicxml, item.lang)
    elif kind(item.id).grader in SCORE_GRADERS and _hands_in(item):
        observed = mark(item, item.solutions.model).observed
        if observed is not None:
            model = write_musicxml(observed.score).decode()
            yield _picture(f"{item.name}-{item.lang}-model.png", model, item.lang)


def _picture(name: str, musicxml: str, lang: Lang) -> Media:
    svg = engrave_small(musicxml)
    box = VIEWBOX.search(svg)
    assert box is not None  # a picture of ours has one
    width, height = (round(float(each)) for each in box.groups())
    png = to_png(svg, zoom=ZOOM)
    return Media(name, "picture", "image/png", png, WORDS["music"].to(lang), width, height)


# --- fields ---------------------------------------------------------------------------------


def _hands_in(item: Item) -> bool:
    """Whether a score is asked for."""
    return any(part.form == "score" for part in item.ask)


def _judged(item: Item, part: Ask) -> bool:
    """Whether an answer is judged by rules, so that no list of answers would do."""
    listed = kind(item.id).grader == TYPED and part.reader in READERS
    return _hands_in(item) or not listed or item.uniqueness == "R"


def _fields(item: Item, part: Ask) -> Iterator[Field]:
    model = part.shown(item.solutions.model[part.id], item.lang)
    field = Field(
        id=_identifier(part.id),
        label=part.prompt.to(item.lang),
        form="upload" if part.form == "score" else "essay",
        points=Fraction(part.points),
        model=model,
    )
    if _judged(item, part):
        yield field
    elif part.options:
        yield replace(
            field,
            form="multiple" if part.form == "multiple" else "choice",
            answers=_options(item, part),
        )
    elif _places(item, part):
        yield from _row(item, part, field)
    else:
        yield _typed(item, part, field)


def _identifier(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)


def _options(item: Item, part: Ask) -> tuple[Answer, ...]:
    """Options as they are shown, each with what the grader gives for it."""
    said = {
        each.value: each.said.to(item.lang) for each in item.distractors if each.part == part.id
    }
    if part.form == "multiple":
        right = set(item.solutions.model[part.id].split())
        shares = {value: Fraction(value in right) for value in part.options}
    else:
        shares = {value: share_of(item, part, value) for value in part.options}
    return tuple(
        Answer(part.shown(value, item.lang), shares[value], said.get(value, ""))
        for value in part.options
    )


def _typed(item: Item, part: Ask, field: Field) -> Field:
    """One answer to type, with the ways to write it and what is said to wrong ones."""
    right = _ways(item, part)
    wrong = [
        _answer(item, part, each.value, each.said)
        for each in item.distractors
        if each.part == part.id
    ]
    answers = [*_full(right), *wrong]
    if part.reader == "number" and all(DECIMAL.fullmatch(each.text) for each in answers):
        return replace(field, form="number", answers=_unlike(answers))
    return _with_case(item, part, field, answers)


def _answer(item: Item, part: Ask, value: str, said: Text) -> Answer:
    shown = part.shown(value, item.lang)
    return Answer(shown, share_of(item, part, value), said.to(item.lang))


def _ways(item: Item, part: Ask) -> tuple[str, ...]:
    """All that is right, as it may be typed; a set too large for its orders in that of the alphabet."""
    accepted = item.solutions.accepted[part.id]
    reader = READERS[part.reader]
    if not reader.slots or reader.ordered:
        return spellings(item, part, accepted)
    by = Fraction if part.reader in RISING else str
    sorted_ones = (" ".join(sorted(each.split(), key=by)) for each in accepted)
    return spellings(item, part, dict.fromkeys([*accepted, *sorted_ones]))


def _full(texts: Sequence[str]) -> Iterator[Answer]:
    return (Answer(text, Fraction(1)) for text in texts)


def _unlike(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """Answers without those that are written like an earlier one."""
    found: dict[str, Answer] = {}
    for each in answers:
        found.setdefault(each.text, each)
    return tuple(found.values())


def _with_case(item: Item, part: Ask, field: Field, answers: Sequence[Answer]) -> Field:
    """A typed field; where case counts, what is right in small letters is listed as well."""
    if not _case_counts(item, part, answers):
        return replace(field, form="text", answers=_unlike(answers))
    small = [each.text.lower() for each in answers if each.share == 1]
    right = _full([text for text in small if share_of(item, part, text) == 1])
    given = [each for each in answers if each.share == 1]
    wrong = [each for each in answers if each.share < 1]
    return replace(field, form="text", answers=_unlike([*given, *right, *wrong]), case=True)


def _case_counts(item: Item, part: Ask, answers: Sequence[Answer]) -> bool:
    """Whether letters of the other case would make another answer, as in `m3` and `M3`."""
    right = [each.text for each in answers if each.share == 1]
    folded = {text.casefold() for text in right}
    if any(each.share < 1 and each.text.casefold() in folded for each in answers):
        return True
    changed = (other for text in right[:LOOKED_AT] for other in _other_case(text))
    return any(share_of(item, part, text) < 1 and readable(item, part, text) for text in changed)


def _other_case(text: str) -> Iterator[str]:
    """A text with one letter of the other case, for each of its letters, and with all small or large."""
    yield from (text.lower(), text.upper())
    for place, letter in enumerate(text):
        if letter.swapcase() != letter:
            yield text[:place] + letter.swapcase() + text[place + 1 :]


# --- a row of places ------------------------------------------------------------------------


def _places(item: Item, part: Ask) -> tuple[str, ...]:
    """Slots of the answer if each is to be a field of its own, else none.

    So it is where they stand in order, one row is right, and no wrong answer has another number of
    them: else the number of fields would tell what is asked. A word of a list is chosen, not typed.
    """
    reader = READERS.get(part.reader)
    accepted = item.solutions.accepted[part.id]
    if part.options or reader is None or not (reader.slots and reader.ordered) or len(accepted) > 1:
        return ()
    slots = accepted[0].split()
    rows = [each.value.split() for each in item.distractors if each.part == part.id]
    alike = all(len(row) == len(slots) for row in rows)
    several = len(slots) > 1 or slots[0] in part.labels
    return tuple(slots) if several and alike and "|" not in slots else ()


def _row(item: Item, part: Ask, field: Field) -> Iterator[Field]:
    slots = _places(item, part)
    points = Fraction(part.points, len(slots))
    for place, slot in enumerate(slots):
        alone, only = _alone(item, part, slot)
        found = replace(
            field,
            id=f"{field.id}{place + 1}",
            label=f"{field.label} {place + 1}",
            points=points,
            model=part.shown(alternatives(slot)[0], item.lang),
        )
        if set(slots) <= set(part.labels):
            shares = {value: share_of(alone, only, value) for value in part.labels}
            options = (Answer(part.shown(each, item.lang), shares[each]) for each in part.labels)
            yield replace(found, form="choice", answers=tuple(options))
            continue
        right = _full(spellings(alone, only, [slot]))
        wrong = _wrong_in(item, part, place, alone, only)
        yield _with_case(alone, only, found, [*right, *wrong])


def _alone(item: Item, part: Ask, slot: str) -> tuple[Item, Ask]:
    """The item as if only one of the slots were asked for, so that the grader judges it alone."""
    only = replace(part, points=1)
    accepted = {**item.solutions.accepted, part.id: (slot,)}
    ask = tuple(only if each.id == part.id else each for each in item.ask)
    return replace(item, ask=ask, solutions=Solutions(accepted), distractors=()), only


def _wrong_in(item: Item, part: Ask, place: int, alone: Item, only: Ask) -> Iterator[Answer]:
    """What wrong rows have in a place, with what is said to it."""
    for each in item.distractors:
        if each.part == part.id:
            found = _answer(alone, only, each.value.split()[place], each.said)
            if found.share < 1:
                yield found


# --- for whoever marks ----------------------------------------------------------------------


def _marking(item: Item) -> str:
    """The rubric of an answer that rules judge; empty where the system marks by itself."""
    if not any(_judged(item, part) for part in item.ask):
        return ""
    lines = [WORDS["grade"].to(item.lang).format(name=item.name)]
    if item.rubric in rubric_names():
        lines = [*_rubric_lines(load_rubric(item.rubric), item), *lines]
    return "\n".join(lines)


def _rubric_lines(rubric: Rubric, item: Item) -> Iterator[str]:
    lang = item.lang
    yield f"{WORDS['marking'].to(lang)}: {rubric.title.to(lang)} ({rubric.id})"
    for section in rubric.sections:
        awards = section.awards or (section.award,)
        points = ", ".join(f"{each:g}" for each in awards)
        unit = f" ({UNITS[section.unit].to(lang)})" if section.unit in UNITS else ""
        yield f"- {section.title.to(lang)}: {points}{unit}"
