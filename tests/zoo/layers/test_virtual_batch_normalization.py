"""Virtual batch normalization against the paper's statistics in NumPy, and its independence."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.virtual_batch_normalization import ReferenceBatch, VirtualBatchNormalization

SHAPES = [(3,), (4, 2, 3), (5, 3)]


def _reference(x, n, gamma, beta):
    """The formula as it is written: means and mean squares mixed, one example at a time."""
    x, out = x.astype("float64"), []
    axes = tuple(range(x.ndim - 1))
    mean, square = x[:n].mean(axes), (x[:n] ** 2).mean(axes)
    for i, example in enumerate(x):
        m, s = mean, square
        if i >= n:
            own = example.reshape(-1, x.shape[-1])
            m, s = (n * mean + own.mean(0)) / (n + 1), (n * square + (own**2).mean(0)) / (n + 1)
        out.append((example - m) / np.sqrt(s - m**2 + 1e-5) * gamma + beta)
    return np.stack(out)


def _rows(count, shape, seed=0, mean=1.0):
    return np.random.default_rng(seed).normal(mean, 2, size=(count, *shape)).astype("float32")


def _layer(n, channels=3, **kwargs):
    layer = VirtualBatchNormalization(n, **kwargs)
    layer.build((None, channels))
    return layer


def _generator(policy="float32"):
    """A generator for a user: the reference goes in front, through all layers, and comes off."""
    keras.utils.set_random_seed(1)
    kwargs = {"dtype": policy}
    latents = keras.Input((5,), name="latents")
    x = ReferenceBatch(6, name="reference", **kwargs)(latents)
    x = keras.layers.Dense(4 * 4 * 3, **kwargs)(x)
    x = keras.layers.Reshape((4, 4, 3), **kwargs)(x)
    x = keras.layers.ReLU(**kwargs)(VirtualBatchNormalization(6, **kwargs)(x))
    x = keras.layers.Conv2DTranspose(2, 4, strides=2, padding="same", **kwargs)(x)
    x = VirtualBatchNormalization(6, **kwargs)(x)
    return keras.Model(latents, x[6:, ...])


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_formula(shape):
    layer, x = _layer(6), _rows(9, shape)
    layer.beta.assign([0.5, 0.0, -2.0])
    wanted = _reference(x, 6, layer.gamma.numpy(), layer.beta.numpy())
    np.testing.assert_allclose(layer(x), wanted, rtol=1e-5, atol=1e-5)
    assert layer.compute_output_shape((None, *shape)) == (None, *shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_reference_comes_out_with_mean_0_and_variance_1(shape):
    layer = _layer(40)
    layer.gamma.assign(np.ones(3))
    reference = layer(_rows(43, shape)).numpy()[:40].reshape(-1, 3)
    np.testing.assert_allclose(reference.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(reference.var(0), 1, rtol=1e-4)


def test_a_large_mean_does_not_swallow_the_variance():
    """The mean square less the squared mean is noise here in float32: 1e6 resolves 0.06."""
    layer, x = _layer(6), _rows(9, (4, 2, 3), mean=1000.0)
    wanted = _reference(x, 6, layer.gamma.numpy(), 0.0)
    np.testing.assert_allclose(layer(x), wanted, rtol=1e-3, atol=1e-3)
    m = x[:6].mean((0, 1, 2))
    naive = (x[:6] ** 2).mean((0, 1, 2)) - m**2
    assert np.abs(naive / x[:6].astype("float64").var((0, 1, 2)) - 1).max() > 1e-3


def test_gamma_starts_around_one():
    gamma = _layer(6, 4000).gamma.numpy()
    assert abs(gamma.mean() - 1) < 0.002 and abs(gamma.std() - 0.02) < 0.002


def test_an_output_does_not_depend_on_its_batchmates():
    model, z = _generator(), _rows(7, (5,))
    others = np.concatenate([z[:1], 10 * _rows(6, (5,), seed=3)])
    np.testing.assert_array_equal(model(z)[0], model(others)[0])
    np.testing.assert_allclose(model(z)[:1], model(z[:1]), rtol=1e-5, atol=1e-6)
    assert model(z[:1], training=True).shape == (1, 8, 8, 2)
    # The own statistics and the reference do count.
    assert not np.allclose(model(z)[0], model(z)[1])
    before = model(z).numpy()
    model.get_layer("reference").set_reference(_rows(6, (5,), seed=4))
    assert not np.allclose(before, model(z))


def test_the_reference_is_fixed_and_not_trained():
    model, z = _generator(), _rows(7, (5,))
    layer = model.get_layer("reference")
    before = layer.reference.numpy()
    assert layer.trainable_weights == [] and abs(before.std() - 1) < 0.4
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(z, training=True)))
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    assert all(np.isfinite(g).all() and np.any(g) for g in gradients[:2] + gradients[-2:])
    np.testing.assert_array_equal(layer.reference, before)


@pytest.mark.parametrize("jit", [False, True])
def test_graphs_of_any_batch_size(jit):
    model = _generator()
    spec = tf.TensorSpec((None, 5), "float32")
    call = tf.function(lambda z: model(z), input_signature=[spec], jit_compile=jit)
    for count in (1, 4):
        z = _rows(count, (5,))
        np.testing.assert_allclose(call(z), model(z), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_policies_and_files(policy, tmp_path):
    layer, x = _layer(6, dtype=policy), _rows(9, (4, 2, 3))
    got = layer(x)
    assert got.dtype == layer.compute_dtype
    x = tf.cast(tf.cast(x, layer.compute_dtype), "float32").numpy()
    accuracy = {"float32": 1e-5, "mixed_bfloat16": 2**-8, "mixed_float16": 2**-10}[policy]
    wanted = _reference(x, 6, layer.gamma.numpy(), 0.0)
    np.testing.assert_allclose(tf.cast(got, "float32"), wanted, rtol=accuracy, atol=accuracy)

    model, z = _generator(policy), _rows(3, (5,))
    model.get_layer("reference").set_reference(_rows(6, (5,), seed=4))
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(model(z).numpy(), loaded(z).numpy())
    assert loaded.get_layer("reference").size == 6


def test_messages():
    with pytest.raises(ValueError, match="Expected a positive integer. Received: size=0"):
        ReferenceBatch(0)
    with pytest.raises(ValueError, match="Received: reference_size=0"):
        VirtualBatchNormalization(0)
    with pytest.raises(ValueError, match=r"at least 6 rows. Received: inputs.shape=\(5, 3\)"):
        _layer(6)(_rows(5, (3,)))
    layer = ReferenceBatch(4)
    with pytest.raises(ValueError, match="Expected a layer that has been called. Received"):
        layer.set_reference(_rows(4, (3,)))
    layer(_rows(2, (3,)))
    with pytest.raises(ValueError, match=r"Expected \(4, 3\). Received: batch.shape=\(5, 3\)"):
        layer.set_reference(_rows(5, (3,)))
