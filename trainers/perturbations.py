"""What the discriminator gets to see: instance noise and exchanged labels, decaying over time.

A perturbation acts on what the players train with, never on the samples that a user draws.
"""

import keras
import tensorflow as tf

from zoo import random
from zoo.players.recorded import Recorded
from zoo.validation import check_number


def _at(scale, step):
    """A number, or a schedule's value at this step."""
    if isinstance(scale, keras.optimizers.schedules.LearningRateSchedule):
        return tf.cast(scale(step), "float32")
    return tf.cast(scale, "float32")


class Perturbation(Recorded):
    """A change of the samples, or of which of them are called real.

    Args:
        scale: float, at least 0, or a `keras.optimizers.schedules.LearningRateSchedule` of the
            training step.

    Raises:
        ValueError: If the scale is negative.
    """

    highest = float("inf")

    def __init__(self, scale):
        schedule = isinstance(scale, keras.optimizers.schedules.LearningRateSchedule)
        if not schedule:
            check_number("a number of at least 0, or a schedule", scale=scale)
            scale = float(scale)
        if not schedule and not 0 <= scale <= self.highest:
            raise ValueError(
                f"`scale` of {type(self).__name__} is out of range. Expected a number from 0 to "
                f"{self.highest:g}, or a schedule. Received: scale={scale}"
            )
        self.scale = scale

    def samples(self, samples, seed, step):
        """The samples as the discriminator sees them; called for real and for generated ones."""
        return samples

    def logits(self, real_logits, fake_logits, seed, step):
        """The logits as the discriminator's loss takes them: of a map, those of each patch."""
        return real_logits, fake_logits


@keras.saving.register_keras_serializable(package="zoo")
class InstanceNoise(Perturbation):
    """Adds N(0, scale^2) to every coordinate of real and generated samples, in both steps.

    Two distributions that do not overlap do so with noise, and the discriminator then has a slope
    to give; the noise is to decay to 0. Its scale is in units of the generator's value range.

    Reference:
        - [Arjovsky and Bottou, 2017](https://arxiv.org/abs/1701.04862), section 3.
        - [Sonderby et al., 2017](https://arxiv.org/abs/1610.04490), section 3.2.
    """

    def samples(self, samples, seed, step):
        return samples + _at(self.scale, step) * random.normal(tf.shape(samples), seed)


@keras.saving.register_keras_serializable(package="zoo")
class LabelFlips(Perturbation):
    """Exchanges real and generated samples with probability `scale`, for the discriminator alone.

    Each side then gets the other's label with this probability, and the optimum shrinks to
    `(1 - scale) D* + scale (1 - D*)`.

    Reference:
        - [Arjovsky and Bottou, 2017](https://arxiv.org/abs/1701.04862), section 3, for the aim.
    """

    highest = 1.0

    def logits(self, real_logits, fake_logits, seed, step):
        flipped = random.uniform(tf.shape(real_logits), seed) < _at(self.scale, step)
        return (
            tf.where(flipped, fake_logits, real_logits),
            tf.where(flipped, real_logits, fake_logits),
        )
