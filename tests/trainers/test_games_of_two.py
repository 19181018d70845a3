"""Games of two numbers under every update rule: who spirals out, who circles, who arrives."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import trainers
import zoo
from tests.games import REAL, Point, Product, Value, game, position
from trainers import objectives
from trainers.penalties import R1, R2
from trainers.perturbations import InstanceNoise


def _runner(gan, real=REAL):
    """A function that plays so many steps, all in one graph, and returns where they lead."""
    real = tf.constant(real)

    @tf.function
    def play(steps):
        for _ in tf.range(steps):
            gan.train_step(real)

    def run(steps):
        play(tf.constant(steps))
        return position(gan)

    return run


def _game(trainer, objective, start, rate, layer=Product, compiled=None, **arguments):
    """A trainer of a point against a layer of one weight, by gradient descent."""
    players = [keras.Sequential([keras.Input((1,)), part()]) for part in (Point, layer)]
    gan = trainer(*players, **arguments)
    for player, value in zip(players, start, strict=True):
        player.weights[0].assign(value)
    sgd = keras.optimizers.SGD
    gan.compile(objective, sgd(rate), sgd(rate), **(compiled or {}))
    return gan


def _after(update, steps, start):
    """Where so many steps of a linear update lead."""
    return np.linalg.matrix_power(np.array(update), steps) @ start


def _radius(update):
    """The largest modulus of an eigenvalue: what a step multiplies distances with."""
    return np.abs(np.linalg.eigvals(update)).max()


AT_ONCE = {"schedule": "simultaneous"}

# === Unrolling ===


@pytest.mark.parametrize("unroll_steps, radius", [(0, 204.7396), (5, 4.9e-21)])
def test_unrolled_steps_at_once(unroll_steps, radius):
    """The known numbers are of players who move at once; the trainer's move in turn."""
    gan = game(trainers.UnrolledGAN, 1.0, 1.0, unroll_steps=unroll_steps)
    real, x = tf.constant(REAL), gan.generator.trainable_variables[0]

    @tf.function
    def play():
        for _ in tf.range(1000):
            before = tf.identity(x)
            gan.generator_step(real, None, gan.key(0))
            after = tf.identity(x)
            x.assign(before)
            gan.discriminator_step(real, None, gan.key(0))
            x.assign(after)

    play()
    # x <- x - h (y + 2 K h x), y <- y + h x
    h, k = 0.1, unroll_steps
    wanted = _after([[1 - 2 * k * h**2, -h], [h, 1]], 1000, [1, 1])
    assert np.hypot(*wanted) == pytest.approx(radius, rel=0.01)
    np.testing.assert_allclose(position(gan), wanted, rtol=1e-3)


@pytest.mark.parametrize("unroll_steps, radius", [(0, 1.0), (5, 0.9**0.5)])
def test_unrolled_steps_in_turn(unroll_steps, radius):
    """Without virtual steps the players circle for ever; with five they lose a tenth in two."""
    run = _runner(game(trainers.UnrolledGAN, 1.0, 1.0, unroll_steps=unroll_steps))
    h, k = 0.1, unroll_steps
    # y <- y + h x, then x <- x - h (y + 2 K h x)
    update = [[1 - h**2 - 2 * k * h**2, -h], [h, 1]]
    assert _radius(update) == pytest.approx(radius, abs=1e-12)
    np.testing.assert_allclose(run(1000), _after(update, 1000, [1, 1]), rtol=1e-3)


# === Historical averaging ===


@pytest.mark.parametrize("weight, radius", [(0.0, 208.58), (1.0, 0.511)])
def test_a_larger_weight_averages_slower(weight, radius):
    # The weight 0.1 has 0.00229 (test_historical_averaging.py).
    gan = _game(
        trainers.HistoricalAveragingGAN, Value(), (1.0, 1.0), 0.05, weight=weight, **AT_ONCE
    )
    assert np.hypot(*_runner(gan)(4000)) == pytest.approx(radius, rel=2e-3)


@keras.saving.register_keras_serializable(package="tests")
class Bent(keras.layers.Layer):
    """The logit (f(x) - 1) (y - 1) of a sample x, with f(x) = x below 0 and x^2 above."""

    def build(self, input_shape):
        self.y = self.add_weight(shape=(), name="y")

    def call(self, samples):
        return (tf.where(samples < 0.0, samples, tf.square(samples)) - 1.0) * (self.y - 1.0)


def _bent_game(weight):
    """The game of section 3.3 of Salimans et al. (2016), whose equilibrium is (1, 1)."""
    return _game(
        trainers.HistoricalAveragingGAN,
        Value(),
        (2.0, 0.0),
        0.02,
        Bent,
        weight=weight,
        **AT_ONCE,
    )


def test_historical_averaging_solves_the_game_of_its_paper():
    got = _runner(_bent_game(0.5))(20_000)
    np.testing.assert_allclose(got, [0.99965, 0.99500], atol=1e-5)


