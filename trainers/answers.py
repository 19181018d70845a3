"""What the logs say of a discriminator: its answers, and its estimate of a divergence."""

import math

import tensorflow as tf


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


def probabilities(real_logits, fake_logits):
    """`D = sigmoid(v)` of both."""
    return tf.sigmoid(real_logits), tf.sigmoid(fake_logits)
