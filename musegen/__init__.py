"""musegen composes symbolic music under the laws of music theory.

    from musegen import compose
    piece = compose(form="chorale", key="D minor", seed=7)
    piece.save("my-chorale")

Importing this package is light: models, search and engraving are loaded by the first call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musegen.result import Composition

__all__ = ["__version__", "compose"]

__version__ = "0.1.0"


def compose(
    form: str = "chorale",
    *,
    key: str | None = None,
    metre: str | None = None,
    seed: int = 0,
    style: str = "bach",
    models: tuple[str, ...] = ("hmm", "rbm", "lstm"),
    weights: Mapping[str, float] | None = None,
    width: int = 32,
) -> Composition:
    """Compose a piece; the same arguments give the same bytes.

    Args:
        form: a form's name, or the path of a form template (TOML).
        key: such as `"D minor"` or `"Bb"`; None lets the seed choose.
        metre: one of the form's metres, such as `"3/4"`; None takes its first.
        seed: whole number from 0.
        style: a style's name, or the path of a style file (TOML).
        models: which proposers take part; an empty tuple leaves the rules alone.
        weights: weight of a model's log-scores, by name, over the defaults.
        width: hypotheses that the beam keeps.

    Returns:
        The piece: `score`, `findings`, `explanation`, `save(folder)`.

    Raises:
        MusegenError: an argument that is not allowed, or no piece under the hard rules.
    """
    from musegen.result import Composition
    from musegen.tasks.compose import Request, draft

    request = Request(form, key, metre, seed, style, tuple(models), dict(weights or {}), width)
    return Composition.of(draft(request))
