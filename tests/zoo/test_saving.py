"""Files of players: round trips, atomic writes, and what the errors say."""

import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.optimizers.base_optimizer import BaseOptimizer

import zoo
from tests.helpers import tiny_pair
from zoo import players, saving, untrusted


@keras.saving.register_keras_serializable(package="zoo")
class StandInTrainer(keras.Model):
    """What a trainer's file looks like: both players, the average, and a counter."""

    def __init__(self, generator, discriminator, ema=False, **kwargs):
        super().__init__(**kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.ema_generator = generator.from_config(generator.get_config()) if ema else None
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")
        self.built = True

    @property
    def sampler(self):
        return self.generator if self.ema_generator is None else self.ema_generator

    def call(self, inputs):
        return self.sampler(inputs)

    def get_config(self):
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "ema": self.ema_generator is not None,
        }

    @classmethod
    def from_config(cls, config):
        players = {k: keras.saving.deserialize_keras_object(config[k]) for k in saving.PLAYERS}
        return cls(**{**config, **players})


def trained(model, shift=0.03):
    """The model with every weight moved off its initial value."""
    for weight in model.weights:
        weight.assign(weight + shift)
    return model


def same(a, b):
    return type(a) is type(b) and all(
        np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True)
    )


@pytest.mark.parametrize("classes", [None, 3])
def test_a_generators_file(tmp_path, classes):
    generator = trained(tiny_pair(classes)[0])
    path = saving.save(generator, tmp_path / "new" / "folder" / "generator.keras")
    loaded = saving.load(path)
    assert same(loaded, generator)
    labels = None if classes is None else [0, 1, 2]
    np.testing.assert_array_equal(
        loaded.sample(3, labels, seed=1), generator.sample(3, labels, seed=1)
    )


def test_a_sequentials_file(tmp_path):
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert same(saving.load(saving.save(generator, tmp_path / "plain.keras")), generator)


@pytest.mark.parametrize("ema", [False, True])
def test_a_trainers_file_gives_each_player(tmp_path, ema):
    trainer = StandInTrainer(*map(trained, tiny_pair(3)), ema=ema)
    if ema:
        trained(trainer.ema_generator, 0.5)
    path = saving.save(trainer, tmp_path / "gan.keras")
    assert saving.is_trainer(saving.check_keras_file(path))
    assert same(saving.load(path), trainer.sampler)
    assert same(saving.load(str(path), player="discriminator"), trainer.discriminator)
    assert ema != same(saving.load(path), trainer.generator)


def test_a_trainer_of_sequentials_and_of_unknown_class(tmp_path, monkeypatch):
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    path = saving.save(StandInTrainer(generator, discriminator), tmp_path / "gan.keras")
    monkeypatch.delitem(keras.saving.get_custom_objects(), "zoo>StandInTrainer")
    assert same(saving.load(path), generator)
    assert same(saving.load(path, "discriminator"), discriminator)


def test_mixed_precision_survives(tmp_path):
    generator = tiny_pair(dtype="mixed_bfloat16")[0]
    loaded = saving.load(saving.save(generator, tmp_path / "generator.keras"))
    assert loaded.dtype_policy.name == "mixed_bfloat16"
    assert same(loaded, generator)


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch, failure):
    generator = tiny_pair()[0]
    path = saving.save(generator, tmp_path / "generator.keras")
    before = path.read_bytes()
    write = keras.Model.save

    def interrupted(model, target):
        write(model, target)
        raise failure

    monkeypatch.setattr(type(generator), "save", interrupted)
    with pytest.raises(failure):
        saving.save(generator, path)
    assert [p.name for p in tmp_path.iterdir()] == ["generator.keras"]
    assert path.read_bytes() == before


def test_a_second_saving_makes_no_reference_objects(tmp_path, monkeypatch):
    """TensorFlow would keep something of the variables of each for ever."""
    made = []
    init = BaseOptimizer.__init__
    monkeypatch.setattr(
        BaseOptimizer, "__init__", lambda self, *a, **k: (made.append(1), init(self, *a, **k))[1]
    )
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 2)), np.zeros((2, 1)), verbose=0)
    keras.backend.clear_session()  # What other tests' savings have made is forgotten.
    made.clear()
    saving.save(model, tmp_path / "model.keras")
    first, made[:] = len(made), []
    saving.save(model, tmp_path / "model.keras")
    assert len(made) == first - 1  # A copy is read back in each, as a check.


