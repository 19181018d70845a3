"""The Kolmogorov-Smirnov distance of samples from a distribution on the line."""

import numpy as np
from scipy import stats

from evaluation.samples import on_a_line
from zoo.validation import as_array, check_callable, in_short


def ks_statistic(samples, cdf):
    """The Kolmogorov-Smirnov distance of samples from a distribution.

    `sup_x |F_n(x) - F(x)|`, with `F_n` the share of samples up to x. The p-value is the
    probability of so large a distance for n independent draws from a continuous F.

    Args:
        samples: Numbers of shape `(n,)` or `(n, 1)`.
        cdf: A function of numbers to probabilities, such as `scipy.stats.norm.cdf`.

    Returns:
        `(statistic, p_value)`, floats.

    Raises:
        ValueError: If the samples are not finite numbers on one line, or the cdf gives something
            else than probabilities.

    Reference:
        - Kolmogorov, 1933, Giornale dell'Istituto Italiano degli Attuari 4, pages 83 to 91.
    """
    samples = on_a_line(samples)
    _probabilities(cdf, samples)
    result = stats.kstest(samples, cdf)
    return float(result.statistic), float(result.pvalue)


def ks_distances(samples, cdf):
    """The Kolmogorov-Smirnov distance of each of many samples: `ks_statistic` of every row.

    Args:
        samples: Array `(replicates, n)`.
        cdf: A function of numbers to probabilities.

    Returns:
        float64 array `(replicates,)`.

    Raises:
        ValueError: If the samples are no such array, or not finite, or the cdf gives something
            else than probabilities.
    """
    samples = as_array("iuf", samples=samples)
    if samples.ndim != 2 or not samples.size or not np.isfinite(samples).all():
        raise ValueError(
            "`samples` are no rows of finite numbers. Expected an array (replicates, n). "
            f"Received: samples of shape {samples.shape}"
        )
    probabilities = _probabilities(cdf, np.sort(samples.astype("float64"), axis=1))
    steps = np.arange(samples.shape[1] + 1) / samples.shape[1]
    above, below = steps[1:] - probabilities, probabilities - steps[:-1]
    return np.maximum(above.max(axis=1), below.max(axis=1))


def _probabilities(cdf, samples):
    check_callable("a function of numbers to probabilities", cdf=cdf)
    try:
        probabilities = as_array("iuf", cdf=cdf(samples))
    except Exception as error:  # Whatever the user's function raises.
        raise ValueError(
            f"`cdf` does not run: {type(error).__name__}: {error}. Expected a function of an array "
            f"of numbers to their probabilities. Received: cdf={in_short(cdf)}"
        ) from error
    if probabilities.shape != samples.shape or not np.all(
        (probabilities >= 0) & (probabilities <= 1)
    ):
        raise ValueError(
            "`cdf` does not give probabilities. Expected numbers in [0, 1] of shape "
            f"{samples.shape}. Received: cdf(samples) of shape {probabilities.shape}, with others"
        )
    return probabilities
