"""Maxout, dropout and label concatenation, each against its formula in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

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


def test_concatenation_has_its_third_derivatives_under_xla():
    # What a gradient penalty inside an unrolled step asks for; TensorFlow's own has two.
    def third(concatenate):
        def derivatives(*given):
            with tf.GradientTape() as outer:
                outer.watch(given)
                with tf.GradientTape() as middle:
                    middle.watch(given)
                    with tf.GradientTape() as inner:
                        inner.watch(given)
                        joined = concatenate(*given)
                        value = tf.reduce_sum(tf.sin(tf.reduce_sum(joined**3, -1)))
                    norm = sum(tf.reduce_sum(g**2) for g in inner.gradient(value, given))
                cubes = sum(tf.reduce_sum(g**3) for g in middle.gradient(norm, given))
            return outer.gradient(cubes, given)

        return derivatives

    rng = np.random.default_rng(0)
    given = tf.constant(rng.normal(size=(2, 3))), tf.constant(rng.normal(size=(2, 1)))
    wanted = third(lambda a, b: tf.concat([a, b], -1))(*given)
    for compiled in (False, True):
        got = tf.function(third(layers.concatenate), jit_compile=compiled)(*given)
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9)


def test_dropout_keeps_the_mean_and_rests_outside_training():
    layer = layers.Dropout(0.2)
    x = tf.ones((400, 100))
    dropped = layer(x, training=True).numpy()
    assert set(np.unique(dropped)) == {0.0, np.float32(1.25)}
    assert abs((dropped == 0).mean() - 0.2) < 0.01  # Five standard errors.
    np.testing.assert_array_equal(layer(x, training=False), x)
    assert not np.array_equal(layer(x, training=True), dropped)


@pytest.mark.parametrize("jit", [False, True])
def test_dropout_masks_are_the_same_under_xla(jit):
    layer = layers.Dropout(0.5, seed=4)
    x = tf.ones((64, 32))
    layer(x, training=True)
    eager = [layer(x, training=True).numpy() for _ in range(2)]
    again = layers.Dropout(0.5, seed=4)
    again(x, training=True)
    call = tf.function(lambda x: again(x, training=True), jit_compile=jit)
    for wanted in eager:
        np.testing.assert_array_equal(call(x), wanted)


def test_labels_join_vectors_and_every_pixel():
    layer = layers.ConcatLabels()
    one_hot = np.eye(3, dtype="float32")[[2, 0]]
    joined = layer(np.zeros((2, 5), "float32"), one_hot).numpy()
    np.testing.assert_array_equal(joined[:, 5:], one_hot)
    joined = layer(np.zeros((2, 4, 6, 7), "float32"), one_hot).numpy()
    assert joined.shape == (2, 4, 6, 10)
    assert (joined[..., 7:] == one_hot[:, None, None]).all()
    assert layer.compute_output_shape((2, 4, 6, 7), (2, 3)) == (2, 4, 6, 10)
