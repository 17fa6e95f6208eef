"""Kinds that ask for something besides the rules: decorations, figures with suspensions."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from musegen.errors import MusegenError
from musegen.exercises.grading.asked_tones import wanted_words
from musegen.exercises.grading.grade import grade
from musegen.exercises.grading.graded import Graded
from musegen.exercises.item import Item
from musegen.exercises.making import make_item
from musegen.io.figured_bass import read_figured_bass
from musegen.plan.ensemble import ensemble
from musegen.plan.thoroughbass import plan_of_figures
from theory_kb.open_chords import open_chord
from theory_kb.pitch import Pitch, PitchClass

LEVELS = (1, 2, 3, 4, 5)


def _lost(graded: Graded) -> set[str]:
    return {each.id for each in graded.clauses if each.got < each.most}


def _lines(item: Item) -> dict[str, str]:
    rows = item.solutions.model["score"].split("\n")
    return {name: line for name, _, line in (row.partition(": ") for row in rows)}


def _text(lines: dict[str, str]) -> str:
    return "\n".join(f"{name}: {line}" for name, line in lines.items())


# --- non-chord tones ------------------------------------------------------------------------


def test_a_textbook_passing_tone_is_full_and_a_free_one_is_not() -> None:
    """KP 11: C5 B4 A4 over I-vi passes; C5 F4 A4 is reached and left by leap."""
    item = make_item("nct.add", 1, 0).item
    plain = "Soprano: C5 A4\nAlto: E4 E4\nTenor: G3 C4\nBass: C3 A2"
    facts = {**item.facts, "chords": "I*2 vi*2", "plain": plain}
    own = replace(item, key="C major", facts=facts)
    rest = "\nAlto: E4:2 E4:2\nTenor: G3:2 C4:2\nBass: C3:2 A2:2"
    assert grade(own, {"score": f"Soprano: C5:4 B4:4 A4:2{rest}"}).full
    free = grade(own, {"score": f"Soprano: C5:4 F4:4 A4:2{rest}"})
    assert _lost(free) >= {"tones", "wanted"}
    assert free.points < own.points / 2


@pytest.mark.parametrize("level", LEVELS)
def test_who_adds_nothing_earns_nothing(level: int) -> None:
    """The plain texture handed in again makes no fault and does no work."""
    item = make_item("nct.add", level, 1).item
    bars = re.findall(r'"?([A-Z]\w+): (.*)', item.facts["plain"])
    lengths = [Fraction(word.partition("*")[2] or 1) for word in item.facts["chords"].split()]
    values = {2: ":2", 4: ":1"}
    lines = {
        name: " ".join(
            f"{note}{values[int(length)]}"
            for note, length in zip(notes.split(), lengths, strict=True)
        )
        for name, notes in bars
    }
    assert grade(item, {"score": _text(lines)}).points == 0


def test_a_given_note_that_is_gone_costs() -> None:
    """A soprano that begins elsewhere has lost a given note."""
    item = make_item("nct.add", 2, 0).item
    lines = _lines(item)
    first, _, rest = lines["Soprano"].partition(" ")
    name, _, value = first.partition(":")
    other = Pitch(Pitch.parse(name).step + 7, Pitch.parse(name).semitone + 12)
    graded = grade(item, {"score": _text({**lines, "Soprano": f"{other}:{value} {rest}"})})
    assert "kept" in _lost(graded)
    assert graded.points < item.points


def test_what_is_wanted_is_said_in_words() -> None:
    """One and several, in both languages; what is no kind is refused by name."""
    words = wanted_words("passing=2 neighbour=1 chain=2")
    assert words.en == (
        "2 passing tones, 1 neighbour tone and 2 suspensions in a chain in one voice"
    )
    assert words.zh == "2 个经过音、1 个辅助音、2 个同一声部的连锁延留音"
    with pytest.raises(
        MusegenError, match="of passing, neighbour, suspension, chain; got 'pasing=1'"
    ):
        wanted_words("pasing=1")


# --- continuo -------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_figures_mean_what_the_project_reads_in_them(level: int, tmp_path: Path) -> None:
    """`musegen realise` finds a suspension wherever a bass note of the item has two figures."""
    item = make_item("fb.continuo.style", level, 2).item
    path = tmp_path / "given.musicxml"
    path.write_text(item.given.musicxml, encoding="utf-8")
    bass = read_figured_bass(path)
    plan = plan_of_figures(bass, ensemble=ensemble("keyboard", 4))
    late = {slot.onset for slot in plan.slots if slot.figured is not None and slot.figured.delays}
    marks = [mark.onset for mark in bass.figures]
    twice = {
        note.onset
        for note in bass.parts[0].notes
        if sum(note.onset <= onset < note.end for onset in marks) > 1
    }
    assert late == twice
    assert twice


def test_a_suspension_that_is_not_played_costs() -> None:
    """Chords without the suspension lose the points of its figure, and nothing else."""
    item = make_item("fb.continuo.style", 1, 0).item
    lines = _lines(item)
    held = next(name for name, line in lines.items() if re.search(r"-[A-G]|\.", line))
    resolved = re.sub(r"(\S+):1\|-\1:2 (\S+):2", r"\1:1|\2:1", lines[held])
    assert resolved != lines[held]
    graded = grade(item, {"score": _text({**lines, held: resolved})})
    assert _lost(graded) == {"figures"}


@pytest.mark.parametrize("name", ["mod.compose", "pw.rn.satb", "pw.cadence.write"])
def test_a_sheet_has_room_for_what_is_asked(name: str) -> None:
    """Where only the first chord is given, or none, the bars of all chords are drawn, named beneath."""
    item = make_item(name, 5, 0).item
    length = sum(Fraction(word.partition("*")[2] or 1) for word in item.facts["chords"].split())
    assert item.given.musicxml.count("<measure ") == -(-length // 4)


def test_numerals_stand_under_empty_bars() -> None:
    """Engravers draw no syllable under a rest, so they are words of their own."""
    item = make_item("pw.rn.satb", 3, 0).item
    assert item.facts["chords"] == "I V6 I ii cad64 V7 I*2"
    found = re.findall(r"<words[^>]*>([^<]*)</words>", item.given.musicxml)
    assert found == ["G: I", "V6", "I", "ii", "Cad64", "V7", "I"]
    assert "<lyric" not in item.given.musicxml


# --- modal tunes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tones", "kind"),
    [
        ("C G", "fifth"),
        ("C E G", "triad"),
        ("A C E", "triad"),
        ("C D G", "substitute"),
        ("C F G", "substitute"),
        ("D G C", "quartal"),
        ("C E B", None),
    ],
)
def test_open_chords_are_told_by_their_bass(tones: str, kind: str | None) -> None:
    """C G D is a substitute chord over C, quartal over D; what is none of them has no name."""
    names = [PitchClass.parse(each) for each in tones.split()]
    assert open_chord(names, names[0]) == kind


@pytest.mark.parametrize("level", LEVELS)
def test_a_setting_of_a_modal_tune_keeps_to_its_notes(level: int) -> None:
    """No note of tune or model is foreign to the notes named; the tune ends on the final."""
    item = make_item("harm.mode.folk", level, 1).item
    own = set(item.facts["notes"].split())
    lines = {name: re.findall(r"[A-G][#b]*(?=\d)", line) for name, line in _lines(item).items()}
    assert all(set(line) <= own for line in lines.values())
    assert lines["Melody"][-1] == lines["Bass"][-1] == item.facts["final"]


def test_functions_in_a_modal_setting_cost() -> None:
    """Another last bass, and a foreign note, each lose what their clause gives; the mark is advice."""
    item = make_item("harm.mode.folk", 3, 3).item
    lines = _lines(item)
    head, _, last = lines["Bass"].rpartition(" ")
    away = _text({**lines, "Bass": f"{head} C#3:2"})
    graded = grade(item, {"score": away})
    assert last.startswith(item.facts["final"])
    assert _lost(graded) >= {"mode", "sonorities", "final"}
    assert any("human_review" in note.en for note in graded.notes)


# --- composition ----------------------------------------------------------------------------


def test_the_theme_itself_is_no_variation() -> None:
    """Handed in as it stands it has the theme, and no variety."""
    item = make_item("comp.variation", 2, 0).item
    bass = _lines(item)["Bass"]
    text = f"{item.facts['theme']}\nBass: {bass}"
    assert "variety" in _lost(grade(item, {"score": text}))
    assert "theme" not in _lost(grade(item, {"score": text}))


def test_one_bar_of_a_variation_earns_little() -> None:
    """What is not written makes no error, and earns nothing."""
    item = make_item("comp.variation", 2, 0).item
    lines = _lines(item)
    first = lines["Melody"].split("|")[0]
    graded = grade(item, {"score": _text({"Melody": first, "Bass": lines["Bass"]})})
    assert 0 < graded.points < item.points / 4


@pytest.mark.parametrize("level", LEVELS)
def test_a_second_violin_is_asked_for_what_the_first_has_not_done(level: int) -> None:
    """Plain notes of the chords earn only for what is there: tones of the first violin do not count."""
    item = make_item("comp.trio", level, 0).item
    lines = _lines(item)
    assert set(lines) == {"First", "Second", "Bass"}
    assert item.ask[0].voices == ("Second",)
    copied = grade(item, {"score": _text({**lines, "Second": lines["Bass"]})})
    assert copied.points < item.points / 2
