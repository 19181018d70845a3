"""The key of a move folds the integers that files and published runs rest on."""

import numpy as np
import tensorflow as tf

import trainers
from tests.helpers import tiny_mlp_pair
from trainers.steps.key import TESTING, TRAINING, Key
from zoo import random


def _fold(*words):
    return random.fold((7, TRAINING), *words).numpy()


def test_a_key_is_the_fold_of_its_words():
    key = Key((7, TRAINING), (3, 1))
    np.testing.assert_array_equal(key.value, _fold(3, 1))
    np.testing.assert_array_equal(key.fold(5).value, _fold(3, 1, 5))
    np.testing.assert_array_equal(key.perturbation(0, 2), _fold(3, 1, 1, 0, 2))
    np.testing.assert_array_equal(key.penalty(4, "discriminator"), _fold(3, 1, 2, 4, 0))
    np.testing.assert_array_equal(key.penalty(4, "generator"), _fold(3, 1, 2, 4, 1))
    np.testing.assert_array_equal(key.exploration(), _fold(3, 1, 3))


def test_keys_of_a_trainer():
    gan = trainers.GAN(*tiny_mlp_pair(), seed=7)
    gan.steps.assign(3)
    np.testing.assert_array_equal(gan.key(1).value, _fold(3, 1))
    testing = random.fold((7, TESTING), 12)
    np.testing.assert_array_equal(gan.key_of(TESTING, 12).value, testing)
    latents = random.draw(gan.traits.prior, 4, gan.traits.latent_dim, gan.key(0).value)
    np.testing.assert_array_equal(gan.latents(4, gan.key(0)), latents)


def test_words_may_be_tensors_of_a_graph():
    steps = tf.Variable(3, dtype="int64")
    found = tf.function(lambda: Key((7, TRAINING), (steps, 1)).perturbation(0, 1))()
    np.testing.assert_array_equal(found, _fold(3, 1, 1, 0, 1))
