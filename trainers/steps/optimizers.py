"""The optimizers of two players: chosen for one each, and seen as one by Keras's callbacks."""

import keras

from zoo.optimizers import check_met, taken
from zoo.validation import nearest


def default_optimizer():
    """Adam(0.0002, beta_1=0.5), of DCGAN (Radford et al., 2016, section 4)."""
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


def chosen(identifiers, trainer):
    """An optimizer for each player's weights, with loss scaling in float16; not built yet.

    Args:
        identifiers: dict of a Keras optimizer, its name, or `None`, by player.
        trainer: A `trainers.trainer.Trainer`. Nothing of it is changed.

    Raises:
        ValueError: If a name is unknown, a player has nothing to move, one optimizer is given to
            both, or one has moved other weights before.
    """
    found = {name: _chosen(given, trainer, name) for name, given in identifiers.items()}
    generator, discriminator = (inner(optimizer) for optimizer in found.values())
    if generator is discriminator:
        raise ValueError(
            "`discriminator_optimizer` is the object that is given as generator_optimizer, and an "
            "optimizer keeps the moments of one player. Expected one for each, of the same "
            "settings if you like. "
            f"Received: discriminator_optimizer={discriminator.name!r} twice"
        )
    return found


def _chosen(identifier, trainer, name):
    player, argument = getattr(trainer, name), f"{name}_optimizer"
    if not player.trainable_variables:
        raise ValueError(
            f"`{name}` has nothing to train. Expected a model with trainable variables. "
            f"Received: {player.name!r} with none"
        )
    names = [n for n in dir(keras.optimizers) if n[0].isupper() and n != "Optimizer"]
    if identifier is None:
        identifier = default_optimizer()
    elif isinstance(identifier, str) and identifier.lower() not in {n.lower() for n in names}:
        raise ValueError(
            f"`{argument}` is unknown. Expected one of {names}{nearest(identifier, names)}. "
            f"Received: {argument}={identifier!r}"
        )
    optimizer = taken(argument, identifier)
    check_met(argument, optimizer, player)
    if player.compute_dtype != "float16" or inner(optimizer) is not optimizer:
        return optimizer
    if optimizer.loss_scale_factor:
        return optimizer  # Its own scale, which a LossScaleOptimizer would switch off.
    now = getattr(trainer, argument, None)  # With the scale that it has found.
    if now is not None and inner(now) is optimizer:
        return now
    return keras.optimizers.LossScaleOptimizer(optimizer)


def inner(optimizer):
    """The optimizer itself, of one in a `LossScaleOptimizer`."""
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    return optimizer.inner_optimizer if scaled else optimizer


def unbuilt(optimizer):
    """An optimizer of the same settings that has not met any weights."""
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    for name in ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern"):
        if hasattr(inner(optimizer), name):  # Said by a method, so it is in no config.
            setattr(inner(copy), name, getattr(inner(optimizer), name))
    return copy


class Finalize(keras.callbacks.Callback):
    """Gives weights their average at the end of a training, where an optimizer has `use_ema`.

    As Keras does it for one optimizer: before other callbacks end. An average that was never moved
    is left alone, because it is zero.
    """

    def on_train_end(self, logs=None):
        for optimizer in self.model.optimizers:
            for part in parts(optimizer):
                if part.use_ema and part.built and int(part._iterations.numpy()):
                    part.finalize_variable_values(part._trainable_variables)


def parts(optimizer):
    """The optimizers that one is made of, without loss scaling: several in a `MultiOptimizer`."""
    optimizer = inner(optimizer)
    return getattr(optimizer, "optimizers", [optimizer])


class Both:
    """What `trainer.optimizer` is: the players' optimizers, as Keras's callbacks look for one.

    Keras has callbacks for an optimizer that is made of several, and finds those in `optimizers`.
    A learning rate that is set here is set for all.

    Args:
        trainer: A compiled `trainers.trainer.Trainer`.
    """

    built = True  # Both are built when they are compiled.

    def __init__(self, trainer):
        object.__setattr__(self, "_trainer", trainer)

    @property
    def optimizers(self):
        """A list of the optimizers under the names of their players."""
        named = []
        for name, optimizer in self._trainer.named_optimizers().items():
            found = parts(optimizer)
            names = [name] if len(found) == 1 else [f"{name}_{part.name}" for part in found]
            named += map(Named, names, found)
        return named

    @property
    def iterations(self):
        """The trainer's steps: a batch each."""
        return self._trainer.steps

    @property
    def variables(self):
        """All variables of all optimizers."""
        return [v for optimizer in self._trainer.optimizers for v in optimizer.variables]

    def __getattr__(self, name):
        raise AttributeError(
            f"`optimizer.{name}` is not one thing: each player has an optimizer. Expected "
            f"generator_optimizer.{name} or discriminator_optimizer.{name} of the trainer; a "
            "learning rate that is set here is set for all. "
            f"Received: optimizer.{name} of {type(self._trainer).__name__}"
        )

    def __setattr__(self, name, value):
        if name != "learning_rate":
            self.__getattr__(name)
        for optimizer in self.optimizers:
            optimizer.learning_rate = value


class Named:
    """A player's optimizer under the player's name, in the logs of Keras's callbacks."""

    def __init__(self, name, optimizer):
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "optimizer", optimizer)

    def __getattr__(self, name):
        return getattr(self.optimizer, name)

    def __setattr__(self, name, value):
        setattr(self.optimizer, name, value)
