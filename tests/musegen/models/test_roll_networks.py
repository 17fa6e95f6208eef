from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from musegen.errors import TrainingError
from musegen.models import frame_lstm
from musegen.models.context_mixing import ShortTerm
from musegen.models.frame_lstm import FrameLSTM, FrameLSTMSettings
from musegen.models.ngram import SHORT, passage_of
from musegen.models.note_inputs import encoded_roll, last_place, symbol_log_probs
from musegen.models.note_lstm import NoteLSTM, NoteLSTMSettings
from musegen.models.note_transformer import NoteTransformer, NoteTransformerSettings
from musegen.models.rnn_rbm import RNNRBM, ConditionalRBM, RNNRBMSettings
from musegen.models.roll_networks import NetworkModel, side_by_side
from musegen.models.rolls import END, KEYS, LOWEST, SYMBOLS, Roll
from musegen.models.short_term import short_term_logs
from musegen.models.torch_steps import Drop

PAST = ((48, 60, 64, 67), (53, 60, 65, 69), (), (55, 59, 62, 67), (53, 60, 65, 69))
TINY: dict[str, Any] = {"hidden": 5, "embedding": 4}
NETWORKS: dict[str, Any] = {
    "lstm": NoteLSTM(NoteLSTMSettings(**TINY, inner=5, layers=2)),
    "transformer": NoteTransformer(
        NoteTransformerSettings(width=8, heads=2, blocks=2, inner=6, passage=3)
    ),
    "lstm-sigmoid": FrameLSTM(FrameLSTMSettings(**TINY, output="sigmoid")),
    "lstm-nade": FrameLSTM(FrameLSTMSettings(**TINY, inner=5)),
    "rnn-rbm": RNNRBM(RNNRBMSettings(**TINY, units=4)),
    "lstm-rbm": RNNRBM(RNNRBMSettings(**TINY, units=4, cell="lstm")),
}
SERIAL = ("lstm", "transformer")


def weights_of(name: str, seed: int = 0) -> dict[str, Any]:
    """Weights of some strength, drawn."""
    rng = np.random.default_rng(seed)
    shapes = NETWORKS[name].shapes()
    return {each: rng.normal(0, 0.5, shapes[each]).astype(np.float32) for each in shapes}


def model_of(name: str, seed: int = 0) -> NetworkModel:
    """A network with drawn weights."""
    return NetworkModel(name, NETWORKS[name], weights_of(name, seed))


