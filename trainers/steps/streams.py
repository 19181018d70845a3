"""Data sets, generators and other streams of batches, as epochs of checked batches.

A stream is looked at before any work, and the iterator that was looked at is the one that is
trained on: a source that can be read only once loses nothing. Keras is given a data set whose
every iteration is an epoch, because an execution of several steps ends only where its data end.
"""

import contextlib
import warnings

import tensorflow as tf

from trainers.steps import batches, data_checks
from trainers.steps.sources import Source

PREFETCH = 2


class Feed:
    """What Keras iterates over, and what it says while it does.

    Args:
        dataset: A `tf.data.Dataset` whose every iteration is an epoch.
        count: int, optional. Its batches; an iteration may have fewer.
        ends: bool. Whether to run out of data is what ends an epoch, and nothing to warn of.
        source: The `Source` that it reads, if any.
    """

    def __init__(self, dataset, count=None, ends=False, source=None):
        if count is not None:
            # Not `assert_cardinality`, because an iteration may have fewer.
            dataset.cardinality = lambda: tf.constant(count, "int64")
        self.dataset = dataset
        self.ends = ends
        self.source = source

    @contextlib.contextmanager
    def reading(self):
        """A scope in which a source's error is raised as it is, and an end is not warned of.

        What a check of a later batch says is a `ValueError` like that of a check before.
        """
        with warnings.catch_warnings():
            if self.ends:
                warnings.filterwarnings("ignore", message="Your input ran out of data")
            try:
                yield
            except tf.errors.OpError as error:
                if self.source is not None and self.source.error is not None:
                    raise self.source.error from None
                said = data_checks.said(error)
                if said is None:
                    raise
                raise ValueError(said) from None


def feed(trainer, x, steps=None, epochs=1, training=True, shuffle=False):
    """The `Feed` of a stream of batches.

    Args:
        trainer: The trainer.
        x: A `tf.data.Dataset`, `PyDataset`, generator, iterator, list of batches, or another
            iterable of batches.
        steps: int, optional. Batches of an epoch. In training each epoch goes on where the last
            one ended, and what ends begins anew; an evaluation begins at the beginning.
        epochs: int. How many there will be.
        training: bool. Whether a batch has to have rows for every step, and not for one pack
            alone; others are left out.
        shuffle: bool. Whether a `PyDataset` is read in another order in each pass.

    Raises:
        ValueError: If the stream cannot be played with.
    """
    if isinstance(x, tf.data.Dataset):
        return _of_dataset(trainer, x, steps, epochs, training)
    source = Source(trainer, x, steps, epochs, training, shuffle)
    dataset = tf.data.Dataset.from_generator(source.epoch, output_signature=source.spec)
    dataset = shared(dataset.prefetch(PREFETCH), trainer)
    return Feed(dataset, source.count, ends=steps is None, source=source)


def shared(dataset, trainer):
    """The data set, each of whose batches is cut into equal parts for the replicas."""
    if trainer.distribute_strategy.num_replicas_in_sync == 1:
        return dataset
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options)


def _of_dataset(trainer, x, steps, epochs, training):
    count = int(x.cardinality())
    endless = count == tf.data.INFINITE_CARDINALITY
    if endless and steps is None:
        raise data_checks.endless(x, training)
    data_checks.check_spec(x.element_spec)
    goes_on = training and steps is not None
    iterator = iter(x.repeat() if goes_on and not endless else x)
    element, samples, _ = data_checks.first_batch(trainer, iterator, training)
    if goes_on:
        dataset = _epochs_of_one_pass(element, iterator, trainer).take(steps)
    else:
        dataset = _passes(x, element, iterator)
    dataset = _plain(dataset, trainer.traits, samples.shape[1:])
    dataset = data_checks.guarded(dataset, trainer.traits)
    dataset = _with_rows(dataset, trainer, training)
    if steps is not None:
        count = steps
        dataset = dataset.take(steps)
    known = count if count >= 0 else None
    ends = steps is None and (known is not None or epochs == 1)
    return Feed(shared(dataset.prefetch(PREFETCH), trainer), known, ends)


def _epochs_of_one_pass(element, iterator, trainer):
    """A data set that goes on, in each iteration, with an iterator and what was looked at of it.

    What follows may read ahead, so batches of too few rows are left out before they are counted.
    """
    rest = _rest(iterator)
    filtered = _with_rows(rest, trainer)
    if filtered is not rest:
        rest = _rest(iter(filtered))
    looked = tf.data.Dataset.from_tensors(element)
    return _turn().flat_map(lambda turn: looked.take(turn).concatenate(rest))


def _passes(x, element, iterator):
    """A data set of what was looked at, and the rest of its iterator; then, each time, of `x`."""
    first = tf.data.Dataset.from_tensors(element).concatenate(_rest(iterator))
    return _turn().flat_map(lambda turn: first.take(-turn).concatenate(x.take(turn - 1)))


def _turn():
    """A data set of one number: 1 in the first iteration, then 0; `take(-1)` takes all."""
    turns = iter([1])
    return tf.data.Dataset.from_generator(
        lambda: [next(turns, 0)], output_signature=tf.TensorSpec((), "int64")
    )


def _rest(iterator):
    """A data set of what is left in an iterator."""
    rest = tf.data.Dataset.counter().map(lambda _: iterator.get_next_as_optional())
    rest = rest.take_while(lambda optional: optional.has_value())
    return rest.map(lambda optional: optional.get_value())


def _plain(dataset, traits, shape):
    """Samples of a known shape, or (samples, labels) where the generator has labels."""

    def plain(*batch):
        samples, labels = batches.parts(batch)
        rows = samples.shape[0] if samples.shape.rank else None
        samples = tf.ensure_shape(samples, (rows, *shape))
        told = traits.condition
        return samples if told is None else (samples, tf.reshape(labels, (-1, *told.shape)))

    return dataset.map(plain)


def _with_rows(dataset, trainer, training=True):
    """The data set without batches of too few rows."""
    samples, _ = batches.parts(dataset.element_spec)
    if samples.shape.rank and samples.shape[0] is not None:
        return dataset
    rows = data_checks.rows_needed(trainer, training)
    if rows.least == 1 and not training:
        return dataset
    return dataset.filter(lambda *batch: rows.enough(tf.shape(batches.parts(batch)[0])[0]))
