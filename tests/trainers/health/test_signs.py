"""Signs of health against SciPy, closed forms and samples whose state is known."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist, pdist

from trainers.health import signs


def of(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def test_distances_are_scipys():
    a, b = of(0, 7, 5), of(1, 9, 5)
    np.testing.assert_allclose(signs.distances(a, b), cdist(a, b), rtol=0, atol=1e-12)
    assert signs.distances(a + 1e6, a + 1e6).min() >= 0  # No root of what rounding made negative.


def test_variety_is_the_ratio_of_mean_distances():
    samples, real = of(0, 40, 3), of(1, 50, 3)
    want = pdist(0.25 * samples).mean() / pdist(real).mean()
    assert signs.variety(0.25 * samples, real) == pytest.approx(want, abs=1e-9)
    assert signs.variety(np.repeat(samples[:1], 40, 0), real) == pytest.approx(0, abs=1e-6)


def test_the_energy_coefficient_is_scipys_on_a_line():
    """SciPy's distance is sqrt(2 E|X-Y| - E|X-X'| - E|Y-Y'|) with equal rows among the pairs."""
    a, b = of(0, 300), of(1, 300) + 1.0
    biased = stats.energy_distance(a, b) ** 2
    rows = pdist(a[:, None]).mean() / 300 + pdist(b[:, None]).mean() / 300
    want = (biased - rows) / (2 * np.abs(a[:, None] - b).mean())
    assert signs.energy_coefficient(a[:, None], b[:, None]) == pytest.approx(want, abs=1e-9)


def test_the_energy_coefficient_has_its_ends():
    a = of(0, 400, 2)
    assert signs.energy_coefficient(a, of(1, 400, 2)) < 0.01
    points = np.zeros((50, 2)), np.ones((50, 2))
    assert signs.energy_coefficient(*points) == pytest.approx(1.0)
    assert signs.energy_coefficient(points[0], points[0]) == 0.0


def modes(*which, seed=0, count=250):
    """Points at some of ten places on a circle."""
    rng = np.random.default_rng(seed)
    angles = 2 * np.pi * rng.choice(which, count) / 10
    return np.stack([np.cos(angles), np.sin(angles)], 1) + 0.01 * rng.normal(size=(count, 2))


def test_kinds_are_the_modes_and_their_number_is_effective():
    kinds = signs.Kinds(modes(*range(10), count=1000))
    for found in range(1, 11):
        shares = kinds.shares(modes(*range(found), seed=found))
        assert shares.sum() == pytest.approx(1.0)
        assert kinds.present(shares) == pytest.approx(found / 10, abs=0.03)


def test_what_hops_has_moved_and_what_stays_has_not():
    kinds = signs.Kinds(modes(*range(10), count=1000))
    here, there = (kinds.shares(modes(mode)) for mode in (2, 7))
    assert signs.moved(here, there) == 1.0
    assert signs.moved(here, here) == 0.0
    assert signs.moved([0.5, 0.5, 0.0], [0.25, 0.5, 0.25]) == 0.25


def test_few_real_samples_are_fewer_kinds():
    assert len(signs.Kinds(of(0, 3, 2)).centres) == 3
    assert len(signs.Kinds(np.zeros((20, 2))).centres) >= 1


@pytest.mark.parametrize("unseen", [100, 800])
def test_copies_are_told_from_samples_of_the_distribution(unseen):
    train, held_out = of(0, 400, 8), of(1, unseen, 8)
    for seed in range(20):
        assert signs.copying(of(2 + seed, 256, 8), train, held_out) == 0.0
    assert signs.copying(0.3 * of(2, 256, 8), train, held_out) == 0.0  # Blurred, near to all.
    copies = train[:256] + 0.01 * of(3, 256, 8)
    assert signs.copying(copies, train, held_out) == 1.0
    if unseen == 800:  # Among fewer, half of the samples are not sure to be told from chance.
        half = np.concatenate([copies[:128], of(2, 128, 8)])
        assert 0.35 < signs.copying(half, train, held_out) < 0.75


def test_a_narrow_mode_is_no_copy():
    """All samples of it have the same neighbour, which is a training sample by chance."""
    train, held_out = of(0, 400, 2), of(1, 200, 2)
    for seed in range(30):
        narrow = of(100 + seed, 1, 2) + 1e-3 * of(200 + seed, 256, 2)
        assert signs.copying(narrow, train, held_out) == 0.0


def test_telling_apart_is_the_area_under_the_curve():
    real, fake = np.round(of(0, 60) + 0.5, 1), np.round(of(1, 50), 1)  # With ties.
    want = stats.mannwhitneyu(real, fake).statistic / (60 * 50)
    assert signs.told_apart(real, fake) == pytest.approx(want, abs=1e-12)
    assert signs.told_apart(np.ones(3), np.ones(3)) == 0.5


def test_falling_behind_has_its_ends():
    train, fake = np.array([3.0, 5.0]), np.array([-2.0, 0.0])
    assert signs.falling_behind(train, train, fake) == 0.0
    assert signs.falling_behind(train, fake, fake) == 1.0
    assert signs.falling_behind(train, np.array([1.5]), fake) == 0.5
    assert signs.falling_behind(fake, train, fake) == 0.0  # Nothing is told apart.


def test_dead_units_are_counted_over_samples_and_places():
    maps = np.zeros((2, 3, 3, 4))
    maps[0, 1, 2, 1] = 0.1
    maps[..., 2] = -1.0
    maps[1, 0, 0, 3] = 2.0
    assert signs.dead_share(maps) == 0.5
    assert signs.dead_share(np.array([[0.0, 1.0], [0.0, 0.0]])) == 0.5
