"""Stopping rules: given losses against the definition, and a generator that waits for them."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.helpers import run_config_test, run_equality_test, run_trainer_test, state, tiny_pair
from trainers.penalties import R1
from trainers.stopping import StoppingRule, UntilConverged

RNG = np.random.default_rng(0)


def _reference(losses, tolerance, window, max_steps):
    """Whether the generator moves after each of the losses, from the definition."""
    moves, seen = [], []
    for loss in losses:
        seen.append(loss)
        moved = len(seen) >= max_steps
        if len(seen) % window == 0 and len(seen) > window:
            now, before = np.mean(seen[-window:]), np.mean(seen[-2 * window : -window])
            moved = moved or before - now < tolerance
        moves.append(moved)
        seen = [] if moved else seen
    return moves


def _drive(rule, losses):
    """What the rule says of each loss."""
    memory = [tf.zeros(shape) for shape in rule.state_shapes()]
    moves = []
    for loss in losses:
        done, memory = rule(memory, tf.constant(loss, "float32"))
        moves.append(bool(done))
        if done:
            assert all(float(value) == 0 for value in memory)
    return moves


def _steps(moves):
    """The steps, counted from 1, after which the generator moved."""
    return [k + 1 for k, moved in enumerate(moves) if moved]


# Sums of such losses are exact in float32, and equality is no matter of rounding.
FALLING = [8 - k / 4 for k in range(16)]


@pytest.mark.parametrize(
    "losses, arguments, wanted",
    [
        # The fall ends with step 16: the windows 17 ... 20 and 21 ... 24 are the first two alike.
        (FALLING + [4.0] * 8, {"window": 4}, [24]),
        (FALLING + [4.0] * 16, {"window": 4}, [24, 32]),
        # A window's mean falls by 1: less than the tolerance or not.
        (FALLING, {"window": 4, "tolerance": 1.0}, []),
        (FALLING, {"window": 4, "tolerance": 1.125}, [8, 16]),
        (FALLING, {"window": 4, "max_steps": 5}, [5, 10, 15]),
        # A loss that rises falls no more.
        (FALLING[::-1], {"window": 4, "tolerance": 0.0}, [8, 16]),
        # Without a fall there is none that is less than 0.
        ([1.0] * 9, {"window": 2, "tolerance": 0.0, "max_steps": 5}, [5]),
        ([1.0] * 4, {"window": 1}, [2, 4]),
        ([1.0] * 3, {"window": 1, "max_steps": 1}, [1, 2, 3]),
        # Only ends of windows count: the flat stretch in the middle does not fill two.
        ([4.0, 3.0, 3.0, 3.0, 3.0, 1.0, 0.0, 0.0], {"window": 3}, []),
        # A window as long as the limit is never compared.
        ([1.0] * 8, {"window": 4, "max_steps": 4}, [4, 8]),
    ],
)
def test_given_losses(losses, arguments, wanted):
    rule = UntilConverged(**arguments)
    assert _steps(_drive(rule, losses)) == wanted
    assert _steps(_reference(losses, **rule.get_config())) == wanted


@pytest.mark.parametrize("window", [1, 3, 7])
def test_any_losses(window):
    losses = np.round(64 * (2 + np.cumsum(RNG.normal(0, 0.1, 400)))) / 64
    rule = UntilConverged(tolerance=1 / 128, window=window, max_steps=50)
    moves = _drive(rule, losses)
    assert moves == _reference(losses, **rule.get_config()) and 8 < sum(moves) < 400


def test_a_rule_without_a_number_asks_for_max_steps():
    assert _steps(_drive(UntilConverged(window=2, max_steps=7), [np.nan] * 15)) == [7, 14]


# === In a training ===


def _gan(rule, weight=0.0, **arguments):
    """Lines, x = a z + b against v = w x + c; the discriminator learns."""
    players = [keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]) for _ in range(2)]
    gan = trainers.GAN(*players, discriminator_steps=rule, seed=3)
    rates = [keras.optimizers.SGD(rate) for rate in (0.05, 0.3)]
    penalties = [R1(weight)] if weight else []
    gan.compile("minimax", *rates, discriminator_penalties=penalties, **arguments)
    return gan


def _data(steps):
    return RNG.normal(2, 1, (steps, 16, 1)).astype("float32")


def test_the_generator_moves_when_the_rule_says_so():
    """The rule hears the discriminator's mean loss with its penalties."""
    rule = UntilConverged(tolerance=0.02, window=2, max_steps=9)
    gan = _gan(rule, weight=0.5)
    losses, moves = [], []
    for k, batch in enumerate(_data(60)):
        gan.reset_metrics()
        before = state(gan.generator, gan.generator_optimizer)
        logs = gan.train_on_batch(batch, return_dict=True)
        losses.append(logs["discriminator_loss"] + logs["discriminator_penalty"])
        after = state(gan.generator, gan.generator_optimizer)
        moves.append(any((a != b).any() for a, b in zip(before, after, strict=True)))
        assert int(gan.discriminator_optimizer.iterations) == k + 1 == int(gan.steps)
        assert int(gan.generator_optimizer.iterations) == sum(moves)
    assert moves == _reference(losses, **rule.get_config())
    waits = np.diff(_steps(moves))
    assert waits.min() < 9 and len(set(waits)) > 1  # Not by max_steps alone.


