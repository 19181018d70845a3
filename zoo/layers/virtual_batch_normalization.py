"""Virtual batch normalization (Salimans et al., 2016): each example against one fixed batch.

The reference batch travels through the network in front of the batch, so that every layer is
called once and no layer knows of it but these two:

    reference = ReferenceBatch(64)               # Holds 64 latents, drawn once and saved.
    x = reference(latents)                       # (64 + batch, latent_dim)
    x = keras.layers.Dense(256)(x)
    x = VirtualBatchNormalization(64)(x)
    x = keras.layers.ReLU()(x)
    images = keras.layers.Dense(784)(x)[64:, ...]  # The batch alone.

This costs a second pass, of the reference, at each call: the paper uses it in generators only.
"""

import math

import keras

from zoo import keras_names
from zoo.layers.normalization import moments
from zoo.validation import check_above_zero, check_memory, check_size


@keras.saving.register_keras_serializable(package="zoo")
class ReferenceBatch(keras.layers.Layer):
    """Puts a fixed batch in front of the batch it is called on.

    The fixed batch is a weight that is saved and not trained. It is drawn once; `set_reference`
    replaces it, by rows of the data or by one-hot labels joined to latents, before the training.

    Args:
        size: Positive int. Number of reference rows.
        initializer: Initializer the rows are drawn from. Defaults to N(0, 1), the usual prior.

    Call arguments:
        inputs: `(batch, ...)`.

    Returns:
        `(size + batch, ...)`: the reference, then the inputs.

    Reference:
        - [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 3.4.
    """

    def __init__(self, size, initializer=None, **kwargs):
        super().__init__(**kwargs)
        check_size(size=size)
        self.size = size
        self.initializer = keras_names.initializer(
            keras.initializers.RandomNormal(stddev=1.0) if initializer is None else initializer
        )

    def build(self, input_shape):
        check_memory(self.size * math.prod(input_shape[1:]), size=self.size)
        self.reference = self.add_weight(
            shape=(self.size, *input_shape[1:]),
            initializer=self.initializer,
            trainable=False,
            name="reference",
        )

    def set_reference(self, batch):
        """Replaces the reference batch by another of the same shape.

        Raises:
            ValueError: If it has another shape, or the layer has not been called.
        """
        if not self.built or tuple(batch.shape) != tuple(self.reference.shape):
            wanted = tuple(self.reference.shape) if self.built else "a layer that has been called"
            raise ValueError(
                "`batch` has another shape than the reference, which has as many rows as the layer "
                f"was made for, each like an input. Expected {wanted}. "
                f"Received: batch.shape={tuple(batch.shape)}"
            )
        self.reference.assign(batch)

    def call(self, inputs):
        reference = keras.ops.cast(self.reference, inputs.dtype)
        return keras.ops.concatenate([reference, inputs], axis=0)

    def compute_output_shape(self, input_shape):
        batch, *rest = input_shape
        return (None if batch is None else self.size + batch, *rest)

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "initializer": keras.initializers.serialize(self.initializer),
        }


@keras.saving.register_keras_serializable(package="zoo")
class VirtualBatchNormalization(keras.layers.Layer):
    """Normalizes each example by the statistics of the reference batch and itself.

    The first `reference_size` rows, `n`, are the reference. An example's statistics are
    `mean = (n * reference_mean + own_mean) / (n + 1)`, the mean square alike, and
    `variance = mean_square - mean^2`; those of a reference row are the reference's alone. Then
    `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`.

    For images the reference's statistics are over batch, height and width, and an example's own
    over its height and width; channels are last. Statistics are computed in float32.

    Args:
        reference_size: Positive int. Rows of the reference, as in `ReferenceBatch`.
        epsilon: Positive float.

    Call arguments:
        inputs: `(reference_size + batch, ..., channels)`, the reference first.

    Returns:
        The normalized rows, in the same order.

    Reference:
        - [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 3.4; `gamma` starts
          at N(1, .02), as in DCGAN.
    """

    def __init__(self, reference_size, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        check_size(reference_size=reference_size)
        check_above_zero(epsilon=epsilon)
        self.reference_size = reference_size
        self.epsilon = float(epsilon)

    def build(self, input_shape):
        channels = (input_shape[-1],)
        self.gamma = self.add_weight(
            shape=channels,
            initializer=keras.initializers.RandomNormal(mean=1.0, stddev=0.02),
            autocast=False,
            name="gamma",
        )
        self.beta = self.add_weight(
            shape=channels, initializer="zeros", autocast=False, name="beta"
        )

    def call(self, inputs):
        n = self.reference_size
        rows = inputs.shape[0]
        if rows is not None and rows < n:
            raise ValueError(
                "`inputs` lack rows of the reference. Expected the reference, then the batch: at "
                f"least {n} rows. Received: inputs.shape={tuple(inputs.shape)}"
            )
        x = keras.ops.cast(inputs, "float32")
        reference, x = x[:n], x[n:]
        axes = tuple(range(len(x.shape) - 1))
        mean, variance = moments(reference, axes, keepdims=True)
        reference = self._scale(reference, mean, variance)

        own_mean, own_variance = x, 0.0
        if len(x.shape) > 2:
            own_mean, own_variance = moments(x, axes[1:], keepdims=True)
        # Mean square minus squared mean, of the mixture, without the cancellation.
        variance = (n * variance + own_variance) / (n + 1)
        variance += n * keras.ops.square((own_mean - mean) / (n + 1))
        mean = (n * mean + own_mean) / (n + 1)
        x = self._scale(x, mean, variance)
        return keras.ops.cast(keras.ops.concatenate([reference, x], axis=0), inputs.dtype)

    def _scale(self, x, mean, variance):
        return (x - mean) * keras.ops.rsqrt(variance + self.epsilon) * self.gamma + self.beta

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "reference_size": self.reference_size,
            "epsilon": self.epsilon,
        }
