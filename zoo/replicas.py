"""Replicas: what copies of a step on several devices have to agree on (`tf.distribute`).

Each replica sees its own part of the batch. Losses are means over a part, so gradients are averaged
over the replicas; rows of noise are numbered over the whole batch; and a mean over a batch inside a
loss is taken over all parts. A run on r replicas then is the run of one device on the whole batch.
Outside a strategy all of this does nothing.
"""

import tensorflow as tf


def count():
    """Replicas that take this step together: 1 outside a strategy."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def number():
    """Which of them this is: 0, or a scalar int32 tensor."""
    return tf.distribute.get_replica_context().replica_id_in_sync_group if count() > 1 else 0


def mean(x):
    """The mean of a tensor, or of each of a list, over the replicas; it has a gradient.

    `None` in a list stays `None`.
    """
    if count() == 1:
        return x
    context = tf.distribute.get_replica_context()
    if not isinstance(x, list):
        return context.all_reduce(tf.distribute.ReduceOp.MEAN, x)
    present = [k for k, value in enumerate(x) if value is not None]
    means = context.all_reduce(tf.distribute.ReduceOp.MEAN, [x[k] for k in present])
    means = dict(zip(present, means, strict=True))
    return [means.get(k) for k in range(len(x))]


def deviation(x):
    """The standard deviation of all the numbers in the parts of a tensor together."""
    middle = mean(tf.reduce_mean(x))
    return tf.sqrt(mean(tf.reduce_mean(tf.square(x - middle))))


def shared(gradients):
    """This replica's share of the mean of gradients: Keras's optimizers add the shares up."""
    n = count()
    return gradients if n == 1 else [None if g is None else g / n for g in gradients]


def reducible(results):
    """Scalars as Keras 3.15 wants them of several processes, where it averages over an axis 0."""
    context = tf.distribute.get_replica_context()
    if not isinstance(context.strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return results
    return {name: value[None] for name, value in results.items()}
