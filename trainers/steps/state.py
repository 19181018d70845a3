"""State that a trainer keeps from step to step, and penalties that have some."""

import dataclasses

import keras


class State(keras.layers.Layer):
    """Numbers that are saved and restored with a trainer.

    Args:
        shapes: Shapes of float32 tensors, which start at 0.
    """

    def __init__(self, shapes):
        super().__init__(trainable=False)
        self.values = [
            self.add_weight(shape, "zeros", "float32", trainable=False, name=f"value_{k}")
            for k, shape in enumerate(shapes)
        ]
        self.built = True

    def advance(self, values):
        """Takes new values."""
        for variable, value in zip(self.values, values, strict=True):
            variable.assign(value)


class Term:
    """A penalty in a game: with the state that it keeps for one player.

    Args:
        penalty: A `trainers.penalties.Penalty`, which may serve other players too.
        player: The Keras model in whose loss it is.
    """

    def __init__(self, penalty, player):
        self.penalty = penalty
        shapes = [weight.shape for weight in player.trainable_variables]
        self.state = State(penalty.state_shapes(shapes))

    def advance(self, weights):
        """Updates the penalty's state from the player's weights, before a step."""
        self.state.advance(self.penalty.next_state(self.state.values, weights))

    def __call__(self, position, step):
        """The weighted penalty `(batch,)` in this step, from a `trainers.penalties.Position`."""
        return self.penalty(dataclasses.replace(position, state=self.state.values), step)
