"""Packing: the discriminator judges several samples together, so that it sees how much they vary.

Of m samples `x_1 ... x_m` of one side it says whether they are all real or all generated:
`max_D E log D(x_1, ..., x_m) + E log(1 - D(G(z_1), ..., G(z_m)))`. A generator that makes one
sample again and again is caught at once. Everything after it (objectives, penalties, features) has
packs for examples; the generator, the data and what perturbs samples know nothing of it.

Reference:
    - [Lin, Khetan, Fanti and Oh, 2018](https://arxiv.org/abs/1712.04086), PacGAN: the power of two
      samples in generative adversarial networks, section 3.
"""

import tensorflow as tf


def pack(samples, packing):
    """Packs of samples, joined along their last axis: `(n, ..., c)` to `(n / m, ..., m c)`.

    Pack i has rows `i m ... i m + m - 1`, one after the other in its channels. Rows that make no
    whole pack are left out.

    Args:
        samples: Tensor `(n, ..., c)`.
        packing: int, m. Of 1, the samples are returned as they are.
    """
    if packing == 1:
        return samples
    shape = samples.shape[1:]
    whole = (samples.shape[0] or tf.shape(samples)[0]) // packing * packing
    packs = tf.reshape(samples[:whole], (-1, packing, *shape))
    order = (0, *range(2, len(shape) + 1), 1, len(shape) + 1)
    return tf.reshape(tf.transpose(packs, order), (-1, *shape[:-1], packing * shape[-1]))


def check(traits, shape, packing):
    """Raises a `ValueError` if a discriminator of samples of a shape cannot judge packs.

    Args:
        traits: `zoo.players.Traits` of the generator.
        shape: Of what the discriminator sees.
        packing: int.
    """
    wanted = (*traits.image_shape[:-1], packing * traits.image_shape[-1])
    if shape != wanted:
        raise ValueError(
            f"`discriminator` cannot see packs of {packing} samples, which are joined along their "
            f"last axis. Expected one of {wanted}. Received: a generator of {traits.image_shape} "
            f"and a discriminator of {shape}"
        )
    if traits.condition is not None:
        raise ValueError(
            "`packing` has no meaning for a conditional generator: a pack would have several "
            f"labels, and its discriminator takes one. Expected packing=1. Received: {packing=}"
        )
