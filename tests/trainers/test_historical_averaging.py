"""Historical averaging: the bilinear game's decay, steps on paper, and what it is not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.games import REAL, Value, game, play
from tests.helpers import compiled, run_equality_test, run_trainer_test, tiny_data, tiny_pair
from trainers.penalties import HistoricalAveraging


def _replay(x, y, h, weight, steps):
    """Simultaneous steps of V = x y, each player pulled to the mean of where it has been."""
    x_sum = y_sum = 0.0
    for t in range(1, steps + 1):
        x_sum, y_sum = x_sum + x, y_sum + y
        g_x, g_y = y + 2 * weight * (x - x_sum / t), -x + 2 * weight * (y - y_sum / t)
        x, y = x - h * g_x, y - h * g_y
    return x, y


@pytest.mark.parametrize("weight, radius", [(0.0, 208.58), (0.1, 0.00229), (1.0, 0.511)])
def test_the_bilinear_game_is_drawn_to_its_middle(weight, radius):
    assert np.hypot(*_replay(1.0, 1.0, 0.05, weight, 4000)) == pytest.approx(radius, rel=2e-3)
    arguments = {"schedule": "simultaneous", "weight": weight}
    gan = game(trainers.HistoricalAveragingGAN, 1.0, 1.0, (0.05, 0.05), **arguments)
    got = play(gan, 300)
    np.testing.assert_allclose(got, _replay(1.0, 1.0, 0.05, weight, 300), rtol=1e-4)


def test_the_bilinear_game_ends_in_its_middle():
    # Without the term the radius is 208.58 by then.
    arguments = {"schedule": "simultaneous", "weight": 0.1}
    gan = game(trainers.HistoricalAveragingGAN, 1.0, 1.0, (0.05, 0.05), **arguments)
    rates = [keras.optimizers.SGD(0.05) for _ in range(2)]
    gan.compile(Value(), *rates, steps_per_execution=100)
    assert np.hypot(*play(gan, 4000)) == pytest.approx(0.00229, rel=0.01)


def test_alternating_steps_on_paper():
    gan = game(trainers.HistoricalAveragingGAN, 1.0, -0.5, weight=0.7, discriminator_steps=2)
    x, y, h, w = 1.0, -0.5, 0.1, 0.7
    seen = {"x": [], "y": []}
    for _ in range(3):
        gan.fit(tf.data.Dataset.from_tensors(np.repeat(REAL, 2, axis=0)), verbose=0)
        for _ in range(2):  # Each of the discriminator's steps counts in its mean.
            seen["y"].append(y)
            y -= h * (-x + 2 * w * (y - np.mean(seen["y"])))
        seen["x"].append(x)
        x -= h * (y + 2 * w * (x - np.mean(seen["x"])))
        got = [float(p.weights[0]) for p in (gan.generator, gan.discriminator)]
        np.testing.assert_allclose(got, [x, y], rtol=1e-5)
    means = (gan.generator_penalty_states[0], gan.discriminator_penalty_states[0])
    for kept, visited in zip(means, (seen["x"], seen["y"]), strict=True):
        count, mean = (float(v) for v in kept.values)
        assert count == len(visited) and mean == pytest.approx(np.mean(visited), rel=1e-5)


def test_both_players_have_the_term_and_log_it():
    gan = game(trainers.HistoricalAveragingGAN, 1.0, 1.0, weight=0.5, schedule="simultaneous")
    gan.train_on_batch(REAL)
    gan.reset_metrics()
    x, y = (float(p.weights[0]) for p in (gan.generator, gan.discriminator))
    logs = gan.train_on_batch(REAL, return_dict=True)
    # The mean of the start, 1, and of where a player is now.
    for name, value in (("generator", x), ("discriminator", y)):
        wanted = 0.5 * (value - (1 + value) / 2) ** 2
        assert logs[f"{name}_penalty"] == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("schedule", ["alternating", "simultaneous"])
def test_weight_zero_is_gan(schedule):
    settings = {"schedule": schedule, "seed": 3}
    makers = [
        lambda **modes: compiled(trainers.GAN(*tiny_pair(), **settings), **modes),
        lambda **modes: compiled(
            trainers.HistoricalAveragingGAN(*tiny_pair(), weight=0, **settings), **modes
        ),
    ]
    run_equality_test(makers, tiny_data()[0], tolerance=1e-7, ema_decay=0.9)  # One stage or two.


def test_it_is_no_moving_average():
    """An average only watches the game; historical averaging changes it and forgets nothing."""
    for cls in (trainers.HistoricalAveragingGAN, HistoricalAveraging):
        assert "ema_decay" in cls.__doc__
    ends, averages = [], []
    for weight, decay in ((0.0, 0.5), (0.0, None), (0.5, 0.5), (0.5, None)):
        gan = game(trainers.HistoricalAveragingGAN, 1.0, 1.0, weight=weight)
        gan.compile(Value(), *(keras.optimizers.SGD(0.1) for _ in range(2)), ema_decay=decay)
        ends.append(play(gan, 20))
        if decay:
            mean = float(gan.generator_penalty_states[0].values[1])
            averages.append((mean, float(gan.ema_generator.weights[0])))
            samples = gan.sample(2, seed=0)
            np.testing.assert_allclose(samples, averages[-1][1], rtol=1e-6)
    np.testing.assert_array_equal(ends[0], ends[1])
    np.testing.assert_array_equal(ends[2], ends[3])
    assert np.abs(ends[0] - ends[2]).max() > 0.1
    assert all(abs(mean - average) > 0.1 for mean, average in averages)


def test_modes_of_execution_and_file(tmp_path):
    """Its own terms, and one more of the generator's that is due in every second step."""

    def make(**modes):
        layers = keras.layers
        players = (
            keras.Sequential([keras.Input((3,)), layers.Dense(2)]),
            keras.Sequential([keras.Input((2,)), layers.Dense(1)]),
        )
        gan = trainers.HistoricalAveragingGAN(*players, weight=0.3, seed=3)
        more = HistoricalAveraging(0.5, every=2)
        rates = [keras.optimizers.SGD(0.1) for _ in range(2)]
        return compiled(gan, "non_saturating", *rates, generator_penalties=more, **modes)

    data = np.random.default_rng(0).normal(1, 2, (64, 2))
    gan, loaded = run_trainer_test(make, data, tmp_path)
    assert loaded.weight == 0.3
    for kept, numbers in (
        (loaded.generator_penalties, [(0.3, 1), (0.5, 2)]),
        (loaded.discriminator_penalties, [(0.3, 1)]),
    ):
        assert [(penalty.weight, penalty.every) for penalty in kept] == numbers
    assert [float(s.values[0]) for s in gan.generator_penalty_states] == [4, 4]


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match=r"`weight` is negative.*at least 0.*weight=-1"):
        trainers.HistoricalAveragingGAN(*tiny_pair(), weight=-1)
