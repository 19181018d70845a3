"""Trainer: two players and everything about them but the way they move."""

import keras
import tensorflow as tf

from trainers import objectives
from trainers.callbacks.loss_scale import ScaleWatch
from trainers.steps import (
    averages,
    checks,
    gradient_estimators,
    inputs,
    regularization,
    xla,
)
from trainers.steps.compilation import PLAYERS, checked
from trainers.steps.game import Game
from trainers.steps.state import Term
from zoo import sampling
from zoo.recorded import RecordedModel


class Trainer(RecordedModel, Game, keras.Model):
    """What every trainer shares: two players, their optimizers, averaging, data and saving.

    Args:
        generator: A `zoo.Generator`, or a built Keras model from latents to samples.
        discriminator: A `zoo.Discriminator`, or a built Keras model from samples to one logit.
        seed: int. All draws of the run are functions of (seed, step, row).

    Raises:
        ValueError: If the players do not fit each other.
    """

    def __init__(self, generator, discriminator, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.ema_generator = None
        self.seed = int(seed)
        self.traits = sampling.traits(generator)
        self._check_pair()
        self.steps = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", trainable=False, name="steps"
        )
        # Dropout's own seeds are no weights; as an attribute they are saved, and a run resumes.
        self.player_seeds = _seed_states(generator) + _seed_states(discriminator)
        names = ("generator_loss", "discriminator_loss")
        names += ("discriminator_real", "discriminator_fake", "js_estimate")
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.built = True  # Both players arrive built.

    def _check_pair(self):
        if not self.discriminator.built:
            raise ValueError(
                "`discriminator` has no weights yet. Expected a built model: start a Sequential "
                "with keras.Input(image_shape). "
                f"Received: discriminator={self.discriminator.name!r}"
            )
        shape = sampling.sample_shape(self.discriminator)
        if shape != self.traits.image_shape:
            raise ValueError(
                "`discriminator` cannot see what the generator makes. Expected equal shapes. "
                f"Received: a generator of {self.traits.image_shape} and a discriminator of {shape}"
            )
        classes = getattr(self.discriminator, "num_classes", None)
        if classes is not None and classes != self.traits.num_classes:
            raise ValueError(
                "`discriminator` is conditional, and the generator has other labels. Expected "
                f"a generator with num_classes={classes}. "
                f"Received: a generator with num_classes={self.traits.num_classes}"
            )

    # === Compile ===

    def compile(
        self,
        objective="non_saturating",
        generator_optimizer=None,
        discriminator_optimizer=None,
        generator_penalties=(),
        discriminator_penalties=(),
        perturbations=(),
        ema_decay=None,
        jit_compile="auto",
        steps_per_execution=1,
        run_eagerly=False,
    ):
        """Says what the players want.

        Args:
            objective: Name or `trainers.objectives.Objective`.
            generator_optimizer: Keras optimizer or its name. Defaults to Adam(0.0002, 0.5).
            discriminator_optimizer: Likewise.
            generator_penalties: `trainers.penalties.Penalty` or a list of them: terms added to the
                generator's loss, logged apart as `generator_penalty`.
            discriminator_penalties: Likewise, of the discriminator.
            perturbations: `trainers.perturbations.Perturbation` or a list of them: what is done in
                training to the samples that the discriminator sees.
            ema_decay: float in [0, 1), optional. Keeps an exponential moving average of the
                generator, `ema <- d ema + (1 - d) weights` after each generator step, which then
                draws the samples. `d = min(ema_decay, (1 + t) / (10 + t))` at step t, so that a
                short run is not dominated by its first weights. Batch normalization's moving
                statistics are averaged too, so that they belong to the averaged weights.
            jit_compile: `"auto"` (XLA on a GPU; on a CPU for dense players with many weights, where
                it is faster: `trainers/steps/xla.py`), `True` or `False`.
            steps_per_execution: int. Steps in one call of the compiled function.
            run_eagerly: bool. Python line by line, for debugging.

        Raises:
            ValueError: If a name is unknown, a number out of range, or something has no meaning
                for this class and these players. The trainer is then as it was before.
        """
        compilation = checked(
            self,
            objective,
            {"generator": generator_optimizer, "discriminator": discriminator_optimizer},
            {"generator": generator_penalties, "discriminator": discriminator_penalties},
            perturbations,
            ema_decay,
            {
                "jit_compile": jit_compile,
                "steps_per_execution": steps_per_execution,
                "run_eagerly": run_eagerly,
            },
        )
        self.check_compilation(compilation)
        average = self.ema_generator
        if ema_decay is not None and average is None:
            average = averages.copy(self.generator)
        self.warn(compilation)  # Before: a warning may be an error to this user.
        self.prepare(compilation, None if ema_decay is None else average)

    def prepare(self, compilation, average):
        """Makes what a checked `Compilation` needs, then takes it over; `average` may be `None`."""
        terms = {}
        for name in PLAYERS:
            player, optimizer = getattr(self, name), compilation.optimizers[name]
            terms[name] = [Term(penalty, player) for penalty in compilation.penalties[name]]
            if not optimizer.built:
                optimizer.build(player.trainable_variables)
        self.adopt(compilation, average, terms)

    def check_compilation(self, compilation):
        """Raises a `ValueError` for a `Compilation` that this class or these players cannot have.

        Nothing of the trainer is changed.
        """
        if self.distribute_strategy.num_replicas_in_sync > 1:
            checks.check_distribution(compilation.keras["jit_compile"])
        gradient_estimators.check(self, compilation.objective)

    def adopt(self, compilation, average, terms):
        """Takes over a `Compilation` that was checked, the generator's average, and the terms."""
        regularized = [name for name in PLAYERS if regularization.present(getattr(self, name))]
        if self.distribute_strategy.num_replicas_in_sync > 1:
            checks.synchronize(self.generator, self.discriminator)
        super().compile(
            optimizer=None, **{**compilation.keras, "jit_compile": xla.choose(self, compilation)}
        )
        self.objective = compilation.objective
        self.regularized = tuple(regularized)
        self.perturbations = compilation.perturbations
        for name in PLAYERS:
            setattr(self, f"{name}_optimizer", compilation.optimizers[name])
            setattr(self, f"{name}_penalties", compilation.penalties[name])
            setattr(self, f"{name}_terms", terms[name])
            setattr(self, f"{name}_penalty_states", [term.state for term in terms[name]])
            added = {"penalty": terms[name], "regularization": name in self.regularized}
            for kind, there in added.items():
                tracker = f"{name}_{kind}"
                self.trackers.pop(tracker, None)
                if there:
                    self.trackers[tracker] = keras.metrics.Mean(tracker)
        # Last: the order of `get_weights` is that in which these are met.
        self.ema_decay, self.ema_generator = compilation.ema_decay, average
        self._compilation = compilation

    def warn(self, compilation):
        """Warns of what a `Compilation` can hardly do with these players."""
        penalties = compilation.penalties["discriminator"]
        if any(penalty.measures_slope for penalty in penalties):
            checks.warn_of_slopes(self.discriminator)
        if compilation.objective.needs_bounded_slope and not self.bounds_slope:
            checks.warn_of_unbounded_critic(compilation.objective, self.discriminator, penalties)
        gradient_estimators.warn(self)

    def get_compile_config(self):
        # The players' optimizers as they are now: one may have been exchanged.
        names = [f"{name}_optimizer" for name in PLAYERS]
        own = {name: getattr(self, name) for name in names}
        return keras.saving.serialize_keras_object({**self._compilation.config(), **own})

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    @property
    def optimizers(self):
        """All optimizers that move the players."""
        return [self.generator_optimizer, self.discriminator_optimizer]

    def own_penalties(self):
        """The penalties that belong to the class, before those of `compile`, by player."""
        return {name: () for name in PLAYERS}

    def advance_terms(self, player):
        """Shows a player's penalties its weights before the step."""
        for term in getattr(self, f"{player}_terms"):
            term.advance(getattr(self, player).trainable_variables)

    # === Fit ===

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        validation_data=None,
        shuffle=True,
        steps_per_epoch=None,
        **kwargs,
    ):
        """Trains both players. Takes what `keras.Model.fit` takes.

        Args:
            x: Samples as an array, a `tf.data.Dataset` of batches, a `PyDataset` or a generator.
                uint8 images are scaled to the generator's range inside the step; float images
                have to lie in it. An array is shuffled anew each epoch, in an order that follows
                from the seed and the trainer's steps so far, and its last incomplete batch is left
                out.
            y: int labels for an array `x`; used when the generator has `num_classes`.
            batch_size: int. Examples a batch of an array. Defaults to 32.
            validation_data: As `x`, or `(x, y)`: evaluated after each epoch.
            shuffle: bool. Whether to shuffle arrays.
            steps_per_epoch: int, optional. Batches an epoch.
            **kwargs: `epochs`, `verbose`, `callbacks`, `initial_epoch`, `validation_freq`, ...

        Returns:
            `keras.callbacks.History`.

        Raises:
            ValueError: If the data do not fit the players. Nothing has been trained then.
        """
        self._check_compiled()
        for name in ("sample_weight", "class_weight", "validation_split"):
            if kwargs.get(name):
                raise ValueError(
                    f"`{name}` has no meaning for a pair of players. Expected it to be left out. "
                    f"Received: {name}={kwargs[name]!r}"
                )
        data, steps_per_epoch = inputs.for_fit(self, x, y, batch_size, shuffle, steps_per_epoch)
        shuffle = shuffle and data is x and not isinstance(x, tf.data.Dataset)
        if validation_data is not None:
            if isinstance(validation_data, (tuple, list)):
                validation_data = inputs.for_evaluate(self, *validation_data)
            else:
                validation_data, _ = inputs.for_evaluate(self, validation_data, None)
            if hasattr(validation_data, "__array__"):
                validation_data = (validation_data, None)
        callbacks = kwargs.pop("callbacks", None)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = [*keras.tree.flatten(callbacks or []), ScaleWatch()]
        return super().fit(
            data,
            validation_data=validation_data,
            shuffle=shuffle,
            steps_per_epoch=steps_per_epoch,
            callbacks=callbacks,
            **kwargs,
        )

    def evaluate(self, x=None, y=None, **kwargs):
        """The metrics on other real samples, with both players in inference mode."""
        self._check_compiled()
        if not kwargs.get("_use_cached_eval_dataset"):
            x, y = inputs.for_evaluate(self, x, y)
        return super().evaluate(x, y, **kwargs)

    def _check_compiled(self):
        if not self.compiled:
            raise ValueError(
                "`compile()` has not been called, or was refused. Expected it before training: it "
                f"says what the players want. Received: an uncompiled {type(self).__name__}"
            )

    @property
    def metrics(self):
        return list(self.trackers.values())

    def unpack(self, data):
        """float32 samples in the generator's range, and labels or `None`, of one batch."""
        return inputs.unpack(data, self.traits)

    def update_generator_average(self):
        """Moves `ema_generator` towards the generator, where there is one."""
        if self.ema_generator is not None:
            averages.move(self.ema_generator, self.generator, self.ema_decay, self.steps)

    def track_discriminator(self, losses, real, fake):
        """Adds one discriminator step's figures, per example, to the metrics."""
        estimate = objectives.js_estimate(real.logits, fake.logits)
        self.trackers["discriminator_loss"].update_state(losses)
        self.trackers["discriminator_real"].update_state(tf.sigmoid(real.logits))
        self.trackers["discriminator_fake"].update_state(tf.sigmoid(fake.logits))
        self.trackers["js_estimate"].update_state(estimate)

    # === Use ===

    @property
    def sampler(self):
        """The generator that draws samples: its moving average where there is one."""
        return self.generator if self.ema_generator is None else self.ema_generator

    def call(self, inputs, training=False):
        return self.sampler(inputs, training=training)

    def sample(self, count, labels=None, seed=None, **kwargs):
        """Draws samples of the generator, or of its moving average. See `zoo.players.sample`."""
        return sampling.sample(self.sampler, count, labels, seed, **kwargs)


def _seed_states(player):
    """The variables of a player that Keras does not save: the seeds of its random layers."""
    saved = {id(v) for v in player.weights} | {id(v) for v in player.metrics_variables}
    return [v for v in player.variables if id(v) not in saved]
