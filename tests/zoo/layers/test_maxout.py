"""Maxout against its formula in NumPy, and from a file."""

import keras
import numpy as np

from zoo import layers


def test_maxout_is_the_largest_of_its_affine_pieces():
    layer = layers.Maxout(3, pieces=4, kernel_initializer="glorot_normal")
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    got = layer(x).numpy()
    kernel, bias = (w.numpy() for w in layer.weights)
    kernel, bias = kernel.reshape(6, 3, 4), bias.reshape(3, 4)
    wanted = (np.einsum("bf,fup->bup", x, kernel) + bias).max(-1)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)
    assert layer.compute_output_shape((None, 6)) == (None, 3)


def test_maxout_comes_back_from_a_file(tmp_path):
    model = keras.Sequential([keras.Input((6,)), layers.Maxout(3, pieces=2)])
    model.save(tmp_path / "m.keras")
    x = np.ones((2, 6), "float32")
    np.testing.assert_array_equal(model(x), keras.saving.load_model(tmp_path / "m.keras")(x))
