"""Figures and tables of the literature, made again."""

import zoo.command  # noqa: F401 - First: it keeps TensorFlow quiet when this runs as a command.
