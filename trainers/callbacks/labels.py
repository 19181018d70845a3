"""Labels of the samples that callbacks draw from a conditional generator."""

import math

import numpy as np


def class_grid(count, num_classes):
    """Labels and columns of a grid in which a column is a class and its rows are styles.

    There are as many times `num_classes` columns as comes closest to a square, and never 0 times;
    where that is more than twice as wide as a square, a square, which shows the first classes.

    Args:
        count: int. Number of samples.
        num_classes: int, or `None` for a generator without labels.

    Returns:
        int labels of shape `(count,)` and the number of columns; `(None, None)` without labels.
    """
    if not num_classes:
        return None, None
    side = math.ceil(math.sqrt(count))
    columns = num_classes * max(1, round(side / num_classes))
    if num_classes > 2 * side:
        columns = side
    return np.arange(count) % columns % num_classes, columns


def check_label_count(labels, count):
    """Raises a `ValueError` if labels are neither `count` of them, nor one for all, nor `None`."""
    if np.ndim(labels) and np.shape(labels) != (count,):
        raise ValueError(
            f"`labels` are not one a sample. Expected {count} labels or one integer for all. "
            f"Received: labels of shape {np.shape(labels)}"
        )
