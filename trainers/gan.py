"""GAN: Algorithm 1 of Generative Adversarial Nets (Goodfellow et al., 2014) on one page."""

from typing import NamedTuple

import keras
import tensorflow as tf

from trainers.penalties import Position
from trainers.steps import apply_gradients, checks, gradient_estimators, one_stage
from trainers.stopping import StoppingRule
from trainers.trainer import TESTING, TRAINING, State, Trainer
from zoo import replicas
from zoo.random import fold
from zoo.sampling import discriminate, generate
from zoo.validation import check_positive

SCHEDULES = ("alternating", "simultaneous")
# Methods by which both losses are functions of the logits alone.
LOSSES_OF_LOGITS = (
    "simultaneous_gradients",
    "discriminator_losses",
    "generator_losses",
    "generator_objective",
    "views",
    "view",
)
PERTURBATION, PENALTY, EXPLORATION = 1, 2, 3  # What else is drawn in a move, beside its latents.


def check_schedule(trainer, own, arguments):
    """Takes `schedule` out of the arguments of a class that has but one; another is an error."""
    schedule = arguments.pop("schedule", own)
    if schedule != own:
        raise ValueError(
            f"The players of {trainer.__name__} move in one way. Expected schedule={own!r}. "
            f"Received: schedule={schedule!r}"
        )


