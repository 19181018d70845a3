"""Calling and sampling any player: a zoo player, or any built Keras model of the right form.

`traits` says what a generator takes and makes (`zoo.players.description`), `generate` and
`discriminate` call a player, and `sample` draws.
"""

import math

import numpy as np
import tensorflow as tf

from zoo import random
from zoo.blocks import slices
from zoo.finite import check_weights
from zoo.pixels import to_pixels, to_unit
from zoo.players import conditions
from zoo.players.description import (
    AUTO,
    Traits,
    answers,
    patches,
    sample_shape,
    say_range,
    traits,
)
from zoo.validation import (
    as_array,
    check_flag,
    check_memory,
    check_model,
    check_positive,
    in_short,
)

__all__ = [
    "AUTO",
    "Traits",
    "answers",
    "decode",
    "discriminate",
    "generate",
    "labels_in_turn",
    "logits_of",
    "patches",
    "per_example",
    "sample",
    "sample_shape",
    "say_range",
    "traits",
]

SAMPLE_BATCH = 64


def generate(generator, latents, labels=None, training=False):
    """Calls any generator: float samples of shape `(batch, *image_shape)`."""
    check_model(generator=generator)
    inputs = _inputs(generator, "latents", latents, labels)
    return generator(inputs, training=training)


def discriminate(discriminator, images, labels=None, training=False):
    """Calls any discriminator: float32 logits, and features or `None`.

    Logits have the shape `(batch,)`, or `(batch * patches,)` where it gives a map of them: those of
    one sample are neighbours, and `per_example` brings them together.
    """
    check_model(discriminator=discriminator)
    inputs = _inputs(discriminator, "images", images, labels)
    outputs = discriminator(inputs, training=training)
    logits = tf.reshape(tf.cast(logits_of(outputs), "float32"), (-1,))
    return logits, outputs.get("features") if isinstance(outputs, dict) else None


def _inputs(player, name, tensor, told):
    """What a player is called on, once that fits it as far as a graph can know."""
    if not tf.is_tensor(tensor):
        tensor = as_array("iufbV", **{name: tensor})  # V: bfloat16.
    main = conditions.inputs(player).main
    wanted = None if main is None else tuple(main.shape)
    if wanted is not None and not tf.TensorShape(wanted).is_compatible_with(tensor.shape):
        sides = ", ".join("any" if side is None else str(side) for side in wanted[1:])
        raise ValueError(
            f"`{name}` have another shape than {player.name!r} takes. Expected (n, {sides}). "
            f"Received: {name} of shape {tuple(tensor.shape)}"
        )
    if tensor.shape.rank if tf.is_tensor(tensor) else tensor.ndim:
        if tensor.shape[0] == 0:
            raise ValueError(
                f"`{name}` are none. Expected at least one row. Received: {name} of shape "
                f"{tuple(tensor.shape)}"
            )
    condition = conditions.of(player)
    if condition is not None and (not tf.is_tensor(told) or tf.executing_eagerly()):
        told = condition.check(told, tensor.shape[0])
        if tf.is_tensor(tensor):  # Keras takes no mixture.
            told = tf.convert_to_tensor(told)
    return conditions.call_inputs(player, name, tensor, told)


def logits_of(outputs):
    """The logits among the outputs of a discriminator."""
    if isinstance(outputs, dict):
        return outputs["logits"]
    return outputs[0] if isinstance(outputs, (list, tuple)) else outputs


def per_example(values, patches):
    """The mean over the patches of each sample: `(batch * patches,)` to `(batch,)`."""
    if patches == 1:
        return values
    return tf.reduce_mean(tf.reshape(values, (-1, patches)), axis=1)


