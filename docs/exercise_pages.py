"""Write the gallery of exercises: each kind of the catalogue once, with answer and feedback.

Sphinx calls `write_gallery` before it reads the documents; pages and pictures are not kept in the
repository. Nothing is written by hand here: the kinds come from the catalogue, the wrong answer from
the item's own likely errors or from one note of its key, and what is said of it from the grader.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from rule_pages import keep_only, plain

from musegen.exercises.grading.grade import grade
from musegen.exercises.grading.graded import Graded
from musegen.exercises.grading.handed_in import SCORE_GRADERS
from musegen.exercises.grading.page import marked_musicxml
from musegen.exercises.grading.score_grader import Marked, mark
from musegen.exercises.item import Answer, Ask, Item
from musegen.exercises.kinds import Kind, kind, kinds
from musegen.exercises.making import make_item
from musegen.io.engraving import engrave_small
from musegen.io.musicxml import write_musicxml
from musegen.io.xml_tree import parse_xml
from theory_kb.pitch import LETTER_FIFTHS, Key, Pitch, PitchClass

__all__ = ["kind_page", "write_gallery", "wrong_answer"]

LEVEL, SEED = 2, 0
LONGEST = 600  # characters of an answer that is shown as text
MOST_SAID = 3  # findings and notes of the feedback
UNIQUE = {"U": "one answer", "F": "a finite set of answers", "R": "judged by rules"}
LINE = re.compile(r"^(?P<voice>[^:\n]+):(?P<notes>.*)$", re.MULTILINE)
NOTE = re.compile(r"\b(?P<pitch>[A-G][#b]*\d)(?::\d+\.?)?")


def write_gallery(folder: Path) -> None:
    """Write all pages and pictures into a folder, and take out what belongs to none."""
    wanted: dict[Path, str] = {}
    titles: list[tuple[str, int]] = []
    for family, rows in groupby(kinds().values(), key=lambda each: each.family):
        parts = []
        for each in rows:
            text, pictures = kind_page(each)
            parts.append(text)
            wanted |= {folder / "pictures" / name: svg for name, svg in pictures.items()}
        stem = f"family-{family.lower()}"
        titles.append((stem, len(parts)))
        head = f"# Family {family}: {plain(_first_title(family))} and what is like it\n\n"
        wanted[folder / f"{stem}.md"] = head + "\n".join(parts)
    wanted[folder / "index.md"] = _index(titles)
    keep_only(folder, wanted)


def _first_title(family: str) -> str:
    title = next(each.title.en for each in kinds().values() if each.family == family)
    return title[:1].lower() + title[1:]


def _index(titles: list[tuple[str, int]]) -> str:
    rows = [f"| [{stem[-1].upper()}]({stem}.md) | {_names(stem[-1])} | {n} |" for stem, n in titles]
    return "\n".join(
        [
            "# Gallery of exercises",
            "",
            f"All {len(kinds())} kinds, each with its item of level {LEVEL} and seed {SEED}, its key,",
            "and what is said of a wrong answer. Notes at fault are red.",
            "",
            "| family | kinds | |",
            "|---|---|---:|",
            *rows,
            "",
            "```{toctree}",
            ":hidden:",
            "",
            *(stem for stem, _ in titles),
            "```",
            "",
        ]
    )


def _names(family: str) -> str:
    return ", ".join(f"`{each.id}`" for each in kinds().values() if each.family == family.upper())


# --- one kind -------------------------------------------------------------------------------


def kind_page(each: Kind) -> tuple[str, dict[str, str]]:
    """The part of a page on one kind, and its pictures by file name."""
    item = make_item(each.id, LEVEL, SEED).item
    answer = wrong_answer(item)
    marked = _marked(item, answer)
    pictures = dict(_pictures(item, marked))
    return "\n".join(_lines(each, item, answer, marked.graded, pictures)), pictures


def _lines(
    each: Kind, item: Item, answer: Answer, graded: Graded, pictures: dict[str, str]
) -> Iterator[str]:
    yield f"## {plain(each.title.en)}\n"
    yield f"`{each.id}`, {plain(each.title.zh)}: {UNIQUE[each.uniqueness]}.\n"
    for number, level in enumerate(each.levels, 1):
        yield f"{number}. {plain(level.said.en)}"
    yield f"\n**{plain(item.prompt.en)}**\n"
    yield from _shown(pictures, f"{each.id}-given.svg", "the question")
    if item.given.text and not item.given.musicxml:
        yield f"```text\n{item.given.text}\n```\n"
    yield "Key:\n"
    yield from _shown(pictures, f"{each.id}-key.svg", "the model answer")
    yield from _answers(item, item.solutions.model)
    yield f"{plain(item.why.en)}\n" if item.why.en else ""
    yield "A wrong answer:\n"
    yield from _answers(item, {name: answer[name] for name in answer if _typed(item, name)})
    yield from _shown(pictures, f"{each.id}-marked.svg", "the wrong answer, marked")
    yield f"Feedback, {float(graded.points):g} of {float(graded.most):g} points:\n"
    for said in _said(graded):
        yield f"- {plain(said)}"
    yield ""


def _shown(pictures: dict[str, str], name: str, what: str) -> Iterator[str]:
    if name in pictures:
        yield f"![{what}](pictures/{name})\n"


def _typed(item: Item, part: str) -> bool:
    return item.part(part).form != "score"


def _answers(item: Item, answer: Answer) -> Iterator[str]:
    rows = [
        f"{item.part(name).prompt.en}: {item.part(name).shown(text, 'en')}"
        for name, text in answer.items()
        if not text.lstrip().startswith("<") and len(text) <= LONGEST
    ]
    if rows:
        yield "```text\n" + "\n".join(rows) + "\n```\n"


def _said(graded: Graded) -> list[str]:
    """What a student reads: findings, else the clauses that took points, then notes."""
    found = [each.said.en for each in graded.findings if each.severity != "info"][:MOST_SAID]
    lost = [
        f"{each.part} {each.place}".strip()
        + (f": {each.said.en}" if each.said else f": {float(each.got):g} of {float(each.most):g}")
        for each in graded.clauses
        if each.got < each.most
    ]
    notes = [note.en for note in graded.notes]
    return [*(found or lost[:MOST_SAID]), *notes[:MOST_SAID]] or [f"status: {graded.status}"]


def _pictures(item: Item, marked: Marked) -> Iterator[tuple[str, str]]:
    if item.given.musicxml:
        yield f"{item.id}-given.svg", engrave_small(item.given.musicxml)
    if marked.observed is not None:
        key = mark(item, item.solutions.model).observed
        if key is not None:
            yield f"{item.id}-key.svg", engrave_small(write_musicxml(key.score).decode())
        yield f"{item.id}-marked.svg", engrave_small(_without_words(marked_musicxml(item, marked)))


def _without_words(musicxml: bytes) -> str:
    """A marked score with its colours alone: what is found stands below the picture."""
    root = parse_xml(musicxml, "the marked score")
    for measure in root.iter("measure"):
        for direction in measure.findall("direction"):
            if direction.find("direction-type/words") is not None:
                measure.remove(direction)
    return ET.tostring(root, encoding="unicode")


# --- a wrong answer -------------------------------------------------------------------------


def _marked(item: Item, answer: Answer) -> Marked:
    finish = SCORE_GRADERS.get(kind(item.id).grader)
    written = any(part.form == "score" for part in item.ask)
    if finish is None or not written:
        return Marked(grade(item, answer))
    return finish(item, mark(item, answer))


def wrong_answer(item: Item) -> dict[str, str]:
    """An answer that does not get every point: a likely one, or the key with one thing changed."""
    model = dict(item.solutions.model)
    if item.distractors:
        first = item.distractors[0]
        return {**model, first.part: first.value}
    score = next((part for part in item.ask if part.form == "score"), None)
    if score is not None:
        changed = (
            {**model, score.id: text} for text in _notes_changed(model[score.id], score, item.key)
        )
        return next(each for each in changed if not grade(item, each).full)
    part = item.ask[0].id
    words = model[part].split()
    other = next((n for n, word in enumerate(words) if word != words[0]), 0)
    words[0], words[other] = words[other], words[0]
    swapped = {**model, part: " ".join(words)}
    return {**model, part: "?"} if grade(item, swapped).full else swapped


def _notes_changed(text: str, part: Ask, key: str) -> Iterator[str]:
    """Typed voices with one note that is to be written a step higher, or left out."""
    spots = [
        spot
        for line in LINE.finditer(text)
        if not part.voices or line["voice"] in part.voices
        for spot in _from_the_middle([*NOTE.finditer(text, *line.span("notes"))])
    ]
    for spot in spots:
        yield text[: spot.start()] + _stepped(spot["pitch"], key) + text[spot.end("pitch") :]
    for spot in spots:
        yield text[: spot.start()] + text[spot.end() :]


def _stepped(name: str, key: str) -> str:
    """The note above, as the signature of a key has it."""
    step = Pitch.parse(name).step + 1
    lowest = (Key.parse(key).signature if key else 0) - 1  # of the signature, on the line of fifths
    tone = PitchClass(lowest + (LETTER_FIFTHS[step % 7] - lowest) % 7)
    return Pitch.of(tone, step // 7).name


def _from_the_middle(spots: list[re.Match[str]]) -> list[re.Match[str]]:
    return sorted(spots, key=lambda spot: abs(spots.index(spot) - len(spots) // 2))
