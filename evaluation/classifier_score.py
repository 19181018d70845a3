"""The classifier score, also called Inception score (Salimans et al., 2016)."""

import keras
import numpy as np
import tensorflow as tf
from scipy.special import entr, rel_entr

from evaluation import features
from evaluation.score import Measure
from zoo.validation import check_positive, check_seed, check_size


def classifier_score(probabilities):
    """`exp(E_x KL(p(y | x) || p(y)))`, with p(y) the mean of `p(y | x)` over the samples.

    From 1, where every sample has the same probabilities, to the number of classes, where each is
    surely of one and all are as frequent.

    Args:
        probabilities: Floats of shape `(n, classes)` whose rows sum to 1.

    Returns:
        float in [1, classes].

    Raises:
        ValueError: If a row is not a distribution.

    Reference:
        - [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 4.
    """
    return _score(features.probabilities(None, probabilities, name="probabilities"))


class ClassifierScore(Measure):
    """The classifier score of samples, a mean over splits; `classifier_score` has the formula.

    It compares with no data: a generator of one image a class, or of images that fool the
    classifier, has a high one. Smaller splits have lower scores, so figures compare at equal counts
    and splits only.

    Args:
        extractor: What makes class probabilities of images, such as
            `evaluation.extractors.load("mnist")`; `None` where samples are probabilities.
        splits: int >= 1. The samples are parted in so many, which differ by at most one sample.
        seed: int. Which sample is in which split follows from it and the samples' values, not from
            their order.

    Raises:
        ValueError: If `splits` is not a positive integer.

    Reference:
        - [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 4.
    """

    name = "classifier_score"
    higher_is_better = True
    blind_to = "one image a class, again and again: it compares with no data"

    def __init__(self, extractor=None, splits=10, seed=0):
        check_positive(splits=splits)
        check_seed(seed)
        features.check_extractor(extractor)
        self.extractor, self.splits, self.seed = extractor, splits, seed

    def evaluate(self, samples, labels=None):
        """The score of samples.

        Args:
            samples: Images, or probabilities `(n, classes)` without an extractor; at least two for
                each split.
            labels: Not used.

        Returns:
            A `Score`, whose `standard_error` is over the splits. Its details are their
            `standard_deviation` (what the paper gives after the ±), the score of `all` samples as
            one split, and in nats the `marginal_entropy` of p(y) and the mean
            `conditional_entropy` of p(y | x), whose difference is the logarithm of `all`.

        Raises:
            ValueError: If there are too few samples, or they cannot be measured.
        """
        # A split of one sample has score 1, whatever the sample is.
        probabilities = features.probabilities(self.extractor, samples, at_least=2 * self.splits)
        splits = np.array_split(probabilities[features.shuffled(samples, self.seed)], self.splits)
        scores = [_score(split) for split in splits]
        details = {
            "all": _score(probabilities),
            "marginal_entropy": entr(probabilities.mean(axis=0)).sum(),
            "conditional_entropy": entr(probabilities).sum(axis=1).mean(),
        }
        error = None
        if self.splits > 1:
            details["standard_deviation"] = np.std(scores, ddof=1)
            error = details["standard_deviation"] / np.sqrt(self.splits)
        protocol = {
            **features.protocol(self.extractor),
            "classes": probabilities.shape[1],
            "samples": len(probabilities),
            "splits": self.splits,
            "seed": self.seed,
        }
        return self.score(np.mean(scores), protocol, error, details)


@keras.saving.register_keras_serializable(package="zoo")
class ClassifierScoreMetric(keras.metrics.Metric):
    """The classifier score of batches as one split, as a Keras metric.

    It keeps the count, `sum p(y | x)` and `sum p(y | x) log p(y | x)` in float64, which add up over
    batches of any sizes and over replicas. Its `result` is `ClassifierScore`'s detail `all`, and 1
    without a sample.

    Args:
        num_classes: int >= 1.
        name: str.
        dtype: Not used: all is float64.

    Example:

    ```python
    import evaluation, zoo

    generator = zoo.from_preset("mlp_mnist_gan")
    extractor = evaluation.extractors.load("mnist")
    metric = evaluation.ClassifierScoreMetric(num_classes=10)
    for seed in range(4):
        metric.update_state(extractor.probabilities(generator.sample(100, seed=seed)))
    print(float(metric.result()))
    ```
    """

    def __init__(self, num_classes, name="classifier_score", dtype=None):
        super().__init__(name=name, dtype=dtype)
        check_positive(num_classes=num_classes)
        check_size(num_classes=num_classes)
        self.num_classes = int(num_classes)
        self.total = self.add_variable((), "zeros", "float64", name="total")
        self.sums = self.add_variable((num_classes,), "zeros", "float64", name="sums")
        self.products = self.add_variable((), "zeros", "float64", name="products")

    def update_state(self, probabilities):
        """Takes a batch of probabilities `(n, num_classes)` in, whose rows sum to 1.

        Raises:
            ValueError: If there are other classes.
        """
        rows = tf.cast(probabilities, "float64")
        if rows.shape.rank != 2 or rows.shape[1] != self.num_classes:
            raise ValueError(
                "`probabilities` have other classes than the metric. Expected shape "
                f"(n, {self.num_classes}). Received: probabilities of shape {tuple(rows.shape)}"
            )
        self.total.assign_add(tf.cast(tf.shape(rows)[0], "float64"))
        self.sums.assign_add(tf.reduce_sum(rows, 0))
        self.products.assign_add(tf.reduce_sum(tf.math.xlogy(rows, rows)))

    def result(self):
        """The score so far, a float64 scalar."""
        count = tf.maximum(tf.convert_to_tensor(self.total), 1.0)
        marginal = self.sums / count
        return tf.exp(self.products / count - tf.reduce_sum(tf.math.xlogy(marginal, marginal)))

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


def _score(probabilities):
    marginal = probabilities.mean(axis=0)
    return float(np.exp(rel_entr(probabilities, marginal).sum(axis=1).mean()))
