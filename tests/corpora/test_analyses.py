"""Analyses by people: they fit their scores, and what is learned from them."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import music21
import numpy as np
import pytest

from corpora.analyses import (
    AnalysedPiece,
    agreement,
    analysed_pieces,
    chorale_names,
    second_readings,
)
from corpora.analysis_training import Schedule, calibrated, count, example, gold_path, learn
from musegen.analysis.decoding import best_path
from musegen.analysis.features import path_features
from musegen.analysis.parameters import Parameters
from musegen.analysis.weighing import tables
from theory_kb.pitch import Key


@pytest.fixture(scope="module")
def first() -> AnalysedPiece:
    """The first analysis: Aus meines Herzens Grunde."""
    from corpora import analyses

    root = Path(music21.corpus.__file__).parent
    path = root / analyses.FOLDERS["bach"] / "riemenschneider001.rntxt"
    return analyses.read_analysis(root, "bach", path)


def test_an_analysis_is_read_beside_its_score(first: AnalysedPiece) -> None:
    """The first bars as the analyst wrote them, and the chords that they mean."""
    figures = [name for name, _ in groupby(label.figure for label in first.labels)]
    assert figures[:6] == ["I", "IV6", "V6", "I", "V", "vi"]
    assert first.labels[0].key == Key.parse("G major")
    assert first.score.duration == first.labels[-1].onset + first.labels[-1].duration
    assert agreement(first) > 0.9


def test_learning_repeats_itself_and_comes_nearer_to_the_analyst(first: AnalysedPiece) -> None:
    """The same seed gives the same bytes; the person's reading scores better than it did."""
    made = example(first, reach=1)
    plan = Schedule(epochs=3)
    one, two = (learn([made], schedule=plan, rng=np.random.default_rng(3)) for _ in range(2))
    assert one.to_json({}) == two.to_json({})

    def gap(known: Parameters) -> float:
        """By how much the program's reading beats the person's."""
        weighed = tables(made.surface, made.space, known)
        best, gold = best_path(weighed), gold_path(made, known)
        features = path_features(weighed, known, best) - path_features(weighed, known, gold)
        return float(features @ known.weights)

    assert 0 <= gap(one) < gap(Parameters.start())
    assert calibrated(one, [made]).temperature > 0


def test_chords_and_progressions_are_counted(first: AnalysedPiece) -> None:
    """As many chords as the analyst wrote, progressions only inside a key."""
    made = example(first, reach=1)
    chords, steps = count([(made.space, gold_path(made, Parameters.start()))])
    written = len([*groupby((label.key, label.figure) for label in first.labels)])
    assert sum(chords["major"].values()) == pytest.approx(written, abs=4)
    assert not steps["minor"]
    assert steps["major"]["V7"]["I"] >= 2


@pytest.mark.slow
def test_all_chorale_analyses_fit_their_scores() -> None:
    """Twenty, each with its chords sounding for four fifths of the time or more."""
    pieces = analysed_pieces(("bach",))
    assert len(pieces) == 20
    assert {f"bwv{name}" for name in ("269", "41.6", "277")} <= set(chorale_names())


def test_second_readings_of_bars_are_found(first: AnalysedPiece) -> None:
    """The analysts read bars 11 and 17 of the first chorale in two ways."""
    found = second_readings(first)
    bars = {first.score.bar_and_beat(each.onset)[0] for each in found}
    assert bars == {11, 17}
    assert [each.figure for each in found][:3] == ["vi", "I6/4", "ii6"]
