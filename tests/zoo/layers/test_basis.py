"""The learned maps at the small end of R3GAN, against NumPy, and the variance they start from."""

import keras
import numpy as np

from zoo import layers


def test_maps_times_coefficients():
    layer = layers.GenerativeBasis(3)
    x = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    got = layer(x)
    assert got.shape == layer.compute_output_shape(x.shape) == (2, 3, 3, 5)
    np.testing.assert_allclose(got, np.einsum("nc,hwc->nhwc", x, layer.basis.numpy()), rtol=1e-6)


def test_products_with_maps():
    layer = layers.DiscriminativeBasis()
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    got = layer(x)
    assert got.shape == layer.compute_output_shape(x.shape) == (2, 5)
    np.testing.assert_allclose(got, np.einsum("nhwc,hwc->nc", x, layer.basis.numpy()), atol=1e-5)


def test_both_start_with_variance_one():
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(64, 8, 8, 64)).astype("float32")
    assert abs(np.std(layers.DiscriminativeBasis()(x)) - 1) < 0.05
    assert abs(np.std(layers.GenerativeBasis(8)(x[:, 0, 0])) - 1) < 0.05


def test_a_basis_comes_back_from_a_file(tmp_path):
    model = keras.Sequential(
        [keras.Input((4,)), layers.GenerativeBasis(3), layers.DiscriminativeBasis()]
    )
    model.save(tmp_path / "m.keras")
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(model(x), keras.saving.load_model(tmp_path / "m.keras")(x))
