"""How good the samples are: scores that carry their protocol."""

from evaluation import classifier, extractors
from evaluation.classifier_score import ClassifierScore, classifier_score
from evaluation.downstream import ClassifierAccuracy, NearestNeighbourError
from evaluation.frechet import FrechetDistance, FrechetMetric
from evaluation.kernel_distance import KernelDistance, kernel_distance
from evaluation.known import f_divergence, gaussian_f_divergence, ks_statistic
from evaluation.modes import ModeCoverage, StackedModes
from evaluation.neighbours import Memorisation
from evaluation.parzen import ParzenLogLikelihood, log_likelihood
from evaluation.precision_recall import PrecisionRecall
from evaluation.score import Measure, Score, check_comparable
from evaluation.transport import SlicedWasserstein, sliced_wasserstein, wasserstein

__all__ = [
    "ClassifierAccuracy",
    "ClassifierScore",
    "FrechetDistance",
    "FrechetMetric",
    "KernelDistance",
    "Measure",
    "Memorisation",
    "ModeCoverage",
    "NearestNeighbourError",
    "ParzenLogLikelihood",
    "PrecisionRecall",
    "Score",
    "SlicedWasserstein",
    "StackedModes",
    "check_comparable",
    "classifier",
    "classifier_score",
    "extractors",
    "f_divergence",
    "gaussian_f_divergence",
    "kernel_distance",
    "ks_statistic",
    "log_likelihood",
    "sliced_wasserstein",
    "wasserstein",
]
