"""Cadences: the classifier's kinds one by one, and the rules with their exceptions and parameters."""

from __future__ import annotations

import pytest

from theory_kb.cadences import cadence_kinds, cadence_name, cadence_strength, further_cadences
from theory_kb.errors import UnknownNameError
from theory_kb.rules.examples import findings, read_piece
from theory_kb.rules.phrase import cadence_content, cadence_kind, cadence_modifiers, cadences
from theory_kb.rules.records import rule

MAJOR, MINOR = "key: C major | chords: ", "key: A minor | chords: "

KINDS = [  # the example, the kind of its last phrase
    (MAJOR + "V7 I | S: D5 C5 | B: G3 C3", "cad-pac"),
    (MAJOR + "V7 I | S: D5 E5 | B: G3 C3", "cad-iac-soprano"),
    (MAJOR + "V I6 | S: D5 C5 | B: G3 E3", "cad-iac-inverted"),
    (MAJOR + "V43 I | S: B4 C5 | A: F4 E4 | B: D3 C3", "cad-iac-inverted"),
    (MAJOR + "viio6 I | S: B4 C5 | A: F4 E4 | B: D3 C3", "cad-iac-vii"),
    (MAJOR + "IV V | S: C5 B4 | B: F3 G3", "cad-hc"),
    (MAJOR + "ii6 V | S: D5 D5 | B: F3 G3", "cad-hc"),
    (MAJOR + "V65/V V | S: C5 B4 | B: F#3 G3", "cad-hc"),
    (MAJOR + "cad64 V | S: E5 D5 | B: G3 G3", "cad-hc"),
    (MAJOR + "I V6 V | S: C5 D5 D5 | B: C3 B2 G2", "cad-hc"),
    (MAJOR + "Ger65 V | S: F#5 G5 | A: Eb5 D5 | B: Ab3 G3", "cad-hc"),
    (MINOR + "iv6 V | S: D5 E5 | B: F3 E3", "cad-phrygian"),
    (MINOR + "iv6 V | S: A4 G#4 | B: F3 E3", "cad-phrygian"),
    (MINOR + "iv6 V | S: A4 B4 | B: F3 E3", "cad-phrygian"),
    (MINOR + "iv6 V | S: D5 B4 | B: F3 E3", "cad-hc"),
    (MINOR + "iv V | S: D5 E5 | B: D3 E3", "cad-hc"),
    (MAJOR + "IV I | S: C5 C5 | B: F3 C3", "cad-plagal"),
    (MAJOR + "iv I | S: C5 C5 | B: F3 C3", "cad-plagal"),
    (MAJOR + "ii65 I | S: C5 C5 | B: F3 C3", "cad-plagal"),
    (MAJOR + "ii6 I | S: D5 C5 | B: F3 C3", None),
    (MAJOR + "V7 vi | S: B4 C5 | B: G3 A3", "cad-deceptive"),
    (MINOR + "V7 VI | S: B4 A4 | B: E3 F3", "cad-deceptive"),
    (MAJOR + "V bVI | S: B4 C5 | B: G3 Ab3", "cad-deceptive"),
    (MAJOR + "V IV6 | S: B4 C5 | B: G3 A3", "cad-deceptive"),
    (MAJOR + "V6 vi | S: D5 C5 | B: B2 A2", None),
    (MAJOR + "V V42 I6 | S: D5 D5 C5 | B: G3 F3 E3", "cad-evaded"),
    (MAJOR + "cad64 V42 I6 | S: E5 D5 C5 | B: G3 F3 E3", "cad-evaded"),
    (MAJOR + "IV V42 I6 | S: C5 D5 C5 | B: F3 F3 E3", "cad-iac-inverted"),
    (MAJOR + "V V65 I | S: D5 D5 C5 | B: G3 B3 C4", "cad-abandoned"),
    (MAJOR + "IV V65 I | S: C5 D5 C5 | B: F3 B2 C3", "cad-iac-inverted"),
    (MAJOR + "iii V | S: G4 G4 | B: E3 G3", "cad-dominant-arrival"),
    (MAJOR + "V V6 V | S: D5 D5 D5 | B: G3 B3 G3", "cad-dominant-arrival"),
    (MAJOR + "viio6 I | S: B4 C5 | B: D4 C4", "cad-clausula-vera"),
    (MAJOR + "V IV I | S: D5 C5 C5 | B: G3 F3 C3", "cad-rock"),
    (MAJOR + "bVII I | S: D5 C5 | B: Bb2 C3", "cad-rock"),
    (MAJOR + "IV I | devices: rock | S: C5 C5 | B: F3 C3", "cad-rock"),
    (MINOR + "VII i | S: B4 A4 | B: G3 A3", None),
    (MINOR + "VII i | devices: rock | S: B4 A4 | B: G3 A3", "cad-rock"),
    (MAJOR + "I vi | S: C5 C5 | B: C3 A2", None),
    (MAJOR + "I vi | devices: loop | S: C5 C5 | B: C3 A2", "cad-loop"),
    (MAJOR + "I V7 | S: C5 F5 | B: C3 G3", None),
    (MAJOR + "d:iiø65 C:V I | S: D5 D5 C5 | A: Bb4 G4 E4 | B: G3 G3 C3", "cad-pac"),
]


