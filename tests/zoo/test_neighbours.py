"""Nearest images: SciPy's distances in float64, copies at distance 0, and figure 2's picture."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from zoo import neighbours, pictures


def images(count, seed, shape=(6, 5, 3)):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), "uint8")


def reference(samples, train, k):
    """All distances in float64, sorted; equal ones in the order of the images."""
    samples, train = (
        x.reshape(len(x), -1) / (255.0 if x.dtype == np.uint8 else 1.0) for x in (samples, train)
    )
    distances = cdist(samples, train)
    indices = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return indices, np.take_along_axis(distances, indices, axis=1)


@pytest.mark.parametrize("block", [1, 90, 700, 2**22])
@pytest.mark.parametrize("k", [1, 4])
def test_the_k_nearest(monkeypatch, block, k):
    # Blocks of 1, 1, 7 and all images; three queries at a time.
    monkeypatch.setattr(neighbours, "BLOCK", block)
    monkeypatch.setattr(neighbours, "QUERIES", 3)
    samples, train = images(8, 0), images(40, 1)
    indices, distances = neighbours.nearest(samples, train, k)
    expected = reference(samples, train, k)
    np.testing.assert_array_equal(indices, expected[0])
    np.testing.assert_allclose(distances, expected[1], rtol=1e-12)
    assert indices.dtype == np.int64 and indices.shape == distances.shape == (8, k)


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_a_copy_has_distance_zero_and_its_own_index(kind):
    train = images(50, 0)
    train = train if kind == "uint8" else (train / 255.0).astype(kind)
    indices, distances = neighbours.nearest(train[[7, 0, 49]], train)
    np.testing.assert_array_equal(indices[:, 0], [7, 0, 49])
    np.testing.assert_array_equal(distances, 0.0)


def test_the_first_of_equals_is_named(monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", 3 * 90)
    train = np.repeat(images(4, 0), 5, axis=0)
    indices, distances = neighbours.nearest(train[[6, 19]], train, k=7)
    np.testing.assert_array_equal(indices[:, :5], [[5, 6, 7, 8, 9], [15, 16, 17, 18, 19]])
    np.testing.assert_array_equal(indices[:, :5] % 5, [range(5)] * 2)
    np.testing.assert_array_equal(distances[:, :5], 0.0)
    assert np.all(distances[:, 5:] > 0)


def test_neighbours_that_float32_cannot_tell_apart():
    # Two clusters, long vectors with short differences: rounding is larger than the distances.
    rng = np.random.default_rng(0)
    center = 1000.0 * rng.normal(size=300)
    near = 1e-3 * rng.normal(size=(40, 300))
    train = np.concatenate([center + near, near - center])
    samples = train[38:43] + 1e-4 * rng.normal(size=(5, 300))
    indices, distances = neighbours.nearest(samples, train, k=3)
    expected = reference(samples, train, 3)
    np.testing.assert_array_equal(indices, expected[0])
    np.testing.assert_allclose(distances, expected[1], rtol=1e-6)
    single = samples.astype("float32"), train.astype("float32")
    squares = [np.sum(x * x, axis=1, dtype="float32") for x in single]
    roughly = squares[0][:, None] + squares[1] - 2 * single[0] @ single[1].T
    assert np.any(roughly.argmin(1) != expected[0][:, 0])  # The shortcut alone gets it wrong.


def test_pixels_and_floats_have_one_unit():
    train = images(30, 0)
    samples = images(3, 1)
    expected = neighbours.nearest(samples, train, 2)
    for a, b in (
        (samples / 255.0, train),
        (samples, train / 255.0),
        (samples / 255.0, train / 255.0),
    ):
        indices, distances = neighbours.nearest(a, b, 2)
        np.testing.assert_array_equal(indices, expected[0])
        np.testing.assert_allclose(distances, expected[1], rtol=1e-12)
    assert expected[1].max() <= np.sqrt(90)


def test_points_have_neighbours_too():
    samples, train = np.random.default_rng(0).normal(size=(2, 60, 2)).astype("float32")
    indices, distances = neighbours.nearest(samples, train)
    expected = reference(samples.astype("float64"), train.astype("float64"), 1)
    np.testing.assert_array_equal(indices, expected[0])
    np.testing.assert_allclose(distances, expected[1], rtol=1e-12)


def test_a_memory_map_is_read_in_blocks(tmp_path):
    np.save(tmp_path / "train.npy", images(40, 1))
    mapped = np.load(tmp_path / "train.npy", mmap_mode="r")
    found = neighbours.nearest(images(3, 0), mapped, 2)
    for a, b in zip(found, neighbours.nearest(images(3, 0), images(40, 1), 2), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("channels", [1, 3])
def test_figure_2(channels):
    samples, train = images(6, 0, (5, 4, channels)), images(2, 1, (5, 4, channels))
    picture = neighbours.figure(samples.reshape(2, 3, 5, 4, channels), train)
    height, width = 5 + 2, 4 + 2  # With a frame each
    assert picture.shape == (2 * height + 1, 4 * width + 3, 3)
    for row in range(2):
        for column in range(4):
            top, left = row * (height + 1), column * (width + 1)
            tile = picture[top : top + height, left : left + width]
            image = train[row] if column == 3 else samples[3 * row + column]
            np.testing.assert_array_equal(tile[1:-1, 1:-1], np.broadcast_to(image, (5, 4, 3)))
            color = pictures.FRAME if column == 3 else pictures.PAPER
            edge = np.concatenate([tile[0], tile[-1], tile[:, 0], tile[:, -1]])
            np.testing.assert_array_equal(edge, np.tile(color, (len(edge), 1)))


GREY = np.zeros((3, 4, 4, 1), "uint8")


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: neighbours.nearest(GREY, GREY[:, :2]),
            r"`samples` and `images` have different.*images of shape \(3, 2",
        ),
        (lambda: neighbours.nearest(GREY[:0], GREY), r"samples of shape \(0, 4, 4, 1\)"),
        (lambda: neighbours.nearest(GREY, GREY[:0]), r"images of shape \(0, 4, 4, 1\)"),
        (lambda: neighbours.nearest(GREY, GREY, 4), r"`k` is larger.*Expected .* in \[1, 3\].*k=4"),
        (lambda: neighbours.nearest(GREY, GREY, 0), "Received: k=0"),
        (lambda: neighbours.nearest(GREY.astype("int32"), GREY), "samples of dtype int32"),
        (lambda: neighbours.nearest(GREY, GREY + np.nan), "finite floats. Received: images of dt"),
        (lambda: neighbours.nearest(GREY - 1.0, GREY), "`samples` have another scale.*from -1.0"),
        (lambda: neighbours.nearest(GREY, GREY + 255.0), "Received: images from 255.0 to 255.0"),
        (
            lambda: neighbours.figure(GREY, GREY),
            r"`neighbours` do not match.*samples of shape \(3, 4",
        ),
        (lambda: neighbours.figure(GREY[None], GREY), r"neighbours of shape \(3, 4, 4, 1\)"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
