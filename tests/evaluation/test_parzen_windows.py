"""The density under Gaussian windows: closed forms, SciPy, and NumPy in float64."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import gaussian_kde, multivariate_normal

import zoo
from evaluation import parzen_windows
from evaluation.parzen import BANDWIDTHS
from evaluation.parzen_windows import log_likelihood


def images(count, seed, shape=(6, 5, 3)):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), "uint8")


def floats(array):
    array = np.reshape(array, (len(array), -1))
    return array / 255.0 if array.dtype == np.uint8 else array.astype("float64")


def reference(samples, test, bandwidths):
    """Sums of squared differences in float64, one image at a time."""
    samples, test = floats(samples), floats(test)
    squared = np.array([np.sum((samples - x) ** 2, axis=1) for x in test])
    constant = np.log(len(samples)) + samples.shape[1] * np.log(np.sqrt(2 * np.pi))
    return np.array(
        [
            logsumexp(-squared / (2 * s**2), axis=1) - constant - samples.shape[1] * np.log(s)
            for s in bandwidths
        ]
    )


def test_one_window_is_a_gaussian():
    centre, points = images(1, 0, (4, 3, 1)), images(7, 1, (4, 3, 1))
    for sigma in (0.02, 0.3, 5.0):
        expected = multivariate_normal(floats(centre)[0], sigma**2 * np.eye(12))
        found = log_likelihood(centre, points, sigma)
        np.testing.assert_allclose(found, expected.logpdf(floats(points))[None], rtol=1e-12)
        assert found.shape == (1, 7) and found.dtype == np.float64


def test_scipys_kernel_density():
    # SciPy's windows have the data's covariance, so it is asked for the whitened data.
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
    points = rng.normal(size=(50, 3))
    for sigma in (0.2, 0.7):
        expected = gaussian_kde(x.T, bw_method=sigma).logpdf(points.T)
        np.testing.assert_allclose(log_likelihood(x, points, sigma)[0], expected, atol=1e-5)


@pytest.mark.parametrize("kinds", ["u8 u8", "f4 u8", "u8 f4", "f4 f4", "u8 f8", "f8 f8"])
@pytest.mark.parametrize("features", [4, 1024])
def test_the_formula_in_float64(monkeypatch, kinds, features):
    # Blocks of 7 images and 9 samples do not divide 20 and 30; nor do 4 features 90.
    monkeypatch.setattr(parzen_windows, "IMAGE_BLOCK", 7)
    monkeypatch.setattr(parzen_windows, "SAMPLE_BLOCK", 9)
    monkeypatch.setattr(parzen_windows, "FEATURES", features)
    rng = np.random.default_rng(3)
    arrays = [
        images(n, n) if kind == "u8" else rng.uniform(size=(n, 6, 5, 3)).astype(kind)
        for n, kind in zip((30, 20), kinds.split(), strict=True)
    ]
    bandwidths = np.array([0.05, 0.2, 1.0, 40.0])
    found = log_likelihood(*arrays, bandwidths)
    np.testing.assert_allclose(found, reference(*arrays, bandwidths), rtol=1e-7)


def test_near_copies_under_narrow_windows():
    # float32 products of pixels would be off by 1e-5 of |x|^2, and here |x - s|^2 is 1e-5 of it.
    rng = np.random.default_rng(0)
    train = images(60, 0, (28, 28, 1))
    for near in (
        np.clip(train[:20].astype(int) + rng.integers(-1, 2, (20, 28, 28, 1)), 0, 255).astype("u1"),
        np.clip(train[:20] / 255.0 + rng.normal(0, 1e-3, (20, 28, 28, 1)), 0, 1),
    ):
        found = log_likelihood(train, near, [0.005, 0.1])
        np.testing.assert_allclose(found, reference(train, near, [0.005, 0.1]), rtol=0, atol=1e-3)
        single = (floats(train).astype("f4"), floats(near).astype("f4"))
        squares = [np.sum(x * x, axis=1, dtype="f4") for x in single]
        short = (squares[1][:, None] + squares[0] - 2 * single[1] @ single[0].T).min(1)
        exact = np.sum((floats(near) - floats(train[:20])) ** 2, axis=1)
        assert np.max(np.abs(short - exact)) / (2 * 0.005**2) > 0.5  # The shortcut alone: nats.


def test_many_features_add_up_exactly():
    # 3,072 products of the largest levels: float32 has not the digits of their sum.
    rng = np.random.default_rng(0)
    samples = rng.choice(np.array([0, 1, 254, 255], "uint8"), (5, 32, 32, 3))
    test = samples ^ rng.integers(0, 2, samples.shape, "uint8")
    expected = reference(samples, test, [0.1, 1.0])
    np.testing.assert_allclose(log_likelihood(samples, test, [0.1, 1.0]), expected, rtol=1e-12)


def test_other_units_move_the_figure_by_d_log_s():
    x, y = (floats(images(n, n)) for n in (40, 10))
    expected = log_likelihood(x, y, [0.1, 0.5])
    for s in (0.3, 7.0, 255.0):
        moved = log_likelihood(s * x + 3, s * y + 3, np.array([0.1, 0.5]) * s)
        np.testing.assert_allclose(moved, expected - 90 * np.log(s), rtol=1e-6, atol=1e-5)


def test_neither_order_nor_blocks_matter(monkeypatch):
    samples, test = images(300, 0), images(100, 1)
    expected = log_likelihood(samples, test, BANDWIDTHS)
    order = np.random.default_rng(0).permutation(100)
    shuffled = log_likelihood(samples[::-1], test[order], BANDWIDTHS)
    np.testing.assert_allclose(shuffled, expected[:, order], rtol=1e-6)
    for block in (1, 64, 1000):
        monkeypatch.setattr(parzen_windows, "IMAGE_BLOCK", max(block, 10))
        monkeypatch.setattr(parzen_windows, "SAMPLE_BLOCK", max(block, 30))
        np.testing.assert_allclose(log_likelihood(samples, test, BANDWIDTHS), expected, rtol=1e-6)
    twice = log_likelihood(np.concatenate([samples, samples]), test, BANDWIDTHS)
    np.testing.assert_allclose(twice, expected, rtol=1e-6)  # Windows are averaged.


def test_far_images_and_equal_samples_are_finite():
    black = np.zeros((5, 28, 28, 1), "uint8")
    found = log_likelihood(black, 255 - black, [1e-6, 0.1, 1e6])
    np.testing.assert_allclose(found, reference(black, 255 - black, [1e-6, 0.1, 1e6]), rtol=1e-12)
    same = log_likelihood(black + 3.5, black + 3.5, 2.0)
    np.testing.assert_allclose(same, -784 * np.log(2 * np.sqrt(2 * np.pi)), rtol=1e-12)


def test_mnist_agrees_with_float64():
    rng = np.random.default_rng(0)
    samples = zoo.datasets.arrays("mnist")[0][rng.permutation(60_000)[:1000]]
    test = zoo.datasets.arrays("mnist", "test")[0][:1000:10]
    found = log_likelihood(samples, test, BANDWIDTHS)
    np.testing.assert_allclose(found, reference(samples, test, BANDWIDTHS), rtol=0, atol=1e-4)


GREY = np.full((4, 2, 2, 1), 100, "uint8")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: log_likelihood(GREY, GREY, []), r"Received: bandwidth=\[\]"),
        (lambda: log_likelihood(GREY, GREY, [[0.1]]), r"Received: bandwidth=\[\[0.1\]\]"),
        (lambda: log_likelihood(GREY, GREY[:, :1], 0.1), r"images of shape \(4, 1, 2, 1\)"),
        (lambda: log_likelihood(GREY[:0], GREY, 0.1), "nothing to measure.*samples of"),
        (lambda: log_likelihood(GREY, GREY * np.inf, 0.1), "Received: images of dtype float64"),
        (lambda: log_likelihood(GREY, GREY * 1.0, 0.1), "images of dtype float64 from 100 to 100"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
