"""Terms added to a player's loss: how steep the discriminator may be, how far a player may stray.

Each is per example and is multiplied by its weight. `every=n` computes it in every n-th step only
and multiplies it by n there (lazy regularisation, Karras et al., 2020, appendix B), so that its
mean over the steps is the same.
"""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf

from zoo import random, replicas
from zoo.players.recorded import Recorded
from zoo.validation import check_not_negative, check_positive

TINY = 1e-12  # Under the root: the gradient of a norm at 0 would be infinite.


@dataclasses.dataclass
class Position:
    """What a penalty sees of a player's step.

    Attributes:
        discriminate: Function of samples `(batch, ...)` to logits `(batch,)`. It leaves the
            discriminator's batch statistics and seeds alone. Where that gives a map, the logit of
            a sample is the mean over its patches.
        real: Real samples, as the discriminator sees them.
        fake: Generated samples, as the discriminator sees them.
        seed: Two integers, fresh in each step.
        weights: The player's trainable weights.
        state: What the penalty keeps from step to step, a constant in the gradient.
    """

    discriminate: Callable
    real: tf.Tensor
    fake: tf.Tensor
    seed: tf.Tensor
    weights: tuple = ()
    state: tuple = ()


class Penalty(Recorded):
    """A term of a player's loss, per example.

    Args:
        weight: float, at least 0.
        every: int. Steps from one computation to the next.

    Raises:
        ValueError: If the weight is negative or `every` is not positive.

    Attributes:
        players: Those in whose loss it has a meaning.
        measures_slope: bool. Whether it needs a discriminator that treats examples apart.
    """

    players = ("discriminator",)
    measures_slope = True

    def __init__(self, weight, every=1):
        check_not_negative(weight=weight)
        check_positive(every=every)
        self.weight = weight
        self.every = every

    def state_shapes(self, shapes):
        """Shapes of what it keeps from step to step, given those of the player's weights."""
        return []

    def next_state(self, state, weights):
        """The state of this step, from that of the step before and the weights before the step."""
        return state

    def value(self, position):
        """The penalty without its weight: `(batch,)`, from a `Position`."""
        raise NotImplementedError(f"{type(self).__name__} has to define value")

    def __call__(self, position, step):
        """The weighted penalty `(batch,)` in this step, or zeros where the step is not due."""

        def due():
            return self.weight * self.every * self.value(position)

        if self.every == 1:
            return due()
        zeros = tf.zeros(tf.shape(position.fake)[:1], position.fake.dtype)
        now = tf.equal(step % self.every, 0)
        if replicas.count() > 1:  # They cannot meet inside a branch.
            return tf.where(now, due(), zeros)
        return tf.cond(now, due, lambda: zeros)


def squared_gradient_norm(function, samples):
    """`||d function(x) / dx||^2` for each example: `(batch,)`.

    Summing the logits first gives each example its own gradient as long as the function treats
    examples apart, which batch normalization does not.
    """
    with tf.GradientTape() as tape:
        tape.watch(samples)
        total = tf.reduce_sum(function(samples))
    gradient = tape.gradient(total, samples)
    return tf.reduce_sum(tf.square(gradient), axis=list(range(1, len(samples.shape))))


@keras.saving.register_keras_serializable(package="zoo")
class R1(Penalty):
    """`weight / 2 * ||grad D(x)||^2` on real samples.

    Reference:
        - [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), equation 9.
    """

    def __init__(self, weight=10.0, every=1):
        super().__init__(weight, every)

    def value(self, position):
        return squared_gradient_norm(position.discriminate, position.real) / 2.0


@keras.saving.register_keras_serializable(package="zoo")
class R2(R1):
    """`weight / 2 * ||grad D(G(z))||^2` on generated samples.

    Reference:
        - [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), equation 10.
    """

    def value(self, position):
        return squared_gradient_norm(position.discriminate, position.fake) / 2.0


def _shares(samples, seed):
    """One draw from U(0, 1) an example, to multiply samples with."""
    shape = (tf.shape(samples)[0], *(1 for _ in samples.shape[1:]))
    return tf.cast(random.uniform(shape, seed), samples.dtype)


@keras.saving.register_keras_serializable(package="zoo")
class GradientPenalty(Penalty):
    """`weight * (||grad D(x_hat)|| - 1)^2`, `x_hat` uniform on the line from a fake to a real.

    Every example has its own point and its own norm.

    Args:
        weight: float, at least 0.
        every: int. Steps from one computation to the next.
        one_sided: bool. Penalises slopes above 1 only: `max(0, ||grad|| - 1)^2`.

    Reference:
        - [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), equation 3 and section 4.
    """

    def __init__(self, weight=10.0, every=1, one_sided=False):
        super().__init__(weight, every)
        self.one_sided = one_sided

    def points(self, position):
        """Where the slope is measured: samples like the real ones."""
        share = _shares(position.real, position.seed)
        return share * position.real + (1.0 - share) * position.fake

    def value(self, position):
        norm = tf.sqrt(squared_gradient_norm(position.discriminate, self.points(position)) + TINY)
        excess = tf.nn.relu(norm - 1.0) if self.one_sided else norm - 1.0
        return tf.square(excess)


@keras.saving.register_keras_serializable(package="zoo")
class DRAGAN(GradientPenalty):
    """The gradient penalty around the data: `x_hat = x + a u std(x) / 2`, `a, u` from U(0, 1).

    `a` is one number an example, `u` one a coordinate, and the deviation is that of the whole
    batch, whichever replicas its parts are on.

    Reference:
        - [Kodali et al., 2017](https://arxiv.org/abs/1705.07215), section 2.3, and its code.
    """

    def points(self, position):
        real = position.real
        share = _shares(real, random.fold(position.seed, 0))
        noise = random.uniform(tf.shape(real), random.fold(position.seed, 1))
        noise = tf.cast(noise, real.dtype)
        return real + share * noise * replicas.deviation(real) / 2.0


@keras.saving.register_keras_serializable(package="zoo")
class HistoricalAveraging(Penalty):
    """`weight * ||theta - mean_t||^2`, with `mean_t = (theta_1 + ... + theta_t) / t`.

    `theta_i` are the player's weights before its i-th step, so that the mean includes the present
    ones; it is a constant in the gradient, which is `2 weight (theta - mean_t)`. A player that
    circles is drawn to the middle of its circle. The mean is saved with the trainer.

    This is not `ema_decay`: an exponential moving average watches the training and draws samples;
    this changes the training, and its mean forgets nothing, so a large weight holds a player back.

    Args:
        weight: float, at least 0. The paper gives none; the best one grows as the steps shrink.
        every: int. Steps from one computation to the next.

    Reference:
        - [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 3.3.
    """

    players = ("generator", "discriminator")
    measures_slope = False

    def __init__(self, weight=0.1, every=1):
        super().__init__(weight, every)

    def state_shapes(self, shapes):
        return [(), *shapes]

    def next_state(self, state, weights):
        count, *means = state
        count = count + 1.0
        pairs = zip(means, weights, strict=True)
        return [count, *(m + (tf.cast(w, m.dtype) - m) / count for m, w in pairs)]

    def value(self, position):
        pairs = zip(position.weights, position.state[1:], strict=True)
        distance = sum(
            tf.reduce_sum(tf.square(tf.cast(w, m.dtype) - tf.stop_gradient(m))) for w, m in pairs
        )
        return tf.fill(tf.shape(position.fake)[:1], distance)
