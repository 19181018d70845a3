"""What is no data is refused by whatever learns it, with what to give in its place."""

import functools

import numpy as np
import pytest

from zoo.players import given


class Callable:
    """Data that can be called too."""

    def __call__(self):
        return self

    def __iter__(self):
        return iter(())


@pytest.mark.parametrize(
    "x, message",
    [
        (np.zeros, r"`x` is a function, .*zeros\(...\).*x=zeros$"),
        (functools.partial(np.zeros, 3), "`x` is a function, .*x=partial$"),
        (Callable, "`x` is a class, .*x=Callable$"),
    ],
)
def test_makers_of_data_are_no_data(x, message):
    with pytest.raises(ValueError, match=message):
        given.refuse_makers(x)


@pytest.mark.parametrize("x", [None, [1], np.zeros(3), Callable(), iter(())])
def test_data_are_no_makers(x):
    given.refuse_makers(x)


@pytest.mark.parametrize("low, high", [(-1, 3), (0, 256)])
def test_integers_beyond_bytes_are_no_pixels(low, high):
    given.check_pixels(0, 255)
    with pytest.raises(ValueError, match=f"0 to 255. Received: values from {low} to {high}"):
        given.check_pixels(low, high)


def test_masks_are_warned_of_at_the_users_line():
    with pytest.warns(UserWarning, match="255 . x for masks, or floats from -1 to 1") as caught:
        given.warn_of_masks(0, 1, (-1.0, 1.0))
    assert caught[0].filename == __file__
    for fine in ((0, 0), (1, 1), (0, 2)):  # A warning would be an error here.
        given.warn_of_masks(*fine, (-1.0, 1.0))
