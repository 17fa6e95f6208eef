"""What all tests share: the hypothesis profile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A kernel's first call compiles, so that a deadline would fail at random.
settings.register_profile("musegen", deadline=None, print_blob=True)
settings.register_profile("musegen-ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("musegen-ci" if os.environ.get("CI") else "musegen")


TWO_ENDINGS = """
id = "volta"
name = "Strain with two endings"
description = "A strain, a first and a second ending"
texture = "minuet"
metres = ["3/4"]
upbeat = 0
tempo = 116
fermatas = false
sources = ["CA"]

[[section]]
id = "strain"
name = "Strain"
bars = 6
repeat = "one"
theme = "A"
key = { major = ["I"], minor = ["i"] }
close = ["none"]

[[section]]
id = "first"
name = "First ending"
bars = 2
theme = "E"
key = { major = ["I"], minor = ["i"] }
close = ["cad-hc"]
repeat = "one"
ending = 1

[[section]]
id = "second"
name = "Second ending"
bars = 2
theme = "F"
key = { major = ["I"], minor = ["i"] }
close = ["cad-pac"]
ending = 2
"""


@pytest.fixture
def two_endings(tmp_path: Path) -> Path:
    """A template whose repeated strain has a first and a second ending."""
    path = tmp_path / "volta.toml"
    path.write_text(TWO_ENDINGS, encoding="utf-8")
    return path
