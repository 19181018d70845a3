"""What an ensemble cannot have: whatever couples its members, or the examples of a batch."""

import math
import os
import pathlib
import warnings

import keras
import numpy as np
import tensorflow as tf

from trainers import penalties
from trainers.callbacks.sample_grid import SampleGrid
from trainers.callbacks.score import Score
from trainers.steps import checks
from trainers.steps.compilation import PLAYERS
from trainers.steps.key import Key
from trainers.steps.optimizers import inner, parts
from zoo.stacked import rules
from zoo.validation import check_seed

# Rules that move each number of a weight by its own gradient alone.
OPTIMIZERS = tuple(
    getattr(keras.optimizers, name)
    for name in "SGD RMSprop Adam AdamW Adamax Nadam Adagrad Adadelta Ftrl Lion".split()
)
CLIPPING = ("clipnorm", "global_clipnorm")  # They take the norm of a whole weight, or of all.
PENALTIES = (penalties.R1, penalties.R2, penalties.GradientPenalty)
COPIES = 6  # Of the weights: themselves and two moments, in variables and in arrays.


def check(compilation, image_shape):
    """Raises a `ValueError` for a `Compilation` in which one member would move another.

    Args:
        compilation: `trainers.steps.compilation.Compilation`.
        image_shape: tuple. The shape of a sample.
    """
    _check_objective(compilation.objective)
    for perturbation in compilation.perturbations:
        _check_perturbation(perturbation, image_shape)
    for player, given in compilation.penalties.items():
        for penalty in given:
            if type(penalty) not in PENALTIES:
                kinds = ", ".join(kind.__name__ for kind in PENALTIES)
                raise ValueError(
                    f"`{player}_penalties` holds a {type(penalty).__name__}, which is not known to "
                    f"be one of each example by itself. Expected some of {kinds}. "
                    f"Received: {player}_penalties={penalty!r}"
                )
    for player, optimizer in compilation.optimizers.items():
        _check_optimizer(f"{player}_optimizer", optimizer)


def _check_objective(objective):
    """Refuses an objective whose loss of one example moves with another."""
    real, fake = tf.constant([0.3, -0.2, 0.5]), tf.constant([0.1, 0.4, -0.6])
    moved = tf.constant([0.0, 1.0, 1.0])
    for name in ("discriminator_loss", "generator_loss"):
        loss = getattr(objective, name)
        before, after = loss(real, fake), loss(real + moved, fake + 2 * moved)
        if tuple(before.shape) != (3,):
            raise ValueError(
                "`objective` does not give a loss of each example, and an ensemble trains its "
                f"members as one batch. Expected a {name} of shape (batch,), not its mean. "
                f"Received: objective={objective!r} with one of shape {tuple(before.shape)}"
            )
        before, after = before[0], after[0]
        if abs(float(before) - float(after)) > 1e-6:
            raise ValueError(
                f"`objective` mixes the examples of a batch, and an ensemble trains its members as "
                "one batch. Expected one whose losses are each of one pair of logits. "
                f"Received: objective={objective!r}"
            )


def _check_perturbation(perturbation, image_shape):
    """Refuses a perturbation of three members' examples that changes the first with the others."""
    logits = tf.constant([0.3, -0.2, 0.5])
    samples = tf.reshape(logits, (3, *(1 for _ in image_shape))) * tf.ones((3, *image_shape))
    moved = tf.constant([0.0, 1.0, 1.0])
    key = Key(tf.constant([[0, 0], [1, 0], [2, 0]], "int64"), ())
    others = tf.reshape(moved, (3, *(1 for _ in image_shape)))
    step = tf.constant(0, "int64")

    def first(shift):
        seen = perturbation.samples(samples + shift * others, key.perturbation(0, 0), step)
        real, fake = logits + shift * moved, -logits + 2 * shift * moved
        told = perturbation.logits(real, fake, key.perturbation(0, 2), step)
        return tf.concat([tf.reshape(x[0], (-1,)) for x in (seen, *told)], axis=0)

    try:
        mixes, why = not np.allclose(first(0.0), first(1.0), atol=1e-6), ""
    except (ValueError, TypeError, tf.errors.OpError) as error:
        mixes, why = True, f", which raised {type(error).__name__}"
    if mixes:
        raise ValueError(
            f"`perturbations` holds a {type(perturbation).__name__} that mixes the examples of a "
            "batch, or does not take a seed of each member, (members, 2). Expected one of each "
            "example by itself that draws by zoo.random. "
            f"Received: perturbations with {perturbation!r}{why}"
        )


def _check_optimizer(argument, optimizer):
    for part in parts(optimizer):
        found = part if inner(optimizer) is optimizer else optimizer
        norms = [name for name in CLIPPING if getattr(part, name, None)]
        if type(part) not in OPTIMIZERS or norms or inner(optimizer) is not optimizer:
            names = ", ".join(kind.__name__ for kind in OPTIMIZERS)
            raise ValueError(
                f"`{argument}` would let members move each other. Expected one of {names}, without "
                f"{' and '.join(CLIPPING)}. Received: {argument}={type(found).__name__}"
                + (f" with {norms[0]}" if norms else "")
            )


