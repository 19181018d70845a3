"""Layers that were frozen or freed since a trainer was compiled.

The compiled step moves the weights that were trainable when it was traced, and the optimizers keep
moments of those. Keras asks for `compile()` again after a change of `trainable`, and goes on
without a word where it was forgotten.
"""

import keras

from trainers.steps.compilation import PLAYERS

MARKS = "_frozen_marks"


def remember(game):
    """Remembers what of both players is frozen, for `check`."""
    # No attribute of a Keras model, which would look for weights in it.
    object.__setattr__(game, MARKS, {name: _mark(getattr(game, name)) for name in PLAYERS})


def _mark(player):
    """What of a player is frozen: its trainable weights by path, and each layer's switch."""
    weights = {id(v): v.path for v in player.trainable_variables}
    return weights, tuple(layer.trainable for layer in player._flatten_layers())


def check(trainer):
    """Raises a `ValueError` if a layer was frozen or freed since `compile`, of any level too."""
    for game in (trainer, *getattr(trainer, "level_gans", ())):
        for name in PLAYERS:
            before, switches = getattr(game, MARKS)[name]
            now, others = _mark(getattr(game, name))
            if now.keys() == before.keys() and switches == others:
                continue
            apart = [f"{path} frozen" for key, path in before.items() if key not in now]
            apart += [f"{path} freed" for key, path in now.items() if key not in before]
            raise ValueError(
                f"`{name}` has had layers frozen or freed since `compile()`, which decides what a "
                "step moves. Expected compile() again, with a new optimizer, before the training. "
                f"Received: {', '.join(apart[:4]) or 'layers without weights that were switched'}"
            )


def check_optimizers(trainer, optimizers):
    """Raises a `ValueError` if an optimizer keeps moments of weights that are frozen now."""
    for name, optimizer in optimizers.items():
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        known = {id(v): v.path for v in inner._trainable_variables}
        moved = {id(v) for v in getattr(trainer, name).trainable_variables}
        frozen = [path for key, path in known.items() if key not in moved]
        if inner.built and frozen:
            raise ValueError(
                f"`{name}_optimizer` keeps moments of weights that are frozen now, which no file "
                f"could give back. Expected a new optimizer, such as {type(inner).__name__}."
                f"from_config({name}_optimizer.get_config()). Received: {name}_optimizer="
                f"{inner.name!r}, built for {len(known)} weights, of which {frozen[0]!r} is frozen"
            )


class Watch(keras.callbacks.Callback):
    """Ends a training in which a callback freezes or frees a layer of a player."""

    def on_epoch_begin(self, epoch, logs=None):
        check(self.model)
