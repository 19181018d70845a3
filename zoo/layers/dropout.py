"""Dropout (Srivastava et al., 2014) whose masks are the same with and without XLA."""

import keras
import tensorflow as tf

from zoo import random


@keras.saving.register_keras_serializable(package="zoo")
class Dropout(keras.layers.Dropout):
    """`keras.layers.Dropout` whose masks are the same in eager mode, in a graph and under XLA.

    Each unit is kept with probability `1 - rate` and then divided by it. Keras leaves the choice
    of the random numbers to TensorFlow, which draws others under XLA.
    """

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        keep = random.uniform(tf.shape(inputs), self.seed_generator.next()) >= self.rate
        return tf.where(keep, inputs / (1.0 - self.rate), tf.zeros_like(inputs))
