"""What settings and details are made into: players, and a compiled trainer."""

import dataclasses
import math

import numpy as np
import pytest

from trainers import penalties
from trainers.runs.choices import FAMILIES, TRAINERS
from trainers.runs.construction import make, players
from trainers.runs.settings import Details, Settings
from zoo import datasets

TOY = Settings(dataset="normal", generator="mlp", latent_dim=2, batch_size=20_000, epochs=2, seed=4)


@pytest.mark.parametrize(
    "name, objective, schedule, rate",
    [
        ("gan", "NonSaturating", "alternating", 2e-4),
        ("fgan", "FDivergence", "simultaneous", 2e-4),
        ("feature_matching", "NonSaturating", "alternating", 2e-4),
        ("historical_averaging", "NonSaturating", "alternating", 2e-4),
        ("wasserstein", "Wasserstein", "alternating", 5e-5),
        ("wasserstein_gp", "Wasserstein", "alternating", 1e-4),
        ("unrolled", "NonSaturating", "alternating", 2e-4),
        ("consensus", "NonSaturating", "simultaneous", 2e-4),
    ],
)
def test_every_trainer_by_its_name(name, objective, schedule, rate):
    info = datasets.info("normal", examples=1000)
    gan = make(dataclasses.replace(TOY, trainer=name), info)
    assert type(gan) is TRAINERS[name] and gan.schedule == schedule
    assert type(gan.objective).__name__ == objective
    assert float(gan.discriminator_optimizer.learning_rate) == pytest.approx(rate)
    gan = make(dataclasses.replace(TOY, trainer=name, learning_rate=0.5), info)
    assert float(gan.generator_optimizer.learning_rate) == 0.5


@pytest.mark.parametrize("family", ["dcgan", "r3gan", "resnet"])
def test_the_families_of_images(family):
    """What is not set is the family's; what is, reaches both players."""
    info = datasets.info("mnist")
    settings = Settings(generator=family, conditional=True, filters=16)
    classes = FAMILIES[family]
    pair = players(settings, info)
    expected = classes[0](info.sample_shape, filters=16, num_classes=10)
    assert [type(player) for player in pair] == list(classes)
    assert pair[0].count_params() == expected.count_params()
    assert pair[0].latent_dim == expected.latent_dim
    critic = classes[1](info.sample_shape, filters=16, num_classes=10)
    assert pair[1].count_params() == critic.count_params()
    narrow = players(dataclasses.replace(settings, latent_dim=7), info)[0]
    assert narrow.latent_dim == 7


def test_a_penalised_critic_is_not_normalized():
    info = datasets.info("mnist")
    settings = Settings(trainer="wasserstein_gp", filters=2)
    settings_of_gan = Settings(filters=2)
    for family, name in (("dcgan", "BatchNormalization"), ("resnet", "SpectralNormalization")):
        for trainer, expected in (("gan", True), ("wasserstein_gp", False)):
            asked = dataclasses.replace(settings, generator=family, trainer=trainer)
            layers = [type(layer).__name__ for layer in players(asked, info)[1].layers]
            assert (name in layers) == expected
    for penalty, expected in (({"R1": {}}, False), ({"HistoricalAveraging": {}}, True)):
        details = Details(compile={"discriminator_penalties": [penalty]})
        layers = [
            type(layer).__name__ for layer in players(settings_of_gan, info, details)[1].layers
        ]
        assert ("BatchNormalization" in layers) == expected


def test_a_pyramid_has_its_own_players_and_trainer():
    info = datasets.info("mnist")
    lapgan = dataclasses.replace(TOY, generator="lapgan", trainer="laplacian", filters=2)
    gan = make(dataclasses.replace(lapgan, conditional=True, learning_rate=0.5), info)
    assert len(gan.optimizers) == 6
    assert all(float(optimizer.learning_rate) == 0.5 for optimizer in gan.optimizers)
    for changes in ({"trainer": "gan"}, {"generator": "dcgan"}):
        with pytest.raises(
            ValueError,
            match="`--generator` and `--trainer` do.*lapgan with --trainer",
        ):
            make(dataclasses.replace(lapgan, **changes), info)


