"""Players in `.keras` files: written whole or not at all, and read again.

A file holds one player, or a trainer with both. Of a trainer's file only the player that is
asked for is made, so reading one needs nothing of `trainers`.
"""

import io
import os
import tempfile
import zipfile
import zlib

import h5py
import keras
from keras.src.backend.common import global_state

from zoo import finite, players, presets, sealing, untrusted
from zoo.files import as_path, replacing
from zoo.players import copies, sampling
from zoo.validation import nearest

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError)
PLAYERS = {"generator": players.Generator, "discriminator": players.Discriminator}


def save(model, path, members=None):
    """Saves any Keras model to a `.keras` file.

    The file is written beside and then renamed: whoever reads `path` sees the old file or the new
    one, and a failure leaves the old one. Folders are made as needed.

    Args:
        model: A built Keras model.
        path: Where to write, ending in `.keras`.
        members: dict, optional. Texts, or bytes, by the names of further members of the file.

    Returns:
        The path, as `pathlib.Path`.

    Raises:
        ValueError: If there is no built model, the path ends in something else, or the file could
            not be read back as the same model.
    """
    path = _check_extension(path)
    check_built(model=model)
    check_readable(model)
    with replacing(path) as temporary:
        with sealing.later():
            model.save(temporary)
        _keep_skipsets()
        if members:
            with zipfile.ZipFile(temporary, "a") as archive:
                for name, text in members.items():
                    archive.writestr(name, text)
        untrusted.seal_archive(temporary)
    return path


def _keep_skipsets():
    """Keeps what Keras 3.15 means to keep of a saving, but looks for by another name.

    It made new reference objects in each saving, optimizers too, for whose variables TensorFlow
    keeps 35 kB each for ever: a process grew by 0.14 MB in each saving of a trainer.
    """
    for kind in ("Functional", "Layer", "Loss", "Metric", "Operation", "Optimizer", "Sequential"):
        found = global_state.get_global_attribute(f"saving_attr_skipset_{kind}")
        if found is not None:
            global_state.set_global_attribute(f"saving_attr_skiplist_{kind}", found)


def read_member(path, name):
    """The text of a member of a `.keras` file that `check_keras_file` has passed, or `None`."""
    content = read_bytes(path, name)
    return None if content is None else content.decode()


def read_bytes(path, name):
    """Likewise its bytes."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name) if name in archive.namelist() else None


def check_readable(model):
    """Raises a `ValueError` if a file of a model would be read as another one, or not at all."""
    own = getattr(model, "check_saving", None)  # A player's and a trainer's.
    copies.check(model) if own is None else own()


def check_built(**model):
    """Raises a `ValueError` unless the one argument is a Keras model that has weights to save."""
    ((name, given),) = model.items()
    if not isinstance(given, keras.Model) or not given.built:
        raise ValueError(
            f"`{name}` has no weights to save. Expected a built Keras model. "
            f"Received: {name}={getattr(given, 'name', given)!r}"
        )


def load(path, player="generator"):
    """Reads a player from a `.keras` file of its own, the file of a trainer, or a preset.

    Of a trainer's file the generator is the moving average (`ema_generator`) where there is one.

    Args:
        path: The `.keras` file, or the name or the folder of a preset (`zoo.from_preset`).
        player: `"generator"` or `"discriminator"`.

    Returns:
        The player, with its weights.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, holds something else, or holds a class that nobody
            registered with Keras.

    Example:

    ```python
    import zoo

    generator = zoo.load("run/gan.keras")
    images = generator.sample(64, seed=0)
    ```
    """
    presets.check_role(player)
    if as_path(path=path).suffix != ".keras":
        return presets.from_preset(path, player)
    expected = f"a {player}, or a trainer"
    config = check_keras_file(path, expected)
    if is_trainer(config):
        with untrusted.made_again("path", path, stored_bytes(path), expected):
            model = _from_trainer(path, config, player)
    else:
        model = load_model(path, expected, compile=False)
        if player == "generator" and not isinstance(model, players.Generator):
            model = getattr(model, "generator", model)  # An autoencoder's.
    _check_player(model, player, path, config)
    finite.check_weights(model, player)
    return model


def stored_bytes(path):
    """The bytes of the weights of a file that `check_keras_file` has passed."""
    with zipfile.ZipFile(path) as archive, archive.open(WEIGHTS) as file:
        with untrusted.hdf5(file, WEIGHTS) as weights:
            return untrusted.declared_bytes(weights, WEIGHTS)


def load_model(path, expected="a Keras model", **arguments):
    """As `keras.saving.load_model`, of a file that `check_keras_file` has passed.

    Raises:
        ValueError: If no model can be made of it, its config declares far more weights than are
            stored, or the file's weights are not of the kinds that its model has.
    """
    with untrusted.made_again("path", path, stored_bytes(path), expected):
        model = keras.saving.load_model(path, **arguments)
    with zipfile.ZipFile(path) as archive, archive.open(WEIGHTS) as file:
        with untrusted.hdf5(file, WEIGHTS) as weights:
            untrusted.check_kinds(weights, model, f"{WEIGHTS} of {str(path)!r}")
    return model


def check_keras_file(path, expected="a Keras model"):
    """Checks that a `.keras` file can be read, before anything is made of it.

    Args:
        path: The `.keras` file.
        expected: What the file should hold, for the messages.

    Returns:
        The config that the file holds: a dict with `class_name`, `registered_name`, `config` and,
        for compiled models, `compile_config`.

    Raises:
        FileNotFoundError: If there is no such file; the message names those that are there.
        ValueError: If the path does not end in `.keras`, or the file is damaged.
    """
    path = _check_extension(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"`path` does not exist. Expected a .keras file that holds {expected}"
            f"{_neighbours(path)}. Received: path={str(path)!r}"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            missing = sorted({CONFIG, WEIGHTS} - set(archive.namelist()))
            untrusted.check_members(archive, "its archive")
            damaged, config = missing, None
            if not damaged:
                untrusted.check_archive(archive, "its archive")
                config = untrusted.parse_json(archive.read(CONFIG), CONFIG)
                with archive.open(WEIGHTS) as file, untrusted.hdf5(file, WEIGHTS) as weights:
                    damaged = _lacks_average(config, weights)
    except DAMAGES as error:
        damaged = error
    if damaged or not isinstance(config, dict):
        reason = f"{missing} missing" if isinstance(damaged, list) else damaged or "no config"
        raise ValueError(
            f"`path` is damaged or not a Keras file ({reason}). Expected a .keras file that holds "
            f"{expected}. Received: path={str(path)!r}"
        )
    return config


def _lacks_average(config, weights):
    """What is wrong with a trainer's weights that have not the average that it kept, or `None`."""
    compilation = config.get("compile_config") if isinstance(config, dict) else None
    decay = compilation.get("ema_decay") if isinstance(compilation, dict) else None
    if decay is not None and is_trainer(config) and "ema_generator" not in weights:
        return f"its trainer keeps a moving average, and {WEIGHTS} has no ema_generator"
    return None


