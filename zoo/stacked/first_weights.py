"""First weights of many members: drawn from each layer's initializers, for each member's seed."""

import keras
import numpy as np
import tensorflow as tf

from zoo import random

STREAM = 4  # Of a member's seed: `(seed, STREAM)`. Training has 0, testing 1.
TRUNCATED = 0.87962566103423978  # The deviation of N(0, 1) cut at 2, as Keras divides by it.
KINDS = ("kernel", "bias", "beta", "gamma", "embeddings")  # `NAME_initializer` is theirs.


def initializers(player):
    """The initializer of each variable of a player that has one: a dict by `id`."""
    found = {}
    for layer in player._flatten_layers():
        for kind in KINDS:
            variable = getattr(layer, kind, None)
            if isinstance(variable, keras.Variable):
                found[id(variable)] = getattr(layer, f"{kind}_initializer", None)
    return found


def draw(initializer, shape, seeds):
    """First values of one weight for each member, `(k, *shape)`; `None` where nothing is drawn.

    Args:
        initializer: Keras initializer, or `None`.
        shape: tuple. Of the weight.
        seeds: int64 tensor `(k, 2)`: a seed each, of this weight alone.
    """
    if not hasattr(initializer, "seed"):  # A constant: what the player has.
        return None
    members = seeds.shape[0]
    kind = type(initializer)
    if kind in _DRAWS:
        distribution, low, high = _DRAWS[kind](initializer, shape)
        flat = (members * int(np.prod(shape)), 1)
        if distribution == "uniform":
            drawn = random.uniform(flat, seeds, low, high)
        elif distribution == "normal":
            drawn = low + high * random.normal(flat, seeds)
        else:
            drawn = low + high * random.truncated_normal(flat, seeds, 2.0)
        return tf.reshape(drawn, (members, *shape))
    config = initializer.get_config()
    words = tf.bitwise.bitwise_and(seeds[:, 0], 2**31 - 1).numpy()
    return tf.stack([kind.from_config({**config, "seed": int(s)})(shape) for s in words])


def _scaling(initializer, shape):
    """`VarianceScaling` (Glorot, He, LeCun): a distribution of variance `scale / fan`."""
    fan_in, fan_out = (shape[-2], shape[-1]) if len(shape) > 1 else (shape[0], shape[0])
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    variance = initializer.scale / max(1.0, fans[initializer.mode])
    if initializer.distribution == "uniform":
        limit = (3.0 * variance) ** 0.5
        return "uniform", -limit, limit
    if initializer.distribution == "untruncated_normal":
        return "normal", 0.0, variance**0.5
    return "truncated", 0.0, variance**0.5 / TRUNCATED


_SCALING = ("VarianceScaling", "GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal")
_DRAWS = {
    keras.initializers.RandomUniform: lambda i, _: ("uniform", i.minval, i.maxval),
    keras.initializers.RandomNormal: lambda i, _: ("normal", i.mean, i.stddev),
    keras.initializers.TruncatedNormal: lambda i, _: ("truncated", i.mean, i.stddev),
    **{
        getattr(keras.initializers, name): _scaling
        for name in (*_SCALING, "LecunUniform", "LecunNormal")
    },
}
