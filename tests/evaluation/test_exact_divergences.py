"""Exact distances of known densities: closed forms, quadrature and the golden values."""

import numpy as np
import pytest
import scipy.special

from evaluation import line_quadrature
from evaluation.exact_divergences import GAUSSIAN, f_divergence, gaussian_f_divergence

F = {
    "kl": lambda u: u * np.log(u),
    "reverse_kl": lambda u: -np.log(u),
    "jeffrey": lambda u: (u - 1) * np.log(u),
    "pearson": lambda u: (u - 1) ** 2,
    "neyman": lambda u: (1 - u) ** 2 / u,
    "squared_hellinger": lambda u: (np.sqrt(u) - 1) ** 2,
}
MORE = F | {
    "two_js": lambda u: u * np.log(u) - (u + 1) * np.log((1 + u) / 2),
    "total_variation": lambda u: 0.5 * np.abs(u - 1),
    "alpha=.9": lambda u: (u**0.9 - 1 - 0.9 * (u - 1)) / (0.9 * (0.9 - 1)),
}
A = (0.0, 1.0), (1.0, 1.5)
B = (0.0, 1.0), (0.5, 1.2)
GOLDEN = {
    "kl": (0.3499095526, 0.1163493346),
    "reverse_kl": (0.7195348919, 0.1626784432),
    "pearson": (0.6004150753, 0.1995973377),
    "neyman": (np.inf, 0.7402282143),
    "squared_hellinger": (0.2207307438, 0.0666238494),
    "jeffrey": (1.0694444444, 0.2790277778),
}


def log_normal(mu, sigma):
    return lambda x: -0.5 * ((x - mu) / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi))


def quadrature(f, p, q, reach=14.0):
    """Between points so far out that no tail is left; densities as float64 can hold them."""
    low = max(mu - reach * sigma for mu, sigma in (p, q))
    high = min(mu + reach * sigma for mu, sigma in (p, q))
    return f_divergence(f, log_normal(*p), log_normal(*q), low, high)


@pytest.mark.parametrize("name", sorted(GAUSSIAN))
def test_golden_values(name):
    a, b = GOLDEN[name]
    assert gaussian_f_divergence(name, *A) == pytest.approx(a, abs=6e-11)
    assert gaussian_f_divergence(name, *B) == pytest.approx(b, abs=6e-11)
    assert gaussian_f_divergence(name, (2.0, 0.7), (2.0, 0.7)) == 0.0


@pytest.mark.parametrize("name", sorted(GAUSSIAN))
def test_closed_forms_are_the_integrals(name):
    for p, q in (B, ((0.3, 0.8), (-0.2, 0.9)), ((5.0, 2.0), (4.0, 1.9))):
        exact = gaussian_f_divergence(name, p, q)
        assert quadrature(F[name], p, q) == pytest.approx(exact, rel=1e-9)


def test_other_divergences_by_quadrature():
    # 2 JS, total variation with its kinks, and a mixture against a Gaussian.
    def two_js(u):
        return u * np.log(u) - (u + 1) * np.log((1 + u) / 2)

    assert quadrature(two_js, *A) == pytest.approx(0.1985801932, abs=6e-11)
    assert quadrature(two_js, *B) == pytest.approx(0.0641937839, abs=6e-11)
    found = quadrature(lambda u: 0.5 * np.abs(u - 1), *A)
    assert found == pytest.approx(0.3461230840, abs=6e-11)

    def log_mixture(x):
        parts = log_normal(-1, 0.25)(x), log_normal(2, np.sqrt(2))(x)
        return np.logaddexp(np.log(0.33) + parts[0], np.log(0.67) + parts[1])

    model = log_normal(1.01, 1.830444)
    assert f_divergence(F["kl"], log_mixture, model, -20, 20) == pytest.approx(0.288093, abs=6e-7)


def test_a_narrow_peak_in_a_wide_interval_is_seen():
    # One rule of 21 points over all of it would find nothing but zeros.
    p, q = (3.7, 0.3), (3.7, 0.4)
    found = f_divergence(F["pearson"], log_normal(*p), log_normal(*q), -400.0, 300.0)
    assert found == pytest.approx(gaussian_f_divergence("pearson", p, q), rel=1e-9)


# === Peaks that quadrature would step over, ratios that leave float64, densities of 0 ===

PEAK, WIDE = (0.123, 0.001), (0.0, 1.0)
FINITE = ["kl", "reverse_kl", "jeffrey", "squared_hellinger", "pearson"]


