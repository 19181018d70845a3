"""The lines, one short run, and a report that sees an estimate which tells nothing."""

import numpy as np
import pytest

from evaluation import sliced_wasserstein
from studies import wasserstein_correlation as correlation
from zoo import toys


def test_a_run_has_the_estimate_and_the_distance_at_each_checkpoint(monkeypatch):
    monkeypatch.setattr(correlation, "CHECKPOINTS", 2)
    monkeypatch.setattr(correlation, "SAMPLES", 500)
    monkeypatch.setattr(correlation, "BATCH", 16)
    rows = np.array(correlation.run("WGAN-GP", 2, 0)["rows"])
    assert rows.shape == (2, 2) and np.isfinite(rows).all()
    ring = toys.ring().sample(500, 1)
    nearly = sliced_wasserstein(np.zeros_like(ring), ring)  # A first generator makes points near 0.
    assert rows[0, 1] == pytest.approx(nearly, rel=0.2)


def _results(wgan):
    exact = np.linspace(2, 0.1, 40)
    noise = np.random.default_rng(0).normal(size=40)
    runs = {"WGAN, clipped": exact * wgan + (1 - wgan) * noise, "WGAN-GP": exact, "GAN": noise}
    results = {
        f"{kind}_0": {"rows": np.stack([estimate, exact], axis=1).tolist()}
        for kind, estimate in runs.items()
    }
    results["lines"] = {"rows": [[0.0, 0.0, 0.001], [0.5, 0.5, 2 * np.log(2) - 0.003]]}
    return results


def test_a_report_sees_an_estimate_that_tells_nothing(tmp_path):
    findings = list(correlation.report(_results(1.0), tmp_path))
    assert [f.holds for f in findings] == [True, True, True, True, None]
    assert [f.found for f in findings][2:4] == ["1.000", "1.000"]
    findings = list(correlation.report(_results(0.0), tmp_path))
    assert [f.holds for f in findings][2] is False
    assert (tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")
