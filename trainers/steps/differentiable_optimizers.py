"""Optimizer steps as functions of tensors: what an optimizer would do, without doing it."""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf

from zoo.adam import Rule

EXTRAS = (
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "weight_decay",
    "amsgrad",
    "gradient_accumulation_steps",
    "ema_overwrite_frequency",
)
SMALLEST = 1e-30  # Under Adam's root, whose slope at 0 is infinite.


@dataclasses.dataclass
class Optimizer:
    """What Keras does around every rule: schedules, weights without gradients, constraints.

    A loss scale does not show: it is in the gradients and taken out of them again.

    Attributes:
        rate: Function of the number of steps before to the learning rate.
        iterations: int64 tensor. Steps until now.
        moments: A tuple of tensors for each weight.
        constraints: A function of a weight, or `None`, for each weight.
    """

    rate: Callable
    iterations: tf.Tensor
    moments: list
    constraints: list

    def step(self, weights, gradients):
        """The weights after one step; the moments and the iterations move along."""
        rate = self.rate(self.iterations)
        self.iterations = self.iterations + 1
        rows = zip(weights, gradients, self.moments, self.constraints, strict=True)
        moved = [self._after(rate, *row) for row in rows]
        weights, self.moments = (list(column) for column in zip(*moved, strict=True))
        return weights

    def _after(self, rate, weight, gradient, moments, constraint):
        if gradient is None:
            return weight, moments
        weight, *moments = self.moved(tf.cast(rate, weight.dtype), weight, gradient, *moments)
        return (weight if constraint is None else constraint(weight)), tuple(moments)

    def moved(self, rate, weight, gradient, *moments):
        """A weight and its moments after the rule's step."""
        raise NotImplementedError(f"{type(self).__name__} has to define moved")


@dataclasses.dataclass
class SGD(Optimizer):
    """`w - rate g`, or with momentum `m <- momentum m - rate g`, `w + m` (Keras's SGD)."""

    momentum: float
    nesterov: bool

    def moved(self, rate, weight, gradient, *moments):
        if not moments:
            return (weight - rate * gradient,)
        moment = self.momentum * moments[0] - rate * gradient
        move = self.momentum * moment - rate * gradient if self.nesterov else moment
        return weight + move, moment


@dataclasses.dataclass
class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015, algorithm 1, in the order of its section 2, as in Keras)."""

    numbers: tuple

    def moved(self, rate, weight, gradient, *moments):
        def sqrt(x):
            return tf.sqrt(tf.maximum(x, SMALLEST))

        count = tf.cast(self.iterations, weight.dtype)
        return Rule(rate, *self.numbers).step(weight, gradient, *moments, count, sqrt, tf.square)


def check(keras_optimizer):
    """Raises a `ValueError` for an optimizer whose steps cannot be had as functions of tensors.

    Args:
        keras_optimizer: A Keras optimizer, or one in a `LossScaleOptimizer`.
    """
    keras_optimizer = _inner(keras_optimizer)
    used = [name for name in EXTRAS if getattr(keras_optimizer, name, None)]
    if "ema_overwrite_frequency" in used and not keras_optimizer.use_ema:
        used.remove("ema_overwrite_frequency")  # Without an average there is nothing to write.
    if not isinstance(_rate(keras_optimizer), (keras.Variable, _Schedule)):
        used.append("a function for learning_rate")
    if type(keras_optimizer) not in (keras.optimizers.SGD, keras.optimizers.Adam) or used:
        raise ValueError(
            "`discriminator_optimizer` cannot be unrolled. Expected keras.optimizers.SGD or Adam, "
            f"without {', '.join(EXTRAS)}, whose learning_rate is a number or a schedule of Keras. "
            f"Received: {type(keras_optimizer).__name__}"
            + (f" with {', '.join(used)}" if used else "")
        )


_Schedule = keras.optimizers.schedules.LearningRateSchedule


def _inner(keras_optimizer):
    scaled = isinstance(keras_optimizer, keras.optimizers.LossScaleOptimizer)
    return keras_optimizer.inner_optimizer if scaled else keras_optimizer


def _rate(keras_optimizer):
    """The learning rate's variable or schedule; the public property gives its value now."""
    return getattr(keras_optimizer, "_learning_rate", None)


def optimizer(keras_optimizer, variables=None):
    """The differentiable optimizer that stands where a Keras optimizer stands, moments included.

    Args:
        keras_optimizer: SGD or Adam of Keras, built, or either in a `LossScaleOptimizer`.
        variables: Those of the variables that it was built with whose steps are wanted, in their
            order. Defaults to all.

    Raises:
        ValueError: If it is another one, or one with a setting that its steps here do not follow.
    """
    check(keras_optimizer)
    keras_optimizer = _inner(keras_optimizer)
    if variables is None:
        variables = keras_optimizer._trainable_variables
    is_sgd = isinstance(keras_optimizer, keras.optimizers.SGD)
    if is_sgd:
        kinds = [keras_optimizer.momentums] if keras_optimizer.momentum else []
    else:
        kinds = [keras_optimizer._momentums, keras_optimizer._velocities]
    rate, places = _rate(keras_optimizer), map(keras_optimizer._get_variable_index, variables)
    common = (
        rate if isinstance(rate, _Schedule) else lambda _: rate.value,
        tf.cast(keras_optimizer.iterations, "int64"),
        [tuple(kind[k].value for kind in kinds) for k in places],
        [v.constraint for v in variables],
    )
    if is_sgd:
        return SGD(*common, keras_optimizer.momentum, keras_optimizer.nesterov)
    numbers = (keras_optimizer.beta_1, keras_optimizer.beta_2, keras_optimizer.epsilon)
    return Adam(*common, numbers)
