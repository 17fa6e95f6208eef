"""Hidden Markov model over harmony: what chord is likely after the chords so far.

A state emits two things, independent of each other: a chord and the place of the slot (mode, beats
to the end of the phrase). The plan knows the places, so what is asked of the
model is P(chord n | chords before n, places up to n): the forward filter. Training is Baum-Welch
by hmmlearn on the pair as one symbol, with an M step that keeps the two factors apart. The
emissions are smoothed with the chord frequencies, and the filter is mixed with a bigram of chords
given the place and the beat (strong or weak); the weights of both are fitted on the validation
split. (Beats as a third emission were tried: they cost the filter 0.1 nats a slot.)

Composing needs numpy only; hmmlearn (slow to import) is for training and Viterbi decoding.
Sources: Rabiner, A tutorial on hidden Markov models (1989), eqs. 18-40; Witten and Bell, The
zero-frequency problem (1991), method C; Allan and Williams, Harmonising chorales by probabilistic
inference (2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from musegen.models.cards import (
    Metric,
    Tensors,
    WeightsError,
    check_shapes,
    load_weights,
    settings_from,
)
from musegen.models.protocol import (
    FEATURE_SIZES,
    FEATURES,
    Candidates,
    FloatArray,
    IntArray,
    SlotSequence,
)
from musegen.models.training import (
    Checkpoint,
    Progress,
    Trained,
    check_sequences,
    fingerprint,
    load_checkpoint,
    save_checkpoint,
    slot_metrics,
)

__all__ = ["HMM", "HMMSettings", "HarmonyState", "load_hmm", "train_hmm"]

MODE, STRENGTH, TO_END = (FEATURES.index(name) for name in ("mode", "strength", "to_end"))
SMOOTHINGS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2)  # tried on the validation split
MIXTURES = tuple(round(0.05 * step, 2) for step in range(21))  # weights of the filter, likewise
CONVENTION = "exact P(chord | chords before, places up to here); no probability of the notes"


@dataclass(frozen=True, slots=True)
class HMMSettings:
    """How the harmony model is made."""

    states: int = 48  # hidden states
    restarts: int = 4  # Baum-Welch runs from random starts; the best on validation is kept
    iterations: int = 80  # of Baum-Welch in a run, at most
    tolerance: float = 1.0  # nats of the whole training set below which a run stops
    minimum_count: int = 2  # rarer chords share the symbol "other"
    to_end_buckets: int = 4  # beats to the phrase's last chord: 0, 1, 2, 3 or more
    strong: int = 3  # beat strength from which a beat counts as strong for the bigram
    transition_prior: float = 1.02  # Dirichlet parameter of each transition
    emission_prior: float = 1.01  # Dirichlet parameter of each emission
    chord_count: int = 0  # size of the chord vocabulary; 0 = largest index in training + 1
    chord_table: str = ""  # digest of the vocabulary that chord indices refer to, if it is known


@dataclass(frozen=True, slots=True)
class HarmonyState:
    """The filter of B hypotheses before a slot."""

    predicted: FloatArray  # (B, S) P(state of this slot | chords and places before it)
    before: IntArray  # (B,) symbol of the chord before, `symbols + 1` at the start
    features: IntArray  # (T, F) of the whole plan
    slot: int  # which slot comes


@dataclass(frozen=True, slots=True)
class HMM:
    """A harmony model; symbols 0..K-1 are the chords of training, K is "other"."""

    settings: HMMSettings
    symbols: IntArray  # (K,) chord index of each symbol, ascending
    others: int  # chords that share "other"
    start_probabilities: FloatArray  # (S,)
    transitions: FloatArray  # (S, S)
    emissions: FloatArray  # (S, K + 1) P(symbol | state), smoothed
    places: FloatArray  # (S, P) P(place | state)
    bigram: FloatArray  # (P, 2, K + 2, K + 1) P(symbol | place, beat, before); row K + 1 = start
    mixture: float  # weight of the filter against the bigram

    @property
    def name(self) -> str:
        """Name in reports and weights."""
        return "hmm"

    # --- the seam ---------------------------------------------------------------------------

    def start(self, features: IntArray) -> HarmonyState:
        """The filter before the first slot of a plan with features (T, F)."""
        before = np.array([len(self.symbols) + 1])
        return HarmonyState(self.start_probabilities[None, :], before, features, 0)

    def log_scores(self, state: HarmonyState, candidates: Candidates) -> FloatArray:
        """log P(chord of each candidate | chords so far), (B, N); exact, over chords.

        Candidates with the same chord get the same score: it is no probability of their notes.
        """
        symbols = self.symbols_of(candidates.chords)
        scores = np.log(self.next_symbol(state))[:, symbols]
        shared: FloatArray = np.log(self.others) * (symbols == len(self.symbols))
        return scores - shared

    def advance(
        self, state: HarmonyState, candidates: Candidates, parents: IntArray, chosen: IntArray
    ) -> HarmonyState:
        """The filters after the chosen candidates."""
        symbols = self.symbols_of(candidates.chords[chosen])
        place = place_code(state.features[state.slot], self.settings)
        weights = state.predicted[parents] * self.places[:, place] * self.emissions.T[symbols]
        weights /= weights.sum(axis=1, keepdims=True)
        return HarmonyState(weights @ self.transitions, symbols, state.features, state.slot + 1)

    # --- probabilities ----------------------------------------------------------------------

    def symbols_of(self, chords: IntArray) -> IntArray:
        """Symbol of each chord index; "other" for chords unknown to training."""
        spots = np.searchsorted(self.symbols, chords)
        inside = np.minimum(spots, len(self.symbols) - 1)
        found = self.symbols[inside] == chords
        symbols: IntArray = np.where(found, inside, len(self.symbols))
        return symbols

    def next_symbol(self, state: HarmonyState) -> FloatArray:
        """P(symbol of this slot | chords so far, places up to here), (B, K + 1)."""
        features = state.features[state.slot]
        place = place_code(features, self.settings)
        strong = int(features[STRENGTH] >= self.settings.strong)
        weights = state.predicted * self.places[:, place]
        weights = weights / weights.sum(axis=1, keepdims=True)
        filtered = weights @ self.emissions
        paired = self.bigram[place, strong, state.before]
        mixed: FloatArray = self.mixture * filtered + (1 - self.mixture) * paired
        return mixed

    def log_probability(self, sequence: SlotSequence) -> float:
        """log P(chords | places) of a piece, in nats; each chord sees the places up to its own."""
        state, total = self.start(sequence.features), 0.0
        for slot, chord in enumerate(sequence.chords):
            one = Candidates(
                sequence.notes[slot : slot + 1], np.array([chord]), sequence.features[slot]
            )
            total += float(self.log_scores(state, one)[0, 0])
            state = self.advance(state, one, np.array([0]), np.array([0]))
        return total

    def forward(self, sequence: SlotSequence) -> float:
        """log P(symbols, places) of a piece under the Markov chain alone, in nats."""
        symbols = self.symbols_of(sequence.chords)
        places = place_code(sequence.features, self.settings)
        frames = self.emissions.T[symbols] * self.places.T[places]  # (T, S)
        weights, total = self.start_probabilities, 0.0
        for frame in frames:
            weights = weights * frame
            scale = weights.sum()
            total += float(np.log(scale))
            weights = (weights / scale) @ self.transitions
        return total

    def decode(self, sequence: SlotSequence) -> tuple[float, IntArray]:
        """The likeliest state path and its joint log-probability (Viterbi, by hmmlearn)."""
        model = _learner(self.settings, self.emissions.shape[1], self.places.shape[1])
        model.startprob_, model.transmat_ = self.start_probabilities, self.transitions
        model.emissionprob_ = _joint(self.emissions, self.places)
        log_probability, states = model.decode(self.observations(sequence)[:, None])
        return float(log_probability), np.asarray(states, np.int64)

    def sample(self, features: IntArray, *, rng: np.random.Generator) -> IntArray:
        """Chord indices (T,) drawn one after another for a plan; "other" is -1."""
        state = self.start(features)
        chords = np.full(len(features), -1)
        for slot in range(len(features)):
            symbol = rng.choice(len(self.symbols) + 1, p=_normalized(self.next_symbol(state)[0]))
            if symbol < len(self.symbols):
                chords[slot] = self.symbols[symbol]
            one = Candidates(np.zeros((1, 0), np.int64), chords[slot : slot + 1], features[slot])
            state = self.advance(state, one, np.array([0]), np.array([0]))
        return chords

    def observations(self, sequence: SlotSequence) -> IntArray:
        """Symbol and place of each slot as the one integer that hmmlearn sees, (T,)."""
        places = place_code(sequence.features, self.settings)
        observed: IntArray = self.symbols_of(sequence.chords) * self.places.shape[1] + places
        return observed

    # --- storing ----------------------------------------------------------------------------

    def tensors(self) -> Tensors:
        """Parameters by name."""
        return {
            "symbols": self.symbols,
            "others": np.array([self.others]),
            "start": self.start_probabilities,
            "transitions": self.transitions,
            "emissions": self.emissions,
            "places": self.places,
            "bigram": self.bigram.astype(np.float32),
            "mixture": np.array([self.mixture]),
        }

    def metrics(self, sequences: Sequence[SlotSequence], split: str) -> tuple[Metric, ...]:
        """Exact negative log-likelihood of the chords."""
        nats = -sum(self.log_probability(sequence) for sequence in sequences)
        slots = sum(len(sequence.chords) for sequence in sequences)
        what = "negative log-likelihood of chords"
        return slot_metrics(nats, slots, split, given=CONVENTION, what=what, notes=False)


def place_code(features: IntArray, settings: HMMSettings) -> IntArray:
    """One integer a slot for mode and beats to the phrase's end (clipped); features (..., F)."""
    to_end = np.minimum(features[..., TO_END], settings.to_end_buckets - 1)
    codes: IntArray = features[..., MODE] * settings.to_end_buckets + to_end
    return codes


