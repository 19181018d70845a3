"""Presets: written, read, refused; and the shipped ones, whose samples are drawn again."""

import hashlib
import json
import os
import pathlib
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from tests.helpers import tiny_pair
from zoo import pictures, presets


@pytest.fixture
def saved(tmp_path):
    """A preset of a conditional pair, and its players."""
    pair = tiny_pair(classes=3)
    folder = zoo.save_preset(pair[0], tmp_path / "mine" / "tiny", pair[1], {"dataset": "dots"})
    return folder, *pair


def _same(model, other):
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_both_players_come_back(saved):
    folder, generator, discriminator = saved
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.json",
        "config.json",
        "discriminator.weights.h5",
        "model.weights.h5",
        "samples.png",
    ]
    loaded = zoo.from_preset(folder)
    assert type(loaded) is type(generator) and loaded.get_config() == generator.get_config()
    _same(loaded, generator)
    labels = [0, 1, 2, 0]
    np.testing.assert_array_equal(
        loaded.sample(4, labels, seed=5), generator.sample(4, labels, seed=5)
    )
    _same(zoo.from_preset(folder, "discriminator"), discriminator)
    _same(zoo.DCGANGenerator.from_preset(folder), generator)
    _same(zoo.Generator.from_preset(str(folder)), generator)
    _same(zoo.Discriminator.from_preset(folder), discriminator)
    _same(zoo.load(folder), generator)
    _same(zoo.load(folder, "discriminator"), discriminator)


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
    _same(zoo.from_preset(whole), generator)
    for a, b in zip(zoo.from_preset(half).get_weights(), generator.get_weights(), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b.astype("float16").astype("float32"))
    generator.variables[0].assign(generator.variables[0] + 1e5)
    with pytest.raises(ValueError, match="beyond float16"):
        zoo.save_preset(generator, tmp_path / "half", half=True)
    assert zoo.from_preset(half) is not None and sorted(os.listdir(tmp_path)) == ["half", "whole"]


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_another_precision(saved, dtype):
    folder, generator, _ = saved
    loaded = zoo.from_preset(folder, dtype=dtype)
    assert loaded.compute_dtype == dtype.removeprefix("mixed_")
    _same(loaded, generator)
    difference = np.abs(
        loaded.sample(8, [0] * 8, seed=1).astype(int) - generator.sample(8, [0] * 8, seed=1)
    )
    assert difference.max() <= 8


def test_nothing_is_written_when_one_is_read(saved):
    folder, _, _ = saved
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    zoo.from_preset(folder)
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_points_have_presets_too(tmp_path):
    generator = zoo.MLPGenerator((2,), 3, (8,), output_activation="linear")
    folder = zoo.save_preset(generator, tmp_path / "points")
    _same(zoo.MLPGenerator.from_preset(folder), generator)
    with pytest.raises(ValueError, match="no such player.*'discriminator'"):
        zoo.from_preset(folder, "discriminator")


def test_a_failure_leaves_the_old_one(saved, monkeypatch):
    folder, generator, _ = saved

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(pictures, "save_png", fail)
    other = tiny_pair(classes=3)[0]
    with pytest.raises(OSError, match="disk full"):
        zoo.save_preset(other, folder)
    _same(zoo.from_preset(folder), generator)
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


