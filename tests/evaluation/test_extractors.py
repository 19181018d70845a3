"""Extractors: both outputs, their name and hash, the shipped ones, and what they refuse."""

import json
import shutil

import keras
import numpy as np
import pytest

from evaluation import classifier, extractors, frechet
from zoo import datasets

SHIPPED = {"mnist": 0.994, "fashion_mnist": 0.93, "cifar10": 0.85}
IMAGES = np.random.default_rng(0).integers(0, 256, (7, 12, 12, 1)).astype("uint8")


def _model(seed=0):
    keras.utils.set_random_seed(seed)
    return classifier.build((12, 12, 1), 3, filters=2)


def test_features_and_probabilities_are_the_models():
    model = _model()
    extractor = extractors.Extractor(model, batch_size=3)
    logits = np.asarray(model(IMAGES.astype("float32"), training=False), "float64")
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(extractor.probabilities(IMAGES), expected, rtol=1e-5)
    inner = keras.Model(model.inputs[0], model.get_layer("features").output)
    features = np.asarray(inner(IMAGES.astype("float32"), training=False))
    np.testing.assert_allclose(extractor.features(IMAGES), features, rtol=1e-4, atol=1e-6)
    assert extractor.features(IMAGES).shape == (7, extractor.num_features) == (7, 8)
    assert (extractor.num_classes, extractor.image_shape) == (3, (12, 12, 1))
    np.testing.assert_allclose(extractor.features(IMAGES / 255), extractor.features(IMAGES), 1e-5)
    whole = extractors.Extractor(model, batch_size=100)
    np.testing.assert_allclose(whole.features(IMAGES), extractor.features(IMAGES), 1e-5, 1e-6)
    np.testing.assert_array_equal(whole.features(IMAGES[::-1])[::-1], whole.features(IMAGES))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_both_are_float32_in_each_policy(policy):
    """Measures compute with them, and NumPy has no bfloat16 of its own."""
    images = keras.Input((8, 8, 1))
    features = keras.layers.Dense(5, name="features", dtype=policy)(keras.layers.Flatten()(images))
    model = keras.Model(images, keras.layers.Dense(3, dtype=policy)(features))
    pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1)).astype("uint8")
    found = extractors.Extractor(model).both(pixels)
    assert [array.dtype for array in found] == [np.float32, np.float32]
    np.testing.assert_allclose(found[1].sum(1), 1.0, atol=0.01)


def test_name_layer_and_hash():
    first = extractors.Extractor(_model(), name="a").protocol
    assert first == {"extractor": "a", "layer": "features", "hash": first["hash"]}
    assert extractors.Extractor(_model()).protocol["hash"] == first["hash"]
    model = _model()
    weights = model.get_weights()
    weights[-1] = weights[-1] + 1e-6
    model.set_weights(weights)
    assert extractors.Extractor(model).protocol["hash"] != first["hash"]


@pytest.mark.parametrize(
    "images, message",
    [
        (IMAGES[:, :, :11], r"\(n, 12, 12, 1\).*\(7, 12, 11, 1\)"),
        (IMAGES[0], r"\(12, 12, 1\)"),
        (IMAGES[:0], "at least one sample"),
        (IMAGES * 1.0, "another scaling"),
        (np.full((2, 12, 12, 1), np.nan), "finite"),
    ],
)
def test_other_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        extractors.Extractor(_model()).features(images)


