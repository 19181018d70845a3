"""Simulators: exact samples, gradients against closed forms, files, and what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import export
from tests.helpers import run_player_test
from zoo import latents, saving
from zoo.simulator import Simulator

START = {"shift": 0.7, "width": 1.5}


@keras.saving.register_keras_serializable("tests")
def line(parameters, z):
    return parameters["shift"] + parameters["width"] * z


@keras.saving.register_keras_serializable("tests")
def numpy_line(parameters, z):
    out = np.empty_like(z)  # No tensor can be written to.
    out[:] = parameters["shift"] + parameters["width"] * z
    return out


@keras.saving.register_keras_serializable("tests")
def stairs(parameters, z):
    return tf.floor(line(parameters, z))


@keras.saving.register_keras_serializable("tests")
class Line:
    """A function with settings of its own."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, parameters, z):
        return self.factor * line(parameters, z)

    def get_config(self):
        return {"factor": self.factor}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _simulator(function=line, gradient="pathwise", **arguments):
    return Simulator(function, START, (1,), 1, gradient=gradient, **arguments)


# === A player like any other ===


@pytest.mark.parametrize("function", [line, numpy_line])
def test_player(tmp_path, function):
    kwargs = {
        "function": keras.saving.serialize_keras_object(function),
        "parameters": START,
        "sample_shape": (3,),
        "latent_dim": 3,
        "prior": "uniform",
        "gradient": "score",
        "scale": {"shift": 0.1, "width": 0.2},
        "bounds": {"width": [0.0, None]},
    }
    run_player_test(Simulator, kwargs, weights=2, path=tmp_path)


@pytest.mark.parametrize("function", [line, numpy_line])
@pytest.mark.parametrize("gradient", ["score", "finite_difference"])
def test_samples_are_the_functions_at_the_parameters(function, gradient):
    simulator = _simulator(function, gradient, bounds={"width": [0.0, 4.0]})
    assert simulator.values() == pytest.approx(START, rel=1e-6)
    z = latents.draw("normal", 5, 1, (9, 0)).numpy()
    expected = 0.7 + 1.5 * z.astype("float64")
    np.testing.assert_allclose(simulator.sample(5, seed=9), expected, rtol=1e-6)
    np.testing.assert_array_equal(
        simulator.sample(5, seed=9, batch_size=2), simulator.sample(5, seed=9)
    )
    assert simulator.weights[0].path.endswith("shift")
    simulator.weights[0].assign(-1.0)
    np.testing.assert_allclose(simulator.sample(5, seed=9), expected - 1.7, rtol=1e-5)
    assert simulator.values() == pytest.approx({**START, "shift": -1.0}, rel=1e-6)


def test_an_object_with_settings_is_saved(tmp_path):
    simulator = _simulator(Line(3.0))
    simulator.save(tmp_path / "line.keras")
    loaded = keras.saving.load_model(tmp_path / "line.keras")
    assert loaded.function.factor == 3.0
    np.testing.assert_array_equal(loaded.sample(4, seed=0), simulator.sample(4, seed=0))


def test_a_function_without_a_name_cannot_be_saved(tmp_path):
    simulator = _simulator(lambda parameters, z: line(parameters, z))
    with pytest.raises(
        ValueError, match=r"register_keras_serializable.*Received: function=.*lambda"
    ):
        saving.save(simulator, tmp_path / "lambda.keras")
    assert not list(tmp_path.iterdir())


# === Steps of training mode ===


