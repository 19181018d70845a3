"""Consensus optimisation: the bilinear game's rate, its gradient on paper, and weight 0."""

import numpy as np
import pytest

import trainers
from tests.games import game, play, position
from tests.helpers import (
    compiled,
    run_equality_test,
    run_float16_test,
    run_trainer_test,
    tiny_data,
    tiny_dense_pair,
    tiny_pair,
)


def test_simultaneous_steps_spiral_out_at_their_rate():
    # The radius grows by sqrt(1 + h^2) a step.
    x, y = play(game(trainers.GAN, 1.0, 1.0, schedule="simultaneous"), 1000)
    assert np.hypot(x, y) == pytest.approx(204.7396, rel=1e-4)


def test_alternating_steps_stay_on_an_ellipse():
    gan = game(trainers.GAN, 1.0, 1.0)
    for _ in range(5):
        x, y = play(gan, 37)
        assert x * x + y * y + 0.1 * x * y == pytest.approx(2.1, rel=1e-4)


def test_consensus_spirals_in_at_its_rate():
    # The radius shrinks by sqrt((1 - h w)^2 + h^2).
    gan = game(trainers.ConsensusGAN, 1.0, 1.0, weight=1.0)
    for steps in (1, 9, 20):
        before = np.hypot(*position(gan))
        after = np.hypot(*play(gan, steps))
        assert after / before == pytest.approx(0.9055385138**steps, rel=1e-5)


@pytest.mark.parametrize("c", [0.0, 0.7])
def test_one_step_on_paper(c):
    x, y, h, w = 1.3, -0.4, 0.1, 2.0
    got = play(game(trainers.ConsensusGAN, x, y, c=c, weight=w), 1)
    g_x, g_y = y, c * y - x
    # L = (g_x^2 + g_y^2) / 2 over both variables, for both players
    wanted = [x - h * (g_x - w * g_y), y - h * (g_y + w * (g_x + c * g_y))]
    np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_weight_zero_is_the_simultaneous_step():
    makers = [
        lambda **modes: compiled(trainers.GAN(*tiny_pair(), schedule="simultaneous"), **modes),
        lambda **modes: compiled(trainers.ConsensusGAN(*tiny_pair(), weight=0), **modes),
    ]
    run_equality_test(makers, tiny_data()[0], tolerance=1e-7, ema_decay=0.9)  # One stage or two.


def test_modes_of_execution_and_file(tmp_path):
    def make(**modes):
        return compiled(trainers.ConsensusGAN(*tiny_dense_pair(), weight=0.5, seed=3), **modes)

    _, loaded = run_trainer_test(make, tiny_data((4, 4, 1))[0], tmp_path)
    assert loaded.weight == 0.5


def test_float16_scales_come_out_again():
    def make(dtype):
        return trainers.ConsensusGAN(*tiny_pair(dtype=dtype), weight=0.5, seed=1)

    run_float16_test(make, tiny_data()[0], tolerance=0.05)


def test_the_players_move_at_once():
    assert trainers.ConsensusGAN(*tiny_pair(), schedule="simultaneous").schedule == "simultaneous"
    message = "`schedule` cannot be chosen for ConsensusGAN.*schedule='alternating'"
    with pytest.raises(ValueError, match=message):
        trainers.ConsensusGAN(*tiny_pair(), schedule="alternating")


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match=r"`weight` is negative.*at least 0.*weight=-1"):
        trainers.ConsensusGAN(*tiny_pair(), weight=-1)
