"""Affine maps of many members at once: what an ensemble spends its time on.

A member's rows stand in columns: `x` is `(members, features, rows)`. So the rows are neighbours in
memory, and all that follows a product (a bias, an activation, its derivative) is one pass over
them in the order of their place.
"""

import tensorflow as tf


def product(kernel, x):
    """`W' x` of each member: `(m, inputs, units)` and `(m, inputs, rows)` to `(m, units, rows)`."""
    return _with_gradient(tf.convert_to_tensor(kernel), x)


@tf.custom_gradient
def _with_gradient(kernel, x):
    kernel, x = tf.identity(kernel), tf.identity(x)

    def gradient(upstream):
        outer = tf.einsum("mir,mor->mio", x, upstream)
        return outer, product(turned(kernel), upstream)

    return _product(kernel, x), gradient


def _product(kernel, x):
    inputs, units = kernel.shape[1:]
    if inputs == 1:
        return x * turned(kernel)
    if units == 1:
        return tf.reduce_sum(x * kernel, axis=1, keepdims=True)
    return tf.einsum("mir,mio->mor", x, kernel)


def turned(x):
    """Each member's matrix with its axes the other way round.

    Not `tf.transpose`, whose derivative within a condition in a loop XLA refuses: the order of the
    axes is no constant there.
    """
    return tf.einsum("mab->mba", x)


def shifted(x, bias):
    """`x + b` of each member: `(m, units, rows)` and `(m, units)`.

    The derivative by the bias is a sum over neighbours in memory, for which XLA has no fast loop;
    as a product with ones it is one.
    """
    return _shifted(x, tf.convert_to_tensor(bias))


@tf.custom_gradient
def _shifted(x, bias):
    def gradient(upstream):
        ones = tf.ones((*upstream.shape[::2], 1), upstream.dtype)
        return upstream, tf.matmul(upstream, ones)[:, :, 0]

    return x + bias[:, :, None], gradient
