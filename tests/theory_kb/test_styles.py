"""Styles that a user writes: exceptions as data, one truth for search and score, the schema."""

from __future__ import annotations

import json
import shutil
import tomllib
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from theory_kb.check import check, load_style, style_names
from theory_kb.duties import duties
from theory_kb.errors import FactError
from theory_kb.moment import REST, Moments, blank_moments
from theory_kb.rule_sets import broken, costs, pair_table, rule_set
from theory_kb.rules import styles
from theory_kb.rules.examples import read_piece
from theory_kb.rules.exceptions import CONDITIONS, ROLES, Exemption, exception_table, is_spared
from theory_kb.rules.records import rule, rules
from theory_kb.rules.styles import FOLDER, Style, style_schema

FIFTHS = "S: C5 D5 | A: F4 G4"
LONG = "time: 4 4 4 | S: C5 D5 D5 | A: F4 G4 _"


def only(name: str, *exceptions: Exemption) -> Style:
    """A style of one rule with some exceptions."""
    severities = dict.fromkeys(rules(), "-") | {name: "E"}
    params = {other: each.params for other, each in rules().items()}
    return Style("only", "", severities, params, {}, exceptions)


def toml(value: object) -> str:
    """A value as TOML writes it inline."""
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


def read(folder: Path, content: dict[str, Any]) -> Style:
    """The style of a file that holds some content."""
    path = folder / "mine.toml"
    lines = [f"{json.dumps(key)} = {toml(value)}" for key, value in content.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    load_style.cache_clear()
    return load_style(path)


def entry(**changes: object) -> dict[str, Any]:
    """A style file with one exception, some of its entries changed."""
    exception = {"rules": ["parallel-fifth"], "where": {"final": True}, "why": "taste"}
    return {"name": "mine", "extends": "strict", "exceptions": [{**exception, **changes}]}


def excepting(**where: object) -> dict[str, Any]:
    """A style file with one exception to the rule of parallel fifths."""
    return entry(where=where)


# -------------------------------------------------------------------------------- exceptions

PLACES: list[tuple[dict[str, object], str, bool]] = [  # conditions, a move in fifths, spared
    ({"voices": ["soprano", "bass"]}, "S: C5 D5 | B: F4 G4", True),
    ({"voices": ["soprano"]}, "S: C5 D5 | B: F4 G4", False),
    ({"voices": ["inner"]}, "S: G5 G5 | A: C5 D5 | T: F4 G4 | B: E3 C3", True),
    ({"voices": ["outer"]}, "S: G5 G5 | A: C5 D5 | T: F4 G4 | B: E3 C3", False),
    ({"some_voice": ["bass"]}, "S: C5 D5 | B: F4 G4", True),
    ({"some_voice": ["alto"]}, "S: C5 D5 | B: F4 G4", False),
    ({"phrase_end": True}, f"marks: . e | {FIFTHS}", True),
    ({"phrase_end": True}, FIFTHS, False),
    ({"phrase_end": False}, FIFTHS, True),
    ({"opening": True}, f"marks: o o | {FIFTHS}", True),
    ({"final": True}, f"marks: . f | {FIFTHS}", True),
    ({"final": True}, f"marks: f . | {FIFTHS}", False),
    ({"boundary": False}, FIFTHS, True),
    ({"boundary": True}, FIFTHS, False),
    ({"strength_at_most": 1}, f"strength: 4 1 | {FIFTHS}", True),
    ({"strength_at_most": 1}, f"strength: 4 2 | {FIFTHS}", False),
    ({"strength_at_least": 2}, f"strength: 4 2 | {FIFTHS}", True),
    ({"strength_at_least": 2}, f"strength: 4 1 | {FIFTHS}", False),
    ({"first_bars": 1}, LONG, False),
    ({"first_bars": 2}, LONG, True),
    ({"last_bars": 1}, LONG, False),
    ({"last_bars": 2}, LONG, True),
    ({"mode": "major"}, f"key: C major | chords: IV V | {FIFTHS}", True),
    ({"mode": "minor"}, f"key: C major | chords: IV V | {FIFTHS}", False),
    ({"mode": "major"}, FIFTHS, False),
    ({"same_chord": True}, f"key: C major | chords: IV _ | {FIFTHS}", True),
    ({"same_chord": True}, f"key: C major | chords: IV V | {FIFTHS}", False),
    ({"same_chord": False}, f"key: C major | chords: IV V | {FIFTHS}", True),
    ({"same_chord": False}, FIFTHS, False),
    ({"same_harmony": True}, f"key: C major | chords: IV IV6 | {FIFTHS}", True),
    ({"same_harmony": True}, f"key: C major | chords: IV V | {FIFTHS}", False),
    ({"voices": ["upper"], "phrase_end": True}, f"marks: . e | {FIFTHS} | B: D3 B2", True),
    ({"voices": ["upper"], "phrase_end": True}, f"{FIFTHS} | B: D3 B2", False),
]


@pytest.mark.parametrize(("where", "example", "spared"), PLACES)
def test_a_breach_is_spared_where_all_conditions_hold(
    tmp_path: Path, where: dict[str, object], example: str, spared: bool
) -> None:
    """An exception speaks of a place and of voices; what it does not name is judged as ever."""
    alone = only("parallel-fifth").severities
    style = replace(read(tmp_path, excepting(**where)), severities=alone)
    assert (check(read_piece(example), style).findings == ()) == spared


def test_every_condition_has_a_case() -> None:
    """No condition of the vocabulary goes untried."""
    assert {name for where, *_ in PLACES for name in where} == set(CONDITIONS)


def test_voices_of_a_chord_are_spared_together() -> None:
    """A rule that reports a chord is broken by all of its voices or by none."""
    text = "S: C5 D5 | A: G4 A4 | T: E4 F4 | B: C3 D3"
    for roles in ("upper", "outer", "bass"):
        spared = Exemption(("all-same-direction",), {"voices": ROLES[roles]}, "taste")
        found = check(read_piece(text), only("all-same-direction", spared)).findings
        assert [each.voices for each in found] == [(0, 1, 2, 3)]
    every = Exemption(("all-same-direction",), {"some_voice": ROLES["bass"]}, "taste")
    assert check(read_piece(text), only("all-same-direction", every)).findings == ()


def test_rules_on_pieces_are_spared_too() -> None:
    """An exception to a rule on whole pieces takes the place of its finding."""
    piece = read_piece(f"{rule('cadence-final').wrong} | marks: o ef")
    assert check(piece, only("cadence-final")).findings
    spared = Exemption(("cadence-final",), {"final": 1, "voices": 15}, "taste")
    assert check(piece, only("cadence-final", spared)).findings == ()
    elsewhere = Exemption(("cadence-final",), {"opening": 1}, "taste")
    assert check(piece, only("cadence-final", elsewhere)).findings


def test_exceptions_are_inherited_or_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A style keeps the exceptions of the one it extends unless it says otherwise."""
    house = tmp_path / "house"
    house.mkdir()
    base = read(house, excepting(final=True) | {"extends": "kbd"})
    (house / "mine.toml").rename(house / "base.toml")
    shutil.copy(FOLDER / "kbd.toml", house)
    monkeypatch.setattr(styles, "FOLDER", house)
    mine = {"name": "mine", "extends": "base"}
    assert len(base.exceptions) == 1
    assert read(tmp_path, mine).exceptions == base.exceptions
    assert read(tmp_path, {**mine, "keep_exceptions": False}).exceptions == ()
    more = read(tmp_path, excepting(opening=True) | {"extends": "base"}).exceptions
    assert [dict(each.where) for each in more] == [{"final": 1}, {"opening": 1}]


@pytest.mark.parametrize("name", ["first_bars", "last_bars"])
def test_composing_refuses_exceptions_that_it_cannot_see(tmp_path: Path, name: str) -> None:
    """The search does not know where in a piece a bar lies, and says so."""
    style = read(tmp_path, excepting(**{name: 2}))
    style = replace(style, severities=only("parallel-fifth").severities)
    with pytest.raises(FactError, match=rf"exceptions 1: {name} cannot be seen .*phrase_end"):
        rule_set(style, "pair")
    assert rule_set(style, "unary").ids == ()


@cache
def sonorities() -> Moments:
    """Many four-voice sonorities in all kinds of places, some with rests."""
    rng = np.random.default_rng(4)
    moments = blank_moments(200, 4)
    steps = np.sort(rng.integers(24, 34, (200, 4)))[:, ::-1]
    moments["step"][:, :4] = steps
    moments["semitone"][:, :4] = 12 * (steps // 7 + 1) + np.array([0, 2, 4, 5, 7, 9, 11])[steps % 7]
    moments["semitone"][:3, 1] = REST
    moments["attack"][:, :4] = 1
    for name in ("boundary", "phrase_end", "final", "opening", "root"):
        moments[name] = rng.integers(0, 2, 200)
    for name, low, high in (("strength", 0, 5), ("chord", -1, 2), ("mode", -1, 2)):
        moments[name] = rng.integers(low, high, 200)
    moments["tonic"] = 0
    return moments


def bits(name: str) -> st.SearchStrategy[int]:
    """A value of a condition that the search sees."""
    if name in ("voices", "some_voice"):
        return st.integers(1, 15)
    return st.integers(0, 4 if name.startswith("strength") else 1)


SEEN = [name for name in CONDITIONS if not name.endswith("_bars")]
places = st.lists(st.sampled_from(SEEN), min_size=1, max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: bits(name) for name in names})
)
MOVING = ("parallel-fifth", "parallel-octave", "voice-overlap", "all-same-direction")


@given(where=places, name=st.sampled_from(MOVING))
def test_search_and_score_spare_the_same_places(where: dict[str, int], name: str) -> None:
    """Masks of the search, flags and costs all leave out what the exception spares, no more."""
    exemption = Exemption((name,), where, "taste")
    bare, spared = rule_set(only(name), "pair"), rule_set(only(name, exemption), "pair")
    now = sonorities()
    before = np.roll(now, 1)
    was = broken(bare, before, before, now)[:, 0]
    flags = broken(spared, before, before, now)[:, 0]
    assert was.any()
    assert not (flags & ~was).any()
    same = np.isinf(costs(spared, before[1:], before[1:], now[1:]))
    assert same.tolist() == broken(spared, before[1:], before[1:], now[1:])[:, 0].tolist()
    pointers, successors, _ = pair_table(spared, before, now, np.eye(len(now), dtype=bool))
    assert (np.diff(pointers) == 0).tolist() == flags.tolist()
    assert len(successors) == (~flags).sum()
    if not set(where) & {"voices", "some_voice"}:
        whole = rule(name).reports == "chord"
        rows = np.array([exception_table(exemption, whole=whole, last_bar=0)])
        kept = [not is_spared(rows, *pair, ()) for pair in zip(before, now, strict=True)]
        assert flags.tolist() == (was & np.array(kept)).tolist()


# ------------------------------------------------------------------------------------ schema

RIGHT: list[dict[str, Any]] = [
    {"name": "x"},
    {"name": "x", "description": "words", "extends": "bach"},
    {"name": "x", "severities": {"parallel-fifth": "W", "voice-crossing": "-"}},
    {"name": "x", "params": {"spacing-upper": {"widest": 14}}},
    {"name": "x", "params": {"spacing-upper": {}}},
    {"name": "x", "weights": {"W": 2, "I": 0.5, "parallel-fifth": 0}},
    {"name": "x", "exceptions": []},
    {"name": "x", "keep_exceptions": False},
    *(excepting(**where) for where, *_ in PLACES),
    excepting(strength_at_least=2.0),
]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "name: a style needs a name"),
    ({"name": 3}, "name: a style needs a name"),
    ({"name": "x", "colour": 1}, "colour: unknown entry .allowed: .*exceptions"),
    ({"name": "x", "description": 3}, "description: must be a text, got 3"),
    ({"name": "x", "extends": "baroque"}, "extends: no style 'baroque' .allowed: bach"),
    ({"name": "x", "extends": ["bach"]}, "extends: must be the name of a style"),
    ({"name": "x", "keep_exceptions": 1}, "keep_exceptions: must be true or false, got 1"),
    ({"name": "x", "severities": 3}, "severities: must be a table"),
    ({"name": "x", "severities": {"parallel-fith": "E"}}, "did you mean 'parallel-fifth'"),
    ({"name": "x", "severities": {"parallel-fifth": "X"}}, "must be E, W, I or -, got 'X'"),
    ({"name": "x", "severities": {"parallel-fifth": ["E"]}}, "must be E, W, I or -"),
    ({"name": "x", "params": {"spacing-upper": 3}}, "params.spacing-upper: must be a table"),
    ({"name": "x", "params": {"spacing-upper": {"wide": 3}}}, "no 'wide' .allowed: widest"),
    ({"name": "x", "params": {"spacing-upper": {"widest": "a"}}}, "finite number"),
    ({"name": "x", "params": {"spacing-upper": {"widest": True}}}, "finite number"),
    ({"name": "x", "params": {"spacing-upper": {"widest": 1e9}}}, "finite number"),
    ({"name": "x", "weights": {"Q": 1}}, "unknown rule 'Q'"),
    ({"name": "x", "weights": {"W": -1}}, "weights.W: must be a finite number"),
    ({"name": "x", "exceptions": {}}, "exceptions: must be a list"),
    ({"name": "x", "exceptions": [3]}, "exceptions 1: must be a table, got 3"),
    ({"name": "x", "exceptions": [{"rules": ["parallel-fifth"]}]}, "exceptions 1: missing where"),
    (entry(colour="red"), "exceptions 1: unknown colour .allowed: rules, where, why"),
    (excepting(), "exceptions 1.where: must state a condition"),
    (excepting(moon="full"), "exceptions 1.where: unknown condition 'moon'.*allowed: boundary"),
    (excepting(boundary=1), "exceptions 1.where.boundary: must be true or false, got 1"),
    (excepting(voices="bass"), "where.voices: must be a list of names, got 'bass'"),
    (excepting(voices=[]), "where.voices: must be a list of names"),
    (excepting(voices=["viola"]), "unknown name 'viola' .allowed: alto, bass"),
    (excepting(mode="dorian"), "unknown name 'dorian' .allowed: major, minor"),
    (excepting(mode=["major"]), "where.mode: must be a name, got"),
    (excepting(strength_at_least=5), "must be a whole number from 0 to 4, got 5"),
    (excepting(strength_at_least=1.5), "must be a whole number from 0 to 4, got 1.5"),
    (excepting(strength_at_least=True), "must be a whole number from 0 to 4, got True"),
    (excepting(first_bars=0), "must be a whole number from 1 to 1000, got 0"),
    ({**excepting(final=True), "keep_exceptions": "no"}, "keep_exceptions: must be true or"),
    (entry(rules=[]), "exceptions 1.rules: must be a list of names"),
    (entry(rules=["no"]), "exceptions 1.rules: unknown rule 'no'"),
    (entry(rules="parallel-fifth"), "exceptions 1.rules: must be a list of names"),
    (
        entry(rules=["voice-crossing"], where={"same_chord": True}),
        "voice-crossing looks at one moment: no same_chord or same_harmony there",
    ),
    (entry(why=""), "exceptions 1.why: must be a text"),
]


@cache
def validator() -> Draft202012Validator:
    """What judges by the schema."""
    Draft202012Validator.check_schema(style_schema())
    return Draft202012Validator(style_schema())


@pytest.mark.parametrize("content", RIGHT)
def test_right_styles_pass_schema_and_loader(tmp_path: Path, content: dict[str, Any]) -> None:
    """What the loader reads the schema passes."""
    assert read(tmp_path, content).name == content["name"]
    assert validator().is_valid(content)


@pytest.mark.parametrize(("content", "problem"), WRONG)
def test_wrong_styles_fail_schema_and_loader(
    tmp_path: Path, content: dict[str, Any], problem: str
) -> None:
    """What the loader refuses, by file, entry, what came and what is allowed, the schema fails."""
    with pytest.raises(FactError, match=rf"mine\.toml: .*{problem}"):
        read(tmp_path, content)
    assert not validator().is_valid(content)


VALUES = st.one_of(
    st.sampled_from(["E", "W", "-", "bach", "bass", "major", "parallel-fifth", "voice-crossing"]),
    st.booleans(),
    st.integers(-2, 6),
    st.floats(-1e10, 1e10, allow_nan=False).map(lambda number: round(number, 3)),
    st.lists(st.sampled_from(["bass", "inner", "parallel-fifth", "voice-crossing"]), max_size=2),
)
WHERE = st.dictionaries(st.sampled_from([*CONDITIONS, "moon"]), VALUES, max_size=2)
CONTENT = st.fixed_dictionaries(
    {"name": st.just("x")},
    optional={
        "extends": st.sampled_from([*style_names(), "none"]),
        "severities": st.dictionaries(st.sampled_from(["parallel-fifth", "no"]), VALUES),
        "params": st.dictionaries(
            st.sampled_from(["spacing-upper", "voice-crossing"]),
            st.dictionaries(st.sampled_from(["widest", "most"]), VALUES),
        ),
        "weights": st.dictionaries(st.sampled_from(["W", "E", "parallel-fifth"]), VALUES),
        "keep_exceptions": VALUES,
        "exceptions": st.lists(
            st.fixed_dictionaries({"rules": VALUES, "where": WHERE, "why": VALUES}), max_size=2
        ),
    },
)


@given(content=CONTENT)
def test_schema_and_loader_give_one_verdict(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]
) -> None:
    """Whatever a file says, both refuse it or neither does."""
    try:
        read(tmp_path_factory.mktemp("styles"), content)
    except FactError:
        accepted = False
    else:
        accepted = True
    assert validator().is_valid(content) == accepted


@pytest.mark.parametrize("name", style_names())
def test_built_in_styles_pass_the_schema(name: str) -> None:
    """The styles of the house are written by the same rules as a user's."""
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    assert list(validator().iter_errors(content)) == []


# -------------------------------------------------------------------------- the house's styles


def inherited(name: str) -> Style | None:
    """The style that one of the house extends; None where it has its column in the catalogue."""
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return load_style(content["extends"]) if "extends" in content else None


def said(name: str, table: str) -> dict[str, Any]:
    """What a style of the house says of single rules in one of its tables."""
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return {key: each for key, each in content.get(table, {}).items() if key in rules()}


@pytest.mark.parametrize("name", style_names())
def test_a_style_says_nothing_in_vain(name: str) -> None:
    """Parameters belong to rules that are on and differ from theirs; weights to soft rules."""
    style, base = load_style(name), inherited(name)
    for each, values in said(name, "params").items():
        assert style.severities[each] != "-", each
        known = rule(each).params if base is None else base.params[each]
        assert any(known[key] != value for key, value in values.items()), each
    for each in said(name, "weights"):
        assert style.severities[each] in ("W", "I"), each
    for each, severity in said(name, "severities").items():
        before = rule(each).severity[name] if base is None else base.severities[each]
        assert before != severity, each


@pytest.mark.parametrize("name", style_names())
def test_a_warning_costs_more_than_a_remark(name: str) -> None:
    """Each soft rule has a cost, and the default of a warning is far above that of a remark."""
    style = load_style(name)
    assert style.weights["W"] > 5 * style.weights["I"] > 0
    assert all(style.cost(each) > 0 for each, s in style.severities.items() if s in "WI")


@pytest.mark.parametrize("name", [name for name in style_names() if name != "bach"])
def test_what_holds_longer_costs_more(name: str) -> None:
    """Weights follow the order of duties; those of bach follow what his chorales do."""
    style = load_style(name)
    for severity in "WI":
        costs_of = [
            [style.cost(each) for each in duty.rules if style.severities[each] == severity]
            for duty in duties()
        ]
        ranked = [each for each in costs_of if each]
        assert all(min(one) >= max(two) for one, two in pairwise(ranked)), severity
