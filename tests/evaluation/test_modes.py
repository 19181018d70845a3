"""Modes: both rules of counting, quality, evenness, and the floor of perfect stacks."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

import zoo
from evaluation import Score, extractors
from evaluation.modes import ModeCoverage, StackedModes, coverage


class Lookup:
    """A perfect classifier of the images that it was shown."""

    num_classes, image_shape, protocol = 10, (28, 28, 1), {"extractor": "lookup"}

    def __init__(self, images, labels):
        pairs = zip(images, labels, strict=True)
        self.known = {image.tobytes(): label for image, label in pairs}

    def probabilities(self, images):
        return np.eye(10)[[self.known[image.tobytes()] for image in images]]


def test_coverage_of_a_histogram():
    found = coverage([40, 20, 1, 0])
    assert (found["covered"], found["covered_20"]) == (3, 2)
    share = np.array([40, 20, 1]) / 61
    assert found["kl"] == pytest.approx(np.sum(share * np.log(4 * share)))
    assert found["kl"] == pytest.approx(stats.entropy([40, 20, 1, 0], [1, 1, 1, 1]))
    weighted = coverage([3, 1], [0.75, 0.25])
    assert weighted["kl"] == pytest.approx(0, abs=1e-15)
    assert coverage([0, 0])["kl"] == np.inf
    assert coverage([9, 0, 0, 0])["kl"] == pytest.approx(np.log(4))


def test_the_ring_itself():
    """2,500 points of the data: all modes by both rules, and chi^2_2's share within 3 scales."""
    score = ModeCoverage(zoo.toys.ring()).evaluate(zoo.toys.ring().sample(20_000, 1).numpy())
    assert (score.name, score.value, score.details["covered_20"]) == ("modes_covered", 8, 8)
    expected = stats.chi2.cdf(9, 2)
    error = np.sqrt(expected * (1 - expected) / 20_000)
    assert abs(score.details["high_quality"] - expected) < 3 * error
    # 2 n KL is about chi^2 with modes - 1 degrees of freedom.
    assert stats.chi2.sf(2 * 20_000 * score.details["kl"], 7) > 0.01
    assert score.protocol == {"mixture": "ring", "modes": 8, "radius": 3.0, "samples": 20_000}


def test_a_collapsed_and_a_scattered_generator():
    ring = zoo.toys.ring()
    measure = ModeCoverage(ring)
    one = np.tile(ring.centres[2], (100, 1))
    score = measure.evaluate(one)
    assert (score.value, score.details["high_quality"]) == (1, 1)
    assert score.details["kl"] == pytest.approx(np.log(8))
    some = np.concatenate([one, ring.centres[[0]], ring.centres[[5]] + 1])
    score = measure.evaluate(some)
    assert (score.value, score.details["covered_20"]) == (2, 1)
    assert score.details["high_quality"] == pytest.approx(101 / 102)
    np.testing.assert_array_equal(measure.counts(some), [1, 0, 100, 0, 0, 0, 0, 0])
    away = measure.evaluate(np.zeros((10, 2)))
    assert (away.value, away.details["high_quality"], away.details["kl"]) == (0, 0, np.inf)


