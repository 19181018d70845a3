"""Parzen windows: closed forms, SciPy and NumPy in float64, and MNIST's own figures."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import logsumexp
from scipy.stats import gaussian_kde, multivariate_normal

import zoo
from evaluation import parzen
from evaluation.parzen import BANDWIDTHS, ParzenLogLikelihood, log_likelihood
from evaluation.score import fingerprint


def images(count, seed, shape=(6, 5, 3)):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), "uint8")


def floats(array):
    array = np.reshape(array, (len(array), -1))
    return array / 255.0 if array.dtype == np.uint8 else array.astype("float64")


def reference(samples, test, bandwidths):
    """Sums of squared differences in float64, one image at a time."""
    samples, test = floats(samples), floats(test)
    squared = np.array([np.sum((samples - x) ** 2, axis=1) for x in test])
    constant = np.log(len(samples)) + samples.shape[1] * np.log(np.sqrt(2 * np.pi))
    return np.array(
        [
            logsumexp(-squared / (2 * s**2), axis=1) - constant - samples.shape[1] * np.log(s)
            for s in bandwidths
        ]
    )


@pytest.fixture(scope="module")
def mnist():
    (train, _), (test, _) = (zoo.datasets.arrays("mnist", split) for split in ("train", "test"))
    return train, test


def test_one_window_is_a_gaussian():
    center, points = images(1, 0, (4, 3, 1)), images(7, 1, (4, 3, 1))
    for sigma in (0.02, 0.3, 5.0):
        expected = multivariate_normal(floats(center)[0], sigma**2 * np.eye(12))
        found = log_likelihood(center, points, sigma)
        np.testing.assert_allclose(found, expected.logpdf(floats(points))[None], rtol=1e-12)
        assert found.shape == (1, 7) and found.dtype == np.float64


def test_scipys_kernel_density():
    # SciPy's windows have the data's covariance, so it is asked for the whitened data.
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
    points = rng.normal(size=(50, 3))
    for sigma in (0.2, 0.7):
        expected = gaussian_kde(x.T, bw_method=sigma).logpdf(points.T)
        np.testing.assert_allclose(log_likelihood(x, points, sigma)[0], expected, atol=1e-5)


@pytest.mark.parametrize("kinds", ["u8 u8", "f4 u8", "u8 f4", "f4 f4", "u8 f8", "f8 f8"])
@pytest.mark.parametrize("features", [4, 1024])
def test_the_formula_in_float64(monkeypatch, kinds, features):
    # Blocks of 7 images and 9 samples do not divide 20 and 30; nor do 4 features 90.
    monkeypatch.setattr(parzen, "IMAGE_BLOCK", 7)
    monkeypatch.setattr(parzen, "SAMPLE_BLOCK", 9)
    monkeypatch.setattr(parzen, "FEATURES", features)
    rng = np.random.default_rng(3)
    arrays = [
        images(n, n) if kind == "u8" else rng.uniform(size=(n, 6, 5, 3)).astype(kind)
        for n, kind in zip((30, 20), kinds.split(), strict=True)
    ]
    bandwidths = np.array([0.05, 0.2, 1.0, 40.0])
    found = log_likelihood(*arrays, bandwidths)
    np.testing.assert_allclose(found, reference(*arrays, bandwidths), rtol=1e-7)


def test_near_copies_under_narrow_windows():
    # float32 products of pixels would be off by 1e-5 of |x|^2, and here |x - s|^2 is 1e-5 of it.
    rng = np.random.default_rng(0)
    train = images(60, 0, (28, 28, 1))
    for near in (
        np.clip(train[:20].astype(int) + rng.integers(-1, 2, (20, 28, 28, 1)), 0, 255).astype("u1"),
        np.clip(train[:20] / 255.0 + rng.normal(0, 1e-3, (20, 28, 28, 1)), 0, 1),
    ):
        found = log_likelihood(train, near, [0.005, 0.1])
        np.testing.assert_allclose(found, reference(train, near, [0.005, 0.1]), rtol=0, atol=1e-3)
        single = (floats(train).astype("f4"), floats(near).astype("f4"))
        squares = [np.sum(x * x, axis=1, dtype="f4") for x in single]
        short = (squares[1][:, None] + squares[0] - 2 * single[1] @ single[0].T).min(1)
        exact = np.sum((floats(near) - floats(train[:20])) ** 2, axis=1)
        assert np.max(np.abs(short - exact)) / (2 * 0.005**2) > 0.5  # The shortcut alone: nats.


def test_many_features_add_up_exactly():
    # 3,072 products of the largest levels: float32 has not the digits of their sum.
    rng = np.random.default_rng(0)
    samples = rng.choice(np.array([0, 1, 254, 255], "uint8"), (5, 32, 32, 3))
    test = samples ^ rng.integers(0, 2, samples.shape, "uint8")
    expected = reference(samples, test, [0.1, 1.0])
    np.testing.assert_allclose(log_likelihood(samples, test, [0.1, 1.0]), expected, rtol=1e-12)


def test_other_units_move_the_figure_by_d_log_s():
    x, y = (floats(images(n, n)) for n in (40, 10))
    expected = log_likelihood(x, y, [0.1, 0.5])
    for s in (0.3, 7.0, 255.0):
        moved = log_likelihood(s * x + 3, s * y + 3, np.array([0.1, 0.5]) * s)
        np.testing.assert_allclose(moved, expected - 90 * np.log(s), rtol=1e-6, atol=1e-5)


def test_neither_order_nor_blocks_matter(monkeypatch):
    samples, test = images(300, 0), images(100, 1)
    expected = log_likelihood(samples, test, BANDWIDTHS)
    order = np.random.default_rng(0).permutation(100)
    shuffled = log_likelihood(samples[::-1], test[order], BANDWIDTHS)
    np.testing.assert_allclose(shuffled, expected[:, order], rtol=1e-6)
    for block in (1, 64, 1000):
        monkeypatch.setattr(parzen, "IMAGE_BLOCK", max(block, 10))
        monkeypatch.setattr(parzen, "SAMPLE_BLOCK", max(block, 30))
        np.testing.assert_allclose(log_likelihood(samples, test, BANDWIDTHS), expected, rtol=1e-6)
    twice = log_likelihood(np.concatenate([samples, samples]), test, BANDWIDTHS)
    np.testing.assert_allclose(twice, expected, rtol=1e-6)  # Windows are averaged.


def test_far_images_and_equal_samples_are_finite():
    black = np.zeros((5, 28, 28, 1), "uint8")
    found = log_likelihood(black, 255 - black, [1e-6, 0.1, 1e6])
    np.testing.assert_allclose(found, reference(black, 255 - black, [1e-6, 0.1, 1e6]), rtol=1e-12)
    same = log_likelihood(black + 3.5, black + 3.5, 2.0)
    np.testing.assert_allclose(same, -784 * np.log(2 * np.sqrt(2 * np.pi)), rtol=1e-12)


def test_mnist_agrees_with_float64(mnist):
    rng = np.random.default_rng(0)
    samples, test = mnist[0][rng.permutation(60_000)[:1000]], mnist[1][:1000:10]
    found = log_likelihood(samples, test, BANDWIDTHS)
    np.testing.assert_allclose(found, reference(samples, test, BANDWIDTHS), rtol=0, atol=1e-4)


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
        (measure(GREY, protocol="gan"), r"Expected one of \['fgan', 'goodfellow'\]. Rece.*'gan'"),
        (measure(GREY), "on. Expected them with.*bandwidth=None, validation of shape None"),
        (measure(GREY, GREY, "fgan"), r"only then.*'fgan'.*validation of shape \(4, 2, 2, 1\)"),
        (measure(GREY, GREY, bandwidth=0.2), r"bandwidth=0.2, validation of shape \(4"),
        (measure(GREY, bandwidth=0.0), r"\[1e-6, 1e6\]. Received: bandwidth=\[0.0\]"),
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
            r"3 parts of the samples. Expected at least 3. Received: samples of shape \(2, 2",
        ),
        (lambda: log_likelihood(GREY, GREY, []), r"Received: bandwidth=\[\]"),
        (lambda: log_likelihood(GREY, GREY, [[0.1]]), r"Received: bandwidth=\[\[0.1\]\]"),
        (lambda: log_likelihood(GREY, GREY[:, :1], 0.1), r"images of shape \(4, 1, 2, 1\)"),
        (lambda: log_likelihood(GREY[:0], GREY, 0.1), "nothing to measure.*samples of"),
        (lambda: log_likelihood(GREY, GREY * np.inf, 0.1), "Received: images of dtype float64"),
        (lambda: log_likelihood(GREY, GREY * 1.0, 0.1), "images of dtype float64 from 100 to 100"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
