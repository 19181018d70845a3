"""Exact distances of known densities: closed forms, quadrature and the golden values."""

import numpy as np
import pytest

from evaluation.exact_divergences import GAUSSIAN, f_divergence, gaussian_f_divergence

F = {
    "kl": lambda u: u * np.log(u),
    "reverse_kl": lambda u: -np.log(u),
    "jeffrey": lambda u: (u - 1) * np.log(u),
    "pearson": lambda u: (u - 1) ** 2,
    "neyman": lambda u: (1 - u) ** 2 / u,
    "squared_hellinger": lambda u: (np.sqrt(u) - 1) ** 2,
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


P, NARROW = log_normal(0.0, 1.0), log_normal(0.0, 0.1)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: gaussian_f_divergence("js", *A), r"Expected one of \['jeffrey', .*name='js'"),
        (lambda: gaussian_f_divergence("kl", (0, 0), (0, 1)), r"Received: p=\(0, 0\)"),
        (lambda: gaussian_f_divergence("kl", (0, 1), (0, -1)), r"Received: q=\(0, -1\)"),
        (lambda: gaussian_f_divergence("kl", (np.nan, 1), (0, 1)), r"Received: p=\(nan, 1\)"),
        (lambda: f_divergence(F["kl"], P, P, 1, 1), "finite low < high. Received: low=1, high=1"),
        (lambda: f_divergence(F["kl"], P, P, -np.inf, 1), "Received: low=-inf, high=1"),
        (
            lambda: f_divergence(F["pearson"], P, NARROW, -60, 60),
            "both densities have mass.*low=-60.*nan",
        ),
        (lambda: f_divergence(lambda u: np.sin(1e8 * u), P, NARROW, -0.5, 0.5), "be trusted"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
