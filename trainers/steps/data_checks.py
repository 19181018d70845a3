"""Checks of what goes into `fit` and `evaluate`, before any work starts, and of later batches."""

import keras
import numpy as np
import tensorflow as tf

from trainers.steps import coupling
from zoo import validation

RANGE_TOLERANCE = 1e-3  # Rounding in a user's own scaling is no mistake.


def check_first_batch(trainer, batch):
    """Raises a `ValueError` if the first batch of a data set cannot be played with."""
    samples, labels = samples_and_labels(batch)
    shape = np.shape(samples)
    if shape == trainer.traits.image_shape:
        raise ValueError(
            "`x` is not batched. Expected elements of shape (batch, "
            f"{', '.join(map(str, trainer.traits.image_shape))}): use dataset.batch(n). "
            f"Received: elements of shape {shape}"
        )
    check_samples(trainer.traits, samples, labels)
    check_batch_rows(trainer, len(samples))


def check_batch_rows(trainer, rows):
    """Raises a `ValueError` if a batch is too small for the steps or for batch normalization."""
    devices = trainer.distribute_strategy.num_replicas_in_sync
    if rows % devices:
        raise ValueError(
            f"`batch_size` cannot be shared equally by {devices} replicas. Expected a multiple of "
            f"{devices} examples. Received: a batch of {rows}"
        )
    rows //= devices
    steps = trainer.discriminator_steps_per_batch
    part = rows // steps
    if part == 0:
        raise ValueError(
            f"`batch_size` is too small for {steps} discriminator steps, each of which takes its "
            f"own part. Expected at least {steps} examples a batch. Received: a batch of {rows}"
        )
    if part == 1:
        for player in (trainer.generator, trainer.discriminator):
            layer = coupling.coupling_layer(player)
            if layer is not None:
                raise ValueError(
                    f"`batch_size` leaves one example a step, and the layer {layer!r} of "
                    f"{player.name!r} takes several together (batch normalization has no variance "
                    f"over one). Expected at least {2 * steps} examples a batch. "
                    f"Received: a batch of {rows} for {steps} discriminator step(s)"
                )


def check_samples(traits, samples, labels=None):
    """Checks samples and labels against the generator.

    Args:
        traits: `zoo.players.Traits` of the generator.
        samples: Array `(n, *image_shape)`; grey images may lack their channel axis.
        labels: Array of `n` integers, or `None`. Ignored by a generator without labels.

    Returns:
        The samples as a NumPy array, and labels as int32 `(n,)` or `None`.

    Raises:
        ValueError: If there are no samples, their shape, type or range is wrong, they hold NaN or
            infinity, or the labels are wrong.
    """
    samples = np.asarray(samples)
    if not samples.size:
        raise ValueError(
            "`x` is empty. Expected at least one example. "
            f"Received: samples of shape {samples.shape}"
        )
    shape = samples.shape[1:]
    if shape != traits.image_shape and (*shape, 1) != traits.image_shape:
        raise ValueError(
            "`x` does not have the players' shape. Expected samples of shape "
            f"{traits.image_shape}. Received: samples of shape {shape}"
        )
    _check_values(traits, samples)
    if traits.num_classes is None:
        return samples, None
    labels = None if labels is None else np.asarray(labels)
    return samples, validation.check_labels(labels, traits.num_classes, len(samples))


def _check_values(traits, samples):
    kind = samples.dtype.kind
    if kind not in "iuf":
        raise ValueError(
            "`x` holds no numbers. Expected integers 0 ... 255 or floats. "
            f"Received: samples of dtype {samples.dtype}"
        )
    low, high = samples.min(), samples.max()
    if kind in "iu":
        if traits.value_range is None:
            raise ValueError(
                "`x` holds integers, which are scaled to the generator's value range, and this "
                "generator has none (its last activation is neither tanh nor sigmoid). Expected "
                "float samples. "
                f"Received: samples of dtype {samples.dtype}"
            )
        if low < 0 or high > 255:
            raise ValueError(
                "`x` holds integers that are no pixels. Expected values from 0 to 255. "
                f"Received: values from {low} to {high}"
            )
        return
    if not np.isfinite(low + high):
        bad = int(np.size(samples) - np.isfinite(samples).sum())
        raise ValueError(
            "`x` holds NaN or infinity. Expected finite numbers. "
            f"Received: {bad} bad values in samples of shape {samples.shape}"
        )
    if traits.value_range is not None:
        bottom, top = traits.value_range
        if low < bottom - RANGE_TOLERANCE or high > top + RANGE_TOLERANCE:
            raise ValueError(
                "`x` holds floats outside of the generator's range. Expected values from "
                f"{bottom:g} to {top:g}; uint8 images are scaled for you. "
                f"Received: values from {low:g} to {high:g}"
            )


def samples_and_labels(batch):
    """(samples, labels) of one batch of a data set, as NumPy arrays; `None` means no batch."""
    if batch is None:
        raise ValueError(
            "`x` is empty. Expected at least one batch. Received: a data set with none"
        )
    samples, labels, weights = keras.utils.unpack_x_y_sample_weight(batch)
    if weights is not None:
        raise ValueError(
            "`x` has a third element in each batch, and adversarial losses do not weigh examples. "
            "Expected batches of images, or (images, labels). Received: three elements"
        )
    return np.asarray(samples), None if labels is None else np.asarray(labels)


def guarded(dataset, traits):
    """The data set, with an error in place of a later batch that would spoil the training."""
    spec = keras.utils.unpack_x_y_sample_weight(dataset.element_spec)
    if not (spec[0].dtype.is_floating or traits.num_classes):
        return dataset

    def guard(*batch):
        samples, labels, _ = keras.utils.unpack_x_y_sample_weight(batch)
        asserts = []
        if samples.dtype.is_floating:
            bottom, top = traits.value_range or (samples.dtype.min, samples.dtype.max)
            inside = (samples >= bottom - RANGE_TOLERANCE) & (samples <= top + RANGE_TOLERANCE)
            asserts.append(
                tf.debugging.Assert(
                    tf.reduce_all(inside),
                    [
                        "`x` holds NaN, infinity or values outside the generator's range. "
                        f"Expected values from {bottom:g} to {top:g}. Received: values from",
                        tf.reduce_min(samples),
                        "to",
                        tf.reduce_max(samples),
                    ],
                )
            )
        if traits.num_classes:
            inside = (labels >= 0) & (labels < traits.num_classes)
            asserts.append(
                tf.debugging.Assert(
                    tf.reduce_all(inside),
                    [
                        "`labels` are out of range. Expected integers in "
                        f"[0, {traits.num_classes}). Received:",
                        labels,
                    ],
                )
            )
        with tf.control_dependencies(asserts):
            samples = tf.identity(samples)
        return samples if len(batch) == 1 else (samples, *batch[1:])

    return dataset.map(guard)