def frames_of_few_keys(keys: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """All sets of some keys."""
    for chosen in product((False, True), repeat=len(keys)):
        yield tuple(key for key, on in zip(keys, chosen, strict=True) if on)


# --- normalisation and enumeration ----------------------------------------------------------


@pytest.mark.parametrize("name", SERIAL)
def test_what_can_stand_adds_up_to_one(name: str) -> None:
    """At every place the symbols below the limit have probability 1 together, the others none."""
    network = NETWORKS[name]
    weights = {each: torch.from_numpy(array) for each, array in weights_of(name).items()}
    encoded = network.encoded(Roll("", PAST), 0)
    batch = side_by_side([encoded], "cpu")
    z = torch.randn(
        *encoded["symbols"].shape,
        weights["out"].shape[1],
        generator=torch.Generator().manual_seed(0),
    )[None]
    chances = symbol_log_probs(z, weights, batch)[0].exp().numpy()
    assert chances.sum(axis=1) == pytest.approx(1, abs=1e-5)
    for row, limit in zip(chances, encoded["limit"], strict=True):
        assert (row[limit:] == 0).all()
        assert (row[:limit] > 0).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_all_sets_of_few_keys_add_up_to_one(name: str) -> None:
    """With the other keys held silent, the probabilities of all frames of four keys add up to 1."""
    keys = (60, 62, 64, 67)
    silent = np.array([LOWEST + key not in keys for key in range(KEYS)])
    weights = weights_of(name)
    if name in SERIAL:
        weights["out_bias"][1:][silent] = -60
        weights["trust_depth"][:] = weights["trust"][:] = 0
        weights["moves"][:] = weights["gaps"][:] = 0
    else:
        bias = "b" if "rbm" in name else "out_bias"
        weights[bias][silent] = -60
    model = NetworkModel(name, NETWORKS[name], weights)
    rolls = [Roll("", (*PAST, frame)) for frame in frames_of_few_keys(keys)]
    chances = np.exp([logs[-1] for logs in model.frame_log_probs(rolls)])
    assert chances.sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("output", ["sigmoid", "nade"])
def test_drawn_frames_are_as_frequent_as_likely(output: str) -> None:
    """Sets of two loud keys are drawn as often as they are likely, within four standard errors."""
    name = f"lstm-{output}"
    weights = weights_of(name)
    weights["out_bias"][:] = -60
    weights["out_bias"][[39, 43]] = (0.3, -0.4)
    model = NetworkModel(name, NETWORKS[name], weights)
    rng = np.random.default_rng(0)
    drawn = [model.sample(1, rng).frames[0] for _ in range(1200)]
    for frame in frames_of_few_keys((60, 64)):
        chance = float(np.exp(model.frame_log_probs([Roll("", (frame,))])[0][0]))
        error = np.sqrt(chance * (1 - chance) / 1200)
        assert drawn.count(frame) / 1200 == pytest.approx(chance, abs=4 * error)


def test_nade_is_the_product_over_keys() -> None:
    """The runs of silent keys give what a loop over all 88 keys gives."""
    model = model_of("lstm-nade")
    tensors = {name: torch.from_numpy(array) for name, array in model.weights.items()}
    s = torch.linspace(-1, 1, 5)
    frame = (40, 60, 61, 100)
    total, above = 0.0, torch.zeros(5)
    for key in reversed(range(KEYS)):
        z = (s @ tensors["context"].T + tensors["context_bias"] + above).relu()
        odds = z @ tensors["inner_out"][key] + s @ tensors["out"][key] + tensors["out_bias"][key]
        on = key + LOWEST in frame
        total -= float(torch.nn.functional.softplus(-odds if on else odds))
        above = above + tensors["chosen"][key + 1] * on
    batch = side_by_side([NETWORKS["lstm-nade"].encoded(Roll("", (frame,)), 0)], "cpu")
    found = frame_lstm._nade_loss(tensors, s[None, None], batch, (0.0, Drop(None)))
    assert -float(found) == pytest.approx(total, rel=1e-5)


def test_odd_rolls_are_measured_alone_as_beside_others() -> None:
    """Silence, one frame, a frame of all keys, many frames, no rolls at all."""
    rolls = [
        Roll("silent", ((), (), ())),
        Roll("one", ((),)),
        Roll("all", (tuple(range(LOWEST, LOWEST + KEYS)), (LOWEST,))),
        Roll("long", ((60,),) * 30),
    ]
    for name in NETWORKS:
        model = model_of(name)
        for roll, logs in zip(rolls, model.frame_log_probs(rolls), strict=True):
            assert np.isfinite(logs).all()
            assert model.frame_log_probs([roll])[0] == pytest.approx(logs, abs=1e-3)
        assert model.frame_log_probs([]) == []
        assert model.sample(0, np.random.default_rng(0)).frames == ()


@pytest.mark.parametrize("name", SERIAL)
def test_distributions_hold_what_is_said_of_frames(name: str) -> None:
    """Of each symbol the distribution at its place says what adds up to its frame."""
    model, roll = model_of(name), Roll("", PAST)
    found = model.symbol_log_probs([roll])
    assert found is not None
    logs = found[0]
    spelled = NETWORKS[name].encoded(roll, 0)
    said = logs[np.arange(len(logs)), spelled["symbols"]]
    frames = np.bincount(spelled["frame"], weights=said)
    assert model.frame_log_probs([roll])[0] == pytest.approx(frames, abs=1e-4)
    assert model_of("lstm-nade").symbol_log_probs([roll]) is None


# --- attention ------------------------------------------------------------------------------


def test_attention_depends_on_distances_alone() -> None:
    """The same places later in a piece attend in the same way."""
    network, weights = NETWORKS["transformer"], weights_of("transformer")
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    batch = side_by_side([network.encoded(Roll("", PAST), 0)], "cpu")
    later = {**batch, "frame": batch["frame"] + 40}
    one, other = (network._found(tensors, each, Drop(None)) for each in (batch, later))
    assert one.numpy() == pytest.approx(other.numpy(), abs=1e-4)


def test_attention_ends_a_passage_back() -> None:
    """One block sees nothing of frames a passage back, and something of those nearer."""
    network = NoteTransformer(replace(NETWORKS["transformer"].settings, blocks=1))
    tensors = {name: torch.from_numpy(array) for name, array in weights_of("transformer").items()}
    batch = side_by_side([network.encoded(Roll("", PAST), 0)], "cpu")
    inputs, frame = batch["inputs"].clone(), batch["frame"][0]
    inputs[:, frame == 0] = 0
    one = network._found(tensors, batch, Drop(None))[0]
    other = network._found(tensors, {**batch, "inputs": inputs}, Drop(None))[0]
    far = frame >= network.settings.passage
    assert torch.equal(one[far], other[far])
    assert not torch.isclose(one[~far], other[~far]).all(dim=1).any()


# --- the piece's own contexts ---------------------------------------------------------------


def test_short_term_logs_are_those_of_counting_one_by_one() -> None:
    """Products of matrices give what dictionaries that grow give, depths and all."""
    rng = np.random.default_rng(0)
    frames = tuple(PAST[k] for k in rng.integers(len(PAST), size=40))
    passage = passage_of(Roll("", frames))
    logs, depths = short_term_logs(passage, SHORT, SYMBOLS, escape=1.5)
    base = np.full(SYMBOLS, 1 / SYMBOLS)
    for number, chain in enumerate(SHORT):
        memory = ShortTerm(chain, 1.5)
        contexts = np.stack(passage.hashes(chain), axis=1).tolist()
        for place, symbol in enumerate(passage.symbols.tolist()):
            table, depth = memory.distribution(base, contexts[place])
            assert np.exp(logs[place, number]) == pytest.approx(table, abs=1e-5)
            assert depths[place, number] == depth
            memory.count(contexts[place], symbol)


def test_short_term_logs_from_a_place_on_are_the_rest() -> None:
    """Places before the first are counted, and not told of."""
    passage = passage_of(Roll("", PAST * 3))
    logs, depths = short_term_logs(passage, SHORT, SYMBOLS)
    later_logs, later_depths = short_term_logs(passage, SHORT, SYMBOLS, first=17)
    assert logs[17:] == pytest.approx(later_logs)
    assert depths[17:].tolist() == later_depths.tolist()


def test_the_last_place_is_that_of_the_whole_roll() -> None:
    """While drawing, a symbol is seen as it will be when the roll is measured."""
    whole = encoded_roll(Roll("", PAST), 0)
    spelled = whole["symbols"].tolist()
    place = last_place(PAST[:3], [67, 62], 0)
    at = sum(len(frame) + 1 for frame in PAST[:3]) + 2
    assert spelled[at] not in (END, spelled[at - 1])
    for name in ("inputs", "limit", "voice", "above", "frame", "memory", "depth"):
        assert place[name][0] == pytest.approx(whole[name][at])


# --- Boltzmann machines ---------------------------------------------------------------------


def machine_of(rows: int, hidden: int, seed: int = 0) -> ConditionalRBM:
    """Machines with drawn biases of their own."""
    rng = np.random.default_rng(seed)
    return ConditionalRBM(
        rng.normal(0, 0.4, (KEYS, hidden)).astype(np.float32),
        rng.normal(-2, 1, (rows, KEYS)).astype(np.float32),
        rng.normal(-1, 1, (rows, hidden)).astype(np.float32),
        np.full(KEYS, -2.0),
    )


def test_log_partitions_are_sums_over_everything() -> None:
    """With 83 keys held silent, log Z of each row is the sum over the 32 frames left."""
    machine = machine_of(3, 4)
    machine.visible[:, 5:] = -200
    found = machine.log_partitions()
    for row in range(3):
        alone = replace(
            machine,
            visible=np.repeat(machine.visible[row : row + 1], 32, axis=0),
            hidden=np.repeat(machine.hidden[row : row + 1], 32, axis=0),
        )
        frames = np.zeros((32, KEYS), np.float32)
        frames[:, :5] = list(product((0, 1), repeat=5))
        assert found[row] == pytest.approx(np.logaddexp.reduce(alone.log_weights(frames)), abs=1e-4)


def test_annealing_comes_near_the_sum() -> None:
    """Annealed log Z of each row is within 0.05 nats of the exact one."""
    machine = machine_of(4, 8)
    found = machine.annealed_log_partitions(300, 600)
    assert found == pytest.approx(machine.log_partitions(), abs=0.05)


def test_too_many_hidden_units_are_not_summed_over() -> None:
    """21 hidden units are refused with what is allowed."""
    with pytest.raises(TrainingError, match="21 hidden units, at most 20"):
        machine_of(1, 21).log_partitions()


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_contrastive_divergence_follows_the_exact_gradient(cell: str) -> None:
    """With many sweeps and copies of a roll it is that of the exact negative log-likelihood."""
    settings = RNNRBMSettings(
        hidden=3,
        units=3,
        embedding=3,
        cell=cell,
        sweeps=60,
        input_dropout=0,
        recurrent_dropout=0,
        dropout=0,
    )
    network, rng = RNNRBM(settings), np.random.default_rng(1)
    shapes = network.shapes()
    arrays = {name: rng.normal(0, 0.5, shapes[name]).astype(np.float32) for name in shapes}
    arrays["b"][:] = -60
    arrays["b"][39:43] = -0.5
    arrays["B"][:39] = arrays["B"][43:] = 0
    weights = {name: torch.from_numpy(array).requires_grad_() for name, array in arrays.items()}
    encoded = network.encoded(Roll("", ((60, 62), (61,), (60, 63))), 0)
    names = [name for name in shapes if name not in ("base", "keys", "places")]
    batch = side_by_side([encoded] * 3000, "cpu")
    drop = Drop(torch.Generator().manual_seed(0))
    drawn = torch.autograd.grad(
        network.losses(weights, batch, drop).sum(dim=1).mean(), [weights[name] for name in names]
    )
    exact = torch.autograd.grad(
        exact_loss(network, weights, side_by_side([encoded], "cpu")),
        [weights[name] for name in names],
    )
    for name, one, other in zip(names, drawn, exact, strict=True):
        scale = max(float(other.abs().max()), 0.1)
        assert float((one - other).abs().max()) < 0.08 * scale, name


def exact_loss(network: RNNRBM, weights: dict[str, torch.Tensor], batch: Any) -> torch.Tensor:
    """Minus the log-probability of a roll, with log Z by a sum over the frames of four keys."""
    from musegen.models import rnn_rbm
    from musegen.models.frame_inputs import frame_inputs

    x = frame_inputs(weights, batch, 0, Drop(None))
    s, _ = network._recurrent.states(weights, x, None, Drop(None))
    visible, hidden = rnn_rbm._biases(weights, s)
    frames = torch.zeros(16, KEYS)
    frames[:, 39:43] = torch.tensor(list(product((0.0, 1.0), repeat=4)))
    total = torch.zeros(())
    for t in range(visible.shape[1]):
        here = (visible[0, t], hidden[0, t])
        energies = rnn_rbm._free_energy(weights, *here, frames)
        total = total + rnn_rbm._free_energy(weights, *here, batch["keys"][0, t])
        total = total + torch.logsumexp(-energies, dim=0)
    return total


# --- settings that make no network ----------------------------------------------------------


def test_settings_that_make_no_network_are_refused() -> None:
    """An unknown output or cell, and a width that heads do not divide, are named."""
    with pytest.raises(TrainingError, match="output must be one of nade, sigmoid, got 'softmax'"):
        FrameLSTM(FrameLSTMSettings(output="softmax"))
    with pytest.raises(TrainingError, match="cell must be one of lstm, rnn, got 'gru'"):
        RNNRBM(RNNRBMSettings(cell="gru"))
    with pytest.raises(TrainingError, match=r"multiple of 4 times heads \(4\), got 100"):
        NoteTransformer(NoteTransformerSettings(width=100))
