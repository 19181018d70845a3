"""Exact f-divergences of densities on the line (Nowozin et al., 2016, equation 2)."""

import numpy as np
from scipy import integrate

from zoo.validation import check_choice

PIECES = 64  # Of an interval: quadrature would step over a narrow peak in a wide one.


def f_divergence(f, log_p, log_q, low, high):
    """The f-divergence of two densities on the line, by adaptive quadrature.

    `D_f(P || Q) = int q(x) f(p(x) / q(x)) dx`

    What the densities have outside the interval is left out, so it has to hold the mass of both,
    and where the integral diverges (Neyman's, for tails of Q that are too wide) the value means
    nothing: the closed forms of `gaussian_f_divergence` know.

    Args:
        f: A convex function of density ratios u > 0, such as `lambda u: u * np.log(u)`.
        log_p, log_q: Functions of a number to the finite log density there: the data's, the
            model's.
        low, high: The interval, finite.

    Returns:
        float.

    Raises:
        ValueError: If the interval is empty or not finite, or the integral is not a number known to
            1e-8.

    Reference:
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), equation 2.
    """
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(
            "`low` and `high` are not the ends of an interval. Expected finite low < high. "
            f"Received: low={low}, high={high}"
        )

    def integrand(x):
        log_ratio = log_p(x) - log_q(x)
        return np.exp(log_q(x)) * f(np.exp(log_ratio))

    ends = np.linspace(low, high, PIECES + 1)
    with np.errstate(all="ignore"):  # What comes of it is looked at below.
        integrals = [
            integrate.quad(integrand, *piece, epsabs=1e-14, epsrel=1e-12, full_output=1)
            for piece in zip(ends[:-1], ends[1:], strict=True)
        ]
    value, error = (sum(integral[i] for integral in integrals) for i in range(2))
    if not (np.isfinite(value) and error <= 1e-8 * max(1.0, abs(value))):
        raise ValueError(
            "The integral from `low` to `high` is not to be trusted. Expected an interval in which "
            "both densities have mass: elsewhere their ratio overflows, or the divergence is "
            f"infinite. Received: low={low}, high={high}, whose integral is {value} ± {error}"
        )
    return float(value)


def gaussian_f_divergence(name, p, q):
    """The f-divergence of two Gaussians on the line, in closed form.

    With `d = mu_p - mu_q` and, for P to the power a and Q to the power 1 - a,

    `I_a = int p^a q^(1-a) dx = sigma_p^(1-a) sigma_q^a s^(-1/2) exp(-a (1-a) d^2 / (2 s))`,
    `s = (1-a) sigma_p^2 + a sigma_q^2`, infinite for `s <= 0`:

    - `"kl"`: `log(sigma_q / sigma_p) + (sigma_p^2 + d^2) / (2 sigma_q^2) - 1/2`
    - `"reverse_kl"`: the same with P and Q swapped
    - `"jeffrey"`: `(sigma_p^2 + d^2) / (2 sigma_q^2) + (sigma_q^2 + d^2) / (2 sigma_p^2) - 1`,
      the sum of these two
    - `"pearson"`: `int (p - q)^2 / q dx = I_2 - 1` (some tables swap it with Neyman's)
    - `"neyman"`: `int (p - q)^2 / p dx = I_-1 - 1`
    - `"squared_hellinger"`: `int (sqrt p - sqrt q)^2 dx = 2 - 2 I_1/2`

    Args:
        name: One of these.
        p: `(mu, sigma)` of the data, sigma > 0.
        q: `(mu, sigma)` of the model.

    Returns:
        float, which may be infinite.

    Raises:
        ValueError: If the name is unknown, or a sigma is not positive.

    Reference:
        - [Nielsen and Nock, 2014](https://arxiv.org/abs/1309.3029), on the powers' integral.
    """
    check_choice(GAUSSIAN, name=name)
    for argument, (mu, sigma) in {"p": p, "q": q}.items():
        if not (np.isfinite(mu) and np.isfinite(sigma) and sigma > 0):
            raise ValueError(
                f"`{argument}` is not a Gaussian. Expected (mu, sigma), finite, with sigma > 0. "
                f"Received: {argument}={(mu, sigma)}"
            )
    return float(GAUSSIAN[name](*(tuple(map(float, pair)) for pair in (p, q))))


def _kl(p, q):
    (mu_p, sigma_p), (mu_q, sigma_q) = p, q
    # log1p and the square of the difference keep the digits where P is close to Q.
    ratio = (sigma_p / sigma_q) ** 2
    excess = (sigma_p - sigma_q) * (sigma_p + sigma_q) / sigma_q**2
    log_ratio = np.log1p(excess) if abs(excess) < 0.5 else np.log(ratio)
    return 0.5 * (excess - log_ratio + ((mu_p - mu_q) / sigma_q) ** 2)


def _power(p, q, a):
    """`I_a - 1`."""
    (mu_p, sigma_p), (mu_q, sigma_q) = p, q
    s = (1 - a) * sigma_p**2 + a * sigma_q**2
    if s <= 0:
        return np.inf
    log = (1 - a) * np.log(sigma_p) + a * np.log(sigma_q) - 0.5 * np.log(s)
    with np.errstate(over="ignore"):  # Infinite then, as far as float64 can tell.
        return np.expm1(log - a * (1 - a) * (mu_p - mu_q) ** 2 / (2 * s))


GAUSSIAN = {
    "kl": _kl,
    "reverse_kl": lambda p, q: _kl(q, p),
    "jeffrey": lambda p, q: _kl(p, q) + _kl(q, p),
    "pearson": lambda p, q: _power(p, q, 2.0),
    "neyman": lambda p, q: _power(p, q, -1.0),
    "squared_hellinger": lambda p, q: -2.0 * _power(p, q, 0.5),
}
