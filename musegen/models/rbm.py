"""Conditional restricted Boltzmann machine: what sonority is likely after the one before.

The visible units are four softmax groups, one a voice, over the note vocabulary; the hidden units
are binary. Sonority before (v') and features of the slot (f) shift the biases:

    E(v, h | v', f) = -b'v - h'Wv - c'h,   b = b0 + A v' + C f,   c = c0 + B v' + D f
    F(v | v', f)    = -b'v - sum_j log(1 + exp(c_j + (W v)_j))

Training: contrastive divergence, then persistent chains, one for each training slot since each
slot has its own condition; momentum, weight decay, averaged weights; all in fused numba passes
(`rbm_kernels`).

Sources: Hinton, Training products of experts by minimizing contrastive divergence (2002);
Salakhutdinov, Mnih and Hinton, Restricted Boltzmann machines for collaborative filtering (2007),
softmax groups; Taylor, Hinton and Roweis, Modeling human motion using binary latent variables
(2006), shifted biases; Tieleman, Training restricted Boltzmann machines using approximations to the
likelihood gradient (2008); Salakhutdinov and Murray, On the quantitative analysis of deep belief
networks (2008), annealed importance sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musegen.models import rbm_kernels as kernels
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
    VOCABULARY,
    VOICES,
    BoolArray,
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
)

__all__ = ["RBM", "RBMSettings", "Slots", "SonorityState", "load_rbm", "slots_of", "train_rbm"]

Real = NDArray[np.float32]
VISIBLE = VOICES * VOCABULARY
FEATURE_UNITS = sum(FEATURE_SIZES)
NO_NOTE = -1  # token of the sonority before the first slot
SAFE = 300.0  # largest activation that a condition or a sonority may reach; exp(600) is finite
OVERFLOW = 700.0  # logarithm of about the largest float64
ONE, MINUS = np.float32(1), np.float32(-1)


@dataclass(frozen=True, slots=True)
class RBMSettings:
    """How the sonority model is made."""

    hidden: int = 192  # hidden units
    epochs: int = 140  # passes over the training slots
    divergence_epochs: int = 10  # of them with contrastive divergence; then persistent chains
    sweeps: int = 3  # Gibbs sweeps a step
    batch: int = 100  # slots a step
    rate: float = 0.2  # learning rate at first; falls linearly to a twentieth
    momentum: float = 0.9  # after the first five epochs; 0.5 before
    decay: float = 0.0002  # weight decay of W
    condition_decay: float = 0.0003  # weight decay of A, B, C, D
    averaging: float = 0.995  # decay a step of the averaged weights that are kept
    patience: int = 30  # epochs without a better validation figure before training stops
    distractors: int = 255  # training sonorities that the true one is ranked among


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots out of their sequences, each with its condition."""

    notes: IntArray  # (n, V) tokens
    previous: IntArray  # (n, V) tokens of the slot before, NO_NOTE at the start
    features: IntArray  # (n, F)


@dataclass(frozen=True, slots=True)
class SonorityState:
    """What B hypotheses carry: the sonority before."""

    previous: IntArray  # (B, V) tokens
    features: IntArray  # (T, F) of the whole plan
    slot: int  # which slot comes


