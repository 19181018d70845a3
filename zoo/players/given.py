"""What is given to learn, and is no data: refused or warned of by whatever learns it."""

import warnings

import keras

from zoo.validation import users_level

ENOUGH = 1000  # Numbers, by which a range is told from chance.


def refuse_makers(x):
    """Raises a `ValueError` for a function or a class that makes data, in the place of the data."""
    if isinstance(x, type) or callable(x) and not hasattr(x, "__iter__"):
        name = getattr(x, "__name__", type(x).__name__)
        raise ValueError(
            f"`x` is a {'class' if isinstance(x, type) else 'function'}, and not the data that it "
            f"makes. Expected what it returns: {name}(...), with steps_per_epoch if that has no "
            "end or can be read but once; tf.data.Dataset.from_generator calls it anew for every "
            f"epoch. Received: x={name}"
        )


def check_pixels(low, high):
    """Raises a `ValueError` if integers from `low` to `high` are no pixels."""
    if low < 0 or high > 255:
        raise ValueError(
            "`x` holds integers that are no pixels. Expected values from 0 to 255. "
            f"Received: values from {low} to {high}"
        )


def warn_of_masks(low, high, value_range):
    """Warns of integers that are 0 or 1 alone, beside a generator of this value range."""
    if low == 0 and high == 1:
        warnings.warn(
            "`x` holds integers that are 0 or 1 alone, and integers are pixels, of which 255 "
            "is white: such pictures are black all over. Prefer 255 * x for masks, or floats "
            f"from {value_range[0]:g} to {value_range[1]:g}.",
            stacklevel=users_level(),
        )


def refuse_pixels(discriminator, inputs):
    """Raises a `ValueError` for integer pictures where a discriminator was wired for floats.

    A trainer scales pixels to the range of its generator. Who calls a discriminator has to.
    """
    own = discriminator.input
    if isinstance(own, dict) and isinstance(inputs, dict):
        own, inputs = own.get("images"), inputs.get("images")
    given, shape = getattr(inputs, "dtype", None), getattr(own, "shape", ())
    if given is None or len(shape) < 4 or not keras.backend.is_float_dtype(own.dtype):
        return
    dtype = keras.backend.standardize_dtype(given)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            "`inputs` holds integers, and a discriminator takes pictures in the range of its "
            "generator. Expected floats: pixels / 127.5 - 1 beside a generator of value_range="
            f"(-1, 1), pixels / 255 beside one of (0, 1). Received: inputs of dtype {dtype}"
        )
