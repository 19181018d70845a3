"""One training as a folder: what `python -m trainers` does.

The folder holds `settings.json`, the trainer (`gan.keras`, from which an interrupted run goes on),
`log.csv`, `logs/` for TensorBoard, `samples/`, `score/` where one is asked for, and at the end
`generator.keras` and `report.png`.
"""

import dataclasses
import json
import math
import pathlib
import sys
import tempfile

import keras

import zoo
from evaluation import measures
from trainers import callbacks, cluster, objectives, report
from trainers.consensus import ConsensusGAN
from trainers.divergences import DIVERGENCES
from trainers.feature_matching import FeatureMatchingGAN
from trainers.fgan import FGAN
from trainers.gan import GAN, SCHEDULES
from trainers.historical_averaging import HistoricalAveragingGAN
from trainers.laplacian import LaplacianGAN
from trainers.score import Score
from trainers.unrolled import UnrolledGAN
from trainers.wasserstein import WassersteinGAN, WassersteinGANGP
from zoo import datasets, pictures, saving
from zoo.names import nearest

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
}
# Divergences with a parameter are for Python.
OBJECTIVES = tuple(
    sorted({*objectives.OBJECTIVES, *(n for n, d in DIVERGENCES.items() if not d.parameters)})
)
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
# What may differ when a run goes on: they change how long or how fast, not what.
FREE = {"epochs", "jit_compile", "strategy"}


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


def players(settings, info):
    """The two players that settings and data ask for.

    Args:
        settings: `Settings`.
        info: `zoo.datasets.DatasetInfo`.

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
    return generator(**ours, **shared), discriminator(**theirs, **shared)


def make(settings, info):
    """A compiled trainer from settings, with the weights that the seed decides.

    Raises:
        ValueError: If the settings do not go together.
    """
    keras.utils.set_random_seed(settings.seed)
    asked = {
        "discriminator_steps": settings.discriminator_steps,
        "schedule": settings.schedule,
        "divergence": settings.objective if settings.trainer == "fgan" else None,
    }
    pair = players(settings, info)
    gan = TRAINERS[settings.trainer](
        *pair, seed=settings.seed, **{n: v for n, v in asked.items() if v is not None}
    )
    wanted = {"objective": settings.objective} if settings.objective else {}
    gan.compile(
        **({} if settings.trainer == "fgan" else wanted),
        ema_decay=settings.ema_decay or None,
        steps_per_execution=settings.steps_per_execution,
        jit_compile={"auto": "auto", "true": True, "false": False}[settings.jit_compile],
    )
    if settings.learning_rate is not None:
        for optimizer in gan.optimizers:
            optimizer.learning_rate = settings.learning_rate
    return gan


def train(settings, output_dir, verbose=None):
    """Trains, or goes on training, in a folder.

    The batches and the draws are functions of the seed and of the step, and the checkpoint knows
    the step: a run that was stopped anywhere and started again with the same settings ends with
    the same weights as one that was not.

    Args:
        settings: `Settings`.
        output_dir: The folder. One that holds a run of the same settings is gone on with.
        verbose: As Keras's. Defaults to a bar on a terminal and a line an epoch elsewhere.

    Returns:
        The trainer.

    Raises:
        ValueError: If a setting is wrong, the folder holds another run or cannot be written to.
        FileNotFoundError: If the data are not there.
        KeyboardInterrupt: After Ctrl-C, with everything saved.
    """
    callbacks.check_writable(output_dir, "output_dir")
    _check_same(settings, pathlib.Path(output_dir))
    strategy = cluster.strategy(settings.strategy)
    with tempfile.TemporaryDirectory() as spare, strategy.scope():
        return _train(settings, pathlib.Path(output_dir), strategy, spare, verbose)


def _train(settings, shared, strategy, spare, verbose):
    """`train` on this process's devices; `shared` is the folder that all processes read."""
    folder = cluster.own_folder(strategy, shared, spare)
    source = {
        "image_size": settings.image_size,
        "data_dir": settings.data_dir,
        "skip_unreadable": settings.skip_unreadable,
    }
    info = datasets.info(settings.dataset, **source)
    gan = make(settings, info)
    together = cluster.several_processes(strategy)
    # Processes save at the same steps, or they wait for each other for ever.
    every = {"every_seconds": math.inf} if together else {}
    checkpoint = callbacks.Checkpoint(folder / "gan.keras", **every)
    if (shared / "gan.keras").exists():
        gan = _restore(shared / "gan.keras", gan)
    epoch_steps = steps_per_epoch(settings, info)
    scorer = _scorer(settings, folder, source)

    # Points are drawn over real ones.
    real = None if info.dtype == "uint8" else datasets.arrays(settings.dataset, examples=1000)[0]

    def data():
        return datasets.load(
            settings.dataset,
            batch_size=settings.batch_size,
            seed=settings.seed,
            repeat=True,
            start_step=int(gan.steps.numpy()),
            **source,
        )

    if int(gan.steps.numpy()) < settings.epochs * epoch_steps:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "settings.json").write_text(json.dumps(dataclasses.asdict(settings), indent=2))
        log = keras.callbacks.CSVLogger(folder / "log.csv", append=True)
        watchers = [
            checkpoint,
            *([] if scorer is None else [scorer]),  # Before the log, which takes its figures.
            log,
            keras.callbacks.TensorBoard(folder / "logs", write_graph=False),
            callbacks.SampleGrid(
                folder / "samples", sample_count(gan), tensorboard=folder / "logs", real=real
            ),
        ]
        try:
            _fit(gan, data, settings.epochs, epoch_steps, watchers, verbose)
        except KeyboardInterrupt:
            if not together:
                saving.save(gan, checkpoint.path)
            raise
        finally:
            if log.csv_file is not None:  # Keras closes it only after a whole training.
                log.csv_file.close()
    _finish(gan, settings, info, folder, real, scorer)
    return gan


