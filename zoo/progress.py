"""A progress bar that fits the terminal, where the figures of two players do not."""

import shutil

import keras

# The figures by rank; others follow the losses. A history and a log have them by their names.
SHORT = {
    "generator_loss": "g_loss",
    "discriminator_loss": "d_loss",
    "val_generator_loss": "val_g_loss",
    "val_discriminator_loss": "val_d_loss",
    "loss": "loss",
    "val_loss": "val_loss",
}
LATER = {
    "discriminator_real": "D(x)",
    "discriminator_fake": "D(G(z))",
    "js_estimate": "js",
    "wasserstein_estimate": "w_estimate",
    "divergence_estimate": "bound",
    "reconstruction": "recon",
}
BAR = (4, 20)  # Its width: at least, at most.
TIMES = {1: len(" 9:59:59 999ms/step"), 2: len(" - 9999s - 999ms/step")}
VALUE = len("-1.2345e-05")  # A value while it moves; at its end it takes what it needs.


class Progress(keras.callbacks.ProgbarLogger):
    """Keras's bar in one line of the terminal: the losses, and what else there is room for.

    Names are short there (`g_loss` is `generator_loss`, `D(x)` is `discriminator_real`). What does
    not fit is in the history, as everything.
    """

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._shown = None

    def on_test_begin(self, logs=None):
        super().on_test_begin(logs)
        if not self._called_in_fit:
            self._shown = None

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, self._fitting(logs))

    def on_test_batch_end(self, batch, logs=None):
        if not self._called_in_fit:
            super().on_test_batch_end(batch, self._fitting(logs))

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, self._fitting(logs))

    def on_test_end(self, logs=None):
        if not self._called_in_fit:
            super().on_test_end(self._fitting(logs))

    def _fitting(self, logs):
        """The figures that fit, under their short names; the same ones throughout an epoch."""
        logs = logs or {}
        if self.verbose != 1:
            return dict(chosen(logs, self._room(), exact=True))
        if self._shown is None and logs:
            self._shown = list(dict(chosen(logs, self._room())))
            used = sum(map(_width, self._shown))
            self.progbar.width = max(BAR[0], min(BAR[1], self._room() - used + BAR[0]))
        named = {short(name): value for name, value in logs.items()}
        return {name: named[name] for name in self._shown or () if name in named}

    def _room(self):
        """Columns for figures, beside the narrowest bar."""
        columns = shutil.get_terminal_size().columns - 1
        steps = self.target or (self.seen if self.verbose == 2 else 0)  # One line, at the end.
        counts = 2 * len(str(steps)) + 1 if steps else len("1234567/Unknown")
        bar = BAR[0] + 1 if self.verbose == 1 and self.target else 0
        return columns - counts - bar - TIMES.get(self.verbose, 0)


def short(name):
    """The name of a figure in a bar."""
    return SHORT.get(name) or LATER.get(name, name)


def chosen(logs, room, exact=False):
    """The figures of the first rank that fit into so many columns: pairs of short name and value.

    Args:
        logs: dict of numbers by name.
        room: int. Columns.
        exact: bool. Counts the digits of the values, which may be others in the next line.
    """
    ranks = [*SHORT, *(name for name in logs if name not in SHORT and name not in LATER), *LATER]
    for name in (name for name in ranks if name in logs):
        width = _width(short(name), logs[name] if exact else None)
        if width <= room:
            room -= width
            yield short(name), logs[name]


def _width(name, value=None):
    digits = VALUE if value is None else len(f"{value:.4f}" if value > 1e-3 else f"{value:.4e}")
    return len(f" - {name}: ") + digits


def with_bar(callbacks, verbose):
    """The callbacks, and a bar that fits where Keras would add one.

    Args:
        callbacks: What `fit` and `evaluate` take.
        verbose: Likewise.
    """
    if verbose == 0 or isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    given = keras.tree.flatten(callbacks or [])
    has_one = any(isinstance(callback, keras.callbacks.ProgbarLogger) for callback in given)
    return given if has_one else [*given, Progress()]
