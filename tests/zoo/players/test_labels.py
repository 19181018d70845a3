"""Labels by concatenation and by projection: shapes, formulas, and that a label matters."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.helpers import run_player_test
from zoo.players.labels import EMBEDDING

DCGAN = {"image_shape": (8, 8, 3), "filters": 4, "num_classes": 3, "conditioning": "projection"}
MLP = {"image_shape": (3, 4, 1), "units": (6, 7), "num_classes": 3, "conditioning": "projection"}


@pytest.mark.parametrize(
    "cls, kwargs, weights",
    [
        # The embedding joins the latents alone; other layers have the sizes of a plain player.
        (zoo.DCGANGenerator, {**DCGAN, "latent_dim": 5}, 3 * 32 + 37 * 64 + 16 + 303),
        (zoo.DCGANDiscriminator, DCGAN, 300 + 65 + 3 * 64),
        (zoo.MLPGenerator, {**MLP, "latent_dim": 5}, 3 * 32 + 38 * 6 + 7 * 7 + 8 * 12),
        (zoo.MLPDiscriminator, {**MLP, "pieces": 2}, 13 * 12 + 7 * 14 + 8 + 3 * 7),
    ],
)
def test_players(tmp_path, cls, kwargs, weights):
    assert EMBEDDING == 32
    run_player_test(cls, kwargs, weights, tmp_path)


def test_the_logit_is_a_projection_on_the_classs_vector():
    model = zoo.DCGANDiscriminator(**DCGAN)
    images = np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 3)).astype("float32")
    labels = np.array([0, 1, 2, 2, 1, 0], "int32")
    outputs = model({"images": images, "labels": labels})
    features = outputs["features"].numpy().astype("float64")
    output, vectors = model.get_layer("output"), model.get_layer("output_labels").kernel.numpy()
    wanted = features @ output.kernel.numpy()[:, 0] + output.bias.numpy()
    wanted += np.sum(features * vectors[labels], axis=1)
    np.testing.assert_allclose(outputs["logits"], wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("conditioning", ["concat", "projection"])
@pytest.mark.parametrize("family", ["dcgan", "mlp"])
def test_a_label_changes_what_both_players_do(family, conditioning):
    keras.utils.set_random_seed(0)
    shared = {"num_classes": 3, "conditioning": conditioning}
    if family == "dcgan":
        shared["image_shape"] = (8, 8, 1)
        pair = zoo.DCGANGenerator(latent_dim=5, **shared), zoo.DCGANDiscriminator(**shared)
    else:
        shared["image_shape"] = (4, 4, 1)
        pair = zoo.MLPGenerator(latent_dim=5, **shared), zoo.MLPDiscriminator(**shared)
    generator, discriminator = pair
    latents = tf.repeat(zoo.latents.normal((1, 5), (0, 0)), 3, axis=0)
    labels = tf.constant([0, 1, 2])
    with tf.GradientTape() as tape:
        images = generator({"latents": latents, "labels": labels})
        loss = tf.reduce_sum(discriminator({"images": images, "labels": labels})["logits"])
    assert len(np.unique(np.round(images.numpy(), 9), axis=0)) == 3
    same = tf.repeat(images[:1], 3, axis=0)
    logits = discriminator({"images": same, "labels": labels})["logits"].numpy()
    assert len(np.unique(logits)) == 3
    weights = [
        w
        for player in pair
        for w in player.trainable_variables
        if conditioning == "concat" or "label" in w.path
    ]
    assert weights
    for gradient in tape.gradient(loss, weights):
        assert np.abs(gradient).max() > 0


def test_an_unknown_conditioning_is_refused():
    for cls in (zoo.DCGANGenerator, zoo.DCGANDiscriminator, zoo.MLPGenerator):
        with pytest.raises(ValueError, match="'concat', 'projection'.*conditioning='film'"):
            cls(num_classes=3, conditioning="film")
