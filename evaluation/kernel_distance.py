"""The kernel distance of two sets of features: an unbiased squared MMD (Binkowski et al., 2018)."""

import numpy as np

from evaluation import features
from evaluation.score import Measure, fingerprint
from zoo.blocks import slices
from zoo.validation import check_integer, check_seed

BLOCK = 1024  # Rows and columns of the kernel's matrix at a time: 8 MiB in float64.


def kernel_distance(a, b):
    """The unbiased squared maximum mean discrepancy of two sets of features.

    `mean_{i != j} k(a_i, a_j) + mean_{i != j} k(b_i, b_j) - 2 mean_{i, j} k(a_i, b_j)` with
    `k(x, y) = (x.y / d + 1)^3`. Its expectation is the distance of the distributions at any sample
    count, so it may be negative where they are near.

    Args:
        a: Floats of shape `(n, d)`, n >= 2.
        b: Floats of shape `(m, d)`, m >= 2.

    Returns:
        float.

    Raises:
        ValueError: If they are not features of one number, or too few.

    Reference:
        - [Binkowski et al., 2018](https://arxiv.org/abs/1801.01401), section 4.
        - [Gretton et al., 2012](https://jmlr.org/papers/v13/gretton12a.html), equation 3.
    """
    a = features.extract(None, a, at_least=2, name="a").astype("float64")
    b = features.features_like(a, None, b, at_least=2, name="b", reference_name="a")
    return _within(a) + _within(b) - 2.0 * _between(a, b)


class KernelDistance(Measure):
    """The kernel distance of samples to reference data; `kernel_distance` has the formula.

    By default the mean over seeded subsets of both, as in the paper, with its standard error. The
    subsets share samples, so that error says how well the subsets were averaged, and is too small
    as that of a new draw of samples.

    Args:
        images_or_features: Reference images, or features of shape `(m, d)` without an extractor.
        extractor: What makes features of images, such as `evaluation.extractors.load("mnist")`.
        subsets: int >= 1, how many; or `None` for the distance of the full sets, in blocks.
        subset_size: int >= 2, how many samples, and as many reference data, a subset has.
        seed: int, of the subsets. They do not depend on the samples' order.

    Raises:
        ValueError: If an argument is out of range, or the reference is not what it should be.

    Reference:
        - [Binkowski et al., 2018](https://arxiv.org/abs/1801.01401), section 4.
    """

    name = "kernel_distance"
    higher_is_better = False

    @property
    def blind_to(self):
        """Of points; a classifier's features separate what these moments mix up."""
        moments = "a cloud of the data's moments up to the third, to which points are no more"
        return moments if self.extractor is None else None

    def __init__(self, images_or_features, extractor=None, subsets=100, subset_size=1000, seed=0):
        if subsets is not None:
            check_integer(1, 1_000_000, subsets=subsets)
            check_integer(2, subset_size=subset_size)  # The mean is over pairs within a subset.
        check_seed(seed)
        self.extractor = extractor
        self.subsets, self.subset_size, self.seed = subsets, subset_size, seed
        rows = features.extract(
            extractor, images_or_features, at_least=self._at_least(), name="reference"
        )
        self.hash = fingerprint(images_or_features)
        self.reference = rows.astype("float64")[features.canonical(images_or_features)]
        self._within_reference = None

    def evaluate(self, samples, labels=None):
        """The score of samples.

        Args:
            samples: Images, or features `(n, d)` without an extractor.
            labels: Not used.

        Returns:
            A `Score`; with subsets, its `standard_error` is over them, and its detail
            `standard_deviation` too.

        Raises:
            ValueError: If there are fewer than a subset has, or they cannot be measured.
        """
        rows = features.features_like(
            self.reference, self.extractor, samples, at_least=self._at_least()
        )
        rows = rows[features.canonical(samples)]
        protocol = {
            **features.protocol(self.extractor),
            "kernel": "(x.y / d + 1)^3",
            "features": rows.shape[1],
            "samples": len(rows),
            "reference_count": len(self.reference),
            "reference_hash": self.hash,
            "subsets": "none" if self.subsets is None else self.subsets,
        }
        if self.subsets is None:
            if self._within_reference is None:
                self._within_reference = _within(self.reference)
            value = _within(rows) + self._within_reference
            return self.score(value - 2.0 * _between(rows, self.reference), protocol)
        protocol |= {"subset_size": self.subset_size, "seed": self.seed}
        values = [self._of_subset(i, rows) for i in range(self.subsets)]
        if self.subsets == 1:
            return self.score(values[0], protocol)
        deviation = np.std(values, ddof=1)
        error = deviation / np.sqrt(self.subsets)
        details = {"standard_deviation": deviation}
        return self.score(np.mean(values), protocol, error, details)

    def _of_subset(self, i, rows):
        a = self._draw(rows, 2 * i)
        b = self._draw(self.reference, 2 * i + 1)
        return _within(a) + _within(b) - 2.0 * _between(a, b)

    def _draw(self, rows, stream):
        """A subset without repetition."""
        return rows[features.permutation(len(rows), self.seed, stream)[: self.subset_size]]

    def _at_least(self):
        return 2 if self.subsets is None else self.subset_size


def _within(x):
    """The mean of the kernel over pairs of two different rows."""
    total = 0.0
    blocks = [x[rows] for rows in slices(len(x), BLOCK)]
    for i, block in enumerate(blocks):
        kernel = _kernel(block, block)
        total += kernel.sum() - np.trace(kernel)
        for other in blocks[i + 1 :]:
            total += 2.0 * _kernel(block, other).sum()
    return total / (len(x) * (len(x) - 1))


def _between(x, y):
    """The mean of the kernel over all pairs of a row of x and one of y."""
    total = sum(
        _kernel(x[rows], y[columns]).sum()
        for rows in slices(len(x), BLOCK)
        for columns in slices(len(y), BLOCK)
    )
    return total / (len(x) * len(y))


def _kernel(x, y):
    kernel = x @ y.T
    kernel /= x.shape[1]
    kernel += 1.0
    return kernel * kernel * kernel
