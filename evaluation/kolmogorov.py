"""The Kolmogorov-Smirnov distance of samples from a distribution on the line."""

import numpy as np
from scipy import stats

from evaluation.samples import on_a_line


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
    probabilities = np.asarray(cdf(samples))
    if probabilities.shape != samples.shape or not np.all(
        (probabilities >= 0) & (probabilities <= 1)
    ):
        raise ValueError(
            "`cdf` does not give probabilities. Expected numbers in [0, 1] of shape "
            f"{samples.shape}. Received: cdf(samples) of shape {probabilities.shape}, with others"
        )
    result = stats.kstest(samples, cdf)
    return float(result.statistic), float(result.pvalue)
