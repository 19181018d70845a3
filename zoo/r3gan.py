"""The modernised residual pair of R3GAN (Huang et al., 2024): no normalization, no tricks."""

import math

import keras

from zoo.layers.basis import DiscriminativeBasis, GenerativeBasis
from zoo.layers.grouped_convolution import GroupedConv2D
from zoo.layers.resampling import BilinearResampling
from zoo.players import Discriminator, Generator, logits_and_features, policy
from zoo.players.labels import Labels
from zoo.resnet import doublings
from zoo.validation import as_tuple, check_integer, check_memory, check_size

SLOPE = 0.2  # Of LeakyReLU below zero.
GAIN = 2 / (1 + SLOPE**2)  # Variance that makes up for what LeakyReLU takes.
EXPANSION = 2  # Maps between the 1x1 convolutions of a block, per map outside.
WIDE = 32  # Up to this side all maps are equally many, as published; each doubling halves them.


def _normal(variance=1.0):
    """N(0, variance / fan_in)."""
    return keras.initializers.VarianceScaling(variance, "fan_in", "untruncated_normal")


def _convolution(maps, side, name, dtype, initializer=None, use_bias=False, groups=1):
    return GroupedConv2D(
        maps,
        side,
        padding="same",
        data_format="channels_last",
        groups=groups,
        use_bias=use_bias,
        kernel_initializer=initializer or _normal(),
        dtype=dtype,
        name=name,
    )


def _dense(units, name, dtype):
    return keras.layers.Dense(units, None, False, _normal(), dtype=dtype, name=name)


def _block(x, labels, group_width, depth, name, dtype):
    """`x + w3 lrelu(w2 lrelu(w1 x))`: 1x1, grouped 3x3, 1x1, of which the last starts at 0.

    `Var w1 = Var w2 = gain / fan_in * depth^(-1/2)`, where `depth` counts a player's blocks, so
    that the update of the whole does not grow with it (Zhang et al., 2019, section 3, m = 3).
    """
    maps = x.shape[-1]
    wide = EXPANSION * maps
    initializers = [_normal(GAIN * depth**-0.5) for _ in range(2)]
    h = labels.join(x, f"{name}_labels")
    h = _convolution(wide, 1, f"{name}_convolution_0", dtype, initializers[0], use_bias=True)(h)
    h = keras.layers.LeakyReLU(SLOPE, dtype=dtype, name=f"{name}_leaky_relu_0")(h)
    h = _convolution(
        wide, 3, f"{name}_convolution_1", dtype, initializers[1], True, wide // group_width
    )(h)
    h = keras.layers.LeakyReLU(SLOPE, dtype=dtype, name=f"{name}_leaky_relu_1")(h)
    h = _convolution(maps, 1, f"{name}_convolution_2", dtype, keras.initializers.Zeros())(h)
    return keras.layers.Add(dtype=dtype, name=name)([x, h])


BLOCKS = 1000  # A stage, at most: each is a part of the graph.


