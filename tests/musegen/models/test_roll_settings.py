from __future__ import annotations

from pathlib import Path

import pytest

from musegen.errors import FactError, StoredFileError, TrainingError, UnknownNameError
from musegen.models.note_lstm import NoteLSTMSettings
from musegen.models.roll_models import ROLL_MODELS, default_settings
from musegen.models.roll_settings import check_settings, read_settings

CONFIGS = sorted((Path(__file__).parents[3] / "corpora" / "configs").glob("*/*.toml"))


def test_there_are_settings_to_look_at() -> None:
    """The package has files of settings."""
    assert CONFIGS


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_file_of_settings_is_of_a_model(path: Path) -> None:
    """Each file is named after a row of the table, and can be read as its settings."""
    defaults = default_settings(path.stem)
    assert type(read_settings(path, defaults)) is type(defaults)


@pytest.mark.parametrize("name", ROLL_MODELS)
def test_default_settings_can_be_used(name: str) -> None:
    """The defaults of each row pass the checks that a file's values meet."""
    check_settings(default_settings(name))


def test_what_is_left_out_is_as_by_default(tmp_path: Path) -> None:
    """A file says what differs; a whole number may stand for a fraction."""
    path = tmp_path / "lstm.toml"
    path.write_text("hidden = 12\nclip = 2\n")
    assert read_settings(path, NoteLSTMSettings()) == NoteLSTMSettings(hidden=12, clip=2)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hiden = 12", "hiden: no such setting, allowed are epochs,"),
        ("hidden = 1.5", "hidden: must be of type int, got 1.5"),
        ("hidden = true", "hidden: must be of type int, got True"),
        ("device = 1", "device: must be of type str, got 1"),
        ("hidden = 0", "hidden must be 1 or more, got 0"),
        ("rate = -1.0", "rate must be 0 or more, got -1.0"),
        ("rate = nan", "rate must be 0 or more, got nan"),
        ("dropout = 1.0", "dropout must lie below 1, got 1.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(text: str, problem: str, tmp_path: Path) -> None:
    """File, setting, what came and what is allowed, in one line."""
    path = tmp_path / "lstm.toml"
    path.write_text(text)
    with pytest.raises(FactError) as refused:
        read_settings(path, NoteLSTMSettings())
    assert problem in str(refused.value)
    assert str(path) in str(refused.value)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    """No file, no TOML, no such model."""
    path = tmp_path / "lstm.toml"
    with pytest.raises(StoredFileError, match="cannot be read: No such file"):
        read_settings(path, NoteLSTMSettings())
    path.write_text("hidden =")
    with pytest.raises(StoredFileError, match="is no TOML"):
        read_settings(path, NoteLSTMSettings())
    with pytest.raises(UnknownNameError, match="did you mean 'lstm'"):
        default_settings("lsmt")


def test_settings_are_checked_before_training() -> None:
    """Values that came another way than by a file are checked too."""
    with pytest.raises(TrainingError, match="batch must be 1 or more, got 0"):
        check_settings(NoteLSTMSettings(batch=0))
