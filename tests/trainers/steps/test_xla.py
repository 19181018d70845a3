"""When "auto" means XLA, and that it then gives the same weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from tests.helpers import largest_difference, tiny_pair
from trainers import objectives


@keras.saving.register_keras_serializable(package="tests")
class _Theirs(objectives.NonSaturating):
    """An objective of a user, which may do anything."""


def _dense(width=300, **kwargs):
    keras.utils.set_random_seed(0)
    return zoo.MLPGenerator(units=(width,), **kwargs), zoo.MLPDiscriminator(
        units=(width,), activation="relu", **kwargs
    )


def _lambda():
    generator, _ = _dense()
    discriminator = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Lambda(lambda x: x * 2),
            keras.layers.Dense(300, "relu"),
            keras.layers.Dense(1),
        ]
    )
    return generator, discriminator


@pytest.mark.parametrize(
    "pair, compiled, expected",
    [
        (_dense, {}, True),
        (_dense, {"jit_compile": False}, False),
        (_dense, {"run_eagerly": True}, False),
        (_dense, {"objective": _Theirs()}, False),
        (lambda: _dense(64), {}, False),
        (lambda: _dense(dtype="mixed_bfloat16"), {}, False),
        (_lambda, {}, False),
        (tiny_pair, {}, False),
        (lambda: (zoo.DCGANGenerator(), zoo.DCGANDiscriminator()), {}, False),
    ],
)
def test_what_auto_means(pair, compiled, expected):
    gan = trainers.GAN(*pair())
    gan.compile(**compiled)
    assert gan.jit_compile is expected
    config = gan.get_compile_config()
    assert config["jit_compile"] == compiled.get("jit_compile", "auto")


def test_a_moving_average_does_not_count():
    """It is there at the second `compile`, and in a file that is loaded: the choice is the same."""
    gan = trainers.GAN(*_dense(120))
    for _ in range(2):
        gan.compile(ema_decay=0.9)
        assert gan.jit_compile is False


def test_a_convolutional_extractor_counts():
    extractor = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Conv2D(2, 3), keras.layers.Flatten()]
    )
    gan = trainers.FeatureMatchingGAN(*_dense(), feature_extractor=extractor)
    gan.compile()
    assert gan.jit_compile is False


def test_the_weights_are_the_same():
    images = np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1), dtype="uint8")
    found = []
    for jit_compile in ("auto", False):
        gan = trainers.GAN(*_dense(), seed=1)
        gan.compile(jit_compile=jit_compile, ema_decay=0.9)
        gan.fit(images, batch_size=16, verbose=0)
        found.append([*gan.generator.get_weights(), *gan.ema_generator.get_weights()])
    assert largest_difference(*found) < 1e-6


# === Nothing of a user's own ===


@keras.saving.register_keras_serializable(package="tests")
def rounded(x):
    """An activation that XLA lacks."""
    return tf.ensure_shape(tf.py_function(lambda value: value, [x], x.dtype), x.shape)


@keras.saving.register_keras_serializable(package="tests")
class Halving(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 1e-3

    def get_config(self):
        return {}


@keras.saving.register_keras_serializable(package="tests")
class OwnKL(trainers.divergences.KL):
    pass


@keras.saving.register_keras_serializable(package="tests")
class OwnRule(trainers.stopping.UntilConverged):
    pass


@keras.saving.register_keras_serializable(package="tests")
def at_most_one(w):
    return w


class Halved:
    """A rate without the class of a schedule."""

    def __call__(self):
        return 1e-3


def _own_operation():
    generator, _ = _dense()
    x = keras.Input((28, 28, 1))
    y = keras.ops.map(at_most_one, keras.layers.Flatten()(x))
    y = keras.layers.Dense(300)(y)
    return generator, keras.Model(x, keras.layers.Dense(1)(y))


def _own_activation(**where):
    generator, discriminator = _dense()
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(300, **where)]
    return generator, keras.Sequential([*layers, keras.layers.Dense(1)])


OWN = {
    "activation": (lambda: trainers.GAN(*_own_activation(activation=rounded)), {}),
    "constraint": (lambda: trainers.GAN(*_own_activation(kernel_constraint=at_most_one)), {}),
    "schedule of a rate": (
        lambda: trainers.GAN(*_dense()),
        {"generator_optimizer": keras.optimizers.SGD(Halving())},
    ),
    "callable rate": (
        lambda: trainers.GAN(*_dense()),
        {"generator_optimizer": keras.optimizers.SGD(Halved())},
    ),
    "function of an operation": (lambda: trainers.GAN(*_own_operation()), {}),
    "schedule of noise": (
        lambda: trainers.GAN(*_dense()),
        {"perturbations": trainers.perturbations.InstanceNoise(Halving())},
    ),
    "divergence": (lambda: trainers.FGAN(*_dense(), divergence=OwnKL()), {}),
    "stopping rule": (lambda: trainers.GAN(*_dense(), discriminator_steps=OwnRule()), {}),
}


@pytest.mark.parametrize("own", OWN)
def test_it_is_not_chosen_for_a_users_own(own):
    make, arguments = OWN[own]
    gan = make()
    sizes = [player.count_params() for player in (gan.generator, gan.discriminator)]
    assert sum(sizes) > 250_000
    gan.compile(**arguments)
    assert gan.jit_compile is False


def test_a_step_that_xla_lacks_runs():
    gan = trainers.GAN(*_own_activation(activation=rounded), seed=0)
    gan.compile()
    history = gan.fit(np.zeros((8, 28, 28, 1), "uint8"), batch_size=8, verbose=0).history
    assert np.isfinite(history["discriminator_loss"]).all()
