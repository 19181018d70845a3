"""f-GAN: training by any f-divergence (Nowozin, Cseke and Tomioka, 2016)."""

import keras

from trainers import objectives
from trainers.gan import GAN


@keras.saving.register_keras_serializable(package="zoo")
class FGAN(GAN):
    """f-GAN: the generator minimises an f-divergence, the discriminator estimates it.

    Both players move at once, which is the paper's single-step method, on the bound
    `E g_f(v_real) - E f*(g_f(v_fake))`. Its batch means are logged as `divergence_estimate`, a
    lower bound of the divergence, in nats where that has a unit. `discriminator_real` and
    `discriminator_fake` are `u / (1 + u)` for the density ratio u that the logit implies;
    `js_estimate` is there for `"gan"` and `"jensen_shannon"`.

    Args:
        generator: As in `GAN`.
        discriminator: As in `GAN`. Its logit is the v of `T = g_f(v)`.
        divergence: Name, config or `trainers.divergences.Divergence`.
        generator_loss: `"replacement"` (section 3.2 of the paper) or `"exact"`.
        schedule: `"simultaneous"` or `"alternating"`.
        **kwargs: `discriminator_steps` and `seed` of `GAN`.

    Raises:
        ValueError: If an argument is unknown, or the players do not fit each other.

    Example:

    ```python
    import trainers, zoo

    gan = trainers.FGAN(zoo.DCGANGenerator(), zoo.DCGANDiscriminator(), "pearson", seed=0)
    gan.compile()
    gan.fit(zoo.datasets.load("mnist", batch_size=128), epochs=5)
    ```

    Reference:
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), algorithm 1.
    """

    def __init__(
        self,
        generator,
        discriminator,
        divergence="kl",
        generator_loss="replacement",
        schedule="simultaneous",
        **kwargs,
    ):
        bound = objectives.FDivergence(divergence, generator_loss)
        super().__init__(generator, discriminator, schedule=schedule, **kwargs)
        self.bound = bound
        self.trackers["divergence_estimate"] = keras.metrics.Mean(name="divergence_estimate")

    @property
    def divergence(self):
        """The `trainers.divergences.Divergence` that is played for."""
        return self.bound.divergence

    def compile(
        self, objective=None, generator_optimizer=None, discriminator_optimizer=None, **kwargs
    ):
        """As `GAN.compile`, with an objective that the divergence has already chosen.

        Args:
            objective: `None`, or an `objectives.FDivergence` equal to the trainer's.
            generator_optimizer: Keras optimizer or its name. Defaults to Adam(0.0002, 0.5).
            discriminator_optimizer: Likewise.
            **kwargs: The further arguments of `GAN.compile`.

        Raises:
            ValueError: If another objective is given.
        """
        objective = self.bound if objective is None else objectives.get(objective)
        if _config(objective) != _config(self.bound):
            raise ValueError(
                "`objective` is not that of the FGAN's divergence. Expected None, or another "
                f"trainer than FGAN with divergence={self.divergence.name!r} and generator_loss="
                f"{self.bound.generator!r}. Received: objective={type(objective).__name__} with "
                f"{objective.get_config()}"
            )
        super().compile(self.bound, generator_optimizer, discriminator_optimizer, **kwargs)

    def track_discriminator(self, losses, real, fake):
        super().track_discriminator(losses, real, fake)
        bound = self.objective.bound(real.logits, fake.logits)
        self.trackers["divergence_estimate"].update_state(bound)


def _config(objective):
    return type(objective), objective.get_config()
