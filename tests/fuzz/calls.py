"""The public callables with arguments that are right, and values that mostly are not."""

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import evaluation
import trainers
import zoo
from zoo import constraints

ODD = (
    None,
    True,
    -1,
    0,
    1,
    2.5,
    float("nan"),
    float("inf"),
    10**9,
    10**12,
    2**63,
    10**30,
    "x",
    "",
    b"x",
    (),
    (3,),
    (0,),
    (-1, 2),
    (1.5,),
    (10**9,),
    ("x", "y"),
    [[1, 2], [3]],
    {},
    {"a": 1},
    object(),
    len,
    1j,
    np.int64(2),
    np.float32(0.5),
    np.array(2),
    np.zeros(0, "float32"),
    np.zeros((0, 2), "float32"),
    np.ones((2, 3), "float32"),
    np.full((4, 2), np.nan, "float32"),
    np.ones((3, 2), "int8"),
    np.full((4, 2), 1e30),
    np.array(["x", "y"]),
    np.array([object(), None]),
    np.ones((2, 2), "complex64"),
    np.ones((3, 8, 8, 1), "uint8"),
    tf.constant(2),
    tf.ones((4, 2)),
)


@dataclasses.dataclass(frozen=True)
class Call:
    """A callable, right values of its arguments, and what is true of every result."""

    function: Callable
    arguments: dict
    holds: Callable = lambda result, given: True


def _points(count=40, dim=2, seed=0):
    return np.random.default_rng(seed).normal(size=(count, dim)).astype("float32")


def _images(count=12, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 1)).astype("uint8")


def _labels(count=12):
    return np.arange(count) % 3


@functools.cache
def _net(kind):
    if kind == "generator":
        return zoo.MLPGenerator((2,), 3, (4,), output_activation="linear", prior="normal")
    if kind == "pictures":
        return zoo.DCGANGenerator((8, 8, 1), 3, 2)
    if kind == "labelled":
        return zoo.MLPGenerator((2,), 3, (4,), output_activation="linear", num_classes=3)
    if kind == "discriminator":
        return zoo.MLPDiscriminator((2,), (4,), pieces=2)
    if kind == "extractor":
        net = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(4, name="features"),
                keras.layers.Dense(3),
            ]
        )
        return evaluation.extractors.Extractor(net, name="small")
    raise KeyError(kind)


def _shape(result):
    return tuple(np.shape(result))


def _finite(result, given):
    """Whether a result is finite, or nothing finite was given."""
    if any(_is_wild(value) for value in given.values()):
        return True
    return bool(np.all(np.isfinite(np.asarray(result, "float64"))))


def _is_wild(value):
    try:
        array = np.asarray(value, "float64")
    except (TypeError, ValueError, OverflowError):
        return False
    return not np.all(np.abs(array) < 1e20)


def _score(result, given):
    return isinstance(result, evaluation.Score) and np.isfinite(result.value)


def _measured(cls, given_samples, **fixed):
    """A measure that is made and asked at once."""

    def measure(samples, labels=None, **arguments):
        return cls(**arguments).evaluate(samples, labels)

    return measure


def _player(result, given):
    return all(np.all(np.isfinite(w)) for w in result.get_weights())


def _log_normal(x):
    return -0.5 * x * x - 0.5 * np.log(2 * np.pi)


def _simulate(parameters, latents):
    return parameters["mu"] + latents


def _mean(x):
    return np.mean(x, axis=-1)


def _prob(x):
    return 0.5 * (1 + np.tanh(x))


POINTS, OTHERS, IMAGES = _points(), _points(40, 2, 1), _images()
LATENT = np.array([0.5, -1.0, 0.25], "float32")
GENERATED = {
    "generator": lambda: _net("generator"),
}
SHAPES, WIDE = {"image_shape": (8, 8, 1)}, {"image_shape": (28, 28, 1)}


