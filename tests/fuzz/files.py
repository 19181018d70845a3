"""A file of every format that is read here, and what can happen to one on its way."""

import functools
import hashlib
import io
import json
import pathlib
import shutil
import tempfile
import zipfile

import keras
import numpy as np

import evaluation
import export
import trainers
import zoo
from export import questions
from trainers.runs import recipes, resuming
from trainers.runs.settings import Details, Settings
from zoo import exported, saving, untrusted

SIZES = {"latent_dim": 3, "units": (4,)}


def _digest(*arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _weights(model):
    return _digest(*model.get_weights())


def _keras(path, player="generator"):
    return _weights(zoo.load(path, player))


def _trainer(path):
    return _weights(resuming.restored(path, _gan()))


def _preset(path):
    return _weights(zoo.from_preset(path)), zoo.presets.card(path)["description"]


def _statistics(path):
    wanted = {path.name: path.with_name("hash.txt").read_text()}
    found = evaluation.extractors.read_statistics(path, wanted)
    return _digest(*(array for split in found.values() for array in split[:2]))


def _recipe(path):
    return recipes.load(path).fingerprint


def _settings(path):
    return resuming.check_same(resuming.decided(SETTINGS, Details()), path.parent)


def _score(path):
    return str(evaluation.Score.from_json(path.read_text(errors="replace")))


def _version(path):
    """What `python -m export check` reads before it runs anything."""
    card = exported.read(path)
    asked = questions.read(path / questions.ANSWERS)
    arrays = [array for q in asked for side in (q.inputs, q.truth) for array in side.values()]
    return card["sha256"], _digest(*arrays)


SETTINGS = Settings(dataset="ring", epochs=1)
# Of each: what is read, the file that is changed, and how it is read.
FORMATS = {
    "generator": ("generator.keras", "generator.keras", _keras),
    "trainer": ("gan.keras", "gan.keras", _keras),
    "discriminator": ("gan.keras", "gan.keras", lambda p: _keras(p, "discriminator")),
    "resumed": ("gan.keras", "gan.keras", _trainer),
    "foreign": ("foreign.keras", "foreign.keras", _keras),
    "extractor": (
        "extractor.keras",
        "extractor.keras",
        lambda p: _weights(evaluation.extractors.named(p).model),
    ),
    "config": ("preset", "preset/config.json", _preset),
    "card": ("preset", "preset/card.json", _preset),
    "weights": ("preset", "preset/model.weights.h5", _preset),
    "statistics": ("statistics.npz", "statistics.npz", _statistics),
    "version": ("version", "version/saved_model.pb", _version),
    "version_weights": ("version", "version/variables/variables.data-00000-of-00001", _version),
    "version_card": ("version", f"version/{exported.CARD}", _version),
    "version_answers": ("version", f"version/{questions.ANSWERS}", _version),
    "recipe": ("recipe.json", "recipe.json", _recipe),
    "settings": ("run/settings.json", "run/settings.json", _settings),
}


def players(classes=None):
    """A small pair."""
    shared = {"image_shape": (2,), "units": (4,), "num_classes": classes}
    return zoo.MLPGenerator(latent_dim=3, **shared), zoo.MLPDiscriminator(pieces=2, **shared)


@functools.cache
def _gan():
    gan = trainers.GAN(*players(3), seed=0)
    gan.compile(ema_decay=0.9)
    return gan


def plain():
    """A generator of Keras's layers alone."""
    return keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)]
    )


