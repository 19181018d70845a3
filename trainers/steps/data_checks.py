"""Checks of what goes into `fit` and `evaluate`, before any work starts, and of later batches."""

import itertools
import warnings
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from trainers.steps import batches, coupling
from zoo.players import conditions, given
from zoo.players.description import are_pictures
from zoo.validation import users_level

LOOKS = 32  # Batches among which one has to have enough rows.
RANGE_TOLERANCE = 1e-3  # Rounding in a user's own scaling is no mistake.
SMALL = 1 / 16  # Of a value range: dim pictures fill more.
BRIGHT = 32.0  # Beyond any picture in units of its own deviation.


def first_batch(trainer, elements, training):
    """The first batch that can be used: as it came, its samples and its labels.

    Raises:
        ValueError: If there is none among the first `LOOKS`.
    """
    refusal = ValueError(
        "`x` is empty. Expected at least one batch. Received: a data set with none"
    )
    for element in itertools.islice(elements, LOOKS):
        if batches.is_empty(element):
            continue
        samples, labels = check_batch(trainer.traits, element)
        try:
            check_rows(trainer, len(samples), training)
        except ValueError as error:
            refusal = error
            continue
        if training:
            warn_of_rest(trainer, len(samples))
        return element, samples, labels
    raise refusal


def check_batch(traits, batch, warns=True):
    """The samples and labels of a batch in any form, checked as in `check_samples`."""
    samples, labels = batches.parts(batch)
    samples = batches.as_array(samples)
    if samples.shape == traits.image_shape:
        raise ValueError(
            "`x` is not batched. Expected elements of shape (batch, "
            f"{', '.join(map(str, traits.image_shape))}): use dataset.batch(n). "
            f"Received: elements of shape {samples.shape}"
        )
    return check_samples(traits, samples, labels, warns)


def check_spec(spec):
    """Raises a `ValueError` if a `tf.data.Dataset` has no dense samples, by its element's spec."""
    samples, _ = batches.parts(spec)
    if not isinstance(samples, tf.TensorSpec):
        raise ValueError(
            "`x` has batches that are no dense tensors. Expected images, or (images, labels): see "
            f"to_tensor and tf.sparse.to_dense. Received: elements of {samples}"
        )


def endless(x, training):
    """The error for data without an end that is known, or that are gone after one epoch."""
    name = "steps_per_epoch" if training else "steps"
    return ValueError(
        f"`{name}` is missing, and `x` has no end, or can be read only once. Expected the number "
        "of batches of an epoch, or data that end and can be read again. "
        f"Received: x of type {type(x).__name__} with {name}=None"
    )


class Rows(NamedTuple):
    """How many rows a batch needs.

    Attributes:
        least: int. Fewer do not make a part for every discriminator step on every device, or
            leave one example to a layer that takes several together.
        devices: int. Of which the rows are a multiple.
    """

    least: int
    devices: int

    def enough(self, rows):
        """Whether there are enough: a bool, or a tensor of one."""
        return (rows >= self.least) & (rows % self.devices == 0)


def rows_needed(trainer, training=True):
    """The `Rows` that a trainer needs of a batch; an evaluation takes any, but half a pack."""
    devices = trainer.distribute_strategy.num_replicas_in_sync
    if not training:
        return Rows(devices * trainer.packing if trainer.packing > 1 else 1, 1)
    players = (trainer.generator, trainer.discriminator)
    part = 2 if any(map(_takes_several, players)) else 1
    part *= trainer.packing
    return Rows(devices * trainer.discriminator_steps_per_batch * part, devices)


def _takes_several(player):
    """Whether a layer of a player takes several examples together; the probe comes last, if so."""
    if coupling.treats_examples_apart(player):
        return False
    kind = keras.layers.BatchNormalization
    norms = [layer for layer in player._flatten_layers() if isinstance(layer, kind)]
    moving = any(layer.trainable for layer in norms)
    return moving or coupling.coupling_layer(player) is not None


def _coupling(trainer):
    """The first layer of the players that takes several examples together, and its player."""
    for player in (trainer.generator, trainer.discriminator):
        layer = coupling.coupling_layer(player)
        if layer is not None:
            return layer, player.name
    return None


