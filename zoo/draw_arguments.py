"""The arguments of draws: shapes, pairs of seeds and counts, as numbers or as tensors."""

import math

import numpy as np
import tensorflow as tf

from zoo.validation import (
    INTEGERS,
    as_array,
    as_tuple,
    check_integer,
    check_memory,
    in_short,
)

MOST = 2**31 - 128  # Numbers of one draw, which are counted in 32 bits and padded.
BYTES = 16  # A number takes on its way from the integers.


def checked_shape(shape):
    """A shape as a tuple of integers, or tensors of them, or as a tensor.

    Raises:
        ValueError: If it is none, or too large.
    """
    if tf.is_tensor(shape) and shape.shape.rank in (1, None) and shape.dtype.is_integer:
        return shape
    checked = (shape,) if tf.is_tensor(shape) else as_tuple(shape=shape)
    sizes = [size for size in checked if not (tf.is_tensor(size) and _is_size(size))]
    check_integer(0, shape=0 if not sizes else min(sizes, key=_whole))
    check_memory(math.prod(map(int, sizes)), BYTES, shape=shape)
    if math.prod(map(int, sizes)) > MOST:
        raise ValueError(
            f"`shape` is too large for one draw. Expected at most {MOST:,} numbers. "
            f"Received: shape={in_short(shape)}"
        )
    return checked


def _is_size(tensor):
    return tensor.shape.rank in (0, None) and tensor.dtype.is_integer


def _whole(size):
    """What sorts a size that is no integer of at least 0 before all others."""
    whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
    return size if whole else -math.inf


def check_pair(seed):
    """Raises a `ValueError` unless it is two integers of 64 bits, or several pairs of them."""
    if isinstance(seed, (tf.Tensor, tf.Variable)):
        shape, whole = seed.shape, seed.dtype.is_integer
    elif isinstance(seed, (tuple, list)) and any(tf.is_tensor(number) for number in seed):
        shape, whole = (len(seed),), True
    else:
        array = as_array("iu", seed=seed)
        shape, whole = array.shape, bool(np.all((array >= -INTEGERS) & (array < INTEGERS)))
    if not whole or len(shape) not in (1, 2) or shape[-1] != 2 or shape[0] == 0:
        raise ValueError(
            "`seed` is not two integers. Expected two integers of 64 bits, or several pairs of "
            f"them. Received: seed={in_short(seed)}"
        )


def check_count(count, width):
    """Raises a `ValueError` unless so many rows can be drawn; a tensor says it later."""
    if not tf.is_tensor(count):
        check_integer(0, count=count)
        check_memory(int(count) * int(width), BYTES, count=count)
    elif count.shape.rank not in (0, None) or not count.dtype.is_integer:
        raise ValueError(
            "`count` is not one integer. Expected an int, or a scalar tensor of integers. "
            f"Received: count of shape {count.shape} and dtype {count.dtype.name}"
        )
