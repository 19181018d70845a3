"""Calling and sampling any player: samples that depend on seed and row alone, plain models too."""

import keras
import numpy as np
import pytest

import zoo
from tests.helpers import tiny_pair
from zoo import players
from zoo.players import sampling


@pytest.mark.parametrize("classes", [None, 3])
def test_a_sample_depends_on_seed_and_row_alone(classes):
    generator, _ = tiny_pair(classes)
    for weight in generator.weights:  # Pictures with contrast, so that a difference would show.
        weight.assign(weight * 3 + 0.01)
    labels = None if classes is None else np.arange(70) % 3
    images = generator.sample(70, labels, seed=4)
    assert images.dtype == np.uint8 and images.std() > 5
    for batch_size in (1, 9, 70):
        np.testing.assert_array_equal(
            generator.sample(70, labels, seed=4, batch_size=batch_size), images
        )
    few = generator.sample(3, None if labels is None else labels[:3], seed=4)
    np.testing.assert_array_equal(few, images[:3])
    assert not np.array_equal(generator.sample(70, labels, seed=5), images)


def test_one_seed_a_row():
    generator, _ = tiny_pair(3)
    images = generator.sample(3, [2, 0, 1], seed=[9, 8, 9])
    for i, (label, seed) in enumerate(((2, 9), (0, 8), (1, 9))):
        np.testing.assert_array_equal(generator.sample(1, label, seed=seed)[0], images[i])


def test_samples_as_floats_are_the_pixels_divided_by_255():
    generator, _ = tiny_pair()
    pixels = generator.sample(8, seed=0)
    unit = generator.sample(8, seed=0, as_float=True)
    assert unit.dtype == np.float32 and 0 <= unit.min() and unit.max() <= 1
    np.testing.assert_array_equal(np.round(unit * 255), pixels)


def test_truncation_narrows_the_latents():
    generator = zoo.MLPGenerator(
        (1,), 1, units=(1,), activation="linear", output_activation="linear", prior="normal"
    )
    for weight, value in zip(generator.weights, (1.0, 0.0, 1.0, 0.0), strict=True):
        weight.assign(np.full(weight.shape, value))
    wide, narrow = (generator.sample(500, seed=1, truncation=t) for t in (None, 0.5))
    assert np.abs(wide).max() > 2 and 0.49 < np.abs(narrow).max() <= 0.5


@pytest.mark.parametrize("activation, span", [("tanh", (-1, 1)), ("sigmoid", (0, 1)), (None, None)])
def test_a_plain_keras_model_is_a_player(activation, span):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6),
            keras.layers.Dense(3, activation),
            keras.layers.Reshape((1, 1, 3)),
        ]
    )
    known = players.traits(model)
    assert (known.latent_dim, known.image_shape, known.value_range) == (4, (1, 1, 3), span)
    samples = players.sample(model, 5, seed=0)
    assert samples.shape == (5, 1, 1, 3)
    assert samples.dtype == (np.float32 if span is None else np.uint8)


@pytest.mark.parametrize(
    "policy", ["mixed_bfloat16", "mixed_float16", "bfloat16", "float16", "float32", "float64"]
)
def test_samples_are_float32_in_each_policy(policy):
    """Points as they are, and pictures as floats; NumPy has no bfloat16 of its own."""
    dense = keras.layers.Dense(3, dtype=policy)
    points = keras.Sequential([keras.Input((4,)), dense])
    ends = [
        keras.layers.Activation("tanh", dtype=policy),
        keras.layers.Reshape((1, 1, 3), dtype=policy),
    ]
    pictures = keras.Sequential([keras.Input((4,)), dense, *ends])
    for samples in (
        players.sample(points, 5, seed=0),
        players.decode(points, np.ones((5, 4), "float32")),
        players.sample(pictures, 5, seed=0, as_float=True),
        players.sample(pictures, 5, seed=0, value_range=None),
    ):
        assert samples.dtype == np.float32 and np.isfinite(samples).all()


def test_logits_of_a_plain_model_are_flat():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    logits, features = players.discriminate(model, np.zeros((5, 3), "float32"))
    assert logits.shape == (5,) and features is None


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda g: g.sample(0), "positive integer.*count=0"),
        (lambda g: g.sample(2, [0, 1], batch_size=-1), "batch_size=-1"),
        (lambda g: g.sample(2), r"`labels` are missing.*integers in \[0, 3\).*labels=None"),
        (lambda g: g.sample(2, [0, 3]), "out of range.*from 0 to 3"),
        (lambda g: g.sample(2, [0, 1, 2]), "Expected 2 labels.*3 labels"),
        (lambda g: g.sample(2, np.eye(3)[:2]), "one-hot.*argmax"),
        (lambda g: g.sample(2, [0.0, 1.0]), "dtype float64"),
        (lambda g: tiny_pair()[0].sample(1, [0]), "`labels` are given, and the generator has none"),
        (lambda g: players.traits(keras.Sequential([keras.layers.Dense(2)])), "built model"),
        (
            lambda g: players.traits(
                keras.Sequential([keras.Input((2, 2)), keras.layers.Flatten()])
            ),
            r"input_shape=\(None, 2, 2\)",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call(tiny_pair(3)[0])


def test_labels_in_turn():
    np.testing.assert_array_equal(sampling.labels_in_turn(5, 3), [0, 1, 2, 0, 1])
    assert sampling.labels_in_turn(5, None) is None


WIDE = np.zeros((2, 7), "float32")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda g, d: players.generate(g, WIDE), "`latents` have another shape than .*n, 3"),
        (lambda g, d: players.generate(g, WIDE[:0, :3]), "`latents` are none"),
        (lambda g, d: players.generate(g, None), "`latents` is no array of numbers"),
        (lambda g, d: players.generate(None, WIDE), "`generator` is no model"),
        (lambda g, d: players.generate(g, WIDE[:, :3]), "`labels` are missing"),
        (lambda g, d: players.generate(g, WIDE[:, :3], [0]), "`labels` do not match"),
        (lambda g, d: players.discriminate(d, WIDE), "`images` have another shape than"),
        (lambda g, d: players.discriminate(len, WIDE), "`discriminator` is no model"),
        (lambda g, d: players.decode(g, WIDE, [0, 1]), "`latents` have another shape than"),
        (lambda g, d: players.decode(g, WIDE[:, :3], [0, 1], batch_size=0), "`batch_size` is out"),
        (lambda g, d: players.decode(g, WIDE[:, :3], [0, 9]), "`labels` are out of range"),
        (lambda g, d: g.sample(2, [0, 1], as_float="x"), "`as_float` is neither true nor false"),
    ],
)
def test_what_does_not_fit_is_said_before_the_graph_is_called(call, message):
    generator = zoo.MLPGenerator((2,), 3, (4,), num_classes=3)
    discriminator = zoo.MLPDiscriminator((2,), (4,), pieces=2, num_classes=3)
    with pytest.raises(ValueError, match=f"^{message}.*Received"):
        call(generator, discriminator)


def test_lists_are_latents_and_labels():
    generator = zoo.MLPGenerator((2,), 3, (4,), num_classes=3)
    latents, labels = [[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]], [2, 0]
    wanted = generator({"latents": np.array(latents, "float32"), "labels": np.array(labels)})
    np.testing.assert_array_equal(players.generate(generator, latents, labels), wanted)
    pixels = np.round(255 * np.asarray(players.decode(generator, latents, labels, as_float=True)))
    assert players.decode(generator, latents, labels).shape == pixels.shape == (2, 2)
