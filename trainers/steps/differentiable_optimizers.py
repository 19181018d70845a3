"""Optimizer steps as functions of tensors: what an optimizer would do, without doing it."""

import dataclasses

import keras
import tensorflow as tf

from zoo.adam import Rule

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
        steps = [tf.cast(self.rate, g.dtype) * g for g in gradients]
        if not self.momentum:
            return [w - step for w, step in zip(weights, steps, strict=True)]
        self.moments = [
            self.momentum * m - step for m, step in zip(self.moments, steps, strict=True)
        ]
        moves = self.moments
        if self.nesterov:
            pairs = zip(self.moments, steps, strict=True)
            moves = [self.momentum * m - step for m, step in pairs]
        return [w + move for w, move in zip(weights, moves, strict=True)]


@dataclasses.dataclass
class Adam:
    """Adam (Kingma and Ba, 2015, algorithm 1, in the order of its section 2, as in Keras)."""

    rule: Rule
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
        def sqrt(x):
            return tf.sqrt(tf.maximum(x, SMALLEST))

        rule = self.rule._replace(rate=tf.cast(self.rule.rate, weight.dtype))
        count = tf.cast(self.step_count, weight.dtype)
        return rule.step(weight, gradient, mean, square, count, sqrt, tf.square)


def check(keras_optimizer):
    """Raises a `ValueError` for an optimizer whose steps cannot be had as functions of tensors.

    Args:
        keras_optimizer: A Keras optimizer, or one in a `LossScaleOptimizer`.
    """
    keras_optimizer = _inner(keras_optimizer)
    used = [name for name in EXTRAS if getattr(keras_optimizer, name, None)]
    if type(keras_optimizer) not in (keras.optimizers.SGD, keras.optimizers.Adam) or used:
        raise ValueError(
            "`discriminator_optimizer` cannot be unrolled. Expected keras.optimizers.SGD or Adam, "
            f"without {', '.join(EXTRAS)}. Received: {type(keras_optimizer).__name__}"
            + (f" with {', '.join(used)}" if used else "")
        )


def _inner(keras_optimizer):
    scaled = isinstance(keras_optimizer, keras.optimizers.LossScaleOptimizer)
    return keras_optimizer.inner_optimizer if scaled else keras_optimizer


def optimizer(keras_optimizer):
    """The differentiable optimizer that stands where a Keras optimizer stands, moments included.

    Args:
        keras_optimizer: SGD or Adam of Keras, built, or either in a `LossScaleOptimizer`.

    Raises:
        ValueError: If it is another one, or one with clipping, decay or `amsgrad`.
    """
    check(keras_optimizer)
    keras_optimizer = _inner(keras_optimizer)
    rate = tf.cast(keras_optimizer.learning_rate, "float32")
    if isinstance(keras_optimizer, keras.optimizers.SGD):
        moments = [m.value for m in keras_optimizer.momentums] if keras_optimizer.momentum else []
        return SGD(rate, keras_optimizer.momentum, keras_optimizer.nesterov, moments)
    numbers = (keras_optimizer.beta_1, keras_optimizer.beta_2, keras_optimizer.epsilon)
    return Adam(
        Rule(rate, *numbers),
        tf.cast(keras_optimizer.iterations, "float32"),
        [m.value for m in keras_optimizer._momentums],
        [v.value for v in keras_optimizer._velocities],
    )
