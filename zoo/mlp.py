"""The multilayer perceptrons of Generative Adversarial Nets (Goodfellow et al., 2014)."""

import math

import keras
import numpy as np

from zoo import keras_names
from zoo.layers.dropout import Dropout
from zoo.layers.maxout import Maxout
from zoo.layers.normalization import BatchNormalization
from zoo.players import Discriminator, Generator, logits_and_features, policy
from zoo.players.labels import Labels
from zoo.validation import (
    as_tuple,
    check_choice,
    check_flag,
    check_memory,
    check_rate,
    check_size,
    check_sizes,
    check_widths,
)

MAXOUT = "maxout"
VALUE_RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "linear": None}


@keras.saving.register_keras_serializable(package="zoo")
class MLPGenerator(Generator):
    """Dense layers from latents to samples of any shape.

    The defaults are the 2014 generator for MNIST: uniform prior, two layers of 1,200 rectified
    units, sigmoid pixels, weights drawn from U(-0.05, 0.05).

    Args:
        image_shape: tuple. Shape of one sample; `(2,)` makes points in the plane.
        latent_dim: int. Coordinates of a latent.
        units: tuple of int. Width of each hidden layer.
        activation: Activation of the hidden layers.
        output_activation: `"sigmoid"` (samples in [0, 1]), `"tanh"` ([-1, 1]) or `"linear"` (data
            that are not pictures). Samples of shape `(height, width, channels)` are pictures under
            the first two, of that `value_range`; points and signals have none.
        batch_normalization: bool. Normalize each hidden layer before its activation.
        kernel_initializer: Initializer of the kernels. Defaults to the paper's.
        num_classes: int, optional. Number of labels.
        conditioning: `"concat"` (labels join the input of every layer) or `"projection"` (the
            label's embedding stands beside the latents). See `zoo.players.labels`.
        prior: `"uniform"` or `"normal"`.
        dtype: Keras dtype policy; the samples are float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on latents `(batch, latent_dim)`, or on `{"latents": ..., "labels": int32
        (batch,)}`: float32 samples `(batch, *image_shape)`.

    Raises:
        ValueError: If a size is not positive or `output_activation` is another one.

    Example:

    ```python
    import zoo

    generator = zoo.MLPGenerator((2,), latent_dim=16, units=(128,), output_activation="linear")
    points = generator.sample(100, seed=0)  # (100, 2), float32
    ```

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 5, and its code.
    """

    def __init__(
        self,
        image_shape=(28, 28, 1),
        latent_dim=100,
        units=(1200, 1200),
        activation="relu",
        output_activation="sigmoid",
        batch_normalization=False,
        kernel_initializer=None,
        num_classes=None,
        conditioning="concat",
        prior="uniform",
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        image_shape, units = as_tuple(image_shape=image_shape), as_tuple(units=units)
        check_sizes(image_shape=image_shape, units=units)
        check_size(latent_dim=latent_dim)
        check_flag(batch_normalization=batch_normalization)
        keras_names.check_activation(activation)
        check_widths(latent_dim, *units, math.prod(image_shape), units=units)
        check_choice(VALUE_RANGES, output_activation=output_activation)
        if kernel_initializer is None:
            kernel_initializer = keras.initializers.RandomUniform(-0.05, 0.05)
        keras_names.check_initializer(kernel_initializer)
        initializer = kernel_initializer
        dtype = policy(dtype)
        labels = Labels(num_classes, conditioning, dtype, num_conditions)

        # === Functional Model ===
        inputs, x = labels.input((latent_dim,), "latents")
        x = labels.embed(x, _fresh(initializer))
        for i, width in enumerate(units):
            x = labels.join(x, f"labels_{i}")
            x = keras.layers.Dense(
                width,
                use_bias=not batch_normalization,
                kernel_initializer=_fresh(initializer),
                dtype=dtype,
                name=f"dense_{i}",
            )(x)
            if batch_normalization:
                x = BatchNormalization(
                    momentum=0.9, epsilon=1e-5, dtype=dtype, name=f"normalization_{i}"
                )(x)
            x = keras.layers.Activation(activation, dtype=dtype, name=f"activation_{i}")(x)
        x = labels.join(x, "labels_output")
        x = keras.layers.Dense(
            math.prod(image_shape),
            activation=output_activation,
            kernel_initializer=_fresh(initializer),
            dtype="float32",
            name="output",
        )(x)
        outputs = keras.layers.Reshape(image_shape, dtype="float32", name="samples")(x)
        super().__init__(
            inputs,
            outputs,
            latent_dim=latent_dim,
            prior=prior,
            **labels.counts,
            # Points and signals are no pictures, unless the user says so of the generator.
            value_range=VALUE_RANGES[output_activation] if len(image_shape) == 3 else None,
            dtype=dtype,
            **kwargs,
        )

    def set_output_bias(self, images):
        """Sets the output bias so that an untrained generator makes the mean of the samples.

        The bias becomes the activation's inverse of each pixel's mean. With small first weights
        the generator then makes that mean, as in the 2014 code, and need not learn it. Call it
        before training.

        Args:
            images: Samples `(n, *image_shape)`: uint8, or floats in `value_range`. A few thousand
                tell the mean well.

        Raises:
            ValueError: If the samples have another shape.
        """
        images = np.asarray(images)
        if images.shape[1:] != self.image_shape or not len(images):
            raise ValueError(
                f"`images` are not like the generator's samples. Expected (n, {self.image_shape}). "
                f"Received: images of shape {images.shape}"
            )
        if self.value_range is not None and images.dtype.kind in "iu":
            low, high = self.value_range
            mean = images.mean(0, dtype="float64") / 255 * (high - low) + low
        else:
            mean = images.mean(0, dtype="float64")
        if VALUE_RANGES[self.output_activation] is not None:
            low, high = VALUE_RANGES[self.output_activation]
            edge = (high - low) / 512  # Half a grey level: a pixel that is never lit stays finite.
            mean = np.clip(mean, low + edge, high - edge)
        inverse = {
            "sigmoid": lambda m: np.log(m / (1 - m)),
            "tanh": np.arctanh,
            "linear": lambda m: m,
        }[self.output_activation]
        self.get_layer("output").bias.assign(inverse(mean).ravel())


@keras.saving.register_keras_serializable(package="zoo")
class MLPDiscriminator(Discriminator):
    """Dense layers from samples of any shape to one logit.

    The defaults are the 2014 discriminator for MNIST: two maxout layers of 240 units with five
    pieces, dropout 0.2 on the input and 0.5 on the hidden layers, weights from U(-0.005, 0.005).

    Args:
        image_shape: tuple. Shape of one sample.
        units: tuple of int. Width of each hidden layer.
        activation: `"maxout"`, or any Keras activation.
        pieces: int. Pieces of a maxout unit.
        input_dropout: float in [0, 1). Share of the inputs dropped in training.
        dropout: float in [0, 1). Share of the hidden units dropped in training.
        kernel_initializer: Initializer of the kernels. Defaults to the paper's.
        num_classes: int, optional. Number of labels.
        conditioning: `"concat"` (labels join the input of every layer) or `"projection"` (the
            logit adds the product of the features with a vector of the label). See
            `zoo.players.labels`.
        dtype: Keras dtype policy; the logits are float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on samples `(batch, *image_shape)`, or on `{"images": ..., "labels": int32
        (batch,)}`: `{"logits": (batch,), "features": (batch, units[-1])}`.

    Raises:
        ValueError: If a size is not positive or a dropout rate is outside [0, 1).

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 5, and its code.
    """

    def __init__(
        self,
        image_shape=(28, 28, 1),
        units=(240, 240),
        activation="maxout",
        pieces=5,
        input_dropout=0.2,
        dropout=0.5,
        kernel_initializer=None,
        num_classes=None,
        conditioning="concat",
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        image_shape, units = as_tuple(image_shape=image_shape), as_tuple(units=units)
        check_sizes(image_shape=image_shape, units=units)
        check_size(pieces=pieces)
        check_widths(math.prod(image_shape), *units, units=units)
        check_memory(math.prod(image_shape) * max(units, default=1) * pieces, pieces=pieces)
        check_rate(input_dropout=input_dropout, dropout=dropout)
        if not (isinstance(activation, str) and activation == MAXOUT):
            keras_names.check_activation(activation)
        if kernel_initializer is None:
            kernel_initializer = keras.initializers.RandomUniform(-0.005, 0.005)
        keras_names.check_initializer(kernel_initializer)
        initializer = kernel_initializer
        dtype = policy(dtype)
        labels = Labels(num_classes, conditioning, dtype, num_conditions)

        # === Functional Model ===
        inputs, x = labels.input(image_shape, "images")
        x = keras.layers.Flatten(data_format="channels_last", dtype=dtype, name="flatten")(x)
        x = _drop(x, input_dropout, "dropout_input", dtype)
        for i, width in enumerate(units):
            x = labels.join(x, f"labels_{i}")
            if isinstance(activation, str) and activation == MAXOUT:
                x = Maxout(width, pieces, _fresh(initializer), dtype=dtype, name=f"maxout_{i}")(x)
            else:
                x = keras.layers.Dense(
                    width,
                    activation=activation,
                    kernel_initializer=_fresh(initializer),
                    dtype=dtype,
                    name=f"dense_{i}",
                )(x)
            x = _drop(x, dropout, f"dropout_{i}", dtype)
        features = x
        x = labels.join(x, "labels_output")
        x = keras.layers.Dense(
            1, kernel_initializer=_fresh(initializer), dtype="float32", name="output"
        )(x)
        x = labels.project(x, features, _fresh(initializer))
        outputs = logits_and_features(x, features)
        super().__init__(inputs, outputs, **labels.counts, dtype=dtype, **kwargs)


def _drop(x, rate, name, dtype):
    return Dropout(rate, dtype=dtype, name=name)(x) if rate else x


def _fresh(initializer):
    """A copy of the initializer: one object draws the same numbers for every layer."""
    initializer = keras.initializers.get(initializer)
    return initializer.clone() if hasattr(initializer, "clone") else initializer
