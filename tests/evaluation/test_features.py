"""Features: batches of any size, shuffles by content, and what is refused."""

import numpy as np
import pytest

from evaluation import features


class Fake:
    """Features and probabilities that a test can compute itself."""

    image_shape = (None, 2, 1)
    protocol = {"name": "fake", "layer": "sums", "hash": "0"}

    def features(self, images):
        flat = images.reshape(len(images), -1) / 255.0
        return np.stack([flat.sum(1), flat[:, 0], flat[:, 1] ** 2], 1).astype("float32")

    def probabilities(self, images):
        rows = np.exp(self.features(images))
        return rows / rows.sum(1, keepdims=True)


IMAGES = np.random.default_rng(0).integers(0, 256, (23, 3, 2, 1), dtype=np.uint8)


def test_features_of_an_extractor_do_not_depend_on_the_batch_size():
    whole = Fake().features(IMAGES)
    for batch_size in (1, 7, 23, 500):
        np.testing.assert_array_equal(features.extract(Fake(), IMAGES, batch_size), whole)
        found = features.probabilities(Fake(), IMAGES, batch_size)
        np.testing.assert_allclose(found, Fake().probabilities(IMAGES), atol=1e-7)
        np.testing.assert_allclose(found.sum(1), 1.0, atol=1e-15)


def test_batches_never_exceed_their_size():
    assert [len(part) for part in features.batches(Fake(), IMAGES, 10)] == [10, 10, 3]


def test_without_an_extractor_samples_are_features():
    rows = np.random.default_rng(1).normal(size=(9, 4))
    np.testing.assert_array_equal(features.extract(None, rows, 2), rows)
    assert features.protocol(None) == {"extractor": "none"}
    assert features.protocol(Fake()) == {"extractor": Fake.protocol}


@pytest.mark.parametrize("samples", [IMAGES, np.repeat(IMAGES[:4], 3, axis=0), IMAGES * 0.5])
def test_a_shuffle_follows_from_the_samples_and_not_from_their_order(samples):
    order = np.random.default_rng(2).permutation(len(samples))
    shuffled = samples[features.shuffled(samples, seed=3)]
    again = samples[order][features.shuffled(samples[order], seed=3)]
    np.testing.assert_array_equal(shuffled, again)
    assert sorted(features.shuffled(samples, seed=3)) == list(range(len(samples)))
    assert np.any(features.shuffled(samples, 3) != features.shuffled(samples, 4))
    assert np.any(features.shuffled(samples, 3) != features.shuffled(samples, 3, stream=1))


def _extractor(found):
    extractor = Fake()
    extractor.features = extractor.probabilities = lambda images: found
    return extractor


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: features.extract(None, IMAGES),
            "`samples` has to be features.*uint8",
        ),
        (lambda: features.extract(None, np.ones((4, 2), int)), "Expected floats.*dtype int64"),
        (lambda: features.extract(None, np.ones(4)), r"\(n, d\).*shape \(4,\)"),
        (lambda: features.extract(None, np.full((4, 2), np.nan)), "no NaN.*in 4 of 4"),
        (lambda: features.extract(None, np.ones((0, 2))), "nothing to measure"),
        (
            lambda: features.extract(None, np.ones((2, 2)), at_least=3),
            "few examples in `sam.*at least 3",
        ),
        (lambda: features.extract(None, np.ones((2, 2)), batch_size=0), "batch_size=0"),
        (lambda: features.extract(Fake(), IMAGES[:, :, :1]), r"\(n, any, 2, 1\).*\(23, 3, 1, 1\)"),
        (lambda: features.extract(Fake(), IMAGES[0]), r"shape of `samples` is not.*\(3, 2, 1\)"),
        (lambda: features.extract(_extractor(np.full((23, 2), np.nan)), IMAGES), "46 not finite"),
        (lambda: features.extract(_extractor(np.ones((22, 2))), IMAGES), r"\(23, d\).*\(22, 2\)"),
        (lambda: features.extract(_extractor(np.ones((23, 2, 1))), IMAGES), r"\(23, 2, 1\)"),
        (lambda: features.extract(_extractor(np.ones((23, 2), int)), IMAGES), "dtype int64"),
        (lambda: features.probabilities(None, np.ones((2, 2))), "with sums from 2 to 2"),
        (lambda: features.probabilities(None, np.array([[-0.5, 1.5]])), "from -0.5 to 1.5"),
        (lambda: features.probabilities(_extractor(np.ones((23, 2))), IMAGES), "softmax"),
        (
            lambda: features.features_like(np.ones((5, 3)), None, np.ones((5, 2))),
            r"reference of shape \(5, 3\), samples of shape \(5, 2\)",
        ),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
