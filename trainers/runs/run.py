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

from evaluation import measures
from trainers import objectives
from trainers.runs import cluster, report
from trainers.callbacks.checkpoint import Checkpoint
from trainers.callbacks.labels import class_grid
from trainers.callbacks.sample_grid import SampleGrid
from trainers.callbacks.score import Score
from trainers.runs.settings import Details, make
from zoo import datasets, pictures, saving
from zoo.files import check_writable

# What may differ when a run goes on: they change how long or how fast, not what.
FREE = {"epochs", "jit_compile", "strategy"}


def train(settings, output_dir, verbose=None, details=None):
    """Trains, or goes on training, in a folder.

    The batches and the draws are functions of the seed and of the step, and the checkpoint knows
    the step: a run that was stopped anywhere and started again with the same settings ends with
    the same weights as one that was not.

    Args:
        settings: `Settings`.
        output_dir: The folder. One that holds a run of the same settings is gone on with.
        verbose: As Keras's. Defaults to a bar on a terminal and a line an epoch elsewhere.
        details: `Details`, optional: what only a recipe says.

    Returns:
        The trainer.

    Raises:
        ValueError: If a setting is wrong, the folder holds another run or cannot be written to.
        FileNotFoundError: If the data are not there.
        KeyboardInterrupt: After Ctrl-C, with everything saved.
    """
    check_writable(output_dir, "output_dir")
    decided = _decided(settings, details or Details())
    _check_same(decided, pathlib.Path(output_dir))
    strategy = cluster.strategy(settings.strategy)
    with tempfile.TemporaryDirectory() as spare, strategy.scope():
        folders = (pathlib.Path(output_dir), spare)
        return _train(settings, details, decided, folders, strategy, verbose)


def _decided(settings, details):
    """All that decides a run, as it is written down."""
    given = {name: value for name, value in dataclasses.asdict(details).items() if value}
    return {**dataclasses.asdict(settings), **({"details": given} if given else {})}


def _train(settings, details, decided, folders, strategy, verbose):
    """`train` on this process's devices; the first folder is the one that all processes read."""
    shared, spare = folders
    folder = cluster.own_folder(strategy, shared, spare)
    source = {
        "image_size": settings.image_size,
        "data_dir": settings.data_dir,
        "skip_unreadable": settings.skip_unreadable,
    }
    info = datasets.info(settings.dataset, **source)
    gan = make(settings, info, details)
    together = cluster.several_processes(strategy)
    # Processes save at the same steps, or they wait for each other for ever.
    every = {"every_seconds": math.inf} if together else {}
    checkpoint = Checkpoint(folder / "gan.keras", **every)
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
        (folder / "settings.json").write_text(json.dumps(decided, indent=2))
        log = keras.callbacks.CSVLogger(folder / "log.csv", append=True)
        watchers = [
            checkpoint,
            *([] if scorer is None else [scorer]),  # Before the log, which takes its figures.
            log,
            keras.callbacks.TensorBoard(folder / "logs", write_graph=False),
            SampleGrid(
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
    labels, columns = class_grid(count, gan.traits.num_classes)
    samples = gan.sample(count, labels=labels, seed=1)
    picture = pictures.draw(samples, columns, real)
    pictures.save_png(picture, folder / "samples.png")
    report.write(
        folder / "report.png",
        folder / "log.csv",
        pictures.grid(samples, columns) if samples.ndim == 4 else picture,
        f"{type(gan).__name__} on {info.name}",
        f"{_game(gan, settings)}, batch {settings.batch_size}, {int(gan.steps.numpy()):,} steps, "
        f"seed {settings.seed}, {settings.precision}",
        classic=isinstance(getattr(gan, "objective", None), objectives.Minimax),
        score=_best(gan, scorer, columns, labels, real),
    )


def _best(gan, scorer, columns, labels, real):
    """What the report says of the scores: the measure, and samples of the best trainer."""
    if scorer is None or not (scorer.directory / "best.keras").exists():
        return None
    best = saving.load(scorer.directory / "best.keras")
    samples = best.sample(sample_count(gan), labels=labels, seed=1)
    picture = pictures.draw(samples, columns, real)
    return report.Best(scorer.measure.name, scorer.measure.higher_is_better, picture)


def _game(gan, settings):
    """The players, and what they play, in a few words."""
    count = f"{gan.generator.count_params():,}"
    if not hasattr(gan, "discriminator"):
        return f"a generator of {count} parameters and its encoder"
    return (
        f"{settings.generator} players of {count} and {gan.discriminator.count_params():,} "
        f"parameters, {_objective_name(gan)}, {gan.schedule}"
    )


def _objective_name(gan):
    if isinstance(gan.objective, objectives.FDivergence):
        return gan.objective.divergence.name
    return next(n for n, cls in objectives.OBJECTIVES.items() if type(gan.objective) is cls)


def sample_count(gan):
    """Samples in a picture: 100 images with labels (ten rows of ten digits), 64, 1,000 points."""
    if len(gan.traits.image_shape) != 3:
        return 1000
    return 100 if gan.traits.num_classes else 64


def _check_same(now, folder):
    path = folder / "settings.json"
    if not path.exists():
        return
    before = json.loads(path.read_text())
    differing = [n for n in {**before, **now} if n not in FREE and before.get(n) != now.get(n)]
    if differing:
        changes = ", ".join(f"{n} was {before.get(n)!r}, is {now.get(n)!r}" for n in differing)
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
