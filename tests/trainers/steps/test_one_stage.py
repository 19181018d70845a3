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
    """The gradients in one stage and in two, at the same weights."""
    found = []
    for applies in (one_stage.applies, lambda *arguments: False):
        monkeypatch.setattr(one_stage, "applies", applies)
        keras.utils.set_random_seed(0)
        gan = make()
        for weight in gan.discriminator.trainable_variables:  # Logits far from 0.
            weight.assign(spread * weight)
        gan.compile(**compiled)
        # Labels are encoded by an operation, which nobody vouches for.
        assert gan.in_one_stage == (not found and labels is None)
        sides = gan.simultaneous_gradients(real, labels, gan.key(0))
        found.append([g for side in sides for g in side])
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
def test_the_gradients_are_those_of_two_stages(monkeypatch, objective, spread):
    make = lambda: trainers.GAN(*pair(), schedule="simultaneous", seed=3)  # noqa: E731
    one, two = both_ways(monkeypatch, make, REAL, spread=spread, objective=objective)
    size = max(float(tf.reduce_max(tf.abs(g))) for g in two)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-6 * size)


@pytest.mark.parametrize("classes, labels", [(None, None), (3, LABELS)])
def test_with_labels_noise_and_flips(monkeypatch, classes, labels):
    players = lambda: pair("float32", classes)  # noqa: E731
    make = lambda: trainers.GAN(*players(), schedule="simultaneous", seed=3)  # noqa: E731
    perturbations = [InstanceNoise(0.2), LabelFlips(0.5)]
    one, two = both_ways(monkeypatch, make, REAL, labels, perturbations=perturbations)
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


def test_who_takes_one_stage():
    def one(cls, *players, **arguments):
        own = {"schedule": "simultaneous"} if cls is trainers.GAN else {}
        gan = cls(*(players or pair("float32")), **own)
        gan.compile(**arguments)
        return one_stage.applies(gan)

    assert one(trainers.GAN)
    assert not one(trainers.GAN, discriminator_penalties=R1())
    assert not one(trainers.GAN, *pair("mixed_float16"))
    assert not one(trainers.ConsensusGAN)
    assert not one(trainers.FeatureMatchingGAN)
    assert not one(trainers.HistoricalAveragingGAN)
