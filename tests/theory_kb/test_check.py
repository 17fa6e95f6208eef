"""Running a style: costs for the search, findings for a score, styles a user writes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.check import Style, check, load_style, style_names
from theory_kb.chords import chord, set_harmony
from theory_kb.errors import FactError, UnknownNameError
from theory_kb.explain import message, reasons
from theory_kb.moment import REST, Moments, blank_moments
from theory_kb.pitch import Key
from theory_kb.rule_sets import broken, costs, earlier_notes, pair_table, rule_set
from theory_kb.rules import engine
from theory_kb.rules.examples import read_piece
from theory_kb.rules.records import rule, rules

SMALL = ("parallel-fifth", "parallel-octave", "mel-augmented", "voice-overlap", "direct-unison")


def small_style(hard: int) -> Style:
    """The rules above, the first so many of them hard, the others with telling costs."""
    severities = dict.fromkeys(rules(), "-")
    severities |= {name: "E" if place < hard else "W" for place, name in enumerate(SMALL)}
    weights = {name: float(2**place) for place, name in enumerate(SMALL)}
    return Style("small", "", severities, {n: r.params for n, r in rules().items()}, weights)


def sonorities(count: int, seed: int) -> Moments:
    """Random four-voice sonorities of natural notes in a narrow compass."""
    rng = np.random.default_rng(seed)
    moments = blank_moments(count, 4)
    steps = rng.integers(24, 34, (count, 4))
    naturals = np.array([0, 2, 4, 5, 7, 9, 11])
    moments["step"][:, :4] = steps
    moments["semitone"][:, :4] = 12 * (steps // 7 + 1) + naturals[steps % 7]
    moments["attack"][:, :4] = 1
    return moments


# ------------------------------------------------------------------------------------ search


def test_hard_rules_come_first() -> None:
    """The hard rules, whose severity is E, lead the set."""
    style = load_style("bach")
    for group in ("unary", "pair", "line"):
        chosen = rule_set(style, group)
        hard = [style.severities[name] == "E" for name in chosen.ids]
        assert hard == sorted(hard, reverse=True)
        assert sum(hard) == chosen.hard
        assert all(rules()[name].group == group for name in chosen.ids)


def test_levels_part_the_rules() -> None:
    """Surface and harmonic rules together are both."""
    style = load_style("strict")
    parts = [set(rule_set(style, "pair", level).ids) for level in ("surface", "harmonic")]
    assert parts[0] | parts[1] == set(rule_set(style, "pair", "both").ids)
    assert not parts[0] & parts[1]


@pytest.mark.parametrize(("group", "level"), [("piece", "both"), ("pair", "deep")])
def test_unknown_groups_and_levels_are_refused(group: str, level: str) -> None:
    """Rules on whole pieces have no kernels, and levels are two."""
    with pytest.raises(UnknownNameError, match="allowed"):
        rule_set(load_style("bach"), group, level)


@given(seed=st.integers(0, 2**32 - 1), hard=st.integers(0, 5))
def test_costs_are_the_sum_of_what_fires(seed: int, hard: int) -> None:
    """The cost of a pair is the sum of the weights of what it breaks, infinite if one is hard."""
    chosen = rule_set(small_style(hard), "pair")
    before, now = sonorities(40, seed), sonorities(40, seed + 1)
    expected = [
        np.inf if flags[: chosen.hard].any() else sum(chosen.weights[flags].tolist())
        for flags in broken(chosen, before, before, now)
    ]
    assert costs(chosen, before, before, now).tolist() == expected


@given(seed=st.integers(0, 2**32 - 1), hard=st.integers(0, 5))
def test_pair_table_equals_trying_every_pair(seed: int, hard: int) -> None:
    """Each gated pair that breaks no hard rule is there once, in order, with its cost."""
    chosen = rule_set(small_style(hard), "pair")
    before, after = sonorities(7, seed), sonorities(9, seed + 1)
    gate = np.random.default_rng(seed).random((7, 9)) < 0.7
    expected: list[tuple[int, int, float]] = []
    for one in range(7):
        for other in range(9):
            price = costs(chosen, before[[one]], before[[one]], after[[other]])[0]
            if gate[one, other] and np.isfinite(price):
                expected.append((one, other, float(price)))
    indptr, successors, prices = pair_table(chosen, before, after, gate)
    rows = np.repeat(np.arange(7), np.diff(indptr))
    assert list(zip(rows.tolist(), successors.tolist(), prices.tolist(), strict=True)) == expected
    assert successors.dtype == np.int32


def test_nothing_to_judge_costs_nothing() -> None:
    """No moments, and no rules, are no error."""
    chosen = rule_set(small_style(2), "pair")
    none = blank_moments(0, 4)
    assert costs(chosen, none, none, none).tolist() == []
    empty = rule_set(replace(small_style(0), severities=dict.fromkeys(rules(), "-")), "pair")
    some = sonorities(3, 0)
    assert costs(empty, some, some, some).tolist() == [0.0, 0.0, 0.0]
    assert broken(empty, some, some, some).shape == (3, 0)


def test_a_sliced_array_is_judged_like_its_copy() -> None:
    """Views with gaps in memory give the same answers."""
    chosen = rule_set(small_style(2), "pair")
    many = sonorities(20, 3)
    view = many[::2]
    assert (
        costs(chosen, view, view, view[::-1]).tolist()
        == costs(chosen, view.copy(), view.copy(), view[::-1].copy()).tolist()
    )


def naive_earlier(moments: Moments, index: int, voice: int) -> int:
    """The pitch a voice left before the one it held a moment before `index`, by looking back."""
    start = index - 1
    while start > 0 and not moments["boundary"][start]:
        start -= 1
    line = [int(moments["semitone"][place, voice]) for place in range(start, index)]
    for place in range(len(line) - 1, 0, -1):
        if REST in (line[place], line[place - 1]):
            return REST
        if line[place] != line[place - 1]:
            return line[place - 1]
    return REST


@given(line=st.lists(st.integers(60, 63), min_size=1, max_size=12), seed=st.integers(0, 1000))
def test_earlier_notes_equal_looking_back(line: list[int], seed: int) -> None:
    """The note two moves back is the last other pitch of the phrase."""
    moments = blank_moments(len(line), 1)
    moments["semitone"][:, 0] = line
    moments["boundary"] = np.random.default_rng(seed).random(len(line)) < 0.2
    earlier = earlier_notes(moments)
    for index in range(1, len(line)):
        assert earlier["semitone"][index, 0] == naive_earlier(moments, index, 0)


def test_importing_compiles_nothing() -> None:
    """The package and its records are there before any kernel is compiled."""
    code = (
        "import theory_kb.rules, theory_kb.check\n"
        "from theory_kb.rules import engine, records\n"
        "assert records.rules()\n"
        "assert engine._compiled.cache_info().currsize == 0\n"
        "assert engine._driver.cache_info().currsize == 0\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_unwritable_cache_is_done_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no folder can be made, kernels are compiled for this process only."""
    (tmp_path / "file").write_text("")
    blocked = str(tmp_path / "file" / "cache")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_: blocked)
    folder = engine.cache_folder.__wrapped__()
    assert folder is None
    monkeypatch.setattr(engine, "cache_folder", lambda: None)
    with engine._cached() as cached:
        assert not cached


