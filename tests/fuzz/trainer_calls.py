"""Calls of objectives, penalties and trainers."""

import trainers
import zoo
from tests.fuzz.arguments import OTHERS, POINTS, Call, net


def objectives():
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


def trainers_of_pairs():
    pair = {"generator": net("generator"), "discriminator": net("discriminator"), "seed": 0}
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
