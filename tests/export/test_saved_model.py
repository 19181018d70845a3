"""SavedModels: what they answer, how they are written, and what the errors say."""

import json
import pathlib
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

import export
import zoo
from export import saved_model
from tests.helpers import tiny_pair
from zoo import latents, players

# Of what Keras makes archives: a first save puts `tf.saved_model.save` back in its place.
ARCHIVE = type(keras.export.ExportArchive())


def load(path):
    return tf.saved_model.load(path).signatures


def answers(signature, **inputs):
    (answer,) = signature(**{k: tf.constant(v) for k, v in inputs.items()}).values()
    return answer.numpy()


def specs(signature):
    inputs = {
        k: (v.dtype, v.shape.as_list()) for k, v in signature.structured_input_signature[1].items()
    }
    outputs = {k: (v.dtype, v.shape.as_list()) for k, v in signature.structured_outputs.items()}
    return inputs, outputs


def is_empty(folder):
    return not list(folder.iterdir())


def test_weights_that_are_no_numbers_are_not_served(tmp_path):
    generator, _ = tiny_pair()
    generator.set_weights([w * np.nan for w in generator.get_weights()])
    with pytest.raises(ValueError, match="`generator`.*NaN"):
        export.save(generator, tmp_path / "served")
    with pytest.raises(ValueError, match="`generator`.*NaN"):
        players.decode(generator, np.zeros((1, 6), "float32"))
    assert is_empty(tmp_path)


@pytest.mark.parametrize("classes", [None, 3])
def test_signatures_are_the_designs(tmp_path, classes):
    generator, discriminator = tiny_pair(classes)
    generator.class_names = classes and ("ape", "cow", "sow")
    path = export.save(generator, tmp_path / "served", discriminator=discriminator)
    assert path == tmp_path / "served" / "1" and (path / "saved_model.pb").is_file()
    card = json.loads((path / "assets.extra" / "card.json").read_text())
    assert card["class_names"] == (classes and ["ape", "cow", "sow"])
    assert (card["prior"], card["latent_dim"], card["num_classes"]) == ("normal", 6, classes)
    assert (card["sample_shape"], card["value_range"]) == ([8, 8, 1], [-1, 1])
    labels = {} if classes is None else {"labels": (tf.int32, [None])}
    pictures = [None, 8, 8, 1]
    signatures = load(path)
    assert set(signatures) == {"serving_default", "sample", "sample_png", "score"}
    drawn = {"seed": (tf.int64, [None]), **labels}
    assert specs(signatures["serving_default"]) == (
        {"latents": (tf.float32, [None, 6]), **labels},
        {"images": (tf.float32, pictures)},
    )
    assert specs(signatures["sample"]) == (drawn, {"images": (tf.uint8, pictures)})
    assert specs(signatures["sample_png"]) == (drawn, {"png_bytes": (tf.string, [None])})
    assert specs(signatures["score"]) == (
        {"images": (tf.float32, pictures), **labels},
        {"logits": (tf.float32, [None])},
    )


def test_a_row_depends_on_its_seed_and_label_alone(tmp_path):
    generator, _ = tiny_pair(classes=3)
    sample = load(export.save(generator, tmp_path))["sample"]
    seeds = np.array([5, 0, 7, 5, -3, 2**40] * 8 + [1, 2], "int64")
    labels = (np.arange(50) % 3).astype("int32")
    together = answers(sample, seed=seeds, labels=labels)
    for i in range(6):
        alone = answers(sample, seed=seeds[i : i + 1], labels=labels[i : i + 1])[0]
        python = generator.sample(1, labels=[labels[i]], seed=seeds[i : i + 1])[0]
        np.testing.assert_array_equal(together[i], alone)
        np.testing.assert_array_equal(together[i], python)
    np.testing.assert_array_equal(together, generator.sample(50, labels, seed=seeds))
    np.testing.assert_array_equal(together[0], generator.sample(1, [0], seed=5)[0])
    assert np.any(together[0] != together[3]) == (labels[0] != labels[3])
    assert len({row.tobytes() for row in together[:3]}) == 3
    assert answers(sample, seed=seeds[:0], labels=labels[:0]).shape == (0, 8, 8, 1)


def test_rgb_pictures_come_as_png(tmp_path):
    generator = zoo.DCGANGenerator((8, 12, 3), latent_dim=4, filters=4, prior="uniform")
    signatures = load(export.save(generator, tmp_path))
    png = answers(signatures["sample_png"], seed=np.array([4, 9]))
    assert [row[:8] for row in png] == [b"\x89PNG\r\n\x1a\n"] * 2
    pictures = [tf.io.decode_png(row).numpy() for row in png]
    np.testing.assert_array_equal(pictures, generator.sample(2, seed=[4, 9]))


