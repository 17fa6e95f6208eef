"""The benchmark of forms: what is judged is the written score, and what is there is not done again."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.forms import Outcome, compose_one, faults, known, line, run

GOOD = Outcome(
    "period-parallel",
    0,
    bars=(8, 8),
    keys=(("cons", "C major", "C major"),),
    closes=(("ant", "cad-hc|cad-phrygian", "cad-hc"), ("cons", "cad-pac", "cad-pac")),
    returns=(("cons-basic", 0.95),),
    seconds=2.0,
    memory=300.0,
)


def test_a_period_is_heard_as_its_template_says() -> None:
    """Composed, written, read back and analysed: eight bars, a half and a perfect close at home."""
    found = compose_one("period-parallel", 1)
    assert not found.refused
    assert found.errors == ()
    assert found.bars == (8, 8)
    assert [heard for _, _, heard in found.closes][-1] == "cad-pac"
    assert all(heard in allowed.split("|") for _, allowed, heard in (*found.keys, *found.closes))
    assert [place for place, _ in found.returns] == ["cons-basic"]


def test_what_is_wrong_is_counted_and_named() -> None:
    """A missing end, another key, a faint return, an error and a refusal, each by its place."""
    bad = replace(
        GOOD,
        seed=1,
        errors=("parallel-fifths",),
        bars=(8, 9),
        keys=(("cons", "C major", "G major"),),
        closes=(("ant", "cad-hc", ""), ("cons", "cad-pac", "cad-pac")),
        returns=(("cons-basic", 0.5),),
    )
    told = line("period-parallel", [GOOD, bad, Outcome("period-parallel", 2, refused="no way")])
    assert "| 2 of 3 | 1 | 1 | 1 of 2 | 3 of 4 | 3 of 4 | 1 of 2, 0.50 | none |" in told
    assert line("canon", [Outcome("canon", 0, refused="no way")]).startswith("| canon | 0 of 1 |")
    places = "\n".join(faults([bad, Outcome("period-parallel", 2, refused="no way")]))
    for text in (
        "refused: no way",
        "E parallel-fifths",
        "9 bars, not 8",
        "cons: another key is heard",
        "ant: no phrase end, not cad-hc",
        "cons-basic: too little like (seed 1)",
    ):
        assert text in places
    assert list(faults([GOOD])) == []


def test_a_results_file_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces that the file has are not composed again; the file reads as it was written."""
    path = tmp_path / "forms.jsonl"
    monkeypatch.setattr(
        "benchmarks.forms.ProcessPoolExecutor", lambda jobs, mp_context: ThreadPoolExecutor(jobs)
    )
    assert run(["hybrid-1"], range(1), path, 1)[0].bars == (8, 8)
    monkeypatch.setattr("benchmarks.forms.ProcessPoolExecutor", None)
    again = run(["hybrid-1"], range(1), path, 1)
    assert again == list(known(path).values())
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1
