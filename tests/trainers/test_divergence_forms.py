"""The f-divergences against NumPy in float64: f alone is given, the rest follows from it."""

import json

import keras
import numpy as np
import pytest
import scipy.optimize
import scipy.special
import tensorflow as tf

from trainers import divergence_forms, divergences

PI = 0.3
LOG2 = np.log(2)


def _alpha(a):
    return lambda u: (u**a - 1 - a * (u - 1)) / (a * (a - 1))


def _weighted_jensen_shannon(u):
    return PI * u * np.log(u) - (1 - PI + PI * u) * np.log(1 - PI + PI * u)


# key: (name, parameters, f).
CASES = {
    "kl": ("kl", {}, lambda u: u * np.log(u)),
    "reverse_kl": ("reverse_kl", {}, lambda u: -np.log(u)),
    "pearson": ("pearson", {}, lambda u: (u - 1) ** 2),
    "neyman": ("neyman", {}, lambda u: (1 - u) ** 2 / u),
    "hellinger": ("squared_hellinger", {}, lambda u: (np.sqrt(u) - 1) ** 2),
    "jeffrey": ("jeffrey", {}, lambda u: (u - 1) * np.log(u)),
    "js": ("jensen_shannon", {}, lambda u: u * np.log(u) - (u + 1) * np.log((u + 1) / 2)),
    "wjs": ("weighted_jensen_shannon", {"pi": PI}, _weighted_jensen_shannon),
    "gan": ("gan", {}, lambda u: u * np.log(u) - (u + 1) * np.log(u + 1)),
    "tv": ("total_variation", {}, lambda u: np.sign(np.real(u) - 1) * (u - 1) / 2),
    "alpha=.3": ("alpha", {"alpha": 0.3}, _alpha(0.3)),
    "alpha=3": ("alpha", {"alpha": 3.0}, _alpha(3)),
    "alpha=-1.5": ("alpha", {"alpha": -1.5}, _alpha(-1.5)),
}
every = pytest.mark.parametrize("key", CASES)


def make(key):
    name, parameters, _ = CASES[key]
    return divergences.get(name, **parameters)


def derivative(f, u):
    """f'(u) by a complex step, exact to rounding."""
    return np.imag(f(u + 1e-100j)) / 1e-100


def supremum(f, t):
    """sup_u t u - f(u) on a grid of log u that is refined around its best point."""
    low, high = -40.0, 12.0
    for _ in range(6):
        grid = np.linspace(low, high, 2001)
        values = t * np.exp(grid) - f(np.exp(grid))
        best = np.argmax(values)
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 2000)]
    return values.max()


def float64(values):
    return tf.constant(values, "float64")


GOLDENS = {  # f(2), f'(2), f*(f'(2)), g(.7), c(.7).
    "kl": (1.38629436, 1.69314718, 2, 0.7, 0.74081822),
    "reverse_kl": (-0.69314718, -0.5, -0.30685282, -0.49658530, -0.3),
    "pearson": (1, 2, 3, 0.7, 0.8225),
    "neyman": (0.5, 0.75, 1, 0.50341470, 0.59062382),
    "hellinger": (0.17157288, 0.29289322, 0.41421356, 0.50341470, 1.01375271),
    "jeffrey": (0.69314718, 1.19314718, 1.69314718, 0.7, 0.84793755),
    "js": (0.16989904, 0.28768207, 0.40546511, 0.28996113, 0.41003887),
    "wjs": (0.07481476, 0.12923487, 0.18365499, -0.04199421, -0.03812989),
    "gan": (-1.90954250, -0.40546511, 1.09861229, -0.40318605, 1.10318605),
    "tv": (0.5, 0.5, 0.5, 0.30218389, 0.30218389),
    "alpha=.3": (0.32788375, 0.54918256, 0.77048138, 1.02538538, 2.39903875),
    "alpha=3": (0.66666667, 1.5, 2.33333333, 0.7, 0.90602134),
}


@pytest.mark.parametrize("key", GOLDENS)
def test_spot_values(key):
    d = make(key)
    t = d.optimal_critic(float64(LOG2))
    v = float64(0.7)
    got = d.f(float64(2)), t, d.conjugate(t), d.activation(v), d.conjugate_of_activation(v)
    np.testing.assert_allclose([x.numpy() for x in got], GOLDENS[key], rtol=0, atol=6e-9)


