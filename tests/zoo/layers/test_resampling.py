"""The bilinear filter: against its definition by zeros and convolution, and its adjoint."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import signal

from zoo.layers.resampling import BilinearResampling

FILTER = np.outer((1, 3, 3, 1), (1, 3, 3, 1))


def _maps(height, width, seed=0):
    return np.random.default_rng(seed).normal(size=(2, height, width, 3)).astype("float32")


def _each_map(x, function):
    """A function of planes, applied to each map in float64."""
    planes = np.moveaxis(x.astype("float64"), -1, 1)
    return np.moveaxis(np.array([[function(plane) for plane in maps] for maps in planes]), 1, -1)


def _halve(plane):
    return signal.correlate2d(np.pad(plane, 1), FILTER / 64, "valid")[::2, ::2]


def _double(plane):
    spread = np.zeros((2 * plane.shape[0], 2 * plane.shape[1]))
    spread[::2, ::2] = plane
    return signal.convolve2d(spread, FILTER / 16)[1:-2, 1:-2]


@pytest.mark.parametrize("up, reference", [(False, _halve), (True, _double)])
def test_the_definition(up, reference):
    x = _maps(6, 8)
    layer = BilinearResampling(up)
    y = layer(x)
    np.testing.assert_allclose(y, _each_map(x, reference), rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape(x.shape) == tuple(y.shape)


def test_doubling_is_four_times_the_adjoint_of_halving():
    x, y = _maps(8, 8), _maps(4, 4, seed=1)
    inner = np.sum(np.asarray(BilinearResampling(False)(x), "float64") * y)
    np.testing.assert_allclose(np.sum(x * np.asarray(BilinearResampling(True)(y))), 4 * inner, 1e-5)


def test_inside_it_is_bilinear_interpolation():
    x = _maps(5, 7)
    wanted = tf.image.resize(x, (10, 14), "bilinear")
    got = BilinearResampling(True)(x)
    np.testing.assert_allclose(got[:, 1:-1, 1:-1], wanted[:, 1:-1, 1:-1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_policies_and_files(policy, tmp_path):
    layers = [BilinearResampling(up, dtype=policy) for up in (True, False)]
    model = keras.Sequential([keras.Input((4, 6, 3)), *layers])
    x = _maps(4, 6)
    got = model(x)
    assert got.dtype == layers[0].compute_dtype and not model.weights
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert [layer.up for layer in loaded.layers] == [True, False]
    np.testing.assert_array_equal(got.numpy(), loaded(x).numpy())
