"""R3GAN: against NumPy in float64, blocks that start as the identity, and the paper's recipe."""

import math

import keras
import numpy as np
import pytest

import trainers
from tests.helpers import player_inputs, run_player_test, tiny_data
from zoo.layers.resampling import BilinearResampling
from zoo.players.labels import EMBEDDING
from zoo.r3gan import R3GANDiscriminator, R3GANGenerator
from zoo.resnet import SIZES

TINY = {"filters": 4, "blocks": 1, "group_width": 2}
SMALL = {"image_shape": (28, 28, 1), **TINY}
CONCAT = {"num_classes": 3, "conditioning": "concat"}
PROJECTION = {"num_classes": 3, "conditioning": "projection"}
BLOCK = (4 * 8 + 8) + (9 * 2 * 8 + 8) + 8 * 4  # 1x1, 3x3 in four groups, 1x1 without biases


@pytest.mark.parametrize(
    "kwargs, weights",
    [
        # coefficients, maps, a block at each of 7, 14 and 28 pixels, image
        (SMALL, 5 * 4 + 7 * 7 * 4 + 3 * BLOCK + 4),
        ({**SMALL, **CONCAT}, 8 * 4 + 7 * 7 * 4 + 3 * (BLOCK + 3 * 8) + 4),
        ({**SMALL, **PROJECTION}, 3 * EMBEDDING + (5 + EMBEDDING) * 4 + 196 + 3 * BLOCK + 4),
        # 5, 10, 20 and 40 pixels, of which the last has half the maps
        ({"image_shape": (40, 40, 3), **TINY}, 20 + 100 + 3 * BLOCK + 8 + (12 + 76 + 8) + 6),
    ],
)
def test_generator(tmp_path, kwargs, weights):
    kwargs = {**kwargs, "latent_dim": 5}
    run_player_test(R3GANGenerator, kwargs, weights, tmp_path, "num_classes" in kwargs)


@pytest.mark.parametrize(
    "kwargs, weights",
    [
        # maps of the image, a block at each of 28, 14 and 7 pixels, products, logit
        (SMALL, 4 + 3 * BLOCK + 7 * 7 * 4 + 4),
        ({**SMALL, **CONCAT}, 4 + 3 * (BLOCK + 3 * 8) + 7 * 7 * 4 + 7),
        ({**SMALL, **PROJECTION}, 4 + 3 * BLOCK + 7 * 7 * 4 + 4 + 3 * 4),
        ({"image_shape": (40, 40, 3), **TINY}, 6 + (12 + 76 + 8) + 8 + 3 * BLOCK + 100 + 4),
    ],
)
def test_discriminator(tmp_path, kwargs, weights):
    run_player_test(R3GANDiscriminator, kwargs, weights, tmp_path, "num_classes" in kwargs)


def _scattered(model):
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(weight + rng.normal(0, 0.1, weight.shape))
    return model


