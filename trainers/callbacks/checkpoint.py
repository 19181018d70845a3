"""Checkpoints: the whole trainer in one file, written while it trains."""

import time

import keras

from trainers.callbacks import epochs
from trainers.callbacks.rhythm import Rhythm
from zoo import saving
from zoo.files import as_path, check_writable
from zoo.finite import broken_weights


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole trainer, so that `keras.saving.load_model(path)` goes on where it was.

    Both players, both optimizers, the moving average, the counter of steps and the seeds are in
    the file. It is written beside and then renamed: what is there can always be loaded. It is
    called after all other callbacks: with what they write, an epoch has ended when it is saved.

    Args:
        path: Where to write, ending in `.keras`.
        every_seconds: float. Saves after the first step that ends this long after the last
            saving, and after every epoch.
        every_steps: int, optional. Saves instead after every so many steps of the trainer, counted
            from its first, and at the end of `fit`.

    Attributes:
        members: Dict of texts that the file is to have beside the trainer, by the names of its
            members. `epoch.json` is added: whether all callbacks have had the epoch's end.
        kept: List of callbacks with a state, such as `trainers.HealthMonitor`: their `members()`
            are added, texts or bytes by names, and their `restore` takes them back.

    Raises:
        ValueError: If the path ends in something else, its folder cannot be written to, or
            `every_steps` is not positive. When a training begins: if the file could not be read
            back, because a player cannot be made again from its config, say. In training: if a
            weight has become NaN or infinite, or one of every member of a
            `trainers.GANEnsemble`. The last finite ones stay there.
    """

    goes_last = True

    def __init__(self, path, every_seconds=60.0, every_steps=None):
        super().__init__()
        path = as_path(path=path)
        if path.suffix != ".keras":
            raise ValueError(
                "`path` names no Keras file. Expected a path that ends in .keras. "
                f"Received: path={str(path)!r}"
            )
        check_writable(path.parent, "path")
        self.path = path
        self.every_seconds = every_seconds
        self.rhythm = None if every_steps is None else Rhythm(every_steps)
        self.members, self.kept = {}, []

    def on_train_begin(self, logs=None):
        saving.check_readable(self.model)
        self._saved_at = time.monotonic()
        self._saved = self._ended = self._step()  # The trainer's steps when it was, and its epoch.
        self._due = False

    def on_epoch_begin(self, epoch, logs=None):
        if self.rhythm is not None:
            self.rhythm.begin(self.model)

    def on_train_batch_end(self, batch, logs=None):
        if self.rhythm is not None:
            due = self.rhythm.reaches(batch)
        else:
            due = time.monotonic() - self._saved_at >= self.every_seconds
        if due and batch + 1 == (self.params or {}).get("steps"):
            self._due = True  # The epoch ends in a moment.
        elif due:
            self.save()

    def on_epoch_end(self, epoch, logs=None):
        self._ended = self._step()
        if self.rhythm is None or self._due or self._saved == self._ended:
            self._due = False
            self.save()

    def on_train_end(self, logs=None):
        if self.rhythm is not None and self._saved != self._step():
            self.save()

    def save(self):
        """Saves now."""
        if self._is_lost():
            raise ValueError(
                "The training diverged: weights are no numbers any more. Expected lower learning "
                "rates, say, or a penalty on the discriminator's slope. Received: NaN or infinity "
                f"among them; {str(self.path)!r} stays as it was"
            )
        step = self._step()
        state = epochs.state(self.model, self._ended == step)
        for callback in self.kept:
            state.update(callback.members())
        saving.save(self.model, self.path, {**self.members, **state})
        self._saved_at, self._saved = time.monotonic(), step

    def stopped(self):
        """Saves after a stop, unless nothing was learned since the last time."""
        if self._saved != self._step() or not self.path.exists():
            self.save()

    def _step(self):
        """The trainer's steps so far; of another model its optimizer's."""
        steps = getattr(self.model, "steps", None)
        if steps is None:
            steps = getattr(getattr(self.model, "optimizer", None), "iterations", None)
        return None if steps is None else int(keras.ops.convert_to_numpy(steps))

    def _is_lost(self):
        """Whether nothing is left to go on from; an ensemble goes on with its other members."""
        lost = getattr(self.model, "diverged", None)
        return broken_weights(self.model) if lost is None else len(lost) == self.model.members
