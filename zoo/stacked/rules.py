"""How each kind of layer runs for many members: on tensors `(members, features, rows)`.

A rule is a function `(layer, own, x, ..., training)`; `own(variable)` is the variable of all
members that stands for a layer's own. What has no rule cannot be stacked.
"""

import keras
import numpy as np
import tensorflow as tf

from zoo import random
from zoo.layers.concat_labels import ConcatLabels
from zoo.layers.dropout import Dropout
from zoo.layers.maxout import Maxout
from zoo.layers.normalization import BatchNormalization, LayerNormalization, moments
from zoo.stacked.affine import product, shifted

layers = keras.layers


def _dense(layer, own, x, training):
    x = product(own(layer.kernel), x)
    if layer.use_bias:
        x = shifted(x, own(layer.bias))
    return x if layer.activation is None else layer.activation(x)


def _maxout(layer, own, x, training):
    x = _dense(layer.affine, own, x, training)
    pieces = tf.reshape(x, (x.shape[0], layer.units, layer.pieces, x.shape[2]))
    return tf.reduce_max(pieces, axis=2)


def _dropout(layer, own, x, training):
    if not training or not layer.rate:
        return x
    seeds = own(layer.seed_generator.state)
    drawn = tf.convert_to_tensor(seeds)
    seeds.assign(drawn + tf.constant([0, 1], drawn.dtype))
    members, features, rows = x.shape
    keep = random.uniform((members * rows, features), drawn) >= layer.rate
    keep = tf.transpose(tf.reshape(keep, (members, rows, features)), (0, 2, 1))
    return tf.where(keep, x / (1.0 - layer.rate), tf.zeros_like(x))


def _batch_normalization(layer, own, x, training):
    if training and layer.trainable:
        right = isinstance(layer, BatchNormalization)
        mean, variance = (moments if right else tf.nn.moments)(x, [2], keepdims=True)
        statistics = ((layer.moving_mean, mean), (layer.moving_variance, variance))
        for variable, now in statistics:
            kept = own(variable)
            old = tf.convert_to_tensor(kept)
            kept.assign(old * layer.momentum + now[:, :, 0] * (1.0 - layer.momentum))
    else:
        kept = (layer.moving_mean, layer.moving_variance)
        mean, variance = (tf.convert_to_tensor(own(v))[:, :, None] for v in kept)
    return _scaled(layer, own, (x - mean) * tf.math.rsqrt(variance + layer.epsilon))


def _layer_normalization(layer, own, x, training):
    mean, variance = moments(x, [1], keepdims=True)
    return _scaled(layer, own, (x - mean) * tf.math.rsqrt(variance + layer.epsilon))


def _scaled(layer, own, x):
    if layer.gamma is not None:
        x = x * tf.convert_to_tensor(own(layer.gamma))[:, :, None]
    if layer.beta is not None:
        x = x + tf.convert_to_tensor(own(layer.beta))[:, :, None]
    return x


def _activation(layer, own, x, training):
    return layer.activation(x)


def _itself(layer, own, x, training):
    return layer.call(x)


def _same(layer, own, x, training):
    return x


def _rescaling(layer, own, x, training):
    return x * layer.scale + layer.offset


def _embedding(layer, own, labels, training):
    table = tf.convert_to_tensor(own(layer.embeddings))
    rows = tf.gather(table, tf.cast(labels[:, 0], "int32"), batch_dims=1)
    return tf.transpose(rows, (0, 2, 1))


def _one_hot(layer, own, labels, training):
    return tf.one_hot(tf.cast(labels[:, 0], "int32"), layer.num_classes, axis=1)


def _concatenate(layer, own, *tensors, training):
    return tf.concat([tf.cast(x, "float32") for x in tensors], axis=1)


def _dot(layer, own, a, b, training):
    return tf.reduce_sum(a * b, axis=1, keepdims=True)


def _merge(layer, own, *tensors, training):
    return layer._merge_function(list(tensors))


RULES = {
    layers.Dense: _dense,
    Maxout: _maxout,
    Dropout: _dropout,
    layers.BatchNormalization: _batch_normalization,
    BatchNormalization: _batch_normalization,
    LayerNormalization: _layer_normalization,
    layers.Activation: _activation,
    **dict.fromkeys((layers.ReLU, layers.LeakyReLU, layers.ELU), _itself),
    **dict.fromkeys((layers.Flatten, layers.Reshape, layers.Identity, layers.InputLayer), _same),
    layers.Rescaling: _rescaling,
    layers.Embedding: _embedding,
    **dict.fromkeys((layers.Concatenate, ConcatLabels), _concatenate),
    layers.Dot: _dot,
    **dict.fromkeys(
        (
            layers.Add,
            layers.Subtract,
            layers.Multiply,
            layers.Average,
            layers.Maximum,
            layers.Minimum,
        ),
        _merge,
    ),
}
OPERATIONS = {"OneHot": _one_hot}  # Of `keras.ops`, by name.
FLAT = (
    layers.Dense,
    Maxout,
    layers.BatchNormalization,
    LayerNormalization,
    layers.Concatenate,
    layers.Dot,
    ConcatLabels,
)  # Their last axis has to be all of an example.


def looks_at_batch(layer):
    """Whether what a layer does to a row depends on the batch that it is in."""
    return isinstance(layer, (Dropout, layers.BatchNormalization))


def rule(operation):
    """The rule of an operation of a graph, or `None`."""
    if type(operation) in RULES:
        return RULES[type(operation)]
    if isinstance(operation, keras.Layer):
        return None
    return OPERATIONS.get(type(operation).__name__)


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


def operations(model):
    """The operations of a model's graph, in their order."""
    return (model._functional if isinstance(model, keras.Sequential) else model).operations


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
    return None


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
    numbers = np.linspace(-2.0, 2.0, 5, dtype="float32")
    together = np.asarray(function(tf.constant(numbers[None])))
    apart = [np.asarray(function(tf.constant([[number]]))) for number in numbers]
    return np.allclose(together[0], np.ravel(apart), rtol=1e-5, atol=1e-6)


def _refusal(name, model, operation, why):
    kinds = sorted({cls.__name__ for cls in RULES} | set(OPERATIONS))
    return ValueError(
        f"`{name}` has a layer that cannot be stacked: {operation.name!r} "
        f"({type(operation).__name__}) {why}. Expected layers of these kinds: {', '.join(kinds)}. "
        f"Received: {name}={model!r}"
    )
