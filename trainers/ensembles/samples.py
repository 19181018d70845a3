"""Samples of many members, each from its own seed."""

import numpy as np
import tensorflow as tf

from trainers.ensembles import couplings
from zoo import random, tracing
from zoo.blocks import slices
from zoo.pixels import to_pixels, to_unit
from zoo.players import sampling
from zoo.stacked import Stacked
from zoo.validation import check_above_zero, check_positive

NUMBERS = 2**22  # In one layer of the members that are computed at a time.


def sample(ensemble, members, count, labels, seed, truncation, as_float, conditions):
    """See `trainers.GANEnsemble.sample`."""
    own = ensemble.traits
    check_positive(count=count)
    if truncation is not None:
        check_above_zero(truncation=truncation)
    numbers = _numbers(ensemble.members, members)
    _check_finite(ensemble, numbers)
    told = sampling.told(own, count, labels, conditions)
    if seed is None:
        seed = np.random.SeedSequence().generate_state(1)[0]
    couplings.check_seeds(seed, ensemble.members)
    size = max(1, min(len(numbers), NUMBERS // (count * ensemble.widest)))
    key = (size, count, truncation)
    if key not in ensemble.samplers:
        ensemble.samplers[key] = _compiled(ensemble, *key)
    part, draw = ensemble.samplers[key]
    told = None if told is None else tf.constant(np.tile(told, (size, *(1,) * (told.ndim - 1))))
    made = []
    for rows in slices(len(numbers), size):
        some = np.resize(numbers[rows], size)
        for variable, stacked in zip(part.variables, ensemble.sampler.variables, strict=True):
            variable.assign(tf.gather(stacked, some))
        seeds = np.stack([int(seed) + some, np.zeros_like(some)], axis=1)
        samples = draw(tf.constant(seeds), told)
        if own.value_range is not None:
            samples = to_unit(samples, own.value_range)
            samples = samples if as_float else to_pixels(samples)
        shape = (size, count, *own.image_shape)
        made.append(tf.reshape(samples, shape).numpy()[: len(numbers[rows])])
    return np.concatenate(made)


def _numbers(members, some):
    """The numbers of some of so many members."""
    if some is None:
        return np.arange(members)
    try:
        numbers = np.arange(members)[some if isinstance(some, slice) else np.asarray(some)]
    except (IndexError, ValueError, TypeError):
        numbers = None
    if np.ndim(numbers) != 1 or not len(numbers):
        raise ValueError(
            "`members` are no numbers of members. Expected a slice, or an array of integers in "
            f"[0, {members}). Received: members={some!r}"
        )
    return numbers


def _compiled(ensemble, size, count, truncation):
    """A generator of so many members, and the function that draws from it."""
    part = Stacked(ensemble.generator.player, size, "generator")
    own = ensemble.traits

    @tf.function(autograph=False, jit_compile=ensemble.uses_xla)
    def draw(seeds, told):
        latents = random.draw(own.prior, size * count, own.latent_dim, seeds, truncation)
        with tracing.released():
            return sampling.generate(part, latents, told)

    draw._omit_frequent_tracing_warning = True  # Each is traced once, and counted as one.
    return part, draw


def _check_finite(ensemble, numbers):
    lost = np.intersect1d(ensemble.diverged, numbers)
    if len(lost):
        raise ValueError(
            f"`members` hold {len(lost)} that diverged, whose samples would be no numbers. "
            "Expected others: numpy.setdiff1d(range(ensemble.members), ensemble.diverged). "
            f"Received: members with {lost[:5].tolist()}"
        )
