"""One training as a folder: what `python -m trainers` does.

The folder holds `settings.json`, the trainer (`gan.keras`, from which an interrupted run goes on),
`log.csv`, `logs/` for TensorBoard, `samples/`, `score/` where one is asked for, and at the end
`generator.keras`, `samples.png` and `report.png`.
"""

import contextlib
import json
import math
import pathlib
import sys
import tempfile

import keras

from evaluation import extractors, measures
from trainers.callbacks import epochs
from trainers.callbacks.checkpoint import Checkpoint
from trainers.callbacks.sample_grid import SampleGrid
from trainers.callbacks.score import Score
from trainers.runs import cluster, health, results, resuming
from trainers.runs.construction import make
from trainers.runs.log import EpochLog
from trainers.runs.resuming import CHECKPOINT, LOG, SETTINGS
from trainers.runs.settings import Details
from zoo import datasets
from zoo.files import check_writable, locked, write_text


def train(settings, output_dir, verbose=None, details=None, origin=None):
    """Trains, or goes on training, in a folder.

    The batches and the draws are functions of the seed and of the step, and the checkpoint knows
    the step: a run that was stopped anywhere and started again with the same settings ends with
    the same weights as one that was not.

    Args:
        settings: `Settings`.
        output_dir: The folder. One that holds a run of the same settings is gone on with.
        verbose: As Keras's. Defaults to a bar on a terminal and a line an epoch elsewhere.
        details: `Details`, optional: arguments beyond the settings.
        origin: dict, optional. What `settings.json` says of where the settings came from.

    Returns:
        The trainer.

    Raises:
        ValueError: If a setting is wrong, the folder holds another run or cannot be written to.
        FileNotFoundError: If the data are not there.
        KeyboardInterrupt: After Ctrl-C, with everything saved.
        trainers.runs.health.Unhealthy: If the health monitor stopped it, with everything written.
    """
    check_writable(output_dir, "output_dir")
    settings.check()
    details = details or Details()
    decided = {**resuming.decided(settings, details), **(origin or {})}
    strategy = cluster.strategy(settings.strategy)
    shared = pathlib.Path(output_dir)  # All processes read it, one writes there.
    with (
        tempfile.TemporaryDirectory() as spare,
        contextlib.ExitStack() as lock,
        strategy.scope(),
    ):
        folder = cluster.own_folder(strategy, shared, spare)
        if there := folder.exists():  # What cannot work makes none.
            lock.enter_context(locked(folder, "output_dir"))
        resuming.check_same(decided, shared)
        data = datasets.open(settings.dataset, **settings.source)
        gan, state, before = make(settings, data.info, details), {}, shared / CHECKPOINT
        if goes_on := before.exists():
            gan = resuming.restored(before, gan)
            state = epochs.read(before)
        scorer = _scorer(settings, folder)
        end = total_steps(settings, data.info)
        resuming.check_not_beyond(gan, settings, end, output_dir)
        if data.info.count < settings.batch_size:
            count = f"{data.info.count:,} examples, fewer than batch_size={settings.batch_size}"
            print(f"note: every batch is all of {settings.dataset}: {count}", file=sys.stderr)
        # Points are drawn over real ones.
        real = None if data.dtype == "uint8" else datasets.arrays(data.name, examples=1000)[0]
        monitor = None
        step, epoch_steps = int(gan.steps.numpy()), steps_per_epoch(settings, data.info)
        pending = epochs.is_open(state, step, epoch_steps, end)
        if step < end or pending:
            if not there:
                lock.enter_context(locked(folder, "output_dir"))
                resuming.check_new(folder)
            text = json.dumps(decided, indent=2)
            write_text(folder / SETTINGS, text)
            # Processes save at the same steps, or they wait for each other for ever.
            together = cluster.several_processes(strategy)
            seconds = math.inf if together else 60.0
            checkpoint = Checkpoint(folder / CHECKPOINT, seconds, settings.checkpoint_every_steps)
            checkpoint.set_model(gan)
            checkpoint.members[SETTINGS] = text
            monitor = health.monitor(settings, data, gan, folder, end, before if goes_on else None)
            checkpoint.kept = [] if monitor is None else [monitor]
            log = EpochLog(folder / LOG)
            # Scores go before the log, which takes them; the checkpoint says that all is written.
            scores = [] if scorer is None else [scorer]
            pictures = _pictures(settings, gan, folder, real)
            watchers = [*checkpoint.kept, *scores, log, *pictures, checkpoint]
            try:
                if pending:
                    epochs.finish(gan, state, watchers, (step - 1) // epoch_steps)
                watchers.insert(0, epochs.Sums(state if step % epoch_steps else {}))
                _fit(gan, data, settings, end, watchers, verbose, monitor)
            except KeyboardInterrupt:
                if not together:
                    checkpoint.stopped()
                raise
            finally:
                if log.csv_file is not None:  # Keras closes it only after a whole training.
                    log.csv_file.close()
        marks = health.marks(folder / health.RECORD, epoch_steps)
        results.write(gan, settings, folder, real, scorer, marks)
        health.end(monitor, folder)
    return gan


def _pictures(settings, gan, folder, real):
    """What draws samples, and what writes the numbers for TensorBoard."""
    grid = SampleGrid(
        folder / "samples",
        results.sample_count(gan),
        settings.sample_every,
        tensorboard=folder / "logs",
        real=real,
        every_steps=settings.sample_every_steps,
    )
    grid.goes_on = int(gan.steps.numpy()) > 0
    return keras.callbacks.TensorBoard(folder / "logs", write_graph=False), grid


def _scorer(settings, folder):
    """The callback that measures, or `None`."""
    if settings.score is None:
        return None
    measures.check_name(score=settings.score)
    count = settings.score_samples
    extractor = settings.score_extractor and extractors.named(settings.score_extractor)
    reference = measures.Reference(settings.dataset, extractor, count, **settings.source)
    measure = measures.get(settings.score, reference)
    for note in reference.notes:
        print(f"note: {note}", file=sys.stderr)
    return Score(
        measure,
        every=settings.score_every,
        count=count,
        directory=folder / "score",
    )


def steps_per_epoch(settings, info):
    """Whole batches in an epoch, cut to whole executions."""
    steps = max(1, info.count // settings.batch_size)
    return max(1, steps // settings.steps_per_execution) * settings.steps_per_execution


def total_steps(settings, info):
    """The step at which the training ends."""
    if settings.steps is not None:
        return settings.steps
    return settings.epochs * steps_per_epoch(settings, info)


def _fit(gan, data, settings, end, watchers, verbose, monitor):
    """Trains up to the step `end`, from the step that the trainer has reached."""
    epoch_steps = steps_per_epoch(settings, data.info)
    if verbose is None:
        verbose = 1 if sys.stdout.isatty() else 2
    while (step := int(gan.steps.numpy())) < end:
        epoch, done = divmod(step, epoch_steps)
        whole = end // epoch_steps
        # The rest of an interrupted epoch is an epoch of its own for Keras, and so is the first
        # part of one that is not finished.
        alone = done or epoch == whole
        gan.fit(
            data.batches(settings.batch_size, seed=settings.seed, repeat=True, start_step=step),
            initial_epoch=epoch,
            epochs=epoch + 1 if alone else whole,
            steps_per_epoch=min(epoch_steps - done, end - step),
            callbacks=watchers,
            verbose=verbose,
        )
        if monitor is not None and monitor.stopped_by is not None:
            break
