"""The study of lecture 004: its exact values, its rows, and that a second run trains nothing."""

import json
import types

import numpy as np
import pytest
from scipy import integrate, stats

from studies import inference_report
from studies import normal_inference as study
from studies.study import make


def test_the_truth_of_the_mixture_is_that_of_quadrature():
    def density(x):
        return np.mean([stats.norm.pdf(x, *normal) for normal in study.MIXTURE], axis=0)

    mean, variance, median, edge = study.truth("mixture")
    assert mean == pytest.approx(integrate.quad(lambda x: x * density(x), -9, 9)[0], abs=1e-8)
    second = integrate.quad(lambda x: (x - mean) ** 2 * density(x), -9, 9)[0]
    assert variance == pytest.approx(second, abs=1e-8)
    assert integrate.quad(density, -9, median)[0] == pytest.approx(0.5, abs=1e-6)
    assert integrate.quad(density, edge, 9)[0] == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize("name", study.POPULATIONS)
def test_samplers_have_the_truth(name):
    sampler, cdf, _ = study.POPULATIONS[name]
    drawn = sampler(np.random.default_rng(0), (200_000,))
    mean, variance, median, edge = study.truth(name)
    spread = 5 * drawn.std() / len(drawn) ** 0.5
    assert abs(drawn.mean() - mean) < spread
    assert drawn.var() == pytest.approx(variance, rel=0.05)
    assert np.mean(drawn < median) == pytest.approx(0.5, abs=0.006)
    assert np.mean(drawn > edge) == pytest.approx(0.05, abs=0.003)
    assert stats.kstest(drawn[:2000], cdf).pvalue > 0.001


def test_the_distance_of_a_fitted_normal_is_the_reference():
    data = np.random.default_rng(1).normal(size=(2000, 100))
    mean, error = study.with_error(study.plug_in_distance(data))
    assert abs(mean - 0.0402) < 4 * error + 0.0004


def test_errors_and_rates():
    values = np.random.default_rng(2).normal(0, 2, 4000)
    variance, error = study.variance_with_error(values)
    assert abs(variance - 4) < 4 * error
    assert error == pytest.approx(4 * (2 / 4000) ** 0.5, rel=0.15)
    sizes = np.array([25, 100, 400])
    slope, _ = inference_report.fitted_rate(sizes, 0.85 / np.sqrt(sizes), 0.001 / np.sqrt(sizes))
    assert slope == pytest.approx(-0.5, abs=1e-9)


def test_the_table_is_of_the_data_and_of_the_gan(monkeypatch):
    """Of GANs whose every draw lies .5 too high: what is the data's stays right."""
    data = np.random.default_rng(4).normal(size=(300, 100))
    whole = {**study.STATISTICS, "tail": lambda x: (x > stats.norm.ppf(0.95)).mean(-1)}
    of_data = {name: statistic(data) for name, statistic in whole.items()}
    found = types.SimpleNamespace(
        data=data, diverged=0, seconds=1.0, of_data=of_data,
        of_gan={name: statistic(data + 0.5) for name, statistic in whole.items()},
        bootstrap={name: (np.full(300, 0.0), np.full(300, 0.07)) for name in whole},
        ks_data=np.array([stats.kstest(x, "norm").statistic for x in data]),
        ks_gan=np.array([stats.kstest(x + 0.5, "norm").statistic for x in data]),
    )  # fmt: skip
    monkeypatch.setattr(study, "trained", lambda replicates, seed: found)
    made = study.table_part(300, 0)
    assert made["mean"]["data"][0] == pytest.approx(data.mean())
    assert made["mean"]["gan"][0] == pytest.approx(data.mean() + 0.5)
    assert made["mean"]["gan_rmse"] == pytest.approx(np.sqrt(0.25 + 0.01), abs=0.02)
    assert made["variance"]["gan"][0] == pytest.approx(made["variance"]["data"][0])
    assert made["tail"]["data"][0] == pytest.approx(0.05, abs=0.005)
    assert made["tail"]["gan"][0] == pytest.approx(stats.norm.sf(1.6449 - 0.5), abs=0.01)
    assert made["ks"]["data"][0] == pytest.approx(0.0852, abs=0.005)
    assert made["ks"]["plug_in"][0] == pytest.approx(0.0402, abs=0.004)
    assert made["gan_is_nearer"][0] < 0.02
    share = {name: pair[0] for name, pair in made["coverage"].items()}
    low, high = stats.binom.interval(0.999, 300, 0.95)
    within = np.abs(data.mean(1)) < 1.96 / 10
    assert share["mean of the data ± 1.96/√n"] == pytest.approx(within.mean(), abs=1e-3)
    assert low <= 300 * share["Student's t"] <= high
    assert share["percentile bootstrap"] == pytest.approx(0.94, abs=0.04)
    assert share["mean of the GAN ± 1.96/√n"] < 0.01
    assert share["GAN-bootstrap"] == 1.0 and made["tail"]["gan_bootstrap"][0] == 1.0
    assert made["median"]["gan_bootstrap"][0] == 1.0 and made["variance"]["gan_bootstrap"][0] == 0.0
    assert made["values"]["mean"][0] == of_data["mean"].tolist()


def test_a_second_run_trains_nothing(tmp_path, monkeypatch):
    """With a part that is made up: what is written is of its numbers, and it is made once."""
    pair = [0.01, 0.002]
    row = {
        "truth": 0.0, "data": pair, "gan": pair, "data_variance": pair, "gan_variance": pair,
        "data_rmse": 0.1, "gan_rmse": 0.2, "bootstrap": [0.9, 0.01], "gan_bootstrap": [0.8, 0.02],
    }  # fmt: skip
    values = np.random.default_rng(3).normal(size=(2, 50)).tolist()
    made = {name: row for name in (*study.STATISTICS, "tail")} | {
        "replicates": 50, "diverged": 0, "seconds": 1.0, "gan_is_nearer": pair,
        "ks": {"data": pair, "gan": pair, "plug_in": pair},
        "coverage": {
            "Student's t": [0.94, 0.01], "GAN-bootstrap": [0.8, 0.02],
            "mean of the data ± 1.96/√n": [0.89, 0.01],
        },
        "tolerance": [0.9, 1.0], "values": {"mean": values, "ks": values},
    }  # fmt: skip
    calls = []
    part = lambda replicates, seed: calls.append(replicates) or made  # noqa: E731
    monkeypatch.setattr(study, "table_part", part)
    findings = make(study.STUDY, directory=tmp_path)
    assert make(study.STUDY, directory=tmp_path) == findings
    assert calls == [500]
    folder = tmp_path / "quick"
    assert json.loads((folder / "table.0.json").read_text())["gan_is_nearer"] == pair
    assert [f.holds for f in findings[:3]] == [True, False, True]  # 0.01 is 5 errors from 0.
    assert [f.holds for f in findings if f.what.startswith("coverage")] == [None, None, False]
    assert "coverage: GAN-bootstrap,0.8000 ± 0.0200" in (folder / "table.csv").read_text()
    assert (folder / "table.md").read_text().startswith("|  | GAN: ours | lecture")
    for name in ("distributions.png", "coverage.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
