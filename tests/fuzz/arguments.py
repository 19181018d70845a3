"""What fuzzed calls are given: odd values, and right ones."""

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import evaluation
import zoo

ODD = (
    None,
    True,
    -1,
    0,
    1,
    2.5,
    float("nan"),
    float("inf"),
    10**9,
    10**12,
    2**63,
    10**30,
    "x",
    "",
    b"x",
    (),
    (3,),
    (0,),
    (-1, 2),
    (1.5,),
    (10**9,),
    ("x", "y"),
    [[1, 2], [3]],
    {},
    {"a": 1},
    object(),
    len,
    1j,
    np.int64(2),
    np.float32(0.5),
    np.array(2),
    np.zeros(0, "float32"),
    np.zeros((0, 2), "float32"),
    np.ones((2, 3), "float32"),
    np.full((4, 2), np.nan, "float32"),
    np.ones((3, 2), "int8"),
    np.full((4, 2), 1e30),
    np.array(["x", "y"]),
    np.array([object(), None]),
    np.ones((2, 2), "complex64"),
    np.ones((3, 8, 8, 1), "uint8"),
    tf.constant(2),
    tf.ones((4, 2)),
)


@dataclasses.dataclass(frozen=True)
class Call:
    """A callable, right values of its arguments, and what is true of every result."""

    function: Callable
    arguments: dict
    holds: Callable = lambda result, given: True


def some_points(count=40, dim=2, seed=0):
    return np.random.default_rng(seed).normal(size=(count, dim)).astype("float32")


def some_images(count=12, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 1)).astype("uint8")


def some_labels(count=12):
    return np.arange(count) % 3


@functools.cache
def net(kind):
    if kind == "generator":
        return zoo.MLPGenerator((2,), 3, (4,), output_activation="linear", prior="normal")
    if kind == "pictures":
        return zoo.DCGANGenerator((8, 8, 1), 3, 2)
    if kind == "labelled":
        return zoo.MLPGenerator((2,), 3, (4,), output_activation="linear", num_classes=3)
    if kind == "discriminator":
        return zoo.MLPDiscriminator((2,), (4,), pieces=2)
    if kind == "extractor":
        net = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(4, name="features"),
                keras.layers.Dense(3),
            ]
        )
        return evaluation.extractors.Extractor(net, name="small")
    raise KeyError(kind)


def shape_of(result):
    return tuple(np.shape(result))


def is_finite(result, given):
    """Whether a result is finite, or nothing finite was given."""
    if any(_is_wild(value) for value in given.values()):
        return True
    return bool(np.all(np.isfinite(np.asarray(result, "float64"))))


def _is_wild(value):
    try:
        array = np.asarray(value, "float64")
    except (TypeError, ValueError, OverflowError):
        return False
    return not np.all(np.abs(array) < 1e20)


def is_score(result, given):
    return isinstance(result, evaluation.Score) and np.isfinite(result.value)


def measured(cls, given_samples, **fixed):
    """A measure that is made and asked at once."""

    def measure(samples, labels=None, **arguments):
        return cls(**arguments).evaluate(samples, labels)

    return measure


def is_player(result, given):
    return all(np.all(np.isfinite(w)) for w in result.get_weights())


def log_normal(x):
    return -0.5 * x * x - 0.5 * np.log(2 * np.pi)


def simulate(parameters, latents):
    return parameters["mu"] + latents


def mean(x):
    return np.mean(x, axis=-1)


def probability(x):
    return 0.5 * (1 + np.tanh(x))


POINTS, OTHERS, IMAGES = some_points(), some_points(40, 2, 1), some_images()
LATENT = np.array([0.5, -1.0, 0.25], "float32")
SHAPES, WIDE = {"image_shape": (8, 8, 1)}, {"image_shape": (28, 28, 1)}
