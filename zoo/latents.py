"""Latents in one place: priors, seeded draws, walks, arithmetic, truncation and inversion.

`zoo.draws` makes them, `zoo.walks` combines them, `zoo.inversion` finds those of a given image.
"""

from zoo.draws import (
    PRIORS,
    UNIFORM_LIMIT,
    check_prior,
    draw,
    draw_rows,
    fold,
    from_seed,
    normal,
    truncated_normal,
    uniform,
)
from zoo.inversion import Inversion, invert
from zoo.walks import arithmetic, corners, loop, walk

__all__ = [
    "PRIORS",
    "UNIFORM_LIMIT",
    "Inversion",
    "arithmetic",
    "check_prior",
    "corners",
    "draw",
    "draw_rows",
    "fold",
    "from_seed",
    "invert",
    "loop",
    "normal",
    "truncated_normal",
    "uniform",
    "walk",
]
