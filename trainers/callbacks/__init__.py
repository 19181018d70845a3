"""Keras callbacks for adversarial training."""

from trainers.callbacks.checkpoint import Checkpoint
from trainers.callbacks.health_monitor import HealthMonitor
from trainers.callbacks.sample_grid import SampleGrid
from trainers.callbacks.score import Score

__all__ = ["Checkpoint", "HealthMonitor", "SampleGrid", "Score"]
