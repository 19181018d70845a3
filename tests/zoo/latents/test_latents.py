"""One name for everything about latents, on every kind of generator."""

import keras
import numpy as np
import pytest

import zoo
from tests.helpers import tiny_mlp_pair, tiny_pair
from zoo import latents, players, random
from zoo.latents import inversion, walks


def test_one_name_for_everything_about_latents():
    for name in latents.__all__:
        homes = [home for home in (random, walks, inversion) if hasattr(home, name)]
        assert getattr(latents, name) is getattr(homes[0], name)
    # What a user types that is in one of the three files is here too.
    for home in (random, walks, inversion):
        public = {n for n, v in vars(home).items() if getattr(v, "__module__", "") == home.__name__}
        assert {n for n in public if not n.startswith("_")} <= set(latents.__all__)


def plain():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh")])


@pytest.mark.parametrize("classes", [None, 3])
@pytest.mark.parametrize("family", [tiny_pair, tiny_mlp_pair, plain])
def test_drawn_walked_added_and_found_again(family, classes):
    if family is plain:
        generator, classes = plain(), None
    else:
        generator = family(classes)[0]
    traits = players.traits(generator)
    labels = None if classes is None else np.arange(6, dtype="int32") % 3
    points = latents.from_seed(traits.prior, 3, traits.latent_dim, seed=0, truncation=0.8).numpy()
    path = latents.walk(points[0], points[1], 5, prior=traits.prior)
    point = latents.arithmetic(*points)
    images = players.decode(generator, np.concatenate([path, point[None]]), labels)
    assert images.shape == (6, *traits.image_shape)
    assert images.dtype == (np.float32 if family is plain else np.uint8)  # Points, or pictures.
    ends = players.decode(generator, points[:2], None if labels is None else labels[[0, 4]])
    # Points are not rounded, and a matrix product of other rows ends in another last bit.
    np.testing.assert_allclose(images[[0, 4]], ends, rtol=0, atol=1e-6 * (family is plain))
    found = zoo.latents.invert(generator, images, labels, starts=2, steps=60)
    # What is left is the rounding to uint8: 1/12 of the square of a grey level.
    assert np.all(found.mse < 1 / 255**2)
