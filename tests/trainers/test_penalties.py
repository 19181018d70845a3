"""Penalties against closed forms and finite differences, lazily, and inside a training."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.helpers import (
    batches,
    compiled,
    run_config_test,
    run_trainer_test,
    tiny_data,
    tiny_dense_pair,
    tiny_pair,
)
from trainers.penalties import DRAGAN, R1, R2, GradientPenalty, HistoricalAveraging, Position
from zoo import DCGANDiscriminator, DCGANGenerator

RNG = np.random.default_rng(0)
REAL, FAKE = RNG.normal(size=(2, 6, 3))
A = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 0.2]])
ALL = [R1, R2, GradientPenalty, DRAGAN]


def _position(function, real=REAL, fake=FAKE, seed=(3, 4)):
    return Position(function, tf.constant(real), tf.constant(fake), tf.constant(seed, "int64"))


def _linear(slope):
    direction = tf.constant([2 / 3, -2 / 3, 1 / 3], "float64") * slope
    return lambda x: tf.linalg.matvec(x, direction)


def _quadratic(x):
    return tf.reduce_sum(x * tf.linalg.matmul(x, tf.constant(A)), axis=1) / 2


@pytest.mark.parametrize(
    "penalty, slope, wanted",
    [
        (GradientPenalty(10.0), 1.0, 0.0),
        (GradientPenalty(10.0), 3.0, 40.0),
        (GradientPenalty(10.0), 0.5, 2.5),
        (GradientPenalty(10.0, one_sided=True), 0.5, 0.0),
        (GradientPenalty(10.0, one_sided=True), 3.0, 40.0),
        (DRAGAN(10.0), 3.0, 40.0),
        (R1(10.0), 3.0, 45.0),
        (R2(10.0), 3.0, 45.0),
    ],
)
def test_a_linear_critic_has_one_slope(penalty, slope, wanted):
    got = penalty(_position(_linear(slope)), tf.constant(0, "int64"))
    np.testing.assert_allclose(got, np.full(6, wanted), atol=1e-9)


def test_every_example_has_its_own_norm():
    # The norm over the whole batch is a known bug elsewhere; a quadratic critic tells them apart.
    norms = {R1: np.linalg.norm(REAL @ A, axis=1), R2: np.linalg.norm(FAKE @ A, axis=1)}
    for kind, norm in norms.items():
        got = kind(2.0).value(_position(_quadratic))
        np.testing.assert_allclose(got, norm**2 / 2, rtol=1e-12)
    for kind in (GradientPenalty, DRAGAN):
        penalty = kind(1.0)
        points = penalty.points(_position(_quadratic)).numpy()
        got = penalty.value(_position(_quadratic))
        wanted = (np.linalg.norm(points @ A, axis=1) - 1) ** 2
        np.testing.assert_allclose(got, wanted, rtol=1e-9)


def test_the_points_of_the_gradient_penalty_lie_on_their_own_segments():
    # One share for the whole batch is a known bug elsewhere.
    real, fake = RNG.normal(size=(2, 2000, 3))
    points = GradientPenalty().points(_position(_quadratic, real, fake)).numpy()
    shares = (points - fake) / (real - fake)
    np.testing.assert_allclose(shares, shares[:, :1] * np.ones(3), atol=1e-6)
    assert 0 <= shares.min() and shares.max() <= 1
    assert abs(shares[:, 0].mean() - 0.5) < 5 / np.sqrt(12 * 2000)
    assert len(np.unique(shares[:, 0].round(9))) > 1990


def test_the_points_of_dragan_lie_around_the_data():
    real, fake = RNG.normal(size=(2, 2000, 3))
    offset = DRAGAN().points(_position(_quadratic, real, fake)).numpy() - real
    assert 0 <= offset.min() and offset.max() <= real.std() / 2
    # E[a u] = 1/4
    assert offset.mean() == pytest.approx(real.std() / 8, rel=0.05)


@pytest.mark.parametrize("penalty", [R1(3.0), R2(3.0), GradientPenalty(3.0), DRAGAN(3.0)])
def test_gradients_against_finite_differences(penalty):
    weights = tf.Variable(RNG.normal(size=(3, 4)))

    def critic(x):
        return tf.reduce_sum(tf.tanh(tf.linalg.matmul(x, weights)), axis=1)

    def value():
        return tf.reduce_mean(penalty(_position(critic), tf.constant(0, "int64")))

    with tf.GradientTape() as tape:
        total = value()
    gradient = tape.gradient(total, weights).numpy()
    start, h = weights.numpy(), 1e-6
    for i, j in np.ndindex(3, 4):
        step = np.zeros((3, 4))
        step[i, j] = h
        weights.assign(start + step)
        high = value().numpy()
        weights.assign(start - step)
        low = value().numpy()
        weights.assign(start)
        assert gradient[i, j] == pytest.approx((high - low) / (2 * h), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("kind", ALL)
def test_a_flat_critic_has_a_finite_gradient(kind):
    weights = tf.Variable(np.zeros((3,)))
    with tf.GradientTape() as tape:
        position = _position(lambda x: tf.linalg.matvec(x, weights))
        total = tf.reduce_mean(kind()(position, tf.constant(0, "int64")))
    assert np.isfinite(tape.gradient(total, weights)).all()


@pytest.mark.parametrize("jit", [False, True])
def test_lazy_penalties_have_the_same_mean(jit):
    penalty = R1(2.0, every=4)
    call = tf.function(lambda step: penalty(_position(_linear(3.0)), step), jit_compile=jit)
    values = np.array([call(tf.constant(step, "int64")).numpy() for step in range(8)])
    np.testing.assert_allclose(values[[0, 4]], 4 * 9.0)
    assert (np.delete(values, [0, 4], axis=0) == 0).all()
    np.testing.assert_allclose(values.mean(0), R1(2.0)(_position(_linear(3.0)), 0))


def _line_gan(**arguments):
    """Scalars: x = a z + b against logit = w x + c, by plain gradient descent."""
    players = [keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]) for _ in range(2)]
    gan = trainers.GAN(*players, seed=5)
    sgd = keras.optimizers.SGD
    gan.compile(
        generator_optimizer=sgd(0.3),
        discriminator_optimizer=sgd(0.2),
        run_eagerly=True,
        **arguments,
    )
    for weight, value in zip(players[1].weights, (-0.4, 0.1), strict=True):
        weight.assign(tf.fill(weight.shape, value))
    return gan


def test_a_training_step_descends_the_penalty_too():
    real = RNG.normal(2, 1, (14, 1)).astype("float32")
    slopes = []
    for penalties in ((), R1(5.0), [R1(2.0), R1(3.0)]):
        keras.utils.set_random_seed(2)
        gan = _line_gan(discriminator_penalties=penalties)
        logs = gan.train_on_batch(real, return_dict=True)
        slopes.append(float(np.squeeze(gan.discriminator.weights[0])))
        if penalties:  # 5 w^2 / 2, logged apart from the loss
            assert logs["discriminator_penalty"] == pytest.approx(2.5 * 0.16, rel=1e-5)
    # d (5 w^2 / 2) / dw = 5 w
    assert slopes[1] - slopes[0] == pytest.approx(-0.2 * 5 * -0.4, rel=1e-4)
    assert slopes[2] == pytest.approx(slopes[1], rel=1e-5)


def _players(**kwargs):
    """As `tiny_pair`, without batch normalization in the discriminator."""
    return (
        DCGANGenerator((8, 8, 1), latent_dim=6, filters=4, **kwargs),
        DCGANDiscriminator((8, 8, 1), filters=4, batch_normalization=False, **kwargs),
    )


@pytest.mark.parametrize(
    "schedule, players, shape",
    [("alternating", _players, (8, 8, 1)), ("simultaneous", tiny_dense_pair, (4, 4, 1))],
)
def test_modes_of_execution_and_file(tmp_path, schedule, players, shape):
    def make(**modes):
        gan = trainers.GAN(*players(), schedule=schedule, seed=3)
        terms = [GradientPenalty(1.0), R1(1.0, 2)]
        return compiled(gan, "hinge", discriminator_penalties=terms, **modes)

    whole, loaded = run_trainer_test(make, tiny_data(shape)[0], tmp_path)
    kinds = [type(penalty) for penalty in loaded.discriminator_penalties]
    assert kinds == [GradientPenalty, R1] and loaded.discriminator_penalties[1].every == 2
    configs = [gan.get_compile_config()["discriminator_penalties"] for gan in (whole, loaded)]
    assert configs[0] == configs[1]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    gan = trainers.GAN(*_players(dtype=policy))
    gan.compile(discriminator_penalties=[GradientPenalty(), R1()])
    history = gan.fit(batches(tiny_data()[0]), verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())


@pytest.mark.parametrize("penalty", [kind(0.5, every=3) for kind in ALL])
def test_config_round_trip(penalty):
    run_config_test(penalty)


def test_batch_normalization_is_warned_about():
    gan = trainers.GAN(DCGANGenerator((16, 16, 1), 3, 2), DCGANDiscriminator((16, 16, 1), 2))
    with pytest.warns(UserWarning, match="'normalization_1'.*every example move all logits"):
        gan.compile(discriminator_penalties=R1())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gan.compile()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: R1(-1.0), r"`weight` is negative.*at least 0.*weight=-1\.0"),
        (lambda: R1(float("nan")), "weight=nan"),
        (lambda: GradientPenalty(every=0), "every=0"),
        (
            lambda: trainers.GAN(*tiny_pair()).compile(discriminator_penalties=["r1"]),
            "`discriminator_penalties` holds.*trainers.penalties.Penalty. Received: 'r1'",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# === Historical averaging ===


def test_historical_averaging_is_the_distance_to_the_mean_of_all_weights_so_far():
    penalty = HistoricalAveraging(0.7)
    shapes = [(3, 2), (4,)]
    path = [RNG.normal(size=(6, *shape)) for shape in shapes]
    memory = [tf.zeros(shape, "float64") for shape in penalty.state_shapes(shapes)]
    for t in range(6):
        weights = [tf.Variable(values[t]) for values in path]
        with tf.GradientTape() as tape:
            # The mean is a constant even where the tape saw what it is made of.
            memory = penalty.next_state(memory, weights)
            position = Position(None, None, tf.constant(FAKE), None, weights, memory)
            values = penalty(position, tf.constant(t, "int64"))
            total = tf.reduce_mean(values)
        gradients = tape.gradient(total, weights)
        gaps = [values[t] - values[: t + 1].mean(0) for values in path]
        wanted = 0.7 * sum(np.sum(gap**2) for gap in gaps)
        np.testing.assert_allclose(values, np.full(len(FAKE), wanted), rtol=1e-12)
        for gradient, gap in zip(gradients, gaps, strict=True):
            np.testing.assert_allclose(gradient, 2 * 0.7 * gap, rtol=1e-12, atol=1e-15)


def _numbers(player):
    return np.array([float(np.squeeze(w)) for w in player.get_weights()])


def test_one_term_for_both_players_keeps_two_means():
    term = HistoricalAveraging(0.6)
    gan = _line_gan(generator_penalties=term, discriminator_penalties=[term])
    players = (gan.generator, gan.discriminator)
    seen = []
    for batch in RNG.normal(2, 1, (4, 14, 1)).astype("float32"):
        seen.append([_numbers(player) for player in players])
        gan.reset_metrics()
        logs = gan.train_on_batch(batch, return_dict=True)
        for k, name in enumerate(("generator", "discriminator")):
            mean = np.mean([visited[k] for visited in seen], axis=0)
            wanted = 0.6 * np.sum((seen[-1][k] - mean) ** 2)
            assert logs[f"{name}_penalty"] == pytest.approx(wanted, rel=1e-4, abs=1e-7)
            (kept,) = getattr(gan, f"{name}_penalty_states")
            assert float(kept.values[0]) == len(seen)
            np.testing.assert_allclose([float(np.squeeze(v)) for v in kept.values[1:]], mean, 1e-5)


def test_a_lazy_term_remembers_the_steps_in_which_it_is_not_due():
    """The pull of a due step, from the same run without a pull."""
    data = RNG.normal(2, 1, (4, 14, 1)).astype("float32")
    runs = []
    for weight in (0.0, 0.4):
        keras.utils.set_random_seed(2)
        gan = _line_gan(generator_penalties=HistoricalAveraging(weight, every=3))
        path, logs = [_numbers(gan.generator)], []
        for batch in data:
            gan.reset_metrics()
            logs.append(gan.train_on_batch(batch, return_dict=True)["generator_penalty"])
            path.append(_numbers(gan.generator))
        runs.append(path)
    free, pulled = runs
    # In step 0 the mean is where the player is, steps 1 and 2 are not due, and step 3 is.
    np.testing.assert_array_equal(free[:4], pulled[:4])
    gap = free[3] - np.mean(free[:4], axis=0)
    np.testing.assert_allclose(pulled[4] - free[4], -0.3 * 3 * 2 * 0.4 * gap, rtol=1e-3)
    np.testing.assert_allclose(logs, [0, 0, 0, 3 * 0.4 * np.sum(gap**2)], rtol=1e-4, atol=1e-12)


def test_historical_averaging_has_a_config():
    again = run_config_test(HistoricalAveraging(0.5, every=3))
    assert (again.weight, again.every) == (0.5, 3)
    assert HistoricalAveraging().every == 1


@pytest.mark.parametrize("kind", ALL)
def test_a_slope_is_no_term_of_the_generator(kind):
    message = f"holds a {kind.__name__}, which has no meaning.*discriminator_penalties"
    gan = trainers.GAN(*tiny_pair())
    with pytest.raises(ValueError, match=message + ".*generator_penalties="):
        gan.compile(generator_penalties=[HistoricalAveraging(), kind()])
    assert not gan.compiled


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: HistoricalAveraging(-0.1), r"weight=-0\.1"),
        (lambda: HistoricalAveraging(every=0), "every=0"),
        (
            lambda: trainers.GAN(*tiny_pair()).compile(generator_penalties="r1"),
            "`generator_penalties` holds.*trainers.penalties.Penalty",
        ),
    ],
)
def test_errors_of_terms_of_the_generator(make, message):
    with pytest.raises(ValueError, match=message):
        make()
