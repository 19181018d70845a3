"""Drawing: every pixel of a grid, frames, and points where they are."""

import re

import numpy as np
import pytest

from zoo import pictures


def _images(count, height=5, width=4, channels=3, seed=0):
    shape = (count, height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, "uint8")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count, columns, padding", [(7, 3, 2), (6, 3, 0), (5, None, 1), (2, 9, 1)])
def test_grid_places_every_image(count, columns, padding, channels):
    images = _images(count, channels=channels)
    picture = pictures.grid(images, columns, padding, background=17)
    columns = min(columns or 3, count)
    rows = -(-count // columns)
    assert picture.dtype == np.uint8
    assert picture.shape == (rows * (5 + padding) - padding, columns * (4 + padding) - padding) + (
        channels,
    )
    for i, image in enumerate(images):
        top, left = i // columns * (5 + padding), i % columns * (4 + padding)
        np.testing.assert_array_equal(picture[top : top + 5, left : left + 4], image)
        picture[top : top + 5, left : left + 4] = 17
    assert np.all(picture == 17)  # All the rest is background.


def test_grid_is_square_unless_told():
    assert pictures.grid(_images(64), padding=0).shape == (8 * 5, 8 * 4, 3)
    assert pictures.grid(_images(65), padding=0).shape == (8 * 5, 9 * 4, 3)


def test_opacity_mixes_with_the_background():
    images = np.zeros((3, 1, 1, 4), "uint8")
    images[:, ..., :3] = 100
    images[:, 0, 0, 3] = (0, 51, 255)
    picture = pictures.grid(images, columns=3, padding=0, background=200)
    np.testing.assert_array_equal(picture[0, :, 0], [200, 180, 100])


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((2, 4, 4, 1), "float32"), "Expected uint8.*Received: images of dtype float32"),
        (np.zeros((4, 4, 3), "uint8"), r"Received: images of shape \(4, 4, 3\)"),
        (np.zeros((2, 4, 4, 2), "uint8"), r"1, 3 or 4 channels.*\(2, 4, 4, 2\)"),
        (np.zeros((0, 4, 4, 1), "uint8"), r"Received: images of shape \(0, 4, 4, 1\)"),
    ],
)
def test_grid_refuses_what_is_no_images(images, message):
    with pytest.raises(ValueError, match=message):
        pictures.grid(images)


def test_grid_refuses_numbers_out_of_range():
    with pytest.raises(ValueError, match="Received: columns=0"):
        pictures.grid(_images(2), columns=0)
    with pytest.raises(
        ValueError, match="`padding` is out of range.*at least 0. Received: padding=-1"
    ):
        pictures.grid(_images(2), padding=-1)
    with pytest.raises(ValueError, match=r"in \[0, 255\]. Received: background=256"):
        pictures.grid(_images(2), background=256)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_frames_surround_images(channels):
    images = _images(3, channels=channels)
    if channels == 4:
        images[..., 3] = 255
    framed = pictures.framed(images, (1, 2, 3), thickness=2)
    assert framed.shape == (3, 5 + 4, 4 + 4, 3) and framed.dtype == np.uint8
    inside = np.broadcast_to(images[..., :3], (3, 5, 4, 3))
    np.testing.assert_array_equal(framed[:, 2:-2, 2:-2], inside)
    framed[:, 2:-2, 2:-2] = (1, 2, 3)
    assert np.all(framed == (1, 2, 3))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"thickness": 0}, "Received: thickness=0"),
        ({"color": (1, 2)}, r"red, green and blue.*Received: color=\(1, 2\)"),
        ({"color": (1, 2, 256)}, r"in \[0, 255\]. Received: color=256"),
        ({"images": np.zeros((2, 4, 4, 1))}, "Expected uint8.*images of dtype float64"),
    ],
)
def test_frames_refuse_what_is_wrong(change, message):
    with pytest.raises(ValueError, match=message):
        pictures.framed(**{"images": _images(1), **change})


