"""Weight normalization against the paper's formulas in NumPy float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import KERNEL_LAYERS, MODES, normal_batch
from zoo.layers.weight_normalization import WeightNormalization

L = keras.layers


def _kernel(v, g, axis):
    """g v / ||v||, one output unit at a time."""
    kernel = np.moveaxis(v.astype("float64"), axis, 0).copy()
    for unit, length in enumerate(g):
        kernel[unit] *= length / np.sqrt((kernel[unit] ** 2).sum())
    return np.moveaxis(kernel, 0, axis)


def _wrapped(case, **kwargs):
    """The wrapped layer with lengths and biases of its own, and a plain one of equal function."""
    make, shape, axis = KERNEL_LAYERS[case]
    layer, plain = WeightNormalization(make(**kwargs)), make(**kwargs)
    layer.build((None, *shape))
    plain.build((None, *shape))
    rng = np.random.default_rng(1)
    layer.g.assign(rng.uniform(0.5, 2, layer.g.shape))
    if layer.layer.use_bias:
        layer.layer.bias.assign(rng.normal(size=layer.layer.bias.shape))
        plain.bias.assign(layer.layer.bias)
    plain.kernel.assign(_kernel(layer.layer.kernel.numpy(), layer.g.numpy(), axis))
    return layer, plain, normal_batch(shape), axis


@pytest.mark.parametrize("case", KERNEL_LAYERS)
def test_it_is_the_formula(case):
    layer, plain, x, _ = _wrapped(case)
    np.testing.assert_allclose(layer(x), plain(x), rtol=1e-5, atol=1e-5)
    assert layer.compute_output_shape(x.shape) == tuple(plain(x).shape)
    assert len(layer.trainable_weights) == 3 and layer.non_trainable_weights == []


@pytest.mark.parametrize("case", KERNEL_LAYERS)
def test_wrapping_does_not_change_the_function(case):
    make, shape, _ = KERNEL_LAYERS[case]
    layer, x = make(), normal_batch(shape)
    before = layer(x).numpy()
    kernel = layer.kernel.numpy()
    wrapper = WeightNormalization(layer)
    np.testing.assert_allclose(wrapper(x, training=True), before, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(layer.kernel, kernel)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", KERNEL_LAYERS)
def test_gradients_are_the_papers(case, mode):
    """Equation 3, from the plain layer's gradient; the one of v has no part along v."""
    layer, plain, x, axis = _wrapped(case)
    weight = tf.constant(normal_batch(plain(x).shape[1:], seed=2))

    def gradients(model, variables):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.tanh(model(x, training=True)) * weight)
        return tape.gradient(loss, [v.value for v in variables])

    ours = [layer.layer.kernel, layer.g, layer.layer.bias]
    got_v, got_g, got_bias = MODES[mode](lambda: gradients(layer, ours))()
    w, bias = gradients(lambda x, training: plain(x), [plain.kernel, plain.bias])
    np.testing.assert_allclose(got_bias, bias, rtol=1e-4, atol=1e-5)
    v, w = (np.moveaxis(np.asarray(a, "float64"), axis, 0) for a in (ours[0], w))
    got_v = np.moveaxis(got_v.numpy(), axis, 0)
    for unit, g in enumerate(layer.g.numpy()):
        norm = np.sqrt((v[unit] ** 2).sum())
        wanted_g = (w[unit] * v[unit]).sum() / norm
        wanted_v = g / norm * w[unit] - g * wanted_g / norm**2 * v[unit]
        np.testing.assert_allclose(got_g[unit], wanted_g, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(got_v[unit], wanted_v, rtol=1e-4, atol=1e-4)
        assert abs((got_v[unit] * v[unit]).sum()) < 1e-4 * np.abs(got_v[unit] * v[unit]).sum()


def test_gradients_are_finite_differences():
    layer, _, x, axis = _wrapped("dense")
    bias = layer.layer.bias.numpy()

    def loss(v, g):
        return np.tanh(x.astype("float64") @ _kernel(v, g, axis) + bias).sum()

    values = [layer.layer.kernel.numpy().astype("float64"), layer.g.numpy().astype("float64")]
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.tanh(layer(x)))
    for which, got in enumerate(tape.gradient(total, [layer.layer.kernel.value, layer.g.value])):
        for index in np.ndindex(*got.shape):
            moved = [[a.copy() for a in values] for _ in range(2)]
            moved[0][which][index] += 1e-6
            moved[1][which][index] -= 1e-6
            wanted = (loss(*moved[0]) - loss(*moved[1])) / 2e-6
            np.testing.assert_allclose(got[index], wanted, rtol=1e-4, atol=1e-5)


