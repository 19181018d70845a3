"""What `estimate_divergence` learns by itself: the log of a density ratio, from samples."""

import keras
import numpy as np
import scipy.special
import tensorflow as tf
from scipy import spatial

KNOTS = 1024  # Of a coordinate's map to normal scores.
NEIGHBOURS = (3, 12, 48)
NEAR = 10  # In more dimensions all points are nearly as far.
REFERENCE = 8192  # Samples of each kind at most, among which neighbours are sought.
FARTHEST = 30.0  # Of a log ratio that neighbours give: beside a copy it is infinite.


class Features:
    """What a critic sees of a sample: normal scores of its coordinates, and its neighbours.

    A coordinate's score is the normal quantile of its rank among all samples that teach. So units,
    outliers and tails do not matter, and what is narrow becomes wide. In up to 10 dimensions there
    are also `d log(rho_q,k / rho_p,k)`, of the distances to the k-th neighbour of each kind, which
    estimate log p/q at every scale (Wang et al., 2009).

    Args:
        p, q: float arrays `(n, d)`, `(m, d)`. The samples that teach.

    Reference:
        - [Wang et al., 2009](https://doi.org/10.1109/TIT.2009.2016060), equation 5.
    """

    def __init__(self, p, q):
        self.maps = [_scores(column) for column in np.concatenate([p, q]).T]
        self.trees = None
        if p.shape[1] <= NEAR:
            few = [self._scored(x[:REFERENCE]) for x in (p, q)]
            self.trees = [spatial.cKDTree(x) for x in few]

    def __call__(self, samples, own=None):
        """float32 features.

        Args:
            samples: float array `(n, d)`.
            own: 0 or 1 where the samples are the p or the q that teach, whose first neighbour of
                that kind is themselves.
        """
        scores = self._scored(samples)
        if self.trees is None:
            return scores.astype("float32")
        logs = []
        for kind, tree in enumerate(self.trees):
            ranks = [min(k + (own == kind), tree.n) for k in NEIGHBOURS]
            distances, _ = tree.query(scores, k=ranks)
            logs.append(np.log(distances + 1e-12))
        sizes = np.log(self.trees[1].n / self.trees[0].n)
        ratios = scores.shape[1] * (logs[1] - logs[0]) + sizes
        ratios = np.clip(ratios, -FARTHEST, FARTHEST)
        return np.concatenate([scores, ratios], 1).astype("float32")

    def _scored(self, samples):
        columns = zip(samples.T, self.maps, strict=True)
        return np.stack([np.interp(column, *knots) for column, knots in columns], 1)


def _scores(column):
    """Values of a coordinate and their normal scores; equal values share their mean rank."""
    values, counts = np.unique(column, return_counts=True)
    scores = scipy.special.ndtri((np.cumsum(counts) - counts / 2) / counts.sum())
    if len(values) > KNOTS:
        kept = np.unique(np.linspace(0, len(values) - 1, KNOTS).astype(int))
        values, scores = values[kept], scores[kept]
    return values, scores


def critic(width, rng):
    """Two layers of 64 rectified units beside the features and their squares; it starts at 0."""
    features = hidden = keras.Input((width,))
    for _ in range(2):
        seed = int(rng.integers(2**31))
        kernel = keras.initializers.HeNormal(seed=seed)
        hidden = keras.layers.Dense(64, "relu", kernel_initializer=kernel)(hidden)
    squares = keras.ops.square(features)
    seen = keras.layers.Concatenate()([hidden, features, squares])
    return keras.Model(features, keras.layers.Dense(1, kernel_initializer="zeros")(seen))


class RatioGame:
    """The bound of a divergence by a critic of log p/q, which is cut at the largest it may be.

    Attributes:
        divergence: `trainers.divergences.Divergence`.
        limit: float. The log of the number of samples: what is rarer they cannot show.
    """

    def __init__(self, divergence, limit):
        self.divergence, self.limit = divergence, limit
        some = divergence.optimal_logit(tf.constant(0.5))
        self.has_logit = bool(np.isfinite(some.numpy()))  # Total variation has none.

    @property
    def caps(self):
        """Where the log ratio may be cut: the samples that validate choose."""
        return [self.limit * k / 32 for k in (1, 2, 4, 8, 12, 16, 20, 24, 32)]

    def risk(self, cap, n, m):
        """How much less the bound were, had one more sample of each been the worst that may be.

        A region without samples costs nothing on those there are: of n, it may hold 1/n.
        """
        (worst_p, best_q), (best_p, worst_q) = (
            [float(x) for x in self.terms(tf.constant(a, "float64"), tf.constant(b, "float64"))]
            for a, b in ((-cap, -cap), (cap, cap))
        )
        return (best_p - worst_p) / n + (worst_q - best_q) / m

    def costs_of(self, cap):
        """How much more a sample of p, and one of q, would count were its log ratio twice the cap.

        The larger of both directions: a sample may lie where the other has few, or where it has.
        """

        def at(ratio, limit):
            ratio = tf.constant(ratio, "float64")
            return np.array([float(x) for x in self.terms(ratio, ratio, limit)])

        ways = [at(sign * 2 * cap, 2 * cap) - at(sign * cap, cap) for sign in (1.0, -1.0)]
        gains = np.array(ways) * [1.0, -1.0]  # What is averaged over q is taken off.
        return np.maximum(gains.max(axis=0), 0.0)

    def terms(self, log_ratio_p, log_ratio_q, cap=None):
        """What is averaged over p, and over q: the bound is the difference."""
        cap = self.limit if cap is None else cap
        logits = [tf.clip_by_value(r, -cap, cap) for r in (log_ratio_p, log_ratio_q)]
        if self.has_logit:
            logits = [self.divergence.optimal_logit(r) for r in logits]
        real, fake = logits
        return self.divergence.activation(real), self.divergence.conjugate_of_activation(fake)


class LogitGame:
    """The bound of a divergence by a critic of the logit v, `T = g_f(v)`."""

    caps = (None,)

    def __init__(self, divergence):
        self.divergence = divergence

    def risk(self, cap, n, m):
        """Nothing: what a logit may be is not known."""
        return 0.0

    def terms(self, real, fake, cap=None):
        """What is averaged over p, and over q: the bound is the difference."""
        return self.divergence.activation(real), self.divergence.conjugate_of_activation(fake)
