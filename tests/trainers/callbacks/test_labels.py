"""Labels of the samples that callbacks draw."""

import pytest

from trainers.callbacks.labels import class_grid


@pytest.mark.parametrize(
    "count, num_classes, columns",
    [(64, 10, 10), (100, 10, 10), (64, 2, 8), (64, 3, 9), (64, 1, 8), (64, 100, 8), (1, 10, 1)],
)
def test_columns_are_classes(count, num_classes, columns):
    labels, got = class_grid(count, num_classes)
    assert got == columns
    for i in range(count):  # A column is a class, and no label is out of range.
        assert labels[i] == labels[i % columns] < num_classes
