"""DCGAN: the paper's rules, every size that works, and a named refusal of the others."""

import keras
import numpy as np
import pytest

import zoo
from tests.helpers import run_labels_test, run_player_test

GENERATOR = {"image_shape": (8, 8, 3), "latent_dim": 5, "filters": 4}
DISCRIMINATOR = {"image_shape": (8, 8, 3), "filters": 4}


@pytest.mark.parametrize(
    "classes, units, weights",
    [
        # projection 5*4*4*4, normalization 4*4, output 25*4*3 + 3
        (None, (), 320 + 16 + 303),
        # labels add 3 inputs to the projection and to the output
        (3, (), 8 * 64 + 16 + 25 * 7 * 3 + 3),
        # a dense layer 5*6 with its normalization 4*6, and 6 inputs to the projection
        (None, (6,), 30 + 24 + 6 * 64 + 16 + 303),
        (3, (6,), 8 * 6 + 24 + 9 * 64 + 16 + 25 * 7 * 3 + 3),
    ],
)
def test_generator(tmp_path, classes, units, weights):
    kwargs = {**GENERATOR, "num_classes": classes, "units": units}
    run_player_test(zoo.DCGANGenerator, kwargs, weights, tmp_path)


@pytest.mark.parametrize(
    "classes, units, weights",
    [
        # convolution 25*3*4, output 4*4*4 + 1
        (None, (), 300 + 65),
        (3, (), 25 * 6 * 4 + 67 + 1),
        # a dense layer 64*6 with its normalization 4*6, output 6 + 1
        (None, (6,), 300 + 384 + 24 + 7),
        (3, (6,), 25 * 6 * 4 + 67 * 6 + 24 + 9 + 1),
    ],
)
def test_discriminator(tmp_path, classes, units, weights):
    kwargs = {**DISCRIMINATOR, "num_classes": classes, "units": units}
    run_player_test(zoo.DCGANDiscriminator, kwargs, weights, tmp_path)


@pytest.mark.parametrize("cls", [zoo.DCGANGenerator, zoo.DCGANDiscriminator])
def test_hidden_dense_layers(cls):
    """The nets for MNIST: a dense layer of 1,024, whose output D calls its features."""
    model = cls((28, 28, 1), filters=4, units=(1024,))
    assert model.get_layer("dense_0").units == 1024
    if cls is zoo.DCGANDiscriminator:
        assert model.output["features"].shape == (None, 1024)
        plain = cls((28, 28, 1), filters=4, units=(8,), batch_normalization=False)
        assert plain.get_layer("dense_0").use_bias
        assert not any("normalization" in layer.name for layer in plain.layers)
    with pytest.raises(ValueError, match="units"):
        cls((28, 28, 1), units=(0,))


@pytest.mark.parametrize(
    "shape, base",
    [
        ((8, 8, 1), (4, 4)),
        ((12, 12, 2), (6, 6)),
        ((28, 28, 1), (7, 7)),
        ((32, 32, 3), (4, 4)),
        ((64, 64, 3), (4, 4)),
        ((20, 36, 4), (5, 9)),
        ((16, 64, 1), (4, 16)),
    ],
)
def test_sizes_and_channels(shape, base):
    generator = zoo.DCGANGenerator(shape, latent_dim=3, filters=2)
    discriminator = zoo.DCGANDiscriminator(shape, filters=2)
    assert generator.get_layer("maps").output.shape[1:3] == base
    assert generator.sample(2, seed=0).shape == (2, *shape)
    result = discriminator(np.zeros((2, *shape), "float32"))
    assert result["logits"].shape == (2,)
    assert result["features"].shape == (2, *discriminator.output["features"].shape[1:])


@pytest.mark.parametrize("cls", [zoo.DCGANGenerator, zoo.DCGANDiscriminator])
@pytest.mark.parametrize("shape", [(4, 4, 1), (30, 30, 1), (28, 27, 1), (28, 28), (8, 8, 0)])
def test_sizes_that_cannot_work_are_refused_by_name(cls, shape):
    with pytest.raises(ValueError, match="Received: image_shape="):
        cls(shape)


def test_the_rules_of_the_paper():
    keras.utils.set_random_seed(1)
    generator = zoo.DCGANGenerator((64, 64, 3), latent_dim=100, filters=16)
    discriminator = zoo.DCGANDiscriminator((64, 64, 3), filters=16)
    for model, strided in (
        (generator, keras.layers.Conv2DTranspose),
        (discriminator, keras.layers.Conv2D),
    ):
        kinds = [type(layer).__name__ for layer in model.layers]
        assert not any("Pool" in kind or "UpSampling" in kind for kind in kinds)
        convolutions = [la for la in model.layers if isinstance(la, strided)]
        assert len(convolutions) == 4 and all(la.strides == (2, 2) for la in convolutions)
        assert kinds.count("Dense") == 1  # The projection, or the logit: none is hidden.
        assert kinds.count("BatchNormalization") == {generator: 4, discriminator: 3}[model]
        for layer in model.layers:
            if hasattr(layer, "kernel"):
                kernel = layer.kernel.numpy()
                assert abs(kernel.mean()) < 5 * 0.02 / np.sqrt(kernel.size)
                assert abs(kernel.std() / 0.02 - 1) < 5 / np.sqrt(2 * kernel.size)
    order = [la.name for la in generator.layers]
    assert order[-2:] == ["output", "samples"]  # No batch norm on the generator's output
    assert generator.layers[-1].activation is keras.activations.tanh
    assert [la.name for la in discriminator.layers][1:3] == ["convolution_0", "leaky_relu_0"]
    assert discriminator.get_layer("leaky_relu_0").negative_slope == 0.2


def test_biases_take_the_place_of_batch_normalization():
    plain = zoo.DCGANDiscriminator((16, 16, 1), filters=2, batch_normalization=False)
    kinds = [type(layer).__name__ for layer in plain.layers]
    assert "BatchNormalization" not in kinds
    assert all(la.use_bias for la in plain.layers if type(la).__name__ == "Conv2D")
    normal = zoo.DCGANDiscriminator((16, 16, 1), filters=2)
    assert not any(la.use_bias for la in normal.layers if type(la).__name__ == "Conv2D")


def test_labels_reach_the_sample_and_the_logit():
    generator = zoo.DCGANGenerator(**GENERATOR, num_classes=3)
    discriminator = zoo.DCGANDiscriminator(**DISCRIMINATOR, num_classes=3)
    run_labels_test(generator, discriminator)
