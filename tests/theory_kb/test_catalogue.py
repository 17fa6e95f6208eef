"""The further facts: how many there are, that they agree with arithmetic, that a wrong one is named."""

import re
import shutil
from fractions import Fraction
from importlib import resources
from pathlib import Path

import pytest

from theory_kb.catalogue import catalogue, check_rule_names, entry, read_catalogue
from theory_kb.chords import every_chord, vocabulary
from theory_kb.errors import FactError, UnknownNameError
from theory_kb.facts import load_facts
from theory_kb.numerals import numeral_names, numerals, read_symbol
from theory_kb.pitch import Interval, Pitch, PitchClass
from theory_kb.rules.records import rules
from theory_kb.schema import KINDS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "ontology.md"


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("interval", 39),
        ("degree", 17),
        ("figure", 26),
        ("non-chord-tone", 16),
        ("cadence-clauses", 16),
        ("rhythm", 40),
        ("phrase-function", 22),
        ("thematic-relation", 12),
        ("form", 40),
        ("section", 220),
        ("schema", 30),
        ("sequence-kind", 14),
        ("progression", 45),
        ("texture", 10),
        ("principle", 10),
        ("modulation", 12),
        ("emotion", 12),
        ("feature", 18),
    ],
)
def test_the_vocabularies_are_whole(kind: str, count: int) -> None:
    """Each kind has all its entries."""
    assert len(catalogue()[kind]) == count


def test_there_are_scales_qualities_ranges_metres_sources_and_terms() -> None:
    """Twenty-four scales, thirty qualities and more, 26 ranges, forty sources, 250 terms."""
    facts = load_facts()
    assert len(facts.scales["scales"]) == 24
    assert len({**facts.qualities["qualities"], **facts.qualities["extended"]}) >= 30
    assert len(catalogue()["range"]) + len(facts.ranges["voices"]) == 26
    assert len({**facts.metres["metres"], **facts.metres["groupings"]}) >= 14
    assert len(facts.sources["sources"]) >= 40
    assert len(catalogue()["term"]) >= 250


def test_scales_fill_the_octave() -> None:
    """The steps of each scale add up to twelve semitones."""
    for name, fact in load_facts().scales["scales"].items():
        assert sum(fact["steps"]) == 12, name


def test_intervals_are_what_they_are_called() -> None:
    """Generic number, semitones and fifths of each interval follow from its name."""
    for name, each in catalogue()["interval"].items():
        interval = Interval.parse(name)
        assert (interval.steps + 1, interval.semitones) == (each["generic"], each["semitones"])
        tone = PitchClass(each["fifths"])
        assert (tone.letter - interval.steps) % 7 == 0
        assert (tone.semitone - interval.semitones) % 12 == 0


def test_consonances_are_the_eight_of_the_books() -> None:
    """Unison, thirds, fifth, sixths and octave; the fourth is one between upper voices only."""
    good = {
        name for name, each in catalogue()["interval"].items() if each["consonance"] != "dissonant"
    }
    assert good == {"P1", "m3", "M3", "P5", "m6", "M6", "P8"}


def test_bars_of_sections_add_up_to_their_form() -> None:
    """No form has a bar too many."""
    for form in catalogue()["form"].values():
        sections = [each for each in catalogue()["section"].values() if each["form"] == form.id]
        assert sum(each["bars"] for each in sections) == form["bars"], form.id


def test_rhythms_fit_their_metre() -> None:
    """A pattern is at most two bars long."""
    for each in catalogue()["rhythm"].values():
        beats, unit = map(int, each["metre"].split("/"))
        assert 0 < sum(map(Fraction, each["durations"])) <= 2 * Fraction(4 * beats, unit), each.id


def test_ranges_go_up() -> None:
    """The lowest note is lower than the highest."""
    for each in catalogue()["range"].values():
        assert Pitch.parse(each["low"]).semitone < Pitch.parse(each["high"]).semitone


