"""The detector: its simulators by their moments and law, its best estimate by Cramer and Rao."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from studies import detector


def test_the_simulator_draws_from_the_exact_law():
    latents = np.random.default_rng(0).normal(size=(20_000, 2))
    values = {"tau": 1.5, "sigma": 0.4}
    drawn = detector.times(values, tf.constant(latents)).numpy()[:, 0]
    law = stats.exponnorm(1.5 / 0.4, scale=0.4)
    assert stats.kstest(drawn, law.cdf).pvalue > 0.01
    ticks = detector.counts(values, latents)[:, 0]
    np.testing.assert_array_equal(ticks, np.floor(drawn / detector.BIN))  # Of the same latents.


@pytest.mark.parametrize("function", [detector.times, detector.counts])
def test_no_estimate_is_better_than_most_likely(function):
    found = detector.most_likely(function, detector.events(function, 1)[:, 0])
    for name, error in (("tau", 0.011), ("sigma", 0.0155)):
        assert abs(found[name] / detector.TRUTH[name] - 1) < 3 * error


def test_a_short_tuning_goes_towards_the_truth():
    data = detector.events(detector.counts, 0, 2_000)
    gan = detector.tune(detector.counts, "score", data, 0, 30)
    found = gan.sampler.values()
    for name, truth in detector.TRUTH.items():
        start = detector.START[name]
        assert abs(found[name] - truth) < abs(start - truth)
