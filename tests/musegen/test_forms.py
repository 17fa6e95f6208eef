"""The forms that come with musegen, and what happens to templates that somebody spoiled."""

import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musegen.errors import FactError, MusegenError, OptionError, UnknownNameError
from musegen.io.timeline import Span, draw_timeline
from musegen.plan.form_file import form_path
from musegen.plan.form_schema import TEXT_CADENCES, form_schema
from musegen.plan.form_text import form_rows, new_form, section_rows, settings_of, span_values
from musegen.plan.template import MAX_BARS, each_metre, load_template, phrase_groups, template_names
from theory_kb.catalogue import catalogue

SCALED = {"chorale"}  # the template has half the phrases that the facts describe


def theory_of(form: str) -> dict[str, object]:
    """The sections of a form as the facts describe it, by id."""
    return {each["id"]: each for each in catalogue()["section"].values() if each["form"] == form}


@pytest.mark.parametrize("form", sorted(set(catalogue()["form"]) - SCALED))
def test_a_template_agrees_with_the_facts(form: str) -> None:
    """Each of the forms has a template with its sections, bars and closes."""
    made, facts = load_template(form), theory_of(form)
    assert [each.id for each in made.sections] == list(facts)
    for each in made.sections:
        fact = facts[each.id]
        assert each.bars == fact["bars"], each.id  # type: ignore[index]
        if each is made.sections[-1] and not fact["ends"]:  # type: ignore[index]
            continue  # a template must close, whatever comes after its form is over
        allowed = set(fact["ends"]) | set(TEXT_CADENCES) | {"none"}  # type: ignore[index]
        assert set(each.close) <= allowed, each.id


@pytest.mark.parametrize("form", template_names())
def test_phrases_fill_their_sections_in_every_metre(form: str) -> None:
    """In each metre the phrases add up to the sections, and the last one closes."""
    for made in each_metre(form):
        assert sum(unit.bars for unit in made.units) == made.bars
        assert sum(map(len, phrase_groups(made.units))) == len(made.units)
        assert made.units[-1].ends_phrase


def test_a_sonata_turns_to_the_relative_in_minor() -> None:
    """What a form inherits stays, what it says itself takes its place."""
    major, minor = load_template("sonata-major"), load_template("sonata-minor")
    assert [each.id for each in major.sections] == [each.id for each in minor.sections]
    assert minor.mode == "minor"
    assert minor.sections[2].keys["minor"] == ("III", "v")


def test_a_parameter_takes_sections_away() -> None:
    """A rondo without its coda is eight bars shorter."""
    assert load_template("rondo-5").bars == 64
    assert load_template("rondo-5", settings={"coda": "false"}).bars == 56


def test_bars_scale_all_sections_alike() -> None:
    """A period of sixteen bars has phrases of eight, and thirteen bars make none."""
    assert [each.bars for each in load_template("rondo-5", settings={"bars": "32"}).sections] == [
        4, 6, 4, 8, 2, 4, 4,
    ]  # fmt: skip
    with pytest.raises(OptionError, match="one of 16, 32, 48"):
        load_template("rondo-5", settings={"bars": "13"})


@pytest.mark.parametrize(
    ("given_settings", "error", "word"),
    [
        ({"codda": "true"}, UnknownNameError, "did you mean 'coda'"),
        ({"coda": "perhaps"}, OptionError, "true or false"),
        ({"tempo": "allegro"}, OptionError, "a number"),
        ({"tempo": "9000"}, OptionError, "20 to 300"),
        ({"texture": "organ"}, OptionError, "alberti"),
        ({"bars": "1000000"}, OptionError, "256"),
    ],
)
def test_wrong_settings_say_what_is_allowed(
    given_settings: dict[str, str], error: type[MusegenError], word: str
) -> None:
    """A setting that a form does not have or take is refused with what it has."""
    with pytest.raises(error, match=word):
        load_template("rondo-5", settings=given_settings)


def test_settings_are_read_as_typed() -> None:
    """`name=value`, each name once."""
    assert settings_of(["key=D minor", "coda = true"]) == {"key": "D minor", "coda": "true"}
    for wrong in (["coda"], ["=true"], ["a=1", "a=2"]):
        with pytest.raises(OptionError, match="NAME=VALUE"):
            settings_of(wrong)


