"""Whether a model couples the examples of a batch, by the allow-list and by the probe."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from tests.helpers import tiny_mlp_pair, tiny_pair
from trainers.objectives import Objective
from trainers.penalties import R1
from trainers.steps import coupling, one_stage

L = keras.layers


@keras.saving.register_keras_serializable(package="tests")
def minus_batch_mean(x):
    return x - keras.ops.mean(x, axis=0)


@keras.saving.register_keras_serializable(package="tests")
class BatchMean(L.Layer):
    """A user's own layer over the batch."""

    def call(self, inputs):
        return inputs + tf.reduce_mean(inputs, axis=0, keepdims=True)


@keras.saving.register_keras_serializable(package="tests")
class Doubled(L.Layer):
    """A user's own layer that treats examples apart."""

    def call(self, inputs):
        return 2.0 * inputs


@keras.saving.register_keras_serializable(package="tests")
class Around(L.Wrapper):
    """A user's own wrapper."""

    def call(self, inputs):
        return self.layer(inputs)


@keras.saving.register_keras_serializable(package="tests")
class Turned(keras.Sequential):
    """A user's own model whose layers alone tell nothing."""

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs - tf.reduce_mean(inputs, axis=0), training=training)


class Centre:
    """An activation that Python cannot hash."""

    __hash__ = None

    def __call__(self, x):
        return x - keras.ops.mean(x, axis=0)


def from_second_to_last(x):
    return x + keras.ops.concatenate([x[:1] * 0.0, x[1:-1], x[1:2]], axis=0)


def _softmax_over_the_batch():
    """Every example is one number, so that axis -1 is the batch."""
    layers = [L.Dense(1, kernel_initializer="zeros"), L.Reshape(()), L.Softmax(name="it")]
    return keras.Sequential([keras.Input((6,)), *layers, L.Reshape((1,)), L.Dense(1)])


def _net(*layers, shape=(6,)):
    return keras.Sequential([keras.Input(shape), L.Dense(5, name="first"), *layers, L.Dense(1)])


def _functional():
    x = keras.Input((6,))
    h = L.Dense(4)(x)
    return keras.Model(x, L.Dense(1)(h - keras.ops.max(h, axis=0)))


