"""The learned basis of maps of R3GAN (Huang et al., 2024), for either player."""

import keras


@keras.saving.register_keras_serializable(package="zoo")
class GenerativeBasis(keras.layers.Layer):
    """Learned maps, each multiplied by one coefficient: `y[h, w, c] = basis[h, w, c] * a[c]`.

    Args:
        side: int. Side of the maps.

    Call arguments:
        inputs: `(batch, channels)`.

    Returns:
        `(batch, side, side, channels)`.
    """

    def __init__(self, side, **kwargs):
        super().__init__(**kwargs)
        self.side = side

    def build(self, input_shape):
        self.basis = self.add_weight(
            shape=(self.side, self.side, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="basis",
        )

    def call(self, inputs):
        return inputs[:, None, None, :] * self.basis

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.side, self.side, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "side": self.side}


@keras.saving.register_keras_serializable(package="zoo")
class DiscriminativeBasis(keras.layers.Layer):
    """Products with learned maps: `a[c] = sum over h, w of basis[h, w, c] * x[h, w, c]`.

    Call arguments:
        inputs: `(batch, height, width, channels)`.

    Returns:
        `(batch, channels)`.
    """

    def build(self, input_shape):
        _, height, width, channels = input_shape
        self.basis = self.add_weight(
            shape=(height, width, channels),
            initializer=keras.initializers.RandomNormal(stddev=(height * width) ** -0.5),
            name="basis",
        )

    def call(self, inputs):
        return keras.ops.sum(inputs * self.basis, axis=(1, 2))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        return super().get_config()  # By name: Keras writes none for a layer with a dtype policy.
