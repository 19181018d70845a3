"""Whether a run may go on in its folder: with the same settings, from a trainer of its class."""

import dataclasses
import json
import pathlib

import keras

from zoo import saving

SETTINGS, CHECKPOINT = "settings.json", "gan.keras"
# What may differ when a run goes on: they change how long or how fast, not what.
FREE = {"epochs", "jit_compile", "strategy"}


def decided(settings, details):
    """All that decides a run, as `settings.json` has it."""
    given = {name: value for name, value in dataclasses.asdict(details).items() if value}
    return {**dataclasses.asdict(settings), **({"details": given} if given else {})}


def check_same(now, output_dir):
    """Raises a `ValueError` if a folder holds a run that something else decided.

    Args:
        now: What `decided` gives.
        output_dir: The folder; it need not be there.
    """
    path = pathlib.Path(output_dir) / SETTINGS
    if not path.exists():
        return
    before = json.loads(path.read_text())
    differing = [n for n in {**before, **now} if n not in FREE and before.get(n) != now.get(n)]
    if differing:
        changes = ", ".join(f"{n} was {before.get(n)!r}, is {now.get(n)!r}" for n in differing)
        raise ValueError(
            "`output_dir` holds another run. Expected the same settings, to go on with it, or "
            f"another folder. Received: output_dir={str(output_dir)!r}, where {changes}"
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
    return keras.saving.load_model(path)
