"""What a player adds to its own loss: against closed forms of one step of gradient descent."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from trainers.steps import regularization
from trainers.steps.key import Key

RATE, STRENGTH = 0.01, 3.0
L2 = keras.regularizers.L2(STRENGTH)
REAL = np.random.default_rng(0).uniform(-1, 1, (8, 3)).astype("float32")
LATENTS = np.random.default_rng(1).normal(size=(8, 2)).astype("float32")


class Louder(keras.layers.Layer):
    """Adds a constant times the mean square of what passes."""

    def call(self, x):
        self.add_loss(STRENGTH * keras.ops.mean(keras.ops.square(x)))
        return x


def generator(**kwargs):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "tanh", **kwargs)])


def discriminator(*end, **kwargs):
    keras.utils.set_random_seed(1)
    layers = [keras.Input((3,)), keras.layers.Dense(4, "tanh", **kwargs), keras.layers.Dense(1)]
    return keras.Sequential([*layers, *end])


def stepped(make, generator, discriminator):
    """A trainer after one step of gradient descent on one batch, and its log."""
    gan = make(generator, discriminator)
    gan.compile("non_saturating", *(keras.optimizers.SGD(RATE) for _ in range(2)), run_eagerly=True)
    return gan, gan.fit(REAL, batch_size=8, verbose=0).history


def simultaneous(*players):
    return trainers.GAN(*players, schedule="simultaneous")


def clipped(*players):
    return trainers.WassersteinGAN(*players, clip=100.0, discriminator_steps=1)


def sloped(*players):
    return trainers.WassersteinGANGP(*players, discriminator_steps=1)


def matching(*players):
    return trainers.FeatureMatchingGAN(*players, feature_layer=players[1].layers[0].name)


EVERY = [
    trainers.GAN,
    simultaneous,
    clipped,
    sloped,
    matching,
    trainers.HistoricalAveragingGAN,
    trainers.UnrolledGAN,
]


@pytest.mark.parametrize("make", EVERY)
def test_weights_decay_by_their_regularizer(make):
    """One step moves a regularised kernel by -rate 2 strength w more, and no other weight."""
    plain, log = stepped(make, generator(), discriminator())
    start = [discriminator().get_weights()[0], generator().get_weights()[0]]
    assert not [name for name in log if "regularization" in name]

    held, log = stepped(make, generator(), discriminator(kernel_regularizer=L2))
    expected = plain.discriminator.get_weights()
    expected[0] = expected[0] - RATE * 2 * STRENGTH * start[0]
    for w, v in zip(held.discriminator.get_weights(), expected, strict=True):
        np.testing.assert_allclose(w, v, rtol=0, atol=2e-6)
    np.testing.assert_allclose(
        log["discriminator_regularization"], STRENGTH * (start[0] ** 2).sum(), rtol=1e-5
    )

    held, log = stepped(make, generator(kernel_regularizer=L2), discriminator())
    expected = plain.generator.get_weights()[0] - RATE * 2 * STRENGTH * start[1]
    np.testing.assert_allclose(held.generator.get_weights()[0], expected, rtol=0, atol=2e-6)
    np.testing.assert_allclose(
        log["generator_regularization"], STRENGTH * (start[1] ** 2).sum(), rtol=1e-5
    )


def by_activity():
    # Keras divides an activity's regulariser by the rows.
    return discriminator(activity_regularizer=keras.regularizers.L2(STRENGTH))


def by_add_loss():
    return discriminator(Louder())


@pytest.mark.parametrize("make", [trainers.GAN, simultaneous, trainers.UnrolledGAN])
@pytest.mark.parametrize("kind", [by_activity, by_add_loss])
def test_calls_add_their_losses(make, kind):
    """Of the pass of real samples and of that of generated ones, as one tape of Keras sees them."""
    plain, _ = stepped(make, generator(), discriminator())
    gan, log = stepped(make, generator(), kind())
    twin, fake = kind(), drawn(make)
    with tf.GradientTape() as tape:
        twin(REAL)
        added = tf.add_n(twin.losses)
        twin(fake)
        added += tf.add_n(twin.losses)
    gradients = tape.gradient(added, twin.trainable_variables)
    np.testing.assert_allclose(log["discriminator_regularization"], added, rtol=1e-5)
    pairs = zip(gan.discriminator.get_weights(), plain.discriminator.get_weights(), strict=True)
    for (w, v), g in zip(pairs, gradients, strict=True):
        np.testing.assert_allclose(w, v - RATE * (0 if g is None else g), rtol=0, atol=2e-6)


@pytest.mark.parametrize("make", [trainers.GAN, simultaneous, trainers.UnrolledGAN])
def test_they_are_found_inside_of_a_wrapper(make):
    """Under weight normalization, whose layer is called in a scope of its own."""

    def wrapped():
        keras.utils.set_random_seed(1)
        layer = keras.layers.Dense(4, "tanh", activity_regularizer=L2)
        layers = [keras.Input((3,)), zoo.layers.WeightNormalization(layer), keras.layers.Dense(1)]
        return keras.Sequential(layers)

    _, log = stepped(make, generator(), wrapped())
    twin = wrapped()
    first = [twin.layers[0](x) for x in (REAL, drawn(make))]
    added = STRENGTH * sum((x.numpy() ** 2).sum() / 8 for x in first)
    np.testing.assert_allclose(log["discriminator_regularization"], added, rtol=1e-5)


def drawn(make):
    """The samples that the discriminator saw in the step."""
    gan = make(generator(), discriminator())
    return gan.generator(gan.latents(8, gan.key(0)))


def test_a_generator_feels_what_its_calls_add():
    """An activity's gradient by the kernel of a linear layer: 2 strength z^T (z w + b) / rows."""

    def linear(**kwargs):
        keras.utils.set_random_seed(0)
        return keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, **kwargs)])

    plain, _ = stepped(trainers.GAN, linear(), discriminator())
    kind = {"activity_regularizer": keras.regularizers.L2(STRENGTH)}
    gan, log = stepped(trainers.GAN, linear(**kind), discriminator())
    z = trainers.GAN(linear(), discriminator()).latents(8, Key((0, 0), (0, 1))).numpy()
    kernel, _ = linear().get_weights()
    np.testing.assert_allclose(
        log["generator_regularization"], STRENGTH * ((z @ kernel) ** 2).sum() / 8, rtol=1e-5
    )
    expected = plain.generator.get_weights()[0] - RATE * 2 * STRENGTH * z.T @ (z @ kernel) / 8
    np.testing.assert_allclose(gan.generator.get_weights()[0], expected, rtol=0, atol=2e-6)


