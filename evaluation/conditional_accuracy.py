"""Conditional accuracy: whether samples are of the class that was asked for."""

import numpy as np

from evaluation.features import check_extractor
from evaluation.samples import check_numbers
from evaluation.score import Measure, fingerprint
from zoo.validation import as_array, check_labels


class ConditionalAccuracy(Measure):
    """The share of samples that a classifier takes for the class that was asked for.

    The classifier errs too: its own test accuracy is in the card of a shipped extractor. A
    generator of one perfect image a class reaches 1, so read it beside a measure of variety.

    Args:
        extractor: An `evaluation.extractors.Extractor` of the same classes.

    Example:

    ```python
    import evaluation, zoo
    import numpy as np

    generator = zoo.DCGANGenerator(num_classes=10, filters=8)
    labels = np.arange(100) % 10
    measure = evaluation.ConditionalAccuracy(evaluation.extractors.load("mnist"))
    score = measure.evaluate(generator.sample(100, labels, seed=0), labels)
    ```
    """

    name = "conditional_accuracy"
    higher_is_better = True
    needs_labels = True
    blind_to = "one image a class, again and again: it compares with no data"

    def __init__(self, extractor):
        check_extractor(extractor, needed=True)
        self.extractor = extractor

    def evaluate(self, samples, labels=None):
        """The share of samples `(n, ...)` that are recognised as their `labels` `(n,)`, a `Score`.

        `details` has the share of each class that was asked for, as `class_0` and so on. The
        standard error is of the samples' draw.

        Raises:
            ValueError: If labels are missing or name no class of the extractor.
        """
        samples = as_array(samples=samples)
        check_numbers(samples)
        labels = check_labels(labels, self.extractor.num_classes, len(samples))
        right = self.extractor.probabilities(samples).argmax(axis=1) == labels
        protocol = {
            "samples": len(labels),
            "labels": fingerprint(labels),
            **self.extractor.protocol,
        }
        details = {f"class_{k}": right[labels == k].mean() for k in np.unique(labels)}
        return self.share(right.mean(), len(labels), protocol, details)
