"""Wasserstein GANs: clipping and waiting as the algorithm has them, and estimates on paper."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from tests.helpers import (
    all_variables,
    batches,
    largest_difference,
    run_trainer_test,
    tiny_data,
)
from trainers.penalties import R1, GradientPenalty, HistoricalAveraging
from trainers.steps.key import TESTING, TRAINING
from trainers.stopping import UntilConverged
from zoo import latents

layers = keras.layers
RNG = np.random.default_rng(0)
BOTH = pytest.mark.parametrize("cls", [trainers.WassersteinGAN, trainers.WassersteinGANGP])


def _plain(*stack, shape, name=None):
    return keras.Sequential([keras.Input(shape), *stack], name=name)


def _linear_pair(dim=1):
    """x = z A + b against f(x) = x . w + c."""
    return [_plain(layers.Dense(units), shape=(dim,)) for units in (dim, 1)]


def _deltas(cls, distance, rate, **arguments):
    """A generator of 0 that rests, and a critic at the given rate; the data are `distance`."""
    generator, critic = _linear_pair()
    generator.layers[0].kernel.assign([[0.0]])
    # A slope of -1 is the penalty's other minimum: the critic starts on the right side.
    critic.layers[0].kernel.assign([[0.1 * np.sign(distance)]])
    gan = cls(generator, critic, discriminator_steps=1, **arguments)
    sgd = keras.optimizers.SGD
    gan.compile(generator_optimizer=sgd(0.0), discriminator_optimizer=sgd(rate))
    return gan, np.full((8, 1), distance, "float32")


def _train(gan, batch, steps):
    """The logs of the last of so many steps on one batch."""
    for _ in range(steps):
        gan.reset_metrics()
        logs = gan.train_on_batch(batch, return_dict=True)
    return logs


# === Clipping ===


def test_the_clip_follows_the_step_of_rmsprop():
    keras.utils.set_random_seed(1)
    gan = trainers.WassersteinGAN(*_linear_pair(2), clip=0.03, discriminator_steps=3, seed=5)
    rmsprop = keras.optimizers.RMSprop
    gan.compile(generator_optimizer=rmsprop(0.02), discriminator_optimizer=rmsprop(0.02))
    a, b = (v.astype("float64") for v in gan.generator.get_weights())
    w = gan.discriminator.get_weights()[0].astype("float64")[:, 0]
    early, mean_square = w, np.zeros(2)
    clip = np.float32(0.03).astype("float64")
    for step in range(3):
        batch = RNG.normal((0.3, -0.1), (1, 2), (12, 2)).astype("float32")
        estimates = []
        for turn, part in enumerate(np.split(batch.astype("float64"), 3)):
            z = latents.draw("normal", 4, 2, latents.fold((5, TRAINING), step, turn)).numpy()
            fake = z @ a + b
            estimates.append(np.mean(part @ w) - np.mean(fake @ w))
            gradient = fake.mean(0) - part.mean(0)
            mean_square = 0.9 * mean_square + 0.1 * gradient**2
            move = 0.02 * gradient / np.sqrt(mean_square + 1e-7)
            # The authors' code clips first, and leaves weights outside.
            early = np.clip(early, -clip, clip) - move
            w = np.clip(w - move, -clip, clip)
        gan.reset_metrics()
        logs = gan.train_on_batch(batch, return_dict=True)
        assert logs["wasserstein_estimate"] == pytest.approx(np.mean(estimates), abs=1e-6)
        assert logs["discriminator_loss"] == pytest.approx(-np.mean(estimates), abs=1e-6)
        np.testing.assert_allclose(gan.discriminator.get_weights()[0][:, 0], w, atol=1e-6)
        a, b = (v.astype("float64") for v in gan.generator.get_weights())
    assert np.abs(early).max() > clip + 0.003


def test_every_trainable_weight_ends_within_the_clip():
    critic = zoo.DCGANDiscriminator((16, 16, 1), filters=2)
    generator = zoo.DCGANGenerator((16, 16, 1), latent_dim=3, filters=2)
    gan = trainers.WassersteinGAN(generator, critic, clip=0.02, discriminator_steps=2)
    rmsprop = keras.optimizers.RMSprop
    gan.compile(discriminator_optimizer=rmsprop(0.05), run_eagerly=True)
    assert np.max(critic.get_layer("normalization_1").gamma) > 0.9
    rested = [w.numpy() for w in critic.non_trainable_weights]
    for images in np.split(tiny_data((16, 16, 1), count=32)[0], 2):
        gan.train_on_batch(images)
        largest = [np.abs(w).max() for w in critic.trainable_weights]
        assert max(largest) == np.float32(0.02)
    # Moving statistics are no weights of the critic: they are not clipped.
    moved = [w.numpy() for w in critic.non_trainable_weights]
    assert largest_difference(rested, moved) > 0.02


def test_the_slope_of_a_clipped_critic_has_its_bound():
    # A layer's slope is at most its Frobenius norm, c sqrt(n_in n_out), and 1-Lipschitz ReLUs.
    stack = [layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1)]
    critic = _plain(*stack, shape=(2,))
    gan = trainers.WassersteinGAN(_linear_pair(2)[0], critic, discriminator_steps=1)
    gan.compile(discriminator_optimizer=keras.optimizers.RMSprop(0.01))
    data = RNG.normal(3, 1, (64, 2)).astype("float32")

    def slopes(points):
        points = tf.constant(points, "float32")
        with tf.GradientTape() as tape:
            tape.watch(points)
            total = tf.reduce_sum(critic(points))
        return np.linalg.norm(tape.gradient(total, points), axis=1)

    bound = 0.0057926187
    assert slopes(data).max() > bound
    _train(gan, data, 3)
    assert 0 < slopes(np.concatenate([data, -data])).max() < bound * (1 + 1e-6)
    for layer in critic.layers:
        layer.kernel.assign(tf.fill(layer.kernel.shape, 0.01))
        layer.bias.assign(tf.zeros(layer.bias.shape))
    np.testing.assert_allclose(slopes(np.abs(data)), bound, rtol=1e-5)


@pytest.mark.parametrize("distance", [-3.0, 0.5])
def test_a_clipped_line_between_two_points(distance):
    # max w d over |w| <= c is c |d|, and the generator's gradient -w does not vanish with d.
    gan, batch = _deltas(trainers.WassersteinGAN, distance, 0.01, clip=0.1)
    logs = _train(gan, batch, 30)
    assert logs["wasserstein_estimate"] == pytest.approx(0.1 * abs(distance), rel=1e-5)
    gan.generator_optimizer.learning_rate = 1.0
    gan.train_on_batch(batch)
    moved = float(gan.generator.layers[0].bias.numpy()[0])
    assert moved == pytest.approx(0.1 * np.sign(distance), rel=1e-5)


# === The gradient penalty ===


@pytest.mark.parametrize("distance, weight", [(-3.0, 1.0), (0.5, 10.0)])
def test_a_line_with_a_penalty_between_two_points(distance, weight):
    # max w d - weight (|w| - 1)^2 is at |w| = 1 + |d| / (2 weight).
    gan, batch = _deltas(trainers.WassersteinGANGP, distance, 0.3 / weight, weight=weight)
    logs = _train(gan, batch, 30)
    slope = 1 + abs(distance) / (2 * weight)
    w = float(gan.discriminator.get_weights()[0][0, 0])
    assert w == pytest.approx(slope * np.sign(distance), rel=1e-5)
    assert logs["wasserstein_estimate"] == pytest.approx(slope * abs(distance), rel=1e-5)
    penalty = weight * (slope - 1) ** 2
    assert logs["discriminator_penalty"] == pytest.approx(penalty, rel=1e-4)


def test_a_trained_critic_estimates_the_distance_of_two_normals():
    # W_1 of N(2, s^2) and N(0, s^2) is 2, and the penalty lets the slope be d / (2 weight) more.
    generator = _linear_pair()[0]
    generator.set_weights([np.array([[0.5]]), np.array([0.0])])
    critic = _plain(layers.Dense(16, "softplus"), layers.Dense(1), shape=(1,))
    gan = trainers.WassersteinGANGP(generator, critic, weight=100.0, one_sided=True, seed=1)
    adam = keras.optimizers.Adam
    rate = keras.optimizers.schedules.CosineDecay(0.02, 600)
    gan.compile(generator_optimizer=adam(0.0), discriminator_optimizer=adam(rate))
    data = zoo.toys.normal(2.0, 0.5).sample(120 * 1000, seed=2).numpy()
    gan.fit(batches(data, size=1000, steps=120), verbose=0)
    estimate = gan.evaluate(data[:20000], verbose=0, return_dict=True)["wasserstein_estimate"]
    assert estimate == pytest.approx(2.0, rel=0.03)


def test_each_critic_step_has_samples_latents_and_points_of_its_own():
    # Five steps on one batch with one epsilon are a known bug elsewhere.
    gan = trainers.WassersteinGANGP(*_linear_pair(2), seed=1)
    gan.compile(run_eagerly=True)
    drawn = {"latents": [], "real": [], "points": []}
    draw, points = gan.latents, gan.slope_penalty.points

    def latents_of(*args):
        drawn["latents"].append(draw(*args).numpy())
        return tf.constant(drawn["latents"][-1])

    def points_of(position):
        drawn["real"].append(position.real.numpy())
        found = points(position)
        shares = (found - position.fake) / (position.real - position.fake)
        drawn["points"].append(shares.numpy()[:, :1])
        return found

    gan.latents, gan.slope_penalty.points = latents_of, points_of
    data = RNG.normal(size=(2, 30, 2)).astype("float32")
    for batch in data:
        gan.train_on_batch(batch)
    assert [len(rows) for rows in drawn.values()] == [2 * 6, 2 * 5, 2 * 5]
    np.testing.assert_array_equal(np.concatenate(drawn["real"]), data.reshape(60, 2))
    for rows in (np.concatenate(drawn["latents"]), np.concatenate(drawn["points"]).round(4)):
        assert len(np.unique(rows, axis=0)) > len(rows) - 2
    assert int(gan.discriminator_optimizer.iterations) == 10
    assert int(gan.generator_optimizer.iterations) == 2


@BOTH
def test_the_estimate_is_the_critics_on_other_data_too(cls):
    gan = cls(*_linear_pair(2), seed=2)
    gan.compile(run_eagerly=True)
    data = RNG.normal(1, 2, (24, 2)).astype("float32")
    logs = gan.evaluate(data, batch_size=24, verbose=0, return_dict=True)
    fake = gan.generator(gan.latents(24, gan.key_of(TESTING, 0))).numpy()
    w = gan.discriminator.get_weights()[0].astype("float64")
    wanted = np.mean(data @ w) - np.mean(fake @ w)
    assert logs["wasserstein_estimate"] == pytest.approx(wanted, abs=1e-5)
    assert logs["discriminator_loss"] == pytest.approx(-wanted, abs=1e-5)


# === Compile and files ===


@pytest.mark.parametrize(
    "cls, kind, settings",
    [
        (trainers.WassersteinGAN, keras.optimizers.RMSprop, {"learning_rate": 5e-5}),
        (
            trainers.WassersteinGANGP,
            keras.optimizers.Adam,
            {"learning_rate": 1e-4, "beta_1": 0.0, "beta_2": 0.9},
        ),
    ],
)
def test_defaults_are_the_papers(cls, kind, settings):
    gan = cls(*_linear_pair())
    assert gan.discriminator_steps == 5
    gan.compile()
    assert type(gan.objective) is trainers.objectives.Wasserstein
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        assert type(optimizer) is kind
        config = optimizer.get_config()
        for name, value in settings.items():
            assert config[name] == pytest.approx(value)
    gan.compile("hinge", "sgd", keras.optimizers.Adam(0.3))
    assert type(gan.objective) is trainers.objectives.Hinge
    assert type(gan.generator_optimizer) is keras.optimizers.SGD
    assert float(gan.discriminator_optimizer.learning_rate) == pytest.approx(0.3)


def test_modes_of_execution_and_file(tmp_path):
    def make(**modes):
        pair = _linear_pair(2)
        gan = trainers.WassersteinGAN(*pair, clip=0.5, discriminator_steps=2, warm_up=True, seed=3)
        rmsprop = keras.optimizers.RMSprop
        gan.compile("wasserstein", rmsprop(0.01), rmsprop(0.01), **modes)
        # Two moves, and a wait for the next.
        gan.generator_optimizer.iterations.assign(498)
        return gan

    gan, loaded = run_trainer_test(make, RNG.normal(1, 2, (64, 2)), tmp_path)
    assert int(gan.generator_optimizer.iterations) == 500
    assert (loaded.clip, loaded.warm_up, loaded.discriminator_steps) == (0.5, True, 2)


def test_a_file_keeps_the_penalty_and_does_not_double_it(tmp_path):
    data = RNG.normal(1, 2, (64, 2)).astype("float32")
    given = {"discriminator_penalties": R1(0.5), "generator_penalties": HistoricalAveraging(0.2)}
    for arguments, kinds in (({}, [GradientPenalty]), (given, [GradientPenalty, R1])):
        results = []
        for pause in (False, True):
            keras.utils.set_random_seed(1)
            gan = trainers.WassersteinGANGP(
                *_linear_pair(2), weight=0.3, discriminator_steps=2, one_sided=True, seed=3
            )
            gan.compile(run_eagerly=True, **arguments)
            gan.fit(batches(data, steps=1), verbose=0)
            if pause:
                for name in ("once", "twice"):
                    gan.save(tmp_path / f"{name}.keras")
                    gan = keras.saving.load_model(tmp_path / f"{name}.keras")
            gan.fit(batches(data, steps=1), verbose=0)
            results.append(all_variables(gan))
            assert [type(penalty) for penalty in gan.discriminator_penalties] == kinds
            assert len(gan.generator_penalties) == len(kinds) - 1
        assert largest_difference(*results) == 0
        own = gan.discriminator_penalties[0]
        assert (own.weight, own.one_sided, gan.discriminator_steps) == (0.3, True, 2)
        gan.compile()
        assert len(gan.discriminator_penalties) == 1 and not gan.generator_penalties


@BOTH
def test_config_round_trip(cls):
    own = {"clip": 0.2, "warm_up": True} if cls is trainers.WassersteinGAN else {"weight": 3.0}
    wanted = {**own, "discriminator_steps": 3, "seed": 4, "schedule": "alternating"}
    again = cls.from_config(cls(*_linear_pair(), **wanted).get_config())
    assert {name: again.get_config()[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    "cls, arguments, message",
    [
        ("WassersteinGAN", {"clip": 0}, "`clip` is not.*positive number.*clip=0"),
        ("WassersteinGAN", {"clip": -0.1}, r"clip=-0\.1"),
        ("WassersteinGAN", {"clip": float("nan")}, "clip=nan"),
        (
            "WassersteinGAN",
            {"warm_up": True, "discriminator_steps": UntilConverged()},
            "`warm_up` cannot be combined.*warm_up=True.*UntilConverged",
        ),
        (
            "WassersteinGAN",
            {"warm_up": True, "discriminator_steps": 1, "schedule": "simultaneous"},
            "`warm_up` cannot be combined.*schedule='simultaneous'",
        ),
        ("WassersteinGANGP", {"weight": -1.0}, r"`weight` is negative.*at least 0.*weight=-1\.0"),
        ("WassersteinGANGP", {"weight": float("nan")}, "weight=nan"),
        ("WassersteinGANGP", {"schedule": "simultaneous"}, "discriminator_steps=5"),
    ],
)
def test_errors(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(trainers, cls)(*_linear_pair(), **arguments)
