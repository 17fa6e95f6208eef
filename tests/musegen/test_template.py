"""Form templates: what is read, and what is refused with file and entry."""

from pathlib import Path

import pytest

from musegen.errors import FactError, UnknownNameError
from musegen.plan.template import (
    MAX_BARS,
    each_metre,
    load_template,
    relative_key,
    template_names,
)
from theory_kb.pitch import Key

GOOD = """
id = "mine"
name = "Mine"
description = "Two phrases"
texture = "chorale"
metres = ["4/4"]
upbeat = 0
tempo = 80
fermatas = false
sources = ["CA"]

[[section]]
id = "one"
name = "One"
bars = 4
hold = 3
theme = "a"
key = { major = ["I"], minor = ["i"] }
close = ["cad-hc"]

[[section]]
id = "two"
name = "Two"
bars = 4
hold = 4
theme = "b"
key = { major = ["I"], minor = ["i"] }
close = ["cad-pac"]
"""


def write(folder: Path, text: str) -> str:
    """Keep a template in a folder and give its path."""
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_forms_of_the_house_load_in_all_their_metres() -> None:
    """Each form that comes with musegen is right in each metre it names."""
    assert {"chorale", "period-parallel", "sentence", "binary"} <= set(template_names())
    for name in template_names():
        for template in each_metre(name):
            assert template.bars == sum(section.bars for section in template.sections)
            assert template.sections[-1].ends_phrase


def test_chorale_has_four_phrases() -> None:
    """The default form is a chorale of four phrases."""
    template = load_template("chorale")
    assert [section.ends_phrase for section in template.sections] == [True] * 4
    assert template.upbeat == 1


def test_own_template_is_read_from_its_path(tmp_path: Path) -> None:
    """A path that ends in .toml is a template of one's own."""
    assert load_template(write(tmp_path, GOOD)).bars == 8


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("bars = 4", "bars = -4", ["section 1.bars", "from 1 to 256", "-4"]),
        ("bars = 4", "bars = 1000000000", ["section 1.bars", "1000000000"]),
        ("bars = 4", 'bars = "four"', ["section 1.bars", "four"]),
        ("hold = 3", "hold = 0", ["section 1.hold"]),
        (
            'theme = "a"',
            'theme = "a"\nmood = "sad"',
            ["section 1", "unknown field 'mood'", "theme"],
        ),
        ('close = ["cad-hc"]', 'close = ["cad-full"]', ["section 1.close", "cad-full"]),
        ('close = ["cad-pac"]', 'close = ["none"]', ["section two.close", "needs a cadence"]),
        ('major = ["I"]', 'major = ["H"]', ["section 1.key"]),
        ("tempo = 80", "tempo = 8000", ["form.tempo", "8000"]),
        ('name = "Mine"', "", ["field 'name' is missing"]),
        ("upbeat = 0", "upbeat = ", ["TOML"]),
    ],
)
def test_wrong_template_names_file_and_entry(
    tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    """Every refusal names the file, the entry, what came and what is allowed."""
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(FactError) as refusal:
        load_template(path)
    text = str(refusal.value)
    assert "mine.toml" in text
    assert all(word in text for word in words), text


def test_many_sections_cannot_pass_the_limit(tmp_path: Path) -> None:
    """The limit on bars holds for the whole piece, not for each section alone."""
    with pytest.raises(FactError, match=f"at most {MAX_BARS}"):
        load_template(write(tmp_path, GOOD.replace("bars = 4", "bars = 200")))


def test_unknown_form_and_metre_say_what_is_allowed() -> None:
    """A name that is not in the table is answered with the table."""
    with pytest.raises(UnknownNameError, match="did you mean 'chorale'"):
        load_template("choral")
    with pytest.raises(UnknownNameError, match="4/4"):
        load_template("chorale", metre="7/13")


def test_relative_keys() -> None:
    """vi of C major is A minor, VI of D minor is B flat major, V of F is C."""
    assert relative_key(Key.parse("C major"), "vi") == Key.parse("A minor")
    assert relative_key(Key.parse("D minor"), "VI") == Key.parse("Bb major")
    assert relative_key(Key.parse("F major"), "V") == Key.parse("C major")
