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
from zoo.validation import (
    INTEGERS,
    LARGEST,
    as_array,
    as_tuple,
    check_callable,
    check_integer,
    check_memory,
    check_number,
    in_short,
)

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
    check_level(level=level)
    estimates = as_array("iuf", estimates=estimates)
    errors = as_array("iuf", standard_error=standard_error)
    if errors.shape not in ((), estimates.shape) or not np.all(errors >= 0):
        raise ValueError(
            "`standard_error` is none, or not one a replicate. Expected a number of at least 0, or "
            f"as many as estimates. Received: standard_error of shape {errors.shape} beside "
            f"estimates of shape {estimates.shape}"
        )
    reach = stats.norm.ppf((1 + level) / 2) * errors
    return estimates - reach, estimates + reach


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
    check_level(level=level)
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
    check_level(level=level)
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
    check_integer(1, LARGEST, resamples=resamples)
    check_level(level=level)
    check_integer(0, seed=seed)
    check_callable("a function of an array to its statistic", statistic=statistic)
    samples = _rows(samples, 1)
    check_memory(resamples * samples.shape[1], 16, resamples=resamples)
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
    ends = as_tuple(interval=interval)
    if len(ends) != 2:
        raise ValueError(
            "`interval` is no pair of ends. Expected two arrays of one shape (replicates,). "
            f"Received: {len(ends)} ends"
        )
    check_number(truth=truth)
    lower, upper = (as_array("iuf", interval=end).astype("float64") for end in ends)
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
    check_level(level=level)
    check_level(confidence=confidence)
    check_integer(1, INTEGERS - 1, count=count)
    lower, upper = stats.binom.interval(confidence, count, level)
    return float(lower) / count, float(upper) / count


def _rows(samples, least):
    samples = as_array("iuf", samples=samples)
    if samples.ndim != 2 or not len(samples) or samples.shape[1] < least:
        raise ValueError(
            f"`samples` are no rows of replicates. Expected an array (replicates, n) with n at "
            f"least {least}. Received: samples of shape {samples.shape}"
        )
    return samples


def check_level(**levels):
    """Raises a `ValueError` naming the first argument that is no number in (0, 1)."""
    for name, level in levels.items():
        if not isinstance(level, numbers.Real) or not 0 < level < 1:
            raise ValueError(
                f"`{name}` is out of range. Expected the share of intervals that are to hold the "
                f"truth, in (0, 1). Received: {name}={in_short(level)}"
            )
