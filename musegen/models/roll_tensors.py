"""The counted and the classic models of rolls as tensors, and back.

n-grams are stored as the rolls that they count, with their exponents: the counts are many times
larger, and are the same whenever they are counted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from musegen.errors import TrainingError
from musegen.models.cards import Tensors, WeightsError, check_shapes
from musegen.models.forward_backward import Dense, Factorial, Transition
from musegen.models.frame_emissions import (
    Bernoulli,
    Emission,
    FactorialBernoulli,
    SerialNotes,
    Teller,
)
from musegen.models.frame_hmm import FrameHMM, FrameHMMSettings
from musegen.models.frame_rbm import FrameRBM, FrameRBMSettings
from musegen.models.ngram import NGram, NGramSettings, counted_contexts
from musegen.models.rolls import END, KEYS, SYMBOLS, Roll, check_rolls, frames_of, serial

__all__ = [
    "hmm_from",
    "hmm_tensors",
    "ngram_from",
    "ngram_tensors",
    "rbm_from",
    "rbm_tensors",
]

Shapes = dict[str, tuple[tuple[int, ...], str]]


# --- n-grams --------------------------------------------------------------------------------


def ngram_tensors(model: NGram) -> Tensors:
    """The rolls that it counts, and its exponents."""
    return _rolls_as_tensors(model.counted) | {"exponents": model.mixture.exponents}


def ngram_from(settings: NGramSettings, tensors: Tensors, path: Path) -> NGram:
    """The model; its rolls are counted again.

    Raises:
        WeightsError: a tensor is missing, unknown, or of another shape, type or alphabet.
    """
    shapes: Shapes = {"exponents": (settings.mixing.shape, "float64")}
    check_shapes(path, tensors, shapes | _shapes_of_rolls(tensors))
    rolls = _rolls_from(tensors, path)
    counted = counted_contexts(rolls, settings)
    return NGram(settings, replace(counted, exponents=tensors["exponents"]), rolls)


def _rolls_as_tensors(rolls: Sequence[Roll]) -> Tensors:
    words = [serial(roll).symbols for roll in rolls]
    return {
        "symbols": np.concatenate(words).astype(np.uint8),
        "lengths": np.array([len(word) for word in words], np.int64),
    }


def _shapes_of_rolls(tensors: Tensors) -> Shapes:
    """Any number of rolls of any length may be there."""
    sizes = {name: tensors[name].size if name in tensors else 0 for name in ("symbols", "lengths")}
    return {"symbols": ((sizes["symbols"],), "uint8"), "lengths": ((sizes["lengths"],), "int64")}


def _rolls_from(tensors: Tensors, path: Path) -> tuple[Roll, ...]:
    symbols, ends = tensors["symbols"], np.cumsum(tensors["lengths"])
    whole = len(ends) > 0 and (tensors["lengths"] > 0).all() and ends[-1] == len(symbols)
    if not whole or symbols.max() >= SYMBOLS or (symbols[ends - 1] != END).any():
        raise WeightsError(path, "tensors 'symbols' and 'lengths' spell no rolls")
    words = np.split(symbols, ends[:-1])
    rolls = tuple(Roll(f"counted {k}", frames_of(word.tolist())) for k, word in enumerate(words))
    try:
        check_rolls(rolls)
    except TrainingError as error:
        raise WeightsError(path, f"tensors 'symbols' and 'lengths': {error}") from error
    return rolls


# --- hidden Markov models -------------------------------------------------------------------


def hmm_tensors(model: FrameHMM) -> Tensors:
    """Starts and moves of each chain, the emission's tables, and the rolls it counts."""
    told = {} if model.teller is None else _rolls_as_tensors(model.teller.counted)
    return _transition_tensors(model.transition) | _emission_tensors(model.emission) | told


def _transition_tensors(transition: Transition) -> Tensors:
    if isinstance(transition, Factorial):
        first, second = transition.first, transition.second
        return _chain_tensors("first", first) | _chain_tensors("second", second)
    assert isinstance(transition, Dense)
    return _chain_tensors("first", transition)


def _chain_tensors(name: str, chain: Dense) -> Tensors:
    return {f"{name}.start": chain.start, f"{name}.matrix": chain.matrix}


def _emission_tensors(emission: Emission) -> Tensors:
    if isinstance(emission, Bernoulli):
        return {"odds": emission.odds}
    if isinstance(emission, FactorialBernoulli):
        return {"first.odds": emission.first, "second.odds": emission.second}
    assert isinstance(emission, SerialNotes)
    return {"tables": emission.tables, "share": emission.share}


def hmm_from(settings: FrameHMMSettings, tensors: Tensors, path: Path) -> FrameHMM:
    """The model.

    Raises:
        WeightsError: an unknown emission; a tensor is missing, unknown, or of another shape or type.
    """
    shapes = _hmm_shapes(settings, path)
    counted = _shapes_of_rolls(tensors) if settings.emission == "serial" else {}
    expected: Shapes = {name: (shape, "float64") for name, shape in shapes.items()}
    check_shapes(path, tensors, expected | counted)
    first = Dense(tensors["first.start"], tensors["first.matrix"])
    if settings.emission == "factorial":
        second = Dense(tensors["second.start"], tensors["second.matrix"])
        both = FactorialBernoulli(tensors["first.odds"], tensors["second.odds"])
        return FrameHMM(settings, Factorial(first, second), both, None)
    if settings.emission == "serial":
        notes = SerialNotes(tensors["tables"], tensors["share"])
        return FrameHMM(settings, first, notes, Teller.on(_rolls_from(tensors, path)))
    return FrameHMM(settings, first, Bernoulli(tensors["odds"]), None)


def _hmm_shapes(settings: FrameHMMSettings, path: Path) -> dict[str, tuple[int, ...]]:
    states, second = settings.states, settings.second
    chain: dict[str, tuple[int, ...]] = {
        "first.start": (states,),
        "first.matrix": (states, states),
    }
    shapes: dict[str, dict[str, tuple[int, ...]]] = {
        "bernoulli": {"odds": (1, states, KEYS)},
        "autoregressive": {"odds": (2, states, KEYS)},
        "factorial": {
            "second.start": (second,),
            "second.matrix": (second, second),
            "first.odds": (states, KEYS),
            "second.odds": (second, KEYS),
        },
        "serial": {"tables": (states, SYMBOLS + 1, SYMBOLS), "share": (states,)},
    }
    if settings.emission not in shapes:
        allowed = ", ".join(sorted(shapes))
        problem = f"setting 'emission' must be one of {allowed}, got {settings.emission!r}"
        raise WeightsError(path, problem)
    return chain | shapes[settings.emission]


# --- restricted Boltzmann machines ----------------------------------------------------------


def rbm_tensors(model: FrameRBM) -> Tensors:
    """Weights, biases, and the log-odds that annealing starts from."""
    return {
        "weights": model.weights,
        "visible": model.visible,
        "hidden": model.hidden,
        "base": model.base,
    }


def rbm_from(settings: FrameRBMSettings, tensors: Tensors, path: Path) -> FrameRBM:
    """The machine.

    Raises:
        WeightsError: a tensor is missing, unknown, or of another shape or type.
    """
    expected: Shapes = {
        "weights": ((KEYS, settings.hidden), "float32"),
        "visible": ((KEYS,), "float32"),
        "hidden": ((settings.hidden,), "float32"),
        "base": ((KEYS,), "float64"),
    }
    check_shapes(path, tensors, expected)
    weights, visible, hidden, base = (tensors[name] for name in expected)
    return FrameRBM(settings, weights, visible, hidden, base)
