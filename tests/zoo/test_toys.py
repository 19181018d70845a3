"""The toy mixtures against closed forms and SciPy."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from zoo import toys

COUNT = 200_000
NAMES = sorted(toys.TOYS)


def test_the_ring_has_eight_distinct_modes_on_its_circle():
    # The regression: np.linspace(0, 2 pi, 8) names the mode at angle 0 twice.
    ring = toys.get("ring")
    assert len(np.unique(np.round(ring.centres, 9), axis=0)) == 8
    np.testing.assert_allclose(np.linalg.norm(ring.centres, axis=1), 2.0)
    gaps = np.linalg.norm(ring.centres - np.roll(ring.centres, 1, axis=0), axis=1)
    np.testing.assert_allclose(gaps, 4 * np.sin(np.pi / 8))
    np.testing.assert_allclose(ring.scales, 0.02)


def test_the_grid_has_its_25_published_centres():
    grid = toys.get("grid")
    expected = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert {tuple(centre) for centre in grid.centres} == expected
    np.testing.assert_allclose(grid.scales, 0.05)


def test_parameters_reach_the_toy():
    ring = toys.get("ring", modes=25, radius=1.0, scale=0.1)
    assert ring.centres.shape == (25, 2) and ring.scales[3] == 0.1
    assert toys.get("grid", side=3).centres.min() == -2.0


@pytest.mark.parametrize("name", NAMES)
def test_moments_are_the_closed_form(name):
    toy = toys.get(name)
    points = toy.sample(COUNT, seed=7).numpy().astype("float64")
    assert points.shape == (COUNT, toy.dim)
    weights = toy.weights[:, None]
    mean = np.sum(weights * toy.centres, axis=0)
    second = np.sum(weights * (toy.centres**2 + toy.scales[:, None] ** 2), axis=0)
    for power, expected in ((1, mean), (2, second)):
        error = np.std(points**power, axis=0) / np.sqrt(COUNT)
        assert np.all(np.abs(np.mean(points**power, axis=0) - expected) < 4 * error)


@pytest.mark.parametrize("name", NAMES)
def test_each_mode_has_its_weight_and_its_spread(name):
    toy = toys.get(name)
    points = toy.sample(COUNT, seed=3).numpy()
    if name == "mixture":  # Its modes overlap, so the whole distribution is tested instead.
        left, right = scipy.stats.norm(-1, 0.25), scipy.stats.norm(2, np.sqrt(2))

        def cdf(x):
            return 0.33 * left.cdf(x) + 0.67 * right.cdf(x)

        assert scipy.stats.kstest(points[:, 0], cdf).pvalue > 0.001
        return
    distance = np.linalg.norm(points[:, None] - toy.centres, axis=-1)
    mode = np.argmin(distance, axis=1)
    shares = np.bincount(mode, minlength=len(toy.centres)) / COUNT
    assert np.all(np.abs(shares - toy.weights) < 5 * np.sqrt(toy.weights / COUNT))
    for k, scale in enumerate(toy.scales):
        inside = points[mode == k] - toy.centres[k]
        assert abs(np.std(inside) / scale - 1) < 5 / np.sqrt(2 * inside.size)


@pytest.mark.parametrize("name", NAMES)
def test_log_density_is_scipys(name):
    toy = toys.get(name)
    points = np.random.default_rng(0).uniform(-5, 5, (100, toy.dim))
    points[: min(5, len(toy.centres))] = toy.centres[:5] + 0.01
    terms = [
        np.log(w) + scipy.stats.multivariate_normal(c, s**2 * np.eye(toy.dim)).logpdf(points)
        for c, s, w in zip(toy.centres, toy.scales, toy.weights, strict=True)
    ]
    expected = scipy.special.logsumexp(terms, axis=0)
    np.testing.assert_allclose(toy.log_density(points), expected, rtol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_log_density_of_a_tensor_is_a_tensor_of_its_dtype(name, dtype):
    toy = toys.get(name)
    points = np.random.default_rng(0).uniform(-5, 5, (50, toy.dim)).astype(dtype)
    wanted = toy.log_density(points)
    assert isinstance(wanted, np.ndarray) and wanted.dtype == "float64"
    got = toy.log_density(tf.constant(points))
    assert tf.is_tensor(got) and got.dtype == dtype
    # The sum is in float64 either way, and rounded at the end.
    np.testing.assert_array_equal(got, wanted.astype(dtype))
    in_graph = tf.function(toy.log_density)(tf.constant(points))
    np.testing.assert_allclose(in_graph, got, rtol=1e-6 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_slope_of_log_density_against_finite_differences(name):
    toy = toys.get(name)
    points = np.random.default_rng(0).uniform(-3, 3, (20, toy.dim))
    points[:3] = toy.centres[0] + 0.01
    x = tf.Variable(points)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(toy.log_density(x))
    gradient = tape.gradient(total, x).numpy()
    h = 1e-6
    for axis in range(toy.dim):
        step = h * np.eye(toy.dim)[axis]
        wanted = (toy.log_density(points + step) - toy.log_density(points - step)) / (2 * h)
        np.testing.assert_allclose(gradient[:, axis], wanted, rtol=1e-6, atol=1e-5)


def test_the_slope_reaches_far_points():
    # Densities there underflow in float64; their logarithms do not.
    x = tf.Variable([[300.0, -400.0]])
    with tf.GradientTape() as tape:
        value = toys.get("ring").log_density(x)
    gradient = tape.gradient(value, x).numpy()
    # The nearest of the eight modes is at angle -pi / 4.
    centre = 2 * np.array([[np.sqrt(0.5), -np.sqrt(0.5)]])
    np.testing.assert_allclose(gradient, (centre - x.numpy()) / 0.02**2, rtol=1e-6)


def test_a_point_depends_on_its_seed_and_row_alone():
    ring = toys.get("ring")
    points = ring.sample(100, seed=5).numpy()
    np.testing.assert_array_equal(ring.sample(7, seed=5), points[:7])
    np.testing.assert_array_equal(ring.sample(100, seed=tf.constant([5, 0])), points)
    assert not np.array_equal(ring.sample(100, seed=6), points)
    in_graph = tf.data.Dataset.from_tensors([5, 0]).map(lambda seed: ring.sample(100, seed))
    np.testing.assert_array_equal(next(iter(in_graph)), points)
    compiled = tf.function(lambda seed: ring.sample(100, seed), jit_compile=True)
    np.testing.assert_allclose(compiled(tf.constant([5, 0], "int64")), points, atol=1e-6)


def test_errors_say_what_was_expected():
    with pytest.raises(ValueError, match="`name` is unknown.*did you mean 'ring'.*name='rings'"):
        toys.get("rings")
    with pytest.raises(ValueError, match="sum to 1.*Received: weights"):
        toys.Mixture([[0.0], [1.0]], 1.0, [0.5, 0.6])
    with pytest.raises(ValueError, match="positive.*Received: scales"):
        toys.Mixture([[0.0], [1.0]], [1.0, 0.0])
    with pytest.raises(ValueError, match=r"\(modes, dim\).*Received: centres"):
        toys.Mixture([0.0, 1.0], 1.0)
    with pytest.raises(ValueError, match="Received: modes=0"):
        toys.get("ring", modes=0)
    with pytest.raises(ValueError, match="Received: side=0"):
        toys.get("grid", side=0)
    with pytest.raises(ValueError, match=r"shape \(n, 2\).*Received"):
        toys.get("ring").log_density([[1.0]])


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: toys.ring(modes=10**9), "`modes` is out of range"),
        (lambda: toys.grid(side=10**6), "`side` is out of range"),
        (lambda: toys.ring(scale="x"), "`scale` is no finite number"),
        (lambda: toys.normal(mean=np.nan), "`mean` is no finite number"),
        (lambda: toys.Mixture([[1], [1, 2]], 1.0), "`centres` is no array"),
        (lambda: toys.Mixture([["a"]], 1.0), "`centres` do not have one row per mode"),
        (lambda: toys.Mixture([[np.inf]], 1.0), "`centres` do not have one row per mode"),
        (lambda: toys.Mixture([[1.0]], {}), "`scales` do not have one positive value"),
        (lambda: toys.ring().sample(2, "x"), "`seed` is"),
        (lambda: toys.ring().sample(-1, 0), "`count` is out of range"),
        (lambda: toys.ring().sample(10**12, 0), "`count` needs more memory"),
        (lambda: toys.ring().log_density("x"), "`points` is no array"),
    ],
)
def test_what_makes_no_mixture(make, message):
    with pytest.raises(ValueError, match=f"^{message}.*Expected.*Received"):
        make()
