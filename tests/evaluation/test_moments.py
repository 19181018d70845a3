"""Mean and covariance in batches: of any sizes, in any order, far from the origin."""

import numpy as np
import pytest

from evaluation.moments import Moments, check_moments, check_statistics


def _close(a, b, tolerance=1e-9):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("sizes", [[100], [1] * 100, [1, 99], [37, 3, 60], [7] * 14 + [2]])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_moments_do_not_depend_on_batches_or_order(sizes, offset):
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(100, 4)) @ rng.normal(size=(4, 4)) + offset
    for order in (np.arange(100), rng.permutation(100)):
        moments = Moments()
        for part in np.split(rows[order], np.cumsum(sizes)[:-1]):
            moments.update(part)
        _close(moments.mean, rows.mean(0))
        _close(moments.covariance, np.cov((rows - offset).T), 1e-9)
        assert moments.statistics[2] == moments.count == 100


def test_every_sample_counts_as_much_as_every_other():
    # Means weighed by batches would be 1 here.
    moments = Moments().update(np.zeros((9, 1))).update(np.full((1, 1), 2.0))
    _close(moments.mean, [0.2])
    _close(moments.covariance, [[0.4]])


ROWS = np.random.default_rng(13).normal(size=(20, 3))


def test_statistics_come_back_in_float64():
    mean, covariance, count = check_statistics(([1.0, 2.0], np.eye(2, dtype="float32"), 9.0))
    assert mean.dtype == covariance.dtype == np.float64 and type(count) is int and count == 9
    skew = np.array([[1.0, 0.5 + 1e-7], [0.5, 1.0]])  # As float32 rounds.
    symmetric = check_moments(mean, skew)[1]
    np.testing.assert_array_equal(symmetric, symmetric.T)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Moments().update(ROWS[:1]).covariance, "Received: count=1"),
        (lambda: Moments().update(ROWS).update(ROWS[:, :2]), r"\(n, 3\).*\(20, 2\)"),
        (lambda: check_statistics(3), "`statistics` do not have three entries.*type int"),
        (lambda: check_statistics((np.zeros(3), np.eye(3), 1)), "at least 2.*count=1"),
        (
            lambda: check_moments([0, 0], np.eye(3), "other_"),
            "`other_mean` and `other_c.* do not",
        ),
        (lambda: check_moments([0, 0], [[1, 2], [0, 5]]), "`covariance` is not sym.*asymmetry 2"),
        (lambda: check_moments([0, np.nan], np.eye(2)), "`mean` holds values that are not finite"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
