"""Generator and Discriminator: the two base classes, and what every player offers.

A family subclasses them, wires a functional graph in `__init__` and hands it over with
`super().__init__`. Such a model is built when it is constructed, so it saves, loads and exports
with its weights and its input names (`latents`, `labels`, `images`).

Any other built Keras model is a player too: `traits` says what can be known about it, `generate`
and `discriminate` call either kind.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from zoo import draws, presets

SAMPLE_BATCH = 64


class _Player(keras.Model):
    """What both players share: the config that Keras keeps for any model, and the presets."""

    def __init__(self, *args, dtype=None, **kwargs):
        super().__init__(*args, **kwargs)
        if dtype is not None:  # A functional model takes no dtype; its layers have theirs already.
            self.dtype_policy = keras.dtype_policies.get(dtype)

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        if isinstance(config.get("dtype"), dict):
            config["dtype"] = keras.dtype_policies.deserialize(config["dtype"], custom_objects)
        return cls(**config)

    @classmethod
    def from_preset(cls, preset, dtype=None, file_hash=None):
        """A pretrained player of this class or a subclass. See `zoo.from_preset`.

        Raises:
            ValueError: Also if the preset holds another class.
        """
        return presets.from_preset(preset, cls.role, dtype, file_hash, expected=cls)


class Generator(_Player):
    """A model that maps latents (and labels) to samples.

    Args:
        inputs: The graph's input, or `{"latents": ..., "labels": ...}`.
        outputs: The graph's output of shape `(batch, *image_shape)`.
        latent_dim: int. Coordinates of a latent.
        prior: `"normal"` (N(0, I)) or `"uniform"` (U(-sqrt 3, sqrt 3)).
        num_classes: int, optional. Number of labels.
        value_range: `(low, high)` that the output activation spans, or `None` for samples that
            are not pictures.
    """

    role = "generator"

    def __init__(
        self,
        inputs,
        outputs,
        *,
        latent_dim,
        prior="normal",
        num_classes=None,
        value_range=(-1.0, 1.0),
        **kwargs,
    ):
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        self.latent_dim = latent_dim
        self.prior = draws.check_prior(prior)
        self.num_classes = num_classes
        self.value_range = value_range
        self.image_shape = tuple(self.output_shape[1:])

    def sample(
        self, count, labels=None, seed=None, truncation=None, batch_size=None, as_float=False
    ):
        """Draws samples in inference mode. See `zoo.players.sample`."""
        return sample(self, count, labels, seed, truncation, batch_size, as_float)


class Discriminator(_Player):
    """A model that maps samples (and labels) to `{"logits": (batch,), "features": (batch, k)}`.

    It returns logits, never a probability: the sigmoid belongs to the loss.

    Args:
        inputs: The graph's input, or `{"images": ..., "labels": ...}`.
        outputs: `{"logits": ..., "features": ...}`.
        num_classes: int, optional. Number of labels.
    """

    role = "discriminator"

    def __init__(self, inputs, outputs, *, num_classes=None, **kwargs):
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        self.num_classes = num_classes
        self.image_shape = sample_shape(self)


def image_input(image_shape, num_classes=None):
    """The discriminator's inputs: `images`, and `labels` (int32) where there are classes."""
    images = keras.Input(image_shape, name="images")
    return _with_labels("images", images, num_classes)


def latent_input(latent_dim, num_classes=None):
    """The generator's inputs: `latents`, and `labels` (int32) where there are classes."""
    latents = keras.Input((latent_dim,), name="latents")
    return _with_labels("latents", latents, num_classes)


def _with_labels(name, tensor, num_classes):
    """Returns (inputs for the model, the tensor, the one-hot labels or None)."""
    if num_classes is None:
        return tensor, tensor, None
    labels = keras.Input((), name="labels", dtype="int32")
    one_hot = keras.ops.one_hot(labels, num_classes)
    return {name: tensor, "labels": labels}, tensor, one_hot


def check_positive(**numbers):
    """Raises a `ValueError` naming the first argument that is not a positive integer."""
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(
                f"`{name}` counts something. Expected a positive integer. "
                f"Received: {name}={value!r}"
            )


