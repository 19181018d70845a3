"""What goes into `fit` and `evaluate`, and what the step makes of a batch of it."""

import collections.abc
import weakref

import keras
import numpy as np
import tensorflow as tf

from trainers.steps import batches, data_checks, streams
from zoo import datasets, pixels
from zoo.players import conditions, given
from zoo.validation import check_positive

BATCH_SIZE = 32  # Of Keras.


def unpack(data, traits):
    """One batch as the step wants it.

    Args:
        data: What `fit` hands to `train_step`: samples, or `(samples, labels)`.
        traits: `zoo.players.Traits` of the generator.

    Returns:
        float32 samples in the generator's `value_range`; and int32 labels `(batch,)`, float32
        conditions `(batch, k)` or `None`.
    """
    samples, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
    samples = tf.convert_to_tensor(samples)
    if samples.dtype.is_integer:
        samples = pixels.from_pixels(samples, traits.value_range)
    samples = tf.cast(samples, "float32")
    if len(samples.shape) == len(traits.image_shape):  # Grey images without their channel axis.
        samples = samples[..., None]
    return samples, conditions.cast(traits.condition, labels)


def refuse_weights(**arguments):
    """Raises a `ValueError` for the first argument by which Keras would weigh or cut the data."""
    for name, value in arguments.items():
        if value is not None and not (np.isscalar(value) and value == 0):
            told = repr(value) if np.isscalar(value) else f"one of type {type(value).__name__}"
            raise ValueError(
                f"`{name}` has no meaning for a pair of players. Expected it to be left out. "
                f"Received: {name}={told}"
            )


def for_fit(trainer, x, y, batch_size, shuffle, steps_per_epoch, epochs):
    """Checks what was given to `fit` and returns the `streams.Feed` that Keras shall iterate over.

    Arrays become a pipeline that shuffles and batches them whole batches at a time; data sets and
    generators keep their order, and later batches are checked as they come.

    Raises:
        ValueError: If the data cannot be played with.
    """
    _check_numbers(batch_size=batch_size, steps_per_epoch=steps_per_epoch)
    x, y = _samples_and_labels(trainer, x, y)
    if not batches.is_array(x, trainer.traits.image_shape):
        return streams.feed(trainer, x, steps_per_epoch, epochs, shuffle=shuffle)
    samples, labels = data_checks.check_samples(trainer.traits, x, y)
    rows = len(samples)
    batch_size = min(batch_size or BATCH_SIZE, rows)
    data_checks.check_batch_rows(trainer, batch_size)
    data_checks.warn_of_rest(trainer, batch_size)
    if not shuffle and rows % batch_size:
        data_checks.check_batch_rows(trainer, rows % batch_size)
    # The order of an epoch follows from its number: (seed, step) decide the batch.
    repeat = bool(shuffle) or steps_per_epoch is not None
    dataset = datasets.from_arrays(
        samples,
        labels,
        batch_size,
        seed=trainer.seed,
        shuffle=bool(shuffle),
        repeat=repeat,
        start_step=_counter(trainer) if repeat else 0,
    )
    if not repeat:
        return streams.Feed(streams.shared(dataset, trainer))
    steps = steps_per_epoch or rows // batch_size
    return streams.Feed(streams.shared(dataset.take(steps), trainer), steps)


def _counter(trainer):
    """The trainer's step, as a function that does not hold the trainer.

    TensorFlow keeps the functions of its pipelines as long as the process lives.
    """
    steps = weakref.ref(trainer.steps)
    return lambda: int(steps().numpy())


