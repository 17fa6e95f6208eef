"""The graph as files of other tools: GraphML, and RDF in Turtle.

The terms of the RDF are explained in docs/reference/ontology.md. Each statement is a triple of its
own; a reified statement beside it carries its source and text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import networkx as nx
from rdflib import RDF, RDFS, Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, Namespace

from theory_kb.errors import UnknownNameError
from theory_kb.graph import knowledge_graph
from theory_kb.statements import Node, node_text

__all__ = ["FORMATS", "export", "graphml", "turtle"]

ONTOLOGY = Namespace("urn:musegen:ontology:")
NODES = "urn:musegen:node:"
STATEMENTS = "urn:musegen:statement:"


def graphml() -> bytes:
    """The stored graph as GraphML; lists and tables of attributes are JSON texts."""
    flat: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph = knowledge_graph()
    for node, values in graph.nodes(data=True):
        flat.add_node(node_text(node), kind=node[0], label=node[1], **_plain(values))
    for subject, other, data in graph.edges(data=True):
        flat.add_edge(node_text(subject), node_text(other), **_plain(data))
    buffer = BytesIO()
    nx.write_graphml(flat, buffer)
    return buffer.getvalue()


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that GraphML knows; what is empty is left out."""
    clash = {"kind": "kind_of", "label": "label_of"}
    return {
        clash.get(name, name): _scalar(value) for name, value in values.items() if value is not None
    }


def _scalar(value: Any) -> Any:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def turtle() -> bytes:
    """The stored graph as RDF in Turtle."""
    rdf = Graph()
    rdf.bind("mg", ONTOLOGY)
    rdf.bind("dcterms", DCTERMS)
    graph = knowledge_graph()
    for node, values in graph.nodes(data=True):
        subject = _uri(node)
        rdf.add((subject, RDF.type, ONTOLOGY[_class(node[0])]))
        rdf.add((subject, RDFS.label, Literal(node[1])))
        for name, value in values.items():
            rdf.add((subject, ONTOLOGY[_camel(name)], Literal(_scalar(value))))
    for number, (one, other, data) in enumerate(graph.edges(data=True), 1):
        _add_statement(
            rdf, number, (_uri(one), ONTOLOGY[_camel(data["relation"])], _uri(other)), data
        )
    return rdf.serialize(format="turtle", encoding="utf-8")


def _add_statement(
    rdf: Graph, number: int, triple: tuple[URIRef, URIRef, URIRef], data: Mapping[str, Any]
) -> None:
    rdf.add(triple)
    node = URIRef(f"{STATEMENTS}{number}")
    parts = zip((RDF.subject, RDF.predicate, RDF.object), triple, strict=True)
    for predicate, value in parts:
        rdf.add((node, predicate, value))
    rdf.add((node, RDF.type, RDF.Statement))
    rdf.add((node, DCTERMS.source, Literal(data["source"])))
    if data["text"]:
        rdf.add((node, RDFS.comment, Literal(data["text"])))


def _uri(node: Node) -> URIRef:
    return URIRef(f"{NODES}{node[0]}:{_escaped(node[1])}")


def _escaped(text: str) -> str:
    """A text as part of a name of RDF: what is no plain letter or digit as percent signs."""
    plain = (
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"%{byte:02X}"
        for byte in text.encode()
    )
    return "".join(plain)


def _class(kind: str) -> str:
    """Name of the class of a kind: `phrase-function` is PhraseFunction."""
    return "".join(word.capitalize() for word in kind.split("-"))


def _camel(name: str) -> str:
    """Name of a property: `may_follow` is mayFollow."""
    first, *rest = name.replace("-", "_").split("_")
    return first + "".join(word.capitalize() for word in rest)


FORMATS: Mapping[str, Callable[[], bytes]] = {"graphml": graphml, "turtle": turtle}


def export(name: str) -> bytes:
    """The stored graph in a format; raises UnknownNameError."""
    if name not in FORMATS:
        raise UnknownNameError("format", name, FORMATS)
    return FORMATS[name]()
