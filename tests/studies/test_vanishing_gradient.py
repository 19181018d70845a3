"""The slope that theory knows, and a report that sees a gradient which did not vanish."""

import numpy as np
import pytest

from studies import vanishing_gradient as vanishing


def test_the_slope_of_the_noisy_divergence():
    """JS of N(0, s^2) and N(d s, s^2) by d, known from elsewhere at d = 1: 0.1989864333."""
    noise = (4.0 - vanishing.SCALE**2) ** 0.5  # So that s = 2, the distance of both means.
    assert vanishing.exact_slope(noise) == pytest.approx(2 * 0.1989864333 / 2.0, rel=1e-5)


def _results(slope=1e-4, noisy=0.45):
    rows = {
        "nothing": [[0, -0.1, -0.1, 0.5, 0.5], [2000, slope, 5.0, 0.999, 0.001]],
        "instance noise": [[0, -0.1, -0.1, 0.5, 0.5], [2000, noisy, 0.6, 0.8, 0.2]],
        "instance noise that decays": [[0, 0.1, 0.1, 0.5, 0.5], [2000, 0.001, 5.0, 0.99, 0.01]],
        "label flips": [[0, 0.1, 0.1, 0.5, 0.5], [2000, 0.1, 1.0, 0.9, 0.1]],
    }
    return {f"{kind}_0": {"rows": own} for kind, own in rows.items()}


def test_a_report_sees_what_did_not_vanish(tmp_path):
    for arguments, failed in (({}, 0), ({"slope": 0.3}, 1), ({"noisy": 0.2}, 1)):
        findings = list(vanishing.report(_results(**arguments), tmp_path))
        assert [finding.holds for finding in findings].count(False) == failed
    assert (tmp_path / "slopes.png").read_bytes().startswith(b"\x89PNG")


def test_a_first_look_is_at_what_was_asked_for(monkeypatch):
    """Before a step: the means of D are those of a net that knows nothing, and slopes are equal."""
    monkeypatch.setattr(vanishing, "CHECKPOINTS", (0,))
    ((step, minimax, non_saturating, real, fake),) = vanishing.learned("nothing", 1, 0)["rows"]
    assert step == 0 and 0.2 < fake < 0.8 and 0.2 < real < 0.8
    # d log(1 - D) = -D dv and d(-log D) = -(1 - D) dv: of one sign, in the ratio D / (1 - D).
    assert minimax / non_saturating == pytest.approx(fake / (1 - fake), rel=0.1)
    assert np.sign(minimax) == np.sign(non_saturating)
