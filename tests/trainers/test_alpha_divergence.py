"""The alpha family close to its limits and in both of its forms, against closed forms."""

import json
import zipfile

import keras
import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from tests.helpers import run_config_test, tiny_mlp_pair
from trainers import divergences, objectives
from trainers.alpha_divergence import AlphaDivergence
from trainers.fgan import FGAN

# P = N(0, 1) and Q = N(1, 1.5^2) on a grid, for the trapezoid rule.
X = np.linspace(-20, 20, 4001)
P = np.exp(-(X**2) / 2) / np.sqrt(2 * np.pi) * 0.01
Q = np.exp(-(((X - 1) / 1.5) ** 2) / 2) / np.sqrt(2 * np.pi) / 1.5 * 0.01
LOG_RATIO = (((X - 1) / 1.5) ** 2 - X**2) / 2 + np.log(1.5)
KL, REVERSE_KL = 0.3499095526, 0.7195348919


def float64(values):
    return tf.constant(values, "float64")


def exact(alpha):
    """`(I - 1) / (a (a - 1))` with `I = int p^a q^(1-a)`, of Gaussians in closed form."""
    variance = 1 - alpha + alpha * 1.5**2
    integral = 1.5**alpha / np.sqrt(variance) * np.exp(-alpha * (1 - alpha) / (2 * variance))
    return (integral - 1) / (alpha * (alpha - 1))


def test_the_closed_form_has_the_known_limits():
    assert exact(1 - 1e-7) == pytest.approx(KL, abs=1e-6)
    assert exact(1e-7) == pytest.approx(REVERSE_KL, abs=1e-6)
    wanted = [0.377, 0.362, 0.356, 0.351]
    np.testing.assert_allclose([exact(a) for a in (0.8, 0.9, 0.95, 0.99)], wanted, atol=5e-4)


@pytest.mark.parametrize("alpha", [-0.5, -1e-4, 1e-4, 0.3, 0.5, 0.8, 0.9, 0.95, 0.99, 0.9999, 1.4])
def test_the_logs_of_ratios_give_the_divergence(alpha):
    divergence = AlphaDivergence(alpha, "log_ratio")
    v = float64(LOG_RATIO)
    value = np.sum(P * divergence.activation(v) - Q * divergence.conjugate_of_activation(v))
    assert value == pytest.approx(exact(alpha), abs=1e-9)
    # f of the ratio is another way to the same number, and c is f* of g.
    integral = np.sum(Q * divergence.f(float64(np.exp(LOG_RATIO))))
    assert integral == pytest.approx(exact(alpha), abs=1e-9)
    v = float64(np.linspace(-4, 4, 33))
    composed = divergence.conjugate(divergence.activation(v))
    np.testing.assert_allclose(divergence.conjugate_of_activation(v), composed, rtol=1e-9)


@pytest.mark.parametrize("alpha", [0.8, 0.9, 0.95, 0.99])
def test_a_quadratic_critic_learns_the_divergence_close_to_1(alpha):
    divergence = divergences.get("alpha", alpha=alpha)
    powers = float64(X[:, None] ** np.arange(3))

    def loss(coefficients):
        coefficients = tf.Variable(coefficients)
        with tf.GradientTape() as tape:
            v = tf.linalg.matvec(powers, coefficients)
            real, fake = divergence.activation(v), divergence.conjugate_of_activation(v)
            value = tf.reduce_sum(Q * fake - P * real)
        return value.numpy(), tape.gradient(value, coefficients).numpy()

    start = np.array([0.0, 0.0, -0.05])
    found = scipy.optimize.minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    assert -found.fun == pytest.approx(exact(alpha), abs=1e-7)
    # log p/q = (x - 1)^2 / 4.5 - x^2 / 2 + log 1.5.
    wanted = [1 / 4.5 + np.log(1.5), -2 / 4.5, 1 / 4.5 - 0.5]
    np.testing.assert_allclose(found.x, wanted, atol=1e-4)


def test_the_tables_form_cannot_start_there():
    # The failing form of before: the first loss of an untrained critic, whose logits are near 0.
    losses = [AlphaDivergence(a, "table").conjugate_of_activation(0.0) for a in (0.9, 0.95)]
    np.testing.assert_allclose(losses, [3.0083e10, 5.8366e27], rtol=1e-3)
    assert divergences.get("alpha", alpha=0.95).conjugate_of_activation(0.0) == 0.0


