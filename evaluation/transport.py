"""Optimal transport: Wasserstein distances on a line, and sliced ones (Bonneel et al., 2015)."""

import numpy as np

from evaluation.samples import check_numbers, check_same_shape, on_a_line, pixels
from evaluation.score import Measure, fingerprint
from zoo import random
from zoo.blocks import slices
from zoo.validation import LARGEST, as_array, check_integer, check_seed, in_short

BLOCK = 2**21  # Projected numbers at a time: 16 MiB in float64.
ORDERS = (1, 2)


def wasserstein(samples, data, order=1):
    """The Wasserstein distance of two sets of numbers.

    `W_p = (int_0^1 |F^-1(u) - G^-1(u)|^p du)^(1/p)`, the least mean cost of moving one set's mass
    to the other's, where moving by r costs `r^p`. On a line the smallest goes to the smallest.

    Args:
        samples: Numbers of shape `(n,)` or `(n, 1)`.
        data: Numbers of shape `(m,)` or `(m, 1)`.
        order: p, 1 or 2.

    Returns:
        float, in the unit of the numbers.

    Raises:
        ValueError: If they are not finite numbers on a line, or the order is another one.

    Reference:
        - [Peyré and Cuturi, 2019](https://arxiv.org/abs/1803.00567), remark 2.30.
    """
    _check_order(order)
    samples, data = on_a_line(samples), on_a_line(data, "data")
    return float(_costs(samples[None], data[None], order)[0] ** (1.0 / order))


def sliced_wasserstein(samples, data, order=1, projections=256, seed=0):
    """The Wasserstein distance of points seen along random directions.

    `SW_p = (mean_k W_p(samples . u_k, data . u_k)^p)^(1/p)`, with directions u_k uniform on the
    sphere, and all of a seed: with more of them it tends to the mean over the sphere. A shift by
    delta in d dimensions has `SW_2 = |delta| / sqrt(d)`.

    Args:
        samples: Array of shape `(n, ...)`: uint8, which counts as pixels in [0, 1], or floats,
            which are taken as they are.
        data: Array of shape `(m, ...)`, likewise; beside uint8, floats have to lie in [0, 1].
        order: p, 1 or 2.
        projections: int >= 1, the number of directions.
        seed: int.

    Returns:
        float, in the unit of the points.

    Raises:
        ValueError: If shapes differ, a number is not finite, the scalings cannot be compared, or an
            argument is out of range.

    Reference:
        - [Bonneel et al., 2015](https://doi.org/10.1007/s10851-014-0506-3), definition 7.
    """
    _check_arguments(order, projections, seed)
    samples, data = _points(samples, data)
    return float(np.mean(_sliced(samples, data, order, projections, seed)) ** (1.0 / order))


class SlicedWasserstein(Measure):
    """The sliced Wasserstein distance of samples to data; `sliced_wasserstein` says what it is.

    Two draws from one distribution are not at distance 0 from each other: compare with what as many
    held-out data have.

    Args:
        data: Array of shape `(m, ...)`: uint8 images, or floats, which are points in their own
            unit. Samples are images beside images, in uint8 or in [0, 1], and points beside points.
        order: 1 or 2.
        projections: int >= 1, the number of directions.
        seed: int, of the directions.

    Raises:
        ValueError: If data are not finite numbers, or an argument is out of range.
    """

    name = "sliced_wasserstein"
    higher_is_better = False

    def __init__(self, data, order=2, projections=256, seed=0):
        _check_arguments(order, projections, seed)
        self.data = as_array(data=data)
        check_numbers(self.data, "data")
        self.order, self.projections, self.seed = order, projections, seed

    def evaluate(self, samples, labels=None):
        """The score of samples.

        Args:
            samples: Array of shape `(n, ...)`, as the data.
            labels: Not used.

        Returns:
            A `Score`. Its details are the `largest` distance along a direction, and the
            `projection_error`: the standard error of the figure over the draw of the directions.

        Raises:
            ValueError: If the samples are not finite numbers, or of another shape or scaling.
        """
        samples = as_array(samples=samples)
        images = self.data.dtype == np.uint8
        if not images and samples.dtype == np.uint8:
            raise ValueError(
                "`samples` are images, and the data are points in a unit of their own. Expected "
                f"floats. Received: samples of dtype {samples.dtype}"
            )
        points, data = _points(samples, self.data)
        costs = _sliced(points, data, self.order, self.projections, self.seed)
        value = np.mean(costs) ** (1.0 / self.order)
        error = np.std(costs) / np.sqrt(len(costs))
        if self.order == 2 and value > 0:
            error /= 2.0 * value
        protocol = {
            "order": self.order,
            "projections": self.projections,
            "seed": self.seed,
            "samples": len(samples),
            "data": len(self.data),
            "data_hash": fingerprint(self.data),
            "scaling": "pixels in [0, 1]" if images else "as they are",
        }
        largest = np.max(costs) ** (1.0 / self.order)
        return self.score(value, protocol, details={"largest": largest, "projection_error": error})


def directions(count, dimensions, seed):
    """Unit vectors, uniform on the sphere, row by row a function of the seed.

    Args:
        count: int, the number of rows.
        dimensions: int, the number of columns.
        seed: int.

    Returns:
        A float64 array of shape `(count, dimensions)`.
    """
    draws = random.normal((count, dimensions), (seed, 0)).numpy().astype("float64")
    return draws / np.linalg.norm(draws, axis=1, keepdims=True)


def _sliced(samples, data, order, projections, seed):
    """`W_p^p` along every direction."""
    units = directions(projections, samples.shape[1], seed)
    size = max(1, BLOCK // max(len(samples), len(data)))
    blocks = (units[rows] for rows in slices(projections, size))
    return np.concatenate([_costs(block @ samples.T, block @ data.T, order) for block in blocks])


def _costs(a, b, order):
    """`W_p^p` of the rows of a `(k, n)` and b `(k, m)`."""
    a, b = np.sort(a, axis=1), np.sort(b, axis=1)
    n, m = a.shape[1], b.shape[1]
    if n == m:
        return np.mean(np.abs(a - b) ** order, axis=1)
    # Between two of these ranks, in units of 1 / (n m), neither quantile function jumps.
    ranks = np.union1d(m * np.arange(1, n + 1), n * np.arange(1, m + 1))
    widths = np.diff(ranks, prepend=0) / (n * m)
    return np.abs(a[:, (ranks - 1) // m] - b[:, (ranks - 1) // n]) ** order @ widths


def _points(samples, data):
    """Both as float64 vectors of one unit."""
    samples, data = as_array(samples=samples), as_array(data=data)
    convert = pixels if np.uint8 in (samples.dtype, data.dtype) else _numbers
    samples, data = convert(samples, "samples"), convert(data, "data")
    check_same_shape(samples, data, reference_name="data")
    return samples.reshape(len(samples), -1), data.reshape(len(data), -1)


def _numbers(array, name):
    check_numbers(array, name)
    return array.astype("float64")


def _check_arguments(order, projections, seed):
    _check_order(order)
    check_integer(1, LARGEST, projections=projections)
    check_seed(seed)


def _check_order(order):
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order not in ORDERS:
        raise ValueError(
            f"`order` is out of range. Expected one of {ORDERS}. Received: order={in_short(order)}"
        )
