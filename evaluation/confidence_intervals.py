"""Confidence intervals of many replicates at once, how often they cover, and how sure that is.

A replicate is a row: `samples` has the shape `(replicates, n)`, and every interval is a pair of
arrays `(replicates,)`.
"""

import math
import numbers
from typing import NamedTuple

import numpy as np
from scipy import stats

from zoo.blocks import slices
from zoo.validation import check_positive, check_seed

NUMBERS = 2**24  # Of resamples at a time: 128 MiB.


class Coverage(NamedTuple):
    """How often intervals hold the truth.

    Attributes:
        share: float. Share of the intervals that do.
        standard_error: float. Of that share, `sqrt(c (1 - c) / count)`.
        count: int. Number of intervals.
    """

    share: float
    standard_error: float
    count: int


def normal_interval(estimates, standard_error, level=0.95):
    """`estimate ± z standard_error`, where the standard error is known.

    Args:
        estimates: Array `(replicates,)`.
        standard_error: Number, or one a replicate.
        level: float in (0, 1).

    Returns:
        Two arrays `(replicates,)`: the lower and the upper ends.
    """
    check_level(level)
    reach = stats.norm.ppf((1 + level) / 2) * np.asarray(standard_error)
    return np.asarray(estimates) - reach, np.asarray(estimates) + reach


def t_interval(samples, level=0.95):
    """Student's interval of a mean: `mean ± t s / sqrt(n)`, with n - 1 degrees of freedom.

    Args:
        samples: Array `(replicates, n)`, n at least 2.
        level: float in (0, 1).

    Returns:
        As `normal_interval`.

    Reference:
        - Student, 1908, Biometrika 6, pages 1 to 25.
    """
    check_level(level)
    samples = _rows(samples, 2)
    n = samples.shape[1]
    mean = samples.mean(axis=1, dtype="float64")
    reach = samples.std(axis=1, ddof=1, dtype="float64") / math.sqrt(n)
    reach = reach * stats.t.ppf((1 + level) / 2, n - 1)
    return mean - reach, mean + reach


def percentile_interval(values, level=0.95):
    """The middle share `level` of each row of values: of an estimate's resampled values, say.

    Args:
        values: Array `(replicates, resamples)`.
        level: float in (0, 1).

    Returns:
        As `normal_interval`.

    Reference:
        - Efron and Tibshirani, 1993, An introduction to the bootstrap, section 13.3.
    """
    check_level(level)
    tail = (1 - level) / 2
    lower, upper = np.quantile(_rows(values, 1), (tail, 1 - tail), axis=1)
    return lower, upper


def bootstrap_interval(samples, statistic, resamples=1000, level=0.95, seed=0):
    """The percentile bootstrap: `percentile_interval` of the statistic of resampled rows.

    Args:
        samples: Array `(replicates, n)`.
        statistic: Function of an array `(..., n)` to `(...)`, over its last axis.
        resamples: int.
        level: float in (0, 1).
        seed: int. Each replicate has draws of its own.

    Returns:
        As `normal_interval`.

    Reference:
        - Efron and Tibshirani, 1993, An introduction to the bootstrap, section 13.3.
    """
    check_positive(resamples=resamples)
    check_seed(seed)
    samples = _rows(samples, 1)
    rng = np.random.default_rng(seed)
    count, n = samples.shape
    ends = []
    for rows in slices(count, max(1, NUMBERS // (n * resamples))):
        part = samples[rows]
        chosen = rng.integers(0, n, (len(part), resamples, n))
        drawn = part[np.arange(len(part))[:, None, None], chosen]
        values = statistic(drawn)
        if np.shape(values) != drawn.shape[:2]:
            raise ValueError(
                "`statistic` does not go over the last axis. Expected an array of shape "
                f"{drawn.shape[:2]} of samples of shape {drawn.shape}. "
                f"Received: an array of shape {np.shape(values)}"
            )
        ends.append(percentile_interval(values, level))
    return tuple(np.concatenate(column) for column in zip(*ends, strict=True))


def coverage(interval, truth):
    """How often intervals hold the truth.

    Args:
        interval: Lower and upper ends, two arrays `(replicates,)`.
        truth: Number.

    Returns:
        `Coverage`.
    """
    lower, upper = (np.asarray(end, "float64") for end in interval)
    if lower.shape != upper.shape or lower.ndim != 1 or not len(lower):
        raise ValueError(
            "`interval` is no pair of ends. Expected two arrays of one shape (replicates,). "
            f"Received: ends of shapes {lower.shape} and {upper.shape}"
        )
    if not np.isfinite(lower).all() or not np.isfinite(upper).all():
        raise ValueError(
            "`interval` has ends that are no numbers. Expected finite ones: leave out replicates "
            "that have none, and say how many. "
            f"Received: {int((~np.isfinite(lower + upper)).sum())} bad intervals"
        )
    share = float(np.mean((lower <= truth) & (truth <= upper)))
    return Coverage(share, math.sqrt(share * (1 - share) / len(lower)), len(lower))


def tolerance(level, count, confidence=0.95):
    """Where the share of `count` intervals lies that cover with probability `level`.

    The middle `confidence` of the binomial distribution, divided by `count`: coverage outside of it
    is hardly chance.

    Args:
        level: float in (0, 1).
        count: int.
        confidence: float in (0, 1).

    Returns:
        Two floats.
    """
    check_level(level)
    check_positive(count=count)
    lower, upper = stats.binom.interval(confidence, count, level)
    return float(lower) / count, float(upper) / count


def _rows(samples, least):
    samples = np.asarray(samples)
    if samples.ndim != 2 or samples.shape[1] < least:
        raise ValueError(
            f"`samples` are no rows of replicates. Expected an array (replicates, n) with n at "
            f"least {least}. Received: shape {samples.shape}"
        )
    return samples


def check_level(level):
    """Raises a `ValueError` unless `level` is a number in (0, 1)."""
    if not isinstance(level, numbers.Real) or not 0 < level < 1:
        raise ValueError(
            "`level` is out of range. Expected the share of intervals that are to hold the truth, "
            f"in (0, 1). Received: level={level!r}"
        )
