"""Conditional accuracy: real digits under right, wrong and missing labels."""

import numpy as np
import pytest

import evaluation
from zoo import datasets


def test_real_digits():
    images, labels = datasets.arrays("mnist", "test")
    images, labels = images[:2000], labels[:2000]
    measure = evaluation.ConditionalAccuracy(evaluation.extractors.load("mnist"))
    score = measure.evaluate(images, labels)
    assert 0.985 < score.value < 1 and score.higher_is_better
    assert score.standard_error == pytest.approx(np.sqrt(score.value * (1 - score.value) / 2000))
    shares = [score.details[f"class_{k}"] for k in range(10)]
    assert np.average(shares, weights=np.bincount(labels)) == pytest.approx(score.value)
    # Under the next class none is right but by mistake; one class alone is judged alone.
    assert measure.evaluate(images, (labels + 1) % 10).value < 0.01
    ones = images[labels == 1]
    alone = measure.evaluate(ones, np.ones(len(ones), int))
    assert set(alone.details) == {"class_1"} and alone.value == score.details["class_1"]
    with pytest.raises(ValueError, match="protocol"):
        score.better_than(alone)


@pytest.mark.parametrize(
    "labels, message",
    [
        (None, "labels=None"),
        ([3], "`labels` do not match the samples in number"),
        ([0, 10], "out of range"),
    ],
)
def test_labels_that_are_none(labels, message):
    measure = evaluation.ConditionalAccuracy(evaluation.extractors.load("mnist"))
    with pytest.raises(ValueError, match=message):
        measure.evaluate(np.zeros((2, 28, 28, 1), "uint8"), labels)
