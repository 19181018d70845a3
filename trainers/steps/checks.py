"""Checks of what `compile` is given, before any work starts."""

import pathlib
import sys
import warnings

import keras

from trainers.penalties import Penalty
from zoo.layers.normalization import BatchNormalization, LayerNormalization
from zoo.layers.spectral_normalization import SpectralNormalization
from zoo.validation import nearest

BY_MOMENTS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
)
MENDED = (BatchNormalization, LayerNormalization)


def default_optimizer():
    """Adam(0.0002, beta_1=0.5), of DCGAN (Radford et al., 2016, section 4)."""
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


def penalties(player, given):
    """A tuple of penalties that have a meaning for the player, `"generator"` or `"discriminator"`.

    Raises:
        ValueError: If one has none, or is no penalty.
    """
    given = listed(given, Penalty, f"{player}_penalties")
    for penalty in given:
        if player not in penalty.players:
            raise ValueError(
                f"{type(penalty).__name__} has no meaning for the {player}: it is a term of the "
                f"loss of the {' or the '.join(penalty.players)}. Expected it among "
                f"{penalty.players[0]}_penalties. Received: {player}_penalties={penalty!r}"
            )
    return given


def listed(things, cls, name):
    """A tuple of them, or a `ValueError` naming what is none."""
    things = (things,) if isinstance(things, cls) else tuple(things)
    for thing in things:
        if not isinstance(thing, cls):
            raise ValueError(
                f"`{name}` holds something else. Expected instances of "
                f"{cls.__module__}.{cls.__name__}. Received: {thing!r}"
            )
    return things


def _users_level():
    """The `stacklevel` of the first caller outside this package: the line that compiles."""
    frame, level = sys._getframe(1), 1
    here = str(pathlib.Path(__file__).parent.parent)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        frame, level = frame.f_back, level + 1
    return level


def warn_of_slopes(discriminator):
    """Warns of a layer that makes a penalty on the slope at one example ill-defined, or wrong."""
    for layer in discriminator._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            warnings.warn(
                f"A penalty measures the slope at one example, and the layer {layer.name!r} of "
                f"{discriminator.name!r} lets every example move all logits of its batch. Prefer a "
                "discriminator without batch normalisation (batch_normalization=False).",
                stacklevel=_users_level(),
            )
            return
    warn_of_moments(discriminator)


def warn_of_moments(*players):
    """Warns of a layer whose second derivative is wrong, where a step takes one."""
    for player in players:
        for layer in player._flatten_layers():
            right = isinstance(layer, MENDED) or getattr(layer, "synchronized", False)
            if isinstance(layer, BY_MOMENTS) and not right:
                warnings.warn(
                    "This trainer differentiates twice, and the layer "
                    f"{layer.name!r} of {player.name!r} has a wrong second derivative: Keras's "
                    f"{type(layer).__name__} takes TensorFlow's variance, which holds the mean "
                    "constant. Prefer zoo.LayerNormalization or zoo.BatchNormalization.",
                    stacklevel=_users_level(),
                )
                return


def warn_of_unbounded_critic(objective, discriminator, given):
    """Warns of an objective without a lower end, where nothing bounds the discriminator's slope."""
    layers = discriminator._flatten_layers()
    if any(isinstance(layer, SpectralNormalization) for layer in layers):
        return
    if not any(penalty.measures_slope for penalty in given):
        warnings.warn(
            f"{type(objective).__name__} has a minimum only over critics of bounded slope, and "
            f"nothing bounds that of {discriminator.name!r}. Prefer trainers.WassersteinGAN, or "
            "discriminator_penalties=trainers.penalties.GradientPenalty().",
            stacklevel=_users_level(),
        )


def optimizer(identifier, player):
    """A built optimizer for the player's weights, with loss scaling in float16."""
    if not player.trainable_variables:
        raise ValueError(
            "A player moves by changing its weights. Expected trainable variables. "
            f"Received: {player.name!r} with none"
        )
    known = [n for n in dir(keras.optimizers) if n[0].isupper() and n != "Optimizer"]
    if identifier is None:
        identifier = default_optimizer()
    elif isinstance(identifier, str) and identifier.lower() not in {n.lower() for n in known}:
        raise ValueError(
            f"Unknown optimizer. Expected one of {known}{nearest(identifier, known)}. "
            f"Received: {identifier!r}"
        )
    chosen = keras.optimizers.get(identifier)
    scaled = isinstance(chosen, keras.optimizers.LossScaleOptimizer)
    if player.compute_dtype == "float16" and not scaled:
        chosen = keras.optimizers.LossScaleOptimizer(chosen)
    if not chosen.built:
        chosen.build(player.trainable_variables)
    return chosen


def distribution(trainer, jit_compile):
    """Makes the players of several replicas agree, or refuses what cannot.

    Batch normalisation then has the statistics of the whole batch (Keras's `synchronized`).

    Raises:
        ValueError: If XLA is asked for, or the trainer waits on conditions of its own.
    """
    if jit_compile is True:
        raise ValueError(
            "XLA cannot compile a step that several replicas share in TensorFlow. Expected "
            "jit_compile=False or 'auto' under a tf.distribute strategy. "
            "Received: jit_compile=True"
        )
    trainer.check_replicas()
    for player in (trainer.generator, trainer.discriminator):
        for layer in player._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True


def refuse_waiting(trainer, argument, value):
    """Raises a `ValueError`: a generator that waits cannot be distributed."""
    devices = trainer.distribute_strategy.num_replicas_in_sync
    raise ValueError(
        f"A {type(trainer).__name__} whose generator waits cannot be distributed: replicas of "
        f"TensorFlow cannot exchange gradients inside a branch. Expected {argument} without a "
        f"rule, or one device. Received: {argument}={value!r} and {devices} replicas"
    )
