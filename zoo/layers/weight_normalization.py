"""Weight normalization (Salimans and Kingma, 2016), and a wrapper that replaces the kernel."""

import keras

UNDERFLOW = 1e-24  # Under the root: a kernel of zeros has a gradient, and no other feels it.
OUTPUT_AXIS = {  # The axis of the kernel that counts the output units.
    keras.layers.Dense: -1,
    keras.layers.Conv1D: -1,
    keras.layers.Conv2D: -1,
    keras.layers.Conv3D: -1,
    keras.layers.Conv1DTranspose: -2,
    keras.layers.Conv2DTranspose: -2,
    keras.layers.Conv3DTranspose: -2,
}


class KernelWrapper(keras.layers.Wrapper):
    """Calls a layer with `self.normalized_kernel(training)` in the place of its kernel.

    The kernel itself is not written: it stays the parameter, and gradients reach it through the
    function. The dtype policy is the layer's own unless one is given. Under a mixed policy the
    kernel is read in the compute dtype, like every kernel of Keras, and normalized in float32;
    `dtype="float32"` reads it unrounded.
    """

    def __init__(self, layer, **kwargs):
        axes = [axis for kind, axis in OUTPUT_AXIS.items() if isinstance(layer, kind)]
        if not axes:
            raise ValueError(
                f"`layer` has no kernel that {type(self).__name__} can replace. "
                f"Expected one of {', '.join(kind.__name__ for kind in OUTPUT_AXIS)}. "
                f"Received: layer={layer!r}"
            )
        kwargs.setdefault("dtype", getattr(layer, "dtype_policy", None))
        super().__init__(layer, **kwargs)
        self.output_axis = axes[0]

    def kernel_value(self):
        """The layer's kernel in float32."""
        return keras.ops.cast(self.layer.kernel, "float32")

    def call(self, inputs, training=False):
        kernel = self.normalized_kernel(training)
        # A scope hides those around it: what they hold for the other variables is handed on.
        held = [(variable, variable.value) for variable in self.layer.variables]
        with keras.StatelessScope(state_mapping=[*held, (self.layer.kernel, kernel)]):
            outputs = self.layer(inputs)
        return keras.ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return tuple(self.layer.compute_output_shape(input_shape))


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
