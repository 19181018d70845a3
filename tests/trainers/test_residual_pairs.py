"""The residual pairs under a trainer: every weight moves, and a saved training goes on exactly."""

import numpy as np
import pytest

import zoo
from tests.helpers import compiled, run_resume_test, tiny_data
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
SHAPE = (28, 28, 1)


GRAPH = pytest.param({"jit_compile": False}, marks=pytest.mark.long)


@pytest.mark.parametrize("modes", [{"run_eagerly": True}, GRAPH], ids=["eager", "graph"])
@pytest.mark.parametrize("name", PAIRS)
def test_a_saved_training_goes_on(name, modes, tmp_path):
    generator, discriminator, sizes, objective, penalties = PAIRS[name]
    shared = {"image_shape": SHAPE, "num_classes": 3, "conditioning": "projection", **sizes}
    starts = []

    def make(**modes):
        gan = GAN(generator(latent_dim=6, **shared), discriminator(**shared), seed=0)
        starts.append([*gan.generator.get_weights(), *gan.discriminator.get_weights()])
        terms = {"discriminator_penalties": penalties}
        return compiled(gan, objective, ema_decay=0.9, **terms, **modes)

    gan, _ = run_resume_test(make, tiny_data(SHAPE), tmp_path, steps=2, **modes)
    weights = [*gan.generator.weights, *gan.discriminator.weights]
    still = [w.path for w, b in zip(weights, starts[0], strict=True) if np.array_equal(w, b)]
    assert not still
