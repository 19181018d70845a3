"""Walks and arithmetic: exact ends, the closed form of the arc, and laws that latents keep."""

import math

import numpy as np
import pytest
from scipy.spatial import geometric_slerp

from zoo import latents


def drawn(count=4, size=20, seed=0, prior="normal", truncation=None):
    return latents.from_seed(prior, count, size, seed, truncation).numpy()


@pytest.mark.parametrize("mode", ["linear", "spherical"])
@pytest.mark.parametrize("steps", [2, 3, 10])
def test_both_ends_are_exact(mode, steps):
    a, b = drawn(2)
    path = latents.walk(a, b, steps, mode)
    assert path.shape == (steps, 20) and path.dtype == np.float32
    np.testing.assert_array_equal(path[0], a)
    np.testing.assert_array_equal(path[-1], b)


@pytest.mark.parametrize("mode", ["linear", "spherical"])
def test_many_walks_are_the_single_ones(mode):
    a, b = drawn(6).reshape(2, 3, 20)
    together = latents.walk(a, b, 5, mode)
    assert together.shape == (5, 3, 20)
    for i in range(3):
        np.testing.assert_array_equal(together[:, i], latents.walk(a[i], b[i], 5, mode))


def test_a_linear_walk_has_equal_steps():
    a, b = drawn(2).astype("float64")
    path = latents.walk(a, b, 9).astype("float64")
    np.testing.assert_allclose(np.diff(path, axis=0), np.tile((b - a) / 8, (8, 1)), atol=1e-6)


def test_the_arc_is_scipys_on_the_unit_sphere():
    ends = drawn(2).astype("float64")
    a, b = ends / np.linalg.norm(ends, axis=1, keepdims=True)
    expected = geometric_slerp(a, b, np.linspace(0, 1, 11))
    np.testing.assert_allclose(latents.walk(a, b, 11, "spherical"), expected, atol=2e-7)


def test_the_arc_turns_evenly_and_its_length_is_interpolated():
    a, b = drawn(2) * np.array([[1.0], [3.0]], "float32")
    path = latents.walk(a, b, 7, "spherical").astype("float64")
    lengths = np.linalg.norm(path, axis=1)
    np.testing.assert_allclose(lengths, np.linspace(lengths[0], lengths[-1], 7), rtol=1e-6)
    unit = path / lengths[:, None]
    whole = math.acos(unit[0] @ unit[-1])
    turns = np.arccos(np.sum(unit[:-1] * unit[1:], axis=1))
    np.testing.assert_allclose(turns, whole / 6, rtol=1e-5)


def test_the_middle_of_an_arc_is_as_long_as_latents_are_and_that_of_a_line_is_not():
    a, b = drawn(400, 200).reshape(2, 200, 200)
    arc, line = (latents.walk(a, b, 3, mode)[1] for mode in ("spherical", "linear"))
    squares = [np.mean(x.astype("float64") ** 2) for x in (arc, line)]
    np.testing.assert_allclose(squares, [1.0, 0.5], rtol=0.02)


@pytest.mark.parametrize("factor", [1.0, 2.5, -1.0, -0.3, 0.0, 1 + 1e-8])
def test_where_there_is_no_arc_the_walk_is_a_line(factor):
    a = drawn(1)[0]
    b = (factor * a).astype("float32")
    np.testing.assert_array_equal(latents.walk(a, b, 6, "spherical"), latents.walk(a, b, 6))
    np.testing.assert_array_equal(latents.walk(b, a, 6, "spherical"), latents.walk(b, a, 6))


def test_a_line_is_what_a_narrow_arc_comes_to():
    # On both sides of the fallback the paths agree in float32.
    a, step = np.array([10.0, 0.0]), np.array([0.0, 1.0])
    for angle in (2e-6, 0.5e-6):
        b = a + 10.0 * angle * step
        arc, line = (latents.walk(a, b, 5, mode) for mode in ("spherical", "linear"))
        np.testing.assert_allclose(arc, line, rtol=1e-6, atol=1e-12)


def test_an_almost_opposite_end_still_has_an_arc():
    a = np.array([1.0, 0.0])
    path = latents.walk(a, [-math.cos(1e-3), math.sin(1e-3)], 3, "spherical")
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 1.0, rtol=1e-6)
    assert path[1, 1] > 0.999


def test_linear_walks_stay_inside_the_prior():
    ends = drawn(200, 50, prior="uniform").reshape(2, 100, 50)
    path = latents.walk(*ends, 33, prior="uniform")
    assert np.abs(path).max() <= latents.UNIFORM_LIMIT
    corner = np.full(3, np.float32(latents.UNIFORM_LIMIT))
    edge = latents.walk(corner, corner * [1, -1, 1], 1000, prior="uniform")
    assert np.abs(edge).max() == corner[0]  # Rounding does not lead out of a face.


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_linear_walks_stay_within_the_truncation(prior):
    ends = drawn(200, 50, prior=prior, truncation=0.4).reshape(2, 100, 50)
    assert np.abs(latents.walk(*ends, 33, prior=prior)).max() < 0.4
    around = latents.loop(ends[0, :5], 9, prior=prior)
    assert np.abs(around).max() < 0.4


