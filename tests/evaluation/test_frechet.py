"""The Fréchet distance: closed forms, the root of the product, and a metric for any batches."""

import keras
import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from evaluation.frechet import FrechetDistance, FrechetMetric, distance
from evaluation.moments import Moments


def _reference(mean, covariance, other_mean, other_covariance):
    """The formula with SciPy's root of the product."""
    root = scipy.linalg.sqrtm(covariance @ other_covariance)
    trace = np.trace(covariance + other_covariance - 2.0 * root.real)
    return np.sum((mean - other_mean) ** 2) + trace


def _spd(rng, size, rank=None):
    x = rng.normal(size=(rank or 2 * size, size))
    return x.T @ x / len(x)


def _close(a, b, tolerance=1e-9):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("size", [1, 2, 7, 40])
def test_agrees_with_the_root_of_the_product(size):
    rng = np.random.default_rng(size)
    for _ in range(5):
        a = rng.normal(size=size), _spd(rng, size)
        b = rng.normal(size=size), 3.0 * _spd(rng, size)
        _close(distance(*a, *b), _reference(*a, *b))
        _close(distance(*a, *b), distance(*b, *a))


def test_closed_forms():
    rng = np.random.default_rng(1)
    m1, m2 = rng.normal(size=(2, 5))
    s1, s2 = rng.uniform(0.1, 2.0, (2, 5))
    _close(
        distance(m1, np.diag(s1**2), m2, np.diag(s2**2)), np.sum((m1 - m2) ** 2 + (s1 - s2) ** 2)
    )
    c = _spd(rng, 5)
    _close(distance(m1, c, m2, c), np.sum((m1 - m2) ** 2))
    _close(distance(m1, c, m1, 4.0 * c), np.trace(c))  # (2 - 1)^2 tr C.
    _close(distance([1.0], [[4.0]], [-2.0], [[0.25]]), 9.0 + 1.5**2)
    nothing = np.zeros((5, 5))
    _close(distance(m1, nothing, m2, nothing), np.sum((m1 - m2) ** 2))
    _close(distance(m1, nothing, m1, c), np.trace(c))  # From a point, all the spread is to be made.


def test_rotations_and_scales():
    rng = np.random.default_rng(2)
    a, b = (rng.normal(size=6), _spd(rng, 6)), (rng.normal(size=6), _spd(rng, 6))
    q = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    rotated = [(q @ m, q @ c @ q.T) for m, c in (a, b)]
    scaled = [(10 * m, 100 * c) for m, c in (a, b)]
    _close(distance(*rotated[0], *rotated[1]), distance(*a, *b))
    _close(distance(*scaled[0], *scaled[1]), 100 * distance(*a, *b))


def test_singular_covariances():
    rng = np.random.default_rng(3)
    zero = np.zeros(30)
    c = _spd(rng, 30, rank=6)
    assert distance(zero, c, zero, c) < 1e-9
    _close(distance(zero, c, zero, 4 * c), np.trace(c))
    # Two subspaces that meet in 0 have no root of the product: the spreads add up.
    basis = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    a, b = basis[:, :4] @ basis[:, :4].T, 2.0 * basis[:, 4:9] @ basis[:, 4:9].T
    _close(distance(zero, a, zero, b), 4.0 + 10.0)
    # A singular and a full one: tr (P C P)^(1/2) is the root within the subspace.
    full, inner = _spd(rng, 30), basis[:, :4].T
    root = scipy.linalg.sqrtm(inner @ full @ inner.T)
    _close(distance(zero, a, zero, full), 4.0 + np.trace(full) - 2 * np.trace(root))


def test_small_differences_are_not_lost_in_rounding():
    rng = np.random.default_rng(4)
    scales = np.logspace(0, -6, 50)
    c = np.linalg.qr(rng.normal(size=(50, 50)))[0] * scales @ np.eye(50)
    c = c @ c.T
    zero = np.zeros(50)
    assert distance(zero, c, zero, c) < 1e-12
    _close(distance(zero, c, zero, 1.0001**2 * c) / (1e-8 * np.trace(c)), 1.0, 1e-5)


def test_measure_of_samples():
    rng = np.random.default_rng(6)
    real, fake = rng.normal(size=(700, 8)), rng.normal(0.3, 1.2, (1203, 8)).astype("float32")
    wide = fake.astype("float64")
    expected = _reference(real.mean(0), np.cov(real.T), wide.mean(0), np.cov(wide.T))
    measure = FrechetDistance(real)
    score = measure.evaluate(fake)
    _close(score.value, expected)
    _close(score.details["mean_term"] + score.details["covariance_term"], score.value)
    bias = np.trace(np.cov(wide.T)) / 1203 + np.trace(np.cov(real.T)) / 700
    _close(score.details["least_bias"], bias)
    assert not score.higher_is_better and score.notes == ()
    assert (score.protocol["samples"], score.protocol["reference_count"]) == (1203, 700)
    _close(measure.evaluate(fake[rng.permutation(1203)]).value, score.value)
    statistics = Moments().update(real).statistics
    _close(FrechetDistance(statistics=statistics).evaluate(fake).value, score.value)
    assert measure.evaluate(real).value < 1e-9
    assert measure.evaluate(real[::-1]).value < 1e-9
    assert score.better_than(measure.evaluate(fake + 1))


def test_the_least_bias_bounds_the_mean_over_draws():
    rng = np.random.default_rng(7)
    truth = FrechetDistance(statistics=(np.zeros(6), np.eye(6), 10**9))
    scores = [truth.evaluate(rng.normal(size=(20, 6))) for _ in range(200)]
    terms = [score.details["mean_term"] for score in scores]
    error = np.std(terms) / np.sqrt(200)
    assert abs(np.mean(terms) - 6 / 20) < 4 * error
    assert np.mean([score.value for score in scores]) > 6 / 20 + 4 * error


