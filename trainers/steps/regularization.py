"""What a player itself adds to its loss: regularizers of its weights, losses of its calls.

Keras collects them in `model.losses`: `kernel_regularizer` and the like, one number each, and what
each call adds by `activity_regularizer` or `add_loss`. A trained Keras model feels them; so does a
player, in its own loss alone.
"""

import keras
import numpy as np
import tensorflow as tf

from trainers.steps import coupling
from trainers.steps.xla import of_ours
from zoo import tracing


def of_weights(player):
    """The regularizers of a player's trainable weights, where they are now: a float32 scalar."""
    terms = [v.regularizer(tf.convert_to_tensor(v)) for v in _regularized(player)]
    return _sum(terms)


def of_members(player):
    """Likewise of a `zoo.stacked.Stacked`, whose regularizers are sums: float32 `(members,)`."""
    total = 0.0
    for variable in _regularized(player):
        weights = tf.reshape(tf.convert_to_tensor(variable), (player.members, -1))
        factors = variable.regularizer.get_config()
        total += factors.get("l1", 0.0) * tf.reduce_sum(tf.abs(weights), axis=1)
        total += factors.get("l2", 0.0) * tf.reduce_sum(weights**2, axis=1)
    return total


def of_call(player):
    """What a player's last call has added by activities and `add_loss`: a float32 scalar.

    In a `keras.StatelessScope`, it has to be asked for with `collect_losses=True`.
    """
    own = (layer._get_own_losses() for layer in player._flatten_layers())
    return _sum([loss for losses in own for loss in losses])


def present(player):
    """Whether a built player adds anything to its loss, now or when it is called."""
    layers = player._flatten_layers()
    return (
        bool(_regularized(player))
        or any(layer.activity_regularizer is not None for layer in layers)
        or _adds_losses(player)
    )


def _regularized(player):
    return [v for v in player.trainable_variables if v.regularizer is not None]


def _sum(terms):
    return sum(tf.reduce_sum(tf.cast(term, "float32")) for term in terms) if terms else 0.0


def _adds_losses(player):
    """Whether a call adds losses; asked where a layer is a user's own, without computing anything.

    Those of Keras and of this library add none but by an `activity_regularizer`.
    """
    if all(of_ours(layer) for layer in player._flatten_layers()):
        return False
    inputs = coupling.drawn_inputs(player, np.random.default_rng(0))
    if inputs is None:
        return True

    def called():
        return player(inputs, training=True)

    with keras.StatelessScope(collect_losses=True) as scope:
        try:
            tf.function(tracing.traced(called), autograph=False).get_concrete_function()
        except Exception:  # Whatever a user's own layer raises when it is not called its way.
            return True
    return bool(scope.losses)
