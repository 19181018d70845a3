"""What Keras finds by a name: dtype policies, activations and initializers."""

import random

import keras
import numpy as np

from zoo.validation import in_short


def policy(dtype):
    """The dtype policy that the layers of a player share: the given one, or Keras's own.

    Raises:
        ValueError: If it is none.
    """
    if dtype is None:
        dtype = keras.config.dtype_policy()
    return _found(
        keras.dtype_policies.get, "a dtype policy of Keras, such as 'mixed_bfloat16'", dtype=dtype
    )


def check_activation(activation):
    """Raises a `ValueError` unless Keras has such an activation, or it is a function of arrays."""
    expected = "an activation of Keras, such as 'relu', or a function of tensors"
    function = _found(keras.activations.get, expected, activation=activation)
    if not (isinstance(activation, str) or activation is None):
        probe = keras.ops.zeros((2, 3))
        made = _found(lambda f: np.shape(f(probe)), expected, function, activation=activation)
        if tuple(made) != (2, 3):
            raise _unknown("activation", activation, f"{expected}, of their shape")


def initializer(kernel_initializer):
    """The initializer of this name or config, or the object itself.

    Raises:
        ValueError: If it is none.
    """
    expected = "an initializer of Keras, such as 'glorot_uniform', or a function of a shape"
    found = _found(keras.initializers.get, expected, kernel_initializer=kernel_initializer)
    if not callable(found):
        raise _unknown("kernel_initializer", kernel_initializer, expected)
    if not isinstance(found, keras.initializers.Initializer):
        _found(
            lambda f: f((1, 1), dtype="float32"),
            expected,
            found,
            kernel_initializer=kernel_initializer,
        )
    return found


def check_initializer(kernel_initializer):
    """Raises a `ValueError` unless it is one; Keras's next seed stays what it was."""
    state = random.getstate()
    initializer(kernel_initializer)
    random.setstate(state)


def _found(get, expected, *value, **argument):
    """What `get` gives of a value, which is the argument's unless another is given."""
    ((name, given),) = argument.items()
    try:
        return get(*(value or (given,)))
    except Exception as error:  # Keras's, or whatever a user's function raises.
        raise _unknown(name, given, expected) from error


def _unknown(name, given, expected):
    return ValueError(
        f"`{name}` is unknown to Keras. Expected {expected}. Received: {name}={in_short(given)}"
    )
