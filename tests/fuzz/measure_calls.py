"""Calls of measures, scores and distances."""

import numpy as np

import evaluation
import zoo
from tests.fuzz.arguments import (
    IMAGES,
    OTHERS,
    POINTS,
    Call,
    is_finite,
    is_score,
    log_normal,
    mean,
    measured,
    net,
    probability,
    some_images,
    some_labels,
)


def measures():
    images, labels = {"images": IMAGES}, {"labels": some_labels()}
    e = evaluation
    extractor = {"extractor": net("extractor")}
    yield (
        "evaluation.Memorisation",
        Call(
            measured(e.Memorisation, None),
            {
                **images,
                "held_out": some_images(12, 1),
                "extractor": None,
                "quantile": 0.2,
                "samples": IMAGES,
            },
            is_score,
        ),
    )
    yield (
        "evaluation.NearestNeighbourError",
        Call(
            lambda images, truth, samples, labels: e.NearestNeighbourError(images, truth).evaluate(
                samples, labels
            ),
            {**images, "truth": some_labels(), "samples": some_images(12, 1), **labels},
            is_score,
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
            measured(e.ClassifierScore, None),
            {**extractor, "splits": 2, "seed": 0, "samples": IMAGES},
            is_score,
        ),
    )
    yield "evaluation.ClassifierScoreMetric", Call(e.ClassifierScoreMetric, {"num_classes": 3})
    yield (
        "evaluation.ConditionalAccuracy",
        Call(
            measured(e.ConditionalAccuracy, None),
            {**extractor, "samples": IMAGES, **labels},
            is_score,
        ),
    )
    yield (
        "evaluation.FrechetDistance",
        Call(
            measured(e.FrechetDistance, None),
            {
                "images_or_features": POINTS,
                "extractor": None,
                "statistics": None,
                "samples": OTHERS,
            },
            is_score,
        ),
    )
    yield (
        "evaluation.FrechetMetric",
        Call(e.FrechetMetric, {"statistics": (np.zeros(2), np.eye(2), 10), "extractor": None}),
    )
    yield (
        "evaluation.KernelDistance",
        Call(
            measured(e.KernelDistance, None),
            {
                "images_or_features": POINTS,
                "extractor": None,
                "subsets": 3,
                "subset_size": 10,
                "seed": 0,
                "samples": OTHERS,
            },
            is_score,
        ),
    )
    yield (
        "evaluation.ModeCoverage",
        Call(
            measured(e.ModeCoverage, None),
            {"mixture": zoo.toys.ring(), "radius": 3.0, "samples": POINTS},
            is_score,
        ),
    )
    yield (
        "evaluation.Moments",
        Call(lambda samples: e.Moments().update(samples), {"samples": POINTS}),
    )
    yield (
        "evaluation.ParzenLogLikelihood",
        Call(
            measured(e.ParzenLogLikelihood, None),
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
            measured(e.PrecisionRecall, None),
            {
                "images_or_features": POINTS,
                "extractor": None,
                "k": 2,
                "density_k": 2,
                "samples": OTHERS,
            },
            is_score,
        ),
    )
    yield (
        "evaluation.SlicedWasserstein",
        Call(
            measured(e.SlicedWasserstein, None),
            {"data": POINTS, "order": 2, "projections": 8, "seed": 0, "samples": OTHERS},
            is_score,
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
        Call(e.measures.part, {"arrays": (IMAGES, some_labels()), "count": 3, "seed": 0}),
    )
    yield (
        "extractors.Extractor.features",
        Call(net("extractor").features, {"images": IMAGES}, is_finite),
    )
    yield "extractors.load", Call(e.extractors.load, {"name": "mnist"})
    yield "extractors.named", Call(e.extractors.named, {"name": "mnist", "layer": "features"})


def numbers():
    v = evaluation.confidence_intervals
    e = evaluation
    line, rows = POINTS[:, 0], POINTS[:, 0].reshape(4, 10)
    yield (
        "evaluation.f_divergence",
        Call(
            e.f_divergence,
            {
                "f": lambda u: u * np.log(u),
                "log_p": log_normal,
                "log_q": log_normal,
                "low": -9.0,
                "high": 9.0,
            },
            is_finite,
        ),
    )
    yield (
        "evaluation.gaussian_f_divergence",
        Call(e.gaussian_f_divergence, {"name": "kl", "p": (0.0, 1.0), "q": (1.0, 1.0)}),
    )
    yield (
        "evaluation.ks_distances",
        Call(e.ks_distances, {"samples": line[None], "cdf": probability}, is_finite),
    )
    yield (
        "evaluation.ks_statistic",
        Call(e.ks_statistic, {"samples": line, "cdf": probability}, is_finite),
    )
    yield (
        "evaluation.log_likelihood",
        Call(e.log_likelihood, {"samples": POINTS, "images": OTHERS, "bandwidths": [0.5]}),
    )
    yield (
        "evaluation.sliced_wasserstein",
        Call(
            e.sliced_wasserstein,
            {"samples": POINTS, "data": OTHERS, "order": 1, "projections": 8, "seed": 0},
            is_finite,
        ),
    )
    yield (
        "evaluation.wasserstein",
        Call(e.wasserstein, {"samples": line, "data": line + 1, "order": 1}, is_finite),
    )
    yield (
        "confidence_intervals.bootstrap_interval",
        Call(
            v.bootstrap_interval,
            {"samples": rows, "statistic": mean, "resamples": 20, "level": 0.9, "seed": 0},
            is_finite,
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
