"""How they play: trainers, objectives and callbacks."""

from gan_zoo import siblings

siblings.claim("zoo", "evaluation")  # First: the imports below are of the packages beside this one.

import zoo.command  # noqa: F401 - It keeps TensorFlow quiet when this runs as a command.
from trainers import divergences, objectives, penalties, perturbations, stopping
from trainers.callbacks.checkpoint import Checkpoint
from trainers.callbacks.health_monitor import HealthMonitor
from trainers.callbacks.sample_grid import SampleGrid
from trainers.callbacks.score import Score
from trainers.consensus import ConsensusGAN
from trainers.divergence_estimation import estimate_divergence
from trainers.ensemble import GANEnsemble
from trainers.feature_matching import FeatureMatchingGAN
from trainers.fgan import FGAN
from trainers.gan import GAN
from trainers.historical_averaging import HistoricalAveragingGAN
from trainers.laplacian import LaplacianGAN
from trainers.optimal_discriminator import optimal_discriminator
from trainers.replication import Replication, replicate
from trainers.unrolled import UnrolledGAN
from trainers.wasserstein import WassersteinGAN, WassersteinGANGP

__all__ = [
    "FGAN",
    "GAN",
    "GANEnsemble",
    "Checkpoint",
    "ConsensusGAN",
    "FeatureMatchingGAN",
    "HealthMonitor",
    "HistoricalAveragingGAN",
    "LaplacianGAN",
    "Replication",
    "SampleGrid",
    "Score",
    "UnrolledGAN",
    "WassersteinGAN",
    "WassersteinGANGP",
    "divergences",
    "estimate_divergence",
    "objectives",
    "optimal_discriminator",
    "penalties",
    "perturbations",
    "replicate",
    "stopping",
]


def __dir__():
    return sorted(__all__)
