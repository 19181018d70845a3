"""Trainers and simulators without a derivative: which of them go together."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from trainers.steps import gradient_estimators
from zoo.simulator import Simulator


@keras.saving.register_keras_serializable("tests")
def steps(parameters, z):
    return tf.floor(parameters["scale"] * z)


@keras.saving.register_keras_serializable("tests")
def smooth(parameters, z):
    return parameters["scale"] * z


@keras.saving.register_keras_serializable("tests")
def numpy_steps(parameters, z):
    return np.floor(parameters["scale"] * z)


def _pair(function=steps, gradient="score", **arguments):
    simulator = Simulator(function, {"scale": 2.0}, (1,), 1, gradient=gradient)
    plain = {"activation": "tanh", "input_dropout": 0.0, "dropout": 0.0}
    return simulator, zoo.MLPDiscriminator((1,), units=(4,), **{**plain, **arguments})


MIXING = [trainers.UnrolledGAN, trainers.ConsensusGAN, trainers.FeatureMatchingGAN]


@pytest.mark.parametrize("trainer", MIXING)
def test_a_trainer_that_mixes_examples_is_refused(trainer):
    gan = trainer(*_pair(), seed=0)
    with pytest.raises(ValueError, match=f"losses of {trainer.__name__}.*gradient='score'"):
        gan.compile()
    trainer(*_pair(smooth, "pathwise"), seed=0).compile()


@pytest.mark.parametrize("trainer", [trainers.GAN, trainers.FGAN, trainers.WassersteinGAN])
def test_other_trainers_take_one(trainer):
    gan = trainer(*_pair(), seed=0)
    gan.compile()
    before = gan.generator.values()
    gan.fit(np.ones((20, 1), "float32"), batch_size=10, verbose=0)
    assert gan.generator.values() != before


@pytest.mark.parametrize("objective", sorted(trainers.objectives.OBJECTIVES))
def test_objectives_that_mix_examples_are_refused(objective):
    gan = trainers.GAN(*_pair(), seed=0)
    mixes = objective == "relativistic_average"
    refused = pytest.raises(ValueError, match="`objective` mixes the examples.*RelativisticAverage")
    unbounded = pytest.warns(UserWarning, match="bounded slope")
    with (
        refused if mixes else unbounded if "wasserstein" in objective else contextlib.nullcontext()
    ):
        gan.compile(objective)
    trainers.GAN(*_pair(smooth, "pathwise")).compile("relativistic_average")


def test_a_coupling_layer_warns():
    discriminator = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(name="coupling"),
            keras.layers.Dense(1),
        ]
    )
    gan = trainers.GAN(_pair()[0], discriminator)
    with pytest.warns(UserWarning, match="layer 'coupling'.*misses that"):
        gan.compile()
    trainers.GAN(_pair(smooth, "pathwise")[0], discriminator).compile()


def test_a_numpy_simulator_does_not_run_under_xla():
    gan = trainers.GAN(*_pair(numpy_steps), seed=0)
    with pytest.warns(UserWarning, match="doesn't support `jit_compile=True`"):
        gan.compile(jit_compile=True)
    assert not gan.jit_compile


@keras.saving.register_keras_serializable("tests")
class WithAMethodOfThatName(keras.Sequential):
    """A user's model, whose methods mean something of hers."""

    def gradient(self, x):
        return x

    def explore(self, x):
        raise AssertionError("nobody asked")


@pytest.mark.parametrize("cls", [trainers.GAN, trainers.UnrolledGAN, trainers.FeatureMatchingGAN])
def test_a_method_named_gradient_makes_no_simulator(cls):
    dense = [keras.Input((1,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)]
    model = WithAMethodOfThatName(dense)
    assert not gradient_estimators.estimates(model)
    extras = {"feature_layer": "flatten"} if cls is trainers.FeatureMatchingGAN else {}
    gan = cls(model, _pair()[1], seed=0, **extras)
    gan.compile("non_saturating")
    before = model.get_weights()
    gan.fit(np.ones((20, 1), "float32"), batch_size=10, verbose=0)
    assert any(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))


@keras.saving.register_keras_serializable("tests")
class Unspoken(trainers.GAN):
    """Defines the generator's losses, and says nothing of what they are made of."""

    def generator_losses(self, real, fake):
        return super().generator_losses(real, fake)


@keras.saving.register_keras_serializable("tests")
class Spoken(Unspoken):
    mixes_examples = False

    def generator_losses(self, real, fake):
        return super().generator_losses(real, fake)


def test_a_class_says_of_itself_what_its_losses_are_made_of():
    with pytest.raises(ValueError, match="losses of Unspoken"):
        Unspoken(*_pair(), seed=0).compile()
    Spoken(*_pair(), seed=0).compile()
    Unspoken(*_pair(smooth, "pathwise"), seed=0).compile()
