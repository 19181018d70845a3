"""float16 with a penalty that overflows: the scale recovers, or the trainer says why not."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from tests.helpers import largest_difference
from trainers.penalties import GradientPenalty

POINTS = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")


def trained(weight, size=1.0, dtype="mixed_float16"):
    """The trainer after forty steps, and how far its discriminator moved."""
    keras.utils.set_random_seed(3)
    generator = zoo.MLPGenerator(
        (4,), 3, units=(8,), output_activation="linear", prior="normal", dtype=dtype
    )
    discriminator = zoo.MLPDiscriminator(
        (4,),
        units=(8,),
        activation="tanh",
        input_dropout=0.0,
        dropout=0.0,
        kernel_initializer="glorot_uniform",
        dtype=dtype,
    )
    for variable in discriminator.trainable_variables:
        variable.assign(size * variable)
    gan = trainers.GAN(generator, discriminator)
    gan.compile(discriminator_penalties=GradientPenalty(weight))
    before = discriminator.get_weights()
    gan.fit(POINTS, batch_size=16, epochs=10, verbose=0)
    return gan, largest_difference(before, discriminator.get_weights())


def test_the_scale_recovers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gan, moved = trained(1e4)
    optimizer = gan.discriminator_optimizer
    assert 1 <= float(optimizer.dynamic_scale.numpy()) < 2**15
    assert 20 < int(optimizer.iterations.numpy()) < 40  # The first steps were left out.
    assert moved > 1e-3
    assert all(np.all(np.isfinite(w)) for w in gan.discriminator.get_weights())


def test_or_the_trainer_says_why_not():
    with pytest.warns(UserWarning, match="The discriminator stands still.*65,504") as caught:
        gan, moved = trained(1e4, size=300.0)
    assert moved == 0 and int(gan.discriminator_optimizer.iterations.numpy()) == 0
    assert len(caught) == 1


def test_bfloat16_has_the_range():
    _, moved = trained(1e4, size=300.0, dtype="mixed_bfloat16")
    assert moved > 1e-3


def test_xla_names_the_operation_that_it_lacks():
    def through_python(x):
        copy = tf.ensure_shape(tf.numpy_function(lambda a: a, [x], tf.float32), (None, 3))
        return x + copy

    discriminator = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3),
            keras.layers.Lambda(through_python, output_shape=(3,)),
            keras.layers.Dense(1),
        ]
    )
    generator = zoo.MLPGenerator((4,), 3, units=(8,), output_activation="linear")
    gan = trainers.GAN(generator, discriminator)
    gan.compile(jit_compile=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="unsupported operations.*PyFunc"):
        gan.fit(POINTS, batch_size=16, verbose=0)
