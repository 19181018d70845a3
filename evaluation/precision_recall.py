"""Precision and recall (Kynkäänniemi et al., 2019), density and coverage (Naeem et al., 2020)."""

import numpy as np

from evaluation import features
from evaluation.score import Measure, fingerprint
from zoo import neighbours
from zoo.blocks import slices
from zoo.distances import Vectors
from zoo.validation import check_positive

ROWS, COLUMNS = 512, 4096  # Distances at a time: 16 MiB in float64.
PAIRS = 2**21  # Numbers of pairs of rows at a time, whose distance is computed again.


class PrecisionRecall(Measure):
    """How many samples look like data, and how much of the data the samples reach.

    Every point has a ball, closed, with the distance of its k-th nearest other point of its own set
    as radius. With real points r, samples s, and balls B_k:

    - `precision`: the share of samples in some `B_k(r)`.
    - `recall`: the share of real points in some `B_k(s)`.
    - `density`: `1 / (k n) sum_s #{r: s in B_k(r)}`: like precision, where one outlier among the
      data counts little; it may exceed 1.
    - `coverage`: the share of real points whose `B_k(r)` has a sample.

    The figure is `2 precision recall / (precision + recall)`, and 0 where both are. A few samples
    far from all others have balls that hold all data, and recall is 1 (Naeem et al., section 3). So
    two scores rank by the detail `precision_coverage` first, the same of precision and coverage,
    which a collapsed generator cannot have by outliers. All distances
    that decide something are exact in float64. Recall falls as samples get fewer, so figures
    compare at equal counts only.

    Args:
        images_or_features: Reference images, or features of shape `(m, d)` without an extractor.
        extractor: What makes features of images, such as `evaluation.extractors.load("mnist")`.
        k: int in [1, m - 1], for precision and recall.
        density_k: int in [1, m - 1], for density and coverage.

    Raises:
        ValueError: If an argument is out of range, or the reference is not what it should be.

    Reference:
        - [Kynkäänniemi et al., 2019](https://arxiv.org/abs/1904.06991), equations 1 and 2.
        - [Naeem et al., 2020](https://arxiv.org/abs/2002.09797), equations 2, 3 and 5.
    """

    name = "precision_recall"
    higher_is_better = True
    ranked_by = ("precision_coverage",)

    def __init__(self, images_or_features, extractor=None, k=3, density_k=5):
        check_positive(k=k, density_k=density_k)
        self.extractor, self.k, self.density_k = extractor, k, density_k
        rows = features.extract(extractor, images_or_features, name="reference")
        _check_k(len(rows), "reference", k=k, density_k=density_k)
        self.hash, self.count = fingerprint(images_or_features), len(rows)
        self.real = _Points(rows, (k, density_k))

    def evaluate(self, samples, labels=None):
        """The score of samples.

        Args:
            samples: Images, or features `(n, d)` without an extractor; more than k of them.
            labels: Not used.

        Returns:
            A `Score` with the details `precision`, `recall`, `density`, `coverage` and
            `precision_coverage`.

        Raises:
            ValueError: If there are too few samples, or they cannot be measured.
        """
        rows = features.features_like(self.real.rows, self.extractor, samples)
        _check_k(len(rows), "samples", k=self.k)
        fake = _Points(rows, (self.k,))
        details = _figures(self.real, fake, self.density_k)
        details["precision_coverage"] = _harmonic(details["precision"], details["coverage"])
        protocol = {
            **features.protocol(self.extractor),
            "features": rows.shape[1],
            "k": self.k,
            "density_k": self.density_k,
            "samples": len(rows),
            "reference_count": self.count,
            "reference_hash": self.hash,
        }
        value = _harmonic(details["precision"], details["recall"])
        return self.score(value, protocol, details=details)


class _Points:
    """A set's different rows, how often each occurs, and their radii for each k.

    A collapsed generator gives one row thousands of times: it is looked at once.
    """

    def __init__(self, rows, ks):
        rows = rows.astype("float64") + 0.0  # No negative zeros, whose bytes differ.
        self.rows, self.counts = np.unique(rows, axis=0, return_counts=True)
        reach = min(max(ks) + 1, len(self.rows))
        indices, distances = neighbours.nearest(self.rows, self.rows, reach)
        # The point itself is the first of its neighbours, its copies are the next.
        within = np.cumsum(self.counts[indices], axis=1)
        order = np.arange(len(self.rows))
        self.radii = [distances[order, np.argmax(within > k, axis=1)] for k in ks]


def _figures(real, fake, density_k):
    """The four figures, from the distances of all samples to all real points, in blocks."""
    centre = real.rows.mean(axis=0)
    real_vectors, fake_vectors = (Vectors.around(centre, x.rows) for x in (real, fake))
    precise = np.zeros(len(fake.rows), bool)
    recalled, covered = np.zeros((2, len(real.rows)), bool)
    inside = 0
    for f in slices(len(fake.rows), ROWS):
        for r in slices(len(real.rows), COLUMNS):
            a, b = fake_vectors[f], real_vectors[r]
            squares = a.approximate_squares(b).astype("float64")
            error = a.rounding(a.squares[:, None], b.squares[None])
            balls = (real.radii[0][None, r], real.radii[1][None, r], fake.radii[0][f, None])
            doubtful = np.zeros(squares.shape, bool)
            for radius in balls:
                doubtful |= ~(np.abs(squares - radius**2) > error)
            at = np.nonzero(doubtful)
            distances = np.sqrt(np.maximum(squares, 0.0))
            distances[at] = _exact(fake.rows[f], real.rows[r], at)
            in_real, in_dense, in_fake = (distances <= radius for radius in balls)
            precise[f] |= in_real.any(axis=1)
            recalled[r] |= in_fake.any(axis=0)
            covered[r] |= in_dense.any(axis=0)
            inside += int(fake.counts[f] @ (in_dense @ real.counts[r]))
    n, m = fake.counts.sum(), real.counts.sum()
    return {
        "precision": fake.counts @ precise / n,
        "recall": real.counts @ recalled / m,
        "density": inside / (density_k * n),
        "coverage": real.counts @ covered / m,
    }


def _exact(a, b, at):
    """Distances of pairs of rows as sums of squared differences, as the radii were computed."""
    distances = np.empty(len(at[0]))
    for pairs in slices(len(distances), max(1, PAIRS // a.shape[1])):
        differences = b[at[1][pairs]] - a[at[0][pairs]]
        distances[pairs] = np.sqrt(np.sum(differences**2, axis=1))
    return distances


def _harmonic(a, b):
    """The harmonic mean of two shares, 0 where both are."""
    return 2.0 * a * b / (a + b) if a + b else 0.0


def _check_k(count, name, **ks):
    for argument, k in ks.items():
        if k >= count:
            raise ValueError(
                f"`{argument}` is out of range: a point has no {k} others for neighbours. Expected "
                f"{argument} in [1, {count - 1}] with {count} {name}. Received: {argument}={k}"
            )
