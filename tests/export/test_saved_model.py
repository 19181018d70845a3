"""SavedModels: what they answer, how they are written, and what the errors say."""

import json
import subprocess
import sys
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

import export
import zoo
from export import served, stored_weights
from tests.helpers import tiny_pair
from zoo import latents, players


def load(path):
    return tf.saved_model.load(path).signatures


def answers(signature, **inputs):
    answer = signature(**{k: tf.constant(v) for k, v in inputs.items()})
    assert answer.pop("valid", tf.constant(True)).numpy().all()
    (answer,) = answer.values()
    return answer.numpy()


def specs(signature):
    inputs = {
        k: (v.dtype, v.shape.as_list()) for k, v in signature.structured_input_signature[1].items()
    }
    outputs = {k: (v.dtype, v.shape.as_list()) for k, v in signature.structured_outputs.items()}
    return inputs, outputs


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
    valid = {} if classes is None else {"valid": (tf.bool, [None])}
    pictures = [None, 8, 8, 1]
    signatures = load(path)
    assert list(card["signatures"]) == [
        "serving_default",
        "sample",
        "sample_truncated",
        "latents",
        "latents_truncated",
        "sample_png",
        "score",
    ]
    assert set(signatures) == set(card["signatures"])
    drawn = {"seed": (tf.int64, [None]), **labels}
    truncated = {"truncation": (tf.float32, [None]), **drawn}
    assert specs(signatures["sample_truncated"]) == (
        truncated,
        {"images": (tf.uint8, pictures), "valid": (tf.bool, [None])},
    )
    assert specs(signatures["latents"]) == (
        {"seed": (tf.int64, [None])},
        {"latents": (tf.float32, [None, 6])},
    )
    assert specs(signatures["latents_truncated"]) == (
        {"seed": (tf.int64, [None]), "truncation": (tf.float32, [None])},
        {"latents": (tf.float32, [None, 6]), "valid": (tf.bool, [None])},
    )
    assert specs(signatures["serving_default"]) == (
        {"latents": (tf.float32, [None, 6]), **labels},
        {"images": (tf.float32, pictures), **valid},
    )
    assert specs(signatures["sample"]) == (drawn, {"images": (tf.uint8, pictures), **valid})
    assert specs(signatures["sample_png"]) == (drawn, {"png_bytes": (tf.string, [None]), **valid})
    assert specs(signatures["score"]) == (
        {"images": (tf.float32, pictures), **labels},
        {"logits": (tf.float32, [None]), **valid},
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


def test_a_default_of_seeds_costs_no_second_graph(tmp_path):
    """Who names no signature gets pictures; the function is there once."""
    generator, _ = tiny_pair()
    sizes = {}
    for default in ("latents", "sample"):
        path = export.save(generator, tmp_path / default, default=default)
        sizes[default] = (path / "saved_model.pb").stat().st_size
    signatures = load(path)
    seeds = np.array([8, -8])
    images = answers(signatures["serving_default"], seed=seeds)
    np.testing.assert_array_equal(images, generator.sample(2, seed=seeds))
    np.testing.assert_array_equal(images, answers(signatures["sample"], seed=seeds))
    unit = answers(signatures["decode"], latents=answers(signatures["latents"], seed=seeds))
    np.testing.assert_array_equal(np.round(unit * 255), images)
    assert sizes["sample"] < 1.03 * sizes["latents"]


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
    assert answers(signatures["latents"], seed=np.zeros(0, "int64")).shape == (0, 4)
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
    truncated = {"latents_truncated", "sample_truncated"}
    assert set(signatures) == {"latents", "sample", "score", "serving_default", *truncated}
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
    for player, path in ((generator, "1"), (average, "2")):
        signatures = load(export.save(trainer, tmp_path))
        np.testing.assert_array_equal(
            answers(signatures["sample"], seed=np.arange(3)), player.sample(3, seed=range(3))
        )
        assert "score" in signatures and (tmp_path / path).is_dir()
        trainer.ema_generator = average
    del trainer.ema_generator
    networks = served.of(trainer)
    assert networks.networks == {"generator": generator, "discriminator": discriminator}


def test_a_weight_is_stored_once_and_in_half_the_size(tmp_path):
    generator, discriminator = tiny_pair(classes=3)
    for weight in (*generator.weights, *discriminator.weights):
        weight.assign(np.asarray(weight, "float16"))
    networks = served.of(generator, discriminator)
    assert stored_weights.inexact(networks) == (0, sum(np.size(w) for w in networks.variables))
    data = "variables/variables.data-00000-of-00001"
    sizes = []
    for weights in ("float32", "float16"):
        path = export.save(generator, tmp_path, discriminator=discriminator, weights=weights)
        sizes.append((path / data).stat().st_size)
        stored = [v for _, v in tf.train.list_variables(str(path / "variables" / "variables"))]
        numbers = sum(int(np.prod(shape)) for shape in stored if shape)
        total = sum(np.size(w) for w in networks.variables)
        assert total <= numbers < total + 100  # And what TensorFlow keeps of its objects.
        labels = np.array([0, 1, 2, 2, 1, 0], "int32")
        images = answers(load(path)["sample"], seed=np.arange(6), labels=labels)
        np.testing.assert_array_equal(images, generator.sample(6, labels, range(6)))
    words = sum(np.size(w) for w in networks.variables)
    assert sizes[0] - sizes[1] == 2 * words


PLAYERS = {
    "conditional": lambda: zoo.DCGANGenerator((8, 8, 1), 4, 2, num_classes=3),
    "laplacian": lambda: zoo.LaplacianGenerator((8, 8, 1), 2, 3, 2, (4,), num_classes=3),
    "residual": lambda: zoo.ResNetGenerator((28, 28, 1), 3, 2),
}


@pytest.mark.parametrize("which", PLAYERS)
def test_loading_says_nothing(tmp_path, which):
    path = export.save(PLAYERS[which](), tmp_path)
    code = f"""
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
import sys
print("loading", file=sys.stderr)
tf.saved_model.load({str(path)!r}).signatures["sample"]
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0 and process.stderr.split("loading\n")[1] == ""


class OwnVariable(keras.layers.Layer):
    """A layer with a variable that Keras does not count among its weights."""

    def build(self, shape):
        self.shift = tf.Variable([0.25, 0.5])

    def call(self, x):
        return x + self.shift


def test_a_variable_of_a_users_own_layer(tmp_path):
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), OwnVariable()])
    assert len(generator.variables) == 2
    served = load(export.save(generator, tmp_path))["serving_default"]
    latents = np.array([[1, 2], [3, 4]], "float32")
    np.testing.assert_allclose(answers(served, latents=latents), generator(latents), atol=1e-6)


def test_a_table_is_no_weight(tmp_path):
    tables = keras.layers.IntegerLookup(vocabulary=[1, 2, 3])
    labels = keras.layers.Lambda(lambda x: tf.cast(tables(tf.cast(x, "int64")), "float32"))
    generator = keras.Sequential([keras.Input((2,)), labels])
    with pytest.raises(ValueError, match="`model` has a layer that holds more than weights"):
        export.save(generator, tmp_path / "served")
    assert not list(tmp_path.iterdir())