@pytest.mark.parametrize("name", FINITE)
def test_a_peak_between_the_places_of_a_rule_is_found(name):
    found = f_divergence(F[name], log_normal(*PEAK), log_normal(*WIDE), -30, 30)
    assert found == pytest.approx(gaussian_f_divergence(name, PEAK, WIDE), rel=1e-9)


@pytest.mark.parametrize("name", ["kl", "reverse_kl", "jeffrey", "squared_hellinger", "neyman"])
def test_ratios_that_overflow_have_their_limits(name):
    found = f_divergence(F[name], log_normal(*WIDE), log_normal(*PEAK), -30, 30)
    assert found == pytest.approx(gaussian_f_divergence(name, WIDE, PEAK), rel=1e-9)


def test_the_modes_of_mixtures_are_found():
    def log_mixture(x):  # Two peaks on a wide hill, which have a sixth of the mass each.
        parts = log_normal(-7.77, 0.02)(x), log_normal(3.21, 0.03)(x), log_normal(0, 3)(x)
        return np.log(np.exp(parts[0]) / 6 + np.exp(parts[1]) / 6 + np.exp(parts[2]) * 2 / 3)

    # q is p and a wide one in halves: KL(p, q) by a rule of 100,000 points.
    def log_q(x):
        return np.log(0.5 * np.exp(log_mixture(x)) + 0.5 * np.exp(log_normal(0, 3)(x)))

    x = np.linspace(-30, 30, 100_001)
    wanted = np.sum(np.exp(log_mixture(x)) * (log_mixture(x) - log_q(x))) * (x[1] - x[0])
    assert f_divergence(F["kl"], log_mixture, log_q, -30, 30) == pytest.approx(wanted, rel=1e-9)


def test_tails_of_cauchy():
    def log_cauchy(place, scale):
        return lambda x: -np.log(np.pi * scale * (1 + ((x - place) / scale) ** 2))

    found = f_divergence(F["kl"], log_cauchy(0, 1), log_cauchy(1, 2), -1e7, 1e7)
    assert found == pytest.approx(np.log(10 / 8), abs=1e-6)  # Chyzak and Nielsen, 2019.


def uniform(low, high):
    return lambda x: -np.log(high - low) if low <= x <= high else -np.inf


LIMITS = {  # f(0), lim f(u) / u.
    "kl": (0, np.inf),
    "reverse_kl": (np.inf, 0),
    "jeffrey": (np.inf, np.inf),
    "pearson": (1, np.inf),
    "neyman": (np.inf, 1),
    "squared_hellinger": (1, 1),
    "two_js": (np.log(2), np.log(2)),
    "total_variation": (0.5, 0.5),
    "alpha=.9": (1 / 0.9, 10),
}


@pytest.mark.parametrize("name", LIMITS)
def test_where_one_density_is_0_the_limits_of_f_count(name):
    f, (at_zero, slope) = MORE[name], LIMITS[name]
    disjoint = f_divergence(f, uniform(0, 1), uniform(2, 3), -5, 5)
    assert disjoint == pytest.approx(at_zero + slope, rel=1e-12)
    # A quarter of each alone, and a ratio of 1 between.
    overlap = f_divergence(f, uniform(0, 1), uniform(0.25, 1.25), -5, 5)
    assert overlap == pytest.approx((at_zero + slope) / 4, rel=1e-12)
    # P on a part of Q: a ratio of 2.5 there, and 0.6 of Q alone.
    inner = f_divergence(f, uniform(0.3, 0.7), uniform(0, 1), -5, 5)
    assert inner == pytest.approx(0.4 * f(2.5) + 0.6 * at_zero, rel=1e-12)
    outer = f_divergence(f, uniform(0, 1), uniform(0.3, 0.7), -5, 5)
    assert outer == pytest.approx(0.4 * 2.5 * f(1 / 2.5) + 0.6 * slope, rel=1e-12)


def test_a_density_may_be_0_at_a_point():
    # x^2 exp(-x^2/2), which is 0 at 0 and nowhere else, against N(0, 1): KL = E x^2 log x^2.
    def log_p(x):
        return np.log(x**2) + log_normal(0, 1)(x) if x else -np.inf

    # E_p log x^2 with x^2 of a chi-squared law of 3 degrees: digamma(3/2) + log 2.
    wanted = scipy.special.digamma(1.5) + np.log(2)
    found = f_divergence(F["kl"], log_p, log_normal(0, 1), -30, 30)
    assert found == pytest.approx(wanted, rel=1e-8)
    assert f_divergence(F["reverse_kl"], log_p, log_normal(0, 1), -30, 30) == pytest.approx(
        -scipy.special.digamma(0.5) - np.log(2), rel=1e-7
    )


