"""The rules: each record beside its function, its own examples, slow twins, laws."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.check import Style
from theory_kb.errors import FactError, UnknownNameError
from theory_kb.moment import MAX_VOICES, Moments, blank_moments
from theory_kb.pitch import Interval, Pitch
from theory_kb.rule_sets import broken, rule_set
from theory_kb.rules import files, functions, records
from theory_kb.rules.engine import KernelError, address, kernel, kernels, piece_rule, run_offences
from theory_kb.rules.examples import ExampleError, findings, read_piece
from theory_kb.rules.records import rule, rules

Move = tuple[Pitch, Pitch]

# ---------------------------------------------------------------------------------- records


def test_every_rule_is_a_record_and_a_function() -> None:
    """Law: a rule is a record and a function of the same id."""
    assert set(rules()) == set(functions())
    assert len(rules()) > 70


@pytest.mark.parametrize("name", list(rules()))
def test_right_example_is_not_flagged(name: str) -> None:
    """Law: a rule keeps silent on its own right example."""
    assert findings(rule(name), rule(name).right) == ()


@pytest.mark.parametrize("name", list(rules()))
def test_wrong_example_is_flagged(name: str) -> None:
    """Law: a rule speaks on its own wrong example, in a sentence without open places."""
    found = findings(rule(name), rule(name).wrong)
    assert found
    assert all(each.message.endswith(".") and "{" not in each.message for each in found)
    assert all(each.repair and each.source for each in found)


def test_a_record_without_function_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record whose function is missing stops the load, and the reverse."""
    found = dict(rules())
    with pytest.raises(FactError, match="no-such-rule: has a record only"):
        records._match_functions({**found, "no-such-rule": rule("voice-crossing")})
    del found["voice-crossing"]
    with pytest.raises(FactError, match="voice-crossing: has a function only"):
        records._match_functions(found)


def entry(**changes: object) -> dict[str, Any]:
    """A record as its file holds it, with some entries changed; None takes one away."""
    base: dict[str, Any] = {
        "id": "voice-crossing",
        "name": "n",
        "scope": "V",
        "level": "surface",
        "group": "unary",
        "reports": "pair",
        "needs": ["voices"],
        "severity": "E I W W E -",
        "message": "m",
        "why": "w",
        "repair": ["r"],
        "cites": ["KP 5"],
        "right": "S: C4",
        "wrong": "S: C4",
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"colour": "red"}, "unknown entry colour"),
        ({"why": None}, "missing why"),
        ({"severity": "E I W"}, "severity must be six"),
        ({"severity": "E I W W E X"}, "severity must be six"),
        ({"scope": "Q"}, "scope must be one of"),
        ({"needs": ["luck"]}, "not luck"),
        ({"repair": "r"}, "repair must be a list"),
        ({"name": ""}, "name must be a text"),
    ],
)
def test_wrong_records_are_refused(changes: dict[str, object], problem: str) -> None:
    """A wrong record is named by file, id and entry."""
    with pytest.raises(FactError, match=f"some.toml: voice-crossing: .*{problem}"):
        records._read("some.toml", entry(**changes))


def test_a_sound_record_is_read() -> None:
    """The entry that the wrong ones are made of is itself right."""
    assert records._read("some.toml", entry()).severity["fux2"] == "W"


def test_broken_file_is_refused(tmp_path: Path) -> None:
    """A file that is no TOML, or holds something else than rules, is named."""
    path = tmp_path / "broken.toml"
    path.write_text("[[rule")
    with pytest.raises(FactError, match=r"broken\.toml: file: not valid TOML"):
        records._entries(path)
    path.write_text("[law]\n")
    with pytest.raises(FactError, match="only \\[\\[rule\\]\\]"):
        records._entries(path)


def test_params_match_their_function() -> None:
    """A parameter under another name than the function's is refused."""
    found = {**rules(), "spacing-upper": rule("voice-crossing")}
    with pytest.raises(FactError, match="spacing-upper: params must be, in this order: widest"):
        records._match_functions(found)


def test_unknown_rule_is_named() -> None:
    """A rule that does not exist is answered with the nearest one that does."""
    with pytest.raises(UnknownNameError, match="did you mean 'parallel-fifth'"):
        rule("paralel-fifth")


