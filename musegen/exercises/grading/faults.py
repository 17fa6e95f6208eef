"""Finding faults: what a student lists is held against all that the checker finds.

A fault is written as the chord, or the chords between which it lies, the voices and its name,

    3: S-A doubled leading tone; 3-4: T-B parallel fifths; 5: B wrong bass

one after the other with semicolons or on lines of their own; in counterpoint bars stand in place of
chords. Each fault gives two points for its place and voices and one for its name; a false alarm takes
one. What only follows from another fault may be listed and gives nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path

from musegen.exercises.grading.graded import Clause, Graded
from musegen.exercises.grading.observe import Defect, Observed, observe
from musegen.exercises.grading.plain import plain
from musegen.exercises.grading.rubric import load_rubric, rubric_style
from musegen.exercises.grading.score_grader import Marked, findings_of, mark
from musegen.exercises.grading.task import Task
from musegen.exercises.grading.voice_text import read_voices
from musegen.exercises.grading.words import term
from musegen.exercises.item import Answer, Item, Text
from theory_kb.rules.records import rules

__all__ = [
    "FAULT_POINTS",
    "Fault",
    "fault_faults",
    "fault_of",
    "fault_words",
    "faults_in",
    "grade_faults",
    "grade_repair",
    "grave",
    "less_changes",
]

NAMES = Path(__file__).parent.parent / "fault_names.toml"
PLACE_POINTS, NAME_POINTS, ALARM = 2, 1, 1
FAULT_POINTS = PLACE_POINTS + NAME_POINTS
ENTRY = re.compile(
    r"(?:c|chords?|bars?|第)?\s*(?P<first>\d{1,3})(?:\s*(?:-|–|to|至)\s*c?(?P<last>\d{1,3}))?"
    r"\s*(?:和弦|小节)?\s*[:.,，：]?\s*(?P<voices>[A-Z](?:[a-z]+)?(?:\s*[-/,、+&]?\s*(?:and\s+)?[A-Z](?:[a-z]+)?)*(?![a-z]))?"
    r"\s*[:.,，：]?\s*(?P<name>.*)"
)
BETWEEN = re.compile(r"[;\n；]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as a place, voices and a name."""

    first: int  # chord or bar, from 1
    last: int  # the same, or that which a move arrives in
    voices: frozenset[int]  # none: not said
    name: str  # rule, or what was typed
    cause: bool = True  # False: it follows from another

    def at(self, other: Fault) -> bool:
        """Whether a listed fault stands where this one does, in the same voices if it says any."""
        places = {(self.first, self.last), (self.last, self.last)}
        return (other.first, other.last) in places and (
            not other.voices or other.voices == self.voices
        )


@cache
def _names() -> Mapping[str, frozenset[str]]:
    """Names of each rule as people write them, made alike."""
    table = tomllib.loads(NAMES.read_text(encoding="utf-8"))
    found = {}
    for name in rules():
        said = term(name)
        found[name] = frozenset(
            _alike(each) for each in (name, said.en, said.zh, *table.get(name, ()))
        )
    return found


def _alike(text: str) -> str:
    words = re.findall(r"[a-z]+|\d+|[^\x00-\x7f]+", plain(text).lower())
    return " ".join(word.rstrip("s") for word in words)


# --- the key --------------------------------------------------------------------------------


def faults_in(item: Item) -> tuple[Observed, tuple[Fault, ...]]:
    """Everything the checker finds in what an item shows, by the rules of its rubric."""
    task = Task.of(item)
    style = rubric_style(load_rubric(item.rubric), task.style)
    observed = observe(task, task.score(task.given), style)
    return observed, tuple(fault_of(each, task) for each in grave(observed))


def grave(observed: Observed) -> list[Defect]:
    """Defects that count as faults, not what is only remarked."""
    return [each for each in observed.defects if each.finding.severity != "I"]


def fault_of(defect: Defect, task: Task) -> Fault:
    """A defect as it is listed."""
    first, last = defect.left + 1, defect.slot + 1
    if not task.slots:
        first = last = defect.finding.bar
    voices = frozenset(defect.finding.voices)
    return Fault(first, last, voices, defect.finding.rule, defect.cause is None)


def fault_words(faults: Sequence[Fault], voices: Sequence[str]) -> str:
    """Faults as they are typed; of several on one place the first named first."""
    initials = [name[0] for name in voices]
    short = initials if len(set(initials)) == len(voices) else list(voices)
    rows = []
    for each in faults:
        place = f"{each.first}" if each.first == each.last else f"{each.first}-{each.last}"
        letters = "-".join(short[voice] for voice in sorted(each.voices))
        rows.append(f"{place}: {letters} {each.name}")
    return "; ".join(rows)


def fault_faults(item: Item) -> list[str]:
    """Proof: exactly what was planted is there, and the key says it all."""
    _, found = faults_in(item)
    roots = [each for each in found if each.cause]
    planted = int(item.facts["planted"])
    key = item.solutions.accepted["answer"][0]
    problems = []
    if len(roots) != planted:
        problems.append(f"{len(roots)} faults, {planted} were planted")
    if fault_words(found, Task.of(item).voices) != key:
        problems.append("the key is not what the checker finds")
    return problems


# --- the answer -----------------------------------------------------------------------------