def _calls():
    v = evaluation.confidence_intervals
    yield (
        "latents.walk",
        Call(
            zoo.latents.walk,
            {"a": LATENT, "b": -LATENT, "steps": 4, "mode": "spherical", "prior": "normal"},
            lambda r, a: _shape(r)[0] == a["steps"] and _finite(r, a),
        ),
    )
    yield (
        "latents.corners",
        Call(
            zoo.latents.corners,
            {"a": LATENT, "b": -LATENT, "c": LATENT, "d": 2 * LATENT, "rows": 3, "columns": 4},
            lambda r, a: _shape(r)[:2] == (a["rows"], a["columns"]) and _finite(r, a),
        ),
    )
    yield (
        "latents.loop",
        Call(zoo.latents.loop, {"latents": _points(3, 3), "steps": 3, "mode": "linear"}, _finite),
    )
    yield (
        "latents.arithmetic",
        Call(
            zoo.latents.arithmetic,
            {"a": LATENT, "b": LATENT, "c": -LATENT, "rescale": True},
            _finite,
        ),
    )
    yield (
        "latents.normal",
        Call(
            zoo.latents.normal,
            {"shape": (3, 2), "seed": (0, 1)},
            lambda r, a: _shape(r) == tuple(np.reshape(a["shape"], -1)) and _finite(r, a),
        ),
    )
    yield (
        "latents.truncated_normal",
        Call(
            zoo.latents.truncated_normal, {"shape": (3, 2), "seed": (0, 1), "limit": 1.5}, _finite
        ),
    )
    yield (
        "latents.uniform",
        Call(
            zoo.latents.uniform,
            {"shape": (3, 2), "seed": (0, 1), "low": -1.0, "high": 2.0, "dtype": "float32"},
            _finite,
        ),
    )
    yield "latents.fold", Call(zoo.latents.fold, {"seed": (0, 1)}, lambda r, a: _shape(r)[-1] == 2)
    yield (
        "latents.draw",
        Call(
            zoo.latents.draw,
            {"prior": "normal", "count": 3, "latent_dim": 2, "seed": (0, 1), "truncation": 1.0},
            lambda r, a: _shape(r) == (a["count"], a["latent_dim"]) and _finite(r, a),
        ),
    )
    yield (
        "latents.draw_rows",
        Call(
            zoo.latents.draw_rows,
            {"prior": "uniform", "latent_dim": 2, "seeds": [1, 2], "truncation": 1.0},
            _finite,
        ),
    )
    yield (
        "latents.from_seed",
        Call(
            zoo.latents.from_seed,
            {"prior": "normal", "count": 3, "latent_dim": 2, "seed": 0, "truncation": 1.0},
            lambda r, a: _shape(r) == (a["count"], a["latent_dim"]) and _finite(r, a),
        ),
    )
    yield (
        "latents.invert",
        Call(
            zoo.latents.invert,
            {
                "generator": _net("pictures"),
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
            lambda r, a: _shape(r) == (a["count"], 2) and _finite(r, a),
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
        Call(zoo.pixels.to_unit, {"images": POINTS, "value_range": (-1, 1)}, _finite),
    )
    yield "pixels.to_pixels", Call(zoo.pixels.to_pixels, {"unit": np.abs(np.tanh(POINTS))})
    yield (
        "pixels.from_pixels",
        Call(zoo.pixels.from_pixels, {"images": IMAGES, "value_range": (-1, 1)}, _finite),
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
            lambda r, a: _shape(r[0])[1] == a["k"],
        ),
    )
    yield (
        "neighbours.figure",
        Call(
            zoo.neighbours.figure,
            {"samples": IMAGES.reshape(4, 3, 8, 8, 1), "neighbours": IMAGES[:4]},
        ),
    )
    yield (
        "players.sample",
        Call(
            zoo.players.sample,
            {
                "generator": _net("labelled"),
                "count": 3,
                "labels": [0, 1, 2],
                "seed": 0,
                "truncation": 1.0,
                "batch_size": 2,
                "as_float": False,
                "value_range": "auto",
                "conditions": None,
            },
            lambda r, a: _shape(r) == (a["count"], 2) and _finite(r, a),
        ),
    )
    yield (
        "players.decode",
        Call(
            zoo.players.decode,
            {
                "generator": _net("labelled"),
                "latents": _points(3, 3),
                "labels": [0, 1, 2],
                "batch_size": 2,
                "as_float": False,
                "value_range": "auto",
            },
            lambda r, a: _shape(r)[1:] == (2,) and _finite(r, a),
        ),
    )
    yield (
        "players.generate",
        Call(
            zoo.players.generate,
            {
                "generator": _net("labelled"),
                "latents": _points(3, 3),
                "labels": [0, 1, 2],
            },
            lambda r, a: _shape(r)[1:] == (2,) and _finite(r, a),
        ),
    )
    yield (
        "players.discriminate",
        Call(
            zoo.players.discriminate,
            {
                "discriminator": _net("discriminator"),
                "images": POINTS[:3],
                "labels": None,
            },
            lambda r, a: len(_shape(r[0])) == 1 and _finite(r[0], a),
        ),
    )
    yield (
        "players.traits",
        Call(zoo.players.traits, {"generator": _net("generator"), "value_range": "auto"}),
    )
    yield (
        "players.sample_shape",
        Call(zoo.players.sample_shape, {"discriminator": _net("discriminator")}),
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
                "labels": _labels(),
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
    yield from _players()
    yield from _layers()
    yield (
        "Simulator",
        Call(
            zoo.Simulator,
            {
                "function": _simulate,
                "parameters": {"mu": 1.0},
                "sample_shape": (2,),
                "latent_dim": 2,
                "prior": "normal",
                "gradient": "score",
                "scale": 0.1,
                "bounds": {"mu": (0.0, None)},
                "dtype": None,
            },
            _player,
        ),
    )
    yield (
        "constraints.coordinates",
        Call(constraints.coordinates, {"parameters": {"a": 1.0}, "bounds": {"a": (0.0, 2.0)}}),
    )
    yield from _measures()
    yield from _numbers(v)
    yield from _trainers()


def _players():
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
        yield cls.__name__, Call(cls, {**arguments, **more}, _player)
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
            _player,
        ),
    )


