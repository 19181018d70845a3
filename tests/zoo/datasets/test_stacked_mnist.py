"""Stacked MNIST: what a stack shows, its label, its order, and how the 1,000 modes are spread."""

import numpy as np
import pytest
from scipy import stats

from zoo import datasets


def _first(dataset, count=2):
    return [tuple(part.numpy() for part in batch) for batch in dataset.take(count)]


def test_a_stack_is_three_digits_and_their_number():
    images, labels = datasets.arrays("stacked_mnist", "test", examples=40)
    assert images.shape == (40, 28, 28, 3) and images.dtype == np.uint8
    digits, classes = datasets.arrays("mnist", "test")
    known = {image.tobytes(): label for image, label in zip(digits[..., 0], classes, strict=True)}
    shown = [[known[stack[..., c].tobytes()] for c in range(3)] for stack in images]
    np.testing.assert_array_equal(labels, [100 * a + 10 * b + c for a, b, c in shown])


def test_batches_are_a_function_of_the_seed_and_the_step():
    arguments = {"examples": 20, "batch_size": 8, "repeat": True}
    first = _first(datasets.load("stacked_mnist", seed=3, **arguments), 4)
    again = _first(datasets.load("stacked_mnist", seed=3, start_step=2, **arguments), 2)
    other = _first(datasets.load("stacked_mnist", seed=4, **arguments), 1)
    for got, expected in zip(again, first[2:], strict=True):
        np.testing.assert_array_equal(got[0], expected[0])
        np.testing.assert_array_equal(got[1], expected[1])
    assert not np.array_equal(first[0][0], other[0][0])
    assert not np.array_equal(first[0][0], first[1][0])
    assert not np.array_equal(first[0][0], first[2][0])  # Another epoch.
    test = _first(datasets.load("stacked_mnist", "test", seed=3, **arguments), 1)
    assert not np.array_equal(first[0][0], test[0][0])
    images = next(iter(datasets.load("stacked_mnist", labels=False, **arguments)))
    assert images.shape == (8, 28, 28, 3)


def test_the_digits_are_independent():
    _, labels = datasets.arrays("stacked_mnist", examples=20_000)
    shares = np.bincount(datasets.arrays("mnist")[1], minlength=10) / 60_000
    expected = 20_000 * np.einsum("a,b,c->abc", shares, shares, shares).ravel()
    counts = np.bincount(labels, minlength=1000)
    assert stats.chisquare(counts, expected).pvalue > 0.01


def test_info_and_errors():
    info = datasets.info("stacked_mnist", examples=50)
    assert (info.sample_shape, info.num_classes, info.count) == ((28, 28, 3), 1000, 50)
    assert datasets.info("stacked_mnist", image_size=16).sample_shape == (16, 16, 3)
    with pytest.raises(ValueError, match="examples=0"):
        datasets.load("stacked_mnist", examples=0)
    with pytest.raises(ValueError, match="`split` is unknown.*split='valid'"):
        datasets.load("stacked_mnist", "valid")
