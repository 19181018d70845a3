"""Labels and planes beside the channels of an input (Mirza and Osindero, 2014)."""

import keras

from zoo.layers.concatenate import concatenate


@keras.saving.register_keras_serializable(package="zoo")
class ConcatLabels(keras.layers.Layer):
    """Appends the one-hot label to the last axis, at every pixel when the input is an image.

    Call arguments:
        inputs: `(batch, features)` or `(batch, height, width, channels)`.
        one_hot: `(batch, num_classes)`.

    Returns:
        The input with `num_classes` more features or channels.

    Reference:
        - [Mirza and Osindero, 2014](https://arxiv.org/abs/1411.1784), section 3.2, for vectors;
          the conditional nets of [DCGAN](https://arxiv.org/abs/1511.06434), section 6.3, for
          images.
    """

    def call(self, inputs, one_hot):
        one_hot = keras.ops.cast(one_hot, inputs.dtype)
        if len(inputs.shape) == 4:
            _, height, width, _ = inputs.shape
            one_hot = keras.ops.tile(one_hot[:, None, None, :], (1, height, width, 1))
        return concatenate(inputs, one_hot)

    def compute_output_shape(self, inputs_shape, one_hot_shape):
        return (*inputs_shape[:-1], inputs_shape[-1] + one_hot_shape[-1])

    def get_config(self):
        return super().get_config()  # By name: Keras writes none for a layer with a dtype policy.


@keras.saving.register_keras_serializable(package="zoo")
class JoinPlanes(keras.layers.Layer):
    """Appends one image's channels to another's: `(b, h, w, c)` and `(b, h, w, d)`."""

    def call(self, images, planes):
        return concatenate(images, keras.ops.cast(planes, images.dtype))

    def compute_output_shape(self, images_shape, planes_shape):
        return (*images_shape[:-1], images_shape[-1] + planes_shape[-1])

    def get_config(self):
        return super().get_config()  # By name: Keras writes none for a layer with a dtype policy.
