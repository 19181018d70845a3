"""Calling and sampling any player: a zoo player, or any built Keras model of the right form.

`traits` says what a generator takes and makes, `generate` and `discriminate` call a player, and
`sample` draws.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from zoo import random
from zoo.blocks import slices
from zoo.pixels import to_pixels, to_unit
from zoo.validation import check_labels, check_positive

SAMPLE_BATCH = 64
SPANS = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}  # What an output activation spans.


@dataclasses.dataclass(frozen=True)
class Traits:
    """What a trainer or an export has to know about a generator.

    Attributes:
        latent_dim: Coordinates of a latent.
        image_shape: Shape of one sample.
        prior: `"normal"` or `"uniform"`.
        num_classes: Number of labels, or `None`.
        value_range: `(low, high)` of the samples, or `None` where they are not pictures.
    """

    latent_dim: int
    image_shape: tuple
    prior: str = "normal"
    num_classes: int | None = None
    value_range: tuple | None = None


def traits(generator):
    """The traits of a zoo generator, or what can be read off any other Keras model.

    A plain model takes one `(batch, latent_dim)` input, is fed from the normal prior and has no
    labels; a last activation of `tanh` or `sigmoid` gives its value range.

    Raises:
        ValueError: If the model is not built or has another form.
    """
    if not generator.built:
        raise ValueError(
            "`generator` has no weights yet. Expected a built model: start a Sequential with "
            f"keras.Input((latent_dim,)). Received: generator={generator.name!r}"
        )
    own = getattr(generator, "traits", None)
    if isinstance(own, Traits):
        return own
    shape = _input_shape(generator)
    if shape is None or len(shape) != 2:
        raise ValueError(
            "`generator` does not map latents of shape (batch, latent_dim) to samples. Expected "
            "a plain Keras model that does; for labels, a subclass of zoo.Generator. "
            f"Received: generator={generator.name!r} with input_shape={shape}"
        )
    activation = getattr(generator.layers[-1], "activation", None)
    return Traits(
        shape[-1],
        tuple(generator.output_shape[1:]),
        value_range=SPANS.get(getattr(activation, "__name__", None)),
    )


def sample_shape(discriminator):
    """The shape of one sample that the discriminator takes, without the batch axis.

    Raises:
        ValueError: If it is no functional or sequential model with one input of samples.
    """
    inputs = getattr(discriminator, "input", None) if discriminator.built else None
    if isinstance(inputs, dict) and "images" in inputs:
        return tuple(inputs["images"].shape[1:])
    shape = _input_shape(discriminator)
    if shape is None:
        raise ValueError(
            "`discriminator` does not say what samples it takes. Expected a functional or "
            "sequential model from samples to one logit; for labels, a subclass of "
            f"zoo.Discriminator. Received: discriminator={discriminator.name!r}"
        )
    return shape[1:]


def _input_shape(model):
    """The shape of a model's one input, or `None` where it has several or does not say."""
    shape = getattr(model, "input_shape", None)
    return shape if isinstance(shape, tuple) and shape[:1] == (None,) else None


def generate(generator, latents, labels=None, training=False):
    """Calls any generator: float samples of shape `(batch, *image_shape)`."""
    inputs = latents
    if getattr(generator, "num_classes", None):
        inputs = {"latents": latents, "labels": labels}
    return generator(inputs, training=training)


def discriminate(discriminator, images, labels=None, training=False):
    """Calls any discriminator: float32 logits `(batch,)`, and features or `None`."""
    inputs = images
    if getattr(discriminator, "num_classes", None):
        inputs = {"images": images, "labels": labels}
    outputs = discriminator(inputs, training=training)
    if not isinstance(outputs, dict):
        outputs = {"logits": outputs}
    logits = tf.reshape(tf.cast(outputs["logits"], "float32"), (-1,))
    return logits, outputs.get("features")


def sample(
    generator,
    count,
    labels=None,
    seed=None,
    truncation=None,
    batch_size=None,
    as_float=False,
):
    """Draws samples from any generator, in inference mode.

    Args:
        generator: A zoo generator or any Keras model that maps latents to samples.
        count: int. Number of samples.
        labels: Integers of shape `(count,)`, or one integer for all; needed exactly when the
            generator has `num_classes`.
        seed: An integer: the sample is then a function of (seed, row). Or `count` integers, one a
            row: row i is then `sample(1, seed=seed[i])[0]`, which is what an exported model
            answers. `None` draws fresh ones.
        truncation: Positive float, optional. Keeps latents within this distance of 0 in each
            coordinate: fewer odd samples, less variety.
        batch_size: int. Samples computed at a time. Defaults to 64.
        as_float: bool. Pictures as float32 in [0, 1] instead of uint8.

    Returns:
        A NumPy array of shape `(count, *image_shape)`: uint8, or float32 in [0, 1] with
        `as_float`. Samples of a generator without a `value_range` come as they are, float32.

    Raises:
        ValueError: If count, labels, seed, truncation or batch size make no sense.
    """
    batch_size = SAMPLE_BATCH if batch_size is None else batch_size
    check_positive(count=count, batch_size=batch_size)
    own = traits(generator)
    if labels is not None and np.ndim(labels) == 0:
        labels = np.full(count, labels)
    labels = check_labels(labels, own.num_classes, count)
    latents = random.from_seed(own.prior, count, own.latent_dim, seed, truncation)
    return decode(generator, latents, labels, batch_size, as_float)


def labels_in_turn(count, num_classes):
    """As many labels of each class, in turn, `(count,)`; `None` without classes."""
    return np.arange(count) % num_classes if num_classes else None


def decode(generator, latents, labels=None, batch_size=SAMPLE_BATCH, as_float=False):
    """Samples of given latents, in inference mode: as `sample`, with the latents chosen."""
    own = traits(generator)
    batches = []
    for rows in slices(len(latents), batch_size):
        inputs = latents[rows]
        if own.num_classes:
            inputs = {"latents": inputs, "labels": labels[rows]}
        samples = generator.predict_on_batch(inputs)
        if own.value_range is not None:
            samples = to_unit(samples, own.value_range)
            samples = (samples if as_float else to_pixels(samples)).numpy()
        batches.append(samples)
    return np.concatenate(batches)
