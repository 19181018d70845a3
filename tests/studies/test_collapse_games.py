"""The games of the study of collapse: rules, resets, figures."""

import dataclasses

import keras
import numpy as np
import pytest

import trainers
import zoo
from studies import collapse
from studies import collapse_games as games

PLAIN = {"jit_compile": False}  # Compiling takes longer than a few steps.


def test_figures_of_the_data_themselves():
    toy = zoo.toys.grid()
    found = games.measured(toy, toy.sample(20_000, 1).numpy(), toy.sample(20_000, 2).numpy())
    assert found["modes"] == found["modes_20"] == 25
    assert found["good"] == pytest.approx(1 - np.exp(-4.5), abs=3e-3)
    assert found["width"] == pytest.approx(1.0, abs=0.02)
    assert found["kl"] == pytest.approx(24 / 2 / 20_000, abs=1e-3)  # Of chi-squared, 24 / 2n.
    assert found["sliced"] < 0.06


def test_figures_of_one_mode_three_times_as_wide():
    toy, rng = zoo.toys.ring(), np.random.default_rng(0)
    wide = toy.centres[3] + 3 * 0.02 * rng.normal(size=(20_000, 2))
    found = games.measured(toy, wide, toy.sample(5_000, 2).numpy())
    assert found["modes"] == 1
    assert found["good"] == pytest.approx(1 - np.exp(-0.5), abs=0.01)  # Within 3 s of 3 s.
    assert found["width"] == pytest.approx(3.0, abs=0.05)
    assert found["kl"] == pytest.approx(np.log(8), abs=1e-6)


def test_a_game_that_diverged_has_no_figures():
    samples = np.zeros((10, 2))
    samples[3, 1] = np.inf
    found = games.measured(zoo.toys.ring(), samples, np.zeros((10, 2)))
    assert set(found) == set(games.MEASURES)
    assert np.isnan(list(found.values())).all()


def test_rules_name_what_they_are():
    rules = games.RULES
    assert rules["k = 5"].batch == rules["WGAN-GP, k = 5"].batch == 5 * rules["minimax"].batch
    assert rules["WGAN, clip 0.1"].batch == 5 * games.BATCH  # The class's own five steps.
    for packing in (2, 3, 4):
        rule = rules[f"packing {packing}"]
        assert games.players(rule)[1].input_shape == (None, 2 * packing)
        assert rule.batch == packing * games.BATCH  # PacGAN's batch is a number of packs.
    known = set(trainers.divergences.DIVERGENCES) - {"gan"}  # The minimax game is that.
    named = {
        rule.compiled["objective"].divergence.name
        for name, rule in rules.items()
        if name.startswith("f-GAN")
    }
    assert named == known
    objectives = {rule.compiled.get("objective", "non_saturating") for rule in rules.values()}
    assert set(trainers.objectives.OBJECTIVES) <= objectives
    for k in (1, 5, 10):
        assert rules[f"unrolled {k}"].arguments == {"unroll_steps": k}
    assert len({games.slug(name) for name in rules}) == len(rules)


def test_a_game_after_another_is_the_game_alone():
    toy, units = zoo.toys.ring(), (8,)
    kind = games.RULES["historical averaging"]  # It keeps means of all weights.
    rule = dataclasses.replace(kind, compiled=PLAIN)
    both = games.played(rule, toy, 4, range(3, 5), stages=2, units=units)
    alone = games.played(rule, toy, 4, range(4, 5), stages=2, units=units)
    assert both.shape == (2, 2, games.DRAWN, 2)
    np.testing.assert_array_equal(both[:, 1], alone[:, 0])
    assert np.abs(both[0, 0] - both[0, 1]).max() > 0.1  # Another seed is another game.
    assert np.abs(both[1, 0] - both[0, 0]).max() > 1e-4  # It moves.


def test_games_together_are_as_many_as_the_seeds():
    rule = dataclasses.replace(games.RULES["packing 2"], compiled=PLAIN)
    samples = games.played(rule, zoo.toys.ring(), 2, range(3), stages=1, units=(8,))
    assert samples.shape == (1, 3, games.DRAWN, 2)
    assert np.isfinite(samples).all()
    assert np.abs(samples[0, 0] - samples[0, 1]).max() > 0.1


@pytest.mark.filterwarnings("ignore:1 members diverged")
@pytest.mark.parametrize("name", ["R1", "historical averaging"])
def test_a_seed_that_diverges_is_in_no_mean_and_stops_no_other(monkeypatch, name):
    """Together or alone: the first seed's data are huge and its losses overflow."""
    rule = dataclasses.replace(
        games.RULES[name],
        compiled={**PLAIN, "objective": "least_squares"},
        optimizer=lambda rate: keras.optimizers.SGD(1e-3),
    )
    toy = zoo.toys.ring()

    class Huge:
        def sample(self, count, seed):
            return toy.sample(count, seed) * (1e15 if seed[0] == 5 else 1e-3)

    samples = games.played(rule, Huge(), 8, range(5, 7), stages=2, units=(8,))
    assert np.isnan(samples[-1, 0]).all() and np.isfinite(samples[:, 1]).all()


def test_a_rule_that_is_wrong_is_not_taken_for_a_divergence():
    rule = dataclasses.replace(games.RULES["historical averaging"], examples=0)
    with pytest.raises(ValueError, match="`batch_size`|`x`"):
        games.played(rule, zoo.toys.ring(), 2, range(1), stages=1, units=(8,))


def test_the_best_rule_blends_the_modes_and_lets_them_part():
    steps = 1_000
    given = games._compiled(games.BEST, steps)
    noise = given["perturbations"].scale
    assert float(noise(0)) == pytest.approx(1.5) and float(noise(700)) == pytest.approx(0.03)
    assert float(noise(350)) == pytest.approx(0.03 + 1.47 / 4)  # Slower and slower.
    assert float(noise(steps)) == pytest.approx(0.03)
    for name in ("generator_optimizer", "discriminator_optimizer"):
        rate = given[name]._learning_rate
        assert float(rate(0)) == pytest.approx(2e-3) and float(rate(steps)) == pytest.approx(1e-4)
    assert [type(p).__name__ for p in given["discriminator_penalties"]] == ["R1"]
    assert games.BEST.arguments == {"schedule": "simultaneous"} and games.BEST.together


def test_a_row_of_the_best_rule():
    """What is published: figures of each seed, and dots of the first."""
    rule = dataclasses.replace(games.BEST, compiled={**games.BEST.compiled, **PLAIN}, examples=8)
    row = collapse.row(rule, "grid", range(2), 4, (8,))
    assert set(row) == {*games.MEASURES, "dots", "steps"} and row["steps"] == 4
    assert np.shape(row["dots"]) == (collapse.STAGES, collapse.DOTS, 2)
    assert all(np.shape(row[key]) == (2,) for key in games.MEASURES)
    own = collapse.ideal("grid", range(2))
    assert own["modes_20"] == [25, 25] and row["modes_20"] != own["modes_20"]
    assert max(own["sliced"]) < 0.2 < min(row["sliced"])
