"""What theory says of latents, and what is counted in the study of them."""

import numpy as np
from scipy import special, stats

POINTS, COARSE = 129, (16, 32, 64, 128)  # Of a walk; into how many steps it is cut.
THIRD = 1 / 3


def chi_mean(dim):
    """The mean length of a draw of N(0, I): `sqrt 2 Gamma((d + 1) / 2) / Gamma(d / 2)`."""
    return float(np.sqrt(2) * np.exp(special.gammaln((dim + 1) / 2) - special.gammaln(dim / 2)))


def lengths(mode, dim, t):
    """The mean length along a walk of independent ends: of chi, and what a straight walk loses."""
    shorter = np.sqrt((1 - t) ** 2 + t**2) if mode == "linear" else np.ones_like(t)
    return chi_mean(dim) * shorter


def largest_steps(path):
    """The largest step of each walk by how finely it is cut.

    Args:
        path: Array `(POINTS, walks, d)`.

    Returns:
        Array `(len(COARSE), walks)`.
    """
    every = [(POINTS - 1) // steps for steps in COARSE]
    moves = [np.linalg.norm(np.diff(path[::k], axis=0), axis=-1) for k in every]
    return np.array([own.max(axis=0) for own in moves])


def thirds(classes, values):
    """Of each class, the limits of the lower and the upper third of an attribute: `(10, 2)`."""
    limits = [np.quantile(values[classes == c], (THIRD, 1 - THIRD)) for c in range(10)]
    return np.array(limits)


def trial(rng, classes, values, limits, count):
    """Rows of A, B and C: much and little of the attribute in one class, little in another."""
    one, other = rng.choice(10, 2, replace=False)

    def some(c, much):
        own = values >= limits[c, 1] if much else values <= limits[c, 0]
        return rng.choice(np.flatnonzero((classes == c) & own), count, replace=False)

    return one, other, [some(one, True), some(one, False), some(other, False)]


def truncated_variance(psi):
    """The variance of N(0, 1) on (-psi, psi): `1 - 2 psi phi(psi) / (2 Phi(psi) - 1)`."""
    if psi is None:
        return 1.0
    return float(1 - 2 * psi * stats.norm.pdf(psi) / (2 * stats.norm.cdf(psi) - 1))


def apart(x):
    """The root mean squared distance of pairs: `2 n / (n - 1)` times the summed variances."""
    x = np.asarray(x, "float64").reshape(len(x), -1)
    return float(np.sqrt(2 * len(x) / (len(x) - 1) * x.var(axis=0).sum()))


def kept(values):
    """The mean correlation of an attribute between two classes, over latents `(n, classes)`."""
    table = np.corrcoef(np.asarray(values).T)
    return float(table[np.triu_indices(len(table), 1)].mean())