def test_fewer_samples_than_features_come_with_a_note():
    rng = np.random.default_rng(8)
    score = FrechetDistance(rng.normal(size=(50, 10))).evaluate(rng.normal(size=(10, 10)))
    assert len(score.notes) == 1
    assert "10 samples for 10 features" in score.notes[0] and "at the least" in score.notes[0]
    same = rng.normal(size=(5, 10))
    assert FrechetDistance(same).evaluate(same).value < 1e-9


class Doubled:
    """Features of 2x2 images: their pixels, doubled."""

    image_shape = (2, 2, 1)
    protocol = {"name": "doubled", "layer": "pixels", "hash": "0"}

    def features(self, images):
        return 2 * np.reshape(images, (len(images), 4)).astype("float32")


def test_features_come_from_an_extractor():
    rng = np.random.default_rng(9)
    real, fake = rng.uniform(size=(2, 1100, 2, 2, 1)).astype("float32")
    measure = FrechetDistance(real, Doubled())
    plain = FrechetDistance(real.reshape(-1, 4)).evaluate(fake.reshape(-1, 4))
    score = measure.evaluate(fake)
    _close(score.value, 4 * plain.value)
    assert score.protocol["extractor"] == Doubled.protocol
    with pytest.raises(ValueError, match="made differently"):
        score.better_than(plain)
    metric = FrechetMetric(Moments().update(Doubled().features(real)).statistics, Doubled())
    step = tf.function(metric.update_state)
    for part in (fake[:500], fake[500:501], fake[501:]):
        step(part)
    _close(float(metric.result()), score.value)
    with pytest.raises(NotImplementedError, match="`extractor` is not written"):
        metric.get_config()


@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_metric_in_eager_mode_graph_and_xla(jit_compile):
    rng = np.random.default_rng(10)
    real = rng.normal(5.0, 2.0, (300, 6))
    fake = (rng.normal(size=(103, 6)) @ rng.normal(size=(6, 6))).astype("float32")
    metric = FrechetMetric(Moments().update(real).statistics)
    update = metric.update_state
    if jit_compile is not None:
        update = tf.function(update, jit_compile=jit_compile)
    assert np.isinf(float(metric.result()))
    for _ in range(2):
        metric.reset_state()
        for part in np.split(fake, [50, 100]):
            update(tf.constant(part))
        _close(float(metric.result()), FrechetDistance(real).evaluate(fake).value)
    loss = tf.function(metric.result)()
    _close(float(loss), float(metric.result()))


def test_metric_in_fit_and_its_config():
    rng = np.random.default_rng(11)
    real, fake = rng.normal(size=(2, 64, 3)).astype("float32")
    statistics = Moments().update(real).statistics
    metric = FrechetMetric(statistics, name="frechet")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    again.update_state(fake)
    expected = FrechetDistance(statistics=statistics).evaluate(fake).value
    _close(float(again.result()), expected)
    assert again.name == "frechet" and set(again.get_config()) == set(metric.get_config())

    class Model(keras.Model):
        def test_step(self, data):
            metric.update_state(data)
            return {"frechet": metric.result()}

        @property
        def metrics(self):
            return [metric]

    model = Model()
    model.compile(optimizer=None)
    for _ in range(2):  # Reset in between; 64 is no multiple of 24.
        logs = model.evaluate(fake, batch_size=24, verbose=0, return_dict=True)
        _close(float(logs["frechet"]), expected, 1e-6)


def test_metric_holds_its_digits_far_from_the_reference():
    rng = np.random.default_rng(12)
    real, fake = rng.normal(size=(2, 200, 4))
    fake = fake + 1e4
    metric = FrechetMetric(Moments().update(real).statistics)
    metric.update_state(fake)
    _close(float(metric.result()) / FrechetDistance(real).evaluate(fake).value, 1.0, 1e-12)


ROWS = np.random.default_rng(13).normal(size=(20, 3))
STATISTICS = (np.zeros(3), np.eye(3), 20)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: FrechetDistance(), "either images_or_features or statistics.*neither"),
        (lambda: FrechetDistance(ROWS, statistics=STATISTICS), "Received: both"),
        (lambda: FrechetDistance(ROWS[:1]), "at least 2.*reference of shape"),
        (lambda: FrechetDistance(ROWS).evaluate(ROWS[:1]), r"at least 2.*samples of shape \(1, 3"),
        (lambda: FrechetDistance(ROWS).evaluate(ROWS[:, :2]), "3 features.*2 features"),
        (lambda: FrechetDistance(ROWS).evaluate(ROWS * np.nan), "no NaN"),
        (
            lambda: FrechetDistance(statistics=ROWS),
            "`statistics` do not have three entries.*type ndarray",
        ),
        (lambda: FrechetDistance(statistics=3), "mean, covariance, count.*type int"),
        (lambda: FrechetDistance(statistics=(*STATISTICS[:2], 1)), "at least 2.*count=1"),
        (lambda: FrechetDistance(statistics=(np.zeros(2), np.eye(3), 9)), "do not fit"),
        (lambda: FrechetDistance(statistics=(np.zeros(3), -np.eye(3), 9)), "eigenvalue -1"),
        (lambda: distance(np.zeros(2), [[1, 2], [0, 5]], np.zeros(2), np.eye(2)), "asymmetry 2"),
        (lambda: distance(np.zeros(2), np.eye(2), np.zeros(3), np.eye(3)), "different features"),
        (lambda: FrechetMetric(STATISTICS).update_state(ROWS[:, :2]), r"\(n, 3\).*\(20, 2\)"),
        (lambda: FrechetMetric(STATISTICS).update_state(ROWS * np.nan), "no NaN"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
