"""Objectives against NumPy in float64, their limits at extreme logits, and the golden values."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.helpers import largest_difference, state
from trainers import divergences, objectives, other_names, penalties
from trainers.steps.key import TRAINING
from zoo import latents

REAL = np.array([-3.0, 0.0, 0.7, 2.0, 9.0])
FAKE = np.array([4.0, -1.2, 0.7, -6.0, 0.1])


def _sigmoid(v):
    return 1 / (1 + np.exp(-v))


def _log_sigmoid(v):
    return np.log(_sigmoid(v))


def _average(a, b):
    """The relativistic average loss of the side that wants `a` above `b`."""
    return -_log_sigmoid(a - b.mean()) - np.log(1 - _sigmoid(b - a.mean()))


REFERENCE = {  # Straight from the probabilities, as the papers write them.
    "minimax": (
        lambda r, f: -_log_sigmoid(r) - np.log(1 - _sigmoid(f)),
        lambda r, f: np.log(1 - _sigmoid(f)),
    ),
    "non_saturating": (
        lambda r, f: -_log_sigmoid(r) - np.log(1 - _sigmoid(f)),
        lambda r, f: -_log_sigmoid(f),
    ),
    "least_squares": (
        lambda r, f: 0.5 * (r - 1) ** 2 + 0.5 * f**2,
        lambda r, f: 0.5 * (f - 1) ** 2,
    ),
    "hinge": (
        lambda r, f: -np.minimum(0, r - 1) - np.minimum(0, -f - 1),
        lambda r, f: -f,
    ),
    "wasserstein": (lambda r, f: f - r, lambda r, f: -f),
    "relativistic_average": (_average, lambda r, f: _average(f, r)),
    "relativistic_pairing": (
        lambda r, f: -_log_sigmoid(r - f),
        lambda r, f: -_log_sigmoid(f - r),
    ),
}


def run_objective_test(name, reference):
    objective = objectives.get(name)
    losses = (objective.discriminator_loss, objective.generator_loss)
    for loss, wanted in zip(losses, reference, strict=True):
        got = loss(tf.constant(REAL), tf.constant(FAKE)).numpy()
        np.testing.assert_allclose(got, wanted(REAL, FAKE), rtol=1e-12)
        variables = [tf.Variable(REAL), tf.Variable(FAKE)]
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(loss(*variables))
        unconnected = tf.UnconnectedGradients.ZERO
        gradients = tape.gradient(total, variables, unconnected_gradients=unconnected)
        h = 1e-6
        for k, gradient in enumerate(gradients):
            for i in range(len(REAL)):
                step = np.zeros((2, len(REAL)))
                step[k, i] = h
                high = wanted(REAL + step[0], FAKE + step[1]).sum()
                low = wanted(REAL - step[0], FAKE - step[1]).sum()
                np.testing.assert_allclose(
                    gradient[i], (high - low) / (2 * h), rtol=1e-6, atol=1e-7
                )
        for dtype, size in (("float32", 100.0), ("float16", 30.0)):
            extreme = tf.constant([-size, size], dtype)
            with tf.GradientTape() as tape:
                tape.watch(extreme)
                values = loss(extreme, extreme)
            gradient = tape.gradient(values, extreme)
            assert np.isfinite(values).all() and np.isfinite(gradient).all()
    again = keras.saving.deserialize_keras_object(
        json.loads(json.dumps(keras.saving.serialize_keras_object(objective)))
    )
    assert type(again) is type(objective) and again.get_config() == objective.get_config()


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_objective(name):
    assert set(REFERENCE) == set(objectives.OBJECTIVES)
    run_objective_test(name, REFERENCE[name])


def test_the_minimax_gradient_vanishes_and_the_other_does_not():
    def gradient(name, v):
        v = tf.constant([v])
        with tf.GradientTape() as tape:
            tape.watch(v)
            loss = objectives.get(name).generator_loss(v, v)
        return tape.gradient(loss, v).numpy()[0]

    assert gradient("minimax", -10.0) == pytest.approx(-4.5397869e-5, rel=1e-6)
    assert gradient("non_saturating", -10.0) == pytest.approx(-0.9999546021, rel=1e-6)
    assert gradient("minimax", -100.0) == pytest.approx(0, abs=1e-30)
    assert gradient("non_saturating", -100.0) == -1


def test_descent_on_logits_finds_the_optimal_discriminator():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    logits = tf.Variable(np.zeros(3))
    objective = objectives.get("minimax")
    for _ in range(400):
        with tf.GradientTape() as tape:
            # The table's real term weighs by p and its fake term by q.
            real = objective.discriminator_loss(logits, tf.fill((3,), tf.cast(-60.0, "float64")))
            fake = objective.discriminator_loss(tf.fill((3,), tf.cast(60.0, "float64")), logits)
            loss = tf.reduce_sum(p * real + q * fake)
        logits.assign_sub(4.0 * tape.gradient(loss, logits))
    np.testing.assert_allclose(tf.sigmoid(logits), [5 / 7, 1 / 2, 2 / 7], rtol=1e-9)
    assert -loss.numpy() == pytest.approx(-1.2534657324, abs=1e-9)
    # V = 2 JS - log 4, and the estimate is its inverse.
    divergence = np.log(2) - loss.numpy() / 2
    assert divergence == pytest.approx(0.0664143143, abs=1e-9)


@pytest.mark.parametrize("alpha, beta", [(0.9, 0.0), (0.8, 0.1)])
@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_smoothing_moves_the_optimal_discriminator(name, alpha, beta):
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    objective = objectives.get(name, real_target=alpha, fake_target=beta)
    optimal = (alpha * p + beta * q) / (p + q)
    logits = tf.Variable(np.log(optimal / (1 - optimal)))
    zeros = tf.zeros(3, "float64")
    with tf.GradientTape() as tape:
        # Each point's share of the loss; the other term is a constant.
        real = objective.discriminator_loss(logits, zeros)
        fake = objective.discriminator_loss(zeros, logits)
        loss = tf.reduce_sum(p * real + q * fake)
    np.testing.assert_allclose(tape.gradient(loss, logits), 0, atol=1e-15)
    v = np.array([-1.0, 2.0])
    wanted = -alpha * np.log(_sigmoid(v)) - (1 - alpha) * np.log(1 - _sigmoid(v))
    wanted = wanted - beta * np.log(_sigmoid(-v)) - (1 - beta) * np.log(1 - _sigmoid(-v))
    got = objective.discriminator_loss(tf.constant(v), tf.constant(-v))
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    # Smoothing is the discriminator's alone.
    plain = objectives.get(name).generator_loss(tf.constant(v), tf.constant(v))
    np.testing.assert_array_equal(objective.generator_loss(tf.constant(v), tf.constant(v)), plain)


@pytest.mark.parametrize("alpha, beta", [(0.0, 0.0), (1.1, 0.0), (0.5, 0.5), (0.9, -0.1)])
def test_smoothing_needs_probabilities(alpha, beta):
    with pytest.raises(ValueError, match=f"real_target={alpha}, fake_target={beta}"):
        objectives.get("minimax", real_target=alpha, fake_target=beta)


def test_a_loss_that_is_nearly_nothing_is_not_lost():
    # softplus(v) - v would be 0 in float32, and NaN at infinity.
    for name in ("minimax", "non_saturating"):
        loss = objectives.get(name).discriminator_loss
        v = tf.constant([17.0])
        with tf.GradientTape() as tape:
            tape.watch(v)
            value = loss(v, tf.constant([-200.0]))
        assert value.numpy()[0] == pytest.approx(np.exp(-17.0), rel=1e-5)
        assert tape.gradient(value, v).numpy()[0] == pytest.approx(-np.exp(-17.0), rel=1e-5)
        assert loss(tf.constant([np.inf]), tf.constant([-np.inf])).numpy()[0] == 0


def test_limits_at_extreme_logits():
    """The right limit of each gradient where the discriminator has won or lost."""
    limits = {  # d generator_loss / d v_fake at v_fake = -100 and +100, v_real = 0
        "minimax": (0, -1),
        "non_saturating": (-1, 0),
        "least_squares": (-101, 99),
        "hinge": (-1, -1),
        "wasserstein": (-1, -1),
        "relativistic_pairing": (-1, 0),
    }
    for name, wanted in limits.items():
        v = tf.constant([-100.0, 100.0])
        with tf.GradientTape() as tape:
            tape.watch(v)
            loss = objectives.get(name).generator_loss(tf.zeros(2), v)
        np.testing.assert_allclose(tape.gradient(loss, v), wanted, atol=1e-30, err_msg=name)


def test_js_estimate_at_the_optimal_discriminator_is_the_divergence():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    optimal = np.log(p / q)
    real = np.repeat(optimal, [50, 30, 20])  # A sample with exactly p's shares, and one with q's.
    fake = np.repeat(optimal, [20, 30, 50])
    got = objectives.js_estimate(tf.constant(real), tf.constant(fake)).numpy().mean()
    assert got == pytest.approx(0.0664143143, abs=1e-7)
    same = objectives.js_estimate(tf.zeros(4), tf.zeros(4)).numpy()
    np.testing.assert_allclose(same, 0, atol=1e-7)
    apart = objectives.js_estimate(tf.fill((4,), 50.0), tf.fill((4,), -50.0)).numpy()
    np.testing.assert_allclose(apart, np.log(2), rtol=1e-6)


def test_get_takes_names_objects_and_configs():
    objective = objectives.get("minimax")
    assert objectives.get(objective) is objective
    config = keras.saving.serialize_keras_object(objective)
    assert type(objectives.get(config)) is objectives.Minimax
    with pytest.raises(ValueError, match="did you mean 'minimax'.*objective='minmax'"):
        objectives.get("minmax")
    with pytest.raises(ValueError, match="objective=3"):
        objectives.get(3)


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("wgan", "wasserstein"),
        ("LSGAN", "least_squares"),
        ("ns", "non_saturating"),
        ("js", "jensen_shannon"),
        ("gp", "GradientPenalty"),
        ("wgan-gp", "wasserstein.*GradientPenalty"),
        ("adam", r"itself; an optimizer is generator_optimizer=\.\.\."),
        ("RMSprop", r"itself; an optimizer is generator_optimizer=\.\.\."),
    ],
)
def test_other_names_of_an_objective_are_understood(typed, meant):
    with pytest.raises(ValueError, match=f"`objective` is unknown.*{meant}.*objective='{typed}'"):
        objectives.get(typed)


def test_other_names_are_of_what_there_is():
    known = {*objectives.OBJECTIVES, *objectives.divergences.DIVERGENCES}
    assert set(other_names.OBJECTIVES.values()) <= known
    assert not set(other_names.OBJECTIVES) & known
    assert all(hasattr(penalties, name) for name in other_names.PENALTIES.values())


def test_an_objective_prints_as_the_call_that_makes_it():
    assert repr(objectives.Hinge()) == "Hinge()"
    smooth = objectives.Minimax(real_target=0.9)
    assert repr(smooth).startswith("Minimax(") and "real_target=0.9" in repr(smooth)
    assert repr(penalties.R1(weight=5.0)) == "R1(weight=5.0, every=1)"


def test_logits_of_another_rank_are_refused():
    message = r"`fake_logits` are.*shape \(batch,\).*fake_logits of shape \(3, 1\)"
    with pytest.raises(ValueError, match=message):
        objectives.get("minimax").discriminator_loss(tf.zeros(3), tf.zeros((3, 1)))


# === Divergences by name ===

PARAMETERS = {"alpha": {"alpha": 0.3}, "weighted_jensen_shannon": {"pi": 0.3}}


@pytest.mark.parametrize("name", sorted(divergences.DIVERGENCES))
def test_the_name_of_a_divergence_gives_its_bound(name):
    parameters = PARAMETERS.get(name, {})
    for kind in ("replacement", "exact"):
        chosen = {} if kind == "replacement" else {"generator": kind}
        objective = objectives.get(name, **parameters, **chosen)
        assert type(objective) is objectives.FDivergence
        assert (objective.divergence.name, objective.generator) == (name, kind)
        assert objective.divergence.get_config() == parameters
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(objective)))
        assert objectives.get(config).get_config() == objective.get_config()
    assert name not in objectives.OBJECTIVES


LOSSES = {  # name: (parameters, discriminator's loss, generator's loss)
    "kl": ({}, lambda r, f: -r + np.exp(f - 1), lambda r, f: -f),
    "pearson": (
        {"generator": "exact"},
        lambda r, f: -r + (1 + np.maximum(f, -2) / 2) ** 2 - 1,
        lambda r, f: 1 - (1 + np.maximum(f, -2) / 2) ** 2,
    ),
    "jensen_shannon": (
        {},
        lambda r, f: -np.log(2 * _sigmoid(r)) - np.log(2 * (1 - _sigmoid(f))),
        lambda r, f: -np.log(2 * _sigmoid(f)),
    ),
    "alpha": (  # b = .7 softplus(-v), f* = (b^(-3/7) - 1) / .3
        {"alpha": 0.3},
        lambda r, f: (
            np.log1p(np.exp(-r)) - 1 / 0.7 + ((0.7 * np.log1p(np.exp(-f))) ** (-3 / 7) - 1) / 0.3
        ),
        lambda r, f: np.log1p(np.exp(-f)) - 1 / 0.7,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_a_divergence(name):
    parameters, *losses = LOSSES[name]
    objective = objectives.get(name, **parameters)
    for player, wanted in zip(("discriminator", "generator"), losses, strict=True):
        got = getattr(objective, f"{player}_loss")(tf.constant(REAL), tf.constant(FAKE))
        np.testing.assert_allclose(got, wanted(REAL, FAKE), rtol=1e-12)


def _line_gan(objective):
    """x = a z + b against v = w x + c, by plain gradient descent."""
    players = [keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]) for _ in range(2)]
    for player, values in zip(players, ((0.8, 0.3), (-0.4, 0.1)), strict=True):
        for weight, value in zip(player.weights, values, strict=True):
            weight.assign(tf.fill(weight.shape, value))
    gan = trainers.GAN(*players, seed=5)
    sgd = keras.optimizers.SGD
    gan.compile(objective, sgd(0.3), sgd(0.2), run_eagerly=True)
    return gan


@pytest.mark.parametrize("generator", ["replacement", "exact"])
def test_a_gan_trains_by_the_name_of_a_divergence(tmp_path, generator):
    name = "kl" if generator == "replacement" else objectives.get("kl", generator="exact")
    gan = _line_gan(name)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert type(loaded.objective) is objectives.FDivergence
    data = np.random.default_rng(0).normal(1, 1, (3, 12, 1)).astype("float32")
    a, b, w, c = 0.8, 0.3, -0.4, 0.1
    for step, real in enumerate(data):
        for trainer in (gan, loaded):
            trainer.train_on_batch(real)
        z = [
            latents.draw("normal", 12, 1, latents.fold((5, TRAINING), step, turn)).numpy()
            for turn in range(2)
        ]
        fake = a * z[0] + b
        slope = np.exp(w * fake + c - 1)  # d e^(v - 1)
        w, c = w - 0.2 * np.mean(slope * fake - real), c - 0.2 * np.mean(slope - 1)
        v = w * (a * z[1] + b) + c
        slope = -w * (np.ones_like(v) if generator == "replacement" else np.exp(v - 1))
        a, b = a - 0.3 * np.mean(slope * z[1]), b - 0.3 * np.mean(slope)
    got = [float(np.squeeze(v)) for v in state(gan.generator, gan.discriminator)]
    np.testing.assert_allclose(got, [a, b, w, c], rtol=1e-5)
    assert largest_difference(gan.get_weights(), loaded.get_weights()) == 0


def test_the_jensen_shannon_divergence_is_the_original_game():
    """Its losses are those of the game but for a constant, so its steps are the same."""
    results = []
    for name in ("jensen_shannon", "non_saturating"):
        gan = _line_gan(name)
        for real in np.random.default_rng(0).normal(1, 1, (3, 12, 1)).astype("float32"):
            logs = gan.train_on_batch(real, return_dict=True)
        results.append(([*state(gan.generator, gan.discriminator)], logs["js_estimate"]))
    assert largest_difference(results[0][0], results[1][0]) < 1e-6
    assert results[0][1] == pytest.approx(results[1][1], abs=1e-6)


@pytest.mark.parametrize(
    "objective, parameters, message",
    [
        ("kl", {"alpha": 2}, r"`parameters` are not those of 'kl'.*parameters={'alpha': 2}"),
        ("alpha", {}, r"Expected \['alpha'\]"),
        ("alpha", {"alpha": 1}, "'kl', the limit at 1"),
        ("kl", {"generator": "exat"}, "did you mean 'exact'.*generator='exat'"),
        ("hinge", {"margin": 2}, r"`parameters` are not those of 'hinge'.*\[\].*{'margin': 2}"),
        (
            "minimax",
            {"generator": "exact"},
            r"\['fake_target', 'real_target'\].*{'generator': 'exact'}",
        ),
        ("jensen_shanon", {}, "Expected one of .*'kl'.*did you mean 'jensen_shannon'"),
        (objectives.Hinge(), {"generator": "exact"}, "by itself.*{'generator': 'exact'}"),
    ],
)
def test_parameters_that_are_not_the_objectives(objective, parameters, message):
    with pytest.raises(ValueError, match=message):
        objectives.get(objective, **parameters)
