"""Trainer: two players and everything about them but the way they move."""

import keras
import numpy as np
import tensorflow as tf

from trainers import answers
from trainers.callbacks import keras_callbacks
from trainers.callbacks.loss_scale import ScaleWatch
from trainers.files import Files
from trainers.steps import (
    averages,
    checks,
    feeding,
    frozen,
    gradient_estimators,
    inputs,
    optimizers,
    pairs,
    regularization,
    xla,
)
from trainers.steps.compilation import PLAYERS, checked
from trainers.steps.game import Game
from trainers.steps.state import Term
from zoo import finite
from zoo.players import sampling
from zoo.players.recorded import KERAS_ARGUMENTS, RecordedModel, refuse_unknown
from zoo.validation import check_integer, check_positive, check_seed


class Trainer(Files, RecordedModel, Game, feeding.Feeding, keras.Model):
    """What every trainer shares: two players, their optimizers, averaging, data and saving.

    Args:
        generator: A `zoo.Generator`, or a built Keras model from latents to samples.
        discriminator: A `zoo.Discriminator`, or a built Keras model from samples to one logit, or
            to a map `(batch, height, width, 1)` of one logit a patch: the loss of a sample is then
            the mean over its patches.
        seed: int. All draws of the run are functions of (seed, step, row).
        value_range: `(low, high)` of samples that are pictures, `None` for samples that are not, or
            `"auto"`: what the generator's attribute `value_range` says, which the others set, or
            what is seen in its last layers (`zoo.players.description`).
        packing: int, the m of PacGAN. The discriminator judges m samples at a time, joined along
            their last axis: it is built for `(..., m c)`. Rows of a batch that make no whole pack
            are not used. `trainers/steps/packing.py` says more.

    Raises:
        ValueError: If the players do not fit each other, or the value range not the generator.
    """

    owns_layers = False  # Its players' configs tell of theirs.

    def __init__(self, generator, discriminator, seed=0, value_range="auto", packing=1, **kwargs):
        refuse_unknown(self, kwargs, KERAS_ARGUMENTS)
        super().__init__(**kwargs)
        pairs.check_models(generator=generator, discriminator=discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.ema_generator = None
        check_seed(seed)
        self.seed = int(seed)
        self.traits = sampling.traits(generator, value_range)
        self.packing = packing
        self.patches = self.check_pair()
        sampling.say_range(generator, value_range)
        self.value_range = self.traits.value_range
        self.steps = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", trainable=False, name="steps"
        )
        # Dropout's own seeds are no weights; as an attribute they are saved, and a run resumes.
        self.player_seeds = _seed_states(generator) + _seed_states(discriminator)
        names = ("generator_loss", "discriminator_loss")
        names += ("discriminator_real", "discriminator_fake", "js_estimate")
        self.trackers = {name: self.tracker(name) for name in names}
        self.built = True  # Both players arrive built.

    def check_pair(self):
        """How many logits the discriminator gives a sample, if it can judge the generator's."""
        return pairs.check(self.traits, self.discriminator, self.packing)

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
        **unknown,
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
            **unknown: None: those of Keras for one model are refused, with what to use instead.

        Raises:
            ValueError: If a name is unknown, a number out of range, or something has no meaning
                for this class and these players. The trainer is then as it was before.
        """
        checks.refuse_unknown_of_compile(self, Trainer, unknown)
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
        begins = ema_decay is not None and average is None
        if begins:
            average = averages.copy(self.generator)
        self.warn(compilation)  # Before: a warning may be an error to this user.
        self.prepare(compilation, None if ema_decay is None else average)
        if begins:
            self.begin_average()

    def prepare(self, compilation, average):
        """Makes what a checked `Compilation` needs, then takes it over; `average` may be `None`."""
        terms = {}
        for name in PLAYERS:
            player = getattr(self, name)
            terms[name] = [Term(penalty, player) for penalty in compilation.penalties[name]]
        self.build_optimizers(compilation.optimizers)
        self.adopt(compilation, average, terms)

    def build_optimizers(self, chosen):
        """Gives each player's optimizer its moments, where it has none yet."""
        for name, optimizer in chosen.items():
            if not optimizer.built:
                optimizer.build(getattr(self, name).trainable_variables)

    def check_compilation(self, compilation):
        """Raises a `ValueError` for a `Compilation` that this class or these players cannot have.

        Nothing of the trainer is changed.
        """
        if self.distribute_strategy.num_replicas_in_sync > 1:
            checks.check_distribution(compilation.keras["jit_compile"])
        gradient_estimators.check(self, compilation.objective)
        frozen.check_optimizers(self, compilation.optimizers)

    def adopt(self, compilation, average, terms):
        """Takes over a `Compilation` that was checked, the generator's average, and the terms."""
        regularized = [name for name in PLAYERS if regularization.present(getattr(self, name))]
        if self.distribute_strategy.num_replicas_in_sync > 1:
            checks.synchronize(self.generator, self.discriminator)
        super().compile(
            optimizer=None,
            auto_scale_loss=False,  # Each optimizer has its own.
            **{**compilation.keras, "jit_compile": xla.choose(self, compilation)},
        )
        self.objective = compilation.objective
        if not self.objective.estimates_js:
            self.trackers.pop("js_estimate", None)
        elif "js_estimate" not in self.trackers:
            self.trackers["js_estimate"] = self.tracker("js_estimate")
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
                    self.trackers[tracker] = self.tracker(tracker)
        # Last: the order of `get_weights` is that in which these are met.
        self.ema_decay, self.ema_generator = compilation.ema_decay, average
        self._compilation = compilation
        frozen.remember(self)

    def warn(self, compilation):
        """Warns of what a `Compilation` can hardly do with these players."""
        pairs.warn_of_unused(self.discriminator)
        checks.warn_of_untold(self.traits.condition, self.discriminator)
        penalties = compilation.penalties["discriminator"]
        if any(penalty.measures_slope for penalty in penalties):
            checks.warn_of_slopes(self.discriminator)
        if compilation.objective.needs_bounded_slope and not self.bounds_slope:
            checks.warn_of_unbounded_critic(compilation.objective, self.discriminator, penalties)
        gradient_estimators.warn(self)

    @property
    def optimizers(self):
        """All optimizers that move the players."""
        return list(self.named_optimizers().values())

    def named_optimizers(self):
        """The optimizers that move the players, by what they move."""
        return {name: getattr(self, f"{name}_optimizer") for name in PLAYERS}

    @property
    def optimizer(self):
        """Both optimizers as one, for Keras's callbacks; `None` before `compile`.

        A learning rate that is set here is set for each; all else is asked of
        `generator_optimizer` or `discriminator_optimizer`.
        """
        compiled = getattr(self, "discriminator_optimizer", None) is not None
        return optimizers.Both(self) if compiled else None

    @optimizer.setter
    def optimizer(self, optimizer):
        if optimizer is not None:  # Keras's own `compile` says `None`.
            raise AttributeError(
                "`optimizer` is not one thing: each player has an optimizer. Expected "
                "compile(generator_optimizer=..., discriminator_optimizer=...). "
                f"Received: optimizer={optimizer!r}"
            )

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
            x: Samples as an array, or batches of them: a `tf.data.Dataset`, a `PyDataset`, a list,
                a generator or another iterable of samples, `(samples, labels)`, or dicts with the
                keys `image`, `images`, `img` or `pixel_values`, and `label`, `labels`, `condition`
                or `conditions`. uint8 images are scaled to the generator's range inside the step;
                float images have to lie in it.
                An array is shuffled anew each epoch, in an order that follows from the seed and
                the trainer's steps so far, and its last incomplete batch is left out. So is a
                batch that has fewer rows than `discriminator_steps`, or leaves one row a step to
                batch normalization, and one that replicas cannot share equally.
            y: For an array `x`: int labels `(n,)` where the generator has `num_classes`, conditions
                `(n, k)` where it has `num_conditions`; else not used.
            batch_size: int. Examples a batch of an array. Defaults to 32.
            validation_data: As `x`, or `(x, y)`: evaluated after each epoch. A source that can be
                read only once is kept in memory for the next epochs.
            shuffle: bool. Whether to shuffle arrays, and the order of a `PyDataset`'s batches.
            steps_per_epoch: int, optional. Batches an epoch: as many steps as that. A data set
                that has fewer begins anew, and the next epoch goes on where this one ended.
            **kwargs: `epochs`, `verbose`, `callbacks`, `initial_epoch`, `validation_freq`, ...

        Returns:
            `keras.callbacks.History`.

        Raises:
            ValueError: If the data do not fit the players, or a callback means nothing for two
                (`trainers/callbacks/keras_callbacks.py` has all of Keras's). Nothing has been
                trained then. In training: if weights become NaN or infinite. The message says
                whose and at which step, and no callback saves them.
        """
        self._check_compiled()
        checks.refuse_unknown_of_method(self, "fit", kwargs)
        counts = ("epochs", "initial_epoch")
        check_integer(0, **{name: kwargs[name] for name in counts if name in kwargs})
        if np.isscalar(kwargs.get("validation_freq", 1)):  # Else the numbers of epochs.
            check_positive(validation_freq=kwargs.get("validation_freq", 1))
        refused = ("sample_weight", "class_weight", "validation_split")
        inputs.refuse_weights(**{name: kwargs.pop(name, None) for name in refused})
        epochs = max(kwargs.get("epochs", 1) - kwargs.get("initial_epoch", 0), 0)
        callbacks = kwargs.pop("callbacks", None)
        listed = finite.listed(callbacks)
        keras_callbacks.check(self, listed, validation_data is not None)
        keras_callbacks.restore(self, listed)
        feed = inputs.for_fit(self, x, y, batch_size, shuffle, steps_per_epoch, epochs)
        own_batch_size = kwargs.pop("validation_batch_size", None)
        validation = inputs.for_validation(
            self,
            validation_data,
            batch_size if own_batch_size is None else own_batch_size,
            kwargs.pop("validation_steps", None),
            epochs,
        )
        with feed.reading(), validation.reading():
            return finite.guarded_fit(
                super().fit,
                self,
                PLAYERS,
                callbacks,
                first=[optimizers.Finalize()],
                last=self.own_callbacks(),
                x=feed.dataset,
                validation_data=validation.dataset,
                shuffle=False,
                **kwargs,
            )

    def own_callbacks(self):
        """Callbacks of the class itself, which `fit` calls after the user's."""
        return [ScaleWatch(), frozen.Watch()]

    def _check_compiled(self):
        if not self.compiled:
            raise ValueError(
                "`compile()` has not been called, or was refused. Expected it before training: it "
                f"says what the players want. Received: an uncompiled {type(self).__name__}"
            )

    @property
    def metrics(self):
        return list(self.trackers.values())

    def tracker(self, name):
        """The metric that keeps a figure of the log."""
        return keras.metrics.Mean(name)

    def unpack(self, data):
        """float32 samples in the generator's range, and labels or `None`, of one batch."""
        return inputs.unpack(data, self.traits)

    def update_generator_average(self):
        """Moves `ema_generator` towards the generator, where there is one."""
        if self.ema_generator is not None:
            averages.move(self.ema_generator, self.generator, self.ema_decay, self.steps)

    def track_discriminator(self, losses, real, fake):
        """Adds one discriminator step's figures, per example, to the metrics."""
        logits = real.logits, fake.logits
        of_real, of_fake = self.objective.answers(*logits)
        self.trackers["discriminator_loss"].update_state(losses)
        self.trackers["discriminator_real"].update_state(of_real)
        self.trackers["discriminator_fake"].update_state(of_fake)
        if self.objective.estimates_js:
            self.trackers["js_estimate"].update_state(answers.js_estimate(*logits))

    # === Use ===

    @property
    def sampler(self):
        """The generator that draws samples: its moving average where there is one."""
        if tf.executing_eagerly():
            self.follow_generator()
        return self.generator if self.ema_generator is None else self.ema_generator

    def call(self, inputs, training=False):
        """Samples of latents, or of `{"latents": ..., "labels" or "conditions": ...}`."""
        told = self.traits.condition
        if told is None or not isinstance(inputs, dict):
            return self.sampler(inputs, training=training)
        return sampling.generate(self.sampler, inputs["latents"], inputs[told.name], training)

    def sample(self, count, labels=None, seed=None, **kwargs):
        """Draws samples of the generator, or of its moving average. See `zoo.players.sample`.

        Labels, or `conditions=` where the generator has `num_conditions`, say what to draw.
        """
        return sampling.sample(self.sampler, count, labels, seed, **kwargs)


def _seed_states(player):
    """The variables of a player that Keras does not save: the seeds of its random layers."""
    saved = {id(v) for v in player.weights} | {id(v) for v in player.metrics_variables}
    return [v for v in player.variables if id(v) not in saved]
