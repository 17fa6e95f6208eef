"""A comparison is whole, goes on where it stopped, and says what is wrong."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from musegen.comparison.bootstrap import Interval
from musegen.comparison.generated import piece_sets
from musegen.comparison.measures import Asked, measured
from musegen.comparison.report import write_report
from musegen.comparison.roll_set import RollSet
from musegen.comparison.run import Compared, Comparison, Failure, _heard, compare
from musegen.comparison.settings import stored_settings
from musegen.comparison.tables import likelihood_table
from musegen.errors import FactError, MusegenError, StoredFileError, TrainingError
from musegen.models.cards import WeightsError
from musegen.models.frame_hmm import FrameHMMSettings
from musegen.models.ngram import NGramSettings

SETTINGS: Mapping[str, Any] = {
    "hmm": FrameHMMSettings(states=3, passes=3, starts=1),
    "ngram": NGramSettings(transpositions=0, rounds=2),
}


def asked_for(data: RollSet, folder: Path, *, seed: int = 0, samples: int = 5) -> Asked:
    """A small model on small data."""
    legal = data.splits["valid"][:4]  # any rolls can be weighed
    return Asked("hmm", data, SETTINGS["hmm"], seed, samples, 8, legal, folder)


def test_figures_are_read_back_as_they_were_measured(small: RollSet, tmp_path: Path) -> None:
    """A second time nothing is trained, and every figure is equal."""
    told: list[object] = []
    first = measured(asked_for(small, tmp_path), told.append)
    assert len(told) == 3
    again = measured(asked_for(small, tmp_path), told.append)
    assert again == first
    assert len(told) == 3
    assert len(first.samples) == 5
    assert {len(roll.frames) for roll in first.samples} == {8}
    assert len(first.legal) == 4


def test_a_model_that_proposes_also_draws_under_the_rules(small: RollSet, tmp_path: Path) -> None:
    """So many chorales of the same style in C, read back as they were; without rules none is changed."""
    plain = measured(asked_for(small, tmp_path))
    asked = replace(asked_for(small, tmp_path), ruled=2)
    first = measured(asked)
    assert plain.ruled == ()
    assert first.samples == plain.samples
    assert measured(asked).ruled == first.ruled
    assert len(first.ruled) == 2
    for roll in first.ruled:
        assert len(roll.frames) > 20
        assert roll.frames[-1][0] % 12 == 0
    compared = Compared(Comparison(("hmm",), (small,)), (first,), (), asked.legal)
    names = [each.name for each in piece_sets(compared) if each.name.startswith("hmm")]
    assert names == ["hmm", "hmm, under the rules", "hmm, of the rules' pieces"]


def test_other_figures_are_measured_anew_with_the_same_weights(
    small: RollSet, tmp_path: Path
) -> None:
    """More samples need no training."""
    told: list[object] = []
    first = measured(asked_for(small, tmp_path), told.append)
    more = measured(asked_for(small, tmp_path, samples=6), told.append)
    assert len(told) == 3
    assert more.samples[:5] == first.samples
    assert more.test == first.test


def test_weights_of_other_data_are_refused(small: RollSet, tmp_path: Path) -> None:
    """Files of another checksum are not taken for ours."""
    measured(asked_for(small, tmp_path))
    other = replace(small, checksum="f" * 64)
    with pytest.raises(WeightsError, match="was trained with data of checksum 000000000000, asked"):
        measured(asked_for(other, tmp_path))


def test_weights_of_other_settings_are_refused(small: RollSet, tmp_path: Path) -> None:
    """Nor are files of other settings."""
    measured(asked_for(small, tmp_path))
    other = FrameHMMSettings(states=4, passes=3, starts=1)
    with pytest.raises(WeightsError, match="was trained with settings"):
        measured(replace(asked_for(small, tmp_path), settings=other))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("hmm-standard-0.safetensors", "is damaged: its bytes are not those"),
        ("hmm-standard-0.json", "is no card of weights"),
        ("hmm-standard-0.measures.json", "is damaged"),
    ],
)
def test_damaged_files_are_named(small: RollSet, tmp_path: Path, name: str, told: str) -> None:
    """Half a file is refused in one line that says which."""
    measured(asked_for(small, tmp_path))
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StoredFileError, match=f"{re.escape(name)}: {told}") as refused:
        measured(asked_for(small, tmp_path))
    assert "\n" not in str(refused.value)


@pytest.fixture(scope="module")
def done(small_set: RollSet, tmp_path_factory: pytest.TempPathFactory) -> tuple[Compared, Path]:
    """Two models on two splits, compared once for all tests."""
    data = small_set
    folder = tmp_path_factory.mktemp("compared")
    asked = Comparison(
        ("ngram", "hmm"),
        (data, replace(data, split="tune")),
        SETTINGS,
        samples=5,
        length=8,
        jobs=2,
    )
    return compare(asked, folder), folder


def test_processes_find_what_one_process_finds(done: tuple[Compared, Path], tmp_path: Path) -> None:
    """A model judged by a worker has the figures that it has here."""
    compared, _ = done
    data = compared.asked.data[0]
    found = next(each for each in compared.of(data) if each.model == "hmm")
    here = measured(replace(asked_for(data, tmp_path), legal=()))
    assert (found.test, found.samples, found.ranks) == (here.test, here.samples, here.ranks)
    assert [each.model for each in compared.measures] == ["ngram", "hmm"] * 2
    assert compared.failures == ()


def test_a_model_that_fails_does_not_stop_the_others(
    done: tuple[Compared, Path], tmp_path: Path
) -> None:
    """Its line stands in the report, and the others' figures too."""
    compared, folder = done
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    weights = tmp_path / "models" / "small" / "hmm-tune-0.safetensors"
    weights.write_bytes(b"nothing")
    found = compare(compared.asked, tmp_path)
    (failure,) = found.failures
    assert (failure.model, failure.split) == ("hmm", "tune")
    assert "is damaged" in failure.problem
    assert len(found.measures) == 3


