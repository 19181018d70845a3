"""Pixels 0 ... 255, the unit interval, and the range of a generator's output activation."""

import tensorflow as tf


def to_unit(images, value_range):
    """Maps samples from `value_range` to [0, 1], as float32, and clips them there."""
    low, high = value_range
    return tf.clip_by_value((tf.cast(images, "float32") - low) / (high - low), 0.0, 1.0)


def to_pixels(unit):
    """Maps [0, 1] to uint8: `round(255 x)`."""
    return tf.cast(tf.round(unit * 255.0), "uint8")


def from_pixels(images, value_range):
    """Maps integer images 0 ... 255 to float32 in `value_range`."""
    low, high = value_range
    return tf.cast(images, "float32") * ((high - low) / 255.0) + low
