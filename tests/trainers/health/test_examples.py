"""Real samples for the monitor, in the forms that `fit` takes."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from trainers.health import examples
from zoo.players import traits

X = np.arange(40, dtype="float32").reshape(20, 2)


def plain():
    return traits(zoo.MLPGenerator((2,), 3, (4,), output_activation="linear"))


def told():
    return traits(zoo.MLPGenerator((2,), 3, (4,), output_activation="linear", num_classes=4))


def test_arrays_and_batches_are_the_same_samples():
    dataset = tf.data.Dataset.from_tensor_slices(X).batch(6)
    for data in (X, dataset, [X[:9], X[9:]]):
        samples, labels = examples.gathered(plain(), data, "real")
        np.testing.assert_array_equal(samples, X)
        assert labels is None


def test_labels_come_along():
    y = np.arange(20) % 4
    dataset = tf.data.Dataset.from_tensor_slices((X, y)).batch(6)
    for data in ((X, y), dataset):
        samples, labels = examples.gathered(told(), data, "real")
        np.testing.assert_array_equal(samples, X)
        np.testing.assert_array_equal(labels, y)


def test_rows_of_a_large_array_are_taken_evenly(monkeypatch):
    monkeypatch.setattr(examples, "ENOUGH", 5)
    samples, _ = examples.gathered(plain(), X, "real")
    np.testing.assert_array_equal(samples, X[[0, 4, 9, 14, 19]])


def test_too_few_and_no_data_are_refused():
    with pytest.raises(ValueError, match="`held_out` has too few samples .*of 1 samples"):
        examples.gathered(plain(), X[:1], "held_out")
    with pytest.raises(ValueError, match="`x` is a function"):
        examples.gathered(plain(), lambda: X, "real")
    with pytest.raises(ValueError, match="Expected .*2"):
        examples.gathered(plain(), np.zeros((20, 3), "float32"), "real")
