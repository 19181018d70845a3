"""Measures by name, and all of them on one table: real, the same set, noise, one image."""

import numpy as np
import pytest
from scipy import stats

from evaluation import (
    ClassifierScore,
    KernelDistance,
    SlicedWasserstein,
    classifier,
    measures,
)
from evaluation.extractors import Extractor
from evaluation.measures import Reference
from zoo import datasets, pictures

# What all of them share is made once, in one process.
pytestmark = pytest.mark.xdist_group("measures")

COUNT = 800
RNG = np.random.default_rng(0)


class Small(Reference):
    """MNIST cut to 800 test and 4,000 training images; of them the last 1,000 for validation."""

    def __init__(self):
        super().__init__("mnist")
        self.train = [array[:4000] for array in datasets.arrays("mnist")]
        self.test = [array[:COUNT] for array in datasets.arrays("mnist", "test")]


@pytest.fixture(scope="module")
def reference():
    return Small()


@pytest.fixture(scope="module")
def samples(reference):
    train, labels = (array[:COUNT] for array in reference.train)
    noise = RNG.integers(0, 256, train.shape).astype("uint8")
    noised = np.clip(train + RNG.normal(0, 40, train.shape), 0, 255).astype("uint8")
    return {
        "real": (train, labels),
        "noised": (noised, labels),
        "noise": (noise, labels),
        "one": (np.repeat(train[:1], COUNT, axis=0), labels),
    }


@pytest.mark.parametrize(
    "name, order",
    [
        ("parzen", ["real", "noised", "one", "noise"]),
        ("frechet", ["real", "noised", "one", "noise"]),
        ("kernel", ["real", "one", "noise"]),
        ("classifier", ["real", "noised", "noise", "one"]),
        ("precision_recall", ["real", "noised", "noise"]),
        ("sliced_wasserstein", ["real", "noised", "one", "noise"]),
        ("nearest_neighbour", ["real", "one"]),
    ],
)
def test_the_order_is_right(name, order, reference, samples, monkeypatch):
    monkeypatch.setattr(measures, "VALIDATION", (3000, 4000))
    if name == "kernel":  # All pairs: a hundred subsets take long.
        measure = KernelDistance(reference.test[0], reference.extractor, subsets=None)
    else:
        measure = measures.get(name, reference)
    scores = [measure.evaluate(*samples[which]) for which in order]
    for better, worse in zip(scores, scores[1:], strict=False):
        assert better.better_than(worse), (better, worse)
    images, labels = samples["real"]
    turn = RNG.permutation(COUNT)
    again = measure.evaluate(images[turn], labels[turn])
    assert again.value == pytest.approx(scores[0].value, rel=1e-4, abs=1e-6)
    assert again.protocol == scores[0].protocol


def test_the_same_set_twice(reference):
    """The floor below the floor: 0, 0, and everything within reach."""
    frechet = measures.get("frechet", reference).evaluate(reference.test[0])
    assert frechet.value == pytest.approx(0, abs=1e-6)
    kernel = KernelDistance(reference.test[0], reference.extractor, subsets=None)
    kernel = kernel.evaluate(reference.test[0])
    assert kernel.value <= 0  # Unbiased: over pairs of different samples of one set.
    precision = measures.get("precision_recall", reference).evaluate(reference.test[0])
    assert precision.value == 1 and precision.details["coverage"] == 1
    wasserstein = measures.get("sliced_wasserstein", reference).evaluate(reference.test[0])
    assert wasserstein.value == pytest.approx(0, abs=1e-7)
    copies = measures.get("memorisation", reference).evaluate(reference.train[0][:500])
    assert copies.value == 1 and copies.details["alarm"] == 1


def test_one_image_has_no_recall(reference, samples):
    score = measures.get("precision_recall", reference).evaluate(*samples["one"])
    assert score.details["recall"] == 0 and score.value == 0


def test_a_folder_of_a_known_name_has_an_extractor(tmp_path):
    folder = tmp_path / "cifar10_jpeg"
    for split in ("train", "test"):
        (folder / split / "cat").mkdir(parents=True)
        pictures.save_png(np.zeros((32, 32, 3), "uint8"), folder / split / "cat" / "1.png")
    assert Reference(folder).extractor.protocol["extractor"] == "cifar10"
    with pytest.raises(ValueError, match=r"`extractor` sees other images.*\(28, 28, 1\).*32, 32"):
        _ = Reference(folder, "mnist").extractor
    plain = tmp_path / "pictures"
    (folder / "test").rename(tmp_path / "test")
    folder.rename(plain)
    reference = Reference(plain)
    assert reference.compared is reference.train and "no test images" in reference.notes[0]
    for name in ("memorisation", "parzen_fgan"):
        with pytest.raises(ValueError, match="`dataset` has no test images.*sliced_wasserstein"):
            measures.get(name, reference)


def test_an_extractor_that_learned_other_data_is_said_or_refused():
    reference = Reference("mnist", "fashion_mnist")
    assert reference.extractor.protocol["extractor"] == "fashion_mnist"
    assert reference.notes == [
        "the extractor fashion_mnist learned other data than mnist: its features need not tell "
        "them apart"
    ]
    with pytest.raises(ValueError, match="`extractor` learned other classes.*'fashion_mnist' of"):
        measures.get("conditional_accuracy", reference)
    own = Reference("mnist")
    assert measures.get("conditional_accuracy", own).extractor is own.extractor and not own.notes


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("fid", "frechet"),
        ("KID", "kernel"),
        ("inception-score", "classifier"),
        ("is", "classifier"),
        ("prdc", "precision_recall"),
        ("precision", "precision_recall"),
        ("wasserstein", "sliced_wasserstein"),
    ],
)
def test_other_names_of_a_measure_are_understood(typed, meant):
    with pytest.raises(ValueError, match=f"`score` is unknown.*did you mean .*'{meant}'.*score="):
        measures.check_name(score=typed)
    assert set(measures.ALIASES.values()) <= set(measures.MEASURES)
    assert not set(measures.ALIASES) & set(measures.MEASURES)


