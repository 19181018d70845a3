"""Parzen windows: the log-likelihood of test images (Goodfellow et al., 2014, table 1)."""

import dataclasses

import numpy as np
import tensorflow as tf

from evaluation.samples import check_numbers, check_same_shape, pixels
from evaluation.score import Measure, fingerprint

PROTOCOLS = {"goodfellow": 10_000, "fgan": 16_384}  # How many samples each takes.
BANDWIDTHS = np.logspace(-1, 0, 10)
FOLDS = 3
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
    samples, images = np.asarray(samples), np.asarray(images)
    bandwidths = _check_bandwidths(np.atleast_1d(bandwidths))
    low, step = _lattice(samples, images)
    centers, queries = _split(samples, low, step), _split(images, low, step)
    scales = step**2 / (2.0 * bandwidths**2)
    logs = np.empty((len(bandwidths), len(images)))
    for start in range(0, len(images), IMAGE_BLOCK):
        stop = min(start + IMAGE_BLOCK, len(images))
        logs[:, start:stop] = _log_sums(queries.rows(start, stop), centers, scales)
    volumes = centers.levels.shape[1] * np.log(bandwidths * np.sqrt(2.0 * np.pi))
    return logs - np.log(len(samples)) - volumes[:, None]


class ParzenLogLikelihood(Measure):
    """The mean log-likelihood of test images under Gaussian windows on the samples; nats.

    `1/n sum_x log(1/N sum_i N(x; s_i, sigma^2 I))`, with pixels in [0, 1] and no noise added to
    them. The standard error is `SD / sqrt(n)`, over the test images.

    The figure ranks generators poorly: blurred images can beat real ones (Theis et al., 2016).
    It depends on the number of samples and on how sigma was chosen:

    - `"goodfellow"`: 10,000 samples; of ten sigmas from 0.1 to 1 the one under which the
      validation images are likeliest. In the paper these are the first 1,000 of
      `train[50000:60000]`.
    - `"fgan"`: 16,384 samples; the sigma under which every third of the samples is likeliest when
      the windows are on the others (three folds, sample i in fold `i % 3`).

    Args:
        images: Test images: uint8 of shape `(n, ...)`, or floats in [0, 1].
        validation: Images of the same shape, for `"goodfellow"` only.
        protocol: `"goodfellow"` or `"fgan"`.
        bandwidth: One sigma, which is then fixed, or several to choose from;
            `numpy.logspace(-1, 0, 10)` by default.
        real: Training images, optional. Their own figure, with a sigma chosen in the same way,
            comes with every score: give as many as there will be samples.

    Raises:
        ValueError: If the protocol is unknown, images are missing, superfluous, or not pixels, or
            a bandwidth is out of range.

    Example:

    ```python
    (train, _), (test, _) = zoo.datasets.arrays("mnist"), zoo.datasets.arrays("mnist", "test")
    parzen = evaluation.ParzenLogLikelihood(test, train[50000:51000], real=train[:1000])
    score = parzen.evaluate(generator.sample(1000, seed=0))  # the protocol has 10,000 of both
    print(score, score.details["real"])
    ```

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 5 and table 1.
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), section 3.2.
        - [Theis et al., 2016](https://arxiv.org/abs/1511.01844), section 3.
    """

    name = "parzen_log_likelihood"
    higher_is_better = True

    def __init__(self, images, validation=None, protocol="goodfellow", bandwidth=None, real=None):
        if protocol not in PROTOCOLS:
            raise ValueError(
                f"Unknown protocol. Expected one of {sorted(PROTOCOLS)}. "
                f"Received: protocol={protocol!r}"
            )
        self.fixed = bandwidth is not None and np.ndim(bandwidth) == 0
        bandwidths = BANDWIDTHS if bandwidth is None else np.atleast_1d(bandwidth)
        self.bandwidths = np.sort(_check_bandwidths(bandwidths))
        wanted = protocol == "goodfellow" and not self.fixed
        if wanted != (validation is not None):
            raise ValueError(
                "Validation images are what a bandwidth is chosen on. Expected them with "
                "protocol='goodfellow' and without a fixed bandwidth, and only then. Received: "
                f"protocol={protocol!r}, bandwidth={bandwidth!r}, validation of shape "
                f"{None if validation is None else np.shape(validation)}"
            )
        self.protocol = protocol
        self.images = _pixels(images, "images")
        self.validation = self._like_images(validation, "validation")
        self.real = self._like_images(real, "real")
        self._of_real = None

    def evaluate(self, samples, labels=None):
        """The score of samples.

        Args:
            samples: uint8 images of shape `(N, ...)`, or floats in [0, 1].
            labels: Not used.

        Returns:
            A `Score` in nats. Its details are the `bandwidth`; where it was chosen, the
            `selection`, which is the log-likelihood that chose it; and with real images their
            `real`, `real_standard_error`, `real_bandwidth` and `real_count`.

        Raises:
            ValueError: If the samples are not pixels of the images' shape, or too few to choose a
                bandwidth on.
        """
        value, error, details = self._figure(self._like_images(np.asarray(samples), "samples"))
        notes = list(self._notes(len(samples), details))
        if self.real is not None:
            if self._of_real is None:
                self._of_real = self._figure(self.real)
            real, real_error, of_real = self._of_real
            details |= {
                "real": real,
                "real_standard_error": real_error,
                "real_bandwidth": of_real["bandwidth"],
                "real_count": len(self.real),
            }
            notes.append(f"The real images are {len(self.real)} of hash {fingerprint(self.real)}.")
            if len(self.real) != len(samples):
                notes.append(
                    f"There are {len(samples)} samples and {len(self.real)} real images: more "
                    "windows give a higher figure."
                )
        return self.score(value, self._protocol(len(samples)), error, details, notes)

    def _figure(self, samples):
        """Mean, standard error and details."""
        sigma, details = self.bandwidths[0], {}
        if not self.fixed:
            likelihoods = self._selection(samples)
            sigma = self.bandwidths[np.argmax(likelihoods)]
            details["selection"] = np.max(likelihoods)
        logs = log_likelihood(samples, self.images, sigma)[0]
        return logs.mean(), logs.std() / np.sqrt(len(logs)), {"bandwidth": sigma, **details}

    def _selection(self, samples):
        """The mean log-likelihood by which a bandwidth is chosen, for each of them."""
        if self.protocol == "goodfellow":
            return log_likelihood(samples, self.validation, self.bandwidths).mean(1)
        if len(samples) < FOLDS:
            raise ValueError(
                f"A bandwidth is chosen on {FOLDS} parts of the samples. Expected at least "
                f"{FOLDS}. Received: samples of shape {samples.shape}"
            )
        fold = np.arange(len(samples)) % FOLDS
        parts = [
            log_likelihood(samples[fold != i], samples[fold == i], self.bandwidths)
            for i in range(FOLDS)
        ]
        return np.concatenate(parts, axis=1).mean(1)

    def _protocol(self, count):
        return {
            "protocol": self.protocol,
            "samples": count,
            "images": len(self.images),
            "images_hash": fingerprint(self.images),
            "image_shape": self.images.shape[1:],
            "scaling": "pixels in [0, 1]",
            "bandwidths": self.bandwidths,
            "bandwidth_by": self._rule(),
        }

    def _rule(self):
        if self.fixed:
            return "fixed"
        if self.protocol == "fgan":
            return f"{FOLDS} folds of the samples"
        return f"{len(self.validation)} validation images of hash {fingerprint(self.validation)}"

    def _notes(self, count, details):
        if count != PROTOCOLS[self.protocol]:
            yield (
                f"The protocol {self.protocol!r} has {PROTOCOLS[self.protocol]} samples, these are "
                f"{count}: more windows give a higher figure."
            )
        ends = self.bandwidths[[0, -1]]
        if not self.fixed and details["bandwidth"] in ends:
            yield (
                f"The best bandwidth, {details['bandwidth']:.4g}, is an end of the range "
                f"{ends[0]:.4g} to {ends[1]:.4g}: a better one may lie outside."
            )

    def _like_images(self, array, name):
        if array is None:
            return None
        array = _pixels(array, name)
        check_same_shape(array, self.images, name)
        return array


