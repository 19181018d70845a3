"""Points of toys: drawn as they are needed, reproducible, and train apart from test."""

import numpy as np
import pytest
import tensorflow as tf

from zoo import datasets


def test_toys_are_drawn_as_they_are_needed():
    arguments = {"batch_size": 100, "examples": 250, "repeat": True}
    dataset = datasets.load("ring", **arguments)
    assert dataset.element_spec == tf.TensorSpec((100, 2), "float32")
    points = np.concatenate(list(dataset.take(6)))
    assert len(np.unique(points, axis=0)) == 600
    assert np.abs(np.linalg.norm(points, axis=1) - 2).max() < 0.12
    resumed = datasets.load("ring", start_step=4, **arguments)
    np.testing.assert_array_equal(np.concatenate(list(resumed.take(2))), points[400:])
    batches = list(datasets.load("normal", batch_size=100, examples=250, shuffle=False))
    assert [batch.shape for batch in batches] == [(100, 1), (100, 1), (50, 1)]
    again = datasets.load("normal", batch_size=100, examples=250, shuffle=False)
    np.testing.assert_array_equal(np.concatenate(batches), np.concatenate(list(again)))
    train, labels = datasets.arrays("grid", examples=50)
    assert train.shape == (50, 2) and labels is None
    assert not np.intersect1d(train, datasets.arrays("grid", "test", examples=50)[0]).size
    expected = datasets.DatasetInfo("mixture", (1,), "float32", None, 9)
    assert datasets.info("mixture", examples=9) == expected


def test_points_have_no_pixels_and_an_epoch_has_some():
    with pytest.raises(ValueError, match="`image_size` has no meaning.*'ring'.*image_size=.8, 8"):
        datasets.load("ring", image_size=8)
    with pytest.raises(ValueError, match="`examples` is out of range.*examples=0"):
        datasets.load("ring", examples=0)
