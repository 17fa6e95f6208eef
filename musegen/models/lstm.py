"""LSTM over slots, notes inside a slot one after another: an exact chain rule.

    x_t = [embeddings of the four notes of slot t-1 ; features of slots t .. t+lookahead]
    s_t = LSTM(s_{t-1}, x_t)
    z_k = relu(M_k [s_t ; x_t] + sum_{j<k} E_{kj}[n_j] + m_k)        k-th voice in `order`
    p(n_k | n_<k, past, features) = softmax(O_k z_k + o_k)

so p(slot | past) is the product of four softmaxes over the note vocabulary: no bound, no estimate.
The candidates of a slot share their first notes, so for scoring each factor is worked out once for
each distinct prefix.

Training uses torch (AdamW, warm-up and cosine, clipping, dropout on embeddings, state, recurrent
weights and z, averaged weights, early stopping); all random numbers come from generators
seeded by (seed, epoch, step), so an interrupted training goes on as if nothing had been. Composing
needs numpy only, in double precision, so that rounding does not decide between candidates.

Sources: Hochreiter and Schmidhuber, Long short-term memory (1997); Boulanger-Lewandowski, Bengio
and Vincent, Modeling temporal dependencies in high-dimensional sequences (2012), joint outputs;
Gal and Ghahramani, A theoretically grounded application of dropout in recurrent neural networks
(2016); Merity, Keskar and Socher, Regularizing and optimizing LSTM language models (2018),
DropConnect and averaged weights; Loshchilov and Hutter, Decoupled weight decay regularization (2019).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
    REST_TOKEN,
    VOCABULARY,
    VOICES,
    Candidates,
    FloatArray,
    IntArray,
    SlotSequence,
)
from musegen.models.torch_steps import (
    KEEP,
    Drop,
    deterministic,
    rate_at,
    step_weights,
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

if TYPE_CHECKING:
    import torch

__all__ = ["LSTM", "LSTMSettings", "NoteState", "load_lstm", "train_lstm"]

BEGIN = VOCABULARY  # embedding row of "no slot before"
FEATURE_UNITS = sum(FEATURE_SIZES)
CONVENTION = "exact P(notes | all slots before, features of this slot and those it looks ahead to)"


@dataclass(frozen=True, slots=True)
class LSTMSettings:
    """How the note model is made."""

    hidden: int = 192  # LSTM units
    embedding: int = 32  # numbers for a note of the slot before
    inner: int = 320  # units of z, for each voice
    lookahead: int = 2  # slots ahead whose features are seen
    order: tuple[int, ...] = (0, 3, 2, 1)  # voices as predicted: soprano, bass, tenor, alto
    epochs: int = 110  # passes over the training pieces
    patience: int = 25  # epochs without a better validation figure before training stops
    batch: int = 16  # pieces a step
    rate: float = 0.003  # peak learning rate
    warm_up: int = 5  # epochs of linear warm-up; then a half cosine to a hundredth
    weight_decay: float = 0.05  # AdamW's, on matrices
    clip: float = 1.0  # largest gradient norm
    input_dropout: float = 0.4  # of x, the same mask in all slots of a piece
    dropout: float = 0.5  # of the LSTM's state, likewise, and of z
    recurrent_dropout: float = 0.4  # of recurrent weights
    averaging: float = 0.98  # decay a step of the averaged weights that are kept
    shift: int = 0  # pieces are shifted by up to so many semitones in training
    threads: int = 1  # of torch; part of the recipe, since rounding depends on it


@dataclass(frozen=True, slots=True)
class NoteState:
    """The LSTM of B hypotheses, already advanced to the slot that comes."""

    output: FloatArray  # (B, H) s_t
    memory: FloatArray  # (B, H) cell state
    skip: FloatArray  # (B, voices * inner) contribution of x_t to the layers z
    features: FloatArray  # (T, U) rows of ones and zeros of the whole plan, looking ahead
    slot: int  # which slot comes


@dataclass(frozen=True)
class LSTM:
    """A note model; `weights` are float32 by name, as they are stored."""

    settings: LSTMSettings
    weights: Mapping[str, NDArray[np.float32]]

    @property
    def name(self) -> str:
        """Name in reports and weights."""
        return "lstm"

    # --- the seam ---------------------------------------------------------------------------

    def start(self, features: IntArray) -> NoteState:
        """The state before the first slot of a plan with features (T, F)."""
        rows = looking_ahead(features, self.settings.lookahead)
        nothing = np.zeros((1, self.settings.hidden))
        begin = np.full((1, VOICES), BEGIN)
        return self._step(nothing, nothing, begin, rows, 0)

    def log_scores(self, state: NoteState, candidates: Candidates) -> FloatArray:
        """log P(notes of each candidate | all before), (B, N): exact."""
        prefixes = _prefixes(candidates.notes, self.settings.order)
        shared = self._shared(state)
        total = np.zeros((len(shared[0]), 1))
        for place, prefix in enumerate(prefixes):
            chances = np.empty((len(total), len(prefix.parents)))
            for b, scores in enumerate(self._softmaxes(place, shared[place], prefix.before)):
                chances[b] = scores[prefix.parents, prefix.tokens]
            total = total[:, prefix.parents] + chances
        return total[:, prefixes[-1].candidates]

    def advance(
        self, state: NoteState, candidates: Candidates, parents: IntArray, chosen: IntArray
    ) -> NoteState:
        """The states after the chosen candidates."""
        return self._step(
            state.output[parents],
            state.memory[parents],
            candidates.notes[chosen],
            state.features,
            state.slot + 1,
        )

    def note_log_probs(self, state: NoteState, candidates: Candidates) -> FloatArray:
        """log P of each note given all before and the notes of the slot before it in `order`.

        Returns:
            (B, N, V), voices high to low; the sum over voices is `log_scores`.
        """
        prefixes = _prefixes(candidates.notes, self.settings.order)
        shared = self._shared(state)
        result = np.empty((len(state.output), len(candidates.notes), VOICES))
        for place, (voice, prefix) in enumerate(zip(self.settings.order, prefixes, strict=True)):
            for b, scores in enumerate(self._softmaxes(place, shared[place], prefix.before)):
                result[b, :, voice] = scores[prefix.parents, prefix.tokens][prefix.candidates]
        return result

    # --- the network ------------------------------------------------------------------------

    @cached_property
    def _doubles(self) -> dict[str, FloatArray]:
        """Weights in double precision, embeddings already multiplied into what they feed."""
        wide = {name: array.astype(np.float64) for name, array in self.weights.items()}
        size, hidden = self.settings.embedding, self.settings.hidden
        skip = np.concatenate([wide[f"context.{k}"][:, hidden:] for k in range(VOICES)])
        for name, table in (("gates", wide["input"]), ("skips", skip)):
            wide[name] = np.stack(
                [
                    wide["embedding"][v] @ table[:, v * size : (v + 1) * size].T
                    for v in range(VOICES)
                ]
            )
            wide[f"{name}.features"] = np.ascontiguousarray(table[:, VOICES * size :].T)
        wide["recurrent.T"] = np.ascontiguousarray(wide["recurrent"].T)
        wide["contexts.T"] = np.ascontiguousarray(
            np.concatenate([wide[f"context.{k}"][:, :hidden] for k in range(VOICES)]).T
        )
        return wide

    def _step(
        self, output: FloatArray, memory: FloatArray, notes: IntArray, rows: FloatArray, slot: int
    ) -> NoteState:
        """One step of the LSTM; after the last slot the state stays as it is."""
        if slot >= len(rows):
            empty = np.zeros((len(output), VOICES * self.settings.inner))
            return NoteState(output, memory, empty, rows, slot)
        wide, hidden = self._doubles, self.settings.hidden
        gates = output @ wide["recurrent.T"] + rows[slot] @ wide["gates.features"] + wide["bias"]
        skip = rows[slot] @ wide["skips.features"]
        for voice in range(VOICES):
            gates += wide["gates"][voice, notes[:, voice]]
            skip = skip + wide["skips"][voice, notes[:, voice]]
        into, forget, new, out = (gates[:, i * hidden : (i + 1) * hidden] for i in range(4))
        memory = _sigmoid(forget) * memory + _sigmoid(into) * np.tanh(new)
        skip = np.broadcast_to(skip, (len(output), VOICES * self.settings.inner))
        return NoteState(_sigmoid(out) * np.tanh(memory), memory, skip, rows, slot)

    def _shared(self, state: NoteState) -> list[FloatArray]:
        """M_k [s_t ; x_t] + m_k for each place k, (B, inner)."""
        wide, inner = self._doubles, self.settings.inner
        both = state.output @ wide["contexts.T"] + state.skip
        return [
            both[:, k * inner : (k + 1) * inner] + wide[f"context_bias.{k}"] for k in range(VOICES)
        ]

    def _softmaxes(self, place: int, shared: FloatArray, before: IntArray) -> Iterator[FloatArray]:
        """For each hypothesis the log softmax (P, K) of a place after each prefix (P, place)."""
        wide = self._doubles
        chosen = np.zeros((len(before), self.settings.inner))
        for j in range(place):
            chosen += wide[f"chosen.{place}"][j, before[:, j]]
        matrix, bias = wide[f"output.{place}"].T, wide[f"output_bias.{place}"]
        for row in shared:
            z = chosen + row
            np.maximum(z, 0.0, out=z)
            scores = z @ matrix
            scores += bias
            scores -= scores.max(axis=1, keepdims=True)
            scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
            yield scores

    def log_probabilities(self, sequence: SlotSequence) -> FloatArray:
        """log P of each note of a piece given all before it, (T, V): exact."""
        state, result = self.start(sequence.features), np.empty(sequence.notes.shape)
        for slot in range(len(sequence.notes)):
            one = Candidates(
                sequence.notes[slot : slot + 1],
                sequence.chords[slot : slot + 1],
                sequence.features[slot],
            )
            result[slot] = self.note_log_probs(state, one)[0, 0]
            state = self.advance(state, one, np.array([0]), np.array([0]))
        return result

    # --- storing ----------------------------------------------------------------------------

    def tensors(self) -> Tensors:
        """Parameters by name."""
        return dict(self.weights)

    def metrics(self, sequences: Sequence[SlotSequence], split: str) -> tuple[Metric, ...]:
        """Exact negative log-likelihood."""
        nats = -sum(float(self.log_probabilities(each).sum()) for each in sequences)
        slots = sum(len(each.notes) for each in sequences)
        return slot_metrics(nats, slots, split, given=CONVENTION)


@dataclass(frozen=True, slots=True)
class _Prefix:
    """The distinct beginnings of the candidates that are one note longer than those before."""

    before: IntArray  # (P, place) tokens of the distinct prefixes one note shorter
    parents: IntArray  # (Q,) which of those each longer one continues
    tokens: IntArray  # (Q,) the note it adds
    candidates: IntArray  # (N,) which longer one each candidate begins with


def _prefixes(notes: IntArray, order: Sequence[int]) -> list[_Prefix]:
    """For each place the distinct prefixes of the candidates and how they continue."""
    if len(notes) == 0 or notes.min() < 0 or notes.max() >= VOCABULARY:
        raise ValueError(f"candidates must be notes with tokens in 0..{VOCABULARY - 1}")
    ordered = notes[:, list(order)]
    inside, before = np.zeros(len(notes), np.int64), np.zeros((1, 0), np.int64)
    found = []
    for place in range(VOICES):
        codes = inside * VOCABULARY + ordered[:, place]
        distinct, inverse = np.unique(codes, return_inverse=True)
        parents, tokens = distinct // VOCABULARY, distinct % VOCABULARY
        found.append(_Prefix(before, parents, tokens, inverse))
        inside, before = inverse, np.column_stack([before[parents], tokens])
    return found


def looking_ahead(features: IntArray, lookahead: int) -> FloatArray:
    """Features (T, F) as rows (T, (lookahead + 1) * units) of ones and zeros, zeros past the end."""
    if (features < 0).any() or (features >= np.array(FEATURE_SIZES)).any():
        raise ValueError(f"features must lie below {FEATURE_SIZES}")
    offsets = np.concatenate([[0], np.cumsum(FEATURE_SIZES)[:-1]])
    slots = len(features)
    padded = np.zeros((slots + lookahead, FEATURE_UNITS))
    padded[np.arange(slots)[:, None], features + offsets] = 1.0
    return np.concatenate([padded[k : k + slots] for k in range(lookahead + 1)], axis=1)


def _sigmoid(x: FloatArray) -> FloatArray:
    half: FloatArray = 0.5 * (np.tanh(0.5 * x) + 1.0)
    return half


# --- loading ----------------------------------------------------------------------------------


def load_lstm(path: Path) -> LSTM:
    """Read a stored note model.

    Raises:
        WeightsError: the file is damaged or not of this model.
    """
    tensors, card = load_weights(path, "lstm")
    settings = settings_from(LSTMSettings, card.settings, path)
    if sorted(settings.order) != list(range(VOICES)):
        raise WeightsError(
            path, f"setting 'order' must be an order of 0..{VOICES - 1}, got {settings.order}"
        )
    shapes = _shapes(settings)
    check_shapes(path, tensors, {name: (shape, "float32") for name, shape in shapes.items()})
    return LSTM(settings, tensors)


def _shapes(settings: LSTMSettings) -> dict[str, tuple[int, ...]]:
    hidden, inner = settings.hidden, settings.inner
    width = VOICES * settings.embedding + (settings.lookahead + 1) * FEATURE_UNITS
    shapes: dict[str, tuple[int, ...]] = {
        "embedding": (VOICES, VOCABULARY + 1, settings.embedding),
        "input": (4 * hidden, width),
        "recurrent": (4 * hidden, hidden),
        "bias": (4 * hidden,),
    }
    for k in range(VOICES):
        shapes[f"context.{k}"] = (inner, hidden + width)
        shapes[f"context_bias.{k}"] = (inner,)
        shapes[f"output.{k}"] = (VOCABULARY, inner)
        shapes[f"output_bias.{k}"] = (VOCABULARY,)
        if k:
            shapes[f"chosen.{k}"] = (k, VOCABULARY, inner)
    return shapes


# --- training ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Batch:
    """Pieces side by side, padded at the end."""

    notes: torch.Tensor  # (n, T, V) int64
    previous: torch.Tensor  # (n, T, V) int64, BEGIN at the start
    features: torch.Tensor  # (n, T, U) float32
    mask: torch.Tensor  # (n, T) float32, 0 in the padding


def train_lstm(
    train: Sequence[SlotSequence],
    valid: Sequence[SlotSequence],
    settings: LSTMSettings,
    *,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> Trained:
    """Fit the note model.

    Args:
        train: pieces to fit.
        valid: pieces whose likelihood chooses the epoch.
        settings: how.
        seed: of the first weights, the order of pieces, dropout and shifts.
        progress: told of each epoch: "epoch", "epochs", "train" (with dropout), "valid" (both
            nats per slot), "rate".
        checkpoint: file replaced after each epoch; an interrupted training goes on there with the
            same result.

    Raises:
        TrainingError: there is nothing to train on.
    """
    check_sequences(train, valid)
    mark = fingerprint(settings, seed, train, valid)
    with deterministic(settings.threads):
        run = load_checkpoint(checkpoint, mark) or _begin(settings, seed)
        while not _finished(run, settings):
            run = _epoch(run, train, valid, settings, seed)
            if checkpoint is not None:
                save_checkpoint(checkpoint, mark, run)
            if progress is not None:
                progress(run.state["history"][-1])
    best = {name: run.tensors[f"best.{name}"] for name in _shapes(settings)}
    model = LSTM(settings, best)
    metrics = (*model.metrics(train, "train"), *model.metrics(valid, "valid"))
    return Trained(model, seed, tuple(run.state["history"]), metrics)


def _begin(settings: LSTMSettings, seed: int) -> Checkpoint:
    """First weights: uniform by fan-in, embeddings normal, forget gates open."""
    rng = np.random.default_rng([seed, 0])
    tensors: Tensors = {}
    for name, shape in _shapes(settings).items():
        bound = 1 / np.sqrt(shape[-1])
        first = rng.uniform(-bound, bound, shape)
        if "bias" in name:
            first = np.zeros(shape)
        if name.startswith(("embedding", "chosen")):
            first = rng.normal(0, 0.1, shape)
        if name == "bias":
            first[settings.hidden : 2 * settings.hidden] = 1.0
        for group in ("now", "mean", "best"):
            tensors[f"{group}.{name}"] = first.astype(np.float32)
        for group in ("first_moment", "second_moment"):
            tensors[f"{group}.{name}"] = np.zeros(shape, np.float32)
    return Checkpoint(tensors, {"epoch": 0, "steps": 0, "best": None, "stale": 0, "history": []})


def _finished(run: Checkpoint, settings: LSTMSettings) -> bool:
    epoch, stale = int(run.state["epoch"]), int(run.state["stale"])
    return epoch >= settings.epochs or stale >= settings.patience


def _epoch(
    run: Checkpoint,
    train: Sequence[SlotSequence],
    valid: Sequence[SlotSequence],
    settings: LSTMSettings,
    seed: int,
) -> Checkpoint:
    """One pass over the pieces and a look at the validation split."""
    import torch

    tensors = {name: torch.from_numpy(array.copy()) for name, array in run.tensors.items()}
    epoch, best = run.state["epoch"], run.state["best"]
    rng = np.random.default_rng([seed, 1, epoch])
    losses = _pass(tensors, train, settings, rng, epoch, run.state["steps"])
    report = {
        "epoch": epoch + 1,
        "epochs": settings.epochs,
        "train": float(np.mean(losses)),
        "valid": _loss_of(tensors, valid, settings),
        "rate": rate_at(settings, epoch),
    }
    better = best is None or report["valid"] < best
    if better:
        tensors |= {f"best.{name}": tensors[f"mean.{name}"].clone() for name in _shapes(settings)}
    state = {
        "epoch": epoch + 1,
        "steps": run.state["steps"] + len(losses),
        "best": report["valid"] if better else best,
        "stale": 0 if better else run.state["stale"] + 1,
        "history": [*run.state["history"], report],
    }
    return Checkpoint({name: tensor.numpy() for name, tensor in tensors.items()}, state)


def _pass(
    tensors: dict[str, torch.Tensor],
    train: Sequence[SlotSequence],
    settings: LSTMSettings,
    rng: np.random.Generator,
    epoch: int,
    steps: int,
) -> list[float]:
    """One step a batch of pieces, in random order; gives the losses, nats per slot."""
    import torch

    order, rate, losses = rng.permutation(len(train)), rate_at(settings, epoch), []
    for begin in range(0, len(order), settings.batch):
        places = order[begin : begin + settings.batch]
        pieces = [_shifted(train[place], settings.shift, rng) for place in places]
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        steps += 1
        batch = _batch(pieces, settings)
        losses.append(_step(tensors, batch, settings, generator, rate, steps))
    return losses


def _shifted(piece: SlotSequence, most: int, rng: np.random.Generator) -> SlotSequence:
    """The piece some semitones higher or lower, where it stays in the vocabulary."""
    by = int(rng.integers(-most, most + 1))
    sounding = piece.notes != REST_TOKEN
    notes = np.where(sounding, piece.notes + by, REST_TOKEN)
    if by == 0 or notes.min() < 0 or notes[sounding].max() >= REST_TOKEN:
        return piece
    return SlotSequence(piece.name, notes, piece.chords, piece.features)


def _batch(pieces: Sequence[SlotSequence], settings: LSTMSettings) -> _Batch:
    import torch

    longest = max(len(piece.notes) for piece in pieces)
    width = (settings.lookahead + 1) * FEATURE_UNITS
    notes = np.zeros((len(pieces), longest, VOICES), np.int64)
    previous = np.full((len(pieces), longest, VOICES), BEGIN)
    features = np.zeros((len(pieces), longest, width), np.float32)
    mask = np.zeros((len(pieces), longest), np.float32)
    for row, piece in enumerate(pieces):
        count = len(piece.notes)
        notes[row, :count], previous[row, 1:count] = piece.notes, piece.notes[:-1]
        features[row, :count] = looking_ahead(piece.features, settings.lookahead)
        mask[row, :count] = 1
    return _Batch(*(torch.from_numpy(array) for array in (notes, previous, features, mask)))


def _losses(
    weights: Mapping[str, torch.Tensor], batch: _Batch, settings: LSTMSettings, drop: Drop
) -> torch.Tensor:
    """Negative log-likelihood of each slot (n, T), 0 in the padding."""
    import torch
    from torch.nn import functional

    count, longest, _ = batch.notes.shape
    embedded = [weights["embedding"][v][batch.previous[..., v]] for v in range(VOICES)]
    x = torch.cat([*embedded, batch.features], dim=-1)
    x = drop(x, settings.input_dropout, (count, 1, x.shape[-1]))
    recurrent = drop(weights["recurrent"], settings.recurrent_dropout, weights["recurrent"].shape)
    still = torch.zeros(1, count, settings.hidden)
    layer = [weights["input"], recurrent, weights["bias"], torch.zeros_like(weights["bias"])]
    output, _, _ = torch.lstm(x, (still, still), layer, True, 1, 0.0, False, False, True)
    output = drop(output, settings.dropout, (count, 1, settings.hidden))
    context, total = torch.cat([output, x], dim=-1), torch.zeros(count, longest)
    for k, voice in enumerate(settings.order):
        z = context @ weights[f"context.{k}"].T + weights[f"context_bias.{k}"]
        for j in range(k):
            z = z + weights[f"chosen.{k}"][j][batch.notes[..., settings.order[j]]]
        z = drop(torch.relu(z), settings.dropout, z.shape)
        scores = z @ weights[f"output.{k}"].T + weights[f"output_bias.{k}"]
        total = total + functional.cross_entropy(
            scores.flatten(0, 1),
            batch.notes[..., voice].flatten(),
            reduction="none",
        ).view(count, longest)
    return total * batch.mask


def _step(
    tensors: dict[str, torch.Tensor],
    batch: _Batch,
    settings: LSTMSettings,
    generator: torch.Generator,
    rate: float,
    steps: int,
) -> float:
    """One step of AdamW on a batch; changes `tensors` in place and gives nats per slot."""
    import torch

    names = list(_shapes(settings))
    weights = {name: tensors[f"now.{name}"].requires_grad_() for name in names}
    losses = _losses(weights, batch, settings, Drop(generator))
    loss = losses.sum() / batch.mask.sum()
    gradients = torch.autograd.grad(loss, [weights[name] for name in names])
    step_weights(tensors, dict(zip(names, gradients, strict=True)), settings, rate, steps)
    for name in names:
        tensors[f"now.{name}"].requires_grad_(False)
    return float(loss.detach())


def _loss_of(
    tensors: Mapping[str, torch.Tensor], pieces: Sequence[SlotSequence], settings: LSTMSettings
) -> float:
    """Nats per slot of the averaged weights, without dropout."""
    import torch

    weights = {name: tensors[f"mean.{name}"] for name in _shapes(settings)}
    total = slots = 0.0
    with torch.no_grad():
        for begin in range(0, len(pieces), settings.batch):
            batch = _batch(pieces[begin : begin + settings.batch], settings)
            total += float(_losses(weights, batch, settings, KEEP).sum())
            slots += float(batch.mask.sum())
    return total / slots
