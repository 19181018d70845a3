"""Pictures of samples: a picture is a uint8 array of shape `(height, width, 1 or 3)`.

`drawing` makes them, `files` writes them.
"""

from zoo.pictures.drawing import FRAME, PAPER, draw, enlarge, framed, grid, points
from zoo.pictures.files import (
    check_animation,
    check_png,
    save_animation,
    save_grid,
    save_png,
)

__all__ = [
    "FRAME",
    "PAPER",
    "check_animation",
    "check_png",
    "draw",
    "enlarge",
    "framed",
    "grid",
    "points",
    "save_animation",
    "save_grid",
    "save_png",
]
