"""Keras callbacks for adversarial training."""

import math
import os
import pathlib
import re
import time

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from zoo import pictures, saving
from zoo.players import check_positive

EPOCH_PNG = re.compile(r"epoch_(\d{4,})\.png")


class SampleGrid(keras.callbacks.Callback):
    """Draws the same latents after every epoch, and an animation of them after training.

    Writes `directory/epoch_0000.png` before training and `directory/epoch_0007.png` after seven
    epochs; `fit(..., initial_epoch=7)` goes on at `epoch_0008.png`. The animation shows the
    pictures that led to this model: those of earlier runs up to the first epoch of this one, and
    those of this one. An interrupted run leaves its pictures, and the run that resumes it
    animates them too.

    Args:
        directory: Where the pictures go. Made when the first one is written.
        count: int. Number of samples. Defaults to 64.
        every: int. Draws after every so many epochs. Defaults to 1.
        labels: Integers of shape `(count,)` or one integer, for a conditional generator. Defaults
            to the classes in order along each row: a column is a class and its rows are styles.
        seed: int. Fixes the latents.
        animation: Name of the animation in the directory, ending in `.gif`, `.webp`, `.png` or
            `.apng`; `None` makes none.
        tensorboard: Log directory of `keras.callbacks.TensorBoard`, optional. The pictures join
            it as the images of the run `samples`; the step is the number of epochs trained.
        real: Real samples of shape `(n,)` or `(n, d)`, optional. Drawn behind the generated ones
            where samples are points, and keeps the axes of all pictures the same.

    Raises:
        ValueError: If a number is not positive, there are not `count` labels, the animation has
            another extension, or a directory cannot be written to. When training starts: if the
            model has no `sample`, or the directory holds earlier pictures of another size.

    Example:

    ```python
    gan.fit(x, epochs=20, callbacks=[trainers.SampleGrid("samples", tensorboard="logs")])
    ```
    """

    def __init__(
        self,
        directory,
        count=64,
        every=1,
        labels=None,
        seed=0,
        animation="training.gif",
        tensorboard=None,
        real=None,
    ):
        super().__init__()
        check_positive(count=count, every=every)
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise ValueError(
                "The pictures of a training show the same latents. Expected an integer seed. "
                f"Received: seed={seed!r}"
            )
        check_labels(labels, count)
        if animation is not None:
            pictures.check_animation(animation)
            if EPOCH_PNG.fullmatch(str(animation)):
                raise ValueError(
                    "The animation would replace the picture of an epoch. Expected another name, "
                    f"such as 'training.png'. Received: animation={animation!r}"
                )
        check_writable(directory, "directory")
        if tensorboard is not None:
            check_writable(tensorboard, "tensorboard")
        self.directory = pathlib.Path(directory)
        self.count = count
        self.every = every
        self.labels = labels
        self.seed = seed
        self.animation = animation
        self.tensorboard = tensorboard
        self.real = real
        self._writer = None

    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "sample"):
            raise ValueError(
                "SampleGrid draws what a GAN samples. Expected a model with `sample(count, labels, "
                f"seed)`, such as trainers.GAN. Received: model={type(self.model).__name__}"
            )
        self._first = None
        self._written = set()

    def on_epoch_begin(self, epoch, logs=None):
        if self._first is not None:
            return
        # Only here is the first epoch known: a callback that restores may have moved it.
        self._first = epoch
        picture = self._draw()
        self._check_size(picture)
        # A training that goes on in the middle of an epoch has moved on since its picture.
        if epoch % self.every == 0 and not (epoch and self._path(epoch).exists()):
            self._write(picture, epoch)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            self._write(self._draw(), epoch + 1)

    def on_train_end(self, logs=None):
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        frames = [
            path
            for number, path in self._found()
            if number in self._written or self._first is not None and number <= self._first
        ]
        if self.animation is not None and frames:
            pictures.save_animation(frames, self.directory / self.animation)

    def _draw(self):
        num_classes = getattr(getattr(self.model, "generator", None), "num_classes", None)
        labels, columns = class_grid(self.count, num_classes)
        labels = labels if self.labels is None else self.labels
        samples = self.model.sample(self.count, labels=labels, seed=self.seed)
        return pictures.draw(samples, columns, self.real)

    def _write(self, picture, number):
        pictures.save_png(picture, self._path(number))
        self._written.add(number)
        if self.tensorboard is None:
            return
        if self._writer is None:
            # A folder of its own: TensorBoard follows only one growing file in each.
            self._writer = tf.summary.create_file_writer(os.path.join(self.tensorboard, "samples"))
        # Keras's TensorBoard may have switched recording off for this step.
        with tf.summary.record_if(True), self._writer.as_default():
            tf.summary.image("samples", picture[np.newaxis], step=number)
        self._writer.flush()

    def _path(self, number):
        return self.directory / f"epoch_{number:04d}.png"

    def _found(self):
        """The pictures in the directory, as (number, path) in the order of their numbers."""
        if not self.directory.is_dir():
            return []
        matches = [(EPOCH_PNG.fullmatch(path.name), path) for path in self.directory.iterdir()]
        return sorted((int(match[1]), path) for match, path in matches if match)

    def _check_size(self, picture):
        height, width = picture.shape[:2]
        for number, path in self._found():
            if self.animation is None or number > self._first:
                break
            with Image.open(path) as image:
                size = image.size
            # What this run writes over need not fit.
            if size != (width, height) and (number < self._first or number % self.every):
                raise ValueError(
                    "The directory holds pictures of another training, and an animation has one "
                    "size. Expected the same `count` and images as before, or another directory. "
                    f"Received: {path} of {size[0]} x {size[1]} pixels, now {width} x {height}"
                )


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole trainer, so that `keras.saving.load_model(path)` goes on where it was.

    Both players, both optimizers, the moving average, the counter of steps and the seeds are in
    the file. It is written beside and then renamed: what is there can always be loaded.

    Args:
        path: Where to write, ending in `.keras`.
        every_seconds: float. Saves after the first step that ends this long after the last
            saving, and after every epoch.

    Raises:
        ValueError: If the path ends in something else, or its folder cannot be written to. In
            training: if a weight has become NaN or infinite. The last finite ones stay there.
    """

    def __init__(self, path, every_seconds=60.0):
        super().__init__()
        path = pathlib.Path(path)
        if path.suffix != ".keras":
            raise ValueError(
                "A checkpoint is a Keras file. Expected a path that ends in .keras. "
                f"Received: path={str(path)!r}"
            )
        check_writable(path.parent, "path")
        self.path = path
        self.every_seconds = every_seconds

    def on_train_begin(self, logs=None):
        self._saved_at = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() - self._saved_at >= self.every_seconds:
            self.save()

    def on_epoch_end(self, epoch, logs=None):
        self.save()

    def save(self):
        """Saves now."""
        if not all(np.isfinite(weight).all() for weight in self.model.get_weights()):
            raise ValueError(
                "The training diverged: weights are no numbers any more. Expected lower learning "
                "rates, say, or a penalty on the discriminator's slope. Received: NaN or infinity "
                f"among them; {str(self.path)!r} stays as it was"
            )
        saving.save(self.model, self.path)
        self._saved_at = time.monotonic()


def class_grid(count, num_classes):
    """Labels and columns of a grid in which a column is a class and its rows are styles.

    There are as many times `num_classes` columns as comes closest to a square, and never 0 times;
    where that is more than twice as wide as a square, a square, which shows the first classes.

    Args:
        count: int. Number of samples.
        num_classes: int, or `None` for a generator without labels.

    Returns:
        int labels of shape `(count,)` and the number of columns; `(None, None)` without labels.
    """
    if not num_classes:
        return None, None
    side = math.ceil(math.sqrt(count))
    columns = num_classes * max(1, round(side / num_classes))
    if num_classes > 2 * side:
        columns = side
    return np.arange(count) % columns % num_classes, columns


def check_labels(labels, count):
    """Raises a `ValueError` if labels are neither `count` of them, nor one, nor `None`."""
    if np.ndim(labels) and np.shape(labels) != (count,):
        raise ValueError(
            f"Every sample has one label. Expected {count} labels or one integer for all. "
            f"Received: labels of shape {np.shape(labels)}"
        )


def check_writable(directory, name):
    """Raises a `ValueError` if a folder cannot be written to, or not be made."""
    existing = pathlib.Path(directory).absolute()
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        what = "cannot be written to" if existing.is_dir() else "is a file"
        raise ValueError(
            f"`{name}` cannot be made: {existing} {what}. Expected a folder that can be written "
            f"to, or a path where one can be made. Received: {name}={str(directory)!r}"
        )
