"""Grouped convolutions (ResNeXt, Xie et al., 2017) that are fast on a CPU too."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="zoo")
class GroupedConv2D(keras.layers.Conv2D):
    """A grouped `keras.layers.Conv2D` that is one plain convolution a group on a CPU.

    `y[..., group k] = conv(x[..., group k], kernel[..., group k])`.

    Keras compiles every grouped convolution with XLA, at each eager call anew, and on a CPU XLA's
    own code for it is tens of times slower than one plain convolution a group, which is what is
    done here where there is no GPU. Groups are taken apart by `unstack`, whose derivative is
    `stack`, and the other way round: derivatives of every order exist, under XLA too.

    Arguments, inputs and outputs are those of `keras.layers.Conv2D`, channels last.

    Reference:
        - [Xie et al., 2017](https://arxiv.org/abs/1611.05431), section 3.
    """

    def convolution_op(self, inputs, kernel):
        op = super().convolution_op
        if self.groups == 1:
            return op(inputs, kernel)
        if tf.config.get_visible_devices("GPU"):
            padding = self.padding.upper()
            return tf.nn.conv2d(inputs, kernel, self.strides, padding, dilations=self.dilation_rate)
        pairs = zip(self._groups(inputs), self._groups(kernel), strict=True)
        outputs = tf.stack([op(group, weights) for group, weights in pairs], axis=-2)
        return tf.reshape(outputs, (*_shape(outputs)[:-2], self.filters))

    def _groups(self, x):
        """The groups of the last axis of images or of a kernel."""
        groups = tf.reshape(x, (*_shape(x)[:-1], self.groups, x.shape[-1] // self.groups))
        return tf.unstack(groups, axis=-2)


def _shape(x):
    """A shape for `reshape`; at most the first size is unknown."""
    return [-1 if size is None else size for size in x.shape]