def sample(
    generator,
    count,
    labels=None,
    seed=None,
    truncation=None,
    batch_size=None,
    as_float=False,
    value_range=AUTO,
    conditions=None,
):
    """Draws samples from any generator, in inference mode.

    Args:
        generator: A zoo generator or any Keras model that maps latents to samples.
        count: int. Number of samples.
        labels: Integers of shape `(count,)`, or one integer for all; needed exactly when the
            generator has `num_classes`.
        seed: An integer: the sample is then a function of (seed, row). Or `count` integers, one a
            row: row i is then `sample(1, seed=seed[i])[0]`, which is what an exported model
            answers. `None` draws fresh ones.
        truncation: Positive float, optional. Keeps latents within this distance of 0 in each
            coordinate: fewer odd samples, less variety.
        batch_size: int. Samples computed at a time. Defaults to 64.
        as_float: bool. Pictures as float32 in [0, 1] instead of uint8.
        value_range: `(low, high)` of pictures; `None` says that the samples are none; `"auto"` is
            what the generator says, or what is seen in its last layers: see `traits`.
        conditions: Numbers of shape `(count, num_conditions)`, or one row for all; needed exactly
            when the generator has `num_conditions`.

    Returns:
        A NumPy array of shape `(count, *image_shape)`: uint8, or float32 in [0, 1] with
        `as_float`. Samples that are not pictures come as they are, float32.

    Raises:
        ValueError: If count, labels, seed, truncation, batch size or value range make no sense, or
            weights of the generator are NaN or infinite.
    """
    batch_size = SAMPLE_BATCH if batch_size is None else batch_size
    check_positive(count=count, batch_size=batch_size)
    check_flag(as_float=as_float)
    own = traits(generator, value_range)
    check_weights(generator, "generator")
    size = 4 if as_float or own.value_range is None else 1
    check_memory(int(count) * math.prod(own.image_shape), size, count=count)
    labels = told(own, count, labels, conditions)
    latents = random.from_seed(own.prior, count, own.latent_dim, seed, truncation)
    return _decoded(generator, own, latents, labels, batch_size, as_float)


def told(own, count, labels, conditions):
    """The labels or the conditions of `count` samples, checked; `None` for a generator without.

    Raises:
        ValueError: If they are missing, not wanted, or no such ones.
    """
    given = {"labels": labels, "conditions": conditions}
    kind = own.condition
    wanted = given.pop(kind.name) if kind is not None else None
    for name, value in given.items():
        if value is not None:
            has = "none" if kind is None else f"`{kind.name}`"
            raise ValueError(
                f"`{name}` are given, and the generator has {has}. Expected {name}=None, or a "
                f"generator made with {'num_classes' if name == 'labels' else 'num_conditions'}. "
                f"Received: {name}={in_short(value)}"
            )
    return None if kind is None else kind.check(wanted, count)


def labels_in_turn(count, num_classes):
    """As many labels of each class, in turn, `(count,)`; `None` without classes."""
    return np.arange(count) % num_classes if num_classes else None


def decode(
    generator, latents, labels=None, batch_size=SAMPLE_BATCH, as_float=False, value_range=AUTO
):
    """Samples of given latents, in inference mode: as `sample`, with the latents chosen."""
    check_positive(batch_size=batch_size)
    check_flag(as_float=as_float)
    own = traits(generator, value_range)
    check_weights(generator, "generator")
    latents = as_array("iuf", latents=latents)
    if latents.shape[1:] != (own.latent_dim,) or not latents.size:
        raise ValueError(
            f"`latents` have another shape than the generator takes. Expected (n, "
            f"{own.latent_dim}), with n of at least 1. Received: latents of shape {latents.shape}"
        )
    labels = conditions.checked(own.condition, labels, len(latents))
    return _decoded(generator, own, latents, labels, batch_size, as_float)


def _decoded(generator, own, latents, labels, batch_size, as_float):
    batches = []
    for rows in slices(len(latents), batch_size):
        part = None if labels is None else labels[rows]
        inputs = conditions.call_inputs(generator, "latents", latents[rows], part)
        samples = generator.predict_on_batch(inputs)
        if own.value_range is not None:
            samples = to_unit(samples, own.value_range)
            samples = samples if as_float else to_pixels(samples)
        else:
            samples = tf.cast(samples, "float32")  # Whatever the generator computes in.
        batches.append(samples.numpy())
    return np.concatenate(batches)