def _scorer(settings, folder, source):
    """The callback that measures, or `None`."""
    if settings.score is None:
        return None
    reference = measures.Reference(settings.dataset, examples=settings.score_samples, **source)
    return Score(
        measures.get(settings.score, reference),
        every=settings.score_every,
        count=settings.score_samples,
        directory=folder / "score",
    )


def steps_per_epoch(settings, info):
    """Whole batches in an epoch, cut to whole executions."""
    steps = max(1, info.count // settings.batch_size)
    return max(1, steps // settings.steps_per_execution) * settings.steps_per_execution


def _fit(gan, data, epochs, epoch_steps, watchers, verbose):
    if verbose is None:
        verbose = 1 if sys.stdout.isatty() else 2
    while int(gan.steps.numpy()) < epochs * epoch_steps:
        epoch, done = divmod(int(gan.steps.numpy()), epoch_steps)
        gan.fit(
            data(),
            initial_epoch=epoch,
            # The rest of an interrupted epoch is an epoch of its own for Keras.
            epochs=epoch + 1 if done else epochs,
            steps_per_epoch=epoch_steps - done,
            callbacks=watchers,
            verbose=verbose,
        )


def _finish(gan, settings, info, folder, real, scorer):
    saving.save(gan.sampler, folder / "generator.keras")
    count = sample_count(gan)
    labels, columns = callbacks.class_grid(count, gan.traits.num_classes)
    samples = gan.sample(count, labels, seed=1)
    picture = pictures.draw(samples, columns, real)
    pictures.save_png(picture, folder / "samples.png")
    parameters = gan.generator.count_params(), gan.discriminator.count_params()
    report.write(
        folder / "report.png",
        folder / "log.csv",
        pictures.grid(samples, columns) if samples.ndim == 4 else picture,
        f"{type(gan).__name__} on {info.name}",
        f"{settings.generator} players of {parameters[0]:,} and {parameters[1]:,} parameters, "
        f"{_objective_name(gan)}, {gan.schedule}, batch {settings.batch_size}, "
        f"{int(gan.steps.numpy()):,} steps, seed {settings.seed}, {settings.precision}",
        classic=isinstance(gan.objective, objectives.Minimax),
        score=_best(gan, scorer, columns, labels, real),
    )


def _best(gan, scorer, columns, labels, real):
    """What the report says of the scores: the measure, and samples of the best trainer."""
    if scorer is None or not (scorer.directory / "best.keras").exists():
        return None
    best = saving.load(scorer.directory / "best.keras")
    samples = best.sample(sample_count(gan), labels, seed=1)
    picture = pictures.draw(samples, columns, real)
    return report.Best(scorer.measure.name, scorer.measure.higher_is_better, picture)


def _objective_name(gan):
    if isinstance(gan.objective, objectives.FDivergence):
        return gan.objective.divergence.name
    return next(n for n, cls in objectives.OBJECTIVES.items() if type(gan.objective) is cls)


def sample_count(gan):
    """Samples in a picture: 100 images with labels (ten rows of ten digits), 64, 1,000 points."""
    if len(gan.traits.image_shape) != 3:
        return 1000
    return 100 if gan.traits.num_classes else 64


def _check_same(settings, folder):
    path = folder / "settings.json"
    if not path.exists():
        return
    before = json.loads(path.read_text())
    now = dataclasses.asdict(settings)
    differing = [n for n in now if n not in FREE and before.get(n) != now[n]]
    if differing:
        changes = ", ".join(f"{n} was {before.get(n)!r}, is {now[n]!r}" for n in differing)
        raise ValueError(
            "The folder holds another run. Expected the same settings, to go on with it, or "
            f"another output_dir. Received: output_dir={str(folder)!r}, where {changes}"
        )


def _restore(path, gan):
    """The trainer of a checkpoint; `gan` says which class it has to be."""
    config = saving.check_keras_file(path, expected=f"a {type(gan).__name__}")
    if saving.held_class(config) != keras.saving.get_registered_name(type(gan)):
        raise ValueError(
            f"The checkpoint holds another class. Expected a {type(gan).__name__}. "
            f"Received: {saving.held_class(config)} in path={str(path)!r}"
        )
    return keras.saving.load_model(path)
