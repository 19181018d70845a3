"""Historical averaging: Improved Techniques for Training GANs (Salimans et al., 2016)."""

import keras

from trainers.gan import GAN
from trainers.penalties import HistoricalAveraging


@keras.saving.register_keras_serializable(package="zoo")
class HistoricalAveragingGAN(GAN):
    """Both players pay for the distance to the running mean of their own weights.

    Each adds `weight * ||theta - mean_t||^2` to its loss, with the mean of all its weights so far
    held constant in the gradient: see `trainers.penalties.HistoricalAveraging`, which `compile`
    takes for one player alone. It is not `ema_decay`, which averages without changing the game.

    Args:
        generator: A `zoo.Generator`, or a built Keras model from latents to samples.
        discriminator: A `zoo.Discriminator`, or a built Keras model from samples to one logit.
        weight: float, at least 0. The paper's is unknown; 0 is `GAN`.
        **kwargs: `discriminator_steps`, `schedule` and `seed` of `GAN`.

    Raises:
        ValueError: If the weight is negative, or as `GAN`.

    Reference:
        - [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 3.3.
    """

    def __init__(self, generator, discriminator, weight=0.1, **kwargs):
        HistoricalAveraging(weight)  # Raises here, before any work.
        super().__init__(generator, discriminator, **kwargs)
        self.weight = weight

    def own_penalties(self):
        term = HistoricalAveraging(self.weight)
        return {"generator": (term,), "discriminator": (term,)}
