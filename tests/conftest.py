"""What all tests share: the hypothesis profile."""

from __future__ import annotations

import os

from hypothesis import settings

# A kernel's first call compiles, so that a deadline would fail at random.
settings.register_profile("musegen", deadline=None, print_blob=True)
settings.register_profile("musegen-ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("musegen-ci" if os.environ.get("CI") else "musegen")
