"""The residual pairs under a trainer: every weight moves, and a saved training goes on exactly."""

import keras
import numpy as np
import pytest

import zoo
from tests.helpers import all_variables, batches, tiny_data
from trainers import GAN
from trainers.penalties import R1, R2

PAIRS = {
    "resnet": (zoo.ResNetGenerator, zoo.ResNetDiscriminator, {"filters": 4}, "hinge", []),
    "r3gan": (
        zoo.R3GANGenerator,
        zoo.R3GANDiscriminator,
        {"filters": 16, "group_width": 4, "blocks": 1},
        "relativistic_pairing",
        [R1(0.1), R2(0.1)],
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_saved_training_goes_on(name, tmp_path):
    generator, discriminator, sizes, objective, penalties = PAIRS[name]
    keras.utils.set_random_seed(0)
    shared = {"image_shape": (28, 28, 1), "num_classes": 3, "conditioning": "projection", **sizes}
    gan = GAN(generator(latent_dim=6, **shared), discriminator(**shared), seed=0)
    gan.compile(objective, discriminator_penalties=penalties, ema_decay=0.9, jit_compile=False)
    data = tiny_data((28, 28, 1), count=32)
    weights = [*gan.generator.trainable_weights, *gan.discriminator.trainable_weights]
    before = [np.array(weight) for weight in weights]
    gan.fit(batches(data, 8, 2), verbose=0)
    still = [w.path for w, b in zip(weights, before, strict=True) if np.array_equal(w, b)]
    assert not still
    zoo.saving.save(gan, tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    for trainer in (gan, loaded):
        history = trainer.fit(batches(data, 8, 2), verbose=0).history
        assert all(np.isfinite(values).all() for values in history.values())
    for a, b in zip(all_variables(gan), all_variables(loaded), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
