"""How runs are held to targets. That they are measured as loaded is tested with publishing."""

import math

import pytest

from tests.trainers.runs.ring import written
from trainers.runs import recipes, scoring


def _trials(values):
    """One score a seed."""
    return [[{"label": "loss", "value": v, "details": {"real": 2 * v}}] for v in values]


@pytest.mark.parametrize(
    "bound, worst, reached", [("at most", 3.0, [False, True]), ("at least", 1.0, [True, False])]
)
def test_a_target_is_reached_when_all_seeds_reach_it(bound, worst, reached):
    trials = _trials([2.0, 1.0, 3.0])
    for number, expected in zip((0.5, 3.0), reached, strict=True):
        judged = scoring.judged(["loss", "value", bound, number], trials)
        assert judged["found"] == worst and judged["reached"] is expected
    assert scoring.judged(["loss", "real", bound, 1], trials)["found"] == 2 * worst


@pytest.mark.parametrize("values", [[0.1, math.nan], [math.nan, 0.1], [math.inf, 0.1]])
def test_a_score_that_is_no_number_reaches_nothing(values):
    for bound in ("at most", "at least"):
        assert not scoring.judged(["loss", "value", bound, 0.0], _trials(values))["reached"]


def test_one_seed_has_no_spread(tmp_path):
    recipe = recipes.load(
        written(tmp_path, measures=["loss"], targets=[["loss", "real", "at most", 9]], seeds=[1, 2])
    )
    assert scoring.spread(recipe, _trials([1.0])) is None
    assert scoring.spread(recipe, _trials([1.0, 3.0, 2.0])) == {
        "seeds": [0, 1, 2],
        "figures": {"loss": [1.0, 3.0, 2.0], "loss real": [2.0, 6.0, 4.0]},
    }
