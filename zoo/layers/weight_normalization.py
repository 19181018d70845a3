"""Weight normalization (Salimans and Kingma, 2016)."""

import keras

from zoo.layers.kernel_wrapper import KernelWrapper

UNDERFLOW = 1e-24  # Under the root: a kernel of zeros has a gradient, and no other feels it.


@keras.saving.register_keras_serializable(package="zoo")
class WeightNormalization(KernelWrapper):
    """Splits a layer's kernel into a length and a direction for each output unit.

    `kernel = g * v / ||v||`: `v` is the wrapped layer's kernel, `g` a new weight that starts at
    `||v||`, so that wrapping does not change the function. Both are trained.

    Args:
        layer: A `Dense`, `Conv1D` to `Conv3D` or `Conv1DTranspose` to `Conv3DTranspose` layer.

    Call arguments:
        inputs: As for the layer.

    Returns:
        As the layer.

    Reference:
        - [Salimans and Kingma, 2016](https://arxiv.org/abs/1602.07868), section 2; section 3 for
          `initialize`.
    """

    def build(self, input_shape=None):
        super().build(input_shape)
        units = self.layer.kernel.shape[self.output_axis]
        self.g = self.add_weight(
            shape=(units,),
            initializer=lambda shape, dtype: keras.ops.reshape(self._norm(), shape),
            autocast=False,
            name="g",
        )

    def normalized_kernel(self, training=False):
        g = keras.ops.reshape(self.g, self._norm().shape)
        return g * self.kernel_value() / self._norm()

    def _norm(self):
        """The length of each unit's weights, with the kernel's rank."""
        kernel = self.kernel_value()
        unit = len(kernel.shape) + self.output_axis
        axes = [axis for axis in range(len(kernel.shape)) if axis != unit]
        squares = keras.ops.sum(keras.ops.square(kernel), axis=axes, keepdims=True)
        return keras.ops.sqrt(squares + UNDERFLOW)

    def initialize(self, batch):
        """Gives each unit mean 0 and variance 1 over a batch, before the activation.

        `g = 1 / std(t)` and `bias = -mean(t) / std(t)`, where `t = x . v / ||v||`. Without a bias
        only the variance is set. To be called once, eagerly, before the training, on each layer
        in turn.

        Args:
            batch: Inputs of the layer.

        Returns:
            The layer's outputs for the batch: what to initialize the next layer with.
        """
        if not self.built:
            self.build(batch.shape)
        config = {**self.layer.get_config(), "dtype": "float32"}
        config.update(activation=None, use_bias=False)
        linear = type(self.layer).from_config(config)
        linear.build(batch.shape)
        linear.kernel.assign(self.kernel_value() / self._norm())
        units = linear(batch)
        if getattr(self.layer, "data_format", None) == "channels_first":
            units = keras.ops.moveaxis(units, 1, -1)
        mean, variance = keras.ops.moments(units, list(range(len(units.shape) - 1)))
        scale = keras.ops.rsqrt(variance + 1e-10)  # The published code's guard.
        self.g.assign(scale)
        if self.layer.use_bias:
            self.layer.bias.assign(-mean * scale)
        return self(batch)
