"""What a trainer is in files: configs that are read back before they are written, and weights."""

import json
import pathlib
import warnings
import zipfile

import h5py
import keras

from trainers.steps import averages, frozen
from trainers.steps.compilation import PLAYERS
from zoo import exported, finite, sealing
from zoo.players import copies
from zoo.validation import users_level

AVERAGE = "ema_generator"
WEIGHTS = "model.weights.h5"


class Files:
    """A mixin for trainers: what their files hold, and that nothing is lost on the way."""

    _proved = None  # The configs that were found to make the same again.
    _average_since = None  # The steps that had been taken when the average began.

    @classmethod
    def from_export(cls, directory, version=None):
        """The trainer that an exported version holds: it goes on where it was.

        `export.save(gan, directory, resumable=True)` writes such versions. Players, optimizers and
        the moving average are those of the training; `fit` takes the next step.

        Args:
            directory: The folder of versions, or a version.
            version: int. Defaults to the largest in the folder.

        Returns:
            The trainer, compiled as it was, of the class that was exported.

        Raises:
            FileNotFoundError: If there is no such version, or it holds no trainer.
            ValueError: If the version is damaged, or its trainer is not of this class.

        Example:

        ```python
        import export, trainers, zoo

        gan = trainers.GAN(zoo.MLPGenerator((2,)), zoo.MLPDiscriminator((2,)))
        gan.compile()
        export.save(gan, "serving/points", resumable=True)
        again = trainers.GAN.from_export("serving/points")
        ```
        """
        return exported.load_trainer(cls, directory, version)

    def export(self, filepath, **kwargs):
        """Keras's export of the generator that samples: what makes it again is `save`.

        `export.save` writes what a server wants beside it: signatures, a card, parity.

        Args:
            filepath: Where to write.
            **kwargs: As `keras.Model.export`, such as `format="onnx"`.
        """
        return self.sampler.export(filepath, **kwargs)

    # === Configs ===

    def get_config(self):
        """The players and the arguments, of which a file makes the trainer again.

        Raises:
            ValueError: If a player, or the class itself, cannot be made again from its config, or
                would be another one. What to do is in the message.
        """
        config = super().get_config()
        text = _text(config)
        if text != self._proved:
            copies.check_class(self, "trainer")
            for name in PLAYERS:
                copies.check(getattr(self, name), name)
            for name, value in self.recorded_arguments().items():
                if name not in PLAYERS:
                    copies.check_parts(value, name)
            self._proved = text
        return config

    def get_compile_config(self):
        """The arguments of `compile`, or `None` before it.

        Raises:
            ValueError: If an objective, an optimizer or their like would come back as another.
        """
        if getattr(self, "_compilation", None) is None:
            return None
        # The players' optimizers as they are now: one may have been exchanged.
        own = {f"{name}_optimizer": getattr(self, f"{name}_optimizer") for name in PLAYERS}
        given = {**self._compilation.config(), **own}
        for name, value in given.items():
            copies.check_parts(value, name)
        return keras.saving.serialize_keras_object(given)

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def check_saving(self):
        """Raises a `ValueError` if a file of this trainer could not be read back as it is."""
        self.get_config()
        self.get_compile_config()

    def save(self, *args, **kwargs):
        """As `keras.Model.save`, after `check_saving`: what is refused leaves an older file.

        Weights that are NaN or infinite are saved, for a look at them, with a warning.
        """
        self.check_saving()
        path = args[0] if args else kwargs.get("filepath")
        if str(path).endswith((".h5", ".hdf5")):
            raise ValueError(
                "`filepath` is that of Keras's old format, which has no place for two players. "
                f"Expected a name that ends in .keras. Received: filepath={str(path)!r}"
            )
        self._warn_of_broken(path)
        super().save(*args, **kwargs)
        sealing.seal(path)

    def _warn_of_broken(self, path):
        for name in PLAYERS:
            broken = finite.said_of(getattr(self, name))
            if broken:
                warnings.warn(
                    f"The {name} that is saved in {str(path)!r} has weights that are no numbers: "
                    f"{broken}. Prefer an earlier file to go on from; no samples can be drawn from "
                    "such weights.",
                    stacklevel=users_level(),
                )

    # === Weights ===

    def save_weights(self, filepath, *args, **kwargs):
        """As `keras.Model.save_weights`; weights that are NaN or infinite are warned of."""
        self._warn_of_broken(filepath)
        super().save_weights(filepath, *args, **kwargs)

    def load_weights(self, filepath, skip_mismatch=False, **kwargs):
        """As `keras.Model.load_weights`, and the moving average with the rest.

        A trainer that has not been compiled takes up the average of the file, which draws the
        samples from then on and is kept by `compile(ema_decay=...)`. Where the file has none, the
        average begins anew at the generator that was loaded; where a compiled trainer keeps none,
        it is left out. Both are said in a warning.
        """
        held = _holds_average(filepath)
        taken_up = held and not self.compiled and self.ema_generator is None
        if taken_up:
            self.ema_generator = averages.copy(self.generator)
        anew = held is False and self.ema_generator is not None
        if anew:
            kwargs["objects_to_skip"] = [
                *kwargs.get("objects_to_skip", ()),
                *self.ema_generator._flatten_layers(),
            ]
        try:
            super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)
        except BaseException:
            if taken_up:
                self.ema_generator = None
            raise
        if anew:
            self.begin_average()
            warnings.warn(
                f"{str(filepath)!r} holds no moving average, and this trainer keeps one: it begins "
                "anew at the generator of the file.",
                stacklevel=2,
            )
        elif held and self.ema_generator is None:
            warnings.warn(
                f"{str(filepath)!r} holds a moving average, and this trainer keeps none: samples "
                "are drawn from the generator itself. Prefer compile(ema_decay=...) before the "
                "weights are loaded.",
                stacklevel=2,
            )

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self._average_since = None  # The average of a file is one of its own.

    # === The average's beginning ===

    def begin_average(self):
        """Begins the moving average at the generator as it is now."""
        self.ema_generator.set_weights(self.generator.get_weights())
        self._average_since = int(self.steps.numpy())

    def follow_generator(self):
        """Until a step has been taken, the average is the generator, whose weights may be set."""
        if self.ema_generator is not None and self._average_since == int(self.steps.numpy()):
            self.begin_average()

    def make_train_function(self, force=False):
        frozen.check(self)
        self.follow_generator()
        return super().make_train_function(force)

    def make_predict_function(self, force=False):
        self.follow_generator()
        return super().make_predict_function(force)


def _text(config):
    return json.dumps(config, sort_keys=True, default=repr)


def _holds_average(path):
    """Whether a file of weights has a moving average; `None` if that cannot be seen."""
    path = pathlib.Path(path)
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive, archive.open(WEIGHTS) as weights:
                return AVERAGE in h5py.File(weights, "r")
        if path.suffix == ".h5":
            with h5py.File(path, "r") as weights:
                return AVERAGE in weights
    except (OSError, KeyError, zipfile.BadZipFile):
        return None  # Keras says what is wrong with it.
    return f'"{AVERAGE}' in path.read_text() if path.suffix == ".json" and path.is_file() else None