def check_seeds(seed, members):
    """Raises a `ValueError` unless `seed + i` is a seed for every member."""
    check_seed(seed)
    if not -(2**63) <= seed <= 2**63 - members:
        raise ValueError(
            "`seed` is out of range: member i draws by seed + i, of 64 bits. Expected an int in "
            f"[-2**63, 2**63 - members]. Received: seed={seed} with members={members}"
        )


def check_steps(alone):
    """Raises a `ValueError` for a stopping rule, which looks at one loss of all."""
    if alone.stopping_rule is not None:
        raise ValueError(
            "`discriminator_steps` is a stopping rule, which would look at the loss of all members "
            f"together. Expected an int. Received: discriminator_steps={alone.stopping_rule!r}"
        )


def check_packs(ensemble, rows):
    """Raises a `ValueError` if a pack would have samples of two members."""
    part = rows // ensemble.discriminator_steps_per_batch
    if part % ensemble.packing:
        raise ValueError(
            "`batch_size` leaves examples of a member over, which would be packed with another's. "
            f"Expected a multiple of packing={ensemble.packing} examples a discriminator step. "
            f"Received: {part} examples a step"
        )


def check_devices(ensemble):
    """Raises a `ValueError` under a strategy of replicas, which would cut the flat batch."""
    devices = ensemble.distribute_strategy.num_replicas_in_sync
    if devices > 1:
        raise ValueError(
            "`GANEnsemble` cannot be shared by replicas, which would cut members apart. Expected "
            "one device, or an ensemble of some of the members on each. "
            f"Received: {devices} replicas"
        )


def check_frozen(ensemble):
    """Raises a `ValueError` if layers were frozen or freed since the ensemble was made."""
    for name in PLAYERS:
        stacked = getattr(ensemble, name)
        moved = {id(variable) for variable in stacked.player.trainable_variables}
        trained = {id(own) for v, own in stacked.pairs(stacked.player) if id(v) in moved}
        now = {id(variable) for variable in stacked.trainable_variables}
        if trained != now or now != stacked.trained:
            raise ValueError(
                f"`{name}` has had layers frozen or freed since the ensemble was made, which then "
                "decided what a step moves. Expected a GANEnsemble of a player that is frozen "
                f"before. Received: {name} with {len(now)} trainable weights, of a player with "
                f"{len(trained)}, where {len(stacked.trained)} were made so"
            )


def check_callbacks(callbacks):
    """Raises a `ValueError` for a callback that looks at one generator, or counts single steps."""
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.TerminateOnNaN):
            raise ValueError(
                "`callbacks` holds a TerminateOnNaN, which would never see NaN: a member that "
                "diverged harms no other, is counted, and is left out of the means. Expected "
                "EarlyStopping('diverged', mode='min'), or one that reads logs['diverged']. "
                f"Received: callbacks with {callback!r}"
            )
        by_steps = getattr(callback, "rhythm", None) is not None
        if isinstance(callback, (SampleGrid, Score)) or by_steps:
            raise ValueError(
                f"`callbacks` holds a {type(callback).__name__} that looks at one generator, or "
                "counts single steps, where an ensemble ends an epoch of all members at a time. "
                "Expected it in fit of member(i), or one that works by epochs. "
                f"Received: callbacks with {callback!r}"
            )


def check_memory(members, *players):
    """Raises a `ValueError` if the members do not fit into memory; nothing was taken by then."""
    numbers = sum(math.prod(w.shape) for player in players for w in player.weights)
    need, free = members * numbers * 4 * COPIES, free_memory()
    if need > free:
        raise ValueError(
            f"`members` are too many for this machine's memory: {members:,} members of "
            f"{numbers:,} weights, with their optimizers' moments, take {need / 1e9:,.1f} GB. "
            f"Expected at most {int(free / (numbers * 4 * COPIES)):,} members, for which there are "
            f"{free / 1e9:.1f} GB. Received: members={members}"
        )


def free_memory():
    """Bytes that this process may still take."""
    table = pathlib.Path("/proc/meminfo")  # Of Linux: it counts what caches would give back.
    if table.exists():
        lines = dict(line.split(":") for line in table.read_text().splitlines())
        return 1024 * int(lines["MemAvailable"].split()[0])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def warn_of_diverged(numbers):
    """Warns of members whose weights are no numbers any more."""
    if len(numbers):
        warnings.warn(
            f"{len(numbers)} members diverged: their weights are NaN or infinite. First: "
            f"{numbers[:5].tolist()}. They are left out of the means of the log, and `diverged` "
            "has their numbers.",
            stacklevel=checks.users_level(),
        )


def widths(player):
    """Numbers that each layer of a player makes of one example."""
    return [
        math.prod(x.shape[1:])
        for operation in _operations(player)
        for call in operation._inbound_nodes[:1]
        for x in call.outputs
    ]


def _operations(player):
    for operation in rules.operations(player):
        if isinstance(operation, keras.Model):
            yield from _operations(operation)
        else:
            yield operation
