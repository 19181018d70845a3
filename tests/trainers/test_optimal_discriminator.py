"""The optimal discriminator: its logits against NumPy, its optimality, and the theory with it."""

import json

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import zoo
from trainers import objectives, optimal_discriminator

# Pair A: P = N(0, 1) and Q = N(1, 1.5^2), whose JS is known.
P, Q = zoo.toys.normal(), zoo.toys.normal(1.0, 1.5)
JS = 0.1985801932 / 2
X = np.linspace(-4, 5, 19)
P_X, Q_X = scipy.stats.norm(0, 1).pdf(X), scipy.stats.norm(1, 1.5).pdf(X)
U = P_X / Q_X


def _logits(objective, x=X, p=P, q=Q):
    return optimal_discriminator(p, q, objective)(tf.constant(x[:, None])).numpy()


def _logit(d):
    return np.log(d / (1 - d))


LOGITS = {  # name: (parameters, the optimal logit from p and q)
    "minimax": ({}, _logit(P_X / (P_X + Q_X))),
    "non_saturating": ({"real_target": 0.9}, _logit(0.9 * P_X / (P_X + Q_X))),
    "least_squares": ({}, P_X / (P_X + Q_X)),
    "hinge": ({}, np.sign(P_X - Q_X)),
    "relativistic_pairing": ({}, np.log(U)),
    "gan": ({}, np.log(U)),
    "kl": ({}, 1 + np.log(U)),
    "reverse_kl": ({}, np.log(U)),
    "pearson": ({}, 2 * (U - 1)),
    "jensen_shannon": ({}, np.log(U)),
    # g_f(v) = 1 - e^-v is 1 - u^-2, and 1 - u^(-1/2).
    "neyman": ({}, 2 * np.log(U)),
    "squared_hellinger": ({}, np.log(U) / 2),
    "jeffrey": ({}, 1 + np.log(U) - 1 / U),
    "total_variation": ({}, np.sign(P_X - Q_X) * np.inf),
}


@pytest.mark.parametrize("name", LOGITS)
def test_logits(name):
    parameters, wanted = LOGITS[name]
    np.testing.assert_allclose(_logits(objectives.get(name, **parameters)), wanted, rtol=1e-9)


def test_two_sided_smoothing():
    d = (0.8 * P_X + 0.1 * Q_X) / (P_X + Q_X)
    objective = objectives.get("minimax", real_target=0.8, fake_target=0.1)
    np.testing.assert_allclose(_logits(objective), _logit(d), rtol=1e-9)


def test_the_default_is_the_log_ratio():
    got = optimal_discriminator(P, Q)(tf.constant(X[:, None]))
    np.testing.assert_allclose(got, np.log(U), rtol=1e-9)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(objectives.get("kl"))))
    np.testing.assert_array_equal(_logits(config), _logits("kl"))


SMOOTH = [
    ("minimax", {}),
    ("minimax", {"real_target": 0.8, "fake_target": 0.1}),
    ("non_saturating", {"real_target": 0.9}),
    ("least_squares", {}),
    ("relativistic_pairing", {}),
    *((name, {}) for name in sorted(set(LOGITS) & set(objectives.divergences.DIVERGENCES))),
    ("alpha", {"alpha": 0.3}),
    ("alpha", {"alpha": 3.0}),
    ("weighted_jensen_shannon", {"pi": 0.3}),
]
SMOOTH.remove(("total_variation", {}))


@pytest.mark.parametrize("name, parameters", SMOOTH)
def test_the_loss_is_stationary_there_and_higher_elsewhere(name, parameters):
    """On a table of five points, each pair of a real and a fake sample weighed by p_i q_j."""
    p = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    q = np.array([0.1, 0.3, 0.2, 0.1, 0.3])
    objective = objectives.get(name, **parameters)
    i, j = (index.ravel() for index in np.indices((5, 5)))

    def loss(logits):
        losses = objective.discriminator_loss(tf.gather(logits, i), tf.gather(logits, j))
        return tf.reduce_sum(p[i] * q[j] * losses)

    log_p, log_q = (lambda x, d=d: tf.gather(tf.constant(np.log(d)), x) for d in (p, q))
    best = tf.Variable(optimal_discriminator(log_p, log_q, objective)(tf.range(5)))
    with tf.GradientTape() as tape:
        least = loss(best)
    slope = tf.convert_to_tensor(tape.gradient(least, best))
    np.testing.assert_allclose(slope, np.zeros(5), atol=1e-9)
    rng = np.random.default_rng(0)
    for scale in (1e-3, 0.1, 1.0) * 5:
        elsewhere = best + rng.normal(0, scale, 5)
        assert loss(elsewhere).numpy() >= least.numpy()


def test_the_hinge_is_least_at_the_sign():
    grid = np.linspace(-3, 3, 601)
    for p, q, v in zip(P_X, Q_X, _logits("hinge"), strict=True):
        losses = p * np.maximum(0, 1 - grid) + q * np.maximum(0, 1 + grid)
        assert grid[np.argmin(losses)] == pytest.approx(v, abs=1e-9)


def test_at_equal_densities_all_samples_are_alike():
    for name, value in (("minimax", 0.0), ("hinge", 0.0), ("least_squares", 0.5), ("kl", 1.0)):
        np.testing.assert_allclose(_logits(name, q=P), np.full(len(X), value), atol=1e-12)


