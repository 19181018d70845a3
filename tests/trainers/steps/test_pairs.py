"""Pairs as people write them: pictures that are seen or said, and discriminators of patches."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from tests.helpers import largest_difference, state
from trainers import penalties
from trainers.steps.game import View
from trainers.steps.key import TRAINING

K = keras.layers
SGD = keras.optimizers.SGD
BYTES = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 1)).astype("uint8")


def _generator(*end, d=3):
    return keras.Sequential([keras.Input((d,)), K.Dense(16), *end])


def _keras_gan():
    return _generator(K.Activation("tanh"), K.Reshape((4, 4, 1)))


def _linear():
    return _generator(K.Reshape((4, 4, 1)))


def _discriminator():
    return keras.Sequential([keras.Input((4, 4, 1)), K.Flatten(), K.Dense(1)])


def _gan(generator, discriminator=None, cls=trainers.GAN, compile_arguments=None, **arguments):
    gan = cls(generator, discriminator or _discriminator(), seed=3, **arguments)
    gan.compile(run_eagerly=True, **(compile_arguments or {}))
    return gan


# === What the generator's values are ===


def test_bytes_are_scaled_for_the_textbook_generator():
    """The step sees `x / 127.5 - 1`, and pictures come back."""
    gan = _gan(_keras_gan())
    real, _ = gan.unpack(tf.constant(BYTES))
    np.testing.assert_allclose(real, BYTES / 127.5 - 1, atol=1e-6)
    gan.fit(BYTES, batch_size=8, verbose=0)
    assert gan.sample(2, seed=0).dtype == np.uint8
    with pytest.raises(ValueError, match=r"`x` holds floats outside.*from -1 to 1.*to 255"):
        gan.fit(BYTES.astype("float32"))


def test_what_is_not_seen_can_be_said(tmp_path):
    gan = _gan(_linear())
    steps = int(gan.steps)
    with pytest.raises(ValueError, match=r"`x` holds integers.*neither tanh.*value_range=\(low"):
        gan.fit(BYTES)
    with pytest.raises(ValueError, match=r"`x` looks like pixels.*value_range=\(0, 255\)"):
        gan.fit(BYTES.astype("float32"))
    assert int(gan.steps) == steps and gan.sample(1, seed=0).dtype == np.float32

    said = _gan(_linear(), value_range=(0, 255), compile_arguments={"ema_decay": 0.9})
    assert said.value_range == (0.0, 255.0)
    said.fit(BYTES.astype("float32"), batch_size=8, verbose=0)
    latents = zoo.random.from_seed("normal", 4, 3, 0)
    for player in (said.generator, said.ema_generator):
        wanted = np.rint(np.clip(player(latents), 0, 255)).astype("uint8")
        np.testing.assert_array_equal(zoo.players.sample(player, 4, seed=0), wanted)
    np.testing.assert_array_equal(said.sample(4, seed=0), wanted)

    said.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.get_config()["value_range"] == said.get_config()["value_range"] == (0, 255)
    np.testing.assert_array_equal(loaded.sample(4, seed=0), wanted)
    alone = zoo.load(tmp_path / "gan.keras")
    np.testing.assert_array_equal(zoo.players.sample(alone, 4, seed=0), wanted)


def test_pictures_are_none_where_that_is_said():
    gan = _gan(_keras_gan(), value_range=None)
    assert gan.value_range is None and gan.get_config()["value_range"] is None
    gan.fit(BYTES.astype("float32"), batch_size=8, verbose=0)  # Whatever they are: it is said.
    assert gan.sample(1, seed=0).dtype == np.float32
    with pytest.raises(ValueError, match="`x` holds integers.*it was said.*no pictures"):
        gan.fit(BYTES)


def test_points_are_no_pixels():
    layers = [keras.Input((3,)), K.Dense(5, activation="sigmoid")]
    critic = keras.Sequential([keras.Input((5,)), K.Dense(1)])
    gan = _gan(keras.Sequential(layers), critic)
    points = np.random.default_rng(0).uniform(size=(8, 5)).astype("float32")
    gan.fit(points, batch_size=8, verbose=0)
    assert gan.sample(2, seed=0).dtype == np.float32
    with pytest.raises(ValueError, match=r"`x` holds floats outside.*from 0 to 1"):
        gan.fit(points - 1)  # The generator cannot make them, pictures or not.
    with pytest.raises(ValueError, match=r"`x` holds integers.*\(5,\) are not taken for pictures"):
        gan.fit(np.ones((8, 5), "int64"))


def test_a_refused_pair_leaves_the_generator_as_it_was():
    generator = _linear()
    for arguments in ({"value_range": (1, 0)}, {"value_range": "pixels"}):
        with pytest.raises(ValueError, match="`value_range` is no range"):
            trainers.GAN(generator, _discriminator(), **arguments)
    sigmoid = keras.Sequential(
        [keras.Input((4, 4, 1)), K.Flatten(), K.Dense(1, activation="sigmoid")]
    )
    with pytest.raises(ValueError, match="`discriminator` ends in a sigmoid"):
        trainers.GAN(generator, sigmoid, value_range=(0, 255))
    assert not hasattr(generator, "value_range")


def test_what_a_discriminator_answers_beside_logits_is_said_not_to_be_used():
    x = keras.Input((4, 4, 1))
    h = K.Flatten()(x)
    beside = keras.Model(x, {"logits": K.Dense(1)(h), "aux": K.Dense(3, use_bias=False)(h)})
    gan = trainers.GAN(_keras_gan(), beside)
    with pytest.warns(UserWarning, match="answers 'aux' beside its logits, which no") as caught:
        gan.compile()
    assert [warning.filename for warning in caught] == [__file__]
    trainers.GAN(_keras_gan(), keras.Model(x, {"logits": K.Dense(1)(h), "features": h})).compile()


# === Discriminators of patches ===


def _patches(bias=True):
    """Four patches of 2 x 2 pixels, each seen by itself."""
    hidden = [K.Conv2D(3, 2, 2, activation="tanh")] if bias else []
    end = K.Conv2D(1, 1) if bias else K.Conv2D(1, 2, 2, use_bias=False)
    return keras.Sequential([keras.Input((4, 4, 1)), *hidden, end])


def softplus(v):
    return tf.math.log(1.0 + tf.exp(v))


def square(v):
    return v * v


# The losses of D and of G for maps of logits `(batch, h, w, 1)`, from the papers' formulas.
FORMULAS = {
    "non_saturating": (lambda r, f: softplus(-r) + softplus(f), lambda r, f: softplus(-f)),
    "least_squares": (
        lambda r, f: square(r - 1) / 2 + square(f) / 2,
        lambda r, f: square(f - 1) / 2,
    ),
    "hinge": (lambda r, f: tf.maximum(0.0, 1 - r) + tf.maximum(0.0, 1 + f), lambda r, f: -f),
    "relativistic_average": (
        lambda r, f: softplus(tf.reduce_mean(f) - r) + softplus(f - tf.reduce_mean(r)),
        lambda r, f: softplus(tf.reduce_mean(r) - f) + softplus(r - tf.reduce_mean(f)),
    ),
    "relativistic_pairing": (lambda r, f: softplus(f - r), lambda r, f: softplus(r - f)),
    "kl": (lambda r, f: tf.exp(f - 1) - r, lambda r, f: -f),
}
REAL = np.random.default_rng(5).uniform(-1, 1, (6, 4, 4, 1)).astype("float32")


def _moved(variables, gradients, rate=0.1):
    return [np.asarray(v - rate * g) for v, g in zip(variables, gradients, strict=True)]


@pytest.mark.parametrize("objective", FORMULAS)
def test_a_step_on_patches_is_the_mean_over_patches(objective):
    """Simultaneous steps against a tape by hand: the mean over all patches, then SGD."""
    keras.utils.set_random_seed(0)
    generator, discriminator = _keras_gan(), _patches()
    arguments = {"objective": objective, "discriminator_penalties": penalties.R1(2.0)}
    rates = {"generator_optimizer": SGD(0.1), "discriminator_optimizer": SGD(0.1)}
    gan = _gan(
        generator, discriminator, schedule="simultaneous", compile_arguments=arguments | rates
    )
    assert gan.patches == 4 and not gan.in_one_stage
    latents = zoo.random.draw("normal", 6, 3, zoo.random.fold((3, TRAINING), 0, 0))
    of_d, of_g = FORMULAS[objective]
    real = tf.constant(REAL)
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(latents)
        maps = discriminator(real), discriminator(fake)
        with tf.GradientTape() as inner:
            inner.watch(real)
            answer = tf.reduce_mean(discriminator(real), axis=[1, 2, 3])  # D(x), Isola et al.
        slope = inner.gradient(answer, real)
        r1 = 2.0 / 2 * tf.reduce_sum(tf.square(slope), axis=[1, 2, 3])
        d_loss = tf.reduce_mean(of_d(*maps)) + tf.reduce_mean(r1)
        g_loss = tf.reduce_mean(of_g(*maps))
    d_wanted = _moved(
        discriminator.trainable_variables, tape.gradient(d_loss, discriminator.trainable_variables)
    )
    g_wanted = _moved(
        generator.trainable_variables, tape.gradient(g_loss, generator.trainable_variables)
    )
    logs = gan.train_on_batch(real, return_dict=True)
    assert largest_difference(d_wanted, state_of(discriminator)) < 1e-5
    assert largest_difference(g_wanted, state_of(generator)) < 1e-5
    assert logs["generator_loss"] == pytest.approx(float(g_loss), abs=1e-5)
    assert logs["discriminator_penalty"] == pytest.approx(float(tf.reduce_mean(r1)), abs=1e-5)


def state_of(model):
    return [np.asarray(v) for v in model.trainable_variables]


def test_unrolled_steps_on_patches():
    """One step ahead, by hand: the generator's gradient flows through the discriminator's step."""
    keras.utils.set_random_seed(1)
    generator, discriminator = _keras_gan(), _patches()
    rates = {"generator_optimizer": SGD(0.1), "discriminator_optimizer": SGD(0.3)}
    gan = _gan(generator, discriminator, trainers.UnrolledGAN, rates, unroll_steps=1)
    of_d, of_g = FORMULAS["non_saturating"]
    real, key = tf.constant(REAL), gan.key(1)
    before = [tf.convert_to_tensor(v) for v in discriminator.trainable_variables]

    def answers(x, weights):
        hidden = tf.tanh(tf.nn.conv2d(x, weights[0], 2, "VALID") + weights[1])
        return tf.nn.conv2d(hidden, weights[2], 1, "VALID") + weights[3]

    with tf.GradientTape() as tape:
        fake = generator(gan.latents(6, key))
        with tf.GradientTape() as inner:
            inner.watch(before)
            d_loss = tf.reduce_mean(of_d(answers(real, before), answers(fake, before)))
        after = [w - 0.3 * g for w, g in zip(before, inner.gradient(d_loss, before), strict=True)]
        g_loss = tf.reduce_mean(of_g(answers(real, after), answers(fake, after)))
    wanted = _moved(
        generator.trainable_variables, tape.gradient(g_loss, generator.trainable_variables)
    )
    gan.generator_step(real, None, key)
    assert largest_difference(wanted, state_of(generator)) < 1e-5


def test_slopes_of_patches_are_those_of_their_mean():
    """A linear patch: the mean of four answers has the slope `kernel / 4` at each pixel."""
    terms = [penalties.R1(2.0), penalties.R2(2.0), penalties.GradientPenalty(3.0)]
    gan = _gan(_keras_gan(), _patches(False), compile_arguments={"discriminator_penalties": terms})
    kernel = gan.discriminator.weights[0].numpy().astype("float64")
    slope = np.sqrt(4 * np.sum((kernel / 4) ** 2))
    got = gan.penalty("discriminator", tf.constant(REAL), tf.constant(REAL[::-1]), None, gan.key(0))
    wanted = 2 * (2.0 / 2 * slope**2) + 3.0 * (slope - 1) ** 2
    np.testing.assert_allclose(got, np.full(6, wanted), rtol=1e-4)


def _matching(generator, discriminator, **arguments):
    layer = discriminator.layers[0].name
    return trainers.FeatureMatchingGAN(generator, discriminator, feature_layer=layer, **arguments)


CLASSES = {
    "gan": (trainers.GAN, {"perturbations": trainers.perturbations.LabelFlips(0.3)}),
    "consensus": (trainers.ConsensusGAN, {}),
    "wasserstein": (trainers.WassersteinGAN, {}),
    "wasserstein_gp": (trainers.WassersteinGANGP, {}),
    "fgan": (trainers.FGAN, {}),
    "feature_matching": (_matching, {}),
    "historical": (trainers.HistoricalAveragingGAN, {}),
}


@pytest.mark.parametrize("name", CLASSES)
def test_every_trainer_takes_patches(name):
    cls, arguments = CLASSES[name]
    if name == "fgan":
        gan = _gan(_keras_gan(), _patches(), cls, arguments, divergence="pearson")
    else:
        gan = _gan(_keras_gan(), _patches(), cls, arguments)
    before = state(gan.generator), state(gan.discriminator)
    data = tf.constant(np.resize(REAL, (10, 4, 4, 1)))
    for logs in (
        gan.train_on_batch(data, return_dict=True),
        gan.test_on_batch(data, return_dict=True),
    ):
        assert all(np.isfinite(value) for value in logs.values()), logs
    assert largest_difference(before[0], state(gan.generator)) > 0
    assert largest_difference(before[1], state(gan.discriminator)) > 0


# === What is logged of its answers ===


def test_answers_are_logged_as_the_objective_reads_them():
    gan = _gan(_keras_gan())
    real, fake = np.array([2.0, -1.0, 0.5]), np.array([-3.0, 0.25, 1.0])
    sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
    raw = real.mean(), fake.mean()
    readings = {
        "minimax": (sigmoid(real).mean(), sigmoid(fake).mean()),
        "non_saturating": (sigmoid(real).mean(), sigmoid(fake).mean()),
        "least_squares": raw,
        "hinge": raw,
        "wasserstein": raw,
        "relativistic_average": (
            sigmoid(real - fake.mean()).mean(),
            sigmoid(fake - real.mean()).mean(),
        ),
        "relativistic_pairing": (sigmoid(real - fake).mean(), sigmoid(fake - real).mean()),
        "gan": (sigmoid(real).mean(), sigmoid(fake).mean()),
        "jensen_shannon": (sigmoid(real).mean(), sigmoid(fake).mean()),
        "kl": (sigmoid(real - 1).mean(), sigmoid(fake - 1).mean()),
    }
    views = [View(None, tf.constant(v, "float32"), None) for v in (real, fake)]
    for objective, (of_real, of_fake) in readings.items():
        gan.objective = trainers.objectives.get(objective)
        gan.reset_metrics()
        gan.track_discriminator(tf.zeros(3), *views)
        assert float(gan.trackers["discriminator_real"].result()) == pytest.approx(
            of_real, abs=1e-6
        )
        assert float(gan.trackers["discriminator_fake"].result()) == pytest.approx(
            of_fake, abs=1e-6
        )
        js = np.log(2) + (np.log(sigmoid(real)) + np.log(sigmoid(-fake))).mean() / 2
        theirs = objective in ("minimax", "non_saturating", "gan", "jensen_shannon")
        assert float(gan.trackers["js_estimate"].result()) == pytest.approx(js if theirs else 0)


def test_the_estimate_of_js_is_logged_where_it_is_one():
    gan = _gan(_keras_gan())
    for objective, there in (("hinge", False), ("minimax", True), ("kl", False), ("gan", True)):
        gan.compile(objective, run_eagerly=True)
        assert ("js_estimate" in [metric.name for metric in gan.metrics]) == there


# === What is no model ===


@pytest.mark.parametrize("kind", [trainers.GAN, trainers.WassersteinGANGP, trainers.FGAN])
@pytest.mark.parametrize("thing", ["dcgan_mnist", None, zoo.MLPGenerator, lambda: _linear()])
def test_a_name_a_class_or_a_function_is_no_player(kind, thing):
    pair = {"generator": _keras_gan(), "discriminator": _generator(K.Dense(1))}
    for name in pair:
        message = f"`{name}` is no Keras model.*Received: {name} of type {type(thing).__name__}"
        with pytest.raises(ValueError, match=message):
            kind(**{**pair, name: thing})