def test_without_it_the_game_of_its_paper_diverges():
    run = _runner(_bent_game(0.0))
    distances = np.array([np.abs(run(50) - 1).max() for _ in range(80)])
    assert distances[10:].min() > 0.9
    # The farthest in 1000, 2000 and 4000 steps.
    farthest = np.maximum.accumulate(distances)[[19, 39, 79]]
    assert (farthest[1:] > 1.5 * farthest[:-1]).all()


# === The Dirac-GAN (Mescheder et al., 2018, section 2) ===
#
# The data are a point at 0, the generator's a point at x, and D(x) = y x. At (0, 0) the losses of
# the original game have the slopes -y / 2 and x / 2, both of its generator losses alike.

H = 0.2
FREE = [[1.0, H / 2], [-H / 2, 1.0]]
IN_TURN = np.array([[1.0, H / 2], [0.0, 1.0]]) @ [[1.0, 0.0], [-H / 2, 1.0]]


def _damped(x, y):
    """The simultaneous update with the further slopes `x x` and `y y`."""
    return [[1.0 - H * x, H / 2], [-H / 2, 1.0 - H * y]]


DIRAC = {  # (trainer, its arguments, compile's, the update at the equilibrium, whether it arrives)
    "simultaneous": (trainers.GAN, AT_ONCE, {}, FREE, False),
    "alternating": (trainers.GAN, {}, {}, IN_TURN, False),
    # The penalty w y^2 / 2, of which w = 1 is the fastest.
    "r1": (trainers.GAN, AT_ONCE, {"discriminator_penalties": R1(0.4)}, _damped(0, 0.4), True),
    "r2": (trainers.GAN, AT_ONCE, {"discriminator_penalties": R2(1.0)}, _damped(0, 1.0), True),
    # Half the squared slopes are (x^2 + y^2) / 8.
    "consensus": (trainers.ConsensusGAN, {"weight": 2.0}, {}, _damped(0.5, 0.5), True),
}


@pytest.mark.parametrize("objective", ["minimax", "non_saturating"])
@pytest.mark.parametrize("rule", DIRAC)
def test_the_dirac_gan_has_the_rate_of_its_jacobian(rule, objective):
    trainer, arguments, compiled, update, arrives = DIRAC[rule]
    assert (_radius(update) < 1 - 1e-3) == arrives
    # So near to the equilibrium that the update is linear.
    start = np.array([1e-3, 5e-4])
    run = _runner(_game(trainer, objective, start, H, compiled=compiled, **arguments))
    for steps in (1, 40, 160):
        wanted = _after(update, steps, start)
        np.testing.assert_allclose(run(steps), wanted, rtol=2e-4, atol=1e-9)
        start = wanted


def test_the_best_weight_of_r1_is_one():
    # -w/2 +- sqrt(w^2 - 1)/2 in continuous time: complex below 1, and slower above.
    radii = [_radius(_damped(0, w)) for w in (0.4, 0.8, 1.0, 1.4)]
    assert min(radii) == radii[2] == pytest.approx(1 - H / 2, abs=1e-6)


@pytest.mark.parametrize("rule", DIRAC)
def test_the_dirac_gan_from_far_away(rule):
    trainer, arguments, compiled, _, arrives = DIRAC[rule]
    run = _runner(_game(trainer, "minimax", (1.0, 1.0), H, compiled=compiled, **arguments))
    radius = np.array([np.hypot(*run(10)) for _ in range(100)])
    if arrives:
        assert radius[-10:].max() < 1e-6
    else:
        assert radius.min() > 1.2
    if rule == "simultaneous":
        assert radius[-1] > 2 * radius[0]


def test_instance_noise_leads_the_dirac_gan_home():
    """Noise of variance 1 on both sides gives y the further slope y E x^2 / 4 from either."""
    update, start = _damped(0, 0.5), np.array([0.1, 0.0])
    noise = {"perturbations": InstanceNoise(1.0)}
    gan = _game(trainers.GAN, "minimax", start, H, compiled=noise, **AT_ONCE)
    # The mean of 40,000 leaves each step a noise of 0.0007.
    run = _runner(gan, np.zeros((40_000, 1), "float32"))
    np.testing.assert_allclose(run(20), _after(update, 20, start), atol=0.01)
    assert np.hypot(*run(200)) < 0.02
    # The same start without noise never comes closer.
    gan = _game(trainers.GAN, "minimax", start, H, **AT_ONCE)
    assert np.hypot(*_runner(gan)(220)) > 0.1


def test_clipping_lets_the_dirac_gan_circle_within_the_box():
    # V = -x y: within the box the steps in turn keep x^2 + y^2 - h x y, as without a clip.
    gan = _game(
        trainers.WassersteinGAN, "wasserstein", (1.0, 0.0), 0.1, clip=0.3, discriminator_steps=1
    )
    run = _runner(gan)
    path = np.array([run(1) for _ in range(600)])
    x, y = path.T
    assert np.abs(y).max() == np.float32(0.3)
    # First the box holds it back from its circle of radius 1: x falls by h c in each step.
    np.testing.assert_allclose(np.diff(x[5:25]), -0.03, rtol=1e-5)
    level = (x**2 + y**2 - 0.1 * x * y)[300:]
    np.testing.assert_allclose(level, level[0], rtol=1e-3)
    assert 0.25 < np.sqrt(level[0]) < 0.31
    assert x[300:].min() < -0.25 and x[300:].max() > 0.25


