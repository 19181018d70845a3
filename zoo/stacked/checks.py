"""Which players can be stacked: what is refused, and why, in words."""

import warnings

import keras
import numpy as np
import tensorflow as tf

from zoo.layers.concat_labels import ConcatLabels
from zoo.layers.maxout import Maxout
from zoo.layers.normalization import LayerNormalization
from zoo.stacked.rules import BY_LABEL, OPERATIONS, RULES, operations, rule

layers = keras.layers
FLAT = (
    layers.Dense,
    Maxout,
    layers.BatchNormalization,
    LayerNormalization,
    layers.Concatenate,
    layers.Dot,
    ConcatLabels,
)  # Their last axis has to be all of an example.


def check(player, name):
    """Raises a `ValueError` that names the first layer of a player that cannot be stacked.

    Args:
        player: A built Keras model.
        name: The argument that it was, for the message.
    """
    if not _is_graph(player):
        raise _refusal(name, player.name, player, "is no graph of layers: it has a call of its own")
    for operation in operations(player):
        if isinstance(operation, keras.Model):
            check(operation, name)
            continue
        why = _obstacle(operation)
        if why:
            raise _refusal(name, player.name, operation, why)


def _is_graph(model):
    graph = isinstance(model, keras.Sequential) or hasattr(model, "operations")
    return graph and type(model).call.__module__.startswith("keras.")


def _obstacle(operation):
    """Why an operation cannot be stacked, in words; or `None`."""
    if rule(operation) is None:
        return "mixes examples, or has no rule for many members"
    if not isinstance(operation, keras.Layer):
        return None
    if operation.compute_dtype != "float32" and operation.weights:
        return f"computes in {operation.compute_dtype}, and members in float32"
    for variable in operation.weights:
        for kind in ("regularizer", "constraint"):
            what = getattr(variable, kind)
            if what is not None and type(what) not in SUMS:
                return f"has a {kind}, {type(what).__name__}, that would see all members at once"
    if operation.activity_regularizer is not None:
        return "has an activity regularizer, a mean over examples"
    activation = getattr(operation, "activation", None)
    if activation is not None and not elementwise(activation):
        return "has an activation that is no function of one number"
    ranks = [len(x.shape) for call in operation._inbound_nodes for x in call.input_tensors]
    axis = getattr(operation, "axis", -1)
    if isinstance(operation, FLAT) and (
        max(ranks, default=2) > 2 or axis not in (-1, 1, [1], [-1])
    ):
        return "works along one of several axes of an example"
    calls = [call for call in operation._inbound_nodes if call.input_tensors]  # None of an input.
    if not all(_alike(operation, call) for call in calls):
        return "would give many members what it does not give one of them"
    return None


def _alike(operation, call):
    """Whether the rule of an operation gives, for one member, what the operation gives."""
    rng, given = np.random.default_rng(0), {}
    for x in call.input_tensors:
        values = rng.normal(size=(3, *x.shape[1:]))
        values = values if rule(operation) not in BY_LABEL else np.zeros(values.shape)
        given[id(x)] = tf.constant(values, x.dtype)
    args, kwargs = call.arguments.fill_in(given)
    columns = [
        tf.reshape(tf.transpose(tf.reshape(x, (3, -1))), (1, -1, 3))
        for x in (given[id(x)] for x in call.input_tensors)
    ]

    def own(variable):
        return tf.convert_to_tensor(variable)[None]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            wanted = tf.cast(operation(*args, **kwargs), "float32")
            made = rule(operation)(operation, own, *columns, training=False)[0]
        except (ValueError, TypeError, tf.errors.InvalidArgumentError):
            return False
    wanted = np.reshape(wanted, (3, -1)).T
    return made.shape == wanted.shape and np.allclose(made, wanted, rtol=1e-4, atol=1e-5)


# A regularizer that is a sum over weights, and a constraint on each number.
SUMS = (
    keras.regularizers.L1,
    keras.regularizers.L2,
    keras.regularizers.L1L2,
    keras.constraints.NonNeg,
)


def elementwise(function):
    """Whether a function of a tensor is one of each number by itself."""
    if getattr(function, "weights", None):
        return False
    numbers = np.linspace(-2.0, 2.0, 6, dtype="float32").reshape(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            together = np.asarray(function(tf.constant(numbers)))
            apart = [np.asarray(function(tf.constant([[x]]))) for x in numbers.ravel()]
        except (ValueError, TypeError, tf.errors.InvalidArgumentError):
            return False
    return np.allclose(together.ravel(), np.ravel(apart), rtol=1e-5, atol=1e-6)


def _refusal(name, model, operation, why):
    kinds = sorted({_kind(cls) for cls in RULES} | set(OPERATIONS))
    return ValueError(
        f"`{name}` has a layer that cannot be stacked: {operation.name!r} "
        f"({type(operation).__name__}) {why}. Expected layers of these kinds: {', '.join(kinds)}. "
        f"Received: {name}={model!r}"
    )


def _kind(cls):
    """The name of a kind of layer: Keras has others by the names of the library's."""
    return f"zoo.layers.{cls.__name__}" if cls.__module__.startswith("zoo.") else cls.__name__