@pytest.mark.parametrize("alpha", [0.8, 0.95, 0.999])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_slopes_are_finite_and_known(alpha, dtype):
    v = tf.Variable(np.array([-50, -3.0, 0.0, 2.0, 50.0]), dtype=dtype)
    divergence = divergences.get("alpha", alpha=alpha)
    slopes = {  # g' = e^(-(1-a) v), c' = e^(a v): their ratio is p/q = e^v.
        divergence.activation: np.exp(-(1 - alpha) * v.numpy().astype("float64")),
        divergence.conjugate_of_activation: np.exp(alpha * v.numpy().astype("float64")),
    }
    for function, slope in slopes.items():
        with tf.GradientTape() as tape:
            values = function(v)
        assert np.isfinite(values).all() and values.dtype == dtype
        np.testing.assert_allclose(tape.gradient(values, v), slope, rtol=2e-5)


@pytest.mark.parametrize("alpha, limit", [(1e-5, "reverse_kl"), (-1e-5, "reverse_kl")])
def test_at_0_it_is_the_reverse_divergence(alpha, limit):
    u = np.array([0.01, 0.5, 1.0, 3.0, 40.0], "float32")
    # f differs from -log u by the line u - 1, which no divergence sees.
    near = AlphaDivergence(alpha).f(tf.constant(u))
    np.testing.assert_allclose(near, -np.log(u.astype("float64")) + u - 1, rtol=1e-3, atol=1e-5)


def test_at_1_it_is_the_kullback_leibler_divergence():
    u = np.array([0.01, 0.5, 1.0, 3.0, 40.0], "float32")
    for alpha in (1 - 1e-5, 1 + 1e-5):
        near = AlphaDivergence(alpha)
        u64 = u.astype("float64")
        np.testing.assert_allclose(near.f(u), u64 * np.log(u64) - u64 + 1, rtol=1e-3, atol=1e-5)
        t = np.array([-2.0, 0.0, 0.7, 3.0], "float32")
        np.testing.assert_allclose(near.conjugate(t), np.expm1(t), rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(near.optimal_critic(t), t, rtol=1e-3)


def test_f_at_0_is_its_limit():
    assert AlphaDivergence(0.9).f(0.0) == np.float32(1 / 0.9)  # 1/a for a > 0,
    assert AlphaDivergence(3.0).f(0.0) == np.float32(1 / 3)
    assert AlphaDivergence(-0.5).f(0.0) == np.inf  # without end for a < 0.


# === Files ===


def test_a_config_of_before_keeps_its_meaning():
    old = {
        "class_name": "AlphaDivergence",
        "config": {"alpha": 0.9},
        "registered_name": "zoo>AlphaDivergence",
    }
    divergence = divergences.get(old)
    v = np.array([-9.0, 0.7])
    np.testing.assert_allclose(divergence.activation(float64(v)), 10 - np.log1p(np.exp(-v)))
    assert divergence.get_config() == {"alpha": 0.9} and run_config_test(divergence).form == "table"


def test_a_config_of_today_says_what_its_logit_means():
    new = divergences.get("alpha", alpha=0.9)
    assert new.get_config() == {"alpha": 0.9, "form": "log_ratio"}
    assert run_config_test(new).form == "log_ratio"
    for alpha in (-2.0, 0.3, 0.79, 1.1, 3.0):
        assert divergences.get("alpha", alpha=alpha).get_config() == {"alpha": alpha}
        chosen = divergences.get("alpha", alpha=alpha, form="log_ratio")
        assert run_config_test(chosen).form == "log_ratio"


def test_a_file_of_before_keeps_its_meaning(tmp_path):
    gan = FGAN(*tiny_mlp_pair(), divergences.get("alpha", alpha=0.9, form="table"))
    gan.compile()
    gan.save(tmp_path / "gan.keras")
    with zipfile.ZipFile(tmp_path / "gan.keras") as file:
        saved = json.loads(file.read("config.json"))["config"]["divergence"]["config"]
    assert saved == {"alpha": 0.9}  # Letter for letter what the file had before there were forms.
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.divergence.form == loaded.objective.divergence.form == "table"


def test_errors():
    with pytest.raises(ValueError, match="`form` is unknown.*mean 'table'.*form='tabel'"):
        divergences.get("alpha", alpha=0.9, form="tabel")
    message = r"`parameters` are.*Expected \['alpha'\] and, if you like, \['form'\].*'beta': 1"
    with pytest.raises(ValueError, match=message):
        objectives.get("alpha", beta=1)
