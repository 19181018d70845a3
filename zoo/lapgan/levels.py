"""The generator and the discriminator of one level of LAPGAN (Denton et al., 2015)."""

import keras

from zoo.layers.concat_labels import JoinPlanes
from zoo.layers.dropout import Dropout
from zoo.players import Discriminator, Generator, logits_and_features, policy
from zoo.players.labels import Labels
from zoo.validation import check_image_shape, check_not_negative, check_rate, check_size

GENERATOR_KERNELS, DISCRIMINATOR_KERNEL = (7, 7, 5), 5
# The variance of the first bands over that of the last maps: bands of photographs are faint, 0.11
# to 0.15 of pixels in [-1, 1], and D would tell stronger ones at a glance.
BAND_SCALE = 0.03


def _convolution(x, filters, kernel_size, name, dtype, strides=1, initializer="he_normal"):
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        data_format="channels_last",
        kernel_initializer=initializer,
        dtype=dtype,
        name=name,
    )(x)


def _join_label_plane(x, labels):
    """`x` with one more channel, a linear function of the label, where there are classes."""
    if labels.joined is None:
        return x
    height, width = x.shape[1:3]
    plane = keras.layers.Dense(
        height * width,
        use_bias=False,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.1),
        dtype=labels.dtype,
        name="label_plane",
    )(labels.joined)
    plane = keras.layers.Reshape((height, width, 1), dtype=labels.dtype, name="label_map")(plane)
    return JoinPlanes(dtype=labels.dtype, name="join_labels")(x, plane)


@keras.saving.register_keras_serializable(package="zoo")
class BandGenerator(Generator):
    """One level of LAPGAN's generator, which makes the detail that a coarse picture lacks.

    The upsampled coarse picture, a plane of noise and, with classes, a plane that is linear in the
    label are the channels of the input. Two convolutions of 7x7 with ReLU and a linear one of 5x5
    make the band, which is to be added to the coarse picture.

    Args:
        image_shape: tuple `(height, width, channels)` of the band.
        filters: int. Maps of the hidden layers.
        num_classes: int, optional. Number of labels.
        prior: `"uniform"` or `"normal"`.
        dtype: Keras dtype policy; the band is float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on `{"latents": (batch, height * width), "coarse": (batch, height, width,
        channels)}`, and `"labels"` with classes: a float32 band of the shape of `coarse`.

    Raises:
        ValueError: If a size is not positive.

    Reference:
        - [Denton et al., 2015](https://arxiv.org/abs/1506.05751), section 4.1 and its code.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        filters=64,
        num_classes=None,
        prior="uniform",
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        height, width, channels = check_image_shape(image_shape)
        check_size(filters=filters)
        dtype = policy(dtype)

        # === Functional Model ===
        labels = Labels(num_classes, "concat", dtype, num_conditions)
        inputs, latents = labels.input((height * width,), "latents")
        inputs = inputs if isinstance(inputs, dict) else {"latents": latents}
        inputs["coarse"] = keras.Input((height, width, channels), name="coarse")
        noise = keras.layers.Reshape((height, width, 1), dtype=dtype, name="noise")(latents)
        x = JoinPlanes(dtype=dtype, name="join_noise")(inputs["coarse"], noise)
        x = _join_label_plane(x, labels)
        for k, kernel_size in enumerate(GENERATOR_KERNELS[:-1]):
            x = _convolution(x, filters, kernel_size, f"convolution_{k}", dtype)
            x = keras.layers.ReLU(dtype=dtype, name=f"relu_{k}")(x)
        faint = keras.initializers.VarianceScaling(BAND_SCALE)
        band = _convolution(
            x, channels, GENERATOR_KERNELS[-1], "output", "float32", initializer=faint
        )
        super().__init__(
            inputs,
            band,
            latent_dim=height * width,
            prior=prior,
            **labels.counts,
            value_range=None,  # A band is a difference of pictures, not a picture.
            dtype=dtype,
            **kwargs,
        )


@keras.saving.register_keras_serializable(package="zoo")
class BandDiscriminator(Discriminator):
    """Two convolutions of 5x5, the second with stride 2, dropout, and a dense logit.

    It sees the sum of the upsampled coarse picture and the band, that is the picture of its level:
    a band alone says little about whether it fits.

    Args:
        image_shape: tuple `(height, width, channels)`.
        filters: int. Maps of both layers.
        dropout: float in [0, 1). Share of the features dropped in training.
        negative_slope: float. Slope of LeakyReLU below zero. The paper has 0; a discriminator of
            ReLUs that have all died says 1/2 for ever, and here some did.
        num_classes: int, optional. Number of labels; they enter as one more channel.
        dtype: Keras dtype policy; the logits are float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on images `(batch, height, width, channels)`, or on `{"images": ..., "labels": int32
        (batch,)}`: `{"logits": (batch,), "features": (batch, k)}`, the features being the
        flattened last maps.

    Raises:
        ValueError: If a size is not positive or the rate is outside [0, 1).

    Reference:
        - [Denton et al., 2015](https://arxiv.org/abs/1506.05751), section 4.1 and its code.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        filters=64,
        dropout=0.5,
        negative_slope=0.2,
        num_classes=None,
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        image_shape = check_image_shape(image_shape)
        check_size(filters=filters)
        check_rate(dropout=dropout)
        check_not_negative(negative_slope=negative_slope)
        dtype = policy(dtype)

        # === Functional Model ===
        labels = Labels(num_classes, "concat", dtype, num_conditions)
        inputs, x = labels.input(image_shape, "images")
        x = _join_label_plane(x, labels)
        for k, strides in enumerate((1, 2)):
            x = _convolution(
                x, filters, DISCRIMINATOR_KERNEL, f"convolution_{k}", dtype, strides=strides
            )
            x = keras.layers.LeakyReLU(negative_slope, dtype=dtype, name=f"leaky_relu_{k}")(x)
        features = keras.layers.Flatten(data_format="channels_last", dtype=dtype, name="features")(
            x
        )
        x = Dropout(dropout, dtype=dtype, name="dropout")(features) if dropout else features
        # Small, or dropout would shake the first logits more than the pictures move them.
        small = keras.initializers.VarianceScaling(0.01)
        x = keras.layers.Dense(1, kernel_initializer=small, dtype="float32", name="output")(x)
        outputs = logits_and_features(x, features)
        super().__init__(inputs, outputs, **labels.counts, dtype=dtype, **kwargs)
