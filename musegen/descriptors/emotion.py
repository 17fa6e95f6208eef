"""What listeners may hear expressed, as valence and arousal, from the effects of the knowledge base.

Each effect (such as: minor mode, valence down) counts where a descriptor reaches the level that
`levels.toml` states, by its strength and by how far the literature agrees (Gabrielsson and Lindström
2010; Livingstone and others 2010). Loudness, articulation and timbre, which move arousal most, are not
in a score: the estimate says what its notes suggest, and names the facts that it rests on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import nan

from theory_kb.catalogue import entry

__all__ = ["Estimate", "Level", "estimate", "levels"]

LARGEST = 2  # of the valence and arousal of an effect, either way


@dataclass(frozen=True, slots=True)
class Level:
    """From which value of a descriptor on an effect is present."""

    effect: str  # id in the knowledge base
    descriptor: str
    why: str
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value reaches the level; nan reaches none."""
        above = self.at_least is None or value >= self.at_least
        below = self.at_most is None or value <= self.at_most
        return above and below


@dataclass(frozen=True, slots=True)
class Estimate:
    """Valence and arousal with the effects that they rest on."""

    valence: float  # -1 unpleasant to 1 pleasant, nan where no effect is present
    arousal: float  # -1 calm to 1 excited
    facts: tuple[str, ...]  # ids of effects, in the order of the table


@cache
def levels() -> tuple[Level, ...]:
    """The levels, as they are stored."""
    text = (resources.files("musegen.descriptors") / "levels.toml").read_text(encoding="utf-8")
    return tuple(Level(**record) for record in tomllib.loads(text)["level"])


def estimate(values: Mapping[str, float]) -> Estimate:
    """Valence and arousal: weighted means over the effects that are present.

    Args:
        values: of the descriptors, by column; nan where one is not known.
    """
    present = [each.effect for each in levels() if each.holds(values[each.descriptor])]
    effects = [entry("effect", name) for name in present]
    weights = [float(each["strength"]) * float(each["agreement"]) for each in effects]
    total = sum(weights)

    def weighted(dimension: str) -> float:
        pairs = zip(effects, weights, strict=True)
        moved = sum(float(each[dimension]) * weight for each, weight in pairs)
        return moved / (LARGEST * total) if total else nan

    return Estimate(weighted("valence"), weighted("arousal"), tuple(present))
