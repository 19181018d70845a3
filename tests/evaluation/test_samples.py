"""What may be measured: scalings and numbers that are let through, and those that are not."""

import numpy as np
import pytest

from evaluation.samples import (
    check_numbers,
    check_same_shape,
    check_seen_shape,
    checked_pixels,
    on_a_line,
    pixels,
)

GREY = np.full((4, 3, 3, 1), 100, "uint8")


def test_uint8_becomes_pixels():
    found = pixels(np.array([[0, 51, 255]], "uint8"))
    np.testing.assert_array_equal(found, [[0.0, 0.2, 1.0]])
    assert found.dtype == np.float64


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_stay_what_they_are(dtype):
    images = np.array([[0.0, 0.25, 1.0]], dtype)
    found = pixels(images)
    np.testing.assert_array_equal(found, images)
    assert found.dtype == np.float64
    found[:] = 0.5
    assert images[0, 0] == 0.0  # A copy


def test_lists_and_tensors_are_images_too():
    np.testing.assert_array_equal(pixels([[0.5, 1.0]]), [[0.5, 1.0]])


@pytest.mark.parametrize(
    "images, message",
    [
        (GREY / 127.5 - 1.0, "another scaling.*samples of dtype float64 from -0.2157 to -0.2157"),
        (GREY * np.float32(1.0), "samples of dtype float32 from 100 to 100"),
        (GREY / 99.0, r"Expected uint8, or floats in \[0, 1\].*from 1.01 to 1.01"),
        (np.array([0.5, -1e-9]), "from -1e-09 to 0.5"),
        (GREY.astype("int64"), "samples of dtype int64 from 100 to 100"),
        (GREY.astype("int64") // 100, "samples of dtype int64 from 1 to 1"),
        (GREY.astype("uint16"), "samples of dtype uint16"),
        (GREY > 3, "samples of dtype bool$"),
        (GREY.astype(complex), "samples of dtype complex128"),
        (GREY.astype(str), "samples of dtype <U3"),
        (GREY.astype(object), "samples of dtype object"),
        (GREY[:0], r"nothing to measure.*samples of shape \(0, 3, 3, 1\)"),
        (GREY[:, :0], r"samples of shape \(4, 0, 3, 1\)"),
        (np.uint8(3), r"samples of shape \(\)"),
    ],
)
def test_other_pixels_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        pixels(images)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_numbers_are_counted_by_sample(bad):
    points = np.zeros((5, 2))
    points[1], points[3, 0] = bad, bad
    with pytest.raises(ValueError, match="Received: points of dtype float64, with.* 2 of 5"):
        check_numbers(points, "points")
    with pytest.raises(ValueError, match="with others in 2 of 5 samples"):
        pixels(points)
    with pytest.raises(ValueError, match="with others in 1 of 3"):
        check_numbers(np.array([0.0, bad, 1.0]))


def test_numbers_of_any_size_are_numbers():
    for array in (np.array([-3, 7]), np.array([1e300, -1e300]), np.array([0], "uint64")):
        assert check_numbers(array) is None


def test_shapes_agree_but_for_the_count():
    assert check_same_shape(GREY, GREY[:2]) is None
    assert check_same_shape(np.zeros(3), np.zeros(9)) is None
    with pytest.raises(
        ValueError,
        match=r"of one shape. Received: images of shape \(4, 3, 3, 1\), samples of shape \(4, 3, 3",
    ):
        check_same_shape(GREY[..., 0], GREY)
    with pytest.raises(ValueError, match=r"Received: test of shape \(4, 3, 3, 1\), fake of shape"):
        check_same_shape(GREY[:, :2], GREY, "fake", "test")


def test_pixels_of_whole_levels_stay_so():
    assert checked_pixels(GREY) is GREY
    found = checked_pixels([[0.5, 1.0]])
    assert found.dtype == np.float64 and found.tolist() == [[0.5, 1.0]]
    for images in (GREY[:0], GREY * 1.0):
        with pytest.raises(ValueError, match="`test`.*test of"):
            checked_pixels(images, "test")


def test_numbers_on_a_line():
    for samples in ([1, 2, 3], [[1], [2], [3]]):
        found = on_a_line(samples)
        assert found.dtype == np.float64 and found.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match=r"The numbers of `data` are not on one line.*\(1, 2\)"):
        on_a_line([[1, 2]], "data")


def test_an_extractor_sees_one_shape_or_any_side():
    assert check_seen_shape(GREY, (3, None, 1)) is None
    for shape in ((3, 3), (None, 4, 1), (3, 3, 1, 1)):
        with pytest.raises(ValueError, match=r"`images` is not what it sees.*\(4, 3, 3, 1\)"):
            check_seen_shape(GREY, shape, "images", "it")
