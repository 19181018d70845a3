"""The span that is read off a model against the numbers that it makes of latents far out."""

import functools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.weight_normalization import WeightNormalization
from zoo.players import spans

K = keras.layers
FAR = np.random.default_rng(0).normal(size=(60, 3)).astype("float32") * 1e4


def _sequential(*layers):
    return keras.Sequential([keras.Input((3,)), *layers])


def _functional(end):
    inputs = keras.Input((3,))
    return keras.Model(inputs, end(K.Dense(16, name="first")(inputs)))


def _tanh(x):
    return K.Activation("tanh")(x)


def tanh(x):
    """Of LeCun et al., 1998: it is no tanh, but is called so."""
    return 1.7159 * keras.ops.tanh(2 / 3 * x)


@functools.wraps(keras.activations.sigmoid)
def of_that_name(x):
    return 2.0 * keras.ops.sigmoid(x)


def linear(x):
    return 2.0 * x


class Tanh(keras.Operation):
    """A user's own operation."""

    def call(self, x):
        return 2.0 * keras.ops.tanh(x)

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, dtype=x.dtype)


class Doubled(keras.Sequential):
    """A graph that says one thing, and a call that does another."""

    def call(self, inputs, training=False):
        return 2.0 * super().call(inputs, training=training)


SEEN = {
    "dense": lambda: _sequential(K.Dense(16, activation="tanh")),
    "function": lambda: _sequential(K.Dense(16, activation=keras.activations.sigmoid)),
    "of tensorflow": lambda: _sequential(K.Dense(16, activation=tf.nn.tanh)),
    "layer for an activation": lambda: _sequential(K.Dense(16, activation=K.Activation("tanh"))),
    "hard_tanh": lambda: _sequential(K.Dense(16), K.Activation(keras.activations.hard_tanh)),
    "hard_sigmoid": lambda: _sequential(K.Dense(16, activation="hard_sigmoid")),
    "softmax": lambda: _sequential(K.Dense(16), K.Softmax()),
    "relu up to 1": lambda: _sequential(K.Dense(16), K.ReLU(max_value=1.0)),
    "reshape": lambda: _sequential(K.Dense(16, activation="tanh"), K.Reshape((4, 4, 1))),
    "cropping": lambda: _sequential(
        K.Dense(36), K.Reshape((6, 6, 1)), K.Activation("tanh"), K.Cropping2D(1)
    ),
    "many that keep": lambda: _sequential(
        K.Dense(16, activation="tanh"),
        K.ActivityRegularization(0.1),
        K.Dropout(0.5),
        K.Reshape((4, 2, 2)),
        K.Permute((2, 1, 3)),
        K.UpSampling2D(interpolation="bilinear"),
        K.MaxPooling2D(),
        K.Activation("linear"),
        K.Flatten(),
    ),
    "padding": lambda: _sequential(
        K.Dense(16, activation="sigmoid"), K.Reshape((4, 4, 1)), K.ZeroPadding2D()
    ),
    "half": lambda: _sequential(K.Dense(16, activation="tanh"), K.Rescaling(0.5, 0.5)),
    "bytes": lambda: _sequential(K.Dense(16, activation="tanh"), K.Rescaling(-127.5, 127.5)),
    "each step": lambda: _sequential(
        K.Dense(16), K.Reshape((4, 4)), K.TimeDistributed(K.Dense(2, activation="tanh"))
    ),
    "wrapped": lambda: _sequential(WeightNormalization(K.Dense(16, activation="tanh"))),
    "lambda of tanh": lambda: _sequential(K.Dense(16), K.Lambda(tf.tanh)),
    "nested": lambda: _sequential(_sequential(K.Dense(16, activation="tanh")), K.Reshape((4, 4))),
    "nested that keeps": lambda: _sequential(
        K.Dense(16, activation="tanh"),
        keras.Sequential([keras.Input((16,)), K.Reshape((4, 4)), K.Flatten()]),
    ),
    "joined": lambda: _functional(lambda x: K.Concatenate()([_tanh(x), K.Activation("tanh")(-x)])),
    "operations": lambda: _functional(
        lambda x: keras.ops.reshape((keras.ops.tanh(x) + 1) / 2, (-1, 4, 4))
    ),
    "operations in the other order": lambda: _functional(
        lambda x: 3.0 - 2.0 * keras.ops.sigmoid(x)[:, 1:]
    ),
    "clip": lambda: _functional(lambda x: keras.ops.clip(x, 0, 255)),
    "clip of what is clipped": lambda: _functional(lambda x: keras.ops.clip(_tanh(x), -5, 0.5)),
    "maximum": lambda: _functional(lambda x: keras.ops.maximum(_tanh(x), 0.5)),
    "minimum": lambda: _functional(lambda x: keras.ops.minimum(-0.5, _tanh(x))),
    "of both": lambda: _functional(lambda x: keras.ops.minimum(keras.ops.maximum(x, 0), 4.0)),
    "maximum of tensors": lambda: _functional(
        lambda x: keras.ops.maximum(_tanh(x), _tanh(x[:, ::-1]))
    ),
    "largest": lambda: _functional(lambda x: keras.ops.max(_tanh(x[..., None]), -1)),
    "largest from": lambda: _functional(
        lambda x: keras.ops.max(_tanh(x[..., None]), -1, initial=0.5)
    ),
    "least from": lambda: _functional(
        lambda x: keras.ops.min(_tanh(x[..., None]), -1, initial=-0.5)
    ),
    "stack": lambda: _functional(lambda x: keras.ops.stack([_tanh(x), _tanh(-x)])),
}