def test_other_layers_are_refused():
    with pytest.raises(ValueError, match="did you mean 'features'"):
        extractors.Extractor(_model(), "feature")
    with pytest.raises(ValueError, match=r"relu_0_0.*\(None, 12, 12, 2\)"):
        extractors.Extractor(_model(), "relu_0_0")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_ones(name):
    """Each is what its card says, and so good; on the data that are here, it is measured again."""
    extractor = extractors.load(name)
    card = extractor.card
    assert card["accuracy"] >= SHIPPED[name] and card["test_images"] == 10_000
    assert extractor.protocol == {"extractor": name, "layer": "features", "hash": card["hash"]}
    assert extractor.num_features == 128 and extractor.num_classes == 10
    for split, count in (("train", card["train_images"]), ("test", 10_000)):
        mean, covariance, found = extractor.statistics[split]
        assert found == count and mean.shape == (128,)
        assert np.linalg.eigvalsh(covariance)[0] > -1e-12
    floor = frechet.distance(*extractor.statistics["train"][:2], *extractor.statistics["test"][:2])
    assert 0 < floor < card["real"]["frechet_distance"]["value"]
    assert floor == pytest.approx(card["train_test_frechet_distance"], rel=1e-6)


@pytest.mark.long
def test_mnist_again():
    extractor = extractors.load("mnist")
    images, labels = datasets.arrays("mnist", "test")
    features, probabilities = extractor.both(images)
    right = probabilities.argmax(1) == labels
    assert right.mean() == pytest.approx(extractor.card["accuracy"], abs=3e-4)
    mean, covariance, _ = extractor.statistics["test"]
    np.testing.assert_allclose(features.mean(0), mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.cov(features.T.astype("float64")), covariance, atol=1e-4)


def test_an_unknown_or_changed_preset_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="did you mean 'mnist'"):
        extractors.load("mnst")
    shutil.copytree(extractors.PRESETS / "mnist", tmp_path / "mnist")
    monkeypatch.setattr(extractors, "PRESETS", tmp_path)
    card = json.loads((tmp_path / "mnist" / "card.json").read_text())
    (tmp_path / "mnist" / "card.json").write_text(json.dumps(card | {"accuracy": 1.0}))
    with pytest.raises(ValueError, match="card.json is not as it was written"):
        extractors.load("mnist")
    del card["sha256"]
    (tmp_path / "mnist" / "card.json").write_text(json.dumps(card | {"hash": "0" * 16}))
    with pytest.raises(ValueError, match="Expected the hash of its card, 0000"):
        extractors.load("mnist")


def test_other_statistics_are_refused_where_they_are_used(tmp_path, monkeypatch):
    shutil.copytree(extractors.PRESETS / "mnist", tmp_path / "mnist")
    others = extractors.PRESETS / "fashion_mnist" / "statistics.npz"
    own = (tmp_path / "mnist" / "statistics.npz").read_bytes()
    monkeypatch.setattr(extractors, "PRESETS", tmp_path)
    for content in (others.read_bytes(), own[:1000], own[:-1], b""):
        (tmp_path / "mnist" / "statistics.npz").write_bytes(content)
        extractor = extractors.load("mnist")
        with pytest.raises(ValueError, match="`statistics` are not those that were measured"):
            _ = extractor.statistics
    with pytest.raises(ValueError, match="statistics.npz is damaged"):  # A card of before.
        extractors.read_statistics(tmp_path / "mnist" / "statistics.npz")


@pytest.mark.long
def test_inception_takes_any_size_and_says_its_name():
    keras.utils.set_random_seed(0)
    extractor = extractors.inception_v3(None)
    assert extractor.protocol["extractor"] == "keras_inception_v3"
    assert (extractor.num_features, extractor.num_classes) == (2048, 1000)
    grey = extractor.features(IMAGES[:2])
    assert grey.shape == (2, 2048)
    np.testing.assert_array_equal(extractor.features(IMAGES[:2].repeat(3, axis=3)), grey)
    sample = IMAGES[:1].repeat(3, axis=3)
    resized = keras.ops.image.resize(sample.astype("float32"), (299, 299), antialias=False)
    network = keras.applications.InceptionV3(weights=None, classifier_activation=None)
    network.set_weights(extractor.model.get_weights())
    network = keras.Model(network.inputs[0], network.get_layer("avg_pool").output)
    expected = np.asarray(network(resized / 127.5 - 1, training=False))
    np.testing.assert_allclose(extractor.features(sample), expected, rtol=1e-3, atol=1e-5)
