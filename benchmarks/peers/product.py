"""The product of two 2048x2048 matrices in TensorFlow: what this machine can do."""

import tensorflow as tf


def make(cell):
    matrix = tf.cast(tf.random.stateless_normal((2048, 2048), (0, 0)), cell["precision"])
    multiply = tf.function(lambda: tf.matmul(matrix, matrix), autograph=False)

    def run(steps):
        for _ in range(steps):
            product = multiply()
        return [float(product[0, 0])]

    return run
