"""The residual pair of spectrally normalized GANs (Miyato et al., 2018), appendix B.4."""

import keras

from zoo.layers.normalization import BatchNormalization
from zoo.layers.spectral_normalization import SpectralNormalization
from zoo.players import Discriminator, Generator, logits_and_features, policy
from zoo.players.labels import Labels
from zoo.validation import as_tuple, check_flag, check_image_shape, check_memory, check_size

BASES = (4, 5, 6, 7)  # Sides of the smallest maps; doubling one of them gives every size.
SIZES = tuple(sorted(b * 2**k for b in BASES for k in range(6) if 28 <= b * 2**k <= 128))
FLAT = 32  # Up to this side all layers are equally wide, as published; beyond, widths double.


def doublings(image_shape, family):
    """How often the smallest maps are doubled to reach the image, and their side.

    28 = 7 * 2^2, 32 = 4 * 2^3, 48 = 6 * 2^3, 64 = 4 * 2^4, 96 = 6 * 2^4, 128 = 4 * 2^5.

    Args:
        image_shape: tuple `(side, side, channels)`.
        family: str. Who asks, for the message.

    Raises:
        ValueError: If the image is not square or its side is none of `SIZES`.
    """
    height, width, _ = check_image_shape(image_shape, "; for points use zoo.MLPGenerator")
    if height != width or height not in SIZES:
        near = sorted(sorted(SIZES, key=lambda size: abs(size - max(height, width)))[:2])
        raise ValueError(
            f"`image_shape` cannot be made by {family}, which doubles maps of {BASES[0]} to "
            f"{BASES[-1]} pixels. Expected a square whose side is one of {SIZES}; near are "
            f"{near[0]} and {near[1]}. "
            f"Received: image_shape={tuple(image_shape)}"
        )
    count = 0
    while height > BASES[-1]:
        height, count = height // 2, count + 1
    return count, height


def _widths(size, filters, max_filters, flat):
    """The widths of the narrowest and the widest layer; `None` stands for the published ones."""
    if filters is None:
        filters = flat if size <= FLAT else 64
    check_size(filters=filters)
    check_memory(9 * filters**2, filters=filters)
    if max_filters is None:
        max_filters = filters if size <= FLAT else 16 * filters
    check_size(max_filters=max_filters)
    if max_filters < filters:
        raise ValueError(
            f"`max_filters` is less than `filters`. Expected at least {filters}. "
            f"Received: max_filters={max_filters}"
        )
    return filters, max_filters


def _plain(layer):
    return layer


def _normalized(layer):
    return SpectralNormalization(layer, name=layer.name)


def _glorot(gain=1.0):
    """U(-a, a) of variance `2 gain^2 / (fan_in + fan_out)`."""
    return keras.initializers.VarianceScaling(gain**2, "fan_avg", "uniform")


def _convolution(maps, side, name, dtype, use_bias=True):
    """A convolution: 3x3 in a branch, behind a ReLU, or 1x1 on a shortcut."""
    return keras.layers.Conv2D(
        maps,
        side,
        padding="same",
        data_format="channels_last",
        use_bias=use_bias,
        kernel_initializer=_glorot(2**0.5 if side == 3 else 1.0),
        dtype=dtype,
        name=name,
    )


def _up(**kwargs):
    return keras.layers.UpSampling2D(data_format="channels_last", **kwargs)


def _mean(**kwargs):
    return keras.layers.AveragePooling2D(2, data_format="channels_last", **kwargs)


def _rectify(x, name, dtype):
    return keras.layers.ReLU(dtype=dtype, name=f"{name}_relu")(x)


def _normalize_and_rectify(x, name, dtype):
    x = BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype, name=f"{name}_normalization")(x)
    return _rectify(x, name, dtype)


def _up_block(x, maps, labels, name, dtype):
    """`up(x) * w + conv(relu(norm(conv(up(relu(norm(x)))))))`, with a 1x1 kernel `w`.

    Each way on leads to a normalization, which would take any bias out again.
    """
    h = _normalize_and_rectify(x, f"{name}_0", dtype)
    h = labels.join(h, f"{name}_labels")
    h = _up(dtype=dtype, name=f"{name}_up")(h)
    h = _convolution(maps, 3, f"{name}_convolution_0", dtype, use_bias=False)(h)
    h = _normalize_and_rectify(h, f"{name}_1", dtype)
    h = _convolution(maps, 3, f"{name}_convolution_1", dtype, use_bias=False)(h)
    # A 1x1 kernel and nearest neighbours commute: before, it is a quarter of the work.
    x = _convolution(maps, 1, f"{name}_shortcut", dtype, use_bias=False)(x)
    x = _up(dtype=dtype, name=f"{name}_shortcut_up")(x)
    return keras.layers.Add(dtype=dtype, name=name)([x, h])


