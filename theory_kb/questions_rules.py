"""Questions about rules and kinds: what differs, who says so, what Bach never breaks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from theory_kb.answers import Answer, Value, answer
from theory_kb.catalogue import Entry, catalogue
from theory_kb.errors import UnknownNameError
from theory_kb.facts import load_facts
from theory_kb.graph import statements
from theory_kb.rules.records import Rule, rule, rules
from theory_kb.rules.styles import Style, load_style

__all__ = ["compare_tones", "rule_sources", "style_differences", "unfired_rules"]

Row = Mapping[str, Value]


def style_differences(first: str, second: str, about: str = "") -> Answer:
    """Which rules two styles weigh otherwise, perhaps only those about a word: `passing`.

    A rule is about a word if its name, sentences, exceptions or cause hold it, or if it judges
    non-chord tones and the word names a kind of them.
    """
    one, other = load_style(first), load_style(second)
    rows = [
        row
        for each in rules().values()
        if _about(each, about.casefold())
        for row in _differences(each, one, other)
    ]
    text = f"{len({row['rule'] for row in rows})} rules differ between {first} and {second}"
    text += f" where {about} is spoken of." if about else "."
    evidence = [
        edge
        for name in dict.fromkeys(str(row["rule"]) for row in rows)
        for edge in statements(("rule", name), "severity")
        if edge.object[1] in (first, second)
    ]
    return answer("style-differences", text, rows, evidence)


def _differences(each: Rule, one: Style, other: Style) -> list[Row]:
    rows: list[Row] = []
    pair = one.severities[each.id], other.severities[each.id]
    if pair[0] != pair[1]:
        rows.append(_row(each.id, "severity", *pair))
    if pair != ("-", "-"):
        for name, value in one.params[each.id].items():
            if other.params[each.id][name] != value:
                rows.append(_row(each.id, name, value, other.params[each.id][name]))
    return rows


def _row(name: str, what: str, first: Value, second: Value) -> Row:
    return {"rule": name, "what": what, "first": first, "second": second}


def _about(each: Rule, word: str) -> bool:
    if not word:
        return True
    texts = (each.id, each.name, each.message, each.why, *each.exceptions, *each.repair)
    spoken = any(word in text.casefold() for text in texts)
    tones = (fact["name"] for fact in catalogue()["non-chord-tone"].values())
    return spoken or (_judges_tones(each) and any(word in name for name in tones))


def _judges_tones(each: Rule) -> bool:
    return _file(each.id) == "dissonance"


@cache
def _file(name: str) -> str:
    from theory_kb.rules import functions

    return functions()[name].function.__module__.rpartition(".")[2]


def compare_tones(first: str, second: str) -> Answer:
    """How two kinds of non-chord tones differ: appoggiatura and escape tone."""
    pair = [_tone(name) for name in (first, second)]
    fields = ("approach", "departure", "turns", "accent", "text")
    rows = [
        {"what": name, pair[0]["name"]: pair[0][name], pair[1]["name"]: pair[1][name]}
        for name in fields
    ]
    one, other = pair
    text = (
        f"{_a(one['name'])} is reached by {one['approach']} and left by {one['departure']}, "
        f"{_a(other['name']).lower()} reached by {other['approach']} and left by {other['departure']}."
    )
    evidence = [edge for each in pair for edge in statements(("non-chord-tone", each.id), "cites")]
    return answer("compare-tones", text, rows, evidence)


def _a(name: str) -> str:
    return f"{'An' if name[0] in 'aeiou' else 'A'} {name}"


def _tone(name: str) -> Entry:
    table = catalogue()["non-chord-tone"]
    by_name = {each.id: each for each in table.values()}
    by_name |= {each.id.removeprefix("nct-"): each for each in table.values()}
    by_name |= {each["name"]: each for each in table.values()}
    if name not in by_name:
        raise UnknownNameError("non-chord tone", name, by_name)
    return by_name[name]


def unfired_rules() -> Answer:
    """Which of the counted rules no chorale of Bach breaks inside a phrase, and how often the rest fire."""
    norms = catalogue()["norm"].values()
    rows = [
        {
            "rule": each.id,
            "count": each["count"],
            "among": f"{each['trials']} {each['per']}",
            "a chorale": round(each["count"] / CHORALES, 3),
        }
        for each in sorted(norms, key=lambda each: (each["count"], each.id))
    ]
    never = [str(row["rule"]) for row in rows if row["count"] == 0]
    text = f"Never broken in {CHORALES} chorales: {', '.join(never)}."
    evidence = [edge for name in never for edge in statements(("rule", name), "counted_in")]
    return answer("unfired-rules", text, rows, evidence, ["BX"])


CHORALES = 359  # pieces that the norms were counted in


def rule_sources(name: str) -> Answer:
    """Which sources support a rule, and whether they disagree: agrees, relaxes or forbids."""
    each = rule(name)
    stances = {
        fact["by"]: (fact["stance"], fact["text"])
        for fact in catalogue()["stance"].values()
        if fact["rule"] == name
    }
    places = {cite.split()[0]: cite for cite in each.cites}
    titles = load_facts().sources["sources"]
    rows = [
        {
            "source": places.get(key, key),
            "title": titles[key]["title"],
            "stance": stances.get(key, ("agrees", ""))[0],
            "what": stances.get(key, ("", "states the rule"))[1],
        }
        for key in dict.fromkeys((*places, *stances))
    ]
    against = [str(row["source"]) for row in rows if row["stance"] != "agrees"]
    verdict = f"{', '.join(against)} disagree" if against else "none disagrees"
    text = f"{each.name}: {len(rows)} sources, {verdict}."
    evidence = statements(("rule", name), "cites", "judged_by")
    return answer("rule-sources", text, rows, evidence)
