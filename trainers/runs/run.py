"""One training as a folder: what `python -m trainers` does.

The folder holds `settings.json`, the trainer (`gan.keras`, from which an interrupted run goes on),
`log.csv`, `logs/` for TensorBoard, `samples/`, `score/` where one is asked for, and at the end
`generator.keras`, `samples.png` and `report.png`.
"""

import json
import math
import pathlib
import sys
import tempfile

import keras

from evaluation import measures
from trainers.callbacks.checkpoint import Checkpoint
from trainers.callbacks.sample_grid import SampleGrid
from trainers.callbacks.score import Score
from trainers.runs import cluster, results, resuming
from trainers.runs.construction import make
from trainers.runs.resuming import CHECKPOINT, SETTINGS
from trainers.runs.settings import Details
from zoo import datasets, saving
from zoo.files import check_writable, write_text
from zoo.validation import check_choice, check_positive

POSITIVE = ("epochs", "batch_size", "steps_per_execution", "score_every", "score_samples")


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
    check_positive(**{name: getattr(settings, name) for name in POSITIVE})
    details = details or Details()
    decided = resuming.decided(settings, details)
    resuming.check_same(decided, output_dir)
    strategy = cluster.strategy(settings.strategy)
    with tempfile.TemporaryDirectory() as spare, strategy.scope():
        shared = pathlib.Path(output_dir)  # All processes read it, one writes there.
        folder = cluster.own_folder(strategy, shared, spare)
        data = datasets.open(settings.dataset, **settings.source)
        gan = make(settings, data.info, details)
        if (shared / CHECKPOINT).exists():
            gan = resuming.restored(shared / CHECKPOINT, gan)
        scorer = _scorer(settings, folder)
        # Points are drawn over real ones.
        real = None if data.dtype == "uint8" else datasets.arrays(data.name, examples=1000)[0]
        if int(gan.steps.numpy()) < settings.epochs * steps_per_epoch(settings, data.info):
            write_text(folder / SETTINGS, json.dumps(decided, indent=2))
            # Processes save at the same steps, or they wait for each other for ever.
            together = cluster.several_processes(strategy)
            checkpoint = Checkpoint(folder / CHECKPOINT, math.inf if together else 60.0)
            log = keras.callbacks.CSVLogger(folder / "log.csv", append=True)
            grid = SampleGrid(
                folder / "samples",
                results.sample_count(gan),
                tensorboard=folder / "logs",
                real=real,
            )
            board = keras.callbacks.TensorBoard(folder / "logs", write_graph=False)
            # Scores go before the log, which takes them.
            scores = [] if scorer is None else [scorer]
            try:
                _fit(gan, data, settings, [checkpoint, *scores, log, board, grid], verbose)
            except KeyboardInterrupt:
                if not together:
                    saving.save(gan, checkpoint.path)
                raise
            finally:
                if log.csv_file is not None:  # Keras closes it only after a whole training.
                    log.csv_file.close()
        results.write(gan, settings, folder, real, scorer)
    return gan


def _scorer(settings, folder):
    """The callback that measures, or `None`."""
    if settings.score is None:
        return None
    check_choice(measures.MEASURES, score=settings.score)
    count = settings.score_samples
    reference = measures.Reference(settings.dataset, examples=count, **settings.source)
    return Score(
        measures.get(settings.score, reference),
        every=settings.score_every,
        count=count,
        directory=folder / "score",
    )


def steps_per_epoch(settings, info):
    """Whole batches in an epoch, cut to whole executions."""
    steps = max(1, info.count // settings.batch_size)
    return max(1, steps // settings.steps_per_execution) * settings.steps_per_execution


def _fit(gan, data, settings, watchers, verbose):
    """Trains up to the last epoch, from the step that the trainer has reached."""
    epoch_steps = steps_per_epoch(settings, data.info)
    if verbose is None:
        verbose = 1 if sys.stdout.isatty() else 2
    while (step := int(gan.steps.numpy())) < settings.epochs * epoch_steps:
        epoch, done = divmod(step, epoch_steps)
        gan.fit(
            data.batches(settings.batch_size, seed=settings.seed, repeat=True, start_step=step),
            initial_epoch=epoch,
            # The rest of an interrupted epoch is an epoch of its own for Keras.
            epochs=epoch + 1 if done else settings.epochs,
            steps_per_epoch=epoch_steps - done,
            callbacks=watchers,
            verbose=verbose,
        )
