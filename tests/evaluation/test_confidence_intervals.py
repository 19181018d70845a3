"""Confidence intervals: against SciPy's, and their coverage where it is known."""

import numpy as np
import pytest
from scipy import stats

from evaluation import confidence_intervals as ci


def rows(count, n, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(1.0, scale, (count, n))


def test_students_interval_is_scipys():
    samples = rows(7, 12)
    lower, upper = ci.t_interval(samples, 0.9)
    for k, sample in enumerate(samples):
        found = stats.t.interval(0.9, 11, sample.mean(), stats.sem(sample))
        np.testing.assert_allclose((lower[k], upper[k]), found, rtol=1e-12)


def test_the_normal_interval_of_the_lecture():
    lower, upper = ci.normal_interval(np.array([0.0, 0.3]), 0.1)
    np.testing.assert_allclose(upper - lower, 2 * 0.1959963984540054, rtol=1e-12)
    np.testing.assert_allclose((lower + upper) / 2, [0.0, 0.3], atol=1e-15)


def test_the_percentile_bootstrap_is_scipys_in_distribution():
    samples = rows(3, 40, seed=1)
    lower, upper = ci.bootstrap_interval(samples, lambda x: x.mean(-1), 20_000, seed=2)
    for k, sample in enumerate(samples):
        found = stats.bootstrap(
            (sample,),
            np.mean,
            method="percentile",
            n_resamples=20_000,
            rng=np.random.default_rng(3),
        ).confidence_interval
        spread = sample.std() / np.sqrt(len(sample))
        assert abs(lower[k] - found.low) < 0.05 * spread
        assert abs(upper[k] - found.high) < 0.05 * spread


def test_blocks_do_not_change_who_is_resampled(monkeypatch):
    samples = np.arange(12.0).reshape(3, 4) + 100 * np.arange(3)[:, None]
    monkeypatch.setattr(ci, "NUMBERS", 1)
    lower, upper = ci.bootstrap_interval(samples, lambda x: x.mean(-1), 50)
    assert np.all(samples.min(1) <= lower) and np.all(upper <= samples.max(1))
    again = ci.bootstrap_interval(samples, lambda x: x.mean(-1), 50)
    np.testing.assert_array_equal((lower, upper), again)


@pytest.mark.parametrize("n", [5, 30])
def test_students_interval_covers_as_it_says(n):
    found = ci.coverage(ci.t_interval(rows(20_000, n, seed=4)), 1.0)
    assert abs(found.share - 0.95) < 4 * found.standard_error
    low, high = ci.tolerance(0.95, 20_000, 0.9999)
    assert low < found.share < high


def test_an_interval_of_half_the_variance_covers_too_seldom():
    """Mean +- 1.96 sd / sqrt(n) around a second sample's mean: variance 2/n, coverage 0.8342."""
    n = 25
    centres = rows(20_000, n, seed=5).mean(1) + rows(20_000, n, seed=6).mean(1) - 1.0
    found = ci.coverage(ci.normal_interval(centres, 1 / np.sqrt(n)), 1.0)
    right = 2 * stats.norm.cdf(1.959964 / np.sqrt(2)) - 1
    assert abs(found.share - right) < 4 * found.standard_error
    assert found.share < ci.tolerance(0.95, 20_000)[0]


def test_the_tolerance_interval_of_the_lecture():
    assert ci.tolerance(0.95, 10_000) == (0.9457, 0.9542)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: ci.t_interval(np.ones(4)), r"`samples` are no rows.*shape \(4,\)"),
        (lambda: ci.t_interval(np.ones((4, 1))), "n at least 2"),
        (lambda: ci.normal_interval([0.0], 1.0, 95), "`level` is out of range.*level=95"),
        (lambda: ci.coverage(([0.0], [1.0, 2.0]), 0.5), "`interval` is no pair of ends"),
        (lambda: ci.coverage(([0.0, np.nan], [1.0, 2.0]), 0.5), "1 bad intervals"),
        (lambda: ci.bootstrap_interval(np.ones((2, 3)), np.mean, 0), "`resamples`"),
        (
            lambda: ci.bootstrap_interval(np.ones((2, 3)), lambda x: x.mean(1), 4),
            r"`statistic` does not.*shape \(2, 4\).*shape \(2, 3\)",
        ),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