def test_a_slow_density_is_asked_for_each_number_once():
    asked = []

    def log_p(x):
        asked.append(x)
        if not isinstance(x, float):
            raise TypeError("a number, please")
        return log_normal(0, 1)(x)

    f_divergence(F["kl"], log_p, log_normal(0.5, 1.2), -14, 14)
    numbers = [x for x in asked if isinstance(x, float)]
    assert len(numbers) == len(set(numbers)) < 20_000
    whole = line_quadrature.Remembered(lambda x: x**2).at(np.arange(100.0))
    np.testing.assert_array_equal(whole, np.arange(100.0) ** 2)


@pytest.mark.parametrize("name", sorted(GAUSSIAN))
def test_units_and_swaps(name):
    p, q = (0.3, 0.8), (-0.2, 0.9)
    exact = gaussian_f_divergence(name, p, q)
    moved = [(7 * mu + 3, 7 * sigma) for mu, sigma in (p, q)]
    assert gaussian_f_divergence(name, *moved) == pytest.approx(exact, rel=1e-12)
    twin = {"kl": "reverse_kl", "pearson": "neyman"}
    twin |= {b: a for a, b in twin.items()}
    assert gaussian_f_divergence(twin.get(name, name), q, p) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("name", sorted(GAUSSIAN))
def test_near_equals_keep_their_digits(name):
    # All of them are f''(1) / 2 times the Fisher information, of which sigma has 2 / sigma^2.
    second = {"jeffrey": 2.0, "pearson": 2.0, "neyman": 2.0, "squared_hellinger": 0.5}.get(name, 1)
    found = gaussian_f_divergence(name, (1e-9, 1.0), (0.0, 1.0))
    assert found == pytest.approx(second / 2 * 1e-18, rel=1e-6, abs=0)
    step = 1e-9 if name in ("kl", "reverse_kl", "jeffrey") else 1e-5
    found = gaussian_f_divergence(name, (0.0, 1.0 + step), (0.0, 1.0))
    assert found == pytest.approx(second * step**2, rel=1e-4, abs=0)


def test_where_integrals_diverge():
    assert gaussian_f_divergence("pearson", (0, 1.5), (0, 1.0)) == np.inf
    assert gaussian_f_divergence("pearson", (0, np.sqrt(2)), (0, 1.0)) == np.inf
    assert gaussian_f_divergence("neyman", *A) == np.inf
    assert gaussian_f_divergence("pearson", (100.0, 1.0), (0, 1.0)) == np.inf  # e^10000
    assert np.isfinite(gaussian_f_divergence("squared_hellinger", (0, 100.0), (0, 0.01)))


P, P2, NARROW = log_normal(0.0, 1.0), log_normal(0.5, 1.0), log_normal(0.0, 0.1)
SPIKE = log_normal(0.1234, 1e-6)


def rough(u):
    """No quadrature knows the integral of this to 1e-8."""
    return np.sin(1e8 * u) if abs(u - 1) < 0.01 else 0.0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: gaussian_f_divergence("js", *A), r"Expected one of \['jeffrey', .*name='js'"),
        (lambda: gaussian_f_divergence("kl", (0, 0), (0, 1)), r"Received: p=\(0, 0\)"),
        (lambda: gaussian_f_divergence("kl", (0, 1), (0, -1)), r"Received: q=\(0, -1\)"),
        (lambda: gaussian_f_divergence("kl", (np.nan, 1), (0, 1)), r"Received: p=\(nan, 1\)"),
        (
            lambda: f_divergence(F["kl"], P, P, 1, 1),
            "low < high. Received: low=1.0, high=1.0",
        ),
        (lambda: f_divergence(F["kl"], P, P, -np.inf, 1), "Received: low=-inf"),
        (
            lambda: f_divergence(F["pearson"], P, NARROW, -60, 60),
            "both densities have mass.*low=-60.*nan",
        ),
        (lambda: f_divergence(rough, P, P2, -14, 14), "integral from `low` to `high` is not to be"),
        (lambda: f_divergence(F["kl"], P, NARROW, -0.5, 0.5), "`log_p` is not to.*mass is 0.382"),
        (
            lambda: f_divergence(F["kl"], P, lambda x: P(x) + 0.5, -14, 14),
            "`log_q` is not to be trusted.*low=-14.0, high=14.0, where the mass is 1.648",
        ),
        (
            # Half of P is a peak that nothing shows from 1e-5 of the interval away.
            lambda: f_divergence(
                F["kl"], lambda x: np.logaddexp(P(x), SPIKE(x)) - np.log(2), P, -30, 30
            ),
            "`log_p` is not to be trusted.*no peak.*the mass is 0.5",
        ),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