def for_evaluate(trainer, x, y, batch_size, steps, epochs=1):
    """Likewise what was given to `evaluate`, which will be iterated over `epochs` times."""
    _check_numbers(batch_size=batch_size, steps=steps)
    x, y = _samples_and_labels(trainer, x, y)
    if not batches.is_array(x, trainer.traits.image_shape):
        return streams.feed(trainer, x, steps, epochs, training=False)
    samples, labels = data_checks.check_samples(trainer.traits, x, y)
    size = min(batch_size or BATCH_SIZE, len(samples))
    data_checks.check_rows(trainer, size, training=False)
    dataset = datasets.from_arrays(samples, labels, size, shuffle=False)
    if not data_checks.rows_needed(trainer, training=False).enough(len(samples) % size):
        dataset = dataset.take(len(samples) // size)
    if steps is not None:
        dataset = dataset.take(steps)
    return streams.Feed(streams.shared(dataset, trainer), steps)


def for_validation(trainer, data, batch_size, steps, epochs):
    """Likewise `validation_data`: `x`, `(x,)`, `(x, y)`, or `None` for none."""
    if data is None:
        return streams.Feed(None)
    parts = isinstance(data, (tuple, list))
    if not parts or isinstance(data, list) and batches.are_batches(data, trainer.traits):
        return for_evaluate(trainer, data, None, batch_size, steps, epochs)
    if not 1 <= len(data) <= 3 or len(data) == 3 and data[2] is not None:
        raise ValueError(
            "`validation_data` has other parts than samples and labels, and adversarial losses do "
            "not weigh examples. Expected x, or (x, y). "
            f"Received: validation_data of {len(data)} parts"
        )
    return for_evaluate(trainer, *[*data, None][:2], batch_size, steps, epochs)


def for_batch(trainer, x, y, training):
    """The samples, and labels or `None`, of a batch given by itself, checked."""
    x, y = _samples_and_labels(trainer, x, y)
    samples, labels = data_checks.check_samples(trainer.traits, x, y)
    data_checks.check_rows(trainer, len(samples), training)
    return samples, labels


def check_latents(traits, x):
    """Raises a `ValueError` if `predict` was given no latents, or not what is told beside them."""
    named = isinstance(x, collections.abc.Mapping)
    latents = x.get("latents") if named else x
    shape = getattr(latents, "shape", (None, traits.latent_dim) if latents is not None else ())
    told = traits.condition
    lacks = told is not None and not (named and told.name in x)
    if tuple(shape)[1:] != (traits.latent_dim,) or lacks or named and len(x) > 2:
        form = f"latents of shape (n, {traits.latent_dim})"
        if told is not None:
            form = f"a dict of `latents`, of shape (n, {traits.latent_dim}), and `{told.name}`, "
            form += told.form
        raise ValueError(
            f"`x` is not what a generator makes samples of. Expected {form}; `sample` draws them, "
            "and `evaluate` takes samples. Received: x "
            + (f"of shape {tuple(shape)}" if shape else f"of type {type(x).__name__}")
        )
    if named:
        conditions.checked(told, x.get(told.name) if told else None, len(latents))


def _check_numbers(**numbers):
    for name, number in numbers.items():
        if number is not None:
            check_positive(**{name: number})


def _samples_and_labels(trainer, x, y):
    """`x` and `y`; a dict of arrays is both."""
    if x is None:
        raise ValueError(
            "`x` is missing. Expected samples: an array, a tf.data.Dataset, a PyDataset, or "
            "batches from a generator. Received: x=None"
        )
    if isinstance(x, collections.abc.Mapping):
        x, named = batches.parts(x)
        y = named if y is None else y
    if isinstance(x, tf.distribute.DistributedDataset):
        raise ValueError(
            "`x` is shared out to replicas already, and cannot be looked at. Expected the "
            "tf.data.Dataset itself: `fit` shares its batches equally. "
            f"Received: x of type {type(x).__name__}"
        )
    given.refuse_makers(x)
    known = hasattr(x, "__iter__") or hasattr(x, "__getitem__") or hasattr(x, "__array__")
    if not known or isinstance(x, (str, bytes)):
        raise ValueError(
            "`x` is not a kind of data that is known. Expected an array, a tf.data.Dataset, a "
            "PyDataset, or an iterable of batches. "
            f"Received: x of type {type(x).__name__}"
        )
    if y is not None and not batches.is_array(x, trainer.traits.image_shape):
        raise ValueError(
            "`y` is given beside a data set. Expected y=None and batches (images, labels). "
            f"Received: x of type {type(x).__name__} with y of type {type(y).__name__}"
        )
    return x, y
