"""The exponential moving average of a generator, which draws the samples."""

import tensorflow as tf

from zoo.players import copies


def copy(model):
    """A second generator with the same config and weights, whose samples are the same.

    Raises:
        ValueError: If there can be none; the message says why, and what to do.
    """
    return copies.copied(model, "generator", "`ema_decay` averages a second one")


def move(average, model, decay, step):
    """`average <- d average + (1 - d) weights`, where `d = min(decay, (1 + t) / (10 + t))`.

    So a short run is not dominated by its first weights. Integers are copied.

    Args:
        average: The model that is moved.
        model: The model that it follows, of the same config.
        decay: float in [0, 1).
        step: Integer scalar, the t.
    """
    step = tf.cast(step, "float32")
    decay = tf.minimum(tf.cast(decay, "float32"), (1.0 + step) / (10.0 + step))
    for kept, weight in zip(average.weights, model.weights, strict=True):
        if kept.dtype.startswith(("float", "bfloat")):
            kept.assign_add(tf.cast(1.0 - decay, kept.dtype) * (weight.value - kept.value))
        else:
            kept.assign(weight)