@pytest.mark.parametrize("name", ["minimax", "non_saturating", "least_squares", "hinge", "gan"])
def test_where_only_one_density_is_it_is_sure(name):
    # Uniform on [0, 2] and on [1, 3]: D* is 1, 1/2 and 0.
    def uniform(low):
        return lambda x: tf.math.log(tf.cast((x >= low) & (x <= low + 2), "float64") / 2)[:, 0]

    got = _logits(name, np.array([0.5, 1.5, 2.5]), uniform(0.0), uniform(1.0))
    sure = {"least_squares": [1, 0.5, 0], "hinge": [1, 0, -1]}.get(name, [np.inf, 0, -np.inf])
    np.testing.assert_allclose(got, sure, atol=1e-12)


def test_where_only_one_density_is_smoothing_keeps_it_unsure():
    # D* is 0.8 where there are data only, and 0.1 where there are generated samples only.
    objective = objectives.get("minimax", real_target=0.8, fake_target=0.1)
    got = objective.optimal_logit(tf.constant([-np.inf, np.inf], "float64"))
    np.testing.assert_allclose(got, [_logit(0.1), _logit(0.8)], rtol=1e-9)


# === The theory ===


def test_its_value_is_the_jensen_shannon_divergence():
    # V = 2 JS - log 4 by the trapezoid rule.
    x = np.arange(-20, 20, 1e-3)
    v = _logits("minimax", x)
    p, q = scipy.stats.norm(0, 1).pdf(x), scipy.stats.norm(1, 1.5).pdf(x)
    value = -np.sum(p * np.logaddexp(0, -v) + q * np.logaddexp(0, v)) * 1e-3
    assert value == pytest.approx(2 * JS - np.log(4), abs=1e-8)
    estimates = objectives.js_estimate(tf.constant(v), tf.constant(v)).numpy()
    assert np.all(estimates <= np.log(2))


@pytest.mark.parametrize(
    "name, wanted",
    [
        # The gradient of 2 JS, and of KL(q || p) - 2 JS.
        ("minimax", (0.23837487, 0.06603731)),
        ("non_saturating", (0.76162513, 0.76729602)),
    ],
)
def test_the_generators_gradient_is_that_of_a_divergence(name, wanted):
    """x = mean + deviation z, the discriminator held at its optimum."""
    discriminator = optimal_discriminator(P, Q, name)
    z = np.arange(-12, 12, 1e-3)
    share = tf.constant(scipy.stats.norm.pdf(z) * 1e-3)
    place = [tf.Variable(v, dtype="float64") for v in (1.0, 1.5)]
    with tf.GradientTape() as tape:
        v = discriminator((place[0] + place[1] * z)[:, None])
        loss = tf.reduce_sum(share * objectives.get(name).generator_loss(v, v))
    got = [float(g) for g in tape.gradient(loss, place)]
    np.testing.assert_allclose(got, wanted, atol=1e-7)


# === What it takes and gives ===


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_that_of_the_samples(dtype):
    for name in LOGITS:
        got = optimal_discriminator(P, Q, name)(tf.constant(X[:, None], dtype))
        assert got.dtype == dtype and got.shape == (len(X),)
        tolerance = 1e-9 if dtype == "float64" else 1e-3
        if name in ("minimax", "kl"):
            np.testing.assert_allclose(got, _logits(name), rtol=tolerance)
    # An array is as good as a tensor.
    got = optimal_discriminator(P, Q)(X[:, None].astype(dtype))
    assert got.dtype == dtype


@pytest.mark.parametrize("name", ["minimax", "least_squares", "pearson", "jeffrey"])
def test_its_gradient_against_finite_differences(name):
    ring, grid = zoo.toys.ring(scale=0.5), zoo.toys.grid(side=3, scale=0.7)
    discriminator = optimal_discriminator(ring, grid, name)
    points = np.random.default_rng(0).uniform(-2, 2, (6, 2))
    x = tf.Variable(points)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(discriminator(x))
    gradient = tape.gradient(total, x).numpy()
    h = 1e-6
    for axis in range(2):
        step = h * np.eye(2)[axis]
        ends = [discriminator(tf.constant(points + s)).numpy() for s in (step, -step)]
        wanted = (ends[0] - ends[1]) / (2 * h)
        np.testing.assert_allclose(gradient[:, axis], wanted, rtol=1e-6, atol=1e-7)


def test_functions_are_densities_too():
    def log_p(samples):  # Of pictures: any shape of a sample.
        return tf.reduce_sum(samples, axis=(1, 2, 3))

    images = np.random.default_rng(0).normal(size=(5, 4, 4, 1))
    got = optimal_discriminator(log_p, lambda x: 2.0 * log_p(x), "minimax")(tf.constant(images))
    np.testing.assert_allclose(got, -images.sum((1, 2, 3)), rtol=1e-9)
    mixed = optimal_discriminator(P, lambda x: Q.log_density(x))(tf.constant(X[:, None]))
    np.testing.assert_allclose(mixed, np.log(U), rtol=1e-9)


def test_it_works_in_a_graph():
    discriminator = optimal_discriminator(P, Q)
    compiled = tf.function(discriminator)(tf.constant(X[:, None]))
    np.testing.assert_allclose(compiled, np.log(U), rtol=1e-9)


@pytest.mark.parametrize(
    "objective, message",
    [
        ("wasserstein", "`objective` has no.*function of the two densities.*objective=Wasserstein"),
        ("relativistic_average", "Received: objective=RelativisticAverage"),
        ("minmax", "did you mean 'minimax'"),
    ],
)
def test_errors(objective, message):
    with pytest.raises(ValueError, match=message):
        optimal_discriminator(P, Q, objective)