def test_virtual_steps_feel_them_too():
    """K virtual steps are K steps of a tape of Keras's, of the loss with its regularisers."""
    gan = trainers.UnrolledGAN(generator(), discriminator(Louder(), kernel_regularizer=L2), 3)
    gan.compile("non_saturating", *(keras.optimizers.SGD(RATE) for _ in range(2)))
    fake = drawn(trainers.GAN)
    found = gan.unrolled_weights(tf.constant(REAL), fake, None, gan.key(0))
    twin = discriminator(Louder(), kernel_regularizer=L2)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softplus(-twin(REAL)))
            loss += sum(twin.losses[:1])  # The activity's: the regulariser's comes last.
            loss += tf.reduce_mean(tf.nn.softplus(twin(fake))) + sum(twin.losses)
        for v, g in zip(
            twin.trainable_variables, tape.gradient(loss, twin.trainable_variables), strict=True
        ):
            v.assign_sub(RATE * g)
    for w, v in zip(found, twin.get_weights(), strict=True):
        np.testing.assert_allclose(w, v, rtol=0, atol=1e-5)


def test_a_compiled_step_is_an_eager_one():
    weights = []
    for eager in (True, False):
        gan = trainers.GAN(generator(kernel_regularizer=L2), by_add_loss())
        gan.compile(
            "non_saturating", *(keras.optimizers.SGD(RATE) for _ in range(2)), run_eagerly=eager
        )
        gan.fit(REAL, batch_size=4, epochs=2, verbose=0)
        weights.append(gan.get_weights())
        assert "discriminator_regularization" in gan.evaluate(REAL, verbose=0, return_dict=True)
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


def test_frozen_weights_are_not_regularised():
    player = discriminator(kernel_regularizer=L2)
    assert regularization.present(player)
    player.layers[0].trainable = False
    assert not regularization.present(player)
    assert regularization.of_weights(player) == 0.0


@pytest.mark.parametrize("player", [zoo.MLPGenerator((2,)), zoo.DCGANDiscriminator((8, 8, 1))])
def test_players_of_the_zoo_add_nothing(player):
    assert not regularization.present(player)


def test_one_pass_does_not_know_them():
    gan = simultaneous(generator(), discriminator())
    gan.compile()
    assert gan.in_one_stage
    gan = simultaneous(generator(), discriminator(kernel_regularizer=L2))
    gan.compile()
    assert not gan.in_one_stage
