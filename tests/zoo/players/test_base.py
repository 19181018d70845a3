"""The base classes of players: a family of one's own, its file, its dtype, and its outputs."""

import keras
import numpy as np
import pytest

import zoo
from tests.helpers import SMALL_PLAYERS, outputs, player_inputs
from zoo import players, saving


@keras.saving.register_keras_serializable(package="test_players")
class Scaled(zoo.Generator):
    """A linear generator with an argument that no family of the zoo has."""

    def __init__(self, gain, latent_dim=3, offsets=(0.5, -0.5), dtype=None, **kwargs):
        inputs = keras.Input((latent_dim,), name="latents")
        x = keras.layers.Dense(2, dtype=dtype, name="dense")(inputs)
        outputs = gain * keras.ops.cast(x, "float32") + np.array(offsets, "float32")
        super().__init__(
            inputs,
            outputs,
            latent_dim=latent_dim,
            prior="uniform",
            value_range=None,
            dtype=dtype,
            **kwargs,
        )


@keras.saving.register_keras_serializable(package="test_players")
class Banded(zoo.DCGANGenerator):
    """A family of the zoo with one more argument."""

    def __init__(self, bands, **kwargs):
        super().__init__((8, 8, 1), latent_dim=4, filters=2, **kwargs)
        self.bands = tuple(bands)


def test_a_generator_of_ones_own_comes_back_with_its_arguments(tmp_path):
    model = Scaled(2.5, offsets=[1.0, 2.0])
    assert (model.gain, model.latent_dim, model.offsets) == (2.5, 3, (1.0, 2.0))
    for weight in model.weights:
        weight.assign(weight + 0.1)
    for loaded in (
        saving.load(saving.save(model, tmp_path / "own.keras")),
        zoo.from_preset(zoo.save_preset(model, tmp_path / "own")),
    ):
        assert type(loaded) is Scaled
        assert (loaded.gain, loaded.offsets, loaded.prior) == (2.5, (1.0, 2.0), "uniform")
        assert loaded.get_config() == model.get_config()
        assert loaded.traits == model.traits == zoo.players.Traits(3, (2,), "uniform")
        np.testing.assert_array_equal(loaded.sample(5, seed=3), model.sample(5, seed=3))


def test_a_family_of_the_zoo_with_one_more_argument(tmp_path):
    model = Banded([1, 2], num_classes=3, prior="uniform", name="mine")
    loaded = saving.load(saving.save(model, tmp_path / "own.keras"))
    assert type(loaded) is Banded and loaded.bands == (1, 2) and loaded.name == "mine"
    assert (loaded.num_classes, loaded.prior, loaded.latent_dim) == (3, "uniform", 4)
    labels = [0, 1, 2]
    np.testing.assert_array_equal(loaded.sample(3, labels, seed=3), model.sample(3, labels, seed=3))
    assert "image_shape" not in loaded.get_config()  # No argument of this class.


def test_a_dtype_is_one_of_the_arguments(tmp_path):
    model = Scaled(1.0, dtype="mixed_bfloat16")
    loaded = saving.load(saving.save(model, tmp_path / "own.keras"))
    assert loaded.dtype_policy.name == "mixed_bfloat16"
    assert loaded.get_layer("dense").compute_dtype == "bfloat16"


def test_a_wired_graph_is_a_player():
    inputs = keras.Input((3,), name="latents")
    model = zoo.Generator(inputs, keras.layers.Dense(2)(inputs), latent_dim=3, value_range=None)
    assert model.traits == players.Traits(3, (2,))
    assert model.get_config()["name"] == model.name
    assert model.sample(2, seed=0).shape == (2, 2)


def test_the_policy_is_the_given_one_or_kerass():
    assert players.policy("mixed_float16").name == "mixed_float16"
    assert players.policy(None).name == "float32"
    keras.config.set_dtype_policy("mixed_bfloat16")
    assert players.policy(None).name == "mixed_bfloat16"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_logits_are_flat_and_of_full_precision(dtype):
    x = keras.Input((4,), dtype=dtype)
    outputs = players.logits_and_features(keras.layers.Dense(1, dtype=dtype)(x), x)
    assert outputs["logits"].shape == (None,) and outputs["logits"].dtype == "float32"
    assert outputs["features"] is x


@pytest.fixture
def channels_first():
    """Keras's setting that puts the channels of pictures first, as keras.json can have it."""
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format(before)


@pytest.mark.parametrize("family", SMALL_PLAYERS)
def test_pictures_are_channels_last_whatever_keras_is_set_to(family, channels_first):
    other = SMALL_PLAYERS[family](num_classes=2)
    keras.config.set_image_data_format("channels_last")
    model = SMALL_PLAYERS[family](num_classes=2)
    shapes = [tuple(w.shape) for w in model.weights]
    assert [tuple(w.shape) for w in other.weights] == shapes
    other.set_weights(model.get_weights())
    wanted = outputs(model, player_inputs(model))
    keras.config.set_image_data_format("channels_first")
    for a, b in zip(wanted, outputs(other, player_inputs(other)), strict=True):
        np.testing.assert_array_equal(a, b)


FAMILIES = {
    zoo.MLPGenerator: {"units": (4,)},
    zoo.MLPDiscriminator: {"units": (4,)},
    zoo.DCGANGenerator: {"filters": 2},
    zoo.DCGANDiscriminator: {"filters": 2},
    zoo.ResNetGenerator: {"filters": 2},
    zoo.ResNetDiscriminator: {"filters": 2},
    zoo.R3GANGenerator: {"filters": 8, "group_width": 8},
    zoo.R3GANDiscriminator: {"filters": 8, "group_width": 8},
    zoo.LaplacianGenerator: {"filters": 2, "units": (4,)},
    zoo.LaplacianDiscriminator: {"filters": 2, "units": (4,)},
}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda cls: cls.__name__)
def test_an_argument_that_is_none_is_refused(family):
    message = f"`unitss` is no argument of {family.__name__}.*Received: unitss=3"
    with pytest.raises(ValueError, match=message):
        family(**FAMILIES[family], unitss=3)
    player = family(**FAMILIES[family], name="mine", trainable=False)
    assert player.name == "mine" and not player.trainable


def test_the_nearest_argument_is_offered():
    with pytest.raises(ValueError, match="`fliters`.*did you mean 'filters'"):
        zoo.DCGANGenerator(fliters=128)


def test_class_names_are_in_every_copy_and_file_and_otherwise_in_no_config(tmp_path):
    plain = Banded([1], num_classes=2)
    assert "class_names" not in plain.get_config() and plain.class_names is None
    named = Banded([1], num_classes=2)
    named.class_names = ("ape", "thé")
    assert named.get_config() == {
        **plain.get_config(),
        "name": named.name,
        "class_names": ["ape", "thé"],
    }
    for copy in (
        Banded.from_config(named.get_config()),
        saving.load(saving.save(named, tmp_path / "named.keras")),
        zoo.from_preset(zoo.save_preset(named, tmp_path / "named")),
    ):
        assert copy.class_names == ("ape", "thé") and copy.get_config() == named.get_config()
