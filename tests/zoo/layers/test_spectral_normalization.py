"""Spectral normalization against numpy.linalg.svd, and the two faults of Keras's own layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import KERNEL_LAYERS, MODES, normal_batch
from zoo.layers.spectral_normalization import SpectralNormalization

L = keras.layers


def _wrapped(case, power_iterations=1, **kwargs):
    make, shape, axis = KERNEL_LAYERS[case]
    layer = SpectralNormalization(make(**kwargs), power_iterations)
    layer.build((None, *shape))
    layer.layer.kernel.assign(
        3 * normal_batch(layer.layer.kernel.shape[1:], layer.layer.kernel.shape[0])
    )
    return layer, normal_batch(shape), axis


def _matrix(kernel, axis):
    """One row a output unit, in float64."""
    kernel = np.moveaxis(np.asarray(kernel, "float64"), axis, 0)
    return kernel.reshape(len(kernel), -1)


def _settle(layer, x, calls=60):
    for _ in range(calls):
        layer(x, training=True)


def _gradient(call, variables, weight):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.tanh(call()) * weight)
    return tape.gradient(loss, variables)


@pytest.mark.parametrize("case", KERNEL_LAYERS)
def test_the_kernel_it_calls_with_has_norm_one(case):
    layer, x, axis = _wrapped(case)
    _settle(layer, x)
    kernel = layer.layer.kernel.numpy()
    sigma = np.linalg.svd(_matrix(kernel, axis), compute_uv=False)[0]
    np.testing.assert_allclose(layer.normalized_kernel(), kernel / sigma, rtol=1e-4, atol=1e-6)
    plain = KERNEL_LAYERS[case][0]()
    plain.build(x.shape)
    plain.kernel.assign(kernel / sigma)
    np.testing.assert_allclose(layer(x), plain(x), rtol=1e-3, atol=1e-4)
    assert layer.compute_output_shape(x.shape) == tuple(plain(x).shape)


@pytest.mark.parametrize("count", [1, 3])
def test_one_call_is_that_many_iterations_in_numpy(count):
    layer, x, axis = _wrapped("transpose", count)
    matrix, u = _matrix(layer.layer.kernel, axis), layer.u.numpy().astype("float64")
    for _ in range(count):
        v = matrix.T @ u
        v /= np.linalg.norm(v)
        u = matrix @ v
        u /= np.linalg.norm(u)
    wanted = layer.layer.kernel.numpy() / (u @ matrix @ v)
    np.testing.assert_allclose(layer.normalized_kernel(), wanted, rtol=1e-5)
    layer(x, training=True)
    np.testing.assert_allclose(layer.u, u, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", KERNEL_LAYERS)
def test_the_gradient_has_no_part_along_the_kernel(case, mode):
    """W / sigma(W) does not change with the length of W. Here u need not have settled."""
    layer, x, _ = _wrapped(case)
    kernel, weight = layer.layer.kernel, normal_batch(layer(x).shape[1:], seed=2)
    call = MODES[mode](
        lambda: _gradient(
            lambda: layer(x, training=True), [kernel.value, layer.layer.bias.value], weight
        )
    )
    gradient, bias = call()
    assert np.any(bias)
    along = gradient.numpy().astype("float64") * kernel.numpy()
    assert abs(along.sum()) < 1e-5 * np.abs(along).sum()


def _keras_call(layer, x):
    """What `keras.layers.SpectralNormalization` does: W / sigma is written to the kernel."""
    layer.layer.kernel.assign(layer.normalized_kernel())
    return layer.layer(x)


def test_regression_the_gradient_goes_through_sigma_and_the_kernel_is_not_written():
    layer, x, _ = _wrapped("dense")
    _settle(layer, x)
    kernel, weight = layer.layer.kernel, normal_batch((3,), seed=2)
    before = kernel.numpy()
    right = _gradient(lambda: layer(x, training=True), kernel.value, weight).numpy()
    np.testing.assert_array_equal(kernel, before)
    cosine = (right * before).sum() / np.linalg.norm(right) / np.linalg.norm(before)
    assert abs(cosine) < 1e-6

    wrong = _gradient(lambda: _keras_call(layer, x), kernel.value, weight).numpy()
    assert not np.allclose(kernel, before)  # Written.
    cosine = (wrong * before).sum() / np.linalg.norm(wrong) / np.linalg.norm(before)
    assert abs(cosine) > 1e-2  # Not the gradient of W / sigma(W).


def test_regression_a_transposed_convolution_is_normalized_over_its_outputs():
    layer, x, axis = _wrapped("transpose")
    _settle(layer, x)
    kernel = layer.normalized_kernel().numpy()
    over_inputs = np.linalg.svd(_matrix(kernel, 3), compute_uv=False)[0]
    np.testing.assert_allclose(np.linalg.svd(_matrix(kernel, axis), compute_uv=False)[0], 1, 1e-4)
    assert abs(over_inputs - 1) > 0.01  # What Keras's own layer makes 1.


def test_the_gradient_is_that_of_the_svd():
    layer, x, axis = _wrapped("dense")
    _settle(layer, x)
    kernel = layer.layer.kernel.numpy().astype("float64")
    got = _gradient(lambda: layer(x), layer.layer.kernel.value, np.ones((6, 3), "float32"))

    def loss(kernel):
        return np.tanh(x @ (kernel / np.linalg.svd(kernel, compute_uv=False)[0])).sum()

    for index in np.ndindex(*kernel.shape):
        moved = np.zeros_like(kernel)
        moved[index] = 1e-6
        wanted = (loss(kernel + moved) - loss(kernel - moved)) / 2e-6
        np.testing.assert_allclose(got[index], wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_u_moves_in_training_and_nowhere_else(mode):
    layer, x, _ = _wrapped("conv")
    start = layer.u.numpy()
    call = MODES[mode](lambda training: layer(x, training=training))
    rested = call(False).numpy()
    with keras.StatelessScope():  # The generator's step.
        scoped = MODES[mode](lambda: layer(x, training=True))().numpy()
    np.testing.assert_array_equal(layer.u, start)
    np.testing.assert_allclose(call(True), rested, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(scoped, rested, rtol=1e-5, atol=1e-5)
    assert not np.allclose(layer.u, start)
    assert layer.non_trainable_weights == [layer.u] and len(layer.trainable_weights) == 2


def test_values_given_to_stateless_call_carry_the_gradient():
    layer, x, _ = _wrapped("dense")
    inner = [tf.constant(v.numpy() + 1) for v in layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(inner)
        outputs, (u,) = layer.stateless_call(inner, [layer.u.value], x, training=True)
        loss = tf.reduce_sum(tf.square(outputs))
    assert all(g is not None and np.any(g) for g in tape.gradient(loss, inner))
    assert not np.allclose(u, layer.u)
    for variable, value in zip(layer.trainable_variables, inner, strict=True):
        variable.assign(value)
    np.testing.assert_allclose(outputs, layer(x), rtol=1e-6)


def test_a_kernel_of_zeros_is_left_alone():
    layer, x, _ = _wrapped("dense")
    layer.layer.kernel.assign(np.zeros((5, 3)))
    start = layer.u.numpy()
    gradient = _gradient(lambda: layer(x, training=True), layer.layer.kernel.value, np.ones((6, 3)))
    np.testing.assert_allclose(gradient, np.tile(x.sum(0)[:, None], (1, 3)), rtol=1e-5)
    np.testing.assert_array_equal(layer.u, start)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("case", KERNEL_LAYERS)
def test_policies_and_files(case, policy, tmp_path):
    layer, x, axis = _wrapped(case, 2, dtype=policy)
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    _settle(model, x, 10)
    assert layer.dtype_policy.name == policy and {w.dtype for w in layer.weights} == {"float32"}
    got = model(x)
    assert got.dtype == layer.compute_dtype
    plain = KERNEL_LAYERS[case][0]()
    plain.build(x.shape)
    kernel = layer.layer.kernel.numpy()
    plain.kernel.assign(kernel / np.linalg.svd(_matrix(kernel, axis), compute_uv=False)[0])
    accuracy = {"float32": 1e-3, "mixed_bfloat16": 0.05, "mixed_float16": 0.01}[policy]
    np.testing.assert_allclose(tf.cast(got, "float32"), plain(x), atol=accuracy)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(got.numpy(), loaded(x).numpy())
    assert loaded.layers[0].power_iterations == 2
    np.testing.assert_array_equal(loaded.layers[0].u, layer.u)


def test_messages():
    with pytest.raises(ValueError, match="Expected one of Dense, .*Received: layer=<Embedding"):
        SpectralNormalization(L.Embedding(3, 2))
    with pytest.raises(ValueError, match="positive integer. Received: power_iterations=0"):
        SpectralNormalization(L.Dense(3), power_iterations=0)
