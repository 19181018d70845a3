"""Keys: the seeds of a move's draws, as functions of (seed, stream, step, move)."""

import dataclasses

from zoo import random

TRAINING, TESTING = 0, 1  # The two streams of draws: evaluating does not disturb training.
PERTURBATION, PENALTY, EXPLORATION = 1, 2, 3  # What is drawn in a move, beside its latents.


@dataclasses.dataclass(frozen=True)
class Key:
    """A seed that is yet to be folded with words: `fold((seed, stream), step, move, ...)`.

    Attributes:
        seed: Two integers: the run's seed, and `TRAINING` or `TESTING`.
        words: Integers or integer scalars. Of a training step: its number, and the move in it.
    """

    seed: tuple
    words: tuple

    def fold(self, *words):
        """The key with further words."""
        return Key(self.seed, (*self.words, *words))

    @property
    def value(self):
        """The seed of what is drawn: an int64 tensor of shape `(2,)`."""
        return random.fold(self.seed, *self.words)

    def perturbation(self, number, side):
        """The seed of a perturbation: of real (0) and generated (1) samples, and of logits (2)."""
        return self.fold(PERTURBATION, number, side).value

    def penalty(self, number, player):
        """The seed of a penalty of `"discriminator"` or `"generator"`."""
        return self.fold(PENALTY, number, int(player == "generator")).value

    def exploration(self):
        """The seed of what a simulator tries in this move."""
        return self.fold(EXPLORATION).value
