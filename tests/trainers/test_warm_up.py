"""The generator of a Wasserstein GAN waits for its critic, as in the authors' code."""

import keras
import numpy as np

import trainers
from tests.helpers import all_variables, largest_difference, state

RNG = np.random.default_rng(0)


def _linear_pair():
    """x = z a + b against f(x) = x w + c."""
    return [keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]) for _ in range(2)]


def _moves(gan, count):
    """How often the generator has moved after each of so many batches."""
    batch = RNG.normal(size=(10, 1)).astype("float32")
    moves = []
    for _ in range(count):
        gan.train_on_batch(batch)
        moves.append(int(gan.generator_optimizer.iterations))
    return moves


def test_the_generator_waits_for_a_hundred_steps():
    gan = trainers.WassersteinGAN(*_linear_pair(), warm_up=True)
    gan.compile()
    assert _moves(gan, 60) == [batch // 20 for batch in range(1, 61)]
    assert int(gan.discriminator_optimizer.iterations) == 5 * 60
    # After 25 moves it is let off, but for every 500th.
    gan.generator_optimizer.iterations.assign(24)
    assert _moves(gan, 23) == [24] * 19 + [25, 26, 27, 28]
    gan.generator_optimizer.iterations.assign(499)
    assert _moves(gan, 23) == [500] * 20 + [501, 502, 503]
    gan.generator_optimizer.iterations.assign(1000)
    assert _moves(gan, 21) == [1000] * 19 + [1001, 1002]


def test_without_a_warm_up_nobody_waits():
    gan = trainers.WassersteinGAN(*_linear_pair())
    gan.compile(run_eagerly=True)
    assert _moves(gan, 3) == [1, 2, 3]


def _waiting(**arguments):
    """A trainer before a long wait, with weights that its average does not know yet."""
    gan = trainers.WassersteinGAN(*_linear_pair(), warm_up=True)
    gan.compile(run_eagerly=True, **arguments)
    assert _moves(gan, 1) == [0]  # Before the first batch the average follows what is assigned.
    gan.generator.layers[0].bias.assign([5.0])
    return gan


def test_a_waiting_generator_keeps_still():
    gan = _waiting()
    before = state(gan.generator, gan.generator_optimizer)
    assert _moves(gan, 8) == [0] * 8
    assert largest_difference(before, state(gan.generator, gan.generator_optimizer)) == 0


def test_the_average_is_over_steps_of_the_generator():
    gan = _waiting(ema_decay=0.5)
    before = state(gan.ema_generator)
    assert _moves(gan, 8) == [0] * 8
    assert largest_difference(before, state(gan.ema_generator)) == 0


def test_a_loss_scale_counts_moves_too():
    keras.config.set_dtype_policy("mixed_float16")
    gan = trainers.WassersteinGAN(*_linear_pair(), warm_up=True)
    gan.compile()
    assert type(gan.generator_optimizer) is keras.optimizers.LossScaleOptimizer
    assert _moves(gan, 40) == [batch // 20 for batch in range(1, 41)]
    gan.generator_optimizer.iterations.assign(25)
    assert _moves(gan, 2) == [26, 27]


def test_a_run_resumes_in_the_middle_of_a_wait(tmp_path):
    data = RNG.normal(size=(10, 1)).astype("float32")
    results = []
    for pause in (False, True):
        keras.utils.set_random_seed(1)
        gan = trainers.WassersteinGAN(*_linear_pair(), warm_up=True, seed=3)
        gan.compile(run_eagerly=True)
        for batch in range(21):
            if pause and batch == 13:
                gan.save(tmp_path / "gan.keras")
                gan = keras.saving.load_model(tmp_path / "gan.keras")
                assert gan.warm_up and float(gan.waited.values[0]) == 65
            gan.train_on_batch(data)
        results.append([*all_variables(gan), *state(gan.waited)])
        assert int(gan.generator_optimizer.iterations) == 1
    assert largest_difference(*results) == 0
