"""Which data a generator learned, and the data that a command shows or measures it beside.

The card of a preset says it, and of a run the `settings.json` beside its files. Nothing else is
guessed: clothes would be compared with digits, which have their shape.
"""

import dataclasses
import json
import os
import pathlib

import numpy as np

from zoo import datasets, presets, toys

SETTINGS = "settings.json"  # What `python -m trainers` writes into the folder of a run.
SCORED = "score"  # The folder in there that has the best trainer.
UNKNOWN = "unknown"  # The dataset of a card that says none.
# Arguments of `zoo.datasets` beside it.
SOURCE = ("image_size", "data_dir", "skip_unreadable", "validation_split", "bit_depth")


@dataclasses.dataclass(frozen=True)
class Data:
    """A dataset for a model.

    Attributes:
        dataset: A name of `zoo.datasets`.
        source: dict. Other arguments of `zoo.datasets`.
        learned: The dataset that the model learned, or `None` where nothing says so.
        notes: tuple of sentences that a user has to hear.
    """

    dataset: str
    source: dict
    learned: str | None = None
    notes: tuple = ()

    def sized(self, split, image_shape):
        """The same data with images of a generator's size.

        Args:
            split: The split that is wanted.
            image_shape: Shape of a sample of the generator.

        Raises:
            ValueError: If they are other samples still (points, or of other channels), or of a size
                that was asked for.
        """
        if len(image_shape) != 3 or self.dataset in toys.TOYS:
            return self._checked(split, self.source, image_shape)
        size, given = tuple(image_shape[:2]), self.source.get("image_size")
        wanted = None if given is None else tuple(np.broadcast_to(given, 2).tolist())
        if wanted not in (None, size):
            raise ValueError(
                "`--image_size` is not the size of the generator's images. Expected "
                f"{size[0]}x{size[1]}, or no --image_size. Received: {given}"
            )
        found = self._checked(split, {**self.source, "image_size": size}, image_shape)
        native = wanted or self._size(split)
        if native == size:
            return found
        own = "several sizes" if native is None else f"{native[0]}x{native[1]} pixels"
        note = (
            f"the images of {self.dataset} are of {own}, and are cropped and resized to the "
            f"generator's {size[0]}x{size[1]}"
        )
        return dataclasses.replace(found, notes=(*self.notes, note))

    def _checked(self, split, source, image_shape):
        shape = datasets.info(self.dataset, split, **source).sample_shape
        if tuple(shape) != tuple(image_shape):
            kind = "images" if len(shape) == len(image_shape) == 3 else "samples"
            raise ValueError(
                f"`--dataset` has other {kind} than the generator. Expected samples of shape "
                f"{tuple(image_shape)}. Received: --dataset={self.dataset} with {tuple(shape)}"
            )
        return dataclasses.replace(self, source=source)

    def _size(self, split):
        """The `(height, width)` of the images as they are; `None` where they differ."""
        source = {**self.source, "image_size": None, "skip_unreadable": False}
        try:
            return tuple(datasets.info(self.dataset, split, **source).sample_shape[:2])
        except ValueError:
            return None


def chosen(model, dataset=None, **source):
    """The data for a model: those that were asked for, or those that it learned.

    Args:
        model: The name or folder of a preset, or the path of a `.keras` file.
        dataset: A name of `zoo.datasets`, optional.
        **source: Other arguments of `zoo.datasets`; `None` and `False` take what the run had.

    Returns:
        `Data`. Data that the model did not learn are in its `notes`.

    Raises:
        ValueError: If no dataset is named, and nothing says what the model learned.
        FileNotFoundError: If that is a folder which is not there.
    """
    known, its_source = learned(model)
    given = {name: value for name, value in source.items() if value}
    if dataset is None:
        _check_known(model, known)
        return Data(known, {**its_source, **given}, known)
    if known is None:
        return Data(dataset, given)
    if _same(dataset, known):
        return Data(dataset, {**its_source, **given}, known)
    note = f"{model} learned {known}, and {dataset} are other data"
    return Data(dataset, given, known, (note,))


def learned(model):
    """The dataset that a model learned, and arguments of `zoo.datasets` beside its name.

    Args:
        model: As of `chosen`.

    Returns:
        `(dataset, source)`; `(None, {})` where nothing says so.
    """
    path = pathlib.Path(model)
    if path.suffix != ".keras":
        card = presets.card(model)
        return _read(card, card.get("source"))
    folders = [path.parent, path.parent.parent] if path.parent.name == SCORED else [path.parent]
    for folder in folders:
        try:
            settings = json.loads((folder / SETTINGS).read_text())
        except (OSError, ValueError):
            continue
        return _read(settings, settings)
    return None, {}


def _read(found, source):
    dataset = found.get("dataset") if isinstance(found, dict) else None
    if not isinstance(dataset, str) or dataset == UNKNOWN:
        return None, {}
    source = source if isinstance(source, dict) else {}
    return dataset, {name: source[name] for name in SOURCE if source.get(name)}


def _check_known(model, known):
    if known is None:
        raise ValueError(
            "`--dataset` is missing: neither a card nor the settings.json of a run says what the "
            f"model learned. Expected --dataset=NAME. Received: --model={model} alone"
        )
    if os.sep in known and not pathlib.Path(known).expanduser().is_dir():
        raise FileNotFoundError(
            f"`--dataset` is missing, and the folder that the model learned, {known!r}, is not at "
            f"{pathlib.Path(known).absolute()}. Expected --dataset=FOLDER. "
            f"Received: --model={model} alone"
        )


def _same(a, b):
    """Whether two names are of the same images."""
    names = [name.removeprefix("keras:").removeprefix("tfds:") for name in (a, b)]
    paths = [pathlib.Path(name).expanduser().resolve() for name in (a, b)]
    return names[0] == names[1] or os.sep in a + b and paths[0] == paths[1]
