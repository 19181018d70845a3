"""How they play: trainers, objectives and callbacks."""

import zoo.command  # noqa: F401 - First: it keeps TensorFlow quiet when this runs as a command.
from trainers import objectives, penalties, perturbations
from trainers.callbacks import Checkpoint, SampleGrid
from trainers.consensus import ConsensusGAN
from trainers.gan import GAN
from trainers.unrolled import UnrolledGAN

__all__ = [
    "GAN",
    "Checkpoint",
    "ConsensusGAN",
    "SampleGrid",
    "UnrolledGAN",
    "objectives",
    "penalties",
    "perturbations",
]
