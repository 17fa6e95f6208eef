"""Tunes that are hard to harmonise end with a solution or with a refusal that names the place."""

from pathlib import Path

import pytest

from musegen.errors import MusegenError
from musegen.io.reading import read_piece
from musegen.tasks.harmonise import harmonise
from musegen.tasks.writing import Draft, Options

PLAIN = Options(models=(), width=8)
SOLVED = {
    "triplets and sixteenths": ("4/4", "c (3ddd e/4f/4e/4d/4 c|d B c2|]"),
    "rests inside": ("4/4", "c z d e|z4|d B c2|]"),
    "seven eighths": ("7/8", "c/d/e/f/e/d/c/|d/c/B/c3/ c/|c7/|]"),
}
REFUSED = {
    "five eighths": ("5/8", "c/d/e/d/c/|c5/|]", "metre 5/8 is not known"),
    "a change of metre": ("4/4", "c d [M:3/4] e d c|c B c|]", "the metre changes from 4/4 to 3/4"),
    "an augmented fourth": ("4/4", "c d e B|F G c2|]", "bar 2, beat 1: nothing that may stand"),
}


def harmonised(folder: Path, metre: str, tune: str) -> Draft:
    """Write a tune down, read it and harmonise it."""
    path = folder / "tune.abc"
    path.write_text(f"X:1\nT:t\nM:{metre}\nL:1/4\nK:C\n{tune}\n")
    (draft,) = harmonise(read_piece(path), PLAIN)
    return draft


@pytest.mark.parametrize("name", SOLVED)
def test_it_is_solved(name: str, tmp_path: Path) -> None:
    """Without an error."""
    draft = harmonised(tmp_path, *SOLVED[name])
    assert draft.report.count("E") == 0
    assert len(draft.score.parts) == 4


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name: str, tmp_path: Path) -> None:
    """In one line that says where and what."""
    metre, tune, words = REFUSED[name]
    with pytest.raises(MusegenError, match=words) as caught:
        harmonised(tmp_path, metre, tune)
    assert "\n" not in str(caught.value)
