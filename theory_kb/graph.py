"""The knowledge graph: facts and what follows from them as one networkx multigraph.

Nodes are (kind, name) pairs, such as ("chord", "major V7") or ("function", "D"); every edge has a
`relation` and a `source`. Stored statements fill the graph; what follows from them in a concrete key
is derived when it is asked for (`neighbours`, `evidence`) and carries `derived_by`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import networkx as nx

from theory_kb.catalogue import catalogue, check_rule_names
from theory_kb.chords import Chord
from theory_kb.derived import derived_edges, is_derived_node, licence
from theory_kb.errors import MusegenError
from theory_kb.rules.records import rules
from theory_kb.statements import Edge, Node, edge_text, node_text
from theory_kb.stored import chord_node, stored_edges, stored_nodes

__all__ = [
    "Edge",
    "Node",
    "UnknownNodeError",
    "chord_node",
    "describe",
    "evidence",
    "find_node",
    "knowledge_graph",
    "neighbours",
    "path_between",
    "statements",
    "statistics",
]


class UnknownNodeError(MusegenError):
    """A node that the graph does not have."""


@cache
def knowledge_graph() -> nx.MultiDiGraph[Node]:
    """The graph of all stored statements; the same object at each call, not to be changed."""
    check_rule_names(catalogue(), rules())
    graph: nx.MultiDiGraph[Node] = nx.MultiDiGraph()
    for edge in stored_edges():
        graph.add_edge(edge.subject, edge.object, **_attributes(edge))
    for node, values in stored_nodes():
        graph.add_node(node, **values)
    return nx.freeze(graph)


def _attributes(edge: Edge) -> dict[str, Any]:
    return {
        "relation": edge.relation,
        "source": edge.source,
        "text": edge.text,
        "derived_by": edge.derived_by,
        **edge.attributes,
    }


FIXED = ("relation", "source", "text", "derived_by")


def _edge(subject: Node, other: Node, data: Mapping[str, Any]) -> Edge:
    rest = {name: value for name, value in data.items() if name not in FIXED}
    return Edge(
        subject, data["relation"], other, data["source"], data["text"], data["derived_by"], rest
    )


def statements(node: Node, *relations: str) -> tuple[Edge, ...]:
    """What is stored of a node as subject: all of it, or some relations."""
    graph = knowledge_graph()
    if node not in graph:
        return ()
    return tuple(
        _edge(node, other, data)
        for _, other, data in graph.out_edges(node, data=True)
        if not relations or data["relation"] in relations
    )


def neighbours(node: Node) -> tuple[Edge, ...]:
    """All statements about a node: stored both ways, and derived ones."""
    graph = knowledge_graph()
    inward: Iterable[Any] = graph.in_edges(node, data=True) if node in graph else ()
    incoming = [_edge(other, node, data) for other, _, data in inward]
    return (*statements(node), *derived_edges(node), *incoming)


def evidence(before: Chord, after: Chord) -> tuple[Edge, ...]:
    """The statements that license one chord after another: functions, the step, its source."""
    first, second = chord_node(before), chord_node(after)
    functions = [statements(node, "has_function")[:1] for node in (first, second)]
    return (*functions[0], *licence(before, after), *functions[1])


# --- finding nodes --------------------------------------------------------------------------


def find_node(text: str) -> Node:
    """The node of a text such as `rule:parallel-fifth`, `cad-pac` or an alias of a term.

    Raises:
        UnknownNodeError: no node, or several, have that name; names the nearest.
    """
    kind, colon, name = text.partition(":")
    graph = knowledge_graph()
    if colon and ((kind, name) in graph or is_derived_node((kind, name))):
        return kind, name
    found = _names().get(text.casefold(), ())
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(node_text(node) for node in found)
        raise UnknownNodeError(f"{text!r} names several nodes: {several}")
    raise UnknownNodeError(f"unknown node {text!r}{_suggestions(text)}")


def _suggestions(text: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(text.casefold(), _names(), n=3, cutoff=0.5)
    names = [repr(node_text(_names()[name][0])) for name in dict.fromkeys(near)]
    return f"; did you mean {' or '.join(names)}?" if names else ""


REMARKS = ("cadence-clauses", "norm", "substitute", "mark", "doubling")


@cache
def _names() -> Mapping[str, tuple[Node, ...]]:
    """Nodes by kind and name, by name and alias; remarks on other nodes have no name of their own."""
    found: dict[str, list[Node]] = {}
    for node, values in knowledge_graph().nodes(data=True):
        short = () if node[0] in REMARKS else (node[1], *values.get("aliases", ()))
        for name in {node_text(node), *short}:
            found.setdefault(name.casefold(), []).append(node)
    return {name: tuple(nodes) for name, nodes in found.items()}


# --- paths and counts -----------------------------------------------------------------------


def path_between(start: Node, goal: Node) -> tuple[Edge, ...]:
    """A shortest chain of stored statements from one node to another, read either way.

    Sources and styles join almost everything, so a chain does not run through them.

    Raises:
        UnknownNodeError: nothing joins the two.
    """
    came: dict[Node, Edge | None] = {start: None}
    waiting = deque([start])
    while waiting and goal not in came:
        node = waiting.popleft()
        if node[0] in HUBS and node != start:
            continue
        for edge in neighbours(node):
            other = edge.object if edge.subject == node else edge.subject
            if other not in came:
                came[other] = edge
                waiting.append(other)
    if goal not in came:
        raise UnknownNodeError(f"nothing joins {node_text(start)} and {node_text(goal)}")
    return tuple(reversed(list(_back(came, goal))))


HUBS = ("source", "style", "scale", "function", "author")


def _back(came: Mapping[Node, Edge | None], goal: Node) -> Iterator[Edge]:
    node = goal
    while (edge := came[node]) is not None:
        yield edge
        node = edge.subject if edge.object == node else edge.object


def describe(node: Node) -> list[str]:
    """A node in lines: its name, its attributes, the statements about it."""
    graph = knowledge_graph()
    values = graph.nodes[node] if node in graph else {}
    lines = [node_text(node)]
    lines += [f"  {name}: {_listed(value)}" for name, value in values.items()]
    return [*lines, *(f"  {edge_text(edge)}" for edge in neighbours(node))]


def _listed(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def statistics() -> dict[str, dict[str, int]]:
    """How many nodes of each kind and edges of each relation are stored."""
    graph = knowledge_graph()
    kinds = Counter(kind for kind, _ in graph)
    relations = Counter(data["relation"] for _, _, data in graph.edges(data=True))
    return {
        "nodes": {"all": len(graph), **dict(sorted(kinds.items()))},
        "edges": {"all": graph.number_of_edges(), **dict(sorted(relations.items()))},
    }
