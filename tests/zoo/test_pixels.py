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


@pytest.mark.parametrize("value_range", [None, 1, "x", (1,), (1, -1), (0, np.nan), (0, 1, 2), len])
def test_no_range(value_range):
    for map_ in (pixels.to_unit, pixels.from_pixels):
        with pytest.raises(ValueError, match="^`value_range` is no range. Expected .low, high."):
            map_(np.zeros((1, 2), "uint8"), value_range)


@pytest.mark.parametrize("images", [None, "x", object(), [[1, 2], [3]], np.array([1j]), {}])
def test_no_numbers(images):
    for map_ in (lambda x: pixels.to_unit(x, (0, 1)), pixels.to_pixels):
        with pytest.raises(ValueError, match="^`(images|unit)` is no array of numbers. Expected"):
            map_(images)


def test_numbers_outside_of_the_unit_interval_do_not_wrap():
    for unit in ([1.1], [-0.1], [np.nan]):
        with pytest.raises(ValueError, match="^`unit` has numbers outside of the unit interval"):
            pixels.to_pixels(unit)
