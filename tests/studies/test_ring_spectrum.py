"""The ring's spectrum: the paper's formulas by NumPy, and the matrices of two steps."""

import numpy as np
import pytest
import tensorflow as tf

from studies import ring_spectrum as spectrum

UNITS = 3


def _paper(rng, noise=None):
    shapes = [(2, UNITS), (UNITS,), (UNITS, 2), (2,), (2, UNITS), (UNITS,), (UNITS, 1), (1,)]
    real, *latents = (tf.constant(rng.normal(size=(5, 2))) for _ in range(3))
    return spectrum.Paper(shapes, real, latents, noise)


def _losses(paper, vector, move, slope):
    """Of both players, written with loops over examples in NumPy."""
    cuts = np.cumsum(paper.sizes)[:-1]
    nets = zip(np.split(vector, cuts), paper.shapes, strict=True)
    a, b, c, d, e, f, g, h = (part.reshape(shape) for part, shape in nets)
    first, second = [], []
    for x, z in zip(paper.real.numpy(), paper.latents[move].numpy(), strict=True):
        fake = np.tanh(z @ a + b) @ c + d

        def logit(point):
            return float((np.tanh(point @ e + f) @ g + h)[0])

        step = 1e-4
        gradient = [
            (logit(x + step * axis) - logit(x - step * axis)) / (2 * step) for axis in np.eye(2)
        ]
        first.append(np.log1p(np.exp(-logit(fake))))
        penalty = 0.5 * slope * np.sum(np.square(gradient))
        second.append(np.log1p(np.exp(-logit(x))) + np.log1p(np.exp(logit(fake))) + penalty)
    return np.mean(first), np.mean(second)


def test_losses_and_field_are_those_of_plain_loops():
    rng = np.random.default_rng(0)
    paper = _paper(rng)
    vector = rng.normal(size=sum(paper.sizes))
    found = [float(x) for x in paper.losses(tf.constant(vector), 1, 0.7)]
    np.testing.assert_allclose(found, _losses(paper, vector, 1, 0.7), rtol=1e-6)
    field = paper.field(tf.constant(vector), 1, 0.7).numpy()
    for k in (0, paper.of_generator - 1, paper.of_generator, len(vector) - 1):
        ends = [
            _losses(paper, vector + sign * 1e-5 * np.eye(len(vector))[k], 1, 0.7)
            for sign in (1, -1)
        ]
        player = 0 if k < paper.of_generator else 1
        slope = -(ends[0][player] - ends[1][player]) / 2e-5
        assert field[k] == pytest.approx(slope, rel=1e-3, abs=1e-6)


def test_a_bilinear_map_has_its_derivative():
    paper = _paper(np.random.default_rng(1))
    matrix = np.random.default_rng(2).normal(size=(4, 4))
    found = paper.derivative(lambda v: tf.linalg.matvec(matrix, v) + 1.0, np.ones(4))
    np.testing.assert_allclose(found, matrix, rtol=1e-12)


@pytest.mark.parametrize("rule", ["alternating", "historical averaging", "consensus", "R1"])
def test_a_step_of_the_library_has_the_matrix_on_paper(rule, monkeypatch):
    monkeypatch.setattr(spectrum, "BATCH", 32)
    count = (2 + 1 + 2) * UNITS + 2 + (2 + 1 + 1) * UNITS + 1
    at = 0.7 * np.random.default_rng(3).normal(size=count)
    paper, found = spectrum.spectrum(rule, at, UNITS, 0)
    assert np.abs(paper - found).max() < 2e-3
    assert np.abs(paper - np.eye(len(at))).max() > 0.02


def _rule(pairs, largest=1.01):
    values = [[1.0, 0.0], [largest, 0.0]] + [[a, sign * b] for a, b in pairs for sign in (1, -1)]
    return {"paper": values, "measured": values, "off": 1e-4, "weights": len(values)}


def test_a_report_says_where_the_pairs_that_turn_are(tmp_path):
    rules = {name.replace(" ", "_"): _rule([(0.99, 0.05), (1.01, 0.1)]) for name in spectrum.RULES}
    rules["historical_averaging"] = _rule([(0.94, 0.05), (0.96, 0.1)], 0.97)
    rules["R1"] = _rule([(0.97, 0.04), (0.99, 0.001)], 1.03)  # The second turns too little.
    rules["consensus"] = _rule([])
    said = {
        f.what.partition(":")[0]: f
        for f in spectrum.report(rules, tmp_path)
        if "real part" in f.what
    }
    assert said["simultaneous"].found == "1.0000 (+0.0000) of 2; 1.0149, of a pair"
    assert said["R1"].found == "0.9700 (-0.0300) of 1; 1.0300, real"
    assert said["consensus"].found == "1.0100, real"
    assert said["historical averaging"].holds is True
    assert (said["R1"].holds, said["consensus"].holds) == (True, None)  # None of its pairs turns.
    rules["consensus"] = _rule([(1.0, 0.05), (1.0, 0.1)])
    lost = [f.what for f in spectrum.report(rules, tmp_path) if f.holds is False]
    assert len(lost) == 1 and lost[0].startswith("consensus: mean real part")
    rules["consensus"] = _rule([(0.98, 0.05), (1.0, 0.1)])
    rules["historical_averaging"] = _rule([(0.96, 0.05), (0.97, 0.1)], 0.97)
    lost = [f.what for f in spectrum.report(rules, tmp_path) if f.holds is False]
    assert len(lost) == 1 and lost[0].startswith("historical averaging: mean real part")
