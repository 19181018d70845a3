"""Convolutions of stride 2 from and to images, made fast on a CPU.

A transposed convolution of stride 2 writes each pixel's k x k stamp into the image. Where the image
has one channel or three, oneDNN does that at a tenth of its usual speed. But the pixels of one
parity (row, column) are a plain convolution of the maps with every second weight, so the four
parities are one convolution with four times the channels, whose result is interleaved (Shi et al.,
2016, in the other direction). The same sum is the derivative by the image of a convolution that
reads it. Weights, configurations and files are those of Keras's layers.
"""

import keras
import numpy as np
import tensorflow as tf

FEW = 4  # Channels of an image; for more, the plain kernels are as fast.


def transposed_convolution(maps, kernel):
    """The transposed convolution of stride 2 with "same" padding, by parities.

    Args:
        maps: Floats of shape `(batch, h, w, c)`.
        kernel: Floats of shape `(k, k, channels, c)`, k at least 2.

    Returns:
        `(batch, 2 h, 2 w, channels)`, equal to `tf.nn.conv2d_transpose(maps, kernel, ..., 2,
        "SAME")` but for the order of the sums.

    Reference:
        - [Shi et al., 2016](https://arxiv.org/abs/1609.05158), section 3.2.
    """
    _, _, channels, maps_in = kernel.shape
    picked = [tf.one_hot(_taps(size), size, dtype=kernel.dtype) for size in kernel.shape[:2]]
    rows, columns = (one.shape[0] for one in picked)
    # (window row, window column, maps, parity of the row, parity of the column, channel)
    parities = tf.einsum("aph,bqw,hwci->abipqc", *picked, kernel)
    kernel = tf.reshape(parities, (rows, columns, maps_in, 4 * channels))
    parities = tf.nn.conv2d(maps, kernel, 1, "SAME")
    # oneDNN gives an empty batch the shape of its input.
    parities = tf.reshape(parities, [*tf.unstack(tf.shape(maps))[:3], 4 * channels])
    return tf.nn.depth_to_space(parities, 2)


def _taps(size):
    """The index of the weight for each place of an odd window and each parity.

    Output pixel `2 q + r` gets weight `t` of input `q - j` where `t = 2 j + r + (size - 2) // 2`.
    An index outside of the kernel, of which `one_hot` makes zeros, stands for no weight.
    """
    shift = (size - 2) // 2
    reach = max(abs(j) for r in (0, 1) for j in range(-size, size) if 0 <= 2 * j + r + shift < size)
    return np.array([[2 * j + r + shift for r in (0, 1)] for j in range(reach, -reach - 1, -1)])


@tf.custom_gradient
def _from_image(images, kernel):
    """A convolution of stride 2, whose derivative by the images goes by parities."""
    # As tensors of this graph: a derivative inside a `tf.cond` cannot use those around it.
    images, kernel = tf.identity(images), tf.identity(kernel)

    def gradient(upstream):
        return transposed_convolution(upstream, kernel), _by_kernel(images, kernel, upstream)

    return tf.nn.conv2d(images, kernel, 2, "SAME"), gradient


@tf.custom_gradient
def _to_image(maps, kernel):
    """A transposed convolution by parities, whose derivatives are those of a convolution."""
    maps, kernel = tf.identity(maps), tf.identity(kernel)

    def gradient(upstream):
        return _from_image(upstream, kernel), _by_kernel(upstream, kernel, maps)

    return transposed_convolution(maps, kernel), gradient


def _by_kernel(images, kernel, maps):
    """The derivative by its kernel of the convolution from images to maps."""
    return tf.raw_ops.Conv2DBackpropFilter(
        input=images,
        filter_sizes=tf.shape(kernel),
        out_backprop=maps,
        strides=[1, 2, 2, 1],
        padding="SAME",
    )


def _applies(layer, channels, sides):
    """Whether the way of this file fits a layer, and is the faster one on this machine."""
    return (
        channels <= FEW
        and layer.strides == (2, 2)
        and layer.padding == "same"
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
        and min(layer.kernel_size) >= 2
        and all(side is not None and side % 2 == 0 for side in sides)
        and not tf.config.get_visible_devices("GPU")
    )


@keras.saving.register_keras_serializable(package="zoo")
class ConvolutionFromImage(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, faster where an image of few channels is read with stride 2."""

    def convolution_op(self, inputs, kernel):
        if self.groups == 1 and _applies(self, inputs.shape[-1], inputs.shape[1:3]):
            return _from_image(inputs, tf.convert_to_tensor(kernel))
        return super().convolution_op(inputs, kernel)


@keras.saving.register_keras_serializable(package="zoo")
class ConvolutionToImage(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, faster where an image of few channels is written."""

    def call(self, inputs, training=None):
        if self.output_padding is not None or not _applies(self, self.filters, ()):
            return super().call(inputs)
        # TensorFlow warns of every exported model whose gradients are not its own.
        convolve = _to_image if training else transposed_convolution
        outputs = convolve(inputs, tf.convert_to_tensor(self.kernel))
        if self.use_bias:
            outputs = outputs + tf.convert_to_tensor(self.bias)
        return self.activation(outputs)