def _layers():
    def on(cls, inputs):
        return lambda **arguments: cls(**arguments)(inputs)

    rows = _points(6, 4)
    own = {
        zoo.layers.Maxout: {"units": 3, "pieces": 2, "kernel_initializer": "zeros"},
        zoo.layers.MinibatchDiscrimination: {"kernels": 3, "dims": 2},
        zoo.layers.VirtualBatchNormalization: {"reference_size": 2, "epsilon": 1e-5},
        zoo.layers.ReferenceBatch: {"size": 2, "initializer": None},
    }
    for cls, arguments in own.items():
        yield f"layers.{cls.__name__}", Call(on(cls, rows), arguments, _finite)

    def wrapped(cls):
        return lambda layer="dense", **k: cls(
            keras.layers.Dense(3) if isinstance(layer, str) else layer, **k
        )(rows)

    yield (
        "layers.SpectralNormalization",
        Call(
            wrapped(zoo.SpectralNormalization), {"layer": "dense", "power_iterations": 1}, _finite
        ),
    )
    yield (
        "layers.WeightNormalization",
        Call(wrapped(zoo.WeightNormalization), {"layer": "dense"}, _finite),
    )


def _measures():
    images, labels = {"images": IMAGES}, {"labels": _labels()}
    e = evaluation
    extractor = {"extractor": _net("extractor")}
    yield (
        "evaluation.Memorisation",
        Call(
            _measured(e.Memorisation, None),
            {
                **images,
                "held_out": _images(12, 1),
                "extractor": None,
                "quantile": 0.2,
                "samples": IMAGES,
            },
            _score,
        ),
    )
    yield (
        "evaluation.NearestNeighbourError",
        Call(
            lambda images, truth, samples, labels: e.NearestNeighbourError(images, truth).evaluate(
                samples, labels
            ),
            {**images, "truth": _labels(), "samples": _images(12, 1), **labels},
            _score,
        ),
    )
    yield (
        "evaluation.ClassifierAccuracy",
        Call(
            e.ClassifierAccuracy,
            {**images, **labels, "num_classes": 3, "seed": 0, "epochs": 1, "filters": 2},
        ),
    )
    yield (
        "evaluation.ClassifierScore",
        Call(
            _measured(e.ClassifierScore, None),
            {**extractor, "splits": 2, "seed": 0, "samples": IMAGES},
            _score,
        ),
    )
    yield "evaluation.ClassifierScoreMetric", Call(e.ClassifierScoreMetric, {"num_classes": 3})
    yield (
        "evaluation.ConditionalAccuracy",
        Call(
            _measured(e.ConditionalAccuracy, None),
            {**extractor, "samples": IMAGES, **labels},
            _score,
        ),
    )
    yield (
        "evaluation.FrechetDistance",
        Call(
            _measured(e.FrechetDistance, None),
            {
                "images_or_features": POINTS,
                "extractor": None,
                "statistics": None,
                "samples": OTHERS,
            },
            _score,
        ),
    )
    yield (
        "evaluation.FrechetMetric",
        Call(e.FrechetMetric, {"statistics": (np.zeros(2), np.eye(2), 10), "extractor": None}),
    )
    yield (
        "evaluation.KernelDistance",
        Call(
            _measured(e.KernelDistance, None),
            {
                "images_or_features": POINTS,
                "extractor": None,
                "subsets": 3,
                "subset_size": 10,
                "seed": 0,
                "samples": OTHERS,
            },
            _score,
        ),
    )
    yield (
        "evaluation.ModeCoverage",
        Call(
            _measured(e.ModeCoverage, None),
            {"mixture": zoo.toys.ring(), "radius": 3.0, "samples": POINTS},
            _score,
        ),
    )
    yield (
        "evaluation.Moments",
        Call(lambda samples: e.Moments().update(samples), {"samples": POINTS}),
    )
    yield (
        "evaluation.ParzenLogLikelihood",
        Call(
            _measured(e.ParzenLogLikelihood, None),
            {
                **images,
                "validation": None,
                "protocol": "goodfellow",
                "bandwidth": 0.5,
                "real": None,
                "samples": IMAGES,
            },
        ),
    )
    yield (
        "evaluation.PrecisionRecall",
        Call(
            _measured(e.PrecisionRecall, None),
            {
                "images_or_features": POINTS,
                "extractor": None,
                "k": 2,
                "density_k": 2,
                "samples": OTHERS,
            },
            _score,
        ),
    )
    yield (
        "evaluation.SlicedWasserstein",
        Call(
            _measured(e.SlicedWasserstein, None),
            {"data": POINTS, "order": 2, "projections": 8, "seed": 0, "samples": OTHERS},
            _score,
        ),
    )
    yield (
        "evaluation.StackedModes",
        Call(e.StackedModes, {"extractor": evaluation.extractors.load("mnist")}),
    )
    yield (
        "evaluation.Score",
        Call(
            lambda **k: e.check_comparable(e.Score(**k), e.Score(**k)),
            {"name": "x", "value": 1.0, "higher_is_better": True, "protocol": {"n": 1}},
        ),
    )
    one = e.Score("x", 1.0, True, {"n": 1})
    yield "evaluation.check_comparable", Call(e.check_comparable, {"a": one, "b": one})
    yield "evaluation.Score.better_than", Call(one.better_than, {"other": one})
    yield "evaluation.Score.from_json", Call(e.Score.from_json, {"text": one.to_json()})
    yield (
        "classifier.build",
        Call(
            e.classifier.build,
            {"image_shape": (8, 8, 1), "num_classes": 3, "filters": 2, "dropout": 0.1},
        ),
    )
    yield (
        "measures.part",
        Call(e.measures.part, {"arrays": (IMAGES, _labels()), "count": 3, "seed": 0}),
    )
    yield (
        "extractors.Extractor.features",
        Call(_net("extractor").features, {"images": IMAGES}, _finite),
    )
    yield "extractors.load", Call(e.extractors.load, {"name": "mnist"})
    yield "extractors.named", Call(e.extractors.named, {"name": "mnist", "layer": "features"})


