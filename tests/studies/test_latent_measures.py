"""Latents: SciPy's chi and truncated normal, steps of known paths, correlations of known tables."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from studies import latent_measures as measures


@pytest.mark.parametrize("dim", [1, 16, 64, 100])
def test_the_mean_length_is_that_of_chi(dim):
    assert measures.chi_mean(dim) == pytest.approx(stats.chi(dim).mean(), rel=1e-9)


def test_lengths_along_a_straight_walk_are_those_of_draws():
    a, b = np.random.default_rng(0).normal(size=(2, 100_000, 5))
    t = np.array([0.0, 0.2, 0.5, 1.0])
    found = [np.linalg.norm((1 - x) * a + x * b, axis=1).mean() for x in t]
    np.testing.assert_allclose(measures.lengths("linear", 5, t), found, atol=0.01)
    np.testing.assert_allclose(measures.lengths("spherical", 5, t), found[0], atol=0.01)


def test_the_largest_step_halves_on_a_line_and_stays_at_a_jump():
    t = np.linspace(0, 1, measures.POINTS)[:, None]
    path = np.stack([3.0 * t, 3.0 * (t > 0.4)], axis=1)
    found = measures.largest_steps(path)
    np.testing.assert_allclose(found[:, 0], 3 / np.array(measures.COARSE))
    np.testing.assert_allclose(found[:, 1], 3)


@pytest.mark.parametrize("psi", [0.1, 0.7, 2.0])
def test_the_variance_of_a_truncated_normal(psi):
    assert measures.truncated_variance(psi) == pytest.approx(stats.truncnorm(-psi, psi).var())
    assert measures.truncated_variance(None) == 1


def test_the_distance_of_pairs():
    x = np.random.default_rng(1).normal(size=(40, 3, 2))
    pairs = distance.pdist(x.reshape(40, -1))
    assert measures.apart(x) == pytest.approx(np.sqrt(np.mean(pairs**2)))


def test_a_common_part_is_kept():
    """Of u + e, with variances 3 and 1, two columns have the correlation 3/4."""
    rng = np.random.default_rng(2)
    common = 3**0.5 * rng.normal(size=(20_000, 1))
    assert measures.kept(common + rng.normal(size=(20_000, 4))) == pytest.approx(0.75, abs=0.01)
    assert measures.kept(rng.normal(size=(20_000, 4))) == pytest.approx(0, abs=0.01)


def test_a_trial_takes_much_and_little_of_one_class_and_little_of_another():
    rng = np.random.default_rng(3)
    classes = np.repeat(np.arange(10), 30)
    values = rng.permutation(300) + 1000.0 * classes  # Each class has a range of its own.
    limits = measures.thirds(classes, values)
    for c in range(10):
        own = values[classes == c]
        assert sum(own <= limits[c, 0]) == sum(own >= limits[c, 1]) == 10
    for _ in range(20):
        one, other, (a, b, c) = measures.trial(rng, classes, values, limits, 3)
        assert one != other
        assert set(classes[a]) == set(classes[b]) == {one} and set(classes[c]) == {other}
        assert min(values[a]) >= limits[one, 1] and max(values[b]) <= limits[one, 0]
        assert max(values[c]) <= limits[other, 0] and len(set(a)) == 3
