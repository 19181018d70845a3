"""How each kind of layer runs for many members: on tensors `(members, features, rows)`.

A rule is a function `(layer, own, x, ..., training)`; `own(variable)` is the variable of all
members that stands for a layer's own. What has no rule cannot be stacked.
"""

import keras
import tensorflow as tf

from zoo import random
from zoo.layers.concat_labels import ConcatLabels
from zoo.layers.dropout import Dropout
from zoo.layers.maxout import Maxout
from zoo.layers.normalization import BatchNormalization, LayerNormalization, moments
from zoo.players.origins import Origin
from zoo.stacked.affine import product, shifted, turned

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
    uniform = random.uniform((members * rows, features), drawn)
    keep = turned(tf.reshape(uniform, (members, rows, features))) >= layer.rate
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
    return turned(rows)


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
    **dict.fromkeys((layers.Flatten, layers.Reshape, layers.Identity, Origin), _same),
    layers.InputLayer: _same,
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
BY_LABEL = (_embedding, _one_hot)  # Their input is a number of a class.


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


def operations(model):
    """The operations of a model's graph, in their order."""
    return (model._functional if isinstance(model, keras.Sequential) else model).operations
