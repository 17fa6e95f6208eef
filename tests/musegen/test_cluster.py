"""Batches on a Dask cluster: the same bytes as here, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import distributed
import pytest

import musegen
from musegen.batch import read_jobs, run_jobs
from musegen.errors import OptionError

JOBS = """
[[job]]
form = "period-parallel"
key = "G"

[[job]]
form = "period-parallel"
key = "no key"
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a cluster of one worker in this process."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, protocol="tcp"
    ) as cluster:
        yield cluster.scheduler_address


def files(folder: Path) -> dict[str, bytes]:
    """Everything that stands in a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_cluster_gives_the_same_bytes(address: str, tmp_path: Path) -> None:
    """Pieces and refusals are those of this process; what is there is left when it is run again."""
    path = tmp_path / "jobs.toml"
    path.write_text(JOBS)
    jobs = read_jobs(path)
    here = run_jobs(jobs, tmp_path / "here")
    there = run_jobs(jobs, tmp_path / "there", scheduler=address)
    assert there == here
    assert [each.state for each in there] == ["composed", "refused"]
    assert files(tmp_path / "here") == files(tmp_path / "there")
    again = run_jobs(jobs, tmp_path / "there", scheduler=address)
    assert [each.state for each in again] == ["there already", "refused"]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_another_version_is_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that might compose something else are not asked."""
    path = tmp_path / "jobs.toml"
    path.write_text(JOBS)
    versions = iter(["0.0.1"])
    real = musegen.__version__
    monkeypatch.setattr("musegen.cluster._version", lambda: next(versions, real))
    with pytest.raises(OptionError, match=r"not 0\.0\.1"):
        run_jobs(read_jobs(path), tmp_path / "out", scheduler=address)


def test_nobody_there_and_no_extra_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says what is needed."""
    path = tmp_path / "jobs.toml"
    path.write_text(JOBS)
    jobs = read_jobs(path)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(OptionError, match=r"pip install 'musegen\[dask\]'"):
        run_jobs(jobs, tmp_path / "out", scheduler="tcp://127.0.0.1:9")
    assert not (tmp_path / "out").exists()