def grade_faults(item: Item, answer: Answer) -> Graded:
    """Grade a list of faults.

    Raises:
        UnknownNameError: there is no such rubric.
        ScoreError: the item's own facts cannot be read.
    """
    text = answer.get("answer", "")
    most = Fraction(item.points)
    if not plain(text):
        return Graded("blank", Fraction(0), most)
    observed, key = faults_in(item)
    listed, unread = _listed(text, observed.task.voices)
    clauses, open_faults = [], list(key)
    alarms = []
    for each in listed:
        match = _best(open_faults, each)
        if match is None:
            alarms.append(each)
            continue
        open_faults.remove(match)
        if match.cause:
            clauses += _found(match, each, observed)
    clauses += [_missed(each, observed) for each in open_faults if each.cause]
    clauses += [_alarm(each, observed) for each in alarms]
    points = max(Fraction(0), sum((each.got for each in clauses), Fraction(0)))
    return Graded("graded", points, most, tuple(clauses), findings_of(observed), tuple(unread))


def _listed(text: str, voices: Sequence[str]) -> tuple[list[Fault], list[Text]]:
    found, unread = [], []
    for number, row in enumerate((each for each in BETWEEN.split(text) if each.strip()), 1):
        match = ENTRY.fullmatch(plain(row))
        if match is None:
            said = f"entry {number} {row.strip()[:40]!r} names no chord or bar"
            unread.append(Text(f"unparsed: {said}", f"第 {number} 项无法识别：{row.strip()[:40]}"))
            continue
        first = int(match["first"])
        named, name = _voices(match["voices"] or "", voices), match["name"]
        if named is None:  # the word is part of the name
            named, name = frozenset(), f"{match['voices']} {name}"
        found.append(Fault(first, int(match["last"] or first), named, _alike(name)))
    return found, unread


def _voices(text: str, voices: Sequence[str]) -> frozenset[int] | None:
    """Voices by letter or name; None if a word is no voice."""
    found = set()
    for word in re.findall(r"[A-Z](?:[a-z]+)?", text):
        hits = [n for n, name in enumerate(voices) if word in (name, name[0])]
        if len(hits) != 1:
            return None
        found.add(hits[0])
    return frozenset(found)


def _best(faults: Sequence[Fault], listed: Fault) -> Fault | None:
    """The fault that an entry means: in its place, best by its name, causes first."""
    there = [each for each in faults if each.at(listed)]
    ranked = sorted(
        there, key=lambda each: (listed.name not in _names()[each.name], not each.cause)
    )
    return ranked[0] if ranked else None


def _found(fault: Fault, listed: Fault, observed: Observed) -> list[Clause]:
    place = fault_words((fault,), observed.task.voices).partition(" ")[0].rstrip(":")
    right = listed.name in _names()[fault.name]
    said = term(fault.name)
    return [
        Clause("place", "answer", place, Fraction(PLACE_POINTS), Fraction(PLACE_POINTS)),
        Clause(
            "name",
            "answer",
            place,
            Fraction(NAME_POINTS if right else 0),
            Fraction(NAME_POINTS),
            None if right else Text(f"it is called: {said.en}", f"应为：{said.zh}"),
        ),
    ]


def _missed(fault: Fault, observed: Observed) -> Clause:
    place = fault_words((fault,), observed.task.voices).partition(" ")[0].rstrip(":")
    said = term(fault.name)
    told = Text(f"not found: {said.en}", f"未找出：{said.zh}")
    return Clause("place", "answer", place, Fraction(0), Fraction(FAULT_POINTS), told)


def _alarm(listed: Fault, observed: Observed) -> Clause:
    place = fault_words((listed,), observed.task.voices).partition(" ")[0].rstrip(":")
    said = Text("there is no such fault here", "此处并无该错误")
    return Clause("false-alarm", "answer", place, Fraction(-ALARM), Fraction(0), said)


# --- mending --------------------------------------------------------------------------------


def grade_repair(item: Item, answer: Answer) -> Graded:
    """Grade a mended phrase: by the rubric, less a point for each note changed beyond need.

    Raises:
        as `musegen.exercises.grading.score_grader.grade_score`.
    """
    return less_changes(item, mark(item, answer)).graded


def less_changes(item: Item, marked: Marked) -> Marked:
    """What a mended phrase was graded, less a point for each note changed beyond need."""
    if marked.observed is None:
        return marked
    task = marked.observed.task
    faulty = task.parts(read_voices(item.facts["faulty"], "facts, faulty"))
    changed = 0
    for part, before in zip(marked.observed.score.parts, faulty, strict=True):
        stood = {(each.onset, each.pitch) for each in before.notes}
        changed += sum((note.onset, note.pitch) not in stood for note in part.notes)
    most = int(item.facts["changes"])
    if changed <= most:
        return marked
    said = Text(
        f"{changed} notes were changed, {most} are enough", f"改动 {changed} 个音，{most} 个即可"
    )
    clause = Clause("changes", "score", "", Fraction(most - changed), Fraction(0), said)
    points = max(Fraction(0), marked.graded.points + clause.got)
    graded = replace(marked.graded, points=points, clauses=(*marked.graded.clauses, clause))
    return replace(marked, graded=graded)
