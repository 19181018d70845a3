"""The study of stacked MNIST: its nets and its table."""

import json
import warnings

import numpy as np
import pytest

import trainers
import zoo
from studies import collapse_games as games
from studies import stacked_mnist
from zoo.finite import Diverged


def test_the_nets_are_those_that_the_page_names():
    generator = stacked_mnist.generator()
    assert generator.output_shape == (None, 28, 28, 3)
    maps = [layer.filters for layer in generator.layers if hasattr(layer, "filters")]
    assert maps == [16, 3] and generator.get_layer("maps").output.shape[1:] == (7, 7, 32)
    for name, share in (("D/4", 4), ("D/2", 2)):
        small = stacked_mnist.discriminator(stacked_mnist.SIZES[name])
        found = [layer.filters for layer in small.layers if hasattr(layer, "filters")]
        assert found == [16 // share, 32 // share]
    assert stacked_mnist.discriminator(4, 3).input_shape == (None, 28, 28, 9)


def test_numbers_of_known_digits_are_counted():
    images, labels = zoo.datasets.arrays("stacked_mnist", "test", examples=300)
    found = stacked_mnist.counted(images)
    shares = np.unique(labels, return_counts=True)[1] / 300
    assert abs(found["modes"] - len(shares)) <= 10  # The classifier errs on one digit of a hundred.
    exact = float(np.sum(shares * np.log(shares * 1000)))
    assert found["kl"] == pytest.approx(exact, abs=0.05)
    assert np.array_equal(found["pictures"], images[:16])


def test_what_lies_in_the_digits_is_told_from_the_total_correlation(monkeypatch):
    """KL of three channels that are one digit, and of channels of two digits that are apart."""
    rng = np.random.default_rng(0)
    same = np.arange(10).repeat(50) * 111
    apart = rng.permuted(np.tile(np.arange(2).repeat(5000), (3, 1)), axis=1)
    for numbers, whole, own in (
        (same, 2 * np.log(10), 0.0),
        (apart.T @ [100, 10, 1], 3 * np.log(5), 3 * np.log(5)),
    ):
        monkeypatch.setattr(stacked_mnist.StackedModes, "numbers", lambda self, _, n=numbers: n)
        found = stacked_mnist.counted(np.zeros((len(numbers), 1)))
        assert found["kl"] == pytest.approx(whole, abs=2e-3)
        assert found["kl_of_digits"] == pytest.approx(own, abs=1e-9)


def test_a_game_of_virtual_steps_is_played():
    found = stacked_mnist.unrolled(stacked_mnist.SIZES["D/4"], 1, 2, 0, 64)
    assert (found["samples"], found["steps"]) == (64, 2)
    assert 1 <= found["modes"] <= 64


def test_a_game_that_diverged_is_a_row_of_its_own(monkeypatch, tmp_path):
    def fit(*_, **__):
        raise Diverged("The generator is not finite.")

    monkeypatch.setattr(trainers.UnrolledGAN, "fit", fit)
    lost = stacked_mnist.unrolled(stacked_mnist.SIZES["D/4"], 1, 2, 0, 64)
    assert np.isnan(lost["kl"]) and lost["samples"] == 64
    row = {"modes": 999.0, "kl": 0.02, "kl_of_digits": 0.01, "samples": 25_600, "steps": 1}
    row["pictures"] = np.zeros((16, 28, 28, 3), int).tolist()
    rules = {"rule_non_saturating": row, "rule_packing_2": row}
    made = {"data": row, "preset": row, **rules, "D4_unrolled_0": row, "D4_unrolled_5": lost}
    found = list(stacked_mnist.report(json.loads(json.dumps(made)), tmp_path))
    assert found[-1].found == "999 and nan" and found[-1].holds is False
    assert found[-1].verdict == "**diverged**"
    assert "diverged,diverged,diverged" in (tmp_path / "stacked_mnist.csv").read_text()


@pytest.mark.parametrize("name", list(games.RULES))
def test_every_row_of_a_rule_can_be_played(monkeypatch, name):
    """Each is made and compiled with what the rule has, and with nets that suit it."""
    made = {}

    def counted(samples):
        return {}

    def fit(self, data, **_):
        made["gan"], made["batch"] = self, data.element_spec.shape[0]

    rule = games.RULES[name]
    monkeypatch.setattr(rule.trainer, "fit", fit)
    monkeypatch.setattr(rule.trainer, "sample", lambda *_, **__: np.zeros(1))
    monkeypatch.setattr(stacked_mnist, "counted", counted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stacked_mnist.by_rule(rule, 3, 0, 64) == {"steps": 3}
    gan = made["gan"]
    assert type(gan) is rule.trainer
    objective = rule.compiled.get("objective", "non_saturating")
    assert gan.objective.get_config() == trainers.objectives.get(objective).get_config()
    for key, value in rule.arguments.items():
        assert getattr(gan, key) == value
    clipped = name == "WGAN, clip 0.1"
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        assert type(optimizer).__name__ == ("RMSprop" if clipped else "Adam")
        assert float(optimizer.learning_rate) == pytest.approx(5e-4 if clipped else 2e-3)
    layers = {type(layer).__name__ for layer in gan.discriminator.layers}
    assert ("MinibatchDiscrimination" in layers) == (name == "minibatch discrimination")
    kinds = [type(slope) for slope in rule.compiled.get("discriminator_penalties", ())]
    slopes = [p.weight for p in gan.discriminator_penalties if type(p) in kinds]
    assert slopes == [10.0 if name.startswith("WGAN") else 3.0] * len(kinds)
    assert ("BatchNormalization" in layers) == (not slopes)
    a_step = 64 * rule.packing
    assert made["batch"] == a_step * (
        5 if name in ("k = 5", "WGAN-GP, k = 5", "WGAN, clip 0.1") else 1
    )
    assert gan.discriminator.input_shape[-1] == 3 * rule.packing


def test_the_preset_makes_many_numbers():
    found = stacked_mnist.of_preset(256)
    assert found["samples"] == 256 and found["modes"] > 200  # Equally frequent ones: 226 +- 5.


def test_the_preset_is_judged_by_the_published_figures(tmp_path):
    row = {"modes": 1000, "kl": 0.03, "samples": 25_600, "kl_of_digits": 0.01}
    row["pictures"] = np.zeros((16, 28, 28, 3), int).tolist()
    names = [name for name, _ in stacked_mnist.STUDY.parts(True, 0)]
    made = {name: {**row, "steps": 1} for name in names}
    made["data"]["kl"] = 0.024
    made["rule_non_saturating"].update(modes=99, kl=3.4)
    made["D4_unrolled_0"]["modes"], made["D2_unrolled_5"]["modes"] = 30, 628
    made["D2_unrolled_0"]["modes"] = 628
    found = [f.holds for f in stacked_mnist.report(made, tmp_path) if f.holds is not None]
    assert found == [True] * 5 + [False]  # D/2: no more by K = 5.
    made["preset"] = {**row, "modes": 999, "kl": 0.07}
    found = [f.holds for f in stacked_mnist.report(made, tmp_path) if f.holds is not None]
    assert found[:4] == [True, False, False, True]
    made["rule_non_saturating"]["modes"] = 1000
    found = [f.holds for f in stacked_mnist.report(made, tmp_path) if f.holds is not None]
    assert found[:4] == [True, False, False, False]
    written = (tmp_path / "stacked_mnist.csv").read_text()
    assert "30.6" in written and "\nf-GAN alpha 0.5,1," in written
