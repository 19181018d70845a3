"""The Fréchet distance of two distributions of features (Heusel et al., 2017)."""

import keras
import numpy as np
import tensorflow as tf
import tensorflow.experimental.numpy as tnp

from evaluation import features
from evaluation.moments import Moments, check_moments, check_statistics
from evaluation.score import Measure, fingerprint
from zoo.validation import as_array

EPSILON = np.finfo("float64").eps


def distance(mean, covariance, other_mean, other_covariance):
    """The squared 2-Wasserstein distance of two normal distributions.

    `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1^(1/2) C2 C1^(1/2))^(1/2))`. The trace of the root is the sum
    of the singular values of `C1^(1/2) C2^(1/2)`, with symmetric roots from eigendecompositions: no
    root of a product is taken, so nothing is complex, and a rounding error e stays e, where the
    root of an eigenvalue of the product would make sqrt(e) of it.

    Args:
        mean, other_mean: Floats of shape `(d,)`.
        covariance, other_covariance: Floats of shape `(d, d)`, symmetric and without negative
            eigenvalues, but for rounding; they may be singular.

    Returns:
        float >= 0.

    Raises:
        ValueError: If shapes do not fit, or a covariance is none.

    Reference:
        - [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), equation 6.
        - Dowson and Landau, 1982, The Fréchet distance between multivariate normal distributions.
    """
    mean, covariance = check_moments(mean, covariance)
    other_mean, other_covariance = check_moments(other_mean, other_covariance, "other_")
    if mean.shape != other_mean.shape:
        raise ValueError(
            "`mean` and `other_mean` have different features. Expected means of one shape. "
            f"Received: means of shape {mean.shape} and {other_mean.shape}"
        )
    return float(sum(_terms(mean, _root(covariance), other_mean, _root(other_covariance))))


class FrechetDistance(Measure):
    """The Fréchet distance of samples to reference data, in features; `distance` has the formula.

    It is biased: of n samples and m reference data it is too large, in expectation by at least
    `tr(C1) / n + tr(C2) / m`, so figures compare at equal counts only. The protocol names the
    reference by a hash of the images or of the statistics, whichever were given, so figures of one
    kind do not compare with those of the other.

    Args:
        images_or_features: Reference images, or features of shape `(m, d)` without an extractor.
        extractor: What makes features of images, such as `evaluation.extractors.load("mnist")`.
        statistics: `(mean, covariance, count)` of reference features, in place of the reference.

    Raises:
        ValueError: If there is not exactly one reference, or it is not what it should be.

    Example:

    ```python
    import evaluation, zoo

    generator = zoo.from_preset("mlp_mnist_gan")
    extractor = evaluation.extractors.load("mnist")
    of_test = extractor.statistics["test"]
    frechet = evaluation.FrechetDistance(statistics=of_test, extractor=extractor)
    score = frechet.evaluate(generator.sample(1000, seed=0))
    ```

    Reference:
        - [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), equation 6.
    """

    name = "frechet_distance"
    higher_is_better = False

    @property
    def blind_to(self):
        """Of points; a classifier's features separate what these moments mix up."""
        moments = "a cloud of the data's mean and covariance, to which points are no more"
        return moments if self.extractor is None else None

    def __init__(self, images_or_features=None, extractor=None, statistics=None):
        if (images_or_features is None) == (statistics is None):
            raise ValueError(
                "`images_or_features` and `statistics` exclude each other. Expected either "
                "images_or_features or statistics, the one reference. "
                f"Received: {'both' if statistics is not None else 'neither'}"
            )
        self.extractor = extractor
        if statistics is None:
            images_or_features = as_array(reference=images_or_features)
            self.reference, self.hash = "data", fingerprint(images_or_features)
            statistics = _moments(extractor, images_or_features, "reference").statistics
        else:
            self.reference = "statistics"
            statistics = check_statistics(statistics)
            self.hash = fingerprint(np.concatenate([statistics[0][None], statistics[1]]))
        self.mean, self.covariance, self.count = statistics
        self._root = _root(self.covariance)

    def evaluate(self, samples, labels=None):
        """The score of samples.

        Args:
            samples: Images, or features `(n, d)` without an extractor; at least two.
            labels: Not used.

        Returns:
            A `Score`. Its details are the two terms of the formula, `mean_term` and
            `covariance_term`, and the `least_bias`.

        Raises:
            ValueError: If there are fewer than two, or they cannot be measured.
        """
        moments = _moments(self.extractor, samples, "samples")
        if moments.mean.shape != self.mean.shape:
            raise ValueError(
                "`samples` have other features than the reference. Expected "
                f"{len(self.mean)} features. Received: {len(moments.mean)} features of samples"
            )
        terms = _terms(moments.mean, _root(moments.covariance), self.mean, self._root)
        least_bias = np.trace(moments.covariance) / moments.count
        least_bias += np.trace(self.covariance) / self.count
        protocol = {
            **features.protocol(self.extractor),
            "features": len(self.mean),
            "samples": moments.count,
            "reference": self.reference,
            "reference_count": self.count,
            "reference_hash": self.hash,
            "covariance": "unbiased (n - 1)",
        }
        notes = [
            f"There are {count} {what} for {len(self.mean)} features: their covariance is "
            f"singular, and the distance too large, by {least_bias:.4g} at the least."
            for what, count in (("samples", moments.count), ("reference data", self.count))
            if count <= len(self.mean)
        ]
        details = {
            "mean_term": terms[0],
            "covariance_term": terms[1],
            "least_bias": least_bias,
        }
        return self.score(sum(terms), protocol, details=details, notes=notes)