def _numbers(v):
    e = evaluation
    line, rows = POINTS[:, 0], POINTS[:, 0].reshape(4, 10)
    yield (
        "evaluation.f_divergence",
        Call(
            e.f_divergence,
            {
                "f": lambda u: u * np.log(u),
                "log_p": _log_normal,
                "log_q": _log_normal,
                "low": -9.0,
                "high": 9.0,
            },
            _finite,
        ),
    )
    yield (
        "evaluation.gaussian_f_divergence",
        Call(e.gaussian_f_divergence, {"name": "kl", "p": (0.0, 1.0), "q": (1.0, 1.0)}),
    )
    yield (
        "evaluation.ks_distances",
        Call(e.ks_distances, {"samples": line[None], "cdf": _prob}, _finite),
    )
    yield "evaluation.ks_statistic", Call(e.ks_statistic, {"samples": line, "cdf": _prob}, _finite)
    yield (
        "evaluation.log_likelihood",
        Call(e.log_likelihood, {"samples": POINTS, "images": OTHERS, "bandwidths": [0.5]}),
    )
    yield (
        "evaluation.sliced_wasserstein",
        Call(
            e.sliced_wasserstein,
            {"samples": POINTS, "data": OTHERS, "order": 1, "projections": 8, "seed": 0},
            _finite,
        ),
    )
    yield (
        "evaluation.wasserstein",
        Call(e.wasserstein, {"samples": line, "data": line + 1, "order": 1}, _finite),
    )
    yield (
        "confidence_intervals.bootstrap_interval",
        Call(
            v.bootstrap_interval,
            {"samples": rows, "statistic": _mean, "resamples": 20, "level": 0.9, "seed": 0},
            _finite,
        ),
    )
    yield (
        "confidence_intervals.normal_interval",
        Call(v.normal_interval, {"estimates": line, "standard_error": 0.5, "level": 0.9}),
    )
    yield (
        "confidence_intervals.percentile_interval",
        Call(v.percentile_interval, {"values": rows, "level": 0.9}),
    )
    yield "confidence_intervals.t_interval", Call(v.t_interval, {"samples": rows, "level": 0.9})
    yield (
        "confidence_intervals.tolerance",
        Call(v.tolerance, {"level": 0.9, "count": 100, "confidence": 0.9}),
    )
    yield (
        "confidence_intervals.coverage",
        Call(v.coverage, {"interval": (line - 1, line + 1), "truth": 0.0}),
    )
    yield "divergences.get", Call(trainers.divergences.get, {"divergence": "alpha", "alpha": 0.5})
    yield "objectives.get", Call(trainers.objectives.get, {"objective": "hinge"})
    yield (
        "objectives.FDivergence",
        Call(trainers.objectives.FDivergence, {"divergence": "kl", "generator": "replacement"}),
    )
    for cls in (trainers.objectives.Minimax, trainers.objectives.NonSaturating):
        yield f"objectives.{cls.__name__}", Call(cls, {"real_target": 0.9, "fake_target": 0.1})
    for cls in (trainers.penalties.R1, trainers.penalties.R2):
        yield f"penalties.{cls.__name__}", Call(cls, {"weight": 1.0, "every": 2})
    for cls in (trainers.penalties.DRAGAN, trainers.penalties.GradientPenalty):
        yield f"penalties.{cls.__name__}", Call(cls, {"weight": 1.0, "every": 2, "one_sided": True})
    yield (
        "penalties.HistoricalAveraging",
        Call(trainers.penalties.HistoricalAveraging, {"weight": 1.0, "every": 2}),
    )
    for cls in (trainers.perturbations.InstanceNoise, trainers.perturbations.LabelFlips):
        yield f"perturbations.{cls.__name__}", Call(cls, {"scale": 0.1})
    yield (
        "stopping.UntilConverged",
        Call(trainers.stopping.UntilConverged, {"tolerance": 0.1, "window": 2, "max_steps": 3}),
    )


