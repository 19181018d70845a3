"""The convolutional pair of DCGAN (Radford, Metz and Chintala, 2016)."""

import keras

from zoo.layers.image_convolutions import ConvolutionFromImage, ConvolutionToImage
from zoo.layers.normalization import BatchNormalization
from zoo.players import Discriminator, Generator, logits_and_features, policy
from zoo.players.labels import Labels
from zoo.validation import (
    as_tuple,
    check_flag,
    check_image_shape,
    check_memory,
    check_not_negative,
    check_size,
    check_sizes,
    check_widths,
)

SMALLEST_BASE = 4  # The paper's pyramid starts from 4x4 maps.


def _normal():
    return keras.initializers.RandomNormal(stddev=0.02)


def _normalize(x, name, dtype):
    return BatchNormalization(
        momentum=0.9,
        epsilon=1e-5,
        gamma_initializer=keras.initializers.RandomNormal(mean=1.0, stddev=0.02),
        dtype=dtype,
        name=name,
    )(x)


def _dense(size, name, dtype, use_bias):
    return keras.layers.Dense(
        size, use_bias=use_bias, kernel_initializer=_normal(), dtype=dtype, name=name
    )


def pyramid(image_shape):
    """The number of stride-2 stages, and the height and width that they start from.

    Both sides are halved while they stay even and at least 4: 64 -> 4 in four stages, 32 -> 4 in
    three, 28 -> 7 in two.

    Raises:
        ValueError: If a side is below 8 or no multiple of 4, or the shape is not (h, w, c).
    """
    height, width, _ = check_image_shape(image_shape, "; for points use zoo.MLPGenerator")
    for side in (height, width):
        if side < 8 or side % 4:
            raise ValueError(
                "`image_shape` cannot be made by DCGAN, which doubles its maps. Expected a height "
                "and a width that are multiples of 4 and at least 8. "
                f"Received: image_shape={tuple(image_shape)}"
            )
    stages = 0
    while not (height % 2 or width % 2) and min(height, width) >= 2 * SMALLEST_BASE:
        height, width, stages = height // 2, width // 2, stages + 1
    return stages, height, width


