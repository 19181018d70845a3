"""Objective: what a pair of losses has to be, and what it says of its logits."""

from zoo.players.recorded import Recorded


def check_logits(real_logits, fake_logits):
    """Raises a `ValueError` unless both have the shape `(batch,)`."""
    for name, logits in (("real_logits", real_logits), ("fake_logits", fake_logits)):
        if len(logits.shape) != 1:
            raise ValueError(
                f"`{name}` are not one a sample. Expected shape (batch,), so that nothing is "
                f"broadcast by accident. Received: {name} of shape {tuple(logits.shape)}"
            )


class Objective(Recorded):
    """Two pure functions of the logits: what the discriminator and the generator minimise.

    A subclass overrides both losses and is registered with
    `keras.saving.register_keras_serializable`; the arguments of its constructor are kept.

    Attributes:
        needs_bounded_slope: bool. Whether the discriminator's loss has a minimum only over
            discriminators whose slope something bounds.
        estimates_js: bool. Whether `js_estimate` of its logits is one, which is then logged.
    """

    needs_bounded_slope = False
    estimates_js = False

    def discriminator_loss(self, real_logits, fake_logits):
        """The discriminator's loss per example.

        Args:
            real_logits: float tensor `(batch,)`. Logits of real samples.
            fake_logits: float tensor `(batch,)`. Logits of generated samples.

        Returns:
            float tensor `(batch,)`, to be averaged by the caller.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define discriminator_loss")

    def generator_loss(self, real_logits, fake_logits):
        """The generator's loss per example; arguments and result as `discriminator_loss`."""
        raise NotImplementedError(f"{type(self).__name__} has to define generator_loss")

    def answers(self, real_logits, fake_logits):
        """What the discriminator says of both kinds, to be logged: here its logits themselves."""
        return real_logits, fake_logits

    def optimal_logit(self, log_ratio):
        """The optimal discriminator's logit, from `r = log p/q` of data and generator densities.

        Raises:
            ValueError: If the optimum at a sample is no function of the densities there.
        """
        raise ValueError(
            "`objective` has no optimal discriminator that is a function of the two densities at a "
            f"sample alone. Expected another objective. Received: objective={type(self).__name__}"
        )
