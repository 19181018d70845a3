"""Signs of health in samples: numbers that compare some of them with real ones."""

import numpy as np
from scipy import stats
from scipy.cluster import vq

KINDS = 10  # Fewer than most data have modes, so that every kind is found again in 256 samples.
CHANCE = 1e-4  # Of copies that are none.


def distances(a, b):
    """Euclidean distances of the rows of `a`, `(n, d)`, from those of `b`, `(m, d)`: `(n, m)`."""
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2.0 * (a @ b.T)
    return np.sqrt(np.maximum(squares, 0.0))


def variety(samples, real):
    """The mean distance between two samples, over that between two real ones.

    1 for samples that vary as the data do, 0 where all are the same.

    Args:
        samples: float array `(n, d)`.
        real: float array `(m, d)`.
    """
    return float(_within(samples) / max(_within(real), 1e-12))


def energy_coefficient(samples, real):
    """The coefficient of the energy distance: 0 for equal distributions, at most 1.

    `H = (2 E|X - Y| - E|X - X'| - E|Y - Y'|) / (2 E|X - Y|)`, with pairs of different rows.

    Reference:
        - [Szekely and Rizzo, 2013](https://doi.org/10.1016/j.jspi.2013.03.018), section 2.
    """
    between = float(distances(samples, real).mean())
    gap = 2.0 * between - _within(samples) - _within(real)
    return float(max(gap, 0.0) / max(2.0 * between, 1e-12))


class Kinds:
    """Ten kinds of real samples, found by k-means, to which others are told by the nearest centre.

    Args:
        real: float array `(m, d)`.
        seed: int.
    """

    def __init__(self, real, seed=0):
        count = min(KINDS, len(np.unique(real, axis=0)))
        rng = np.random.default_rng(seed)
        self.centres = vq.kmeans2(real, count, minit="++", rng=rng)[0]
        self.real = self.shares(real)

    def shares(self, samples):
        """The share of each kind among samples `(n, d)`: float array that sums to 1."""
        nearest = distances(samples, self.centres).argmin(1)
        return np.bincount(nearest, minlength=len(self.centres)) / len(samples)

    def present(self, shares):
        """How many kinds there effectively are, over as many as among real samples.

        `exp(entropy)` of both: 1 for shares like the data's, 1 / 10 for a single kind.
        """
        return float(np.exp(_entropy(shares) - _entropy(self.real)))


def moved(before, now):
    """The share of samples that changed its kind on balance: the total variation of two shares."""
    return float(np.abs(np.asarray(before) - np.asarray(now)).sum() / 2.0)


def copying(samples, train, held_out):
    """How much more often a training sample than an unseen one lies nearest to a sample.

    Among m training and k unseen samples of one distribution, the nearest of a new sample is a
    training one with probability `p = m / (m + k)`. With the share s found, this is
    `(s - p) / (1 - p)`: about 0 for samples of the distribution, however blurred, and 1 for copies.
    Samples with one nearest count once, because those of a narrow mode are hardly more than one,
    and what chance brings once in 10,000 times counts as 0.

    Args:
        samples: float array `(n, d)`.
        train: float array `(m, d)`.
        held_out: float array `(k, d)`.
    """
    of_train, of_unseen = distances(samples, train), distances(samples, held_out)
    nearer = of_train.min(1) < of_unseen.min(1)
    copied = len(np.unique(of_train.argmin(1)[nearer]))
    count = copied + len(np.unique(of_unseen.argmin(1)[~nearer]))
    by_chance = len(train) / (len(train) + len(held_out))
    if stats.binom.sf(copied - 1, count, by_chance) > CHANCE:
        return 0.0
    return float((copied / count - by_chance) / (1.0 - by_chance))


def told_apart(real, fake):
    """How often a real logit is above a generated one: 1 for a perfect discriminator, 1/2 for none.

    Args:
        real: float array `(n,)`.
        fake: float array `(m,)`.
    """
    order = np.sort(fake)
    below = np.searchsorted(order, real, "left")
    ties = np.searchsorted(order, real, "right") - below
    return float((below + ties / 2.0).mean() / len(fake))


def falling_behind(train, held_out, fake):
    """How far the logits of unseen real samples have fallen from those of training ones.

    `r_v = (E v(train) - E v(held out)) / (E v(train) - E v(fake))`: 0 for a discriminator that
    learned the distribution, 1 for one that knows its training samples and takes all else for fake;
    cut to [-1, 1], where the discriminator hardly tells anything apart.

    Reference:
        - [Karras et al., 2020](https://arxiv.org/abs/2006.06676), section 3 (equation 1).
    """
    whole = np.mean(train) - np.mean(fake)
    if whole < 1e-6:  # Nothing is told apart.
        return 0.0
    return float(np.clip((np.mean(train) - np.mean(held_out)) / whole, -1.0, 1.0))


def dead_share(activations):
    """The share of units (of the last axis) that are 0 or less for all samples."""
    return float((activations.reshape(-1, activations.shape[-1]).max(0) <= 0).mean())


def _within(samples):
    """The mean distance between two different rows."""
    count = len(samples)
    return float(distances(samples, samples).sum() / max(count * (count - 1), 1))


def _entropy(shares):
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())
