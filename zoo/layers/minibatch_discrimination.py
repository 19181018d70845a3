"""Minibatch discrimination (Salimans et al., 2016): the discriminator sees how alike a batch is."""

import keras
import tensorflow as tf

from zoo import keras_names
from zoo.layers.concatenate import concatenate
from zoo.validation import check_size


@keras.saving.register_keras_serializable(package="zoo")
class MinibatchDiscrimination(keras.layers.Layer):
    """Appends to each example's features how close the other examples of the batch are.

    `M_i = f_i . T`, one row `M_i,b` of `dims` numbers a kernel `b`, and
    `o_b(i) = sum over j != i of exp(-||M_i,b - M_j,b||_1) + bias_b`.

    A generator whose samples all look alike gives large `o`, so give real and generated examples
    to the discriminator in separate batches. The example itself is left out: `n` equal rows give
    `n - 1`, a single row gives 0, both before the bias. Everything is computed in float32.

    The layer needs memory for `n * n * kernels` numbers at a batch size of `n`, and `dims` times
    that while training, for the gradient: 131 MB at 256 examples and the defaults.

    Args:
        kernels: Positive int. Number of closeness features.
        dims: Positive int. Length of the rows that one kernel compares.
        kernel_initializer: Initializer of `T`, of shape `(features, kernels * dims)`. The default
            gives its columns length 1 on average; the published code makes it so exactly.
        bias_initializer: Initializer of the bias. Defaults to the published code's -1.

    Call arguments:
        inputs: `(batch, features)`.

    Returns:
        `(batch, features + kernels)`: the inputs, then `o`.

    Reference:
        - [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 3.2.
    """

    def __init__(
        self,
        kernels=100,
        dims=5,
        kernel_initializer="lecun_normal",
        bias_initializer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_size(kernels=kernels, dims=dims)
        self.kernels = kernels
        self.dims = dims
        self.kernel_initializer = keras_names.initializer(kernel_initializer)
        self.bias_initializer = keras.initializers.get(
            keras.initializers.Constant(-1.0) if bias_initializer is None else bias_initializer
        )

    def build(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(
                "`inputs` are not vectors. Expected inputs of shape "
                f"(batch, features). Received: input_shape={tuple(input_shape)}"
            )
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.kernels * self.dims),
            initializer=self.kernel_initializer,
            autocast=False,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.kernels,),
            initializer=self.bias_initializer,
            autocast=False,
            name="bias",
        )

    def call(self, inputs):
        projected = keras.ops.matmul(keras.ops.cast(inputs, "float32"), self.kernel)
        rows = keras.ops.reshape(projected, (-1, self.kernels, self.dims))
        # One dimension at a time, or `dims` times the memory. (i, j, kernel)
        distances = sum(
            keras.ops.abs(rows[:, None, :, d] - rows[None, :, :, d]) for d in range(self.dims)
        )
        index = tf.range(tf.shape(rows)[0])
        others = tf.cast(index[:, None] != index[None, :], "float32")[:, :, None]
        closeness = keras.ops.sum(keras.ops.exp(-distances) * others, axis=1) + self.bias
        return concatenate(inputs, keras.ops.cast(closeness, inputs.dtype))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.kernels)

    def get_config(self):
        return {
            **super().get_config(),
            "kernels": self.kernels,
            "dims": self.dims,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
