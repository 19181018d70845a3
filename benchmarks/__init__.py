"""Speed, as ratios in one run."""

import zoo.command  # noqa: F401 - First: it keeps TensorFlow quiet when this runs as a command.