@pytest.mark.parametrize("kind", [zoo.DCGANGenerator, zoo.ResNetGenerator, zoo.R3GANGenerator])
def test_no_rows_no_pictures(tmp_path, kind):
    signatures = load(export.save(kind((32, 32, 3), latent_dim=4, filters=16), tmp_path))
    nothing = {"seed": np.zeros(0, "int64")}
    assert answers(signatures["sample"], **nothing).shape == (0, 32, 32, 3)
    assert answers(signatures["sample_png"], **nothing).shape == (0,)
    latents = np.zeros((0, 4), "float32")
    assert answers(signatures["serving_default"], latents=latents).shape == (0, 32, 32, 3)


def test_score_is_the_discriminators(tmp_path):
    generator, discriminator = tiny_pair(classes=3)
    score = load(export.save(generator, tmp_path, discriminator=discriminator))["score"]
    unit = np.random.default_rng(0).uniform(0, 1, (5, 8, 8, 1)).astype("float32")
    labels = np.array([0, 1, 2, 0, 1], "int32")
    logits, _ = players.discriminate(discriminator, unit * 2 - 1, labels)
    np.testing.assert_allclose(answers(score, images=unit, labels=labels), logits, atol=1e-6)
    alone = answers(score, images=unit[2:3], labels=labels[2:3])
    np.testing.assert_allclose(alone, logits[2:3], atol=1e-6)


def test_points_are_samples(tmp_path):
    generator = zoo.MLPGenerator((2,), 3, (8,), output_activation="linear")
    discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    signatures = load(export.save(generator, tmp_path, discriminator=discriminator))
    assert set(signatures) == {"serving_default", "sample", "score"}
    points = answers(signatures["sample"], seed=np.arange(5))
    assert points.dtype == np.float32
    np.testing.assert_allclose(points, generator.sample(5, seed=range(5)), atol=1e-6)
    rows = latents.draw_rows("uniform", 3, np.arange(5))
    np.testing.assert_allclose(
        answers(signatures["serving_default"], latents=rows), points, atol=1e-6
    )
    logits = discriminator(points)[:, 0]
    np.testing.assert_allclose(answers(signatures["score"], samples=points), logits, atol=1e-6)


def test_a_sequential(tmp_path):
    generator = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(16),
            keras.layers.Reshape((4, 4, 1)),
            keras.layers.Activation("sigmoid"),
        ]
    )
    sample = load(export.save(generator, tmp_path))["sample"]
    wanted = players.sample(generator, 4, seed=[1, 2, 3, 4])
    np.testing.assert_array_equal(answers(sample, seed=np.arange(1, 5)), wanted)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(tmp_path, policy):
    generator, discriminator = tiny_pair(dtype=policy)
    signatures = load(export.save(generator, tmp_path, discriminator=discriminator))
    wanted = generator.sample(8, seed=range(8))
    got = answers(signatures["sample"], seed=np.arange(8))
    assert np.abs(got.astype(int) - wanted).max() <= 2  # bfloat16 has 8 bits.
    unit = np.full((2, 8, 8, 1), 0.5, "float32")
    assert answers(signatures["score"], images=unit).dtype == np.float32


def test_a_trainer_serves_its_average_and_its_discriminator(tmp_path):
    generator, discriminator = tiny_pair()
    average = tiny_pair()[0]
    trainer = types.SimpleNamespace(
        generator=generator, discriminator=discriminator, ema_generator=None
    )
    for served, path in ((generator, "1"), (average, "2")):
        signatures = load(export.save(trainer, tmp_path))
        np.testing.assert_array_equal(
            answers(signatures["sample"], seed=np.arange(3)), served.sample(3, seed=range(3))
        )
        assert "score" in signatures and (tmp_path / path).is_dir()
        trainer.ema_generator = average
    del trainer.ema_generator
    assert saved_model.served_players(trainer) == (generator, discriminator)


def test_versions_count_on_and_are_never_changed(tmp_path):
    generator, _ = tiny_pair()
    assert [export.save(generator, tmp_path).name for _ in range(2)] == ["1", "2"]
    assert export.save(generator, tmp_path, version=9).name == "9"
    (tmp_path / "notes").mkdir()
    assert export.save(generator, str(tmp_path)).name == "10"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1", "10", "2", "9", "notes"]
    before = (tmp_path / "2" / "saved_model.pb").stat().st_mtime_ns
    with pytest.raises(FileExistsError, match=r"than \[1, 2, 9, 10\].* Received: version=2,"):
        export.save(generator, tmp_path, version=2)
    assert (tmp_path / "2" / "saved_model.pb").stat().st_mtime_ns == before


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_nothing(tmp_path, monkeypatch, failure):
    generator, _ = tiny_pair()
    seen = []

    def write(archive, path, *args, **kwargs):
        (pathlib.Path(path) / "saved_model.pb").write_bytes(b"half")
        seen.append(path.removeprefix(str(tmp_path / "served")))
        raise failure

    monkeypatch.setattr(ARCHIVE, "write_out", write)
    with pytest.raises(failure):
        export.save(generator, tmp_path / "served")
    assert is_empty(tmp_path)
    assert seen[0].startswith("/.version-")  # No integer: a server passes over it.
    (tmp_path / "served").mkdir()
    with pytest.raises(failure):
        export.save(generator, tmp_path / "served")
    assert is_empty(tmp_path / "served")