@dataclasses.dataclass(frozen=True)
class _Vectors:
    """Vectors `x = low + step (128 + k + r)` as integers k in [-128, 127] and remainders r."""

    levels: np.ndarray
    rest: np.ndarray | None
    squares: np.ndarray  # |k + r|^2, float64.

    def rows(self, start, stop):
        """A part of the vectors."""
        rest = None if self.rest is None else self.rest[start:stop]
        return _Vectors(self.levels[start:stop], rest, self.squares[start:stop])


def _split(array, low, step):
    flat = array.reshape(len(array), -1)
    levels = np.empty(flat.shape, "float32")
    rest = None if array.dtype == np.uint8 else np.empty(flat.shape, "float32")
    squares = np.empty(len(flat))
    for start in range(0, len(flat), SAMPLE_BLOCK):
        rows = slice(start, start + SAMPLE_BLOCK)
        exact = flat[rows].astype("float64")
        if rest is not None:
            exact = (exact - low) / step
            rest[rows] = exact - np.rint(exact)
        levels[rows] = np.rint(exact) - LEVELS // 2
        squares[rows] = np.sum((exact - LEVELS // 2) ** 2, axis=1)
    if rest is not None and np.max(np.abs(rest)) < 1e-9:
        rest = None  # Pixels in 255ths.
    return _Vectors(levels, rest, squares)


def _log_sums(queries, centers, scales):
    """`logsumexp_i(-scale |x - s_i|^2)` in float64, shape `(len(scales), queries)`."""
    logs = np.full((len(scales), len(queries.squares)), -np.inf)
    for start in range(0, len(centers.squares), SAMPLE_BLOCK):
        block = centers.rows(start, start + SAMPLE_BLOCK)
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
    for start in range(0, a.levels.shape[1], FEATURES):
        part = slice(start, start + FEATURES)
        level, other = -2.0 * a.levels[:, part], b.levels[:, part]
        products.append(tf.matmul(level, other, transpose_b=True))
        if b.rest is not None:
            products.append(tf.matmul(level, b.rest[:, part], transpose_b=True))
            other = other + b.rest[:, part]
        if a.rest is not None:
            products.append(tf.matmul(-2.0 * a.rest[:, part], other, transpose_b=True))
    return tf.add_n([tf.cast(product, "float64") for product in products])


def _lattice(samples, images):
    """The lowest value and the step of 256 levels that span both arrays."""
    arrays = {"samples": samples, "images": images}
    for name, array in arrays.items():
        check_numbers(array, name)
    check_same_shape(samples, images)
    if any(array.dtype == np.uint8 for array in arrays.values()):
        for name, array in arrays.items():
            _pixels(array, name)
        return 0.0, 1.0 / (LEVELS - 1)
    low, high = (float(f([f(a) for a in arrays.values()])) for f in (np.min, np.max))
    if 0.0 <= low and high <= 1.0:
        return 0.0, 1.0 / (LEVELS - 1)
    return low, (high - low) / (LEVELS - 1) or 1.0


def _pixels(images, name):
    """Images that are known to be pixels in [0, 1]; uint8 stays uint8."""
    images = np.asarray(images)
    if images.dtype == np.uint8 and images.ndim and images.size:
        return images
    return pixels(images, name)


def _check_bandwidths(bandwidths):
    bandwidths = np.asarray(bandwidths)
    numbers = bandwidths.dtype.kind in "fiu" and bandwidths.ndim == 1 and bandwidths.size
    if not numbers or not np.all((bandwidths >= 1e-6) & (bandwidths <= 1e6)):
        raise ValueError(
            "A bandwidth is a standard deviation in the unit of the pixels. Expected numbers in "
            f"[1e-6, 1e6]. Received: bandwidth={bandwidths.tolist()}"
        )
    return bandwidths.astype("float64")