@every
def test_conjugate_is_the_supremum_and_fenchel_equality_holds(key):
    d, f = make(key), CASES[key][2]
    r = np.linspace(-3, 2, 11) + 0.01
    u = np.exp(r)
    np.testing.assert_allclose(d.f(float64(u)), f(u), rtol=1e-12, atol=1e-14)
    slope = derivative(f, u)
    np.testing.assert_allclose(d.optimal_critic(float64(r)), slope, rtol=1e-9, atol=1e-13)
    assert d.threshold == pytest.approx(derivative(f, 1.0) if key != "tv" else 0, abs=1e-15)
    np.testing.assert_allclose(d.conjugate(float64(slope)), u * slope - f(u), atol=1e-10)
    t = np.concatenate([slope, [-5.0, -2.5, -1.0]])
    got = d.conjugate(float64(t)).numpy()
    np.testing.assert_allclose(got, [supremum(f, x) for x in t], rtol=1e-9, atol=1e-8)


@every
def test_activation_is_increasing_within_the_domain_and_composes(key):
    d = make(key)
    v = np.linspace(-6, 6, 241)
    g = d.activation(float64(v)).numpy()
    assert (np.diff(g) > 0).all() and (g < d.domain.upper).all()
    composed = d.conjugate_of_activation(float64(v)).numpy()
    np.testing.assert_allclose(composed, d.conjugate(float64(g)), rtol=1e-9, atol=1e-12)
    assert d.activation(tf.constant(40.0)) <= d.domain.upper


WHOLE_LINE = ("kl", "pearson", "jeffrey", "alpha=3")


@pytest.mark.parametrize("key", WHOLE_LINE)
def test_some_conjugates_live_on_the_whole_line(key):
    d = make(key)
    assert d.domain.upper == np.inf and np.isfinite(d.conjugate(float64([-60.0, 60.0]))).all()


@pytest.mark.parametrize("key", [key for key in CASES if key not in WHOLE_LINE])
def test_outside_its_domain_the_conjugate_is_infinite(key):
    d, f = make(key), CASES[key][2]
    # sup_u t u - f(u) grows without end beyond, and stays finite below.
    u = 10.0 ** np.array([20, 40, 60])
    t = tf.Variable(float64([d.domain.upper - 0.05, d.domain.upper + 0.05]))
    below, beyond = (x * u - f(u) for x in t.numpy())
    assert beyond[-1] > 1e50 and below[-1] < 0
    with tf.GradientTape() as tape:
        values = d.conjugate(t)
    assert np.isfinite(values[0]) and values[1] == np.inf
    assert np.isfinite(tape.gradient(values, t)).all()
    assert np.isfinite(d.conjugate(float64(d.domain.upper))) == d.domain.closed


@every
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_finite_at_50_with_gradients(key, dtype):
    d = make(key)
    v = tf.Variable(np.array([-50, -20, -2, 0, 2, 20, 29.9, 30.1, 50]), dtype=dtype)
    for function in (d.activation, d.conjugate_of_activation):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                values = function(v)
            gradient = tape.gradient(values, v)
        second = outer.gradient(gradient, v, unconnected_gradients="zero")
        assert values.dtype == gradient.dtype == dtype
        assert np.isfinite(values).all() and np.isfinite(gradient).all()
        assert (gradient.numpy() >= 0).all() and np.isfinite(second).all()
    r = tf.constant([-15.0, 0.0, 15.0], dtype)
    assert np.isfinite(d.optimal_critic(r)).all() and d.optimal_critic(r).dtype == dtype


# No finite logit is optimal for the total variation.
@pytest.mark.parametrize("key", [key for key in CASES if key != "tv"])
def test_at_the_optimum_the_gradients_have_the_density_ratio(key):
    """c'(v) = f*'(T) g'(v) and f*'(T*) = u: the discriminator's two terms balance."""
    d = make(key)
    wanted = np.array([-1.5, -0.3, 0.4, 1.1])
    targets = d.optimal_critic(float64(wanted)).numpy()
    logits = [
        scipy.optimize.brentq(lambda v, t=t: d.activation(float64(v)).numpy() - t, -40, 40)
        for t in targets
    ]
    v = tf.Variable(float64(logits))
    with tf.GradientTape(persistent=True) as tape:
        g, c = d.activation(v), d.conjugate_of_activation(v)
    ratio = tape.gradient(c, v) / tape.gradient(g, v)
    np.testing.assert_allclose(ratio, np.exp(wanted), rtol=1e-7)


