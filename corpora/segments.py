"""Segments and bars of the chorales, for models with a latent space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.catalogue import entry
from corpora.corpus import DEFAULT, load
from corpora.read import Progress
from musegen.errors import UnknownNameError
from musegen.models.cards import DataCard
from musegen.models.protocol import IntArray
from musegen.models.segment_tokens import BoolArray
from musegen.score import Score
from musegen.segments import bar_matrix, segment_of

__all__ = ["BEATS", "EIGHTH", "STEPS_A_BAR", "bars", "latent_splits", "soprano_segments"]

BEATS, UNIT = 4, 4  # of the metre that is taken
EIGHTH = Fraction(1, 2)
STEPS_A_BAR = 8  # eighths
SPLITS = ("train", "valid", "test")


def _scores(split: str, progress: Progress | None) -> list[Score]:
    return [
        piece.score
        for piece in load(progress).scores(split)
        if (piece.score.metre.beats, piece.score.metre.unit) == (BEATS, UNIT)
    ]


def _barlines(score: Score, length: Fraction) -> list[Fraction]:
    """Starts of bars after which there is so much music."""
    bar = score.metre.bar
    count = max(0, (score.duration - length - score.upbeat) // bar + 1)
    return [score.upbeat + number * bar for number in range(count)]


def soprano_segments(
    split: str, *, bars: int = 2, progress: Progress | None = None
) -> tuple[IntArray, DataCard]:
    """Sopranos of the chorales in 4/4, so many bars from each barline, in steps of an eighth.

    What moves in sixteenths is left out.

    Returns:
        Tokens (n, T) relative to the tonic, and what a card says of them.

    Raises:
        UnknownNameError: no such split.
        StoredFileError: the corpus files are missing or are not those catalogued.
    """
    found = []
    scores = _scores(split, progress)
    for score in scores:
        for start in _barlines(score, bars * score.metre.bar):
            segment = segment_of(
                score.parts[0],
                score.key,
                start=start,
                steps=bars * STEPS_A_BAR,
                grid=EIGHTH,
            )
            if segment is not None:
                found.append(segment)
    return np.array(found), _card(split, len(scores), len(found) * bars * STEPS_A_BAR)


def bars(split: str, *, progress: Progress | None = None) -> tuple[BoolArray, DataCard]:
    """Bars of the chorales in 4/4 as matrices (n, T, K) of keys, in steps of an eighth.

    Returns:
        Matrices relative to the tonic, and what a card says of them.

    Raises:
        UnknownNameError: no such split.
        StoredFileError: the corpus files are missing or are not those catalogued.
    """
    found = []
    scores = _scores(split, progress)
    for score in scores:
        for start in _barlines(score, score.metre.bar):
            matrix = bar_matrix(score, score.key, start=start, steps=STEPS_A_BAR, grid=EIGHTH)
            if matrix is not None:
                found.append(matrix)
    return np.array(found), _card(split, len(scores), len(found) * STEPS_A_BAR)


def latent_splits(
    model: str, *, progress: Progress | None = None
) -> tuple[dict[str, NDArray[Any]], DataCard]:
    """What a model with a latent space learns and is measured on, and what its card says of it.

    Raises:
        UnknownNameError: no such model.
        StoredFileError: the corpus files are missing or are not those catalogued.
    """
    if model not in LEARNED:
        raise UnknownNameError("model with a latent space", model, LEARNED)
    found = {split: LEARNED[model](split, progress=progress) for split in SPLITS}
    cards = [card for _, card in found.values()]
    whole = replace(
        cards[0],
        sequences={name: count for card in cards for name, count in card.sequences.items()},
        slots={name: count for card in cards for name, count in card.slots.items()},
    )
    return {split: arrays for split, (arrays, _) in found.items()}, whole


LEARNED: Mapping[str, Callable[..., tuple[NDArray[Any], DataCard]]] = {
    "melody-vae": soprano_segments,
    "roll-gan": bars,
}


def _card(split: str, pieces: int, steps: int) -> DataCard:
    corpus = entry(DEFAULT)
    about = f"corpora/data/{corpus.split}: pieces in {BEATS}/{UNIT}"
    return DataCard(corpus.title, corpus.licence, about, {split: pieces}, {split: steps})