# Whether examples are coupled, and the layer that is named.
COUPLED = {
    "lambda": (lambda: _net(L.Lambda(lambda x: x - keras.ops.mean(x, axis=0), name="it")), "it"),
    "activation": (lambda: _net(L.Activation(minus_batch_mean, name="it")), "it"),
    "activation of dense": (lambda: _net(L.Dense(4, activation=minus_batch_mean, name="it")), "it"),
    "softmax over the batch": (lambda: _net(L.Softmax(axis=0, name="it")), "it"),
    "own layer": (lambda: _net(BatchMean(name="it")), "it"),
    "wrapped own layer": (lambda: _net(Around(BatchMean(), name="it")), "it"),
    "nested model": (
        lambda: _net(keras.Sequential([keras.Input((5,)), BatchMean(name="it")])),
        "it",
    ),
    "layer normalization over the batch": (
        lambda: _net(L.UnitNormalization(axis=0, name="it")),
        "it",
    ),
    "batch normalization": (lambda: _net(zoo.BatchNormalization(name="it")), "it"),
    "Keras's": (lambda: _net(L.BatchNormalization(name="it")), "it"),
    "minibatch discrimination": (lambda: _net(zoo.MinibatchDiscrimination(3, 2, name="it")), "it"),
    "a zero after it": (
        lambda: _net(BatchMean(name="it"), L.Dense(3, kernel_initializer="zeros")),
        "it",
    ),
    "operation": (_functional, None),
    "own model with a last layer of zeros": (
        lambda: Turned(
            [keras.Input((6,)), L.Dense(5), L.Dense(1, kernel_initializer="zeros")], name="it"
        ),
        "it",
    ),
    "softmax of one number an example": (_softmax_over_the_batch, "it"),
    "an activation without a hash": (
        lambda: _net(L.Dense(4, activation=Centre(), name="it")),
        "it",
    ),
    "only the last rows": (lambda: _net(L.Lambda(from_second_to_last, name="it")), "it"),
    "only the first rows": (lambda: _net(L.Lambda(keras.ops.cumsum, arguments={"axis": 0})), None),
}
APART = {
    "dense": lambda: _net(L.LeakyReLU(), L.Dropout(0.3), L.Activation("tanh")),
    "zoo's": lambda: tiny_mlp_pair()[1],
    "dcgan": lambda: zoo.DCGANDiscriminator((8, 8, 1), filters=4, batch_normalization=False),
    "r3gan": lambda: zoo.R3GANDiscriminator((28, 28, 1), filters=8, blocks=1, group_width=4),
    "wrapped": lambda: _net(
        zoo.SpectralNormalization(L.Dense(4, activation="relu")),
        zoo.WeightNormalization(L.Dense(4)),
    ),
    "recurrent": lambda: _net(L.Reshape((5, 1)), L.Bidirectional(L.LSTM(3))),
    "images": lambda: keras.Sequential(
        [keras.Input((8, 8, 1)), L.Conv2D(3, 3), L.LayerNormalization(), L.Flatten(), L.Dense(1)]
    ),
    "softmax": lambda: _net(L.Softmax(), L.Dense(3, activation="softmax")),
}
# Apart, which the allow-list cannot know: the fast way is not taken, and nobody is warned.
UNKNOWN = {
    "own layer": lambda: _net(Doubled()),
    "lambda": lambda: _net(L.Lambda(lambda x: 2.0 * x)),
    "resnet, which sums by an operation": lambda: zoo.ResNetDiscriminator((28, 28, 1), filters=4),
    "conditional, with one-hot labels by an operation": lambda: tiny_pair(3)[1],
    "frozen batch normalization": lambda: _net(L.BatchNormalization(trainable=False)),
}


@pytest.mark.parametrize("name", COUPLED)
def test_what_couples_examples(name):
    make, layer = COUPLED[name]
    model = make()
    assert not coupling.treats_examples_apart(model)
    found = coupling.coupling_layer(model)
    assert found is not None if layer is None else found == layer


@pytest.mark.parametrize("name", APART)
def test_what_treats_examples_apart(name):
    model = APART[name]()
    before = model.get_weights()
    assert coupling.treats_examples_apart(model) and coupling.coupling_layer(model) is None
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_only_the_probe_can_tell(name):
    model = UNKNOWN[name]()
    assert not coupling.treats_examples_apart(model)
    assert coupling.coupling_layer(model) is None


def test_what_cannot_be_probed_is_told_by_its_layers():
    class Strange(keras.Model):
        def __init__(self):
            super().__init__()
            self.normalization = L.BatchNormalization(name="inside")

        def call(self, inputs):
            return self.normalization(inputs)

    model = Strange()
    model(tf.zeros((2, 3)))
    assert not coupling.treats_examples_apart(model)
    assert coupling.coupling_layer(model) == "inside"


def test_a_layer_that_does_not_repeat_itself_is_not_blamed():
    assert (
        coupling.coupling_layer(_net(L.Lambda(lambda x: x + tf.random.normal(tf.shape(x))))) is None
    )


# === The one-stage step ===


def _generator_gradient(trainer, real):
    return trainer.simultaneous_gradients(real, None, trainer.key(0))[1]


def _pair(discriminator):
    generator = keras.Sequential([keras.Input((4,)), L.Dense(8, "relu"), L.Dense(6)])
    return generator, discriminator