def _down_block(x, hidden, maps, labels, name, dtype, wrap, down=True, first=False):
    """`down(x) * w + down(conv(relu(conv(relu(x)))))`; the first block's input is the image."""
    h = x if first else _rectify(x, f"{name}_0", dtype)
    h = labels.join(h, f"{name}_labels")
    h = wrap(_convolution(hidden, 3, f"{name}_convolution_0", dtype))(h)
    h = _rectify(h, f"{name}_1", dtype)
    h = wrap(_convolution(maps, 3, f"{name}_convolution_1", dtype))(h)
    if down:
        h = _mean(dtype=dtype, name=f"{name}_down")(h)
        # A 1x1 kernel and a mean commute: after, it is a quarter of the work.
        x = _mean(dtype=dtype, name=f"{name}_shortcut_down")(x)
    if down or x.shape[-1] != maps:
        x = wrap(_convolution(maps, 1, f"{name}_shortcut", dtype))(x)
    return keras.layers.Add(dtype=dtype, name=name)([x, h])


@keras.saving.register_keras_serializable(package="zoo")
class ResNetGenerator(Generator):
    """Residual blocks from latents to a square image, each doubling the side.

    A projection of the latents is reshaped to maps of 4 to 7 pixels. A block is
    `up(x) * w + conv(relu(norm(conv(up(relu(norm(x)))))))` with nearest-neighbour `up`, 3x3
    convolutions and a 1x1 kernel `w`. Batch normalization, ReLU, a 3x3 convolution and tanh end it;
    only that convolution has a bias, as normalization takes out those of the others.

    Maps of side `s` are `min(filters * size / s, max_filters)` in number.
    Up to 32 pixels the default is the published flat net (256 maps everywhere; WGAN-GP has 128),
    beyond it the published pyramid: 512 to 64 at 48 pixels, 1024 to 64 at 128.

    Args:
        image_shape: tuple `(side, side, channels)`; the side is 4, 5, 6 or 7 times a power of two,
            28 to 128.
        latent_dim: int. Coordinates of a latent.
        filters: int. Maps of the last block, the narrowest. Defaults to 256 up to 32 pixels and
            to 64 beyond.
        max_filters: int. Maps that no block exceeds. Defaults to `filters` up to 32 pixels and to
            `16 * filters` beyond.
        num_classes: int, optional. Number of labels.
        conditioning: `"concat"` (labels join the latents, the input of every block's first
            convolution and of the last) or `"projection"` (the label's embedding stands beside the
            latents). See `zoo.players.labels`. There is no conditional batch normalization.
        prior: `"normal"` or `"uniform"`.
        dtype: Keras dtype policy; the images are float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on latents `(batch, latent_dim)`, or on `{"latents": ..., "labels": int32
        (batch,)}`: float32 images in [-1, 1] of shape `(batch, side, side, channels)`.

    Raises:
        ValueError: If a size cannot work.

    Example:

    ```python
    import keras, trainers, zoo

    gan = trainers.GAN(
        zoo.ResNetGenerator((32, 32, 3), filters=64),
        zoo.ResNetDiscriminator((32, 32, 3), filters=64),
        discriminator_steps=5,
    )
    adam = [keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9) for _ in range(2)]
    gan.compile("hinge", *adam)
    ```

    Reference:
        - [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), appendix B.4, tables 4 to 6;
          blocks of [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), appendix F.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        latent_dim=128,
        filters=None,
        max_filters=None,
        num_classes=None,
        conditioning="concat",
        prior="normal",
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        image_shape = as_tuple(image_shape=image_shape)
        blocks, base = doublings(image_shape, "ResNet")
        check_size(latent_dim=latent_dim)
        filters, max_filters = _widths(image_shape[0], filters, max_filters, flat=256)
        check_memory(latent_dim * base**2 * filters, latent_dim=latent_dim)
        dtype = policy(dtype)
        labels = Labels(num_classes, conditioning, dtype, num_conditions)
        widths = [min(filters * 2**k, max_filters) for k in range(blocks, -1, -1)]

        # === Functional Model ===
        inputs, x = labels.input((latent_dim,), "latents")
        x = labels.embed(x, _glorot())
        x = labels.join(x, "labels_projection")
        x = keras.layers.Dense(
            base * base * widths[0],
            use_bias=False,
            kernel_initializer=_glorot(),
            dtype=dtype,
            name="projection",
        )(x)
        x = keras.layers.Reshape((base, base, widths[0]), dtype=dtype, name="maps")(x)
        for k, maps in enumerate(widths[1:]):
            x = _up_block(x, maps, labels, f"block_{k}", dtype)
        x = _normalize_and_rectify(x, "last", dtype)
        x = labels.join(x, "labels_output")
        x = keras.layers.Conv2D(
            image_shape[2],
            3,
            padding="same",
            data_format="channels_last",
            kernel_initializer=_glorot(),
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

        self.filters, self.max_filters = filters, max_filters


@keras.saving.register_keras_serializable(package="zoo")
class ResNetDiscriminator(Discriminator):
    """Residual blocks from a square image to the sum of the last maps, and to one logit.

    A block is `down(x) * w + down(conv(relu(conv(relu(x)))))` with average pooling, 3x3
    convolutions and a 1x1 kernel `w`; the first has no ReLU before it, as its input is the image.
    After a last ReLU each map is summed. Nothing mixes the examples of a batch; with
    `spectral_normalization` every kernel has norm one, that of the labels included.

    Block k has `min(filters * 2^k, max_filters)` maps. Up to 32 pixels there are four, of which
    two halve the side: as published, 128 maps everywhere. Beyond, blocks halve the side while it
    is even and above 4, and one more keeps it: as published, 64 to 1024 maps.

    Args:
        image_shape: tuple `(side, side, channels)`; the side is 4, 5, 6 or 7 times a power of two,
            28 to 128.
        filters: int. Maps of the first block, the narrowest. Defaults to 128 up to 32 pixels and
            to 64 beyond.
        max_filters: int. Maps that no block exceeds. Defaults to `filters` up to 32 pixels and to
            `16 * filters` beyond.
        spectral_normalization: bool. Divide every kernel by its largest singular value. Turn it
            off where a gradient penalty holds the slope.
        num_classes: int, optional. Number of labels.
        conditioning: `"concat"` (labels join the input of every block's first convolution and of
            the logit) or `"projection"` (the logit adds the product of the features with a vector
            of the label). See `zoo.players.labels`.
        dtype: Keras dtype policy; features and logits are float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on images `(batch, side, side, channels)` in [-1, 1], or on `{"images": ...,
        "labels": int32 (batch,)}`: `{"logits": (batch,), "features": (batch, k)}`, the features
        being the sums over the last maps.

    Raises:
        ValueError: If a size cannot work.

    Reference:
        - [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), appendix B.4, tables 4 to 6;
          [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637) for the projection.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        filters=None,
        max_filters=None,
        spectral_normalization=True,
        num_classes=None,
        conditioning="concat",
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        image_shape = as_tuple(image_shape=image_shape)
        doublings(image_shape, "ResNet")
        filters, max_filters = _widths(image_shape[0], filters, max_filters, flat=128)
        check_flag(spectral_normalization=spectral_normalization)
        dtype = policy(dtype)
        labels = Labels(num_classes, conditioning, dtype, num_conditions)
        wrap = _normalized if spectral_normalization else _plain
        downs = _halvings(image_shape[0])

        # === Functional Model ===
        inputs, x = labels.input(image_shape, "images")
        for k, down in enumerate(downs):
            maps = min(filters * 2**k, max_filters)
            hidden = x.shape[-1] if k else maps
            x = _down_block(x, hidden, maps, labels, f"block_{k}", dtype, wrap, down, k == 0)
        x = _rectify(x, "last", "float32")
        features = keras.ops.sum(x, axis=(1, 2))
        x = labels.join(features, "labels_output", "float32")
        output = keras.layers.Dense(1, kernel_initializer=_glorot(), dtype="float32", name="output")
        x = wrap(output)(x)
        # Made only where it is used: each takes a number of Keras's global seed, and the first
        # weights of published networks follow from it.
        vectors = None if labels.projected is None else _glorot()
        x = labels.project(x, features, vectors, wrap)
        outputs = logits_and_features(x, features)
        super().__init__(inputs, outputs, **labels.counts, dtype=dtype, **kwargs)

        self.filters, self.max_filters = filters, max_filters


def _halvings(side):
    """Whether each block of the discriminator halves the side: a list of bool."""
    if side <= FLAT:
        return [True, True, False, False]
    downs = []
    while side % 2 == 0 and side > BASES[0]:
        side //= 2
        downs.append(True)
    return [*downs, False]
