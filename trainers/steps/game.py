"""The pieces of an update rule: samples, discriminator outputs, losses, penalties of a move."""

from typing import NamedTuple

import keras
import tensorflow as tf

from trainers.penalties import Position
from trainers.steps import gradient_estimators, packing, regularization
from trainers.steps.key import TRAINING, Key
from zoo import random
from zoo.players.sampling import discriminate, generate, per_example


class View(NamedTuple):
    """Samples as the discriminator sees them, and what it makes of them.

    Attributes:
        samples: The samples.
        logits: One an example, `(batch,)`; or `(batch * patches,)`, example by example, of maps.
        features: What else it returns of them, or `None`.
        added: What its call has added to its own loss, a scalar: `regularization.of_call`.
    """

    samples: tf.Tensor
    logits: tf.Tensor
    features: tf.Tensor | None
    added: tf.Tensor | float = 0.0


class Game:
    """A mixin: samples, views, losses and penalties of one move, each a method to change.

    A trainer that mixes it in has the two players, their traits, an objective, perturbations,
    `generator_terms` and `discriminator_terms`, the counter `steps`, and the number of `patches` of
    a sample that the discriminator judges apart. It says of itself what its losses need of the
    players:

    Attributes:
        bounds_slope: bool. Whether the class itself bounds the discriminator's slope.
        second_order: bool. Whether the update rule differentiates gradients once more.
        mixes_examples: bool. Whether the generator's loss of one example depends on the others of
            its batch, whatever the objective. A class that defines `generator_losses` says it.
    """

    bounds_slope = False
    second_order = False
    mixes_examples = False

    def key(self, move):
        """The key of one player's move in this training step."""
        return self.key_of(TRAINING, self.steps, move)

    def key_of(self, stream, *words):
        """The key of a stream of draws: `TRAINING`, or `TESTING`."""
        return Key((self.seed, stream), words)

    # === Samples ===

    def split(self, real, labels):
        """The batch cut into equal parts, one a discriminator step: a list of (samples, labels)."""
        rows = batch_rows(real) // self.discriminator_steps_per_batch
        cuts = [slice(k * rows, (k + 1) * rows) for k in range(self.discriminator_steps_per_batch)]
        return [(real[cut], None if labels is None else labels[cut]) for cut in cuts]

    def latents(self, count, key):
        """Fresh latents `(count, latent_dim)`: a function of the key."""
        return random.draw(self.traits.prior, count, self.traits.latent_dim, key.value)

    def fake(self, real, labels, key, training):
        """As many generated samples as there are real ones, in float32 like those."""
        latents = self.latents(batch_rows(real), key)
        samples = generate(self.generator, latents, labels, training=training)
        return tf.cast(samples, "float32")

    def fake_for_generator(self, real, labels, key):
        """The samples by which the generator moves: a simulator tries other parameters on them."""
        if not gradient_estimators.estimates(self.generator):
            return self.fake(real, labels, key, training=True)
        latents = self.latents(batch_rows(real), key)
        return self.generator.explore(latents, key.exploration())

    def perturbed(self, real, fake, key):
        """Real and generated samples as the discriminator sees them in this move, in packs."""
        for k, perturbation in enumerate(self.perturbations):
            step = self.steps.value
            real = perturbation.samples(real, key.perturbation(k, 0), step)
            fake = perturbation.samples(fake, key.perturbation(k, 1), step)
        return self.packed(real), self.packed(fake)

    def packed(self, samples):
        """Samples as many at a time as the discriminator judges together."""
        return packing.pack(samples, self.packing)

    # === Views ===

    def views(self, real, fake, labels, training):
        """The discriminator's `View` of real and of generated samples, a pass each.

        Batch normalization sees them apart, as in DCGAN: its statistics would tell them apart.
        """
        return self.view(real, labels, training), self.view(fake, labels, training)

    def view(self, samples, labels, training):
        """The discriminator's `View` of samples."""
        seen = discriminate(self.discriminator, samples, labels, training=training)
        return View(samples, *seen, regularization.of_call(self.discriminator))

    def generator_views(self, real, fake, labels, key):
        """What the generator's loss is made of; nothing of the discriminator moves."""
        with keras.StatelessScope():
            return self.views(real, fake, labels, training=True)

    def discriminator_at(self, weights):
        """A scope in which the discriminator has these weights, and nothing that it does stays."""
        variables = self.discriminator.trainable_variables
        at = [(v, w) for v, w in zip(variables, weights, strict=True) if v is not w]
        return keras.StatelessScope(at, collect_losses=True)

    # === Losses ===

    def discriminator_losses(self, real, fake, key):
        """The objective's losses per example, with the labels that the perturbations leave."""
        logits = real.logits, fake.logits
        for k, perturbation in enumerate(self.perturbations):
            logits = perturbation.logits(*logits, key.perturbation(k, 2), self.steps.value)
        return per_example(self.objective.discriminator_loss(*logits), self.patches)

    def generator_losses(self, real, fake):
        """What the generator minimises, per example, from the views."""
        losses = self.objective.generator_loss(real.logits, fake.logits)
        return per_example(losses, self.patches)

    def mean(self, losses):
        """What a player's optimizer is given of its losses per example."""
        return tf.reduce_mean(losses)

    def surrogate_losses(self, losses, key):
        """The generator's losses, or a simulator's surrogate, whose gradient is an estimate."""
        if not gradient_estimators.estimates(self.generator):
            return losses
        return self.generator.surrogate(losses, key.exploration())

    def own_losses(self, player, *added):
        """What a player adds to its own loss, as a Keras model does: a scalar, tracked.

        Args:
            player: `"generator"` or `"discriminator"`.
            *added: What its calls have added: `View.added`, or `regularization.of_call`.
        """
        name = f"{player}_regularization"
        if name not in self.trackers:
            return 0.0
        total = regularization.of_weights(getattr(self, player)) + sum(added)
        self.trackers[name].update_state(total)
        return total

    def penalty(self, player, real, fake, labels, key):
        """The sum of a player's penalties per example, tracked; 0 where there are none."""
        weights = getattr(self, player).trainable_variables
        total = self.penalty_at(player, weights, real, fake, labels, key)
        if getattr(self, f"{player}_terms"):
            self.trackers[f"{player}_penalty"].update_state(total)
        return total

    def penalty_at(self, player, weights, real, fake, labels, key):
        """The sum of a player's penalties per example, were these its weights."""
        critic = self.discriminator.trainable_variables
        critic = weights if player == "discriminator" else critic

        def logits(samples):
            with self.discriminator_at(critic):
                answers, _ = discriminate(self.discriminator, samples, labels, training=True)
            return per_example(answers, self.patches)

        total = 0.0
        for k, term in enumerate(getattr(self, f"{player}_terms")):
            seed = key.penalty(k, player)
            total += term(Position(logits, real, fake, seed, weights), self.steps.value)
        return total


def batch_rows(batch):
    """The number of rows of a batch: int, or a scalar where the graph does not know."""
    return batch.shape[0] or tf.shape(batch)[0]