def test_what_an_f_gan_plays_for():
    info = datasets.info("normal", examples=1000)
    gan = make(dataclasses.replace(TOY, trainer="fgan", objective="pearson"), info)
    assert gan.divergence.name == "pearson"
    gan = make(dataclasses.replace(TOY, objective="pearson", discriminator_steps=3), info)
    assert gan.objective.divergence.name == "pearson" and gan.discriminator_steps == 3
    with pytest.raises(ValueError, match="(?i)unknown.*divergence='hinge'"):
        make(dataclasses.replace(TOY, trainer="fgan", objective="hinge"), info)
    with pytest.raises(
        ValueError, match="`schedule` cannot be chosen .*UnrolledGAN.*schedule='simultaneous'"
    ):
        make(dataclasses.replace(TOY, trainer="unrolled", schedule="simultaneous"), info)


DETAILS = Details(
    generator={"units": [16, 8], "batch_normalization": True},
    discriminator={"units": [4]},
    trainer={"discriminator_steps": 2},
    compile={
        "generator_optimizer": {
            "Adam": {
                "learning_rate": {
                    "PolynomialDecay": {"initial_learning_rate": 0.5, "decay_steps": 10}
                }
            }
        },
        "discriminator_penalties": [{"R1": {"weight": 3.0, "every": 4}}],
    },
)


def test_details_prevail():
    info = datasets.info("normal", examples=1000)
    gan = make(TOY, info, DETAILS)
    assert gan.generator.units == (16, 8) and gan.generator.batch_normalization
    assert gan.generator.output_activation == "linear" and gan.generator.latent_dim == 2
    assert gan.discriminator_steps == 2
    (penalty,) = gan.discriminator_penalties
    assert type(penalty) is penalties.R1 and (penalty.weight, penalty.every) == (3.0, 4)
    assert float(gan.generator_optimizer.learning_rate) == 0.5
    assert float(gan.discriminator_optimizer.learning_rate) == pytest.approx(2e-4)
    again = make(TOY, info, DETAILS)  # A recipe can be used twice.
    for a, b in zip(gan.generator.get_weights(), again.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("place", ["trainer", "compile"])
def test_an_argument_that_is_none(place):
    with pytest.raises(ValueError, match="`steps` is no argument of|Unrecognized.*'steps'"):
        make(TOY, datasets.info("normal", examples=1000), Details(**{place: {"steps": 3}}))


def test_the_baseline():
    info = datasets.info("mnist")
    asked = Settings(generator="mlp", trainer="vae", latent_dim=3, learning_rate=0.25, seed=2)
    vae = make(asked, info, Details(generator={"units": [5]}))
    assert vae.generator.latent_dim == 3 and vae.units == (5,) and vae.seed == 2
    assert float(vae.optimizer.learning_rate) == 0.25
    vae.fit(np.zeros((8, 28, 28), "uint8"), batch_size=4, verbose=0)
    assert math.isfinite(
        vae.evaluate(np.zeros((8, 28, 28), "uint8"), verbose=0, return_dict=True)["loss"]
    )
    for changes in ({"generator": "dcgan"}, {"objective": "kl"}, {"conditional": True}):
        with pytest.raises(ValueError, match=f"`--trainer=vae` has.*labels.*{next(iter(changes))}"):
            make(dataclasses.replace(asked, **changes), info)


def test_a_conditional_run_knows_the_names_of_its_classes():
    info = datasets.DatasetInfo("pets", (4, 4, 1), "uint8", 2, 8, ("ape", "cow"))
    asked = Settings(generator="mlp", conditional=True, latent_dim=3)
    gan = make(asked, info, Details(generator={"units": [5]}, discriminator={"units": [5]}))
    assert gan.sampler is not gan.generator  # The moving average is a copy.
    assert gan.sampler.class_names == gan.generator.class_names == ("ape", "cow")
    plain, _ = players(dataclasses.replace(asked, conditional=False), info)
    assert plain.class_names is None