@keras.saving.register_keras_serializable(package="zoo")
class DCGANGenerator(Generator):
    """Fractionally strided convolutions from latents to an image.

    A projection of the latents is reshaped to `filters * 2**(stages - 1)` small maps; each stage
    doubles the side and halves the filters. Batch normalization and ReLU follow every layer but
    the last, which is tanh. There are no pooling and, unless asked for, no hidden dense layers;
    all weights start from N(0, 0.02).

    Args:
        image_shape: tuple `(height, width, channels)`; sides are multiples of 4 and at least 8.
        latent_dim: int. Coordinates of a latent.
        filters: int. Maps of the last hidden stage; the first has the most.
        kernel_size: int. Side of the kernels.
        units: tuple of int. Widths of hidden dense layers before the projection; `(1024,)` in the
            published nets for MNIST, where two stages alone agree badly on one digit.
        num_classes: int, optional. Number of labels.
        conditioning: `"concat"` (labels join the input of every layer) or `"projection"` (the
            label's embedding stands beside the latents). See `zoo.players.labels`.
        prior: `"normal"` or `"uniform"`.
        dtype: Keras dtype policy; the images are float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on latents `(batch, latent_dim)`, or on `{"latents": ..., "labels": int32
        (batch,)}`: float32 images in [-1, 1] of shape `(batch, height, width, channels)`.

    Raises:
        ValueError: If a size cannot work.

    Example:

    ```python
    import zoo

    generator = zoo.DCGANGenerator((28, 28, 1), latent_dim=64)
    images = generator.sample(16, seed=0)  # (16, 28, 28, 1), uint8
    ```

    Reference:
        - [Radford et al., 2016](https://arxiv.org/abs/1511.06434), sections 3, 4 and 6.3.
    """

    def __init__(
        self,
        image_shape=(28, 28, 1),
        latent_dim=100,
        filters=64,
        kernel_size=5,
        units=(),
        num_classes=None,
        conditioning="concat",
        prior="normal",
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        image_shape, units = as_tuple(image_shape=image_shape), as_tuple(units=units)
        stages, height, width = pyramid(image_shape)
        check_size(latent_dim=latent_dim, filters=filters, kernel_size=kernel_size)
        check_sizes(units=units)
        check_widths(latent_dim, *units, units=units)
        check_widths(latent_dim, *units, height * width * filters, latent_dim=latent_dim)
        check_memory((filters * kernel_size) ** 2 * (stages > 1), filters=filters)
        check_memory(filters * kernel_size**2, kernel_size=kernel_size)
        dtype = policy(dtype)
        labels = Labels(num_classes, conditioning, dtype, num_conditions)

        # === Functional Model ===
        inputs, x = labels.input((latent_dim,), "latents")
        x = labels.embed(x, _normal())
        for i, size in enumerate(units):
            x = labels.join(x, f"labels_dense_{i}")
            x = _dense(size, f"dense_{i}", dtype, use_bias=False)(x)
            x = _normalize(x, f"normalization_dense_{i}", dtype)
            x = keras.layers.ReLU(dtype=dtype, name=f"relu_dense_{i}")(x)
        maps = filters * 2 ** (stages - 1)
        x = labels.join(x, "labels_projection")
        x = _dense(height * width * maps, "projection", dtype, use_bias=False)(x)
        x = keras.layers.Reshape((height, width, maps), dtype=dtype, name="maps")(x)
        for stage in range(stages - 1):
            x = _normalize(x, f"normalization_{stage}", dtype)
            x = keras.layers.ReLU(dtype=dtype, name=f"relu_{stage}")(x)
            x = labels.join(x, f"labels_{stage}")
            maps //= 2
            x = keras.layers.Conv2DTranspose(
                maps,
                kernel_size,
                strides=2,
                padding="same",
                data_format="channels_last",
                use_bias=False,
                kernel_initializer=_normal(),
                dtype=dtype,
                name=f"deconvolution_{stage}",
            )(x)
        x = _normalize(x, f"normalization_{stages - 1}", dtype)
        x = keras.layers.ReLU(dtype=dtype, name=f"relu_{stages - 1}")(x)
        x = labels.join(x, "labels_output")
        x = ConvolutionToImage(
            image_shape[2],
            kernel_size,
            strides=2,
            padding="same",
            data_format="channels_last",
            kernel_initializer=_normal(),
            dtype=dtype,
            name="output",
        )(x)
        outputs = keras.layers.Activation("tanh", dtype="float32", name="samples")(x)
        super().__init__(
            inputs,
            outputs,
            latent_dim=latent_dim,
            prior=prior,
            **labels.counts,
            dtype=dtype,
            **kwargs,
        )


@keras.saving.register_keras_serializable(package="zoo")
class DCGANDiscriminator(Discriminator):
    """Strided convolutions from an image to one logit.

    Each stage halves the side and doubles the filters. LeakyReLU follows every convolution, batch
    normalization every one but the first, whose input is the image. There are no pooling and,
    unless asked for, no hidden dense layers; all weights start from N(0, 0.02). As in the published
    code, hidden layers have biases only without batch normalization.

    Args:
        image_shape: tuple `(height, width, channels)`; sides are multiples of 4 and at least 8.
        filters: int. Maps of the first stage; the last has the most.
        kernel_size: int. Side of the kernels.
        units: tuple of int. Widths of hidden dense layers after the convolutions; `(1024,)` in the
            published nets for MNIST.
        negative_slope: float. Slope of LeakyReLU below zero.
        batch_normalization: bool. Turn it off where a penalty wants one gradient an example.
        num_classes: int, optional. Number of labels.
        conditioning: `"concat"` (labels join the input of every layer) or `"projection"` (the
            logit adds the product of the features with a vector of the label). See
            `zoo.players.labels`.
        dtype: Keras dtype policy; the logits are float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on images `(batch, height, width, channels)` in [-1, 1], or on `{"images": ...,
        "labels": int32 (batch,)}`: `{"logits": (batch,), "features": (batch, k)}`, the features
        being the last hidden dense layer, or the flattened last maps.

    Raises:
        ValueError: If a size cannot work.

    Reference:
        - [Radford et al., 2016](https://arxiv.org/abs/1511.06434), sections 3, 4 and 6.3.
    """

    def __init__(
        self,
        image_shape=(28, 28, 1),
        filters=64,
        kernel_size=5,
        units=(),
        negative_slope=0.2,
        batch_normalization=True,
        num_classes=None,
        conditioning="concat",
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        image_shape, units = as_tuple(image_shape=image_shape), as_tuple(units=units)
        stages, _, _ = pyramid(image_shape)
        check_size(filters=filters, kernel_size=kernel_size)
        check_sizes(units=units)
        check_not_negative(negative_slope=negative_slope)
        check_flag(batch_normalization=batch_normalization)
        check_widths(filters, *units, units=units)
        check_memory((filters * kernel_size) ** 2 * (stages > 1), filters=filters)
        check_memory(filters * kernel_size**2, kernel_size=kernel_size)
        dtype = policy(dtype)
        labels = Labels(num_classes, conditioning, dtype, num_conditions)

        # === Functional Model ===
        inputs, x = labels.input(image_shape, "images")
        for stage in range(stages):
            normalized = batch_normalization and stage > 0
            x = labels.join(x, f"labels_{stage}")
            x = ConvolutionFromImage(
                filters * 2**stage,
                kernel_size,
                strides=2,
                padding="same",
                data_format="channels_last",
                use_bias=not batch_normalization,
                kernel_initializer=_normal(),
                dtype=dtype,
                name=f"convolution_{stage}",
            )(x)
            if normalized:
                x = _normalize(x, f"normalization_{stage}", dtype)
            x = keras.layers.LeakyReLU(negative_slope, dtype=dtype, name=f"leaky_relu_{stage}")(x)
        features = keras.layers.Flatten(data_format="channels_last", dtype=dtype, name="features")(
            x
        )
        for i, size in enumerate(units):
            x = labels.join(features, f"labels_dense_{i}")
            x = _dense(size, f"dense_{i}", dtype, use_bias=not batch_normalization)(x)
            if batch_normalization:
                x = _normalize(x, f"normalization_dense_{i}", dtype)
            features = keras.layers.LeakyReLU(
                negative_slope, dtype=dtype, name=f"leaky_relu_dense_{i}"
            )(x)
        x = labels.join(features, "labels_output")
        x = keras.layers.Dense(1, kernel_initializer=_normal(), dtype="float32", name="output")(x)
        x = labels.project(x, features, _normal())
        outputs = logits_and_features(x, features)
        super().__init__(inputs, outputs, **labels.counts, dtype=dtype, **kwargs)
