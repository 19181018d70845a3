"""Names that Keras knows, and what is said of others."""

import random

import keras
import numpy as np
import pytest

import zoo
from zoo import keras_names


def test_a_policy_is_keras_s_own_or_the_given_one():
    assert keras_names.policy(None).name == keras.config.dtype_policy().name
    keras.config.set_dtype_policy("mixed_bfloat16")
    assert keras_names.policy(None).name == "mixed_bfloat16"
    assert keras_names.policy("float64").compute_dtype == "float64"


@pytest.mark.parametrize("dtype", ["", "x", 1, True, np.ones(2), object(), []])
def test_no_policy(dtype):
    with pytest.raises(ValueError, match="^`dtype` is unknown to Keras. Expected a dtype policy"):
        keras_names.policy(dtype)


def test_activations():
    for activation in ("relu", None, keras.ops.tanh, lambda x: x * 2):
        keras_names.check_activation(activation)
    for activation in ("rleu", 1, len, np.ones(2), lambda x: x[:1], lambda: 0):
        with pytest.raises(ValueError, match="^`activation` is unknown to Keras. Expected an act"):
            keras_names.check_activation(activation)
        with pytest.raises(ValueError, match="^`activation` is unknown"):
            zoo.MLPGenerator((2,), 2, (3,), activation=activation)


def test_initializers():
    given = keras.initializers.RandomNormal(seed=1)
    assert keras_names.initializer(given) is given
    ones = keras_names.initializer(lambda shape, dtype=None: np.ones(shape, dtype))
    assert ones((2, 1), "float32").tolist() == [[1], [1]]
    for other in ("x", 1, len, np.ones(2), {"a": 1}, {}):
        with pytest.raises(ValueError, match="^`kernel_initializer` is unknown to Keras. Expected"):
            keras_names.initializer(other)


def test_a_check_draws_no_seed():
    """The first weights of published networks follow from Keras's seeds in their order."""
    random.seed(3)
    first = random.getstate()
    keras_names.check_initializer("glorot_uniform")
    assert random.getstate() == first
    keras.initializers.get("glorot_uniform")  # Which does draw one.
    assert random.getstate() != first
