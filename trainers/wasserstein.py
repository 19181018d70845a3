"""Wasserstein GAN with a clipped critic (Arjovsky et al., 2017), and with a gradient penalty."""

import keras
import tensorflow as tf

from trainers.gan import GAN
from trainers.penalties import GradientPenalty
from trainers.steps import checks
from trainers.steps.state import State
from zoo.validation import check_flag, check_number

WARM_UP_STEPS, WARM_UP_MOVES, REFRESH_EVERY = 100, 25, 500


class _Wasserstein(GAN):
    """What WassersteinGAN and WassersteinGANGP share: objective, optimizers, logged estimate."""

    bounds_slope = True

    def __init__(self, generator, discriminator, discriminator_steps=5, **kwargs):
        super().__init__(generator, discriminator, discriminator_steps, **kwargs)
        name = "wasserstein_estimate"
        self.trackers[name] = keras.metrics.Mean(name)

    def default_optimizer(self):
        """Of both players, where `compile` is given none."""
        raise NotImplementedError

    def compile(
        self,
        objective="wasserstein",
        generator_optimizer=None,
        discriminator_optimizer=None,
        **kwargs,
    ):
        """As `GAN.compile`, with the paper's objective and optimizers where none are given."""
        if generator_optimizer is None:
            generator_optimizer = self.default_optimizer()
        if discriminator_optimizer is None:
            discriminator_optimizer = self.default_optimizer()
        super().compile(objective, generator_optimizer, discriminator_optimizer, **kwargs)

    def track_discriminator(self, losses, real, fake):
        super().track_discriminator(losses, real, fake)
        self.trackers["wasserstein_estimate"].update_state(real.logits - fake.logits)


@keras.saving.register_keras_serializable(package="zoo")
class WassersteinGAN(_Wasserstein):
    """The critic estimates a Wasserstein distance, its weights clipped after each of its steps.

    `max E f(x) - E f(G(z))` over critics f whose weights lie in `[-clip, clip]`: those are
    K-Lipschitz for some K, and the maximum is at most `K W_1(data, generator)`. It is logged as
    `wasserstein_estimate`: it falls as samples become better, while K, and so its unit, depends on
    the critic. Clipping covers every trainable weight, also batch normalization's.

    Args:
        generator: A `zoo.Generator`, or a built Keras model from latents to samples.
        discriminator: The critic: a `zoo.Discriminator`, or a built Keras model from samples to one
            number, without a sigmoid.
        clip: Positive float. The paper's c.
        discriminator_steps: int, or a stopping rule, as in `GAN`.
        warm_up: bool. As the authors' code: the generator waits until its critic has had 100 steps
            before each of its first 25 moves, and before every 500th.
        **kwargs: `schedule` and `seed` of `GAN`.

    Raises:
        ValueError: If `clip` is not positive, `warm_up` meets a stopping rule or simultaneous
            steps, or as `GAN`.

    `compile` defaults to RMSprop(0.00005) for both.

    Reference:
        - [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), algorithm 1. The authors' code
          clips before the update; the algorithm, and this, after it.
    """

    def __init__(
        self, generator, discriminator, clip=0.01, discriminator_steps=5, warm_up=False, **kwargs
    ):
        check_number("a positive number", clip=clip)
        check_flag(warm_up=warm_up)
        if not clip > 0:
            raise ValueError(
                "`clip` is not positive. Expected a positive number: weights are clipped to "
                f"[-clip, clip]. Received: clip={clip}"
            )
        super().__init__(generator, discriminator, discriminator_steps, **kwargs)
        if warm_up and (self.stopping_rule or self.schedule == "simultaneous"):
            raise ValueError(
                "`warm_up` cannot be combined with a stopping rule or simultaneous steps. Expected "
                "warm_up=False, or a number of discriminator_steps and schedule='alternating'. "
                "Received: warm_up=True, "
                f"discriminator_steps={discriminator_steps}, schedule={self.schedule!r}"
            )
        self.clip = clip
        self.warm_up = warm_up
        self.waited = State([()])  # The critic's steps since the generator's last.

    def default_optimizer(self):
        return keras.optimizers.RMSprop(5e-5)

    def check_compilation(self, compilation):
        super().check_compilation(compilation)
        if self.warm_up:
            checks.refuse_waiting(self, "warm_up", self.warm_up)

    def apply_discriminator(self, gradients):
        super().apply_discriminator(gradients)
        for weight in self.discriminator.trainable_variables:
            weight.assign(tf.clip_by_value(weight, -self.clip, self.clip))

    def generator_step_when_due(self, real, labels, key, discriminator_loss):
        if not self.warm_up:
            super().generator_step_when_due(real, labels, key, discriminator_loss)
            return
        waited = self.waited.values[0] + self.discriminator_steps_per_batch
        moves = self.generator_optimizer.iterations.value
        long = (moves < WARM_UP_MOVES) | tf.equal(moves % REFRESH_EVERY, 0)
        due = ~long | (waited >= WARM_UP_STEPS)
        self.waited.advance([tf.where(due, 0.0, waited)])
        self.generator_step_if(due, real, labels, key)


@keras.saving.register_keras_serializable(package="zoo")
class WassersteinGANGP(_Wasserstein):
    """The critic estimates a Wasserstein distance, its slope held near 1 by a penalty.

    The critic minimises `E f(G(z)) - E f(x) + weight E (||grad f(x_hat)|| - 1)^2`, each `x_hat`
    uniform on the line between a real and a generated sample, and each critic step has real
    samples, latents and points of its own. `wasserstein_estimate` is `E f(x) - E f(G(z))`, near
    `W_1` in the samples' unit as far as the slope is 1. The critic should have no batch
    normalization, because the penalty is of single examples.

    Args:
        generator: A `zoo.Generator`, or a built Keras model from latents to samples.
        discriminator: The critic: a `zoo.Discriminator`, or a built Keras model from samples to one
            number, without a sigmoid.
        weight: float, at least 0. The paper's lambda; it took 0.1 on toy data.
        discriminator_steps: int, or a stopping rule, as in `GAN`.
        one_sided: bool. Punishes slopes above 1 only.
        **kwargs: `schedule` and `seed` of `GAN`.

    Raises:
        ValueError: If the weight is negative, or as `GAN`.

    `compile` defaults to Adam(0.0001, beta_1=0, beta_2=0.9) for both.

    Reference:
        - [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), algorithm 1.
    """

    def __init__(
        self,
        generator,
        discriminator,
        weight=10.0,
        discriminator_steps=5,
        one_sided=False,
        **kwargs,
    ):
        penalty = GradientPenalty(weight, one_sided=one_sided)
        super().__init__(generator, discriminator, discriminator_steps, **kwargs)
        self.slope_penalty = penalty

    def default_optimizer(self):
        return keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9)

    def own_penalties(self):
        return {**super().own_penalties(), "discriminator": (self.slope_penalty,)}
