"""Generators that estimate their gradient from the losses: what a trainer asks of them and checks.

`zoo.Simulator` is one: its samples have no derivative, so it moves by the losses themselves
(Louppe and Cranmer, 2017).
"""

import warnings

import keras
import tensorflow as tf

from zoo.layers.minibatch_discrimination import MinibatchDiscrimination

COUPLING = (keras.layers.BatchNormalization, MinibatchDiscrimination)
PLAIN = (
    "fake",
    "moving_fake",
    "generator_step",
    "generator_views",
    "generator_losses",
    "simultaneous_gradients",
)


def estimates(generator):
    """Whether a generator's gradient is estimated from the losses."""
    return getattr(generator, "gradient", "pathwise") != "pathwise"


def check(trainer, plain):
    """Checks that the generator's loss of one example is the loss of that example alone.

    Args:
        trainer: A compiled trainer.
        plain: The class whose generator's step and losses are known to be so: `GAN`.

    Raises:
        ValueError: If the class or the objective mixes the examples of a batch.
    """
    generator, cls = trainer.generator, type(trainer)
    if not estimates(generator):
        return
    expected = (
        "Expected every example's loss to be its own: GAN with 'non_saturating', say, or a "
        f"simulator with gradient='pathwise'. Received: generator={generator.name!r} with "
        f"gradient={generator.gradient!r}"
    )
    if any(getattr(cls, name) is not getattr(plain, name) for name in PLAIN):
        raise ValueError(
            f"A gradient cannot be estimated from the losses of {cls.__name__}, whose generator "
            f"takes another path. {expected}"
        )
    real, fake = tf.constant([0.3, -0.2]), tf.constant([0.1, 0.4])
    before = trainer.objective.generator_loss(real, fake)
    after = trainer.objective.generator_loss(real, fake + [0.0, 1.0])
    if before[0] != after[0]:
        raise ValueError(
            f"{type(trainer.objective).__name__} mixes the examples of a batch in the generator's "
            f"loss. {expected}"
        )
    for layer in trainer.discriminator._flatten_layers():
        if isinstance(layer, COUPLING):
            warnings.warn(
                f"The layer {layer.name!r} of {trainer.discriminator.name!r} lets every example "
                "move all logits of its batch, and a gradient that is estimated from the losses "
                "misses that. Prefer a discriminator without batch normalisation or minibatch "
                "discrimination.",
                stacklevel=3,
            )
            return
