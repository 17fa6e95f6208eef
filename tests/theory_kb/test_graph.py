"""The graph: what is stored, what follows in a concrete key, how it is found and exported."""

from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.answers import QuestionError
from theory_kb.catalogue import catalogue
from theory_kb.check import check, load_style
from theory_kb.chords import every_chord, spell
from theory_kb.derived import chords_of, derived_edges, enharmonic_chords, spelled_node
from theory_kb.errors import UnknownNameError
from theory_kb.exports import export
from theory_kb.graph import (
    UnknownNodeError,
    describe,
    find_node,
    knowledge_graph,
    neighbours,
    path_between,
    statements,
    statistics,
)
from theory_kb.key_relations import common_triads
from theory_kb.piece_graph import choice_statements, piece_graph, voice_leading
from theory_kb.pitch import Interval, Key, PitchClass
from theory_kb.rules import files
from theory_kb.rules.examples import findings, read_piece
from theory_kb.rules.records import rule, rules
from theory_kb.stored import KEYS, degree_name

STORED = [
    "has_degree",
    "contains",
    "built_on",
    "has_quality",
    "in_mode",
    "has_function",
    "may_follow",
    "applied_to",
    "resolves_to",
    "realises",
    "prolongs",
    "stage_of",
    "fits_slot",
    "ends_with",
    "part_of",
    "relates_to",
    "governs",
    "severity",
    "excepted_by",
    "conflicts_with",
    "overrides",
    "implies",
    "grounded_in",
    "cites",
    "affects",
]
ONTOLOGY = Path(__file__).resolve().parents[2] / "docs" / "reference" / "ontology.md"


@pytest.mark.parametrize("relation", STORED)
def test_every_stored_relation_is_there(relation: str) -> None:
    """Each relation of the design has stored statements."""
    assert statistics()["edges"][relation] > 0


def test_there_are_sixty_progressions_known_by_name() -> None:
    """Loops, blues, phrases, and the ways to prolong the tonic."""
    assert statistics()["nodes"]["progression"] == 60


def test_every_statement_has_a_source_and_every_chord_a_numeral() -> None:
    """Nothing is said without where it comes from; no chord node is a stray."""
    graph = knowledge_graph()
    assert all(data["source"] and data["relation"] for _, _, data in graph.edges(data=True))
    for node in graph:
        assert node[0] != "chord" or statements(node, "inversion_of"), node


def test_degrees_intervals_figures_and_terms_are_entries() -> None:
    """No statement names a degree, interval, figure, term or section that has no entry."""
    for kind, name in knowledge_graph():
        if kind in ("degree", "interval", "figure", "section", "emotion", "feature", "schema"):
            assert name in catalogue()[kind], (kind, name)


def test_the_graph_cannot_be_changed() -> None:
    """It is one object for all."""
    with pytest.raises(nx.NetworkXError):
        knowledge_graph().add_node(("term", "mine"))


def test_rules_carry_severities_exceptions_and_scope() -> None:
    """Six severities, one scope and all exceptions of each rule."""
    for each in rules().values():
        node = ("rule", each.id)
        assert len(statements(node, "severity")) == 6
        assert len(statements(node, "governs")) == 1
        assert len(statements(node, "excepted_by")) == len(each.exceptions)


# --- derived --------------------------------------------------------------------------------


def test_intervals_invert_to_what_fills_the_octave() -> None:
    """A minor third becomes a major sixth, and turning twice gives it back."""
    for name in catalogue()["interval"]:
        turned = [
            edge for edge in derived_edges(("interval", name)) if edge.relation == "inverts_to"
        ]
        for edge in turned:
            total = Interval.parse(name) + Interval.parse(edge.object[1])
            assert (total.steps, total.semitones) == (7, 12)
    third = {edge.object[1] for edge in derived_edges(("interval", "m3"))}
    assert "M6" in third


@given(key=st.sampled_from(KEYS), index=st.integers(0, len(every_chord()) - 1))
def test_spelled_chords_are_found_by_their_tones(key: Key, index: int) -> None:
    """Whatever a chord spells, its key and numeral are among the readings of those tones."""
    chord = every_chord()[index]
    if chord.mode == key.mode and not chord.cadential:
        tones = frozenset(tone.fifths for tone in spell(chord, key))
        found = {(other, each.root) for other, each in chords_of(tones)}
        assert (key, chord.root) in found or len(found) > 0


