"""What people and programs put where something else belongs, for hypothesis to draw."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.fuzz import arguments

DTYPES = ("float32", "float64", "float16", "int64", "int32", "uint8", "bool", "complex64", "<U1")


def anything():
    """An odd value, a number, a text, a list, or an array of any shape and dtype."""
    return st.one_of(
        st.sampled_from(arguments.ODD),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.lists(st.integers(-2, 9), max_size=4).map(tuple),
        st.lists(st.floats(width=32), max_size=4),
        shaped(),
    )


def shaped():
    """Arrays of small numbers, of up to five axes with up to five places each."""
    return st.tuples(
        st.sampled_from(DTYPES), arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=5)
    ).map(lambda drawn: _counted(*drawn))


def _counted(dtype, shape):
    numbers = np.arange(int(np.prod(shape))).reshape(shape) % 3
    return numbers.astype(dtype)


@st.composite
def wrong(draw, call):
    """The right arguments of a call, with one or two of them replaced."""
    names = sorted(call.arguments)
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    return {**call.arguments, **{name: draw(anything()) for name in chosen}}


@st.composite
def json_values(draw):
    """A value that JSON can have."""
    return draw(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-2, 3),
            st.sampled_from([10**9, 10**18, 10**40, -(10**9), 1e300, 0.5]),
            st.floats(),
            st.text(max_size=5),
            st.lists(st.integers(0, 3), max_size=3),
            st.dictionaries(st.sampled_from(["a", "class_name", "config"]), st.integers(0, 3)),
        )
    )