def clouds(count=2000):
    """Points by how good they are, the best first: the ring, and what takes its place."""
    rng = np.random.default_rng(0)
    ring = zoo.toys.ring()
    points = ring.sample(count, 5).numpy()
    strays = rng.uniform(-3, 3, (count // 20, 2))
    outliers = np.concatenate([points[len(strays) :], strays])
    modes = np.arange(count) % 8
    uneven = ring.centres[np.where(modes < 3, 0, modes)] + rng.normal(size=(count, 2)) * 0.02
    seven = ring.centres[1 + modes % 7] + rng.normal(size=(count, 2)) * 0.02
    one = ring.centres[0] + rng.normal(size=(count, 2)) * 0.02
    # One stray in each of the other modes: all eight are covered.
    touched = np.concatenate([ring.centres[1:], one[7:]])
    angles = rng.uniform(0, 2 * np.pi, count)
    circle = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    cloud = np.concatenate([ring.centres, rng.uniform(-3, 3, (count - 8, 2))])
    return {
        "ring": points,
        "outliers": outliers,
        "seven": seven,
        "uneven": uneven,
        "touched": touched,
        "circle": circle,
        "cloud": cloud,
    }


def test_a_cloud_never_ranks_before_a_ring():
    """Eight modes are covered by all but the third; the order tells them apart."""
    ranked = clouds()
    measure = ModeCoverage(zoo.toys.ring())
    scores = {name: measure.evaluate(points) for name, points in ranked.items()}
    covered = {name: score.value for name, score in scores.items()}
    assert [name for name in covered if covered[name] < 8] == ["seven", "uneven"]
    names = list(ranked)
    for better, worse in itertools.combinations(names, 2):
        assert scores[better].better_than(scores[worse]), (better, worse)
        assert not scores[worse].better_than(scores[better])
    again = Score.from_json(scores["ring"].to_json())
    assert again == scores["ring"] and again.better_than(scores["cloud"])
    # 1 - total variation between shares of the modes (and of the rest) and the weights.
    for name, points in ranked.items():
        distances = np.linalg.norm(points[:, None] - zoo.toys.ring().centres, axis=2)
        near = np.where(distances.min(1) <= 0.06, distances.argmin(1), 8)
        share = np.bincount(near, minlength=9) / len(points)
        variation = 0.5 * np.abs(share - np.append(np.full(8, 1 / 8), 0)).sum()
        assert scores[name].details["overlap"] == pytest.approx(1 - variation)
        assert scores[name].details["captured"] == np.sum(share[:8] >= 1 / 32)


def test_scores_of_another_order_do_not_rank():
    score = ModeCoverage(zoo.toys.ring()).evaluate(zoo.toys.ring().sample(50, 1).numpy())
    old = dataclasses.replace(score, ranked_by=())
    with pytest.raises(ValueError, match=r"`ranked_by`.*captured.*Received: ranked_by=\(\)"):
        score.better_than(old)


def test_scales_weights_and_the_edge():
    """The distance counts in each mode's own scale, and radius itself is inside."""
    mixture = zoo.toys.Mixture([[0.0], [10.0]], [1.0, 3.0], [0.25, 0.75])
    measure = ModeCoverage(mixture, radius=2)
    np.testing.assert_array_equal(measure.counts([[2.0], [2.01], [4.0], [16.0], [16.01]]), [1, 2])
    score = measure.evaluate(np.array([[0.0], [9.0], [10.0], [11.0]]))
    assert score.details["kl"] == pytest.approx(0, abs=1e-15)


def test_order_and_blocks_do_not_matter(monkeypatch):
    points = zoo.toys.grid().sample(1000, 3).numpy()
    measure = ModeCoverage(zoo.toys.grid())
    score = measure.evaluate(points)
    assert measure.evaluate(points[::-1]) == score
    monkeypatch.setattr("evaluation.modes.BLOCK", 7)
    assert measure.evaluate(points) == score


def test_stacked_digits_have_their_floor():
    """REFERENCE: 25,600 perfect stacks cover 1,000 modes at a KL of 0.0196 +- 0.0009."""
    images, labels = zoo.datasets.arrays("mnist", "test")
    measure = StackedModes(Lookup(images, labels))
    stacks, numbers = zoo.datasets.arrays("stacked_mnist", "test", examples=2000)
    np.testing.assert_array_equal(measure.numbers(stacks), numbers)
    score = measure.evaluate(stacks)
    assert score.value == len(set(numbers)) and "25,600" in score.notes[0]
    uniform = np.random.default_rng(0).integers(0, 1000, (20, 25_600))
    kls = [coverage(np.bincount(row, minlength=1000))["kl"] for row in uniform]
    assert np.mean(kls) == pytest.approx(0.0196, abs=0.0009)
    one = measure.evaluate(np.repeat(stacks[:1], 50, axis=0))
    assert (one.value, one.details["kl"]) == (1, pytest.approx(np.log(1000)))


@pytest.mark.long
def test_real_stacks_through_the_classifier():
    """A multinomial's KL to the uniform is (modes - 1) / 2n and what unequal digits add."""
    images, numbers = zoo.datasets.arrays("stacked_mnist", "test", examples=25_600)
    test, _ = zoo.datasets.arrays("mnist", "test")  # The stacks show no other digits: seen once.
    seen = extractors.load("mnist").probabilities(test).argmax(axis=1)
    measure = StackedModes(Lookup(test, seen))
    score = measure.evaluate(images)
    assert score.value == 1000 and score.details["covered_20"] > 800 and not score.notes
    digits = np.bincount(zoo.datasets.arrays("mnist", "test")[1]) / 10_000
    expected = 999 / (2 * 25_600) + 3 * np.sum(digits * np.log(10 * digits))
    assert score.details["kl"] == pytest.approx(expected, abs=2 * 0.0009)
    right = measure.numbers(images[:2000]) == numbers[:2000]
    assert right.mean() == pytest.approx(0.9951**3, abs=0.008)


@pytest.mark.parametrize(
    "samples, message",
    [
        (np.zeros((5, 3)), r"shape \(n, 2\).*shape \(5, 3\)"),
        (np.zeros((0, 2)), "at least one sample"),
        (np.full((5, 2), np.nan), "finite"),
    ],
)
def test_errors_of_points(samples, message):
    with pytest.raises(ValueError, match=message):
        ModeCoverage(zoo.toys.ring()).evaluate(samples)


def test_errors_of_stacks_and_arguments():
    lookup = Lookup([], [])
    with pytest.raises(ValueError, match=r"three channels.*\(2, 28, 28, 1\)"):
        StackedModes(lookup).evaluate(np.zeros((2, 28, 28, 1), "uint8"))
    with pytest.raises(ValueError, match="radius=0"):
        ModeCoverage(zoo.toys.ring(), radius=0)
    lookup.num_classes = 4
    with pytest.raises(ValueError, match="4 classes"):
        StackedModes(lookup)
