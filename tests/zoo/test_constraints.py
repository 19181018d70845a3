"""Parameters with bounds: the coordinate and the parameter are each other's inverse."""

import numpy as np
import pytest
import tensorflow as tf

from zoo import constraints

ENDS = [(None, None), (-1.0, None), (None, 4.0), (-1.0, 4.0)]


@pytest.mark.parametrize("low, high", ENDS)
def test_bounded_inverts_free(low, high):
    for value in (-0.9, 0.1, 3.5):
        w = constraints.free(value, low, high)
        np.testing.assert_allclose(constraints.bounded(tf.constant(w, "float64"), low, high), value)


@pytest.mark.parametrize("low, high", ENDS[1:])
def test_every_coordinate_lies_within_the_bounds(low, high):
    values = constraints.bounded(tf.linspace(-9.0, 9.0, 101), low, high).numpy()
    assert np.all(values > (-np.inf if low is None else low))
    assert np.all(values < (np.inf if high is None else high))
    steps = np.diff(values)
    assert np.all(steps > 0) or np.all(steps < 0), "the way there and back is one to one"


def test_coordinates_of_named_parameters():
    given = constraints.coordinates({"tau": 2.0, "shift": 0}, {"tau": (0.0, None)})
    assert given == {"tau": (np.log(2.0), 0.0, None), "shift": (0.0, None, None)}


@pytest.mark.parametrize(
    "parameters, given, message",
    [
        ({}, {}, "at least one name"),
        ([1.0], {}, "at least one name"),
        ({"two words": 1.0}, {}, "at least one name"),
        ({"tau": "1"}, {}, r"parameters\['tau'\]='1'"),
        ({"tau": float("nan")}, {}, r"parameters\['tau'\]=nan"),
        ({"tau": 0.0}, {"tau": (0.0, None)}, r"\(0.0, inf\).*parameters\['tau'\]=0.0"),
        ({"tau": 5.0}, {"tau": (0.0, 4.0)}, r"\(0.0, 4.0\).*parameters\['tau'\]=5.0"),
        ({"tau": 1.0}, {"sigma": (0.0, None)}, r"some of \['tau'\].*bounds for \['sigma'\]"),
    ],
)
def test_bad_parameters(parameters, given, message):
    with pytest.raises(ValueError, match=message):
        constraints.coordinates(parameters, given)
