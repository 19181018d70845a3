"""Weights that are no numbers: a training that made them ends, and nothing is drawn from them."""

import math

import keras
import tensorflow as tf

from zoo.progress import with_bar

REMEDY = "lower learning rates, say, or a penalty on the discriminator's slope"


class Diverged(ValueError):
    """A training has made weights that are NaN or infinite."""


def broken_weights(model):
    """The paths of a model's weights that hold NaN or infinity."""
    weights = [w for w in model.weights if w.dtype.startswith(("float", "bfloat"))]
    finite = [tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(w))) for w in weights]
    if not finite:
        return []
    return [w.path for w, good in zip(weights, tf.stack(finite).numpy(), strict=True) if not good]


def check_weights(model, name):
    """Raises a `ValueError` if a model has weights that are no numbers.

    Args:
        model: A built Keras model.
        name: The name of the argument that it is, for the message.
    """
    broken = said_of(model)
    if broken:
        raise ValueError(
            f"`{name}` has weights that are no numbers: its training diverged. Expected finite "
            f"weights, such as those of an earlier checkpoint. Received: {name}={model.name!r} "
            f"with {broken}"
        )


def said_of(model):
    """How many weights of a model are no numbers, and which is the first; `""` for none."""
    broken = broken_weights(model)
    return _said(model, broken) if broken else ""


def guarded_fit(fit, model, players, callbacks, first=(), last=(), **arguments):
    """Calls a `fit` that ends where weights become NaN or infinite, and saves nothing then.

    With `keras.callbacks.TerminateOnNaN` among the callbacks it ends at the first loss that is not
    finite, in the way that one asks for: quietly with the history so far, or by its `RuntimeError`.

    Args:
        fit: `keras.Model.fit` of the model.
        model: The model, with a counter `steps`.
        players: Names of the models among its attributes.
        callbacks: A callback, a list of them, a `keras.callbacks.CallbackList`, or `None`. Those
            with a true attribute `goes_last` are called after the others.
        first: Callbacks of the class itself that are called before those.
        last: And those that are called after them.
        **arguments: What else `fit` takes.

    Returns:
        `keras.callbacks.History`.

    Raises:
        Diverged: If a weight became NaN or infinite.
    """
    own = (FiniteWatch, *map(type, (*first, *last)))  # There already, in a list that is used again.
    given = [callback for callback in listed(callbacks) if not isinstance(callback, own)]
    terminators = [c for c in given if isinstance(c, keras.callbacks.TerminateOnNaN)]
    healers = [callback for callback in given if hasattr(callback, "on_divergence")]
    watch = FiniteWatch(players, every_loss=bool(terminators), healers=healers)
    given.sort(key=lambda callback: getattr(callback, "goes_last", False))  # Stable.
    given = [*first, *given, *last]
    if isinstance(callbacks, keras.callbacks.CallbackList):
        for callback in (watch, *first, *last):
            callback.set_model(model)
        callbacks.callbacks[:] = [watch, *given]
    else:
        callbacks = [watch, *with_bar(given, arguments.get("verbose"))]
    try:
        return fit(callbacks=callbacks, **arguments)
    except Diverged as diverged:
        if not terminators:
            raise
        if any(terminator.raise_error for terminator in terminators):
            raise RuntimeError(str(diverged)) from None
        print(diverged)
    model.stop_training = True
    for callback in given:
        if not isinstance(callback, keras.callbacks.BackupAndRestore):  # It deletes the backup.
            callback.on_train_end()
    return model.history


def listed(callbacks):
    """The callbacks of what `fit` takes: one, a list of them, a `CallbackList`, or `None`."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return list(callbacks.callbacks)
    return keras.tree.flatten(callbacks or [])


class FiniteWatch(keras.callbacks.Callback):
    """Raises `Diverged` where weights have become NaN or infinite.

    It looks at the figures that are logged anyway, and at the weights where one of those is not
    finite and after every epoch. It goes before all other callbacks, so that none of them saves
    what diverged. A loss that is not finite beside weights that are is no divergence: loss scaling
    leaves such steps out.

    Args:
        players: Names of models among the attributes of the one that is trained.
        every_loss: bool. Raises for a loss that is not finite too, whatever the weights.
        healers: Callbacks that are told what became NaN, and say whether they have mended it.
    """

    def __init__(self, players, every_loss=False, healers=()):
        super().__init__()
        self.players = tuple(players)
        self.every_loss = every_loss
        self.healers = tuple(healers)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._suspected = epoch, False

    def on_train_batch_end(self, batch, logs=None):
        lost = [name for name, value in (logs or {}).items() if _is_lost(value)]
        if lost and not self._suspected:
            self._suspected = True  # One look an epoch: loss scaling may leave it at this.
            self._look(f"batch {batch + 1} of epoch {self._epoch + 1}", lost)

    def on_epoch_end(self, epoch, logs=None):
        self._look(f"the end of epoch {epoch + 1}", [], logs)

    def _look(self, place, lost, logs=None):
        broken = {name: broken_weights(getattr(self.model, name)) for name in self.players}
        losses = [name for name in lost if name.endswith("loss")]
        if not any(broken.values()) and not (self.every_loss and losses):
            return
        names = losses or lost or [name for name in self.players if broken[name]]
        subject = " and ".join(f"`{name}`" for name in names)
        weights = "; ".join(
            f"{name} with {_said(getattr(self.model, name), found)}"
            for name, found in broken.items()
        )
        sentence = (
            f"{subject} became NaN or infinite by step {int(self.model.steps.numpy())}, {place}: "
            f"the training diverged. Expected {REMEDY}. Received: {weights}. What was saved before "
            "stays as it was"
        )
        if any([healer.on_divergence(sentence) for healer in self.healers]):
            self._suspected = False
            return
        if logs is None:
            logs = self.model.get_metrics_result()
        # No other callback gets to see this epoch.
        history = getattr(self.model, "history", None)
        if history is not None:
            values = {name: float(value) for name, value in logs.items()}
            history.on_epoch_end(self._epoch, values)
        raise Diverged(sentence)


def _is_lost(value):
    return isinstance(value, (int, float)) and not math.isfinite(value)


def _said(model, broken):
    if not broken:
        return "finite weights"
    return f"NaN or infinity in {len(broken)} of {len(model.weights)} weights, first {broken[0]!r}"
