"""Convolutions from and to images: Keras's values, gradients and gradients of gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import image_convolutions
from zoo.image_convolutions import ConvolutionFromImage, ConvolutionToImage, transposed_convolution

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kernel", [(2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (5, 2)])
@pytest.mark.parametrize("channels", [1, 3])
def test_by_parities(kernel, channels):
    maps = RNG.normal(size=(2, 6, 5, 3))
    weights = RNG.normal(size=(*kernel, channels, 3))
    expected = tf.nn.conv2d_transpose(maps, weights, (2, 12, 10, channels), 2, "SAME")
    np.testing.assert_allclose(transposed_convolution(maps, weights), expected, atol=1e-13)


def differentiated(layer, inputs):
    """The output, its gradients, and the gradients of the squared gradient by the inputs."""
    inputs = tf.convert_to_tensor(inputs)
    weights = [v.value for v in layer.trainable_variables]
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(inputs)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
            total = tf.reduce_sum(tf.sin(outputs))
        first = tape.gradient(total, [inputs, *weights])
        slope = tf.reduce_sum(first[0] ** 2)
    return [outputs, *first, *outer.gradient(slope, [inputs, *weights])]


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize(
    "ours, theirs, shape",
    [
        (ConvolutionFromImage, keras.layers.Conv2D, (8, 6, 1)),
        (ConvolutionFromImage, keras.layers.Conv2D, (8, 6, 3)),
        (ConvolutionFromImage, keras.layers.Conv2D, (7, 6, 1)),  # Odd: Keras's own way.
        (ConvolutionToImage, keras.layers.Conv2DTranspose, (4, 3, 5)),
    ],
)
def test_keras_layers_with_keras_weights(ours, theirs, shape, xla):
    arguments = {"filters": 3, "kernel_size": 5, "strides": 2, "padding": "same"}
    inputs = RNG.normal(size=(2, *shape))
    layers = [cls(**arguments, activation="tanh", dtype="float64") for cls in (ours, theirs)]
    for layer in layers:
        layer.build((None, *shape))
    layers[0].set_weights([RNG.normal(size=w.shape) for w in layers[0].weights])
    layers[1].set_weights(layers[0].get_weights())
    assert layers[0].get_config().keys() == layers[1].get_config().keys()
    found, expected = (
        tf.function(lambda x, layer=layer: differentiated(layer, x), jit_compile=xla)(inputs)
        for layer in layers
    )
    for a, b in zip(found, expected, strict=True):
        if a is None or b is None:
            assert a is b
        else:
            np.testing.assert_allclose(a, b, atol=1e-9)


def test_dcgan_goes_by_parities(monkeypatch):
    """Where the images have few channels, and only there."""
    calls = []
    real = image_convolutions.transposed_convolution
    monkeypatch.setattr(
        image_convolutions,
        "transposed_convolution",
        lambda *arguments: calls.append(1) or real(*arguments),
    )
    generator = zoo.DCGANGenerator((8, 8, 3), latent_dim=2, filters=4)
    calls.clear()
    images = generator(tf.ones((2, 2)))
    assert len(calls) == 1
    discriminator = zoo.DCGANDiscriminator((8, 8, 3), filters=4)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator(images)["logits"]
    calls.clear()
    tape.gradient(logits, images)
    assert len(calls) == 1
