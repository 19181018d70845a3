"""One training as a folder: its settings, its recipe, its report, and the preset it becomes."""
