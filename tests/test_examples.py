"""The scripts of examples/: they run as they stand, are short, and write what they say."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
WRITTEN = {
    "background_loops": {"meadow", "market", "cave"},
    "moods": {"playful", "tender", "angry", "sad"},
    "rondo": {"rondo", "in-minor", "as-a-waltz", "as-a-dream"},
    "second_thoughts": {"chorale"},
}
LONGEST = 15  # lines of a script, its imports and docstring aside


def test_every_example_is_run() -> None:
    """No script without its row."""
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(WRITTEN)


@pytest.mark.parametrize("name", WRITTEN)
def test_an_example_is_short(name: str) -> None:
    """Fifteen lines, imports and docstring aside."""
    lines = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()[1:]
    code = [line for line in lines if line and not line.startswith(("import ", "from "))]
    assert len(code) <= LONGEST


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("rondo", marks=pytest.mark.slow),
        pytest.param("background_loops", marks=pytest.mark.slow),
        "moods",
        pytest.param("second_thoughts", marks=pytest.mark.slow),
    ],
)
def test_an_example_writes_its_pieces(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece has its score, picture, explanation and provenance."""
    monkeypatch.setattr(sys, "argv", [name, str(tmp_path)])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN[name]
    for folder in tmp_path.iterdir():
        names = {path.name for path in folder.iterdir()}
        assert {"score.musicxml", "score.mid", "explanation.html", "provenance.json"} <= names
        assert any(each.endswith(".png") for each in names)
