"""Affine maps of many members: values and two derivatives against NumPy, in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import MODES
from zoo.stacked import affine
from zoo.stacked.affine import product, shifted

MEMBERS, ROWS, STEP = 3, 5, 1e-5
SIZES = [(1, 4), (4, 1), (3, 4), (1, 1)]  # Each has a product of its own.


def _drawn(*shapes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(MEMBERS, *shape)) for shape in shapes]


def _product(kernel, x):
    """The reference, a member at a time."""
    return np.stack([w.T @ columns for w, columns in zip(kernel, x, strict=True)])


def _shifted(x, bias):
    return np.stack([columns + b[:, None] for columns, b in zip(x, bias, strict=True)])


def _slopes(function, *arrays):
    """The gradient of a number by arrays, by central differences."""
    found = []
    for k, array in enumerate(arrays):
        slope = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            ends = []
            for step in (STEP, -STEP):
                moved = array.copy()
                moved[place] += step
                ends.append(function(*arrays[:k], moved, *arrays[k + 1 :]))
            slope[place] = (ends[0] - ends[1]) / (2 * STEP)
        found.append(slope)
    return found


def _gradients(function, *tensors):
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = function(*tensors)
    return tape.gradient(value, tensors)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("inputs, units", SIZES)
def test_product_and_its_gradient(inputs, units, mode):
    kernel, x, upstream = _drawn((inputs, units), (inputs, ROWS), (units, ROWS))
    np.testing.assert_allclose(product(kernel, x), _product(kernel, x), rtol=1e-12)

    def both(kernel, x):
        return _gradients(lambda w, x: tf.reduce_sum(upstream * product(w, x)), kernel, x)

    by_kernel, by_x = MODES[mode](both)(tf.constant(kernel), tf.constant(x))
    np.testing.assert_allclose(by_kernel, np.einsum("mir,mor->mio", x, upstream), rtol=1e-12)
    np.testing.assert_allclose(by_x, np.einsum("mio,mor->mir", kernel, upstream), rtol=1e-12)


def test_a_large_matrix_has_the_product_of_a_small_one(monkeypatch):
    kernel, x = _drawn((3, 4), (3, ROWS))
    monkeypatch.setattr(affine, "GATHERED", 11)
    np.testing.assert_allclose(product(kernel, x), _product(kernel, x), rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("inputs, units", SIZES)
def test_the_slope_of_a_product_has_the_right_gradient(inputs, units, mode):
    """A gradient penalty: of `s(x) = sum tanh(W' x)` it differentiates `||ds / dx||^2`."""

    def reference(kernel, x):
        slope = 1 - np.tanh(_product(kernel, x)) ** 2
        return np.sum(np.einsum("mio,mor->mir", kernel, slope) ** 2)

    def penalty(kernel, x):
        (slope,) = _gradients(lambda x: tf.reduce_sum(tf.tanh(product(kernel, x))), x)
        return tf.reduce_sum(slope**2)

    arrays = _drawn((inputs, units), (inputs, ROWS))
    tensors = [tf.constant(array) for array in arrays]
    assert float(penalty(*tensors)) == pytest.approx(reference(*arrays), rel=1e-12)
    found = MODES[mode](lambda *given: _gradients(penalty, *given))(*tensors)
    for slope, wanted in zip(found, _slopes(reference, *arrays), strict=True):
        np.testing.assert_allclose(slope, wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("units", [1, 4])
def test_shifted_and_both_of_its_derivatives(units, mode):
    arrays = _drawn((units, ROWS), (units,))
    np.testing.assert_array_equal(shifted(*arrays), _shifted(*arrays))

    def reference(x, bias):
        return np.sum(np.sin(_shifted(x, bias)))

    def total(x, bias):
        return tf.reduce_sum(tf.sin(shifted(x, bias)))

    def both(x, bias):
        def slopes(x, bias):
            by_x, by_bias = _gradients(total, x, bias)
            return tf.reduce_sum(by_x**2) + tf.reduce_sum(by_bias**3)

        return _gradients(total, x, bias), _gradients(slopes, x, bias)

    def reference_of_slopes(x, bias):
        slope = np.cos(_shifted(x, bias))
        return np.sum(slope**2) + np.sum(slope.sum(axis=2) ** 3)

    first, second = MODES[mode](both)(*(tf.constant(array) for array in arrays))
    for found, function in ((first, reference), (second, reference_of_slopes)):
        for slope, wanted in zip(found, _slopes(function, *arrays), strict=True):
            np.testing.assert_allclose(slope, wanted, rtol=1e-6, atol=1e-8)
