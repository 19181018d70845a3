"""f-GAN: its losses' gradients, the trainer in every mode, and divergences learned from samples."""

import json

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from tests.helpers import (
    batches,
    compiled,
    run_config_test,
    run_trainer_test,
    tiny_data,
    tiny_mlp_pair,
)
from trainers import divergences, objectives
from trainers.divergence_estimation import estimate_divergence
from trainers.fgan import FGAN
from trainers.gan import GAN
from trainers.objectives import FDivergence

PARAMETERS = {"alpha": {"alpha": 0.3}, "weighted_jensen_shannon": {"pi": 0.3}}
everyone = pytest.mark.parametrize("name", sorted(divergences.DIVERGENCES))


def divergence(name):
    return divergences.get(name, **PARAMETERS.get(name, {}))


def _sigmoid(v):
    return 1 / (1 + np.exp(-v))


GRADIENTS = {  # d generator loss / dv: exact, replacement.
    "kl": (lambda v: -np.exp(v - 1), lambda v: -1 + 0 * v),
    "reverse_kl": (lambda v: -1 + 0 * v, lambda v: -np.exp(-v)),
    "pearson": (lambda v: -np.maximum(1 + v / 2, 0), lambda v: -1 + 0 * v),
    "neyman": (lambda v: -np.exp(-v / 2), lambda v: -np.exp(-v)),
    "squared_hellinger": (lambda v: -np.exp(v), lambda v: -np.exp(-v)),
    "jeffrey": (lambda v: -1 / scipy.special.lambertw(np.exp(1 - v)).real, lambda v: -1 + 0 * v),
    "jensen_shannon": (lambda v: -_sigmoid(v), lambda v: -_sigmoid(-v)),
    "gan": (lambda v: -_sigmoid(v), lambda v: -_sigmoid(-v)),
    "total_variation": (lambda v: -0.5 / np.cosh(v) ** 2, lambda v: -0.5 / np.cosh(v) ** 2),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_generator_gradients(name):
    v = np.array([-6.0, -2.5, -0.4, 0.0, 0.7, 3.0])
    for kind, wanted in zip(("exact", "replacement"), GRADIENTS[name], strict=True):
        logits = tf.Variable(v)
        with tf.GradientTape() as tape:
            loss = FDivergence(name, kind).generator_loss(logits, logits)
        np.testing.assert_allclose(tape.gradient(loss, logits), wanted(v), rtol=1e-10, atol=1e-15)


def test_which_generators_still_learn_from_a_winning_discriminator():
    def gradient(name, kind):
        v = tf.Variable([-30.0])
        with tf.GradientTape() as tape:
            loss = FDivergence(name, kind).generator_loss(v, v)
        return -tape.gradient(loss, v).numpy()[0]

    for name in ("kl", "squared_hellinger", "jensen_shannon", "gan", "jeffrey", "pearson"):
        assert gradient(name, "exact") < 0.04  # Jeffrey's falls as 1 / |v|.
    for name in ("reverse_kl", "neyman"):
        assert gradient(name, "exact") >= 1
    for name in set(GRADIENTS) - {"total_variation"}:
        assert gradient(name, "replacement") >= 1


@everyone
def test_losses_and_config(name):
    d = divergence(name)
    real, fake = tf.constant([-1.0, 0.2, 3.0]), tf.constant([0.5, -2.0, 1.0])
    objective = FDivergence(d, "exact")
    bound = d.activation(real) - d.conjugate_of_activation(fake)
    np.testing.assert_allclose(objective.discriminator_loss(real, fake), -bound)
    np.testing.assert_allclose(objective.bound(real, fake), bound)
    again = run_config_test(objective)
    np.testing.assert_array_equal(
        again.generator_loss(real, fake), -d.conjugate_of_activation(fake)
    )


def test_the_divergence_of_gans_is_the_original_game():
    real, fake = tf.constant([-1.0, 0.2, 3.0]), tf.constant([0.5, -2.0, 1.0])
    for kind, name in (("exact", "minimax"), ("replacement", "non_saturating")):
        ours, theirs = FDivergence("gan", kind), objectives.get(name)
        for loss in ("discriminator_loss", "generator_loss"):
            got, wanted = getattr(ours, loss)(real, fake), getattr(theirs, loss)(real, fake)
            np.testing.assert_allclose(got, wanted, rtol=1e-6)


def _plain_pair():
    """Two plain Keras models, for samples that are pairs of numbers."""
    layers = keras.layers
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(2)])
    return generator, keras.Sequential(
        [keras.Input((2,)), layers.Dense(4, "tanh"), layers.Dense(1)]
    )


