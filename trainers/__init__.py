"""How they play: trainers, objectives and callbacks."""

from trainers import objectives
from trainers.gan import GAN

__all__ = ["GAN", "objectives"]
