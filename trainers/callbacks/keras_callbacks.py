"""Keras's callbacks on two players: what each means here, and what is refused before training.

| callback | here |
|---|---|
| `LearningRateScheduler`, `ReduceLROnPlateau` | set the learning rate of every optimizer, each from its own; logged as `learning_rate_generator` and `learning_rate_discriminator` |
| `SwapEMAWeights` | swaps the weights of each player whose optimizer has `use_ema=True` |
| `TerminateOnNaN` | ends the training at the first loss of either player that is not finite |
| `ModelCheckpoint("{epoch}-{generator_loss:.2f}.keras")` | names its files by what is logged |
| `EarlyStopping`, `ModelCheckpoint(save_best_only=True)`, `ReduceLROnPlateau` | need a `monitor` that is logged (there is no `loss`) and a `mode` |
| `BackupAndRestore` | goes on with the epoch that comes next: it is read before the data are ordered; `save_freq` between epochs is refused |
| `OrbaxCheckpoint` | refused: it cannot hold two players whose layers share names |
| `ModelCheckpoint`, `TensorBoard`, `CSVLogger`, `History`, `LambdaCallback`, `ProgbarLogger`, `RemoteMonitor` | as for any model |
"""  # noqa: E501

import string

import keras

from trainers.callbacks.score import Score
from zoo.validation import nearest

C = keras.callbacks
OURS = ("keras", "trainers", "zoo")


def check(trainer, callbacks, validates):
    """Refuses callbacks that could not do their work for two players.

    Args:
        trainer: A compiled `trainers.trainer.Trainer`.
        callbacks: List of Keras callbacks, in the order in which they are called.
        validates: bool. Whether `fit` was given `validation_data`.

    Raises:
        ValueError: If one is not supported, or lacks what it would need.
    """
    for k, callback in enumerate(callbacks):
        if not isinstance(callback, C.Callback):
            hint = ", made by calling the class" if isinstance(callback, type) else ""
            raise ValueError(
                f"`callbacks` holds what is no callback. Expected instances of "
                f"keras.callbacks.Callback{hint}. Received: {callback!r}"
            )
        for kind, rule in RULES:
            if isinstance(callback, kind):
                rule(trainer, callback, callbacks[:k], validates)


def restore(trainer, callbacks):
    """Reads what `BackupAndRestore` has saved, before the trainer's steps order the data."""
    trainer._initial_epoch = None  # Keras keeps it of an earlier `fit`, which would skip epochs.
    for callback in callbacks:
        if isinstance(callback, C.BackupAndRestore):
            callback.set_model(trainer)
            callback.on_train_begin()


def _refuse_orbax(trainer, callback, before, validates):
    raise ValueError(
        "`callbacks` holds an OrbaxCheckpoint, which knows a weight by the names of its layers, "
        "and two players may share those. Expected trainers.Checkpoint, or Keras's "
        f"ModelCheckpoint. Received: callbacks with {callback!r} for a {type(trainer).__name__}"
    )


def _check_backup(trainer, callback, before, validates):
    if callback.save_freq != "epoch":
        raise ValueError(
            "`save_freq` of BackupAndRestore is not 'epoch': it begins the epoch anew, and weights "
            "of its middle would see its first batches twice. Expected save_freq='epoch', or "
            "trainers.Checkpoint('gan.keras', every_steps=...), whose file goes on with the next "
            "batch. "
            f"Received: save_freq={callback.save_freq!r}"
        )


def _check_rates(trainer, callback, before, validates):
    for optimizer in trainer.optimizer.optimizers:
        rate = optimizer._learning_rate
        if not isinstance(rate, keras.Variable):
            raise ValueError(
                f"`callbacks` holds a {type(callback).__name__}, and the learning rate of the "
                f"{optimizer.name} is decided by a schedule of its own. Expected an optimizer with "
                f"a number for its learning rate, or no such callback. Received: {rate!r}"
            )


