"""The residual pair: against NumPy in float64, published widths, sizes, and spectral norms."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.helpers import player_inputs, run_player_test, tiny_data
from zoo.layers.spectral_normalization import SpectralNormalization
from zoo.players.labels import EMBEDDING
from zoo.resnet import SIZES, ResNetDiscriminator, ResNetGenerator, doublings

SMALL = {"image_shape": (28, 28, 1), "filters": 2, "max_filters": 3}
CONCAT = {"num_classes": 3, "conditioning": "concat"}
PROJECTION = {"num_classes": 3, "conditioning": "projection"}


@pytest.mark.parametrize(
    "labels, weights",
    [
        # projection 5*7*7*3; blocks of 3 -> 3 and 3 -> 2 maps: two normalizations, two 3x3
        # convolutions, one 1x1; normalization and 3x3 convolution to one channel
        ({}, 735 + (24 + 81 + 81 + 9) + (20 + 54 + 36 + 6) + 8 + 19),
        (CONCAT, 1073 + 3 * 147 + 3 * 27 + 3 * 18 + 27),
        (PROJECTION, 1073 + 3 * EMBEDDING + EMBEDDING * 147),
    ],
)
def test_generator(tmp_path, labels, weights):
    run_player_test(
        ResNetGenerator, {**SMALL, "latent_dim": 5, **labels}, weights, tmp_path, bool(labels)
    )


@pytest.mark.parametrize(
    "labels, weights, vectors",
    [
        # blocks of 1 -> 2, 2 -> 3, 3 -> 3 and 3 -> 3 maps, logit; one u a kernel's output
        ({}, (20 + 38 + 4) + (38 + 57 + 9) + 168 + 168 + 4, 6 + 8 + 6 + 6 + 1),
        (CONCAT, 506 + 3 * 18 + 3 * 18 + 3 * 27 + 3 * 27 + 3, 27),
        (PROJECTION, 506 + 3 * 3, 27 + 3),
    ],
)
@pytest.mark.parametrize("spectral", [False, True])
def test_discriminator(tmp_path, labels, weights, vectors, spectral):
    kwargs = {**SMALL, **labels, "spectral_normalization": spectral}
    weights += vectors if spectral else 0
    run_player_test(ResNetDiscriminator, kwargs, weights, tmp_path, policies=bool(labels))


def _scatter(model):
    """Moves the weights off their initial values; variances stay positive."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        moved = rng.normal(0, 0.1, weight.shape)
        weight.assign(weight + (np.abs(moved) if "variance" in weight.path else moved))


def _convolve(x, layer):
    """A convolution of stride 1, zeros outside, in float64."""
    kernel = layer.kernel.numpy().astype("float64")
    margin = kernel.shape[0] // 2
    _, height, width, _ = x.shape
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    return (layer.bias.numpy() if layer.use_bias else 0) + sum(
        padded[:, i : i + height, j : j + width] @ kernel[i, j]
        for i in range(kernel.shape[0])
        for j in range(kernel.shape[1])
    )


def _normalize(x, layer):
    gamma, beta, mean, variance = (w.numpy().astype("float64") for w in layer.weights)
    return gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta


def _up(x):
    return x.repeat(2, 1).repeat(2, 2)


def _down(x):
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).mean((2, 4))


def _relu(x):
    return np.maximum(x, 0)


def test_the_generator_is_the_published_function():
    """As published: the shortcut is resampled first, and then multiplied."""
    model = ResNetGenerator(**SMALL, latent_dim=5)
    _scatter(model)
    latents = player_inputs(model)
    layer = model.get_layer
    x = latents.astype("float64") @ layer("projection").kernel.numpy()
    x = x.reshape(-1, 7, 7, 3)
    for name in ("block_0", "block_1"):
        h = _up(_relu(_normalize(x, layer(f"{name}_0_normalization"))))
        h = _convolve(h, layer(f"{name}_convolution_0"))
        h = _relu(_normalize(h, layer(f"{name}_1_normalization")))
        h = _convolve(h, layer(f"{name}_convolution_1"))
        x = _convolve(_up(x), layer(f"{name}_shortcut")) + h
    x = np.tanh(_convolve(_relu(_normalize(x, layer("last_normalization"))), layer("output")))
    np.testing.assert_allclose(model(latents), x, rtol=1e-4, atol=1e-5)