def is_trainer(config):
    """Whether the config of a `.keras` file is a trainer's: one that holds both players."""
    inner = config.get("config")
    return isinstance(inner, dict) and all(isinstance(inner.get(name), dict) for name in PLAYERS)


def held_class(config):
    """The name of the class in a file's config, as Keras registered it: `"zoo>GAN"`."""
    return config.get("registered_name") or config.get("class_name")


def _from_trainer(path, config, player):
    """The player of a trainer's file: its config, and its group of the weights file."""
    model = keras.saving.deserialize_keras_object(config["config"][player])
    if player == "generator":
        sampling.say_range(model, config["config"].get("value_range", sampling.AUTO))
    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read(WEIGHTS))
    with untrusted.hdf5(weights, WEIGHTS) as source, tempfile.TemporaryDirectory() as folder:
        average = f"ema_{player}"
        group = source.get(average if average in source else player)
        if group is None:
            raise ValueError(
                f"`player` has no weights in the trainer's file. Expected one of {list(source)}. "
                f"Received: player={player!r}, path={str(path)!r}"
            )
        untrusted.check_kinds(group, model, WEIGHTS)
        copy = os.path.join(folder, "player.weights.h5")
        with h5py.File(copy, "w") as target:
            for name in group:
                group.copy(name, target)
        model.load_weights(copy)
    return model


def _check_player(model, player, path, config):
    others = tuple(kind for name, kind in PLAYERS.items() if name != player)
    fits = not isinstance(model, others)
    if fits and player == "generator":
        try:
            sampling.traits(model)
        except (AttributeError, ValueError):
            fits = False
    if not fits:
        raise ValueError(
            f"`path` holds another model, of class {held_class(config)}. Expected a {player}, or a "
            f"trainer. Received: path={str(path)!r}"
        )


def _check_extension(path):
    path = as_path(path=path)
    if path.suffix != ".keras":
        raise ValueError(
            "`path` has another ending than Keras's files. Expected a path that ends in .keras. "
            f"Received: path={str(path)!r}"
        )
    return path


def _neighbours(path):
    """The hint of a missing file: the nearest names in its folder, or what else is there."""
    if not path.parent.is_dir():
        return f" (the folder {str(path.parent)!r} does not exist either)"
    names = sorted(p.name for p in path.parent.glob("*.keras") if not p.name.startswith("."))
    if not names:
        return " (the folder has no .keras files)"
    return nearest(path.name, names) or f" (the folder has {', '.join(names[:5])})"