@pytest.mark.parametrize(("example", "kind"), KINDS)
def test_kind_of_the_last_phrase(example: str, kind: str | None) -> None:
    """Each line of the table of cadences is told by its own clauses."""
    assert cadences(read_piece(example))[-1].kind == kind


def test_a_new_phrase_in_place_of_the_arrival_evades() -> None:
    """A six-four that ends a phrase is evaded, unless the tonic comes after all."""
    text = MAJOR + "ii6 cad64 {} V | marks: . e b ef | S: D5 E5 {} B4 | B: F3 G3 {} G3"
    evaded = read_piece(text.format("vi", "C5", "A3"))
    assert [each.kind for each in cadences(evaded)] == ["cad-evaded", "cad-hc"]
    reached = read_piece(text.format("I", "C5", "C3"))
    assert cadences(reached)[0].kind is None


def test_inside_a_phrase_the_arrival_must_not_be_weaker() -> None:
    """V on the beat and I after it close only where the phrase ends."""
    moments = read_piece(MAJOR + "V I | S: B4 C5 | B: G3 C3").harmonic
    assert moments is not None
    assert cadence_kind(moments[0], moments[1]) == "cad-pac"
    assert cadence_kind(moments[0], moments[1], ends=False) is None


MODIFIERS = [
    (MINOR + "V I | S: G#4 A4 | A: E4 C#4 | B: E3 A2", ("cad-picardy",)),
    (MINOR + "V i | S: G#4 A4 | A: E4 C4 | B: E3 A2", ()),
    (MAJOR + "V _ I | S: B4 A4 C5 | A: G4 _ E4 | B: G3 _ C3", ("cad-under-third",)),
    (MAJOR + "V I | S: D5 C5 | A: G4 E4 | B: G3 C3", ()),
]


@pytest.mark.parametrize(("example", "names"), MODIFIERS)
def test_modifiers_of_a_close(example: str, names: tuple[str, ...]) -> None:
    """Major tonic of minor; leading tone, sixth degree, tonic in the soprano."""
    piece = read_piece(example)
    assert cadence_modifiers(piece, cadences(piece)[-1]) == names


CONTENTS = [
    (MAJOR + "ii6 V I | S: D5 B4 C5 | B: F3 G3 C3", "simple"),
    (MAJOR + "ii6 cad64 V I | S: D5 E5 D5 C5 | B: F3 G3 G2 C3", "compound"),
    (MAJOR + "V _ I | S: D5 D5 C5 | A: C5 B4 G4 | B: G3 G3 C3", "compound"),
    (MAJOR + "V V7 I | S: G5 F5 E5 | B: G3 G3 C3", "compound"),
    (MAJOR + "V cad64 V I | S: D5 E5 D5 C5 | B: G3 G3 G3 C3", "double"),
    (MAJOR + "viio6 I | S: B4 C5 | A: F4 E4 | B: D3 C3", ""),
]


