"""Affine maps of many members at once: what an ensemble spends its time on.

A member's rows stand in columns: `x` is `(members, features, rows)`. So the rows are neighbours in
memory, and all that follows a product (a bias, an activation, its derivative) is one pass over
them in the order of their place.
"""

import numpy as np
import tensorflow as tf

GATHERED = 2**14  # Numbers of a matrix that is turned by gathering them.


def product(kernel, x):
    """`W' x` of each member: `(m, inputs, units)` and `(m, inputs, rows)` to `(m, units, rows)`."""
    return _product(tf.convert_to_tensor(kernel), x)


@tf.custom_gradient
def _product(kernel, x):
    kernel, x = tf.identity(kernel), tf.identity(x)
    inputs, units = kernel.shape[1:]
    if inputs == 1:
        made = x * tf.reshape(kernel, (-1, units, 1))
    elif units == 1:
        made = tf.reduce_sum(x * kernel, axis=1, keepdims=True)
    else:
        made = tf.matmul(_laid_out_turned(kernel), x)
    return made, lambda upstream: (_outer(x, upstream), _back(kernel, upstream))


@tf.custom_gradient
def _back(kernel, x):
    """`W x` of each member: `(m, inputs, units)` and `(m, units, rows)` to `(m, inputs, rows)`."""
    kernel, x = tf.identity(kernel), tf.identity(x)
    inputs, units = kernel.shape[1:]
    if inputs == 1:
        made = tf.reduce_sum(x * tf.reshape(kernel, (-1, units, 1)), axis=1, keepdims=True)
    elif units == 1:
        made = x * kernel
    else:
        made = tf.matmul(kernel, x)
    return made, lambda upstream: (_outer(upstream, x), _product(kernel, upstream))


def _outer(x, upstream):
    return tf.einsum("mir,mor->mio", x, upstream)


def _laid_out_turned(kernel):
    """Each member's matrix turned, in memory too.

    XLA would join a transposition and the product into one of a matrix that lies the other way,
    which takes twice as long; into a gathering of its numbers it does not see.
    """
    inputs, units = kernel.shape[1:]
    if inputs * units > GATHERED:
        return tf.transpose(kernel, (0, 2, 1))
    order = np.arange(inputs * units).reshape(inputs, units).T.ravel()
    numbers = tf.gather(tf.reshape(kernel, (-1, inputs * units)), order, axis=1)
    return tf.reshape(numbers, (-1, units, inputs))


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
