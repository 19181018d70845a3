"""How they play: trainers, objectives and callbacks."""

import zoo.command  # noqa: F401 - First: it keeps TensorFlow quiet when this runs as a command.
from trainers import divergences, objectives, penalties, perturbations
from trainers.callbacks import Checkpoint, SampleGrid
from trainers.consensus import ConsensusGAN
from trainers.fgan import FGAN, estimate_divergence
from trainers.gan import GAN
from trainers.unrolled import UnrolledGAN

__all__ = [
    "FGAN",
    "GAN",
    "Checkpoint",
    "ConsensusGAN",
    "SampleGrid",
    "UnrolledGAN",
    "divergences",
    "estimate_divergence",
    "objectives",
    "penalties",
    "perturbations",
]