@pytest.mark.parametrize(("example", "content"), CONTENTS)
def test_content_over_the_dominant(example: str, content: str) -> None:
    """Simple; compound with 6/4-5/3, 4-3 or 8-7; double with 5/3-6/4-5/3."""
    piece = read_piece(example)
    assert cadence_content(piece, cadences(piece)[-1]) == content


def test_without_harmony_only_the_clausula_vera_is_told() -> None:
    """A sixth that opens to the octave by contrary steps, between any voice and the lowest."""
    assert cadences(read_piece("S: D5 C#5 D5 | B: F4 E4 D4"))[0].kind == "cad-clausula-vera"
    three = "S: A5 A5 A5 | A: D5 C#5 D5 | B: F4 E4 D4"
    assert cadences(read_piece(three))[0].kind == "cad-clausula-vera"
    assert cadences(read_piece("S: D5 C5 D5 | B: F4 E4 D4"))[0].kind is None
    assert cadences(read_piece("S: D5 | B: D4"))[0].kind is None


def test_strengths_and_names_of_all_kinds() -> None:
    """Sixteen kinds, each with a name; the perfect cadence and the clausula vera close most."""
    kinds = (*cadence_kinds(), *further_cadences())
    assert len(kinds) == len(set(kinds)) == 16
    assert all(cadence_name(kind) for kind in kinds)
    strongest = {kind for kind in kinds if cadence_strength(kind) == 10}
    assert strongest == {"cad-pac", "cad-clausula-vera"}
    with pytest.raises(UnknownNameError, match="cad-nothing"):
        cadence_strength("cad-nothing")


# ------------------------------------------------------------------------------------- the rules

TWICE = "marks: . e b ef"
FULL = "S: B4 C5 | A: G4 G4 | T: D4 E4 | B: G3 C3"

