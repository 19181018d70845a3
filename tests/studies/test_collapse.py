"""The study of collapse on points: its table and what it judges."""

import csv

import numpy as np
import pytest

from studies import collapse, study
from studies import collapse_games as games


def figures(modes, kl=0.01):
    values = {key: [0.9 + 0 * m for m in modes] for key in games.MEASURES}
    dots = np.zeros((collapse.STAGES, 5, 2)).tolist()
    values["modes_20"] = modes
    return {**values, "modes": modes, "kl": [kl + 0 * m for m in modes], "dots": dots, "steps": 8}


def results(best_modes=(25.0, 25.0), best_kl=0.01):
    made = {}
    for toy in collapse.TOYS:
        made[f"{toy}_data"] = {**figures([25.0, 25.0]), "good": [0.989, 0.988]}
        modes = [8.0, 8.0] if toy == "ring" else list(best_modes)
        made[collapse.slug(toy, "best")] = figures(modes, best_kl)
        for name in games.RULES:
            made[collapse.slug(toy, name)] = figures([3.0, float("nan")])
    for name in collapse.LONG:
        made[collapse.slug("grid_long", name)] = figures([13.0, 12.0])
    return made


@pytest.mark.parametrize(
    "modes,kl,holds",
    [
        ((25.0, 25.0), 0.01, [True, True, True, True]),
        ((25.0, 24.0), 0.05, [False, False, False, True]),
        ((25.0, float("nan")), 0.01, [False, False, False, False]),
    ],
)
def test_the_best_rule_is_judged_by_its_worst_seed(tmp_path, modes, kl, holds):
    found = list(collapse.report(results(modes, kl), tmp_path))
    judged = [f.holds for f in found if f.what.startswith("grid") and f.holds is not None]
    assert judged[1:5] == holds  # The first is of the data.
    assert (tmp_path / "ring_evolution.png").exists()


def test_a_seed_that_diverged_is_said_and_not_averaged(tmp_path):
    found = list(collapse.report(results(), tmp_path))
    lost = [f for f in found if "diverged" in f.what]
    assert len(lost) == 2 * len(games.RULES)
    assert all(f.found == "1" for f in lost)
    with open(tmp_path / "grid.csv", newline="") as file:
        rows = {row["rule"]: row for row in reversed(list(csv.DictReader(file)))}
    assert rows["minimax"]["modes"] == "3.0 (1 of 2)"
    assert rows["minimax"]["diverged"] == "1"


def test_published_figures_stand_beside_ours(tmp_path):
    found = {f.what: f for f in collapse.report(results(), tmp_path)}
    assert "24.8" in found["grid, 8 steps: modes of packing 4 with 20 samples"].expected
    assert "7.9" in found["ring, 8 steps: modes of packing 2 with 20 samples"].expected


def test_full_modes_are_not_enough(tmp_path):
    """By twenty samples and by one: they part where what is left of a cloud hits a mode once."""
    made = results()
    made[collapse.slug("grid", "best")]["modes_20"] = [25.0, 24.0]
    found = {f.what: f.holds for f in collapse.report(made, tmp_path)}
    assert found["grid: modes by the best rule with one sample, 2 seeds"] is True
    assert found["grid: modes by the best rule with 20 samples, 2 seeds"] is False


@pytest.mark.parametrize(
    "modes,hit,holds,said",
    [
        ([22.0, 23.0, 24.0], None, None, "no difference"),  # The plain game itself.
        ([20.0, 21.0, 25.0], None, None, "no difference"),  # Fewer by .6 of an error.
        ([24.4, 24.5, 24.5], None, True, "more"),  # By 2.5.
        ([24.4, 24.5, 24.5], [3.0, 3.0, 3.0], False, "hit once 3.0"),  # Full ones, but few.
        ([18.0, 17.0, 19.0], None, False, "fewer"),
        ([24.0, 23.0, 22.0, float("nan")], None, None, "no difference"),  # The last has none.
        ([float("nan")] * 3 + [23.0], None, False, "fewer"),
        ([float("nan")] * 3, None, False, "fewer"),
    ],
)
def test_a_rule_against_collapse_has_to_have_more_modes(tmp_path, modes, hit, holds, said):
    made = results()
    made[collapse.slug("grid", "non_saturating")] = figures([22.0, 23.0, 24.0])
    made[collapse.slug("grid", "packing 4")] = figures(modes)
    made[collapse.slug("grid", "packing 4")].update(steps=9, modes=hit or modes)
    found = {f.what: f for f in collapse.report(made, tmp_path)}
    finding = found["grid, 9 steps: modes of packing 4 with 20 samples"]
    assert finding.holds is holds and said in finding.found


def test_a_cloud_is_judged_by_nobody(tmp_path):
    """It hits modes once, and what has learned more has fewer of them."""
    made = results()
    for toy in collapse.TOYS:
        made[collapse.slug(toy, "non_saturating")]["modes_20"] = [1.0, float("nan")]
    for name in collapse.LONG:
        made[collapse.slug("grid_long", name)]["steps"] = 16
    found = {f.what: f.holds for f in collapse.report(made, tmp_path) if " of packing 4" in f.what}
    assert found == {
        "ring, 8 steps: modes of packing 4 with 20 samples": None,  # The plain game: half a mode.
        "grid, 8 steps: modes of packing 4 with 20 samples": None,
        "grid, 16 steps: modes of packing 4 with 20 samples": None,  # As many.
        "ring: games of packing 4 that diverged": None,
        "grid: games of packing 4 that diverged": None,
    }


def test_parts_are_every_rule_on_both_toys():
    names = [name for name, _ in collapse.STUDY.parts(True, 0)]
    assert len(names) == len(set(names)) == 2 * (len(games.RULES) + 2) + len(collapse.LONG)
    assert set(collapse.QUICK) < set(games.RULES)
    assert isinstance(collapse.STUDY, study.Study)
