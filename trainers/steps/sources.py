"""Generators, iterators, lists of batches and `PyDataset`s, an epoch at a time."""

import functools
import itertools

import keras
import tensorflow as tf

from trainers.steps import batches, data_checks, py_datasets
from zoo.players import conditions


class Source:
    """A Python iterable of batches, each of which is checked as it comes.

    Args:
        trainer: The trainer.
        x: The iterable.
        steps: int, optional. Batches of an epoch.
        epochs: int. How many there will be.
        training: bool. As in `streams.feed`.
        shuffle: bool. Likewise.

    Attributes:
        spec: Of the batches of an epoch: uint8 or float32 samples of the players' shape, and
            labels or conditions where the generator has some.
        count: int. Batches of an epoch, or `None` where it is not known.
        error: What the iterable, or a check, has raised; or `None`.

    Raises:
        ValueError: If the first batch cannot be played with, or `x` will not last.
    """

    def __init__(self, trainer, x, steps, epochs, training, shuffle):
        self.trainer, self.steps, self.training = trainer, steps, training
        if isinstance(x, (list, tuple)):
            batches.check_list(x, trainer.traits.image_shape)
        self.hooked = x if isinstance(x, keras.utils.PyDataset) else None
        self.goes_on = training and steps is not None
        self.passes = x
        if self.hooked is not None:
            self.passes = py_datasets.Passes(x, shuffle, trainer, self.goes_on)
        self.count = steps or _length(x)
        once = iter(self.passes) is self.passes
        endless = self.hooked is not None and self.count is None
        if steps is None and (endless or training and once and epochs > 1):
            raise data_checks.endless(x, training)
        self.kept = [] if once and not training and epochs > 1 else None
        self.error = None
        self.read = False
        self._hook("on_epoch_begin")
        elements = self._all() if self.goes_on else iter(self.passes)
        element, samples, labels = data_checks.first_batch(trainer, elements, training)
        dtype = "float32" if samples.dtype.kind == "f" else "uint8"
        self.spec = tf.TensorSpec((None, *trainer.traits.image_shape), dtype)
        if labels is not None:
            self.spec = (self.spec, *conditions.spec(trainer.traits.condition))
        self.looked = self._checked(itertools.chain([element], elements))

    def epoch(self):
        """The batches of the next epoch."""
        try:
            if self.kept and self.read:
                yield from self.kept
                return
            if self.read:
                self._hook("on_epoch_begin")
            yield from itertools.islice(self._next(), self.steps)
            self._hook("on_epoch_end")
        except Exception as error:
            self.error = error
            raise

    def _next(self):
        """The batches that come next: those looked at, then those of another pass."""
        again, self.read = self.read, True
        if not again or self.goes_on:
            found = self.looked
        else:
            found = self._checked(iter(self.passes))
        for batch in found:
            again = False
            if self.kept is not None:
                self.kept.append(batch)
            yield batch
        if again and not self.goes_on:
            raise data_checks.endless(self.passes, self.training)

    def _all(self):
        """One pass after another, for as long as they have any batch."""
        while True:
            last = None
            for last in self.passes:  # noqa: B007
                yield last
            if last is None:
                return

    def _checked(self, elements):
        """Batches as `spec` says, without those of too few rows."""
        traits = self.trainer.traits
        kind = tf.nest.flatten(self.spec)[0].dtype
        for element in elements:
            if batches.is_empty(element):
                continue
            samples, labels = data_checks.check_batch(traits, element, warns=False)
            if (samples.dtype.kind == "f") != kind.is_floating:
                raise ValueError(
                    "`x` has batches of integers and of floats. Expected one of them. "
                    f"Received: a batch of dtype {samples.dtype} after others of {kind.name}"
                )
            if self.rows.enough(len(samples)):
                samples = samples.reshape((-1, *traits.image_shape)).astype(kind.as_numpy_dtype)
                yield samples if labels is None else (samples, labels)

    @functools.cached_property
    def rows(self):
        """The rows that a batch needs."""
        return data_checks.rows_needed(self.trainer, self.training)

    def _hook(self, name):
        if self.hooked is not None:
            getattr(self.hooked, name)()


def _length(x):
    """The batches of a pass, or `None` where that is not known."""
    if isinstance(x, keras.utils.PyDataset):
        return x.num_batches
    try:
        return len(x)
    except TypeError:
        return None
