"""Inversion: what was generated is found again, least squares where the generator is linear."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.helpers import largest_difference, state, tiny_mlp_pair, tiny_pair
from zoo import latents, players
from zoo.latents import inversion
from zoo.players import sampling


def widened(generator, factor=5.0):
    """An untrained generator whose samples differ: its initial weights alone give them all grey."""
    for weight in generator.trainable_weights:
        if "kernel" in weight.path:
            weight.assign(factor * weight)
    return generator


def plain():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(16, activation="softplus")])
    model.add(keras.layers.Dense(12, activation="sigmoid"))
    return model


GENERATORS = {
    "dcgan": lambda: tiny_pair()[0],
    "conditional dcgan": lambda: tiny_pair(3)[0],
    "uniform dcgan": lambda: zoo.DCGANGenerator((8, 8, 1), 6, filters=4, prior="uniform"),
    "mlp": lambda: zoo.MLPGenerator((4, 4, 1), latent_dim=5, units=(32,)),
    "conditional mlp": lambda: zoo.MLPGenerator((4, 4, 1), 5, units=(32,), num_classes=3),
    "plain": plain,  # Keras's own initial weights are wide enough.
}


@pytest.mark.parametrize("name", GENERATORS)
def test_what_was_generated_is_found(name):
    generator = widened(GENERATORS[name](), 1.0 if name == "plain" else 5.0)
    labels = [0, 2, 1] if "conditional" in name else None
    images = players.sample(generator, 3, labels, seed=9, as_float=True)
    draws = latents.invert(generator, images, labels, starts=4, steps=0)
    found = latents.invert(generator, images, labels, starts=4, steps=150)
    assert np.min(draws.start_mse) > 1e-4  # No start is there by luck.
    assert np.mean(found.start_mse < 1e-4) > 0.8
    assert np.all(found.mse < 1e-10)
    np.testing.assert_allclose(found.reconstructions, images, atol=1e-4)
    if players.traits(generator).prior == "uniform":
        assert np.abs(found.start_latents).max() <= np.float32(latents.UNIFORM_LIMIT)


def test_the_latents_themselves_are_found_where_they_are_unique():
    generator = widened(zoo.MLPGenerator((6, 6, 1), 4, units=(), prior="normal"))
    wanted = latents.from_seed("normal", 3, 4, seed=2).numpy()
    images = players.decode(generator, wanted, as_float=True)
    found = latents.invert(generator, images, starts=3, steps=100)
    np.testing.assert_allclose(found.latents, wanted, atol=1e-4)
    everywhere = np.repeat(wanted[:, None], 3, axis=1)
    np.testing.assert_allclose(found.start_latents, everywhere, atol=1e-4)


def test_half_precision():
    generator = widened(zoo.DCGANGenerator((8, 8, 1), 6, filters=4, dtype="mixed_bfloat16"))
    images = generator.sample(3, seed=9, as_float=True)
    found = latents.invert(generator, images, starts=4, steps=60)
    assert np.all(
        found.start_mse < 1e-6
    )  # The output layer is float32; the maps before it are not.


@pytest.mark.parametrize("outputs, size", [(12, 5), (5, 5)])
def test_a_linear_generator_gives_least_squares(outputs, size):
    generator = keras.Sequential([keras.Input((size,)), keras.layers.Dense(outputs)])
    rng = np.random.default_rng(0)
    generator.set_weights([rng.normal(size=(size, outputs)), rng.normal(size=outputs)])
    kernel, bias = (w.astype("float64") for w in generator.get_weights())
    samples = rng.normal(size=(6, outputs)).astype("float32")
    found = latents.invert(generator, samples, starts=2, steps=150)
    expected, residuals, _, _ = np.linalg.lstsq(kernel.T, (samples - bias).T, rcond=None)
    np.testing.assert_allclose(found.latents, expected.T, atol=2e-5)
    expected_mse = residuals / outputs if outputs > size else np.zeros(6)
    np.testing.assert_allclose(found.mse, expected_mse, rtol=1e-6, atol=1e-10)


def test_more_steps_find_no_worse_latents():
    generator = widened(tiny_pair()[0])
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1), "uint8")
    errors = [latents.invert(generator, images, steps=n).start_mse for n in (0, 6, 30, 150)]
    for few, many in zip(errors, errors[1:], strict=False):
        assert np.all(many.min(1) <= few.min(1)) and many.mean() < few.mean()


def test_the_record_agrees_with_itself():
    generator = widened(tiny_pair(3)[0])
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), "uint8")
    labels = np.array([2, 0, 1])
    found = latents.invert(generator, images, labels, starts=5, steps=12, seed=4)
    assert found.latents.shape == (3, 6) and found.latents.dtype == np.float32
    assert found.start_latents.shape == (3, 5, 6) and found.start_mse.shape == (3, 5)
    for i in range(3):
        samples = generator(
            {"latents": found.start_latents[i], "labels": np.full(5, labels[i])}, training=False
        )
        unit = (np.asarray(samples, "float64") + 1) / 2
        mse = np.mean((unit - images[i] / 255) ** 2, axis=(1, 2, 3))
        np.testing.assert_allclose(found.start_mse[i], mse, rtol=1e-5)
        best = found.start_mse[i].argmin()
        assert found.mse[i] == found.start_mse[i, best]
        np.testing.assert_array_equal(found.latents[i], found.start_latents[i, best])
        np.testing.assert_allclose(found.reconstructions[i], unit[best], atol=1e-6)


def test_no_steps_keep_the_draws():
    generator = tiny_mlp_pair()[0]
    found = latents.invert(generator, generator.sample(2, seed=0), starts=3, steps=0, seed=6)
    drawn = latents.from_seed("uniform", 6, 5, 6).numpy().reshape(2, 3, 5)
    np.testing.assert_array_equal(found.start_latents, drawn)


def test_the_seed_decides_and_images_do_not_touch_each_other():
    generator = widened(tiny_pair()[0])
    images = generator.sample(5, seed=1)
    first, again = (latents.invert(generator, images, starts=2, steps=20) for _ in range(2))
    np.testing.assert_array_equal(first.start_latents, again.start_latents)
    other = latents.invert(generator, images, starts=2, steps=20, seed=1)
    assert np.abs(other.start_latents - first.start_latents).min(axis=2).max() > 1e-3
    alone = latents.invert(generator, images[:1], starts=2, steps=20)
    np.testing.assert_allclose(alone.start_mse[0], first.start_mse[0], rtol=1e-3)
    floats = latents.invert(generator, images.astype("float32") / 255, starts=2, steps=20)
    np.testing.assert_allclose(floats.start_latents, first.start_latents, atol=1e-4)


def test_large_batches_are_cut(monkeypatch):
    generator = widened(tiny_pair(3)[0])
    images, labels = generator.sample(5, [0, 1, 2, 0, 1], seed=1), [0, 1, 2, 0, 1]
    whole = latents.invert(generator, images, labels, starts=3, steps=10)
    sizes, generate = [], sampling.generate

    def counted(generator, latents, labels):
        tf.py_function(lambda rows: sizes.append(len(rows)), [latents], [])
        return generate(generator, latents, labels)

    monkeypatch.setattr(sampling, "generate", counted)
    cut = latents.invert(generator, images, labels, starts=3, steps=10, batch_size=4)
    assert len(sizes) == 4 * 10 and max(sizes) == 4
    np.testing.assert_allclose(cut.start_latents, whole.start_latents, atol=1e-3)
    np.testing.assert_allclose(cut.start_mse, whole.start_mse, rtol=1e-3)


def test_the_generator_is_in_inference_mode_and_stays_as_it_is():
    generator = widened(tiny_pair()[0])
    before = state(generator)
    latents.invert(generator, generator.sample(2, seed=0), starts=2, steps=10)
    assert largest_difference(before, state(generator)) == 0


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_gradients_of_the_free_coordinates(prior):
    generator = widened(zoo.MLPGenerator((4, 4, 1), 5, units=(32,), activation="tanh", prior=prior))
    descent = inversion._Descent(generator, players.traits(generator))
    free = descent.free(latents.from_seed(prior, 2, 5, 0).numpy())
    wanted = generator.sample(2, seed=3, as_float=True).astype("float64")
    values, gradients = descent.function(free, wanted, None)
    for row in range(2):
        for i in range(5):
            step = np.zeros_like(free)
            step[row, i] = 1e-2
            ahead, behind = (descent.function(free + s, wanted, None)[0] for s in (step, -step))
            slope = (ahead - behind)[row] / 2e-2
            np.testing.assert_allclose(gradients[row, i], slope, rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(descent.bound(free), latents.from_seed(prior, 2, 5, 0), atol=1e-6)


@keras.saving.register_keras_serializable(package="test_inversion")
class Stop(keras.layers.Layer):
    def call(self, inputs):
        return tf.stop_gradient(inputs)


GREY = np.zeros((2, 8, 8, 1), "uint8")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"images": GREY[0]}, r"Expected \(n, 8, 8, 1\). Received: images of shape \(8, 8, 1\)"),
        ({"images": GREY[:0]}, r"Received: images of shape \(0, 8, 8, 1\)"),
        ({"images": GREY - 1.0}, r"uint8, or floats in \[0, 1\]. Received: .*from -1.0 to -1.0"),
        ({"images": GREY + 2.0}, "Received: images of dtype float64 from 2.0 to 2.0"),
        ({"images": GREY + np.nan}, "Received: images of dtype float64 from nan"),
        ({"images": GREY.astype("int64")}, "Expected uint8.*Received: images of dtype int64"),
        ({"labels": [0, 1]}, "`labels` are given, and the generator has none"),
        ({"starts": 0}, "Received: starts=0"),
        ({"steps": -1}, "at least 0. Received: steps=-1"),
        ({"steps": 1.5}, "Received: steps=1.5"),
        ({"batch_size": 0}, "Received: batch_size=0"),
        ({"seed": [1, 2]}, r"`seed` is not an integer. Expected an int. Received: seed=\[1, 2\]"),
    ],
)
def test_errors_name_what_was_wrong(change, message):
    arguments = {"generator": tiny_pair()[0], "images": GREY, **change}
    with pytest.raises(ValueError, match=message):
        latents.invert(**arguments)


def test_generators_that_cannot_be_inverted():
    with pytest.raises(ValueError, match="`labels` are missing: the generator is conditional"):
        latents.invert(tiny_pair(3)[0], GREY)
    linear = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="no value_range.*Expected finite floats.*dtype uint8"):
        latents.invert(linear, np.zeros((2, 2), "uint8"))
    linear.add(Stop())
    with pytest.raises(
        ValueError, match="`generator` lets no gradient reach the latents.*generator="
    ):
        latents.invert(linear, np.zeros((2, 2)), steps=3)