def test_schemata_name_degrees_and_figures_that_exist() -> None:
    """Each stage is a soprano degree over a bass degree with a figure."""
    degrees, figures = catalogue()["degree"], catalogue()["figure"]
    for schema in catalogue()["schema"].values():
        for stage in schema["stages"]:
            soprano, bass, figure = re.split("[/ ]", stage, maxsplit=2)
            assert soprano in degrees, schema.id
            assert bass in degrees, schema.id
            assert figure in figures, (schema.id, figure)


def test_numerals_hold_the_vocabulary_and_what_is_only_read() -> None:
    """The composer's vocabulary comes first and whole; the full list knows the books' 122 and more."""
    assert len(numerals()) >= 122
    assert {f"{each.mode} {each.numeral}" for each in vocabulary()} <= set(numeral_names())
    wanted = (
        "major CTo7|major V9|major V7b5|minor vio|minor imaj7|minor iiø7/iv|major ii7/V|major N7"
    )
    assert set(wanted.split("|")) <= set(numeral_names())
    assert every_chord()[: len(vocabulary())] == vocabulary()


def test_numerals_are_read_by_their_other_names() -> None:
    """Ger6 is the German sixth with its usual bass, b6."""
    assert read_symbol("minor", "Ger6").bass == -4
    assert read_symbol("major", "Imaj7").symbol == "I7"


def test_facts_about_rules_name_rules() -> None:
    """Priorities, conflicts, stances and counts speak of rules that exist, or are refused."""
    check_rule_names(catalogue(), rules())
    with pytest.raises(FactError, match="is no rule"):
        check_rule_names(catalogue(), {})


def test_an_entry_is_found_by_name() -> None:
    """A name that is none is told with the nearest."""
    assert entry("schema", "prinner")["stages"][0] == "6/4 5/3"
    with pytest.raises(UnknownNameError, match="prinner"):
        entry("schema", "priner")


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("schemata.toml", 'slots = ["basic', 'slotz = ["basic', ["romanesca", "slotz"]),
        ("schemata.toml", '"basic-idea"', '"basik-idea"', ["romanesca.slots", "basik-idea"]),
        ("terms.toml", ', source = "KP 1" }', " }", ["pitch", "source"]),
        ("terms.toml", 'source = "KP 1"', 'source = "QQ 1"', ["pitch", "QQ 1"]),
        ("intervals.toml", "generic = 1", 'generic = "1"', ["P1.generic", "whole number"]),
        ("intervals.toml", '"perfect"', '"pure"', ["P1.consonance", "imperfect", "pure"]),
        ("intervals.toml", "semitones = 0, ", "", ["P1", "semitones", "missing"]),
        ("emotions.toml", "[emotion]", "[emotions]", ["emotions.toml", "emotions"]),
        ("emotions.toml", "serene = {", "joyful = {", ["emotions.toml", "joyful"]),
        ("form_plans.toml", 'id = "continuation"', 'id = "basic-idea"', ["basic-idea", "twice"]),
        ("form_plans.toml", 'form = "sentence"', "forma = 1", ["section 1", "form"]),
        ("rhythms.toml", 'metre = "4/4"', 'metre = "4/5"', ["species-1.metre", "4/5"]),
        ("closes.toml", '["cadence-clauses"]', '["cadence-clauses"', ["closes.toml"]),
    ],
)
def test_a_wrong_fact_names_file_and_entry(
    tmp_path: Path, file: str, old: str, new: str, words: list[str]
) -> None:
    """Unknown and missing fields, wrong values, lost sources, double ids, dangling references."""
    folder = tmp_path / "facts"
    with resources.as_file(resources.files("theory_kb") / "facts") as facts:
        shutil.copytree(facts, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FactError) as refusal:
        read_catalogue(folder, load_facts())
    assert file in str(refusal.value)
    assert all(word in str(refusal.value) for word in words), str(refusal.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A folder without facts is refused by the first file that lacks."""
    with pytest.raises(FactError, match=r"intervals\.toml"):
        read_catalogue(tmp_path, load_facts())


def test_every_kind_and_relation_is_documented() -> None:
    """The ontology page names each kind of entries and each relation that their fields make."""
    text = DOCS.read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"`{kind.name}`" in text, kind.name
        for field in kind.fields.values():
            assert not field.edge or f"`{field.edge}`" in text, field.edge