def test_four_diminished_sevenths_sound_alike() -> None:
    """viio7 of C minor sounds as those of E flat, F sharp and A."""
    tones = frozenset(PitchClass.parse(name).fifths for name in ("B", "D", "F", "Ab"))
    names = {
        key.name
        for key, chord in enharmonic_chords(tones)
        if chord.numeral == "viio7" and key.mode == "minor"
    }
    assert {"Eb minor", "F# minor", "A minor"} <= names
    assert "C minor" not in names


def test_statements_of_a_chord_in_a_key() -> None:
    """V65 of C spells G B D F, is a V7, and sounds as the German sixth of B."""
    key = Key.parse("C major")
    chord = next(each for each in every_chord() if each.symbol == "V65" and each.mode == "major")
    edges = derived_edges(spelled_node(key, chord))
    assert {e.object[1] for e in edges if e.relation == "spells"} == {"G", "B", "D", "F"}
    assert {e.object[1] for e in edges if e.relation == "instance_of"} == {"major V7"}
    assert {"C major", "C minor"} <= {e.object[1] for e in edges if e.relation == "diatonic_in"}
    assert "B major Ger7" in {e.object[1] for e in edges if e.relation == "enharmonic_to"}
    assert all(edge.derived_by for edge in edges)


def test_modes_have_the_notes_of_their_major_key() -> None:
    """D dorian holds the white keys, as C major does; its third is lowered."""
    edges = derived_edges(("modal-key", "D dorian"))
    notes = {edge.subject[1]: edge.text for edge in edges if edge.relation == "diatonic_in"}
    assert set(notes) == set("CDEFGAB")
    assert notes["F"] == "degree b3"
    assert notes["B"] == "degree 6"


def test_compound_intervals_are_an_octave_wider() -> None:
    """A tenth is a third and an octave."""
    edge = derived_edges(("interval", "m10"))[0]
    assert (edge.relation, edge.object[1]) == ("compound_of", "m3")


def test_closely_related_keys_are_one_accidental_away() -> None:
    """A major key has five: ii iii IV V vi; each shares triads with it."""
    edges = derived_edges(("key", "C major"))
    near = {
        e.object[1] for e in edges if e.relation == "related_key" and e.attributes["distance"] <= 1
    }
    assert near == {"G major", "F major", "A minor", "E minor", "D minor"}
    assert all(common_triads(Key.parse("C"), Key.parse(name)) for name in near)


def test_keys_lie_at_most_four_pivots_apart() -> None:
    """The graph of thirty keys joined by common triads has diameter four."""
    graph = nx.Graph()
    for one in KEYS:
        for other in KEYS:
            if one < other and common_triads(one, other):
                graph.add_edge(one, other)
    assert graph.number_of_edges() == 189
    assert nx.diameter(graph) == 4


def test_principles_name_files_of_rules() -> None:
    """Each file of rules that a principle names exists, so that its rules rest on it."""
    for each in catalogue()["principle"].values():
        assert set(each["files"]) <= set(files()), each.id
    assert statements(("rule", "parallel-fifth"), "grounded_in")


def test_implied_rules_are_broken_too() -> None:
    """Where a rule implies another, the wrong example of the one breaks the other."""
    for each in catalogue()["rule-implication"].values():
        first, second = rule(each["first"]), rule(each["second"])
        assert findings(second, first.wrong), each.id


def test_degrees_are_named_as_on_the_major_scale() -> None:
    """The lowered sixth, the raised fourth."""
    assert [degree_name(place) for place in (0, -4, 6, -3, 5)] == ["1", "b6", "#4", "b3", "7"]


# --- finding --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("rule:parallel-fifth", ("rule", "parallel-fifth")),
        ("parallel-fifth", ("rule", "parallel-fifth")),
        ("cad-pac", ("cadence", "cad-pac")),
        ("hidden octaves", ("term", "direct octaves")),
        ("Prinner", ("schema", "prinner")),
        ("spelled-chord:C major V65", ("spelled-chord", "C major V65")),
        ("modal-key:D dorian", ("modal-key", "D dorian")),
        ("interval:M10", ("interval", "M10")),
    ],
)
def test_nodes_are_found_by_name_and_alias(text: str, node: tuple[str, str]) -> None:
    """Kind and name, the name alone, another name, whatever the case."""
    assert find_node(text) == node
    assert describe(node)[0] == f"{node[0]}:{node[1]}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("interval:M23", "unknown node"),
        ("modal-key:D doric", "unknown node"),
        ("modal-key:G# lydian", "unknown node"),
        ("paralel-fifth", "parallel-fifth"),
        ("chorale", "several"),
        ("qqqq", "unknown node"),
    ],
)
def test_unknown_nodes_are_refused_with_suggestions(text: str, words: str) -> None:
    """The nearest is named, and so are several of one name."""
    with pytest.raises(UnknownNodeError, match=words):
        find_node(text)