@pytest.mark.parametrize("name", SEEN)
def test_the_span_is_that_of_the_numbers(name):
    model = SEEN[name]()
    made = np.asarray(model(FAR, training=False))
    low, high = spans.output_span(model)
    size = 1e-3 * (high - low)  # Pooling and bilinear means do not all saturate.
    reached = 0.15 * (high - low)
    assert low - size <= made.min() <= low + reached
    assert high - reached <= made.max() <= high + size


UNSEEN = {
    "linear": lambda: _sequential(K.Dense(16)),
    "relu": lambda: _sequential(K.Dense(16, activation="relu")),
    "after tanh": lambda: _sequential(K.Dense(16, activation="tanh"), K.Dense(4)),
    "linear layer for an activation": lambda: _sequential(
        K.Dense(16, activation="tanh"), K.Dense(4, activation=K.Identity())
    ),
    "bicubic": lambda: _sequential(
        K.Dense(16, activation="tanh"),
        K.Reshape((4, 4, 1)),
        K.UpSampling2D(interpolation="bicubic"),
    ),
    "padding outside": lambda: _sequential(
        K.Dense(16, activation="sigmoid"),
        K.Rescaling(1.0, 1.0),
        K.Reshape((4, 4, 1)),
        K.ZeroPadding2D(),
    ),
    "unlike ends": lambda: _functional(
        lambda x: K.Concatenate()([_tanh(x), K.Activation("sigmoid")(x)])
    ),
    "sum": lambda: _functional(lambda x: _tanh(x) + _tanh(x)),
    "per channel": lambda: _sequential(
        K.Dense(16, activation="tanh"), K.Reshape((8, 2)), K.Rescaling([1.0, 2.0])
    ),
    "lambda": lambda: _sequential(K.Dense(16, activation="tanh"), K.Lambda(lambda x: 3 * x)),
    "own call": lambda: Doubled([keras.Input((3,)), K.Dense(16, activation="tanh")]),
    "a function that is called tanh": lambda: _sequential(K.Dense(16, activation=tanh)),
    "and as a layer": lambda: _sequential(K.Dense(16), K.Activation(tanh)),
    "and as a lambda": lambda: _sequential(K.Dense(16), K.Lambda(tanh)),
    "a function that is called sigmoid": lambda: _sequential(K.Dense(16, activation=of_that_name)),
    "a function that is called linear": lambda: _sequential(
        K.Dense(16, activation="tanh"), K.Activation(linear)
    ),
    "an operation that is called Tanh": lambda: _functional(lambda x: Tanh()(x)),
    "maximum with several numbers": lambda: _functional(
        lambda x: keras.ops.maximum(_tanh(x), np.linspace(0, 2, 16, dtype="float32"))
    ),
    "maximum with more than it makes": lambda: _functional(
        lambda x: keras.ops.maximum(_tanh(x), 2.0)
    ),
    "joined to numbers": lambda: _functional(
        lambda x: keras.ops.concatenate([_tanh(x), np.full((1, 16), 3, "float32")], 0)
    ),
    "two outputs": lambda: _functional(lambda x: [_tanh(x), _tanh(x)]),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_is_not_seen_has_no_span(name):
    assert spans.output_span(UNSEEN[name]()) is None


@pytest.mark.parametrize(
    "end, bounds",
    [
        (lambda x: keras.ops.maximum(x, -2), (-2, math.inf)),
        (lambda x: keras.ops.minimum(x, 3), (-math.inf, 3)),
        (lambda x: keras.ops.max(x[..., None], -1, initial=0.0), (0, math.inf)),
        (lambda x: keras.ops.max(x[..., None], -1, initial=-math.inf), None),
        (lambda x: keras.ops.elu(x, 2.0), (-2, math.inf)),
        (lambda x: keras.ops.maximum(x, x), None),
    ],
)
def test_one_end_of_what_is_not_seen(end, bounds):
    assert spans.bounds(_functional(end).output) == bounds
