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


def test_lines_that_are_apart_are_as_unlike_as_can_be(monkeypatch):
    monkeypatch.setattr(correlation, "APART", (0.0, 0.5))
    same, apart = np.array(correlation.lines(0)["rows"])
    assert same == pytest.approx([0, 0, 0], abs=0.02)
    assert apart == pytest.approx([0.5, 0.5, 2 * np.log(2)], abs=0.05)


def _results(wgan):
    """Runs whose W1 fall, with wiggles of their own; a figure is a share of W1 and noise."""
    rng = np.random.default_rng(0)
    results = {"lines": {"rows": [[0.0, 0.0, 0.001], [0.5, 0.5, 2 * np.log(2) - 0.003]]}}
    for kind, share in (("WGAN, clipped", wgan), ("WGAN-GP", 1.0), ("GAN", 0.0)):
        exact = np.linspace(2, 0.4, 40) + 0.03 * rng.normal(size=40)
        noise = rng.normal(size=40)
        figure = 3 * exact * share + (1 - share) * noise
        results[f"{kind}_0"] = {"rows": np.stack([figure, exact], axis=1).tolist()}
    return results


def _found(results, tmp_path, start):
    return [f for f in correlation.report(results, tmp_path) if f.what.startswith(start)]


def test_a_report_sees_an_estimate_that_tells_nothing(tmp_path):
    findings = list(correlation.report(_results(1.0), tmp_path))
    assert all(f.holds for f in findings if f.expected)
    assert [f.holds for f in findings].count(True) == 2 + 2
    level, others, changes, ratio = _found(_results(1.0), tmp_path, "WGAN-GP_0")
    assert level.found == "1.000" and changes.found.startswith("1.000; ")
    assert 0.9 < float(others.found) < 1 and ratio.found == "3.00, 3.00"
    assert [f.holds for f in _found(_results(1.0), tmp_path, "GAN_0")] == [None] * 4
    lost = _found(_results(0.0), tmp_path, "WGAN, clipped_0")
    assert [f.holds for f in lost] == [False, None, None, None]
    assert (tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_that_only_falls_is_not_taken_for_an_estimate(tmp_path):
    results = _results(1.0)
    rows = np.array(results["WGAN-GP_0"]["rows"])
    rows[:, 0] = np.array(results["GAN_0"]["rows"])[:, 1]  # The distance in another run.
    results["WGAN-GP_0"]["rows"] = rows.tolist()
    level, others, changes, _ = _found(results, tmp_path, "WGAN-GP_0")
    assert level.holds is True and others.found == "1.000"
    own, control = (float(x) for x in changes.found.split(" (")[0].split("; "))
    assert own < control == 1.0


def test_the_gan_has_its_estimate_of_the_divergence(monkeypatch):
    monkeypatch.setattr(correlation, "CHECKPOINTS", 1)
    monkeypatch.setattr(correlation, "SAMPLES", 500)
    monkeypatch.setattr(correlation, "BATCH", 16)
    ((estimate, _),) = correlation.run("GAN", 1, 0)["rows"]
    assert -0.3 < estimate < np.log(2)  # log 2 - L / 2 of a discriminator that has just begun.