# ------------------------------------------------------------------------------------ report

CHORALE = (
    "key: G major | chords: I V I IV _ V I | marks: o . . . . . ef | time: 1 1 1 1/2 1/2 1 2 "
    "| Soprano: D5 D5 D5 E5 _ D5 D5 | Alto: B4 A4 B4 C5 B4 A4 B4 "
    "| Tenor: G4 F#4 G4 G4 _ F#4 G4 | Bass: G3 D3 G3 C3 _ D3 G2"
)


def test_a_sound_phrase_has_no_error() -> None:
    """A plain phrase in G is free of errors in the style of the chorales."""
    assert check(read_piece(CHORALE), load_style("bach")).count("E") == 0


def test_findings_tell_place_voices_and_repair() -> None:
    """A finding names bar, beat, voices, pitches, what to do and where that is taught."""
    text = "upbeat: 1 | Soprano: C5 C5 D5 | Alto: G4 G4 G4 | Tenor: E4 E4 B3 | Bass: C3 F3 G3"
    report = check(read_piece(text), load_style("strict"))
    (finding,) = [each for each in report.findings if each.rule == "parallel-fifth"]
    assert (finding.bar, finding.beat, finding.voices) == (1, 2.0, (0, 3))
    assert finding.severity == "E"
    assert "Soprano and Bass" in finding.message
    assert "C5-D5 over F3-G3" in finding.message
    assert finding.repair
    assert "KP 5" in finding.source


def test_findings_come_in_time_order() -> None:
    """Findings are sorted by onset, the graver first at one onset."""
    moments = read_piece("S: C5 D5 E5 F5 | A: F4 G4 A4 B4 | T: C4 D4 E4 F4 | B: F3 G3 A3 B3")
    found = check(moments, load_style("strict")).findings
    keys = [(each.onset, "EWI".index(each.severity)) for each in found]
    assert keys == sorted(keys)
    assert len(keys) > 4


