"""The order of examples: which make batch i of epoch e, as a function of (seed, e, i)."""

import dataclasses

import numpy as np
import tensorflow as tf

from zoo import random
from zoo.validation import check_flag, check_positive, check_seed

PREFETCH = 2


@dataclasses.dataclass(frozen=True)
class Order:
    """Which examples make which batch, and how many batches there are.

    `start_step` may be a function that says the step at which an iteration starts.
    """

    count: int
    batch_size: int
    seed: int
    shuffle: bool
    drop_remainder: bool | None
    repeat: bool
    start_step: int

    def __post_init__(self):
        check_positive(batch_size=self.batch_size)
        check_seed(self.seed)
        check_flag(shuffle=self.shuffle, repeat=self.repeat)
        if self.drop_remainder is not None:
            check_flag(drop_remainder=self.drop_remainder)
        step = 0 if callable(self.start_step) and self.repeat else self.start_step
        if not isinstance(step, int | np.integer) or step < 0 or (step and not self.repeat):
            raise ValueError(
                "`start_step` is out of range: it counts through all epochs. Expected an int of at "
                f"least 0, and repeat=True unless it is 0. Received: start_step={step!r}, "
                f"repeat={self.repeat}"
            )
        for name in ("batch_size", "seed"):  # NumPy's small ones overflow.
            object.__setattr__(self, name, int(getattr(self, name)))
        if self.count < 1:
            raise ValueError("`images` are empty. Expected at least one example. Received: n=0")
        if self.drop_remainder and self.count < self.batch_size:
            raise ValueError(
                "`batch_size` is larger than the dataset, whose remainder is dropped. Expected at "
                f"most {self.count}. Received: batch_size={self.batch_size}, drop_remainder=True"
            )

    def arguments(self):
        """The order as `Dataset.batches` takes it."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)[1:]}

    @property
    def drops(self):
        """Whether an uneven last batch is left out."""
        if self.drop_remainder is None:
            return self.shuffle and self.count >= self.batch_size
        return self.drop_remainder

    @property
    def steps(self):
        """Batches of an epoch."""
        whole, rest = divmod(self.count, self.batch_size)
        return whole + (rest > 0 and not self.drops)

    def dataset(self, make, workers=None):
        """The dataset of `make(indices, epoch, step)`, made in `workers` parallel calls."""
        options = tf.data.Options()
        options.autotune.enabled = False  # Its tuning threads would take cores from training.
        options.threading.max_intra_op_parallelism = 1
        dataset = self._epochs_and_steps().map(
            lambda epoch, step: make(self._indices(epoch, step), epoch, step),
            num_parallel_calls=workers,
        )
        if not self.repeat:
            dataset = dataset.apply(tf.data.experimental.assert_cardinality(self.steps))
        return dataset.prefetch(PREFETCH).with_options(options)

    def _epochs_and_steps(self):
        if self.repeat or not self.shuffle:
            steps = tf.data.Dataset.range(self.steps)
            if self.repeat:
                steps = self._counter()
            return steps.map(lambda i: (i // self.steps * int(self.shuffle), i % self.steps))
        epochs = tf.data.Dataset.random(self.seed, rerandomize_each_iteration=True).take(1)
        return epochs.flat_map(
            lambda epoch: tf.data.Dataset.range(self.steps).map(lambda i: (epoch, i))
        )

    def _counter(self):
        """The numbers of the steps, from the first one on."""
        if not callable(self.start_step):
            return tf.data.Dataset.counter(self.start_step)
        start = tf.data.Dataset.from_generator(
            lambda: [self.start_step()], output_signature=tf.TensorSpec((), "int64")
        )
        return start.flat_map(lambda step: tf.data.Dataset.range(step, tf.int64.max))

    def _indices(self, epoch, step):
        size = min(self.batch_size, self.count)
        indices = tf.range(size, dtype=tf.int64) + step * size
        if self.steps * size > self.count:
            indices = indices[: self.count - step * size]
        if not self.shuffle:
            return indices
        seed = random.fold((self.seed, 0), epoch)
        return tf.random.experimental.index_shuffle(
            indices, seed, tf.constant(self.count - 1, "int64")
        )
