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


def _net(value):
    star = [0.5] * len(optimal.SHOWN)
    return {"value": value, "error": 0.004, "discriminator": star}


def test_a_report_judges_nets_and_bounds(tmp_path):
    best, _ = optimal.value()
    results = {f"net_{name}": _net(best - 0.2) for name in optimal.NETS}
    results["net_64-64 units"] = _net(best)
    results["bound_kl_linear"] = {"exact": 0.35, "value": 0.2, "error": 0.01}
    results["bound_kl_16 units"] = {"exact": 0.35, "value": 0.345, "error": 0.01}
    findings = list(optimal.report(results, tmp_path))
    assert all(finding.holds for finding in findings)
    results["net_linear"] = _net(best + 0.1)  # More than the best one can have.
    results["net_64-64 units"] = _net(best - 0.1)
    results["bound_kl_16 units"]["value"] = 0.5
    findings = list(optimal.report(results, tmp_path))
    assert [finding.holds for finding in findings].count(False) == 3
    assert (tmp_path / "discriminators.png").read_bytes().startswith(b"\x89PNG")
