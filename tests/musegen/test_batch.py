"""Batches: what a file asks for, what is left when it is run again, what is refused."""

from pathlib import Path

import pytest

from musegen.batch import read_jobs, run_jobs
from musegen.errors import FactError, MusegenError

JOBS = """
[[job]]
form = "hybrid-1"
seeds = [0, 1]
key = "F# minor"

[[job]]
form = "blues-12"
emotion = "sad"
set = { tempo = 60 }
"""


def write(folder: Path, text: str) -> Path:
    """A file of jobs."""
    path = folder / "jobs.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_jobs_are_read_in_order(tmp_path: Path) -> None:
    """A job of two seeds is two pieces; a tempo that is set stays, whatever the emotion says."""
    jobs = read_jobs(write(tmp_path, JOBS))
    assert [job.folder for job in jobs] == [
        "hybrid-1-f-sharp-minor-seed-0",
        "hybrid-1-f-sharp-minor-seed-1",
        "blues-12-tempo-60-sad-seed-0",
    ]
    assert jobs[2].request.tempo is None
    assert jobs[2].request.mode == "minor"


def test_pieces_that_differ_have_folders_of_their_own(tmp_path: Path) -> None:
    """Major and minor, a sign and the seed tell apart, however long the rest is."""
    jobs = (
        'form = "waltz"\nkey = "G"',
        'form = "waltz"\nkey = "g"',
        'form = "waltz"\nvalence = 0.5',
        'form = "waltz"\nvalence = -0.5',
        f'form = "{"long" * 60}.toml"\nseeds = [0, 1]',
    )
    text = "".join(f"[[job]]\n{job}\n" for job in jobs)
    names = [job.folder for job in read_jobs(write(tmp_path, text))]
    assert len(set(names)) == 6
    assert names[1:4] == [
        "waltz-g-minor-seed-0",
        "waltz-valence-0-5-arousal-0-seed-0",
        "waltz-valence-minus-0-5-arousal-0-seed-0",
    ]


def test_a_key_and_a_metre_may_stand_among_the_settings(tmp_path: Path) -> None:
    """They hold as `--set key=E` does."""
    text = '[[job]]\nform = "sentence"\nset = { key = "E", metre = "3/4", tempo = 90 }\n'
    (job,) = read_jobs(write(tmp_path, text))
    assert (job.request.key, job.request.metre) == ("E", "3/4")
    assert job.request.settings == {"tempo": "90"}


def test_a_batch_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """What is there is left as it is; one that is refused stops no other."""
    jobs = read_jobs(write(tmp_path, JOBS.replace("blues-12", "chaconne").replace("sad", "joyful")))
    out = tmp_path / "out"
    (out / jobs[0].folder).mkdir(parents=True)
    seen: list[tuple[int, int]] = []
    outcomes = run_jobs(jobs[:2], out, told=lambda done, total: seen.append((done, total)))
    assert [each.state for each in outcomes] == ["there already", "composed"]
    assert seen == [(1, 2), (2, 2)]
    assert not list((out / jobs[0].folder).iterdir())
    assert (out / jobs[1].folder / "score.musicxml").stat().st_size > 1000
    again = run_jobs(jobs[:2], out)
    assert [each.state for each in again] == ["there already"] * 2


def test_a_piece_that_is_refused_is_told(tmp_path: Path) -> None:
    """A chaconne is in minor: the summary says so."""
    text = '[[job]]\nform = "chaconne"\nkey = "C major"\n'
    (outcome,) = run_jobs(read_jobs(write(tmp_path, text)), tmp_path / "out")
    assert (outcome.state, "minor key" in outcome.told) == ("refused", True)
    assert not (tmp_path / "out" / outcome.folder).exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "one [[job]] or more"),
        ("[[job]]\nform = 3", "job 1.form"),
        ('[[job]]\nform = "waltz"\nseeds = [3, 1]', "job 1.seeds"),
        ('[[job]]\nform = "waltz"\nsedes = [0, 1]', "did you mean 'seeds'"),
        ('[[job]]\nform = "waltz"\nseeds = [0, 100000]', "at most 100000"),
        ('[[job]]\nform = "waltz"\n[[job]]\nform = "waltz"', "asked for twice"),
        ("job = [", "cannot be read"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """File, job and field are named, and what is allowed."""
    with pytest.raises(FactError) as refusal:
        read_jobs(write(tmp_path, text))
    assert words in str(refusal.value)
    assert "jobs.toml" in str(refusal.value)


def test_no_way_out_of_the_folder(tmp_path: Path) -> None:
    """Whatever a job is called, its folder lies in the folder of the batch."""
    text = '[[job]]\nform = "../../etc/x.toml"\nkey = "../C"\n'
    (job,) = read_jobs(write(tmp_path, text))
    assert "/" not in job.folder
    assert "." not in job.folder
    (outcome,) = run_jobs([job], tmp_path / "out")
    assert outcome.state == "refused"
    assert issubclass(FactError, MusegenError)
