"""The published games: numbers of the papers, which flags and recipes may change part by part."""

import dataclasses

import pytest

from trainers import objectives, penalties
from trainers.runs import games, resuming
from trainers.runs.construction import make
from trainers.runs.settings import Details, Settings
from zoo import datasets

MNIST = datasets.DatasetInfo("mnist", (28, 28, 1), "uint8", 10, 1000)
R3GAN = Settings(generator="r3gan", filters=8)
SMALL = Details(
    generator={"blocks": 1, "group_width": 8}, discriminator={"blocks": 1, "group_width": 8}
)
# Huang et al., 2024; Miyato et al., 2018; Radford et al., 2016: learning rate, beta_1, beta_2.
ADAM = {"r3gan": (2e-4, 0.0, 0.9), "resnet": (2e-4, 0.0, 0.9), "dcgan": (2e-4, 0.5, 0.999)}


def _adam(optimizer):
    return float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2


def test_r3gan_pairs_and_has_both_penalties():
    gan = make(R3GAN, MNIST, SMALL)
    assert type(gan.objective) is objectives.RelativisticPairing
    first, second = gan.discriminator_penalties
    assert (type(first), type(second)) == (penalties.R1, penalties.R2)
    assert (first.weight, second.weight, first.every, second.every) == (0.05, 0.05, 1, 1)
    assert gan.ema_decay == 0.999 and gan.discriminator_steps == 1
    for optimizer in gan.optimizers:
        assert _adam(optimizer) == pytest.approx(ADAM["r3gan"])


def test_a_part_of_a_game_is_changed_alone():
    """Another objective leaves the penalties, other penalties leave the objective."""
    gan = make(dataclasses.replace(R3GAN, objective="hinge", ema_decay=0.5), MNIST, SMALL)
    assert type(gan.objective) is objectives.Hinge and len(gan.discriminator_penalties) == 2
    assert gan.ema_decay == 0.5
    other = dataclasses.replace(SMALL, compile={"discriminator_penalties": []})
    gan = make(R3GAN, MNIST, other)
    assert type(gan.objective) is objectives.RelativisticPairing
    assert not gan.discriminator_penalties
    assert _adam(gan.discriminator_optimizer) == pytest.approx(ADAM["r3gan"])


def test_resnet_and_dcgan():
    gan = make(Settings(generator="resnet", filters=2), MNIST)
    assert type(gan.objective) is objectives.Hinge and gan.discriminator_steps == 5
    assert _adam(gan.generator_optimizer) == pytest.approx(ADAM["resnet"])
    gan = make(Settings(generator="dcgan", filters=2), MNIST)
    assert type(gan.objective) is objectives.NonSaturating and gan.ema_decay == 0.99
    assert _adam(gan.generator_optimizer) == pytest.approx(ADAM["dcgan"])


def test_what_goes_with_simultaneous_steps_and_another_trainer():
    assert Settings(generator="resnet", schedule="simultaneous").discriminator_steps is None
    other = Settings(generator="r3gan", trainer="wasserstein_gp")
    assert other.objective is None and other.ema_decay == 0.99
    assert games.completed(other, Details()) == Details()


def test_the_settings_file_says_what_is_played():
    found = resuming.decided(R3GAN, Details())
    assert found["objective"] == "relativistic_pairing" and found["ema_decay"] == 0.999
    assert found["details"]["compile"]["discriminator_penalties"] == [
        {"R1": {"weight": 0.05}},
        {"R2": {"weight": 0.05}},
    ]
    assert "details" not in resuming.decided(Settings(), Details())