def test_what_is_not_known_is_skipped_and_said() -> None:
    """Without harmony its rules are skipped, not guessed."""
    report = check(read_piece("S: C5 D5 | B: C3 B2"), load_style("strict"))
    skipped = {each.rule: each.reason for each in report.skipped}
    assert skipped["omit-third"] == "the harmony is not known"
    assert skipped["chorale-cross-phrase"] == "the phrases are not known"
    assert "parallel-fifth" not in skipped
    assert not set(skipped) & {each.rule for each in report.findings}


def test_an_empty_piece_is_no_error() -> None:
    """A piece without notes is judged by no rule."""
    piece = replace(read_piece("S: C5 | B: C3"), surface=blank_moments(0, 2))
    report = check(piece, load_style("bach"))
    assert report.findings == ()
    assert report.skipped


def test_a_gap_that_stays_open_is_one_defect() -> None:
    """Spacing is reported where it opens; the boundary of a phrase opens it anew."""
    text = "S: E5 F5 E5 E5 | A: C4 C4 C4 C4 | T: G3 A3 G3 G3 | B: C3 F3 C3 C3"
    style = load_style("strict")
    spaced = [
        each for each in check(read_piece(text), style).findings if each.rule == "spacing-upper"
    ]
    assert [each.onset for each in spaced] == [0]
    again = check(read_piece(f"marks: . . e b | {text}"), style).findings
    assert [each.onset // 5040 for each in again if each.rule == "spacing-upper"] == [0, 3]


def test_each_note_out_of_range_is_one_defect() -> None:
    """A held note is reported once, a new one again."""
    text = "S: C6 _ B5 | A: C5 _ C5 | T: G4 _ G4 | B: C3 _ C3"
    found = check(read_piece(text), load_style("strict")).findings
    ranges = [each for each in found if each.rule == "range-extended"]
    assert [(each.onset // 5040, each.also) for each in ranges] == [
        (0, ("range-core",)),
        (2, ("range-core",)),
    ]


def test_doubling_covers_its_wrong_resolution() -> None:
    """A doubled leading tone is reported, the one of the two that goes astray is attached."""
    text = "key: C major | chords: V I | S: B4 C5 | A: G4 E4 | T: B3 G3 | B: G3 C3"
    found = check(read_piece(text), load_style("strict")).findings
    doubled = [each for each in found if each.rule == "double-leading-tone"]
    assert len(doubled) == 1
    assert "leading-tone-inner" in doubled[0].also
    assert "leading-tone-inner" not in {each.rule for each in found}


def test_the_same_breach_elsewhere_is_a_finding_of_its_own() -> None:
    """Fifths in two pairs are two findings."""
    text = "S: C5 D5 | A: F4 G4 | T: C4 D4 | B: A2 A2"
    severities = dict.fromkeys(rules(), "-") | {"parallel-fifth": "E"}
    alone = replace(load_style("strict"), severities=severities)
    found = check(read_piece(text), alone).findings
    assert [each.voices for each in found] == [(0, 1)]
    text = "S: C5 D5 | A: F4 G4 | T: C4 D4 | B: F3 G3"
    found = check(read_piece(text), alone).findings
    assert {each.voices for each in found} == {(0, 1), (0, 3), (2, 3)}


@pytest.mark.parametrize("voices", [1, 2, 3, 5, 8])
def test_any_number_of_voices(voices: int) -> None:
    """One to eight voices are judged; the names of all are used."""
    lines = [f"V{place}: C{6 - place // 2} D{6 - place // 2}" for place in range(voices)]
    report = check(read_piece(" | ".join(lines)), load_style("strict"))
    named = {each for finding in report.findings for each in finding.voices}
    assert named <= set(range(voices))
    assert ("parallel-octave" in {each.rule for each in report.findings}) == (voices > 2)


def test_same_rules_for_search_and_score() -> None:
    """What the search calls infinite the checker calls an error, on the same two chords."""
    style = load_style("bach")
    key = Key.parse("C major")
    piece = read_piece("key: C major | chords: IV V | S: C5 D5 | A: A4 B4 | T: F4 G4 | B: F3 G3")
    assert piece.harmonic is not None
    before, now = piece.harmonic[:1].copy(), piece.harmonic[1:].copy()
    set_harmony(before, chord("major", "IV"), key)
    chosen = rule_set(style, "pair")
    assert np.isinf(costs(chosen, before, before, now)[0])
    flags = broken(chosen, before, before, now)[0]
    names = {name for name, flag in zip(chosen.ids, flags, strict=True) if flag}
    errors = {each.rule for each in check(piece, style).findings if each.severity == "E"}
    assert {"parallel-fifth", "parallel-octave"} <= names
    assert errors & names


def test_words_of_a_rest() -> None:
    """A silent voice in a message is called a rest."""
    before, now = blank_moments(1, 2), blank_moments(1, 2)
    seen = (before[0], before[0], now[0])
    text = message(rule("mel-seventh"), (0,), seen, ("Soprano", "Bass"), {})
    assert text == "Soprano a rest-a rest leaps a seventh."
    assert reasons(["parallel-fifth"])[0][1].startswith("KP 5")


# ------------------------------------------------------------------------------------ styles


def test_built_in_styles() -> None:
    """Nine styles are there, with costs for the search and a description."""
    named = {"strict", "bach", "fux2", "fux3", "kbd", "pop", "homophony", "song", "imitation"}
    assert set(style_names()) == named
    for name in style_names():
        style = load_style(name)
        assert style.description
        assert style.severities["parallel-fifth"] == ("-" if name == "pop" else "E")
        assert set(style.severities) == set(rules())
    bach = load_style("bach")
    assert bach.cost("spacing-upper") == bach.weights["W"]
    assert bach.cost("voice-crossing") > bach.weights["I"]
    assert bach.params["parallel-fifth"]["anticipation_allowed"] == 1


def written(folder: Path, text: str) -> Path:
    """A style file of a user."""
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_user_extends_a_style(tmp_path: Path) -> None:
    """A user's file changes what it names and keeps the rest."""
    text = (
        'name = "mine"\nextends = "bach"\n[severities]\nvoice-crossing = "E"\n'
        "[params]\nspacing-upper = { widest = 14 }\n[weights]\nleap-recovery = 2.5\n"
    )
    style, bach = load_style(written(tmp_path, text)), load_style("bach")
    assert style.severities == {**bach.severities, "voice-crossing": "E"}
    assert style.params["spacing-upper"]["widest"] == 14
    assert style.params["range-core"] == bach.params["range-core"]
    assert style.cost("leap-recovery") == 2.5
    assert style.cost("spacing-upper") == bach.cost("spacing-upper")


def test_a_style_without_base_starts_from_nothing(tmp_path: Path) -> None:
    """Only what such a style names is on, at the weights of a report."""
    text = 'name = "mine"\n[severities]\nvoice-crossing = "W"\n'
    style = load_style(written(tmp_path, text))
    assert {name for name, level in style.severities.items() if level != "-"} == {"voice-crossing"}
    assert style.cost("voice-crossing") == 10.0
    assert style.cost("parallel-fifth") == 0.0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('name = "x"\ncolour = 1\n', "colour: unknown entry"),
        ("description = 'x'\n", "a style needs a name"),
        ('name = "x"\nextends = "baroque"\n', "no style 'baroque'"),
        ('name = "x"\n[severities]\nparallel-fith = "E"\n', "did you mean 'parallel-fifth'"),
        ('name = "x"\n[severities]\nparallel-fifth = "X"\n', "must be E, W, I or -, got 'X'"),
        ('name = "x"\n[params]\nspacing-upper = { wide = 3 }\n', "no 'wide' .allowed: widest"),
        ('name = "x"\n[params]\nspacing-upper = 3\n', "params.spacing-upper: must be a table"),
        ('name = "x"\n[params]\nspacing-upper = { widest = "a" }\n', "finite number"),
        ('name = "x"\n[params]\nspacing-upper = { widest = true }\n', "finite number"),
        ('name = "x"\n[params]\nspacing-upper = { widest = nan }\n', "finite number"),
        ('name = "x"\n[weights]\nQ = 1\n', "unknown rule 'Q'"),
        ('name = "x"\n[weights]\nW = -1\n', "weights.W: must be a finite number"),
        ('name = "x"\n[weights]\nW = inf\n', "weights.W: must be a finite number"),
        ('name = "x"\nseverities = 3\n', "severities: must be a table"),
        ("name = ", "not valid TOML"),
    ],
)
def test_wrong_styles_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    """A wrong style is named by file and entry, with what is allowed."""
    with pytest.raises(FactError, match=rf"mine\.toml: .*{problem}"):
        load_style(written(tmp_path, text))


def test_unknown_styles_are_refused(tmp_path: Path) -> None:
    """A name that is neither a style nor a file is answered with the styles there are."""
    with pytest.raises(UnknownNameError, match=r"unknown style 'bahc'.*did you mean 'bach'"):
        load_style("bahc")
    with pytest.raises(UnknownNameError, match="unknown style"):
        load_style(tmp_path)
