"""Signatures: their functions against NumPy, and rows that make no sense."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from export import served, signatures
from tests.helpers import tiny_pair


def _plain():
    layers = keras.layers
    generator = [keras.Input((3,)), layers.Dense(16), layers.Reshape((4, 4, 1))]
    discriminator = [keras.Input((4, 4, 1)), layers.Conv2D(1, 2, 2)]
    return keras.Sequential(generator), keras.Sequential(discriminator)


@pytest.mark.parametrize("value_range", [(-2, 6), None])
def test_what_a_plain_generator_makes_can_be_said(value_range):
    """The answers in NumPy, with a map of four logits, whose mean is the score."""
    generator, discriminator = _plain()
    asked = signatures.of(served.Served(generator, discriminator), value_range)
    assert ("sample_png" in asked) == (value_range is not None)
    latents = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    made = np.asarray(generator(latents))
    if value_range is None:
        wanted, seen, name = made, made, "samples"
    else:
        wanted, name = np.clip((made + 2) / 8, 0, 1), "images"
        seen = 8 * wanted - 2
    got = asked["serving_default"].function(tf.constant(latents))
    np.testing.assert_allclose(got[name], wanted, atol=1e-6)
    scores = asked["score"].function(tf.constant(wanted))["logits"]
    logits = np.asarray(discriminator(seen)).reshape(5, 4).mean(axis=1)
    np.testing.assert_allclose(scores, logits, rtol=1e-5, atol=1e-5)


def ask(model, name, *inputs, **arguments):
    function = signatures.of(served.of(model, **arguments))[name].function
    answer = function(*[tf.constant(x) for x in inputs])
    return {key: value.numpy() for key, value in answer.items()}


BAD_LABELS = np.array([1, -1, 3, 2, 2**31 - 1], "int32")  # Of three classes.


def test_a_label_that_is_no_class_is_black_and_not_valid():
    generator, discriminator = tiny_pair(classes=3)
    seeds = np.arange(5)
    answer = ask(generator, "sample", seeds, BAD_LABELS)
    np.testing.assert_array_equal(answer["valid"], [True, False, False, True, False])
    wanted = generator.sample(2, labels=[1, 2], seed=[0, 3])
    np.testing.assert_array_equal(answer["images"][[0, 3]], wanted)
    assert not answer["images"][[1, 2, 4]].any()
    png = ask(generator, "sample_png", seeds, BAD_LABELS)
    np.testing.assert_array_equal(png["valid"], answer["valid"])
    decoded = [tf.io.decode_png(row).numpy() for row in png["png_bytes"]]
    np.testing.assert_array_equal(decoded, answer["images"])
    unit = answer["images"].astype("float32") / 255
    scores = ask(generator, "score", unit, BAD_LABELS, discriminator=discriminator)
    np.testing.assert_array_equal(scores["valid"], answer["valid"])
    assert scores["logits"][[0, 3]].all() and not scores["logits"][[1, 2, 4]].any()


def test_an_embedding_sees_no_label_that_is_no_class():
    """On a CPU it would fail, and with it the whole batch that a server merged."""
    latents, labels = keras.Input((4,), name="latents"), keras.Input((), dtype="int32", name="y")
    told = keras.layers.Embedding(3, 4)(labels)
    generator = keras.Model([latents, labels], keras.layers.Dense(2)(latents * told))
    answer = ask(generator, "serving_default", np.ones((5, 4), "float32"), BAD_LABELS)
    np.testing.assert_array_equal(answer["valid"], [True, False, False, True, False])
    wanted = generator([np.ones((2, 4), "float32"), np.array([1, 2])])
    np.testing.assert_allclose(answer["samples"][[0, 3]], wanted, rtol=1e-6)
    assert not answer["samples"][[1, 2, 4]].any()


def test_a_condition_that_is_no_number_is_not_valid():
    generator = zoo.MLPGenerator((2,), 3, (4,), num_conditions=2, output_activation="linear")
    told = np.array([[0, 1], [np.nan, 0], [0, np.inf]], "float32")
    answer = ask(generator, "sample", np.arange(3), told)
    np.testing.assert_array_equal(answer["valid"], [True, False, False])
    wanted = generator.sample(1, conditions=[[0, 1]], seed=[0])
    np.testing.assert_allclose(answer["samples"][:1], wanted, rtol=1e-6)
    assert not answer["samples"][1:].any()


def test_each_row_is_cut_where_it_asks():
    generator, _ = tiny_pair()
    limits = np.array([0.25, 1.0, np.inf, 0.0, -1.0, np.nan], "float32")
    answer = ask(generator, "sample_truncated", np.arange(6), limits)
    np.testing.assert_array_equal(answer["valid"], [True] * 3 + [False] * 3)
    for row, limit in enumerate([0.25, 1.0, None]):
        wanted = generator.sample(1, seed=[row], truncation=limit)[0]
        np.testing.assert_array_equal(answer["images"][row], wanted)
    assert not answer["images"][3:].any()
    cut = ask(generator, "latents_truncated", np.arange(6), limits)
    np.testing.assert_array_equal(cut["valid"], answer["valid"])
    wanted = zoo.latents.draw_rows("normal", 6, np.arange(3), tf.constant(limits[:3]))
    np.testing.assert_array_equal(cut["latents"][:3], wanted)
    assert not cut["latents"][3:].any()


def test_latents_are_what_a_seed_stands_for():
    generator, _ = tiny_pair()
    seeds = np.array([3, -1, 2**62])
    latents = ask(generator, "latents", seeds)["latents"]
    wanted = np.concatenate([zoo.latents.draw("normal", 1, 6, (int(s), 0)) for s in seeds])
    np.testing.assert_array_equal(latents, wanted)
    images = ask(generator, "serving_default", latents)["images"]
    np.testing.assert_array_equal(np.round(images * 255), generator.sample(3, seed=seeds))


@pytest.mark.parametrize("default", ["sample", "sample_png"])
def test_another_default(default):
    """Latents go by a name of their own, and the rest is as it was."""
    generator, _ = tiny_pair(classes=3)
    usual = signatures.of(served.of(generator))
    asked = signatures.of(served.of(generator), default=default)
    assert next(iter(asked)) == "serving_default"
    assert set(asked) == {*usual, "decode"} and "decode" not in usual
    assert (signatures.decoder(usual), signatures.decoder(asked)) == ("serving_default", "decode")
    assert [spec.name for spec in asked["serving_default"].inputs] == ["seed", "labels"]
    assert [spec.name for spec in asked["decode"].inputs] == ["latents", "labels"]
    seeds, labels = np.array([3, -1]), np.array([2, 0], "int32")
    given = tf.constant(seeds), tf.constant(labels)
    answer = asked["serving_default"].function(*given)
    if default == "sample_png":
        pictures = tf.stack([tf.io.decode_png(row) for row in answer["png_bytes"]])
    else:
        pictures = answer["images"]
    np.testing.assert_array_equal(pictures, generator.sample(2, labels, seeds))
    latents = asked["latents"].function(given[0])["latents"]
    unit = asked["decode"].function(latents, given[1])["images"]
    np.testing.assert_array_equal(np.round(unit * 255), pictures)


def test_a_default_that_cannot_be_had():
    points = served.of(zoo.MLPGenerator((2,), 3, (4,), output_activation="linear"))
    layers = [keras.Input((3,)), keras.layers.Dense(32, "sigmoid"), keras.layers.Reshape((4, 4, 2))]
    for networks, shape in ((points, r"\(2,\)"), (served.of(keras.Sequential(layers)), "4, 4, 2")):
        assert "serving_default" in signatures.of(networks, default="sample")
        message = (
            f"`default` cannot be 'sample_png'.*Expected 'latents' or 'sa.*Received: .*{shape}"
        )
        with pytest.raises(ValueError, match=message):
            signatures.of(networks, default="sample_png")
    with pytest.raises(ValueError, match="`default` is unknown. Expected one of .*'latents'"):
        signatures.of(points, default="png")


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_an_autoencoder_encodes_and_reconstructs(likelihood):
    vae = zoo.VAE((4, 4, 1), latent_dim=2, units=(5,), likelihood=likelihood)
    name = "images" if vae.traits.value_range else "samples"
    given = np.random.default_rng(0).uniform(0, 1, (3, 4, 4, 1)).astype("float32")
    weights = [np.asarray(w, "float64") for w in vae.encoder.weights]
    hidden = np.maximum(given.reshape(3, -1) @ weights[0] + weights[1], 0)
    encoded = hidden @ weights[2] + weights[3]
    answer = ask(vae, "encode", given)
    np.testing.assert_allclose(answer["latents"], encoded[:, :2], atol=1e-5)
    np.testing.assert_allclose(answer["log_variance"], encoded[:, 2:], atol=1e-5)
    again = ask(vae, "reconstruct", given)[name]
    np.testing.assert_allclose(again, vae(given), atol=1e-5)
    assert "encode" not in signatures.of(served.of(vae.generator))