def _place_count(settings: HMMSettings) -> int:
    return FEATURE_SIZES[MODE] * settings.to_end_buckets


def _normalized(weights: FloatArray) -> FloatArray:
    total: FloatArray = weights.sum(axis=-1, keepdims=True)
    return weights / total


def _joint(emissions: FloatArray, places: FloatArray) -> FloatArray:
    """P(symbol and place as one observation | state), (S, (K + 1) * P)."""
    states = len(emissions)
    return (emissions[:, :, None] * places[:, None, :]).reshape(states, -1)


# --- loading ----------------------------------------------------------------------------------


def load_hmm(path: Path) -> HMM:
    """Read a stored harmony model.

    Raises:
        WeightsError: the file is damaged or not of this model.
    """
    tensors, card = load_weights(path, "hmm")
    settings = settings_from(HMMSettings, card.settings, path)
    states, count = settings.states, len(np.atleast_1d(tensors.get("symbols", np.zeros(0))))
    places = _place_count(settings)
    real = "float64"
    check_shapes(
        path,
        tensors,
        {
            "symbols": ((count,), "int64"),
            "others": ((1,), "int64"),
            "mixture": ((1,), real),
            "start": ((states,), real),
            "transitions": ((states, states), real),
            "emissions": ((states, count + 1), real),
            "places": ((states, places), real),
            "bigram": ((places, 2, count + 2, count + 1), "float32"),
        },
    )
    model = _from_tensors(settings, tensors)
    _check_distributions(path, model)
    return model


