"""The melody VAE: bounds in their order, an alphabet that is normalised, training that resumes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musegen.errors import TrainingError, UnknownNameError
from musegen.models.cards import DataCard, WeightsError, card_path
from musegen.models.melody_vae import MelodyVAE, VAESettings, load_vae, save_vae, train_vae
from musegen.models.protocol import REST_TOKEN
from musegen.models.segment_tokens import ATTRIBUTES, HOLD, SEGMENT_SYMBOLS

TINY = VAESettings(
    steps=4, latent=1, embedding=4, hidden=8, epochs=6, patience=9, batch=8, warm_up=2, weight=1.0
)
UP = [[30, HOLD, 32, 34], [31, 32, HOLD, 35]]
DOWN = [[34, 32, HOLD, 30], [36, REST_TOKEN, 33, 31]]
SEGMENTS = np.array((UP + DOWN) * 8)
CARD = DataCard("toy", "none", "all", {"train": 1}, {"train": 4})


@pytest.fixture(scope="module")
def model() -> MelodyVAE:
    """A tiny trained model with one latent number."""
    return train_vae(SEGMENTS, SEGMENTS[:4], TINY, seed=1)


def _exact(model: MelodyVAE, segments: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """log p(x) by the trapezium rule over one latent number."""
    grid = np.linspace(-8, 8, 321)
    rows = [
        model.log_likelihood(segments, np.full((len(segments), 1), z))
        - z**2 / 2
        - np.log(2 * np.pi) / 2
        for z in grid
    ]
    found: np.ndarray[Any, Any] = np.logaddexp.reduce(rows, axis=0) + np.log(grid[1] - grid[0])
    return found


def test_bounds_stand_in_their_order(model: MelodyVAE) -> None:
    """ELBO below the bound of ten draws, that below four hundred, that at the exact value."""
    segments = SEGMENTS[:4]
    exact = _exact(model, segments)
    weights = model.log_weights(segments, draws=400)
    elbo = weights.mean(axis=0)
    ten = np.logaddexp.reduce(weights.reshape(40, 10, 4), axis=1).mean(axis=0) - np.log(10)
    many = model.bound(segments, draws=400)
    assert (elbo <= ten).all()
    assert (ten <= many).all()
    assert many == pytest.approx(exact, abs=0.05)
    assert (elbo < exact + 0.01).all()
    assert model.elbo(segments, draws=400) == pytest.approx(elbo)


def test_given_a_code_all_segments_together_have_probability_one() -> None:
    """Summed over every segment of two steps that can stand, p(x | z) is one, HOLDs included."""
    model = train_vae(SEGMENTS[:, :2], SEGMENTS[:2, :2], replace(TINY, steps=2, epochs=1), seed=0)
    pairs = [
        (one, other)
        for one, other in product(range(SEGMENT_SYMBOLS), repeat=2)
        if one != HOLD and not (one == REST_TOKEN and other == HOLD)
    ]
    for z in (-1.5, 0.7):
        logs = model.log_likelihood(np.array(pairs), np.full((len(pairs), 1), z))
        assert np.exp(logs).sum() == pytest.approx(1, abs=1e-4)


def test_samples_can_stand_and_repeat(model: MelodyVAE) -> None:
    """A seed gives the same segments, each HOLD has a note, at no temperature the likeliest stand."""
    drawn = [model.sample(50, np.random.default_rng(3)) for _ in range(2)]
    assert np.array_equal(drawn[0], drawn[1])
    model.encode(drawn[0])  # refuses what cannot stand
    codes = np.zeros((50, 1))
    cold = model.decode(codes, np.random.default_rng(0), temperature=1e-5)
    assert np.array_equal(cold, model.decode(codes))


def test_a_line_begins_and_ends_with_the_decoded_ends(model: MelodyVAE) -> None:
    """Interpolation of five has the decoded codes of both segments at its ends."""
    first, last = SEGMENTS[0], SEGMENTS[2]
    line = model.interpolate(first, last, count=5)
    codes, variances = model.encode(np.stack([first, last]))
    assert line.shape == (5, 4)
    assert (variances > 0).all()
    assert np.array_equal(line[[0, -1]], model.decode(codes))


def test_attributes_by_hand() -> None:
    """Shares of onsets, mean height, compass and rise of three segments."""
    segments = np.array([[30, HOLD, 34, HOLD], [40, 38, REST_TOKEN, 35], [REST_TOKEN] * 4])
    found = {name: of(segments).tolist() for name, of in ATTRIBUTES.items()}
    assert found["notes"] == [0.5, 0.75, 0.0]
    assert found["height"] == pytest.approx([32.0, 113 / 3, 0.0])
    assert found["compass"] == [4.0, 5.0, 0.0]
    assert found["rise"] == [4.0, -5.0, 0.0]


def test_an_attribute_vector_points_from_little_to_much(model: MelodyVAE) -> None:
    """Along the vector of height, codes of high segments lie further than those of low ones."""
    vector = model.attribute_vector(SEGMENTS, "height")
    codes, _ = model.encode(SEGMENTS)
    places = codes @ vector
    heights = ATTRIBUTES["height"](SEGMENTS)
    assert places[heights.argmax()] > places[heights.argmin()]
    with pytest.raises(UnknownNameError, match="attribute 'hight'; did you mean 'height'"):
        model.attribute_vector(SEGMENTS, "hight")
    with pytest.raises(TrainingError, match="four segments"):
        model.attribute_vector(SEGMENTS[:3], "height")


def test_training_repeats_and_resumes_to_the_same_weights(tmp_path: Path) -> None:
    """Killed after two epochs and begun again, a training ends as one that ran through."""
    through = train_vae(SEGMENTS, SEGMENTS[:4], TINY, seed=5)

    def stop(told: dict[str, Any]) -> None:
        if told["epoch"] == 2:
            raise KeyboardInterrupt

    path = tmp_path / "vae.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train_vae(SEGMENTS, SEGMENTS[:4], TINY, seed=5, progress=stop, checkpoint=path)
    resumed = train_vae(SEGMENTS, SEGMENTS[:4], TINY, seed=5, checkpoint=path)
    other = train_vae(SEGMENTS, SEGMENTS[:4], TINY, seed=6)
    for name, array in through.tensors().items():
        assert np.array_equal(array, resumed.tensors()[name]), name
    assert any(
        not np.array_equal(array, other.tensors()[name])
        for name, array in through.tensors().items()
    )
    with pytest.raises(WeightsError, match="other settings, seed or data"):
        train_vae(SEGMENTS, SEGMENTS[:4], TINY, seed=7, checkpoint=path)


def test_weights_read_back_and_damaged_ones_are_refused(tmp_path: Path, model: MelodyVAE) -> None:
    """The same bytes twice, the same model again; a bit flipped or a number that is none is told."""
    path = tmp_path / "vae.safetensors"
    metrics = model.metrics(SEGMENTS[:4], "test", draws=4)
    assert not any(metric.exact for metric in metrics)
    assert metrics[1].value <= metrics[0].value
    save_vae(path, model, CARD, metrics=metrics, seed=1)
    first = path.read_bytes(), card_path(path).read_bytes()
    save_vae(path, model, CARD, metrics=metrics, seed=1)
    assert first == (path.read_bytes(), card_path(path).read_bytes())
    assert np.array_equal(load_vae(path).bound(SEGMENTS[:4]), model.bound(SEGMENTS[:4]))
    content = bytearray(path.read_bytes())
    content[-3] ^= 255
    path.write_bytes(bytes(content))
    with pytest.raises(WeightsError, match="damaged"):
        load_vae(path)
    broken = train_vae(SEGMENTS, SEGMENTS[:4], replace(TINY, epochs=1), seed=0)
    broken.net.output.bias.data[3] = float("nan")
    save_vae(path, broken, CARD, metrics=(), seed=0)
    with pytest.raises(WeightsError, match="not finite"):
        load_vae(path)


def test_a_loss_that_blows_up_is_told() -> None:
    """An absurd rate ends the training with one line that says which epoch."""
    with pytest.raises(TrainingError, match=r"the loss of epoch \d+ is (nan|inf)"):
        train_vae(SEGMENTS, SEGMENTS[:4], replace(TINY, rate=1e30, epochs=30), seed=0)


@pytest.mark.parametrize(
    ("segments", "text"),
    [
        ([[HOLD, 1, 2, 3]], "segment 1, step 1"),
        ([[1, 2, 3, 4], [5, REST_TOKEN, HOLD, 1]], "segment 2, step 3"),
        ([[1, 2, 3, SEGMENT_SYMBOLS]], "step 4"),
        ([[1, 2, 3]], "must have 4 steps"),
        ([], "shape"),
    ],
)
def test_segments_that_cannot_be_are_refused(segments: list[list[int]], text: str) -> None:
    """The refusal names the place."""
    with pytest.raises(TrainingError, match=text):
        train_vae(np.array(segments, np.int64), SEGMENTS[:4], TINY, seed=0)
