"""What a run can be made of, by name: families of players, trainers, objectives, penalties."""

import keras

import zoo
from trainers import objectives, penalties, perturbations
from trainers.consensus import ConsensusGAN
from trainers.divergences import DIVERGENCES
from trainers.feature_matching import FeatureMatchingGAN
from trainers.fgan import FGAN
from trainers.gan import GAN
from trainers.historical_averaging import HistoricalAveragingGAN
from trainers.laplacian import LaplacianGAN
from trainers.unrolled import UnrolledGAN
from trainers.wasserstein import WassersteinGAN, WassersteinGANGP


def _subclasses(module, base):
    """The classes of a module that derive from `base`, by name."""
    found = {n: c for n, c in vars(module).items() if isinstance(c, type) and issubclass(c, base)}
    return {name: cls for name, cls in sorted(found.items()) if cls is not base}


FAMILIES = {
    "dcgan": (zoo.DCGANGenerator, zoo.DCGANDiscriminator),
    "lapgan": (zoo.LaplacianGenerator, zoo.LaplacianDiscriminator),
    "mlp": (zoo.MLPGenerator, zoo.MLPDiscriminator),
    "r3gan": (zoo.R3GANGenerator, zoo.R3GANDiscriminator),
    "resnet": (zoo.ResNetGenerator, zoo.ResNetDiscriminator),
}
TRAINERS = {
    "gan": GAN,
    "fgan": FGAN,
    "feature_matching": FeatureMatchingGAN,
    "historical_averaging": HistoricalAveragingGAN,
    "wasserstein": WassersteinGAN,
    "wasserstein_gp": WassersteinGANGP,
    "unrolled": UnrolledGAN,
    "consensus": ConsensusGAN,
    "laplacian": LaplacianGAN,
    "vae": zoo.VAE,
}
# Divergences with a parameter are for Python.
OBJECTIVES = tuple(
    sorted({*objectives.OBJECTIVES, *(n for n, d in DIVERGENCES.items() if not d.argument_names())})
)
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
PENALTIES = _subclasses(penalties, penalties.Penalty)
PERTURBATIONS = _subclasses(perturbations, perturbations.Perturbation)
OPTIMIZERS = _subclasses(keras.optimizers, keras.optimizers.Optimizer)
LEARNING_RATES = _subclasses(
    keras.optimizers.schedules, keras.optimizers.schedules.LearningRateSchedule
)