def _check_distributions(path: Path, model: HMM) -> None:
    tables = {
        "start": model.start_probabilities,
        "transitions": model.transitions,
        "emissions": model.emissions,
        "places": model.places,
        "bigram": model.bigram,
    }
    for name, table in tables.items():
        if (table < 0).any() or not np.allclose(table.sum(axis=-1), 1, atol=1e-4):
            raise WeightsError(path, f"tensor {name!r} must hold distributions that sum to 1")
    if (model.emissions <= 0).any() or (model.bigram <= 0).any():
        raise WeightsError(path, "tensors 'emissions' and 'bigram' must be above 0")
    if len(model.symbols) == 0 or (np.diff(model.symbols) <= 0).any() or model.others < 1:
        raise WeightsError(path, "tensor 'symbols' must be ascending and 'others' positive")
    if not 0 <= model.mixture <= 1:
        raise WeightsError(path, f"tensor 'mixture' must lie in 0..1, got {model.mixture}")


# --- training ---------------------------------------------------------------------------------


def train_hmm(
    train: Sequence[SlotSequence],
    valid: Sequence[SlotSequence],
    settings: HMMSettings,
    *,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> Trained:
    """Fit the harmony model by Baum-Welch.

    Args:
        train: pieces to fit.
        valid: pieces that choose the restart, the smoothing and the mixture.
        settings: how.
        seed: of the random starts.
        progress: told of each restart: "restart", "restarts", "train", "valid" (nats per slot).
        checkpoint: file that keeps the best restart so far; an interrupted training goes on there.

    Raises:
        TrainingError: there is nothing to train on.
    """
    check_sequences(train, valid)
    mark = fingerprint(settings, seed, train, valid)
    stored = load_checkpoint(checkpoint, mark) or Checkpoint({}, {"history": [], "best": None})
    best, history = stored.tensors, list(stored.state["history"])
    lowest = stored.state["best"]
    plain = _without_chain(train, settings)
    for restart in range(len(history), settings.restarts):
        fitted = _baum_welch(plain, train, seed=[seed, restart])
        tuned = _tuned(fitted, plain, train, valid)
        losses = {
            split: tuned.metrics(pieces, split)[0].value
            for split, pieces in (("train", train), ("valid", valid))
        }
        if lowest is None or losses["valid"] < lowest:
            best, lowest = tuned.tensors(), losses["valid"]
        history.append({"restart": restart + 1, "restarts": settings.restarts, **losses})
        if progress is not None:
            progress(history[-1])
        if checkpoint is not None:
            state = {"history": history, "best": lowest}
            save_checkpoint(checkpoint, mark, Checkpoint(best, state))
    model = _from_tensors(settings, best)
    metrics = (*model.metrics(train, "train"), *model.metrics(valid, "valid"))
    return Trained(model, seed, tuple(history), metrics)


def _from_tensors(settings: HMMSettings, tensors: Tensors) -> HMM:
    return HMM(
        settings,
        tensors["symbols"],
        int(tensors["others"][0]),
        tensors["start"],
        tensors["transitions"],
        tensors["emissions"],
        tensors["places"],
        tensors["bigram"].astype(np.float64),
        float(tensors["mixture"][0]),
    )


def _without_chain(train: Sequence[SlotSequence], settings: HMMSettings) -> HMM:
    """Symbols and bigram of the training pieces, and a chain of one uniform state."""
    chords, counts = np.unique(
        np.concatenate([piece.chords for piece in train]), return_counts=True
    )
    kept = chords[(counts >= settings.minimum_count) & (chords >= 0)]
    kept = kept if len(kept) else chords[:1]
    total = max(settings.chord_count, int(chords.max()) + 1)
    places = _place_count(settings)
    one = HMM(
        settings,
        kept.astype(np.int64),
        total - len(kept) + 1,
        np.ones(1),
        np.ones((1, 1)),
        np.full((1, len(kept) + 1), 1 / (len(kept) + 1)),
        np.full((1, places), 1 / places),
        np.zeros((places, 2, len(kept) + 2, len(kept) + 1)),
        0.0,
    )
    return replace(one, bigram=_witten_bell(one, train))


def _witten_bell(model: HMM, train: Sequence[SlotSequence]) -> FloatArray:
    """P(symbol | place, beat, symbol before), backing off to the symbol before alone, then none."""
    size = len(model.symbols) + 1
    counts = np.zeros(model.bigram.shape)
    for piece in train:
        symbols = model.symbols_of(piece.chords)
        before = np.concatenate([[size], symbols[:-1]])
        strong = (piece.features[:, STRENGTH] >= model.settings.strong).astype(np.int64)
        places = place_code(piece.features, model.settings)
        np.add.at(counts, (places, strong, before, symbols), 1)
    pairs = counts.sum(axis=(0, 1))
    frequencies = _backed_off(pairs.sum(axis=0), np.full(size, 1 / size))
    at_place = _backed_off(counts.sum(axis=1), _backed_off(pairs, frequencies))
    table = _backed_off(counts, at_place[:, None])
    return table.astype(np.float32).astype(np.float64)  # as it is stored


def _backed_off(counts: FloatArray, lower: FloatArray) -> FloatArray:
    """Witten and Bell's method C: as many pseudo-counts for the lower order as kinds seen."""
    kinds = np.maximum((counts > 0).sum(axis=-1, keepdims=True), 1)
    mixed: FloatArray = (counts + kinds * lower) / (counts.sum(axis=-1, keepdims=True) + kinds)
    return mixed


def _baum_welch(plain: HMM, train: Sequence[SlotSequence], *, seed: Sequence[int]) -> HMM:
    """One run of hmmlearn's Baum-Welch from a random start."""
    settings, size, places = plain.settings, plain.emissions.shape[1], plain.places.shape[1]
    learner = _learner(settings, size, places)
    rng = np.random.default_rng(seed)
    learner.startprob_ = rng.dirichlet(np.ones(settings.states))
    learner.transmat_ = rng.dirichlet(np.ones(settings.states), settings.states)
    learner.emissionprob_ = _joint(
        rng.dirichlet(np.ones(size), settings.states),
        rng.dirichlet(np.full(places, 5.0), settings.states),
    )
    observed = [plain.observations(piece) for piece in train]
    learner.fit(np.concatenate(observed)[:, None], [len(each) for each in observed])
    table = learner.emissionprob_.reshape(settings.states, size, places)
    return HMM(
        settings,
        plain.symbols,
        plain.others,
        _normalized(learner.startprob_),
        _normalized(learner.transmat_),
        _normalized(table.sum(axis=2)),
        _normalized(table.sum(axis=1)),
        plain.bigram,
        1.0,
    )


def _learner(settings: HMMSettings, symbols: int, places: int) -> Any:
    """hmmlearn's CategoricalHMM over (symbol, place) pairs, its M step keeping them independent."""
    from hmmlearn.hmm import CategoricalHMM

    class FactoredHMM(CategoricalHMM):  # type: ignore[misc]
        """Emission P(symbol | state) P(place | state)."""

        def _do_mstep(self, stats: dict[str, Any]) -> None:
            super()._do_mstep(stats)
            table = stats["obs"].reshape(-1, symbols, places)
            prior = settings.emission_prior - 1
            self.emissionprob_ = _joint(
                _normalized(table.sum(axis=2) + prior), _normalized(table.sum(axis=1) + prior)
            )

        def _get_n_fit_scalars_per_param(self) -> dict[str, int]:
            states = settings.states
            return {
                "s": states - 1,
                "t": states * (states - 1),
                "e": states * (symbols + places - 2),
            }

    return FactoredHMM(
        settings.states,
        transmat_prior=settings.transition_prior,
        n_features=symbols * places,
        n_iter=settings.iterations,
        tol=settings.tolerance,
        init_params="",
        implementation="scaling",
    )


def _tuned(
    fitted: HMM, plain: HMM, train: Sequence[SlotSequence], valid: Sequence[SlotSequence]
) -> HMM:
    """The smoothing of the emissions and the mixture with the bigram that fit `valid` best."""
    symbols = np.concatenate([fitted.symbols_of(piece.chords) for piece in train])
    size = fitted.emissions.shape[1]
    frequencies = _backed_off(
        np.bincount(symbols, minlength=size).astype(float), np.full(size, 1 / size)
    )
    trials = []
    for smoothing in SMOOTHINGS:
        emissions = (1 - smoothing) * fitted.emissions + smoothing * frequencies
        model = replace(fitted, emissions=emissions, mixture=1.0)
        alone = np.concatenate([_chances(model, piece) for piece in valid])
        pair = np.concatenate([_chances(plain, piece) for piece in valid])
        trials += [
            (float(-np.log(weight * alone + (1 - weight) * pair).mean()), weight, emissions)
            for weight in MIXTURES
        ]
    _, weight, emissions = min(trials, key=lambda trial: trial[0])
    return replace(fitted, emissions=emissions, mixture=weight)


def _chances(model: HMM, piece: SlotSequence) -> FloatArray:
    """P(symbol | symbols before) of each slot of a piece, (T,)."""
    symbols = model.symbols_of(piece.chords)
    state, chances = model.start(piece.features), np.zeros(len(symbols))
    for slot, symbol in enumerate(symbols):
        one = Candidates(
            piece.notes[slot : slot + 1], piece.chords[slot : slot + 1], piece.features[slot]
        )
        chances[slot] = model.next_symbol(state)[0, symbol]
        state = model.advance(state, one, np.array([0]), np.array([0]))
    return chances