@pytest.mark.parametrize("gradient", ["score", "finite_difference"])
@pytest.mark.parametrize("count", [8, 9])
def test_partners_share_latents_and_step_to_opposite_sides(gradient, count):
    scale = {"shift": 0.1, "width": 0.3}
    simulator = _simulator(stairs, gradient, scale=scale)
    z = latents.draw("normal", count, 1, (1, 0))
    rows, steps, factors = (t.numpy() for t in simulator.simulation.steps(count, (2, 0)))
    np.testing.assert_array_equal(rows[:4], [0, 1, 2, 3])
    np.testing.assert_array_equal(rows[4:8], [0, 1, 2, 3])
    np.testing.assert_array_equal(steps[4:8], -steps[:4])
    np.testing.assert_array_equal(factors[4:8], -factors[:4])
    np.testing.assert_array_equal(rows[8:], [8] * (count - 8))
    assert not steps[8:].any() and not factors[8:].any()
    widths = np.array([0.1, 0.3])
    share = count / 8
    if gradient == "score":
        assert steps[:4].all() and len(np.unique(steps[:4])) == 8
        np.testing.assert_allclose(factors, share * steps / widths**2, rtol=1e-6)
    else:
        chosen = steps[:4] / widths
        assert sorted(map(tuple, chosen.round(6))) == [(0, 1), (0, 1), (1, 0), (1, 0)]
        np.testing.assert_allclose(factors, share * 2 * np.sign(steps) / widths, rtol=1e-6)

    explored = simulator.explore(z, (2, 0)).numpy()[:, 0]
    theta = np.array([0.7, 1.5]) + steps
    expected = np.floor(theta[:, 0] + theta[:, 1] * z.numpy()[rows, 0])
    np.testing.assert_array_equal(explored, expected)
    unmoved = simulator(z, training=True)
    np.testing.assert_array_equal(unmoved, simulator(z, training=False))
    if gradient == "score":
        assert not np.array_equal(simulator.simulation.steps(count, (3, 0))[1], steps)


def test_steps_are_normal_of_the_given_scale():
    simulator = _simulator(stairs, "score", scale={"shift": 0.1, "width": 0.3})
    steps = simulator.simulation.steps(8192, (4, 0))[1][:4096] / [0.1, 0.3]
    for column in np.transpose(steps):
        assert stats.kstest(column, "norm").pvalue > 0.01
    assert abs(np.corrcoef(np.transpose(steps))[0, 1]) < 3 / np.sqrt(4096)


# === Gradients ===


