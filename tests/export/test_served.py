"""What is served of a model, and what is refused."""

import keras
import numpy as np
import pytest

import export
import zoo
from export import served
from tests.helpers import tiny_pair
from zoo import players


def is_empty(folder):
    return not list(folder.iterdir())


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


def test_only_generators_are_served(tmp_path):
    generator, discriminator = tiny_pair()
    subclassed = Subclassed()
    subclassed(np.zeros((1, 3), "float32"))
    for model, name in (
        ("run/gan.keras", "model='run/gan.keras' of class str"),
        (discriminator, "of class DCGANDiscriminator"),
        (subclassed, "of class Subclassed"),
    ):
        with pytest.raises(
            ValueError, match=f"`model` is not a generator that can.*Expected.*{name}"
        ):
            export.save(model, tmp_path)
    with pytest.raises(ValueError, match="`generator` has no weights yet. Expected a built model"):
        export.save(keras.Sequential([keras.layers.Dense(2)]), tmp_path)
    classifier = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    with pytest.raises(
        ValueError, match=r"`generator` does not map latents .*with input_shape=\(None, 8"
    ):
        export.save(classifier, tmp_path)
    assert is_empty(tmp_path)


def test_the_discriminator_fits(tmp_path):
    generator, _ = tiny_pair()
    other = zoo.DCGANDiscriminator((12, 12, 1), filters=4)
    subclassed = Subclassed()
    subclassed(np.zeros((1, 3), "float32"))
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    for wrong, name in (
        (other, r"\(12, 12, 1\)"),
        (generator, r"\(6,\)"),
        (unbuilt, "no known shape, of class Sequential"),
        (subclassed, r"\(3,\)"),
        ("yes", "no known shape, of class str"),
    ):
        message = rf"samples of shape \(8, 8, 1\). Received: a discriminator of {name}"
        with pytest.raises(ValueError, match=message):
            export.save(generator, tmp_path, discriminator=wrong)
    assert is_empty(tmp_path)


def test_weights_that_are_no_numbers_are_not_served(tmp_path):
    generator, _ = tiny_pair()
    generator.set_weights([w * np.nan for w in generator.get_weights()])
    with pytest.raises(ValueError, match="`generator`.*NaN"):
        export.save(generator, tmp_path / "served")
    with pytest.raises(ValueError, match="`generator`.*NaN"):
        players.decode(generator, np.zeros((1, 6), "float32"))
    assert is_empty(tmp_path)


def test_a_value_range_that_the_generator_has_not(tmp_path):
    generator, _ = tiny_pair()
    with pytest.raises(ValueError, match="`value_range` is not what the generator's last layers"):
        export.save(generator, tmp_path / "m", value_range=(0, 1))
    assert is_empty(tmp_path)


def test_no_network_has_weights_that_are_no_numbers(tmp_path):
    generator, discriminator = tiny_pair()
    discriminator.weights[0].assign(discriminator.weights[0] * np.inf)
    with pytest.raises(ValueError, match="`discriminator` has weights that are no numbers"):
        export.save(generator, tmp_path / "served", discriminator=discriminator)
    vae = zoo.VAE((4, 4, 1), latent_dim=2, units=(5,))
    vae.encoder.weights[0].assign(vae.encoder.weights[0] * np.nan)
    with pytest.raises(ValueError, match="`encoder` has weights that are no numbers"):
        export.save(vae, tmp_path / "served")
    assert is_empty(tmp_path)


def test_each_weight_counts_once():
    generator, discriminator = tiny_pair()
    networks = served.of(generator, discriminator)
    assert len(networks.variables) == len(generator.variables) + len(discriminator.variables)
    shared = served.Served(generator, generator)
    assert len(shared.variables) == len(generator.variables)
