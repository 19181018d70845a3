"""Pixels 0 ... 255, the unit interval, and the range of a generator's output activation."""

import math

import tensorflow as tf

from zoo.validation import as_array, as_tuple, in_short


def check_range(value_range, hint=""):
    """The value range of pictures as two floats.

    Raises:
        ValueError: If it is no range. `hint` says what else would do.
    """
    try:
        low, high = (float(end) for end in as_tuple(value_range=value_range))
    except (TypeError, ValueError):
        low = high = math.nan
    if not (low < high and math.isfinite(high - low)):
        raise ValueError(
            f"`value_range` is no range. Expected (low, high), such as (-1, 1), of pictures{hint}. "
            f"Received: value_range={in_short(value_range)}"
        )
    return low, high


def to_unit(images, value_range):
    """Maps samples from `value_range` to [0, 1], as float32, and clips them there."""
    low, high = check_range(value_range)
    images = _numbers(images=images)
    return tf.clip_by_value((tf.cast(images, "float32") - low) / (high - low), 0.0, 1.0)


def to_pixels(unit):
    """Maps [0, 1] to uint8: `round(255 x)`."""
    if not tf.is_tensor(unit):
        unit = as_array("iuf", unit=unit)
        if not ((unit >= 0) & (unit <= 1)).all():
            raise ValueError(
                "`unit` has numbers outside of the unit interval. Expected floats in [0, 1]. "
                f"Received: unit from {unit.min()} to {unit.max()}"
            )
    return tf.cast(tf.round(tf.cast(_numbers(unit=unit), "float32") * 255.0), "uint8")


def from_pixels(images, value_range):
    """Maps integer images 0 ... 255 to float32 in `value_range`."""
    low, high = check_range(value_range)
    images = _numbers(images=images)
    return tf.cast(images, "float32") * ((high - low) / 255.0) + low


def _numbers(**argument):
    """The one argument as a tensor or an array of numbers."""
    ((name, value),) = argument.items()
    if not (tf.is_tensor(value) and (value.dtype.is_floating or value.dtype.is_integer)):
        return as_array("iufbV", **argument)  # V: bfloat16.
    return value