def test_pathwise_gradient_against_central_differences():
    """d/dtheta mean (x - 2)^2, by float64 differences in the weights' own coordinates."""
    simulator = _simulator(line, bounds={"width": [0.0, None]})
    z = latents.draw("normal", 50, 1, (3, 0))

    def loss(w):
        return np.mean((w[0] + np.exp(w[1]) * z.numpy().astype("float64") - 2.0) ** 2)

    with tf.GradientTape() as tape:
        losses = (simulator.explore(z, (5, 0))[:, 0] - 2.0) ** 2
        value = tf.reduce_mean(simulator.surrogate(losses, (5, 0)))
    gradients = tape.gradient(value, simulator.trainable_variables)
    at, h = np.array([0.7, np.log(1.5)]), 1e-6
    expected = [(loss(at + h * e) - loss(at - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(gradients, expected, rtol=1e-5)


def _estimates(simulator, loss, batch, count):
    """`count` estimates of the gradient, from fresh latents and steps each: `(count, k)`."""

    @tf.function
    def estimate(number):
        z = latents.draw("normal", batch, 1, tf.stack([number, 7]))
        seed = tf.stack([number, 8])
        with tf.GradientTape() as tape:
            losses = loss(simulator.explore(z, seed)[:, 0])
            surrogate = simulator.surrogate(losses, seed)
            mean = tf.reduce_mean(surrogate)
        tf.debugging.assert_equal(surrogate, losses)
        return tf.stack(tape.gradient(mean, simulator.trainable_variables))

    return np.array([estimate(tf.constant(n, "int64")) for n in range(count)], "float64")


def _within_errors(estimates, expected, error):
    """The mean is the expected value within three standard errors, which are small."""
    errors = estimates.std(0, ddof=1) / np.sqrt(len(estimates))
    assert np.all(errors < error)
    assert np.all(np.abs(estimates.mean(0) - expected) < 3 * errors)


@pytest.mark.parametrize("batch", [64, 65])
@pytest.mark.parametrize("gradient", ["score", "finite_difference"])
def test_estimators_are_unbiased_on_a_quadratic_loss(gradient, batch):
    """x = a + b z and L = (x - 2)^2: the gradient of E L is (2 (a - 2), 2 b), smoothed or not."""
    simulator = _simulator(line, gradient, scale={"shift": 0.3, "width": 0.2})
    estimates = _estimates(simulator, lambda x: (x - 2.0) ** 2, batch, 1000)
    _within_errors(estimates, [2 * (0.7 - 2.0), 2 * 1.5], 0.08)


def test_score_is_the_gradient_of_the_smoothed_loss():
    """d/da E floor(a + d) = sum_k N(k; a, scale^2): a slope where the function has none."""
    simulator = Simulator(
        lambda p, z: tf.floor(p["a"] + 0.0 * z), {"a": 0.8}, (1,), 1, gradient="score", scale=0.4
    )
    estimates = _estimates(simulator, lambda x: x, 64, 1000)
    expected = stats.norm.pdf(np.arange(-5, 7), 0.8, 0.4).sum()
    _within_errors(estimates, [expected], 0.02)


def test_finite_difference_of_one_coordinate_is_exact():
    """Without latents a pair is a central difference, whose value float64 knows."""
    simulator = Simulator(
        lambda p, z: tf.exp(p["a"]) + 0.0 * z,
        {"a": 0.5},
        (1,),
        1,
        gradient="finite_difference",
        scale=0.1,
    )
    estimates = _estimates(simulator, lambda x: x, 6, 3)
    expected = (np.exp(0.6) - np.exp(0.4)) / 0.2
    np.testing.assert_allclose(estimates, np.full((3, 1), expected), rtol=1e-5)


def test_partners_are_the_best_baseline():
    """Variances of three unbiased estimators on the same number of simulations.

    Independent steps without a baseline, with the mean of the other losses as baseline, and pairs.
    """
    rng = np.random.default_rng(5)
    batch, count, scale = 32, 2000, 0.2
    z = rng.normal(size=(count, batch, 1))
    steps = rng.normal(scale=scale, size=(count, batch, 2))
    theta = np.array([0.7, 1.5]) + steps
    losses = (theta[..., :1] + theta[..., 1:] * z - 2.0) ** 2
    others = (losses.sum(1, keepdims=True) - losses) / (batch - 1)
    plain = np.mean(losses * steps / scale**2, axis=1)
    baseline = np.mean((losses - others) * steps / scale**2, axis=1)
    pairs = _estimates(_simulator(line, "score", scale=scale), lambda x: (x - 2.0) ** 2, batch, 500)
    for estimates in (plain, baseline, pairs):
        _within_errors(estimates, [-2.6, 3.0], 0.2)
    assert np.all(baseline.var(0) < 0.75 * plain.var(0))
    assert np.all(pairs.var(0) < 0.35 * baseline.var(0))


@pytest.mark.parametrize("gradient", ["score", "finite_difference"])
def test_a_constant_in_the_losses_cancels(gradient):
    simulator = _simulator(stairs, gradient)
    same = [_estimates(simulator, lambda x, c=c: x + c, 16, 20) for c in (0.0, 64.0)]
    np.testing.assert_allclose(*same, atol=1e-3)


# === What is refused ===


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"scale": 0.0}, r"positive number.*Received: scale=0.0"),
        ({"scale": {"shift": 0.1}}, r"each of \['shift', 'width'\].*Received: scale="),
        ({"parameters": {}}, r"at least one name.*Received: parameters=\{\}"),
        ({"gradient": "scores"}, r"did you mean 'score'.*Received: gradient='scores'"),
        ({"latent_dim": 0}, "Received: latent_dim=0"),
        ({"sample_shape": (0,)}, "Received: sample_shape=0"),
        ({"prior": "cauchy"}, "Received: prior='cauchy'"),
        ({"function": lambda p, z: z[:, 0]}, r"Expected \(5, 1\).*Received: \(5,\)"),
        ({"function": lambda p, z: p["a"] * z}, "does not run: KeyError: 'a'"),
        ({"function": lambda p, z: tf.math.log(-1.0 - z * z)}, "Received: 5 of 5 values NaN"),
        (
            {"function": lambda p, z: z.tolist()},
            "Expected a tensor or a NumPy array.*Received: list",
        ),
        ({"function": lambda p, z: None}, "Received: NoneType"),
        ({"function": numpy_line}, "`function` is of NumPy.*cannot differentiate.*'pathwise'"),
        ({"function": stairs}, r"no derivative.*Received: \['shift', 'width'\]"),
        ({"function": lambda p, z: z + p["shift"]}, r"no derivative.*Received: \['width'\]"),
        (
            {"function": lambda p, z: tf.constant(np.floor(z)), "gradient": "score"},
            "does not run in a graph: NotImplementedError",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    good = {"function": line, "parameters": START, "sample_shape": (1,), "latent_dim": 1}
    with pytest.raises(ValueError, match=message):
        Simulator(**{**good, **arguments})


def test_a_numpy_function_is_not_served(tmp_path):
    simulator = Simulator(numpy_line, START, (1,), 1, gradient="score")
    with pytest.raises(ValueError, match="one of TensorFlow.*which calls NumPy"):
        export.save(simulator, tmp_path / "served")
    assert not (tmp_path / "served").exists()