def test_ids_of_functions_are_unique() -> None:
    """A second function of one name is refused, for kernels and for rules on pieces."""

    def voice_crossing(*_: object) -> int:
        return 0

    def cadence_final(*_: object) -> Any:
        return iter(())

    with pytest.raises(KernelError, match="voice-crossing"):
        kernel()(voice_crossing)
    with pytest.raises(KernelError, match="cadence-final"):
        piece_rule()(cadence_final)
    with pytest.raises(KernelError, match="no-such-kernel"):
        address("no-such-kernel")


def test_ranges_agree_with_the_facts() -> None:
    """The limits in the range rules are those of the table of voices."""
    from theory_kb.query import voice_range

    core, extended = rule("range-core").params, rule("range-extended").params
    for part in ("soprano", "alto", "tenor", "bass"):
        stated = voice_range(part)
        low, high = f"{part}_low", f"{part}_high"
        assert core[low] == stated.core_low.semitone
        assert core[high] == stated.core_high.semitone
        assert extended[low] == stated.extended_low.semitone
        assert extended[high] == stated.extended_high.semitone


# --------------------------------------------------------------------------------- examples


def test_example_is_read_as_written() -> None:
    """Parts, holds, rests, time, marks and chords land in their fields."""
    piece = read_piece(
        "key: C major | chords: I _ V | time: 1/2 1/2 1 | upbeat: 1 | marks: o . ef "
        "| S: C5 D5 D5 | B: C3 _ -"
    )
    assert piece.voices == ("S", "B")
    assert piece.surface["semitone"][:, :2].tolist() == [[72, 48], [74, 48], [74, -1]]
    assert piece.surface["attack"][:, :2].tolist() == [[1, 1], [1, 0], [1, 0]]
    assert piece.surface["bar"].tolist() == [0, 0, 1]
    assert piece.surface["member"][:, 0].tolist() == [0, -1, 2]
    assert piece.surface["final"].tolist() == [0, 0, 1]
    assert piece.harmonic is not None
    assert len(piece.harmonic) == 2


@pytest.mark.parametrize("text", ["S: C4 D4 | B: C3", "S C4"])
def test_unreadable_examples_are_refused(text: str) -> None:
    """Parts of unequal length, and a segment without a name, are refused."""
    with pytest.raises(ExampleError):
        read_piece(text)


def test_an_example_that_cannot_be_judged_is_refused() -> None:
    """A rule on harmony needs an example with chords."""
    with pytest.raises(ExampleError, match="the harmony is not known"):
        findings(rule("omit-third"), "S: C5 | A: G4 | T: G3 | B: C3")


# -------------------------------------------------------------------------------- slow twins


def sounding_interval(upper: Pitch, lower: Pitch) -> Interval:
    """Interval from the lower-sounding to the higher-sounding note, within the octave."""
    interval = upper - lower if upper.semitone >= lower.semitone else lower - upper
    octaves = interval.steps // 7
    return Interval(interval.steps - 7 * octaves, interval.semitones - 12 * octaves)


def motion(move: Move) -> int:
    """1 up, -1 down, 0 no motion."""
    return int(np.sign(move[1].semitone - move[0].semitone))


def naive_parallel(upper: Move, lower: Move, name: str) -> bool:
    """Parallel motion from one perfect interval to the same."""
    return (
        motion(upper) == motion(lower) != 0
        and all(sounding_interval(upper[i], lower[i]).name == name for i in (0, 1))
        and upper[0].pitch_class != upper[1].pitch_class
    )


def naive_fifth(upper: Move, lower: Move) -> bool:
    """Parallel fifths."""
    return naive_parallel(upper, lower, "P5")


def naive_octave(upper: Move, lower: Move) -> bool:
    """Parallel octaves that are no unisons."""
    unisons = all(upper[i].semitone == lower[i].semitone for i in (0, 1))
    return naive_parallel(upper, lower, "P1") and not unisons


def naive_contrary(upper: Move, lower: Move) -> bool:
    """Fifths by contrary motion."""
    fifths = all(sounding_interval(upper[i], lower[i]).name == "P5" for i in (0, 1))
    return motion(upper) == -motion(lower) != 0 and fifths


def naive_dim_perfect(upper: Move, lower: Move) -> bool:
    """Diminished to perfect fifth in similar motion."""
    names = [sounding_interval(upper[i], lower[i]).name for i in (0, 1)]
    return motion(upper) == motion(lower) != 0 and names == ["d5", "P5"]


