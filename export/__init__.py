"""Generators for TensorFlow Serving: SavedModels, and the check that they answer as Python does."""

import zoo.command  # noqa: F401 - First: it keeps TensorFlow quiet when this runs as a command.
from export.saved_model import save

__all__ = ["save"]
