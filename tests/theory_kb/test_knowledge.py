"""Facts, chords, progressions, keys, cadences, and the graph made of them."""

import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.cadences import cadence_formulas, cadence_kinds
from theory_kb.chords import chord, every_chord, read_chord, set_harmony, spell, vocabulary
from theory_kb.errors import FactError, UnknownNameError
from theory_kb.facts import read_facts
from theory_kb.graph import chord_node, evidence, knowledge_graph
from theory_kb.key_relations import pivots, related_keys
from theory_kb.metre import beat_strength, beat_ticks
from theory_kb.moment import TICKS, blank_moments
from theory_kb.pitch import Key, Pitch
from theory_kb.query import grade_table, may_follow, voice_range

MAJOR_TONICS = ["C", "G", "D", "A", "E", "B", "F#", "C#", "F", "Bb", "Eb", "Ab", "Db", "Gb", "Cb"]
KEYS = [Key.parse(f"{tonic} major") for tonic in MAJOR_TONICS]
KEYS += [key.relative for key in KEYS]


def names(symbol: str, key: str) -> list[str]:
    """Spelled names of a chord."""
    parsed = Key.parse(key)
    return [tone.name for tone in spell(chord(parsed.mode, symbol), parsed)]


@pytest.mark.parametrize(
    ("symbol", "key", "tones"),
    [
        ("V7", "C major", ["G", "B", "D", "F"]),
        ("V7", "D minor", ["A", "C#", "E", "G"]),
        ("viio7", "E minor", ["D#", "F#", "A", "C"]),
        ("iiø65", "G minor", ["A", "C", "Eb", "G"]),
        ("V65/ii", "D major", ["B", "D#", "F#", "A"]),
        ("cad64", "F major", ["F", "A", "C"]),
        ("V7/V", "G major", ["A", "C#", "E", "G"]),
        ("VI", "D minor", ["Bb", "D", "F"]),
        ("III+6", "A minor", ["C", "E", "G#"]),
        ("N6", "C minor", ["Db", "F", "Ab"]),
    ],
)
def test_chords_are_spelled_as_in_the_books(symbol: str, key: str, tones: list[str]) -> None:
    """Roman numerals give the textbook's tones, root first."""
    assert names(symbol, key) == tones


def test_no_applied_dominant_of_a_diminished_chord() -> None:
    """V65/ii exists in major, not in minor, where ii is diminished and cannot be a tonic."""
    assert chord("major", "V65/ii").applied_to == "ii"
    with pytest.raises(UnknownNameError, match="V65/ii"):
        chord("minor", "V65/ii")


def test_tendency_tones_of_v43_in_b_flat_minor() -> None:
    """The leading tone is A, the seventh E flat."""
    key, each = Key.parse("Bb minor"), chord("minor", "V43")
    assert each.leading is not None
    assert each.seventh is not None
    assert key.tonic.transposed(each.leading).name == "A"
    assert key.tonic.transposed(each.seventh).name == "Eb"


def test_harmony_is_written_into_moments() -> None:
    """In V65 of C with B2 G3 F4 D5 the voices are fifth, seventh, root and third."""
    moments = blank_moments(1, 4)
    for voice, name in enumerate(("D5", "F4", "G3", "B2")):
        pitch = Pitch.parse(name)
        moments["step"][0, voice], moments["semitone"][0, voice] = pitch.step, pitch.semitone
    set_harmony(moments, chord("major", "V65"), Key.parse("C major"))
    assert moments["member"][0, :4].tolist() == [2, 3, 0, 1]
    assert moments["degree"][0, :4].tolist() == [2, -1, 1, 5]
    assert moments["leading"][0] == 5
    assert moments["inversion"][0] == 1


@pytest.mark.parametrize(
    ("mode", "before", "after", "licensed"),
    [
        ("major", "V", "I", True),
        ("major", "ii6", "V7", True),
        ("major", "V42", "I6", True),
        ("major", "cad64", "V", True),
        ("minor", "iv6", "V", True),
        ("minor", "V7", "VI", True),
        ("major", "V7/V", "V", True),
        ("major", "vi", "ii65", True),
        ("minor", "v6", "iv6", True),
        ("major", "V42", "I", False),
        ("major", "cad64", "ii", False),
        ("major", "V", "ii", False),
        ("major", "V7", "V", False),
        ("major", "IV", "iii6", False),
        ("minor", "V", "iio6", False),
        ("major", "I", "viio", False),
        ("major", "V7/V", "IV", False),
        ("major", "V", "cad64", False),
    ],
)
def test_progressions(mode: str, before: str, after: str, licensed: bool) -> None:
    """What the books teach: dominants resolve, duties of inversions hold, D does not go to S."""
    common = may_follow(chord(mode, before), chord(mode, after)).grade in ("A", "B")
    assert common == licensed


def test_every_chord_leads_somewhere() -> None:
    """No chord of the vocabulary is a dead end, and the table says what the function says."""
    grades = grade_table()
    assert (grades.max(axis=1) > 0).all()
    each, other = chord("major", "ii65"), chord("major", "V")
    assert grades[each.index, other.index] == 3
    assert not grades[each.index, chord("minor", "V").index]


def test_pivots_between_a_minor_and_g_major() -> None:
    """Am is i and ii, Em v and vi, C III and IV, G VII and I; predominant readings come first."""
    found = {
        (pivot.before.symbol, pivot.after.symbol)
        for pivot in pivots(Key.parse("A minor"), Key.parse("G major"))
    }
    assert found == {("i", "ii"), ("v", "vi"), ("III", "IV"), ("VII", "I")}