def test_the_version_that_another_process_wrote_meanwhile_stays(tmp_path, monkeypatch):
    generator, _ = tiny_pair()

    def write(archive, path, *args, **kwargs):
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "saved_model.pb").write_bytes(b"theirs")

    monkeypatch.setattr(ARCHIVE, "write_out", write)
    with pytest.raises(OSError):
        export.save(generator, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["1"]
    assert (tmp_path / "1" / "saved_model.pb").read_bytes() == b"theirs"


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


def test_only_generators_are_served(tmp_path):
    generator, discriminator = tiny_pair()
    subclassed = Subclassed()
    subclassed(np.zeros((1, 3), "float32"))
    for model, name in (
        ("run/gan.keras", "model='run/gan.keras' of class str"),
        (discriminator, "of class DCGANDiscriminator"),
        (subclassed, "of class Subclassed"),
    ):
        with pytest.raises(
            ValueError, match=f"`model` is not a generator that can.*Expected.*{name}"
        ):
            export.save(model, tmp_path)
    with pytest.raises(ValueError, match="`generator` has no weights yet. Expected a built model"):
        export.save(keras.Sequential([keras.layers.Dense(2)]), tmp_path)
    classifier = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    with pytest.raises(
        ValueError, match=r"`generator` does not map latents .*with input_shape=\(None, 8"
    ):
        export.save(classifier, tmp_path)
    assert is_empty(tmp_path)


def test_the_discriminator_fits(tmp_path):
    generator, _ = tiny_pair()
    other = zoo.DCGANDiscriminator((12, 12, 1), filters=4)
    subclassed = Subclassed()
    subclassed(np.zeros((1, 3), "float32"))
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    for wrong, name in (
        (other, r"\(12, 12, 1\)"),
        (generator, r"\(6,\)"),
        (unbuilt, "no known shape, of class Sequential"),
        (subclassed, r"\(3,\)"),
        ("yes", "no known shape, of class str"),
    ):
        message = rf"samples of shape \(8, 8, 1\). Received: a discriminator of {name}"
        with pytest.raises(ValueError, match=message):
            export.save(generator, tmp_path, discriminator=wrong)
    assert is_empty(tmp_path)


@pytest.mark.parametrize("version", [0, -1, 1.5, "2", True])
def test_a_version_is_a_positive_integer(tmp_path, version):
    with pytest.raises(
        ValueError, match=f"Expected a positive integer. Received: version={version!r}"
    ):
        export.save(tiny_pair()[0], tmp_path, version=version)
    assert is_empty(tmp_path)


def test_directories_that_cannot_be(tmp_path, monkeypatch):
    generator, _ = tiny_pair()
    file = tmp_path / "file"
    file.write_text("")
    for directory in (file, file / "below" / "it"):
        with pytest.raises(
            NotADirectoryError, match="`directory` .*/file' is not a folder. Expected.* Received:"
        ):
            export.save(generator, directory)
    monkeypatch.setattr(saved_model.os, "access", lambda *_: False)
    with pytest.raises(
        PermissionError, match="`directory` .* Expected a folder with write permission. Received:"
    ):
        export.save(generator, tmp_path / "served")


def _plain():
    layers = keras.layers
    generator = [keras.Input((3,)), layers.Dense(16), layers.Reshape((4, 4, 1))]
    discriminator = [keras.Input((4, 4, 1)), layers.Conv2D(1, 2, 2)]
    return keras.Sequential(generator), keras.Sequential(discriminator)


@pytest.mark.parametrize("value_range", [(-2, 6), None])
def test_what_a_plain_generator_makes_can_be_said(value_range):
    """The answers in NumPy, with a map of four logits, whose mean is the score."""
    generator, discriminator = _plain()
    signatures = saved_model.endpoints(generator, discriminator, value_range)
    assert ("sample_png" in signatures) == (value_range is not None)
    latents = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    made = np.asarray(generator(latents))
    if value_range is None:
        wanted, seen, name = made, made, "samples"
    else:
        wanted, name = np.clip((made + 2) / 8, 0, 1), "images"
        seen = 8 * wanted - 2
    got = signatures["serving_default"][0](tf.constant(latents))
    np.testing.assert_allclose(got[name], wanted, atol=1e-6)
    scores = signatures["score"][0](tf.constant(wanted))["logits"]
    logits = np.asarray(discriminator(seen)).reshape(5, 4).mean(axis=1)
    np.testing.assert_allclose(scores, logits, rtol=1e-5, atol=1e-5)


def test_a_value_range_that_the_generator_has_not(tmp_path):
    generator, _ = tiny_pair()
    with pytest.raises(ValueError, match="`value_range` is not what the generator's last layers"):
        export.save(generator, tmp_path / "m", value_range=(0, 1))
    assert is_empty(tmp_path)
