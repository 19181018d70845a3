"""Adam as a pure function: Keras's own steps, with NumPy and with TensorFlow."""

import keras
import numpy as np
import tensorflow as tf

from zoo.adam import Rule

RULE = Rule(rate=0.125, beta_1=0.75, beta_2=0.875, epsilon=2.0**-20)
START = np.array([1.0, -2.0, 0.25])


def _gradients(weights, step):
    """Of a loss that changes from step to step, so that the moments matter."""
    return np.sinh(weights) * (1.0 + step % 3)


def test_ten_steps_are_kerass():
    # All of Adam's numbers are exact in float32, in which Keras keeps its learning rate.
    optimizer = keras.optimizers.Adam(*RULE)
    wanted = keras.Variable(START, dtype="float64")
    optimizer.build([wanted])
    weights, means, squares = START, np.zeros(3), np.zeros(3)
    for step in range(1, 11):
        gradients = _gradients(weights, step)
        before = weights.copy(), means.copy(), squares.copy()
        moved = RULE.step(weights, gradients, means, squares, step, np.sqrt, np.square)
        for old, kept in zip(before, (weights, means, squares), strict=True):
            np.testing.assert_array_equal(old, kept)  # Nothing changes in place.
        weights, means, squares = moved
        optimizer.apply([tf.constant(gradients)], [wanted])
        np.testing.assert_allclose(weights, wanted.numpy(), rtol=1e-13)


def test_tensors_take_the_same_step_and_can_be_differentiated():
    step = tf.constant(3.0, "float64")
    weights, gradients = tf.constant(START), tf.constant(_gradients(START, 3))
    means, squares = (
        tf.constant([0.1, 0.2, -0.3], "float64"),
        tf.constant([0.5, 1.0, 2.0], "float64"),
    )

    @tf.function(jit_compile=True)
    def moved(gradients):
        return RULE.step(weights, gradients, means, squares, step, tf.sqrt, tf.square)

    arrays = (x.numpy() for x in (weights, gradients, means, squares))
    wanted = RULE.step(*arrays, 3, np.sqrt, np.square)
    for got, expected in zip(moved(gradients), wanted, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    with tf.GradientTape() as tape:
        tape.watch(gradients)
        total = tf.reduce_sum(moved(gradients)[0])
    slopes = tape.gradient(total, gradients)
    for i in range(3):
        shift = np.zeros(3)
        shift[i] = 1e-6
        ahead, behind = (moved(gradients + s)[0].numpy().sum() for s in (shift, -shift))
        np.testing.assert_allclose(slopes[i], (ahead - behind) / 2e-6, rtol=1e-6)


def test_the_first_step_is_as_long_as_the_rate():
    rule = Rule(rate=0.1, beta_1=0.9, beta_2=0.999, epsilon=0.0)
    moved, *_ = rule.step(START, np.array([5.0, -3.0, 0.01]), 0.0, 0.0, 1, np.sqrt, np.square)
    np.testing.assert_allclose(START - moved, [0.1, -0.1, 0.1], rtol=1e-12)
