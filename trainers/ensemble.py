"""GANEnsemble: thousands of small GANs, trained as one program."""

import keras
import numpy as np
import tensorflow as tf

from trainers.callbacks import keras_callbacks
from trainers.ensembles import couplings, data, samples, training
from trainers.ensembles.members import Members
from trainers.gan import GAN
from trainers.steps import data_checks, optimizers
from trainers.steps.compilation import PLAYERS
from zoo import finite, progress
from zoo.players.recorded import KERAS_ARGUMENTS
from zoo.stacked import Stacked
from zoo.validation import (
    check_choice,
    check_integer,
    check_positive,
    parameter_names,
    refuse_arguments,
)

COMPILED = parameter_names(GAN.compile)
FIRST_WEIGHTS = ("own", "shared")
TOGETHER = 100  # Steps of one stay of a chunk in cache, where no callback looks in between.


@keras.saving.register_keras_serializable(package="zoo")
class GANEnsemble(Members, GAN):
    """Trains many small GANs at once, each on its own data, draws and first weights.

    Every weight has a leading axis of members. Member i is the `GAN` of the same players with
    `seed=seed + i`: trained alone on its data it makes the same steps, up to rounding
    (`member(i)` gives it). Chunks of members are trained in compiled loops, one on each core.

    Args:
        generator: A `zoo.MLPGenerator`, or a built Keras model of dense layers and what goes
            elementwise. A layer that cannot be stacked is named.
        discriminator: Likewise.
        members: int. Number of GANs.
        discriminator_steps: int, the `k` of Algorithm 1.
        schedule: `"alternating"` or `"simultaneous"`.
        seed: int. Member i draws by `seed + i`: its first weights, latents, noise and order.
        first_weights: `"own"`: each member's are drawn from the layers' initializers by its seed,
            and what is constant (a bias that was set, say) is the given player's; `"shared"`: all
            begin with those of the given players.
        **kwargs: `value_range` and `packing`, as for `GAN`; and any argument of `compile`, which is
            called with them: `objective`, `generator_optimizer`, `discriminator_optimizer`,
            penalties, `perturbations`, `ema_decay`.

    Raises:
        ValueError: If a layer, objective, penalty or optimizer couples members or examples, or the
            members do not fit into memory: what they need is said before it is taken.

    Example:

    ```python
    import keras, numpy as np, trainers, zoo

    ensemble = trainers.GANEnsemble(
        zoo.MLPGenerator((1,), latent_dim=1, units=(16,), output_activation="linear"),
        zoo.MLPDiscriminator((1,), units=(16,), activation="relu", input_dropout=0, dropout=0),
        members=100,
        objective="non_saturating",
    )
    data = np.random.default_rng(0).normal(size=(100, 50, 1))  # 50 points for each member
    ensemble.fit(data, batch_size=50, epochs=2, steps_per_epoch=10, verbose=0)
    points = ensemble.sample(1000, seed=0)  # (100, 1000, 1)
    ```
    """

    def __init__(
        self,
        generator,
        discriminator,
        members,
        discriminator_steps=1,
        schedule="alternating",
        seed=0,
        first_weights="own",
        **kwargs,
    ):
        check_positive(members=members)
        check_choice(FIRST_WEIGHTS, first_weights=first_weights)
        of_gan = ("value_range", "packing")
        known = (*parameter_names(GANEnsemble), *of_gan, *COMPILED, *KERAS_ARGUMENTS)
        unknown = {name: value for name, value in kwargs.items() if name not in known}
        refuse_arguments("GANEnsemble", unknown, known)
        couplings.check_seeds(seed, members)
        compiled = {name: kwargs.pop(name) for name in COMPILED if name in kwargs}
        arguments = {"discriminator_steps": discriminator_steps, "schedule": schedule}
        alone = GAN(generator, discriminator, **arguments, seed=seed, **kwargs)
        couplings.check_steps(alone)
        couplings.check_memory(members, generator, discriminator)
        super().__init__(
            Stacked(generator, members, "generator"),
            Stacked(discriminator, members, "discriminator"),
            **arguments,
            seed=seed,
            value_range=alone.value_range,
            **{k: v for k, v in kwargs.items() if k != "value_range"},
        )
        object.__setattr__(self, "_alone", alone)
        self.first_weights = first_weights
        self.member_seeds = tf.range(self.seed, self.seed + members, dtype="int64")
        for name in PLAYERS:
            player = getattr(self, name)
            player.draw(self.member_seeds) if first_weights == "own" else player.share()
        self.compile(**compiled)

    # === Compile ===

    def check_compilation(self, compilation):
        couplings.check_devices(self)
        couplings.check_frozen(self)
        super().check_compilation(compilation)
        couplings.check(compilation, self.traits.image_shape)

    def warn(self, compilation):
        """Warns of what a member would be warned of; it also is refused what that is refused."""
        self._alone.compile(**self._unbuilt(compilation.config(), compilation.optimizers))

    def adopt(self, compilation, average, terms):
        super().adopt(compilation, average, terms)
        # No attributes of a Keras model: they are in no file. Others were compiled otherwise.
        object.__setattr__(self, "workers", {})
        object.__setattr__(self, "samplers", {})

    def _unbuilt(self, config, given):
        own = {f"{name}_optimizer": optimizers.unbuilt(given[name]) for name in PLAYERS}
        return {**config, **own}

    # === Fit ===

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        shuffle=True,
        initial_epoch=0,
        steps_per_epoch=None,
        **kwargs,
    ):
        """Trains every member on its data.

        Args:
            x: Samples `(members, n, *image_shape)`; or `(n, *image_shape)`, which all share.
            y: Labels or conditions likewise, where the generator has them.
            batch_size: int. Examples of a member in a batch. Defaults to 32, at most n. What does
                not fill a batch is left out of an epoch.
            epochs: int. The number of the last epoch.
            verbose: `"auto"`, 0, 1 or 2: as Keras's. The bar counts chunks of members.
            callbacks: Keras callbacks. Without any, short epochs are trained several at a time.
            shuffle: bool. Whether each member's rows are in a new order each epoch, by its seed.
            initial_epoch: int.
            steps_per_epoch: int, optional. Steps of an epoch of the log; the data begin anew when
                they end. Defaults to the batches of the data.
            **kwargs: None is known. Keras's others have no meaning here.

        Returns:
            `keras.callbacks.History`. Of each figure it has the mean over the members that are
            finite, of both losses the quantiles of 5, 50 and 95 % too, and the number of members
            that `diverged`. Its `members` is a dict of arrays `(epochs, members)`.

        Raises:
            ValueError: If the data do not fit, or those of one member hold NaN: it is named.
        """
        refuse_arguments("GANEnsemble.fit", kwargs, parameter_names(GANEnsemble.fit))
        check_integer(0, epochs=epochs, initial_epoch=initial_epoch)
        data.check_flags(verbose, shuffle)
        if steps_per_epoch is not None:
            check_positive(steps_per_epoch=steps_per_epoch)
        listed = finite.listed(callbacks)
        keras_callbacks.check(self, listed, False)
        couplings.check_callbacks(listed)
        couplings.check_frozen(self)
        keras_callbacks.restore(self, listed)
        rows = data.checked(
            self.traits, self.members, x, y, batch_size, shuffle, steps_per_epoch is None
        )
        data_checks.check_batch_rows(self._alone, rows.batch_size)
        couplings.check_packs(self, rows.batch_size)
        self.follow_generator()
        steps = steps_per_epoch or rows.steps
        together = 1 if listed else max(1, TOGETHER // steps)
        game = training.Training(self, rows, steps)
        verbose = 1 if verbose == "auto" else verbose
        bar = [progress.Progress()] if verbose else []
        run = keras.callbacks.CallbackList(
            [optimizers.Finalize(), *bar, *listed],
            add_history=True,
            model=self,
            epochs=epochs,
            verbose=verbose,
            steps=len(game.parts),
        )
        self.stop_training = False
        run.on_train_begin()
        epoch = max(initial_epoch, self._initial_epoch or 0)  # `BackupAndRestore` has set it.
        while epoch < epochs and not self.stop_training:
            some = min(together, epochs - epoch)
            run.on_epoch_begin(epoch)
            figures = game.train(some, lambda k: run.on_train_batch_end(k))
            for number in range(some):
                if number:
                    run.on_epoch_begin(epoch + number)
                run.on_epoch_end(epoch + number, training.log(figures[number]))
            epoch += some
        run.on_train_end()
        self.history.members = game.history()
        couplings.warn_of_diverged(self.diverged)
        return self.history

    def get_metrics_result(self):
        return training.log({tracker.name: tracker.each().numpy() for tracker in self.metrics})

    def evaluate(self, *args, **kwargs):
        """Has no meaning for many members: see `member`."""
        self._refuse("evaluate")

    def predict(self, *args, **kwargs):
        """Has no meaning for many members: see `sample`."""
        self._refuse("predict")

    def train_on_batch(self, *args, **kwargs):
        """Has no meaning for many members: see `fit`."""
        self._refuse("train_on_batch")

    def test_on_batch(self, *args, **kwargs):
        """Has no meaning for many members: see `member`."""
        self._refuse("test_on_batch")

    def predict_on_batch(self, *args, **kwargs):
        """Has no meaning for many members: see `sample`."""
        self._refuse("predict_on_batch")

    def _refuse(self, method):
        raise ValueError(
            f"`{method}` is of one GAN, and this is an ensemble of {self.members}. Expected "
            f"member(i).{method}(...), or fit and sample of the ensemble. "
            f"Received: {method} of a GANEnsemble"
        )

    def _warn_of_broken(self, path):
        couplings.warn_of_diverged(self.diverged)

    # === Members ===

    @property
    def uses_xla(self):
        """Whether chunks and samples are compiled by XLA."""
        given = self._compilation.keras
        return given["jit_compile"] is not False and not given["run_eagerly"]

    @property
    def widest(self):
        """Numbers of an example in the generator's widest layer."""
        return max(couplings.widths(self.generator.player))

    @property
    def diverged(self):
        """The numbers of the members that have weights which are NaN or infinite: an int array."""
        finite = np.ones(self.members, bool)
        for weight in (*self.generator.weights, *self.discriminator.weights):
            if weight.dtype.startswith("float"):
                values = tf.reshape(tf.convert_to_tensor(weight), (self.members, -1))
                finite &= tf.reduce_all(tf.math.is_finite(values), axis=1).numpy()
        return np.flatnonzero(~finite)

    def member(self, number):
        """A `GAN` like one member as it is now, which goes on training by itself.

        Args:
            number: int in [0, members).
        """
        check_integer(0, number=number)
        if number >= self.members:
            raise ValueError(
                f"`number` is out of range. Expected an int in [0, {self.members}). "
                f"Received: number={number}"
            )
        gan = GAN(
            self.generator.member(number),
            self.discriminator.member(number),
            discriminator_steps=self.discriminator_steps,
            schedule=self.schedule,
            seed=self.seed + number,
            value_range=self.value_range,
            packing=self.packing,
        )
        gan.compile(**self._unbuilt(self._compilation.config(), self.named_optimizers()))
        gan.steps.assign(self.steps)
        if self.ema_generator is not None:
            for variable, stacked in self.ema_generator.pairs(gan.ema_generator):
                variable.assign(stacked[number])
        for name, optimizer in gan.named_optimizers().items():
            own = self.named_optimizers()[name].variables
            for variable, stacked in zip(optimizer.variables, own, strict=True):
                apart = len(stacked.shape) > len(variable.shape)
                variable.assign(stacked[number] if apart else stacked)
        return gan

    def sample(
        self,
        count,
        labels=None,
        seed=None,
        members=None,
        truncation=None,
        as_float=False,
        conditions=None,
    ):
        """Draws samples of each member: member i draws what it would alone with `seed + i`.

        Args:
            count: int. Samples of each member.
            labels: Integers `(count,)`, the same for all members, or one for all.
            seed: int, or `None` for fresh ones.
            members: Numbers of the members that draw, an array or a slice. Defaults to all.
            truncation: As for `GAN.sample`.
            as_float: Likewise.
            conditions: Numbers `(count, num_conditions)`, or one row for all.

        Returns:
            NumPy array `(members, count, *image_shape)`.

        Raises:
            ValueError: Also if one of these members diverged; `members=` leaves it out.
        """
        return samples.sample(self, members, count, labels, seed, truncation, as_float, conditions)
