"""The base class of datasets: their `info`, `arrays()` and `batches(...)`.

What makes batch `i` of epoch `e` is a pure function of (seed, e, i), computed inside the graph for
a whole batch at a time. So a batch costs one gather, and a run that was interrupted goes on with
exactly the batches that it would have seen.
"""

import dataclasses
import math

import tensorflow as tf

from zoo.datasets.order import Order
from zoo.validation import check_choice, check_flag

SPLITS = ("train", "test")
# Decoded sets up to this size are held in memory, where a batch costs one gather. Twice this (the
# set, and its copy while it becomes a tensor) still fits a laptop; CIFAR-10 is 0.15 GiB of it.
MEMORY_LIMIT = 2 * 2**30


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
    """Shape, dtype, classes and count of a dataset, before it is read.

    Attributes:
        name: As it was given.
        sample_shape: `(height, width, channels)` for images, `(dim,)` for toys.
        dtype: `"uint8"` or `"float32"`.
        num_classes: Number of labels, or `None`.
        count: Number of examples of the split.
        class_names: The names of the labels 0, 1, 2 and so on, or `None` where they have none.
    """

    name: str
    sample_shape: tuple
    dtype: str
    num_classes: int | None
    count: int
    class_names: tuple | None = None


class Dataset:
    """The examples of one split. A subclass sets the attributes, and defines `read` and `stream`.

    Attributes:
        name, sample_shape, dtype, num_classes, count, class_names: As of `DatasetInfo`.
        drawn: bool. Whether examples are drawn as they are needed, so that there is no whole set.
    """

    name = None
    sample_shape = None
    dtype = "uint8"
    num_classes = None
    count = None
    class_names = None
    drawn = False

    def read(self):
        """All samples, and labels or `None`, as arrays in their original order."""
        raise NotImplementedError(f"{type(self).__name__} has to define read")

    def stream(self, order, labels):
        """A `tf.data.Dataset` of batches in an `Order`, made as they are needed."""
        raise NotImplementedError(f"{type(self).__name__} has to define stream")

    @property
    def info(self):
        """The `DatasetInfo`, to build players for the data."""
        fields = dataclasses.fields(DatasetInfo)
        return DatasetInfo(**{field.name: getattr(self, field.name) for field in fields})

    def arrays(self, labels=True):
        """All examples as NumPy arrays in their original order: `(samples, labels)`.

        `labels` is `None` when the set has none or they are not wanted.
        """
        check_flag(labels=labels)
        samples, own_labels = self.read()
        return samples, own_labels if labels else None

    def batches(
        self,
        batch_size=128,
        *,
        seed=0,
        shuffle=True,
        labels=True,
        drop_remainder=None,
        repeat=False,
        start_step=0,
    ):
        """The examples in batches, a `tf.data.Dataset`; arguments as of `zoo.datasets.load`."""
        check_flag(labels=labels)
        order = (batch_size, seed, shuffle, drop_remainder, repeat, start_step)
        if not self.drawn and self.count * math.prod(self.sample_shape) <= MEMORY_LIMIT:
            return gathered(*self.arrays(labels), Order(self.count, *order))
        return self.stream(Order(self.count, *order), labels)


def gathered(samples, labels, order):
    """The batches of arrays that are held in memory, a `tf.data.Dataset`."""
    with tf.device("cpu"):  # Batches are gathered on the host, while the accelerator trains.
        samples = tf.convert_to_tensor(samples)
        if labels is not None:
            labels = tf.convert_to_tensor(labels)
            labels = tf.cast(labels, tf.int32) if labels.dtype.is_integer else labels

    def batch(indices, epoch, step):
        picked = tf.gather(samples, indices)
        return picked if labels is None else (picked, tf.gather(labels, indices))

    return order.dataset(batch)


def check_split(split, name):
    """The number of a split, `"train"` or `"test"`.

    Raises:
        ValueError: If it is another one.
    """
    check_choice(SPLITS, f" (of {name})", split=split)
    return SPLITS.index(split)