@pytest.mark.parametrize("name", COUPLED)
def test_the_generator_gets_its_own_gradient(name):
    """Against the gradient of the generator's loss alone, by a tape of its own."""
    gan = trainers.GAN(*_pair(COUPLED[name][0]()), schedule="simultaneous", seed=3)
    gan.compile("non_saturating", "sgd", "sgd")  # With minimax the ratio is -1 for all.
    assert not gan.in_one_stage
    real = tf.constant(np.random.default_rng(0).normal(size=(8, 6)).astype("float32"))
    with tf.GradientTape() as tape, keras.StatelessScope():
        fake = gan.fake(real, None, gan.key(0), training=True)
        logits = gan.view(fake, None, training=True).logits
        loss = tf.reduce_mean(tf.nn.softplus(-logits))  # -log D
    expected = tape.gradient(loss, gan.generator.trainable_variables)
    found = _generator_gradient(gan, real)
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@keras.saving.register_keras_serializable(package="tests")
class OnlyLogs(trainers.GAN):
    """Changes nothing of the game."""

    def track_discriminator(self, losses, real, fake):
        super().track_discriminator(losses, real, fake)

    def generator_losses(self, real, fake):
        return super().generator_losses(real, fake)

    def view(self, samples, labels, training):
        return super().view(samples, labels, training)


class LosesSamples(trainers.GAN):
    def generator_losses(self, real, fake):
        return super().generator_losses(real, fake) + tf.reduce_mean(fake.samples**2, axis=1)


class LosesWeights(trainers.GAN):
    def generator_losses(self, real, fake):
        size = sum(tf.reduce_sum(w**2) for w in self.generator.trainable_variables)
        return super().generator_losses(real, fake) + size


class Pays(trainers.GAN):
    def penalty(self, player, real, fake, labels, key):
        return super().penalty(player, real, fake, labels, key) + tf.reduce_mean(fake**2, axis=1)


class Shifts(trainers.GAN):
    def view(self, samples, labels, training):
        return super().view(samples + tf.roll(samples, 1, axis=0), labels, training)


class AddsUp(trainers.GAN):
    def view(self, samples, labels, training):
        return super().view(tf.cumsum(samples), labels, training)


class Triples(trainers.GAN):
    def surrogate_losses(self, *args):
        return 3.0 * super().surrogate_losses(*args)


class Stashes(trainers.GAN):
    """Its loss is of samples that no view carries."""

    def fake_for_generator(self, *args):
        self.stashed = super().fake_for_generator(*args)
        return self.stashed

    def generator_losses(self, real, fake):
        return super().generator_losses(real, fake) + tf.reduce_sum(self.stashed**2, axis=1)


class Mixes(trainers.GAN):
    def perturbed(self, real, fake, key):
        return super().perturbed(real, 0.5 * (fake + real), key)


class MixesBatch(trainers.GAN):
    def perturbed(self, real, fake, key):
        return super().perturbed(real, fake + tf.roll(fake, 1, axis=0), key)


def _trained(cls, **arguments):
    keras.utils.set_random_seed(1)
    gan = cls(*_pair(_net(L.LeakyReLU())), schedule="simultaneous", seed=3)
    arguments = {"generator_optimizer": "sgd", "discriminator_optimizer": "sgd", **arguments}
    gan.compile(**arguments, run_eagerly=True)
    data = np.random.default_rng(0).normal(size=(32, 6)).astype("float32")
    gan.fit(data, batch_size=8, epochs=2, verbose=0)
    return gan


OFF = [LosesSamples, LosesWeights, Pays, Shifts, AddsUp, Triples, Stashes]