@functools.cache
def corpus():
    """A folder with a whole file of every format, which ends with this process."""
    keras.utils.set_random_seed(0)
    folder = tempfile.TemporaryDirectory()
    corpus.kept = folder
    root = pathlib.Path(folder.name)
    generator, discriminator = players()
    saving.save(generator, root / "generator.keras")
    _gan().save(root / "gan.keras")
    plain().save(root / "foreign.keras")
    classifier = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(5, name="features"),
            keras.layers.Dense(3),
        ]
    )
    saving.save(classifier, root / "extractor.keras")
    zoo.save_preset(generator, root / "preset", discriminator, {"description": "small"})
    shutil.copytree(export.save(generator, root / "versions"), root / "version")
    rng = np.random.default_rng(0)
    arrays = {}
    for split in ("train", "test"):
        arrays |= {f"{split}_mean": rng.normal(size=3), f"{split}_count": np.array(9)}
        arrays[f"{split}_covariance"] = np.eye(3)
    np.savez_compressed(root / "statistics.npz", **arrays)
    hashed = hashlib.sha256((root / "statistics.npz").read_bytes()).hexdigest()
    (root / "hash.txt").write_text(hashed)
    recipe = {
        "description": "A ring.",
        "settings": {"dataset": "ring", "epochs": 2, "score": "modes"},
        "generator": {"units": [8]},
        "compile": {"discriminator_penalties": [{"R1": {"weight": 1.0}}]},
        "measures": ["modes:100"],
        "targets": [["modes:100", "value", "at least", 3]],
        "seeds": [1],
    }
    (root / "recipe.json").write_text(json.dumps(untrusted.sealed(recipe), indent=1))
    (root / "run").mkdir()
    decided = resuming.decided(SETTINGS, Details())
    (root / "run" / "settings.json").write_text(json.dumps(decided, indent=1))
    return root


@functools.cache
def whole(format):
    """What a format's reader gives of the whole file."""
    place, _, read = FORMATS[format]
    return read(corpus() / place)


# === What happens to bytes ===


def flipped(content, place, bit):
    """One bit is another."""
    changed = bytearray(content)
    changed[place % len(content)] ^= 1 << bit % 8
    return bytes(changed)


def truncated(content, place, bit):
    """The end is missing."""
    return content[: place % len(content)]


def zeroed(content, place, bit):
    """A block of the disk is zeros."""
    place, size = place % len(content), 1 << bit % 12
    return content[:place] + bytes(len(content[place : place + size])) + content[place + size :]


def doubled(content, place, bit):
    """A part is there twice."""
    place = place % len(content)
    return content[:place] + content[: 1 + bit * 7] + content[place:]


def swapped(content, place, bit):
    """It is another file."""
    others = sorted(path for path in corpus().rglob("*.*") if path.is_file())
    return others[place % len(others)].read_bytes()


CHANGES = {change.__name__: change for change in (flipped, truncated, zeroed, doubled, swapped)}


def case(format, change, place, bit, folder):
    """A copy of a file with a change; the file that is to be read."""
    where, changed, _ = FORMATS[format]
    source, folder = corpus(), pathlib.Path(folder)
    top = pathlib.Path(where).parts[0]
    (shutil.copytree if (source / top).is_dir() else shutil.copy)(source / top, folder / top)
    shutil.copy(source / "hash.txt", folder)
    content = (source / changed).read_bytes()
    (folder / changed).write_bytes(CHANGES[change](content, place, bit))
    return folder / where


# === What happens to JSON ===


def paths(tree, above=()):
    """The places of a tree of dicts and lists, each a tuple of keys."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in inner:
        yield (*above, key)
        if isinstance(value, (dict, list)):
            yield from paths(value, (*above, key))


def replaced(tree, path, value, missing=False):
    """A copy of a tree with another value in a place, or without it."""
    tree = json.loads(json.dumps(tree))
    inner = tree
    for key in path[:-1]:
        inner = inner[key]
    if missing:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return tree


def rezipped(path, target, name, content):
    """A copy of an archive with another member, and without its seal."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for other in source.namelist():
            if other != untrusted.SEAL_FILE:
                copy.writestr(other, content if other == name else source.read(other))
    return target


def member(path, name):
    """A member of an archive, as JSON."""
    with zipfile.ZipFile(path) as archive:
        return json.load(io.BytesIO(archive.read(name)))
