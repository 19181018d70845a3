"""Checks of what `compile` is given, before any work starts, and the warnings after it."""

import warnings

import keras

from trainers import other_names
from trainers.steps import coupling
from zoo.layers.normalization import BatchNormalization, LayerNormalization
from zoo.layers.spectral_normalization import SpectralNormalization
from zoo.players import conditions
from zoo.validation import (
    check_positive,
    in_short,
    parameter_names,
    refuse_arguments,
    users_level,
)

BY_MOMENTS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
)
MENDED = (BatchNormalization, LayerNormalization)
JIT_COMPILE = ("auto", True, False)


def check_keras_arguments(jit_compile, steps_per_execution):
    """Raises a `ValueError` if an argument of Keras's own `compile` is out of range."""
    known = isinstance(jit_compile, (bool, str)) and jit_compile in JIT_COMPILE
    if not known and jit_compile is not None:
        raise ValueError(
            f"`jit_compile` is out of range. Expected one of {JIT_COMPILE}. "
            f"Received: jit_compile={in_short(jit_compile)}"
        )
    check_positive(steps_per_execution=steps_per_execution)


def refuse_unknown_of_compile(trainer, base, unknown):
    """Raises a `ValueError` if `compile` was given what neither a class nor its base takes."""
    names = parameter_names(type(trainer).compile, base.compile)
    meant = {"remedies": other_names.OF_ONE_MODEL, "aliases": other_names.COMPILE}
    refuse_arguments(f"{type(trainer).__name__}.compile", unknown, names, **meant)


def refuse_unknown_of_method(model, name, given, more=()):
    """Likewise a method that takes what Keras's of that name does, and `more`."""
    kerass = parameter_names(getattr(keras.Model, name))
    names = dict.fromkeys([*parameter_names(getattr(type(model), name)), *kerass])
    unknown = {key: value for key, value in given.items() if key not in (*kerass, *more)}
    refuse_arguments(f"{type(model).__name__}.{name}", unknown, names)


def as_tuple(things, cls, name):
    """A tuple of them, or a `ValueError` naming what is none."""
    things = tuple(things) if isinstance(things, (list, tuple)) else (things,)
    for thing in things:
        if not isinstance(thing, cls):
            raise ValueError(
                f"`{name}` holds an object that is no {cls.__name__}. Expected instances of "
                f"{cls.__module__}.{cls.__name__}. Received: {thing!r}"
            )
    return things


def check_penalties(player, given):
    """Raises a `ValueError` if a penalty has no meaning for `"generator"` or `"discriminator"`."""
    for penalty in given:
        if player not in penalty.players:
            raise ValueError(
                f"`{player}_penalties` holds a {type(penalty).__name__}, which has no meaning for "
                f"the {player}: it is a term of the loss of the {' or the '.join(penalty.players)}."
                f" Expected it among {penalty.players[0]}_penalties. "
                f"Received: {player}_penalties={penalty!r}"
            )


def check_distribution(jit_compile):
    """Refuses XLA for a step that several replicas share.

    Raises:
        ValueError: If XLA is asked for.
    """
    if jit_compile is True:
        raise ValueError(
            "`jit_compile` cannot be had under a tf.distribute strategy: XLA cannot compile a step "
            "that several replicas share in TensorFlow. Expected jit_compile=False or 'auto'. "
            "Received: jit_compile=True"
        )


def synchronize(*players):
    """Gives batch normalization on several replicas the statistics of the whole batch (Keras's)."""
    for player in players:
        for layer in player._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True


def refuse_waiting(trainer, argument, value):
    """Raises a `ValueError` where replicas would have to wait: a branch cannot be distributed."""
    devices = trainer.distribute_strategy.num_replicas_in_sync
    if devices > 1:
        raise ValueError(
            f"`{argument}` lets the generator of a {type(trainer).__name__} wait, which cannot be "
            "distributed: replicas of TensorFlow cannot exchange gradients inside a branch. "
            f"Expected {argument} without a rule, or one device. "
            f"Received: {argument}={value!r} and {devices} replicas"
        )


def refuse_schedule(cls, own, arguments):
    """Takes `schedule` out of the arguments of a class that has but one; another is an error."""
    schedule = arguments.pop("schedule", own)
    if schedule != own:
        raise ValueError(
            f"`schedule` cannot be chosen for {cls.__name__}, whose players move in one way. "
            f"Expected schedule={own!r}. Received: schedule={schedule!r}"
        )


# === Warnings ===


def warn_of_slopes(discriminator):
    """Warns of a layer that makes a penalty on the slope at one example ill-defined, or wrong."""
    layer = coupling.coupling_layer(discriminator)
    if layer is not None:
        warnings.warn(
            f"A penalty measures the slope at one example, and the layer {layer!r} of "
            f"{discriminator.name!r} lets every example move all logits of its batch. Prefer a "
            "discriminator without batch normalization (batch_normalization=False), or whatever "
            "else mixes examples.",
            stacklevel=users_level(),
        )
        return
    warn_of_moments(discriminator)


def warn_of_estimate(discriminator):
    """Warns of a layer by which a gradient that is estimated from the losses misses something."""
    layer = coupling.coupling_layer(discriminator)
    if layer is not None:
        warnings.warn(
            f"The layer {layer!r} of {discriminator.name!r} lets every example move all logits of "
            "its batch, and a gradient that is estimated from the losses misses that. Prefer a "
            "discriminator without batch normalization, minibatch discrimination, or whatever "
            "else mixes examples.",
            stacklevel=users_level(),
        )


def warn_of_untold(told, discriminator):
    """Warns of a discriminator that cannot see whether the generator heeds what it is told."""
    if told is not None and conditions.of(discriminator) is None:
        warnings.warn(
            f"The generator is told {told.name}, and {discriminator.name!r} is not: it cannot tell "
            "whether samples fit them. Prefer a discriminator with "
            f"{told.text}, or with a second input.",
            stacklevel=users_level(),
        )


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
                    stacklevel=users_level(),
                )
                return


def warn_of_unbounded_critic(objective, discriminator, penalties):
    """Warns of an objective without a lower end, where nothing bounds the discriminator's slope."""
    layers = discriminator._flatten_layers()
    if any(isinstance(layer, SpectralNormalization) for layer in layers):
        return
    if not any(penalty.measures_slope for penalty in penalties):
        warnings.warn(
            f"{type(objective).__name__} has a minimum only over critics of bounded slope, and "
            f"nothing bounds that of {discriminator.name!r}. Prefer trainers.WassersteinGAN, or "
            "discriminator_penalties=trainers.penalties.GradientPenalty().",
            stacklevel=users_level(),
        )
