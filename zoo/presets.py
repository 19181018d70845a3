"""Reading of presets: folders with pretrained players, their scores, and how they were made.

    config.json               the classes and their arguments
    model.weights.h5          the generator
    discriminator.weights.h5  the discriminator, where there is one
    card.json                 scores, the command that makes it again, and the hash of every file
    samples.png               64 samples, not chosen

A folder like these may lie anywhere: the shipped ones lie in `zoo/presets`.
"""

import contextlib
import io
import os
import pathlib
import shutil
import tempfile

import keras

from zoo import finite, hub, untrusted
from zoo.files import as_path, sha256
from zoo.keras_names import policy
from zoo.validation import check_choice, nearest

SHIPPED = pathlib.Path(__file__).parent / "presets"
FORMAT = 1
CONFIG, CARD, SAMPLES = "config.json", "card.json", "samples.png"
WEIGHTS = {"generator": "model.weights.h5", "discriminator": "discriminator.weights.h5"}
FILES = (CONFIG, CARD, SAMPLES, *WEIGHTS.values())
SCHEMES = ("http://", "https://", "file://")


class Table(list):
    """The cards of presets, printed as a table."""

    def __repr__(self):
        rows = [("preset", "what", "parameters", "MB", "scores")]
        for card in self:
            rows.append(
                (
                    card["name"],
                    f"{card['class']} on {card['dataset']}",
                    f"{card['parameters']['generator']:,}",
                    f"{card['bytes'] / 1e6:.1f}",
                    ", ".join(
                        f"{score.get('label', score['name'])} {score['value']:.4g}"
                        for score in card["scores"]
                    ),
                )
            )
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = []
        for row in rows:
            cells = [
                cell.rjust(width) if i in (2, 3) else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=False))
            ]
            lines.append("  ".join([*cells, row[4]]).rstrip())
        return "\n".join(lines)

    __str__ = __repr__


def list_presets():
    """The shipped presets.

    Returns:
        A list of their cards (dicts, see `card`) in the order of their names; printed, a table of
        what each is, how large, and how good.
    """
    return Table(card(SHIPPED / name) for name in shipped())