def check_rows(trainer, rows, training):
    """As `check_batch_rows`; of an evaluation a pack is enough, for every replica."""
    if training:
        return check_batch_rows(trainer, rows)
    least = trainer.packing * trainer.distribute_strategy.num_replicas_in_sync
    if trainer.packing > 1 and rows < least:
        raise ValueError(
            f"`batch_size` leaves no pack of {trainer.packing} examples, which is what the "
            f"discriminator judges at a time. Expected at least {least} examples a batch. "
            f"Received: a batch of {rows}"
        )


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
    packs = part // trainer.packing
    if packs == 0:
        raise ValueError(
            f"`batch_size` leaves no pack of {trainer.packing} examples a step, which is what the "
            f"discriminator judges at a time. Expected at least {trainer.packing * steps} examples "
            f"a batch. Received: a batch of {rows} for {steps} discriminator step(s)"
        )
    found = _coupling(trainer) if packs == 1 else None
    if found is not None:
        layer, player = found
        raise ValueError(
            f"`batch_size` leaves one example a step, and the layer {layer!r} of {player!r} takes "
            "several together (batch normalization has no variance over one). Expected at least "
            f"{2 * steps * trainer.packing} examples a batch. "
            f"Received: a batch of {rows} for {steps} discriminator step(s)"
        )


def warn_of_rest(trainer, rows):
    """Warns of examples of every batch that make no whole pack, or no equal part of a step."""
    steps = trainer.discriminator_steps_per_batch
    whole = trainer.distribute_strategy.num_replicas_in_sync * steps * trainer.packing
    if rows % whole:
        packs = f", in packs of {trainer.packing}" * (trainer.packing > 1)
        warnings.warn(
            f"Of a batch of {rows} examples {rows % whole} will not be used: each of {steps} "
            f"discriminator step(s) takes an equal part{packs}. Prefer a `batch_size` that is a "
            f"multiple of {whole}.",
            stacklevel=users_level(),
        )


def check_samples(traits, samples, labels=None, warns=True):
    """Checks samples and labels against the generator.

    Args:
        traits: `zoo.players.Traits` of the generator.
        samples: Array `(n, *image_shape)`; grey images may lack their channel axis.
        labels: Array of `n` labels or conditions, or `None`. Ignored by a generator without.
        warns: bool. Whether to warn of values that are odd, as of the first batch of several.

    Returns:
        The samples as a NumPy array; and labels as int32 `(n,)`, conditions as float32 `(n, k)`,
        or `None`.

    Raises:
        ValueError: If there are no samples, their shape, type or range is wrong, they hold NaN or
            infinity, or the labels are wrong.
    """
    samples = batches.as_array(samples)
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
    _check_values(traits, samples, warns and samples.size >= given.ENOUGH)
    told = traits.condition
    if told is None:
        return samples, None
    if labels is None:
        raise ValueError(
            f"`{told.name}` are missing, which the generator takes (of a plain model, by its "
            f"second input). Expected fit(x, y) or batches (x, y), with y {told.dtype} of shape "
            f"{told.form}. Received: {len(samples)} samples alone"
        )
    labels = np.atleast_1d(batches.as_array(labels, told.name))
    if len(labels) != len(samples):
        raise ValueError(
            f"`{told.name}` do not match the samples in number. Expected {len(samples)} "
            f"{told.name}. Received: {len(labels)} {told.name}"
        )
    return samples, told.check(labels)


def _check_values(traits, samples, warns):
    kind = samples.dtype.kind
    if kind not in "iuf":
        raise ValueError(
            "`x` holds no numbers. Expected integers 0 ... 255 or floats: see astype. "
            f"Received: samples of dtype {samples.dtype}"
        )
    low, high = samples.min(), samples.max()
    if kind in "iu":
        if traits.value_range is None:
            raise ValueError(
                "`x` holds integers, which are scaled to the generator's value range, and "
                f"{_why_no_range(traits)}. Expected float samples; or, if they are pixels, "
                "value_range=(low, high) of what the generator makes, said to the trainer. "
                f"Received: samples of dtype {samples.dtype}"
            )
        given.check_pixels(low, high)
        if warns:
            given.warn_of_masks(low, high, traits.value_range)
        return
    with np.errstate(over="ignore"):  # The players compute in float32.
        finite = np.isfinite(np.array([low, high], "float64").astype("float32")).all()
    if not finite:
        largest = np.finfo("float32").max
        bad = int(np.size(samples) - (np.abs(samples) <= largest).sum())
        raise ValueError(
            "`x` holds NaN or infinity. Expected finite numbers. "
            f"Received: {bad} bad values in samples of shape {samples.shape}"
        )
    if traits.span is None and not traits.said and _look_like_pixels(samples, low, high):
        raise ValueError(
            "`x` looks like pixels from 0 to 255 in floats, and it is not known that the generator "
            "makes such numbers. Expected samples in the range that it makes (uint8 images are "
            "scaled for you); or value_range=(0, 255) said to the trainer if it makes pixels, and "
            f"value_range=None if these are none. Received: values from {low:g} to {high:g}"
        )
    if traits.span is not None:
        bottom, top = traits.span
        if low < bottom - RANGE_TOLERANCE or high > top + RANGE_TOLERANCE:
            raise ValueError(
                "`x` holds floats outside of the generator's range. Expected values from "
                f"{bottom:g} to {top:g}; uint8 images are scaled for you. "
                f"Received: values from {low:g} to {high:g}"
            )
    if warns and traits.value_range is not None and _is_part(traits, low, high):
        bottom, top = traits.value_range
        shift = f" {'-' if bottom < 0 else '+'} {abs(bottom):g}" if bottom else ""
        unit = low >= 0.0 and high <= 1.0
        told = f"{top - bottom:g} * x{shift}" if unit else f"floats from {bottom:g} to {top:g}"
        warnings.warn(
            f"`x` holds pictures from {low:g} to {high:g}, and the generator makes values from "
            f"{bottom:g} to {top:g}: the discriminator tells them apart by that. Prefer uint8 "
            f"images, which are scaled for you, or {told}.",
            stacklevel=users_level(),
        )


