"""A member of an ensemble makes the steps of the GAN alone: game by game."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import pytest

import zoo
from tests.helpers import largest_difference
from tests.trainers.test_ensemble import (  # noqa: F401 - Two of them are fixtures.
    BATCH,
    GLOROT,
    MEMBERS,
    POINTS,
    copies,
    ensemble,
    fit,
    fresh,
    one_worker,
    pair,
    points,
    same_start,
)
from trainers.penalties import R1, R2, GradientPenalty
from trainers.perturbations import InstanceNoise, LabelFlips
from zoo.layers import Dropout

L = keras.layers


def _adams(rate=0.02):
    return {
        "generator_optimizer": keras.optimizers.Adam(rate),
        "discriminator_optimizer": keras.optimizers.Adam(rate, beta_1=0.5),
    }


def _descents(rate=0.1, **settings):
    return {
        f"{player}_optimizer": keras.optimizers.SGD(rate, **settings)
        for player in ("generator", "discriminator")
    }


def _normalized():
    """Players of pictures with batch normalization, dropout and a decay of the weights."""
    generator = zoo.MLPGenerator((2, 2, 1), 2, (4,), batch_normalization=True, **GLOROT)
    images = keras.Input((2, 2, 1), name="images")
    # Without a bias, which a normalization takes away: its gradient is 0 up to rounding, of which
    # Adam makes steps of full length.
    hidden = L.Dense(4, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.1))
    x = hidden(L.Flatten()(images))
    x = Dropout(0.3)(L.LeakyReLU(0.2)(L.BatchNormalization()(x)))
    return generator, keras.Model(images, L.Dense(1)(x))


def _of_2014():
    return (
        zoo.MLPGenerator((2,), 2, (4,), output_activation="linear", **GLOROT),
        zoo.MLPDiscriminator((2,), (4,), pieces=2, **GLOROT),
    )


def _numbers(shape, high):
    return np.random.default_rng(1).integers(0, high, (MEMBERS, *shape))


@dataclasses.dataclass
class Play:
    """What is played: the arguments of an ensemble, and of its `fit`."""

    settings: dict
    players: Callable = pair
    x: np.ndarray | None = None
    y: np.ndarray | None = None
    fit: dict = dataclasses.field(default_factory=dict)

    @property
    def shared(self):
        return self.x is not None and self.x.shape[0] != MEMBERS

    def check(self, tolerance=1e-5, jit_compile=False):
        """The last member against the GAN that it is: all that is kept, and the history."""
        made = ensemble(self.players(), jit_compile=jit_compile, **self.settings)
        assert made.uses_xla == (jit_compile is not False)
        x, last = points() if self.x is None else self.x, MEMBERS - 1
        alone = made.member(last)
        own = [part if part is None or self.shared else part[last] for part in (x, self.y)]
        wanted = fit(alone, own[0], y=own[1], **self.fit).history
        members = fit(made, x, y=self.y, **self.fit).members
        assert int(alone.steps) == int(made.steps) > 0
        assert largest_difference(copies(made.member(last)), copies(alone)) < tolerance
        for name in set(members) - {"discriminator_regularization"}:  # See test_members.py.
            own = members[name][:, last]
            np.testing.assert_allclose(own, wanted[name], atol=10 * tolerance, err_msg=name)


DECAY = keras.optimizers.schedules.ExponentialDecay(0.05, 1, 0.8)
XLA = "labels, shared data, R1 in every second step"
GAMES = {  # And the one of `test_a_member_goes_on_as_the_ensemble_does`.
    "pictures, normalization, dropout, schedules": lambda: Play(
        {"objective": "least_squares", "schedule": "simultaneous", **_adams(DECAY)},
        _normalized,
        _numbers((POINTS, 2, 2, 1), 256).astype("uint8"),
    ),
    "conditions, two steps, all rows in order": lambda: Play(
        {"objective": "wasserstein", "discriminator_steps": 2, **_descents(momentum=0.5)},
        lambda: pair(num_conditions=2),
        points(rows=BATCH),
        points(rows=BATCH, seed=1),
        {"shuffle": False, "epochs": 4},
    ),
    XLA: lambda: Play(
        {
            "objective": "hinge",
            "schedule": "simultaneous",
            "discriminator_penalties": R1(0.5, every=2),
            **_descents(),
        },
        lambda: pair(num_classes=3),
        points(rows=10)[0],
        _numbers((10,), 3)[0],
    ),
}
MORE = {  # What takes long to compile.
    "labels, average, two steps": lambda: Play(
        {"discriminator_steps": 2, "ema_decay": 0.9, **_adams()},
        lambda: pair(num_classes=3),
        points(rows=12),
        _numbers((12,), 3),
        {"batch_size": 5},
    ),
    "dropout of 2014": lambda: Play(_adams(), _of_2014),
    "slopes between the samples": lambda: Play(
        {"discriminator_penalties": [GradientPenalty(2.0), R2(0.5)], **_descents()}
    ),
    "noise that decays": lambda: Play(
        {
            "perturbations": InstanceNoise(
                keras.optimizers.schedules.PolynomialDecay(0.5, 10, end_learning_rate=0.0)
            ),
            **_descents(),
        }
    ),
    "flips": lambda: Play({"perturbations": LabelFlips(0.3), **_adams()}),
    "a penalty in every second step": lambda: Play(
        {"discriminator_penalties": R1(0.5, every=2), **_descents()}, fit={"epochs": 3}
    ),
    "averages of the optimizers": lambda: Play(_descents(use_ema=True, ema_momentum=0.5)),
    "gradients of two steps": lambda: Play(_descents(gradient_accumulation_steps=2)),
    "batches in order, several an epoch": lambda: Play(_adams(), fit={"shuffle": False}),
    "an epoch that ends within the data": lambda: Play(
        _adams(), x=points(rows=12), fit={"steps_per_epoch": 2, "epochs": 4}
    ),
}


OF_CRITICS = pytest.mark.filterwarnings("ignore:Wasserstein has a minimum only over critics")


@OF_CRITICS
@pytest.mark.parametrize("name", GAMES)
def test_a_member_is_the_gan_alone(name):
    GAMES[name]().check(jit_compile="auto" if name == XLA else False)


@pytest.mark.long
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("name", MORE)
def test_a_member_of_more_games_is_the_gan_alone(name, jit_compile):
    MORE[name]().check(jit_compile=jit_compile)


@pytest.mark.long
@OF_CRITICS
@pytest.mark.parametrize("optimizers", [_adams, _descents])
@pytest.mark.parametrize("schedule", ["alternating", "simultaneous"])
@pytest.mark.parametrize("objective", ["non_saturating", "least_squares", "wasserstein", "hinge"])
def test_fifty_steps_are_those_of_the_gan_alone(objective, schedule, optimizers):
    settings = {"objective": objective, "schedule": schedule, **optimizers()}
    Play(settings, fit={"epochs": 25}).check()


def test_python_line_by_line_makes_the_same_steps():
    made, wanted = ensemble(ema_decay=0.9, run_eagerly=True), fresh()
    for one in (made, wanted):
        fit(one, points(), epochs=1)
    assert largest_difference(copies(made), copies(wanted)) < 1e-5
