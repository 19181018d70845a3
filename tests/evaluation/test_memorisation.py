"""Memorisation: what the share says of copies, of the data's own distribution, and of others."""

import numpy as np
import pytest
from scipy import spatial, stats

from evaluation.memorisation import Memorisation

RNG = np.random.default_rng(7)
TRAIN = RNG.random((400, 3, 3, 1))
HELD_OUT = RNG.random((1000, 3, 3, 1))


class Halves:
    """Features: the first four pixels."""

    protocol = {"extractor": "halves"}
    image_shape = (3, 3, 1)

    def features(self, images):
        return np.asarray(images).reshape(len(images), -1)[:, :4].astype("float32")


def _distances(samples):
    tree = spatial.cKDTree(TRAIN.reshape(400, -1))
    return tree.query(samples.reshape(len(samples), -1))[0]


def test_against_scipy():
    samples = RNG.random((300, 3, 3, 1))
    score = Memorisation(TRAIN, HELD_OUT, quantile=0.05).evaluate(samples)
    held_out, own = _distances(HELD_OUT), _distances(samples)
    threshold = np.quantile(held_out, 0.05)
    assert score.value == pytest.approx(np.mean(own < threshold))
    assert score.details["median"] == pytest.approx(np.median(own))
    assert score.details["median_held_out"] == pytest.approx(np.median(held_out))
    nearer = np.mean(own[:, None] < held_out)
    assert score.details["auc"] == pytest.approx(nearer)
    near = int(np.sum(own < threshold))
    low = stats.beta.ppf(0.005, near, 300 - near + 1) if near else 0.0
    assert score.details["low"] == pytest.approx(low)
    assert score.details["high"] == pytest.approx(stats.beta.ppf(0.995, near + 1, 300 - near))


def test_the_datas_own_distribution_raises_no_alarm():
    alarms = [
        Memorisation(TRAIN, HELD_OUT, quantile=0.05).evaluate(rng.random((500, 3, 3, 1)))
        for rng in map(np.random.default_rng, range(20, 30))
    ]
    assert not any(score.details["alarm"] for score in alarms)
    assert np.mean([score.value for score in alarms]) == pytest.approx(0.05, abs=0.02)
    assert np.mean([score.details["auc"] for score in alarms]) == pytest.approx(0.5, abs=0.02)
    assert alarms[0].notes == ()


def test_copies_do():
    measure = Memorisation(TRAIN, HELD_OUT)
    copies = measure.evaluate(TRAIN[:100])
    assert (copies.value, copies.details["alarm"], copies.details["median"]) == (1, 1, 0)
    assert "Look at them" in copies.notes[0]
    # One copy in ten, among samples that are farther away than the data.
    mixed = np.concatenate([TRAIN[:50], 1 - 0.2 * RNG.random((450, 3, 3, 1))])
    score = measure.evaluate(mixed)
    assert score.value == pytest.approx(0.1) and score.details["alarm"] == 1
    assert score.details["auc"] < 0.2
    assert measure.evaluate(TRAIN[:100][::-1]) == copies


def test_distances_between_features():
    other = TRAIN.copy()
    other[:, 1, 1:], other[:, 2] = RNG.random((400, 2, 1)), RNG.random((400, 3, 1))
    measure = Memorisation(TRAIN, HELD_OUT, Halves())
    assert measure.evaluate(other).value == 1
    assert Memorisation(TRAIN, HELD_OUT).evaluate(other).value < 0.1
    assert measure.evaluate(other).protocol["features"] == {"extractor": "halves"}


def test_the_figure_ends_with_the_worst():
    images = RNG.integers(0, 256, (30, 8, 8, 1)).astype("uint8")
    samples = RNG.integers(0, 256, (12, 8, 8, 1)).astype("uint8")
    samples[7] = images[3]
    measure = Memorisation(images, RNG.integers(0, 256, (100, 8, 8, 1)).astype("uint8"))
    picture = measure.figure(samples, rows=2, columns=3)
    height, width = picture.shape[0] // 2, picture.shape[1] // 4
    found = [
        picture[y : y + 8, x : x + 8, 0].tobytes()
        for y in range(height)
        for x in range(2 * width, picture.shape[1] - 7)
    ]
    assert found.count(images[3].tobytes()) == 2  # The copy, and what it is a copy of.
    with pytest.raises(ValueError, match="few `samples`.*at least 20.*12 samples"):
        measure.figure(samples)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"quantile": 1.5}, "quantile=1.5"),
        ({"held_out": HELD_OUT[:50]}, "at least 100.*50 images"),
        ({"held_out": HELD_OUT[:, :2]}, "different shapes"),
        ({"images": TRAIN[:0]}, "images of shape"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        Memorisation(**{"images": TRAIN, "held_out": HELD_OUT, **arguments})


def test_errors_of_samples():
    measure = Memorisation(TRAIN, HELD_OUT)
    for samples, message in (
        (np.full((3, 3, 3, 1), np.nan), "finite"),
        (np.zeros((3, 4, 4, 1)), "different shapes"),
        (np.zeros((0, 3, 3, 1)), "shape"),
    ):
        with pytest.raises(ValueError, match=message):
            measure.evaluate(samples)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"images": None}, "`images` holds"),
        ({"held_out": HELD_OUT[:, :2]}, "`held_out` and `images` have different shapes"),
        ({"held_out": [[1], [1, 2]]}, "`held_out` is no array"),
        ({"quantile": "x"}, "`quantile` is no finite number"),
        ({"extractor": 3}, "`extractor` is none"),
    ],
)
def test_what_is_no_reference(change, message):
    with pytest.raises(ValueError, match=f"^{message}.*Expected.*Received"):
        Memorisation(**{"images": TRAIN, "held_out": HELD_OUT, **change})