def test_a_subclass_that_changes_no_loss_keeps_the_fast_way():
    plain, other = _trained(trainers.GAN), _trained(OnlyLogs)
    assert plain.in_one_stage and other.in_one_stage
    for a, b in zip(plain.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_penalty_takes_the_general_way():
    gan = trainers.GAN(*_pair(_net(L.LeakyReLU())), schedule="simultaneous")
    gan.compile(discriminator_penalties=R1(1.0))
    assert not gan.in_one_stage


@pytest.fixture(scope="module")
def plain():
    """The game that they all change, in one stage."""
    gan = _trained(trainers.GAN)
    assert gan.in_one_stage
    return gan


@pytest.mark.parametrize("cls", OFF)
def test_a_loss_of_more_than_logits_takes_the_general_way(cls, plain):
    gan = _trained(cls)
    assert not gan.in_one_stage
    differences = zip(gan.generator.weights, plain.generator.weights, strict=True)
    assert max(np.abs(a.numpy() - b.numpy()).max() for a, b in differences) > 1e-4


class OfABatch(Objective):
    """Wants a batch of its own size."""

    def discriminator_loss(self, real_logits, fake_logits):
        return tf.reshape(fake_logits - real_logits, (8,))

    def generator_loss(self, real_logits, fake_logits):
        return tf.reshape(-fake_logits, (8,))


@pytest.mark.parametrize("cls", [Mixes, MixesBatch])
def test_what_moves_each_sample_alone_keeps_the_fast_way(cls, monkeypatch):
    """Both ways train the same: the check does not have to be timid."""
    fast = _trained(cls)
    assert fast.in_one_stage
    monkeypatch.setattr(one_stage, "applies", lambda trainer: False)
    for a, b in zip(fast.get_weights(), _trained(cls).get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


class WithoutGradient(Objective):
    """Its generator's loss does not depend on the samples."""

    def discriminator_loss(self, real_logits, fake_logits):
        return fake_logits - real_logits

    def generator_loss(self, real_logits, fake_logits):
        return tf.stop_gradient(fake_logits)


def test_a_loss_without_a_gradient_takes_the_general_way():
    gan = trainers.GAN(*_pair(_net(L.LeakyReLU())), schedule="simultaneous", seed=3)
    gan.compile(WithoutGradient())
    assert not gan.in_one_stage


def test_a_loss_that_cannot_be_asked_takes_the_general_way():
    assert not _trained(trainers.GAN, objective=OfABatch()).in_one_stage


# === The other three that ask ===


@pytest.mark.parametrize("name", [n for n, (_, layer) in COUPLED.items() if layer])
def test_a_penalty_on_slopes_warns_of_whatever_couples(name):
    gan = trainers.GAN(*_pair(COUPLED[name][0]()))
    with pytest.warns(UserWarning, match="layer 'it' .* lets every example move all logits"):
        gan.compile(discriminator_penalties=R1())


@pytest.mark.parametrize("name", [n for n, (_, layer) in COUPLED.items() if layer])
def test_an_estimated_gradient_warns_of_whatever_couples(name):
    @keras.saving.register_keras_serializable(package="tests")
    def moved(parameters, latents):
        return latents + parameters["shift"]

    simulator = zoo.Simulator(moved, {"shift": 1.0}, (6,), latent_dim=6, gradient="score")
    gan = trainers.GAN(simulator, COUPLED[name][0]())
    with pytest.warns(UserWarning, match="layer 'it' .* gradient that is estimated"):
        gan.compile()


@pytest.mark.parametrize("name", [n for n, (_, layer) in COUPLED.items() if layer])
def test_parts_of_one_example_are_refused_where_something_couples(name):
    gan = trainers.GAN(*_pair(COUPLED[name][0]()), discriminator_steps=2)
    gan.compile()
    data = np.zeros((2, 6), "float32")
    with pytest.raises(ValueError, match="`batch_size` .*'it'"):
        gan.fit(data, batch_size=2, verbose=0)


@pytest.mark.parametrize("name", ["dense", "wrapped", "softmax"])
def test_nobody_is_warned_of_what_treats_examples_apart(name, recwarn):
    gan = trainers.GAN(*_pair(APART[name]()), discriminator_steps=2)
    gan.compile(discriminator_penalties=R1(), run_eagerly=True)
    gan.fit(np.zeros((2, 6), "float32"), batch_size=2, verbose=0)
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]
