"""Layers that the players share and Keras does not have."""

import keras
import tensorflow as tf

from zoo import latents


@keras.saving.register_keras_serializable(package="zoo")
class Dropout(keras.layers.Dropout):
    """`keras.layers.Dropout` whose masks are the same in eager mode, in a graph and under XLA.

    Each unit is kept with probability `1 - rate` and then divided by it. Keras leaves the choice
    of the random numbers to TensorFlow, which draws others under XLA.
    """

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        keep = latents.uniform(tf.shape(inputs), self.seed_generator.next()) >= self.rate
        return tf.where(keep, inputs / (1.0 - self.rate), tf.zeros_like(inputs))


@keras.saving.register_keras_serializable(package="zoo")
class Maxout(keras.layers.Layer):
    """Maxout: each unit is the largest of several affine functions of the input.

    `h_i(x) = max_j (x . W[:, i, j] + b[i, j])`, `j` over the pieces.

    Args:
        units: Positive int. Number of outputs.
        pieces: Positive int. Affine functions a unit chooses from.
        kernel_initializer: Initializer of the kernel, as in `keras.layers.Dense`.

    Call arguments:
        inputs: `(batch, features)`.

    Returns:
        `(batch, units)`.

    Reference:
        - [Goodfellow et al., 2013](https://arxiv.org/abs/1302.4389), section 3.
    """

    def __init__(self, units, pieces=5, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.pieces = pieces
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        self.affine = keras.layers.Dense(
            self.units * self.pieces,
            kernel_initializer=self.kernel_initializer,
            dtype=self.dtype_policy,
            name="affine",
        )
        self.affine.build(input_shape)

    def call(self, inputs):
        pieces = keras.ops.reshape(self.affine(inputs), (-1, self.units, self.pieces))
        return keras.ops.max(pieces, axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "pieces": self.pieces,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@tf.custom_gradient
def concatenate(a, b):
    """`tf.concat([a, b], -1)` with derivatives of every order under XLA.

    TensorFlow's own gradient is a slice, whose second derivative XLA does not have, and a gradient
    penalty inside an unrolled or a consensus step asks for it.
    """
    return tf.concat([a, b], -1), lambda upstream: _split(upstream, a.shape[-1])


def _split(x, size):
    """The first `size` coordinates of the last axis, and the rest."""

    @tf.custom_gradient
    def split(x):
        parts = tf.split(x, [size, x.shape[-1] - size], -1)
        return parts, lambda *upstream: concatenate(*upstream)

    return split(x)


@keras.saving.register_keras_serializable(package="zoo")
class ConcatLabels(keras.layers.Layer):
    """Appends the one-hot label to the last axis, at every pixel when the input is an image.

    Call arguments:
        inputs: `(batch, features)` or `(batch, height, width, channels)`.
        one_hot: `(batch, num_classes)`.

    Returns:
        The input with `num_classes` more features or channels.

    Reference:
        - [Mirza and Osindero, 2014](https://arxiv.org/abs/1411.1784), section 3.2, for vectors;
          the conditional nets of [DCGAN](https://arxiv.org/abs/1511.06434), section 6.3, for
          images.
    """

    def call(self, inputs, one_hot):
        one_hot = keras.ops.cast(one_hot, inputs.dtype)
        if len(inputs.shape) == 4:
            _, height, width, _ = inputs.shape
            one_hot = keras.ops.tile(one_hot[:, None, None, :], (1, height, width, 1))
        return concatenate(inputs, one_hot)

    def compute_output_shape(self, inputs_shape, one_hot_shape):
        return (*inputs_shape[:-1], inputs_shape[-1] + one_hot_shape[-1])


def join_labels(x, one_hot, name, dtype):
    """`x` with the one-hot labels appended, or `x` itself where there are none."""
    return x if one_hot is None else ConcatLabels(dtype=dtype, name=name)(x, one_hot)
