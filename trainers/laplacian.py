"""LAPGAN: an independent game at each level of a Laplacian pyramid (Denton et al., 2015)."""

import dataclasses

import keras
import tensorflow as tf

from trainers.gan import GAN
from trainers.steps.compilation import PLAYERS
from trainers.steps.game import batch_rows
from trainers.steps.optimizers import inner, unbuilt
from zoo import replicas
from zoo.lapgan import LaplacianDiscriminator, LaplacianGenerator, pyramid
from zoo.players.copies import check_parts
from zoo.validation import in_short


class LevelGAN(GAN):
    """The game of one level, by itself an ordinary GAN: here of the coarsest pictures.

    Args:
        generator: The level's generator.
        discriminator: The level's discriminator.
        level: int. Sets the level's draws apart from the others'.
        **kwargs: As `GAN`.
    """

    def __init__(self, generator, discriminator, level, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.level = level

    def key_of(self, stream, *words):
        return super().key_of(stream, *words, self.level)


class BandGAN(LevelGAN):
    """The game of a level with a coarser one: the generator makes bands, and D sees pictures.

    The coarse pictures are those of real images, so no level waits for another.
    """

    def fake(self, real, labels, key, training):
        """`l + G(z, l)`, where `l = up(down(real))`."""
        coarse = pyramid.up(pyramid.down(real))
        inputs = {"latents": self.latents(batch_rows(real), key)}
        if self.traits.condition is not None:
            inputs[self.traits.condition.name] = labels
        band = self.generator({**inputs, "coarse": coarse}, training=training)
        return coarse + tf.cast(band, "float32")


@keras.saving.register_keras_serializable(package="zoo")
class LaplacianGAN(GAN):
    """Trains every level of a Laplacian pyramid against a discriminator of its own.

    Level 0 is a GAN of the coarsest pictures. At each further level, with `l = up(down(I))` of a
    real picture I of that level, the discriminator tells `I = l + h` from `l + G(z, l)`. The
    levels share nothing, so they may be trained together or one after the other; only
    `sample` joins them, each level starting from what the one before has made.

    The metrics of each level are called `level_0_generator_loss` and so on; without a level, they
    are the mean over the levels (not the sum, so that log 4 stays the loss of a discriminator that
    cannot tell).

    Args:
        generator: A `zoo.LaplacianGenerator`.
        discriminator: A `zoo.LaplacianDiscriminator` of the same image shape and levels.
        levels: List of level numbers, optional: those that `fit` trains and `evaluate` looks at.
            Defaults to all. The attribute `levels` may be set between two fits.
        discriminator_steps: As in `GAN`; with a stopping rule each level waits for itself.
        schedule: `"alternating"` or `"simultaneous"`.
        seed: int. All draws of the run are functions of (seed, step, level, row).

    Raises:
        ValueError: If the players do not fit each other, a level is unknown, or as `GAN`.

    `compile` is that of `GAN`, for every level; each has a copy of both optimizers, which follows
    when the learning rate of the one that was given is set.

    Example:

    ```python
    import trainers, zoo

    shape = (28, 28, 1)
    x, _ = zoo.datasets.arrays("mnist")
    gan = trainers.LaplacianGAN(zoo.LaplacianGenerator(shape), zoo.LaplacianDiscriminator(shape))
    gan.compile(ema_decay=0.99)
    gan.fit(x, batch_size=64, epochs=10)
    images = gan.sample(16, seed=1)  # (16, 28, 28, 1), uint8
    ```

    Reference:
        - [Denton et al., 2015](https://arxiv.org/abs/1506.05751), section 3 and figure 2. The
          paper counts the levels from the finest.
    """

    def __init__(
        self,
        generator,
        discriminator,
        levels=None,
        discriminator_steps=1,
        schedule="alternating",
        seed=0,
        **kwargs,
    ):
        _check_players(generator, discriminator)
        _check_levels(levels, generator.levels)
        if kwargs.get("packing", 1) != 1:
            raise ValueError(
                "`packing` has no meaning for a LaplacianGAN, whose discriminators see parts of a "
                f"picture. Expected packing=1. Received: packing={in_short(kwargs['packing'])}"
            )
        super().__init__(generator, discriminator, discriminator_steps, schedule, seed, **kwargs)
        self.levels = levels
        self.pattern_rates = {}
        # The name comes after `generator` and `ema_generator`: a file keeps each weight where it
        # is first met, and a player is read from its own group of the file.
        self.level_gans = [
            (BandGAN if level else LevelGAN)(
                *pair,
                level,
                discriminator_steps=self.discriminator_steps,
                schedule=schedule,
                seed=seed,
                name=f"level_{level}",
            )
            for level, pair in enumerate(zip(generator.parts, discriminator.parts, strict=True))
        ]

    @property
    def levels(self):
        """Numbers of the levels that play, coarsest first."""
        return self._levels

    @levels.setter
    def levels(self, levels):
        self._levels = _check_levels(levels, self.generator.levels)
        self.train_function = self.test_function = None  # Other levels are another step.

    def check_compilation(self, compilation):
        super().check_compilation(compilation)
        for name, optimizer in compilation.optimizers.items():
            check_parts(optimizer, f"{name}_optimizer", "each level has a copy")
            unbuilt(optimizer)
        for gan in self.level_gans:
            gan.check_compilation(compilation)

    def build_optimizers(self, chosen):
        """Builds none: those of `compile` are patterns, whose copies move the levels."""

    def adopt(self, compilation, average, terms):
        before = {name: getattr(self, f"{name}_optimizer", None) for name in PLAYERS}
        super().adopt(compilation, average, terms)
        averages = [None] * len(self.level_gans) if average is None else average.parts
        for gan, part in zip(self.level_gans, averages, strict=True):
            copies = {
                name: getattr(gan, f"{name}_optimizer")  # It goes on with its moments.
                if optimizer is before[name]
                else unbuilt(optimizer)
                for name, optimizer in compilation.optimizers.items()
            }
            gan.ema_generator = part  # First: the order of `get_weights` is that of before.
            gan.prepare(dataclasses.replace(compilation, optimizers=copies), part)
        self.generator_penalty_states = self.discriminator_penalty_states = []
        now = self._rates()
        new = [name for name in PLAYERS if compilation.optimizers[name] is not before[name]]
        self.pattern_rates = {**self.pattern_rates, **{name: now[name] for name in new}}
        self.follow_patterns()

    def _rates(self):
        """The learning rates of the patterns; `None` for a schedule, which nobody sets."""
        rates = {name: inner(getattr(self, f"{name}_optimizer"))._learning_rate for name in PLAYERS}
        return {
            name: float(tf.convert_to_tensor(rate)) if isinstance(rate, keras.Variable) else None
            for name, rate in rates.items()
        }

    def follow_patterns(self):
        """Sets the levels' learning rates where that of a pattern has been set to another."""
        for name, rate in self._rates().items():
            if rate is not None and rate != self.pattern_rates[name]:
                for gan in self.level_gans:
                    getattr(gan, f"{name}_optimizer").learning_rate = rate
                self.pattern_rates[name] = rate

    def has_one_stage(self):
        return False  # Its levels have.

    def named_optimizers(self):
        return {
            f"{gan.name}_{name}": optimizer
            for gan in self.level_gans
            for name, optimizer in gan.named_optimizers().items()
        }

    def own_callbacks(self):
        return [*super().own_callbacks(), FollowPatterns()]

    def train_step(self, data):
        for gan, batch in self._levels_and_batches(data):
            gan.train_step(batch)
        self.steps.assign_add(1)
        return replicas.reducible(self.get_metrics_result())

    def test_step(self, data):
        for gan, batch in self._levels_and_batches(data):
            gan.test_step(batch)
        return replicas.reducible(self.get_metrics_result())

    def _levels_and_batches(self, data):
        """The games of the levels that play, each with its batch: pictures of its size, labels."""
        real, labels = self.unpack(data)
        pictures = pyramid.pictures(real, self.generator.levels)
        return [(self.level_gans[k], (pictures[k], labels)) for k in self.levels]

    @property
    def metrics(self):
        return [tracker for k in self.levels for tracker in self.level_gans[k].metrics]

    def get_metrics_result(self):
        results, by_name = {}, {}
        for k in self.levels:
            for name, tracker in self.level_gans[k].trackers.items():
                results[f"level_{k}_{name}"] = tracker.result()
                by_name.setdefault(name, []).append(tracker.result())
        means = {name: sum(values) / len(values) for name, values in by_name.items()}
        return {**means, **results}

    def serialized(self, name, value):
        return list(self.levels) if name == "levels" else super().serialized(name, value)


class FollowPatterns(keras.callbacks.Callback):
    """Lets levels follow the optimizers of `compile`, whose learning rate a user may set."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.follow_patterns()


def _check_players(generator, discriminator):
    kinds = {"generator": LaplacianGenerator, "discriminator": LaplacianDiscriminator}
    for (name, kind), player in zip(kinds.items(), (generator, discriminator), strict=True):
        if not isinstance(player, kind):
            raise ValueError(
                f"`{name}` has no player for every level. Expected a zoo.{kind.__name__}. "
                f"Received: {name}={getattr(player, 'name', player)!r} of class "
                f"{type(player).__name__}"
            )
    if generator.levels != discriminator.levels:
        raise ValueError(
            "`generator` and `discriminator` differ in levels. Expected equally many. Received: a "
            "generator of "
            f"{generator.levels} levels and a discriminator of {discriminator.levels}"
        )


def _check_levels(levels, count):
    """The numbers of the levels that play, in order, each once."""
    if levels is None:
        return tuple(range(count))
    numbers = [levels] if isinstance(levels, int) else list(levels)
    if not numbers or any(isinstance(k, bool) or k not in range(count) for k in numbers):
        raise ValueError(
            f"`levels` names no level. Expected a list of numbers from 0 (the coarsest) to "
            f"{count - 1}, or None for all. Received: levels={levels!r}"
        )
    return tuple(sorted(set(numbers)))