def test_only_built_models_are_saved(tmp_path):
    for model in (keras.Sequential([keras.layers.Dense(2)]), "a name"):
        with pytest.raises(ValueError, match="Expected a built Keras model. Received: model="):
            saving.save(model, tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"ends in .keras. Received: path='model.h5'"):
        saving.save(tiny_pair()[0], "model.h5")
    assert not list(tmp_path.iterdir())


def test_a_missing_file_names_its_neighbours(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder has no .keras files.*Received: path="):
        saving.load(tmp_path / "gan.keras")
    with pytest.raises(FileNotFoundError, match="no/where' does not exist either"):
        saving.load(tmp_path / "no" / "where" / "gan.keras")
    saving.save(tiny_pair()[0], tmp_path / "generator.keras")
    with pytest.raises(FileNotFoundError, match="did you mean 'generator.keras'"):
        saving.load(tmp_path / "genrator.keras")
    with pytest.raises(FileNotFoundError, match="the folder has generator.keras"):
        saving.load(tmp_path / "qqqq.keras")
    with pytest.raises(ValueError, match="`preset` is unknown.*a path that ends in .keras"):
        saving.load(tmp_path)


def test_damaged_files(tmp_path):
    whole = saving.save(tiny_pair()[0], tmp_path / "whole.keras").read_bytes()
    damaged = tmp_path / "damaged.keras"
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    for content in (whole[: len(whole) // 2], b"", b"no zip at all", bytes(flipped)):
        damaged.write_bytes(content)
        with pytest.raises(ValueError, match="`path` is damaged.* Expected .* a generator.*Rec"):
            saving.load(damaged)
    with zipfile.ZipFile(damaged, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match=r"\['model.weights.h5'\] missing"):
        saving.check_keras_file(damaged)
    for config in ("{", "[]"):
        with zipfile.ZipFile(damaged, "w") as archive:
            archive.writestr("config.json", config)
            archive.writestr("model.weights.h5", "")
        with pytest.raises(ValueError, match="`path` is damaged"):
            saving.check_keras_file(damaged)


def test_another_class(tmp_path):
    generator, discriminator = tiny_pair()
    path = saving.save(discriminator, tmp_path / "player.keras")
    message = "of class zoo>DCGANDiscriminator. Expected a generator, or a trainer. Received: path="
    with pytest.raises(ValueError, match=message):
        saving.load(path)
    assert same(saving.load(path, "discriminator"), discriminator)
    saving.save(generator, path)
    with pytest.raises(ValueError, match="zoo>DCGANGenerator. Expected a discriminator"):
        saving.load(path, "discriminator")
    classifier = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    saving.save(classifier, path)
    with pytest.raises(ValueError, match="of class Sequential. Expected a generator"):
        saving.load(path)
    with pytest.raises(
        ValueError, match="`player` is unknown. Expected one of .*did you mean 'generator'"
    ):
        saving.load(path, "genrator")


def test_an_unknown_class(tmp_path):
    class Halve(keras.layers.Layer):
        def call(self, inputs):
            return tf.math.multiply(inputs, 0.5)

    generator = keras.Sequential([keras.Input((3,)), Halve(), keras.layers.Dense(2)])
    with keras.saving.custom_object_scope({"Halve": Halve}):  # Elsewhere it is refused.
        path = saving.save(generator, tmp_path / "generator.keras")
    with pytest.raises(ValueError, match="not known here: Halve. Expected every class to be regi"):
        saving.load(path)
    with keras.saving.custom_object_scope({"Halve": Halve}):
        assert saving.load(path).count_params() == 8


def test_weights_of_a_trainer_that_are_not_there(tmp_path):
    trainer = StandInTrainer(*tiny_pair())
    path = saving.save(trainer, tmp_path / "gan.keras")
    other = saving.save(zoo.MLPGenerator((2,), 2, (3,)), tmp_path / "other.keras")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(other) as weights:
        names = {*archive.namelist()} - {untrusted.SEAL_FILE}
        contents = {name: archive.read(name) for name in names}
        contents["model.weights.h5"] = weights.read("model.weights.h5")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match="`player` has no weights in .*player='generator'"):
        saving.load(path)


def test_a_loaded_generator_is_a_player(tmp_path):
    path = saving.save(tiny_pair(3)[0], tmp_path / "generator.keras")
    assert players.traits(saving.load(path)).num_classes == 3
