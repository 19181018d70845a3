"""The log density under Gaussian windows on samples (Parzen, 1962), by products that are exact."""

import dataclasses

import numpy as np
import tensorflow as tf

from evaluation.samples import check_numbers, check_same_shape, checked_pixels
from zoo.blocks import slices
from zoo.validation import as_array

LEVELS = 256
FEATURES = 1024  # Sums of so many products of integers in [-128, 127] are at most 2^24.
IMAGE_BLOCK, SAMPLE_BLOCK = 256, 4096  # 8 MiB of distances in float64.


def log_likelihood(samples, images, bandwidths):
    """The log density of every image under a Gaussian window on every sample.

    `log p(x) = log(1/N sum_i N(x; s_i, sigma^2 I))
              = logsumexp_i(-|x - s_i|^2 / (2 sigma^2)) - log N - d log(sigma sqrt(2 pi))`

    Distances come from products, `|x - s|^2 = |x|^2 + |s|^2 - 2 x.s`, of which float32 loses what
    a narrow window needs. So the range of the data is divided into 256 levels, counted from -128:
    products of levels are integers, and float32 adds them exactly. uint8 images are nothing but
    levels; floats have a remainder, whose products are small, and so are their rounding errors.

    Args:
        samples: Array of shape `(N, ...)`, the centres: uint8, which counts as pixels in [0, 1],
            or floats, which are taken as they are.
        images: Array of shape `(n, ...)`, likewise; beside uint8, floats have to lie in [0, 1].
        bandwidths: One or several sigmas in [1e-6, 1e6], in the unit of the pixels.

    Returns:
        A float64 array of shape `(len(bandwidths), n)`.

    Raises:
        ValueError: If shapes differ, there is nothing to compare, a number is not finite, the
            scalings cannot be compared, or a bandwidth is out of range.

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 5.
    """
    samples, images = as_array(samples=samples), as_array(images=images)
    bandwidths = check_bandwidths(np.atleast_1d(as_array(bandwidths=bandwidths)))
    low, step = _lattice(samples, images)
    centres, queries = _split(samples, low, step), _split(images, low, step)
    scales = step**2 / (2.0 * bandwidths**2)
    logs = np.empty((len(bandwidths), len(images)))
    for rows in slices(len(images), IMAGE_BLOCK):
        logs[:, rows] = _log_sums(queries[rows], centres, scales)
    volumes = centres.levels.shape[1] * np.log(bandwidths * np.sqrt(2.0 * np.pi))
    return logs - np.log(len(samples)) - volumes[:, None]


@dataclasses.dataclass(frozen=True)
class _Vectors:
    """Vectors `x = low + step (128 + k + r)` as integers k in [-128, 127] and remainders r."""

    levels: np.ndarray
    rest: np.ndarray | None
    squares: np.ndarray  # |k + r|^2, float64.

    def __getitem__(self, rows):
        """Some of the vectors."""
        rest = None if self.rest is None else self.rest[rows]
        return _Vectors(self.levels[rows], rest, self.squares[rows])


def _split(array, low, step):
    flat = array.reshape(len(array), -1)
    levels = np.empty(flat.shape, "float32")
    rest = None if array.dtype == np.uint8 else np.empty(flat.shape, "float32")
    squares = np.empty(len(flat))
    for rows in slices(len(flat), SAMPLE_BLOCK):
        exact = flat[rows].astype("float64")
        if rest is not None:
            exact = (exact - low) / step
            rest[rows] = exact - np.rint(exact)
        levels[rows] = np.rint(exact) - LEVELS // 2
        squares[rows] = np.sum((exact - LEVELS // 2) ** 2, axis=1)
    if rest is not None and np.max(np.abs(rest)) < 1e-9:
        rest = None  # Pixels in 255ths.
    return _Vectors(levels, rest, squares)


def _log_sums(queries, centres, scales):
    """`logsumexp_i(-scale |x - s_i|^2)` in float64, shape `(len(scales), queries)`."""
    logs = np.full((len(scales), len(queries.squares)), -np.inf)
    for rows in slices(len(centres.squares), SAMPLE_BLOCK):
        block = centres[rows]
        squared = _minus_twice_products(queries, block) + block.squares  # Less |x|^2.
        nearest = tf.reduce_min(squared, axis=1, keepdims=True)
        # Beyond the nearest one, float32 has all the digits that an exponential can show.
        excess = tf.cast(squared - nearest, "float32")
        sums = [tf.reduce_sum(tf.exp(excess * -np.float32(scale)), axis=1) for scale in scales]
        distances = queries.squares + nearest[:, 0]
        sums = np.log(np.array(sums, "float64")) - scales[:, None] * distances
        logs = np.logaddexp(logs, sums)
    return logs


def _minus_twice_products(a, b):
    """`-2 a.b` of all pairs in float64, in units of `step^2`."""
    products = []
    for columns in slices(a.levels.shape[1], FEATURES):
        level, other = -2.0 * a.levels[:, columns], b.levels[:, columns]
        products.append(tf.matmul(level, other, transpose_b=True))
        if b.rest is not None:
            products.append(tf.matmul(level, b.rest[:, columns], transpose_b=True))
            other = other + b.rest[:, columns]
        if a.rest is not None:
            products.append(tf.matmul(-2.0 * a.rest[:, columns], other, transpose_b=True))
    return tf.add_n([tf.cast(product, "float64") for product in products])


def _lattice(samples, images):
    """The lowest value and the step of 256 levels that span both arrays."""
    arrays = {"samples": samples, "images": images}
    for name, array in arrays.items():
        check_numbers(array, name)
    check_same_shape(samples, images)
    if any(array.dtype == np.uint8 for array in arrays.values()):
        for name, array in arrays.items():
            checked_pixels(array, name)
        return 0.0, 1.0 / (LEVELS - 1)
    low, high = (float(f([f(a) for a in arrays.values()])) for f in (np.min, np.max))
    if 0.0 <= low and high <= 1.0:
        return 0.0, 1.0 / (LEVELS - 1)
    return low, (high - low) / (LEVELS - 1) or 1.0


def check_bandwidths(bandwidths):
    """Standard deviations of windows in float64, of shape `(n,)`.

    Raises:
        ValueError: If they are no such numbers in [1e-6, 1e6].
    """
    bandwidths = as_array(bandwidth=bandwidths)
    numbers = bandwidths.dtype.kind in "fiu" and bandwidths.ndim == 1 and bandwidths.size
    if not numbers or not np.all((bandwidths >= 1e-6) & (bandwidths <= 1e6)):
        raise ValueError(
            "`bandwidth` is out of range. Expected standard deviations in [1e-6, 1e6], in the unit "
            f"of the pixels. Received: bandwidth={bandwidths.tolist()}"
        )
    return bandwidths.astype("float64")
