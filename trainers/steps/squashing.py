"""Whether a discriminator squashes its answers to [0, 1] in a way that no layer's name tells.

A `Lambda` or a layer of a user's may end in a sigmoid, and objectives take logits. So its answers
to a few random inputs are looked at, with its weights as they are and then under random others. One
answer outside of [0, 1] ends the look, which a linear end gives at once.
"""

import contextlib
import warnings

import keras
import numpy as np
import tensorflow as tf

from trainers.steps import coupling
from zoo.players import conditions, sampling
from zoo.validation import users_level

SETTINGS = 8  # Of the weights. Chance leaves one linear answer in [0, 1] about every third time.
SCALE = 3.0  # Of the inputs: further out than data, where a linear answer is large.


def warn(discriminator):
    """Warns of a discriminator whose answers all lie in [0, 1], whatever its weights."""
    if _squashes(discriminator):
        warnings.warn(
            f"All answers of {discriminator.name!r} to random samples lie in [0, 1], whatever its "
            "weights, and objectives take logits, any numbers: a sigmoid belongs to the loss. "
            "Prefer a last layer without activation: Dense(1).",
            stacklevel=users_level(),
        )


def _squashes(model):
    rng = np.random.default_rng(0)
    inputs = _inputs(model, rng)
    seen = []
    for setting in range(SETTINGS):
        moved = coupling.other_weights(model, rng=rng) if setting else contextlib.nullcontext()
        with moved:
            try:
                seen.append(_answers(model, inputs))
            except Exception:  # Whatever a user's own layer raises.
                return False
        if not np.all((seen[-1] >= 0.0) & (seen[-1] <= 1.0)):
            return False
    return bool(np.ptp(seen) > 0.0)  # One that answers nothing at all is linear for all that.


def _inputs(model, rng):
    """A few rows of what a model takes; of a subclass, which does not say, samples alone."""
    inputs = coupling.drawn_inputs(model, rng)
    if inputs is None and conditions.of(model) is None:
        shape = (coupling.ROWS, *sampling.sample_shape(model))
        inputs = rng.normal(size=shape).astype("float32")
    return tf.nest.map_structure(lambda x: x * SCALE if x.dtype.kind == "f" else x, inputs)


def _answers(model, inputs):
    """All logits as one vector; no seed of the model moves."""
    with keras.StatelessScope():
        outputs = model(inputs, training=False)
    return np.ravel(tf.cast(sampling.logits_of(outputs), "float32"))
