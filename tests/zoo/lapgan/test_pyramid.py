"""The Laplacian pyramid: nothing is lost, and each operation is the written one."""

import keras
import numpy as np
import pytest

from zoo.lapgan import pyramid

SIZES = [
    ((28, 28, 1), 3, [(7, 7), (14, 14), (28, 28)]),
    ((32, 32, 3), 3, [(8, 8), (16, 16), (32, 32)]),
    ((64, 64, 3), 4, [(8, 8), (16, 16), (32, 32), (64, 64)]),
    ((96, 96, 1), 4, [(12, 12), (24, 24), (48, 48), (96, 96)]),
    ((12, 20, 2), 3, [(3, 5), (6, 10), (12, 20)]),
    ((5, 7, 4), 1, [(5, 7)]),
]


def _images(shape, count=3):
    return np.random.default_rng(5).uniform(-1, 1, (count, *shape)).astype("float32")


@pytest.mark.parametrize("shape, levels, sides", SIZES)
def test_decomposition_loses_nothing(shape, levels, sides):
    images = _images(shape)
    parts = pyramid.decompose(images, levels)
    wanted = [(3, *side, shape[2]) for side in sides]
    assert [tuple(part.shape) for part in parts] == wanted
    assert [tuple(p.shape) for p in pyramid.pictures(images, levels)] == wanted
    assert pyramid.shapes(shape, levels) == [w[1:] for w in wanted]
    # A difference below 2 and a sum below 1 are rounded at each level: 2^-24 and 2^-25 at most.
    assert np.abs(pyramid.reconstruct(parts) - images).max() <= (levels - 1) * 2.0**-23


def test_uint8_images_have_a_pyramid_too():
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    parts = pyramid.decompose(images, 3)
    # Their means and quarters are exact in float32, so nothing is rounded.
    np.testing.assert_array_equal(pyramid.reconstruct(parts), images)


def _down_reference(images):
    return (
        images[:, ::2, ::2] + images[:, 1::2, ::2] + images[:, ::2, 1::2] + images[:, 1::2, 1::2]
    ) / 4


def _up_reference(images):
    images = images.astype("float64")
    for axis in (1, 2):
        x = np.moveaxis(images, axis, 0)
        before = np.concatenate([x[:1], x[:-1]])
        after = np.concatenate([x[1:], x[-1:]])
        both = np.stack([(before + 3 * x) / 4, (3 * x + after) / 4], axis=1)
        images = np.moveaxis(both.reshape(-1, *x.shape[1:]), 0, axis)
    return images


def test_down_and_up_are_the_written_formulas():
    images = _images((6, 10, 3))
    np.testing.assert_allclose(pyramid.down(images), _down_reference(images), atol=1e-6)
    np.testing.assert_allclose(pyramid.up(images), _up_reference(images), atol=1e-6)


def test_both_are_linear_keep_constants_and_the_range():
    a, b = _images((8, 8, 2)), _images((8, 8, 2))[::-1]
    for operation in (pyramid.down, pyramid.up):
        np.testing.assert_allclose(
            operation(2 * a - 3 * b + 0.5), 2 * operation(a) - 3 * operation(b) + 0.5, atol=2e-6
        )
        assert np.abs(operation(np.sign(a))).max() <= 1.0


def test_a_ramp_needs_no_detail_but_at_the_edges():
    ramp = np.broadcast_to(np.linspace(-1, 1, 32, dtype="float32")[:, None, None], (32, 32, 1))
    _, band = pyramid.decompose(ramp[None], 2)
    assert np.abs(band[:, 1:-1]).max() < 1e-6
    assert np.abs(band).max() > 1e-3


def test_they_wire_into_a_graph():
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, pyramid.up(pyramid.down(image)))
    images = _images((8, 8, 3))
    np.testing.assert_allclose(model(images), pyramid.up(pyramid.down(images)), atol=1e-6)


@pytest.mark.parametrize(
    "shape, levels, message",
    [
        ((28, 28, 1), 4, r"multiples of 8, such as \(24, 24\) or \(32, 32\), or at most 3 level"),
        (
            (30, 28, 1),
            3,
            r"\(28, 28\) or \(32, 28\), or at most 2 level.*Received: levels=3, image",
        ),
        ((2, 2, 1), 3, r"\(4, 4\) or \(4, 4\), or at most 2 level"),
        ((7, 8, 1), 2, r"\(6, 8\) or \(8, 8\), or at most 1 level"),
        ((28, 28, 1), 0, "levels=0"),
        ((28, 28, 1), 10**9, "at most 16. Received: levels=1000000000"),
        ((28, 28, 1), 2.0, "levels=2.0"),
        ((28, 28), 2, r"\(height, width, channels\).*Received: image_shape=\(28, 28\)"),
        ((28, 0, 1), 2, "Received: image_shape=0"),
    ],
)
def test_sizes_that_cannot_work_are_refused_with_those_that_do(shape, levels, message):
    with pytest.raises(ValueError, match=message):
        pyramid.shapes(shape, levels)


def test_images_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match=r"levels=3, image_shape=\(6, 6, 1\)"):
        pyramid.decompose(_images((6, 6, 1)), 3)
