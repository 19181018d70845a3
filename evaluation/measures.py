"""Measures by name, with the reference that a dataset gives them."""

import functools
import pathlib

import numpy as np

from evaluation import extractors
from evaluation.classifier_score import ClassifierScore
from evaluation.conditional_accuracy import ConditionalAccuracy
from evaluation.downstream import ClassifierAccuracy, NearestNeighbourError
from evaluation.features import permutation
from evaluation.frechet import FrechetDistance
from evaluation.kernel_distance import KernelDistance
from evaluation.memorisation import Memorisation
from evaluation.modes import ModeCoverage, StackedModes
from evaluation.parzen import ParzenLogLikelihood
from evaluation.precision_recall import PrecisionRecall
from evaluation.transport import SlicedWasserstein
from zoo import datasets, toys
from zoo.validation import check_choice

# Which shipped extractor knows which data; of a folder, by its name.
EXTRACTORS = {
    "mnist": "mnist",
    "keras:mnist": "mnist",
    "stacked_mnist": "mnist",
    "keras:fashion_mnist": "fashion_mnist",
    "keras:cifar10": "cifar10",
    "cifar10_jpeg": "cifar10",
}
VALIDATION = (50_000, 51_000)  # The first 1,000 of train[50000:], where a set has so many.


class Reference:
    """A dataset and an extractor, each read when a measure first asks for it.

    Args:
        dataset: A name of `zoo.datasets`.
        extractor: Name of a shipped extractor, or an `Extractor`. Defaults to that of the dataset.
        examples: int. Points of a toy that stand for the data, or stacks.
        **source: `image_size`, `data_dir` and `skip_unreadable` of `zoo.datasets.arrays`.

    Raises:
        ValueError: If the dataset or the extractor is unknown.
    """

    def __init__(self, dataset, extractor=None, examples=10_000, **source):
        self.dataset, self._extractor = str(dataset), extractor
        self._source = {"examples": examples, **source}
        self.info = datasets.info(dataset, **self._source)

    @functools.cached_property
    def train(self):
        """Training `(images, labels)`."""
        return datasets.arrays(self.dataset, "train", **self._source)

    @functools.cached_property
    def test(self):
        """Test `(images, labels)`."""
        return datasets.arrays(self.dataset, "test", **self._source)

    @functools.cached_property
    def extractor(self):
        """The `Extractor`.

        Raises:
            ValueError: If none is named and none is shipped for the data, or the name is unknown.
        """
        if isinstance(self._extractor, extractors.Extractor):
            return self._extractor
        name = self._extractor or EXTRACTORS.get(pathlib.PurePath(self.dataset).name)
        if name is None:
            raise ValueError(
                "`extractor` is missing: none is shipped for these data. Expected a name, such as "
                f"'cifar10', or a dataset of {sorted(EXTRACTORS)}. Received: "
                f"dataset={self.dataset!r}"
            )
        return extractors.load(name)

    @property
    def points(self):
        """Whether the data are points, which are features themselves."""
        return self.info.dtype != "uint8"

    def features(self):
        """`{"extractor": ...}` for a measure of features."""
        return {"extractor": None if self.points else self.extractor}

    def labelled(self):
        """Test images and labels.

        Raises:
            ValueError: If the data have none.
        """
        if self.info.num_classes is None:
            raise ValueError(
                "`dataset` has no labels. Expected a labelled one for a measure of labelled "
                f"samples. Received: dataset={self.dataset!r}"
            )
        return self.test

    def mixture(self):
        """The toy mixture.

        Raises:
            ValueError: If the data are none.
        """
        if self.dataset not in toys.TOYS:
            raise ValueError(
                "`dataset` is not a mixture, whose modes could be counted. Expected a toy, one of "
                f"{sorted(toys.TOYS)}. Received: dataset={self.dataset!r}"
            )
        return toys.get(self.dataset)


def _parzen(reference, protocol):
    train, test = reference.train[0], reference.test[0]
    if protocol == "fgan":
        return ParzenLogLikelihood(test, protocol="fgan", real=train[:16_384])
    start, stop = VALIDATION
    if len(train) < stop:
        raise ValueError(
            "`dataset` is too small for the measure 'parzen', which chooses the bandwidth on "
            f"train[{start}:{stop}]. Expected {stop} training images, or the measure "
            f"'parzen_fgan'. Received: {len(train)} of dataset={reference.dataset!r}"
        )
    # As many real images as the protocol has samples.
    return ParzenLogLikelihood(test, train[start:stop], real=train[:10_000])


MEASURES = {
    "parzen": lambda data: _parzen(data, "goodfellow"),
    "parzen_fgan": lambda data: _parzen(data, "fgan"),
    "frechet": lambda data: FrechetDistance(data.test[0], **data.features()),
    "kernel": lambda data: KernelDistance(data.test[0], **data.features()),
    "classifier": lambda data: ClassifierScore(data.extractor),
    "conditional_accuracy": lambda data: ConditionalAccuracy(data.extractor),
    "precision_recall": lambda data: PrecisionRecall(data.test[0], **data.features()),
    "memorisation": lambda data: Memorisation(data.train[0], data.test[0]),
    "nearest_neighbour": lambda data: NearestNeighbourError(*data.labelled()),
    "downstream": lambda data: ClassifierAccuracy(*data.labelled()),
    "sliced_wasserstein": lambda data: SlicedWasserstein(data.test[0]),
    "modes": lambda data: ModeCoverage(data.mixture()),
    "stacked_modes": lambda data: StackedModes(data.extractor),
}
# Without a choice: what is quick and means something for such data.
OF_IMAGES = ("frechet", "kernel", "precision_recall", "classifier")
OF_TOYS = ("modes", "sliced_wasserstein", "precision_recall")


def defaults(reference):
    """Names of the measures that suit the data, without being told."""
    if reference.points:
        return OF_TOYS if reference.dataset in toys.TOYS else OF_TOYS[1:]
    return ("stacked_modes",) if reference.dataset == "stacked_mnist" else OF_IMAGES


def get(name, reference):
    """A measure by its name.

    Args:
        name: One of `MEASURES`.
        reference: `Reference`.

    Returns:
        A `Measure`.

    Raises:
        ValueError: If the name is unknown, or the data are not what the measure needs.
    """
    return MEASURES[check_choice(MEASURES, name=name)](reference)


def part(arrays, count, seed=0):
    """`count` examples drawn from everywhere, in their order.

    Folders are ordered by class, and MNIST is in no random order either: the first examples, or
    every sixth, need not be like the rest.

    Args:
        arrays: Arrays of one length, or `None`.
        count: int. No more than there are come back.
        seed: int.

    Returns:
        A list of arrays, and `None` for `None`.
    """
    rows = np.sort(permutation(len(arrays[0]), seed)[:count])
    return [None if array is None else array[rows] for array in arrays]