@dataclasses.dataclass(frozen=True)
class Traits:
    """What a trainer or an export has to know about a generator."""

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
            "A generator needs weights before it can play. Expected a built model: start a "
            f"Sequential with keras.Input((latent_dim,)). Received: generator={generator.name!r}"
        )
    if isinstance(generator, Generator):
        return Traits(
            generator.latent_dim,
            generator.image_shape,
            generator.prior,
            generator.num_classes,
            generator.value_range,
        )
    shape = _input_shape(generator)
    if shape is None or len(shape) != 2:
        raise ValueError(
            "A plain Keras model is a generator when it maps latents of shape (batch, latent_dim) "
            "to samples; for labels, subclass zoo.Generator. "
            f"Received: {generator.name!r} with input_shape={shape}"
        )
    activation = getattr(generator.layers[-1], "activation", None)
    spans = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
    return Traits(
        shape[-1],
        tuple(generator.output_shape[1:]),
        value_range=spans.get(getattr(activation, "__name__", None)),
    )


def sample_shape(discriminator):
    """The shape of one sample that the discriminator takes, without the batch axis.

    Raises:
        ValueError: If it is no functional or sequential model with one input of samples.
    """
    if isinstance(discriminator, Discriminator) and discriminator.num_classes:
        return tuple(discriminator.input["images"].shape[1:])
    shape = _input_shape(discriminator)
    if shape is None:
        raise ValueError(
            "A plain Keras model is a discriminator when it maps samples to one logit and its "
            "input is known: a functional or sequential model; for labels, subclass "
            f"zoo.Discriminator. Received: {discriminator.name!r}"
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


def to_unit(images, value_range):
    """Maps samples from `value_range` to [0, 1], as float32, and clips them there."""
    low, high = value_range
    return tf.clip_by_value((tf.cast(images, "float32") - low) / (high - low), 0.0, 1.0)


def to_pixels(unit):
    """Maps [0, 1] to uint8: `round(255 x)`."""
    return tf.cast(tf.round(unit * 255.0), "uint8")


def from_pixels(images, value_range):
    """Maps integer images 0 ... 255 to float32 in `value_range`."""
    low, high = value_range
    return tf.cast(images, "float32") * ((high - low) / 255.0) + low


def check_labels(labels, num_classes, count=None):
    """Labels as an int32 array of shape `(n,)`.

    Args:
        labels: Integers in `[0, num_classes)` of shape `(n,)` or `(n, 1)`.
        num_classes: int, or `None` for a player without labels.
        count: int, optional. The `n` that is wanted.

    Raises:
        ValueError: If labels are missing, not wanted, not integers, one-hot, out of range, or
            their number is not `count`.
    """
    if num_classes is None:
        if labels is not None:
            raise ValueError(
                "The generator has no labels. Expected labels=None, or a generator made with "
                f"num_classes. Received: labels of shape {np.shape(labels)}"
            )
        return None
    if labels is None:
        raise ValueError(
            f"The generator is conditional. Expected integer labels in [0, {num_classes}). "
            "Received: labels=None"
        )
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == num_classes != 1:
        raise ValueError(
            "Labels look one-hot. Expected integers of shape (n,): use labels.argmax(axis=1). "
            f"Received: labels of shape {labels.shape} and dtype {labels.dtype}"
        )
    if labels.dtype.kind not in "iu" or labels.ndim > 2 or labels.ndim == 2 and labels.shape[1] > 1:
        raise ValueError(
            f"Labels name classes. Expected integers of shape (n,) in [0, {num_classes}). "
            f"Received: labels of shape {labels.shape} and dtype {labels.dtype}"
        )
    labels = labels.reshape(-1)
    if labels.size and not (0 <= labels.min() and labels.max() < num_classes):
        raise ValueError(
            f"A label is out of range. Expected integers in [0, {num_classes}). "
            f"Received: labels from {labels.min()} to {labels.max()}"
        )
    if count is not None and len(labels) != count:
        raise ValueError(
            f"Every sample has one label. Expected {count} labels. Received: {len(labels)} labels"
        )
    return labels.astype("int32")


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
    known = traits(generator)
    if labels is not None and np.ndim(labels) == 0:
        labels = np.full(count, labels)
    labels = check_labels(labels, known.num_classes, count)
    latents = draws.from_seed(known.prior, count, known.latent_dim, seed, truncation)
    return decode(generator, latents, labels, batch_size, as_float)


def decode(generator, latents, labels=None, batch_size=SAMPLE_BATCH, as_float=False):
    """Samples of given latents, in inference mode: as `sample`, with the latents chosen."""
    known = traits(generator)
    parts = []
    for start in range(0, len(latents), batch_size):
        rows = slice(start, start + batch_size)
        inputs = latents[rows]
        if known.num_classes:
            inputs = {"latents": inputs, "labels": labels[rows]}
        samples = generator.predict_on_batch(inputs)
        if known.value_range is not None:
            samples = to_unit(samples, known.value_range)
            samples = (samples if as_float else to_pixels(samples)).numpy()
        parts.append(samples)
    return np.concatenate(parts)
