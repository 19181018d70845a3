"""Inversion: the latents whose sample is nearest to a given image (Creswell and Bharath, 2016)."""

import dataclasses

import numpy as np
import tensorflow as tf

from zoo import random, tracing, validation
from zoo.blocks import slices
from zoo.latents import lbfgs
from zoo.players import sampling

# Of the steps. Adam finds the valley, L-BFGS its floor: without Adam more starts get stuck at a
# kink of the ReLUs, and with more of it the floor is further off when the steps are over.
ADAM_SHARE = 1 / 6
STEPS = 300
MOST_STEPS = 10**6  # More of them never end.
INSIDE = 1e-6  # The tanh of the uniform prior never reaches its ends.


@dataclasses.dataclass(frozen=True)
class Inversion:
    """What `invert` found for n images; mean squared errors are per pixel, of pixels in [0, 1].

    Attributes:
        latents: float32 `(n, latent_dim)`. The best start of each image.
        reconstructions: float32 `(n, *image_shape)`. Their samples, in [0, 1].
        mse: float64 `(n,)`. Their mean squared errors.
        start_latents: float32 `(n, starts, latent_dim)`. Where every start ended.
        start_mse: float64 `(n, starts)`. Its mean squared error.
    """

    latents: np.ndarray
    reconstructions: np.ndarray
    mse: np.ndarray
    start_latents: np.ndarray
    start_mse: np.ndarray


def invert(
    generator,
    images,
    labels=None,
    starts=8,
    steps=STEPS,
    seed=0,
    batch_size=256,
    conditions=None,
    value_range=sampling.AUTO,
):
    """The latents whose samples are nearest to given images.

    `argmin_z |G(z) - x|^2` by gradient descent from several draws of the prior, with the generator
    in inference mode: Adam for a sixth of the steps, then L-BFGS. The problem has many local
    minima, hence the starts; an image that the generator cannot make keeps an error. Latents of
    the uniform prior stay in its cube: there `z = sqrt 3 tanh(u)`, and u is what moves. Nothing
    holds those of the normal prior at the length `sqrt latent_dim` that its draws have: images
    that the generator was not trained to make are found further out.

    Start s of image i is a function of (seed, i, s), so the result for an image does not depend on
    those behind it, up to the rounding of float32.

    Args:
        generator: A zoo generator, or any Keras model that maps latents to samples.
        images: uint8, or floats in [0, 1], of shape `(n, *image_shape)`. For a generator without a
            `value_range`: float samples in its own unit, which is then that of the errors.
        labels: Integers of shape `(n,)`, or one integer for all; needed exactly when the generator
            has `num_classes`.
        starts: int. Draws to start from, for each image.
        steps: int, 0 or more. Gradients for each start; 0 keeps the draws.
        seed: int. Of the draws; `None` makes fresh ones.
        batch_size: int. Samples computed at a time, images times starts; lower it when memory is
            short.
        conditions: Numbers of shape `(n, num_conditions)`, or one row for all; needed exactly when
            the generator has `num_conditions`.
        value_range: As in `zoo.players.sample`.

    Returns:
        An `Inversion`: latents, reconstructions and mean squared errors.

    Raises:
        ValueError: If the images are scaled otherwise or do not fit the generator, or it cannot be
            differentiated, or an argument is wrong.

    Example:

    ```python
    import zoo

    generator = zoo.DCGANGenerator(latent_dim=64)
    found = zoo.latents.invert(generator, generator.sample(2, seed=3), starts=2, steps=20)
    print(found.mse)
    ```

    Reference:
        - [Creswell and Bharath, 2016](https://arxiv.org/abs/1611.05644), algorithm 1, in batches.
        - [Metz et al., 2017](https://arxiv.org/abs/1611.02163), section 3.4: L-BFGS, many starts.
    """
    validation.check_positive(starts=starts, batch_size=batch_size)
    validation.check_integer(0, MOST_STEPS, steps=steps)
    traits = sampling.traits(generator, value_range)
    targets = _check_images(images, traits)
    labels = sampling.told(traits, len(targets), labels, conditions)
    if seed is not None:
        validation.check_seed(seed)

    rows = len(targets) * starts
    latents = random.from_seed(traits.prior, rows, traits.latent_dim, seed).numpy()
    owners = np.repeat(np.arange(len(targets)), starts)
    descend = _Descent(generator, traits)
    ended, errors = [], []
    for batch in slices(rows, batch_size):
        own_labels = None if labels is None else labels[owners[batch]]
        wanted = targets[owners[batch]]
        ended.append(descend(latents[batch], wanted, own_labels, steps))
        # Kept are only the errors of all starts: their samples may not fit in memory.
        samples = sampling.decode(
            generator, ended[-1], own_labels, batch_size, as_float=True, value_range=value_range
        )
        errors.append(np.mean((samples.astype("float64") - wanted) ** 2, axis=_pixels(wanted)))

    start_latents = np.concatenate(ended).reshape(len(targets), starts, traits.latent_dim)
    start_mse = np.concatenate(errors).reshape(len(targets), starts)
    best = np.where(np.isnan(start_mse), np.inf, start_mse).argmin(axis=1)
    everyone = np.arange(len(targets))
    latents = start_latents[everyone, best]
    return Inversion(
        latents,
        sampling.decode(
            generator, latents, labels, batch_size, as_float=True, value_range=value_range
        ),
        start_mse[everyone, best],
        start_latents,
        start_mse,
    )


