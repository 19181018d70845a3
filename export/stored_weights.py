"""How an exported model holds its weights: as they are, as float16, or as int8 with scales.

In int8 a weight w of two axes or more becomes `q = round(w / s)`, one scale `s = max |w| / 127` for
each place along its last axis, and `q s` is what is computed with; others stay float32. That is a
quarter of the size, and another picture: at edges the samples are steep functions of the weights.
"""

import numpy as np

from zoo.validation import check_choice

WEIGHTS = ("float32", "float16", "int8")
LEVELS = 127
FEW = 256  # Numbers that are not worth a cast.


def check(weights, served):
    """Raises a `ValueError` if weights cannot be stored like this."""
    check_choice(WEIGHTS, weights=weights)
    if weights == "float16":
        lost = [v.path for v in served.variables if not np.isfinite(half(np.asarray(v))).all()]
        if lost:
            raise ValueError(
                "`weights` cannot be 'float16': some are larger than the largest of its numbers, "
                f"65504. Expected weights='float32'. Received: weights={weights!r} with {lost[0]!r}"
            )


def half(value):
    """A value of float32 as float16, beyond its largest number infinite; others as they are."""
    if value.dtype != np.float32:
        return value
    with np.errstate(over="ignore"):
        return value.astype("float16")


def int8(value):
    """A weight as int8, and its scales in float32, of the same rank.

    Args:
        value: float32 array of two axes or more.
    """
    largest = np.abs(value).max(axis=tuple(range(value.ndim - 1)), keepdims=True)
    scale = np.where(largest > 0, largest / LEVELS, 1.0).astype("float32")
    return np.round(value / scale).astype("int8"), scale


def parts(value, weights):
    """What is stored of a weight: an array, and what it is multiplied by, or `None`."""
    if weights == "float16":
        return half(value), None
    if weights == "int8" and value.dtype == np.float32 and value.ndim >= 2 and value.size >= FEW:
        return int8(value)
    return value, None


def inexact(served):
    """How many weights are not the same in float16, and how many there are."""
    weights = [np.asarray(v) for v in served.variables if v.dtype == "float32"]
    changed = sum(int((w.astype("float16").astype("float32") != w).sum()) for w in weights)
    return changed, sum(w.size for w in weights)
