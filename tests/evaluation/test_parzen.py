"""The Parzen log-likelihood: the choice of a bandwidth, MNIST's own figures, and what is noted."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import zoo
from evaluation import parzen
from evaluation.parzen import BANDWIDTHS, ParzenLogLikelihood, log_likelihood
from evaluation.score import fingerprint
from tests.evaluation.test_parzen_windows import images, reference


@pytest.fixture(scope="module")
def mnist():
    (train, _), (test, _) = (zoo.datasets.arrays("mnist", split) for split in ("train", "test"))
    return train, test


@pytest.mark.long
def test_mnists_published_figure(mnist):
    # The first 16,384 training images against all of the test set.
    score = ParzenLogLikelihood(mnist[1], protocol="fgan", bandwidth=0.17).evaluate(
        mnist[0][:16_384]
    )
    assert abs(score.value - 267.61) < 0.05
    assert abs(score.standard_error - 1.95) < 0.01
    assert score.notes == ()


def test_what_it_ranks_right_and_wrong(mnist):
    train, test = mnist
    real, rng = train[:2000], np.random.default_rng(0)
    blurred = gaussian_filter(real.astype("float64"), (0, 1, 1, 0))
    sets = {
        "real": real,
        "blurred": blurred / 255.0,
        "noisy": (real + rng.normal(0, 30, real.shape)).clip(0, 255).astype("uint8"),
        "noisier": (real + rng.normal(0, 60, real.shape)).clip(0, 255).astype("uint8"),
        "one image": np.repeat(real[:1], 2000, axis=0),
        "noise": rng.integers(0, 256, real.shape, "uint8"),
    }
    goodfellow = ParzenLogLikelihood(test[:500], train[50_000:50_500])
    fgan = ParzenLogLikelihood(test[:500], protocol="fgan")
    for measure, order in (
        # Blur fills the space between the windows: the known fault of the method.
        (goodfellow, ["blurred", "real", "noisy", "noisier", "one image", "noise"]),
        # Copies are likeliest under the narrowest windows, which is worse than noise then.
        (fgan, ["real", "noisy", "noisier", "blurred", "noise", "one image"]),
    ):
        scores = {name: measure.evaluate(samples) for name, samples in sets.items()}
        for better, worse in zip(order[:-1], order[1:], strict=True):
            better, worse = scores[better], scores[worse]
            assert better.better_than(worse)
            assert better.value - worse.value > 2 * (better.standard_error + worse.standard_error)
    assert scores["one image"].details["bandwidth"] == 0.1


def test_goodfellow_chooses_on_the_validation_images():
    samples, validation, test = images(50, 0), images(20, 1), images(30, 2)
    score = ParzenLogLikelihood(test, validation, bandwidth=[0.5, 0.2, 0.35]).evaluate(samples)
    means = reference(samples, validation, [0.2, 0.35, 0.5]).mean(1)
    assert means.argmax() == 1
    logs = reference(samples, test, [0.35])[0]
    np.testing.assert_allclose(score.value, logs.mean(), rtol=1e-6)
    np.testing.assert_allclose(score.standard_error, logs.std() / np.sqrt(30), rtol=1e-6)
    assert score.details == {"bandwidth": 0.35, "selection": pytest.approx(means[1], rel=1e-6)}
    assert score.name == "parzen_log_likelihood" and score.higher_is_better
    assert score.protocol == {
        "protocol": "goodfellow",
        "samples": 50,
        "images": 30,
        "images_hash": fingerprint(test),
        "image_shape": [6, 5, 3],
        "scaling": "pixels in [0, 1]",
        "bandwidths": [0.2, 0.35, 0.5],
        "bandwidth_by": f"20 validation images of hash {fingerprint(validation)}",
    }


def test_fgan_chooses_on_thirds_of_the_samples():
    samples, test = images(50, 0), images(30, 2)
    score = ParzenLogLikelihood(test, protocol="fgan", bandwidth=[0.2, 0.35, 0.5]).evaluate(samples)
    fold = np.arange(50) % 3
    parts = [reference(samples[fold != i], samples[fold == i], [0.2, 0.35, 0.5]) for i in range(3)]
    means = np.concatenate(parts, axis=1).mean(1)
    assert means.argmax() == 1
    np.testing.assert_allclose(score.details["selection"], means[1], rtol=1e-6)
    np.testing.assert_allclose(score.value, reference(samples, test, [0.35]).mean(), rtol=1e-6)
    assert score.details["bandwidth"] == 0.35
    assert score.protocol["bandwidth_by"] == "3 folds of the samples"


def test_the_default_range():
    measure = ParzenLogLikelihood(images(30, 2), images(20, 1))
    np.testing.assert_allclose(measure.bandwidths, np.logspace(-1, 0, 10), rtol=1e-15)
    score = measure.evaluate(images(50, 0))
    assert score.protocol["bandwidths"] == list(np.logspace(-1, 0, 10))
    logs = log_likelihood(images(50, 0), images(20, 1), BANDWIDTHS).mean(1)
    assert score.details["bandwidth"] == BANDWIDTHS[logs.argmax()]


def test_the_real_images_figure_comes_along_and_is_computed_once(monkeypatch):
    test, validation, real = images(30, 2), images(20, 1), images(40, 3)
    measure = ParzenLogLikelihood(test, validation, real=real)
    first = measure.evaluate(images(40, 0))
    alone = ParzenLogLikelihood(test, validation).evaluate(real)
    assert first.details["real"] == alone.value
    assert first.details["real_standard_error"] == alone.standard_error
    assert first.details["real_bandwidth"] == alone.details["bandwidth"]
    assert first.details["real_count"] == 40
    assert any(fingerprint(real) in note for note in first.notes)
    assert not any("40 real images" in note for note in first.notes)
    calls = []
    original = parzen.log_likelihood

    def counted(samples, *args):
        calls.append(samples)
        return original(samples, *args)

    monkeypatch.setattr(parzen, "log_likelihood", counted)
    second = measure.evaluate(images(41, 5))
    assert all(call.shape[0] == 41 for call in calls) and len(calls) == 2
    assert second.details["real"] == first.details["real"]
    assert "There are 41 samples and 40 real images: more windows give a higher figure." in (
        second.notes
    )
    # What real images have does not change what samples have.
    assert not alone.better_than(alone)
    first.better_than(alone)


def test_other_counts_than_the_protocols_are_noted():
    measure = ParzenLogLikelihood(images(30, 2), images(20, 1), bandwidth=[0.2, 0.35, 0.5])
    (note,) = measure.evaluate(images(50, 0)).notes
    assert note == (
        "The protocol 'goodfellow' has 10000 samples, these are 50: more windows give a higher "
        "figure."
    )
    with pytest.raises(ValueError, match="samples is 50 and 51"):
        measure.evaluate(images(50, 0)).better_than(measure.evaluate(images(51, 0)))


@pytest.mark.parametrize("bandwidths, end", [([0.5, 0.9], "0.5"), ([0.1, 0.2], "0.2")])
def test_a_bandwidth_at_the_end_of_its_range_is_noted(bandwidths, end):
    measure = ParzenLogLikelihood(images(30, 2), images(20, 1), bandwidth=bandwidths)
    notes = measure.evaluate(images(50, 0)).notes
    assert any(f"The best bandwidth, {end}, is an end of the range" in note for note in notes)
    fixed = ParzenLogLikelihood(images(30, 2), bandwidth=0.2).evaluate(images(50, 0))
    assert not any("end of the range" in note for note in fixed.notes)
    assert fixed.protocol["bandwidth_by"] == "fixed" and fixed.protocol["bandwidths"] == [0.2]


def test_floats_and_uint8_give_one_figure():
    measure = ParzenLogLikelihood(images(30, 2), images(20, 1))
    whole = measure.evaluate(images(50, 0))
    same = measure.evaluate(images(50, 0) / 255.0)
    assert same.value == whole.value
    single = measure.evaluate((images(50, 0) / 255.0).astype("float32"))
    np.testing.assert_allclose(single.value, whole.value, rtol=1e-6)


GREY = np.full((4, 2, 2, 1), 100, "uint8")


def measure(*args, **kwargs):
    return lambda: ParzenLogLikelihood(*args, **kwargs)


def evaluate(samples, **kwargs):
    return lambda: ParzenLogLikelihood(GREY, bandwidth=0.2, **kwargs).evaluate(samples)


@pytest.mark.parametrize(
    "call, message",
    [
        (measure(GREY, protocol="gan"), r"Expected one of \['fgan', 'goodfellow'\].*Rece.*'gan'"),
        (measure(GREY), "`validation` is missing.*bandwidth=None, validation=None"),
        (
            measure(GREY, GREY, "fgan"),
            r"superfluous.*only then.*'fgan'.*of shape \(4, 2, 2, 1\)",
        ),
        (measure(GREY, GREY, bandwidth=0.2), r"bandwidth=0.2, validation=.*of shape \(4"),
        (measure(GREY, bandwidth=0.0), r"`bandwidth` .*\[1e-6, 1e6\].*Received: bandwidth=\[0.0\]"),
        (measure(GREY, GREY, bandwidth=[0.1, -1.0]), r"Received: bandwidth=\[0.1, -1.0\]"),
        (measure(GREY, GREY, bandwidth=[]), r"Received: bandwidth=\[\]"),
        (measure(GREY, GREY, bandwidth=[np.nan]), r"Received: bandwidth=\[nan\]"),
        (measure(GREY, bandwidth="cv"), r"Received: bandwidth=\['cv'\]"),
        (measure(GREY, bandwidth=1e7), r"Received: bandwidth=\[10000000.0\]"),
        (measure(GREY - 1.0, bandwidth=0.2), "another scaling.*images of dtype float64 from 99"),
        (measure(GREY, GREY[:, :1]), r"one shape. Received.*validation of shape \(4, 1, 2, 1\)"),
        (measure(GREY, GREY, real=GREY[..., 0]), r"real of shape \(4, 2, 2\)"),
        (measure(GREY, GREY, real=GREY[:0]), r"nothing to measure.*real of shape \(0, 2"),
        (evaluate(GREY.astype("int64")), "samples of dtype int64"),
        (evaluate(GREY / 127.5 - 1), "samples of dtype float64 from -0.2157"),
        (evaluate(GREY + np.nan), "samples of dtype float64, with others in 4 of 4"),
        (evaluate(GREY[:0]), "nothing to measure"),
        (evaluate(None), r"nothing to measure.*samples of shape \(\)"),
        (evaluate(GREY[:, :, :1]), r"samples of shape \(4, 2, 1, 1\)"),
        (
            lambda: ParzenLogLikelihood(GREY, protocol="fgan").evaluate(GREY[:2]),
            r"on 3 folds. Expected at least 3. Received: samples of shape \(2, 2",
        ),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
