"""GAN: Algorithm 1 of Generative Adversarial Nets (Goodfellow et al., 2014) on one page."""

import keras
import tensorflow as tf

from trainers.base import TESTING, TRAINING, Trainer
from trainers.penalties import Position
from zoo.latents import fold
from zoo.players import check_positive, discriminate, generate

SCHEDULES = ("alternating", "simultaneous")
PERTURBATION, PENALTY = 1, 2  # What else is drawn in a move, beside its latents.


@keras.saving.register_keras_serializable(package="zoo")
class GAN(Trainer):
    """Trains a generator against a discriminator with `fit`.

    One training step takes one batch. Under the `"alternating"` schedule it is Algorithm 1: the
    batch is cut into `discriminator_steps` equal parts (rows left over are not used), the
    discriminator takes a step on each part with fresh latents, then the generator takes one step
    with fresh latents of one part's size. Under `"simultaneous"` both players' gradients are taken
    at the same point, from one forward pass, and applied together.

    A step of one player leaves the other untouched: weights, batch statistics and seeds. The
    player at rest still runs in training mode, so both see the same batch normalisation.
    Generated samples carry the labels of the real ones of their part.

    Args:
        generator: A `zoo.Generator`, or a built Keras model from latents to samples.
        discriminator: A `zoo.Discriminator`, or a built Keras model from samples to one logit.
        discriminator_steps: int. The `k` of Algorithm 1.
        schedule: `"alternating"` or `"simultaneous"`.
        seed: int. All draws of the run are functions of (seed, step, replica, row).

    Raises:
        ValueError: If the players do not fit each other, or an argument is out of range.

    Example:

    ```python
    gan = trainers.GAN(zoo.DCGANGenerator(latent_dim=64), zoo.DCGANDiscriminator(), seed=0)
    gan.compile()
    gan.fit(zoo.datasets.load("mnist", batch_size=128), epochs=5)
    images = gan.sample(64, seed=1)  # (64, 28, 28, 1), uint8
    ```

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), algorithm 1.
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), algorithm 1, for the
          simultaneous ("single-step") schedule.
    """

    def __init__(
        self,
        generator,
        discriminator,
        discriminator_steps=1,
        schedule="alternating",
        seed=0,
        **kwargs,
    ):
        check_positive(discriminator_steps=discriminator_steps)
        if schedule not in SCHEDULES:
            raise ValueError(
                f"Unknown schedule. Expected one of {SCHEDULES}. Received: schedule={schedule!r}"
            )
        if schedule == "simultaneous" and discriminator_steps != 1:
            raise ValueError(
                "Players who move at the same time make equally many steps. Expected "
                "discriminator_steps=1 with schedule='simultaneous'. "
                f"Received: discriminator_steps={discriminator_steps}"
            )
        super().__init__(generator, discriminator, seed=seed, **kwargs)
        self.discriminator_steps = discriminator_steps
        self.schedule = schedule

    def train_step(self, data):
        real, labels = self.unpack(data)
        if self.schedule == "simultaneous":
            self.simultaneous_step(real, labels, self.turn(0))
        else:
            parts = self.parts(real, labels)
            for k, (part, part_labels) in enumerate(parts):
                self.discriminator_step(part, part_labels, self.turn(k))
            self.generator_step(*parts[-1], self.turn(len(parts)))
        self.update_generator_average()
        self.steps.assign_add(1)
        return self.get_metrics_result()

    def discriminator_step(self, real, labels, turn):
        """Descends the discriminator's loss on one part of the batch and as many fakes."""
        with keras.StatelessScope():  # The generator's batch statistics are not to move.
            fake = self.fake(real, labels, turn, training=True)
        real, fake = self.perturbed(real, fake, turn)
        with tf.GradientTape() as tape:
            real_logits, fake_logits = self.logits(real, fake, labels, training=True)
            losses = self.discriminator_losses(real_logits, fake_logits, turn)
            penalty = self.discriminator_penalty(real, fake, labels, turn)
            loss = self.discriminator_optimizer.scale_loss(tf.reduce_mean(losses + penalty))
        variables = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(loss, variables), variables)
        self.track_discriminator(losses, real_logits, fake_logits)

    def generator_step(self, real, labels, turn):
        """Descends the generator's loss on fresh fakes."""
        with tf.GradientTape() as tape:
            fake = self.fake(real, labels, turn, training=True)
            real, fake = self.perturbed(real, fake, turn)
            real_logits, fake_logits = self.generator_logits(real, fake, labels, turn)
            losses = self.objective.generator_loss(real_logits, fake_logits)
            loss = self.generator_optimizer.scale_loss(tf.reduce_mean(losses))
        variables = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(loss, variables), variables)
        self.trackers["generator_loss"].update_state(losses)

    def generator_logits(self, real, fake, labels, turn):
        """The logits that the generator's loss is made of; nothing of the discriminator moves."""
        with keras.StatelessScope():
            return self.logits(real, fake, labels, training=True)

    def simultaneous_step(self, real, labels, turn):
        """Takes both gradients at the same point, from one forward pass, then applies both."""
        d_gradients, g_gradients = self.simultaneous_gradients(real, labels, turn)
        self.discriminator_optimizer.apply(d_gradients, self.discriminator.trainable_variables)
        self.generator_optimizer.apply(g_gradients, self.generator.trainable_variables)

    def simultaneous_gradients(self, real, labels, turn):
        """Both players' gradients at the same point, each with its optimizer's loss scale."""
        d_variables = self.discriminator.trainable_variables
        g_variables = self.generator.trainable_variables
        with tf.GradientTape(persistent=True) as tape:
            fake = self.fake(real, labels, turn, training=True)
            real, fake = self.perturbed(real, fake, turn)
            real_logits, fake_logits = self.logits(real, fake, labels, training=True)
            d_losses = self.discriminator_losses(real_logits, fake_logits, turn)
            penalty = self.discriminator_penalty(real, fake, labels, turn)
            g_losses = self.objective.generator_loss(real_logits, fake_logits)
            d_loss = self.discriminator_optimizer.scale_loss(tf.reduce_mean(d_losses + penalty))
            g_loss = self.generator_optimizer.scale_loss(tf.reduce_mean(g_losses))
        self.track_discriminator(d_losses, real_logits, fake_logits)
        self.trackers["generator_loss"].update_state(g_losses)
        return tape.gradient(d_loss, d_variables), tape.gradient(g_loss, g_variables)

    def test_step(self, data):
        real, labels = self.unpack(data)
        # The examples seen so far number the draws, so an evaluation repeats itself exactly.
        turn = (TESTING, self.trackers["generator_loss"].count)
        fake = self.fake(real, labels, turn, training=False)
        real_logits, fake_logits = self.logits(real, fake, labels, training=False)
        d_losses = self.objective.discriminator_loss(real_logits, fake_logits)
        g_losses = self.objective.generator_loss(real_logits, fake_logits)
        self.track_discriminator(d_losses, real_logits, fake_logits)
        self.trackers["generator_loss"].update_state(g_losses)
        return self.get_metrics_result()

    def turn(self, number):
        """What numbers the draws of one player's move: (stream, step, move)."""
        return TRAINING, self.steps, number

    def parts(self, real, labels):
        """The batch cut into `discriminator_steps` equal parts: a list of (samples, labels)."""
        rows = (real.shape[0] or tf.shape(real)[0]) // self.discriminator_steps
        cuts = [slice(k * rows, (k + 1) * rows) for k in range(self.discriminator_steps)]
        return [(real[cut], None if labels is None else labels[cut]) for cut in cuts]

    def fake(self, real, labels, turn, training):
        """As many generated samples as there are real ones."""
        latents = self.latents(real.shape[0] or tf.shape(real)[0], *turn)
        return generate(self.generator, latents, labels, training=training)

    def logits(self, real, fake, labels, training):
        """The discriminator's logits of real and of generated samples, a pass each.

        Batch normalisation sees them apart, as in DCGAN: its statistics would tell them apart.
        """
        real_logits, _ = discriminate(self.discriminator, real, labels, training=training)
        fake_logits, _ = discriminate(self.discriminator, fake, labels, training=training)
        return real_logits, fake_logits

    def perturbed(self, real, fake, turn):
        """Real and generated samples as the discriminator sees them in this move."""
        for k, perturbation in enumerate(self.perturbations):
            seeds = [fold(self.seed_of(*turn), PERTURBATION, k, side) for side in range(2)]
            real = perturbation.samples(real, seeds[0], self.steps.value)
            fake = perturbation.samples(fake, seeds[1], self.steps.value)
        return real, fake

    def discriminator_losses(self, real_logits, fake_logits, turn):
        """The objective's losses per example, with the labels that the perturbations leave."""
        for k, perturbation in enumerate(self.perturbations):
            seed = fold(self.seed_of(*turn), PERTURBATION, k, 2)
            real_logits, fake_logits = perturbation.logits(
                real_logits, fake_logits, seed, self.steps.value
            )
        return self.objective.discriminator_loss(real_logits, fake_logits)

    def discriminator_penalty(self, real, fake, labels, turn):
        """The sum of the penalties per example, tracked; 0 where there are none."""
        total = self.penalty_at(self.discriminator.trainable_variables, real, fake, labels, turn)
        if self.discriminator_penalties:
            self.trackers["discriminator_penalty"].update_state(total)
        return total

    def penalty_at(self, weights, real, fake, labels, turn):
        """The sum of the penalties per example, were these the discriminator's weights."""

        def logits(samples):
            with self.discriminator_at(weights):
                return discriminate(self.discriminator, samples, labels, training=True)[0]

        total = 0.0
        for k, penalty in enumerate(self.discriminator_penalties):
            seed = fold(self.seed_of(*turn), PENALTY, k)
            total += penalty(Position(logits, real, fake, seed), self.steps.value)
        return total

    def discriminator_at(self, weights):
        """A scope in which the discriminator has these weights, and nothing that it does stays."""
        variables = self.discriminator.trainable_variables
        return keras.StatelessScope(
            [(v, w) for v, w in zip(variables, weights, strict=True) if v is not w]
        )

    def get_config(self):
        return {
            **super().get_config(),
            "discriminator_steps": self.discriminator_steps,
            "schedule": self.schedule,
        }
