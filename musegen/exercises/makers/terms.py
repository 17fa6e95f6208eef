"""Words of scores and what they mean."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Given, Lang, Text
from musegen.exercises.kinds import Work
from musegen.exercises.makers.drafting import Part, Words, draft_of
from musegen.exercises.records import read_record

__all__ = ["Term", "glossary", "name_term"]

FILE = Path(__file__).parents[1] / "glossary.toml"
LANGUAGES = {
    "it": Text("Italian", "意大利语"),
    "fr": Text("French", "法语"),
    "de": Text("German", "德语"),
    "en": Text("English", "英语"),
}
CATEGORIES = {
    "tempo": Text("speed", "速度"),
    "dynamics": Text("loudness", "力度"),
    "articulation": Text("articulation", "奏法"),
    "change": Text("a change of speed or loudness", "速度或力度的变化"),
    "direction": Text("what to play", "演奏指示"),
    "character": Text("character", "表情"),
    "degree": Text("how much", "程度"),
    "ornament": Text("ornaments", "装饰音"),
    "instrument": Text("instruments", "乐器与演奏法"),
}


@dataclass(frozen=True, slots=True)
class Term:
    """A word of scores."""

    en: str  # meaning
    zh: str
    lang: str
    category: str
    grade: int
    contrary: str = ""

    def meaning(self, lang: Lang) -> str:
        """What it means."""
        return self.en if lang == "en" else self.zh


@cache
def glossary() -> Mapping[str, Term]:
    """All words by themselves."""
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))["term"]
    return {name: read_record(Term, fact, f"glossary.toml: {name}") for name, fact in table.items()}


def name_term(work: Work) -> Draft:
    """A word: its meaning among four."""
    grade = int(work.params["grade"])
    terms = glossary()
    name = work.pick([name for name, term in terms.items() if term.grade == grade])
    term = terms[name]
    words: Words = {
        "term": name,
        "language": LANGUAGES[term.lang],
        "category": CATEGORIES[term.category],
        "letter": Text(term.en[0], term.zh[0]),
        "meaning": Text(term.en, term.zh),
    }
    labels = {each: Text(terms[each].en, terms[each].zh) for each in terms}
    others = [each for each, fact in terms.items() if each != name and fact.grade <= grade]
    wrong = [Wrong(term.contrary, "D3", CONTRARY)] if term.contrary else []
    near = [each for each in others if terms[each].category == term.category]
    far = [each for each in others if terms[each].category != term.category]
    wrong += [Wrong(each, "D2", NEAR) for each in near if each != term.contrary]
    wrong += [Wrong(far[place], "D13", FAR) for place in work.rng.permutation(len(far))[:2]]
    shown = {each: labels[each] for each in (name, *(one.value for one in wrong))}
    part = Part((name,), "choice", Text("meaning", "含义"), wrong, labels=shown)
    return draft_of(work, Given(name), part, words)


CONTRARY = Text("this is the contrary", "这是反义词")
NEAR = Text("a word of the same kind, but not this one", "同类词，但不是这个")
FAR = Text("this is about something else", "这是另一类词")
