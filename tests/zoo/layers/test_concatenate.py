"""Concatenation: derivatives of the third order, under XLA too."""

import numpy as np
import tensorflow as tf

from zoo import layers


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
