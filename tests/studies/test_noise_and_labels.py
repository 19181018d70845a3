"""The best D under each kind against simulation and the library, and JS against SciPy's."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

import trainers
import zoo
from studies import noise_and_labels as noisy
from studies.noise_and_labels import CENTRES, FLIPS, GRID, NOISE, SCALE, TARGETS, Q
from tests.helpers import data_of_a_fit


def _draws(count=400_000):
    rng = np.random.default_rng(0)
    real = rng.choice(CENTRES, count) + SCALE * rng.normal(size=count)
    return rng, real, rng.normal(*Q, count)


def _shares(real, fake, real_target, fake_target):
    """What a table of cells would say that has learned these targets by cross entropy: means."""
    edges = np.linspace(-2, 2.5, 19)
    counts = [np.histogram(own, edges)[0] for own in (real, fake)]
    sums = [np.histogram(real, edges, weights=1.0 * real_target)[0]]
    sums.append(np.histogram(fake, edges, weights=1.0 * fake_target)[0])
    return edges, sum(sums) / sum(counts)


def _cells(kind, edges):
    """The same by the formula, with both densities averaged over each cell."""
    (a, b), fine = TARGETS[kind], np.linspace(edges[:-1], edges[1:], 201)
    p, q = (own.mean(axis=0) for own in noisy.densities(kind, fine))
    return (a * p + b * q) / (p + q)


@pytest.mark.parametrize("kind", ["nothing", "label flips", "instance noise"])
def test_the_best_discriminator_is_bayes_rule(kind):
    rng, real, fake = _draws()
    flips = FLIPS if kind == "label flips" else 0.0
    targets = [rng.uniform(size=real.size) >= flips, rng.uniform(size=real.size) < flips]
    if kind == "instance noise":
        real, fake = (own + NOISE * rng.normal(size=own.size) for own in (real, fake))
    edges, found = _shares(real, fake, *targets)
    np.testing.assert_allclose(_cells(kind, edges), found, atol=0.015)


@pytest.mark.parametrize("kind", ["nothing", "one-sided smoothing", "two-sided smoothing"])
def test_the_best_discriminator_is_the_librarys(kind):
    p = zoo.toys.Mixture([[centre] for centre in CENTRES], SCALE)
    objective, _ = noisy.kinds(100)[kind]
    logit = trainers.optimal_discriminator(p, zoo.toys.normal(*Q), objective)
    x = np.linspace(-3, 3, 61)
    logits = logit(x[:, None]).numpy()
    np.testing.assert_allclose(noisy.best(kind, x), 1 / (1 + np.exp(-logits)), atol=1e-9)


def test_smoothing_one_side_leaves_the_slope_and_both_sides_take_it():
    plain, one, two = (
        noisy.pull(kind, noisy.best(kind, GRID))
        for kind in ("nothing", "one-sided smoothing", "two-sided smoothing")
    )
    assert one == pytest.approx(plain, rel=1e-9)  # -log (a D) = -log a - log D.
    assert two < plain / 5
    # d log D of p / (p + q) by hand, where p has one mode: (1 - D)(p' / p - q' / q).
    x = GRID
    p, q = (own(x) for own in (stats.norm(1.5, SCALE).pdf, stats.norm(*Q).pdf))
    left = stats.norm(-1.5, SCALE).pdf(x)
    slope = (-(x - 1.5) * p - (x + 1.5) * left) / SCALE**2 / (p + left) + (x - Q[0]) / Q[1] ** 2
    mean = (p + left) / 2
    weights = q * (mean < noisy.FEW * q)
    exact = np.average(np.abs(q / (mean + q) * slope), weights=weights)
    assert plain == pytest.approx(exact, rel=0.02)


def test_masses_are_those_of_the_ring():
    found = noisy.masses()
    assert found.sum() == pytest.approx(1) and found.min() >= 0
    points = np.asarray(noisy.RING.sample(200_000, 3))
    edges = np.linspace(-noisy.SIDE, noisy.SIDE, noisy.CELLS + 1)
    share = np.histogram2d(*points.T, (edges, edges))[0].ravel() / len(points)
    np.testing.assert_allclose(found[:-1], share, atol=5 * np.sqrt(found.max() / len(points)))
    wide = noisy.masses(zoo.toys.Mixture([[noisy.SIDE, 0.0]], 0.1))
    assert wide[-1] == pytest.approx(0.5)  # Half of it is outside.


def test_jensen_shannon_of_cells():
    wanted = noisy.masses()
    points = np.random.default_rng(1).normal(size=(3_000, 2)) * [1.0, 2.0]
    edges = np.linspace(-noisy.SIDE, noisy.SIDE, noisy.CELLS + 1)
    counts = np.histogram2d(*points.T, (edges, edges))[0].ravel()
    share = np.append(counts, len(points) - counts.sum()) / len(points)
    exact = distance.jensenshannon(share, wanted) ** 2
    assert noisy.jensen_shannon(points, wanted) == pytest.approx(exact)
    assert noisy.jensen_shannon(np.full((50, 2), 99.0), wanted) == pytest.approx(np.log(2))


def _results(**changed):
    made = {"floor": {"good": 0.989, "js": 0.003}}
    for kind in TARGETS:
        made[f"fixed_{kind}"] = {"discriminator": noisy.best(kind, GRID).tolist()}
        mean = sum(TARGETS[kind]) / 2
        good = 0.5 if kind == "instance noise" else 0.9
        made[f"game_{kind}"] = {
            "modes": [8, 7],
            "good": [good, good],
            "js": [0.1, 0.2],
            "believed": [mean, mean],
            "apart": [0.1, 0.2],
            "points": [[0.0, 1.0], [1.0, 0.0]],
        }
    for name, values in changed.items():
        made[name.replace("_", " ").replace(" ", "_", 1)] |= values
    return made


def test_a_report_sees_a_discriminator_that_is_another_ones(tmp_path):
    def lost(**changed):
        findings = list(noisy.report(_results(**changed), tmp_path))
        return [finding.what for finding in findings if finding.holds is False]

    assert lost() == []
    plain = noisy.best("nothing", GRID).tolist()
    assert len(lost(fixed_label_flips={"discriminator": plain})) == 1
    assert len(lost(fixed_instance_noise={"discriminator": plain})) == 1
    assert len(lost(game_label_flips={"believed": [0.45, 0.45]})) == 1
    assert len(lost(game_nothing={"apart": [0.0, 0.0]})) == 1  # A D that is a constant.
    one = {"js": [0.1, np.nan], "good": [0.9, np.nan], "modes": [8, np.nan]}
    assert lost(game_label_flips=one) == ["game, label flips: games that diverged"]
    assert len(lost(game_noise_that_decays={"good": [0.3, 0.4]})) == 1
    for name in ("discriminators", "games"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_each_game_has_data_of_its_own(monkeypatch):
    data = data_of_a_fit(monkeypatch, lambda: noisy.played("nothing", 3, 100, 5))
    assert data.shape == (3, noisy.SAMPLES, 2)
    for k in range(3):  # As a game by itself has them, of seed 5 + k.
        np.testing.assert_array_equal(data[k], noisy.RING.sample(noisy.SAMPLES, 5 + k))


def test_a_discriminator_learns_towards_the_best_one_and_not_another():
    d = np.array(noisy.learned("two-sided smoothing", 150, 0)["discriminator"])
    p, q = noisy.densities("nothing", GRID)
    off = {
        kind: np.average(np.abs(d - noisy.best(kind, GRID)), weights=p + q)
        for kind in ("nothing", "two-sided smoothing")
    }
    assert off["two-sided smoothing"] < 0.1 and off["two-sided smoothing"] < off["nothing"]
