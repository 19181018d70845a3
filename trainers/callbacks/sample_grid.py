"""Pictures of the same latents after every epoch, and an animation of them."""

import os
import pathlib
import re

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from trainers.callbacks.labels import check_label_count, class_grid
from trainers.callbacks.rhythm import Rhythm
from zoo import pictures
from zoo.files import check_writable
from zoo.validation import check_positive, check_seed

PNG = re.compile(r"(epoch|step)_(\d{4,})\.png")


class SampleGrid(keras.callbacks.Callback):
    """Draws the same latents after every epoch, and an animation of them after training.

    Writes `directory/epoch_0000.png` before training and `directory/epoch_0007.png` after seven
    epochs; `fit(..., initial_epoch=7)` goes on at `epoch_0008.png`. The animation shows the
    pictures that led to this model: those of earlier runs up to the first epoch of this one, and
    those of this one. An interrupted run leaves its pictures, and the run that resumes it
    animates them too. With `every_steps` the pictures are `directory/step_0000500.png` and so on.

    Args:
        directory: Where the pictures go. Made when the first one is written.
        count: int. Number of samples. Defaults to 64.
        every: int. Draws after every so many epochs. Defaults to 1.
        every_steps: int, optional. Draws instead after every so many steps of a trainer, counted
            from its first.
        labels: Integers of shape `(count,)` or one integer, for a conditional generator. Defaults
            to the classes in order along each row: a column is a class and its rows are styles.
        seed: int. Fixes the latents.
        animation: Name of the animation in the directory, ending in `.gif`, `.webp`, `.png` or
            `.apng`; `None` makes none.
        tensorboard: Log directory of `keras.callbacks.TensorBoard`, optional. The pictures join
            it as the images of the run `samples`; the step is the number of epochs, or of steps,
            trained.
        real: Real samples of shape `(n,)` or `(n, d)`, optional. Drawn behind the generated ones
            where samples are points, and keeps the axes of all pictures the same.
        conditions: Numbers of shape `(count, num_conditions)`, or one row for all: needed where the
            generator has `num_conditions`.

    Raises:
        ValueError: If a number is not positive, there are not `count` labels, the animation has
            another extension, or a directory cannot be written to. When training starts: if the
            model has no `sample`, or the directory holds earlier pictures of another size.

    Example:

    ```python
    import trainers, zoo

    x, _ = zoo.datasets.arrays("mnist")
    gan = trainers.GAN(zoo.DCGANGenerator(filters=8), zoo.DCGANDiscriminator(filters=8))
    gan.compile()
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
        every_steps=None,
        conditions=None,
    ):
        super().__init__()
        check_positive(count=count, every=every)
        check_seed(seed)
        check_label_count(labels, count)
        if animation is not None:
            pictures.check_animation(animation)
            if PNG.fullmatch(str(animation)):
                raise ValueError(
                    "`animation` would replace the picture of an epoch. Expected another name, "
                    f"such as 'training.png'. Received: animation={animation!r}"
                )
        check_writable(directory, "directory")
        if tensorboard is not None:
            check_writable(tensorboard, "tensorboard")
        self.directory = pathlib.Path(directory)
        self.count = count
        self.every = every if every_steps is None else every_steps
        self.rhythm = None if every_steps is None else Rhythm(every_steps)
        self.labels, self.conditions = labels, conditions
        self.seed = seed
        self.animation = animation
        self.tensorboard = tensorboard
        self.real = real
        self.goes_on = False  # Whether a training that was stopped goes on, said before it begins.
        self._writer = None

    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "sample"):
            raise ValueError(
                "`model` has no method `sample`. Expected a model with `sample(count, labels, "
                f"seed)`, such as trainers.GAN. Received: model={type(self.model).__name__}"
            )
        self._first = None
        self._written = set()

    def on_epoch_begin(self, epoch, logs=None):
        if self.rhythm is not None:
            self.rhythm.begin(self.model)
        if self._first is not None:
            return
        # Only here is the first epoch known: a callback that restores may have moved it.
        self._first = first = epoch if self.rhythm is None else self.rhythm.step
        picture = self._draw()
        self._check_size(picture)
        # A training that goes on in the middle of an epoch has moved on since its picture.
        moved = first or self.goes_on
        if first % self.every == 0 and not (moved and self._path(first).exists()):
            self._write(picture, first)

    def on_train_batch_end(self, batch, logs=None):
        if self.rhythm is not None and self.rhythm.reaches(batch):
            self._write(self._draw(), self.rhythm.step)

    def on_epoch_end(self, epoch, logs=None):
        if self.rhythm is None and (epoch + 1) % self.every == 0:
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
        known = getattr(self.model, "traits", None) or getattr(self.model, "generator", None)
        num_classes = getattr(known, "num_classes", None)
        labels, columns = class_grid(self.count, num_classes)
        labels = labels if self.labels is None else self.labels
        told = {} if self.conditions is None else {"conditions": self.conditions}
        samples = self.model.sample(self.count, labels=labels, seed=self.seed, **told)
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

    @property
    def _unit(self):
        return "epoch" if self.rhythm is None else "step"

    def _path(self, number):
        digits = 4 if self.rhythm is None else 7
        return self.directory / f"{self._unit}_{number:0{digits}d}.png"

    def _found(self):
        """The pictures in the directory, as (number, path) in the order of their numbers."""
        if not self.directory.is_dir():
            return []
        matches = [(PNG.fullmatch(path.name), path) for path in self.directory.iterdir()]
        return sorted(
            (int(match[2]), path) for match, path in matches if match and match[1] == self._unit
        )

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
                    "`directory` holds pictures of another size. Expected the same `count` and "
                    "images as before, or another directory: an animation has one size. "
                    f"Received: {path} of {size[0]} x {size[1]} pixels, now {width} x {height}"
                )
