"""Feature matching: its steps against NumPy, who moves, and where features may come from."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from tests.helpers import (
    all_variables,
    batches,
    compiled,
    largest_difference,
    run_isolation_test,
    run_trainer_test,
    state,
    tiny_data,
    tiny_mlp_pair,
    tiny_pair,
)
from trainers.steps.game import View
from trainers.steps.key import TESTING, TRAINING
from zoo import latents

layers = keras.layers
RNG = np.random.default_rng(0)


def _plain(*stack, shape=(8, 8, 1), name=None):
    return keras.Sequential([keras.Input(shape), *stack], name=name)


def _extractor(shape=(8, 8, 1)):
    """A plain model that is another function in training than in inference."""
    stack = (layers.Flatten(), layers.Dense(5, "tanh"))
    model = _plain(*stack, layers.BatchNormalization(), layers.Dropout(0.5), shape=shape)
    for weight, values in zip(model.layers[2].weights, RNG.uniform(0.5, 2, (4, 5)), strict=True):
        weight.assign(values)
    return model


def _float64(model):
    return [w.astype("float64") for w in model.get_weights()]


def _distance(real, fake, norm):
    """The definition, from features of real and of generated samples."""
    gap = real.mean(0) - fake.mean(0)
    return np.sum(gap**2) if norm == "squared" else np.sum(np.abs(gap))


# === The steps ===


def _linear_gan(norm, **arguments):
    """x = z A + b against features tanh(x W + c), by plain gradient descent; D is at rest."""
    generator = _plain(layers.Dense(2), shape=(2,))
    discriminator = _plain(layers.Dense(3, "tanh", name="hidden"), layers.Dense(1), shape=(2,))
    for weight in [*generator.weights, *discriminator.weights]:
        weight.assign(RNG.normal(0, 0.7, weight.shape))
    gan = trainers.FeatureMatchingGAN(
        generator, discriminator, feature_layer="hidden", norm=norm, seed=5, **arguments
    )
    gan.compile("minimax", keras.optimizers.SGD(0.3), keras.optimizers.SGD(0.0))
    return gan


@pytest.mark.parametrize("norm", ["squared", "l1"])
def test_steps_follow_the_formula(norm):
    gan = _linear_gan(norm)
    a, b = _float64(gan.generator)
    w, c = _float64(gan.discriminator)[:2]
    data = RNG.normal(1, 1, (3, 10, 2)).astype("float32")
    for step, real in enumerate(data):
        seed = latents.fold((5, TRAINING), step, 1)
        z = latents.draw("normal", 10, 2, seed).numpy().astype("float64")
        on_real, on_fake = np.tanh(real @ w + c), np.tanh((z @ a + b) @ w + c)
        logs = gan.train_on_batch(real, return_dict=True)
        wanted = _distance(on_real, on_fake, norm)
        assert logs["generator_loss"] == pytest.approx(wanted, rel=1e-5)
        gan.reset_metrics()
        gap = on_real.mean(0) - on_fake.mean(0)
        outer = 2 * gap if norm == "squared" else np.sign(gap)
        # d tanh = 1 - tanh^2, and each of the ten has its share of the mean.
        slope = -(outer * (1 - on_fake**2)) @ w.T / 10
        a, b = a - 0.3 * z.T @ slope, b - 0.3 * slope.sum(0)
    for got, wanted in zip(gan.generator.get_weights(), (a, b), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)


def _unpaired(real, fake):
    """The mean distance of the i-th real sample to the i-th fake, as another library has it."""
    return np.mean(np.sum((real - fake) ** 2, axis=1))


@pytest.mark.parametrize("norm", ["squared", "l1"])
def test_means_are_matched_and_not_samples(norm):
    gan = _linear_gan(norm)
    real, fake = RNG.normal(size=(2, 12, 3)).astype("float32")
    order = RNG.permutation(12)

    def loss(real):
        views = [View(tf.zeros((12, 2)), tf.zeros(12), tf.constant(x)) for x in (real, fake)]
        return gan.generator_losses(*views).numpy()

    np.testing.assert_allclose(loss(real), np.full(12, _distance(real, fake, norm)), rtol=1e-5)
    np.testing.assert_allclose(loss(real[order]), loss(real), rtol=1e-5)
    assert abs(_unpaired(real[order], fake) - _unpaired(real, fake)) > 0.1


def test_at_a_match_nothing_moves():
    gan = _linear_gan("squared")
    kernel, bias = gan.generator.weights
    kernel.assign(tf.zeros((2, 2)))
    before = state(gan.generator)
    gan.train_on_batch(np.tile(bias.numpy(), (8, 1)))
    assert largest_difference(before, state(gan.generator)) == 0


@keras.saving.register_keras_serializable(package="tests")
class Moments(layers.Layer):
    """f(x) = (x, x^2)."""

    def call(self, x):
        return tf.concat([x, tf.square(x)], axis=1)


def test_an_affine_generator_finds_the_moments():
    # E f = (mean, mean^2 + deviation^2) names a normal distribution.
    gan = trainers.FeatureMatchingGAN(
        _plain(layers.Dense(1), shape=(1,)),
        _plain(layers.Dense(1), shape=(1,)),
        feature_extractor=_plain(Moments(), shape=(1,)),
    )
    gan.compile(generator_optimizer=keras.optimizers.Adam(0.02), steps_per_execution=50)
    points = zoo.toys.normal(1.0, 0.5).sample(1000 * 300, seed=1).numpy()
    gan.fit(batches(points, size=1000, steps=300), verbose=0)
    scale, mean = (float(np.squeeze(w)) for w in gan.generator.get_weights())
    # A batch's second moment is off by 2 sqrt(2 / 1000) / 3 or so, and Adam forgets in ten steps.
    assert mean == pytest.approx(1.0, abs=0.03) and abs(scale) == pytest.approx(0.5, abs=0.05)


def test_simultaneous_steps_take_both_gradients_at_one_point():
    keras.utils.set_random_seed(1)
    gan = trainers.FeatureMatchingGAN(*tiny_pair(), schedule="simultaneous", seed=4)
    sgd = keras.optimizers.SGD
    gan.compile("minimax", sgd(0.3), sgd(0.2), run_eagerly=True)
    players = [keras.models.clone_model(player) for player in (gan.generator, gan.discriminator)]
    for player, original in zip(players, (gan.generator, gan.discriminator), strict=True):
        player.set_weights(original.get_weights())
    generator, discriminator = players
    images = tiny_data(count=16)[0]
    real = tf.constant(images / 127.5 - 1, "float32")
    for step in range(2):
        gan.train_on_batch(images)
        z = latents.draw("normal", 16, 6, latents.fold((4, TRAINING), step, 0))
        with tf.GradientTape(persistent=True) as tape:
            on_real = discriminator(real, training=True)
            on_fake = discriminator(generator(z, training=True), training=True)
            d_loss = tf.reduce_mean(tf.nn.softplus(-on_real["logits"]))
            d_loss += tf.reduce_mean(tf.nn.softplus(on_fake["logits"]))
            gap = tf.reduce_mean(on_real["features"], 0) - tf.reduce_mean(on_fake["features"], 0)
            g_loss = tf.reduce_sum(gap**2)
        for player, loss, rate in ((generator, g_loss, 0.3), (discriminator, d_loss, 0.2)):
            variables = player.trainable_variables
            for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
                variable.assign_sub(rate * gradient)
    assert largest_difference(state(*players), state(gan.generator, gan.discriminator)) < 1e-6


# === Who moves ===

SIDES = (16, 16, 1)  # The smallest whose discriminator has batch normalisation.
SOURCES = {
    "own": lambda: {},
    "layer": lambda: {"feature_layer": "leaky_relu_0"},
    "plain": lambda: {"feature_extractor": _extractor(SIDES)},
    "player": lambda: {"feature_extractor": zoo.DCGANDiscriminator(SIDES, filters=2)},
}


@pytest.mark.parametrize("source", SOURCES)
def test_only_the_generator_feels_the_loss(source):
    arguments = SOURCES[source]()
    players = (
        zoo.DCGANGenerator(SIDES, latent_dim=3, filters=2, num_classes=3),
        zoo.DCGANDiscriminator(SIDES, filters=2, num_classes=3),
    )
    judge = _extractor(SIDES)
    gan = trainers.FeatureMatchingGAN(*players, held_out_extractor=judge, seed=2, **arguments)
    gan.compile(run_eagerly=True)
    data = tiny_data(SIDES, count=16)
    frozen = [*arguments.values()] if "feature_extractor" in arguments else []
    frozen.append(judge)
    run_isolation_test(gan, data, ["generator"], resting=frozen)

    rested = state(*frozen)
    gan.fit(batches(data, steps=1), verbose=0)
    assert largest_difference(rested, state(*frozen)) == 0
    assert len(gan.discriminator_optimizer.variables) == 2 + 2 * len(
        gan.discriminator.trainable_variables
    )


def test_the_discriminator_plays_for_its_objective():
    """Its first step is that of a GAN, bit for bit."""
    results = []
    for cls in (trainers.GAN, trainers.FeatureMatchingGAN):
        keras.utils.set_random_seed(1)
        gan = cls(*tiny_pair(), seed=3)
        gan.compile("hinge", run_eagerly=True)
        gan.fit(batches(tiny_data()[0], steps=1), verbose=0)
        results.append(state(gan.discriminator, gan.discriminator_optimizer))
    assert largest_difference(*results) == 0


def test_a_held_out_extractor_is_heard_by_nobody():
    results = []
    for held_out in (False, True):
        keras.utils.set_random_seed(1)
        pair = tiny_mlp_pair()
        judge = _extractor((4, 4, 1)) if held_out else None
        gan = trainers.FeatureMatchingGAN(*pair, held_out_extractor=judge, seed=3)
        gan.compile(ema_decay=0.9, run_eagerly=True)
        history = gan.fit(batches(tiny_data((4, 4, 1))[0]), verbose=0).history
        assert ("held_out_distance" in history) == held_out
        results.append(all_variables(gan))
    assert largest_difference(*results) == 0

    # No batch of evaluate is smaller, so that one mean is the mean of all.
    images = tiny_data((4, 4, 1), count=32)[0]
    logs = gan.evaluate(images, batch_size=32, verbose=0, return_dict=True)
    z = gan.latents(32, gan.key_of(TESTING, 0))
    samples = [images.astype("float32") / 255, gan.generator(z, training=False).numpy()]
    kernel, bias, gamma, beta, mean, variance = _float64(judge)
    features = [np.tanh(x.reshape(32, -1) @ kernel + bias) for x in samples]
    features = [gamma * (f - mean) / np.sqrt(variance + 1e-3) + beta for f in features]
    assert logs["held_out_distance"] == pytest.approx(_distance(*features, "squared"), rel=1e-4)


# === Where features come from ===


def _samples(classes, count=16):
    rng = np.random.default_rng(1)
    real, fake = rng.uniform(-1, 1, (2, count, 8, 8, 1)).astype("float32")
    return real, fake, None if classes is None else (np.arange(count) % classes).astype("int32")


@pytest.mark.parametrize("classes", [None, 3])
@pytest.mark.parametrize("norm", ["squared", "l1"])
def test_a_layer_of_a_discriminator(classes, norm):
    for layer in ("leaky_relu_0", "features", None):
        players = tiny_pair(classes)
        gan = trainers.FeatureMatchingGAN(*players, feature_layer=layer, norm=norm)
        real, fake, labels = _samples(classes)
        tensors = [None if x is None else tf.constant(x) for x in (real, fake, labels)]
        views = gan.views(*tensors, training=False)
        d = players[1]
        alone = keras.Model(d.input, d.get_layer(layer or "features").output)
        inputs = [x if classes is None else {"images": x, "labels": labels} for x in (real, fake)]
        features = [alone.predict(x, verbose=0).astype("float64") for x in inputs]
        wanted = _distance(*features, norm)
        np.testing.assert_allclose(gan.generator_losses(*views), np.full(16, wanted), rtol=1e-4)
        logits = d.predict(inputs[0], verbose=0)["logits"]
        np.testing.assert_allclose(views[0].logits, logits, rtol=1e-6)


def test_a_layer_of_a_plain_model_and_extractors():
    real, fake, _ = _samples(None)
    plain = _plain(layers.Flatten(), layers.Dense(4, "relu", name="hidden"), layers.Dense(1))
    kernel, bias = _float64(plain)[:2]
    hidden = [np.maximum(x.reshape(16, -1) @ kernel + bias, 0) for x in (real, fake)]
    extractor = _extractor()
    kernel, bias, gamma, beta, mean, variance = _float64(extractor)
    moments = [np.tanh(x.reshape(16, -1) @ kernel + bias) for x in (real, fake)]
    moments = [gamma * (f - mean) / np.sqrt(variance + 1e-3) + beta for f in moments]
    player = zoo.DCGANDiscriminator((8, 8, 1), filters=2)
    theirs = [player.predict(x, verbose=0)["features"].astype("float64") for x in (real, fake)]
    for arguments, features in (
        ({"feature_layer": "hidden"}, hidden),
        ({"feature_extractor": extractor}, moments),
        ({"feature_extractor": player}, theirs),
        # An extractor that takes any side, as convolutions do, and makes maps.
        ({"feature_extractor": _plain(layers.ReLU(), shape=(None, None, 1))}, [real, fake]),
    ):
        gan = trainers.FeatureMatchingGAN(tiny_pair()[0], plain, **arguments)
        # Extractors stay in inference mode while the players train.
        views = gan.views(tf.constant(real), tf.constant(fake), None, training=True)
        features = [np.maximum(f, 0) for f in features] if features[0] is real else features
        wanted = _distance(*features, "squared")
        np.testing.assert_allclose(gan.generator_losses(*views), np.full(16, wanted), rtol=1e-4)


# === Files ===


def test_modes_of_execution_and_file(tmp_path):
    def make(**modes):
        players = _plain(layers.Dense(2), shape=(3,)), _plain(layers.Dense(1), shape=(2,))
        extractors = _extractor((2,)), zoo.MLPDiscriminator((2,), units=(4,), activation="relu")
        rng = np.random.default_rng(2)
        for weight in (w for extractor in extractors for w in extractor.weights):
            weight.assign(rng.uniform(0.1, 0.4, weight.shape))
        gan = trainers.FeatureMatchingGAN(
            *players, extractors[0], held_out_extractor=extractors[1], seed=3
        )
        return compiled(gan, **modes)

    whole, loaded = run_trainer_test(make, RNG.normal(1, 1, (64, 2)), tmp_path)
    for name in ("feature_extractor", "held_out_extractor"):
        kept, again = getattr(whole, name), getattr(loaded, name)
        assert type(again) is type(kept)
        assert largest_difference(kept.get_weights(), again.get_weights()) == 0


def test_a_layers_name_survives_a_file_and_no_weight_is_saved_twice(tmp_path):
    data = tiny_data()
    gan = trainers.FeatureMatchingGAN(*tiny_pair(3), feature_layer="leaky_relu_0", norm="l1")
    assert len(gan.weights) == len(trainers.FeatureMatchingGAN(*tiny_pair(3)).weights)
    gan.compile(run_eagerly=True)
    gan.fit(batches(data, steps=1), verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.feature_layer == "leaky_relu_0" and loaded.norm == "l1"
    for trainer in (gan, loaded):
        trainer.fit(batches(data, steps=1), verbose=0)
    assert largest_difference(all_variables(gan), all_variables(loaded)) == 0


# === Errors ===


def _two_inputs():
    inputs = [keras.Input((8, 8, 1)), keras.Input((8, 8, 1))]
    return keras.Model(inputs, layers.Add()(inputs), name="two")


def _two_answers():
    """A discriminator of one's own, whose dict has other things than features."""
    x = keras.Input((8, 8, 1))
    h = layers.Flatten()(x)
    return keras.Model(x, {"logits": layers.Dense(1)(h), "classes": layers.Dense(3)(h)})


