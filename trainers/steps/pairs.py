"""Whether two players can play together: what one makes, the other has to be able to judge."""

import warnings

import keras

from trainers.steps import squashing
from trainers.steps.packing import check as check_packing
from zoo.players import conditions, sampling
from zoo.validation import check_positive, users_level


def check_models(**players):
    """Raises a `ValueError` naming the first player that is no model: a name, say, or a class."""
    for name, player in players.items():
        if not isinstance(player, keras.layers.Layer):
            raise ValueError(
                f"`{name}` is no Keras model. Expected a player of zoo or a built keras.Model: a "
                "class is called, of a function the result is meant, a preset's name goes through "
                f"zoo.from_preset. Received: {name} of type {type(player).__name__}"
                + (f" ({player.__name__})" if isinstance(player, type) else "")
            )


def check(traits, discriminator, packing=1):
    """How many logits the discriminator gives a sample: 1, or one for each patch of a map.

    Args:
        traits: `zoo.players.Traits` of the generator.
        discriminator: A Keras model.
        packing: int. Samples that it judges together.

    Raises:
        ValueError: If it is not built, sees other samples or labels than the generator makes, or
            answers anything else than logits. Where it cannot be seen what it ends in, its
            answers are looked at, and there may be a warning.
    """
    if not discriminator.built:
        raise ValueError(
            "`discriminator` has no weights yet. Expected a built model: start a Sequential "
            "with keras.Input(image_shape). "
            f"Received: discriminator={discriminator.name!r}"
        )
    check_positive(packing=packing)
    shape = sampling.sample_shape(discriminator)
    if packing != 1:
        check_packing(traits, shape, packing)
    elif shape != traits.image_shape:
        more = shape[:-1] == traits.image_shape[:-1] and shape[-1] > traits.image_shape[-1]
        hint = "; labels are no channels: give them an input of their own" if more else ""
        raise ValueError(
            f"`discriminator` cannot see what the generator makes. Expected equal shapes{hint}. "
            f"Received: a generator of {traits.image_shape} and a discriminator of {shape}"
        )
    wanted = conditions.of(discriminator)
    if wanted is not None and wanted != traits.condition:
        having = "neither labels nor conditions"
        if traits.condition is not None:
            having = traits.condition.text
        raise ValueError(
            "`discriminator` is conditional, and the generator is told something else. Expected "
            f"a generator with {wanted.text}. Received: a generator with {having}"
        )
    answers = sampling.answers(discriminator)
    if answers.unseen:
        squashing.warn(discriminator)
    return answers.patches


def warn_of_unused(discriminator):
    """Warns of what a discriminator answers beside its logits, which no loss looks at."""
    unused = sampling.answers(discriminator).unused
    if unused:
        warnings.warn(
            f"{discriminator.name!r} answers {', '.join(map(repr, unused))} beside its "
            "logits, which no loss of this trainer looks at: nothing trains the weights that lead "
            "there alone. Prefer a keras.Model of the logits (and `features`) alone.",
            stacklevel=users_level(),
        )