def test_wright_omega_and_its_two_derivatives_in_every_mode():
    s = np.array([-60.0, -3.0, 0.0, 0.3, 1.0, 1.5, 9.0, 1e4])
    w = scipy.special.wrightomega(s)
    np.testing.assert_allclose(
        divergence_forms.log_wright_omega(float64(s)), np.where(s < -30, s, np.log(w)), rtol=1e-14
    )

    def derivatives(s):
        with tf.GradientTape() as outer:
            outer.watch(s)
            with tf.GradientTape() as tape:
                tape.watch(s)
                x = divergence_forms.log_wright_omega(s)
            first = tape.gradient(x, s)
        return first, outer.gradient(first, s)

    modes = (derivatives, tf.function(derivatives), tf.function(derivatives, jit_compile=True))
    for mode in modes:
        first, second = mode(float64(s))
        np.testing.assert_allclose(first, 1 / (1 + w), rtol=1e-13)
        # Where w is below the resolution of 1, the slope is 1 and does not change.
        np.testing.assert_allclose(second, -w / (1 + w) ** 3, rtol=1e-12, atol=1e-25)


def test_the_pearson_conjugate_is_flat_below_minus_2():
    np.testing.assert_allclose(divergences.get("pearson").conjugate(float64([-9.0, -2.0])), -1)


def test_relations_of_the_alpha_family():
    u = float64(np.linspace(0.1, 4, 20))
    for alpha, name, factor in (
        (2, "pearson", 0.5),
        (-1, "neyman", 0.5),
        (0.5, "squared_hellinger", 2),
    ):
        got = divergences.get("alpha", alpha=alpha).f(u)
        np.testing.assert_allclose(got, factor * divergences.get(name).f(u), atol=1e-12)
    half = divergences.get("weighted_jensen_shannon", pi=0.5).f(u)
    np.testing.assert_allclose(2 * half, divergences.get("jensen_shannon").f(u), atol=1e-12)


# === Gaussians ===

A, B = (1.0, 1.5), (0.5, 1.2)  # Q = N(mean, deviation^2); P = N(0, 1).
GAUSSIANS = {  # On A and B.
    "kl": (0.3499095526, 0.1163493346),
    "reverse_kl": (0.7195348919, 0.1626784432),
    "pearson": (0.6004150753, 0.1995973377),
    "neyman": (np.inf, 0.7402282143),
    "hellinger": (0.2207307438, 0.0666238494),
    "jeffrey": (1.0694444444, 0.2790277778),
    "js": (0.1985801932, 0.0641937839),
    "gan": (-1.1877141679, -1.3221005772),
    "tv": (0.3461230840, 0.1929884956),
    "alpha=.3": (0.5128490247, 0.1429789054),
    "alpha=3": (0.3186966769, 0.0945767881),
}
PAIRS = [(key, k) for key in GAUSSIANS for k in (0, 1) if np.isfinite(GAUSSIANS[key][k])]


def quadrature(pair, step):
    """x, the weights of P and Q, and log p/q, for the trapezoid rule on [-20, 20]."""
    mean, deviation = (A, B)[pair]
    x = np.arange(-20, 20 + step / 2, step)
    log_p = -(x**2) / 2 - np.log(2 * np.pi) / 2
    log_q = -(((x - mean) / deviation) ** 2) / 2 - np.log(2 * np.pi) / 2 - np.log(deviation)
    return x, np.exp(log_p) * step, np.exp(log_q) * step, log_p - log_q


@pytest.mark.parametrize("key, pair", PAIRS)
def test_the_bound_at_the_optimal_critic_is_the_divergence(key, pair):
    d = make(key)
    _, p, q, r = quadrature(pair, 1e-4)
    t = d.optimal_critic(float64(r))
    inside = np.isfinite(d.conjugate(t))  # In the far tail T* rounds to the domain's end.
    assert q[~inside].sum() < 1e-12
    bound = np.sum(p * t) - np.sum((q * d.conjugate(t))[inside])
    assert bound == pytest.approx(GAUSSIANS[key][pair], abs=1e-8)


AFFINE = ("kl", "reverse_kl", "neyman", "hellinger", "js", "gan")