def _subclass():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.flatten, self.dense = layers.Flatten(), layers.Dense(1, name="dense")

        def call(self, x, training=False):
            return self.dense(self.flatten(x))

    model = Net()
    model(np.zeros((2, 8, 8, 1), "float32"))
    return model


def _other(discriminator, **arguments):
    return trainers.FeatureMatchingGAN(tiny_pair()[0], discriminator, **arguments)


def _gan(plain=False, **arguments):
    pair = tiny_pair()
    if plain:
        pair = pair[0], _plain(layers.Flatten(name="flat"), layers.Dense(1, name="out"), name="d")
    return trainers.FeatureMatchingGAN(*pair, **arguments)


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: _gan(feature_layer="leaky_relu"),
            "Expected one of .*'leaky_relu_0'.*did you mean 'leaky_relu_.*='leaky_relu'",
        ),
        (
            lambda: _gan(feature_layer="features", feature_extractor=_extractor()),
            "one source.*'sequential.*' and 'features'",
        ),
        (lambda: _gan(plain=True), r"\['flat', 'out'\].*Received: discriminator='d'"),
        (lambda: _other(_two_answers()), "`discriminator` returns no features.*feature_layer"),
        (lambda: _other(_subclass()), "`discriminator` returns no features.*feature_extractor"),
        (
            lambda: _other(_subclass(), feature_layer="dense"),
            "`feature_layer` cannot be taken out.*without a graph.*feature_layer='dense'",
        ),
        (
            lambda: _gan(feature_extractor=_plain(layers.ReLU(), shape=(8, 8, 3), name="f")),
            r"takes \(8, 8, 3\).*of shape \(8, 8, 1\).*feature_extractor='f'",
        ),
        (
            lambda: _gan(held_out_extractor=_plain(layers.ReLU(), shape=(64,), name="f")),
            r"takes \(64,\).*held_out_extractor='f'",
        ),
        (
            lambda: _gan(feature_extractor=keras.Sequential([layers.ReLU()], name="f")),
            "not built.*feature_extractor='f'",
        ),
        (lambda: _gan(feature_extractor=_two_inputs()), "one input.*feature_extractor='two'"),
        (
            lambda: _gan(feature_extractor=zoo.DCGANDiscriminator((8, 8, 1), 2, num_classes=3)),
            "cannot take the samples.*feature_extractor='dcgan_discriminator",
        ),
        (lambda: _gan(norm="l2"), r"\['l1', 'squared'\]; did you mean 'l1'.*norm='l2'"),
        (lambda: _gan(discriminator_steps=0), "discriminator_steps=0"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
