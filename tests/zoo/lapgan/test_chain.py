"""LAPGAN's players: the chain from coarse to fine, the published nets, and flat latents."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import (
    largest_difference,
    outputs,
    player_inputs,
    run_labels_test,
    run_player_test,
)
from zoo import lapgan, latents, players
from zoo.lapgan import chain as lapgan_chain
from zoo.lapgan import pyramid

GENERATOR = {"image_shape": (8, 8, 3), "levels": 3, "latent_dim": 5, "filters": 4, "units": (6,)}
DISCRIMINATOR = {"image_shape": (8, 8, 3), "levels": 3, "filters": 4, "units": (6,)}


def _band_generator_weights(side, classes):
    planes = 3 + 1 + (classes is not None)
    label_plane = 0 if classes is None else classes * side**2
    return label_plane + (49 * planes + 1) * 4 + (49 * 4 + 1) * 4 + (25 * 4 + 1) * 3


def _band_discriminator_weights(side, classes):
    planes = 3 + (classes is not None)
    label_plane = 0 if classes is None else classes * side**2
    return label_plane + (25 * planes + 1) * 4 + (25 * 4 + 1) * 4 + (side // 2) ** 2 * 4 + 1


@pytest.mark.parametrize("classes", [None, 3])
def test_generator(tmp_path, classes):
    joined = classes or 0
    coarsest = (5 + joined + 1) * 6 + (6 + joined + 1) * 12
    weights = coarsest + sum(_band_generator_weights(side, classes) for side in (4, 8))
    kwargs = {**GENERATOR, "num_classes": classes}
    model = run_player_test(lapgan.LaplacianGenerator, kwargs, weights, tmp_path)
    assert model.latent_dim == 5 + 16 + 64


@pytest.mark.parametrize("classes", [None, 3])
def test_discriminator(tmp_path, classes):
    joined = classes or 0
    coarsest = (12 + joined + 1) * 6 + (6 + joined + 1)
    weights = coarsest + sum(_band_discriminator_weights(side, classes) for side in (4, 8))
    kwargs = {**DISCRIMINATOR, "num_classes": classes}
    model = run_player_test(lapgan.LaplacianDiscriminator, kwargs, weights, tmp_path)
    # The levels that its own graph does not show are in the file too.
    loaded = keras.saving.load_model(tmp_path / "player.keras")
    for part, again in zip(model.parts, loaded.parts, strict=True):
        inputs = player_inputs(part)
        assert largest_difference(outputs(part, inputs), outputs(again, inputs)) == 0


@pytest.mark.parametrize(
    "shape, levels, sides",
    [
        ((28, 28, 1), 3, (7, 14, 28)),
        ((32, 32, 3), 3, (8, 16, 32)),
        ((64, 64, 1), 4, (8, 16, 32, 64)),
        ((96, 96, 3), 4, (12, 24, 48, 96)),
        ((8, 8, 1), 1, (8,)),
    ],
)
def test_the_chain_has_every_size_and_ends_in_the_output(shape, levels, sides):
    generator = lapgan.LaplacianGenerator(shape, levels, 6, filters=2, units=(8,))
    assert generator.latent_dim == 6 + sum(side**2 for side in sides[1:])
    drawn = latents.from_seed("uniform", 2, generator.latent_dim, 3)
    chain = generator.chain(drawn)
    assert [tuple(p.shape) for p in chain] == [(2, side, side, shape[2]) for side in sides]
    np.testing.assert_allclose(chain[-1], generator(drawn), atol=1e-6)
    pixels = players.to_pixels(players.to_unit(chain[-1], generator.value_range))
    sampled = generator.sample(2, seed=3).astype(int)
    assert sampled.shape == (2, *shape) and np.abs(pixels - sampled).max() <= 1  # Of 255.
    discriminator = lapgan.LaplacianDiscriminator(shape, levels, filters=2, units=(8,))
    for part, picture in zip(discriminator.parts, chain, strict=True):
        assert part(picture)["logits"].shape == (2,)
    logits = discriminator(chain[-1])["logits"]
    np.testing.assert_allclose(logits, discriminator.parts[-1](chain[-1])["logits"], atol=1e-6)


class _Known:
    """A generator of a level that makes what it is told, and remembers what it was given."""

    latent_dim = 1

    def __init__(self, output):
        self.output = output

    def __call__(self, inputs, training):
        self.inputs = inputs
        return self.output


@pytest.mark.parametrize("shape, levels", [((28, 28, 1), 3), ((32, 32, 3), 3), ((96, 96, 3), 4)])
def test_the_true_residuals_give_the_exact_image_back(shape, levels):
    images = np.random.default_rng(1).uniform(-1, 1, (2, *shape)).astype("float32")
    parts = [_Known(part) for part in pyramid.decompose(images, levels)]
    drawn = tf.reshape(tf.range(2.0 * levels), (2, levels))
    chain = lapgan_chain.grow(parts, drawn)
    assert np.abs(chain[-1] - images).max() <= (levels - 1) * 2.0**-23
    sizes = pyramid.pictures(images, levels)
    for level, (part, picture, true) in enumerate(zip(parts, chain, sizes, strict=True)):
        np.testing.assert_allclose(picture, true, atol=1e-6)
        piece = part.inputs["latents"] if level else part.inputs
        np.testing.assert_array_equal(piece[:, 0], [level, levels + level])
        if level:
            np.testing.assert_allclose(
                part.inputs["coarse"], pyramid.up(sizes[level - 1]), atol=1e-6
            )


def test_every_picture_of_the_chain_is_cut_to_the_range():
    parts = [_Known(np.full((1, 2, 2, 1), 3.0, "float32"))]
    parts.append(_Known(np.full((1, 4, 4, 1), -0.25, "float32")))
    first, last = lapgan_chain.grow(parts, tf.zeros((1, 2)))
    assert np.all(first == 1.0) and np.all(last == 0.75)


def test_a_level_hears_its_own_plane_and_those_below():
    generator = lapgan.LaplacianGenerator((8, 8, 1), 3, 5, filters=4, units=(6,))
    drawn = latents.from_seed("uniform", 1, generator.latent_dim, 0).numpy()
    before = generator.chain(drawn)
    for level, piece in enumerate((slice(0, 5), slice(5, 21), slice(21, 85))):
        changed = drawn.copy()
        changed[:, piece] += 0.5
        moved = [np.abs(a - b).max() for a, b in zip(before, generator.chain(changed), strict=True)]
        assert [m > 1e-5 for m in moved] == [k >= level for k in range(3)]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_labels_reach_every_level(level):
    generator = lapgan.LaplacianGenerator(**GENERATOR, num_classes=3).parts[level]
    discriminator = lapgan.LaplacianDiscriminator(**DISCRIMINATOR, num_classes=3).parts[level]
    run_labels_test(generator, discriminator)


def test_labels_reach_the_chain():
    generator = lapgan.LaplacianGenerator(**GENERATOR, num_classes=3)
    drawn = latents.from_seed("uniform", 2, generator.latent_dim, 0)
    a, b = generator.chain(drawn, [0, 1]), generator.chain(drawn, [0, 2])
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x[0], y[0], atol=1e-6)
        assert np.abs(x[1] - y[1]).max() > 1e-5
    whole = generator({"latents": drawn, "labels": tf.constant([0, 1])})
    np.testing.assert_allclose(a[-1], whole, atol=1e-6)


def test_the_published_dense_nets_of_the_coarsest_level():
    coarsest = lapgan.LaplacianGenerator(num_classes=10).parts[0]
    assert coarsest.units == (1200, 1200) and coarsest.image_shape == (8, 8, 3)
    assert lapgan.LaplacianDiscriminator(num_classes=10).parts[0].units == (600, 600)


def test_a_discriminator_of_whole_pictures_moves_its_finest_level():
    discriminator = lapgan.LaplacianDiscriminator(**DISCRIMINATOR)
    finest = discriminator.parts[-1].trainable_variables
    assert [id(v) for v in discriminator.trainable_variables] == [id(v) for v in finest]
    assert len(discriminator.weights) == sum(len(part.weights) for part in discriminator.parts)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(discriminator(player_inputs(discriminator))["logits"])
    assert all(g is not None for g in tape.gradient(loss, discriminator.trainable_variables))


@pytest.mark.parametrize("cls", [lapgan.LaplacianGenerator, lapgan.LaplacianDiscriminator])
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"image_shape": (28, 28, 1), "levels": 4}, r"multiples of 8.*\(32, 32\).*levels=4"),
        ({"image_shape": (28, 28)}, r"Received: image_shape=\(28, 28\)"),
        ({"levels": 0}, "levels=0"),
        ({"filters": 0}, "filters=0"),
        ({"units": (0,)}, "units=0"),
        ({"num_classes": 0}, "num_classes=0"),
    ],
)
def test_arguments_that_make_no_sense(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        cls(**arguments)


def test_rates_and_priors_that_make_no_sense():
    with pytest.raises(ValueError, match=r"`dropout` .*\[0, 1\).* Received: dropout=1"):
        lapgan.LaplacianDiscriminator(dropout=1)
    with pytest.raises(ValueError, match="Received: latent_dim=0"):
        lapgan.LaplacianGenerator(latent_dim=0)
    with pytest.raises(ValueError, match="`prior` is unknown.*prior='cauchy'"):
        lapgan.LaplacianGenerator(prior="cauchy")
