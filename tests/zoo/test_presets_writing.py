"""Writing of presets: whole or not at all, what the card says, weights of half the size."""

import hashlib
import os

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from tests.helpers import assert_same_weights, tiny_pair
from zoo import pictures, presets


def test_the_card_says_what_is_there(saved):
    folder, generator, discriminator = saved
    card = presets.card(folder)
    assert (card["name"], card["class"], card["dataset"]) == ("tiny", "DCGANGenerator", "dots")
    assert card["parameters"] == {
        "generator": generator.count_params(),
        "discriminator": discriminator.count_params(),
    }
    for name, found in card["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == found
    samples = generator.sample(63, np.arange(63) % 3, seed=0)
    picture = np.asarray(Image.open(folder / "samples.png"))
    np.testing.assert_array_equal(picture, np.squeeze(pictures.draw(samples, 3)))


def test_half_the_size(tmp_path):
    generator = zoo.DCGANGenerator((16, 16, 1), latent_dim=8, filters=48)
    projection = generator.get_layer("projection").kernel
    projection.assign(50.0 * projection)  # So that rounding can be seen.
    whole = zoo.save_preset(generator, tmp_path / "whole")
    half = zoo.save_preset(generator, tmp_path / "half", half=True)
    sizes = [(folder / "model.weights.h5").stat().st_size for folder in (whole, half)]
    assert sizes[1] < 0.6 * sizes[0]
    # The picture is drawn with the weights that are stored.
    for folder in (whole, half):
        samples = np.squeeze(pictures.draw(zoo.from_preset(folder).sample(64, seed=0), 8))
        np.testing.assert_array_equal(np.asarray(Image.open(folder / "samples.png")), samples)
    assert (whole / "samples.png").read_bytes() != (half / "samples.png").read_bytes()
    assert_same_weights(zoo.from_preset(whole), generator)
    for a, b in zip(zoo.from_preset(half).get_weights(), generator.get_weights(), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b.astype("float16").astype("float32"))
    generator.variables[0].assign(generator.variables[0] + 1e5)
    with pytest.raises(ValueError, match="`half` cannot hold a weight beyond float16"):
        zoo.save_preset(generator, tmp_path / "half", half=True)
    assert zoo.from_preset(half) is not None and sorted(os.listdir(tmp_path)) == ["half", "whole"]


def test_points_have_presets_too(tmp_path):
    generator = zoo.MLPGenerator((2,), 3, (8,), output_activation="linear")
    folder = zoo.save_preset(generator, tmp_path / "points")
    assert_same_weights(zoo.MLPGenerator.from_preset(folder), generator)
    with pytest.raises(ValueError, match="`player` is not in the preset.*'discriminator'"):
        zoo.from_preset(folder, "discriminator")


def test_a_failure_leaves_the_old_one(saved, monkeypatch):
    folder, generator, _ = saved

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(pictures, "save_png", fail)
    other = tiny_pair(classes=3)[0]
    with pytest.raises(OSError, match="disk full"):
        zoo.save_preset(other, folder)
    assert_same_weights(zoo.from_preset(folder), generator)
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


def test_what_is_no_preset_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="`directory` holds.*only a preset is replaced"):
        zoo.save_preset(tiny_pair()[0], tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_players_that_cannot_be_kept(tmp_path):
    class Mine(zoo.DCGANGenerator):
        pass

    with pytest.raises(ValueError, match="`generator` is.*register_keras_serializable.*class Mine"):
        zoo.save_preset(Mine((8, 8, 1), filters=4), tmp_path / "mine")
    with pytest.raises(ValueError, match="`generator` has no weights to save"):
        zoo.save_preset(keras.Sequential([keras.layers.Dense(2)]), tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
