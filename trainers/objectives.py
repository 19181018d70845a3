"""What each player minimises, per example, from logits (Goodfellow et al., 2014).

`v` is the discriminator's logit and `D = sigmoid(v)` its probability that a sample is real.
"""

import math

import keras
import tensorflow as tf

from zoo.names import nearest


def _check(real_logits, fake_logits):
    for name, logits in (("real_logits", real_logits), ("fake_logits", fake_logits)):
        if len(logits.shape) != 1:
            raise ValueError(
                "Losses are per example. Expected logits of shape (batch,), so that nothing is "
                f"broadcast by accident. Received: {name} of shape {tuple(logits.shape)}"
            )


class Objective:
    """Two pure functions of the logits: what the discriminator and the generator minimise.

    A subclass overrides both losses, is registered with
    `keras.saving.register_keras_serializable`, and keeps constructor arguments in `get_config`.
    """

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

    def get_config(self):
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The inverse of `get_config`."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="zoo")
class Minimax(Objective):
    """The two-player game with value `V = E log D(x) + E log(1 - D(G(z)))`.

    The discriminator minimises `-V`, the generator `E log(1 - D(G(z)))`. When the discriminator
    wins, `d loss / dv = -D` goes to 0: the generator's loss saturates.

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), equation 1.
    """

    def discriminator_loss(self, real_logits, fake_logits):
        """`-log D(x) - log(1 - D(G(z))) = softplus(-v_real) + softplus(v_fake)`."""
        _check(real_logits, fake_logits)
        return tf.nn.softplus(-real_logits) + tf.nn.softplus(fake_logits)

    def generator_loss(self, real_logits, fake_logits):
        """`log(1 - D(G(z))) = -softplus(v_fake)`."""
        _check(real_logits, fake_logits)
        return -tf.nn.softplus(fake_logits)


@keras.saving.register_keras_serializable(package="zoo")
class NonSaturating(Minimax):
    """Minimax for the discriminator; the generator minimises `-E log D(G(z))`.

    The game has the same fixed point, and `d loss / dv = -(1 - D)` stays near -1 while the
    discriminator wins.

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 3.
    """

    def generator_loss(self, real_logits, fake_logits):
        """`-log D(G(z)) = softplus(-v_fake)`."""
        _check(real_logits, fake_logits)
        return tf.nn.softplus(-fake_logits)


OBJECTIVES = {"minimax": Minimax, "non_saturating": NonSaturating}


def get(objective):
    """An `Objective` from its name, its config, or itself.

    Raises:
        ValueError: If the name is unknown (the nearest known ones are offered), or the value is
            something else.
    """
    if isinstance(objective, Objective):
        return objective
    if isinstance(objective, dict):
        objective = keras.saving.deserialize_keras_object(objective)
        return get(objective)
    if isinstance(objective, str) and objective in OBJECTIVES:
        return OBJECTIVES[objective]()
    raise ValueError(
        f"Unknown objective. Expected one of {sorted(OBJECTIVES)}, or a trainers.objectives."
        f"Objective{nearest(objective, OBJECTIVES)}. Received: objective={objective!r}"
    )


def js_estimate(real_logits, fake_logits):
    """The discriminator's estimate of the Jensen-Shannon divergence, per example, in nats.

    `JS(p || q) >= log 2 + (E log D(x) + E log(1 - D(G(z)))) / 2`, with equality at the optimal
    discriminator; 0 where the players are equal, at most log 2 = 0.693 where the discriminator
    tells all samples apart.

    Args:
        real_logits: float tensor `(batch,)`.
        fake_logits: float tensor `(batch,)`.

    Returns:
        float tensor `(batch,)`, whose mean is the estimate.

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), theorem 1.
    """
    value = -tf.nn.softplus(-real_logits) - tf.nn.softplus(fake_logits)
    return math.log(2.0) + value / 2.0
