"""`q f(p / q)` of two densities, also where one of them is 0 (Liese and Vajda, 2006)."""

import math

import numpy as np

FAR = 700.0  # Logs of ratios beyond it leave float64.
STEP = 100.0  # Logs of the ratios 1, 2 and 3 steps out, which tell how f goes on.


class Perspective:
    """`q f(p / q)` from the logs of p and q, a continuous function of both in [0, inf).

    `0 f(0 / 0) = 0`, `q f(0 / q) = q f(0)` with the limit of f at 0, and `0 f(p / 0) = p f(u) / u`
    in the limit of `u -> inf`. Either limit may be infinite. Where the ratio only leaves the range
    of floats, f is continued as its last values go: as a constant, a logarithm or a power of u.

    Args:
        f: A convex function of density ratios u > 0.

    Reference:
        - [Liese and Vajda, 2006](https://doi.org/10.1109/TIT.2006.881731), equations 21 to 24.
    """

    def __init__(self, f):
        self.f = f
        logs = STEP * np.arange(1, 4)
        self._to_zero = Continuation([float(f(np.exp(-x))) for x in logs])
        self._to_infinity = Continuation([float(f(np.exp(x)) / np.exp(x)) for x in logs])

    @property
    def at_zero(self):
        """`f(0)`: what a unit of Q costs where p is 0."""
        return self._to_zero(math.inf)[0]

    @property
    def slope_at_infinity(self):
        """`lim f(u) / u`: what a unit of P costs where q is 0."""
        return self._to_infinity(math.inf)[0]

    def __call__(self, log_p, log_q):
        """`q f(p / q)` where both densities are above 0; where one is 0 it is left out, as 0.

        A term that leaves the range of floats by itself is `nan`.
        """
        if log_p == -np.inf or log_q == -np.inf:
            return 0.0
        log_ratio = log_p - log_q
        value = float(self.f(np.exp(log_ratio))) if abs(log_ratio) <= FAR else np.nan
        if np.isfinite(value):
            log_size = log_q + np.log(abs(value))
            term = np.exp(log_q) * value if log_q > -FAR else np.sign(value) * np.exp(log_size)
        elif log_ratio < 0:
            factor, exponent = self._to_zero(-log_ratio)
            term = factor * np.exp(log_q + exponent)
        else:
            factor, exponent = self._to_infinity(log_ratio)
            term = factor * np.exp(log_p + exponent)
        return term if np.isfinite(term) else np.nan


class Continuation:
    """A function of x > 0 from its values at one, two and three steps, in the simplest way.

    With the differences `d1`, `d2` of the values, it is constant from there (`d2` is rounding),
    linear (`d2 = d1`, a logarithm of u), or geometric (any other `d2 / d1`, a power of u).
    """

    def __init__(self, values):
        first, second, self.last = values
        self.difference, before = self.last - second, second - first
        with np.errstate(all="ignore"):
            self.ratio = np.float64(self.difference) / before
        self.is_constant = abs(self.difference) <= 1e-10 * max(1.0, abs(self.last))

    def __call__(self, x):
        """The value at x, which may be infinite, as a factor and the log of another."""
        steps = x / STEP - 3.0
        if self.is_constant:
            return self.last, 0.0
        if not (np.isfinite(self.last) and self.ratio > 0):
            return self.last, 0.0
        if abs(self.ratio - 1.0) < 1e-6:
            return self.last + self.difference * steps, 0.0
        # last + difference (ratio + ratio^2 + ... ), of as many terms as there are steps.
        share = self.difference * self.ratio / (self.ratio - 1.0)
        exponent = steps * np.log(self.ratio)
        if exponent > FAR / 2.0:
            return (math.inf, 0.0) if math.isinf(x) else (share, exponent)
        return self.last + share * np.expm1(exponent), 0.0
