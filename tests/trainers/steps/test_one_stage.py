"""One backward pass for both players: the gradients of two, and only where that is allowed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from trainers.penalties import R1
from trainers.perturbations import InstanceNoise, LabelFlips
from trainers.steps import one_stage


def pair(dtype="float64", classes=None):
    generator = zoo.DCGANGenerator((8, 8, 1), 3, filters=4, num_classes=classes, dtype=dtype)
    discriminator = zoo.DCGANDiscriminator(
        (8, 8, 1), filters=4, batch_normalization=False, num_classes=classes, dtype=dtype
    )
    return generator, discriminator


def both_ways(monkeypatch, make, real, labels=None, spread=1.0, **compiled):
    """The gradients by one way back and by two, at the same weights."""
    found = []
    for applies in (one_stage.applies, lambda *arguments: False):
        monkeypatch.setattr(one_stage, "applies", applies)
        keras.utils.set_random_seed(0)
        gan = make()
        for weight in gan.discriminator.trainable_variables:  # Logits far from 0.
            weight.assign(spread * weight)
        gan.compile(**compiled)
        step = tf.function(gan.simultaneous_gradients, autograph=False)
        found.append([g for side in step(real, labels, gan.turn(0)) for g in side])
        metrics = [float(v) for v in gan.get_metrics_result().values()]
        found[-1].append(np.array(metrics))
    return found


REAL = tf.constant(np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 1)).astype("float32"))
LABELS = tf.constant([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("spread", [1.0, 8.0])
@pytest.mark.parametrize(
    "objective",
    ["non_saturating", "minimax", "least_squares", "hinge", "relativistic_average", "kl"],
)
def test_the_gradients_are_those_of_two_ways(monkeypatch, objective, spread):
    make = lambda: trainers.GAN(*pair(), schedule="simultaneous", seed=3)  # noqa: E731
    one, two = both_ways(monkeypatch, make, REAL, spread=spread, objective=objective)
    size = max(float(tf.reduce_max(tf.abs(g))) for g in two)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-6 * size)


def test_with_labels_noise_and_flips(monkeypatch):
    make = lambda: trainers.GAN(*pair("float32", 3), schedule="simultaneous", seed=3)  # noqa: E731
    perturbations = [InstanceNoise(0.2), LabelFlips(0.5)]
    one, two = both_ways(monkeypatch, make, REAL, LABELS, perturbations=perturbations)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-7)


def test_a_discriminator_that_is_sure_does_not_divide_by_zero(monkeypatch):
    """D(fake) underflows: the discriminator's derivative is 0, the generator's is not."""
    make = lambda: trainers.GAN(*pair("float32"), schedule="simultaneous", seed=3)  # noqa: E731

    def sure():
        gan = make()
        gan.discriminator.get_layer("output").bias.assign([-200.0])
        return gan

    one, two = both_ways(monkeypatch, sure, REAL)
    assert max(float(tf.reduce_max(tf.abs(g))) for g in two[-6:-1]) > 1e-4
    for a, b in zip(one, two, strict=True):
        assert np.all(np.isfinite(a))
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-7)


def compiled(gan, **arguments):
    gan.compile(**arguments)
    return gan


def plain(*layers):
    return keras.Sequential([keras.Input((8, 8, 1)), *layers, keras.layers.Flatten()])


@pytest.mark.parametrize(
    "discriminator, apart",
    [
        (lambda: pair()[1], True),
        (lambda: zoo.DCGANDiscriminator((16, 16, 1), filters=4), False),
        (lambda: zoo.MLPDiscriminator((8, 8, 1)), True),
        (lambda: plain(keras.layers.Dense(1)), True),
        (lambda: plain(keras.layers.BatchNormalization()), False),
        (lambda: plain(keras.layers.Lambda(lambda x: x - keras.ops.mean(x, 0))), False),
        (lambda: plain(keras.Sequential([keras.layers.BatchNormalization()])), False),
        (lambda: plain(keras.layers.Flatten(), zoo.MinibatchDiscrimination(2, 3)), False),
    ],
)
def test_who_treats_examples_apart(discriminator, apart):
    assert one_stage.treats_examples_apart(discriminator()) is apart


def test_operations_and_layers_of_others_are_not_trusted():
    class Own(keras.layers.Dense):
        def call(self, inputs):
            outputs = super().call(inputs)
            return outputs - keras.ops.mean(outputs, axis=0)

    assert not one_stage.treats_examples_apart(plain(Own(1)))
    inputs = keras.Input((8, 8, 1))
    outputs = keras.ops.subtract(inputs, keras.ops.mean(inputs, axis=0))
    assert not one_stage.treats_examples_apart(keras.Model(inputs, outputs))


def test_who_goes_one_way():
    def goes(cls, *players, **arguments):
        own = {"schedule": "simultaneous"} if cls is trainers.GAN else {}
        gan = compiled(cls(*(players or pair("float32")), **own), **arguments)
        return one_stage.applies(gan, trainers.GAN, trainers.gan.LOSSES_OF_LOGITS)

    assert goes(trainers.GAN)
    assert not goes(trainers.GAN, discriminator_penalties=R1())
    assert not goes(trainers.GAN, *pair("mixed_float16"))
    assert not goes(trainers.ConsensusGAN)
    assert not goes(trainers.FeatureMatchingGAN)
    assert not goes(trainers.HistoricalAveragingGAN)
