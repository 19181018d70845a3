"""What is served of a model or a trainer: the generator, and what comes along with it."""

import dataclasses

import keras

from zoo import finite, players
from zoo.players import sampling


@dataclasses.dataclass(frozen=True)
class Served:
    """The networks of a served model.

    Attributes:
        generator: The model from latents to samples.
        discriminator: The model behind `score`, or `None`.
        encoder: The model from samples to the mean and the log variance of a latent (`zoo.VAE`),
            or `None`.
    """

    generator: keras.Model
    discriminator: keras.Model | None = None
    encoder: keras.Model | None = None

    @property
    def networks(self):
        """`{name: model}` of those that are there."""
        named = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: model for name, model in named.items() if model is not None}

    @property
    def variables(self):
        """The weights of all, each once."""
        weights = [v for model in self.networks.values() for v in model.variables]
        return list({id(v): v for v in weights}.values())


def of(model, discriminator=None):
    """What is `Served` of a generator or a trainer.

    Args:
        model: A generator, a trainer or a `zoo.VAE`, as in `export.save`.
        discriminator: Takes the place of the trainer's.

    Raises:
        ValueError: If there is no generator, the discriminator cannot see what it makes, or weights
            are NaN or infinite.
    """
    generator, encoder = model, None
    if hasattr(model, "generator"):
        average = getattr(model, "ema_generator", None)
        generator = model.generator if average is None else average
        encoder = getattr(model, "encoder", None)
        if discriminator is None and getattr(model, "packing", 1) == 1:  # Of packs, no score.
            discriminator = getattr(model, "discriminator", None)
    wired = isinstance(generator, keras.Model) and not isinstance(generator, players.Discriminator)
    if not wired or (generator.built and not hasattr(generator, "input_shape")):
        raise ValueError(
            "`model` is not a generator that can be served. Expected a zoo.Generator, a Sequential "
            "or functional Keras model from latents to samples, or a trainer (of a file: "
            "zoo.load(path)). "
            f"Received: model={getattr(model, 'name', model)!r} of class {type(model).__name__}"
        )
    if not getattr(generator, "exportable", True):
        raise ValueError(
            "`model` is not made of TensorFlow operations alone, as a served model has to be. "
            "Expected a simulator whose function is one of TensorFlow. "
            f"Received: model={generator.name!r}, which calls NumPy"
        )
    traits = sampling.traits(generator)
    shape = traits.image_shape
    seen = shape if discriminator is None else _seen_shape(discriminator)
    if seen != shape:
        raise ValueError(
            "`discriminator` cannot see what the generator makes. Expected a built Sequential or "
            f"functional model for samples of shape {shape}. Received: a discriminator of {seen}"
        )
    if encoder is not None and tuple(encoder.output_shape) != (None, 2 * traits.latent_dim):
        encoder = None  # Of another kind than an autoencoder's.
    served = Served(generator, discriminator, encoder)
    for name, network in served.networks.items():
        finite.check_weights(network, name)
    return served


def _seen_shape(discriminator):
    try:
        return sampling.sample_shape(discriminator)
    except (AttributeError, ValueError):
        return f"no known shape, of class {type(discriminator).__name__}"
