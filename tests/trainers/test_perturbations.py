"""Instance noise and exchanged labels: their laws, their decay, and where they act."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.helpers import (
    batches,
    compiled,
    run_config_test,
    run_trainer_test,
    tiny_data,
    tiny_dense_pair,
    tiny_pair,
)
from trainers.perturbations import InstanceNoise, LabelFlips

DECAY = keras.optimizers.schedules.PolynomialDecay(0.5, 10, 0.0)


def _seed(*numbers):
    return tf.constant(numbers, "int64")


def test_instance_noise_has_its_scale():
    samples = tf.fill((200, 10, 10, 1), 0.3)
    noisy = InstanceNoise(0.2).samples(samples, _seed(1, 2), 0).numpy()
    assert abs(noisy.mean() - 0.3) < 5 * 0.2 / np.sqrt(noisy.size)
    assert noisy.std() == pytest.approx(0.2, rel=5 / np.sqrt(2 * noisy.size))
    other = InstanceNoise(0.2).samples(samples, _seed(1, 3), 0).numpy()
    assert abs(np.corrcoef(noisy.ravel(), other.ravel())[0, 1]) < 5 / np.sqrt(noisy.size)


@pytest.mark.parametrize("step, scale", [(0, 0.5), (4, 0.3), (10, 0.0), (50, 0.0)])
def test_the_scale_follows_its_schedule_to_nothing(step, scale):
    zeros = tf.zeros((100, 100))
    noisy = InstanceNoise(DECAY).samples(zeros, _seed(1, 2), tf.constant(step, "int64")).numpy()
    assert noisy.std() == pytest.approx(scale, abs=0.01)
    if scale == 0:
        assert not noisy.any()


def test_label_flips_exchange_the_sides():
    real, fake = tf.range(10_000.0), -tf.range(10_000.0) - 1
    flipped = LabelFlips(0.3).logits(real, fake, _seed(5, 6), 0)
    changed = flipped[0].numpy() < 0
    assert abs(changed.mean() - 0.3) < 5 * np.sqrt(0.21 / 10_000)
    np.testing.assert_array_equal(flipped[0], np.where(changed, fake, real))
    np.testing.assert_array_equal(flipped[1], np.where(changed, real, fake))


def test_label_flips_shrink_the_optimal_discriminator():
    p, q, rate = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5]), 0.2
    optimal = p / (p + q)
    wanted = (1 - rate) * optimal + rate * (1 - optimal)
    logits = tf.Variable(np.log(wanted / (1 - wanted)).astype("float32"))
    # 100,000 examples with exactly the shares of p and q, in unrelated orders.
    rng = np.random.default_rng(0)
    real, fake = (rng.permutation(np.repeat(range(3), (100_000 * s).astype(int))) for s in (p, q))
    with tf.GradientTape() as tape:
        shown = LabelFlips(rate).logits(
            tf.gather(logits, real), tf.gather(logits, fake), _seed(1, 1), 0
        )
        loss = tf.reduce_mean(trainers.objectives.get("minimax").discriminator_loss(*shown))
    # At the optimum the slope vanishes, but for the noise of the draws.
    gradient = tf.convert_to_tensor(tape.gradient(loss, logits)).numpy()
    assert np.abs(gradient).max() < 5 * 0.5 / np.sqrt(100_000)


def test_a_whole_exchange_turns_the_discriminators_loss_round():
    logs = []
    for perturbations in ((), LabelFlips(1.0)):
        keras.utils.set_random_seed(1)
        gan = trainers.GAN(*tiny_pair(), seed=3)
        gan.compile(perturbations=perturbations)
        logs.append(gan.train_on_batch(tiny_data()[0], return_dict=True))
    plain, turned = logs
    # softplus(-r) + softplus(f) against softplus(-f) + softplus(r): the difference is 2 (r - f).
    assert turned["discriminator_loss"] > plain["discriminator_loss"] - 1
    assert turned["discriminator_real"] == pytest.approx(plain["discriminator_real"], abs=1e-6)
    assert turned["discriminator_loss"] != pytest.approx(plain["discriminator_loss"], abs=1e-4)


def test_noise_acts_on_both_sides_in_both_steps_and_never_on_samples(monkeypatch):
    calls = []
    samples = InstanceNoise.samples

    def spy(self, given, seed, step):
        calls.append((given.shape, tuple(seed.numpy())))
        return samples(self, given, seed, step)

    monkeypatch.setattr(InstanceNoise, "samples", spy)
    gan = trainers.GAN(*tiny_pair())
    gan.compile(perturbations=[InstanceNoise(0.5)], run_eagerly=True)
    gan.fit(batches(tiny_data()[0], steps=2), verbose=0)
    assert len(calls) == 2 * 4 and len({seed for _, seed in calls}) == 8
    calls.clear()
    np.testing.assert_array_equal(gan.sample(4, seed=0), gan.generator.sample(4, seed=0))
    gan.evaluate(tiny_data()[0], verbose=0)
    assert not calls


def test_modes_of_execution_and_file(tmp_path):
    def make(**modes):
        perturbations = [InstanceNoise(DECAY), LabelFlips(0.1)]
        gan = trainers.GAN(*tiny_dense_pair(), seed=3)
        return compiled(gan, perturbations=perturbations, **modes)

    _, loaded = run_trainer_test(make, tiny_data((4, 4, 1))[0], tmp_path)
    noise, flips = loaded.perturbations
    assert noise.scale.get_config() == DECAY.get_config() and flips.scale == 0.1


@pytest.mark.parametrize("perturbation", [InstanceNoise(0.1), InstanceNoise(DECAY), LabelFlips(1)])
def test_config_round_trip(perturbation):
    run_config_test(perturbation)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: InstanceNoise(-0.1), r"`scale` of.*from 0 to inf.*scale=-0\.1"),
        (lambda: LabelFlips(1.5), r"LabelFlips.*from 0 to 1, or a schedule.*scale=1\.5"),
        (
            lambda: trainers.GAN(*tiny_pair()).compile(perturbations=[0.1]),
            r"`perturbations` holds.*trainers.perturbations.Perturbation. Received: 0\.1",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