@pytest.mark.parametrize("mode", ["linear", "spherical"])
def test_a_grid_between_four_corners(mode):
    a, b, c, d = drawn(4)
    grid = latents.corners(a, b, c, d, 4, 6, mode)
    assert grid.shape == (4, 6, 20) and grid.dtype == np.float32
    for row, column, corner in ((0, 0, a), (0, -1, b), (-1, 0, c), (-1, -1, d)):
        np.testing.assert_array_equal(grid[row, column], corner)
    np.testing.assert_array_equal(grid[0], latents.walk(a, b, 6, mode))
    np.testing.assert_array_equal(grid[:, 0], latents.walk(a, c, 4, mode))
    np.testing.assert_array_equal(grid[:, -1], latents.walk(b, d, 4, mode))
    if mode == "linear":
        s, t = np.linspace(0, 1, 4)[:, None, None], np.linspace(0, 1, 6)[:, None]
        bilinear = (1 - s) * ((1 - t) * a + t * b) + s * ((1 - t) * c + t * d)
        np.testing.assert_allclose(grid, bilinear, atol=1e-6)


@pytest.mark.parametrize("mode", ["linear", "spherical"])
def test_a_loop_has_no_seam(mode):
    points = drawn(3)
    path = latents.loop(points, 5, mode)
    assert path.shape == (15, 20)
    np.testing.assert_array_equal(path[::5], points)
    np.testing.assert_array_equal(path[10:], latents.walk(points[2], points[0], 6, mode)[:-1])
    np.testing.assert_array_equal(latents.loop(points, 1, mode), points)


def test_arithmetic_is_of_means():
    a, b, c = drawn(4), drawn(3, seed=1), drawn(1, seed=2)[0]
    result = latents.arithmetic(a, b, c)
    expected = a.mean(0, dtype="float64") - b.mean(0, dtype="float64") + c
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-7)
    assert result.dtype == np.float32 and result.shape == (20,)
    np.testing.assert_allclose(latents.arithmetic(a, a, c), c, atol=1e-7)
    long = latents.arithmetic(a, b, c, rescale=True)
    np.testing.assert_allclose(np.linalg.norm(long), math.sqrt(20), rtol=1e-6)
    np.testing.assert_allclose(long / long[0], result / result[0], rtol=1e-5)


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_the_variance_of_arithmetic(prior):
    # 1/3 + 1/3 + 1/3 is the prior's own, which is why averaging three needs no rescaling.
    for count, variance in ((1, 3.0), (3, 1.0)):
        groups = drawn(3 * count, 20_000, prior=prior).reshape(3, count, 20_000)
        assert abs(np.var(latents.arithmetic(*groups)) / variance - 1) < 0.03


A = np.zeros(3, "float32")


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: latents.walk(A, np.zeros(4)),
            r"`a` and `b` have different.*a of shape \(3,\), b of shape \(4,\)",
        ),
        (
            lambda: latents.walk(A, np.zeros((1, 3))),
            r"Expected latents of one generator.*b of shape \(1, 3\)",
        ),
        (lambda: latents.walk(A, A, mode="sperical"), "did you mean 'spherical'.*mode='sperical'"),
        (lambda: latents.walk(A, A, prior="norm"), "did you mean 'normal'.*prior='norm'"),
        (lambda: latents.walk(A, A, 1), "`steps` is out of range.*at least 2. Received: steps=1"),
        (lambda: latents.walk(A, A, 10**12), "`steps` needs more memory.*for 144,000,000,000,000"),
        (lambda: latents.loop([A, A], 10**12), "`steps` needs more memory"),
        (lambda: latents.corners(A, A, A, A, 10**6, 10**6), "`rows` needs more memory"),
        (lambda: latents.walk(A, A, 2.0), "`steps` is out of range.*Received: steps=2.0"),
        (lambda: latents.walk(A, A + np.nan), "finite numbers.*Received: b of shape"),
        (lambda: latents.walk(0.0, 1.0), r"\(..., latent_dim\). Received: a of shape \(\)"),
        (
            lambda: latents.walk(A, A + 2, prior="uniform"),
            "`b` are not of the uniform prior.*b with 2",
        ),
        (
            lambda: latents.walk(A, A + 1, mode="spherical", prior="uniform"),
            "`mode` and `prior` do not.*leaves the cube.*Expected mode='linear'.*prior='uniform'",
        ),
        (lambda: latents.corners(A, A, A, np.zeros(4)), r"d of shape \(4,\)"),
        (lambda: latents.corners(A, A, A, A, columns=1), "Received: columns=1"),
        (lambda: latents.loop(A), r"too few for a loop.*latents of shape \(3,\)"),
        (lambda: latents.loop(A[None]), r"n of at least 2.*latents of shape \(1, 3\)"),
        (lambda: latents.loop(np.zeros((2, 3)), 0), "Received: steps=0"),
        (lambda: latents.arithmetic(A, A, np.zeros(4)), r"c of shape \(4,\)"),
        (
            lambda: latents.arithmetic(A[None, None], A, A),
            "`a` are not rows of latents.*a of shape",
        ),
        (
            lambda: latents.arithmetic(A, A, A, rescale=True),
            "`rescale` is impossible.*zero and has no direction",
        ),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
