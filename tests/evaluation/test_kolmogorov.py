"""The Kolmogorov-Smirnov distance: by hand, and its law over replicates."""

import numpy as np
import pytest
from scipy import stats

from evaluation.kolmogorov import ks_distances, ks_statistic


def test_the_kolmogorov_distance_of_few_samples():
    # Of U(0, 1): the gaps at the three steps are .2, .167 and .9 - 2/3, below the last one.
    statistic, p_value = ks_statistic([0.5, 0.2, 0.9], lambda x: x)
    assert statistic == pytest.approx(0.9 - 2 / 3, rel=1e-12)
    assert p_value == pytest.approx(stats.kstwo.sf(statistic, 3))
    assert ks_statistic(np.array([[0.5], [0.2], [0.9]], "float32"), lambda x: x)[0] == (
        pytest.approx(statistic, abs=1e-7)
    )


def test_the_kolmogorov_distance_of_100_normals():
    # Over replicates its mean is that of theory, .0852435, with a standard deviation of .0259532.
    rng = np.random.default_rng(0)
    found = np.array([ks_statistic(rng.normal(size=100), stats.norm.cdf) for _ in range(400)])
    assert abs(found[:, 0].mean() - 0.0852435) < 4 * 0.0259532 / np.sqrt(400)
    assert abs(found[:, 0].std() - 0.0259532) < 0.003
    assert abs(np.mean(found[:, 1] < 0.05) - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 400)
    shifted = ks_statistic(rng.normal(1.0, 1.0, 100), stats.norm.cdf)
    assert shifted[1] < 1e-6


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: ks_statistic(np.zeros((3, 2)), stats.norm.cdf),
            r"one line.*samples of shape \(3, 2\)",
        ),
        (lambda: ks_statistic([], stats.norm.cdf), "nothing to measure"),
        (lambda: ks_statistic([0.0, np.nan], stats.norm.cdf), "others in 1 of 2"),
        (lambda: ks_statistic([0.5, 2.0], lambda x: x), r"\[0, 1\] of shape \(2,\).*with others"),
        (lambda: ks_statistic([0.5, 0.2], lambda x: 0.5), r"cdf\(samples\) of shape \(\)"),
        (lambda: ks_distances([[0.5, 2.0]], lambda x: x), "`cdf` does not give probabilities"),
        (lambda: ks_distances([[0.5, 0.2]], lambda x: 0.5), r"cdf\(samples\) of shape \(\)"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_distances_of_many_samples_are_scipys():
    samples = np.random.default_rng(3).normal(0.2, 1.1, (6, 40))
    right = [stats.kstest(sample, stats.norm.cdf).statistic for sample in samples]
    np.testing.assert_allclose(ks_distances(samples, stats.norm.cdf), right, rtol=1e-12)
    with pytest.raises(ValueError, match="`samples` are no rows of finite numbers"):
        ks_distances(samples[0], stats.norm.cdf)