def test_a_rule_of_one_step_is_gan():
    rules = (1, UntilConverged(window=1, max_steps=1))
    makers = [lambda rule=rule, **modes: _gan(rule, **modes) for rule in rules]
    run_equality_test(makers, np.random.default_rng(5).normal(2, 1, (64, 1)))


def test_a_rule_of_ones_own():
    class EveryThird(StoppingRule):
        def state_shapes(self):
            return [()]

        def __call__(self, state, loss):
            (steps,) = state
            return tf.equal(steps % 3, 2), [steps + 1.0]

    gan = _gan(EveryThird(), run_eagerly=True)
    for k, batch in enumerate(_data(7)):
        gan.train_on_batch(batch)
        assert int(gan.generator_optimizer.iterations) == (k + 1) // 3
    with pytest.raises(NotImplementedError, match="StoppingRule has to define __call__"):
        StoppingRule()([], 0.0)


def test_modes_of_execution_and_file(tmp_path):
    """The run is saved after its second step, and the generator moves with the third."""

    def make(**modes):
        return _gan(UntilConverged(tolerance=0.1, window=5, max_steps=3), weight=0.5, **modes)

    gan, loaded = run_trainer_test(make, np.random.default_rng(5).normal(2, 1, (64, 1)), tmp_path)
    assert int(gan.generator_optimizer.iterations) == 1
    assert int(gan.discriminator_optimizer.iterations) == 4
    assert float(gan.stopping_state.values[0]) == 1
    assert loaded.stopping_rule.get_config() == gan.stopping_rule.get_config()


def test_config_round_trip():
    rule = UntilConverged(tolerance=0.2, window=5, max_steps=30)
    numbers = {"tolerance": 0.2, "window": 5, "max_steps": 30}
    assert run_config_test(rule).get_config() == numbers
    gan = trainers.GAN(*tiny_pair(), discriminator_steps=rule)
    config = json.loads(json.dumps(gan.get_config()))
    again = trainers.GAN.from_config(config).discriminator_steps
    assert type(again) is UntilConverged and again.get_config() == numbers
    config = trainers.GAN(*tiny_pair(), discriminator_steps=4).get_config()
    assert config["discriminator_steps"] == 4


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: UntilConverged(tolerance=-0.1), r"`tolerance` is negative.*tolerance=-0\.1"),
        (lambda: UntilConverged(tolerance=float("nan")), "tolerance=nan"),
        (lambda: UntilConverged(window=0), "positive integer.*window=0"),
        (lambda: UntilConverged(max_steps=2.5), "positive integer.*max_steps=2.5"),
        (
            lambda: trainers.GAN(
                *tiny_pair(), discriminator_steps=UntilConverged(), schedule="simultaneous"
            ),
            "`discriminator_steps` does not.*equally many steps.*UntilConverged",
        ),
        (
            lambda: trainers.GAN(*tiny_pair(), discriminator_steps="converged"),
            "`discriminator_steps` is.*discriminator_steps='converged'",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
