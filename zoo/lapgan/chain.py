"""The players of LAPGAN (Denton et al., 2015): a chain of levels, from coarse to fine."""

import itertools

import keras

from zoo.lapgan import pyramid
from zoo.lapgan.levels import BandDiscriminator, BandGenerator
from zoo.mlp import MLPDiscriminator, MLPGenerator
from zoo.players import Discriminator, Generator, conditions, policy
from zoo.players.labels import Labels
from zoo.validation import check_not_negative, check_rate, check_size

VALUE_RANGE = (-1.0, 1.0)


def grow(generators, latents, told=None, training=False):
    """The pictures of a chain of generators, from the coarsest to the finest.

    `I_0 = G_0(z_0)`, and `I_k = up(I_(k-1)) + G_k(z_k, up(I_(k-1)))`, each cut to [-1, 1]: the
    levels learned from coarse pictures that lie there.

    Args:
        generators: Those of the levels, coarsest first.
        latents: `(batch, sum of the levels' latent_dim)`.
        told: `{"labels": ...}` or `{"conditions": ...}`, for conditional generators.
        training: bool.

    Returns:
        A list of pictures, one a level.
    """
    ends = list(itertools.accumulate(level.latent_dim for level in generators))[:-1]
    pieces = keras.ops.split(latents, ends, axis=-1) if ends else [latents]
    pictures = []
    for level, piece in zip(generators, pieces, strict=True):
        inputs = {"latents": piece, **(told or {})}
        if not pictures:
            picture = level(inputs if told else piece, training=training)
        else:
            coarse = pyramid.up(pictures[-1])
            picture = coarse + level({**inputs, "coarse": coarse}, training=training)
        pictures.append(keras.ops.clip(picture, *VALUE_RANGE))
    return pictures


