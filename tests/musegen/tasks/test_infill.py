"""Some voices of some bars are written anew; everything else stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.constraints import build_problem
from musegen.errors import InfeasibleError, OptionError, ScoreError
from musegen.models.protocol import Candidates, FloatArray, IntArray, State
from musegen.plan.closing import PERFECT, last_note
from musegen.plan.window import VOICES, plan_window
from musegen.score import Metre, Note, Part, Score
from musegen.search.optimum import first_order_optimum
from musegen.tasks.infill import infill, note_distance, passage, rewrite
from musegen.tasks.locks import Lock, Locks, bar_span, parse_bars, parse_locks, parse_voices
from musegen.tasks.vary import vary
from musegen.tasks.writing import Options
from theory_kb.check import load_style
from theory_kb.pitch import Key, Pitch

QUICK = Options(models=(), temperature=0.0)
LINES = """
G4:1 C5:1 D5:1 E5:1/2 D5:1/2 C5:1 B4:1 C5:2! C5:1 B4:1 A4:1/2 B4:1/2 C5:1 D5:1 G4:1 C5:1 B4:1 C5:3!
E4:1 E4:1 G4:1 G4:1/2 F4:1/2 G4:1/2 F4:1/2 G4:1 G4:2! G4:1 G4:1 G4:1 G4:1 G4:1 G4:1/2 F4:1/2 G4:1 \
G4:1/2 F4:1/2 G4:3!
C4:1 C4:1 B3:1 C4:1 C4:1 D4:1 E4:2! E4:1/2 C4:1/2 D4:1 D4:1 C4:1 B3:1 C4:1 C4:1 D4:1 E4:3!
C4:1/2 B3:1/2 A3:1 G3:1 C3:1 E3:1 G3:1 C3:2! C4:1 G3:1 F3:1 E3:1/2 G3:1/2 F3:1 E3:1 E3:1 G3:1 C3:3!
""".strip().splitlines()
voices_of = st.lists(st.sampled_from(VOICES), min_size=1, max_size=2, unique=True)


def line(text: str) -> tuple[Note, ...]:
    """Notes of `C5:1/2` tokens, a fermata where `!` stands, a rest where the name is `r`."""
    notes: list[Note] = []
    time = Fraction(0)
    for token in text.split():
        name, _, length = token.rstrip("!").partition(":")
        if name != "r":
            notes.append(Note(time, Fraction(length), Pitch.parse(name), token.endswith("!")))
        time += Fraction(length)
    return tuple(notes)


def chorale(*lines: str, upbeat: str = "1") -> Score:
    """A score of four voices in C major."""
    parts = tuple(
        Part(name.capitalize(), line(text)) for name, text in zip(VOICES, lines, strict=True)
    )
    return Score("Piece", Key.parse("C major"), parts, (Metre(4, 4),), Fraction(upbeat))


PIECE = chorale(*LINES)


def sounds(score: Score, voice: int) -> set[tuple[Fraction, Fraction, Pitch]]:
    """Notes of a voice by onset, length and pitch."""
    return {(note.onset, note.duration, note.pitch) for note in score.parts[voice].notes}


# --- what is written ------------------------------------------------------------------------


def test_inner_voices_of_two_bars_are_rewritten_between_soprano_and_bass() -> None:
    """Alto and tenor are other than before in bars 1 and 2 alone; no error comes in."""
    (made,) = infill(PIECE, QUICK, bars=(1, 2), voices=("alto", "tenor"))
    start, end = bar_span(PIECE, (1, 2))
    assert made.score.parts[0] == PIECE.parts[0]
    assert made.score.parts[3] == PIECE.parts[3]
    for voice in (1, 2):
        differing = sounds(PIECE, voice) ^ sounds(made.score, voice)
        assert all(start <= onset and onset + length <= end for onset, length, _ in differing)
    assert sounds(PIECE, 1) != sounds(made.score, 1)
    assert not made.report.count("E")


@settings(max_examples=10)
@given(voices=voices_of, first=st.integers(0, 4), more=st.integers(0, 2), seed=st.integers(0, 99))
def test_nothing_outside_the_window_is_touched(
    voices: list[str], first: int, more: int, seed: int
) -> None:
    """Whatever is asked, other voices and bars keep every note, and no new error appears."""
    bars = (first, min(first + more, 5))
    options = replace(QUICK, seed=seed, temperature=1.3)
    here = passage(PIECE, options, bars=bars, voices=voices)
    made = rewrite(here, options)
    start, end = bar_span(PIECE, bars)
    for voice, name in enumerate(VOICES):
        kept = {note for note in PIECE.parts[voice].notes if not start <= note.onset < end}
        assert kept <= set(made.score.parts[voice].notes)
        if name not in voices:
            assert made.score.parts[voice] == PIECE.parts[voice]
    errors = {each.place for each in made.report.findings if each.severity == "E"}
    assert errors <= here.known


def test_the_same_seed_gives_the_same_notes() -> None:
    """Two runs with one seed agree, two seeds need not."""
    warm = replace(QUICK, temperature=1.3, seed=5)
    one, other = (
        infill(PIECE, warm, bars=(1, 2), voices=("alto", "tenor"))[0].score for _ in range(2)
    )
    assert one == other


def test_harmony_can_be_kept() -> None:
    """With the harmony kept every chord is the one that was there."""
    (made,) = infill(PIECE, QUICK, bars=(1, 1), voices=VOICES, keep_harmony=True)
    stood = {slot.onset: slot.stood.harmony for slot in made.plan.slots if slot.stood}
    named = {label.onset: (label.key, label.numeral) for label in made.score.chords}
    for onset, harmony in stood.items():
        assert named[onset] == (harmony.key, harmony.chord.symbol)


def test_a_note_over_the_edge_keeps_its_beat() -> None:
    """A suspension out of the bar before, and a note held into the next bar, stay whole."""
    alto = LINES[1].replace("G4:1/2 F4:1/2 G4:1/2 F4:1/2 G4:1", "G4:1/2 F4:1/2 G4:1/2 F4:3/2", 1)
    piece = chorale(LINES[0], alto, LINES[2], LINES[3])
    held = next(note for note in piece.parts[1].notes if note.duration == Fraction(3, 2))
    (made,) = infill(piece, QUICK, bars=(2, 2), voices=("alto",))
    assert held in made.score.parts[1].notes
    first = next(slot for slot in made.plan.slots if slot.onset == 5)
    assert first.given[1] is not None


def test_faults_among_notes_that_stay_refuse_nothing() -> None:
    """Soprano and bass in parallel octaves, as given, do not make the inner voices impossible."""
    soprano = LINES[0].replace("C5:1 B4:1 A4:1/2 B4:1/2 C5:1", "C5:1 G4:1 F4:1 E4:1/2 G4:1/2", 1)
    piece = chorale(soprano, *LINES[1:])
    here = passage(piece, QUICK, bars=(3, 3), voices=("alto", "tenor"))
    made = rewrite(here, QUICK)
    assert any("octave" in rule for rule, _, _ in here.known)
    assert {each.place for each in made.report.findings if each.severity == "E"} <= here.known


def test_a_window_at_the_end_closes_as_the_style_wants() -> None:
    """In style strict: V or V7, then I with the tonic on top, whatever the draw."""
    options = replace(QUICK, style="strict", temperature=3.0)
    for seed in range(3):
        (made,) = infill(PIECE, replace(options, seed=seed), voices=VOICES, bars=(4, 5))
        assert made.plan.finals == frozenset({"cad-pac"})
        assert made.plan.slots[-1].soprano == (1,)
        assert [each.numeral[0] for each in made.score.chords[-2:]] == ["V", "I"]
        assert made.score.parts[0].notes[-1].pitch.pitch_class == PIECE.key.tonic


def test_chords_that_stay_and_a_window_before_the_end_may_close_as_they_do() -> None:
    """What kind of cadence a style wants at the end is asked where it is written, not elsewhere."""
    strict = load_style("strict")
    for bars, keep in (((2, 2), False), ((4, 5), True)):
        here = passage(PIECE, QUICK, bars=bars, voices=VOICES)
        plan = plan_window(here.window, here.known, name="x", style=strict, keep_harmony=keep)
        assert plan.finals is None
        assert not plan.slots[-1].soprano


def test_a_piece_that_never_closed_may_stay_open() -> None:
    """A half close at the end is an error that stood: other chords may still lead to it."""
    half = chorale(
        "C5:1 B4:1 C5:1 D5:1!",
        "G4:1 G4:1 G4:1 G4:1!",
        "E4:1 D4:1 E4:1 B3:1!",
        "C3:1 G3:1 C4:1 G3:1!",
    )
    here = passage(half, QUICK, bars=(0, 1), voices=("alto", "tenor"))
    assert "cadence-final" in {rule for rule, _, _ in here.known}
    plan = plan_window(here.window, here.known, name="x", style=load_style("bach"))
    assert plan.finals is None
    made = rewrite(here, QUICK)
    assert made.plan.least_grade == plan.least_grade


def test_a_soprano_that_rests_at_the_end_is_not_bound() -> None:
    """Where only a perfect cadence closes, a free soprano is on the tonic, a silent one nowhere."""
    free = passage(PIECE, QUICK, bars=(4, 5), voices=VOICES)
    slot = plan_window(free.window, free.known, name="x").slots[-1]
    assert last_note(slot, PERFECT).soprano == (1,)
    assert last_note(replace(slot, silent=frozenset({0})), PERFECT) == replace(
        slot, silent=frozenset({0})
    )
    assert last_note(slot, None) == slot


def test_tiny_window_has_the_optimum_of_enumeration() -> None:
    """Two beats of alto and tenor: the search finds the cheapest of all ways."""
    locks = parse_locks(["alto:1.1", "tenor:1.1", "alto:1.4", "tenor:1.4"])
    here = passage(PIECE, QUICK, bars=(1, 1), voices=("alto", "tenor"), locks=locks)
    assert [len(free) for free in here.window.free if free] == [2, 2]
    plan = plan_window(here.window, here.known, name="Infill")
    lattice = build_problem(plan, load_style("bach")).lattice
    best = np.inf
    for path in product(*(range(len(costs)) for costs in lattice.unary)):
        cost = sum(float(lattice.unary[slot][choice]) for slot, choice in enumerate(path))
        for slot, (one, other) in enumerate(pairwise(path)):
            table = lattice.pairs[slot]
            row = slice(table.indptr[one], table.indptr[one + 1])
            hits = np.flatnonzero(table.successors[row] == other)
            cost += float(table.costs[row][hits[0]]) if len(hits) else np.inf
        best = min(best, cost)
    assert first_order_optimum(lattice).cost == pytest.approx(best)
    assert rewrite(here, QUICK).optimum == pytest.approx(best)


def test_a_long_piece_is_judged_around_its_window() -> None:
    """Of a hundred bars those around the window are seen, and all of them come back."""
    length, times = PIECE.duration - 1, 20
    parts = tuple(
        Part(
            part.name,
            tuple(
                replace(note, onset=note.onset + length * turn)
                for turn in range(times)
                for note in part.notes
                if note.onset or not turn
            ),
        )
        for part in (
            replace(
                part,
                notes=tuple(
                    replace(note, duration=min(note.duration, PIECE.duration - note.onset - 1))
                    if note.end == PIECE.duration
                    else note
                    for note in part.notes
                ),
            )
            for part in PIECE.parts
        )
    )
    long = replace(PIECE, parts=parts)
    here = passage(long, QUICK, bars=(50, 51), voices=("tenor",))
    assert sum(len(part.notes) for part in here.score.parts) < 500
    made = rewrite(here, QUICK)
    start, end = bar_span(long, (50, 51))
    assert [part.notes for part in made.score.parts][:2] == [part.notes for part in parts][:2]
    differing = sounds(long, 2) ^ sounds(made.score, 2)
    assert differing
    assert all(start <= onset < end for onset, _, _ in differing)


# --- locks ----------------------------------------------------------------------------------


@settings(max_examples=8)
@given(
    texts=st.lists(
        st.sampled_from(["alto", "bars=2", "tenor:1-2", "soprano:3.2", "bass:2.3.5", "bars=0-1"]),
        min_size=1,
        max_size=3,
    ),
    seed=st.integers(0, 99),
)
def test_locked_notes_are_never_changed(texts: list[str], seed: int) -> None:
    """A note that a lock names is in the result as it was, or the request is refused."""
    locks = parse_locks(texts)
    options = replace(QUICK, seed=seed, temperature=1.3)
    (made,) = infill(PIECE, options, bars=(1, 4), voices=("alto", "tenor"), locks=locks)
    for voice, part in enumerate(PIECE.parts):
        locked = [note for note in part.notes if locks.holds(PIECE, voice, note)]
        after = {(note.onset, note.duration, note.pitch) for note in made.score.parts[voice].notes}
        assert {(note.onset, note.duration, note.pitch) for note in locked} <= after


@pytest.mark.parametrize(
    ("text", "lock"),
    [
        ("soprano", Lock(0)),
        ("bars=1-2", Lock(None, (1, 2))),
        ("bars=3", Lock(None, (3, 3))),
        ("alto:3-4", Lock(1, (3, 4))),
        ("Bass:3", Lock(3, (3, 3))),
        ("soprano:3.2", Lock(0, (3, 3), Fraction(2))),
        ("tenor:0.4.5", Lock(2, (0, 0), Fraction(9, 2))),
    ],
)
def test_locks_are_read_as_they_are_typed(text: str, lock: Lock) -> None:
    """One syntax for voices, bars and single notes."""
    assert parse_locks([text]) == Locks((lock,))


@pytest.mark.parametrize(
    "text", ["", "altus", "alto:", "bars=", "bars=4-2", "alto:3.0", "3-4", "alto:x", "alto:1-2-3"]
)
def test_other_locks_are_refused(text: str) -> None:
    """What is none of the forms is refused with what is allowed."""
    with pytest.raises(OptionError, match="--lock"):
        parse_locks([text])


@pytest.mark.parametrize("text", ["bars=9", "alto:7-8", "alto:2.9", "alto:0.1"])
def test_locks_outside_the_piece_are_refused(text: str) -> None:
    """A bar or beat that the piece does not have locks nothing, so it is refused."""
    with pytest.raises(OptionError, match="must be from"):
        passage(PIECE, QUICK, bars=(1, 2), voices=("alto",), locks=parse_locks([text]))


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["4-2", "x", "1-", "-1", ""])
def test_bars_are_two_numbers(text: str) -> None:
    """Bars are given as 3-4 or 3."""
    with pytest.raises(OptionError, match="bars as 3-4"):
        parse_bars(text)


def test_voices_are_named() -> None:
    """Names of voices in any case; others are refused."""
    assert parse_voices("Tenor,alto") == (1, 2)
    with pytest.raises(OptionError, match="soprano, alto, tenor, bass"):
        parse_voices("altus")


def test_bars_out_of_the_piece_are_refused() -> None:
    """The message names the bars that there are."""
    with pytest.raises(OptionError, match="from 0 to 5"):
        infill(PIECE, QUICK, bars=(4, 9), voices=("alto",))


def test_a_window_that_is_all_locked_is_refused() -> None:
    """Nothing to rewrite is said with its place."""
    with pytest.raises(ScoreError, match="bar 1, beat 1: nothing of the alto is left"):
        infill(PIECE, QUICK, bars=(1, 2), voices=("alto",), locks=parse_locks(["alto"]))


def test_an_unknown_metre_is_refused() -> None:
    """A metre without beats in the table names its bar."""
    odd = replace(PIECE, metres=(Metre(11, 16),), upbeat=Fraction(0))
    with pytest.raises(ScoreError, match="bar 1 is in 11/16"):
        infill(odd, QUICK, bars=(1, 2), voices=("alto",))


# --- alternatives ---------------------------------------------------------------------------


def test_alternatives_differ_from_the_piece_and_from_each_other() -> None:
    """Best first by score, each at its stated distance, none equal to the piece."""
    found = vary(PIECE, QUICK, keep=("soprano", "bass"), bars=(1, 2), count=3)
    assert len(found) == 3
    assert len({tuple(part.notes for part in each.draft.score.parts) for each in found}) == 3
    window = passage(PIECE, QUICK, voices=("alto", "tenor"), bars=(1, 2)).window
    for place, each in enumerate(found):
        assert 0 < each.distance <= 1
        assert each.distance == note_distance(PIECE, each.draft.score, window)
        assert each.draft.score.parts[0] == PIECE.parts[0]
        assert each.draft.score.parts[3] == PIECE.parts[3]
        assert each.apart == min(
            [note_distance(each.draft.score, one.draft.score, window) for one in found[:place]],
            default=1.0,
        )
    assert found[0].score == max(each.score for each in found)


def test_distance_is_a_share_of_notes() -> None:
    """Nothing differs from itself; another alto note is one of the notes of the window."""
    window = passage(PIECE, QUICK, voices=("alto",), bars=(1, 1)).window
    assert note_distance(PIECE, PIECE, window) == 0
    notes = list(PIECE.parts[1].notes)
    notes[1] = replace(notes[1], pitch=Pitch.parse("F4"))
    parts = list(PIECE.parts)
    parts[1] = replace(parts[1], notes=tuple(notes))
    inside = [note for note in notes if 1 <= note.onset < 5]
    assert note_distance(PIECE, PIECE.with_parts(tuple(parts)), window) == 1 / len(inside)


def test_nothing_to_vary_is_refused() -> None:
    """All voices kept, or no alternatives asked for."""
    with pytest.raises(OptionError, match="fewer than all 4"):
        vary(PIECE, QUICK, keep=VOICES)
    with pytest.raises(OptionError, match="from 1 to 50"):
        vary(PIECE, QUICK, keep=("soprano",), count=0)


def test_a_window_without_solution_names_its_place() -> None:
    """An alto far below leaves no room for the tenor: the refusal names bar and beat."""
    down = Pitch.parse("C2") - Pitch.parse("C5")
    low = tuple(replace(note, pitch=note.pitch + down) for note in PIECE.parts[1].notes)
    parts = (PIECE.parts[0], replace(PIECE.parts[1], notes=low), *PIECE.parts[2:])
    with pytest.raises(InfeasibleError, match=r"bar \d, beat \d"):
        infill(PIECE.with_parts(parts), QUICK, bars=(1, 2), voices=("tenor",))


@dataclass
class Failing:
    """A proposer that finds all alike, and after so many pieces nothing at all."""

    left: int
    name: str = "failing"

    def start(self, features: IntArray) -> State:
        """Count the piece."""
        self.left -= 1
        if self.left < 0:
            raise InfeasibleError(0, "nothing is left")

    def log_scores(self, state: State, candidates: Candidates) -> FloatArray:
        """Zeros for the one hypothesis of a beam of width 1."""
        return np.zeros((1, len(candidates.notes)))

    def advance(
        self, state: State, candidates: Candidates, parents: IntArray, chosen: IntArray
    ) -> State:
        """Nothing changes."""


def test_solutions_that_are_found_stay_where_a_later_draw_has_none() -> None:
    """However soon nothing more is found, what was found before is given back."""

    def drawn(pieces: int) -> set[Score]:
        options = Options(models=(), temperature=1.0, width=1, distance=1)
        models = {"failing": Failing(pieces)}
        made = infill(PIECE, options, bars=(1, 2), voices=("alto", "tenor"), count=3, models=models)
        return {each.score for each in made}

    every = drawn(1000)
    assert len(every) == 3
    with pytest.raises(InfeasibleError):
        drawn(0)
    some = [found for pieces in (2, 3) if (found := _found(drawn, pieces))]
    assert all(found <= every for found in some)
    assert any(found < every for found in some)


def _found(drawn: Callable[[int], set[Score]], pieces: int) -> set[Score]:
    try:
        return drawn(pieces)
    except InfeasibleError:
        return set()
