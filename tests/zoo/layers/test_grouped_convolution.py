"""Grouped convolutions against NumPy and Keras's own, with derivatives of the second order."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.grouped_convolution import GroupedConv2D


def _layer(groups, **kwargs):
    keras.utils.set_random_seed(0)
    layer = GroupedConv2D(
        8, 3, padding="same", groups=groups, bias_initializer="random_normal", **kwargs
    )
    layer.build((None, 5, 4, 12))
    return layer


def _images(count=3):
    return np.random.default_rng(0).normal(size=(count, 5, 4, 12)).astype("float32")


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_the_function_is_one_convolution_a_group(groups):
    layer, x = _layer(groups), _images()
    kernel, padded = (
        layer.kernel.numpy().astype("float64"),
        np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))),
    )
    assert kernel.shape == (3, 3, 12 // groups, 8)
    wanted = np.zeros((3, 5, 4, 8)) + layer.bias.numpy()
    for unit in range(8):
        group = unit // (8 // groups)
        seen = slice(group * 12 // groups, (group + 1) * 12 // groups)
        for i in range(3):
            for j in range(3):
                patch = padded[:, i : i + 5, j : j + 4, seen]
                wanted[..., unit] += patch @ kernel[i, j, :, unit]
    np.testing.assert_allclose(layer(x), wanted, rtol=1e-5, atol=1e-5)


def test_where_there_is_a_gpu_one_operation_does_the_same(monkeypatch):
    layer, x = _layer(4), _images()
    apart = layer(x)
    plain = keras.layers.Conv2D.from_config(layer.get_config())
    plain.build(x.shape)
    plain.set_weights(layer.get_weights())
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
    for other in (layer, plain):
        np.testing.assert_allclose(other(x), apart, rtol=1e-5, atol=1e-5)


def _slope_gradient(layer, x):
    """The kernel's gradient of `||grad_x sum tanh(y)||^2`, as in a gradient penalty."""
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            total = tf.reduce_sum(tf.tanh(layer(x)))
        loss = tf.reduce_sum(tf.square(inner.gradient(total, x)))
    return outer.gradient(loss, layer.kernel.value)


def test_the_second_derivative_is_the_same_in_eager_mode_in_a_graph_and_under_xla():
    layer, x = _layer(2), tf.constant(_images())
    want = _slope_gradient(layer, x)
    assert np.abs(want).max() > 0.1
    for options in ({}, {"jit_compile": True}):
        got = tf.function(lambda: _slope_gradient(layer, x), **options)()
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_policies_and_files(policy, tmp_path):
    model = keras.Sequential([keras.Input((5, 4, 12)), _layer(4, dtype=policy)])
    got = model(_images())
    assert got.dtype == model.layers[0].compute_dtype
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert type(loaded.layers[0]) is GroupedConv2D and loaded.layers[0].groups == 4
    np.testing.assert_array_equal(got.numpy(), loaded(_images()).numpy())