EXACT = {"generator_loss": "exact", "schedule": "alternating", "discriminator_steps": 2}


@pytest.mark.parametrize(
    "name, pair, data, arguments",
    [
        ("jeffrey", tiny_mlp_pair, tiny_data((4, 4, 1)), {}),
        ("alpha", _plain_pair, np.random.default_rng(0).normal(1, 2, (64, 2)), EXACT),
    ],
)
def test_modes_of_execution_and_file(tmp_path, name, pair, data, arguments):
    def make(**modes):
        gan = FGAN(*pair(), divergence(name), seed=3, **arguments)
        # Near a balance Adam would make whole steps of a gradient that is rounding.
        sgd = keras.optimizers.SGD
        return compiled(gan, None, sgd(0.05), sgd(0.05), **modes)

    gan, _ = run_trainer_test(make, data, tmp_path)
    wanted = {"discriminator_steps": 1, "schedule": "simultaneous", **arguments}
    assert {key: gan.get_config()[key] for key in wanted} == wanted


@everyone
def test_file_round_trip(tmp_path, name):
    gan = FGAN(*tiny_mlp_pair(), divergence(name), "exact", seed=2)
    gan.compile()
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert json.dumps(loaded.get_config()) == json.dumps(gan.get_config())
    assert type(loaded.divergence) is type(gan.divergence)
    assert loaded.divergence.get_config() == PARAMETERS.get(name, {})
    assert loaded.objective.get_config() == gan.objective.get_config()


def test_a_step_is_the_original_games_and_logs_the_bound():
    """With the divergence "gan" an f-GAN is a GAN, number for number."""
    gans = []
    for cls, arguments in ((FGAN, {"divergence": "gan"}), (GAN, {"schedule": "simultaneous"})):
        keras.utils.set_random_seed(1)
        gans.append(cls(*tiny_mlp_pair(), seed=3, **arguments))
        gans[-1].compile()
    ours, theirs = (gan.fit(batches(tiny_data((4, 4, 1))), verbose=0).history for gan in gans)
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-5)
    np.testing.assert_allclose(ours["divergence_estimate"], -np.array(ours["discriminator_loss"]))
    logs = gans[0].evaluate(tiny_data((4, 4, 1))[0], verbose=0, return_dict=True)
    assert logs["divergence_estimate"] == pytest.approx(-logs["discriminator_loss"], rel=1e-5)


@pytest.mark.parametrize("name, loss", [("reverse_kl", "replacement"), ("pearson", "exact")])
def test_a_gaussian_in_reach_is_reached(name, loss):
    """N(2, 0.5^2) from N(1.5, 0.6^2), where every loss of the generator is finite.

    The replacement of the reverse KL weights a sample by q / p, whose mean under q diverges once
    q is wider than sqrt(2) times p.
    """
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(2, 0.5, (200, 1024, 1)).astype("float32")
    generator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    generator.set_weights([np.array([[0.6]]), np.array([1.5])])
    hidden = [keras.layers.Dense(64, "tanh") for _ in range(2)]
    critic = keras.Sequential([keras.Input((1,)), *hidden, keras.layers.Dense(1)])
    gan = FGAN(generator, critic, name, loss, seed=0)
    rates = [keras.optimizers.schedules.CosineDecay(rate, 600) for rate in (0.005, 0.01)]
    gan.compile(None, *(keras.optimizers.Adam(r, beta_1=0.5) for r in rates), jit_compile=False)
    gan.fit(tf.data.Dataset.from_tensor_slices(x).repeat(), steps_per_epoch=600, verbose=0)
    kernel, bias = generator.get_weights()
    assert bias[0] == pytest.approx(2, abs=0.03)
    assert abs(kernel[0, 0]) == pytest.approx(0.5, abs=0.05)


def test_another_objective_is_refused():
    gan = FGAN(*tiny_mlp_pair(), "pearson")
    for objective in ("minimax", FDivergence("kl"), FDivergence("pearson", "exact")):
        received = type(objectives.get(objective)).__name__
        with pytest.raises(ValueError, match=f"'pearson'.*'replacement'.*objective={received}"):
            gan.compile(objective)
    gan.compile(FDivergence("pearson"))
    assert gan.objective.divergence.name == "pearson"


