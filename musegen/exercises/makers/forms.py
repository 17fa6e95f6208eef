"""Forms by their plans: the sections with themes, keys and cadences, as the knowledge graph has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from musegen.exercises.distractors import Wrong, wrong_keys, wrong_numbers
from musegen.exercises.item import Draft, Given, Item, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.names import key_text
from theory_kb.catalogue import Entry, catalogue
from theory_kb.pitch import Key

__all__ = ["name_form", "prove_form"]

FORMS: Mapping[str, Text] = {
    "small-binary": Text("simple binary", "单二部曲式"),
    "baroque-binary-dance": Text("Baroque binary dance", "巴洛克二部舞曲"),
    "rounded-binary": Text("rounded binary", "再现单二部曲式"),
    "small-ternary": Text("small ternary", "单三部曲式"),
    "minuet-and-trio": Text("minuet and trio", "小步舞曲与三声中部"),
    "da-capo-aria": Text("da capo aria", "返始咏叹调"),
    "rondo-5": Text("five-part rondo", "五部回旋曲式"),
    "rondo-7": Text("sonata rondo", "回旋奏鸣曲式"),
    "theme-and-variations": Text("theme and variations", "主题与变奏"),
    "sonata-major": Text("sonata form", "奏鸣曲式"),
    "sonatina": Text("sonatina (sonata without development)", "小奏鸣曲式（无展开部）"),
    "fugue-4v": Text("fugue", "赋格"),
}
CLOSES: Mapping[str, Text] = {
    "cad-pac": Text("PAC", "完满终止"),
    "cad-iac": Text("IAC", "不完满终止"),
    "cad-hc": Text("HC", "半终止"),
    "cad-dominant-arrival": Text("dominant", "停于属和弦"),
}
RELATIONS: Mapping[str, Text] = {
    "repeat": Text("again", "重复"),
    "return": Text("again", "再现"),
    "contrast": Text("new", "对比"),
    "develop": Text("developed", "展开"),
    "fragment": Text("fragments", "片段"),
    "sequence": Text("in sequence", "模进"),
    "vary": Text("varied", "变奏"),
}
RUNS_ON = Text("runs on", "无终止")
NUMERAL = re.compile(r"(?:to )?(b?[ivIV]+)(?: to (b?[ivIV]+))?(?![a-zA-Z])")
LETTER = re.compile(r"[A-Z](?![a-z])")
KEYS: Mapping[str, tuple[int, bool]] = {  # fifths from a major tonic, and whether it is minor
    "V": (1, False), "IV": (-1, False), "vi": (3, True), "i": (0, True), "ii": (2, True),
    "III": (4, False), "iii": (4, True),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Section:
    """A section as the question shows it."""

    first: int  # bar
    last: int
    theme: str  # its letter; empty where it has none
    relation: str
    numerals: tuple[str, ...]  # of its keys, from first to last; none where it moves about
    close: str

    def to(self, lang: str) -> str:
        """The section in words."""
        pick = 0 if lang == "en" else 1
        relation = RELATIONS.get(self.relation, Text("", ""))
        close = CLOSES.get(self.close, RUNS_ON)
        words = [
            f"{self.first}-{self.last}",
            " ".join(each for each in (self.theme, (relation.en, relation.zh)[pick]) if each),
            "→".join(self.numerals) or "…",
            (close.en, close.zh)[pick],
        ]
        return " ".join(each for each in words if each)


@cache
def _plan(form: str) -> tuple[_Section, ...]:
    """The sections of a form in bars of its usual length."""
    rows = [each for each in catalogue()["section"].values() if each["form"] == form]
    found: list[_Section] = []
    bar = 1
    for each in rows:
        found.append(_section(each, bar))
        bar = found[-1].last + 1
    return tuple(found)


def _section(each: Entry, bar: int) -> _Section:
    letter = LETTER.match(str(each.get("theme", "")))
    numerals = NUMERAL.match(str(each["key"]))
    relations = [str(name) for name in each.get("relations", ()) if name in RELATIONS]
    ends = [str(name) for name in each.get("ends", ())]
    return _Section(
        bar,
        bar + int(each["bars"]) - 1,
        letter[0] if letter else "",
        relations[0] if relations else "",
        tuple(name for name in numerals.groups() if name) if numerals else (),
        ends[0] if ends else "",
    )


def _scaled(plan: Sequence[_Section], times: int) -> tuple[_Section, ...]:
    return tuple(
        _Section((each.first - 1) * times + 1, each.last * times, each.theme, each.relation,
                 each.numerals, each.close)
        for each in plan
    )  # fmt: skip


def name_form(work: Work) -> Draft:
    """A plan of sections: the form, the key that it first leaves home for, and the bar of the return.

    Parameter `forms`: names of the knowledge graph.
    """
    key = draw_key(work, most=4, modes=("major",))
    forms = work.params["forms"]
    form = work.pick(forms)
    plan = _scaled(_plan(form), int(work.pick((1, 2))))
    away = next(
        (each.numerals[-1] for each in plan if each.numerals and each.numerals[-1] in KEYS), ""
    )
    if not away:
        raise DiscardError("a form that never leaves its key")
    goal, back = _key(key, away), _back(plan)
    words: Words = {
        "key": key_text(key),
        "plan": Text(*("; ".join(each.to(lang) for each in plan) for lang in ("en", "zh"))),
        "themes": "".join(each.theme or "-" for each in plan),
        "goal": key_text(goal),
        "back": str(back),
        "form": FORMS[form],
    }
    others = [each for each in (*forms, *FORMS) if each != form]
    wrong = [Wrong(each, "D13") for each in dict.fromkeys(others)]
    starts = [each.first for each in plan if each.first != back]
    parts = [
        Part((form,), "choice", Text("form", "曲式"), wrong, labels=FORMS, form="choice"),
        Part((goal.name,), "key", Text("first new key", "首次转入的调"), wrong_keys(goal),
             id="key", form="text"),
        Part((str(back),), "number", Text("bar of the return", "主调回归小节"),
             wrong_numbers(back, starts[-2:]), id="bar", form="text"),
    ]  # fmt: skip
    given = Given(f"{key}: {'; '.join(each.to('en') for each in plan)}")
    return draft_of(work, given, parts, words, key=key, kg=(f"form:{form}",))


def _key(home: Key, numeral: str) -> Key:
    fifths, minor = KEYS[numeral]
    return Key(home.tonic.transposed(fifths), "minor" if minor else "major")


def _back(plan: Sequence[_Section]) -> int:
    """The first bar of the last stretch that is all in the tonic."""
    first = plan[-1].first
    for each in reversed(plan):
        if each.numerals != ("I",):
            break
        first = each.first
    return first


def prove_form(item: Item) -> list[str]:
    """Whether no other form of the table has a plan that reads the same."""
    right = item.solutions.model["answer"]
    shown = item.given.text.partition(": ")[2]
    same = [
        form
        for form in FORMS
        for times in (1, 2)
        if "; ".join(each.to("en") for each in _scaled(_plan(form), times)) == shown
    ]
    return [] if same == [right] else ["a plan that is of two forms"]