def test_pairs_of_keys_with_a_common_triad() -> None:
    """Among the thirty keys 189 pairs share at least one triad (minor: natural, V and viio)."""
    pairs = [(one, other) for place, one in enumerate(KEYS) for other in KEYS[place + 1 :]]
    assert len(KEYS) == 30
    assert sum(bool(pivots(one, other)) for one, other in pairs) == 189
    assert not pivots(Key.parse("C major"), Key.parse("Eb major"))


def test_keys_near_home() -> None:
    """From D minor Bach goes first to F major; from C major to G."""
    assert related_keys(Key.parse("D minor"))[1].key == Key.parse("F major")
    assert related_keys(Key.parse("C major"))[1].key == Key.parse("G major")


def test_cadence_formulas_end_where_their_kind_says() -> None:
    """Authentic cadences arrive on the tonic, half ones on the dominant, deceptive ones on the sixth."""
    arrivals = {"cad-hc": ("V", "V"), "cad-phrygian": ("V", "V"), "cad-deceptive": ("vi", "VI")}
    for kind in cadence_kinds():
        assert cadence_formulas(kind, "minor"), kind
        for place, mode in enumerate(("major", "minor")):
            for formula in cadence_formulas(kind, mode):
                assert formula.chords[-1] == arrivals.get(kind, ("I", "i"))[place]
                for before, after in zip(formula.chords, formula.chords[1:], strict=False):
                    assert may_follow(chord(mode, before), chord(mode, after)).grade in ("A", "B")


def test_beats() -> None:
    """Four-four is strong, weak, less strong, weak; six-eight has two dotted beats."""
    beat = beat_ticks(4, 4)
    assert [beat_strength(4, 4, place * beat) for place in range(4)] == [4, 2, 3, 2]
    assert beat_strength(4, 4, beat // 2) == 1
    assert beat_ticks(6, 8) == 3 * TICKS // 2
    with pytest.raises(UnknownNameError, match="7/13"):
        beat_ticks(7, 13)


def test_ranges() -> None:
    """The alto goes from G3 to C5 at ease."""
    assert voice_range("alto").core_low == Pitch.parse("G3")
    with pytest.raises(UnknownNameError, match="soprano"):
        voice_range("sopran")


def test_graph_gives_evidence_with_sources() -> None:
    """Why V42 goes to I6: its function, the step, the arrival's function, each with a source."""
    found = evidence(chord("major", "V42"), chord("major", "I6"))
    assert [edge.relation for edge in found] == ["has_function", "may_go_to", "has_function"]
    assert all(edge.source for edge in found)
    assert found[1].subject == chord_node(chord("major", "V42"))


def test_every_edge_of_the_graph_has_a_source() -> None:
    """No statement without where it comes from."""
    edges = knowledge_graph().edges(data=True)
    assert len(edges) > 5000
    assert all(data["source"] for _, _, data in edges)


@given(key=st.sampled_from(KEYS), index=st.integers(0, len(vocabulary()) - 1))
def test_spelling_transposes(key: Key, index: int) -> None:
    """Transposing the key transposes every tone of a chord by the same step on the line."""
    each = vocabulary()[index]
    tones = spell(each, key)
    assert (
        np.ptp([tone.fifths - member for tone, member in zip(tones, each.members, strict=True)])
        == 0
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("numerals.toml", 'source = "KP 7"', 'source = "XY 7"', ["numerals.toml", "XY 7"]),
        ("numerals.toml", 'quality = "maj"', 'quality = "mjr"', ["major.I", "quality", "mjr"]),
        ("progressions.toml", "V = 29", "W = 29", ["progressions.toml", "major.I", "'W'"]),
        ("cadences.toml", 'id = "pac-iv"', 'id = "pac-ii6"', ["cadences.toml", "pac-ii6", "twice"]),
        ("cadences.toml", 'kind = "cad-hc"', 'kind = "cad-half"', ["hc-i", "cad-half"]),
        ("scales.toml", "[scales]", "[scales", ["scales.toml", "TOML"]),
    ],
)
def test_wrong_fact_names_file_and_entry(
    tmp_path: Path, file: str, old: str, new: str, words: list[str]
) -> None:
    """An unknown source, a dangling reference or a double id stops the load and is named."""
    folder = tmp_path / "facts"
    with resources.as_file(resources.files("theory_kb") / "facts") as facts:
        shutil.copytree(facts, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FactError) as refusal:
        read_facts(folder)
    assert all(word in str(refusal.value) for word in words), str(refusal.value)


AUGMENTED_SIXTHS = [
    ("It6", "F# Ab C"),
    ("Ger65", "F# Ab C Eb"),
    ("Fr43", "D F# Ab C"),
    ("Sw43", "D# F# Ab C"),
]


@pytest.mark.parametrize(("symbol", "tones"), AUGMENTED_SIXTHS)
def test_augmented_sixths_stand_on_the_lowered_sixth(symbol: str, tones: str) -> None:
    """Their tones are spelled outward, and the lowered sixth degree lies in the bass."""
    sixth = read_chord("major", symbol)
    assert " ".join(tone.name for tone in spell(sixth, Key.parse("C major"))) == tones
    assert sixth.bass == -4


def test_chords_that_are_only_read_come_after_those_composed_with() -> None:
    """What models and search see stays the vocabulary; further chords have names of their own."""
    chords = every_chord()
    assert chords[: len(vocabulary())] == vocabulary()
    assert [each.index for each in chords] == list(range(len(chords)))
    assert len({(each.mode, each.symbol) for each in chords}) == len(chords)
    with pytest.raises(UnknownNameError, match="Ger65"):
        chord("major", "Ger65")