def test_where_all_fail_it_is_refused(small: RollSet, tmp_path: Path) -> None:
    """No report of nothing."""
    empty = replace(small, splits={**small.splits, "train": ()})
    with pytest.raises(TrainingError, match="no model could be compared"):
        compare(Comparison(("hmm",), (replace(empty),), SETTINGS), tmp_path)


def test_the_report_is_whole_and_needs_no_network(done: tuple[Compared, Path]) -> None:
    """All tables stand in the page, as CSV and in the JSON; nothing is fetched."""
    compared, folder = done
    written = write_report(compared, folder, command="musegen compare <x>")
    page = written.page.read_text(encoding="utf-8")
    assert "musegen compare &lt;x&gt;" in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    for name in ("likelihood-small", "ranks", "beats", "times", "calibration", "findings"):
        assert name in record["tables"]
    for name, table in record["tables"].items():
        assert f'<section id="{name}">' in page
        assert (folder / f"{name}.csv").exists()
        assert table["rows"]
    assert page.count("<svg") >= 8
    assert len(list((folder / "midi").glob("*.mid"))) == 10
    assert write_report(compared, folder, command="musegen compare <x>") == written
    assert written.page.read_text(encoding="utf-8") == page


def test_likelihoods_stand_in_order_with_both_splits(done: tuple[Compared, Path]) -> None:
    """The best first; by tune in a column of their own."""
    compared, _ = done
    table = likelihood_table(compared, compared.asked.data[0])
    figures = [row[3].value for row in table.rows if isinstance(row[3], Interval)]
    assert figures == sorted(figures)
    assert len(figures) == 2
    place = table.columns.index("test, split by tune")
    assert all(row[place] == row[3] for row in table.rows)  # the same pieces by another name


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"models": ("hmm", "hmm")}, "--models must be at least one, each named once"),
        ({"models": ("gru",)}, "unknown model of rolls 'gru'"),
        ({"samples": 4}, "--samples must be at least 5, got 4"),
        ({"jobs": 0}, "--jobs must be at least 1, got 0"),
        ({"legal": -1}, "--legal must be 0 or more, got -1"),
        ({"seeds": (0, -1)}, "--seed must be at least one, each once and 0 or more"),
    ],
)
def test_what_cannot_be_compared_is_refused_early(
    small: RollSet, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    """Before anything is trained or written."""
    asked = replace(Comparison(("hmm",), (small,)), **change)
    with pytest.raises(MusegenError, match=told):
        compare(asked, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_settings_of_a_folder(tmp_path: Path) -> None:
    """A field that is left out is as by default; one that is none is refused."""
    (tmp_path / "hmm.toml").write_text("states = 7\n", encoding="utf-8")
    found = stored_settings(tmp_path, ("hmm", "ngram"))
    assert list(found) == ["hmm"]
    assert found["hmm"].states == 7
    (tmp_path / "hmm.toml").write_text("stats = 7\n", encoding="utf-8")
    with pytest.raises(FactError, match="no such setting, allowed are emission, states"):
        stored_settings(tmp_path, ("hmm",))
    with pytest.raises(StoredFileError, match="is no folder of settings"):
        stored_settings(tmp_path / "nowhere", ("hmm",))


@pytest.mark.parametrize(
    ("code", "why"), [(7, "out of memory, or killed"), (1, "what it printed says why")]
)
def test_a_process_that_dies_is_told_of(
    small: RollSet, tmp_path: Path, code: int, why: str
) -> None:
    """Killed, or in error: a failure with its exit code, no end of the comparison."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=os._exit, args=(code,))
    process.start()
    theirs.close()
    found = _heard(ours, asked_for(small, tmp_path), process)
    assert isinstance(found, Failure)
    assert found.problem == f"its process ended with code {code}: {why}"


def test_an_interrupt_ends_the_workers_and_keeps_what_is_finished(
    done: tuple[Compared, Path], tmp_path: Path
) -> None:
    """Interrupted when the second model begins, the first is not trained again."""
    compared, _ = done
    asked = replace(compared.asked, data=compared.asked.data[:1], jobs=1)

    def stop(name: str, _state: Mapping[str, Any]) -> None:
        if "hmm" in name:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(asked, tmp_path, report=stop)
    for each in multiprocessing.active_children():
        each.join(timeout=20)
    assert multiprocessing.active_children() == []
    weights = tmp_path / "models" / "small" / "ngram-standard-0.safetensors"
    stamp = weights.stat().st_mtime_ns
    again = compare(asked, tmp_path)
    assert weights.stat().st_mtime_ns == stamp
    assert [each.test for each in again.measures] == [
        each.test for each in compared.of(asked.data[0])
    ]
