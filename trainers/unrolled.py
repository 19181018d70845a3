"""Unrolled GAN (Metz, Poole, Pfau and Sohl-Dickstein, 2017)."""

import keras
import tensorflow as tf

from trainers.gan import GAN
from trainers.steps import checks, differentiable_optimizers, regularization
from zoo import replicas
from zoo.validation import check_integer


@keras.saving.register_keras_serializable(package="zoo")
class UnrolledGAN(GAN):
    """The generator's step looks at the discriminator after its next few steps.

    The generator descends `f(theta_G, theta_D^K)`, where `theta_D^0 = theta_D` and `theta_D^(k+1)`
    is what the discriminator's optimizer would make of `theta_D^k`, on the same real and generated
    samples, with its moments, its schedule and the constraints of the weights. The gradient flows
    through all K steps. They are not kept: the discriminator and its optimizer are as they were.
    `unroll_steps=0` is `GAN`, bit for bit.

    Args:
        generator: A `zoo.Generator`, or a built Keras model from latents to samples.
        discriminator: A `zoo.Discriminator`, or a built Keras model from samples to one logit.
        unroll_steps: int, at least 0. The K; time and memory of a step grow with it.
        discriminator_steps: int. Real steps of the discriminator for each of the generator.
        seed: int. All draws of the run are functions of (seed, step, row).

    Raises:
        ValueError: If `unroll_steps` is negative, or as `GAN`; when compiled, if the
            discriminator's optimizer is neither SGD nor Adam, or clips, decays, accumulates
            gradients or writes averages over the weights.

    Reference:
        - [Metz et al., 2017](https://arxiv.org/abs/1611.02163), section 2, equations 4 to 7.
    """

    second_order = True

    def __init__(
        self, generator, discriminator, unroll_steps=5, discriminator_steps=1, seed=0, **kwargs
    ):
        check_integer(0, 1000, unroll_steps=unroll_steps)  # Each is a copy in the graph.
        checks.refuse_schedule(type(self), "alternating", kwargs)
        super().__init__(
            generator, discriminator, discriminator_steps=discriminator_steps, seed=seed, **kwargs
        )
        self.unroll_steps = unroll_steps

    def check_compilation(self, compilation):
        super().check_compilation(compilation)
        if self.unroll_steps:
            differentiable_optimizers.check(compilation.optimizers["discriminator"])

    def warn(self, compilation):
        super().warn(compilation)
        if self.unroll_steps:
            checks.warn_of_moments(self.discriminator)

    def generator_views(self, real, fake, labels, key):
        """The discriminator's views at `theta_D^K(theta_G, theta_D)`: `f_K` of equation 7."""
        if not self.unroll_steps:
            return super().generator_views(real, fake, labels, key)
        weights = self.unrolled_weights(real, fake, labels, key)
        with self.discriminator_at(weights):
            return self.views(real, fake, labels, training=True)

    def unrolled_weights(self, real, fake, labels, key):
        """The discriminator's weights after K steps of its optimizer, as tensors.

        `theta_D^0 = theta_D`, `theta_D^(k+1) = theta_D^k + eta^k df(theta_G, theta_D^k)/dtheta_D^k`
        (equations 4 and 5), where f is the negative of the discriminator's loss and eta the step
        that its optimizer takes, moments included.

        Args:
            real: Real samples, as the discriminator sees them.
            fake: Generated samples, through which the gradient flows back to the generator.
            labels: int32 `(batch,)` or `None`.
            key: The move's `Key`.

        Returns:
            A list of tensors, one for each trainable variable of the discriminator.
        """
        variables = self.discriminator.trainable_variables
        weights = [tf.convert_to_tensor(v) for v in variables]
        optimizer = differentiable_optimizers.optimizer(self.discriminator_optimizer, variables)
        for _ in range(self.unroll_steps):
            with tf.GradientTape() as tape:
                tape.watch(weights)
                with self.discriminator_at(weights):
                    views = self.views(real, fake, labels, training=True)
                    own = regularization.of_weights(self.discriminator)
                own += sum(view.added for view in views)
                losses = self.discriminator_losses(*views, key)
                penalty = self.penalty_at("discriminator", weights, real, fake, labels, key)
                loss = tf.reduce_mean(losses + penalty) + own
            gradients = replicas.mean(tape.gradient(loss, weights))
            weights = optimizer.step(weights, gradients)
        return weights
