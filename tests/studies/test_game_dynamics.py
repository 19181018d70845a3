"""The smallest game: a measured step is the one on paper, and another is not taken for it."""

import numpy as np
import pytest

from studies import game_dynamics as dynamics


@pytest.mark.parametrize("name", ["5 discriminator steps", "consensus, weight 1"])
def test_a_step_of_the_library_is_the_matrix_on_paper(name):
    kind, arguments, settings, matrix = dynamics.RULES[name]
    gan, step = dynamics.game(kind, arguments, settings, "non_saturating", 0.1)
    found, paper = dynamics.measured(gan, step), matrix(0.1, 0.5)
    np.testing.assert_allclose(found, paper, atol=dynamics.TOLERANCE)
    others = [rule[3](0.1, 0.5) for other, rule in dynamics.RULES.items() if other != name]
    assert all(np.abs(found - other).max() > dynamics.TOLERANCE for other in others)


@pytest.mark.parametrize("objective", dynamics.SLOPES)
@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2])
def test_the_tolerance_tells_any_two_rules_apart(objective, rate):
    """Also a rule whose mean is taken over noise, by its own."""
    rules = dynamics._all(objective)
    matrices = {name: rule[3](rate, dynamics.SLOPES[objective]) for name, rule in rules.items()}
    for name, matrix in matrices.items():
        near = dynamics.NOISY if name in dynamics.OF_LOGITS else dynamics.TOLERANCE
        others = [other for known, other in matrices.items() if known != name]
        assert min(np.abs(matrix - other).max() for other in others) > 3 * near


def test_radii_known_from_elsewhere():
    """Of the bilinear game: sqrt(1 + h^2), 1, and sqrt((1 - h gamma)^2 + h^2)."""
    wanted = {"simultaneous": 1.01**0.5, "alternating": 1.0, "consensus, weight 1": 0.9055385138}
    for name, radius in wanted.items():
        assert dynamics.radius(dynamics.RULES[name][3](0.1, 1.0)) == pytest.approx(radius, 1e-9)


def test_a_report_finds_what_was_measured_wrong(tmp_path):
    paper = [[1.0, 0.1], [-0.1, 1.0]]
    rule = {"paper": paper, "measured": paper, "walk": [[1.0, 0.5], [0.9, 0.4]]}
    wrong = {**rule, "measured": [[1.0, 0.1], [-0.1, 0.9994]]}
    results = {
        "a": {"objective": "wasserstein", "rate": 0.1, "rules": {"right": rule, "wrong": wrong}},
        "averaged_0.0": {"radius": 208.6},
        "averaged_0.1": {"radius": 0.01},
    }
    findings = list(dynamics.report(results, tmp_path))
    assert [finding.holds for finding in findings] == [True, False, True, False]
    assert (tmp_path / "wasserstein.png").read_bytes().startswith(b"\x89PNG")
