"""Measures by name, with the reference that a dataset gives them."""

import functools
import math
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
from zoo.datasets.image_folder import ImageFolder
from zoo.validation import as_array, as_tuple, check_choice, check_positive, check_seed

# Which shipped extractor knows which data; of a folder, by its name.
EXTRACTORS = {
    "mnist": "mnist",
    "keras:mnist": "mnist",
    "tfds:mnist": "mnist",
    "stacked_mnist": "mnist",
    "keras:fashion_mnist": "fashion_mnist",
    "tfds:fashion_mnist": "fashion_mnist",
    "keras:cifar10": "cifar10",
    "tfds:cifar10": "cifar10",
    "cifar10_jpeg": "cifar10",
}
# What people type for a measure of another name.
ALIASES = {
    "fid": "frechet",
    "frechet_distance": "frechet",
    "kid": "kernel",
    "mmd": "kernel",
    "kernel_distance": "kernel",
    "is": "classifier",
    "inception_score": "classifier",
    "classifier_score": "classifier",
    "precision": "precision_recall",
    "recall": "precision_recall",
    "density": "precision_recall",
    "coverage": "precision_recall",
    "prdc": "precision_recall",
    "wasserstein": "sliced_wasserstein",
    "swd": "sliced_wasserstein",
    "swd2": "sliced_wasserstein",
    "emd": "sliced_wasserstein",
    "modes_covered": "modes",
    "mode_coverage": "modes",
    "kde": "parzen",
    "log_likelihood": "parzen",
    "parzen_log_likelihood": "parzen",
    "1nn": "nearest_neighbour",
    "nearest_neighbor": "nearest_neighbour",
    "knn": "nearest_neighbour",
    "memorization": "memorisation",
    "cas": "downstream",
    "classifier_accuracy": "downstream",
}
QUANTILE = 0.01  # Of the unseen images, how near memorisation is.
VALIDATION = (50_000, 51_000)  # The first 1,000 of train[50000:], where a set has so many.


class Reference:
    """A dataset and an extractor, each read when a measure first asks for it.

    Args:
        dataset: A name of `zoo.datasets`.
        extractor: Name of a shipped extractor, or an `Extractor`. Defaults to that of the dataset.
        examples: int. Points of a toy that stand for the data, or stacks.
        **source: `image_size`, `data_dir`, `skip_unreadable` and the like of
            `zoo.datasets.arrays`.

    Attributes:
        info: The `zoo.datasets.DatasetInfo` of the training data.
        notes: List of sentences that a user has to hear: on what was guessed or replaced.

    Raises:
        ValueError: If the dataset or the extractor is unknown.
    """

    def __init__(self, dataset, extractor=None, examples=10_000, **source):
        self.dataset, self._extractor = str(dataset), extractor
        self._source = {"examples": examples, **source}
        self._data, self.notes = datasets.open(self.dataset, **self._source), []
        self.info = self._data.info

    @functools.cached_property
    def train(self):
        """Training `(images, labels)`."""
        return self._data.arrays()

    @functools.cached_property
    def test(self):
        """Test `(images, labels)`.

        Raises:
            ValueError: If they are a folder's, which has none.
        """
        if not self.has_test:
            raise ValueError(
                "`dataset` has no test images, with which this measure compares. Expected a folder "
                "with the folders train and test in it, or a measure that takes all images for "
                f"data, such as 'sliced_wasserstein'. Received: dataset={self.dataset!r}"
            )
        return datasets.arrays(self.dataset, "test", **self._source)

    @functools.cached_property
    def has_test(self):
        """Whether there are test images: a folder need not have any."""
        if isinstance(self._data, ImageFolder):
            try:
                datasets.info(self.dataset, "test", **self._source)
            except ValueError:  # As the training images could be read, the split is not there.
                return False
        return True

    @functools.cached_property
    def compared(self):
        """What samples are compared with: the test images, or of a folder without any all."""
        if self.has_test:
            return self.test
        self.notes.append(
            f"{self.dataset} has no test images: samples are compared with the {self.info.count} "
            "that a model learns"
        )
        return self.train

    @functools.cached_property
    def extractor(self):
        """The `Extractor`.

        Raises:
            ValueError: If none is named and none is shipped for the data, the name is unknown, or
                it sees images of another shape.
        """
        return self._sees(self.info.sample_shape)

    @functools.cached_property
    def channel_extractor(self):
        """The `Extractor` of one channel alone, as the digits of a stack are; as `extractor`."""
        return self._sees((*self.info.sample_shape[:-1], 1))

    def _sees(self, shape):
        """The extractor that is named, or shipped, which has to see images of a shape."""
        known, found = self._shipped(), self._extractor
        if not isinstance(found, extractors.Extractor):
            if found is None and known is None:
                raise ValueError(
                    "`extractor` is missing: none is shipped for these data. Expected a name, by "
                    "--extractor=NAME (in a training --score_extractor=NAME), such as 'cifar10', "
                    "'inception_v3' for any images, or a dataset of "
                    f"{sorted(EXTRACTORS)}. Received: dataset={self.dataset!r}"
                )
            if found is None and self.dataset not in EXTRACTORS:
                self.notes.append(
                    f"the extractor {known} is taken for {self.dataset}, by the folder's name"
                )
            found = extractors.load(found or known)
            if found.protocol["extractor"] != known:
                self.notes.append(
                    f"the extractor {found.protocol['extractor']} learned other data than "
                    f"{self.dataset}: its features need not tell them apart"
                )
        if not _is_seen(shape, found):
            raise ValueError(
                "`extractor` sees other images than the dataset has. Expected images of shape "
                f"{tuple(found.image_shape)}, or the extractor 'inception_v3', which sees any. "
                f"Received: dataset={self.dataset!r} with {tuple(shape)}"
            )
        return found

    def has_extractor(self):
        """Whether one is named; or one is shipped for the data, and sees images of their shape."""
        known = self._shipped()
        return self._extractor is not None or (
            known is not None and _is_seen(self.info.sample_shape, extractors.load(known))
        )

    def _shipped(self):
        """The name of the extractor that knows the data, or `None`."""
        return EXTRACTORS.get(pathlib.PurePath(self.dataset).name)

    def classes_known(self):
        """The extractor, whose classes have to be those of the data.

        Raises:
            ValueError: If the data have no labels, or the extractor learned other classes.
        """
        self._check_labelled()
        found = self.extractor
        shipped = found.protocol["extractor"] in EXTRACTORS.values()
        other = shipped and found.protocol["extractor"] != self._shipped()
        if other or found.num_classes != self.info.num_classes:
            raise ValueError(
                "`extractor` learned other classes than the dataset has. Expected an extractor of "
                f"its {self.info.num_classes} classes. Received: extractor "
                f"{found.protocol['extractor']!r} of {found.num_classes} classes, "
                f"dataset={self.dataset!r}"
            )
        return found

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
        self._check_labelled()
        return self.test

    def _check_labelled(self):
        if self.info.num_classes is None:
            raise ValueError(
                "`dataset` has no labels. Expected a labelled one for a measure of labelled "
                f"samples. Received: dataset={self.dataset!r}"
            )

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


