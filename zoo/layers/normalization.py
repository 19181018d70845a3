"""Batch and layer normalization with the right second derivative."""

import keras
import tensorflow as tf


def moments(x, axes, keepdims=False):
    """Mean and variance over `axes`, right in every derivative.

    `var x = E (x - c)^2 - (E x - c)^2` for any constant c. With c = E x the second term is 0 and
    has the derivative 0, but not the second derivative. `tf.nn.moments`, and so Keras, leaves it
    out: of a variance it gets the curvature `2 I / n` where it is `2 (I - 11' / n) / n`. A gradient
    penalty, an unrolled step and consensus optimisation differentiate twice.

    Args:
        x: Floats, any shape.
        axes: Axes to average over.
        keepdims: bool.

    Returns:
        Two tensors.
    """
    mean = tf.reduce_mean(x, axes, keepdims=True)
    constant = tf.stop_gradient(mean)
    variance = tf.reduce_mean(tf.math.squared_difference(x, constant), axes, keepdims=True)
    variance -= tf.square(mean - constant)  # Of the result's size, so cheap.
    if keepdims:
        return mean, variance
    return tf.squeeze(mean, axes), tf.squeeze(variance, axes)


@keras.saving.register_keras_serializable(package="zoo")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with the right second derivative in training mode.

    Values, first derivatives, arguments and weights are Keras's. See `moments`.
    """

    def _moments(self, inputs, mask):
        if mask is not None or self.synchronized:
            return super()._moments(inputs, mask)
        return moments(inputs, self._reduction_axes)


@keras.saving.register_keras_serializable(package="zoo")
class LayerNormalization(keras.layers.LayerNormalization):
    """`keras.layers.LayerNormalization` with the right second derivative.

    Values, first derivatives, arguments and weights are Keras's. See `moments`. It is what the
    authors of the gradient penalty recommend for critics in place of batch normalization.

    Reference:
        - [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), section 4.
    """

    def call(self, inputs):
        if self.rms_scaling:
            return super().call(inputs)
        axes = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        x = tf.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        mean, variance = moments(x, axes, keepdims=True)
        normalized = (x - mean) * tf.math.rsqrt(variance + self.epsilon)
        shape = [1] * len(x.shape)
        for axis in axes:
            shape[axis] = x.shape[axis]
        if self.gamma is not None:
            normalized *= tf.reshape(tf.cast(self.gamma, x.dtype), shape)
        if self.beta is not None:
            normalized += tf.reshape(tf.cast(self.beta, x.dtype), shape)
        return tf.cast(normalized, self.compute_dtype)