# === Two points under noise, and an optimal discriminator ===

# JS of N(0, s^2) and N(d s, s^2), by d.
NOISY = {0.5: 0.0303113005, 1.0: 0.1114214822, 2.0: 0.3368308203, 5.0: 0.6759425774}
Z = np.arange(-12, 12, 2e-3)
SHARE = scipy.stats.norm.pdf(Z) * 2e-3  # Expectations over z, by the trapezoid rule.


def _noisy(place, scale):
    """JS of the points 0 and `place` under noise, and the slope of the generator's loss in x."""
    real, fake = zoo.toys.normal(0.0, scale), zoo.toys.normal(place, scale)
    discriminator = trainers.optimal_discriminator(real, fake, "minimax")
    x = tf.Variable(place, dtype="float64")
    with tf.GradientTape() as tape:
        on_real = discriminator((scale * Z)[:, None])
        on_fake = discriminator((x + scale * Z)[:, None])
        losses = objectives.get("minimax").generator_loss(on_real, on_fake)
        loss = tf.reduce_sum(SHARE * losses)
    js = np.sum(SHARE * objectives.js_estimate(on_real, on_fake))
    return js, float(tape.gradient(loss, x))


@pytest.mark.parametrize("scale", [0.3, 2.0])
@pytest.mark.parametrize("distance", NOISY)
def test_under_noise_two_points_have_a_distance(distance, scale):
    js, slope = _noisy(distance * scale, scale)
    assert js == pytest.approx(NOISY[distance], abs=1e-10)
    # The generator descends 2 JS.
    h = 1e-4
    high, low = (_noisy((distance + step) * scale, scale)[0] for step in (h, -h))
    assert slope * scale / 2 == pytest.approx((high - low) / (2 * h), rel=1e-6)
    if distance == 1.0:
        assert slope * scale / 2 == pytest.approx(0.1989864333, abs=1e-9)


def test_without_noise_they_have_none():
    """As the noise goes, JS becomes log 2 wherever the second point is, and has no slope."""
    slopes = [_noisy(1.0, scale)[1] for scale in (1.0, 0.1, 0.03)]
    assert slopes[0] > 0.3 and slopes[1] < 1e-3 and abs(slopes[2]) < 1e-50
    for place in (0.5, 1.0, 3.0):
        assert _noisy(place, 0.01)[0] == pytest.approx(np.log(2), abs=1e-12)


def test_instance_noise_lets_two_points_overlap():
    noise = InstanceNoise(0.7)
    seeds = tf.constant([[1, 2], [1, 3]], "int64")
    points = [tf.fill((200_000, 1), place) for place in (0.0, 0.7)]
    seen = [noise.samples(x, seed, 0) for x, seed in zip(points, seeds, strict=True)]
    laws = [zoo.toys.normal(place, 0.7) for place in (0.0, 0.7)]
    logits = [trainers.optimal_discriminator(*laws)(x) for x in seen]
    estimates = objectives.js_estimate(*logits).numpy()
    error = estimates.std() / np.sqrt(estimates.size)
    assert abs(estimates.mean() - NOISY[1.0]) < 4 * error and error < 2e-3


# === A saddle ===


@keras.saving.register_keras_serializable(package="tests")
class Saddle(keras.layers.Layer):
    """The logit x^2 - y^2 of a sample x."""

    def build(self, input_shape):
        self.y = self.add_weight(shape=(), name="y")

    def call(self, samples):
        return tf.square(samples) - tf.square(self.y)


@keras.saving.register_keras_serializable(package="tests")
class Shared(objectives.Objective):
    """Both players descend the logit of the generator's sample: there is no conflict."""

    def discriminator_loss(self, real_logits, fake_logits):
        return fake_logits

    def generator_loss(self, real_logits, fake_logits):
        return fake_logits


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0, 100.0])
def test_a_large_consensus_weight_is_drawn_to_saddles(weight):
    """J = x^2 - y^2 is to be left along y: v = (2 x, -2 y). But L = ||v||^2 / 2 is least there.

    Its slope is (4 x, 4 y), and as the weight grows the steps are those down L alone.
    """
    h = 0.1 / (1 + weight)
    gan = _game(trainers.ConsensusGAN, Shared(), (1.0, 1e-3), h, Saddle, weight=weight)
    got = _runner(gan)(200)
    rates = 1 - h * (2 + 4 * weight), 1 - h * (-2 + 4 * weight)
    wanted = np.array([1.0, 1e-3]) * np.power(rates, 200)
    np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-30)
    assert (np.hypot(*got) < 1e-4) == (weight > 0.5)


def test_descent_leaves_the_saddle():
    gan = _game(trainers.GAN, Shared(), (1.0, 1e-3), 0.1, Saddle, **AT_ONCE)
    x, y = _runner(gan)(50)
    np.testing.assert_allclose([x, y], [0.8**50, 1e-3 * 1.2**50], rtol=1e-4)
