"""Terms added to the discriminator's loss: how steep it may be, and where.

Each is per example and is multiplied by its weight. `every=n` computes it in every n-th step only
and multiplies it by n there (lazy regularisation, Karras et al., 2020, appendix B), so that its
mean over the steps is the same.
"""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf

from zoo import latents
from zoo.players import check_positive

TINY = 1e-12  # Under the root: the gradient of a norm at 0 would be infinite.


@dataclasses.dataclass
class Position:
    """What a penalty sees of a discriminator's step.

    Attributes:
        discriminate: Function of samples `(batch, ...)` to logits `(batch,)`. It leaves the
            discriminator's batch statistics and seeds alone.
        real: Real samples, as the discriminator sees them.
        fake: Generated samples, as the discriminator sees them.
        seed: Two integers, fresh in each step.
    """

    discriminate: Callable
    real: tf.Tensor
    fake: tf.Tensor
    seed: tf.Tensor


class Penalty:
    """A term of the discriminator's loss, per example.

    Args:
        weight: float, at least 0.
        every: int. Steps from one computation to the next.

    Raises:
        ValueError: If the weight is negative or `every` is not positive.
    """

    def __init__(self, weight, every=1):
        if not weight >= 0:
            raise ValueError(
                "A penalty is added to what is minimised. Expected a weight of at least 0. "
                f"Received: weight={weight}"
            )
        check_positive(every=every)
        self.weight = weight
        self.every = every

    def value(self, position):
        """The penalty without its weight: `(batch,)`, from a `Position`."""
        raise NotImplementedError(f"{type(self).__name__} has to define value")

    def __call__(self, position, step):
        """The weighted penalty `(batch,)` in this step, or zeros where the step is not due."""

        def due():
            return self.weight * self.every * self.value(position)

        if self.every == 1:
            return due()
        zeros = tf.zeros(tf.shape(position.real)[:1], position.real.dtype)
        return tf.cond(tf.equal(step % self.every, 0), due, lambda: zeros)

    def get_config(self):
        """The constructor's arguments."""
        return {"weight": self.weight, "every": self.every}

    @classmethod
    def from_config(cls, config):
        """The inverse of `get_config`."""
        return cls(**config)


def squared_gradient_norm(function, samples):
    """`||d function(x) / dx||^2` for each example: `(batch,)`.

    Summing the logits first gives each example its own gradient as long as the function treats
    examples apart, which batch normalisation does not.
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
    return tf.cast(latents.uniform(shape, seed), samples.dtype)


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

    def get_config(self):
        return {**super().get_config(), "one_sided": self.one_sided}


@keras.saving.register_keras_serializable(package="zoo")
class DRAGAN(GradientPenalty):
    """The gradient penalty around the data: `x_hat = x + a u std(x) / 2`, `a, u` from U(0, 1).

    `a` is one number an example, `u` one a coordinate, and the deviation is that of the batch.

    Reference:
        - [Kodali et al., 2017](https://arxiv.org/abs/1705.07215), section 2.3, and its code.
    """

    def points(self, position):
        real = position.real
        share = _shares(real, latents.fold(position.seed, 0))
        noise = latents.uniform(tf.shape(real), latents.fold(position.seed, 1))
        noise = tf.cast(noise, real.dtype)
        return real + share * noise * tf.math.reduce_std(real) / 2.0