def test_what_is_no_preset_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="Only a preset is replaced"):
        zoo.save_preset(tiny_pair()[0], tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_players_that_cannot_be_kept(tmp_path):
    class Mine(zoo.DCGANGenerator):
        pass

    with pytest.raises(ValueError, match="register_keras_serializable.*class Mine"):
        zoo.save_preset(Mine((8, 8, 1), filters=4), tmp_path / "mine")
    with pytest.raises(ValueError, match="Only weights that exist"):
        zoo.save_preset(keras.Sequential([keras.layers.Dense(2)]), tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def _change(folder, name, change):
    path = folder / name
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def _newer(folder):
    _change(folder, "card.json", lambda card: card.update(format=2))


def _without_format(folder):
    _change(folder, "card.json", lambda card: card.pop("format"))


def _rotten(folder):
    path = folder / "model.weights.h5"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _other_config(folder):
    _change(folder, "config.json", lambda config: config.update(more=1))


@pytest.mark.parametrize(
    "damage, error, message",
    [
        (_newer, ValueError, "newer version.*Received: format 2"),
        (_without_format, ValueError, "newer version.*Received: format None"),
        (_rotten, ValueError, "not the one that was published.*model.weights.h5"),
        (_other_config, ValueError, "not the one that was published.*config.json"),
        (
            lambda folder: (folder / "model.weights.h5").unlink(),
            FileNotFoundError,
            "missing.*no model.weights.h5",
        ),
        (lambda folder: (folder / "card.json").write_text("{"), ValueError, "damaged"),
        (lambda folder: (folder / "card.json").write_text("[]"), ValueError, "damaged"),
        (lambda folder: (folder / "card.json").unlink(), ValueError, "no such preset"),
    ],
)
def test_damaged_presets(saved, damage, error, message):
    damage(saved[0])
    with pytest.raises(error, match=message):
        zoo.from_preset(saved[0])


def test_errors_that_help(saved):
    folder, _, _ = saved
    for cls, given in ((zoo.MLPGenerator, "DCGANGenerator"), (zoo.MLPDiscriminator, "DCGANDisc")):
        with pytest.raises(ValueError, match=f"another class. Expected a {cls.__name__}.*{given}"):
            cls.from_preset(folder)
    with pytest.raises(ValueError, match="two players.*did you mean 'generator'"):
        zoo.from_preset(folder, "generators")
    with pytest.raises(ValueError, match="no such preset.*Received: preset='dcgan_mnits'"):
        zoo.from_preset("dcgan_mnits")


@pytest.mark.parametrize("kind, inside", [("zip", True), ("gztar", False)])
def test_from_a_url(saved, tmp_path, monkeypatch, kind, inside):
    folder, generator, _ = saved
    monkeypatch.setattr(keras.config, "keras_home", lambda: str(tmp_path / "cache"), raising=False)
    root = folder.parent if inside else folder
    archive = shutil.make_archive(tmp_path / "tiny", kind, root)
    url = f"file://{archive}"
    found = hashlib.sha256(pathlib.Path(archive).read_bytes()).hexdigest()
    for _ in range(2):  # The second time from the cache.
        _same(zoo.from_preset(url, file_hash=found), generator)
    with pytest.raises(ValueError, match="file_hash=, the SHA-256"):
        zoo.from_preset(url)
    with pytest.raises(Exception, match="hash"):
        zoo.from_preset(url, file_hash="0" * 64)


SHIPPED = [card["name"] for card in zoo.list_presets()]


def test_shipped_ones_by_their_names(saved, monkeypatch, tmp_path):
    folder, generator, _ = saved
    score = {"name": "frechet_distance", "value": 0.25}
    zoo.save_preset(generator, folder.parent / "other", card={"scores": [score]})
    monkeypatch.setattr(presets, "SHIPPED", folder.parent)
    monkeypatch.chdir(tmp_path)
    _same(zoo.from_preset("tiny"), generator)
    head, other, tiny = str(zoo.list_presets()).splitlines()
    assert head.split() == ["preset", "what", "parameters", "MB", "scores"]
    assert other.startswith("other") and other.endswith("frechet_distance 0.25")
    assert tiny.split()[:4] == ["tiny", "DCGANGenerator", "on", "dots"]
    assert f"{generator.count_params():,}" in tiny
    with pytest.raises(ValueError, match="did you mean 'tiny'"):
        zoo.from_preset("tinny")
    # A folder of one's own does not hide a shipped preset.
    zoo.save_preset(tiny_pair(classes=3)[0], tmp_path / "tiny")
    _same(zoo.from_preset("tiny"), generator)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_preset_draws_the_samples_that_it_shows(name):
    generator = zoo.from_preset(name)
    card = presets.card(name)
    assert card["parameters"]["generator"] == generator.count_params()
    assert card["command"] == f"python -m trainers --recipe={name} --publish"
    shown = np.asarray(Image.open(presets.SHIPPED / name / "samples.png")).astype(int)
    columns = min(generator.num_classes or 8, 10)
    count = 64 // columns * columns
    labels = None if generator.num_classes is None else np.arange(count) % columns
    samples = generator.sample(count, labels, seed=0)
    drawn = np.squeeze(pictures.draw(samples, columns)).astype(int)
    difference = np.abs(shown - drawn)
    # Another processor may round a pixel the other way; a plot of points moves by none.
    assert difference.max() <= (1 if samples.ndim == 4 else 0)
