"""Consensus optimisation: The Numerics of GANs (Mescheder, Nowozin and Geiger, 2017)."""

import keras
import tensorflow as tf

from trainers.gan import GAN
from trainers.steps import checks
from zoo import replicas
from zoo.validation import check_not_negative


@keras.saving.register_keras_serializable(package="zoo")
class ConsensusGAN(GAN):
    """Both players also descend the size of the joint vector field.

    With `g = (grad_G loss_G, grad_D loss_D)` and `L = ||g||^2 / 2`, each player's step is along
    `g + weight * grad L`, the second gradient taken over all variables of both players, at the
    same point and applied together. The game may circle around an equilibrium; this pulls it in.
    `weight=0` is the simultaneous step.

    Second derivatives of ReLU are zero almost everywhere; the norm over one batch overestimates
    the norm of the mean; and with a large weight saddle points attract too.

    Args:
        generator: A `zoo.Generator`, or a built Keras model from latents to samples.
        discriminator: A `zoo.Discriminator`, or a built Keras model from samples to one logit.
        weight: float, at least 0. The paper's gamma: 10 on rings and faces, 0.1 on CIFAR-10.
        seed: int. All draws of the run are functions of (seed, step, row).

    Raises:
        ValueError: If the weight is negative, or as `GAN`.

    Reference:
        - [Mescheder et al., 2017](https://arxiv.org/abs/1705.10461), algorithm 2.
    """

    second_order = True

    def __init__(self, generator, discriminator, weight=10.0, seed=0, **kwargs):
        check_not_negative(weight=weight)
        checks.refuse_schedule(type(self), "simultaneous", kwargs)
        super().__init__(generator, discriminator, schedule="simultaneous", seed=seed, **kwargs)
        self.weight = weight

    def warn(self, compilation):
        super().warn(compilation)
        if self.weight:
            checks.warn_of_moments(self.generator, self.discriminator)

    def simultaneous_gradients(self, real, labels, key):
        if self.weight == 0:
            return super().simultaneous_gradients(real, labels, key)
        d_variables = self.discriminator.trainable_variables
        g_variables = self.generator.trainable_variables
        d_scale = self.discriminator_optimizer.scale_loss(tf.constant(1.0))
        g_scale = self.generator_optimizer.scale_loss(tf.constant(1.0))
        with tf.GradientTape() as tape:
            d_gradients, g_gradients = super().simultaneous_gradients(real, labels, key)
            size = self.weight * (_size(d_gradients, d_scale) + _size(g_gradients, g_scale))
        d_pull, g_pull = tape.gradient(size, (d_variables, g_variables))
        return _pulled(d_gradients, d_pull, d_scale), _pulled(g_gradients, g_pull, g_scale)


def _size(gradients, scale):
    """Half the squared length of the field v, as far as its gradient `J^T v` goes.

    Here v is the mean over the replicas, of whose Jacobian J each has its own part.
    """
    field = [g / tf.cast(scale, g.dtype) for g in gradients if g is not None]
    means = [tf.stop_gradient(v) for v in replicas.mean(field)]
    pairs = zip(field, means, strict=True)
    return sum(tf.cast(tf.reduce_sum(g * v), "float32") for g, v in pairs)


def _pulled(gradients, pulls, scale):
    """`g + scale * pull`; where the field does not depend on a variable, there is no pull."""
    pairs = zip(gradients, pulls, strict=True)
    return [g if pull is None else g + tf.cast(scale, g.dtype) * pull for g, pull in pairs]
