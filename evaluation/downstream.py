"""Classifiers of real images that learned from generated ones, and how often they err."""

import numpy as np

from evaluation import classifier
from evaluation.samples import check_numbers, check_same_shape, pixels
from evaluation.score import Measure, fingerprint
from zoo import neighbours
from zoo.validation import as_array, check_positive, check_seed


class _Downstream(Measure):
    """A measure of labelled samples on labelled real images."""

    needs_labels = True

    def __init__(self, images, labels):
        self.images = as_array(images=images)
        check_numbers(self.images, "images")
        self.labels = _checked_labels(self.images, labels, "images")

    def _labelled(self, samples, labels):
        samples = as_array(samples=samples)
        check_numbers(samples)
        check_same_shape(samples, self.images)
        return samples, _checked_labels(samples, labels, "samples")

    def _protocol(self, samples, **more):
        return {
            "samples": len(samples),
            "images": fingerprint(self.images),
            "labels": fingerprint(self.labels),
            **more,
        }


class NearestNeighbourError(_Downstream):
    """The error of the 1-nearest-neighbour rule on real images, taught by generated ones.

    A test image gets the label of the sample nearest to it in pixels. With real training images
    as samples, MNIST has 0.0309 (all 60,000) and 0.0334 (the first 50,000).

    Args:
        images: Real test images, array of shape `(m, ...)`.
        labels: Their labels, integers of shape `(m,)`.

    Reference:
        - [Radford, Metz and Chintala, 2016](https://arxiv.org/abs/1511.06434v1), table 2 of the
          first version.
    """

    name = "nearest_neighbour_error"
    higher_is_better = False

    def evaluate(self, samples, labels=None):
        """The error with labelled samples `(n, ...)` as the training set, a `Score`."""
        samples, labels = self._labelled(samples, labels)
        pixels(samples)  # Refuses other scalings, which would change who is near.
        indices, _ = neighbours.nearest(self.images, samples)
        wrong = labels[indices[:, 0]] != self.labels
        return self.share(wrong.mean(), len(wrong), self._protocol(samples, space="pixels"))


class ClassifierAccuracy(_Downstream):
    """The accuracy on real images of a small classifier that learned from generated ones alone.

    The classifier and its training are `evaluation.classifier.train`. Beside it stands what the
    same gives on real training images: samples that lack modes or have wrong labels fall behind.

    Args:
        images: Real test images, uint8 array of shape `(m, height, width, channels)`.
        labels: Their labels, integers of shape `(m,)`.
        num_classes: int. Defaults to the number that the labels show.
        seed: int. Of the classifier's training.
        **recipe: `epochs`, `filters`, `shift` and `flip` of `evaluation.classifier.train`.

    Raises:
        ValueError: If the images are not uint8 pictures, or not each has one label.

    Reference:
        - [Ravuri and Vinyals, 2019](https://arxiv.org/abs/1905.10887), the classification
          accuracy score.
    """

    name = "classifier_accuracy"
    higher_is_better = True

    def __init__(self, images, labels, num_classes=None, seed=0, **recipe):
        super().__init__(images, labels)
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise ValueError(
                "`images` are not what the classifier sees. Expected a uint8 array "
                "(m, height, width, channels). "
                f"Received: images of shape {self.images.shape} and dtype {self.images.dtype}"
            )
        if num_classes is not None:
            check_positive(num_classes=num_classes)
        check_seed(seed)
        self.num_classes = int(self.labels.max()) + 1 if num_classes is None else num_classes
        self.recipe = {"epochs": 5, "filters": 16, **recipe, "seed": seed}

    def evaluate(self, samples, labels=None):
        """The accuracy after learning from labelled uint8 samples, a `Score`.

        Raises:
            ValueError: If the samples are not images like the real ones, not each has one label,
                or a label is out of range.
        """
        samples, labels = self._labelled(samples, labels)
        if labels.max() >= self.num_classes:
            raise ValueError(
                "`labels` are out of range. Expected labels of samples in "
                f"[0, {self.num_classes}), the classes of the real images. "
                f"Received: labels up to {labels.max()}"
            )
        if samples.dtype != np.uint8:
            samples = np.rint(255 * pixels(samples)).astype("uint8")
        model = classifier.train(samples, labels, self.num_classes, **self.recipe)
        logits = model.predict(self.images, batch_size=500, verbose=0)
        right = logits.argmax(axis=1) == self.labels
        protocol = self._protocol(samples, classifier=self.recipe)
        return self.share(right.mean(), len(right), protocol)


def _checked_labels(images, labels, name):
    if labels is None:
        raise ValueError(
            f"`labels` are missing for `{name}`. Expected one label an image: this measure needs "
            f"to know what the images show. Received: {name} without labels"
        )
    labels = as_array(labels=labels)
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu" or np.any(labels < 0):
        raise ValueError(
            f"`labels` are not one class for each image. Expected {len(images)} integers from 0. "
            f"Received: labels of shape {labels.shape} and dtype {labels.dtype} for {name}"
        )
    return labels
