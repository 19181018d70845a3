"""Constraints: parameters between bounds, as coordinates that an optimizer may move freely.

`low + exp(w)` above one, `high - exp(w)` below one, `low + (high - low) sigmoid(w)` between two.
"""

import math

import numpy as np
import tensorflow as tf

from zoo.validation import as_tuple, check_number, in_short


def coordinates(parameters, bounds):
    """Each parameter's free coordinate and its ends, in a dict: `(w, low, high)`.

    Args:
        parameters: dict of str to float.
        bounds: dict of str to `(low, high)`; `None` for an end that is open.

    Raises:
        ValueError: If there is no parameter, a name is none, or a value is not between its bounds.
    """
    named = isinstance(parameters, dict) and all(
        isinstance(name, str) and name.isidentifier() for name in parameters
    )
    if not named or not parameters:
        raise ValueError(
            "`parameters` name nothing to tune. Expected a dict of at least one name to the number "
            f"it starts from. Received: parameters={in_short(parameters)}"
        )
    if not isinstance(bounds, dict):
        raise ValueError(
            "`bounds` are no dict. Expected a dict of names of parameters to (low, high). "
            f"Received: bounds={in_short(bounds)}"
        )
    for name, pair in bounds.items():
        ends = as_tuple(bounds=pair)
        for end in ends:
            check_number(bounds=0 if end is None else end)
        if len(ends) != 2:
            raise ValueError(
                "`bounds` are no two ends. Expected (low, high), `None` for an open one. "
                f"Received: bounds[{name!r}]={in_short(pair)}"
            )
    unknown = set(bounds) - set(parameters)
    if unknown:
        raise ValueError(
            "`bounds` name a parameter that does not exist. Expected some of "
            f"{sorted(parameters)}. Received: bounds for {sorted(unknown)}"
        )
    coordinates = {}
    for name, value in parameters.items():
        low, high = bounds.get(name, (None, None))
        inside = (
            isinstance(value, (int, float, np.number))
            and math.isfinite(value)
            and (low is None or low < value)
            and (high is None or value < high)
        )
        if not inside:
            raise ValueError(
                "`parameters` start outside of their bounds. Expected a finite number in "
                f"({'-inf' if low is None else low}, {'inf' if high is None else high}). "
                f"Received: parameters[{name!r}]={value!r}"
            )
        coordinates[name] = free(float(value), low, high), low, high
    return coordinates


def free(value, low, high):
    """The coordinate w of a value strictly between its ends: the inverse of `bounded`."""
    if low is None and high is None:
        return value
    if high is None:
        return math.log(value - low)
    if low is None:
        return math.log(high - value)
    return math.log(value - low) - math.log(high - value)


def bounded(w, low, high):
    """The parameter at the coordinate w: a float32 tensor of any shape."""
    if low is None and high is None:
        return w
    if high is None:
        return low + tf.exp(w)
    if low is None:
        return high - tf.exp(w)
    return low + (high - low) * tf.sigmoid(w)
