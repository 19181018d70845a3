"""Calls of latents, toys, pixels, pictures and neighbours."""

import numpy as np

import zoo
from tests.fuzz.arguments import (
    IMAGES,
    LATENT,
    OTHERS,
    POINTS,
    Call,
    is_finite,
    net,
    shape_of,
    some_points,
)


def calls():
    yield (
        "latents.walk",
        Call(
            zoo.latents.walk,
            {"a": LATENT, "b": -LATENT, "steps": 4, "mode": "spherical", "prior": "normal"},
            lambda r, a: shape_of(r)[0] == a["steps"] and is_finite(r, a),
        ),
    )
    yield (
        "latents.corners",
        Call(
            zoo.latents.corners,
            {"a": LATENT, "b": -LATENT, "c": LATENT, "d": 2 * LATENT, "rows": 3, "columns": 4},
            lambda r, a: shape_of(r)[:2] == (a["rows"], a["columns"]) and is_finite(r, a),
        ),
    )
    yield (
        "latents.loop",
        Call(
            zoo.latents.loop,
            {"latents": some_points(3, 3), "steps": 3, "mode": "linear"},
            is_finite,
        ),
    )
    yield (
        "latents.arithmetic",
        Call(
            zoo.latents.arithmetic,
            {"a": LATENT, "b": LATENT, "c": -LATENT, "rescale": True},
            is_finite,
        ),
    )
    yield (
        "latents.normal",
        Call(
            zoo.latents.normal,
            {"shape": (3, 2), "seed": (0, 1)},
            lambda r, a: shape_of(r) == tuple(np.reshape(a["shape"], -1)) and is_finite(r, a),
        ),
    )
    yield (
        "latents.truncated_normal",
        Call(
            zoo.latents.truncated_normal, {"shape": (3, 2), "seed": (0, 1), "limit": 1.5}, is_finite
        ),
    )
    yield (
        "latents.uniform",
        Call(
            zoo.latents.uniform,
            {"shape": (3, 2), "seed": (0, 1), "low": -1.0, "high": 2.0, "dtype": "float32"},
            is_finite,
        ),
    )
    yield (
        "latents.fold",
        Call(zoo.latents.fold, {"seed": (0, 1)}, lambda r, a: shape_of(r)[-1] == 2),
    )
    yield (
        "latents.draw",
        Call(
            zoo.latents.draw,
            {"prior": "normal", "count": 3, "latent_dim": 2, "seed": (0, 1), "truncation": 1.0},
            lambda r, a: shape_of(r) == (a["count"], a["latent_dim"]) and is_finite(r, a),
        ),
    )
    yield (
        "latents.draw_rows",
        Call(
            zoo.latents.draw_rows,
            {"prior": "uniform", "latent_dim": 2, "seeds": [1, 2], "truncation": 1.0},
            is_finite,
        ),
    )
    yield (
        "latents.from_seed",
        Call(
            zoo.latents.from_seed,
            {"prior": "normal", "count": 3, "latent_dim": 2, "seed": 0, "truncation": 1.0},
            lambda r, a: shape_of(r) == (a["count"], a["latent_dim"]) and is_finite(r, a),
        ),
    )
    yield (
        "latents.invert",
        Call(
            zoo.latents.invert,
            {
                "generator": net("pictures"),
                "images": IMAGES[:2],
                "labels": None,
                "starts": 1,
                "steps": 2,
                "seed": 0,
                "batch_size": 4,
                "value_range": (-1, 1),
            },
            lambda r, a: np.all(np.isfinite(r.mse)),
        ),
    )
    yield (
        "toys.Mixture",
        Call(
            zoo.toys.Mixture,
            {"centres": [[0.0], [1.0]], "scales": 0.5, "weights": [0.5, 0.5], "name": "two"},
            lambda r, a: np.isclose(r.weights.sum(), 1) and np.all(np.isfinite(r.centres)),
        ),
    )
    yield (
        "toys.Mixture.sample",
        Call(
            zoo.toys.ring().sample,
            {"count": 3, "seed": 0},
            lambda r, a: shape_of(r) == (a["count"], 2) and is_finite(r, a),
        ),
    )
    yield "toys.Mixture.log_density", Call(zoo.toys.ring().log_density, {"points": POINTS})
    yield (
        "toys.ring",
        Call(
            zoo.toys.ring,
            {"modes": 3, "radius": 1.0, "scale": 0.1},
            lambda r, a: len(r.centres) == a["modes"],
        ),
    )
    yield (
        "toys.grid",
        Call(
            zoo.toys.grid,
            {"side": 3, "spacing": 1.0, "scale": 0.1},
            lambda r, a: len(r.centres) == a["side"] ** 2,
        ),
    )
    yield (
        "toys.normal",
        Call(
            zoo.toys.normal,
            {"mean": 0.5, "scale": 1.0},
            lambda r, a: np.all(np.isfinite(r.centres)),
        ),
    )
    yield "toys.get", Call(zoo.toys.get, {"name": "ring", "modes": 3})
    yield (
        "pixels.to_unit",
        Call(zoo.pixels.to_unit, {"images": POINTS, "value_range": (-1, 1)}, is_finite),
    )
    yield "pixels.to_pixels", Call(zoo.pixels.to_pixels, {"unit": np.abs(np.tanh(POINTS))})
    yield (
        "pixels.from_pixels",
        Call(zoo.pixels.from_pixels, {"images": IMAGES, "value_range": (-1, 1)}, is_finite),
    )
    yield (
        "pictures.draw",
        Call(zoo.pictures.draw, {"samples": IMAGES, "columns": 3, "real": None, "limits": None}),
    )
    yield (
        "pictures.draw points",
        Call(zoo.pictures.draw, {"samples": POINTS, "real": OTHERS, "limits": (-1.0, 1.0)}),
    )
    yield "pictures.enlarge", Call(zoo.pictures.enlarge, {"picture": IMAGES[0], "scale": 2})
    yield (
        "pictures.framed",
        Call(zoo.pictures.framed, {"images": IMAGES, "color": (255, 0, 0), "thickness": 1}),
    )
    yield (
        "pictures.grid",
        Call(zoo.pictures.grid, {"images": IMAGES, "columns": 3, "padding": 1, "background": 255}),
    )
    yield (
        "pictures.points",
        Call(
            zoo.pictures.points,
            {"samples": POINTS, "real": OTHERS, "limits": (-1.0, 1.0), "size": (48, 48)},
        ),
    )
    yield (
        "neighbours.nearest",
        Call(
            zoo.neighbours.nearest,
            {"samples": IMAGES[:3], "images": IMAGES, "k": 2},
            lambda r, a: shape_of(r[0])[1] == a["k"],
        ),
    )
    yield (
        "neighbours.figure",
        Call(
            zoo.neighbours.figure,
            {"samples": IMAGES.reshape(4, 3, 8, 8, 1), "neighbours": IMAGES[:4]},
        ),
    )
