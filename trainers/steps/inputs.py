"""What goes into `fit`: a pipeline of batches, and what the step makes of one."""

import inspect
import itertools

import keras
import tensorflow as tf

from trainers.steps import data_checks
from zoo import datasets, pixels


def unpack(data, traits):
    """One batch as the step wants it.

    Args:
        data: What `fit` hands to `train_step`: samples, or `(samples, labels)`.
        traits: `zoo.players.Traits` of the generator.

    Returns:
        float32 samples in the generator's `value_range`, and int32 labels `(batch,)` or `None`.
    """
    samples, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
    samples = tf.convert_to_tensor(samples)
    if samples.dtype.is_integer:
        samples = pixels.from_pixels(samples, traits.value_range)
    samples = tf.cast(samples, "float32")
    if len(samples.shape) == len(traits.image_shape):  # Grey images without their channel axis.
        samples = samples[..., None]
    if traits.num_classes is None:
        return samples, None
    return samples, tf.reshape(tf.cast(labels, "int32"), (-1,))


def for_fit(trainer, x, y, batch_size, shuffle, steps_per_epoch):
    """Checks what was given to `fit` and returns what Keras shall iterate over.

    Arrays become a pipeline that shuffles and batches them whole batches at a time; data sets and
    generators keep their order, and later batches are checked as they come.

    Returns:
        `x` and `steps_per_epoch` for `keras.Model.fit`, which then takes neither `y` nor
        `batch_size`.

    Raises:
        ValueError: If the data cannot be played with.
    """
    traits = trainer.traits
    if _is_array(x):
        samples, labels = data_checks.check_samples(traits, x, y)
        rows = len(samples)
        batch_size = min(batch_size or 32, rows)
        data_checks.check_batch_rows(trainer, batch_size)
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
            start_step=int(trainer.steps.numpy()) if repeat else 0,
        )
        steps = steps_per_epoch or (rows // batch_size if repeat else None)
        return _sharded(dataset, trainer), steps
    if y is not None:
        raise ValueError(
            "`y` is given beside a data set. Expected y=None and batches (images, labels). "
            f"Received: x of type {type(x).__name__} with y of type {type(y).__name__}"
        )
    if isinstance(x, tf.data.Dataset):
        first = next(iter(x), None)
        data_checks.check_first_batch(trainer, first)
        return _sharded(data_checks.guarded(x, traits), trainer), steps_per_epoch
    if isinstance(x, keras.utils.PyDataset):
        data_checks.check_first_batch(trainer, x[0] if x.num_batches != 0 else None)
    elif inspect.isgenerator(x):
        first = next(x, None)
        data_checks.check_first_batch(trainer, first)
        return (batch for batch in itertools.chain([first], x)), steps_per_epoch
    return x, steps_per_epoch


def for_evaluate(trainer, x, y):
    """Checks arrays, or the first batch of a data set, given to `evaluate`; returns `(x, y)`."""
    if _is_array(x):
        return data_checks.check_samples(trainer.traits, x, y)
    if isinstance(x, tf.data.Dataset):
        samples, labels = data_checks.samples_and_labels(next(iter(x), None))
        data_checks.check_samples(trainer.traits, samples, labels)
    return x, y


def _sharded(dataset, trainer):
    """The data set, each of whose batches is cut into equal parts for the replicas."""
    if trainer.distribute_strategy.num_replicas_in_sync == 1:
        return dataset
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options)


def _is_array(x):
    return hasattr(x, "__array__") or isinstance(x, (list, tuple))
