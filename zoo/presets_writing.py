"""Writing of presets, which `zoo.from_preset` reads."""

import json
import os

import h5py
import keras
import numpy as np

from zoo import hub, model_cards, pictures, presets, untrusted
from zoo.files import OLD, as_path, replace_folder, replacing, sha256, working_folder
from zoo.players import conditions
from zoo.players.sampling import labels_in_turn, traits
from zoo.presets import CARD, CONFIG, FILES, FORMAT, SAMPLES, WEIGHTS
from zoo.saving import check_built

SHOWN = 64


def save_preset(generator, directory, discriminator=None, card=None, half=False):
    """Writes a preset, whole or not at all: what `from_preset` reads, ready to be published.

    Args:
        generator: A generator of the zoo (of a trainer: its `sampler`).
        directory: Where to; its last part is the preset's name. A preset that is there is
            replaced.
        discriminator: Its opponent, optional.
        card: dict, optional. What else the card should say: `description`, `dataset`, `scores`, ...
        half: bool. Stores the weights in float16, half the size: measure what you publish.

    Returns:
        The folder, as `pathlib.Path`.

    Raises:
        ValueError: If a player is not built or its class is not registered with Keras, if a weight
            is beyond float16, or the folder is there and holds something else.

    Example:

    ```python
    import trainers, zoo

    gan = trainers.GAN(zoo.DCGANGenerator(filters=8), zoo.DCGANDiscriminator(filters=8))
    zoo.save_preset(gan.sampler, "presets/my_gan", gan.discriminator, {"dataset": "mnist"})
    generator = zoo.from_preset("presets/my_gan")
    ```
    """
    directory = as_path(directory=directory)
    if directory.exists() and not (directory / CARD).is_file():
        raise ValueError(
            "`directory` holds something else than a preset, and only a preset is replaced. "
            "Expected a new directory, or one with a card.json. "
            f"Received: directory={str(directory)!r}"
        )
    given = {"generator": generator, "discriminator": discriminator}
    given = {name: model for name, model in given.items() if model is not None}
    for name, model in given.items():
        _check_player(name, model)
    with working_folder(directory.parent, ".preset-") as spare:
        folder = spare / "preset"
        folder.mkdir()
        configs = {n: keras.saving.serialize_keras_object(m) for n, m in given.items()}
        (folder / CONFIG).write_text(json.dumps(configs, indent=1) + "\n")
        for name, model in given.items():
            model.save_weights(folder / WEIGHTS[name])
            _pack(folder / WEIGHTS[name], half)
        reloaded = keras.saving.deserialize_keras_object(
            json.loads((folder / CONFIG).read_text())["generator"]
        )
        # As they will be loaded: rounded, with `half`.
        reloaded.load_weights(folder / WEIGHTS["generator"])
        _save_samples(reloaded, folder / SAMPLES)
        files = {path.name: sha256(path.read_bytes()) for path in sorted(folder.iterdir())}
        written_card = {
            "format": FORMAT,
            "name": directory.name,
            "class": type(generator).__name__,
            "dataset": "unknown",
            "description": "",
            "scores": [],
            **(card or {}),
            "parameters": {name: model.count_params() for name, model in given.items()},
            "bytes": sum(path.stat().st_size for path in folder.iterdir()),
            "files": files,
        }
        (folder / CARD).write_text(json.dumps(untrusted.sealed(written_card), indent=1) + "\n")
        if directory.exists():
            (spare / OLD).mkdir()
            replace_folder(folder, directory, spare / OLD)
        else:
            os.replace(folder, directory)
    return directory


