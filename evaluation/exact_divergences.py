"""Exact f-divergences of densities on the line (Nowozin et al., 2016, equation 2)."""

import numpy as np

from evaluation import line_quadrature
from evaluation.perspective import Perspective
from zoo.validation import as_array, check_callable, check_choice, check_number, in_short

WHOLE = 1e-6  # By how much the mass of a density on the interval may differ from 1.
NOTHING = 1e-10  # A mass that is a point or rounding.


def f_divergence(f, log_p, log_q, low, high):
    """The f-divergence of two densities on the line, by adaptive quadrature.

    `D_f(P || Q) = int_{p, q > 0} q f(p / q) dx + f(0) Q(p = 0) + lim f(u) / u P(q = 0)`

    The limits, at 0 and for `u -> inf`, are taken of f; with one of them infinite the divergence
    is, wherever the other density has mass alone. The interval is cut at the modes of both
    densities, and both have to have the mass 1 there by the same quadrature: so no peak is missed,
    and no tail. Where the integral of finite terms diverges (Neyman's, for tails of Q that are too
    wide) no interval tells: the closed forms of `gaussian_f_divergence` know.

    Args:
        f: A convex function of density ratios u > 0, such as `lambda u: u * np.log(u)`.
        log_p, log_q: Functions of a number to the log density there: the data's, the model's.
            `-np.inf` where the density is 0.
        low, high: The interval, finite.

    Returns:
        float, which may be infinite.

    Raises:
        ValueError: If the interval is empty or not finite, a density has another mass than 1 there
            by more than 1e-6, or the integral is not a number known to 1e-8.

    Reference:
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), equation 2.
        - [Liese and Vajda, 2006](https://doi.org/10.1109/TIT.2006.881731), for densities of 0.
    """
    functions = {"f": f, "log_p": log_p, "log_q": log_q}
    check_callable("a function of a number", **functions)
    check_number(low=low, high=high)
    low, high = float(low), float(high)
    if not low < high:
        raise ValueError(
            "`low` and `high` are not the ends of an interval. Expected finite low < high. "
            f"Received: low={low}, high={high}"
        )
    f, log_p, log_q = (_of_numbers(name, function) for name, function in functions.items())
    log_p, log_q = line_quadrature.Remembered(log_p), line_quadrature.Remembered(log_q)
    with np.errstate(all="ignore"):  # What comes of it is looked at below.
        points = line_quadrature.cuts((log_p, log_q), low, high)
        alone = _check_masses(log_p, log_q, points)
        term = Perspective(f)
        costs = term.slope_at_infinity, term.at_zero
        singular = sum(cost * mass for cost, mass in zip(costs, alone, strict=True) if mass)
        if singular == np.inf:
            return np.inf
        value, error = line_quadrature.integral(lambda x: term(log_p(x), log_q(x)), points)
    value += singular
    if not (np.isfinite(value) and error <= 1e-8 * max(1.0, abs(value))):
        raise ValueError(
            "The integral from `low` to `high` is not to be trusted. Expected an interval in which "
            "both densities have mass: elsewhere their ratio overflows, or the divergence is "
            f"infinite. Received: low={low}, high={high}, whose integral is {value} ± {error}"
        )
    return float(value)


def _of_numbers(name, function):
    """The function, of which is said what it raises or gives in the place of numbers."""

    def called(x):
        try:
            return float(value) if np.ndim(value := function(x)) == 0 else np.asarray(value, float)
        except Exception as error:  # Whatever the user's function raises.
            raise ValueError(
                f"`{name}` does not run: {type(error).__name__}: {error}. Expected a function of a "
                f"number to a number. Received: {name}={in_short(function)}"
            ) from error

    return called


def _check_masses(log_p, log_q, points):
    """The mass of each density where the other is 0, once the mass of each is known to be 1."""
    alone = []
    for name, own, other in (("log_p", log_p, log_q), ("log_q", log_q, log_p)):
        mass, _ = line_quadrature.integral(lambda x, own=own: np.exp(own(x)), points)
        if not abs(mass - 1.0) <= WHOLE:
            raise ValueError(
                f"`{name}` is not to be trusted from `low` to `high`. Expected a density with the "
                "mass 1 there: all of its tails, and no peak that 4,096 places step over. "
                f"Received: low={points[0]}, high={points[-1]}, where the mass is {mass}"
            )

        def lone(x, own=own, other=other):
            return np.exp(own(x)) if other(x) == -np.inf else 0.0

        mass, _ = line_quadrature.integral(lone, points)
        alone.append(mass if mass > NOTHING else 0.0)
    return alone


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
    for argument, given in {"p": p, "q": q}.items():
        pair = as_array(**{argument: given})
        numbers = pair.dtype.kind in "iuf" and pair.shape == (2,) and np.all(np.isfinite(pair))
        if not numbers or not pair[1] > 0:
            raise ValueError(
                f"`{argument}` is not a Gaussian. Expected (mu, sigma), finite, with sigma > 0. "
                f"Received: {argument}={in_short(given)}"
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
