"""Presets: read, refused; and the shipped ones, whose samples are drawn again."""

import hashlib
import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from tests.helpers import assert_same_weights, tiny_pair
from zoo import pictures, presets


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
    assert_same_weights(loaded, generator)
    labels = [0, 1, 2, 0]
    np.testing.assert_array_equal(
        loaded.sample(4, labels, seed=5), generator.sample(4, labels, seed=5)
    )
    assert_same_weights(zoo.from_preset(folder, "discriminator"), discriminator)
    assert_same_weights(zoo.DCGANGenerator.from_preset(folder), generator)
    assert_same_weights(zoo.Generator.from_preset(str(folder)), generator)
    assert_same_weights(zoo.Discriminator.from_preset(folder), discriminator)
    assert_same_weights(zoo.load(folder), generator)
    assert_same_weights(zoo.load(folder, "discriminator"), discriminator)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_another_precision(saved, dtype):
    folder, generator, _ = saved
    loaded = zoo.from_preset(folder, dtype=dtype)
    assert loaded.compute_dtype == dtype.removeprefix("mixed_")
    assert_same_weights(loaded, generator)
    difference = np.abs(
        loaded.sample(8, [0] * 8, seed=1).astype(int) - generator.sample(8, [0] * 8, seed=1)
    )
    assert difference.max() <= 8


def test_nothing_is_written_when_one_is_read(saved):
    folder, _, _ = saved
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    zoo.from_preset(folder)
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def _change(folder, name, change):
    path = folder / name
    found = json.loads(path.read_text())
    found.pop("sha256", None)  # As a card of before.
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


def _other_score(folder):
    path = folder / "card.json"
    path.write_text(path.read_text().replace('"dataset": "', '"dataset": "better_'))


def _other_config(folder):
    _change(folder, "config.json", lambda config: config.update(more=1))


@pytest.mark.parametrize(
    "damage, error, message",
    [
        (_newer, ValueError, "`preset` is of a newer.*Received: format 2"),
        (_without_format, ValueError, "newer version.*Received: format None"),
        (_rotten, ValueError, "not the one that was published.*model.weights.h5"),
        (_other_score, ValueError, "card.json' is not as it was written.*Expected the SHA-256"),
        (_other_config, ValueError, "not the one that was published.*config.json"),
        (
            lambda folder: (folder / "model.weights.h5").unlink(),
            FileNotFoundError,
            "`preset` lacks a file.*no model.weights.h5",
        ),
        (lambda folder: (folder / "card.json").write_text("{"), ValueError, "damaged"),
        (lambda folder: (folder / "card.json").write_text("[]"), ValueError, "damaged"),
        (lambda folder: (folder / "card.json").unlink(), ValueError, "`preset` is unknown"),
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
    with pytest.raises(ValueError, match="`player` is unknown.*did you mean 'generator'"):
        zoo.from_preset(folder, "generators")
    with pytest.raises(ValueError, match="`preset` is unknown.*Received: preset='dcgan_mnits'"):
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
        assert_same_weights(zoo.from_preset(url, file_hash=found), generator)
    with pytest.raises(ValueError, match="`file_hash` is missing.*the SHA-256"):
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
    assert_same_weights(zoo.from_preset("tiny"), generator)
    head, other, tiny = str(zoo.list_presets()).splitlines()
    assert head.split() == ["preset", "what", "parameters", "MB", "scores"]
    assert other.startswith("other") and other.endswith("frechet_distance 0.25")
    assert tiny.split()[:4] == ["tiny", "DCGANGenerator", "on", "dots"]
    assert f"{generator.count_params():,}" in tiny
    with pytest.raises(ValueError, match="did you mean 'tiny'"):
        zoo.from_preset("tinny")
    # A folder of one's own does not hide a shipped preset.
    zoo.save_preset(tiny_pair(classes=3)[0], tmp_path / "tiny")
    assert_same_weights(zoo.from_preset("tiny"), generator)


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
