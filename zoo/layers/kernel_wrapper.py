"""A wrapper that calls a layer with a function of its kernel in the place of the kernel."""

import keras

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

    Args:
        layer: A `Dense`, `Conv1D` to `Conv3D` or `Conv1DTranspose` to `Conv3DTranspose` layer.

    Call arguments:
        inputs: As for the layer.
        training: What `normalized_kernel` is called with.

    Returns:
        As the layer.

    Raises:
        ValueError: If the layer is another one.
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
        at = [*held, (self.layer.kernel, kernel)]
        with keras.StatelessScope(state_mapping=at, collect_losses=True):
            outputs = self.layer(inputs)
            layers = self.layer._flatten_layers()
            added = [(layer, loss) for layer in layers for loss in layer._get_own_losses()]
        for layer, loss in added:  # So are what its activities and `add_loss` add, each its own.
            layer.add_loss(loss)
        return keras.ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return tuple(self.layer.compute_output_shape(input_shape))
