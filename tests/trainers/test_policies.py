"""Plain Keras players under Keras's dtype policies, in every trainer, against float32."""

import keras
import numpy as np
import pytest

import trainers
from tests.helpers import normal_batch
from trainers import penalties, perturbations

# What all of them share is made once, in one process.
pytestmark = pytest.mark.xdist_group("policies")

TOLERANCE = {"mixed_bfloat16": 0.05, "mixed_float16": 0.01, "float64": 1e-5}
REAL = np.tanh(normal_batch((4,), 8)).astype("float32")


def _matching(generator, discriminator):
    layer = discriminator.layers[0].name
    return trainers.FeatureMatchingGAN(generator, discriminator, feature_layer=layer)


def _simultaneous(*players):
    return trainers.GAN(*players, schedule="simultaneous")


def _waiting(*players):
    return trainers.GAN(*players, discriminator_steps=trainers.stopping.UntilConverged())


GAMES = {
    "gan": (trainers.GAN, {"ema_decay": 0.9}),
    "simultaneous": (_simultaneous, {}),
    "waiting": (_waiting, {}),
    "wasserstein": (lambda *p: trainers.WassersteinGAN(*p, discriminator_steps=2), {}),
    "gradient penalty": (lambda *p: trainers.WassersteinGANGP(*p, discriminator_steps=2), {}),
    "feature matching": (_matching, {}),
    "historical averaging": (trainers.HistoricalAveragingGAN, {}),
    "unrolled": (trainers.UnrolledGAN, {}),
    "unrolled sgd": (
        trainers.UnrolledGAN,
        {"discriminator_optimizer": keras.optimizers.SGD(0.1, 0.9).get_config()},
    ),
    "consensus": (trainers.ConsensusGAN, {}),
    "slopes": (
        trainers.GAN,
        {"discriminator_penalties": [penalties.R1(), penalties.R2(every=2), penalties.DRAGAN()]},
    ),
    "noise": (
        trainers.GAN,
        {"perturbations": [perturbations.InstanceNoise(0.1), perturbations.LabelFlips(0.1)]},
    ),
}


def _players():
    """Two nets with the same weights under every policy, whose own draws differ."""
    layers = keras.layers
    players = (
        keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="tanh")]),
        keras.Sequential([keras.Input((4,)), layers.Dense(5), layers.LeakyReLU(), layers.Dense(1)]),
    )
    rng = np.random.default_rng(0)
    for player in players:
        player.set_weights([rng.normal(size=w.shape) for w in player.weights])
    return players


def _losses(make, settings):
    """The log of two steps, the second from weights that the first has moved."""
    settings = dict(settings)
    if "discriminator_optimizer" in settings:
        settings["discriminator_optimizer"] = keras.optimizers.SGD.from_config(
            settings["discriminator_optimizer"]
        )
    gan = make(*_players())
    gan.compile(run_eagerly=True, **settings)
    history = gan.fit(REAL, batch_size=8, epochs=2, verbose=0, shuffle=False).history
    assert np.isfinite(gan.sample(3, seed=0)).all()
    return np.array([history["generator_loss"], history["discriminator_loss"]])


@pytest.fixture(scope="module")
def in_float32():
    return {name: _losses(*game) for name, game in GAMES.items()}


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("policy", TOLERANCE)
def test_plain_players_train_under_every_policy(policy, name, in_float32, monkeypatch):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        losses = _losses(*GAMES[name])
    finally:
        keras.config.set_dtype_policy(before)
    scale = np.abs(in_float32[name]).max()
    np.testing.assert_allclose(losses, in_float32[name], rtol=0, atol=TOLERANCE[policy] * scale)