def test_other_values_for_its_variables_reach_it_through_stateless_call():
    """An unrolled discriminator: its inner kernel, g and bias are tensors, not variables."""
    layer, _, x, _ = _wrapped("dense")
    inner = [tf.constant(2 * v.numpy() + 1) for v in layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(inner)
        outputs, _ = layer.stateless_call(inner, [], x)
        loss = tf.reduce_sum(tf.square(outputs))
    gradients = tape.gradient(loss, inner)
    assert all(g is not None and np.any(g) for g in gradients)
    for variable, value in zip(layer.trainable_variables, inner, strict=True):
        variable.assign(value)
    np.testing.assert_allclose(outputs, layer(x), rtol=1e-6)


@pytest.mark.parametrize("case", KERNEL_LAYERS)
def test_initialize_gives_mean_0_and_variance_1_before_the_activation(case):
    make, shape, axis = KERNEL_LAYERS[case]
    layer = WeightNormalization(make(activation="relu"))
    x = 3 * normal_batch(shape, count=50) + 1
    outputs = layer.initialize(x)
    kernel = _kernel(layer.layer.kernel.numpy(), layer.g.numpy(), axis)
    plain = make()
    plain.build(x.shape)
    plain.kernel.assign(kernel)
    plain.bias.assign(layer.layer.bias)
    units = plain(x).numpy().astype("float64")
    axes = tuple(range(units.ndim - 1))
    np.testing.assert_allclose(units.mean(axes), 0, atol=1e-5)
    np.testing.assert_allclose(units.var(axes), 1, rtol=1e-5)
    np.testing.assert_allclose(outputs, np.maximum(units, 0), atol=1e-5)


def test_initialize_without_a_bias_sets_the_variance():
    layer = WeightNormalization(L.Dense(3, use_bias=False))
    outputs = layer.initialize(normal_batch((5,), count=50) + 1).numpy()
    np.testing.assert_allclose(outputs.var(0), 1, rtol=1e-5)
    assert np.abs(outputs.mean(0)).max() > 0.1


def test_a_kernel_of_zeros_has_a_finite_gradient():
    layer = WeightNormalization(L.Dense(3, kernel_initializer="zeros"))
    x = normal_batch((5,))
    layer(x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x))
    got = tape.gradient(loss, layer.layer.kernel.value)
    np.testing.assert_allclose(got, np.tile(x.sum(0)[:, None], (1, 3)), rtol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("case", KERNEL_LAYERS)
def test_policies_and_files(case, policy, tmp_path):
    layer, plain, x, _ = _wrapped(case, dtype=policy)
    assert layer.dtype_policy.name == policy
    assert {w.dtype for w in layer.weights} == {"float32"}
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    got = model(x)
    assert got.dtype == layer.compute_dtype
    accuracy = {"float32": 1e-5, "mixed_bfloat16": 0.05, "mixed_float16": 0.01}[policy]
    np.testing.assert_allclose(tf.cast(got, "float32"), tf.cast(plain(x), "float32"), atol=accuracy)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(got.numpy(), loaded(x).numpy())


def test_float32_around_a_mixed_layer_normalizes_the_kernel_as_it_is_stored():
    layer = WeightNormalization(L.Dense(3, dtype="mixed_bfloat16"), dtype="float32")
    seen = []
    layer.kernel_value = lambda: (
        seen.append(layer.layer.kernel.value) or tf.cast(seen[-1], "float32")
    )
    assert layer(normal_batch((5,))).dtype == "float32"
    assert {tensor.dtype for tensor in seen} == {tf.float32}


def test_layers_without_a_known_kernel_are_refused():
    for layer in (L.Embedding(3, 2), L.DepthwiseConv2D(3), L.BatchNormalization(), "dense"):
        with pytest.raises(ValueError, match="Expected one of Dense, .*Received: layer="):
            WeightNormalization(layer)