def test_enlarge_repeats_pixels():
    picture = _images(1)[0]
    large = pictures.enlarge(picture, 3)
    assert large.shape == (15, 12, 3)
    for row in range(3):
        for column in range(3):
            np.testing.assert_array_equal(large[row::3, column::3], picture)
    digits = pictures.grid(_images(64, 28, 28, 1))
    assert pictures.enlarge(digits).shape == (924, 924, 1)
    huge = np.zeros((961, 2, 3), "uint8")
    assert pictures.enlarge(huge).shape == huge.shape


def _red(picture):
    """Where the picture shows a generated sample."""
    red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
    return (red > green + 60) & (red > blue + 60)


def test_points_stand_where_they_are():
    # Real points in the corners fix the axes; one cluster of samples at the upper left.
    corners = np.array([[-1, -1], [1, 1]])
    samples = np.tile([[-0.9, 0.9]], (5, 1))
    picture = pictures.points(samples, corners, size=(300, 400))
    assert picture.shape == (400, 300, 3) and picture.dtype == np.uint8
    rows, columns = np.nonzero(_red(picture)[:330])  # Without the legend.
    assert rows.max() < 130 and columns.max() < 110
    assert pictures.points(samples, size=(300, 400)).shape == (400, 300, 3)


def test_pictures_of_one_training_share_the_axes():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(50, 2))
    first = pictures.points(rng.normal(size=(20, 2)), real)
    last = pictures.points(rng.normal(size=(20, 2)) / 9, real)
    np.testing.assert_array_equal(first[420:460, :], last[420:460, :])
    assert not np.array_equal(first, last)


@pytest.mark.parametrize("shape", [(40,), (40, 1), (40, 2), (40, 7)])
@pytest.mark.parametrize("broken", [np.nan, np.inf, 1e30])
def test_points_of_a_diverged_generator(shape, broken):
    real = np.random.default_rng(0).normal(size=shape).astype("float32")
    picture = pictures.points(np.full(shape, broken, "float32"), real)
    assert picture.shape == (480, 480, 3)
    assert not _red(picture)[:420].any()
    assert pictures.points(np.full(shape, broken, "float32")).shape == (480, 480, 3)


def test_histogram_stands_over_its_samples():
    samples = np.random.default_rng(0).uniform(2.0, 3.0, 1000)
    picture = pictures.points(samples, limits=(0.0, 4.0))
    columns = np.nonzero(_red(picture)[:420].any(axis=0))[0]
    middle, width = (columns[0] + columns[-1]) / 2, columns[-1] - columns[0]
    assert middle > 280  # Right of the middle of the axis,
    assert 80 < width < 130  # and a quarter as wide.


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"samples": np.zeros((2, 3, 4))}, r"Received: samples of shape \(2, 3, 4\)"),
        ({"samples": np.zeros((0, 2))}, r"Received: samples of shape \(0, 2\)"),
        ({"samples": np.array(["a"])}, "`samples` are not numbers or vectors"),
        (
            {"samples": np.zeros((2, 2)), "real": np.zeros((2, 3))},
            "Received: samples of 2 and real of 3 coordinates",
        ),
        ({"samples": np.zeros(3), "limits": (1, 1)}, "low < high. Received: limits=(1, 1)"),
    ],
)
def test_points_errors(kwargs, message):
    escaped = message if "\\" in message else re.escape(message)
    with pytest.raises(ValueError, match=escaped):
        pictures.points(**kwargs)


def test_draw_knows_images_from_points():
    images = _images(6, channels=1)
    np.testing.assert_array_equal(
        pictures.draw(images, columns=2), pictures.enlarge(pictures.grid(images, 2))
    )
    samples = np.random.default_rng(0).normal(size=(9, 2))
    np.testing.assert_array_equal(pictures.draw(samples), pictures.points(samples))
    with pytest.raises(ValueError, match="Expected uint8"):
        pictures.draw(images.astype("float32"))
