from __future__ import annotations

import re
from pathlib import Path

import pytest

from musegen.errors import UnknownNameError
from musegen.io.xml_tree import parse_xml
from musegen.tasks.rule_pictures import example_picture, example_score
from musegen.tasks.rules import RuleFilter, rule_lines, rule_record, select_rules
from theory_kb.check import load_style
from theory_kb.rules.records import rules

SCHOOL = sorted(rules())[:: max(1, len(rules()) // 12)]


def test_without_a_filter_every_rule_is_listed() -> None:
    """In the order of the files."""
    assert [each.id for each in select_rules(RuleFilter())] == list(rules())


def test_filters_narrow_the_list() -> None:
    """Style, severity, scope, level, need and words, each alone and together."""
    strict = load_style("strict").severities
    assert {each.id for each in select_rules(RuleFilter(style="strict"))} == {
        name for name, level in strict.items() if level != "-"
    }
    errors = select_rules(RuleFilter(style="strict", severity="E"))
    assert all(strict[each.id] == "E" for each in errors)
    assert all(each.scope == "M2" for each in select_rules(RuleFilter(scope="M2")))
    assert all(each.level == "harmonic" for each in select_rules(RuleFilter(level="harmonic")))
    assert all("harmony" in each.needs for each in select_rules(RuleFilter(needs="harmony")))
    found = [each.id for each in select_rules(RuleFilter(search="PARALLEL fifth"))]
    assert "parallel-fifth" in found
    assert "voice-overlap" not in found


@pytest.mark.parametrize(
    "wanted",
    [
        RuleFilter(style="baroque"),
        RuleFilter(scope="Q"),
        RuleFilter(level="deep"),
        RuleFilter(severity="X"),
        RuleFilter(needs="luck"),
    ],
)
def test_filter_that_is_none_is_refused(wanted: RuleFilter) -> None:
    """What is allowed is named."""
    with pytest.raises(UnknownNameError, match="allowed: "):
        select_rules(wanted)


@pytest.mark.parametrize("name", SCHOOL)
def test_rule_is_shown_with_all_that_its_record_says(name: str) -> None:
    """Every field stands in the record, and every text in the words."""
    each = rules()[name]
    record = rule_record(name)
    assert set(record) == {field for field in each.__slots__ if field != "rank"}
    text = re.sub(r"\s+", " ", " ".join(rule_lines(name)))
    for part in (each.name, each.why, each.right, each.wrong, *each.exceptions, *each.repair):
        assert re.sub(r"[\s-]+", "", part) in re.sub(r"[\s-]+", "", text)
    assert all(cite in text for cite in each.cites)


def test_unknown_rule_is_refused_with_the_nearest() -> None:
    """A slip of the pen is mended."""
    with pytest.raises(UnknownNameError, match="did you mean 'parallel-fifth'"):
        list(rule_lines("parallel-fift"))


def test_example_becomes_a_score_that_a_reader_can_count() -> None:
    """Two columns without a metre are one bar; upbeat, metre, key and chords are kept."""
    plain = example_score("S: C5 D5 | B: C4 D4")
    assert str(plain.metre) == "2/4"
    full = example_score(
        "key: G minor | metre: 3/4 | upbeat: 1 | chords: V i _ | marks: . e . | S: D5 Bb4 A4 | B: D3 G3 _"
    )
    assert f"{full.metre}, {full.upbeat}, {full.key}" == "3/4, 1, G minor"
    assert [label.numeral for label in full.chords] == ["V", "i"]
    assert [note.fermata for note in full.parts[0].notes] == [False, True, False]


def test_notes_at_fault_are_coloured_in_the_wrong_example_only() -> None:
    """Parallel fifths are red, the right example is black."""
    rule = rules()["parallel-fifth"]
    right, wrong = (example_picture(rule, text) for text in (rule.right, rule.wrong))
    assert "#C0281A" in wrong
    assert "#C0281A" not in right


@pytest.mark.parametrize("name", SCHOOL)
def test_examples_can_be_engraved(name: str) -> None:
    """Each is one picture, the same whenever it is made."""
    rule = rules()[name]
    for text in (rule.right, rule.wrong):
        picture = example_picture(rule, text)
        assert parse_xml(picture, "SVG").tag == "svg"
        assert picture == example_picture(rule, text)


def test_reference_page_of_a_group_shows_every_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headings, fields and pictures of each rule; names with Markdown's signs are kept plain."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[3] / "docs"))
    from rule_pages import group_page, groups, index_page  # type: ignore[import-not-found]

    stems = groups()
    assert [name for _, ids in stems.values() for name in ids] == list(rules())
    title, ids = stems["voice_pair"]
    page = group_page(title, [rules()[name] for name in ids])
    assert page.startswith("# Two voices moving together\n")
    for name in ids:
        assert f"`{name}`" in page
        assert f"(pictures/{name}-wrong.svg)" in page
    assert all(f"({stem}.md)" in index_page() for stem in stems)
