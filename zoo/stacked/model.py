"""Stacked: many players of one architecture as one Keras model."""

import keras
import numpy as np
import tensorflow as tf

from zoo import random
from zoo.players import conditions, copies
from zoo.players.recorded import RecordedModel
from zoo.players.sampling import traits
from zoo.stacked import affine, checks, first_weights, rules
from zoo.validation import check_positive


@keras.saving.register_keras_serializable(package="zoo")
class Stacked(RecordedModel, keras.Model):
    """A generator or a discriminator for each of many members, called on one flat batch.

    Member i has rows `i * n ... (i + 1) * n - 1` of a batch of `members * n` rows, and its own
    weights: each variable is that of the player with a leading axis of members. No member sees
    another's rows.

    Args:
        player: A built Keras model of layers that have a rule (`zoo/stacked/rules.py`): dense ones
            and what goes elementwise.
        members: int. Number of members.
        role: `"generator"` or `"discriminator"`.

    Returns:
        What the player returns, of all rows.

    Raises:
        ValueError: If a layer cannot be stacked. The message names it.
    """

    owns_layers = False

    def __init__(self, player, members, role="generator", **kwargs):
        check_positive(members=members)
        checks.check(player, role)
        super().__init__(**kwargs)
        object.__setattr__(self, "_player", player)  # Not a layer of this one: it has no part.
        self.members, self.role = members, role
        told = conditions.of(player)
        self.num_classes = getattr(told, "num_classes", None)
        self.num_conditions = getattr(told, "num_conditions", None)
        self._stacked, trained = {}, {id(v) for v in player.trainable_variables}
        for number, variable in enumerate(_variables(player)):
            stacked = self.add_weight(
                shape=(members, *variable.shape),
                dtype=variable.dtype,
                initializer="zeros",
                trainable=id(variable) in trained,
                regularizer=variable.regularizer,
                constraint=variable.constraint,
                name=f"{number}_{variable.path.replace('/', '_')}",
            )
            self._stacked[id(variable)] = stacked
        # No list of a Keras model, which would look for weights in it.
        object.__setattr__(self, "trained", frozenset(id(v) for v in self.trainable_variables))
        self.built = True

    @property
    def player(self):
        """The player that all members are like."""
        return self._player

    @property
    def traits(self):
        """`zoo.players.Traits` of a generator."""
        return traits(self.player)

    @property
    def row_by_row(self):
        """Whether a call of two batches at once is a call of each: nothing is drawn or averaged."""
        return not any(rules.looks_at_batch(layer) for layer in self.player._flatten_layers())

    # === All members ===

    def call(self, inputs, training=False):
        told = self.num_classes or self.num_conditions
        name = "labels" if self.num_classes else "conditions"
        main = "latents" if self.role == "generator" else "images"
        tensors = (inputs[main], inputs[name]) if told else (inputs, None)
        form = conditions.call_inputs(self.player, main, *tensors)
        columns = [self._columns(x) for x in keras.tree.flatten(form)]
        outputs = _graph(self.player)._outputs_struct
        made = _run(self.player, self._own, columns, training)
        places = keras.tree.flatten(outputs)
        rows = [_rows(x, place.shape[1:]) for x, place in zip(made, places, strict=True)]
        return keras.tree.pack_sequence_as(outputs, rows)

    def _own(self, variable):
        return self._stacked[id(variable)]

    def _columns(self, x):
        """Rows `(members * n, ...)` as columns `(members, features, n)`."""
        features = int(np.prod(x.shape[1:]))
        x = x if x.dtype.is_integer else tf.cast(x, "float32")
        if features == 1:
            return tf.reshape(x, (self.members, 1, -1))
        return affine.turned(tf.reshape(x, (self.members, -1, features)))

    # === One member ===

    def draw(self, seeds):
        """Draws the first weights of each member from its seed; what is constant is the player's.

        Args:
            seeds: int64 `(members,)`.
        """
        stream = tf.stack(
            [seeds, tf.fill(seeds.shape, tf.constant(first_weights.STREAM, "int64"))], 1
        )
        stream = random.fold(stream, int(self.role == "discriminator"))
        own = first_weights.initializers(self.player)
        for number, variable in enumerate(_variables(self.player)):
            place = random.fold(stream, number)
            if _is_seed(variable):
                words = tf.cast(tf.bitwise.bitwise_and(place[:, 0], 2**31 - 1), variable.dtype)
                value = tf.stack([words, tf.zeros_like(words)], axis=1)
            else:
                value = first_weights.draw(own.get(id(variable)), tuple(variable.shape), place)
            if value is None:
                value = self._all_alike(variable)
            self._own(variable).assign(value)

    def share(self):
        """Gives every member the weights of the player."""
        for variable in _variables(self.player):
            self._own(variable).assign(self._all_alike(variable))

    def _all_alike(self, variable):
        value = tf.convert_to_tensor(variable)
        return tf.tile(value[None], (self.members, *(1 for _ in value.shape)))

    def member(self, number):
        """A player with the weights of one member."""
        player = copies.copied(self.player, self.role, "a member is a player of its own")
        for variable, stacked in self.pairs(player):
            variable.assign(stacked[number])
        return player

    def pairs(self, player):
        """Variables of a player like this one's, each beside that of all members."""
        own = (self._own(v) for v in _variables(self.player))
        return list(zip(_variables(player), own, strict=True))


def _variables(player):
    """The weights of a player, and the seeds of its dropout."""
    weights = {id(v): v for v in player.weights}
    seeds = [v for v in player.variables if id(v) not in weights and _is_seed(v)]
    return [*weights.values(), *seeds]


def _is_seed(variable):
    return "int" in variable.dtype and tuple(variable.shape) == (2,)


def _graph(model):
    return model._functional if isinstance(model, keras.Sequential) else model


def _rows(x, shape):
    """Columns `(members, features, n)` as rows `(members * n, *shape)`."""
    return tf.reshape(x if x.shape[1] == 1 else affine.turned(x), (-1, *shape))


def _run(model, own, columns, training):
    """The outputs of a model's graph on columns, flat."""

    def of_all(operation):
        def run(*args, **kwargs):
            tensors = [x for x in keras.tree.flatten((args, kwargs)) if tf.is_tensor(x)]
            if isinstance(operation, keras.Model):
                made = _run(operation, own, tensors, training)
                return keras.tree.pack_sequence_as(_graph(operation)._outputs_struct, made)
            return rules.rule(operation)(operation, own, *tensors, training=training)

        return run

    made = _graph(model)._run_through_graph(columns, operation_fn=of_all)
    return keras.tree.flatten(made)
