"""Theorem 3: the value on points, and the discriminator that a generator is shown."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from studies import fixed_discriminator as fixed


def test_the_mass_goes_to_the_largest_d():
    made = fixed.on_points()
    assert np.argmax(made["mass"]) == np.argmax(fixed.ON_POINTS)
    assert made["value"] == pytest.approx(np.log(1 - max(fixed.ON_POINTS)), abs=0.005)
    assert np.all(np.diff(made["values"]) <= 1e-12)
    first = np.mean(np.log(1 - np.array(fixed.ON_POINTS)))
    assert made["values"][0] == pytest.approx(first)


def test_a_net_on_the_line_goes_where_d_is_largest(monkeypatch):
    monkeypatch.setattr(fixed, "ROUNDS", 1)
    walk = fixed.on_the_line(0)["walk"]
    begin, end = walk[0], walk[-1]
    assert end[2] < begin[2] / 5 and end[3] < begin[3] / 5  # A point, whatever its latent.
    assert end[1] == pytest.approx(end[4], abs=0.05)


def test_the_logit_is_that_of_the_best_discriminator():
    layer = fixed.Against()
    x = np.linspace(-4, 4, 33)[:, None]
    layer(tf.constant(x, "float32"))
    layer.at.assign(0.7)
    p = np.mean([stats.norm.pdf(x, centre, fixed.SCALE) for centre in fixed.CENTRES], axis=0)
    made = [(0.7, fixed.NARROW), (0.0, fixed.WIDE)]
    q = np.mean([stats.norm.pdf(x, *own) for own in made], axis=0)
    np.testing.assert_allclose(layer(tf.constant(x, "float32")), np.log(p / q), atol=1e-5)


def test_a_report_sees_a_generator_that_did_not_shrink(tmp_path):
    def walk(spread, places):
        return {
            "walk": [[0, 0.0, 0.9, 0.6]] + [[k, p, spread, 0.05, p] for k, p in enumerate(places)]
        }

    points = {"mass": [0.0, 0.0, 0.0, 1.0, 0.0], "value": np.log(0.3)}
    for spread, places, failed in (
        (0.01, (1.8, -1.8), 0),
        (0.5, (1.8, -1.8), 1),
        (0.095, (1.8, -1.8), 1),  # More than a tenth of what it was.
        (0.01, (1, 1), 1),
    ):
        results = {"points": points, "line_0": walk(spread, places)}
        findings = list(fixed.report(results, tmp_path))
        assert [finding.holds for finding in findings].count(False) == failed
    assert (tmp_path / "rounds.png").read_bytes().startswith(b"\x89PNG")
