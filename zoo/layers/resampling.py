"""Maps of half and of double the side by the bilinear filter, as in R3GAN (Huang et al., 2024)."""

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="zoo")
class BilinearResampling(keras.layers.Layer):
    """Doubles or halves the side of maps with the filter (1, 3, 3, 1), zeros outside.

    `y = A x A'` in every channel: for halving, row i of A has (1, 3, 3, 1) / 8 at columns 2i - 1
    to 2i + 2; doubling is `2 A'`, bilinear interpolation. As products of matrices, both have
    derivatives of every order on every device.

    Args:
        up: bool. Whether to double the side; else it is halved.

    Call arguments:
        inputs: `(batch, height, width, channels)`; the sides even where they are halved.

    Returns:
        `(batch, 2 height, 2 width, channels)`, or a half of each.

    Reference:
        - [Huang et al., 2024](https://arxiv.org/abs/2501.05441), section 3.2, and its code.
    """

    def __init__(self, up, **kwargs):
        super().__init__(**kwargs)
        self.up = up

    def build(self, input_shape):
        self.matrices = [self._matrix(side) for side in input_shape[1:3]]

    def _matrix(self, side):
        small = side if self.up else side // 2
        halving = np.zeros((small, 2 * small))
        for i in range(small):
            for column, weight in zip(range(2 * i - 1, 2 * i + 3), (1, 3, 3, 1), strict=True):
                if 0 <= column < 2 * small:
                    halving[i, column] = weight / 8
        return 2 * halving.T if self.up else halving

    def call(self, inputs):
        _, height, width, channels = inputs.shape
        rows, columns = (keras.ops.cast(m, inputs.dtype) for m in self.matrices)
        x = keras.ops.reshape(inputs, (-1, height, width * channels))
        x = keras.ops.matmul(rows, x)
        x = keras.ops.reshape(x, (-1, width, channels))
        x = keras.ops.matmul(columns, x)
        return keras.ops.reshape(x, (-1, rows.shape[0], columns.shape[0], channels))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        if self.up:
            return (batch, 2 * height, 2 * width, channels)
        return (batch, height // 2, width // 2, channels)

    def get_config(self):
        return {**super().get_config(), "up": self.up}