def _is_part(traits, low, high):
    """Whether floats are of another scale than the generator's: [0, 1] beside [-1, 1], or bytes.

    They fill a small part of its range, or reach the upper end from no lower than the middle.
    """
    bottom, top = traits.value_range
    low, high = ((float(x) - bottom) / (top - bottom) for x in (low, high))
    return 0.0 < high - low < SMALL or (low >= 0.5 and high > 0.75)


def _why_no_range(traits):
    """Why a generator has no value range."""
    if traits.said:
        return "it was said that this generator makes no pictures"
    if traits.span is not None:
        return f"samples of shape {traits.image_shape} are not taken for pictures"
    return "none is seen in what ends this generator: neither tanh nor sigmoid, nor their like"


def _look_like_pixels(samples, low, high):
    """Whether floats have the shape of pictures and the range of bytes."""
    return are_pictures(samples.shape[1:]) and low >= 0 and BRIGHT < high <= 255


def guarded(dataset, traits):
    """The data set, with an error in place of a later batch that would spoil the training.

    Args:
        dataset: A `tf.data.Dataset` of samples, or of (samples, labels).
        traits: `zoo.players.Traits` of the generator.
    """
    samples, labels = batches.parts(dataset.element_spec)
    if samples.dtype == tf.uint8 and labels is None:
        return dataset

    def guard(*batch):
        samples, labels = batches.parts(batch)
        asserts = [] if samples.dtype == tf.uint8 else [_assert_values(samples, traits)]
        if labels is not None:
            told = traits.condition
            labels = tf.reshape(labels, (-1, *told.shape))
            if not labels.dtype.is_integer or not told.dtype.startswith("int"):
                labels = conditions.cast(told, labels)  # Integers are looked at as they are.
            asserts.append(_assert_told(labels, samples, told))
        with tf.control_dependencies(asserts):
            samples = tf.identity(samples)
        return samples if labels is None else (samples, labels)

    return dataset.map(guard)


def said(error):
    """What a check in the pipeline has said, out of TensorFlow's error; `None` if it was none."""
    told = error.message.partition("assertion failed: ")[2].partition("\n")[0].strip()
    return " ".join(told[1:-1].split("] [")) if told.startswith("[`") else None


def _assert_values(samples, traits):
    if samples.dtype.is_integer:
        says, (bottom, top), slack = "integers that are no pixels", (0, 255), 0
        samples = tf.cast(samples, "int64")
    else:
        says = "NaN, infinity or values outside the generator's range"
        samples = tf.cast(samples, "float32")
        bottom, top = traits.span or (samples.dtype.min, samples.dtype.max)
        slack = RANGE_TOLERANCE
    return tf.debugging.Assert(
        tf.reduce_all((samples >= bottom - slack) & (samples <= top + slack)),
        [
            f"`x` holds {says}. Expected values from {bottom:g} to {top:g}. Received: values from",
            tf.reduce_min(samples),
            "to",
            tf.reduce_max(samples),
        ],
    )


def _assert_told(labels, samples, told):
    inside, expected = told.inside(labels)
    return tf.debugging.Assert(
        inside & (tf.shape(labels)[0] == tf.shape(samples)[0]),
        [
            f"`{told.name}` are out of range, or not one an example. Expected {expected}. "
            f"Received: {told.name} from",
            tf.reduce_min(labels),
            "to",
            tf.reduce_max(labels),
            "of shape",
            tf.shape(labels),
            "for a number of examples of",
            tf.shape(samples)[0],
        ],
    )
