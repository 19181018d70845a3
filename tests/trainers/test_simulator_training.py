"""Training simulators: one step against NumPy, every mode of execution, parameters recovered."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from studies import detector
from tests.helpers import (
    all_variables,
    batches,
    compiled,
    largest_difference,
    run_trainer_test,
    tiny_data,
    tiny_pair,
)
from trainers.steps.key import EXPLORATION, TRAINING
from zoo import latents
from zoo.simulator import Simulator

START = {"shift": 0.7, "width": 1.5}
SCALE = 0.25


@keras.saving.register_keras_serializable("tests.training")
def stairs(parameters, z):
    return tf.floor(parameters["shift"] + parameters["width"] * z)


@keras.saving.register_keras_serializable("tests.training")
def slope(parameters, z):
    return parameters["shift"] + z


def _gan(gradient, schedule="alternating"):
    """A stepped simulator against logit = w x + c, both by plain gradient descent."""
    simulator = Simulator(stairs, START, (1,), 1, gradient=gradient, scale=SCALE)
    discriminator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    for weight, value in zip(discriminator.weights, (-0.4, 0.1), strict=True):
        weight.assign(tf.fill(weight.shape, value))
    return trainers.GAN(simulator, discriminator, schedule=schedule, seed=5)


def _softplus(v):
    return np.logaddexp(0.0, v)


@pytest.mark.parametrize("schedule", ["alternating", "simultaneous"])
@pytest.mark.parametrize("gradient", ["score", "finite_difference"])
def test_the_step_is_the_estimator(gradient, schedule):
    """theta <- theta - rate mean_i c_i L_i, with L = log(1 + exp(-logit)), in float64."""
    gan = _gan(gradient, schedule)
    rate = 0.3
    # The discriminator stands still, so that its logits are known when the generator moves.
    gan.compile("non_saturating", keras.optimizers.SGD(rate), keras.optimizers.SGD(0.0))
    gan.fit(np.ones((12, 1), "float32"), batch_size=12, verbose=0)

    move = 1 if schedule == "alternating" else 0
    seed = latents.fold((5, TRAINING), 0, move)
    z = latents.draw("normal", 12, 1, seed)
    seed = latents.fold(seed, EXPLORATION)
    rows, steps, factors = (t.numpy() for t in gan.generator.simulation.steps(12, seed))
    z = z.numpy()[rows, 0]
    samples = np.floor(0.7 + steps[:, 0] + (1.5 + steps[:, 1]) * z)
    losses = _softplus(-(-0.4 * samples + 0.1))
    expected = [0.7, 1.5] - rate * np.mean(factors * losses[:, None], axis=0)
    np.testing.assert_allclose(list(gan.generator.values().values()), expected, rtol=1e-5)


@pytest.mark.parametrize("gradient", ["score", "finite_difference", "pathwise"])
def test_packs_have_one_loss_and_an_estimate_needs_each_samples(gradient):
    """The estimate would be of other samples' steps: 0.94 for a mean of 3, which was silent."""
    simulator = Simulator(slope, {"shift": 0.0}, (1,), 1, gradient=gradient)
    discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    gan = trainers.GAN(simulator, discriminator, packing=2, seed=5)
    if gradient != "pathwise":
        with pytest.raises(ValueError, match="`packing` gives several samples one loss"):
            gan.compile()
        return
    gan.compile(generator_optimizer=keras.optimizers.SGD(0.1))
    gan.fit(np.ones((12, 1), "float32"), batch_size=12, verbose=0)
    assert gan.generator.values()["shift"] != 0.0


def test_modes_of_execution_and_file(tmp_path):
    def make(**modes):
        simulator = Simulator(
            stairs, START, (1,), 1, gradient="score", bounds={"width": [0.0, None]}
        )
        # Weights of 0.005 make logits of 1e-7, whose differences are the rounding of the losses.
        discriminator = zoo.MLPDiscriminator(
            (1,), units=(6, 6), pieces=2, kernel_initializer="glorot_uniform"
        )
        gan = trainers.GAN(simulator, discriminator, discriminator_steps=2, seed=3)
        return compiled(gan, ema_decay=0.9, **modes)

    data = np.random.default_rng(3).normal(size=(64, 1)).astype("float32")
    run_trainer_test(make, data, tmp_path)


@pytest.mark.parametrize("schedule", ["alternating", "simultaneous"])
def test_generators_with_a_derivative_train_as_without_the_hook(monkeypatch, schedule):
    """Bit for bit: the loss of an ordinary generator is the tensor that the objective returned."""

    def train():
        keras.utils.set_random_seed(1)
        gan = trainers.GAN(*tiny_pair(), schedule=schedule, seed=3)
        gan.compile(jit_compile=False)
        gan.fit(batches(tiny_data()[0]), verbose=0)
        return all_variables(gan)

    hooked = train()
    monkeypatch.setattr(trainers.GAN, "surrogate_losses", lambda self, losses, key: losses)
    monkeypatch.setattr(
        trainers.GAN,
        "fake_for_generator",
        lambda self, real, labels, key: self.fake(real, labels, key, True),
    )
    assert largest_difference(hooked, train()) == 0


@pytest.mark.parametrize(
    "function, gradient",
    # Without a derivative one way is enough here; both steps are proved above.
    [
        pytest.param(*way, marks=pytest.mark.long if way[1] == "score" else ())
        for way in detector.WAYS
    ],
)
def test_the_parameters_of_a_detector_are_recovered(function, gradient):
    """From twice the truth to within 5 % of it: 10,000 events, 1,200 steps, as in the study."""
    gan = detector.tune(function, gradient, detector.events(function, 0), seed=0, epochs=60)
    assert gan.sampler.values() == pytest.approx(detector.TRUTH, rel=0.05)
    assert gan.sample(3, seed=0).shape == (3, 1)


def test_the_densities_of_the_study_are_those_of_its_simulators():
    """The likelihood's optimum on 200,000 simulated events is where they were simulated."""
    for function, _ in detector.WAYS[:2]:
        simulator = Simulator(function, detector.TRUTH, (1,), 2, gradient="score")
        found = detector.most_likely(function, simulator.sample(200_000, seed=0, batch_size=50_000))
        assert found == pytest.approx(detector.TRUTH, rel=0.015)
