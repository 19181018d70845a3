"""Spectral normalization (Miyato et al., 2018), with the gradient through the norm."""

import keras

from zoo.layers.kernel_wrapper import KernelWrapper
from zoo.validation import check_integer

ITERATIONS = 1000  # At most: each is a part of the graph.


@keras.saving.register_keras_serializable(package="zoo")
class SpectralNormalization(KernelWrapper):
    """Divides a layer's kernel by its largest singular value, at each call.

    `kernel = W / sigma(W)`, `sigma(W) = v' W u`, where `W` is the wrapped layer's kernel as a
    matrix of (weights of a unit, units). `u` and `v` come from power iteration, `v = W u / ||W u||`
    and `u = W' v / ||W' v||`, and are constants to the gradient; `W` in `sigma` is not.

    `u` is kept from call to call where `training` is true, so that one iteration a step is enough
    as `W` moves slowly. It is a variable: under `keras.StatelessScope` it stays as it was. At
    inference the same iterations are done and `u` is not kept. A kernel of zeros is left alone.

    `keras.layers.SpectralNormalization` writes `W / sigma` to the kernel and gives the optimizer
    the gradient with respect to the quotient, as if `sigma` were 1.

    Args:
        layer: A `Dense`, `Conv1D` to `Conv3D` or `Conv1DTranspose` to `Conv3DTranspose` layer.
        power_iterations: Positive int. Iterations a call.

    Call arguments:
        inputs: As for the layer.
        training: Whether to keep `u`.

    Returns:
        As the layer.

    Reference:
        - [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), section 2.1 and algorithm 1.
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        check_integer(1, ITERATIONS, power_iterations=power_iterations)
        self.power_iterations = power_iterations

    def build(self, input_shape=None):
        super().build(input_shape)
        self.u = self.add_weight(
            shape=(self.layer.kernel.shape[self.output_axis],),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            autocast=False,
            name="u",
        )

    def normalized_kernel(self, training=False):
        kernel = self.kernel_value()
        matrix = keras.ops.moveaxis(kernel, self.output_axis, -1)
        matrix = keras.ops.reshape(matrix, (-1, matrix.shape[-1]))
        constant = keras.ops.stop_gradient(matrix)
        u = keras.ops.stop_gradient(self.u.value)
        for _ in range(self.power_iterations):
            v = _unit(keras.ops.matmul(constant, u))
            u = _unit(keras.ops.matmul(v, constant))
        sigma = keras.ops.sum(v * keras.ops.matmul(matrix, u))
        if training:
            self.u.assign(keras.ops.where(sigma > 0, u, self.u.value))
        return kernel / keras.ops.where(sigma > 0, sigma, 1.0)

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _unit(x):
    return x / keras.ops.maximum(keras.ops.norm(x), 1e-30)
