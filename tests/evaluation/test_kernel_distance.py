"""The kernel distance: two plain loops, no bias, and subsets with the full distance as mean."""

import sys

import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel

from evaluation.kernel_distance import KernelDistance, kernel_distance

MODULE = sys.modules[KernelDistance.__module__]  # The room exports a function of its name.


def _reference(a, b):
    """The unbiased estimate as two loops."""
    d = a.shape[1]

    def mean(x, y, same):
        pairs = [(i, j) for i in range(len(x)) for j in range(len(y)) if not (same and i == j)]
        return np.mean([(np.dot(x[i], y[j]) / d + 1) ** 3 for i, j in pairs])

    return mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False)


def _sets(n=20, m=31, d=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(0.2, 1.1, (m, d))


@pytest.mark.parametrize("block", [1, 7, 1024])
def test_agrees_with_two_loops(block, monkeypatch):
    monkeypatch.setattr(MODULE, "BLOCK", block)
    a, b = _sets()
    expected = _reference(a, b)
    np.testing.assert_allclose(kernel_distance(a, b), expected, rtol=1e-11)
    np.testing.assert_allclose(kernel_distance(b, a), expected, rtol=1e-11)
    score = KernelDistance(b, subsets=None).evaluate(a)
    np.testing.assert_allclose(score.value, expected, rtol=1e-11)
    assert score.standard_error is None and score.protocol["subsets"] == "none"


def test_agrees_with_another_implementation_of_the_kernel():
    a, b = _sets(1500, 1300, 16)
    xx, yy, xy = (polynomial_kernel(*pair, degree=3) for pair in ((a, a), (b, b), (a, b)))
    within = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (xx, yy)]
    expected = sum(within) - 2 * xy.mean()
    np.testing.assert_allclose(kernel_distance(a, b), expected, rtol=1e-9)
    # One subset of all that there is.
    score = KernelDistance(b[:1300], subsets=1, subset_size=1300).evaluate(a[:1300])
    np.testing.assert_allclose(score.value, kernel_distance(a[:1300], b), rtol=1e-9)
    assert score.standard_error is None


def test_points_by_hand():
    # d = 1, k(0, .) = 1, k(1, 1) = 8: 1 + 8 - 2.
    assert kernel_distance(np.zeros((3, 1)), np.ones((2, 1))) == 7.0
    assert kernel_distance(np.ones((3, 1)), np.ones((2, 1))) == 0.0


def test_is_unbiased_where_the_plain_mean_is_not():
    rng = np.random.default_rng(1)
    draws = [kernel_distance(*rng.normal(size=(2, 6, 3))) for _ in range(2000)]
    error = np.std(draws) / np.sqrt(2000)
    assert abs(np.mean(draws)) < 4 * error and min(draws) < 0
    # x ~ N(0, 1) and N(mu, 1) in 1-D: 3 differences of mean^2, of E x^2 and of E x^3.
    mu = 0.7
    exact = 3 * mu**2 + 3 * (mu**2) ** 2 + (mu**3 + 3 * mu) ** 2
    draws = [
        kernel_distance(rng.normal(size=(8, 1)), rng.normal(mu, 1, (8, 1))) for _ in range(4000)
    ]
    assert abs(np.mean(draws) - exact) < 4 * np.std(draws) / np.sqrt(4000)


def test_subsets_have_the_full_distance_as_their_mean():
    a, b = _sets(400, 500, 4, seed=2)
    score = KernelDistance(b, subsets=200, subset_size=50).evaluate(a)
    full = KernelDistance(b, subsets=None).evaluate(a)
    assert abs(score.value - full.value) < 4 * score.standard_error
    np.testing.assert_allclose(
        score.standard_error, score.details["standard_deviation"] / np.sqrt(200)
    )
    assert (score.protocol["subset_size"], score.protocol["seed"]) == (50, 0)


def test_the_seed_draws_the_subsets_and_the_order_of_samples_does_not():
    a, b = _sets(60, 70, 4, seed=3)
    rng = np.random.default_rng(4)
    for kwargs in ({"subsets": 5, "subset_size": 20}, {"subsets": None}):
        score = KernelDistance(b, **kwargs).evaluate(a)
        again = KernelDistance(b[rng.permutation(70)], **kwargs).evaluate(a[rng.permutation(60)])
        np.testing.assert_allclose(again.value, score.value, rtol=1e-11)
    score = KernelDistance(b, subsets=5, subset_size=20).evaluate(a)
    other = KernelDistance(b, subsets=5, subset_size=20, seed=1).evaluate(a)
    assert score.value != other.value
    with pytest.raises(ValueError, match="seed is 0 and 1"):
        score.better_than(other)


class Pixels:
    """Features of 2x2 images: their pixels in [0, 1]."""

    image_shape = (2, 2, 1)
    protocol = {"name": "pixels", "layer": "all", "hash": "0"}

    def features(self, images):
        return (images.reshape(len(images), 4) / 255.0).astype("float32")


def test_features_come_from_an_extractor():
    images = np.random.default_rng(5).integers(0, 256, (2, 520, 2, 2, 1), dtype=np.uint8)
    score = KernelDistance(images[0], Pixels(), subsets=None).evaluate(images[1])
    rows = [Pixels().features(part) for part in images]
    np.testing.assert_allclose(score.value, kernel_distance(*rows), rtol=1e-9, atol=1e-15)
    assert score.protocol["extractor"] == Pixels.protocol


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda a: KernelDistance(a, subsets=0), "subsets=0"),
        (lambda a: KernelDistance(a, subsets=10**9), "at most 1,000,000. Received: subsets=10"),
        (lambda a: KernelDistance(a, subset_size=1), "at least 2.*subset_size=1"),
        (lambda a: KernelDistance(a), "at least 1000.*reference of shape"),
        (lambda a: KernelDistance(a, subset_size=20).evaluate(a[:9]), "at least 20.*samples of"),
        (lambda a: KernelDistance(a, subsets=None).evaluate(a[:1]), "at least 2"),
        (
            lambda a: KernelDistance(a, subsets=None).evaluate(a[:, :2]),
            "`samples` and `reference` have different shapes",
        ),
        (lambda a: kernel_distance(a, a * np.nan), "no NaN"),
        (lambda a: kernel_distance(a[:1], a), "at least 2.*a of shape"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call(_sets()[0])