def _widths(image_shape, filters, group_width):
    """The base side, and the maps at each side from there to the image's.

    Raises:
        ValueError: If a size cannot work, or the groups do not divide the maps.
    """
    count, base = doublings(image_shape, "R3GAN")
    check_size(filters=filters, group_width=group_width)
    check_memory(9 * EXPANSION * filters * group_width, filters=filters)
    sides = [base * 2**k for k in range(count + 1)]
    halvings = [sum(side > WIDE for side in sides[: k + 1]) for k in range(count + 1)]
    unit = 2 ** halvings[-1]
    if filters % unit or EXPANSION * filters // unit % group_width:
        multiple = math.lcm(EXPANSION, group_width) // EXPANSION * unit
        raise ValueError(
            f"`filters` cannot be cut into groups: maps are halved for each doubling beyond {WIDE} "
            f"pixels, and groups hold {EXPANSION} times as many. Expected a multiple of {multiple} "
            f"at image_shape={image_shape} and group_width={group_width}. Received: "
            f"filters={filters}"
        )
    return base, [filters // 2**halving for halving in halvings]


@keras.saving.register_keras_serializable(package="zoo")
class R3GANGenerator(Generator):
    """Residual blocks without normalization from latents to a square image.

    Learned maps of 4 to 7 pixels, each multiplied by a linear function of the latents, begin it.
    At every side stand `blocks` blocks, `x + w3 lrelu(w2 lrelu(w1 x))` with 1x1, grouped 3x3 and
    1x1 kernels, of which the last starts at 0. From side to side the maps are interpolated
    bilinearly, after a 1x1 kernel where their number changes. A 1x1 kernel makes the image.

    As published there is no tanh: samples in training may leave [-1, 1] a little; `sample` and
    an exported model clip them.

    Args:
        image_shape: tuple `(side, side, channels)`; the side is 4, 5, 6 or 7 times a power of two,
            28 to 128.
        latent_dim: int. Coordinates of a latent.
        filters: int. Maps at sides up to 32; each doubling beyond halves them. The published
            nets have 768, which is for a GPU; 64 trains on a CPU.
        blocks: int. Residual blocks at each side.
        group_width: int. Maps in one group of the 3x3 convolutions.
        num_classes: int, optional. Number of labels.
        conditioning: `"concat"` (labels join the latents and the input of every block's first
            kernel) or `"projection"` (the label's embedding stands beside the latents, as
            published). See `zoo.players.labels`.
        prior: `"normal"` or `"uniform"`.
        dtype: Keras dtype policy; the images are float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on latents `(batch, latent_dim)`, or on `{"latents": ..., "labels": int32
        (batch,)}`: float32 images of shape `(batch, side, side, channels)` for data in [-1, 1].

    Raises:
        ValueError: If a size cannot work.

    Example: the recipe of the paper, small.

    ```python
    import keras, trainers, zoo

    gan = trainers.GAN(
        zoo.R3GANGenerator((32, 32, 3), filters=64), zoo.R3GANDiscriminator((32, 32, 3), filters=64)
    )
    gan.compile(
        "relativistic_pairing",
        keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9),
        keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9),
        discriminator_penalties=[trainers.penalties.R1(0.05), trainers.penalties.R2(0.05)],
        ema_decay=0.999,
    )
    ```

    Reference:
        - [Huang et al., 2024](https://arxiv.org/abs/2501.05441), section 3 and appendix.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        latent_dim=64,
        filters=768,
        blocks=2,
        group_width=16,
        num_classes=None,
        conditioning="concat",
        prior="normal",
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        image_shape = as_tuple(image_shape=image_shape)
        base, widths = _widths(image_shape, filters, group_width)
        check_size(latent_dim=latent_dim)
        check_integer(1, BLOCKS, blocks=blocks)
        check_memory(latent_dim * base**2 * filters, latent_dim=latent_dim)
        dtype = policy(dtype)
        labels = Labels(num_classes, conditioning, dtype, num_conditions)
        depth = blocks * len(widths)

        # === Functional Model ===
        inputs, x = labels.input((latent_dim,), "latents")
        x = labels.embed(x, _normal())
        x = labels.join(x, "labels_projection")
        x = _dense(widths[0], "projection", dtype)(x)
        x = GenerativeBasis(base, dtype=dtype, name="basis")(x)
        for stage, maps in enumerate(widths):
            if stage:
                if maps != x.shape[-1]:
                    x = _convolution(maps, 1, f"stage_{stage}_maps", dtype)(x)
                x = BilinearResampling(up=True, dtype=dtype, name=f"stage_{stage}_up")(x)
            for k in range(blocks):
                x = _block(x, labels, group_width, depth, f"stage_{stage}_block_{k}", dtype)
        outputs = _convolution(image_shape[2], 1, "output", "float32")(x)
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
class R3GANDiscriminator(Discriminator):
    """Residual blocks without normalization from a square image to one logit.

    The generator read backwards: a 1x1 kernel, blocks at every side, between the sides a bilinear
    filter and then a 1x1 kernel where the number of maps changes; products with learned maps of 4
    to 7 pixels are the features, and a linear function of them the logit.

    Args:
        image_shape: tuple `(side, side, channels)`; the side is 4, 5, 6 or 7 times a power of two,
            28 to 128.
        filters: int. Maps at sides up to 32; each doubling beyond halves them.
        blocks: int. Residual blocks at each side.
        group_width: int. Maps in one group of the 3x3 convolutions.
        num_classes: int, optional. Number of labels.
        conditioning: `"concat"` (labels join the input of every block's first kernel and of the
            logit) or `"projection"` (the logit adds the product of the features with a vector of
            the label; as published, where it stands alone). See `zoo.players.labels`.
        dtype: Keras dtype policy; the logits are float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on images `(batch, side, side, channels)` in [-1, 1], or on `{"images": ...,
        "labels": int32 (batch,)}`: `{"logits": (batch,), "features": (batch, filters)}`.

    Raises:
        ValueError: If a size cannot work.

    Reference:
        - [Huang et al., 2024](https://arxiv.org/abs/2501.05441), section 3 and appendix.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        filters=768,
        blocks=2,
        group_width=16,
        num_classes=None,
        conditioning="concat",
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        image_shape = as_tuple(image_shape=image_shape)
        _, widths = _widths(image_shape, filters, group_width)
        check_integer(1, BLOCKS, blocks=blocks)
        dtype = policy(dtype)
        labels = Labels(num_classes, conditioning, dtype, num_conditions)
        depth = blocks * len(widths)

        # === Functional Model ===
        inputs, x = labels.input(image_shape, "images")
        x = _convolution(widths[-1], 1, "input_maps", dtype)(x)
        for stage, maps in enumerate(reversed(widths)):
            if stage:
                x = BilinearResampling(up=False, dtype=dtype, name=f"stage_{stage}_down")(x)
                if maps != x.shape[-1]:
                    x = _convolution(maps, 1, f"stage_{stage}_maps", dtype)(x)
            for k in range(blocks):
                x = _block(x, labels, group_width, depth, f"stage_{stage}_block_{k}", dtype)
        features = DiscriminativeBasis(dtype=dtype, name="basis")(x)
        x = labels.join(features, "labels_output")
        x = _dense(1, "output", "float32")(x)
        x = labels.project(x, features, _normal())
        outputs = logits_and_features(x, features)
        super().__init__(inputs, outputs, **labels.counts, dtype=dtype, **kwargs)