def test_names_and_what_data_they_need():
    images, toys = Reference("mnist"), Reference("ring", examples=500)
    with pytest.raises(ValueError, match="did you mean 'frechet'"):
        measures.get("fretchet", images)
    with pytest.raises(ValueError, match="one of.*'ring'.*dataset='mnist'"):
        measures.get("modes", images)
    with pytest.raises(ValueError, match="`dataset` has no labels.*dataset='ring'"):
        measures.get("nearest_neighbour", toys)
    with pytest.raises(ValueError, match="`extractor` is missing.*dataset='ring'"):
        measures.get("classifier", toys)
    with pytest.raises(ValueError, match="51000 training images.*500 of dataset='ring'"):
        measures.get("parzen", toys)
    assert measures.defaults(images) == measures.OF_IMAGES
    assert measures.defaults(toys) == measures.OF_TOYS


def _folder(place, **counts):
    """A folder of small grey pictures, as many of each split as it says."""
    rng = np.random.default_rng(0)
    for split, count in counts.items():
        (place / split).mkdir(parents=True)
        for k in range(count):
            image = rng.integers(0, 256, (8, 8, 1)).astype("uint8")
            pictures.save_png(image, place / split / f"{k}.png")
    return place


def test_without_an_extractor_the_defaults_are_measures_that_need_none(tmp_path):
    folder = _folder(tmp_path / "data", train=12, test=6)
    reference = Reference(folder)
    names = measures.defaults(reference)
    assert names == measures.WITHOUT_EXTRACTOR
    assert "data of shape (8, 8, 1): frechet, " in reference.notes[0]
    assert "need one, which --extractor names" in reference.notes[0]
    for name in names:
        assert np.isfinite(measures.get(name, reference).evaluate(reference.train[0]).value)
    with pytest.raises(ValueError, match="`extractor` is missing.*--extractor=NAME"):
        measures.get("frechet", reference)
    alone = Reference(_folder(tmp_path / "alone", train=12))
    assert measures.defaults(alone) == ("sliced_wasserstein",)
    # One that is named, or that sees them, is taken; MNIST's sees 28 x 28 pixels alone.
    assert measures.defaults(Reference(folder, "mnist")) == measures.OF_IMAGES
    assert measures.defaults(Reference("mnist", image_size=32)) == measures.WITHOUT_EXTRACTOR


def test_stacks_are_seen_a_channel_at_a_time():
    reference = Reference("stacked_mnist", examples=200)
    (name,) = measures.defaults(reference)
    images, labels = reference.train
    score = measures.get(name, reference).evaluate(images)
    assert 0.9 * len(set(labels)) <= score.value <= 1.1 * len(set(labels))
    with pytest.raises(ValueError, match=r"`extractor` sees other images.*\(28, 28, 3\)"):
        measures.get("frechet", reference)


def test_memorisation_says_how_many_test_images_it_needs(tmp_path):
    few = Reference(_folder(tmp_path / "few", train=4, test=99))
    with pytest.raises(ValueError, match="too few test images.*at least 100 of.*99 of dataset="):
        measures.get("memorisation", few)
    enough = Reference(_folder(tmp_path / "enough", train=4, test=100))
    assert measures.get("memorisation", enough).quantile == 0.01


@pytest.mark.parametrize("name", measures.OF_TOYS)
def test_of_toys(name):
    reference = Reference("ring", examples=500)
    points = reference.train[0]
    score = measures.get(name, reference).evaluate(points)
    away = measures.get(name, reference).evaluate(0.2 * points)
    assert score.better_than(away)


def test_an_extractor_of_ones_own():
    extractor = Extractor(classifier.build((28, 28, 1), 4, 2), name="mine")
    reference = Reference("mnist", extractor)
    assert reference.extractor is extractor


def test_a_measure_prints_as_the_call_that_makes_it():
    points = np.zeros((7, 2), "float32")
    assert repr(SlicedWasserstein(points, order=1)) == (
        "SlicedWasserstein(data=<float32 (7, 2)>, order=1, projections=256, seed=0)"
    )
    extractor = Extractor(classifier.build((28, 28, 1), 4, 2), name="mine")
    assert repr(ClassifierScore(extractor, 2)) == (
        "ClassifierScore(extractor='mine', splits=2, seed=0)"
    )


def test_a_part_is_taken_from_everywhere():
    ordered = np.repeat(np.arange(10), 300)
    images, labels, none = measures.part([ordered[:, None], ordered, None], 1000)
    assert stats.chisquare(np.bincount(labels)).pvalue > 0.01
    np.testing.assert_array_equal(labels, np.sort(labels))
    np.testing.assert_array_equal(images[:, 0], labels)
    assert none is None
    rows = measures.part([np.arange(3000)], 1000)[0]
    assert len(set(rows)) == 1000 and 0.4 < np.mean(rows % 2) < 0.6
    np.testing.assert_array_equal(measures.part([np.arange(3000)], 1000)[0], rows)
    np.testing.assert_array_equal(measures.part([ordered], 9999)[0], ordered)
