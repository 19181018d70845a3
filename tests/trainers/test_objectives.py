"""Objectives against NumPy in float64, their limits at extreme logits, and the golden values."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainers import objectives

REAL = np.array([-3.0, 0.0, 0.7, 2.0, 9.0])
FAKE = np.array([4.0, -1.0, 0.7, -6.0, 0.1])


def _sigmoid(v):
    return 1 / (1 + np.exp(-v))


REFERENCE = {  # Straight from the probabilities, as the paper writes them.
    "minimax": (
        lambda r, f: -np.log(_sigmoid(r)) - np.log(1 - _sigmoid(f)),
        lambda r, f: np.log(1 - _sigmoid(f)),
    ),
    "non_saturating": (
        lambda r, f: -np.log(_sigmoid(r)) - np.log(1 - _sigmoid(f)),
        lambda r, f: -np.log(_sigmoid(f)),
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
            step = np.eye(2)[k] * h
            high = wanted(REAL + step[0], FAKE + step[1])
            low = wanted(REAL - step[0], FAKE - step[1])
            np.testing.assert_allclose(gradient, (high - low) / (2 * h), atol=1e-8)
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


def test_logits_of_another_rank_are_refused():
    with pytest.raises(ValueError, match=r"shape \(batch,\).*fake_logits of shape \(3, 1\)"):
        objectives.get("minimax").discriminator_loss(tf.zeros(3), tf.zeros((3, 1)))
