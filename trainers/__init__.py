"""How they play: trainers, objectives and callbacks."""

import zoo.command  # noqa: F401 - First: it keeps TensorFlow quiet when this runs as a command.
from trainers import objectives, penalties, perturbations
from trainers.callbacks import Checkpoint, SampleGrid
from trainers.gan import GAN

__all__ = ["GAN", "Checkpoint", "SampleGrid", "objectives", "penalties", "perturbations"]