def test_errors():
    with pytest.raises(ValueError, match="did you mean 'exact'.*generator='exat'"):
        FGAN(*tiny_mlp_pair(), "kl", "exat")
    with pytest.raises(ValueError, match="did you mean 'pearson'"):
        FGAN(*tiny_mlp_pair(), "person")
    with pytest.raises(ValueError, match=r"`fake_logits` are not one a sample.*shape \(batch,\)"):
        FDivergence("kl").generator_loss(tf.zeros(3), tf.zeros((3, 1)))


# === From samples ===


def _pair_a(count):
    rng = np.random.default_rng(5)
    return rng.normal(0, 1, (count, 1)), rng.normal(1, 1.5, (count, 1))


@pytest.mark.parametrize("name, golden", [("kl", 0.3499095526), ("jensen_shannon", 0.1985801932)])
def test_estimate_on_gaussians(name, golden):
    got = estimate_divergence(*_pair_a(20000), name)
    assert golden - 3 * got.standard_error - 0.01 < got.value < golden + 3 * got.standard_error
    assert 0 < got.standard_error < 0.03
    assert (got.name, got.parameters) == (name, {})
    assert got.samples == (10000, 10000)


def test_estimate_is_seeded_takes_a_critic_and_is_zero_between_equals():
    p, q = _pair_a(500)
    first = estimate_divergence(p, q[:300], "pearson", steps=20, seed=4)
    keras.utils.set_random_seed(99)
    assert estimate_divergence(p, q[:300], "pearson", steps=20, seed=4) == first
    assert estimate_divergence(p, q[:300], "pearson", steps=20, seed=5).value != first.value
    assert first.samples == (250, 150)
    critic = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    before = critic.get_weights()
    same = estimate_divergence(p, np.roll(p, 7), "jensen_shannon", critic=critic, steps=50)
    assert abs(same.value) < 3 * same.standard_error + 0.01
    assert not np.array_equal(before[0], critic.get_weights()[0])


def test_the_standard_error_is_that_of_the_value():
    """One small step leaves the critic where it was: the spread of its bound is known."""
    critic = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    critic.set_weights([np.array([[-0.5]], "float32"), np.array([0.2], "float32")])
    rng = np.random.default_rng(1)
    v_real = -0.5 * rng.normal(0, 1, (400, 200)) + 0.2
    v_fake = -0.5 * rng.normal(1, 1.5, (400, 200)) + 0.2
    spread = np.std(v_real.mean(1) - np.exp(v_fake - 1).mean(1))
    p, q = rng.normal(0, 1, (4000, 1)), rng.normal(1, 1.5, (4000, 1))
    got = estimate_divergence(p, q, "kl", critic=critic, steps=1)
    assert got.standard_error == pytest.approx(spread * np.sqrt(200 / 2000), rel=0.15)


def _net(*layers):
    return keras.Sequential([keras.Input((1,)), *layers])


@pytest.mark.parametrize(
    "p, q, arguments, message",
    [
        (np.zeros((9, 2)), np.zeros((9, 3)), {}, r"p of shape \(9, 2\) and q of shape \(9, 3\)"),
        (np.zeros(9), np.zeros(9), {}, r"p of shape \(9,\)"),
        (np.zeros((9, 1)), np.zeros((3, 1)), {}, r"q of shape \(3, 1\)"),
        (np.zeros((9, 1)), np.full((9, 1), np.nan), {}, "q of shape .* 9 values"),
        (np.zeros((9, 1)), np.zeros((9, 1)), {"steps": 0}, "steps=0"),
        (np.zeros((9, 1)), np.zeros((9, 1)), {"alpha": 2}, "`parameters` are not those of 'kl'"),
        (
            np.zeros((9, 1)),
            np.zeros((9, 1)),
            {"critic": _net(keras.layers.Dense(16))},
            r"`critic` answers several numbers.*\(None, 16\)",
        ),
        (
            np.zeros((9, 1)),
            np.zeros((9, 1)),
            {"critic": _net(keras.layers.Dense(1, "sigmoid"))},
            "`critic` ends in a sigmoid.*logits",
        ),
        (
            np.zeros((9, 2)),
            np.zeros((9, 2)),
            {"critic": _net(keras.layers.Dense(1))},
            r"`critic` cannot judge the samples.*\(batch, 2\).*shape \(1,\)",
        ),
    ],
)
def test_estimate_errors(p, q, arguments, message):
    with pytest.raises(ValueError, match=message):
        estimate_divergence(p, q, "kl", **arguments)
