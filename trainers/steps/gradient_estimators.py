"""Generators whose gradient is estimated from the losses, and what that asks of a trainer.

`zoo.Simulator` is one: its samples have no derivative, so it moves by the losses themselves
(Louppe and Cranmer, 2017). The protocol is that of `zoo.Generator`: `estimates_gradient` says so,
`explore` makes the samples by which it moves, and `surrogate` turns their losses into others whose
gradient is the estimate.
"""

import tensorflow as tf

from trainers.steps import checks
from zoo.players import Generator


def estimates(generator):
    """Whether a generator's gradient is estimated from the losses."""
    return isinstance(generator, Generator) and generator.estimates_gradient


def check(trainer, objective):
    """Checks that the generator's loss of one example is the loss of that example alone.

    Args:
        trainer: A trainer that is to be compiled.
        objective: The `Objective` that it is to have.

    Raises:
        ValueError: If the class or the objective mixes the examples of a batch.
    """
    generator, name = trainer.generator, type(trainer).__name__
    if not estimates(generator):
        return
    expected = (
        "Expected every example's loss to be its own: GAN with 'non_saturating', say, or a "
        f"simulator with gradient='pathwise'. Received: generator={generator.name!r} with "
        f"gradient={generator.gradient!r}"
    )
    if trainer.second_order or trainer.mixes_examples or not _says_what_it_mixes(type(trainer)):
        raise ValueError(
            f"`generator` has a gradient that cannot be estimated from the losses of {name}, which "
            f"takes another path to the generator. {expected}"
        )
    if trainer.packing > 1:
        raise ValueError(
            "`packing` gives several samples one loss, and a gradient that is estimated needs each "
            "sample's own. Expected packing=1, or a simulator with gradient='pathwise'. Received: "
            f"packing={trainer.packing} and {generator.name!r} with gradient={generator.gradient!r}"
        )
    real, fake = tf.constant([0.3, -0.2]), tf.constant([0.1, 0.4])
    before = objective.generator_loss(real, fake)
    after = objective.generator_loss(real, fake + [0.0, 1.0])
    if before[0] != after[0]:
        raise ValueError(
            f"`objective` mixes the examples of a batch in the generator's loss: it is a "
            f"{type(objective).__name__}. {expected}"
        )


def _says_what_it_mixes(cls):
    """Whether the class that defines the generator's losses says itself what they are made of."""
    owner = next(c for c in cls.__mro__ if "generator_losses" in vars(c))
    return "mixes_examples" in vars(owner)


def warn(trainer):
    """Warns of a discriminator by which the estimate misses something."""
    if estimates(trainer.generator):
        checks.warn_of_estimate(trainer.discriminator)
