from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.exercises.grading.grade import grade
from musegen.exercises.grading.readers import READERS, Context
from musegen.exercises.grading.typed import grade_part
from musegen.exercises.item import Ask, Distractor, Draft, Given, Solutions, Text
from musegen.exercises.making import make_item

NOTHING = Text("", "")


def draft(
    reader: str,
    *accepted: str,
    key: str = "C major",
    points: int = 1,
    tolerance: Mapping[str, str] | None = None,
    distractors: tuple[Distractor, ...] = (),
) -> Draft:
    """A question with one part of a sort."""
    part = Ask("answer", "text", reader, NOTHING, points)
    return Draft(
        key=key,
        given=Given(),
        ask=(part,),
        prompt=NOTHING,
        uniqueness="U",
        solutions=Solutions({"answer": accepted}),
        hints=(),
        why=NOTHING,
        tolerance=dict(tolerance or {}),
        facts={"clef": "treble", "key.away": "G major"},
        distractors=distractors,
    )


def points(item: Draft, text: str) -> Fraction:
    """Points of an answer."""
    clauses, _ = grade_part(item, item.ask[0], text)
    return sum((each.got for each in clauses), Fraction(0))


@pytest.mark.parametrize(
    ("reader", "key", "answers"),
    [
        ("interval", "m3", ["m3", "minor third", "minor 3rd", "min3", "小三度", "\uff4d\uff13"]),
        ("interval", "AA5", ["AA5", "doubly augmented fifth", "倍增五度"]),
        ("pitch-class", "F#", ["F#", "f♯", "F sharp", "升F", "F#4"]),
        ("pitch-class", "Bbb", ["Bbb", "B𝄫", "重降B", "B double flat"]),
        ("key", "F# minor", ["F# minor", "f#", "F#m", "升F小调", "f# minor"]),
        ("label", "V65", ["V65", "V56", "V6/5", "V⁶₅", "D56", "D65"]),
        ("label", "cad64", ["cad64", "Cad64", "K46", "K64", "K", "V6/4-5/3", "C64"]),
        ("label", "viiø7", ["viiø7", "viiØ7", "DVII7", "vii7"]),
        ("label", "V7/V", ["V7/V", "DD7"]),
        ("label", "vi", ["vi", "TSVI", "VI"]),
        ("label", "N6", ["N6", "bII6"]),
        ("symbol", "Bb7/D", ["Bb7/D", "B♭7/D"]),
        ("symbol", "Dm7b5", ["Dm7b5", "Dø", "Dø7"]),
        ("number", "3/2", ["3/2", "1.5"]),
        ("rhythm", "rq.", ["rq.", "RQ."]),
        ("pivot", "4 vi>ii", ["4 vi>ii", "4: vi > ii", "4 TSVI -> SII"]),
        ("pairs", "B>C F>E", ["F>E B>C", "B->C F->E", "B-C, F-E"]),
    ],
)
def test_one_meaning_has_many_spellings(reader: str, key: str, answers: list[str]) -> None:
    """Typed answers are read by what they mean, in either language and either notation."""
    item = draft(reader, key, points=6)
    full = item.points
    assert [points(item, answer) for answer in answers] == [full] * len(answers)


@pytest.mark.parametrize(
    ("reader", "key", "wrong"),
    [
        ("interval", "m3", ["M3", "A2", "m10", "third"]),
        ("pitch-class", "F#", ["Gb", "F", "H"]),
        ("label", "V65", ["V", "I", "D7/SII", "xyz"]),
        ("label", "IV", ["ii6", "V7/V"]),
        ("key", "F# minor", ["F# major", "A major"]),
        ("symbol", "C7", ["Cmaj7", "Cm7", "C"]),
        ("number", "3", ["4", "three", ""]),
    ],
)
def test_what_differs_gets_less(reader: str, key: str, wrong: list[str]) -> None:
    """Near misses and nonsense get less than full marks, and never a traceback."""
    item = draft(reader, key)
    assert all(points(item, answer) < 1 for answer in wrong)


def test_figures_alone_wrong_is_half() -> None:
    """A right numeral in a wrong inversion earns half of its slot."""
    assert points(draft("labels", "I V65 I", points=3), "I V43 I") == Fraction(5, 2)


def test_six_four_of_a_cadence_has_two_names() -> None:
    """A slot may accept several labels."""
    item = draft("labels", "ii6 cad64=I64 V7 I", points=4)
    assert [points(item, text) for text in ("ii6 K46 V7 I", "ii6 I64 V7 I")] == [4, 4]
    assert points(item, "ii6 IV V7 I") == 3


@pytest.mark.parametrize(
    ("policy", "got"), [("strict", 0), ("partial", Fraction(1, 2)), ("free", 1)]
)
def test_enharmonic_spelling_by_policy(policy: str, got: Fraction) -> None:
    """Gb for F sharp: nothing, half or all, as the item says."""
    assert points(draft("pitch-class", "F#", tolerance={"enharmonic": policy}), "Gb") == got


def test_sets_take_any_order_and_charge_for_surplus() -> None:
    """Notes of a chord in any order; each note too many takes one back."""
    item = draft("pitch-set", "C E G Bb", points=4)
    assert points(item, "Bb, G, E, C") == 4
    assert points(item, "C E G") == 3
    assert points(item, "C E G Bb D") == 3
    assert points(item, "D D D D D") == 0


def test_rows_charge_for_surplus_and_take_blanks() -> None:
    """A slot left out keeps the others in their places; more than asked spoils the last."""
    item = draft("pitch-classes", "C D E", points=3)
    assert points(item, "C ? E") == 2
    assert points(item, "C D E F") == 2


def test_an_octave_too_high_is_half_right() -> None:
    """The right name in the wrong octave."""
    assert points(draft("pitch", "F#4"), "F#5") == Fraction(1, 2)


def test_places_of_the_staff_are_read() -> None:
    """Line 2 of the treble clef is G4, the first ledger line below C4."""
    item = draft("places", "l2 l0 #s1", points=3)
    assert points(item, "L2, l0, # s1".replace("# s1", "#s1")) == 3


def test_a_known_misconception_is_told() -> None:
    """Who gives a distractor as a typed answer hears what it means."""
    said = Text("you read it in the treble clef", "按高音谱号读了")
    wrong = Distractor("answer", "D", "D6", "D6", said)
    item = draft("pitch-class", "F", distractors=(wrong,))
    _, notes = grade_part(item, item.ask[0], "d")
    assert notes == [said]


def test_unreadable_slots_are_listed() -> None:
    """What cannot be read is named with its place, never silently wrong."""
    item = draft("labels", "I V I", points=3)
    _, notes = grade_part(item, item.ask[0], "I xq7 I")
    assert notes[0].en.startswith("slot 2: 'xq7' is no label of a chord in C major")


@pytest.mark.parametrize("reader", sorted(READERS))
@given(text=st.text(max_size=30))
def test_no_text_breaks_a_reader(reader: str, text: str) -> None:
    """Whatever is typed, a reader gives a value or a refusal in one line."""
    item = draft(reader, "C")
    try:
        READERS[reader].read(text, Context(item, item.ask[0]))
    except MusegenError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - most texts are read


def test_an_unknown_part_is_refused() -> None:
    """An answer to what was not asked is no answer."""
    item = make_item("int.name", 1, 0).item
    with pytest.raises(MusegenError, match=r"answer: unknown part 'x' \(allowed: answer\)"):
        grade(item, {"x": "m3"})
