"""A sigmoid in a `Lambda` or in a user's layer is warned of, and nothing linear is."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.helpers import largest_difference, state

K = keras.layers


class Own(keras.layers.Layer):
    """A layer of a user's that ends in a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


class Net(keras.Model):
    """A discriminator without a graph."""

    def __init__(self, function):
        super().__init__()
        self.dense, self.function = K.Dense(1), function

    def call(self, x):
        return self.function(self.dense(x))


def _net(*end):
    return keras.Sequential([keras.Input((2,)), K.Dense(4, "tanh"), K.Dense(1), *end])


def _subclass(function):
    model = Net(function)
    model(np.zeros((3, 2), "float32"))
    return model


def _warned(discriminator):
    generator = keras.Sequential([keras.Input((3,)), K.Dense(2)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainers.WassersteinGAN(generator, discriminator)
    return [str(warning.message) for warning in caught]


SQUASHING = {
    "a Lambda": lambda: _net(K.Lambda(lambda v: tf.sigmoid(v))),
    "a layer": lambda: _net(Own(tf.sigmoid)),
    "before a reshape": lambda: _net(Own(lambda v: (1.0 + tf.tanh(v)) / 2.0), K.Reshape(())),
    "a function": lambda: _net(K.Activation(lambda v: keras.ops.sigmoid(v))),
    "a subclass": lambda: _subclass(tf.sigmoid),
}


@pytest.mark.parametrize("name", SQUASHING)
def test_what_squashes_is_warned_of_once(name):
    discriminator = SQUASHING[name]()
    before = state(discriminator)
    (message,) = _warned(discriminator)
    assert "lie in [0, 1]" in message and discriminator.name in message and "Dense(1)" in message
    assert largest_difference(before, state(discriminator)) == 0  # Moved to look, and put back.


@pytest.mark.parametrize("seed", range(20))
def test_what_is_linear_is_not(seed):
    keras.utils.set_random_seed(seed)
    identity = lambda v: v  # noqa: E731
    ends = [
        _net(K.Lambda(identity)),
        _net(Own(identity)),
        _net(K.LayerNormalization(), Own(identity)),
        keras.Sequential([keras.Input((2,)), K.Dense(1, kernel_initializer="zeros"), Own(tf.abs)]),
        keras.Sequential([keras.Input((2,)), Own(lambda v: 0.0 * v[:, :1])]),
        _subclass(tf.identity),
    ]
    for discriminator in ends:
        assert not _warned(discriminator)


def test_an_ordinary_net_is_not_called(monkeypatch):
    """What ends in a layer of Keras's costs nothing; a large one of a user's a call or two."""
    discriminator = _net()
    monkeypatch.setattr(type(discriminator), "__call__", lambda *a, **k: pytest.fail("called"))
    assert not _warned(discriminator)


def test_a_look_at_a_linear_end_is_one_call():
    calls = []
    discriminator = _net(Own(lambda v: calls.append(1) or 100.0 * v))
    del calls[:]
    assert not _warned(discriminator)
    assert len(calls) == 1