def _check_average(trainer, callback, before, validates):
    if not any(optimizer.use_ema for optimizer in trainer.optimizer.optimizers):
        raise ValueError(
            "`callbacks` holds a SwapEMAWeights, and no optimizer keeps an average. Expected "
            "use_ema=True of the generator's or the discriminator's, or compile(ema_decay=0.99), "
            "whose average draws the samples without any callback. Received: use_ema=False of "
            f"{[optimizer.name for optimizer in trainer.optimizer.optimizers]}"
        )


def _check_monitor(trainer, callback, before, validates):
    if isinstance(callback, C.ModelCheckpoint) and not callback.save_best_only:
        callback.mode = "min" if callback.mode == "auto" else callback.mode  # Compares nothing.
        return
    kind, monitor = type(callback).__name__, callback.monitor
    known = _logged(trainer, before, validates)
    if monitor not in known and not any(map(_may_log, before)):
        wanted = monitor.startswith("val_") and monitor.removeprefix("val_") in known
        hint = ", with validation_data" if wanted else nearest(monitor, known)
        raise ValueError(
            f"`monitor` of {kind} is not logged: there is no one loss of two players. Expected "
            f"one of {known}{hint}, or the name of a trainers.Score that comes before it, and a "
            f"mode. Received: monitor={monitor!r}"
        )
    if callback.mode == "auto" and monitor.removeprefix("val_") != "loss":
        raise ValueError(
            f"`mode` of {kind} is not given, and no name says whether less of {monitor!r} is "
            "better: in a game the loss of one player is the gain of the other. Expected "
            f"mode='min' or mode='max'. Received: mode='auto' with monitor={monitor!r}"
        )


def _logged(trainer, before, validates):
    """What is logged at the end of an epoch, after callbacks that come `before`."""
    scores = [score.measure for score in before if isinstance(score, Score)]
    known = [*trainer.get_metrics_result(), *(measure.name for measure in scores)]
    return known + [f"val_{name}" for name in trainer.get_metrics_result() if validates]


def _check_file_name(trainer, callback, before, validates):
    """The fields of a `ModelCheckpoint`'s file name, which Keras fills in when it saves."""
    if callback.save_freq == "epoch":
        known = ["epoch", *_logged(trainer, before, validates)]
        if any(isinstance(c, (C.LearningRateScheduler, C.ReduceLROnPlateau)) for c in before):
            known += [f"learning_rate_{part.name}" for part in trainer.optimizer.optimizers]
        if any(map(_may_log, before)):
            return
    else:  # Between the batches of an epoch.
        known = ["epoch", "batch", *trainer.get_metrics_result()]
    counts = {name: 1 for name in ("epoch", "batch") if name in known}
    try:
        wanted = [field for _, field, *_ in string.Formatter().parse(callback.filepath)]
        unknown = [field for field in wanted if field is not None and field not in known]
        if not unknown:
            callback.filepath.format(**(dict.fromkeys(known, 0.5) | counts))
            return
        reason = f"names {unknown[0]!r}, which is not logged"
    except ValueError as error:
        unknown, reason = [""], f"has a field that cannot be filled in ({error})"
    wanted = unknown[0].removeprefix("val_") in known
    hint = ", with validation_data" if wanted else nearest(unknown[0], known)
    raise ValueError(
        f"`filepath` of ModelCheckpoint {reason}: its first file would be its end. Expected fields "
        f"among {known}{hint}. Received: filepath={callback.filepath!r}"
    )


def _may_log(callback):
    """Whether a callback may add figures of its own to the logs: a user's, at the end of epochs."""
    if isinstance(callback, C.LambdaCallback):
        return True
    return type(callback).__module__.split(".")[0] not in OURS


RULES = (
    (C.OrbaxCheckpoint, _refuse_orbax),
    (C.BackupAndRestore, _check_backup),
    ((C.LearningRateScheduler, C.ReduceLROnPlateau), _check_rates),
    (C.SwapEMAWeights, _check_average),
    ((C.EarlyStopping, C.ModelCheckpoint, C.ReduceLROnPlateau), _check_monitor),
    (C.ModelCheckpoint, _check_file_name),
)
