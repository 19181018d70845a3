"""What every trainer shares: two players, their optimizers, randomness, averaging and saving."""

import keras
import tensorflow as tf

from trainers import objectives
from trainers.callbacks.loss_scale import ScaleWatch
from trainers.perturbations import Perturbation
from trainers.steps import checks, inputs, xla
from zoo import random, sampling

PLAYERS = ("generator", "discriminator")
TRAINING, TESTING = 0, 1  # The two streams of draws: evaluating does not disturb training.


class Trainer(keras.Model):
    """Two players and everything about them but the way they move.

    Args:
        generator: A `zoo.Generator`, or a built Keras model from latents to samples.
        discriminator: A `zoo.Discriminator`, or a built Keras model from samples to one logit.
        seed: int. All draws of the run are functions of (seed, step, row).

    Raises:
        ValueError: If the players do not fit each other.
    """

    discriminator_parts = 1  # Steps of the discriminator on one batch.
    bounds_slope = False  # Whether the class itself bounds the discriminator's slope.

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
                "A discriminator needs weights before it can play. Expected a built model: start "
                "a Sequential with keras.Input(image_shape). "
                f"Received: discriminator={self.discriminator.name!r}"
            )
        shape = sampling.sample_shape(self.discriminator)
        if shape != self.traits.image_shape:
            raise ValueError(
                "The discriminator cannot see what the generator makes. Expected equal shapes. "
                f"Received: a generator of {self.traits.image_shape} and a discriminator of {shape}"
            )
        classes = getattr(self.discriminator, "num_classes", None)
        if classes is not None and classes != self.traits.num_classes:
            raise ValueError(
                "A conditional discriminator needs the labels of the generated samples. Expected "
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
                short run is not dominated by its first weights. Batch normalisation's moving
                statistics are averaged too, so that they belong to the averaged weights.
            jit_compile: `"auto"` (XLA on a GPU; on a CPU for dense players with many weights, where
                it is faster: `trainers/xla.py`), `True` or `False`.
            steps_per_execution: int. Steps in one call of the compiled function.
            run_eagerly: bool. Python line by line, for debugging.

        Raises:
            ValueError: If a name is unknown, a number out of range, or a penalty has no meaning
                for its player.
        """
        if self.distribute_strategy.num_replicas_in_sync > 1:
            checks.distribution(self, jit_compile)
        objective = objectives.get(objective)
        generator_optimizer = checks.optimizer(generator_optimizer, self.generator)
        discriminator_optimizer = checks.optimizer(discriminator_optimizer, self.discriminator)
        given = {
            "generator_penalties": checks.penalties("generator", generator_penalties),
            "discriminator_penalties": checks.penalties("discriminator", discriminator_penalties),
        }
        perturbations = checks.listed(perturbations, Perturbation, "perturbations")
        if ema_decay is not None and not 0 <= ema_decay < 1:
            raise ValueError(
                "`ema_decay` is the share of the old average that is kept. Expected a number in "
                f"[0, 1) or None. Received: ema_decay={ema_decay}"
            )
        own = self.own_penalties()
        terms = {name: (*own[name], *given[f"{name}_penalties"]) for name in PLAYERS}
        parts = (objective, *perturbations, *terms["generator"], *terms["discriminator"])
        super().compile(
            optimizer=None,
            jit_compile=xla.choose(self, jit_compile, run_eagerly, parts),
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
        )
        self.objective = objective
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.perturbations = perturbations
        self.generator_penalties = terms["generator"]
        self.discriminator_penalties = terms["discriminator"]
        self.generator_penalty_states = _states(self.generator_penalties, self.generator)
        self.discriminator_penalty_states = _states(
            self.discriminator_penalties, self.discriminator
        )
        for name in PLAYERS:
            self.trackers.pop(f"{name}_penalty", None)
            if self.penalties(name):
                self.trackers[f"{name}_penalty"] = keras.metrics.Mean(f"{name}_penalty")
        if any(penalty.measures_slope for penalty in self.discriminator_penalties):
            checks.warn_of_slopes(self.discriminator)
        if objective.needs_bounded_slope and not self.bounds_slope:
            checks.warn_of_unbounded_critic(
                objective, self.discriminator, self.discriminator_penalties
            )
        self.ema_decay = ema_decay
        if ema_decay is None:
            self.ema_generator = None
        elif self.ema_generator is None:
            self.ema_generator = _copy(self.generator)
        self.check_generator()
        self._compile_settings = {
            **{name: list(kept) for name, kept in given.items()},
            "jit_compile": jit_compile,
            "steps_per_execution": steps_per_execution,
            "run_eagerly": run_eagerly,
        }

    def get_compile_config(self):
        return keras.saving.serialize_keras_object(
            {
                "objective": self.objective,
                "generator_optimizer": self.generator_optimizer,
                "discriminator_optimizer": self.discriminator_optimizer,
                "perturbations": list(self.perturbations),
                "ema_decay": self.ema_decay,
                **self._compile_settings,
            }
        )

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    @property
    def optimizers(self):
        """All optimizers that move the players."""
        return [self.generator_optimizer, self.discriminator_optimizer]

    def check_replicas(self):
        """Raises a `ValueError` when compiled for several replicas that could not agree."""

    def check_generator(self):
        """Raises a `ValueError` when compiled for a generator that the class cannot move."""

    def own_penalties(self):
        """The penalties that belong to the class, before those of `compile`, by player."""
        return {name: () for name in PLAYERS}

    def penalties(self, player):
        """`(penalty, state)` of every penalty of `"generator"` or `"discriminator"`."""
        kept = getattr(self, f"{player}_penalties"), getattr(self, f"{player}_penalty_states")
        return list(zip(*kept, strict=True))

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
                "The trainer has no objective yet. Expected a call of `compile()` before "
                f"training. Received: an uncompiled {type(self).__name__}"
            )

    @property
    def metrics(self):
        return list(self.trackers.values())

    # === Play ===

    def unpack(self, data):
        """float32 samples in the generator's range, and labels or `None`, of one batch."""
        return inputs.unpack(data, self.traits)

    def latents(self, count, stream, *turn):
        """Fresh latents `(count, latent_dim)`: a function of (seed, stream, turn)."""
        seed = self.seed_of(stream, *turn)
        return random.draw(self.traits.prior, count, self.traits.latent_dim, seed)

    def seed_of(self, stream, *turn):
        """The seed of what is drawn in one move."""
        return random.fold((self.seed, stream), *turn)

    def update_generator_average(self):
        """Moves `ema_generator` towards the generator, where there is one."""
        if self.ema_generator is None:
            return
        step = tf.cast(self.steps, "float32")
        decay = tf.minimum(tf.cast(self.ema_decay, "float32"), (1.0 + step) / (10.0 + step))
        for average, weight in zip(self.ema_generator.weights, self.generator.weights, strict=True):
            if average.dtype.startswith(("float", "bfloat")):
                average.assign_add((1.0 - decay) * (weight.value - average.value))
            else:
                average.assign(weight)

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

    # === Config ===

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for player in ("generator", "discriminator"):
            config[player] = keras.saving.deserialize_keras_object(
                config[player], custom_objects=custom_objects
            )
        return cls(**config)


def _seed_states(player):
    """The variables of a player that Keras does not save: the seeds of its random layers."""
    known = {id(v) for v in player.weights} | {id(v) for v in player.metrics_variables}
    return [v for v in player.variables if id(v) not in known]


def _copy(model):
    """A second model with the same config and weights."""
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    copy.set_weights(model.get_weights())
    return copy


class State(keras.layers.Layer):
    """Numbers that a trainer keeps beside its players: saved and restored with it.

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


def _states(given, player):
    shapes = [weight.shape for weight in player.trainable_variables]
    return [State(penalty.state_shapes(shapes)) for penalty in given]
