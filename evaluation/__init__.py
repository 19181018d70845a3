"""How good the samples are: scores that carry their protocol."""

from gan_zoo import siblings

siblings.claim("zoo")  # First: the imports below are of the packages beside this one.

import zoo.command  # noqa: F401 - It keeps TensorFlow quiet when this runs as a command.
from evaluation import classifier, confidence_intervals, extractors, measures
from evaluation.classifier_score import ClassifierScore, ClassifierScoreMetric
from evaluation.conditional_accuracy import ConditionalAccuracy
from evaluation.downstream import ClassifierAccuracy, NearestNeighbourError
from evaluation.exact_divergences import f_divergence, gaussian_f_divergence
from evaluation.frechet import FrechetDistance, FrechetMetric
from evaluation.kernel_distance import KernelDistance
from evaluation.kolmogorov import ks_distances, ks_statistic
from evaluation.memorisation import Memorisation
from evaluation.modes import ModeCoverage, StackedModes
from evaluation.moments import Moments
from evaluation.parzen import ParzenLogLikelihood
from evaluation.parzen_windows import log_likelihood
from evaluation.precision_recall import PrecisionRecall
from evaluation.score import Measure, Score, check_comparable
from evaluation.transport import SlicedWasserstein, sliced_wasserstein, wasserstein

__all__ = [
    "ClassifierAccuracy",
    "ClassifierScore",
    "ClassifierScoreMetric",
    "ConditionalAccuracy",
    "FrechetDistance",
    "FrechetMetric",
    "KernelDistance",
    "Measure",
    "Memorisation",
    "ModeCoverage",
    "Moments",
    "NearestNeighbourError",
    "ParzenLogLikelihood",
    "PrecisionRecall",
    "Score",
    "SlicedWasserstein",
    "StackedModes",
    "check_comparable",
    "classifier",
    "confidence_intervals",
    "extractors",
    "f_divergence",
    "gaussian_f_divergence",
    "ks_distances",
    "ks_statistic",
    "log_likelihood",
    "measures",
    "sliced_wasserstein",
    "wasserstein",
]


def __dir__():
    return sorted(__all__)
