"""Whether a run may go on in its folder: with the same settings, from a trainer of its class."""

import dataclasses
import pathlib

import keras

from trainers.runs import games
from zoo import saving, untrusted

SETTINGS, CHECKPOINT, LOG = "settings.json", "gan.keras", "log.csv"
# What may differ when a run goes on: how long, how fast, and how often somebody looks; not what.
FREE = {"epochs", "steps", "jit_compile", "strategy", "changed", "health"}
FREE |= {"sample_every", "sample_every_steps", "checkpoint_every_steps"}


def decided(settings, details):
    """All that decides a run, as `settings.json` has it."""
    details = games.completed(settings, details)
    given = {name: value for name, value in dataclasses.asdict(details).items() if value}
    return {**dataclasses.asdict(settings), **({"details": given} if given else {})}


def check_same(now, output_dir):
    """Raises a `ValueError` if a folder holds a run that something else decided.

    What decided it is in `settings.json`; where that is lost, the checkpoint says it too.

    Args:
        now: What `decided` gives.
        output_dir: The folder; it need not be there.
    """
    before = _before(pathlib.Path(output_dir))
    if before is None:
        return
    differing = [n for n in {**before, **now} if n not in FREE and before.get(n) != now.get(n)]
    if differing:
        changes = ", ".join(f"{n} was {before.get(n)!r}, is {now.get(n)!r}" for n in differing)
        raise ValueError(
            "`output_dir` holds another run. Expected the same settings, to go on with it, or "
            f"another folder. Received: output_dir={str(output_dir)!r}, where {changes}"
        )


def _before(folder):
    """What decided the run of a folder: dict, or `None` where there is no run."""
    path, checkpoint = folder / SETTINGS, folder / CHECKPOINT
    try:
        found, reason = untrusted.parse_json(path.read_text(), "it"), "it is no object"
    except FileNotFoundError:
        found, reason = None, "it is missing"
    except ValueError as error:
        found, reason = None, str(error).rstrip(".")
    if isinstance(found, dict) or not (path.exists() or checkpoint.exists()):
        return found
    if checkpoint.exists():
        saving.check_keras_file(checkpoint, "a trainer")
        text = saving.read_member(checkpoint, SETTINGS)
        if text is not None and isinstance(found := untrusted.parse_json(text, SETTINGS), dict):
            return found
    elif not (folder / LOG).exists():  # A first start that was killed: nothing was learned.
        return None
    raise ValueError(
        f"`output_dir` holds a run of which nobody knows what decided it: {str(path)!r} cannot be "
        f"read, {reason}. Expected the {SETTINGS} of that run, or another folder. Received: "
        f"output_dir={str(folder)!r}"
    )


def check_new(output_dir):
    """Raises a `ValueError` if a folder has got a run since it was looked for."""
    if any((pathlib.Path(output_dir) / name).exists() for name in (SETTINGS, CHECKPOINT)):
        raise ValueError(
            "`output_dir` has got a run by another process in the meantime. Expected another "
            f"folder, or the same command again. Received: output_dir={str(output_dir)!r}"
        )


def check_not_beyond(gan, settings, end, output_dir):
    """Raises a `ValueError` if a trainer has made more steps than its run is to have."""
    steps = int(gan.steps.numpy())
    if steps > end:
        name = "epochs" if settings.steps is None else "steps"
        raise ValueError(
            f"`{name}` ends before the run in output_dir, which cannot be taken back. Expected at "
            f"least {steps:,} steps in all, or another folder. Received: "
            f"{name}={getattr(settings, name)}, which are {end:,} steps, and "
            f"output_dir={str(output_dir)!r}"
        )


def restored(path, gan):
    """The trainer of a checkpoint; `gan` says which class it has to be.

    Raises:
        ValueError: If the file is damaged or holds another class.
    """
    wanted = type(gan)
    config = saving.check_keras_file(path, expected=f"a {wanted.__name__}")
    if saving.held_class(config) != keras.saving.get_registered_name(wanted):
        raise ValueError(
            f"`path` holds a checkpoint of another class. Expected a {wanted.__name__}. "
            f"Received: {saving.held_class(config)} in path={str(path)!r}"
        )
    return saving.load_model(path)
