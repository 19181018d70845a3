"""Dropout: the mean, inference, and the same masks with and without XLA."""

import numpy as np
import pytest
import tensorflow as tf

from zoo import layers


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
