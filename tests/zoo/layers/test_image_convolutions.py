"""Convolutions from and to images: Keras's values, gradients and gradients of gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.layers import image_convolutions
from zoo.layers.image_convolutions import (
    ConvolutionFromImage,
    ConvolutionToImage,
    transposed_convolution,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kernel", [(2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (5, 2)])
@pytest.mark.parametrize("channels", [1, 3])
def test_by_parities(kernel, channels):
    maps = RNG.normal(size=(2, 6, 5, 3))
    weights = RNG.normal(size=(*kernel, channels, 3))
    expected = tf.nn.conv2d_transpose(maps, weights, (2, 12, 10, channels), 2, "SAME")
    np.testing.assert_allclose(transposed_convolution(maps, weights), expected, atol=1e-13)


def differentiated(layer, inputs, **how):
    """The output, its gradients, and the gradients of the squared gradient by the inputs."""
    inputs = tf.convert_to_tensor(inputs)
    weights = [v.value for v in layer.trainable_variables]
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(inputs)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(inputs)
            outputs = layer(inputs, **how)
            total = tf.reduce_sum(tf.sin(outputs))
        first = tape.gradient(total, [inputs, *weights])
        slope = tf.reduce_sum(first[0] ** 2)
    return [outputs, *first, *outer.gradient(slope, [inputs, *weights])]


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize(
    "ours, theirs, shape, how",
    [
        (ConvolutionFromImage, keras.layers.Conv2D, (8, 6, 1), {}),
        (ConvolutionFromImage, keras.layers.Conv2D, (8, 6, 3), {}),
        (ConvolutionFromImage, keras.layers.Conv2D, (7, 6, 1), {}),  # Odd: Keras's own way.
        (ConvolutionToImage, keras.layers.Conv2DTranspose, (4, 3, 5), {"training": False}),
        (ConvolutionToImage, keras.layers.Conv2DTranspose, (4, 3, 5), {"training": True}),
    ],
)
def test_keras_layers_with_keras_weights(ours, theirs, shape, how, xla):
    arguments = {"filters": 3, "kernel_size": 5, "strides": 2, "padding": "same"}
    inputs = RNG.normal(size=(2, *shape))
    layers = [cls(**arguments, activation="tanh", dtype="float64") for cls in (ours, theirs)]
    for layer in layers:
        layer.build((None, *shape))
    layers[0].set_weights([RNG.normal(size=w.shape) for w in layers[0].weights])
    layers[1].set_weights(layers[0].get_weights())
    assert layers[0].get_config().keys() == layers[1].get_config().keys()
    found, expected = (
        tf.function(lambda x, one=one, kw=kw: differentiated(one, x, **kw), jit_compile=xla)(inputs)
        for one, kw in zip(layers, (how, {}), strict=True)
    )
    for a, b in zip(found, expected, strict=True):
        if a is None or b is None:
            assert a is b
        else:
            np.testing.assert_allclose(a, b, atol=1e-9)


def test_no_examples_no_images():
    kernel = tf.ones((5, 5, 1, 5))
    graph = tf.function(
        lambda maps: transposed_convolution(maps, kernel),
        input_signature=[tf.TensorSpec((None, 4, 3, 5))],
    )
    for convolve in (lambda maps: transposed_convolution(maps, kernel), graph):
        assert convolve(tf.zeros((0, 4, 3, 5))).shape == (0, 8, 6, 1)


def test_a_derivative_in_a_branch_of_what_is_outside():
    """A lazy penalty: its images and weights are tensors of the graph around the branch."""
    layer = ConvolutionFromImage(2, 5, strides=2, padding="same", dtype="float64")
    images = RNG.normal(size=(2, 6, 6, 1))
    layer.build(images.shape)

    def slope(images, kernel):
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(layer.convolution_op(images, kernel) ** 2)
        return tf.reduce_sum(tape.gradient(total, images) ** 2)

    @tf.function
    def gradient(images, now, branch):
        images, kernel = tf.identity(images), tf.identity(layer.kernel)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(kernel)
            if branch:
                value = tf.cond(now, lambda: slope(images, kernel), lambda: tf.zeros((), "float64"))
            else:
                value = slope(images, kernel)
        return tape.gradient(value, kernel)

    inside, outside = (gradient(images, tf.constant(True), branch) for branch in (True, False))
    np.testing.assert_allclose(inside, outside, rtol=1e-12)
    assert np.abs(outside).min() > 0


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
