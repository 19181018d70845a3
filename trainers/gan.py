"""GAN: Algorithm 1 of Generative Adversarial Nets (Goodfellow et al., 2014) on one page."""

import keras
import tensorflow as tf

from trainers.steps import apply_gradients, checks, one_stage, regularization
from trainers.steps.key import TESTING
from trainers.steps.state import State
from trainers.stopping import StoppingRule
from trainers.trainer import Trainer
from zoo import replicas
from zoo.validation import check_choice, check_positive

SCHEDULES = ("alternating", "simultaneous")


@keras.saving.register_keras_serializable(package="zoo")
class GAN(Trainer):
    """Trains a generator against a discriminator with `fit`.

    One training step takes one batch. Under the `"alternating"` schedule it is Algorithm 1: the
    batch is cut into `discriminator_steps` equal parts (rows left over are not used), the
    discriminator takes a step on each part with fresh latents, then the generator takes one step
    with fresh latents of one part's size. Under `"simultaneous"` both players' gradients are taken
    at the same point, from one forward pass, and applied together.

    A step of one player leaves the other untouched: weights, batch statistics and seeds. The
    player at rest still runs in training mode, so both see the same batch normalization.
    Generated samples carry the labels of the real ones of their part.

    Args:
        generator: A `zoo.Generator`, or a built Keras model from latents to samples.
        discriminator: A `zoo.Discriminator`, or a built Keras model from samples to one logit, or
            to a map `(batch, height, width, 1)` of one logit a patch.
        discriminator_steps: int, the `k` of Algorithm 1; or a `trainers.stopping.StoppingRule`: the
            discriminator then takes one step on each batch, and the generator moves on those on
            which the rule says that the discriminator has converged.
        schedule: `"alternating"` or `"simultaneous"`.
        seed: int. All draws of the run are functions of (seed, step, row). The players' first
            weights are made before: `keras.utils.set_random_seed` decides those.
        **kwargs: `value_range`: `(low, high)` of samples that are pictures, `None` for samples that
            are not; by default what is seen in the generator's last layers (`zoo.players.traits`).

    Raises:
        ValueError: If the players do not fit each other, or an argument is out of range.

    Example:

    ```python
    import trainers, zoo

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
        rule = discriminator_steps if isinstance(discriminator_steps, StoppingRule) else None
        if rule is None:
            check_positive(discriminator_steps=discriminator_steps)
        check_choice(SCHEDULES, schedule=schedule)
        if schedule == "simultaneous" and discriminator_steps != 1:
            raise ValueError(
                "`discriminator_steps` does not go with schedule='simultaneous', where players "
                "make equally many steps. Expected discriminator_steps=1. "
                f"Received: discriminator_steps={discriminator_steps}"
            )
        super().__init__(generator, discriminator, seed=seed, **kwargs)
        self.discriminator_steps = discriminator_steps
        self.schedule = schedule
        self.stopping_rule = rule
        self.stopping_state = State(rule.state_shapes() if rule else [])

    @property
    def discriminator_steps_per_batch(self):
        """Steps of the discriminator on one batch."""
        return 1 if self.stopping_rule else self.discriminator_steps

    def check_compilation(self, compilation):
        super().check_compilation(compilation)
        if self.stopping_rule is not None:
            checks.refuse_waiting(self, "discriminator_steps", self.stopping_rule)

    def adopt(self, compilation, average, terms):
        super().adopt(compilation, average, terms)
        self.in_one_stage = self.has_one_stage()

    def has_one_stage(self):
        """Whether both gradients come from one backward pass of the generated samples."""
        return self.schedule == "simultaneous" and one_stage.applies(self)

    # === Algorithm 1 ===

    def train_step(self, data):
        """One iteration of Algorithm 1: k steps of the discriminator, then one of the generator."""
        real, labels = self.unpack(data)
        if self.schedule == "simultaneous":
            self.simultaneous_step(real, labels, self.key(0))
        else:
            batches = self.split(real, labels)
            for k, batch in enumerate(batches):
                loss = self.discriminator_step(*batch, self.key(k))
            self.generator_step_when_due(*batches[-1], self.key(len(batches)), loss)
        self.steps.assign_add(1)
        return replicas.reducible(self.get_metrics_result())

    def discriminator_step(self, real, labels, key):
        """Algorithm 1, inner loop: ascends `1/m sum log D(x_i) + log(1 - D(G(z_i)))`.

        Or descends what the objective says, on one part of the batch. Returns the mean loss.
        """
        self.advance_terms("discriminator")
        with keras.StatelessScope():  # The generator's batch statistics are not to move.
            fake = self.fake(real, labels, key, training=True)
        real, fake = self.perturbed(real, fake, key)
        with tf.GradientTape() as tape:
            views = self.views(real, fake, labels, training=True)
            losses = self.discriminator_losses(*views, key)
            penalty = self.penalty("discriminator", real, fake, labels, key)
            own = self.own_losses("discriminator", *(view.added for view in views))
            mean = self.mean(losses + penalty) + own
            loss = self.discriminator_optimizer.scale_loss(mean)
        self.apply_discriminator(tape.gradient(loss, self.discriminator.trainable_variables))
        self.track_discriminator(losses, *views)
        return mean

    def generator_step_when_due(self, real, labels, key, discriminator_loss):
        """The generator's step, or none where the discriminator has not had steps enough."""
        if self.stopping_rule is None:
            self.generator_step(real, labels, key)
        else:
            done, state = self.stopping_rule(self.stopping_state.values, discriminator_loss)
            self.stopping_state.advance(state)
            self.generator_step_if(done, real, labels, key)

    def generator_step_if(self, due, real, labels, key):
        """The generator's step where the boolean tensor `due` says so."""

        def step():
            self.generator_step(real, labels, key)
            return True

        tf.cond(due, step, lambda: False)

    def generator_step(self, real, labels, key):
        """Algorithm 1, last line: descends `1/m sum log(1 - D(G(z_i)))`.

        Or what the objective says, on fresh samples.
        """
        self.advance_terms("generator")
        with tf.GradientTape() as tape:
            fake = self.fake_for_generator(real, labels, key)
            own = self.own_losses("generator", regularization.of_call(self.generator))
            real, fake = self.perturbed(real, fake, key)
            losses = self.generator_losses(*self.generator_views(real, fake, labels, key))
            penalty = self.penalty("generator", real, fake, labels, key)
            mean = self.mean(self.surrogate_losses(losses, key) + penalty) + own
            loss = self.generator_optimizer.scale_loss(mean)
        self.apply_generator(tape.gradient(loss, self.generator.trainable_variables))
        self.update_generator_average()
        self.trackers["generator_loss"].update_state(losses)

    # === The single-step method ===

    def simultaneous_step(self, real, labels, key):
        """Takes both gradients at the same point, from one forward pass, then applies both."""
        self.advance_terms("discriminator")
        self.advance_terms("generator")
        d_gradients, g_gradients = self.simultaneous_gradients(real, labels, key)
        self.apply_discriminator(d_gradients)
        self.apply_generator(g_gradients)
        self.update_generator_average()

    def simultaneous_gradients(self, real, labels, key):
        """Both players' gradients at the same point, each with its optimizer's loss scale."""
        if self.in_one_stage:
            return one_stage.gradients(self, real, labels, key)
        return self.two_gradients(real, labels, key)

    def two_gradients(self, real, labels, key):
        """As `simultaneous_gradients`, by a backward pass for each player."""
        d_variables = self.discriminator.trainable_variables
        g_variables = self.generator.trainable_variables
        with tf.GradientTape(persistent=True) as tape:
            fake = self.fake_for_generator(real, labels, key)
            g_own = self.own_losses("generator", regularization.of_call(self.generator))
            real, fake = self.perturbed(real, fake, key)
            views = self.views(real, fake, labels, training=True)
            d_own = self.own_losses("discriminator", *(view.added for view in views))
            d_losses = self.discriminator_losses(*views, key)
            g_losses = self.generator_losses(*views)
            d_penalty = self.penalty("discriminator", real, fake, labels, key)
            g_penalty = self.penalty("generator", real, fake, labels, key)
            d_mean = self.mean(d_losses + d_penalty) + d_own
            g_mean = self.mean(self.surrogate_losses(g_losses, key) + g_penalty) + g_own
            d_loss = self.discriminator_optimizer.scale_loss(d_mean)
            g_loss = self.generator_optimizer.scale_loss(g_mean)
        self.track_discriminator(d_losses, *views)
        self.trackers["generator_loss"].update_state(g_losses)
        return tape.gradient(d_loss, d_variables), tape.gradient(g_loss, g_variables)

    # === Apply gradients ===

    def apply_discriminator(self, gradients):
        """The discriminator's optimizer moves it."""
        variables = self.discriminator.trainable_variables
        apply_gradients.apply(self.discriminator_optimizer, gradients, variables)

    def apply_generator(self, gradients):
        """The generator's optimizer moves it."""
        variables = self.generator.trainable_variables
        apply_gradients.apply(self.generator_optimizer, gradients, variables)

    # === Evaluation ===

    def test_step(self, data):
        real, labels = self.unpack(data)
        # The examples seen so far number the draws, so an evaluation repeats itself exactly.
        key = self.key_of(TESTING, self.trackers["generator_loss"].count)
        fake = self.fake(real, labels, key, training=False)
        self.own_losses("generator", regularization.of_call(self.generator))
        views = self.views(self.packed(real), self.packed(fake), labels, training=False)
        self.own_losses("discriminator", *(view.added for view in views))
        d_losses = self.objective.discriminator_loss(*(view.logits for view in views))
        self.track_discriminator(d_losses, *views)
        self.trackers["generator_loss"].update_state(self.generator_losses(*views))
        return replicas.reducible(self.get_metrics_result())
