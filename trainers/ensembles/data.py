"""The data of an ensemble: rows of its own for each member, or one set for all, and their order."""

import dataclasses

import numpy as np
import tensorflow as tf

from trainers.steps import batches, data_checks
from zoo import random
from zoo.validation import check_positive

BATCH_SIZE = 32  # Of Keras.
PADDING = 498247692  # Of TensorFlow, before the two numbers of a seed.


@dataclasses.dataclass(frozen=True)
class MemberData:
    """Samples, and labels or conditions, of many members, and which make which batch.

    Attributes:
        samples: Array `(members, n, ...)` where `own`, else `(n, ...)`.
        labels: Likewise, or `None`.
        own: bool. Whether each member has its own.
        batch_size: int.
        shuffle: bool. Whether the rows of an epoch are in an order of their own, by the member's
            seed, as `fit` of a single trainer orders them.
        restarts: bool. Whether each epoch begins with the first row, and not where the last ended.
    """

    samples: np.ndarray
    labels: np.ndarray | None
    own: bool
    batch_size: int
    shuffle: bool
    restarts: bool = False

    @property
    def rows(self):
        """Examples of a member."""
        return self.samples.shape[1 if self.own else 0]

    @property
    def steps(self):
        """Batches of an epoch."""
        return self.rows // self.batch_size

    def of(self, members):
        """The samples and labels of some members, by their numbers."""
        parts = [x for x in (self.samples, self.labels) if x is not None]
        return [tf.constant(x[members] if self.own else x) for x in parts]

    def indices(self, seeds, start, steps):
        """Which rows make each batch of some members: int32 `(steps, members, batch)`.

        Args:
            seeds: int64 `(members,)`.
            start: int. Number of the first step.
            steps: int.

        Returns:
            `None` where every batch is all rows in their order.
        """
        if not self.shuffle and self.steps == 1 and self.rows == self.batch_size:
            return None
        start = 0 if self.restarts else start
        numbers = np.arange(start, start + steps)
        places = numbers[:, None] % self.steps * self.batch_size + np.arange(self.batch_size)
        if not self.shuffle:
            return tf.cast(tf.tile(places[:, None], (1, len(seeds), 1)), "int32")
        own = np.stack([seeds, np.zeros_like(seeds)], axis=1)
        epochs, place = np.unique(numbers // self.steps, return_inverse=True)
        keys = tf.stack([random.fold(tf.constant(own), int(e)) for e in epochs])  # (e, m, 2)
        keys = tf.repeat(tf.reshape(tf.gather(keys, place), (-1, 2)), self.batch_size, axis=0)
        flat = np.repeat(places[:, None], len(seeds), axis=1).ravel()
        last = tf.constant(self.rows - 1, "int64")
        # As `tf.random.experimental.index_shuffle`, which pads several seeds on the wrong axis.
        keys = tf.concat([tf.fill((len(flat), 1), tf.constant(PADDING, "int64")), keys], axis=1)
        drawn = tf.raw_ops.RandomIndexShuffle(
            index=tf.constant(flat), seed=keys, max_index=last, rounds=4
        )
        return tf.cast(tf.reshape(drawn, (steps, len(seeds), self.batch_size)), "int32")


def check_flags(verbose, shuffle):
    """Raises a `ValueError` for a word that Python would take for yes."""
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(
            f"`verbose` is unknown. Expected 'auto', 0, 1 or 2. Received: verbose={verbose!r}"
        )
    if shuffle not in (True, False):
        raise ValueError(
            "`shuffle` is no bool: an ensemble shuffles each member's rows, or none. "
            f"Expected True or False. Received: shuffle={shuffle!r}"
        )


def checked(traits, members, x, y, batch_size, shuffle, restarts=False):
    """The `MemberData` of what `fit` of an ensemble was given.

    Args:
        traits: `zoo.players.Traits` of the generator.
        members: int.
        x: Array `(members, n, *image_shape)`, or `(n, *image_shape)` for all members.
        y: Labels or conditions: likewise, or `None`.
        batch_size: int, or `None`.
        shuffle: bool.
        restarts: bool. Whether rows that keep their order begin anew in each epoch.

    Raises:
        ValueError: If the data are not of this form, or cannot be played with.
    """
    if batch_size is not None:
        check_positive(batch_size=batch_size)
    if isinstance(x, tf.data.Dataset) or not hasattr(x, "__array__") and not hasattr(x, "__len__"):
        raise ValueError(
            "`x` is no array, of which an ensemble cuts its members' batches. Expected samples "
            "(members, n, *image_shape), or (n, *image_shape) for all members. "
            f"Received: x of type {type(x).__name__}"
        )
    x = batches.as_array(x)
    example = traits.image_shape
    own = x.shape[2:] == example and len(x.shape) == 2 + len(example)
    if not own and x.shape[1:] != example or not x.size:
        raise ValueError(
            "`x` has another shape. Expected (members, n, *image_shape) with "
            f"members={members} and image_shape={example}, or (n, *image_shape) for one set that "
            f"all share. Received: x of shape {x.shape}"
        )
    if own and len(x) != members:
        raise ValueError(
            f"`x` has another number of members on its first axis. Expected {members}. "
            f"Received: x of shape {x.shape}"
        )
    y = None if y is None or traits.condition is None else batches.as_array(y, "y")
    if own:
        _check_finite(x)
        if y is not None and y.shape[:2] != x.shape[:2]:
            raise ValueError(
                f"`y` does not go with x. Expected shape {x.shape[:2]} and the sizes of a label "
                f"after it. Received: y of shape {y.shape}"
            )
    flat = x.reshape(-1, *example) if own else x
    told = None if y is None else y.reshape(-1, *y.shape[2:]) if own else y
    samples, labels = data_checks.check_samples(traits, flat, told)
    if own:
        samples = samples.reshape(*x.shape[:2], *samples.shape[1:])
        labels = None if labels is None else labels.reshape(*x.shape[:2], *labels.shape[1:])
    rows = x.shape[1 if own else 0]
    size = min(batch_size or BATCH_SIZE, rows)
    if not shuffle and rows % size:
        raise ValueError(
            "`batch_size` does not divide the examples of a member, and without shuffling none is "
            f"left out. Expected a divisor of {rows}, or shuffle=True. "
            f"Received: batch_size={batch_size}"
        )
    return MemberData(samples, labels, own, size, bool(shuffle), restarts and not shuffle)


def _check_finite(x):
    if x.dtype.kind != "f":
        return
    bad = np.flatnonzero(~np.isfinite(x).reshape(len(x), -1).all(axis=1))
    if len(bad):
        raise ValueError(
            "`x` holds NaN or infinity. Expected finite numbers. Received: bad values in the data "
            f"of {len(bad)} members, first member {bad[0]}"
        )