def test_the_discriminator_is_the_published_function():
    model = ResNetDiscriminator(**SMALL, spectral_normalization=False)
    _scatter(model)
    images = player_inputs(model)
    layer = model.get_layer
    x = images.astype("float64")
    for k in range(4):
        h = _convolve(_relu(x) if k else x, layer(f"block_{k}_convolution_0"))
        h = _convolve(_relu(h), layer(f"block_{k}_convolution_1"))
        if k < 2:
            h, x = _down(h), _down(_convolve(x, layer(f"block_{k}_shortcut")))
        x = x + h
    features = _relu(x).sum((1, 2))
    logits = features @ layer("output").kernel.numpy()[:, 0] + layer("output").bias.numpy()
    got = model(images)
    np.testing.assert_allclose(got["features"], features, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(got["logits"], logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [28, 32, 48, 64, 96])
def test_sizes(size):
    shape = (size, size, 3)
    generator = ResNetGenerator(shape, latent_dim=3, filters=2)
    images = generator.sample(2, seed=0)
    assert images.shape == (2, *shape) and images.dtype == np.uint8
    result = ResNetDiscriminator(shape, filters=2)(np.zeros((2, *shape), "float32"))
    assert result["logits"].shape == (2,)
    assert result["features"].shape == (2, 2 if size <= 32 else 32)


def test_every_size_is_a_doubled_base():
    assert SIZES == (28, 32, 40, 48, 56, 64, 80, 96, 112, 128)
    for size in SIZES:
        count, base = doublings((size, size, 1), "ResNet")
        assert base in (4, 5, 6, 7) and base * 2**count == size


def _blocks(model):
    """Side and maps of what each block returns."""
    adds = [la for la in model.layers if isinstance(la, keras.layers.Add) and "block" in la.name]
    return [la.output.shape[2:] for la in adds]


@pytest.mark.parametrize(
    "size, base, generator, discriminator",
    [  # The maps of tables 4, 5 and 6, divided by 16.
        (32, (4, 16), [(8, 16), (16, 16), (32, 16)], [(16, 8), (8, 8), (8, 8), (8, 8)]),
        (
            48,
            (6, 32),
            [(12, 16), (24, 8), (48, 4)],
            [(24, 4), (12, 8), (6, 16), (3, 32), (3, 64)],
        ),
        (
            128,
            (4, 64),
            [(8, 64), (16, 32), (32, 16), (64, 8), (128, 4)],
            [(64, 4), (32, 8), (16, 16), (8, 32), (4, 64), (4, 64)],
        ),
    ],
)
def test_the_published_widths(size, base, generator, discriminator):
    narrow = (16, 8) if size == 32 else (4, 4)
    model = ResNetGenerator((size, size, 3), latent_dim=3, filters=narrow[0])
    assert model.get_layer("maps").output.shape[2:] == base and _blocks(model) == generator
    model = ResNetDiscriminator((size, size, 3), filters=narrow[1], spectral_normalization=False)
    assert _blocks(model) == discriminator


def test_the_defaults_are_the_published_widths():
    assert (ResNetGenerator().filters, ResNetGenerator().max_filters) == (256, 256)
    assert ResNetDiscriminator().filters == ResNetDiscriminator().max_filters == 128
    for cls in (ResNetGenerator, ResNetDiscriminator):
        model = cls((40, 40, 1))
        assert (model.filters, model.max_filters) == (64, 1024)


def test_no_bias_is_followed_by_a_normalization():
    """Its gradient would be rounding, which Adam makes a full step of."""
    model = ResNetGenerator(**SMALL, latent_dim=5)
    biased = [layer.name for layer in model.layers if getattr(layer, "use_bias", False)]
    assert biased == ["output"]


def test_every_kernel_is_called_with_norm_one():
    keras.utils.set_random_seed(0)
    model = ResNetDiscriminator((28, 28, 3), filters=4, **PROJECTION)
    inputs = player_inputs(model)
    call = tf.function(lambda: model(inputs, training=True)["logits"])
    for _ in range(60):
        call()
    wrapped = [layer for layer in model.layers if isinstance(layer, SpectralNormalization)]
    assert len(wrapped) == 8 + 2 + 2  # Two a block, two shortcuts, the logit, the classes.
    assert not any(hasattr(layer, "kernel") for layer in model.layers if layer not in wrapped)
    for layer in wrapped:
        kernel = layer.normalized_kernel().numpy().astype("float64")
        sigma = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
        np.testing.assert_allclose(sigma, 1, rtol=1e-3, err_msg=layer.name)


def test_the_logit_of_an_example_does_not_depend_on_the_others():
    model = ResNetDiscriminator(**SMALL)
    kinds = {type(layer).__name__ for layer in model.layers}
    assert "BatchNormalization" not in kinds
    images = player_inputs(model)
    together = model(images)["logits"]
    np.testing.assert_allclose(model(images[2:3])["logits"], together[2:3], rtol=1e-5)


@pytest.mark.parametrize("labels", [CONCAT, PROJECTION])
def test_labels_reach_the_sample_and_the_logit(labels):
    keras.utils.set_random_seed(0)
    for cls, output in ((ResNetGenerator, None), (ResNetDiscriminator, "logits")):
        model = cls(**SMALL, **labels)
        inputs = player_inputs(model)
        a, b = (model({**inputs, "labels": (inputs["labels"] + k) % 3}) for k in range(2))
        a, b = (x[output] if output else x for x in (a, b))
        assert (np.abs(a - b).reshape(4, -1).max(1) > 1e-6).all()


def test_training():
    keras.utils.set_random_seed(0)
    gan = trainers.GAN(
        ResNetGenerator(**SMALL, latent_dim=5, **PROJECTION),
        ResNetDiscriminator(**SMALL, **PROJECTION),
        seed=0,
    )
    gan.compile("hinge", jit_compile=False)
    before = [v.numpy() for v in gan.generator.variables + gan.discriminator.variables]
    history = gan.fit(tiny_data((28, 28, 1), 8)[0], tiny_data(count=8)[1], batch_size=4, verbose=0)
    assert all(np.isfinite(v).all() for v in history.history.values())
    for old, new in zip(before, gan.generator.variables + gan.discriminator.variables, strict=True):
        assert not np.array_equal(old, new), new.path


@pytest.mark.parametrize("cls", [ResNetGenerator, ResNetDiscriminator])
def test_messages(cls):
    for side, near in ((30, "28 and 32"), (45, "40 and 48"), (256, "112 and 128"), (8, "28 and")):
        with pytest.raises(ValueError, match=f"near are {near}.*Received: image_shape="):
            cls((side, side, 3))
    for shape in ((32, 64, 3), (32, 32), (32, 32, 0)):
        with pytest.raises(ValueError, match="Received: image_shape="):
            cls(shape)
    with pytest.raises(ValueError, match="Expected at least 8. Received: max_filters=4"):
        cls(filters=8, max_filters=4)
    with pytest.raises(ValueError, match="Received: filters=0"):
        cls(filters=0)
    with pytest.raises(ValueError, match="conditioning='film'"):
        cls(num_classes=3, conditioning="film")
