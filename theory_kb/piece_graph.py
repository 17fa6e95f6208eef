"""A piece as a graph of its own: events, what they sound with, their harmony, the rules they break.

Nodes are (kind, name) pairs as in the knowledge graph, whose nodes the rules and chords are; the
events are named by their place. Everything here is derived from one piece and one check of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from typing import Any

import networkx as nx
import numpy as np

import theory_kb.rules.piece
from theory_kb.answers import QuestionError
from theory_kb.check import Report, check, load_style
from theory_kb.chords import every_chord
from theory_kb.moment import MAX_VOICES, REST, UNKNOWN, Moments
from theory_kb.pitch import Pitch
from theory_kb.rules.examples import read_piece
from theory_kb.rules.piece import LineNote, Piece, line_notes
from theory_kb.statements import Edge, Node
from theory_kb.stored import chord_node

__all__ = ["choice_statements", "piece_graph", "piece_statements", "voice_leading"]

MAKER = "piece_statements"


def piece_graph(piece: theory_kb.rules.piece.Piece, report: Report) -> nx.MultiDiGraph[Node]:
    """The graph of a piece; `report` is what a check of it found."""
    graph: nx.MultiDiGraph[Node] = nx.MultiDiGraph()
    for edge in piece_statements(piece, report):
        graph.add_edge(edge.subject, edge.object, relation=edge.relation, text=edge.text)
    return graph


def piece_statements(piece: Piece, report: Report) -> Iterator[Edge]:
    """Every statement of a piece."""
    lines = [line_notes(piece, voice) for voice in range(len(piece.voices))]
    yield from _events(piece, lines)
    yield from _together(piece, lines)
    if piece.harmonic is not None:
        yield from _harmonies(piece, piece.harmonic, lines)
    yield from _violations(piece, report, lines)


def _edge(subject: Node, relation: str, other: Node, text: str = "") -> Edge:
    return Edge(subject, relation, other, "the piece", text, MAKER)


def _note(piece: Piece, voice: int, note: LineNote) -> Node:
    onset = int(piece.surface["onset"][note.start])
    return "note-event", f"{piece.voices[voice]} {Pitch(note.step, note.semitone)} at {onset}"


Lines = list[list[LineNote]]


def _events(piece: Piece, lines: Lines) -> Iterator[Edge]:
    for voice, line in enumerate(lines):
        for note in line:
            yield _edge(("piece", "this"), "has_event", _note(piece, voice, note))
        for one, other in pairwise(line):
            yield _edge(_note(piece, voice, one), "next", _note(piece, voice, other))


def _together(piece: Piece, lines: Lines) -> Iterator[Edge]:
    for (upper, one), (lower, other) in combinations(enumerate(lines), 2):
        for first in one:
            for second in other:
                if first.start < second.stop and second.start < first.stop:
                    pair = _note(piece, upper, first), _note(piece, lower, second)
                    yield _edge(pair[0], "sounds_with", pair[1])


def _harmonies(piece: Piece, harmonic: Moments, lines: Lines) -> Iterator[Edge]:
    """The chord of each span, and that of each note when it begins."""
    onsets = harmonic["onset"]
    events = [_chord_event(moment) for moment in harmonic]
    for one, other in pairwise(events):
        yield _edge(one, "next", other)
    for event, moment in zip(events, harmonic, strict=True):
        if moment["chord"] != UNKNOWN:
            yield _edge(event, "instance_of", chord_node(every_chord()[int(moment["chord"])]))
    for voice, line in enumerate(lines):
        for note in line:
            place = int(np.searchsorted(onsets, piece.surface["onset"][note.start], "right")) - 1
            yield _edge(_note(piece, voice, note), "harmonised_by", events[max(0, place)])


def _chord_event(moment: np.void) -> Node:
    known = moment["chord"] != UNKNOWN
    symbol = every_chord()[int(moment["chord"])].symbol if known else "unknown"
    return "chord-event", f"{symbol} at {int(moment['onset'])}"


def _violations(piece: Piece, report: Report, lines: Lines) -> Iterator[Edge]:
    for number, finding in enumerate(report.findings, 1):
        node = ("violation", f"{number} {finding.rule}")
        yield _edge(node, "explained_by", ("rule", finding.rule), finding.message)
        for voice in finding.voices:
            note = _sounding(piece, lines[voice], finding.onset)
            if note is not None:
                yield _edge(_note(piece, voice, note), "violates", node)


def _sounding(piece: Piece, line: list[LineNote], onset: int) -> LineNote | None:
    moments = piece.surface["onset"]
    place = int(np.searchsorted(moments, onset, "right")) - 1
    found = [note for note in line if note.start <= place < note.stop and note.semitone != REST]
    return found[0] if found else None


def choice_statements(document: Mapping[str, Any]) -> Iterator[Edge]:
    """Why each note of a composed piece was chosen, from its explanation record."""
    for note in document["notes"]:
        node = ("decision", note["id"])
        for reason in note["reasons"]:
            because = ("reason", reason["text"])
            yield Edge(node, "chosen_because", because, reason["source"], "", "choice_statements")
        for name in note["rules"]:
            yield Edge(node, "chosen_because", ("rule", name), name, "", "choice_statements")


def voice_leading(before: str, after: str, style: str = "strict") -> Edge:
    """The statement that one voicing leads to another, with its cost in a style and what it breaks.

    Voicings are pitches from the highest voice down, such as `C5 G4 E4 C3`.

    Raises:
        QuestionError: the voicings are not of one number of voices, two to eight.
    """
    upper, lower = before.split(), after.split()
    if len(upper) != len(lower) or not 2 <= len(upper) <= MAX_VOICES:
        raise QuestionError(f"two voicings of 2 to {MAX_VOICES} voices, got {before!r}, {after!r}")
    lines = (
        f"{place}: {one} {two}" for place, (one, two) in enumerate(zip(upper, lower, strict=True))
    )
    judge = load_style(style)
    report = check(read_piece(" | ".join(lines)), judge)
    names = [
        name
        for each in report.findings
        if each.start != each.onset
        for name in (each.rule, *each.also)
    ]
    cost = sum(judge.cost(name) for name in names)
    text = f"cost {cost:g}, breaks {', '.join(names) or 'nothing'}"
    attributes = {"cost": cost, "violates": tuple(names)}
    pair = ("voicing", before), ("voicing", after)
    return Edge(pair[0], "voice_leads_to", pair[1], style, text, "voice_leading", attributes)
