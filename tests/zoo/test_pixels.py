"""Pixels survive the way to a value range and back."""

import numpy as np
import pytest

from zoo import pixels


@pytest.mark.parametrize("low, high", [(-1.0, 1.0), (0.0, 1.0), (-3.0, 5.0)])
def test_pixels_survive_the_value_range(low, high):
    grey = np.arange(256, dtype=np.uint8)
    scaled = pixels.from_pixels(grey, (low, high))
    assert scaled[0] == low and scaled[-1] == high
    np.testing.assert_array_equal(pixels.to_pixels(pixels.to_unit(scaled, (low, high))), grey)


def test_what_leaves_the_range_is_cut():
    np.testing.assert_array_equal(pixels.to_unit([-3.0, 0.0, 7.0], (-1.0, 1.0)), [0.0, 0.5, 1.0])