def write(folder: Path, text: str, name: str = "mine") -> str:
    """Keep a template in a folder and give its path."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ('extends = "mine.toml"', ["mine.toml:2", "extends this form in turn"]),
        ('extends = "../rondo-5.toml"', ["mine.toml:2", "no form '../rondo-5.toml'"]),
        ('extends = "/etc/passwd"', ["no form '/etc/passwd'"]),
        ('extends = "rondo-5"\nomit = ["finale"]', ["mine.toml:3", "no section 'finale'"]),
        ('extends = "rondo-5"\n[[section]]\nid = "coda"\nbars = 0', ["mine.toml:5", "from 1 to"]),
        ('extends = "rondo-5"\n[[section]]\nid = "coda"\nwhen = "x"', ["mine.toml:5", "when"]),
        ('extends = "rondo-5"\n[[section]]\nid = "coda"\nbars = "$x"', ["mine.toml:5", "'x'"]),
        (
            'extends = "rondo-5"\n[[section]]\nid = "coda"\nphrases = [3, 4]',
            ["mine.toml:5", "add up to 8 bars, got 7"],
        ),
        (
            'extends = "rondo-5"\n[[section]]\nid = "coda"\nbars = 2\nhold = 4',
            ["mine.toml:6", "must leave 3 beats"],
        ),
    ],
)
def test_wrong_inheritance_names_file_and_line(tmp_path: Path, own: str, words: list[str]) -> None:
    """Cycles, ways out of the folder and wrong changes are refused where they stand."""
    with pytest.raises(FactError) as refusal:
        load_template(write(tmp_path, f'id = "mine"\n{own}\n'))
    assert all(word in str(refusal.value) for word in words), refusal.value


def test_a_cycle_of_two_files_is_found(tmp_path: Path) -> None:
    """Two forms that extend each other are no form."""
    write(tmp_path, 'id = "two"\nextends = "one.toml"\n', "two")
    with pytest.raises(FactError, match="in turn"):
        load_template(write(tmp_path, 'id = "one"\nextends = "two.toml"\n', "one"))


def test_a_new_form_is_a_copy_to_edit(tmp_path: Path) -> None:
    """What `form new` writes is right, and named as asked."""
    made = load_template(write(tmp_path, new_form("my-waltz", "waltz"), "my-waltz"))
    assert (made.id, made.name, made.bars) == ("my-waltz", "My waltz", 48)
    for wrong in ("../up", "a/b", "", "x" * 65, "C:\\x"):
        with pytest.raises(OptionError, match="letters, digits"):
            new_form(wrong, "waltz")


def test_the_schema_holds_what_the_loader_reads() -> None:
    """Every template of the house is right by the schema, and a misspelt field is not."""
    validator = jsonschema.Draft202012Validator(form_schema())
    for form in template_names():
        record = tomllib.loads(form_path(form).read_text(encoding="utf-8"))
        validator.validate(record)
        record["section"][0]["barz"] = 1
        assert not validator.is_valid(record)


@pytest.mark.parametrize("form", template_names())
def test_every_form_has_a_table(form: str) -> None:
    """A row a section, also where it closes with no cadence."""
    made = load_template(form)
    assert [row["section"] for row in section_rows(made)] == [each.id for each in made.sections]


def test_endings_are_read_told_and_drawn(two_endings: Path) -> None:
    """A first ending closes what is repeated, the second follows; the table and the picture say so."""
    made = load_template(str(two_endings))
    assert [each.ending for each in made.sections] == [0, 1, 2]
    assert [row["twice"] for row in section_rows(made)] == ["one", "one, ending 1", "ending 2"]
    svg = draw_timeline(made.name, [Span(**each) for each in span_values(made)])
    assert ">7  1.<" in svg
    assert ">9  2.<" in svg


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("ending = 2", "ending = 3", "1 for the first ending"),
        ("ending = 2", "", "1 must be followed by the section with ending 2"),
        ("ending = 1", "ending = 2", "2 must follow ending 1 at once"),
        ('bars = 6\nrepeat = "one"', "bars = 6", "1 must come last of several sections"),
        ("ending = 2", 'ending = 2\nrepeat = "two"', "outside the repeat"),
        ('texture = "minuet"', 'texture = "chorale"', "only a tune above chords"),
    ],
)
def test_wrong_endings_name_file_line_and_what_is_allowed(
    two_endings: Path, old: str, new: str, words: str
) -> None:
    """An ending that stands alone, twice, or where nothing is repeated."""
    text = two_endings.read_text(encoding="utf-8")
    assert old in text
    two_endings.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(FactError, match=r"volta\.toml:\d+: section .*ending: .*" + words):
        load_template(str(two_endings))


def test_tables_and_picture_name_every_section() -> None:
    """The timeline shows each section with its key and close, the list each form."""
    made = load_template("minuet-and-trio")
    svg = draw_timeline(made.name, [Span(**each) for each in span_values(made)])
    assert svg.count("<rect") == 1 + len(made.sections)
    assert svg.count("×2") == 4
    assert "PAC" in svg
    assert [row["bar"] for row in section_rows(made)][:3] == [1, 9, 17]
    assert {row["form"] for row in form_rows()} == set(template_names())


# --- spoiled templates ----------------------------------------------------------------------

FIELD = re.compile(r"^(\w+) = .*$", re.MULTILINE)
WRONG = (
    "-4", "0", "1000000", "1e999", "nan", '""', '"H"', "[]", "{}", "[[]]", "true", '"../../x"',
    '"cad-full"', '["cad-full"]', '{ major = ["IX"], minor = ["i"] }', '{ major = [] }',
    '"$nothing"', '"\\u0000"', f'"{"x" * 5000}"', "[4, -4]", "1979-05-27", "'", '"mine.toml"',
)  # fmt: skip


def refusal_of(path: str) -> str | None:
    """What the loader says of a template that it does not take."""
    try:
        made = load_template(path)
    except MusegenError as refusal:
        return str(refusal)
    assert 1 <= made.bars <= MAX_BARS
    return None


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    form=st.sampled_from(template_names()),
    place=st.integers(0, 10**6),
    value=st.sampled_from(WRONG),
    name=st.sampled_from(["", "mood", "section", "barz"]),
)
def test_a_spoiled_template_is_refused_or_still_a_form(
    tmp_path: Path, form: str, place: int, value: str, name: str
) -> None:
    """Whatever one field becomes, the loader says where it is wrong, in one line, or reads a form."""
    text = form_path(form).read_text(encoding="utf-8")
    fields = list(FIELD.finditer(text))
    chosen = fields[place % len(fields)]
    spoiled = f"{text[: chosen.start()]}{name or chosen[1]} = {value}{text[chosen.end() :]}"
    told = refusal_of(write(tmp_path, spoiled))
    assert told is None or ("mine.toml" in told and "\n" not in told)
    assert {each.name for each in tmp_path.iterdir()} == {"mine.toml"}
