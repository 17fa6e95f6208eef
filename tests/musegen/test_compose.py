"""The main job: what every composed piece must be."""

from collections import Counter
from fractions import Fraction

import pytest

from musegen import compose
from musegen.result import Composition
from musegen.tasks.compose import Request, draft
from theory_kb.pitch import Key


@pytest.fixture(scope="module")
def piece() -> Composition:
    """One chorale for all tests of this module."""
    return compose(key="G minor", seed=11)


def test_chorale_is_four_voices_that_fill_its_bars(piece: Composition) -> None:
    """Four voices sound without gap from the first note to the last, in the key asked for."""
    assert piece.score.key == Key.parse("G minor")
    assert len(piece.score.parts) == 4
    for part in piece.score.parts:
        assert part.notes[0].onset == 0
        for before, after in zip(part.notes, part.notes[1:], strict=False):
            assert before.end == after.onset
        assert part.notes[-1].end == piece.score.duration


def test_checker_finds_no_error(piece: Composition) -> None:
    """What composes is what checks: no hard rule is broken in the finished score."""
    assert [finding for finding in piece.findings if finding.severity == "E"] == []


def test_surface_moves_in_eighths(piece: Composition) -> None:
    """A chorale is not block chords: some voice moves between the beats on a fair share of them."""
    onsets = {note.onset for part in piece.score.parts for note in part.notes}
    off = {onset for onset in onsets if onset.denominator > 1}
    beats = {onset for onset in onsets if onset.denominator == 1}
    assert len(off) >= len(beats) / 5


def test_last_chord_is_the_tonic_with_the_soprano_on_one(piece: Composition) -> None:
    """The last phrase closes with a perfect authentic cadence at home."""
    assert piece.score.cadences[-1].kind == "cad-pac"
    assert piece.score.chords[-1].numeral in ("i", "I")
    soprano, bass = piece.score.parts[0].notes[-1], piece.score.parts[-1].notes[-1]
    assert soprano.pitch.pitch_class == piece.score.key.tonic
    assert bass.pitch.pitch_class == piece.score.key.tonic


def test_fermatas_stand_at_phrase_ends(piece: Composition) -> None:
    """Each voice has one fermata a phrase, on the arrival chord."""
    ends = {cadence.onset for cadence in piece.score.cadences}
    for part in piece.score.parts:
        assert sum(note.fermata for note in part.notes) == 4
        assert all(
            any(note.onset <= end < note.end for end in ends) for note in part.notes if note.fermata
        )


def test_every_note_is_explained(piece: Composition) -> None:
    """Each note has a role and a reason with a source; each chord a reason."""
    notes = piece.explanation["notes"]
    assert len(notes) == sum(len(part.notes) for part in piece.score.parts)
    assert all(note["role"] and note["reasons"] for note in notes)
    assert all(reason["source"] for note in notes for reason in note["reasons"])
    assert all(chord["reasons"] for chord in piece.explanation["chords"])
    rejected = Counter(entry["rejected_by"] for note in notes for entry in note["alternatives"])
    assert rejected["rule"] > 0
    assert rejected["score"] > 0


def test_alternatives_are_not_the_note_itself(piece: Composition) -> None:
    """What was rejected differs from what stands there."""
    for note in piece.explanation["notes"]:
        assert note["pitch"] not in [entry["pitch"] for entry in note["alternatives"]]


def test_same_request_same_piece() -> None:
    """A piece is a pure function of its request."""
    assert draft(Request(seed=3)).score == draft(Request(seed=3)).score


def test_other_seed_other_piece() -> None:
    """Seeds give different pieces."""
    assert (
        draft(Request(seed=3, key="C")).score.parts != draft(Request(seed=4, key="C")).score.parts
    )


@pytest.mark.parametrize("models", [(), ("hmm",), ("rbm",), ("lstm",), ("hmm", "lstm")])
def test_any_set_of_models_composes(models: tuple[str, ...]) -> None:
    """Each model alone, and none at all, still gives a piece without error."""
    made = draft(Request(seed=1, models=models))
    assert set(made.log_scores) == set(models)
    assert not [finding for finding in made.report.findings if finding.severity == "E"]


@pytest.mark.parametrize(
    "form", ["period-parallel", "period-contrasting", "sentence", "binary", "rounded-binary"]
)
def test_other_forms_compose(form: str) -> None:
    """Every form of the house can be written, with the bars it asks for."""
    made = draft(Request(form=form, seed=2, models=("hmm",), width=16))
    assert made.score.duration == made.plan.bars * made.score.metre.bar
    assert not [finding for finding in made.report.findings if finding.severity == "E"]


def test_theme_returns() -> None:
    """The consequent of a parallel period opens with the soprano of the antecedent."""
    made = draft(Request(form="period-parallel", seed=5, models=("hmm",)))
    slots = made.plan.slots
    bound = [(place, slot.repeats) for place, slot in enumerate(slots) if slot.repeats is not None]
    same = [
        made.skeleton["step"][place, 0] == made.skeleton["step"][source, 0]
        for place, source in bound
    ]
    assert sum(same) >= 0.8 * len(same)


def test_three_four_and_strict_style() -> None:
    """Other metres and styles compose as well."""
    made = draft(Request(metre="3/4", style="strict", seed=1, models=("hmm",)))
    assert made.score.metre.bar == Fraction(3)
    assert not [finding for finding in made.report.findings if finding.severity == "E"]
