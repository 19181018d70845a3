"""What a picture looks like: rectangles, discs and lines of known width and slant."""

import numpy as np
import pytest

from studies import appearance


def _rectangle(width, height, side=28):
    image = np.zeros((1, side, side, 1))
    image[0, 3 : 3 + height, 5 : 5 + width] = 1.0
    return image


@pytest.mark.parametrize(("width", "height"), [(2, 20), (4, 20), (6, 7)])
def test_thickness_of_a_rectangle(width, height):
    """Its perimeter is 2 (w + h), but for the one corner at which both differences meet."""
    perimeter = 2 * (width + height) - 2 + 2**0.5
    found = appearance.thickness(_rectangle(width, height))
    assert found == pytest.approx(2 * width * height / perimeter)


def test_thickness_is_that_of_faint_strokes_and_of_bytes():
    image = _rectangle(3, 18)
    wanted = appearance.thickness(image)
    assert appearance.thickness(image / 2) == pytest.approx(wanted)
    assert appearance.thickness((255 * image).astype("uint8")) == pytest.approx(wanted)
    assert appearance.thickness(np.zeros((1, 28, 28, 1))) == 0


def test_a_disc_of_radius_r_is_as_thick_as_r():
    rows, columns = np.mgrid[:64, :64] - 31.5
    disc = np.clip(20.5 - np.hypot(rows, columns), 0, 1)[None, ..., None]
    assert appearance.thickness(disc) == pytest.approx(20, rel=0.08)  # Steps are no circle.


def test_slant_is_the_slope_of_a_regression():
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(3, 9, 12, 1)) ** 4
    rows, columns = np.mgrid[:9, :12]
    for image, found in zip(images, appearance.slant(images), strict=True):
        weights = np.sqrt(image[..., 0].ravel())
        slope = np.polyfit(rows.ravel(), columns.ravel(), 1, w=weights)[0]
        assert found == pytest.approx(-slope)
    assert appearance.slant(np.eye(28)[None, ::-1, :, None]) == pytest.approx(1)  # A slash.


def test_brightness():
    images = np.full((2, 4, 4, 1), 51, "uint8")
    images[1] = 255
    np.testing.assert_allclose(appearance.brightness(images), [0.2, 1.0])