CASES = [
    (
        "cadence-order",
        "half cadence, then perfect",
        MAJOR + "I V V I | marks: . e b ef | units: antecedent 0-2, consequent 2-4 "
        "| S: E5 D5 B4 C5 | B: C3 G3 G3 C3",
        False,
    ),
    (
        "cadence-order",
        "equal closes",
        MAJOR + "V I V I | marks: . e b ef | units: antecedent 0-2, consequent 2-4 "
        "| S: B4 C5 B4 C5 | B: G3 C3 G3 C3",
        True,
    ),
    (
        "cadence-order",
        "units that end inside a phrase, the consequent on a weak beat",
        MAJOR + "I V V I | units: antecedent 0-2, consequent 2-4 | S: E5 D5 B4 C5 | B: C3 G3 G3 C3",
        False,
    ),
    ("cadence-metric", "weak beat", MAJOR + f"V I | {FULL}", True),
    ("cadence-metric", "third beat of four", MAJOR + f"V I | strength: 2 3 | {FULL}", False),
    ("cadence-metric", "feminine ending", MAJOR + f"V I | devices: feminine | {FULL}", False),
    (
        "cadence-half-seventh",
        "inverted is another rule's",
        MAJOR + "I V65 | S: C5 D5 | B: C3 B2",
        False,
    ),
    ("cadence-hc-inverted", "inverted seventh", MAJOR + "I V65 | S: C5 D5 | B: C3 B2", True),
    (
        "cadence-pac-third",
        "modal",
        MAJOR + "V I | devices: modal | S: B4 C5 | A: D4 C4 | B: G3 C3",
        False,
    ),
    ("cadence-pac-third", "two voices", MAJOR + "V I | S: B4 C5 | B: G3 C3", False),
    (
        "cadence-pac-third",
        "the third comes while the chord lasts",
        MAJOR + "V I _ | S: B4 C5 C5 | A: G4 F4 E4 | B: G3 C3 C3",
        False,
    ),
    (
        "cadence-deceptive-then",
        "an authentic close in another key",
        MAJOR + f"V vi G:V I | {TWICE} | S: B4 C5 F#4 G4 | B: G3 A3 D3 G3",
        True,
    ),
    (
        "cadence-variety",
        "a half cadence between",
        MAJOR + "V I V I I V V I V I | marks: . e b e b e b e b e "
        "| S: B4 C5 B4 C5 E5 D5 B4 C5 B4 C5 | B: G3 C3 G3 C3 C3 G3 G3 C3 G3 C3",
        False,
    ),
    (
        "cadence-variety",
        "a lower limit",
        MAJOR + f"V I V I | {TWICE} | with: most=1 | S: B4 C5 B4 C5 | B: G3 C3 G3 C3",
        True,
    ),
    ("cadence-prep", "applied dominant", MAJOR + "V65/V V I | S: C5 B4 C5 | B: F#3 G3 C3", False),
    (
        "cadence-prep",
        "six-four between",
        MAJOR + "IV cad64 V I | S: C5 E5 D5 C5 | B: F3 G3 G3 C3",
        False,
    ),
    (
        "cadence-prep",
        "the tonic before",
        MAJOR + "I cad64 V I | S: C5 E5 D5 C5 | B: C3 G3 G3 C3",
        True,
    ),
    ("cadence-prep", "half cadences are left alone", MAJOR + "I V | S: C5 B4 | B: C3 G3", False),
    ("cadence-soprano", "half cadence on the fifth", MAJOR + "I V | S: G4 G4 | B: C3 G3", False),
    ("cadence-soprano", "deceptive on 3", MAJOR + "V vi | S: D5 E5 | B: G3 A3", True),
    (
        "cadence-chorale-phrase",
        "an inverted dominant is another rule's",
        MAJOR + "I V6 | marks: . ef | S: C5 D5 | B: C3 B2",
        False,
    ),
    (
        "cadence-final",
        "the last chord but one is not known",
        MAJOR + "? I | S: B4 C5 | B: G3 C3",
        False,
    ),
    ("cadence-final", "the last chord is not known", MAJOR + "V ? | S: B4 C5 | B: G3 C3", False),
    (
        "cadence-chorale-phrase",
        "an end that is not known",
        MAJOR + "I ? | S: C5 D5 | B: C3 F3",
        False,
    ),
    (
        "cadence-final",
        "species in three voices",
        MAJOR + "viio6 I | species: S=1 A=1 | S: F5 E5 | A: B4 C5 | B: D4 C4",
        False,
    ),
    (
        "cadence-final",
        "the same undeclared",
        MAJOR + "viio6 I | S: F5 E5 | A: B4 C5 | B: D4 C4",
        True,
    ),
    (
        "cadence-final",
        "species close on the clausula vera",
        MAJOR + "viio6 I | species: S=1 | S: B4 C5 | B: D4 C4",
        False,
    ),
    (
        "cadence-final",
        "half cadence in minor",
        MINOR + "iv V | with: perfect_only=0 | S: D5 E5 | B: D3 E3",
        False,
    ),
    (
        "cadence-final",
        "half cadence in major",
        MAJOR + "IV V | with: perfect_only=0 | S: C5 B4 | B: F3 G3",
        True,
    ),
]


@pytest.mark.parametrize(("name", "shows", "example", "speaks"), CASES)
def test_exceptions_of_cadence_rules(name: str, shows: str, example: str, speaks: bool) -> None:
    """A rule keeps silent in its exceptions, and speaks beside them."""
    marked = example if "marks:" in example else f"{example} | marks: {_ends(example)}"
    assert bool(findings(rule(name), marked)) == speaks, shows


def _ends(example: str) -> str:
    """Marks of one phrase as long as an example."""
    count = len(example.partition("chords: ")[2].partition(" |")[0].split())
    return " ".join([*["."] * (count - 1), "ef"])


def test_one_open_end_is_reported_once() -> None:
    """The rules on open ends are one family: the first speaks, the others are attached."""
    ids = (
        "cadence-half-seventh",
        "cadence-hc-inverted",
        "syntax-closing",
        "cadence-chorale-phrase",
    )
    families = {rule(name).family for name in (*ids, "chorale-phrase-fermata")}
    assert families == {"close"}
    assert len({rule(name).rank for name in ids[1:]}) == 3
