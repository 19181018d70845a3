"""Gaussian fits: divergences against closed forms, the paper's optimum, and both studies."""

import numpy as np
import pytest

from studies import fgan_mixture, gaussian_fits, maximum_likelihood
from studies.gaussian_fits import GRID
from tests.helpers import data_of_a_fit

P, Q = (1.0, 1.2), (0.3, 1.5)  # Mean and deviation.


def _kl(p, q):
    return np.log(q[1] / p[1]) + (p[1] ** 2 + (p[0] - q[0]) ** 2) / (2 * q[1] ** 2) - 0.5


def _pearson(p, q):
    s = 2 * q[1] ** 2 - p[1] ** 2
    return q[1] ** 2 / (p[1] * s**0.5) * np.exp((p[0] - q[0]) ** 2 / s) - 1


CLOSED = {
    "kl": _kl(P, Q),
    "reverse_kl": _kl(Q, P),
    "jeffrey": _kl(P, Q) + _kl(Q, P),
    "pearson": _pearson(P, Q),
}


@pytest.mark.parametrize("name", CLOSED)
def test_divergences_are_the_closed_forms(name):
    log_p = gaussian_fits.log_normal(GRID, *P)
    assert gaussian_fits.divergence(name, log_p, *Q) == pytest.approx(CLOSED[name], abs=1e-9)


@pytest.mark.parametrize("name", gaussian_fits.DIVERGENCES)
def test_the_best_fit_of_the_papers_mixture(name):
    found = gaussian_fits.exact(name, fgan_mixture.log_density(GRID))
    np.testing.assert_allclose(found, fgan_mixture.GOLDEN[name], atol=2e-5)


@pytest.mark.parametrize("module", [fgan_mixture, maximum_likelihood])
def test_data_are_of_the_density(module):
    drawn = np.sort(module.sample(np.random.default_rng(0), (40_000,)))
    cdf = np.cumsum(np.exp(module.log_density(GRID))) * (GRID[1] - GRID[0])
    ranks = (np.arange(len(drawn)) + 0.5) / len(drawn)
    assert np.abs(np.interp(drawn, GRID, cdf) - ranks).max() < 0.012


def test_the_most_likely_deviation_is_of_least_kl():
    found = maximum_likelihood.likelihood(0, 20_000)
    assert found["off"] < 1e-10
    assert np.argmin(found["kl"]) == np.argmax(found["exact"])
    best = found["scales"][int(np.argmax(found["exact"]))]
    assert abs(best - maximum_likelihood.MOST_LIKELY[1]) < 0.0126  # Half a step of the grid.


def test_shares_of_a_gaussian():
    left, valley, right, believed = maximum_likelihood.shares(-2.0, 0.5)
    assert left + valley + right == pytest.approx(1) and valley == pytest.approx(0.0082, abs=1e-4)
    # E_q log p of a q that is one half of p: minus its entropy, minus log 2.
    entropy = 0.5 * np.log(2 * np.pi * np.e * 0.25)
    assert believed == pytest.approx(-entropy - np.log(2), abs=1e-3)


def test_games_start_where_they_are_told():
    """Before a step that counts."""
    made = gaussian_fits.learned(
        "kl", maximum_likelihood.sample, [(-2.0, 1.0), (0.5, 2.0)], 100, 0, rate=1e-9
    )
    np.testing.assert_allclose(made["mean"], [-2.0, 0.5], atol=1e-4)
    np.testing.assert_allclose(made["scale"], [1.0, 2.0], atol=1e-4)


def test_each_game_has_data_of_its_own(monkeypatch):
    starts = [(0.0, 1.0)] * 3
    data = data_of_a_fit(
        monkeypatch, lambda: gaussian_fits.learned("kl", maximum_likelihood.sample, starts, 100, 0)
    )
    assert data.shape == (3, 50 * gaussian_fits.BATCH, 1)
    assert np.abs(np.corrcoef(data[..., 0])[np.triu_indices(3, 1)]).max() < 0.03


def test_no_game_of_the_mixture_starts_where_it_is_to_end():
    for start in fgan_mixture.STARTS:
        for _, mean, scale in fgan_mixture.GOLDEN.values():
            assert max(abs(start[0] - mean), abs(start[1] - scale)) > 4 * fgan_mixture.NEAR
    for start in maximum_likelihood.STARTS:
        assert np.hypot(start[0], start[1] - maximum_likelihood.MOST_LIKELY[1]) > 0.9


def test_the_order_of_the_means_is_judged_as_it_is_said(tmp_path):
    def found(**means):
        results = {
            name: {
                "exact": list(exact), "bound": [exact[0]] * 2, "scale": [exact[2]] * 2,
                "mean": [means.get(name, exact[1])] * 2,
            }
            for name, exact in fgan_mixture.GOLDEN.items()
        }  # fmt: skip
        (order,) = (f for f in fgan_mixture.report(results, tmp_path) if "order" in f.what)
        return order.holds

    assert found() is True
    assert found(jeffrey=1.3) is True  # Before Jensen-Shannon.
    assert found(jeffrey=1.6) is False  # After reverse KL.
    assert found(pearson=1.05) is False


def _row(exact, off=0.0):
    return {
        "exact": exact, "repeats": 1, "bound": [0.3] * 3,
        "mean": [e[1] + off for e in exact], "scale": [e[2] for e in exact],
    }  # fmt: skip


def test_a_game_that_diverged_is_counted_and_not_averaged(tmp_path):
    mixed = {"mean": [1.0, np.nan, 1.2], "scale": [1.8, np.nan, 1.8], "bound": [0.3] * 3}
    exact = {name: fgan_mixture.GOLDEN[name] for name in fgan_mixture.DIVERGENCES}
    rest = {
        n: {"mean": [e[1]] * 3, "scale": [e[2]] * 3, "bound": [0.1] * 3} for n, e in exact.items()
    }
    made = {name: {"exact": exact[name], **rest[name]} for name in exact}
    made["kl"] |= {**mixed, "mean": [exact["kl"][1], np.nan, exact["kl"][1]]}
    found = {f.what: f for f in fgan_mixture.report(made, tmp_path)}
    assert found["kl: games that diverged"].verdict == "**diverged**"
    assert found["kl: mean of 3 games"].found == "1.010 ± 0.000 (2 of 3)"
    assert found["kl: mean of 3 games"].holds is True
    made["kl"]["mean"] = [np.nan] * 3
    order = [f for f in fgan_mixture.report(made, tmp_path) if f.what.startswith("order")]
    assert order[0].holds is None  # Of numbers that are none.


def test_a_report_finds_games_that_ended_elsewhere(tmp_path):
    one, both = [[0.7, 0.0, 2.06]] * 3, [[0.7, -2.0, 0.5], [1.9, 0.0, 1.7], [0.7, 2.0, 0.5]]
    results = {
        "likelihood": maximum_likelihood.likelihood(0, 20_000),
        "kl": _row(one), "reverse_kl": _row(both, off=0.3), "jensen_shannon": _row(both),
    }  # fmt: skip
    findings = list(maximum_likelihood.report(results, tmp_path))
    held = {f.what: f.holds for f in findings}
    assert held["reverse_kl: games by a good answer that end within 0.15 of one"] is False
    assert held["kl: games by a good answer that end within 0.15 of one"] is True
    assert [f.holds for f in findings].count(False) == 1
    assert (tmp_path / "fits.png").read_bytes().startswith(b"\x89PNG")
