"""Proposition 1 in numbers: its value, its divergences, and a net that falls short is judged so."""

import numpy as np
import pytest
from scipy import integrate, stats

from studies import optimal_discriminator as optimal


def test_the_value_is_that_of_adaptive_quadrature():
    def terms(x):
        p = 0.5 * (stats.norm.pdf(x, -2, 0.5) + stats.norm.pdf(x, 2, 0.5))
        q = stats.norm.pdf(x, *optimal.Q)
        return p * np.log(p / (p + q)) + q * np.log(q / (p + q))

    exact = integrate.quad(terms, -12, 12, points=(-2, 2), limit=200)[0]
    best, js = optimal.value()
    assert best == pytest.approx(exact, abs=1e-8)
    assert best == pytest.approx(2 * js - np.log(4), abs=1e-12)


def test_jensen_shannon_of_two_gaussians():
    p, q = (stats.norm(*own) for own in optimal.PAIR)

    def terms(x):
        half = (p.pdf(x) + q.pdf(x)) / 2
        return p.pdf(x) * np.log(p.pdf(x) / half) + q.pdf(x) * np.log(q.pdf(x) / half)

    twice = integrate.quad(terms, -9, 9)[0]
    assert optimal.divergence("jensen_shannon") == pytest.approx(twice, abs=1e-8)
    assert optimal.divergence("gan") == pytest.approx(twice - np.log(4), abs=1e-8)


@pytest.mark.parametrize("name", optimal.ALL)
def test_every_bound_has_a_finite_divergence_above_it(name):
    assert 0 < optimal.divergence(name) + np.log(4) * (name == "gan") < 10


def test_neyman_of_its_pair():
    p, q = (stats.norm(*own) for own in optimal.PAIRS["neyman"])
    exact = integrate.quad(lambda x: q.pdf(x) ** 2 / p.pdf(x), -30, 30, limit=400)[0] - 1
    assert optimal.divergence("neyman") == pytest.approx(exact, rel=1e-6)


def _net(value, share):
    """Of a net whose D is so far from 1/2 on the way to D*."""
    star = 1 / (1 + np.exp(optimal.log_q(optimal.SHOWN) - optimal.log_p(optimal.SHOWN)))
    return {"value": value, "error": 0.004, "discriminator": (0.5 + share * (star - 0.5)).tolist()}


def _results():
    best, _ = optimal.value()
    shares = (0.0, 0.4, 0.6, 0.8, 0.99)
    values = (-np.log(4), -1.13, -1.07, -1.01, best - 0.003)
    results = {
        f"net_{name}": _net(value, share)
        for name, value, share in zip(optimal.NETS, values, shares, strict=True)
    }
    results["bound_kl_linear"] = {"exact": 0.35, "value": 0.2, "error": 0.01}
    results["bound_kl_16 units"] = {"exact": 0.35, "value": 0.28, "error": 0.01}
    return results


def _lost(results, tmp_path):
    findings = optimal.report(results, tmp_path)
    return [finding.what.partition(":")[0] for finding in findings if not finding.holds]


def test_a_report_judges_nets_and_bounds(tmp_path):
    best, _ = optimal.value()
    assert _lost(_results(), tmp_path) == []
    above = _results() | {"net_64-64 units": _net(best + 0.1, 0.99)}
    assert len(_lost(above, tmp_path)) == 2  # More than the best one can have, and not near it.
    no_better = _results() | {"net_16 units": _net(-1.08, 0.5)}
    assert _lost(no_better, tmp_path) == ["mean |D - D*| by net", "V of a net"]
    for value in (0.5, 0.22):  # More than the divergence; no more than a line's.
        wrong = _results() | {"bound_kl_16 units": {"exact": 0.35, "value": value, "error": 0.01}}
        assert _lost(wrong, tmp_path) == ["bound of kl by 16 units"]
    assert (tmp_path / "discriminators.png").read_bytes().startswith(b"\x89PNG")


def test_a_d_that_says_nothing_passes_as_a_line_alone(tmp_path):
    blind = {f"net_{name}": _net(-np.log(4), 0.0) for name in optimal.NETS}
    found = {f.what: f.holds for f in optimal.report(blind, tmp_path)}
    nets = {what: holds for what, holds in found.items() if "net" in what}
    assert [what for what, holds in nets.items() if holds] == ["V of a net: linear"]
    assert len(nets) == 2 + len(optimal.NETS)


def test_what_a_bound_is_short_by_is_said(tmp_path):
    (bound,) = (f for f in optimal.report(_results(), tmp_path) if f.what.startswith("bound"))
    assert bound.found == "0.2800 ± 0.0100, short by 20.0% (7.0 errors)"


def test_the_bound_of_a_line_is_the_best_of_lines():
    """Of KL: max over a of E_p[a x] - log E_q[exp(a x)], of two Gaussians a m - a^2 s^2 / 2."""
    (mean, _), (_, scale) = optimal.PAIR
    found = optimal.bound("kl", (), 0, steps=600)
    assert found["value"] == pytest.approx(mean**2 / (2 * scale**2), abs=4 * found["error"])
    assert found["exact"] == pytest.approx(np.log(1.5) + 2 / (2 * 1.5**2) - 0.5)


def test_a_line_cannot_tell_symmetric_densities():
    found = optimal.taught((), 0, steps=300)
    assert found["value"] == pytest.approx(-np.log(4), abs=optimal.NEAR)
    assert np.abs(np.array(found["discriminator"]) - 0.5).max() < 0.1