def naive_direct_fifth(upper: Move, lower: Move) -> bool:
    """Outer voices in similar motion into a fifth, the upper one leaping."""
    names = [sounding_interval(upper[i], lower[i]).name for i in (0, 1)]
    leap = abs(upper[1].step - upper[0].step) > 1
    return motion(upper) == motion(lower) != 0 and names[0] != "P5" == names[1] and leap


def naive_overlap(upper: Move, lower: Move) -> bool:
    """One voice passes the place its neighbour has left, without crossing."""
    if motion(upper) == motion(lower) == 0:
        return False
    if any(lower[i].semitone > upper[i].semitone for i in (0, 1)):
        return False
    return lower[1].semitone > upper[0].semitone or upper[1].semitone < lower[0].semitone


TWINS: dict[str, Callable[[Move, Move], bool]] = {
    "parallel-fifth": naive_fifth,
    "parallel-octave": naive_octave,
    "contrary-fifth": naive_contrary,
    "unequal-fifth-dim-perfect": naive_dim_perfect,
    "direct-fifth-outer": naive_direct_fifth,
    "voice-overlap": naive_overlap,
}

pitches = st.builds(
    lambda octave, letter, alteration: Pitch.parse(
        "CDEFGAB"[letter] + {-1: "b", 0: "", 1: "#"}[alteration] + str(octave)
    ),
    st.integers(3, 4),
    st.integers(0, 6),
    st.integers(-1, 1),
)


def sonorities(voices: int) -> st.SearchStrategy[list[Pitch]]:
    """Any pitches for so many voices, crossed or not."""
    return st.lists(pitches, min_size=voices, max_size=voices)


def moment(chord: Sequence[Pitch]) -> Moments:
    """One moment of a sonority whose harmony is not known."""
    moments = blank_moments(1, len(chord))
    for voice, pitch in enumerate(chord):
        moments["step"][0, voice], moments["semitone"][0, voice] = pitch.step, pitch.semitone
        moments["attack"][0, voice] = 1
    return moments


def hits(name: str, before: Moments, now: Moments, earlier: Moments | None = None) -> int:
    """Bits that one rule's kernel gives with the rule's own parameters."""
    params = np.array([list(rule(name).params.values()) or [0.0]])
    where = np.array([address(name)], np.int64)
    first = before if earlier is None else earlier
    return int(run_offences(where, params, first, before, now)[0, 0])


FEW = [Pitch.parse(name) for name in ["B3", "C4", "D4", "F4", "F#4", "G4", "A4", "Bb4", "C5", "G5"]]


@pytest.mark.parametrize("name", TWINS)
def test_pair_kernel_equals_its_slow_twin(name: str) -> None:
    """On all moves of two voices over ten pitches the kernel says what the textbook's words say."""
    moves = [
        ((u1, u2), (l1, l2))
        for u1, u2, l1, l2 in product(FEW, FEW, FEW, FEW)
        if not (u1 == u2 and l1 == l2)
    ]
    single = {pitch_pair: moment(pitch_pair) for pitch_pair in product(FEW, FEW)}
    before = np.concatenate([single[upper[0], lower[0]] for upper, lower in moves])
    now = np.concatenate([single[upper[1], lower[1]] for upper, lower in moves])
    where = np.array([address(name)], np.int64)
    said = run_offences(where, np.zeros((1, 1)), before, before, now)[:, 0] != 0
    expected = [TWINS[name](upper, lower) for upper, lower in moves]
    assert said.tolist() == expected
    assert any(expected)


def naive_melodic(name: str, interval: Interval) -> bool:
    """What each melodic rule says of one interval."""
    wide = abs(interval.steps) * 2 > 14 or abs(interval.semitones) > 12
    return {
        "mel-augmented": "A" in interval.quality and interval.number > 1,
        "mel-chromatic-step": interval.number == 1 and interval.semitones != 0,
        "mel-seventh": interval.number == 7 and interval.quality in "mM",
        "mel-over-octave": wide and interval.number >= 8,
    }[name]


@pytest.mark.parametrize(
    "name", ["mel-augmented", "mel-chromatic-step", "mel-seventh", "mel-over-octave"]
)
def test_melodic_kernel_equals_its_slow_twin(name: str) -> None:
    """The kernel agrees with the name of the spelled interval; a mere respelling is no move."""
    every = [
        Pitch.parse(letter + sign + octave)
        for letter, sign, octave in product("CDEFGAB", ("b", "", "#"), "34")
    ]
    moves = list(product(every, every))
    before, now = (np.concatenate([moment([move[side]]) for move in moves]) for side in (0, 1))
    where = np.array([address(name)], np.int64)
    said = run_offences(where, np.zeros((1, 1)), before, before, now)[:, 0] != 0
    expected = [
        naive_melodic(name, new - old) and new.semitone != old.semitone for old, new in moves
    ]
    assert said.tolist() == expected
    assert any(expected)


