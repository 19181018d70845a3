"""A refused `compile` leaves the trainer as it was, in every class."""

import keras
import numpy as np
import pytest

import trainers
import zoo
from tests.helpers import all_variables, largest_difference, tiny_data, tiny_mlp_pair
from trainers import penalties, perturbations

SHAPE = (8, 8, 1)


@keras.saving.register_keras_serializable(package="tests")
def scaled(parameters, latents):
    return latents * parameters["scale"]


def _points():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(16, 2)).astype("float32"),)


def _mlp(cls, **arguments):
    return lambda: (cls(*tiny_mlp_pair(), seed=1, **arguments), tiny_data((4, 4, 1)))


def _simulator(**arguments):
    def make():
        simulator = zoo.Simulator(scaled, {"scale": 1.0}, (2,), latent_dim=2, gradient="score")
        critic = zoo.MLPDiscriminator((2,), units=(4,), activation="relu", dropout=0.0)
        return trainers.GAN(simulator, critic, seed=1), _points()

    return make


def _laplacian():
    players = (
        zoo.LaplacianGenerator(SHAPE, levels=2, latent_dim=3, filters=2, units=(4,)),
        zoo.LaplacianDiscriminator(SHAPE, levels=2, filters=2, units=(4,)),
    )
    return trainers.LaplacianGAN(*players, seed=1), tiny_data(SHAPE)


RMSPROP = {"discriminator_optimizer": "rmsprop"}
# A trainer, what its `compile` refuses, and what the message names.
CASES = {
    "unknown objective": (_mlp(trainers.GAN), {"objective": "hing"}, "`objective`"),
    "unknown optimizer": (_mlp(trainers.GAN), {"generator_optimizer": "adm"}, "`generator_opt"),
    "decay": (_mlp(trainers.GAN), {"ema_decay": 1.0}, "`ema_decay`"),
    "penalty of the other": (
        _mlp(trainers.GAN),
        {"generator_penalties": penalties.R1()},
        "`generator_penalties`",
    ),
    "no perturbation": (_mlp(trainers.GAN), {"perturbations": [1]}, "`perturbations`"),
    "steps of an execution": (
        _mlp(trainers.GAN),
        {"steps_per_execution": 0},
        "`steps_per_execution`",
    ),
    "another divergence": (_mlp(trainers.FGAN), {"objective": "pearson"}, "`objective`"),
    "no unrolling": (_mlp(trainers.UnrolledGAN), RMSPROP, "`discriminator_optimizer`"),
    "mixing objective": (_simulator(), {"objective": "relativistic_average"}, "`objective`"),
    "levels": (_laplacian, {"discriminator_penalties": ["R1"]}, "`discriminator_penalties`"),
    "wasserstein": (_mlp(trainers.WassersteinGANGP), {"ema_decay": -1}, "`ema_decay`"),
    "consensus": (_mlp(trainers.ConsensusGAN), {"objective": 3}, "`objective`"),
    "features": (_mlp(trainers.FeatureMatchingGAN), {"jit_compile": "yes"}, "`jit_compile`"),
    "history": (
        _mlp(trainers.HistoricalAveragingGAN),
        {"discriminator_penalties": perturbations.InstanceNoise(0.1)},
        "`discriminator_penalties`",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_refused_first_cannot_be_trained(case):
    make, refused, message = CASES[case]
    gan, data = make()
    with pytest.raises((ValueError, TypeError), match=message):
        gan.compile(**refused)
    assert not gan.compiled
    with pytest.raises(ValueError, match=r"`compile\(\)` has not been called, or was refused"):
        gan.fit(*data, verbose=0)


def _attributes(gan):
    return {name: value for name, value in vars(gan).items() if name != "_tracker"}


ACCEPTED = {
    "generator_optimizer": "sgd",
    "discriminator_optimizer": "adam",
    "ema_decay": 0.5,
    "run_eagerly": True,
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_refused_later_leaves_every_attribute(case):
    make, refused, message = CASES[case]
    gan, _ = make()
    gan.compile(**ACCEPTED)
    before = _attributes(gan)
    with pytest.raises((ValueError, TypeError), match=message):
        gan.compile(**refused)
    after = _attributes(gan)
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)


@pytest.mark.parametrize("case", ["decay", "no unrolling", "levels"])
def test_it_trains_on_as_one_that_was_never_asked(case):
    make, refused, message = CASES[case]
    results = []
    for ask in (False, True):
        keras.utils.set_random_seed(3)
        gan, data = make()
        gan.compile(**ACCEPTED)
        if ask:
            with pytest.raises(ValueError, match=message):
                gan.compile(**refused)
        gan.fit(*data, batch_size=16, steps_per_epoch=1, verbose=0)
        results.append(all_variables(gan))
    assert largest_difference(*results) == 0


def test_an_optimizer_that_is_refused_is_not_built():
    gan = _mlp(trainers.UnrolledGAN)()[0]
    ours, theirs = keras.optimizers.Adam(), keras.optimizers.RMSprop()
    with pytest.raises(ValueError, match="cannot be unrolled"):
        gan.compile(generator_optimizer=ours, discriminator_optimizer=theirs)
    assert not ours.built and not theirs.built


class Unnamed(keras.optimizers.SGD):
    """No file can name it, so no level can have a copy."""

    def get_config(self):
        raise NotImplementedError("no config")


def test_an_optimizer_without_a_copy_leaves_every_level():
    gan, _ = _laplacian()
    gan.compile(**ACCEPTED)
    before = [_attributes(part) for part in (gan, *gan.level_gans)]
    with pytest.raises(ValueError, match="`generator_optimizer` cannot be made again.*no config"):
        gan.compile(generator_optimizer=Unnamed(), ema_decay=0.9)
    for part, wanted in zip((gan, *gan.level_gans), before, strict=True):
        after = _attributes(part)
        assert after.keys() == wanted.keys()
        assert all(after[name] is wanted[name] for name in wanted)


@pytest.mark.filterwarnings("error:The penalty")
def test_a_warning_that_is_an_error_leaves_every_attribute():
    discriminator = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.BatchNormalization()]
        + [keras.layers.Dense(1)]
    )
    gan = trainers.GAN(tiny_mlp_pair()[0], discriminator, seed=1)
    gan.compile(**ACCEPTED)
    before, theirs = _attributes(gan), keras.optimizers.Adam()
    with pytest.raises(UserWarning):
        gan.compile(
            discriminator_penalties=penalties.R1(), generator_optimizer=theirs, ema_decay=0.9
        )
    assert not theirs.built
    after = _attributes(gan)
    assert after.keys() == before.keys() and all(after[name] is before[name] for name in before)