def _trainers():
    pair = {"generator": _net("generator"), "discriminator": _net("discriminator"), "seed": 0}
    more = {"value_range": "auto", "packing": 1, "discriminator_steps": 1}
    own = {
        trainers.GAN: {"schedule": "alternating"},
        trainers.ConsensusGAN: {"weight": 1.0},
        trainers.FGAN: {"divergence": "kl", "generator_loss": "replacement"},
        trainers.FeatureMatchingGAN: {"norm": "squared", "feature_layer": None},
        trainers.HistoricalAveragingGAN: {"weight": 0.1},
        trainers.UnrolledGAN: {"unroll_steps": 2},
        trainers.WassersteinGAN: {"clip": 0.1, "warm_up": False},
        trainers.WassersteinGANGP: {"weight": 1.0, "one_sided": True},
    }
    for cls, arguments in own.items():
        shared = {**pair, **more} if cls is trainers.GAN else pair
        yield cls.__name__, Call(cls, {**shared, **arguments})
    yield "GANEnsemble", Call(trainers.GANEnsemble, {**pair, "members": 2, "first_weights": "own"})
    yield (
        "GAN.compile",
        Call(
            lambda **k: trainers.GAN(**pair).compile(**k),
            {
                "objective": "hinge",
                "generator_optimizer": None,
                "discriminator_optimizer": "adam",
                "generator_penalties": (),
                "discriminator_penalties": (),
                "perturbations": (),
                "ema_decay": 0.9,
                "jit_compile": False,
                "steps_per_execution": 1,
                "run_eagerly": True,
            },
        ),
    )
    yield (
        "estimate_divergence",
        Call(
            trainers.estimate_divergence,
            {
                "p": POINTS,
                "q": OTHERS,
                "name": "kl",
                "critic": None,
                "steps": 2,
                "seed": 0,
            },
        ),
    )
    yield (
        "optimal_discriminator",
        Call(
            trainers.optimal_discriminator,
            {"p": zoo.toys.normal(), "q": zoo.toys.normal(1.0), "objective": "hinge"},
        ),
    )


CALLS = dict(_calls())