@keras.saving.register_keras_serializable(package="zoo")
class LaplacianGenerator(Generator):
    """A chain of generators: a coarse picture, then level by level the detail that it lacks.

    Level 0 makes the coarsest picture with dense layers; each further level doubles the sides and
    adds a band that a `BandGenerator` makes of the picture so far and a plane of noise. The
    coarsest latent and the planes are one flat vector, coarse to fine, so that this is a generator
    like any other. The output is cut to [-1, 1], where pictures lie; the levels are trained apart
    and on uncut sums (`trainers.LaplacianGAN`), so the cut stops no gradient there.

    Args:
        image_shape: tuple `(height, width, channels)`; sides are multiples of `2**(levels - 1)`.
        levels: int. Number of pictures, the coarsest included; 3 makes 32 of 16 of 8.
        latent_dim: int. Coordinates of the coarsest level's latent. The attribute `latent_dim`
            counts the planes of the other levels too.
        filters: int. Maps of the band generators' hidden layers.
        units: tuple of int. Widths of the coarsest generator's hidden layers.
        num_classes: int, optional. Number of labels.
        prior: `"uniform"` or `"normal"`.
        dtype: Keras dtype policy; the images are float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on latents `(batch, latent_dim)`, or on `{"latents": ..., "labels": int32
        (batch,)}`: float32 images in [-1, 1] of shape `(batch, height, width, channels)`.

    Raises:
        ValueError: If the sides cannot be halved so often, or a size is not positive.

    Example:

    ```python
    import zoo

    generator = zoo.LaplacianGenerator((28, 28, 1), levels=3, latent_dim=64)
    images = generator.sample(16, seed=0)  # (16, 28, 28, 1), uint8
    ```

    Reference:
        - [Denton et al., 2015](https://arxiv.org/abs/1506.05751), sections 3 and 4. The paper
          counts the levels from the finest.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        levels=3,
        latent_dim=100,
        filters=64,
        units=(1200, 1200),
        num_classes=None,
        prior="uniform",
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        shapes = pyramid.shapes(image_shape, levels)
        check_size(latent_dim=latent_dim, filters=filters)
        dtype = policy(dtype)
        told = {"num_classes": num_classes, "num_conditions": num_conditions}
        shared = {**told, "prior": prior, "dtype": dtype}

        # === Layers ===
        coarsest = MLPGenerator(
            shapes[0],
            latent_dim,
            units,
            output_activation="tanh",
            kernel_initializer="glorot_uniform",
            name="level_0",
            **shared,
        )
        finer = [
            BandGenerator(shape, filters, name=f"level_{level}", **shared)
            for level, shape in enumerate(shapes[1:], start=1)
        ]

        # === Functional Model ===
        generators = [coarsest, *finer]
        labels = Labels(num_classes, "concat", dtype, num_conditions)
        size = sum(level.latent_dim for level in generators)
        inputs, latents = labels.input((size,), "latents")
        pictures = grow(generators, latents, labels.told)
        super().__init__(
            inputs,
            pictures[-1],
            latent_dim=latents.shape[-1],
            value_range=VALUE_RANGE,
            **shared,
            **kwargs,
        )

    @property
    def parts(self):
        """The generators of the levels, coarsest first."""
        return [self.get_layer(f"level_{level}") for level in range(self.levels)]

    def chain(self, latents, labels=None):
        """The pictures on the way, in inference mode: the last is the generator's output.

        Args:
            latents: float `(batch, latent_dim)`.
            labels: Integers `(batch,)`, with classes; or conditions `(batch, num_conditions)`.

        Returns:
            A list of float32 tensors in [-1, 1], one a level, coarsest first.
        """
        latents = keras.ops.convert_to_tensor(latents, "float32")
        condition = conditions.of(self)
        if condition is None:
            return grow(self.parts, latents)
        return grow(self.parts, latents, {condition.name: conditions.cast(condition, labels)})


@keras.saving.register_keras_serializable(package="zoo")
class LaplacianDiscriminator(Discriminator):
    """A discriminator for each level, which sees the pictures of that size.

    Level 0 is dense, the others are `BandDiscriminator`s. Called on images it is its finest level:
    a discriminator like any other, and the only level that a trainer of whole pictures moves.
    `trainers.LaplacianGAN` trains all `parts`.

    Args:
        image_shape: tuple `(height, width, channels)`; sides are multiples of `2**(levels - 1)`.
        levels: int. Number of pictures, the coarsest included.
        filters: int. Maps of the convolutions.
        units: tuple of int. Widths of the coarsest discriminator's hidden layers.
        dropout: float in [0, 1). Share of hidden units and of features dropped in training.
        negative_slope: float. Slope of LeakyReLU below zero in the convolutions; the paper has 0.
        num_classes: int, optional. Number of labels.
        dtype: Keras dtype policy; the logits are float32 under all of them.
        num_conditions: int, optional. Numbers of a condition; they enter as one-hot labels do.

    Returns:
        Called on images `(batch, height, width, channels)` in [-1, 1], or on `{"images": ...,
        "labels": int32 (batch,)}`: `{"logits": (batch,), "features": (batch, k)}`.

    Raises:
        ValueError: If the sides cannot be halved so often, a size is not positive, or the rate is
            outside [0, 1).

    Reference:
        - [Denton et al., 2015](https://arxiv.org/abs/1506.05751), sections 3 and 4.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        levels=3,
        filters=64,
        units=(600, 600),
        dropout=0.5,
        negative_slope=0.2,
        num_classes=None,
        dtype=None,
        num_conditions=None,
        **kwargs,
    ):
        shapes = pyramid.shapes(image_shape, levels)
        check_size(filters=filters)
        check_rate(dropout=dropout)
        check_not_negative(negative_slope=negative_slope)
        dtype = policy(dtype)
        told = {"num_classes": num_classes, "num_conditions": num_conditions}
        shared = {**told, "dropout": dropout, "dtype": dtype}

        # === Layers ===
        coarsest = MLPDiscriminator(
            shapes[0],
            units,
            activation="relu",
            input_dropout=0.0,
            kernel_initializer="glorot_uniform",
            name="level_0",
            **shared,
        )
        finer = [
            BandDiscriminator(
                shape, filters, negative_slope=negative_slope, name=f"level_{level}", **shared
            )
            for level, shape in enumerate(shapes[1:], start=1)
        ]

        # === Functional Model ===
        parts = [coarsest, *finer]
        inputs, _ = Labels(num_classes, "concat", dtype, num_conditions).input(shapes[-1], "images")
        super().__init__(inputs, parts[-1](inputs), **told, dtype=dtype, **kwargs)
        self.parts = parts

    @property
    def trainable_variables(self):
        """Those of the finest level: a loss of its logits has no gradient of the others."""
        return self.parts[-1].trainable_variables
