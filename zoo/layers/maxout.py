"""Maxout (Goodfellow et al., 2013): the largest of several affine functions."""

import keras

from zoo import keras_names
from zoo.validation import check_memory, check_size


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
        check_size(units=units, pieces=pieces)
        self.units, self.pieces = int(units), int(pieces)
        self.kernel_initializer = keras_names.initializer(kernel_initializer)

    def build(self, input_shape):
        check_memory(input_shape[-1] * self.units * self.pieces, pieces=self.pieces)
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
