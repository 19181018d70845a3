"""Inversion: players, the figures by hand, and the verdicts of the report."""

import json

import keras
import numpy as np
import pytest
from scipy import stats

from studies import digits, inversion
from zoo.finite import Diverged


def test_players_differ_in_nothing_but_the_steps_looked_ahead(monkeypatch):
    one, other = (inversion.players(5) for _ in range(2))
    for ours, theirs in zip(one, other, strict=True):
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    widths = [
        [layer.units for layer in player.layers if isinstance(layer, keras.layers.Dense)]
        for player in one
    ]
    assert widths == [[128, 128, 784], [32, 1]]
    # Without a step both are the same; after two, K matters.
    weights = [inversion.trained(k, 50, 5).get_weights()[0] for k in (0, 1)]
    assert not np.allclose(weights[0], weights[1], atol=1e-4)
    assert not np.allclose(weights[0], one[0].get_weights()[0], atol=1e-4)


def test_what_is_sought(monkeypatch):
    monkeypatch.setattr(inversion, "IMAGES", 9)
    monkeypatch.setattr(inversion, "DESCENT", 30)
    monkeypatch.setattr(inversion, "SAMPLES", 20)
    generator, _ = inversion.players(0)
    found = inversion.sought(generator)
    wanted = inversion.held_out() / 255
    assert wanted.shape == (9, 28, 28, 1)
    pictures = np.array(found["pictures"]) / 255
    errors = ((pictures - wanted[..., 0]) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(errors, found["mse"], rtol=0.02)
    # An untrained generator is grey; what is found of it is no worse than a sample as it comes.
    grey = ((generator.sample(1, seed=0) / 255 - wanted) ** 2).mean()
    assert np.mean(found["mse"]) < grey
    base = np.array(inversion.data()["mse"])
    mean = digits.mnist("train")[0].astype("float64").mean(axis=0) / 255
    assert base[4] == pytest.approx(np.mean((wanted[4] - mean) ** 2))


def test_the_digits_shown_are_those_whose_errors_differ_most():
    first = np.full(20, 0.05)
    last = first.copy()
    last[[3, 7, 11]] = 0.01, 0.09, 0.5  # By 4/3, 4/7 and 18/11 of their means.
    assert inversion.telling(first, last)[:3].tolist() == [11, 3, 7]


def test_figures_by_hand():
    pairs = np.zeros((4, 2, 2, 1), "uint8")
    pairs[2], pairs[3, 0, 0] = 255, 51  # Distances 2 and 0.2.
    assert inversion.mean_distance(pairs) == pytest.approx(1.1)
    assert inversion.effective_classes([5, 5, 0, 5, 5]) == pytest.approx(4)
    assert inversion.effective_classes([7, 0]) == pytest.approx(1)


def _results(levels, seeds=2, images=20):
    rng = np.random.default_rng(0)
    picture = np.zeros((images, 28, 28), int).tolist()
    results = {"data": {"mse": [0.067] * images, "distance": 10.0, "classes": 9.9}}
    for s in range(seeds):
        for k, level in zip(inversion.KS, levels, strict=True):
            mse = level + 0.001 * rng.normal(size=images)
            results[f"{k}_{s}"] = {
                "mse": mse.tolist(), "pictures": picture,
                "samples": picture[: inversion.SHOWN],
                "distance": 1.0 + k, "classes": 1.0 + k / 2,
            }  # fmt: skip
    return results


def test_a_report_sees_whether_the_error_falls(tmp_path):
    results = _results([0.08, 0.079, 0.05, 0.04])
    findings = list(inversion.report(results, tmp_path))
    assert all(f.holds is not False for f in findings)
    rank = stats.spearmanr(
        [0, 0, 1, 1, 5, 5, 10, 10],
        [np.mean(results[f"{k}_{s}"]["mse"]) for k in inversion.KS for s in range(2)],
    )
    (said,) = (f for f in findings if f.what.startswith("rank"))
    assert said.found == f"{rank.statistic:.2f} ({rank.pvalue:.1g})"
    (often,) = (f for f in findings if f.what.startswith("K = 10 has"))
    assert often.found == "100%"
    findings = list(inversion.report(_results([0.08, 0.09, 0.05, 0.04]), tmp_path))
    assert [f.what[:5] for f in findings if f.holds is False] == ["K = 1"]  # It is not excused.
    findings = list(inversion.report(_results([0.05, 0.05, 0.05, 0.06]), tmp_path))
    assert [f.holds for f in findings if f.what.startswith(("K = 10", "rank"))] == [False] * 3
    for name in ("errors.png", "digits.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_a_game_that_diverged_is_said_and_the_least_of_none(monkeypatch, tmp_path):
    def fit(*_, **__):
        raise Diverged("The generator is not finite.")

    monkeypatch.setattr(inversion.trainers.UnrolledGAN, "fit", fit)
    monkeypatch.setattr(inversion, "IMAGES", 20)
    lost = json.loads(json.dumps(inversion.sought(inversion.trained(10, 1, 0))))
    results = {**_results([0.08, 0.079, 0.05, 0.04]), "10_0": lost}
    found = {f.what.partition(":")[0]: f for f in inversion.report(results, tmp_path)}
    assert found["K = 10"].verdict == "**diverged**" and found["K = 5"].holds is True
    assert found["K = 10 has the least error of the four, share of the images"].found == "50%"


def test_k_is_not_taken_for_its_beginning():
    """Part 1_0 is of K = 1, and 10_0 is not."""
    runs = inversion.runs(_results([0.4, 0.3, 0.2, 0.1]))
    assert [len(r) for r in runs.values()] == [2] * 4
    assert [round(np.mean(r[0]["mse"]), 1) for r in runs.values()] == [0.4, 0.3, 0.2, 0.1]
