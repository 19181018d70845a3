"""Figure 1: densities by histogram, the best D of them, and a report of a run that failed."""

import numpy as np
import pytest
from scipy import stats

from studies import density_fit as figure
from studies.density_fit import GRID, MEAN, SCALE


def test_a_density_is_that_of_its_samples():
    drawn = np.random.default_rng(0).normal(MEAN, SCALE, figure.COUNT)
    made = figure.density(drawn)
    np.testing.assert_allclose(made, stats.norm.pdf(GRID, MEAN, SCALE), atol=0.02)
    assert np.trapezoid(made, GRID) == pytest.approx(1.0, abs=1e-3)


def test_frames_are_early_and_end_at_the_last_step():
    moments = [figure.moment(k, 3_000) for k in range(figure.FRAMES + 1)]
    assert moments[:4] == [0, 3, 13, 30] and moments[-1] == 3_000
    assert np.all(np.diff(moments) > 0)


def _frame(mean, ks, discriminator=None):
    density = stats.norm.pdf(GRID, mean, SCALE)
    frame = {"density": density.tolist(), "ks": ks, "arrows": np.linspace(0, 2, 25).tolist()}
    best = figure.best(frame)
    frame["discriminator"] = (best if discriminator is None else discriminator).tolist()
    return frame


def test_the_best_d_of_the_data_is_one_half():
    frame = _frame(MEAN, 0.0)
    assert figure.off(frame, 0.5) < 1e-9
    other = _frame(0.0, 0.7)
    ratio = stats.norm.pdf(GRID, MEAN, SCALE) / np.array(other["density"])
    np.testing.assert_allclose(figure.best(other), ratio / (1 + ratio), atol=1e-6)


def test_a_report_sees_a_run_that_ended_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(figure, "_picture", lambda frames: None)  # 31 pictures each time.
    monkeypatch.setattr(figure.zoo.pictures, "save_animation", lambda pictures, path: None)
    first, wrong = _frame(0.0, 0.7), np.full(len(GRID), 0.9)
    for last, failed in ((_frame(MEAN, 0.01), 0), (_frame(0.0, 0.7), 2)):
        results = {"run_0": {"frames": [first] * figure.FRAMES + [last], "steps": 300}}
        findings = list(figure.report(results, tmp_path))
        assert [f.holds for f in findings].count(False) == failed
    # D = 1/2 all along is D* at the end, and nowhere before.
    half = np.full(len(GRID), 0.5)
    still = (
        [first] + [_frame(0.0, 0.7, half)] * (figure.FRAMES - 5) + [_frame(MEAN, 0.01, half)] * 5
    )
    findings = list(figure.report({"run_0": {"frames": still, "steps": 300}}, tmp_path))
    assert [f.holds for f in findings] == [True, True, False]
    good = [first] + [_frame(0.0, 0.7)] * 5 + [_frame(MEAN, 0.01)] * (figure.FRAMES - 5)
    findings = list(figure.report({"run_0": {"frames": good, "steps": 300}}, tmp_path))
    assert [f.holds for f in findings] == [True] * 3 and "the 5 of 30 frames" in findings[2].what
    blind = [_frame(0.0, 0.7, wrong)] * figure.FRAMES + [_frame(MEAN, 0.01)]
    findings = list(figure.report({"run_0": {"frames": blind, "steps": 300}}, tmp_path))
    assert [f.holds for f in findings] == [True, True, False]
    assert (tmp_path / "figure_1.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_has_its_frames(monkeypatch):
    monkeypatch.setattr(figure, "COUNT", 2_000)
    monkeypatch.setattr(figure, "FRAMES", 2)
    frames = figure.run(8, 0)["frames"]
    assert len(frames) == 3
    for frame in frames:  # The arrows are G of 25 latents, and the density is of its samples.
        low, high = min(frame["arrows"]), max(frame["arrows"])
        inside = (GRID > low - 0.1) & (GRID < high + 0.1)
        density = np.array(frame["density"])
        assert np.trapezoid(density[inside], GRID[inside]) == pytest.approx(1.0, abs=0.05)
    assert frames[0] != frames[2]
