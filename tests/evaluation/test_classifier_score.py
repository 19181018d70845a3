"""The classifier score: closed forms, plain loops, and a metric that adds up over batches."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from evaluation.classifier_score import ClassifierScore, ClassifierScoreMetric, classifier_score


def _probabilities(count=101, classes=5, seed=0):
    logits = np.random.default_rng(seed).normal(0, 2, (count, classes))
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def _reference(rows):
    marginal = rows.mean(0)
    return np.exp(np.mean([sum(p * np.log(p / m)) for p, m in _pairs(rows, marginal)]))


def _pairs(rows, marginal):
    return [(row[row > 0], marginal[row > 0]) for row in rows]


@pytest.mark.parametrize("classes", [1, 2, 10, 1000])
def test_sure_and_even_over_c_classes_is_c(classes):
    rows = np.eye(classes, dtype="float32")
    np.testing.assert_allclose(classifier_score(np.tile(rows, (3, 1))), classes, rtol=1e-12)


def test_closed_forms():
    same = np.tile([[0.5, 0.3, 0.2]], (40, 1))
    np.testing.assert_allclose(ClassifierScore(splits=4).evaluate(same).value, 1.0, rtol=1e-12)
    # One-hot with shares p: exp of the entropy of p.
    rows = np.eye(3)[[0] * 5 + [1] * 3 + [2] * 2]
    p = np.array([0.5, 0.3, 0.2])
    np.testing.assert_allclose(classifier_score(rows), np.exp(-np.sum(p * np.log(p))), rtol=1e-12)
    # Right with probability 1 - e among two: log 2 less the entropy of e.
    e = 0.1
    rows = np.array([[1 - e, e], [e, 1 - e]])
    expected = 2 * np.exp(e * np.log(e) + (1 - e) * np.log(1 - e))
    np.testing.assert_allclose(classifier_score(rows), expected, rtol=1e-12)


def test_agrees_with_a_plain_loop_and_its_entropies():
    rows = _probabilities()
    score = ClassifierScore(splits=1).evaluate(rows)
    np.testing.assert_allclose(score.value, _reference(rows), rtol=1e-12)
    np.testing.assert_allclose(score.details["all"], score.value, rtol=1e-12)
    assert score.standard_error is None
    gain = score.details["marginal_entropy"] - score.details["conditional_entropy"]
    np.testing.assert_allclose(score.value, np.exp(gain), rtol=1e-12)
    assert score.higher_is_better and 1 < score.value < 5


def test_splits_hold_every_sample_once():
    # Sample i alone has class i: a part of s samples scores s, whichever they are.
    rows = np.eye(23)
    score = ClassifierScore(splits=5).evaluate(rows)
    np.testing.assert_allclose(score.value, 23 / 5, rtol=1e-12)  # 5, 5, 5, 4, 4.
    deviation = np.std([5, 5, 5, 4, 4], ddof=1)
    np.testing.assert_allclose(score.details["standard_deviation"], deviation, rtol=1e-9)
    np.testing.assert_allclose(score.standard_error, deviation / np.sqrt(5), rtol=1e-9)
    np.testing.assert_allclose(score.details["all"], 23, rtol=1e-12)


def test_the_order_of_samples_does_not_matter_and_the_seed_does():
    rows = _probabilities()
    sorted_by_class = rows[np.argsort(rows.argmax(1))]
    score = ClassifierScore().evaluate(rows)
    again = ClassifierScore().evaluate(sorted_by_class)
    np.testing.assert_allclose(again.value, score.value, rtol=1e-12)
    np.testing.assert_allclose(again.standard_error, score.standard_error, rtol=1e-9)
    assert ClassifierScore(seed=1).evaluate(rows).value != score.value


class Grey:
    """Two classes: dark and light."""

    image_shape = (1, 1, 1)
    protocol = {"name": "grey", "layer": "none", "hash": "0"}

    def probabilities(self, images):
        light = images.reshape(len(images), 1) / 255.0
        return np.concatenate([1 - light, light], 1).astype("float32")


def test_probabilities_come_from_an_extractor():
    images = np.repeat(np.uint8([0, 255]), 600).reshape(-1, 1, 1, 1)
    score = ClassifierScore(Grey(), splits=1).evaluate(images)
    np.testing.assert_allclose(score.value, 2.0, rtol=1e-12)
    assert score.protocol["extractor"] == Grey.protocol and score.protocol["classes"] == 2


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda p: ClassifierScore(splits=0), "splits=0"),
        (lambda p: ClassifierScore().evaluate(p[:19]), "at least 20.*samples of shape"),
        (lambda p: ClassifierScore().evaluate(np.log(p)), "softmax of logits"),
        (lambda p: ClassifierScore().evaluate(p * np.nan), "no NaN"),
        (lambda p: classifier_score(p[0]), r"\(n, d\).*probabilities of shape \(5,\)"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call(_probabilities())


@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_the_metric_adds_up_over_uneven_batches(jit_compile):
    rows = _probabilities()
    rows[:3] = np.eye(5)[:3]  # Zeros, whose logarithms do not count.
    metric = ClassifierScoreMetric(5)
    update = metric.update_state
    if jit_compile is not None:
        update = tf.function(update, jit_compile=jit_compile, reduce_retracing=False)
    assert float(metric.result()) == 1
    for part in (rows[:50], rows[50:100], rows[100:]):
        update(tf.constant(part))
    np.testing.assert_allclose(float(metric.result()), _reference(rows), rtol=1e-12)
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    again.update_state(rows[::-1])
    np.testing.assert_allclose(float(again.result()), _reference(rows), rtol=1e-12)
    metric.reset_state()
    assert float(metric.result()) == 1
    with pytest.raises(ValueError, match=r"\(n, 5\).*\(3, 4\)"):
        metric.update_state(np.ones((3, 4)))
