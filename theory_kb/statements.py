"""Statements: what the graph is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["VERBS", "Edge", "Node", "edge_text", "node_text"]

Node = tuple[str, str]  # kind, name

VERBS: Mapping[str, str] = {  # relations that do not read as they are written
    "may_follow": "may be followed by",
    "may_go_to": "may go to",
    "built_on": "is built on",
    "in_mode": "is of",
    "related_key": "is a near key of",
    "severity": "is weighed in",
    "excepted_by": "does not hold for",
    "treats_by": "goes by",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """One statement of the graph."""

    subject: Node
    relation: str
    object: Node
    source: str
    text: str = ""
    derived_by: str = ""  # function it follows from; empty if it is stored
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self) -> str:
        """The statement in words."""
        plain = f"{self.subject[1]} {self.relation.replace('_', ' ')} {self.object[1]}"
        return f"{plain}: {self.text}" if self.text else plain


def node_text(node: Node) -> str:
    """A node as it is printed and typed: `chord:major V7`."""
    return f"{node[0]}:{node[1]}"


def edge_text(edge: Edge) -> str:
    """A statement with its kinds, source and origin, on one line."""
    verb = VERBS.get(edge.relation, edge.relation.replace("_", " "))
    origin = f"{edge.source}; derived by {edge.derived_by}" if edge.derived_by else edge.source
    text = f": {edge.text}" if edge.text else ""
    return f"{node_text(edge.subject)} {verb} {node_text(edge.object)}{text} [{origin}]"
