"""The knowledge graph: facts and what follows from them as one networkx multigraph.

Nodes are (kind, name) pairs, such as ("chord", "major V7") or ("function", "D"); every edge has a
`relation` and a `source`. General facts are stored in TOML; edges that follow from them carry
`derived_by`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import networkx as nx
import numpy as np

from theory_kb.chords import Chord, vocabulary
from theory_kb.facts import Facts, load_facts
from theory_kb.pitch import Key
from theory_kb.query import grade_table, may_follow, related_keys
from theory_kb.rules.records import rules

__all__ = ["Edge", "Node", "chord_node", "evidence", "knowledge_graph"]

Node = tuple[str, str]  # kind, name


@dataclass(frozen=True, slots=True)
class Edge:
    """One statement of the graph."""

    subject: Node
    relation: str
    object: Node
    source: str
    text: str = ""
    derived_by: str = ""  # function it follows from; empty if it is stored

    def sentence(self) -> str:
        """The statement in words."""
        plain = f"{self.subject[1]} {self.relation.replace('_', ' ')} {self.object[1]}"
        return f"{plain}: {self.text}" if self.text else plain


@cache
def knowledge_graph() -> nx.MultiDiGraph[Node]:
    """The graph of all facts; the same object at each call, not to be changed."""
    graph: nx.MultiDiGraph[Node] = nx.MultiDiGraph()
    facts = load_facts()
    for edges in (
        _sources(facts),
        _scales(facts),
        _chords(),
        _progressions(),
        _cadences(facts),
        _keys(),
        _rules(),
    ):
        for edge in edges:
            graph.add_edge(edge.subject, edge.object, key=edge.relation, **_attributes(edge))
    return graph


def _attributes(edge: Edge) -> dict[str, Any]:
    return {"source": edge.source, "text": edge.text, "derived_by": edge.derived_by}


def chord_node(chord: Chord) -> Node:
    """The node of a chord of the vocabulary."""
    return "chord", f"{chord.mode} {chord.symbol}"


def _sources(facts: Facts) -> Iterator[Edge]:
    for name, fact in facts.sources["sources"].items():
        yield Edge(("source", name), "written_by", ("author", fact["author"]), name, fact["title"])


def _scales(facts: Facts) -> Iterator[Edge]:
    for name, fact in facts.scales["scales"].items():
        for degree, steps in enumerate(fact["steps"], 1):
            yield Edge(
                ("scale", name),
                "has_degree",
                ("degree", str(degree)),
                fact["source"],
                f"{steps} semitones below the next",
            )
    for fact in facts.scales["tendency"]:
        yield Edge(
            ("degree", str(fact["degree"])),
            "strives_for",
            ("degree", str(fact["to"])),
            fact["source"],
            fact["text"],
        )
    for name, fact in facts.scales["functions"].items():
        yield Edge(
            ("function", name), "is_called", ("term", fact["name"]), fact["source"], fact["text"]
        )


def _chords() -> Iterator[Edge]:
    for each in vocabulary():
        node, source = chord_node(each), each.source
        yield Edge(node, "in_mode", ("scale", each.mode), source)
        yield Edge(node, "has_quality", ("quality", each.quality), source)
        yield Edge(node, "has_function", ("function", each.function), source)
        yield Edge(node, "inversion_of", ("numeral", f"{each.mode} {each.numeral}"), source)
        yield Edge(node, "cites", ("source", source.split()[0]), source)
        if each.applied_to is not None:
            target = ("numeral", f"{each.mode} {each.applied_to}")
            yield Edge(node, "applied_to", target, source, derived_by="vocabulary")


def _progressions() -> Iterator[Edge]:
    chords = vocabulary()
    for first, second in np.argwhere(grade_table() > 0):
        before, after = chords[first], chords[second]
        found = may_follow(before, after)
        yield Edge(
            chord_node(before),
            "may_go_to",
            chord_node(after),
            found.source,
            found.text,
            "may_follow",
        )


def _cadences(facts: Facts) -> Iterator[Edge]:
    for name, fact in facts.cadences["kinds"].items():
        yield Edge(("cadence", name), "is_called", ("term", fact["name"]), fact["source"])
    for formula in facts.cadences["formula"]:
        node = ("formula", formula["id"])
        yield Edge(node, "makes", ("cadence", formula["kind"]), formula["source"])
        for mode in ("major", "minor"):
            for place, symbol in enumerate(formula.get(mode, ()), 1):
                yield Edge(node, f"stage_{place}", ("chord", f"{mode} {symbol}"), formula["source"])


def _keys() -> Iterator[Edge]:
    tonics = ["C", "G", "D", "A", "E", "B", "F#", "C#", "F", "Bb", "Eb", "Ab", "Db", "Gb", "Cb"]
    homes = [Key.parse(f"{tonic} major") for tonic in tonics]
    for home in (*homes, *(home.relative for home in homes)):
        for near in related_keys(home):
            if near.key != home:
                yield Edge(
                    ("key", home.name),
                    near.relation,
                    ("key", near.key.name),
                    near.source,
                    f"{near.share:g}% of cadences",
                    "related_keys",
                )


def _rules() -> Iterator[Edge]:
    for rule in rules().values():
        node = ("rule", rule.id)
        for style, severity in rule.severity.items():
            yield Edge(node, "severity", ("style", style), rule.cites[0], severity)
        for cite in rule.cites:
            yield Edge(node, "cites", ("source", cite.split()[0]), cite)


def evidence(before: Chord, after: Chord) -> tuple[Edge, ...]:
    """The statements that license one chord after another: functions, the step, its source."""
    graph = knowledge_graph()
    first, second = chord_node(before), chord_node(after)
    wanted = ((first, "has_function"), (second, "has_function"))
    found = [edge for node, relation in wanted for edge in _out(graph, node, relation)]
    step = [edge for edge in _out(graph, first, "may_go_to") if edge.object == second]
    return (*found[:1], *step, *found[1:])


def _out(graph: nx.MultiDiGraph[Node], node: Node, relation: str) -> list[Edge]:
    return [
        Edge(node, relation, other, data["source"], data["text"], data["derived_by"])
        for _, other, key, data in graph.out_edges(node, keys=True, data=True)
        if key == relation
    ]
