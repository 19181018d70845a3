"""Latents in one place: priors, seeded draws, walks, arithmetic, truncation and inversion.

`zoo.random` makes them, `walks` combines them, `inversion` finds those of a given image.
"""

from zoo.latents.inversion import Inversion, invert
from zoo.latents.walks import arithmetic, corners, loop, walk
from zoo.random import (
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
