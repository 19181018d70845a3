"""Stopping rules: when the discriminator has converged, and the generator moves."""

import keras
import tensorflow as tf

from zoo.players.recorded import Recorded
from zoo.validation import check_not_negative, check_positive


class StoppingRule(Recorded):
    """Decides after each training step whether the generator moves too.

    While it waits, the discriminator takes one step on each batch, with fresh latents. A subclass
    is registered with `keras.saving.register_keras_serializable`; the arguments of its constructor
    are kept.
    """

    def state_shapes(self):
        """Shapes of the float32 numbers that it keeps from step to step; they start at 0."""
        return []

    def __call__(self, state, loss):
        """Whether the discriminator may stop.

        Args:
            state: List of float32 tensors.
            loss: float scalar. The discriminator's mean loss in this step, with its penalties.

        Returns:
            A boolean scalar tensor, and the next state.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define __call__")


@keras.saving.register_keras_serializable(package="zoo")
class UntilConverged(StoppingRule):
    """Trains the discriminator until its loss falls no more, before each step of the generator.

    The mean loss over `window` steps is compared with that over the window before; the
    discriminator has converged when it fell by less than `tolerance`. The theory of GANs (theorem 1
    of the paper, and every statement on divergences) holds for such a discriminator.

    Args:
        tolerance: float, at least 0, in units of the loss. Below the noise of a window's mean it
            asks for luck, or for `max_steps`.
        window: int. Steps that are averaged.
        max_steps: int. Steps after which the generator moves in any case.

    Raises:
        ValueError: If an argument is out of range.

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 4.2: "the
          discriminator is allowed to reach its optimum given G".
    """

    def __init__(self, tolerance=1e-3, window=20, max_steps=1000):
        check_not_negative(tolerance=tolerance)
        check_positive(window=window, max_steps=max_steps)
        self.tolerance = tolerance
        self.window = window
        self.max_steps = max_steps

    def state_shapes(self):
        return [(), (), ()]

    def __call__(self, state, loss):
        steps, total, before = state
        steps, total = steps + 1.0, total + tf.cast(loss, "float32")
        full = tf.equal(steps % self.window, 0.0)
        mean = total / self.window
        flat = full & (steps > self.window) & (before - mean < self.tolerance)
        done = flat | (steps >= self.max_steps)
        before, total = tf.where(full, mean, before), tf.where(full, 0.0, total)
        kept = (steps, total, before)
        return done, [tf.where(done, 0.0, value) for value in kept]