class _Descent:
    """Finds the latents of one batch of starts: Adam, then L-BFGS."""

    def __init__(self, generator, traits):
        self.generator = generator
        self.low, self.high = traits.value_range or (0.0, 1.0)
        self.limit = random.UNIFORM_LIMIT if traits.prior == "uniform" else None

        @tf.function(autograph=False, reduce_retracing=True)
        def value_and_slope(latents, wanted, labels):
            with tracing.released(), tf.GradientTape() as tape:
                tape.watch(latents)
                samples = sampling.generate(generator, latents, labels)
                unit = (tf.cast(samples, "float64") - self.low) / (self.high - self.low)
                values = tf.reduce_sum((unit - wanted) ** 2, axis=_pixels(wanted))
            return values, tape.gradient(values, latents)

        self.value_and_slope = value_and_slope

    def __call__(self, latents, wanted, labels, steps):
        if steps == 0:
            return latents
        wanted = tf.constant(wanted, "float64")
        labels = None if labels is None else tf.constant(labels)

        def function(free):
            return self.function(free, wanted, labels)

        adam_steps = round(steps * ADAM_SHARE)
        free = lbfgs.adam(function, self.free(latents), adam_steps)
        return self.bound(lbfgs.lbfgs(function, free, steps - adam_steps))

    def function(self, free, wanted, labels):
        """`|G(z) - x|^2` of every row, and its gradient in the free coordinates; float64."""
        values, gradients = self.value_and_slope(self.bound(free), wanted, labels)
        if gradients is None:
            raise ValueError(
                "`generator` lets no gradient reach the latents. Expected a generator made of "
                f"differentiable operations. Received: generator={self.generator.name!r}"
            )
        return values.numpy(), gradients.numpy() * self.slope(free)

    def free(self, latents):
        """float64 coordinates without bounds."""
        latents = latents.astype("float64")
        if self.limit is None:
            return latents
        inside = np.clip(latents / self.limit, INSIDE - 1, 1 - INSIDE)
        return np.arctanh(inside)

    def bound(self, free):
        """float32 latents of the prior."""
        return (free if self.limit is None else self.limit * np.tanh(free)).astype("float32")

    def slope(self, free):
        """The derivative of `bound`."""
        return 1.0 if self.limit is None else self.limit * (1.0 - np.tanh(free) ** 2)


def _pixels(samples):
    """The axes of one sample."""
    return tuple(range(1, len(samples.shape)))


def _check_images(images, traits):
    """The images as an array in the unit of the errors: [0, 1] where there are pixels."""
    images = validation.as_array(images=images)
    if images.shape[1:] != tuple(traits.image_shape) or not images.size:
        raise ValueError(
            "`images` have another shape than the generator's samples. Expected (n, "
            f"{', '.join(map(str, traits.image_shape))}). Received: images of shape {images.shape}"
        )
    if traits.value_range is None:
        if images.dtype.kind != "f" or not np.all(np.isfinite(images)):
            raise ValueError(
                "`images` are not in the unit of the generator, which has no value_range: its "
                "samples are not pixels. Expected finite floats. "
                f"Received: images of dtype {images.dtype}"
            )
        return images.astype("float32")
    if images.dtype == np.uint8:
        return (images / 255.0).astype("float32")
    if images.dtype.kind != "f" or not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(
            "`images` are not pixels. Expected uint8, or floats in [0, 1]. Received: images of "
            f"dtype {images.dtype} from {images.min()} to {images.max()}"
        )
    return images.astype("float32")
