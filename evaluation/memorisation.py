"""Memorisation: whether samples lie nearer to training images than unseen images do."""

import numpy as np
from scipy import stats

from evaluation.features import extract
from evaluation.samples import check_numbers, check_same_shape
from evaluation.score import Measure, fingerprint
from zoo import neighbours
from zoo.validation import as_array, check_number, check_positive

CONFIDENCE = 0.99


class Memorisation(Measure):
    """The share of samples that lie as near to a training image as few unseen images do.

    With d(x) the distance of x to its nearest training image, `value` is the share of samples with
    `d < c`, where c is the `quantile` of d over held-out images. Samples of the data's own
    distribution reach that quantile, so 0.01 by default; copies reach 1. `details` has a
    confidence interval of 99 % (`low`, `high`: Clopper and Pearson's, of the samples' draw), the
    `alarm` (1 when all of the interval is above the same interval's upper end for held-out
    images, 0 otherwise), `auc` (how often a sample is nearer than a held-out image, 0.5 for the
    data's own distribution) and the two medians of d.

    Distances of pixels take blurred images for near ones. Where the alarm goes, look at `figure`
    before you believe it.

    Args:
        images: Training images, array of shape `(m, ...)`.
        held_out: Unseen images of the same kind, array of shape `(k, ...)`; at least one in
            `quantile`.
        extractor: Optional; distances are then between its features.
        quantile: float in (0, 1).

    Raises:
        ValueError: If `quantile` is out of range, there are too few held-out images for it, or the
            images do not fit each other or the extractor.

    Reference:
        - [Meehan, Chaudhuri and Dasgupta, 2020](https://arxiv.org/abs/2004.05675), for the test
          against held-out images.
    """

    name = "memorisation"
    higher_is_better = False
    blind_to = "samples that are like no data: noise lies far from training images too"

    def __init__(self, images, held_out, extractor=None, quantile=0.01):
        check_number("a share in (0, 1)", quantile=quantile)
        if not 0 < quantile < 1:
            raise ValueError(
                "`quantile` is out of range. Expected a share in (0, 1). "
                f"Received: quantile={quantile}"
            )
        self.images, self.held_out = as_array(images=images), as_array(held_out=held_out)
        check_numbers(self.images, "images")
        check_numbers(self.held_out, "held_out")
        if extractor is None:
            check_same_shape(self.held_out, self.images, "held_out")
        self.extractor, self.quantile = extractor, float(quantile)
        if len(self.held_out) * quantile < 1:
            raise ValueError(
                "`held_out` has too few images for the `quantile`. Expected at least "
                f"{int(np.ceil(1 / quantile))} of them. Received: {len(self.held_out)} images, "
                f"quantile={quantile}"
            )
        self._train = self._vectors(self.images, "images")
        self._distances = self._nearest(self._vectors(self.held_out, "held_out"))
        self.threshold = float(np.quantile(self._distances, self.quantile))

    def evaluate(self, samples, labels=None):
        """The share of samples that are too near, a `Score`; samples `(n, ...)`."""
        distances = self._nearest(self._vectors(as_array(samples=samples), "samples"))
        count, near = len(distances), int(np.sum(distances < self.threshold))
        low, high = _interval(near, count)
        expected = int(np.sum(self._distances < self.threshold))
        innocent = _interval(expected, len(self._distances))[1]
        ranks = stats.mannwhitneyu(self._distances, distances).statistic
        details = {
            "low": low,
            "high": high,
            "alarm": float(low > innocent),
            "auc": ranks / (count * len(self._distances)),
            "median": np.median(distances),
            "median_held_out": np.median(self._distances),
        }
        notes = ()
        if details["alarm"]:
            notes = ("Samples lie nearer to training images than unseen images do. Look at them.",)
        protocol = {
            "samples": count,
            "quantile": self.quantile,
            "confidence": CONFIDENCE,
            "images": fingerprint(self.images),
            "held_out": fingerprint(self.held_out),
            "features": None if self.extractor is None else self.extractor.protocol,
        }
        return self.share(near / count, count, protocol, details, notes)

    def figure(self, samples, rows=4, columns=5):
        """Samples, and in a framed last column the training image nearest to each row's last one.

        It is figure 2 of Goodfellow et al., 2014, with the samples that lie nearest to a training
        image at the ends of the rows: the worst that there is.

        Args:
            samples: uint8 images `(n, height, width, channels)`, at least `rows * columns`.
            rows, columns: int.

        Returns:
            A uint8 picture.

        Raises:
            ValueError: If there are too few samples, or they are not images like the training's.
        """
        check_positive(rows=rows, columns=columns)
        samples = as_array(samples=samples)
        if len(samples) < rows * columns:
            raise ValueError(
                f"There are too few `samples` for a figure. Expected at least {rows * columns}, "
                f"`rows` times `columns`. Received: {len(samples)} samples"
            )
        indices, distances = neighbours.nearest(self._vectors(samples, "samples"), self._train)
        order = np.argsort(distances[:, 0], kind="stable")
        last, others = order[:rows], order[rows:]
        step = np.linspace(0, len(others) - 1, rows * (columns - 1)).astype(int)
        rest = samples[others[step]].reshape(rows, columns - 1, *samples.shape[1:])
        ends = samples[last][:, None]
        grid = np.concatenate([rest, ends], axis=1)
        return neighbours.figure(grid, self.images[indices[last, 0]])

    def _vectors(self, images, name):
        if self.extractor is not None:
            return extract(self.extractor, images, name=name)
        check_numbers(images, name)
        check_same_shape(images, self.images, name)
        return images

    def _nearest(self, vectors):
        return neighbours.nearest(vectors, self._train)[1][:, 0]


def _interval(successes, count):
    """Clopper and Pearson's interval of a share."""
    interval = stats.binomtest(successes, count).proportion_ci(CONFIDENCE, "exact")
    return float(interval.low), float(interval.high)