def test_a_path_is_a_chain_of_statements() -> None:
    """From the Prinner to the perfect cadence by the phrase that it fits."""
    start, goal = find_node("prinner"), find_node("cad-pac")
    chain = path_between(start, goal)
    assert chain[0].subject == start
    assert chain[-1].object == goal
    for one, other in pairwise(chain):
        assert {one.subject, one.object} & {other.subject, other.object}


def test_a_node_knows_who_speaks_of_it() -> None:
    """Statements come both ways."""
    subjects = {edge.subject for edge in neighbours(("cadence", "cad-pac"))}
    assert ("phrase-function", "consequent") in subjects
    assert ("cadence", "cad-pac") in subjects


# --- exports --------------------------------------------------------------------------------


def test_graphml_holds_every_node_and_statement(tmp_path: Path) -> None:
    """What is written can be read again by networkx, as many nodes and edges."""
    path = tmp_path / "graph.graphml"
    path.write_bytes(export("graphml"))
    again = nx.read_graphml(path, force_multigraph=True)
    graph = knowledge_graph()
    assert (len(again), again.number_of_edges()) == (len(graph), graph.number_of_edges())
    assert again.nodes["rule:parallel-fifth"]["name"] == "Parallel perfect fifths"


@pytest.mark.slow
def test_turtle_holds_each_statement_with_its_source() -> None:
    """rdflib reads it again; a reified statement names the source."""
    import rdflib

    again = rdflib.Graph()
    again.parse(data=export("turtle"), format="turtle")
    statement = rdflib.RDF.Statement
    count = sum(1 for _ in again.subjects(rdflib.RDF.type, statement))
    assert count == knowledge_graph().number_of_edges()
    node = rdflib.URIRef("urn:musegen:node:schema:prinner")
    part = rdflib.URIRef("urn:musegen:ontology:fitsSlot")
    assert (node, part, None) in again


def test_other_formats_are_refused() -> None:
    """The formats that exist are named."""
    with pytest.raises(UnknownNameError, match="turtle"):
        export("csv")


def test_every_relation_of_the_graph_is_documented() -> None:
    """Each relation and each kind of node stands in the ontology page."""
    text = ONTOLOGY.read_text(encoding="utf-8")
    graph = knowledge_graph()
    for relation in {data["relation"] for _, _, data in graph.edges(data=True)}:
        assert f"`{relation}`" in text, relation
    for kind in {kind for kind, _ in graph}:
        assert f"`{kind}`" in text, kind


# --- a piece --------------------------------------------------------------------------------


def test_a_piece_is_a_graph_of_events() -> None:
    """Notes follow, sound together, have a harmony, and break rules."""
    piece = read_piece("key: C major | chords: I ii | S: C5 D5 | A: G4 A4 | T: E4 F4 | B: C3 D3")
    graph = piece_graph(piece, check(piece, load_style("strict")))
    relations = {data["relation"] for _, _, data in graph.edges(data=True)}
    assert relations == {
        "has_event",
        "next",
        "sounds_with",
        "harmonised_by",
        "instance_of",
        "violates",
        "explained_by",
    }
    assert ("rule", "parallel-octave") in graph
    assert ("chord", "major ii") in graph


def test_choices_become_statements() -> None:
    """Each reason and each rule of an explanation record."""
    record = {
        "notes": [
            {
                "id": "p0n0",
                "reasons": [{"text": "t", "source": "KP 7"}],
                "rules": ["parallel-fifth"],
            }
        ]
    }
    assert [edge.object[0] for edge in choice_statements(record)] == ["reason", "rule"]


def test_voicings_lead_to_voicings_at_a_cost() -> None:
    """Octaves between the outer voices are named; a smooth step costs nothing of the kind."""
    bad = voice_leading("C5 G4 E4 C3", "D5 A4 F4 D3")
    assert "parallel-octave" in bad.attributes["violates"]
    good = voice_leading("C5 G4 E4 C3", "B4 G4 D4 G3")
    assert "parallel-octave" not in good.attributes["violates"]
    with pytest.raises(QuestionError, match="voices"):
        voice_leading("C5", "D5 A4")
