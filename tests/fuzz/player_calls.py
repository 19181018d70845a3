"""Calls of players and their families, layers and data."""

import keras

import zoo
from tests.fuzz.arguments import (
    IMAGES,
    POINTS,
    SHAPES,
    WIDE,
    Call,
    is_finite,
    is_player,
    net,
    shape_of,
    simulate,
    some_labels,
    some_points,
)
from zoo import constraints


def players():
    yield (
        "players.sample",
        Call(
            zoo.players.sample,
            {
                "generator": net("labelled"),
                "count": 3,
                "labels": [0, 1, 2],
                "seed": 0,
                "truncation": 1.0,
                "batch_size": 2,
                "as_float": False,
                "value_range": "auto",
                "conditions": None,
            },
            lambda r, a: shape_of(r) == (a["count"], 2) and is_finite(r, a),
        ),
    )
    yield (
        "players.decode",
        Call(
            zoo.players.decode,
            {
                "generator": net("labelled"),
                "latents": some_points(3, 3),
                "labels": [0, 1, 2],
                "batch_size": 2,
                "as_float": False,
                "value_range": "auto",
            },
            lambda r, a: shape_of(r)[1:] == (2,) and is_finite(r, a),
        ),
    )
    yield (
        "players.generate",
        Call(
            zoo.players.generate,
            {
                "generator": net("labelled"),
                "latents": some_points(3, 3),
                "labels": [0, 1, 2],
            },
            lambda r, a: shape_of(r)[1:] == (2,) and is_finite(r, a),
        ),
    )
    yield (
        "players.discriminate",
        Call(
            zoo.players.discriminate,
            {
                "discriminator": net("discriminator"),
                "images": POINTS[:3],
                "labels": None,
            },
            lambda r, a: len(shape_of(r[0])) == 1 and is_finite(r[0], a),
        ),
    )
    yield (
        "players.traits",
        Call(zoo.players.traits, {"generator": net("generator"), "value_range": "auto"}),
    )
    yield (
        "players.sample_shape",
        Call(zoo.players.sample_shape, {"discriminator": net("discriminator")}),
    )
    yield (
        "players.check_labels",
        Call(zoo.players.check_labels, {"labels": [0, 1, 2], "num_classes": 3, "count": 3}),
    )
    yield (
        "datasets.from_arrays",
        Call(
            lambda **k: next(iter(zoo.datasets.from_arrays(**k))),
            {
                "images": IMAGES,
                "labels": some_labels(),
                "batch_size": 4,
                "seed": 0,
                "shuffle": True,
                "drop_remainder": None,
                "repeat": False,
                "start_step": 0,
            },
        ),
    )
    yield (
        "datasets.load",
        Call(
            lambda **k: next(iter(zoo.datasets.load(**k))),
            {
                "name": "ring",
                "split": "train",
                "batch_size": 4,
                "seed": 0,
                "shuffle": True,
                "labels": True,
                "drop_remainder": None,
                "repeat": False,
                "start_step": 0,
                "examples": 100,
            },
        ),
    )
    yield (
        "datasets.arrays",
        Call(
            zoo.datasets.arrays, {"name": "ring", "split": "test", "labels": True, "examples": 100}
        ),
    )
    yield "datasets.info", Call(zoo.datasets.info, {"name": "mnist", "split": "train"})
    yield (
        "Simulator",
        Call(
            zoo.Simulator,
            {
                "function": simulate,
                "parameters": {"mu": 1.0},
                "sample_shape": (2,),
                "latent_dim": 2,
                "prior": "normal",
                "gradient": "score",
                "scale": 0.1,
                "bounds": {"mu": (0.0, None)},
                "dtype": None,
            },
            is_player,
        ),
    )
    yield (
        "constraints.coordinates",
        Call(constraints.coordinates, {"parameters": {"a": 1.0}, "bounds": {"a": (0.0, 2.0)}}),
    )


def families():
    labelled = {"num_classes": 3, "conditioning": "concat", "dtype": None, "num_conditions": None}
    own = {
        zoo.MLPGenerator: {
            "image_shape": (2,),
            "latent_dim": 3,
            "units": (4,),
            "activation": "relu",
            "output_activation": "tanh",
            "batch_normalization": False,
            "kernel_initializer": None,
            "prior": "normal",
        },
        zoo.MLPDiscriminator: {
            "image_shape": (2,),
            "units": (4,),
            "activation": "maxout",
            "pieces": 2,
            "input_dropout": 0.1,
            "dropout": 0.1,
            "kernel_initializer": None,
        },
        zoo.DCGANGenerator: {
            **SHAPES,
            "latent_dim": 3,
            "filters": 2,
            "kernel_size": 5,
            "units": (4,),
            "prior": "normal",
        },
        zoo.DCGANDiscriminator: {
            **SHAPES,
            "filters": 2,
            "kernel_size": 5,
            "units": (4,),
            "negative_slope": 0.2,
            "batch_normalization": True,
        },
        zoo.ResNetGenerator: {**WIDE, "latent_dim": 3, "filters": 2, "max_filters": 4},
        zoo.ResNetDiscriminator: {
            **WIDE,
            "filters": 2,
            "max_filters": 4,
            "spectral_normalization": True,
        },
        zoo.R3GANGenerator: {
            **WIDE,
            "latent_dim": 3,
            "filters": 4,
            "blocks": 1,
            "group_width": 2,
            "prior": "normal",
        },
        zoo.R3GANDiscriminator: {**WIDE, "filters": 4, "blocks": 1, "group_width": 2},
        zoo.LaplacianGenerator: {
            **SHAPES,
            "levels": 2,
            "latent_dim": 3,
            "filters": 2,
            "units": (4,),
            "prior": "uniform",
        },
        zoo.LaplacianDiscriminator: {
            **SHAPES,
            "levels": 2,
            "filters": 2,
            "units": (4,),
            "dropout": 0.1,
            "negative_slope": 0.2,
        },
    }
    for cls, arguments in own.items():
        more = dict(labelled)
        if "Laplacian" in cls.__name__:
            del more["conditioning"]
        yield cls.__name__, Call(cls, {**arguments, **more}, is_player)
    yield (
        "VAE",
        Call(
            zoo.VAE,
            {
                "image_shape": (4, 4, 1),
                "latent_dim": 2,
                "units": (3,),
                "likelihood": "gaussian",
                "scale": 0.1,
                "seed": 0,
            },
            is_player,
        ),
    )


def layers():
    def on(cls, inputs):
        return lambda **arguments: cls(**arguments)(inputs)

    rows = some_points(6, 4)
    own = {
        zoo.layers.Maxout: {"units": 3, "pieces": 2, "kernel_initializer": "zeros"},
        zoo.layers.MinibatchDiscrimination: {"kernels": 3, "dims": 2},
        zoo.layers.VirtualBatchNormalization: {"reference_size": 2, "epsilon": 1e-5},
        zoo.layers.ReferenceBatch: {"size": 2, "initializer": None},
    }
    for cls, arguments in own.items():
        yield f"layers.{cls.__name__}", Call(on(cls, rows), arguments, is_finite)

    def wrapped(cls):
        return lambda layer="dense", **k: cls(
            keras.layers.Dense(3) if isinstance(layer, str) else layer, **k
        )(rows)

    yield (
        "layers.SpectralNormalization",
        Call(
            wrapped(zoo.SpectralNormalization), {"layer": "dense", "power_iterations": 1}, is_finite
        ),
    )
    yield (
        "layers.WeightNormalization",
        Call(wrapped(zoo.WeightNormalization), {"layer": "dense"}, is_finite),
    )
