"""What an exported version is to who reads it: its number, its card, a trainer that it holds."""

import pathlib

import keras

from zoo import files, saving, untrusted
from zoo.files import as_path
from zoo.validation import check_integer

CARD = "assets.extra/card.json"  # A server passes over this folder.
TRAINER = "assets.extra/trainer.keras"
LARGEST = 2**63 - 1  # A server reads a version into an int64, and passes over what does not fit.
LOADED = {".pb", ".onnx", ".tflite", ".keras", ".npz"}  # Endings of what is read of a version.


def versions(directory):
    """The versions of a served model: the integers among the names in its folder, sorted."""
    directory = pathlib.Path(directory)
    names = [entry.name for entry in directory.iterdir()] if directory.is_dir() else []
    numbers = [int(name) for name in names if name.isascii() and name.isdecimal()]
    return sorted(number for number in numbers if number <= LARGEST)


def latest(directory):
    """The folder of the largest version in a folder of versions; of a version the folder itself."""
    folder = pathlib.Path(directory)
    there = versions(folder)
    return folder / str(there[-1]) if there else folder


def load_trainer(cls, directory, version=None):
    """The trainer that a version holds, as `from_export` of its class.

    Args:
        cls: Class that it has to be, or a subclass of it.
        directory: The folder of versions, or a version.
        version: int. Defaults to the largest in the folder.

    Returns:
        The trainer, compiled as it was.

    Raises:
        FileNotFoundError: If there is no such version, or it holds no trainer.
        ValueError: If it is damaged, or its trainer is of another class.
    """
    path = trainer_file(directory, version)
    config = saving.check_keras_file(path, f"a {cls.__name__}")
    found = keras.saving.get_registered_object(str(saving.held_class(config)))
    if found is not None and not issubclass(found, cls):
        raise ValueError(
            f"`directory` holds another trainer. Expected a {cls.__name__}. Received: "
            f"directory={str(directory)!r} with a {found.__name__}"
        )
    return saving.load_model(path, f"a {cls.__name__}")


def trainer_file(directory, version=None):
    """The file of the trainer that a version holds, which is as its card says.

    Args:
        directory: The folder of versions, or a version.
        version: int. Defaults to the largest in the folder.

    Raises:
        FileNotFoundError: If there is no such version, or it holds no trainer.
        ValueError: If it is damaged.
    """
    folder = as_path(directory=directory)
    there = versions(folder)
    if version is not None:
        check_integer(1, LARGEST, version=version)
        if version not in there:
            raise FileNotFoundError(
                f"`version` is not there. Expected one of {there}. Received: version={version!r}, "
                f"directory={str(directory)!r}"
            )
        folder = folder / str(version)
    folder = latest(folder)
    read(folder)
    if not (folder / TRAINER).is_file():
        raise FileNotFoundError(
            "`directory` holds no trainer to go on with. Expected a version that was written by "
            f"export.save(..., resumable=True), or --resumable. Received: {str(folder)!r}"
        )
    return folder / TRAINER


def hashes(folder):
    """The SHA-256 of every file of a version but the card: `{path within it: hash}`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    return {
        name: files.sha256(path.read_bytes())
        for name, path in zip(names, paths, strict=True)
        if name != CARD
    }


def read(folder):
    """The card of a version.

    Raises:
        FileNotFoundError: If it has none.
        ValueError: If the card is damaged, or a file is missing or another one than it says.
    """
    path = folder / CARD
    if not path.is_file():
        raise FileNotFoundError(
            f"`directory` has no card. Expected a version that `export.save` wrote. Received: no "
            f"{CARD} in {str(folder)!r}"
        )
    try:
        content = untrusted.parse_json(path.read_text(), CARD)
        if content.get("format") != 1:
            untrusted.check_seal(content, CARD)
        listed = dict(content["sha256" if content.get("format") == 1 else "files"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"`directory` has a damaged card ({error}). Expected JSON with the hash of every file. "
            f"Received: {str(path)!r}"
        ) from error
    found = hashes(folder)
    loaded = {name for name in found if pathlib.PurePosixPath(name).suffix in LOADED}
    for name in sorted(loaded - set(listed)):
        raise ValueError(
            f"`directory` is damaged: {name} is not of the version. Expected only files that its "
            f"card lists. Received: {str(folder / name)!r}"
        )
    for name, wanted in listed.items():
        if found.get(name) != wanted:
            what = "another one" if name in found else "missing"
            raise ValueError(
                f"`directory` is damaged: {name} is {what}. Expected the SHA-256 of its card, "
                f"{wanted}. Received: {found.get(name)} in {str(folder)!r}"
            )
    return content
