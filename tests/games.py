"""The game V(x, y) = x y - c y^2 / 2 as two players of one weight each, to be solved on paper."""

import keras
import numpy as np
import tensorflow as tf

from trainers.objectives import Objective


@keras.saving.register_keras_serializable(package="tests")
class Point(keras.layers.Layer):
    """Makes one point x of any latents."""

    def build(self, input_shape):
        self.x = self.add_weight(shape=(), name="x")

    def call(self, latents):
        return 0.0 * latents + self.x


@keras.saving.register_keras_serializable(package="tests")
class Product(keras.layers.Layer):
    """The logit x y - c y^2 / 2 of a sample x."""

    def __init__(self, c=0.0, **kwargs):
        super().__init__(**kwargs)
        self.c = c

    def build(self, input_shape):
        self.y = self.add_weight(shape=(), name="y")

    def call(self, samples):
        return self.y * samples - self.c * tf.square(self.y) / 2.0

    def get_config(self):
        return {**super().get_config(), "c": self.c}


@keras.saving.register_keras_serializable(package="tests")
class Value(Objective):
    """The generator descends V and the discriminator ascends it."""

    def discriminator_loss(self, real_logits, fake_logits):
        return -fake_logits

    def generator_loss(self, real_logits, fake_logits):
        return fake_logits


REAL = np.zeros((4, 1), "float32")


def game(trainer, x, y, rates=(0.1, 0.1), c=0.0, **arguments):
    """A trainer of the game at (x, y), by gradient descent at the rates of G and D."""
    players = [
        keras.Sequential([keras.Input((1,)), layer], name=name)
        for layer, name in ((Point(), "x"), (Product(c), "y"))
    ]
    gan = trainer(*players, **arguments)
    gan.compile(Value(), *(keras.optimizers.SGD(rate) for rate in rates))
    for player, value in zip(players, (x, y), strict=True):
        player.weights[0].assign(value)
    return gan


def position(gan):
    """(x, y)."""
    return np.array([float(gan.generator.weights[0]), float(gan.discriminator.weights[0])])


def play(gan, steps):
    """Plays that many steps and returns (x, y) after them."""
    gan.fit(tf.data.Dataset.from_tensors(REAL).repeat(steps), verbose=0)
    return position(gan)
