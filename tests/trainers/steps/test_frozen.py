"""Layers frozen or freed after `compile` are an error, not a layer that moves all the same."""

import keras
import pytest

import trainers
import zoo
from tests.helpers import tiny_data, tiny_dense_pair

DATA = tiny_data((4, 4, 1), 16)[0]
MESSAGE = r"`discriminator` has had layers frozen or freed since.*Expected compile\(\) again.*Recei"


def game():
    gan = trainers.GAN(*tiny_dense_pair())
    gan.compile(run_eagerly=True)
    return gan


def freeze(gan, trainable=False):
    gan.discriminator.get_layer("output").trainable = trainable


@pytest.mark.parametrize("steps", [0, 1])
def test_frozen_after_compile(steps):
    gan = game()
    for _ in range(steps):
        gan.train_on_batch(DATA)
    freeze(gan)
    with pytest.raises(ValueError, match=MESSAGE + ".*output/kernel frozen, output/bias frozen"):
        gan.fit(DATA, verbose=0)
    with pytest.raises(ValueError, match=MESSAGE):
        gan.train_on_batch(DATA)
    assert int(gan.steps) == steps
    freeze(gan, True)  # As it was.
    gan.train_on_batch(DATA)


def test_freed_after_compile():
    gan = trainers.GAN(*tiny_dense_pair())
    freeze(gan)
    gan.compile(run_eagerly=True)
    before = gan.discriminator.get_layer("output").get_weights()
    gan.train_on_batch(DATA)
    for a, b in zip(before, gan.discriminator.get_layer("output").get_weights(), strict=True):
        assert (a == b).all()
    freeze(gan, True)
    with pytest.raises(ValueError, match=MESSAGE + ".*output/kernel freed"):
        gan.train_on_batch(DATA)


def test_a_callback_that_freezes_ends_the_training():
    gan = game()
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: freeze(gan))
    with pytest.raises(ValueError, match=MESSAGE):
        gan.fit(DATA, batch_size=16, epochs=2, verbose=0, callbacks=[callback])
    assert int(gan.steps) == 1


def test_an_optimizer_with_moments_of_frozen_weights_is_refused():
    gan = game()
    freeze(gan)
    with pytest.raises(ValueError, match="`discriminator_optimizer` keeps moments.*Adam.from_conf"):
        gan.compile(discriminator_optimizer=gan.discriminator_optimizer)
    gan.compile(run_eagerly=True)
    gan.train_on_batch(DATA)


def test_a_level_that_is_frozen_after_compile():
    shape = (8, 8, 1)
    gan = trainers.LaplacianGAN(
        zoo.LaplacianGenerator(shape, 2, 3, 2, (4,)),
        zoo.LaplacianDiscriminator(shape, 2, 2, (4,)),
    )
    gan.compile(run_eagerly=True)
    gan.discriminator.parts[0].trainable = False
    with pytest.raises(ValueError, match=MESSAGE):
        gan.train_on_batch(tiny_data(shape, 8)[0])
