"""The health of a run: which monitor looks at it, and how it ends where that stops it."""

import math
import sys

from trainers.callbacks.health_monitor import HealthMonitor, read_record
from zoo import datasets, saving

CHOICES = ("warn", "stop", "rollback", "off")
RECORD = "health.jsonl"
LOOKS, FEWEST, MOST = 40, 250, 500  # Looks of a run; steps between two, 2 % of a DCGAN's time.
ROOM = 2**26  # Numbers of a data set that is read whole, so that copies are found.
SOME = 1000


class Unhealthy(RuntimeError):
    """A run was stopped because of its health; all that it made is in its folder."""


def monitor(settings, data, gan, folder, end, checkpoint=None):
    """The `trainers.HealthMonitor` of a run, or `None` where nobody is to look.

    Args:
        settings: `Settings`.
        data: The run's `zoo.datasets.Dataset`.
        gan: The trainer.
        folder: `pathlib.Path` of the run.
        end: int. The step at which it ends.
        checkpoint: Path of the checkpoint that the run goes on from, or `None`.
    """
    if settings.health == "off":
        return None
    if settings.strategy != "none":
        print("note: nobody looks at the health of a run of several devices", file=sys.stderr)
        return None
    every = max(FEWEST, min(MOST, end // LOOKS)) // settings.steps_per_execution
    made = HealthMonitor(
        _some(data, gan.traits),
        _held_out(settings, gan.traits),
        every_steps=max(1, every) * settings.steps_per_execution,
        policy=settings.health,
        path=folder / RECORD,
        seed=settings.seed,
    )
    made.says = lambda text: print(f"warning: {text}", file=sys.stderr)
    if checkpoint is not None:
        made.restore(lambda name: saving.read_bytes(checkpoint, name))
    return made


def end(made, folder):
    """Raises `Unhealthy` if the monitor has stopped the run."""
    if made is not None and made.stopped_by is not None:
        raise Unhealthy(
            f"stopped by --health={made.policies[made.stopped_by]} because of {made.stopped_by}; "
            f"{str(folder / RECORD)!r} has what was seen, and --health=warn goes on all the same"
        )


def marks(record, epoch_steps):
    """Where troubles began, as pairs of an epoch and a name, by a record that need not be there."""
    found, before = [], []
    for look in read_record(record) if record.exists() else []:
        names = look.get("troubles", [])
        found += [(look["step"] / epoch_steps, name) for name in names if name not in before]
        before = names
    return found


def _held_out(settings, traits):
    """Samples that the run does not learn from, or `None` where the data have none."""
    try:
        return _some(datasets.open(settings.dataset, "test", **settings.source), traits)
    except (ValueError, FileNotFoundError):
        return None


def _some(data, traits):
    """A data set that is not large whole, else its first samples, shuffled."""
    told = traits.condition is not None
    if not data.drawn and data.info.count * math.prod(data.info.sample_shape) <= ROOM:
        images, labels = data.arrays()
        return (images, labels) if told else images
    return data.batches(SOME, labels=told)
