"""Optimizer steps as functions of tensors: what an optimizer would do, without doing it."""

import dataclasses

import keras
import tensorflow as tf

from zoo.adam import adam_step

EXTRAS = ("clipnorm", "clipvalue", "global_clipnorm", "weight_decay", "amsgrad")
SMALLEST = 1e-30  # Under Adam's root, whose slope at 0 is infinite.


@dataclasses.dataclass
class SGD:
    """`w - rate g`, or with momentum `m <- momentum m - rate g`, `w + m` (Keras's SGD)."""

    rate: tf.Tensor
    momentum: float
    nesterov: bool
    moments: list

    def step(self, weights, gradients):
        """The weights after one step; the moments move along."""
        if not self.momentum:
            return [w - self.rate * g for w, g in zip(weights, gradients, strict=True)]
        pairs = zip(self.moments, gradients, strict=True)
        self.moments = [self.momentum * m - self.rate * g for m, g in pairs]
        moves = self.moments
        if self.nesterov:
            pairs = zip(self.moments, gradients, strict=True)
            moves = [self.momentum * m - self.rate * g for m, g in pairs]
        return [w + move for w, move in zip(weights, moves, strict=True)]


@dataclasses.dataclass
class Adam:
    """Adam (Kingma and Ba, 2015, algorithm 1, in the order of its section 2, as in Keras)."""

    rate: tf.Tensor
    beta_1: float
    beta_2: float
    epsilon: float
    step_count: tf.Tensor
    means: list
    squares: list

    def step(self, weights, gradients):
        """The weights after one step; the moments move along."""
        self.step_count = self.step_count + 1.0
        triples = zip(weights, gradients, self.means, self.squares, strict=True)
        moved = [self._moved(*triple) for triple in triples]
        weights, self.means, self.squares = (list(column) for column in zip(*moved, strict=True))
        return weights

    def _moved(self, weight, gradient, mean, square):
        return adam_step(
            weight,
            gradient,
            mean,
            square,
            self.step_count,
            self.rate,
            self.beta_1,
            self.beta_2,
            self.epsilon,
            lambda x: tf.sqrt(tf.maximum(x, SMALLEST)),
        )


def check(real):
    """Raises a `ValueError` for an optimizer whose steps cannot be had as functions of tensors.

    Args:
        real: A Keras optimizer, or one in a `LossScaleOptimizer`.
    """
    real = _inner(real)
    used = [name for name in EXTRAS if getattr(real, name, None)]
    if type(real) not in (keras.optimizers.SGD, keras.optimizers.Adam) or used:
        raise ValueError(
            "`discriminator_optimizer` cannot be unrolled. Expected keras.optimizers.SGD or Adam, "
            f"without {', '.join(EXTRAS)}. Received: {type(real).__name__}"
            + (f" with {', '.join(used)}" if used else "")
        )


def _inner(real):
    scaled = isinstance(real, keras.optimizers.LossScaleOptimizer)
    return real.inner_optimizer if scaled else real


def optimizer(real):
    """The differentiable optimizer that stands where a Keras optimizer stands, moments included.

    Args:
        real: `keras.optimizers.SGD` or `Adam`, built, or either in a `LossScaleOptimizer`.

    Raises:
        ValueError: If it is another one, or one with clipping, decay or `amsgrad`.
    """
    check(real)
    real = _inner(real)
    rate = tf.cast(real.learning_rate, "float32")
    if isinstance(real, keras.optimizers.SGD):
        moments = [m.value for m in real.momentums] if real.momentum else []
        return SGD(rate, real.momentum, real.nesterov, moments)
    return Adam(
        rate,
        real.beta_1,
        real.beta_2,
        real.epsilon,
        tf.cast(real.iterations, "float32"),
        [m.value for m in real._momentums],
        [v.value for v in real._velocities],
    )
