"""Arithmetic where it has to succeed, and a report that sees what theory does not allow."""

import numpy as np

from studies import latent_measures, latent_space
from studies.latent_space import AVERAGED, COARSE, MODES, POINTS, PSI


class _Linear:
    """A world in which a latent is its picture: ten numbers of the class, and one attribute."""

    prior, latent_dim = "normal", 11

    def probabilities(self, images):
        return np.eye(10)[images[:, :10, 0, 0].argmax(axis=1)]


def test_arithmetic_succeeds_where_concepts_are_directions(monkeypatch):
    net = _Linear()
    monkeypatch.setattr(latent_space, "_loaded", lambda preset: (net, net))
    monkeypatch.setattr(latent_space, "_bytes", lambda images: [])
    monkeypatch.setattr(
        latent_space.zoo.players, "decode", lambda net, z, **_: np.asarray(z)[..., None, None]
    )
    monkeypatch.setitem(latent_space.ATTRIBUTES, "own", lambda images: images[:, 10, 0, 0])
    made = latent_space.arithmetic("dcgan_mnist", "own", 3_000, 60, 0)
    found = made["found"]
    assert 0.025 < made["chance"] < 0.042  # A third of a tenth.
    assert found["plain 30"][1] > 0.95 and found["C alone 30"][0] > 0.95
    assert found["C alone 30"][1] == 0  # It has little of the attribute: so has the mean.
    assert found["plain 1"][1] < found["plain 3"][1] < found["plain 30"][1]
    assert abs(found["rescaled 3"][2] - 11**0.5) < 1e-5


def _walks(jump=False, shorter=1.0, blend=0.7):
    t = np.linspace(0, 1, POINTS)
    pictures = np.zeros((11, 28, 28, 1), "uint8").tolist()
    steps = [0.9] * 3 if jump else [1.5 / steps for steps in COARSE]
    made = {
        "dim": 16,
        "blend": pictures,
        "confidence": {"ends": 0.98, "spherical": 0.95, "linear": 0.94, "blend": blend},
    }
    for mode in MODES:
        norms = latent_measures.lengths(mode, 16, t) * shorter
        made[mode] = {
            "norms": norms.tolist(),
            "error": [0.01] * POINTS,
            "steps": {"pixels": steps, "features": steps},
            "walk": pictures,
        }
    return made


def _arithmetic(three=0.6):
    found = {}
    for count in AVERAGED:
        found[f"plain {count}"] = [0.8, 0.5, 4.0]
        found[f"rescaled {count}"] = [0.8, three if count == 3 else 0.3, 4.0]
        found[f"C alone {count}"] = [0.9, 0.05, 2.0]
    shown = np.zeros((4, 10, 28, 28, 1), "uint8").tolist()
    return {"found": found, "chance": 0.033, "trials": 100, "shown": shown}


def _truncation(order=1, power=1.0):
    rows = []
    for psi in PSI[::order]:
        spread = latent_measures.truncated_variance(psi) ** 0.5
        rows.append({"variety": 9 * spread**power, "recall": spread, "precision": 1 - spread / 4})
        rows[-1] |= {"confidence": 0.9}
        rows[-1]["shown"] = np.zeros((12, 28, 28, 1), "uint8").tolist()
    for row, psi in zip(rows, PSI, strict=True):
        row["latents"] = latent_measures.truncated_variance(psi) ** 0.5
    return {"found": rows, "count": 300}


def _style(same=0.6):
    shown = np.zeros((60, 28, 28, 1), "uint8").tolist()
    return {"right": 0.99, "kept": {"thickness": [same, 0.0]}, "count": 60, "shown": shown}


def _lost(tmp_path, **changed):
    results = {
        "walks_a": _walks(),
        "arithmetic_a": _arithmetic(),
        "truncation_a": _truncation(),
        "style_a": _style(),
    } | {f"{name}_a": r for name, r in changed.items()}
    findings = list(latent_space.report(results, tmp_path))
    return [finding.what for finding in findings if finding.holds is False]


def test_a_report_sees_what_theory_does_not_allow(tmp_path):
    assert _lost(tmp_path) == []
    for name in ("walks", "arithmetic", "truncation", "style"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert "30 | C alone" in (tmp_path / "arithmetic.md").read_text()
    lost = _lost(tmp_path, walks=_walks(jump=True))
    assert len(lost) == 2 and all("largest" in what for what in lost)
    lost = _lost(tmp_path, walks=_walks(shorter=0.97))
    assert len(lost) == 2 and all("length" in what for what in lost)
    assert len(_lost(tmp_path, walks=_walks(blend=0.96))) == 1
    assert len(_lost(tmp_path, arithmetic=_arithmetic(three=0.04))) == 1
    assert len(_lost(tmp_path, arithmetic=_arithmetic(three=0.25))) == 1  # Less than single ones.
    results = {
        "walks_a": _walks(),
        "arithmetic_b, thickness": _arithmetic(three=0.04),
        "truncation_a": _truncation(),
        "style_a": _style(),
    }
    lost = [f.what for f in latent_space.report(results, tmp_path) if f.holds is False]
    assert len(lost) == 1 and lost[0].startswith("b, thickness: A - B + C")  # No name is excused.
    assert len(_lost(tmp_path, truncation=_truncation(order=-1))) == 2
    assert len(_lost(tmp_path, truncation=_truncation(power=0.1))) == 1  # Not to 0.
    assert len(_lost(tmp_path, style=_style(same=0.1))) == 1