@dataclass(frozen=True, slots=True)
class RBM:
    """A conditional RBM; all parameters float32."""

    settings: RBMSettings
    weights: Real  # W, (U, H)
    visible_bias: Real  # b0, (U,)
    hidden_bias: Real  # c0, (H,)
    previous_visible: Real  # A, (U, U): unit before, unit now
    previous_hidden: Real  # B, (U, H)
    feature_visible: Real  # C, (F units, U)
    feature_hidden: Real  # D, (F units, H)

    @property
    def name(self) -> str:
        """Name in reports and weights."""
        return "rbm"

    # --- the seam ---------------------------------------------------------------------------

    def start(self, features: IntArray) -> SonorityState:
        """No sonority yet; features (T, F) of the whole plan."""
        return SonorityState(np.full((1, VOICES), NO_NOTE), features, 0)

    def log_scores(self, state: SonorityState, candidates: Candidates) -> FloatArray:
        """log of exp(-F) normalised over the given candidates only, (B, N).

        So it says which candidate is likely given that one of them is taken; it is no
        log-probability of the sonority among all sonorities (that needs the partition function).
        """
        features = np.repeat(state.features[state.slot][None, :], len(state.previous), axis=0)
        scores = -self.free_energy(candidates.notes, state.previous, features)
        return scores - _log_sum(scores)

    def advance(
        self,
        state: SonorityState,
        candidates: Candidates,
        parents: IntArray,  # noqa: ARG002 (only the last sonority counts, whatever came before)
        chosen: IntArray,
    ) -> SonorityState:
        """The chosen candidates become the sonorities before."""
        return SonorityState(candidates.notes[chosen], state.features, state.slot + 1)

    # --- energies ---------------------------------------------------------------------------

    def free_energy(self, notes: IntArray, previous: IntArray, features: IntArray) -> FloatArray:
        """Free energy of N sonorities under each of B conditions, (B, N), float64.

        Args:
            notes: (N, V) tokens.
            previous: (B, V) tokens of the sonority before, -1 for none.
            features: (B, F).
        """
        units = _units(notes)
        visible, hidden = self.conditions(previous, features, np.float64)
        linear = visible[:, units].sum(axis=2)
        active = np.zeros((len(units), hidden.shape[1]))
        kernels.sum_rows(units, self.weights, active)
        total = np.empty(linear.shape)
        _softplus_products(hidden, active, total)
        return -linear - total

    def conditionals(self, slots: Slots) -> FloatArray:
        """log P(note of one voice | the other voices, before, features), (n, V, K): exact."""
        units = _units(slots.notes)
        visible, hidden = self.conditions(slots.previous, slots.features, np.float64)
        kernels.sum_rows(units, self.weights, hidden)
        result = np.empty((len(units), VOICES, VOCABULARY))
        for voice in range(VOICES):
            rows = slice(voice * VOCABULARY, (voice + 1) * VOCABULARY)
            table = self.weights[rows].astype(np.float64)
            total = np.empty((len(units), VOCABULARY))
            _softplus_products(hidden - self.weights[units[:, voice]], table, total)
            scores = visible[:, rows] + total
            result[:, voice] = scores - _log_sum(scores)
        return result

    def conditions(
        self, previous: IntArray, features: IntArray, kind: Any
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Biases b (n, U) and c (n, H) under each condition, in the floating type `kind`."""
        visible = np.tile(self.visible_bias.astype(kind), (len(previous), 1))
        hidden = np.tile(self.hidden_bias.astype(kind), (len(previous), 1))
        before, known = _units(previous), _feature_units(features)
        kernels.sum_rows(before, self.previous_visible, visible)
        kernels.sum_rows(known, self.feature_visible, visible)
        kernels.sum_rows(before, self.previous_hidden, hidden)
        kernels.sum_rows(known, self.feature_hidden, hidden)
        return visible, hidden

    # --- sampling ---------------------------------------------------------------------------

    def gibbs_infill(
        self, slots: Slots, free: BoolArray, *, sweeps: int, rng: np.random.Generator
    ) -> IntArray:
        """Draw the free voices anew, the others clamped, by block Gibbs sampling.

        Args:
            slots: where the chains begin; n chains, each with its own condition.
            free: (n, V) or (V,), True where a voice is to be drawn.
            sweeps: Gibbs sweeps from there.
            rng: seeds one stream a chain.

        Returns:
            (n, V) tokens; clamped voices unchanged.
        """
        units = _units(slots.notes)
        clamped = np.ascontiguousarray(~np.broadcast_to(free, units.shape))
        visible, hidden = self.conditions(slots.previous, slots.features, np.float32)
        streams = _streams(rng, len(units))
        _sweep(self.weights, units, visible, hidden, clamped, streams, sweeps=sweeps)
        return units - np.arange(VOICES) * VOCABULARY

    def log_partition_estimate(
        self,
        previous: IntArray,
        features: IntArray,
        *,
        temperatures: int,
        chains: int,
        rng: np.random.Generator,
    ) -> FloatArray:
        """log Z of each condition (n,) by annealed importance sampling.

        From the independent softmax groups b alone to the whole machine. An estimate: exp of it
        is unbiased, so log Z is under-estimated on average and a likelihood over-estimated.
        """
        visible, hidden = self.conditions(
            np.repeat(previous, chains, axis=0), np.repeat(features, chains, axis=0), np.float32
        )
        count, streams = len(visible), _streams(rng, len(visible))
        free = np.zeros((count, VOICES), np.bool_)
        units = np.zeros((count, VOICES), np.int64)
        kernels.sample_visible(np.zeros_like(visible), visible, ONE, free, streams, units)
        log_weights, now, before = np.zeros(count), np.zeros(count), np.zeros(count)
        for step in range(1, temperatures + 1):
            scale = step / temperatures
            kernels.softplus_sums(units, self.weights, hidden, scale, now)
            kernels.softplus_sums(units, self.weights, hidden, (step - 1) / temperatures, before)
            log_weights += now - before
            _sweep(self.weights, units, visible, hidden, free, streams, scale=scale)
        groups = visible.astype(np.float64).reshape(-1, chains, VOICES, VOCABULARY)[:, 0]
        base = _log_sum(groups)[..., 0].sum(axis=1) + hidden.shape[1] * np.log(2)
        spread = _log_sum(log_weights.reshape(-1, chains))[:, 0] - np.log(chains)
        estimate: FloatArray = base + spread
        return estimate

    # --- storing ----------------------------------------------------------------------------

    def tensors(self) -> Tensors:
        """Parameters by name."""
        return {name: getattr(self, name) for name in SHAPES}

    def metrics(self, sequences: Sequence[SlotSequence], split: str) -> tuple[Metric, ...]:
        """Pseudo-likelihood, ranking among distractors, and a likelihood estimate by annealing."""
        slots = slots_of(sequences)
        pseudo = -self.pseudo_log_likelihood(slots)
        rank = self.ranking_loss(slots, slots.notes, seed=0)
        nats = self._likelihood_estimates(slots)
        estimate, error = float(nats.mean()), float(nats.std() / np.sqrt(len(nats)))
        ranked = RANKED.format(self.settings.distractors)
        sampled = SAMPLED.format(len(nats), CHAINS, TEMPERATURES)
        rows = (
            ("negative pseudo-log-likelihood", pseudo, PSEUDO, (SLOT, NOTE)),
            ("ranking loss", rank, ranked, (SLOT,)),
            ("negative log-likelihood", estimate, sampled, (SLOT, NOTE)),
            ("standard error of the negative log-likelihood", error, sampled, (SLOT, NOTE)),
        )
        return tuple(
            Metric(what, split, value / UNIT[unit], unit, convention, exact=False)
            for what, value, convention, units in rows
            for unit in units
        )

    def pseudo_log_likelihood(self, slots: Slots) -> float:
        """Mean over slots of the sum over voices of log P(voice | other voices, condition)."""
        chances = self.conditionals(slots)
        taken = np.take_along_axis(chances, slots.notes[:, :, None], axis=2)
        return float(taken.sum() / len(slots.notes))

    def ranking_loss(self, slots: Slots, distractors: IntArray, *, seed: int) -> float:
        """Mean of -log share of the true sonority among sampled distractors.

        Args:
            slots: the true sonorities and their conditions.
            distractors: (M, V) sonorities to draw from.
            seed: of the draw.
        """
        rng = np.random.default_rng(seed)
        total = 0.0
        for begin in range(0, len(slots.notes), 64):
            some = slice(begin, begin + 64)
            drawn = distractors[rng.integers(len(distractors), size=self.settings.distractors)]
            others = -self.free_energy(drawn, slots.previous[some], slots.features[some])
            notes = slots.notes[some]
            true = -np.diagonal(self.free_energy(notes, slots.previous[some], slots.features[some]))
            total += float((_log_sum(np.column_stack([true, others]))[:, 0] - true).sum())
        return total / len(slots.notes)

    def _likelihood_estimates(self, slots: Slots) -> FloatArray:
        """Estimated negative log-likelihood of some slots, evenly spread, in nats."""
        count = min(ESTIMATED_SLOTS, len(slots.notes))
        some = _take(slots, np.linspace(0, len(slots.notes) - 1, count).astype(np.int64))
        log_z = self.log_partition_estimate(
            some.previous,
            some.features,
            temperatures=TEMPERATURES,
            chains=CHAINS,
            rng=np.random.default_rng(0),
        )
        energies = [
            self.free_energy(some.notes[[i]], some.previous[[i]], some.features[[i]])[0, 0]
            for i in range(count)
        ]
        return np.array(energies) + log_z


ESTIMATED_SLOTS, CHAINS, TEMPERATURES = 400, 10, 300
SLOT, NOTE = "nats per slot", "nats per note"
UNIT = {SLOT: 1, NOTE: VOICES}
PSEUDO = "all slots; sum of -log P(voice | the other three, slot before); not a likelihood"
RANKED = (
    "all slots; -log share of exp(-F) among the true sonority and {} drawn from the same split; "
    "not a likelihood"
)
SAMPLED = (
    "{} slots evenly spread, P(notes | slot before, features), log Z of each by annealed "
    "importance sampling, {} chains, {} temperatures; flatters the model on average"
)
SHAPES = (
    "weights",
    "visible_bias",
    "hidden_bias",
    "previous_visible",
    "previous_hidden",
    "feature_visible",
    "feature_hidden",
)


def slots_of(sequences: Sequence[SlotSequence]) -> Slots:
    """All slots of the sequences with the sonority before each."""
    nothing = np.full((1, VOICES), NO_NOTE)
    previous = [np.concatenate([nothing, each.notes[:-1]]) for each in sequences]
    return Slots(
        np.concatenate([each.notes for each in sequences]),
        np.concatenate(previous),
        np.concatenate([each.features for each in sequences]),
    )


def _take(slots: Slots, places: IntArray) -> Slots:
    return Slots(slots.notes[places], slots.previous[places], slots.features[places])


def _units(notes: IntArray) -> IntArray:
    """Visible unit of each token, -1 for NO_NOTE."""
    if notes.size and (notes.min() < NO_NOTE or notes.max() >= VOCABULARY):
        raise ValueError(f"note tokens must lie in 0..{VOCABULARY - 1}")
    units: IntArray = np.where(notes < 0, NO_NOTE, notes + np.arange(VOICES) * VOCABULARY)
    return units.astype(np.int64)


def _feature_units(features: IntArray) -> IntArray:
    offsets = np.concatenate([[0], np.cumsum(FEATURE_SIZES)[:-1]])
    if (features < 0).any() or (features >= np.array(FEATURE_SIZES)).any():
        raise ValueError(f"features must lie below {FEATURE_SIZES}")
    return (features + offsets).astype(np.int64)


def _log_sum(scores: FloatArray) -> FloatArray:
    """log of the sum of exp over the last axis, kept as an axis of length 1."""
    top = scores.max(axis=-1, keepdims=True)
    total: FloatArray = top + np.log(np.exp(scores - top).sum(axis=-1, keepdims=True))
    return total


def _softplus_products(hidden: FloatArray, active: FloatArray, out: FloatArray) -> None:
    """Sum over h of softplus(hidden[b, h] + active[n, h]) into out (B, N)."""
    peak = float((hidden.max(axis=0) + active.max(axis=0)).max())
    chunk = max(1, int(OVERFLOW / np.logaddexp(0.0, peak)))
    kernels.log_partition(np.exp(hidden), np.ascontiguousarray(np.exp(active).T), chunk, out)


def _streams(rng: np.random.Generator, count: int) -> NDArray[np.uint64]:
    return rng.integers(0, 1 << 64, size=count, dtype=np.uint64)


def _sweep(
    weights: Real,
    units: IntArray,
    visible: Real,
    hidden: Real,
    clamped: BoolArray,
    streams: NDArray[np.uint64],
    *,
    sweeps: int = 1,
    scale: float = 1.0,
) -> None:
    """Block Gibbs: hidden given visible, free visible groups given hidden; changes `units`."""
    drawn, products = np.empty_like(hidden), np.empty_like(visible)
    across = np.ascontiguousarray(weights.T)
    factor = np.float32(scale)
    for _ in range(sweeps):
        kernels.sample_hidden(units, weights, hidden, factor, streams, drawn)
        kernels.sum_active(drawn, across, products)
        kernels.sample_visible(products, visible, factor, clamped, streams, units)


# --- loading ----------------------------------------------------------------------------------


def load_rbm(path: Path) -> RBM:
    """Read a stored sonority model.

    Raises:
        WeightsError: the file is damaged or not of this model.
    """
    tensors, card = load_weights(path, "rbm")
    settings = settings_from(RBMSettings, card.settings, path)
    shapes = _shapes(settings.hidden)
    check_shapes(path, tensors, {name: (shape, "float32") for name, shape in shapes.items()})
    model = _from_tensors(settings, tensors)
    reach = _reach(model)
    if reach > SAFE:
        raise WeightsError(
            path, f"its hidden activations can reach {reach:.0f}, at most {SAFE:.0f} are allowed"
        )
    return model


def _shapes(hidden: int) -> dict[str, tuple[int, ...]]:
    shapes = (
        (VISIBLE, hidden),
        (VISIBLE,),
        (hidden,),
        (VISIBLE, VISIBLE),
        (VISIBLE, hidden),
        (FEATURE_UNITS, VISIBLE),
        (FEATURE_UNITS, hidden),
    )
    return dict(zip(SHAPES, shapes, strict=True))


def _from_tensors(settings: RBMSettings, tensors: Tensors) -> RBM:
    return RBM(settings, *(tensors[name] for name in SHAPES))


def _reach(model: RBM) -> float:
    """The largest hidden activation that a sonority or a condition can cause on its own."""

    def peak(table: Real, sizes: Sequence[int]) -> FloatArray:
        groups = np.split(np.abs(table), np.cumsum(sizes)[:-1])
        total: FloatArray = np.sum([group.max(axis=0) for group in groups], axis=0)
        return total

    voices = [VOCABULARY] * VOICES
    condition = (
        np.abs(model.hidden_bias)
        + peak(model.previous_hidden, voices)
        + peak(model.feature_hidden, FEATURE_SIZES)
    )
    return float(max(peak(model.weights, voices).max(), condition.max()))


# --- training ---------------------------------------------------------------------------------


def train_rbm(
    train: Sequence[SlotSequence],
    valid: Sequence[SlotSequence],
    settings: RBMSettings,
    *,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> Trained:
    """Fit the conditional RBM by contrastive divergence, then persistent chains.

    Args:
        train: pieces to fit.
        valid: pieces whose pseudo-likelihood chooses the epoch.
        settings: how.
        seed: of the first weights, the order of slots and the chains.
        progress: told of each epoch: "epoch", "epochs", "valid" (negative pseudo-log-likelihood,
            nats per slot), "ranking", "reconstruction" (share of notes that one sweep keeps).
        checkpoint: file replaced after each epoch; an interrupted training goes on there.

    Raises:
        TrainingError: there is nothing to train on.
    """
    check_sequences(train, valid)
    slots, held_out = slots_of(train), slots_of(valid)
    mark = fingerprint(settings, seed, train, valid)
    run = load_checkpoint(checkpoint, mark) or _begin(slots, settings, seed)
    while not _finished(run, settings):
        run = _epoch(run, slots, held_out, settings, seed)
        if checkpoint is not None:
            save_checkpoint(checkpoint, mark, run)
        if progress is not None:
            progress(run.state["history"][-1])
    model = _from_tensors(settings, _named(run.tensors, "best"))
    metrics = (*model.metrics(train, "train"), *model.metrics(valid, "valid"))
    return Trained(model, seed, tuple(run.state["history"]), metrics)


def _named(tensors: Tensors, group: str) -> Tensors:
    return {name: tensors[f"{group}.{name}"] for name in SHAPES}


def _grouped(group: str, tensors: Tensors) -> Tensors:
    return {f"{group}.{name}": tensors[name] for name in SHAPES}


def _begin(slots: Slots, settings: RBMSettings, seed: int) -> Checkpoint:
    """First weights: small normal W, visible biases at the log frequencies of the notes."""
    rng = np.random.default_rng([seed, 0])
    first = {name: np.zeros(shape, np.float32) for name, shape in _shapes(settings.hidden).items()}
    first["weights"] = rng.normal(0, 0.01, first["weights"].shape).astype(np.float32)
    counts = np.bincount(_units(slots.notes).ravel(), minlength=VISIBLE) + 0.1
    first["visible_bias"] = np.log(counts / len(slots.notes)).astype(np.float32)
    still = {name: np.zeros_like(array) for name, array in first.items()}
    tensors = (
        _grouped("now", first)
        | _grouped("mean", first)
        | _grouped("best", first)
        | _grouped("speed", still)
    )
    tensors["chains"] = _units(slots.notes)
    tensors["streams"] = _streams(rng, len(slots.notes))
    state: dict[str, Any] = {"epoch": 0, "steps": 0, "best": None, "stale": 0, "history": []}
    return Checkpoint(tensors, state)


def _finished(run: Checkpoint, settings: RBMSettings) -> bool:
    epoch, stale = int(run.state["epoch"]), int(run.state["stale"])
    return epoch >= settings.epochs or stale >= settings.patience


def _epoch(
    run: Checkpoint, slots: Slots, held_out: Slots, settings: RBMSettings, seed: int
) -> Checkpoint:
    """One pass over the slots and a look at the validation split."""
    tensors = {name: array.copy() for name, array in run.tensors.items()}
    epoch, steps = run.state["epoch"], run.state["steps"]
    order = np.random.default_rng([seed, 1, epoch]).permutation(len(slots.notes))
    kept = 0.0
    for begin in range(0, len(order), settings.batch):
        places = order[begin : begin + settings.batch]
        kept += _step(tensors, _take(slots, places), places, settings, epoch)
        steps += 1
        _average(tensors, min(settings.averaging, (steps - 1) / steps))
    model = _from_tensors(settings, _named(tensors, "mean"))
    loss = -model.pseudo_log_likelihood(held_out)
    better = run.state["best"] is None or loss < run.state["best"]
    if better:
        tensors |= _grouped("best", {k: v.copy() for k, v in _named(tensors, "mean").items()})
    report = {
        "epoch": epoch + 1,
        "epochs": settings.epochs,
        "valid": loss,
        "ranking": model.ranking_loss(held_out, slots.notes, seed=seed),
        "reconstruction": kept / (len(order) * VOICES),
    }
    return Checkpoint(
        tensors,
        {
            "epoch": epoch + 1,
            "steps": steps,
            "best": loss if better else run.state["best"],
            "stale": 0 if better else run.state["stale"] + 1,
            "history": [*run.state["history"], report],
        },
    )


def _average(tensors: Tensors, keep: float) -> None:
    for name in SHAPES:
        mean = tensors[f"mean.{name}"]
        mean += np.float32(1 - keep) * (tensors[f"now.{name}"] - mean)


def _step(
    tensors: Tensors, slots: Slots, places: IntArray, settings: RBMSettings, epoch: int
) -> float:
    """One gradient step on a batch; gives how many notes the chains hold as in the data."""
    model = _from_tensors(settings, _named(tensors, "now"))
    visible, hidden = model.conditions(slots.previous, slots.features, np.float32)
    data = _units(slots.notes)
    persistent = epoch >= settings.divergence_epochs
    chains = tensors["chains"][places] if persistent else data.copy()
    streams = tensors["streams"][places]
    free = np.zeros(data.shape, np.bool_)
    _sweep(model.weights, chains, visible, hidden, free, streams, sweeps=settings.sweeps)
    tensors["chains"][places], tensors["streams"][places] = chains, streams
    means, dreams = np.empty_like(hidden), np.empty_like(hidden)
    kernels.hidden_means(data, model.weights, hidden, means)
    kernels.hidden_means(chains, model.weights, hidden, dreams)
    gradient = _gradient(slots, data, chains, means, dreams)
    _climb(tensors, gradient, len(places), settings, epoch)
    return float((chains == data).sum())


def _gradient(slots: Slots, data: IntArray, chains: IntArray, means: Real, dreams: Real) -> Tensors:
    """Data expectation minus the chains' expectation of each parameter's statistic."""
    hidden = means.shape[1]
    out = {name: np.zeros(shape, np.float32) for name, shape in _shapes(hidden).items()}
    before, known = _units(slots.previous), _feature_units(slots.features)
    for units, expected, sign in ((data, means, ONE), (chains, dreams, MINUS)):
        kernels.accumulate_rows(units, expected, sign, out["weights"])
        kernels.accumulate_pairs(before, units, sign, out["previous_visible"])
        kernels.accumulate_pairs(known, units, sign, out["feature_visible"])
        out["visible_bias"] += sign * np.bincount(units.ravel(), minlength=VISIBLE).astype(
            np.float32
        )
    kernels.accumulate_rows(before, means - dreams, ONE, out["previous_hidden"])
    kernels.accumulate_rows(known, means - dreams, ONE, out["feature_hidden"])
    out["hidden_bias"] += (means - dreams).sum(axis=0)
    return out


def _climb(
    tensors: Tensors, gradient: Tensors, count: int, settings: RBMSettings, epoch: int
) -> None:
    """Momentum and weight decay."""
    rate = np.float32(settings.rate * (1 - 0.95 * epoch / settings.epochs))
    momentum = np.float32(settings.momentum if epoch >= 5 else 0.5)
    decays = dict.fromkeys(SHAPES, settings.condition_decay)
    decays |= {"weights": settings.decay, "visible_bias": 0.0, "hidden_bias": 0.0}
    for name in SHAPES:
        now, speed = tensors[f"now.{name}"], tensors[f"speed.{name}"]
        speed *= momentum
        speed += rate * (gradient[name] / np.float32(count) - np.float32(decays[name]) * now)
        now += speed