@keras.saving.register_keras_serializable(package="zoo")
class FrechetMetric(keras.metrics.Metric):
    """The Fréchet distance of batches to reference statistics, as a Keras metric.

    It keeps the count, `sum (x - m)` and `sum (x - m)(x - m)^T` in float64, with m the mean of the
    reference: sums that add up over batches of any sizes and over replicas, and from which the
    covariance loses no more digits than the distance has left. Memory is d^2 numbers, `result`
    costs d^3; it is infinite below two samples. Within a graph an extractor runs as a Python
    function, outside XLA.

    Args:
        statistics: `(mean, covariance, count)` of reference features.
        extractor: As for `FrechetDistance`; `None` where features come in.
        name: str.
        dtype: Not used: all is float64.

    Raises:
        ValueError: If the statistics are none.

    Example:

    ```python
    import evaluation, zoo

    generator = zoo.from_preset("mlp_mnist_gan")
    extractor = evaluation.extractors.load("mnist")
    metric = evaluation.FrechetMetric(extractor.statistics["test"], extractor)
    for seed in range(4):
        metric.update_state(generator.sample(500, seed=seed))
    print(float(metric.result()))
    ```
    """

    def __init__(self, statistics, extractor=None, name="frechet_distance", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.statistics = check_statistics(statistics)
        self.extractor = extractor
        size = len(self.statistics[0])
        self._mean = tf.constant(self.statistics[0], "float64")
        self._root = tf.constant(_root(self.statistics[1]), "float64")
        shapes = {"total": (), "shifts": (size,), "products": (size, size)}
        for variable, shape in shapes.items():
            added = self.add_variable(shape, "zeros", dtype="float64", name=variable)
            setattr(self, variable, added)

    def update_state(self, images):
        """Takes a batch in: images, or features `(n, d)` without an extractor.

        Raises:
            ValueError: If they cannot be measured; in a graph, where values are not known, a NaN
                makes the result NaN.
        """
        rows = self._features(images)
        shifted = tf.cast(rows, "float64") - self._mean
        self.total.assign_add(tf.cast(tf.shape(shifted)[0], "float64"))
        self.shifts.assign_add(tf.reduce_sum(shifted, 0))
        self.products.assign_add(tf.matmul(shifted, shifted, transpose_a=True))

    def result(self):
        """The distance so far, a float64 scalar."""
        total = tf.convert_to_tensor(self.total)
        count = tf.maximum(total, 2.0)
        shift = self.shifts / count
        scatter = self.products - count * shift[:, None] * shift[None, :]
        root = _root(scatter / (count - 1.0))
        distance = tf.add_n(_terms(shift, root, tf.zeros_like(shift), self._root))
        return tf.where(total < 2.0, tf.constant(np.inf, "float64"), distance)

    def get_config(self):
        """The statistics as lists. An extractor has no config.

        Raises:
            NotImplementedError: If the metric has an extractor.
        """
        if self.extractor is not None:
            raise NotImplementedError(
                "`extractor` is not written into a config. Expected a metric of features. "
                f"Received: extractor={self.extractor!r}"
            )
        mean, covariance, count = self.statistics
        statistics = [mean.tolist(), covariance.tolist(), count]
        return {**super().get_config(), "statistics": statistics, "extractor": None}

    def _features(self, images):
        if not tf.is_tensor(images) or tf.executing_eagerly():
            rows = features.extract(self.extractor, np.asarray(images), name="images")
        elif self.extractor is None:
            rows = images
        else:
            run = lambda batch: features.extract(self.extractor, batch).astype("float64")  # noqa: E731
            rows = tf.numpy_function(run, [images], tf.float64)
            rows.set_shape((None, len(self.statistics[0])))
        if len(rows.shape) != 2 or rows.shape[1] != len(self.statistics[0]):
            raise ValueError(
                "`images` have other features than the reference. Expected shape "
                f"(n, {len(self.statistics[0])}). Received: features of shape {tuple(rows.shape)}"
            )
        return rows


def _moments(extractor, samples, name):
    moments = Moments()
    for rows in features.batches(extractor, samples, at_least=2, name=name):
        moments.update(rows)
    return moments


def _terms(mean, root, other_mean, other_root):
    """The term of the means and that of the covariances, given by their roots; both >= 0."""
    library, linalg = _library(root)
    overlap = library.sum(linalg.svd(root @ other_root, compute_uv=False))
    spread = library.sum(root**2) + library.sum(other_root**2) - 2.0 * overlap
    return library.sum((mean - other_mean) ** 2), library.maximum(spread, 0.0)


def _root(covariance):
    """The symmetric root; eigenvalues that are but rounding, of either sign, count as 0."""
    library, linalg = _library(covariance)
    values, vectors = linalg.eigh(covariance)
    largest = library.max(library.abs(values))
    # float32 statistics are positive to their own precision; in a graph, nothing is known yet.
    if library is np and values[0] < -1e-5 * np.max(np.abs(covariance)):
        raise ValueError(
            "A `covariance` has negative eigenvalues. Expected a matrix without them. "
            f"Received: covariance with least eigenvalue {values[0]:.4g}"
        )
    # LAPACK's error is the largest eigenvalue times d epsilon: what is below is rounding.
    kept = library.where(values > values.shape[0] * EPSILON * largest, values, 0.0)
    return (vectors * library.sqrt(kept)) @ library.transpose(vectors)


def _library(array):
    """NumPy for arrays; TensorFlow for tensors, of which a graph is made."""
    return (tnp, tf.linalg) if tf.is_tensor(array) else (np, np.linalg)
