"""Bounds of divergences from samples: toys, heavy tails, many dimensions, and what is said of them.

`test_fgan.py` has the plain Gaussians, a critic of one's own, the seeds and the errors.
"""

import keras
import numpy as np
import pytest

from trainers import density_ratio
from trainers.divergence_estimation import estimate_divergence
from zoo import toys

STEPS = 160


def _toy(toy, count, seed):
    """Samples of a toy and of the Gaussian of its means and variances, and 2 JS between them.

    Every critic that looks at means and variances alone finds nothing.
    """
    x = toy.sample(count, seed=seed).numpy().astype("float64")
    mean, deviation = x.mean(0), x.std(0)
    y = np.random.default_rng(seed).normal(mean, deviation, x.shape)

    def log_ratio(points):
        z = (points - mean) / deviation
        log_q = -0.5 * np.sum(z**2 + np.log(2 * np.pi * deviation**2), 1)
        return toy.log_density(points) - log_q

    exact = np.mean(np.log(2) - np.logaddexp(0, -log_ratio(x)))
    exact += np.mean(np.log(2) - np.logaddexp(0, log_ratio(y)))
    return x, y, exact


@pytest.mark.parametrize("toy", [toys.ring(), toys.grid(), toys.mixture()], ids=lambda t: t.name)
def test_the_toys_are_told_from_the_gaussian_of_their_moments(toy):
    x, y, exact = _toy(toy, 4000, 3)
    got = estimate_divergence(x, y, "jensen_shannon", steps=STEPS)
    assert 0.85 * exact - 3 * got.standard_error < got.value < exact + 3 * got.standard_error


def test_tails_and_units_do_not_matter():
    rng = np.random.default_rng(2)
    p, q = rng.standard_cauchy((4000, 1)), 1 + 2 * rng.standard_cauchy((4000, 1))
    got = estimate_divergence(p, q, "kl", steps=STEPS)
    exact = np.log(10 / 8)  # log((scales' sum^2 + places' difference^2) / (4 scales' product)).
    assert abs(got.value - exact) < 3 * got.standard_error + 0.02
    # float32 would have nothing left of them.
    moved = estimate_divergence(1e-3 * p + 1e6, 1e-3 * q + 1e6, "kl", steps=STEPS)
    assert moved.value == pytest.approx(got.value, abs=0.01)


@pytest.mark.parametrize("name", ["kl", "pearson", "jeffrey"])
def test_in_100_dimensions_it_does_not_overfit_in_silence(name):
    rng = np.random.default_rng(4)
    p, q = rng.normal(0.1, 1, (600, 100)), rng.normal(0, 1, (600, 100))
    exact = {"kl": 0.5, "pearson": np.e - 1, "jeffrey": 1.0}[name]  # A distance of 1.
    got = estimate_divergence(p, q, name, steps=STEPS)
    assert 0 <= got.value < exact + 3 * got.standard_error


def test_equal_samples_have_no_divergence():
    rng = np.random.default_rng(5)
    for name, floor in (("kl", 0.0), ("gan", -np.log(4))):
        got = estimate_divergence(rng.normal(size=(800, 3)), rng.normal(size=(800, 3)), name)
        assert floor - 1e-12 <= got.value < floor + 3 * got.standard_error + 0.01


def _line(slope, offset):
    critic = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    critic.set_weights([np.array([[slope]], "float32"), np.array([offset], "float32")])
    return critic


@pytest.mark.parametrize("name, floor", [("kl", 0.0), ("gan", -np.log(4))])
def test_a_bound_below_that_of_a_constant_is_not_the_answer(name, floor):
    rng = np.random.default_rng(6)
    p, q = rng.normal(0, 1, (400, 1)), rng.normal(1, 1.5, (400, 1))
    got = estimate_divergence(p, q, name, critic=_line(2.0, 3.0), steps=1)
    assert got.value == pytest.approx(floor, abs=1e-12) and got.standard_error > 0
    assert "constant critic" in got.note


def test_the_critic_is_left_as_it_validated_best():
    rng = np.random.default_rng(7)
    p, q = rng.normal(0, 1, (40, 30)), rng.normal(0.3, 1, (40, 30))
    layers = [keras.Input((30,)), keras.layers.Dense(256, "relu"), keras.layers.Dense(1)]
    keras.utils.set_random_seed(0)
    critic = keras.Sequential(layers)
    got = estimate_divergence(p, q, "pearson", critic=critic, steps=STEPS)
    # To the end of its steps it learns the 16 by heart: logits in the hundreds, -10^4 on others.
    assert np.abs(critic.predict(p, verbose=0)).max() < 30
    assert got.value >= 0


def test_what_samples_cannot_tell_is_said():
    rng = np.random.default_rng(8)
    p, q = rng.normal(0, 1, (400, 2)), rng.normal(50, 1, (400, 2))  # 2,500 nats apart.
    got = estimate_divergence(p, q, "kl", steps=STEPS)
    assert "cannot tell how much larger" in got.note and 2 < got.value < 7
    got = estimate_divergence(p, q, "jensen_shannon", steps=STEPS)
    assert got.note == "" and 1.3 < got.value <= np.log(4)  # Its largest value.


@pytest.mark.parametrize("name", ["reverse_kl", "neyman"])
def test_what_lies_between_the_modes_cannot_be_told_and_is_said(name):
    """Between the modes of the grid log q/p is in the thousands: 292 nats on the mean."""
    x, y, _ = _toy(toys.grid(), 4000, 3)
    assert "cannot tell how much larger" in estimate_divergence(x, y, name, steps=STEPS).note
    rng = np.random.default_rng(3)
    near = estimate_divergence(
        rng.normal(0, 1, (4000, 2)), rng.normal(0.5, 1, (4000, 2)), name, steps=STEPS
    )
    assert near.note == ""


def test_a_rare_sample_does_not_pay_for_a_large_one():
    """Half of p lies where one of 2,000 of q does: u^2 there, which most halves never see."""
    rng = np.random.default_rng(10)
    q = np.where(rng.uniform(size=(4000, 1)) < 1 / 2000, 9.0, 0.0) + rng.normal(size=(4000, 1))
    p = np.where(rng.uniform(size=(4000, 1)) < 0.5, 9.0, 0.0) + rng.normal(size=(4000, 1))
    exact = 0.5**2 * 2000 + 0.5**2 - 1  # Of the two lumps, which do not overlap.
    for seed in (0, 1):
        got = estimate_divergence(p, q, "pearson", steps=60, seed=seed)
        assert 1 < got.value < exact + 3 * got.standard_error


def test_neighbours_see_the_ratio_and_not_themselves():
    rng = np.random.default_rng(9)
    p, q = rng.uniform(0, 1, (4000, 2)), rng.uniform(0, 2, (4000, 2))
    features = density_ratio.Features(p, q)
    inside = features(rng.uniform(0.2, 0.8, (500, 2)))[:, 2:]
    np.testing.assert_allclose(inside.mean(0), np.log(4), atol=0.35)
    taught, fresh = features(p, 0), features(rng.uniform(0, 1, (4000, 2)))
    np.testing.assert_allclose(taught.mean(0), fresh.mean(0), atol=0.1)
    assert taught.dtype == "float32" and np.isfinite(features(np.full((3, 2), 1e9))).all()
    assert density_ratio.Features(np.zeros((5, 11)), np.ones((5, 11)))(np.ones((2, 11))).shape == (
        2,
        11,
    )