def _is_seen(shape, extractor):
    """Whether an extractor sees images of a shape."""
    seen = extractor.image_shape
    return len(shape) == len(seen) and all(
        side in (None, own) for side, own in zip(seen, shape, strict=True)
    )


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


def _memorisation(reference):
    count, least = len(reference.test[0]), math.ceil(1.0 / QUANTILE)
    if count < least:
        raise ValueError(
            "`dataset` has too few test images for the measure 'memorisation', which asks how near "
            f"to a training image one of {least} unseen images lies. Expected at least {least} of "
            f"them. Received: {count} of dataset={reference.dataset!r}"
        )
    return Memorisation(reference.train[0], reference.test[0], quantile=QUANTILE)


MEASURES = {
    "parzen": lambda data: _parzen(data, "goodfellow"),
    "parzen_fgan": lambda data: _parzen(data, "fgan"),
    "frechet": lambda data: FrechetDistance(data.compared[0], **data.features()),
    "kernel": lambda data: KernelDistance(data.compared[0], **data.features()),
    "classifier": lambda data: ClassifierScore(data.extractor),
    "conditional_accuracy": lambda data: ConditionalAccuracy(data.classes_known()),
    "precision_recall": lambda data: PrecisionRecall(data.compared[0], **data.features()),
    "memorisation": _memorisation,
    "nearest_neighbour": lambda data: NearestNeighbourError(*data.labelled()),
    "downstream": lambda data: ClassifierAccuracy(*data.labelled()),
    "sliced_wasserstein": lambda data: SlicedWasserstein(data.compared[0]),
    "modes": lambda data: ModeCoverage(data.mixture()),
    "stacked_modes": lambda data: StackedModes(data.channel_extractor),
}
# Without a choice: what is quick and means something for such data.
OF_IMAGES = ("frechet", "kernel", "precision_recall", "classifier")
WITHOUT_EXTRACTOR = ("sliced_wasserstein", "parzen_fgan")
OF_TOYS = ("modes", "sliced_wasserstein", "precision_recall")


def defaults(reference):
    """Names of the measures that suit the data, without being told.

    Images that no extractor knows are measured by those that need none, and a note says so.
    """
    if reference.points:
        return OF_TOYS if reference.dataset in toys.TOYS else OF_TOYS[1:]
    if reference.dataset == "stacked_mnist":
        return ("stacked_modes",)
    if reference.has_extractor():
        return OF_IMAGES
    reference.notes.append(
        f"no extractor is shipped for {reference.dataset} of shape {reference.info.sample_shape}: "
        f"{', '.join(OF_IMAGES)} need one, which --extractor names, such as inception_v3 for any "
        "images"
    )
    # The likelihood is that of test images.
    return WITHOUT_EXTRACTOR if reference.has_test else WITHOUT_EXTRACTOR[:1]


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
    check_name(name=name)
    return MEASURES[name](reference)


def check_name(**argument):
    """Raises a `ValueError` unless an argument is the name of a measure, and says which is meant.

    Another name is no measure of its own: who asks for the FID means the features of one network.
    """
    check_choice(MEASURES, aliases=ALIASES, **argument)


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
    arrays = as_tuple(arrays=arrays)
    arrays = [None if array is None else as_array(arrays=array) for array in arrays]
    lengths = {array.shape[:1] for array in arrays if array is not None}
    if not arrays or arrays[0] is None or len(lengths) != 1 or () in lengths:
        raise ValueError(
            "`arrays` are no arrays of one length. Expected one or several (n, ...), or `None` "
            f"behind the first. Received: lengths {sorted(lengths)}"
        )
    check_positive(count=count)
    check_seed(seed)
    rows = np.sort(permutation(len(arrays[0]), seed)[:count])
    return [None if array is None else array[rows] for array in arrays]
