"""Models of voices are compared in nats a note."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from musegen.comparison.bootstrap import Interval
from musegen.comparison.tables import as_csv
from musegen.comparison.voices import VoiceSet, voice_table
from musegen.errors import StoredFileError
from musegen.models.voice_rolls import VoiceRoll


def voices(count: int, *, seed: int) -> tuple[VoiceRoll, ...]:
    """Two lines by step."""
    rng = np.random.default_rng(seed)
    return tuple(
        VoiceRoll(str(number), np.array([70, 50]) + np.cumsum(rng.integers(-1, 2, (16, 2)), axis=0))
        for number in range(count)
    )


def test_a_row_a_model_and_nothing_twice(tmp_path: Path) -> None:
    """Models without voices are left out; figures are read back; half a file is refused."""
    splits = {name: voices(4, seed=seed) for seed, name in enumerate(("train", "valid", "test"))}
    data, told = VoiceSet("drawn", "drawn lines", "0", splits), []
    first = voice_table(
        ("hmm", "ngram"), data, tmp_path, report=lambda name, state: told.append((name, state))
    )
    ((model, _, test, _, _),) = first.rows
    assert model == "ngram"
    assert isinstance(test, Interval)
    assert 0.8 * np.log(3) < test.value < 3
    count = len(told)
    again = voice_table(
        ("ngram",), data, tmp_path, report=lambda name, state: told.append((name, state))
    )
    assert again == first
    assert len(told) == count
    assert as_csv(first).startswith("model,validation,validation low,validation high,test,")
    (path,) = (tmp_path / "models" / "drawn").iterdir()
    path.write_text("{", encoding="utf-8")
    with pytest.raises(StoredFileError, match="is damaged"):
        voice_table(("ngram",), data, tmp_path, report=lambda _name, _state: None)