class View(NamedTuple):
    """Samples as the discriminator sees them, and what it makes of them."""

    samples: tf.Tensor
    logits: tf.Tensor
    features: tf.Tensor | None


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
        discriminator_steps: int, the `k` of Algorithm 1; or a `trainers.stopping.StoppingRule`: the
            discriminator then takes one step on each batch, and the generator moves on those on
            which the rule says that the discriminator has converged.
        schedule: `"alternating"` or `"simultaneous"`.
        seed: int. All draws of the run are functions of (seed, step, row).

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
        if isinstance(discriminator_steps, dict):
            discriminator_steps = keras.saving.deserialize_keras_object(discriminator_steps)
        rule = discriminator_steps if isinstance(discriminator_steps, StoppingRule) else None
        if rule is None:
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
        self.stopping_rule = rule
        self.stopping_state = State(rule.state_shapes() if rule else [])

    @property
    def discriminator_parts(self):
        """Steps of the discriminator on one batch."""
        return 1 if self.stopping_rule else self.discriminator_steps

    def check_generator(self):
        gradient_estimators.check(self, GAN)

    def check_replicas(self):
        if self.stopping_rule is not None:
            checks.refuse_waiting(self, "discriminator_steps", self.stopping_rule)

    def train_step(self, data):
        real, labels = self.unpack(data)
        if self.schedule == "simultaneous":
            self.simultaneous_step(real, labels, self.turn(0))
        else:
            parts = self.parts(real, labels)
            for k, (part, part_labels) in enumerate(parts):
                loss = self.discriminator_step(part, part_labels, self.turn(k))
            self.generator_move(*parts[-1], self.turn(len(parts)), loss)
        self.steps.assign_add(1)
        return replicas.reducible(self.get_metrics_result())

    def discriminator_step(self, real, labels, turn):
        """Descends the discriminator's loss on one part of the batch; returns its mean."""
        self.advance_penalties("discriminator")
        with keras.StatelessScope():  # The generator's batch statistics are not to move.
            fake = self.fake(real, labels, turn, training=True)
        real, fake = self.perturbed(real, fake, turn)
        with tf.GradientTape() as tape:
            views = self.views(real, fake, labels, training=True)
            losses = self.discriminator_losses(*views, turn)
            penalty = self.penalty("discriminator", real, fake, labels, turn)
            mean = tf.reduce_mean(losses + penalty)
            loss = self.discriminator_optimizer.scale_loss(mean)
        self.apply_discriminator(tape.gradient(loss, self.discriminator.trainable_variables))
        self.track_discriminator(losses, *views)
        return mean

    def generator_move(self, real, labels, turn, discriminator_loss):
        """The generator's step, or none where the discriminator has not had steps enough."""
        if self.stopping_rule is None:
            return self.generator_step(real, labels, turn)
        done, state = self.stopping_rule(self.stopping_state.values, discriminator_loss)
        self.stopping_state.advance(state)
        self.generator_step_if(done, real, labels, turn)

    def generator_step_if(self, due, real, labels, turn):
        """The generator's step where the boolean tensor `due` says so."""

        def step():
            self.generator_step(real, labels, turn)
            return True

        tf.cond(due, step, lambda: False)

    def generator_step(self, real, labels, turn):
        """Descends the generator's loss on fresh fakes."""
        self.advance_penalties("generator")
        with tf.GradientTape() as tape:
            fake = self.moving_fake(real, labels, turn)
            real, fake = self.perturbed(real, fake, turn)
            losses = self.generator_losses(*self.generator_views(real, fake, labels, turn))
            penalty = self.penalty("generator", real, fake, labels, turn)
            steered = self.generator_objective(losses, turn)
            loss = self.generator_optimizer.scale_loss(tf.reduce_mean(steered + penalty))
        self.apply_generator(tape.gradient(loss, self.generator.trainable_variables))
        self.update_generator_average()
        self.trackers["generator_loss"].update_state(losses)

    def generator_views(self, real, fake, labels, turn):
        """What the generator's loss is made of; nothing of the discriminator apply_gradients."""
        with keras.StatelessScope():
            return self.views(real, fake, labels, training=True)

    def simultaneous_step(self, real, labels, turn):
        """Takes both gradients at the same point, from one forward pass, then applies both."""
        self.advance_penalties("discriminator")
        self.advance_penalties("generator")
        d_gradients, g_gradients = self.simultaneous_gradients(real, labels, turn)
        self.apply_discriminator(d_gradients)
        self.apply_generator(g_gradients)
        self.update_generator_average()

    def simultaneous_gradients(self, real, labels, turn):
        """Both players' gradients at the same point, each with its optimizer's loss scale."""
        if one_stage.applies(self, GAN, LOSSES_OF_LOGITS):
            return one_stage.gradients(self, real, labels, turn)
        d_variables = self.discriminator.trainable_variables
        g_variables = self.generator.trainable_variables
        with tf.GradientTape(persistent=True) as tape:
            fake = self.moving_fake(real, labels, turn)
            real, fake = self.perturbed(real, fake, turn)
            views = self.views(real, fake, labels, training=True)
            d_losses = self.discriminator_losses(*views, turn)
            g_losses = self.generator_losses(*views)
            d_penalty = self.penalty("discriminator", real, fake, labels, turn)
            g_penalty = self.penalty("generator", real, fake, labels, turn)
            d_loss = self.discriminator_optimizer.scale_loss(tf.reduce_mean(d_losses + d_penalty))
            steered = self.generator_objective(g_losses, turn)
            g_loss = self.generator_optimizer.scale_loss(tf.reduce_mean(steered + g_penalty))
        self.track_discriminator(d_losses, *views)
        self.trackers["generator_loss"].update_state(g_losses)
        return tape.gradient(d_loss, d_variables), tape.gradient(g_loss, g_variables)

    def apply_discriminator(self, gradients):
        """The discriminator's optimizer moves it."""
        variables = self.discriminator.trainable_variables
        apply_gradients.apply(self.discriminator_optimizer, gradients, variables)

    def apply_generator(self, gradients):
        """The generator's optimizer moves it."""
        variables = self.generator.trainable_variables
        apply_gradients.apply(self.generator_optimizer, gradients, variables)

    def test_step(self, data):
        real, labels = self.unpack(data)
        # The examples seen so far number the draws, so an evaluation repeats itself exactly.
        turn = (TESTING, self.trackers["generator_loss"].count)
        fake = self.fake(real, labels, turn, training=False)
        views = self.views(real, fake, labels, training=False)
        d_losses = self.objective.discriminator_loss(*(view.logits for view in views))
        self.track_discriminator(d_losses, *views)
        self.trackers["generator_loss"].update_state(self.generator_losses(*views))
        return replicas.reducible(self.get_metrics_result())

    def turn(self, number):
        """What numbers the draws of one player's move: (stream, step, move)."""
        return TRAINING, self.steps, number

    def parts(self, real, labels):
        """The batch cut into `discriminator_parts` equal parts: a list of (samples, labels)."""
        rows = (real.shape[0] or tf.shape(real)[0]) // self.discriminator_parts
        cuts = [slice(k * rows, (k + 1) * rows) for k in range(self.discriminator_parts)]
        return [(real[cut], None if labels is None else labels[cut]) for cut in cuts]

    def fake(self, real, labels, turn, training):
        """As many generated samples as there are real ones."""
        latents = self.latents(real.shape[0] or tf.shape(real)[0], *turn)
        return generate(self.generator, latents, labels, training=training)

    def moving_fake(self, real, labels, turn):
        """The samples by which the generator moves: a simulator tries other parameters on them."""
        if not gradient_estimators.estimates(self.generator):
            return self.fake(real, labels, turn, training=True)
        latents = self.latents(real.shape[0] or tf.shape(real)[0], *turn)
        return self.generator.explore(latents, self.exploration(turn))

    def exploration(self, turn):
        """The seed of what a simulator tries in this move."""
        return fold(self.seed_of(*turn), EXPLORATION)

    def views(self, real, fake, labels, training):
        """The discriminator's `View` of real and of generated samples, a pass each.

        Batch normalisation sees them apart, as in DCGAN: its statistics would tell them apart.
        """
        return self.view(real, labels, training), self.view(fake, labels, training)

    def view(self, samples, labels, training):
        """The discriminator's `View` of samples."""
        seen = discriminate(self.discriminator, samples, labels, training=training)
        return View(samples, *seen)

    def perturbed(self, real, fake, turn):
        """Real and generated samples as the discriminator sees them in this move."""
        for k, perturbation in enumerate(self.perturbations):
            seeds = [fold(self.seed_of(*turn), PERTURBATION, k, side) for side in range(2)]
            real = perturbation.samples(real, seeds[0], self.steps.value)
            fake = perturbation.samples(fake, seeds[1], self.steps.value)
        return real, fake

    def discriminator_losses(self, real, fake, turn):
        """The objective's losses per example, with the labels that the perturbations leave."""
        logits = real.logits, fake.logits
        for k, perturbation in enumerate(self.perturbations):
            seed = fold(self.seed_of(*turn), PERTURBATION, k, 2)
            logits = perturbation.logits(*logits, seed, self.steps.value)
        return self.objective.discriminator_loss(*logits)

    def generator_losses(self, real, fake):
        """What the generator minimises, per example, from the views."""
        return self.objective.generator_loss(real.logits, fake.logits)

    def generator_objective(self, losses, turn):
        """The losses, or a simulator's surrogate for them, whose gradient is an estimate."""
        if not gradient_estimators.estimates(self.generator):
            return losses
        return self.generator.surrogate(losses, self.exploration(turn))

    def advance_penalties(self, player):
        """Shows a player's penalties the weights before the step."""
        weights = getattr(self, player).trainable_variables
        for penalty, state in self.penalties(player):
            state.advance(penalty.next_state(state.values, weights))

    def penalty(self, player, real, fake, labels, turn):
        """The sum of a player's penalties per example, tracked; 0 where there are none."""
        weights = getattr(self, player).trainable_variables
        total = self.penalty_at(player, weights, real, fake, labels, turn)
        if self.penalties(player):
            self.trackers[f"{player}_penalty"].update_state(total)
        return total

    def penalty_at(self, player, weights, real, fake, labels, turn):
        """The sum of a player's penalties per example, were these its weights."""
        moved = player == "discriminator"
        critic = weights if moved else self.discriminator.trainable_variables

        def logits(samples):
            with self.discriminator_at(critic):
                return discriminate(self.discriminator, samples, labels, training=True)[0]

        total = 0.0
        for k, (penalty, state) in enumerate(self.penalties(player)):
            seed = fold(self.seed_of(*turn), PENALTY, k, int(not moved))
            position = Position(logits, real, fake, seed, weights, state.values)
            total += penalty(position, self.steps.value)
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
            "discriminator_steps": keras.saving.serialize_keras_object(self.discriminator_steps),
            "schedule": self.schedule,
        }
