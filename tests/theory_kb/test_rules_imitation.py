"""Rules on canon, invertible counterpoint and fugue: what each allows, and where its limits lie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.errors import UnknownNameError
from theory_kb.pitch import Interval, Pitch
from theory_kb.rules.examples import findings
from theory_kb.rules.records import rule

FUGUE = (
    "key: {key} | chords: {chords} | entries: subject S 0-{n}, answer A {n}-{m} | S: {s} | A: {a}"
)


def fugue(subject: str, answer: str, *, key: str = "C major", chords: str = "I") -> str:
    """A subject in the soprano and its answer in the alto, one after the other."""
    count, reply = len(subject.split()), len(answer.split())
    return FUGUE.format(
        key=key,
        chords=" ".join([*chords.split(), *["_"] * (count + reply - len(chords.split()))]),
        n=count,
        m=count + reply,
        s=f"{subject} {' '.join(['C5'] * reply)}",
        a=f"{' '.join(['-'] * count)} {answer}",
    )


ANSWERS = [  # subject, answer, whether the answer is right
    ("C5 D5 E5 F5", "G4 A4 B4 C5", True),  # real
    ("C5 D5 E5 F5", "F4 G4 A4 B4", False),  # on the subdominant
    ("C5 G5 F5 E5", "G4 C5 C5 B4", True),  # 1-5 is answered by 5-1, the rest on V
    ("C5 G5 F5 E5", "G4 D5 C5 B4", False),  # 5 answered by 2
    ("G4 C5 D5 E5", "C4 G4 A4 B4", True),  # 5-1 by 1-5
    ("G4 A4 B4 C5", "C4 E4 F4 G4", True),  # begins on 5: only it mutates
    ("G4 A4 B4 C5", "D4 E4 F4 G4", False),
    ("C5 E5 G5 C6", "G4 B4 D5 G5", False),  # an arpeggio: 5 by 1 before the leap to 1
    ("C5 E5 G5 C6", "G4 B4 C5 G5", True),  # 1-3-5-1 by 5-7-1-5
    ("C5 D5 E5 F5 G5 C5", "G4 A4 B4 C5 D5 G4", True),  # the leap is no longer in the head
    ("C5 D5 E5", "G4 A4", False),  # a note is missing
]


@pytest.mark.parametrize(("subject", "answer", "right"), ANSWERS)
def test_tonal_answer(subject: str, answer: str, *, right: bool) -> None:
    """In the head 5 answers 1 and 1 answers 5, 7 answers 3 and 3 answers 7; the rest goes to V."""
    assert (findings(rule("fugue-tonal-answer"), fugue(subject, answer)) == ()) == right


@pytest.mark.parametrize(
    ("answer", "right"), [("G4 A4 B4 C5 B4 C5", True), ("G4 A4 B4 C5 C#5 D5", False)]
)
def test_a_subject_that_goes_to_the_dominant_is_answered_in_the_tonic(
    answer: str, *, right: bool
) -> None:
    """Its last notes are answered a fourth up, so that the answer comes home."""
    text = fugue("C5 D5 E5 F5 F#5 G5", answer, chords="I _ _ _ G:V G:I")
    assert (findings(rule("fugue-tonal-answer"), text) == ()) == right


def test_the_length_of_the_head_is_a_parameter() -> None:
    """A leap to 5 that comes late asks for a tonal answer if the head is said to be that long."""
    text = f"with: head=6 | {fugue('C5 D5 E5 F5 G5 C5', 'G4 A4 B4 C5 D5 G4')}"
    assert findings(rule("fugue-tonal-answer"), text)


CANON = "canon: S A {how} | S: C5 D5 E5 F5 G5 E5 | A: - - {line}"
CASES = [  # rule, example, whether it is kept
    ("canon-strict", CANON.format(how="-P5 2", line="F4 G4 A4 Bb4"), True),
    ("canon-strict", CANON.format(how="-P5 2", line="F4 G4 A4 B4"), True),  # diatonic
    ("canon-strict", CANON.format(how="-P5 2 strict", line="F4 G4 A4 Bb4"), True),
    ("canon-strict", CANON.format(how="-P5 2 strict", line="F4 Gb4 A4 Bb4"), False),
    ("canon-strict", CANON.format(how="-P5 2", line="F4 G4 A4 C5"), True),  # free at the end
    ("canon-strict", CANON.format(how="-P5 2", line="F4 C5 A4 B4"), False),
    ("canon-strict", CANON.format(how="P4 2", line="F4 G4 A4 B4"), False),  # nothing is right
    ("canon-strict", CANON.format(how="-P5 2", line="F4 G4 A4 -"), True),
    ("invertible-8ve", "invertible: 8 | S: G5 F5 E5 | B: C4 D4 E4 | strength: 1 4 4", True),
    ("invertible-8ve", "invertible: 8 | S: G4 G4 F4 | B: D4 C4 D4 | strength: 2 4 2", False),
    ("invertible-8ve", "invertible: 8 | S: G4 _ F4 | B: E4 C4 D4 | strength: 2 4 2", True),
    ("invertible-8ve", "invertible: 8 | S: G4 _ A4 | B: E4 C4 D4 | strength: 2 4 2", False),
    ("invertible-8ve", "invertible: 10 | S: E5 F5 | B: C4 D4", False),
    ("invertible-8ve", "invertible: 10 | S: E5 D5 | B: C4 B3", False),
    ("invertible-8ve", "invertible: 10 | S: E5 F5 | B: C4 B3", True),
    ("invertible-8ve", "invertible: 10 | S: E5 A5 | B: C4 D4", True),
    ("invertible-8ve", "invertible: 12 | S: A4 G4 | B: C4 B3", False),
    ("invertible-8ve", "invertible: 12 | S: A4 _ G4 | B: F4 C4 C4 | strength: 2 4 2", True),
    ("invertible-8ve", "invertible: 8 | S: G5 A5 | A: C5 F5 | B: C4 F4", True),  # no pair is named
    (
        "invertible-8ve",
        (
            "invertible: 8 | entries: subject S 0-2, countersubject A 0-2 | "
            "S: G5 A5 | A: C5 F5 | B: C4 F4"
        ),
        False,
    ),
    (
        "fugue-entry-order",
        (
            "entries: subject S 0-2, answer A 2-4, subject B 4-6 | "
            "S: C5 D5 E5 F5 E5 D5 | A: - - G4 A4 G4 F4 | B: - - - - C4 D4"
        ),
        True,
    ),
    (
        "fugue-entry-order",
        (
            "entries: subject S 0-2, answer A 2-4, answer B 4-6 | "
            "S: C5 D5 E5 F5 E5 D5 | A: - - G4 A4 G4 F4 | B: - - - - G3 A3"
        ),
        False,
    ),
    ("fugue-countersubject", f"{rule('fugue-countersubject').right}", True),
    (
        "fugue-countersubject",
        (
            "entries: subject S 0-3, countersubject A 0-3 | strength: 1 1 1 | "
            "S: C5 D5 E5 | A: G4 A4 B4"
        ),
        False,
    ),
    (
        "fugue-countersubject",  # the fifth is prepared and falls by step
        (
            "entries: subject S 0-3, countersubject A 0-3 | strength: 1 4 1 | "
            "S: G5 _ F5 | A: E5 C5 D5"
        ),
        True,
    ),
    (
        "fugue-redundant",
        (
            "units: exposition 0-2 | entries: subject S 0-2, subject S 2-4, subject S 4-6 | "
            "S: C5 D5 C5 D5 C5 D5 | A: E4 F4 E4 F4 E4 F4"
        ),
        True,
    ),
    (
        "imitation-recognisable",
        (
            "entries: subject S 0-4, imitation A 4-8 | S: C5 D5 E5 F5 E5 D5 C5 C5 | "
            "A: - - - - C5 B4 A4 G4"
        ),
        True,
    ),
    (
        "imitation-recognisable",
        "entries: imitation S 0-2, imitation S 2-4 | S: C5 D5 E5 F5",
        True,
    ),
]


@pytest.mark.parametrize(("name", "example", "kept"), CASES)
def test_what_imitation_allows(name: str, example: str, *, kept: bool) -> None:
    """Free endings, suspensions and inversions are no faults; what they excuse else is one."""
    assert (findings(rule(name), example) == ()) == kept


@pytest.mark.parametrize(("bars", "kept"), [("2", False), ("3", True)])
def test_a_free_ending_of_its_limit_is_allowed(bars: str, *, kept: bool) -> None:
    """An ending of three bars is too long for two and not for three."""
    text = f"with: bars={bars} | {rule('canon-end').wrong}"
    assert (findings(rule("canon-end"), text) == ()) == kept


def test_an_unknown_inversion_is_refused() -> None:
    """Double counterpoint is at the octave, the tenth or the twelfth."""
    with pytest.raises(UnknownNameError, match=r"interval of inversion '9' .allowed: 10, 12, 8"):
        findings(rule("invertible-8ve"), "invertible: 9 | S: C5 | B: C4")


@pytest.mark.parametrize(
    ("line", "kind"), [("C5 D5 E5 D5 E5 F#5", "real"), ("C5 D5 E5 D5 E5 F5", "tonal")]
)
def test_sequences_are_real_or_tonal(line: str, kind: str) -> None:
    """Exact intervals make a sequence real, those of the key tonal."""
    found = findings(rule("sequence-real-tonal"), f"S: {line}")
    assert [f"a {kind} sequence" in each.message for each in found] == [True]


LINE = st.lists(st.sampled_from(["C5", "D5", "E5", "F5", "G5", "A5", "B4"]), min_size=3, max_size=8)


@given(line=LINE, by=st.sampled_from(["P5", "P4", "P8", "M3"]), delay=st.integers(1, 4))
def test_an_exact_copy_is_a_canon(line: list[str], by: str, delay: int) -> None:
    """A line and its exact transposition break no rule of canons at any interval and delay."""
    interval = Interval.parse(f"-{by}")
    copy = [(Pitch.parse(name) + interval).name for name in line]
    text = (
        f"metre: 2/4 | canon: S A -{by} {delay} strict | S: {' '.join(line + ['-'] * delay)} "
        f"| A: {' '.join(['-'] * delay + copy)}"
    )
    assert findings(rule("canon-strict"), text) == ()
    assert findings(rule("canon-end"), text) == ()
