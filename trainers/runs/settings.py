"""What decides a run: the settings that are flags, the details that only a recipe gives.

`make` turns them into a compiled trainer.
"""

import dataclasses
import inspect

import keras

import zoo
from trainers.runs import cluster
from trainers import objectives, penalties, perturbations
from trainers.consensus import ConsensusGAN
from trainers.divergences import DIVERGENCES
from trainers.feature_matching import FeatureMatchingGAN
from trainers.fgan import FGAN
from trainers.gan import GAN, SCHEDULES
from trainers.historical_averaging import HistoricalAveragingGAN
from trainers.laplacian import LaplacianGAN
from trainers.unrolled import UnrolledGAN
from trainers.wasserstein import WassersteinGAN, WassersteinGANGP
from zoo.validation import nearest

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
    sorted({*objectives.OBJECTIVES, *(n for n, d in DIVERGENCES.items() if not d.parameters)})
)
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def _flag(default, help, choices=None):
    return dataclasses.field(default=default, metadata={"help": help, "choices": choices})


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that decides a run; each field is a flag of the command."""

    dataset: str = _flag(
        "mnist",
        "What to learn: mnist (embedded), keras:NAME, tfds:NAME, a folder of images, or a toy "
        "(ring, grid, normal, mixture).",
    )
    epochs: int = _flag(10, "Passes over the data.")
    batch_size: int = _flag(128, "Examples a step.")
    image_size: int = _flag(None, "Crops and resizes images to this many pixels a side.")
    skip_unreadable: bool = _flag(False, "Leaves out the files of a folder that cannot be read.")
    data_dir: str = _flag(None, "Where TFDS keeps its data.")
    generator: str = _flag("dcgan", "Family of both players; toys need mlp.", tuple(FAMILIES))
    filters: int = _flag(None, "Maps of a layer, as the family counts. Default: the family's.")
    latent_dim: int = _flag(None, "Coordinates of a latent. Default: the family's.")
    conditional: bool = _flag(False, "Learn the labels too, so that a class can be asked for.")
    trainer: str = _flag("gan", "How the players move.", tuple(TRAINERS))
    objective: str = _flag(
        None,
        "What the players minimise; of fgan, its divergence. Default: the paper's.",
        OBJECTIVES,
    )
    schedule: str = _flag(None, "How the players take turns. Default: the paper's.", SCHEDULES)
    discriminator_steps: int = _flag(
        None, "Discriminator steps for each generator step. Default: the paper's."
    )
    learning_rate: float = _flag(None, "Of both optimizers. Default: the paper's.")
    ema_decay: float = _flag(0.99, "Moving average of the generator that draws samples; 0: none.")
    score: str = _flag(
        None,
        "Measures samples during the training, keeps the best trainer in score/best.keras, and "
        "draws the curve into the report: frechet, sliced_wasserstein, modes and the other names "
        "of python -m evaluation.",
    )
    score_every: int = _flag(1, "Epochs between two scores.")
    score_samples: int = _flag(10_000, "Samples of a score.")
    precision: str = _flag("float32", "Keras dtype policy of the players.", PRECISIONS)
    jit_compile: str = _flag("auto", "XLA: auto is on with a GPU.", ("auto", "true", "false"))
    steps_per_execution: int = _flag(1, "Steps between two looks at the progress.")
    strategy: str = _flag(
        "none",
        "Devices that share each batch: mirrored (the GPUs of this machine) or multi_worker (the "
        "processes that TF_CONFIG names; see docs/cluster.md).",
        cluster.STRATEGIES,
    )
    seed: int = _flag(0, "Decides the first weights, every draw and the order of the data.")


@dataclasses.dataclass(frozen=True)
class Details:
    """Arguments beyond the settings, in the words of JSON.

    An object is written as its class with its arguments: `{"Adam": {"learning_rate": 0.001}}`,
    `{"R1": {"weight": 1.0, "every": 16}}`, and so is a schedule within it.

    Attributes:
        generator: dict. Arguments of the generator's class.
        discriminator: dict. Of the discriminator's.
        trainer: dict. Of the trainer's.
        compile: dict. Of its `compile`.
    """

    generator: dict = dataclasses.field(default_factory=dict)
    discriminator: dict = dataclasses.field(default_factory=dict)
    trainer: dict = dataclasses.field(default_factory=dict)
    compile: dict = dataclasses.field(default_factory=dict)


NAMED = (penalties, perturbations, keras.optimizers, keras.optimizers.schedules)


def resolve(value):
    """An object of `Details`, made; other values as they are.

    Raises:
        ValueError: If a class is unknown or its arguments do not fit.
    """
    if isinstance(value, list):
        return [resolve(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or not isinstance(arguments := next(iter(value.values())), dict):
        raise ValueError(
            'An object is a class with its arguments. Expected {"R1": {"weight": 1.0}}, say. '
            f"Received: {value!r}"
        )
    name = next(iter(value))
    found = [getattr(place, name) for place in NAMED if isinstance(getattr(place, name, 0), type)]
    if not found:
        known = sorted(n for place in NAMED for n in vars(place) if n[:1].isupper())
        raise ValueError(
            f"Unknown class. Expected a penalty, a perturbation, or an optimizer or schedule of "
            f"Keras{nearest(name, known)}. Received: {name!r}"
        )
    try:
        return found[0](**{key: resolve(item) for key, item in arguments.items()})
    except TypeError as error:
        raise ValueError(f"The arguments do not fit: {error}. Received: {value!r}") from error


def players(settings, info, details=None):
    """The two players that settings and data ask for.

    Args:
        settings: `Settings`.
        info: `zoo.datasets.DatasetInfo`.
        details: `Details`, optional; they prevail over what the settings mean.

    Raises:
        ValueError: If the family cannot make such samples, or labels are wanted and not there.
    """
    if settings.generator not in FAMILIES:
        raise ValueError(
            f"Unknown family. Expected one of {sorted(FAMILIES)}"
            f"{nearest(settings.generator, FAMILIES)}. Received: generator={settings.generator!r}"
        )
    if settings.conditional and info.num_classes is None:
        raise ValueError(
            "The data have no labels to learn. Expected a labelled data set with --conditional. "
            f"Received: dataset={settings.dataset!r}"
        )
    if (settings.generator == "lapgan") != (settings.trainer == "laplacian"):
        raise ValueError(
            "A pyramid has players and a trainer of its own. Expected --generator=lapgan with "
            "--trainer=laplacian, or neither. Received: "
            f"generator={settings.generator!r}, trainer={settings.trainer!r}"
        )
    if settings.generator == "mlp" and settings.filters is not None:
        raise ValueError(
            "Dense layers have no maps. Expected --filters with a convolutional family. "
            f"Received: generator='mlp', filters={settings.filters}"
        )
    shared = {
        "image_shape": info.sample_shape,
        "num_classes": info.num_classes if settings.conditional else None,
        "dtype": settings.precision,
    }
    if settings.filters is not None:
        shared["filters"] = settings.filters
    ours, theirs = {}, {}
    if settings.latent_dim is not None:
        ours["latent_dim"] = settings.latent_dim
    if settings.trainer == "wasserstein_gp":
        # A penalty on the slope at single examples wants a critic that treats them apart, and one
        # whose slope nothing else holds.
        theirs |= {
            "dcgan": {"batch_normalization": False},
            "resnet": {"spectral_normalization": False},
        }.get(settings.generator, {})
    if settings.generator == "mlp" and info.dtype != "uint8":  # Points.
        shared |= {"units": (128, 128), "kernel_initializer": "glorot_uniform"}
        ours |= {"output_activation": "linear", "prior": "normal"}
        theirs |= {"activation": "relu", "input_dropout": 0.0, "dropout": 0.0}
    generator, discriminator = FAMILIES[settings.generator]
    details = details or Details()
    return (
        _made(generator, {**shared, **ours, **details.generator}),
        _made(discriminator, {**shared, **theirs, **details.discriminator}),
    )


def make(settings, info, details=None):
    """A compiled trainer from settings, with the weights that the seed decides.

    Args:
        settings: `Settings`.
        info: `zoo.datasets.DatasetInfo`.
        details: `Details`, optional; they prevail over what the settings mean.

    Raises:
        ValueError: If the settings do not go together.
    """
    keras.utils.set_random_seed(settings.seed)
    details = details or Details()
    if settings.trainer == "vae":
        return _autoencoder(settings, info, details)
    asked = {
        "discriminator_steps": settings.discriminator_steps,
        "schedule": settings.schedule,
        "divergence": settings.objective if settings.trainer == "fgan" else None,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    generator, discriminator = players(settings, info, details)
    gan = _made(
        TRAINERS[settings.trainer],
        {
            "generator": generator,
            "discriminator": discriminator,
            "seed": settings.seed,
            **asked,
            **details.trainer,
        },
    )
    wanted = {"ema_decay": settings.ema_decay or None}
    if settings.objective and settings.trainer != "fgan":
        wanted["objective"] = settings.objective
    return _compiled(gan, settings, details, wanted)


def _autoencoder(settings, info, details):
    """The baseline, which has no opponent."""
    plain = {"generator": "mlp", "conditional": False, "precision": "float32"}
    for name in ("objective", "schedule", "discriminator_steps", "filters"):
        plain[name] = None
    wrong = {n: getattr(settings, n) for n, v in plain.items() if getattr(settings, n) != v}
    if wrong or info.dtype != "uint8":
        raise ValueError(
            "A VAE here has dense layers in float32, no opponent and no labels. Expected "
            "--generator=mlp and images, without --objective, --schedule, --discriminator_steps, "
            f"--filters, --conditional and --precision. Received: {wrong or settings.dataset}"
        )
    size = {} if settings.latent_dim is None else {"latent_dim": settings.latent_dim}
    shared = {"image_shape": info.sample_shape, "seed": settings.seed}
    vae = _made(zoo.VAE, {**shared, **size, **details.generator})
    return _compiled(vae, settings, details, {})


def _compiled(model, settings, details, wanted):
    """The model, compiled as `wanted`, the settings and the details say."""
    arguments = {
        "steps_per_execution": settings.steps_per_execution,
        "jit_compile": {"auto": "auto", "true": True, "false": False}[settings.jit_compile],
        **wanted,
        **{name: resolve(value) for name, value in details.compile.items()},
    }
    _called(model.compile, arguments)
    if settings.learning_rate is not None:
        for optimizer in getattr(model, "optimizers", None) or [model.optimizer]:
            optimizer.learning_rate = settings.learning_rate
    return model


def _made(cls, arguments):
    return _called(cls, {name: resolve(value) for name, value in arguments.items()})


def _called(function, arguments):
    """Calls, and blames the recipe for an argument that is none."""
    known = inspect.signature(function).parameters
    unknown = [name for name in arguments if name not in known]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in known.values()):
        raise ValueError(
            f"{function.__qualname__} has no such argument{nearest(unknown[0], known)}. Expected "
            f"some of {list(known)}. Received: {unknown}"
        )
    return function(**arguments)
