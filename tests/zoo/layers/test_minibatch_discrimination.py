"""Minibatch discrimination against its double sum in NumPy, and what the sum implies."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.minibatch_discrimination import MinibatchDiscrimination


def _reference(x, kernel, bias, dims):
    """The formula, one pair of examples and one kernel at a time."""
    m = (x.astype("float64") @ kernel).reshape(len(x), -1, dims)
    o = np.tile(bias.astype("float64"), (len(x), 1))
    for i in range(len(x)):
        for j in range(len(x)):
            for b in range(m.shape[1]):
                if i != j:
                    o[i, b] += np.exp(-np.abs(m[i, b] - m[j, b]).sum())
    return np.concatenate([x, o], axis=1)


def _batch(count=6, features=4):
    return np.random.default_rng(0).normal(size=(count, features)).astype("float32")


def _layer(bias="zeros", **kwargs):
    layer = MinibatchDiscrimination(3, 2, bias_initializer=bias, **kwargs)
    layer.build((None, 4))
    return layer


def test_it_is_the_double_sum():
    layer = _layer(bias=None)
    np.testing.assert_array_equal(layer.bias, [-1, -1, -1])  # The published code's.
    layer.bias.assign([0.5, -1.0, 2.0])
    wanted = _reference(_batch(), layer.kernel.numpy(), layer.bias.numpy(), 2)
    np.testing.assert_allclose(layer(_batch()), wanted, rtol=2e-6)
    assert layer.compute_output_shape((None, 4)) == (None, 7)
    assert {len(w.shape): w.shape for w in layer.weights} == {2: (4, 6), 1: (3,)}


@pytest.mark.parametrize("count", [1, 2, 9])
def test_equal_rows_count_each_other_and_not_themselves(count):
    closeness = _layer()(np.repeat(_batch(1), count, axis=0))[:, 4:]
    np.testing.assert_array_equal(closeness, np.full((count, 3), count - 1.0))


def test_distant_rows_are_alone_and_a_tiny_closeness_is_not_lost():
    layer = _layer()
    layer.kernel.assign(np.ones((4, 6)))
    rows = np.array([[0.0], [3.0], [1e3]], "float32") * np.ones((1, 4), "float32")
    closeness = layer(rows).numpy()[:, 4:]
    np.testing.assert_array_equal(closeness[2], 0)  # exp(-8000)
    np.testing.assert_allclose(closeness[0], np.exp(-24.0), rtol=1e-6)  # Lost beside exp(0) = 1.


def test_a_permuted_batch_gives_the_permuted_output():
    layer, order = _layer(), np.random.default_rng(1).permutation(6)
    wanted = layer(_batch()).numpy()[order]
    np.testing.assert_allclose(layer(_batch()[order]), wanted, rtol=1e-6)


def test_the_gradient_is_that_of_the_double_sum():
    layer, x = _layer(), _batch()
    weight = np.random.default_rng(2).normal(size=(6, 7))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) * weight)
    got = tape.gradient(loss, layer.kernel.value).numpy()
    kernel, step = layer.kernel.numpy().astype("float64"), 1e-6
    wanted = np.zeros_like(kernel)
    for index in np.ndindex(*kernel.shape):
        moved = np.zeros_like(kernel)
        moved[index] = step
        up, down = (_reference(x, kernel + s * moved, np.zeros(3), 2) for s in (1, -1))
        wanted[index] = ((up - down) * weight).sum() / (2 * step)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("jit", [False, True])
def test_graphs_of_any_batch_size(jit):
    layer = _layer()
    spec = tf.TensorSpec((None, 4), "float32")
    call = tf.function(layer.call, input_signature=[spec], jit_compile=jit)
    for count in (1, 5):
        np.testing.assert_allclose(call(_batch(count)), layer(_batch(count)), rtol=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_policies_and_files(policy, tmp_path):
    inputs = keras.Input((4,), dtype="float32")
    layer = MinibatchDiscrimination(3, 2, dtype=policy)
    model = keras.Model(inputs, layer(inputs))
    got = model(_batch())
    assert got.dtype == layer.compute_dtype
    x = tf.cast(tf.cast(_batch(), layer.compute_dtype), "float32").numpy()
    wanted = _reference(x, layer.kernel.numpy(), layer.bias.numpy(), 2)
    accuracy = {"float32": 1e-6, "mixed_bfloat16": 2**-8, "mixed_float16": 2**-11}[policy]
    np.testing.assert_allclose(tf.cast(got, "float32"), wanted, rtol=accuracy, atol=accuracy)
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(
        got.numpy(), keras.saving.load_model(tmp_path / "m.keras")(_batch()).numpy()
    )


def test_messages():
    with pytest.raises(
        ValueError,
        match="`kernels` is out of range. Expected a positive integer.* Received: kernels=0",
    ):
        MinibatchDiscrimination(0)
    with pytest.raises(ValueError, match=r"Expected inputs of shape \(batch, features\). Received"):
        MinibatchDiscrimination()(np.zeros((2, 3, 4), "float32"))