@pytest.mark.parametrize("key", AFFINE)
def test_a_quadratic_critic_reaches_the_divergence(key):
    d, pair = make(key), 1 if key == "neyman" else 0
    x, p, q, _ = quadrature(pair, 0.02)
    powers = float64(x[:, None] ** np.arange(3))

    def loss(coefficients):
        coefficients = tf.Variable(coefficients)
        with tf.GradientTape() as tape:
            v = tf.linalg.matvec(powers, coefficients)
            value = tf.reduce_sum(q * d.conjugate_of_activation(v) - p * d.activation(v))
        return value.numpy(), tape.gradient(value, coefficients).numpy()

    start = np.array([0.0, 0.0, -0.05])
    found = scipy.optimize.minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    golden = GAUSSIANS[key][pair]
    assert golden - 1e-6 < -found.fun < golden + 1e-8
    if key == "js":
        wanted = [0.6276873303, -0.4444444444, -0.2777777778]
        np.testing.assert_allclose(found.x, wanted, atol=1e-5)


@pytest.mark.parametrize("key, pair", PAIRS)
def test_no_critic_exceeds_the_divergence(key, pair):
    d = make(key)
    x, p, q, _ = quadrature(pair, 0.01)
    rng = np.random.default_rng(0)
    upper = d.domain.upper if np.isfinite(d.domain.upper) else 3.0
    for _ in range(20):
        wave = np.sin(rng.normal(0, 2) * x + rng.uniform(0, 6))
        v = rng.normal() + rng.normal() * wave
        bounds = [
            np.sum(p * d.activation(float64(v)) - q * d.conjugate_of_activation(float64(v))),
            np.sum(p * (t := upper - np.exp(v)) - q * d.conjugate(float64(t))),
        ]
        assert max(bounds) <= GAUSSIANS[key][pair] + 1e-9


# === The optimal logit ===


@every
def test_the_optimal_logit_gives_the_optimal_critic(key):
    d, f = make(key), CASES[key][2]
    r = np.linspace(-6, 6, 25) + 0.01
    v = d.optimal_logit(float64(r))
    np.testing.assert_allclose(d.activation(v), derivative(f, np.exp(r)), rtol=1e-9, atol=1e-12)
    start = d.activation(d.optimal_logit(float64(0.0)))
    assert start.numpy() == pytest.approx(d.threshold, abs=1e-12)
    for dtype in ("float32", "float64"):
        assert d.optimal_logit(tf.constant(r, dtype)).dtype == dtype


# No finite logit is optimal for the total variation.
@pytest.mark.parametrize("key", [key for key in CASES if key != "tv"])
def test_the_optimal_logit_rises_and_is_finite_with_its_slope(key):
    d = make(key)
    for dtype, end in (("float64", 15.0), ("float32", 12.0)):
        r = tf.Variable(np.linspace(-end, end, 61), dtype=dtype)
        with tf.GradientTape() as tape:
            v = d.optimal_logit(r)
        slope = tape.gradient(v, r).numpy()
        assert np.isfinite(v).all() and (np.diff(v) >= 0).all()
        assert np.isfinite(slope).all() and (slope > 0).all()
    # Against differences in the middle, where those are exact enough.
    r, h = np.linspace(-2, 2, 9), 1e-6
    high, low = (d.optimal_logit(float64(r + s)).numpy() for s in (h, -h))
    points = tf.Variable(r)
    with tf.GradientTape() as tape:
        v = d.optimal_logit(points)
    np.testing.assert_allclose(tape.gradient(v, points), (high - low) / (2 * h), rtol=1e-6)


# === By name ===


@every
def test_config_round_trip(key):
    d = make(key)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(d)))
    again = divergences.get(config)
    assert type(again) is type(d) and again.get_config() == d.get_config() == CASES[key][1]
    assert divergences.get(d) is d and d.name == CASES[key][0]
    assert {name for name, *_ in CASES.values()} == set(divergences.DIVERGENCES)


@every
def test_the_probability_that_an_optimal_logit_implies(key):
    """At `v*(r)` it is `p / (p + q)`, for r = log p/q; the total variation tells the larger."""
    ratio = np.array([-3.0, -1.0, -0.25, 0.5, 2.0])
    divergence = make(key)
    got = divergence.probability(divergence.optimal_logit(tf.constant(ratio)))
    wanted = ratio > 0 if key == "tv" else scipy.special.expit(ratio)
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-9)


@every
def test_a_probability_far_out_is_one(key):
    low, high = make(key).probability(tf.constant([-1e4, 1e4])).numpy()
    assert 0 <= low < 0.5 < high <= 1
