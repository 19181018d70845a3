"""Mean and covariance of features, over batches of any sizes (Chan, Golub and LeVeque, 1983)."""

import numpy as np

from evaluation import features
from evaluation.samples import check_numbers
from zoo.validation import as_array, as_tuple, check_number


class Moments:
    """Mean and covariance of features that come in batches of any sizes, in float64.

    Two batches of n_a and n_b rows, with means m_a, m_b and scatters `S = sum (x - m)(x - m)^T`,
    make one by `S = S_a + S_b + n_a n_b / n (m_b - m_a)(m_b - m_a)^T`: every row counts as much as
    every other, in whatever batch it came.

    Attributes:
        count: int, rows so far.
        mean: float64 of shape `(d,)`.

    Reference:
        - Chan, Golub and LeVeque, 1983, Algorithms for computing the sample variance, equation 2.1.
    """

    def __init__(self):
        self.count, self.mean, self._scatter = 0, None, None

    def update(self, rows):
        """Takes features in: floats of shape `(n, d)`. Returns the moments themselves.

        Raises:
            ValueError: If they are not finite floats, or another number of features.
        """
        rows = np.asarray(features.extract(None, rows, name="rows"), "float64")
        if self.mean is None:
            self.mean = np.zeros(rows.shape[1])
            self._scatter = np.zeros((rows.shape[1],) * 2)
        if rows.shape[1:] != self.mean.shape:
            raise ValueError(
                "`rows` have other features than the batches before. Expected shape "
                f"(n, {len(self.mean)}). Received: rows of shape {rows.shape}"
            )
        count, mean = len(rows), rows.mean(axis=0)
        centred = rows - mean
        shift, total = mean - self.mean, self.count + count
        self._scatter += centred.T @ centred
        self._scatter += np.outer(shift, shift) * (self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = total
        return self

    @property
    def covariance(self):
        """The unbiased covariance `S / (n - 1)`, float64 of shape `(d, d)`.

        Raises:
            ValueError: If there are fewer than two rows.
        """
        if self.count < 2:
            raise ValueError(
                "`count` is too small for a covariance. Expected at least 2 rows. "
                f"Received: count={self.count}"
            )
        return self._scatter / (self.count - 1)

    @property
    def statistics(self):
        """`(mean, covariance, count)`."""
        return self.mean, self.covariance, self.count


def check_statistics(statistics):
    """`(mean, covariance, count)` in float64, and int.

    Raises:
        ValueError: If they are not statistics of at least two rows.
    """
    try:
        mean, covariance, count = as_tuple(statistics=statistics)
    except ValueError:
        raise ValueError(
            "`statistics` do not have three entries. Expected (mean, covariance, count). "
            f"Received: statistics of type {type(statistics).__name__}"
        ) from None
    mean, covariance = check_moments(mean, covariance)
    check_number("an integer of at least 2", count=count)
    if not float(count).is_integer() or count < 2:
        raise ValueError(
            "`count` of the `statistics` is out of range. Expected an integer of at least 2. "
            f"Received: count={count!r}"
        )
    return mean, covariance, int(count)


def check_moments(mean, covariance, prefix=""):
    """A mean and a covariance in float64, the latter made symmetric to the last bit.

    Raises:
        ValueError: If shapes do not fit, or the covariance is not symmetric; `prefix` goes before
            the arguments' names.
    """
    mean = as_array(**{f"{prefix}mean": mean})
    covariance = as_array(**{f"{prefix}covariance": covariance})
    check_numbers(mean, f"{prefix}mean")
    check_numbers(covariance, f"{prefix}covariance")
    if mean.ndim != 1 or covariance.shape != 2 * mean.shape:
        raise ValueError(
            f"`{prefix}mean` and `{prefix}covariance` do not fit. Expected shapes (d,) and (d, d). "
            f"Received: {prefix}mean of shape {mean.shape}, {prefix}covariance of shape "
            f"{covariance.shape}"
        )
    mean, covariance = mean.astype("float64"), covariance.astype("float64")
    skew = np.max(np.abs(covariance - covariance.T))
    if skew > 1e-5 * np.max(np.abs(covariance)):  # float32 statistics are not quite symmetric.
        raise ValueError(
            f"`{prefix}covariance` is not symmetric. Expected a symmetric matrix. "
            f"Received: {prefix}covariance with asymmetry {skew:.4g}"
        )
    return mean, (covariance + covariance.T) / 2.0
