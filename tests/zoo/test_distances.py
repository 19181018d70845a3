"""Rough distances: within their bound of the exact ones, however far the vectors are."""

import numpy as np
import pytest

from zoo.distances import Vectors


def _exact(a, b):
    return np.array([[np.sum((x - y) ** 2) for y in b] for x in a])


@pytest.mark.parametrize("dimensions", [1, 3, 200])
@pytest.mark.parametrize("offset, scale", [(0.0, 1.0), (1e4, 1.0), (0.0, 1e-6), (-3.0, 1e5)])
def test_the_error_is_within_its_bound(dimensions, offset, scale):
    rng = np.random.default_rng(dimensions)
    a = offset + scale * rng.normal(size=(40, dimensions))
    b = offset + scale * rng.normal(size=(30, dimensions))
    b[:10] = a[:10]  # Their distance is 0, of which no digit is left.
    for centre in (a.mean(axis=0), np.zeros(dimensions)):
        vectors, others = Vectors.around(centre, a), Vectors.around(centre, b)
        found = vectors.approximate_squares(others)
        assert found.dtype == np.float32 and found.shape == (40, 30)
        bound = vectors.rounding(vectors.squares[:, None], others.squares[None])
        assert np.all(np.abs(found - _exact(a, b)) <= bound)


def test_a_centre_among_the_data_narrows_the_bound():
    rows = 1e4 + np.random.default_rng(0).normal(size=(50, 8))
    near, far = (Vectors.around(centre, rows) for centre in (rows.mean(axis=0), np.zeros(8)))
    bounds = [x.rounding(x.squares.max(), x.squares.max()) for x in (near, far)]
    assert bounds[0] < 1e-4 < 1 < bounds[1]


def test_some_of_the_vectors():
    rows = np.random.default_rng(1).normal(size=(9, 4))
    vectors = Vectors.around(rows.mean(axis=0), rows)
    some = vectors[2:5]
    np.testing.assert_array_equal(some.offsets, vectors.offsets[2:5])
    np.testing.assert_array_equal(some.squares, vectors.squares[2:5])
    np.testing.assert_allclose(
        some.approximate_squares(vectors), vectors.approximate_squares(vectors)[2:5], rtol=1e-5
    )
