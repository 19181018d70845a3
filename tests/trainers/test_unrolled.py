"""Unrolled GAN: the gradient through virtual steps on paper, D untouched, and K = 0."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.games import REAL, game, play, position
from tests.helpers import (
    batches,
    compiled,
    run_equality_test,
    run_isolation_test,
    run_trainer_test,
    tiny_data,
    tiny_dense_pair,
    tiny_pair,
)


@pytest.mark.parametrize("steps, gradient", [(0, -0.4), (1, 0.212), (5, 1.11746389), (50, 1.3)])
def test_the_gradient_of_the_unrolled_game(steps, gradient):
    # V = x y - y^2 / 2 at (1.3, -0.4), discriminator's rate 0.2; exact: x, that of x^2 / 2
    gan = game(trainers.UnrolledGAN, 1.3, -0.4, (1.0, 0.2), c=1.0, unroll_steps=steps)
    gan.generator_step(tf.constant(REAL), None, gan.key(0))
    x, y = position(gan)
    assert 1.3 - x == pytest.approx(gradient, rel=1e-5)
    assert y == np.float32(-0.4)


def test_the_bilinear_game_converges():
    gan = game(trainers.UnrolledGAN, 1.0, 1.0, unroll_steps=5)
    x, y, h, k = 1.0, 1.0, 0.1, 5
    for steps in (1, 20, 200):
        got = play(gan, steps)
        for _ in range(steps):
            y = y + h * x
            # y_K = y + K h x, and d(x y_K)/dx = y_K + K h x
            x = x - h * (y + 2 * k * h * x)
        np.testing.assert_allclose(got, [x, y], rtol=1e-3, atol=1e-6)
    assert np.hypot(*got) < 1e-3


def test_the_generators_step_leaves_the_discriminator_and_its_optimizer_untouched():
    gan = trainers.UnrolledGAN(*tiny_dense_pair(3), unroll_steps=3)
    gan.compile()
    gan.fit(batches(tiny_data((4, 4, 1)), steps=2), verbose=0)
    run_isolation_test(gan, tiny_data((4, 4, 1)), ["generator"])


def test_no_virtual_step_is_gan():
    makers = [
        lambda **modes: compiled(trainers.GAN(*tiny_pair(), 2), ema_decay=0.9, **modes),
        lambda **modes: compiled(
            trainers.UnrolledGAN(*tiny_pair(), 0, discriminator_steps=2), ema_decay=0.9, **modes
        ),
    ]
    run_equality_test(makers, tiny_data()[0])


def _constrained(discriminator):
    for variable in discriminator.trainable_variables:
        if len(variable.shape) > 1:
            variable.constraint = keras.constraints.MaxNorm(0.3)
    return discriminator


DECAY = keras.optimizers.schedules.ExponentialDecay(2e-2, 1, 0.5)


@pytest.mark.parametrize(
    "optimizer, bounded",
    [
        (lambda: keras.optimizers.Adam(1e-2, beta_1=0.5), False),
        (lambda: keras.optimizers.Adam(DECAY, beta_1=0.5, loss_scale_factor=4.0), True),
    ],
)
def test_virtual_steps_are_the_real_ones(optimizer, bounded):
    """After K virtual steps the generator sees what K real ones would have made."""
    keras.utils.set_random_seed(1)
    pair = tiny_pair()
    if bounded:
        _constrained(pair[1])
    gan = trainers.UnrolledGAN(*pair, unroll_steps=3, seed=3)
    gan.compile(discriminator_optimizer=optimizer(), run_eagerly=True)
    gan.fit(batches(tiny_data()[0], steps=2), verbose=0)
    real, _ = gan.unpack(tf.constant(tiny_data()[0]))
    fake = gan.fake(real, None, gan.key(0), training=False)
    virtual = gan.generator_views(real, fake, None, gan.key(0))
    for _ in range(3):
        with tf.GradientTape() as tape:
            with keras.StatelessScope():
                views = gan.views(real, fake, None, training=True)
            mean = tf.reduce_mean(gan.discriminator_losses(*views, gan.key(0)))
            loss = gan.discriminator_optimizer.scale_loss(mean)
        variables = gan.discriminator.trainable_variables
        gan.discriminator_optimizer.apply(tape.gradient(loss, variables), variables)
    with keras.StatelessScope():
        wanted = gan.views(real, fake, None, training=True)
    for a, b in zip(virtual, wanted, strict=True):
        np.testing.assert_allclose(a.logits, b.logits, atol=1e-4)


def test_modes_of_execution_and_file(tmp_path):
    def make(**modes):
        return compiled(trainers.UnrolledGAN(*tiny_dense_pair(), unroll_steps=2, seed=3), **modes)

    _, loaded = run_trainer_test(make, tiny_data((4, 4, 1))[0], tmp_path)
    assert loaded.unroll_steps == 2


def test_the_players_take_turns():
    message = "`schedule` cannot be chosen for UnrolledGAN.*schedule='simultaneous'"
    with pytest.raises(ValueError, match=message):
        trainers.UnrolledGAN(*tiny_pair(), schedule="simultaneous")


@pytest.mark.parametrize("value", [-1, 1.5, True, 10**9])
def test_virtual_steps_are_counted(value):
    with pytest.raises(ValueError, match=f"`unroll_steps` is.*at least 0.*unroll_steps={value}"):
        trainers.UnrolledGAN(*tiny_pair(), unroll_steps=value)


def test_an_optimizer_that_cannot_be_unrolled_is_named():
    gan = trainers.UnrolledGAN(*tiny_pair(), unroll_steps=1)
    with pytest.raises(ValueError, match="`discriminator_optimizer` cannot be unrolled.*RMSprop"):
        gan.compile(discriminator_optimizer="rmsprop")
    with pytest.raises(ValueError, match="Adam with clipnorm"):
        gan.compile(discriminator_optimizer=keras.optimizers.Adam(clipnorm=1.0))