# --------------------------------------------------------------------------------------- laws

FREE_OF_REGISTER = [
    name
    for name, each in rules().items()
    if each.group in ("pair", "line") and each.level == "surface"
]


@given(
    chords=st.lists(sonorities(4), min_size=3, max_size=3),
    shift=st.sampled_from(["P1", "m2", "M2", "m3", "P4", "A4", "d5", "P5", "-M3"]),
)
def test_rules_of_motion_are_the_same_in_every_key(chords: list[list[Pitch]], shift: str) -> None:
    """Transposing everything by one spelled interval changes no answer."""
    interval = Interval.parse(shift)
    plain = [moment(chord) for chord in chords]
    moved = [moment([pitch + interval for pitch in chord]) for chord in chords]
    for name in FREE_OF_REGISTER:
        assert hits(name, plain[1], plain[2], plain[0]) == hits(name, moved[1], moved[2], moved[0])


@given(old=st.integers(1, MAX_VOICES).flatmap(sonorities), data=st.data())
def test_kernels_name_voices_that_exist(old: list[Pitch], data: st.DataObject) -> None:
    """Any number of voices is judged, and only its own voices are named."""
    new = data.draw(sonorities(len(old)))
    voices = len(old)
    own = {8 * high + low for high in range(voices) for low in range(high, voices)}
    for name, each in rules().items():
        if each.group != "piece":
            value = hits(name, moment(old), moment(new))
            assert {bit for bit in range(64) if value >> bit & 1} <= own


@given(chord=sonorities(4))
def test_standing_still_breaks_no_rule_of_motion(chord: list[Pitch]) -> None:
    """Nothing that judges motion speaks where no voice moves."""
    for name in FREE_OF_REGISTER:
        if rule(name).scope in ("M1", "M2", "L3") and name != "cross-relation":
            assert hits(name, moment(chord), moment(chord)) == 0


def test_a_phrase_boundary_excuses_motion() -> None:
    """Across a boundary only the rule on boundaries speaks."""
    before, now = (
        moment([Pitch.parse("C5"), Pitch.parse("F3")]),
        moment([Pitch.parse("D5"), Pitch.parse("G3")]),
    )
    assert hits("parallel-fifth", before, now)
    now["boundary"] = 1
    assert not hits("parallel-fifth", before, now)
    assert hits("chorale-cross-phrase", before, now)


def test_a_rest_breaks_a_pair() -> None:
    """A voice that comes out of a rest has no motion."""
    before, now = (
        moment([Pitch.parse("C5"), Pitch.parse("F3")]),
        moment([Pitch.parse("D5"), Pitch.parse("G3")]),
    )
    before["semitone"][0, 0] = -1
    assert not hits("parallel-fifth", before, now)


def test_rule_set_runs_the_kernels_of_its_style() -> None:
    """The flags of a rule set name the same rules as the single kernels do."""
    severities = {name: "W" if name in FREE_OF_REGISTER else "-" for name in rules()}
    style = Style("law", "", severities, {n: r.params for n, r in rules().items()}, {})
    chosen = rule_set(style, "pair", "surface")
    before, now = (
        moment([Pitch.parse("C5"), Pitch.parse("C4")]),
        moment([Pitch.parse("D5"), Pitch.parse("D4")]),
    )
    expected = {name for name in chosen.ids if hits(name, before, now)}
    flags = broken(chosen, before, before, now)[0]
    assert {name for name, flag in zip(chosen.ids, flags, strict=True) if flag} == expected
    assert "parallel-octave" in expected


def test_kernels_use_helpers_of_their_own_file_or_the_shared_ones_only() -> None:
    """What a kernel calls is in its file or in `engine` and `measure`: the cache stamps those."""
    folder = Path(records.__file__).parent
    for name in files():
        tree = ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        siblings = {f"theory_kb.rules.{each}" for each in files()}
        kernels_here = any(
            each.function.__module__.endswith(f".{name}") for each in kernels().values()
        )
        assert not (kernels_here and siblings & imported), name
