"""Checkpoints: the whole trainer in one file, written while it trains."""

import pathlib
import time

import keras
import numpy as np

from zoo import saving
from zoo.files import check_writable


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
                "`path` names no Keras file. Expected a path that ends in .keras. "
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