def upload_preset(uri, folder, private=None, message=None):
    """Publishes a preset on the Hugging Face Hub, where `zoo.from_preset(uri)` finds it.

    The players are read once before anything is sent, so what is damaged stays here. The files go
    in one commit, with a README that shows the samples and the scores; its metadata hold each score
    with its protocol. A `README.md` in the folder is taken in its place. What is sent are the bytes
    that were checked against the card. It needs `pip install
    huggingface_hub` and a login (`hf auth login`, or the environment's `HF_TOKEN`).

    Args:
        uri: `hf://USER/NAME`, the model that the preset becomes. It is made as needed; a preset
            that is there is replaced.
        folder: A folder that `save_preset` wrote, or the name of a shipped preset.
        private: bool. Whether a model that is made can be read by its owner alone; `None`: as its
            owner's are. One that is there has to be as it says.
        message: str. The message of the commit. Defaults to one that names the preset.

    Returns:
        The URL of the commit.

    Raises:
        ImportError: If `huggingface_hub` is not installed.
        ValueError: If the address is none, the Hub refuses it or holds something else there, or
            the folder holds no preset that can be read.
        FileNotFoundError: If a file of the preset is missing.
        ConnectionError: If the Hub does not answer.

    Example:

    ```python
    import zoo

    zoo.save_preset(zoo.DCGANGenerator(filters=8), "presets/mine", card={"dataset": "mnist"})
    # zoo.upload_preset("hf://me/mine", "presets/mine")
    ```
    """
    hub.target(uri)
    folder = presets.folder_of(folder, argument="folder")
    card = presets.card(folder)
    generator = presets.from_preset(folder)
    if WEIGHTS["discriminator"] in card["files"]:
        presets.from_preset(folder, "discriminator")
    given = {CARD: (folder / CARD).read_bytes()}
    listed = [name for name in FILES if name in card["files"]]
    given |= {name: presets.verified(folder, name, card["files"]) for name in listed}
    readme = folder / "README.md"
    if readme.is_file() and not readme.is_symlink():
        given["README.md"] = readme.read_bytes()
    else:
        text = model_cards.of_preset(card, str(uri), traits(generator), SAMPLES in given)
        given["README.md"] = text.encode()
    message = message or f"Preset {card['name']} of GAN Zoo"
    return hub.commit(uri, given, CARD, FILES, message, private)


def _save_samples(generator, path):
    """A picture of the first samples of seed 0, a column a class where there are classes."""
    told = conditions.of(generator)
    classes = getattr(told, "num_classes", None)
    columns = min(classes or 8, 10)
    count = SHOWN // columns * columns
    labels = labels_in_turn(count, classes and columns)
    if told is not None and labels is None:  # What its conditions mean is not known here.
        labels = np.zeros((count, *told.shape), told.dtype)
    samples = generator.sample(count, seed=0, **({told.name: labels} if told else {}))
    pictures.save_png(pictures.draw(samples, columns), path)


def _check_player(name, model):
    check_built(**{name: model})
    registered = keras.saving.get_registered_name(type(model))
    if keras.saving.get_registered_object(registered) is not type(model):
        raise ValueError(
            f"`{name}` is of a class that cannot be found again by its name. Expected a class with "
            "`@keras.saving.register_keras_serializable()`. "
            f"Received: {name} of class {type(model).__name__}"
        )


def _pack(path, half):
    """Writes a weights file again, compressed, and in float16 where that is wanted."""
    with (
        replacing(path) as packed,
        h5py.File(path) as source,
        h5py.File(packed, "w") as target,
    ):

        def copy(name, item):
            if isinstance(item, h5py.Group):
                made = target.require_group(name)
            else:
                value = item[()]
                if half and value.dtype == np.float32:
                    if np.abs(value).max(initial=0) > np.finfo("float16").max:
                        raise ValueError(
                            "`half` cannot hold a weight beyond float16. Expected half=False. "
                            f"Received: {name} up to {np.abs(value).max():.4g}"
                        )
                    value = value.astype("float16")
                shrink = {"compression": "gzip", "shuffle": True} if value.ndim else {}
                made = target.create_dataset(name, data=value, **shrink)
            for key, attribute in item.attrs.items():
                made.attrs[key] = attribute

        source.visititems(copy)
        for key, attribute in source.attrs.items():
            target.attrs[key] = attribute
