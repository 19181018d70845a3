"""Stacked MNIST: three digits in three channels, 1,000 modes, drawn as they are needed."""

import numpy as np
import tensorflow as tf

from zoo import random
from zoo.blocks import slices
from zoo.datasets.dataset import Dataset

CHANNELS = 3
BLOCK = 4096


class StackedMnist(Dataset):
    """Triples of independent MNIST images; the label is the number that the digits write.

    Row r of batch i of epoch e is a function of (seed, split, e, i, r): three images drawn with
    replacement from the split, one each for R, G and B. The label of digits a, b, c is
    `100 a + 10 b + c`.

    Args:
        digits: What has `sample_shape` and `read()`, which gives uint8 images `(m, height, width,
            1)` and labels `(m,)`.
        split: int. The number of the split, which sets its draws apart from another's.
        count: int. Stacks in an epoch.
    """

    name = "stacked_mnist"
    num_classes = 1000
    drawn = True

    def __init__(self, digits, split, count):
        self.digits, self.split, self.count = digits, split, count
        self.sample_shape = (*digits.sample_shape[:2], CHANNELS)

    def read(self):
        """One set of `count` stacks: `(images, labels)`, always the same."""
        digits = self._digits()
        blocks = [
            self._stack(rows.stop - rows.start, (0, self.split), 0, rows.start, *digits)
            for rows in slices(self.count, BLOCK)
        ]
        images, labels = zip(*blocks, strict=True)
        return np.concatenate(images), np.concatenate(labels)

    def stream(self, order, labels):
        digits = self._digits()

        def batch(indices, epoch, step):
            count = indices.shape[0] or tf.shape(indices)[0]
            images, numbers = self._stack(count, (order.seed, self.split), epoch, step, *digits)
            return (images, numbers) if labels else images

        return order.dataset(batch)

    def _digits(self):
        images, labels = self.digits.read()
        with tf.device("cpu"):  # Beside the input pipeline, whatever trains.
            return tf.constant(images[..., 0]), tf.constant(labels, "int32")

    def _stack(self, count, seed, epoch, step, images, labels):
        draws = random.uniform((count, CHANNELS), random.fold(seed, epoch, step))
        rows = tf.cast(draws * images.shape[0], "int32")
        numbers = tf.reduce_sum(tf.gather(labels, rows) * (100, 10, 1), axis=1)
        return tf.transpose(tf.gather(images, rows), (0, 2, 3, 1)), numbers
