"""What is otherwise in a game of many members: one flat batch, in which each has its own rows.

Both players are `zoo.stacked.Stacked`, member i has its equal part of the rows, and its draws
follow from its own seed. A loss is the sum of the members' means, so that the derivative by a
member's weights is that of its own mean. Nothing else of an update rule changes, and no member
moves another.
"""

import keras
import tensorflow as tf

from trainers.steps import pairs, regularization
from trainers.steps.game import View
from trainers.steps.key import Key


class MemberMean(keras.metrics.Metric):
    """The mean of a figure for each member: `result` is the mean over them.

    Args:
        members: int.
        name: str.
    """

    def __init__(self, members, name):
        super().__init__(name=name)
        self.members = members
        self.total = self.add_variable((members,), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values, sample_weight=None):
        """Adds a figure per example, or one that is a sum over the members."""
        values = tf.cast(values, "float32")
        if len(values.shape):
            own = tf.reduce_mean(tf.reshape(values, (self.members, -1)), axis=1)
        else:
            own = tf.fill((self.members,), values / self.members)
        self.total.assign(self.total + own)
        self.count.assign(self.count + 1.0)

    def each(self):
        """The mean of each member: `(members,)`."""
        return tf.math.divide_no_nan(
            tf.convert_to_tensor(self.total), tf.convert_to_tensor(self.count)
        )

    def result(self):
        return tf.reduce_mean(self.each())


class Members:
    """A mixin of a trainer whose players are stacked.

    Attributes:
        member_seeds: int64 `(members,)`. The seed of each member's draws.
    """

    member_seeds = None

    @property
    def members(self):
        """Number of members."""
        return self.generator.members

    def check_pair(self):
        return pairs.check(self.traits, self.discriminator.player, self.packing)

    def warn(self, compilation):
        """Nothing: a member by itself was looked at, and its warnings are said."""

    def tracker(self, name):
        return MemberMean(self.members, name)

    def key_of(self, stream, *words):
        seeds = tf.stack(
            [self.member_seeds, tf.fill(self.member_seeds.shape, tf.cast(stream, "int64"))], 1
        )
        return Key(seeds, words)

    def mean(self, losses):
        return tf.reduce_mean(losses) * self.members

    def own_losses(self, player, *added):
        name, total = f"{player}_regularization", 0.0
        if name in self.trackers:
            # What calls add is refused: it would be a mean over all rows.
            own = regularization.of_members(getattr(self, player))
            self.trackers[name].update_state(own)
            total = tf.reduce_sum(own)
        return total

    def views(self, real, fake, labels, training):
        """Both views in one pass, where the discriminator's rows know nothing of each other."""
        if not self.discriminator.row_by_row:
            return super().views(real, fake, labels, training)
        told = None if labels is None else self._joined(labels, labels)
        both = self.view(self._joined(real, fake), told, training)
        logits = self._parted(both.logits)
        features = (None, None) if both.features is None else self._parted(both.features)
        added = (both.added, 0.0)  # Both calls' together: it is one.
        return tuple(map(View, (real, fake), logits, features, added))

    def generator_views(self, real, fake, labels, key):
        # Apart: where the loss looks at generated samples alone, the other pass is left out.
        with keras.StatelessScope():
            return super().views(real, fake, labels, training=True)

    def _joined(self, first, second):
        """One flat batch of two: each member's rows of the first, then those of the second."""
        own = [tf.reshape(x, (self.members, -1, *x.shape[1:])) for x in (first, second)]
        return tf.reshape(tf.concat(own, axis=1), (-1, *first.shape[1:]))

    def _parted(self, both):
        """The two flat batches of a joined one."""
        own = tf.reshape(both, (self.members, 2, -1, *both.shape[1:]))
        return [tf.reshape(own[:, k], (-1, *both.shape[1:])) for k in (0, 1)]

    def split(self, real, labels):
        """Each member's batch cut into equal parts, one a discriminator step."""
        steps = self.discriminator_steps_per_batch
        if steps == 1:
            return [(real, labels)]
        rows = real.shape[0] // self.members // steps
        return [(self._part(real, k, rows), self._part(labels, k, rows)) for k in range(steps)]

    def _part(self, x, number, rows):
        if x is None:
            return None
        own = tf.reshape(x, (self.members, -1, *x.shape[1:]))[
            :, number * rows : (number + 1) * rows
        ]
        return tf.reshape(own, (-1, *x.shape[1:]))
