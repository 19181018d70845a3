"""Transport distances: SciPy's, exact assignments, and Gaussians in closed form."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linear_sum_assignment

from evaluation import transport
from evaluation.score import fingerprint
from evaluation.transport import SlicedWasserstein, directions, sliced_wasserstein, wasserstein
from zoo import latents


def points(count, dimensions, seed, mean=0.0, scale=1.0):
    return np.random.default_rng(seed).normal(mean, scale, (count, dimensions))


def images(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 3, 1), "uint8")


@pytest.mark.parametrize("counts", [(1, 1), (7, 7), (3, 8), (40, 24), (100, 99)])
def test_order_1_is_scipys(counts):
    a, b = (points(n, 1, n + i)[:, 0] for i, n in enumerate(counts))
    expected = stats.wasserstein_distance(a, b)
    assert wasserstein(a, b) == pytest.approx(expected, rel=1e-12)
    assert wasserstein(b[:, None], a[::-1]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("counts", [(6, 6), (4, 6), (9, 5)])
def test_the_cheapest_of_all_assignments(order, counts):
    # Each point as often as makes the counts equal, then every way to pair them.
    a, b = (points(n, 1, n + i, mean=i)[:, 0] for i, n in enumerate(counts))
    many = np.repeat(a, counts[1]), np.repeat(b, counts[0])
    cost = np.abs(many[0][:, None] - many[1]) ** order
    rows, columns = linear_sum_assignment(cost)
    expected = cost[rows, columns].mean() ** (1 / order)
    assert wasserstein(a, b, order) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2])
def test_shifts_and_units(order):
    x = points(50, 1, 0)[:, 0]
    assert wasserstein(x, x + 3, order) == pytest.approx(3.0, rel=1e-12)
    assert wasserstein(x, np.repeat(x, 3), order) == 0.0
    y = points(31, 1, 1)[:, 0]
    expected = wasserstein(x, y, order)
    assert wasserstein(5 * x + 1, 5 * y + 1, order) == pytest.approx(5 * expected, rel=1e-12)


def test_two_gaussians():
    # W_2^2 = (mu_p - mu_q)^2 + (sigma_p - sigma_q)^2 between the quantiles themselves.
    u = (np.arange(200_000) + 0.5) / 200_000
    a, b = stats.norm(0.0, 1.0).ppf(u), stats.norm(1.0, 1.5).ppf(u)
    assert wasserstein(a, b, 2) == pytest.approx(math.sqrt(1.25), abs=1e-4)
    # W_1 = E|1 + .5 z|, of a folded normal.
    folded = stats.foldnorm(2.0, scale=0.5).mean()
    assert wasserstein(a, b) == pytest.approx(folded, abs=1e-5)


def test_directions_are_seeded_and_uniform():
    units = directions(4000, 3, seed=5)
    np.testing.assert_allclose(np.linalg.norm(units, axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(units[:7], directions(7, 3, seed=5))
    assert not np.any(units == directions(4000, 3, seed=6))
    draws = latents.normal((4000, 3), (5, 0)).numpy()
    np.testing.assert_allclose(np.cross(units, draws), 0.0, atol=1e-6)
    for column in units.T:  # Archimedes: each coordinate of the sphere is uniform.
        assert stats.kstest(column, stats.uniform(-1, 2).cdf).pvalue > 0.001


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("counts", [(60, 60), (60, 25)])
def test_the_mean_over_directions(monkeypatch, order, counts):
    a, b = points(counts[0], 5, 0), points(counts[1], 5, 1, mean=0.5)
    costs = [wasserstein(a @ u, b @ u, order) ** order for u in directions(40, 5, 3)]
    for block in (1, 700, 2**21):
        monkeypatch.setattr(transport, "BLOCK", block)
        found = sliced_wasserstein(a, b, order, projections=40, seed=3)
        assert found == pytest.approx(np.mean(costs) ** (1 / order), rel=1e-12)


@pytest.mark.parametrize("dimensions", [1, 2, 10])
def test_a_shift_in_many_dimensions(dimensions):
    x, shift = points(20, dimensions, 0), points(1, dimensions, 1)
    length, count = np.linalg.norm(shift), 4000
    # E (u.e)^2 = 1/d, and E |u.e| = Gamma(d/2) / (sqrt(pi) Gamma((d+1)/2)).
    for order, mean in (
        (2, 1 / dimensions),
        (1, math.gamma(dimensions / 2) / math.sqrt(math.pi) / math.gamma((dimensions + 1) / 2)),
    ):
        found = sliced_wasserstein(x, x + shift, order, count)
        along = np.abs(directions(count, dimensions, 0) @ shift[0])
        assert found == pytest.approx(np.mean(along**order) ** (1 / order), rel=1e-9)
        error = np.std(along**order) / math.sqrt(count)
        assert abs(found**order - mean * length**order) <= 4 * error + 1e-12


def test_gaussian_clouds():
    # Along every direction two Gaussians: SW_2^2 = |delta|^2 / d + (sigma_p - sigma_q)^2.
    x, y = points(4000, 4, 0), points(4000, 4, 1)
    x, y = (v - v.mean(0) for v in (x, y))
    x, y = (v @ np.linalg.inv(np.linalg.cholesky(np.cov(v.T, ddof=0))).T for v in (x, y))
    delta = np.full(4, 0.5)
    found = sliced_wasserstein(x, delta + 1.5 * y, 2, projections=4000)
    along = (directions(4000, 4, 0) @ delta) ** 2
    assert abs(found**2 - (along.mean() + 0.25)) < 0.005
    assert abs(along.mean() - 0.25) < 4 * along.std() / math.sqrt(4000)


def test_pixels_and_floats_have_one_unit():
    a, b = images(9, 0), images(7, 1)
    expected = sliced_wasserstein(a / 255.0, b / 255.0)
    for pair in ((a, b), (a / 255.0, b), (a, b / 255.0)):
        assert sliced_wasserstein(*pair) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2])
def test_the_measure(order):
    data, samples = images(30, 0), images(20, 1)
    measure = SlicedWasserstein(data, order, projections=50, seed=2)
    score = measure.evaluate(samples)
    assert score.value == sliced_wasserstein(samples, data, order, 50, 2)
    flat = [x.reshape(len(x), -1) / 255.0 for x in (samples, data)]
    along = np.array([wasserstein(flat[0] @ u, flat[1] @ u, order) for u in directions(50, 12, 2)])
    assert score.details["largest"] == pytest.approx(along.max(), rel=1e-12)
    spread = np.std(along**order) / np.sqrt(50) / (order * score.value ** (order - 1))
    assert score.details["projection_error"] == pytest.approx(spread, rel=1e-9)
    assert score.protocol == {
        "order": order,
        "projections": 50,
        "seed": 2,
        "samples": 20,
        "data": 30,
        "data_hash": fingerprint(data),
        "scaling": "pixels in [0, 1]",
    }
    assert not score.higher_is_better and score.standard_error is None
    assert measure.evaluate(samples / 255.0).value == pytest.approx(score.value, rel=1e-12)
    assert measure.evaluate(data).value == 0.0
    assert measure.evaluate(images(20, 1) // 2).value > score.value


def test_the_measure_of_points():
    data = points(200, 2, 0, scale=7.0)
    measure = SlicedWasserstein(data)
    score = measure.evaluate(data + np.array([3.0, 4.0]))
    assert score.protocol["scaling"] == "as they are"
    assert abs(score.value - 5 / math.sqrt(2)) < 4 * score.details["projection_error"]


GREY = np.full((4, 2, 2, 1), 100, "uint8")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: wasserstein([1.0], [2.0], 3), r"Expected one of \(1, 2\). Received: order=3"),
        (lambda: wasserstein([[1.0, 2.0]], [2.0]), r"one line.*samples of shape \(1, 2\)"),
        (lambda: wasserstein([1.0], []), r"nothing to measure.*data of shape \(0,\)"),
        (lambda: wasserstein([np.inf], [1.0]), "samples of dtype float64, with others in 1 of 1"),
        (lambda: sliced_wasserstein(GREY, GREY, 0), "Received: order=0"),
        (lambda: sliced_wasserstein(GREY, GREY, 1, 0), "Received: projections=0"),
        (lambda: sliced_wasserstein(GREY, GREY[:, :1]), r"one shape. Received: data of shape \(4,"),
        (lambda: sliced_wasserstein(GREY, GREY * 1.0), "data of dtype float64 from 100 to 100"),
        (lambda: SlicedWasserstein(GREY, order="1"), "Received: order='1'"),
        (lambda: SlicedWasserstein(GREY, projections=1.5), "Received: projections=1.5"),
        (lambda: SlicedWasserstein(GREY[:0]), "nothing to measure.*data of shape"),
        (lambda: SlicedWasserstein(GREY * np.nan), "data of dtype float64, with others in 4 of 4"),
        (lambda: SlicedWasserstein(GREY).evaluate(GREY * 1.0), "samples of dtype float64 from 100"),
        (lambda: SlicedWasserstein(GREY).evaluate(GREY[0]), r"samples of shape \(2, 2, 1\)"),
        (lambda: SlicedWasserstein(GREY * 1.0).evaluate(GREY), "own. Expected floats.*dtype uint8"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
