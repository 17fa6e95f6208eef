"""Published likelihoods, as `published.toml` tells them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from musegen.errors import FactError

__all__ = ["FAMILIES", "Published", "beside", "published"]

FILE = "published.toml"
CONVENTIONS = ("A", "B", "?")
KINDS = ("exact", "estimate", "bound")
FAMILIES: Mapping[str, str] = {  # of our models by name: what their outputs are like
    "ngram": "ngram",
    "hmm": "hmm",
    "hmm-ar": "hmm",
    "hmm-factorial": "hmm",
    "hmm-serial": "hmm",
    "rbm": "static",
    "lstm-sigmoid": "sigmoid",
    "lstm": "joint",
    "lstm-reinforce": "joint",
    "ngram-lstm": "joint",
    "lstm-nade": "joint",
    "transformer": "joint",
    "rnn-rbm": "joint",
    "lstm-rbm": "joint",
}


@dataclass(frozen=True, slots=True)
class Published:
    """A figure of another work."""

    data: str  # data set
    model: str
    family: str
    nats: float  # a frame, test split
    convention: str  # A, B, or ? where it is not stated
    kind: str  # exact, estimate or bound
    source: str  # citation


@cache
def published() -> tuple[Published, ...]:
    """All figures, in the order of the file.

    Raises:
        FactError: an entry of another form, or one whose source is not listed.
    """
    text = (resources.files("musegen.comparison") / FILE).read_text(encoding="utf-8")
    record = tomllib.loads(text)
    return tuple(
        _figure(number, each, record["sources"]) for number, each in enumerate(record["figure"], 1)
    )


def _figure(
    number: int, record: Mapping[str, object], sources: Mapping[str, Mapping[str, object]]
) -> Published:
    name = f"figure {number}"
    wrong = set(record) ^ set(Published.__slots__)
    if wrong:
        raise FactError(FILE, name, f"missing or unknown fields: {', '.join(sorted(wrong))}")
    for field, allowed in (
        ("source", sources),
        ("convention", CONVENTIONS),
        ("kind", KINDS),
        ("family", set(FAMILIES.values())),
    ):
        if record[field] not in allowed:
            raise FactError(
                FILE, name, f"{field} {record[field]!r}, allowed are {', '.join(allowed)}"
            )
    source = sources[str(record["source"])]
    cited = f"{source['author']} ({source['year']}), {source['title']}"
    return Published(**{**record, "source": cited})  # type: ignore[arg-type]


def beside(data: str, model: str) -> tuple[Published, ...]:
    """Figures of a data set for the family of a model of ours, the best first."""
    family = FAMILIES.get(model)
    found = [each for each in published() if each.data == data and each.family == family]
    return tuple(sorted(found, key=lambda each: each.nats))