def shipped():
    """The names of the shipped presets, sorted."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{CARD}"))


def card(preset, file_hash=None):
    """The card of a preset: its scores, how it was made, and the hash of every file.

    Args:
        preset: As of `from_preset`.
        file_hash: As of `from_preset`.

    Returns:
        A dict. Of every preset: `name`, `class`, `dataset`, `description`, `parameters` and
        `bytes`, `scores` (a list of `name`, `value`, `standard_error`, `protocol`, ... as
        `evaluation` writes them) and `files` (a SHA-256 each). Of those that a recipe made also
        `command`, `training`, `versions`, `selection`, `targets` and `checkpoints`.

    Raises:
        ValueError: If there is no such preset, or its card is damaged or of a newer version.
    """
    folder = folder_of(preset, file_hash)
    content = _read(folder, CARD)
    version = content.get("format")
    if not isinstance(content.setdefault("files", {}), dict):
        raise ValueError(
            "`preset` is damaged. Expected the SHA-256 of each of its files, by their names. "
            f"Received: files={content['files']!r} in {str(folder)!r}"
        )
    if not isinstance(version, int) or version > FORMAT:
        raise ValueError(
            f"`preset` is of a newer version than this library. Expected format {FORMAT} or "
            f"older. Received: format {version} in {str(folder)!r}"
        )
    return content


def from_preset(preset, player="generator", dtype=None, file_hash=None, expected=None):
    """A pretrained player.

    Nothing is downloaded for a shipped preset, and nothing is written to disk.

    Args:
        preset: The name of a shipped preset, a folder that `save_preset` wrote, the URL of such
            a folder as an archive (`.zip` or `.tar.gz`), which Keras keeps in its cache, or
            `hf://USER/NAME`, where `upload_preset` put it on the Hugging Face Hub (`pip install
            huggingface_hub`, whose cache and login these are). `hf://USER/NAME@REVISION` is that
            of a branch, a tag or a commit.
        player: `"generator"` or `"discriminator"`.
        dtype: Keras dtype policy, optional. Defaults to the one that the player was trained in.
        file_hash: SHA-256 of the archive; a URL needs one. With `hf://` it is optional and that of
            `card.json`, which has those of all other files.
        expected: Class that the player has to be, or a subclass of it.

    Returns:
        The player, with its weights.

    Raises:
        ValueError: If the preset is unknown (the nearest names are given), of a newer version or
            of another class, if a file is not the one that the card describes, a URL comes
            without a hash, or there is nothing at an address that this machine may read.
        FileNotFoundError: If a file of the preset is missing.
        ConnectionError: If the Hub does not answer, and its cache has not got the preset.
        ImportError: If `hf://` is asked for without `huggingface_hub`.

    Example:

    ```python
    import zoo

    zoo.save_preset(zoo.DCGANGenerator(filters=8), "presets/mine")
    generator = zoo.from_preset("presets/mine")  # or a name of zoo.list_presets()
    images = generator.sample(64, seed=0)
    ```
    """
    check_role(player)
    folder = folder_of(preset, file_hash)
    hashes = card(folder)["files"]
    configs = untrusted.parse_json(verified(folder, CONFIG, hashes), CONFIG)
    config = configs.get(player) if isinstance(configs, dict) else None
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        there = sorted(configs) if isinstance(configs, dict) else "the configs of players"
        raise ValueError(
            f"`player` is not in the preset. Expected one of {there}. "
            f"Received: player={player!r}, preset={str(preset)!r}"
        )
    if dtype is not None:
        config["config"]["dtype"] = keras.dtype_policies.serialize(policy(dtype))
    cls = keras.saving.get_registered_object(str(config.get("registered_name")))
    if expected is not None and not (cls is not None and issubclass(cls, expected)):
        raise ValueError(
            f"`preset` holds another class. Expected a {expected.__name__}. "
            f"Received: preset={str(preset)!r} with a {config.get('class_name')}"
        )
    content = verified(folder, WEIGHTS[player], hashes)
    with untrusted.hdf5(io.BytesIO(content), WEIGHTS[player]) as weights:
        stored = untrusted.declared_bytes(weights, WEIGHTS[player])
        with untrusted.made_again("preset", folder, stored, f"a {player}"):
            model = keras.saving.deserialize_keras_object(config)
            if not isinstance(model, keras.Model):
                raise ValueError(
                    f"`preset` holds no model. Expected a {player}. Received: "
                    f"preset={str(preset)!r} with a {type(model).__name__}"
                )
            untrusted.check_kinds(weights, model, WEIGHTS[player])
            model.load_weights(folder / WEIGHTS[player])
    finite.check_weights(model, player)
    return model


def check_role(player):
    """Raises a `ValueError` unless it is `"generator"` or `"discriminator"`."""
    check_choice(WEIGHTS, player=player)


def folder_of(preset, file_hash=None, argument="preset"):
    """The folder of a preset; of a URL the archive is downloaded, and of the Hub the files.

    Args:
        preset, file_hash: As of `from_preset`.
        argument: The name that `preset` has where it was given, for the messages.

    Raises:
        ValueError: If there is no such preset.
    """
    if str(preset).startswith(SCHEMES):
        return _download(str(preset), file_hash)
    if str(preset).startswith(hub.SCHEME):
        return _from_hub(str(preset), file_hash, argument)
    folder = as_path(**{argument: preset})
    if isinstance(preset, str) and folder.name == preset:
        folder = SHIPPED / preset
        if not (folder / CARD).is_file() and pathlib.Path(preset).is_dir():
            folder = pathlib.Path(preset)
    if not (folder / CARD).is_file():
        raise ValueError(
            f"`{argument}` is unknown. Expected one of {shipped()}, a folder with a {CARD}, a URL, "
            "hf://USER/NAME, or for zoo.load a path that ends in .keras"
            f"{nearest(preset, shipped())}. Received: {argument}={str(preset)!r}"
        )
    return folder


def _from_hub(address, file_hash, argument):
    """The folder of a preset on the Hub, in the cache of the Hub."""
    folder = hub.fetch(address, FILES, argument)
    if not (folder / CARD).is_file():
        raise ValueError(
            f"`{argument}` is a model without a preset. Expected a {CARD} there, as "
            f"zoo.upload_preset writes it. Received: {argument}={address!r}"
        )
    found = sha256((folder / CARD).read_bytes())
    if file_hash not in (None, found):
        raise ValueError(
            f"`file_hash` is not that of the preset's {CARD}. Expected {found} for what is there "
            f"now. Received: file_hash={file_hash!r}, preset={address!r}"
        )
    return folder


def _download(url, file_hash):
    """The folder of an archive, unpacked in Keras's cache."""
    if file_hash is None:
        raise ValueError(
            "`file_hash` is missing: weights from a URL are taken only when they are those that "
            f"were meant. Expected the SHA-256 of the archive. Received: preset={url!r} "
            "without file_hash"
        )
    archive = pathlib.Path(
        keras.utils.get_file(
            f"{file_hash[:16]}-{url.rsplit('/', 1)[1]}",
            origin=url,
            file_hash=file_hash,
            hash_algorithm="sha256",
            cache_subdir="gan_zoo",
        )
    )
    folder = archive.with_name(f"{archive.name}-unpacked")
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=archive.parent) as spare:
            inside = pathlib.Path(spare) / "inside"
            shutil.unpack_archive(archive, inside, filter=None if _is_zip(archive) else "data")
            with contextlib.suppress(OSError):  # Another process was faster.
                os.replace(inside, folder)
    cards = sorted(folder.glob(CARD)) or sorted(folder.glob(f"*/{CARD}"))
    if len(cards) != 1:
        raise ValueError(
            f"`preset` is an archive without a preset. Expected one {CARD} in it. Received: "
            f"{len(cards)} in {url}"
        )
    return cards[0].parent


def _is_zip(archive):
    return archive.suffix == ".zip"


def verified(folder, name, hashes):
    """The bytes of a file of a preset, which is the one of the card.

    Args:
        folder: Of the preset.
        name: Of the file.
        hashes: `files` of the card: `{name: SHA-256}`.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If it is another.
    """
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(
            f"`preset` lacks a file. Expected {sorted(hashes)}. Received: no {name} in "
            f"{str(folder)!r}"
        )
    content = path.read_bytes()
    if hashes.get(name) != sha256(content):
        raise ValueError(
            "`preset` has a file that is not the one that was published. Expected the SHA-256 of "
            f"the card, {hashes.get(name)}. Received: {sha256(content)} of {str(path)!r}"
        )
    return content


def _read(folder, name):
    try:
        content = untrusted.parse_json((folder / name).read_text(), "it")
    except ValueError as error:
        raise ValueError(
            f"`preset` is damaged: {error} Expected JSON. Received: {str(folder / name)!r}"
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            "`preset` is damaged. Expected an object of names and values. "
            f"Received: {str(folder / name)!r}"
        )
    untrusted.check_seal(content, f"`preset`: {str(folder / name)!r}")
    return content