def _convolve(x, layer):
    """A grouped convolution of stride 1, zeros outside, in float64."""
    kernel = layer.kernel.numpy().astype("float64")
    side, _, seen, units = kernel.shape
    _, height, width, channels = x.shape
    padded = np.pad(x, ((0, 0), (side // 2,) * 2, (side // 2,) * 2, (0, 0)))
    y = np.zeros((len(x), height, width, units)) + (layer.bias.numpy() if layer.use_bias else 0)
    for unit in range(units):
        first = unit * (channels // seen) // units * seen
        for i in range(side):
            for j in range(side):
                patch = padded[:, i : i + height, j : j + width, first : first + seen]
                y[..., unit] += patch @ kernel[i, j, :, unit]
    return y


def _block(x, model, name):
    h = x
    for k in range(3):
        h = _convolve(h, model.get_layer(f"{name}_convolution_{k}"))
        h = np.maximum(h, 0.2 * h) if k < 2 else h
    return x + h


def _resampled(x, up):
    return np.asarray(BilinearResampling(up, dtype="float64")(x))


def test_the_generator_is_the_published_function():
    model = _scattered(R3GANGenerator((40, 40, 3), latent_dim=5, **TINY))
    latents = player_inputs(model)
    coefficients = latents.astype("float64") @ model.get_layer("projection").kernel.numpy()
    x = coefficients[:, None, None] * model.get_layer("basis").basis.numpy()
    for stage in range(4):
        if stage == 3:
            x = _convolve(x, model.get_layer("stage_3_maps"))
        x = _block(_resampled(x, True) if stage else x, model, f"stage_{stage}_block_0")
    x = _convolve(x, model.get_layer("output"))
    np.testing.assert_allclose(model(latents), x, rtol=1e-4, atol=1e-4)


def test_the_discriminator_is_the_published_function():
    model = _scattered(R3GANDiscriminator((40, 40, 3), **TINY))
    images = player_inputs(model)
    x = _convolve(images.astype("float64"), model.get_layer("input_maps"))
    for stage in range(4):
        x = _resampled(x, False) if stage else x
        if stage == 1:
            x = _convolve(x, model.get_layer("stage_1_maps"))
        x = _block(x, model, f"stage_{stage}_block_0")
    features = np.einsum("nhwc,hwc->nc", x, model.get_layer("basis").basis.numpy())
    got = model(images)
    np.testing.assert_allclose(got["features"], features, rtol=1e-4, atol=1e-4)
    logits = features @ model.get_layer("output").kernel.numpy()[:, 0]
    np.testing.assert_allclose(got["logits"], logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cls", [R3GANGenerator, R3GANDiscriminator])
def test_a_block_starts_as_the_identity(cls):
    model = cls((28, 28, 1), filters=4, blocks=2, group_width=4)
    blocks = [layer for layer in model.layers if isinstance(layer, keras.layers.Add)]
    assert len(blocks) == 2 * 3
    ends = keras.Model(model.input, [[layer.input[0], layer.output] for layer in blocks])
    for before, after in ends(player_inputs(model)):
        np.testing.assert_array_equal(before, after)
        assert np.abs(before).max() > 0


def test_first_weights_shrink_with_the_number_of_blocks():
    """`Var w = 2 / (1 + 0.2^2) / fan_in / sqrt(blocks)`; kernels outside the blocks 1 / fan_in."""
    keras.utils.set_random_seed(0)
    model = R3GANDiscriminator((32, 32, 3), filters=64, blocks=2)
    inside = 2 / 1.04 / math.sqrt(2 * 4)
    for layer in model.layers:
        if hasattr(layer, "kernel") and not layer.name.endswith("convolution_2"):
            kernel = layer.kernel.numpy()
            fan_in = np.prod(kernel.shape[:-1])
            wanted = (inside if "block" in layer.name else 1.0) / fan_in
            assert abs(kernel.var() / wanted - 1) < 5 * math.sqrt(2 / kernel.size), layer.name
    basis = model.get_layer("basis").basis.numpy()
    assert abs(basis.var() * 16 - 1) < 5 * math.sqrt(2 / basis.size)


@pytest.mark.parametrize("size", [28, 32, 48, 64, 96])
def test_sizes(size):
    shape = (size, size, 3)
    tiny = {"filters": 8, "blocks": 1, "group_width": 4}
    images = R3GANGenerator(shape, latent_dim=3, **tiny).sample(2, seed=0)
    assert images.shape == (2, *shape) and images.dtype == np.uint8
    result = R3GANDiscriminator(shape, **tiny)(np.zeros((2, *shape), "float32"))
    assert result["logits"].shape == (2,) and result["features"].shape == (2, 8)


def _widths(model):
    """The maps at each side."""
    blocks = [layer for layer in model.layers if isinstance(layer, keras.layers.Add)]
    return {layer.output.shape[1]: layer.output.shape[-1] for layer in blocks}


def test_the_published_widths():
    """768 maps up to 32 pixels, 384 at 64 and 192 at 128: divided by 48."""
    wanted = {4: 16, 8: 16, 16: 16, 32: 16, 64: 8, 128: 4}
    small = {"filters": 16, "blocks": 1, "group_width": 8}
    assert _widths(R3GANGenerator((128, 128, 3), **small)) == wanted
    assert _widths(R3GANDiscriminator((128, 128, 3), **small)) == wanted
    published = R3GANGenerator(filters=768, blocks=1)
    assert _widths(published) == {4: 768, 8: 768, 16: 768, 32: 768}
    assert published.get_layer("stage_0_block_0_convolution_1").groups == 96


@pytest.mark.parametrize("labels", [CONCAT, PROJECTION])
def test_labels_reach_the_sample_and_the_logit(labels):
    for cls, output in ((R3GANGenerator, None), (R3GANDiscriminator, "logits")):
        model = _scattered(cls(**SMALL, **labels))
        inputs = player_inputs(model)
        a, b = (model({**inputs, "labels": (inputs["labels"] + k) % 3}) for k in range(2))
        a, b = (x[output] if output else x for x in (a, b))
        assert (np.abs(a - b).reshape(4, -1).max(1) > 1e-6).all()


def test_the_recipe_of_the_paper():
    keras.utils.set_random_seed(0)
    gan = trainers.GAN(
        R3GANGenerator(**SMALL, latent_dim=5, **PROJECTION),
        R3GANDiscriminator(**SMALL, **PROJECTION),
        seed=0,
    )
    penalties = [trainers.penalties.R1(0.05), trainers.penalties.R2(0.05)]
    gan.compile("relativistic_pairing", discriminator_penalties=penalties, jit_compile=False)
    before = [v.numpy() for v in gan.generator.variables + gan.discriminator.variables]
    history = gan.fit(tiny_data((28, 28, 1), 8)[0], tiny_data(count=8)[1], batch_size=4, verbose=0)
    assert all(np.isfinite(v).all() for v in history.history.values())
    assert history.history["discriminator_penalty"][0] > 0
    for old, new in zip(before, gan.generator.variables + gan.discriminator.variables, strict=True):
        assert not np.array_equal(old, new), new.path  # After two steps the first kernels too.


@pytest.mark.parametrize("cls", [R3GANGenerator, R3GANDiscriminator])
def test_messages(cls):
    assert 45 not in SIZES
    with pytest.raises(ValueError, match="R3GAN.*near are 40 and 48.*Received: image_shape="):
        cls((45, 45, 3))
    with pytest.raises(ValueError, match="multiple of 32 at image_shape=.*Received: filters=48"):
        cls((128, 128, 3), filters=48)
    with pytest.raises(ValueError, match="multiple of 5 at image_shape=.*Received: filters=64"):
        cls(filters=64, group_width=10)
    with pytest.raises(ValueError, match="Received: blocks=0"):
        cls(filters=64, blocks=0)
    with pytest.raises(ValueError, match="conditioning='film'"):
        cls(filters=64, num_classes=3, conditioning="film")
