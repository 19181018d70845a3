"""Files from strangers: what they declare is held to what they store, before it is read.

An archive's member and an HDF5 data set say their sizes themselves, and are compressed: 5 KB may
declare 5 GB. What is larger than `FREE` may be at most `EXPANSION` times what is stored for it.
"""

import collections
import contextlib
import functools
import io
import json
import math
import os
import pathlib
import re
import threading
import zipfile

import h5py
import keras
import numpy as np

from zoo.files import sha256

FREE, EXPANSION = 1 << 26, 100  # 64 MiB.
GROWTH = 4  # Of weights: stored in float16, made in float32, and some that are not stored.
SEAL = "sha256"
SEAL_FILE = "sha256.json"  # Of an archive: the hash of each other member.
HOUSE = str(pathlib.Path(__file__).parents[1])
ROOMS = ("evaluation", "export", "trainers", "zoo")
LOADING = threading.RLock()
NUMBERS = "iubfV"  # V: bfloat16.


def check_members(archive, name):
    """Raises a `ValueError` if a zip archive inflates beyond what it stores.

    Args:
        archive: `zipfile.ZipFile`.
        name: What to call it in the message.
    """
    members = archive.infolist()
    check_sizes(
        sum(member.file_size for member in members),
        sum(member.compress_size for member in members),
        name,
    )


def check_hdf5(file, name):
    """Raises a `ValueError` if an HDF5 file declares more than it stores, or points elsewhere.

    Args:
        file: `h5py.File`.
        name: What to call it in the message.
    """
    check_sizes(declared_bytes(file, name), file.id.get_filesize(), name)


def declared_bytes(file, name):
    """How many bytes the numbers of an HDF5 file are; what is no number is refused."""
    declared = 0
    for dataset in _datasets(file, name):
        declared += dataset.nbytes
        if dataset.dtype.kind not in NUMBERS:
            raise ValueError(
                f"{name} has what is no number. Expected weights. Received: {dataset.name!r} of "
                f"dtype {dataset.dtype}"
            )
    return declared


def check_kinds(group, model, name):
    """Raises a `ValueError` if an HDF5 group has integers where a model has other weights.

    Args:
        group: `h5py.Group`, of a file that `check_hdf5` has passed.
        model: The built Keras model that the weights are for.
        name: What to call the file in the message.
    """
    optimizers = getattr(model, "optimizers", None) or [getattr(model, "optimizer", None)]
    variables = [v for each in (*optimizers, *model.metrics) if each for v in each.variables]
    for layer in model._flatten_layers():  # A seed is stored with each layer that holds it.
        variables += [*layer._trainable_variables, *layer._non_trainable_variables]
        variables += [generator.state for generator in layer._seed_generators]
    whole = collections.Counter(
        tuple(v.shape) for v in variables if not str(v.dtype).startswith(("float", "bfloat"))
    )
    for dataset in _datasets(group, name):
        if dataset.dtype.kind in "iub" and dataset.shape:  # Single ones are counters.
            whole[dataset.shape] -= 1
        if whole[dataset.shape] < 0:
            raise ValueError(
                f"{name} has other numbers than its model. Expected weights of floating point. "
                f"Received: {dataset.name!r} of dtype {dataset.dtype} and shape {dataset.shape}"
            )


def read_arrays(content, name):
    """The arrays of a `.npz` file, by name.

    Args:
        content: bytes.
        name: What to call the file in the message.

    Raises:
        ValueError: If it is damaged, or declares more than it stores.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_members(archive, name)
            for member in archive.infolist():
                with archive.open(member) as file:
                    _check_array(file, member, name)
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except Exception as error:  # NumPy's and zipfile's are of many kinds.
        if is_own(error):
            raise
        raise ValueError(
            f"{name} is damaged. Expected a .npz file of arrays. Received: {error}"
        ) from error


def _check_array(file, member, name):
    """Raises a `ValueError` if a .npy file declares more than it has."""
    version = np.lib.format.read_magic(file)
    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    shape, _, dtype = read(file)
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise ValueError(
            f"{name} is damaged. Expected arrays that are whole. Received: {member.filename!r} of "
            f"shape {shape} and dtype {dtype} in {member.file_size:,} bytes"
        )


def parse_json(text, name):
    """What JSON says, of which depth and size may be anybody's.

    Raises:
        ValueError: If it is no JSON, or too deep to be read.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "it is too deep" if isinstance(error, RecursionError) else error
        raise ValueError(f"{name} is no JSON that can be read ({reason}).") from None


def sealed(content):
    """A dict of JSON with the SHA-256 of all else in it, as `sha256`."""
    content = {key: value for key, value in content.items() if key != SEAL}
    return {**content, SEAL: sha256(json.dumps(content, sort_keys=True).encode())}


def check_seal(content, name):
    """Raises a `ValueError` if a dict of JSON is not what was sealed; one without a seal passes."""
    if SEAL in content and content[SEAL] != (found := sealed(content)[SEAL]):
        raise ValueError(
            f"{name} is not as it was written: it was changed or damaged. Expected the SHA-256 "
            f"that it says of itself, {content[SEAL]!r}. Received: {found!r}. Without its entry "
            f"{SEAL!r} a changed one is read as it is"
        )


def seal_archive(path):
    """Adds the SHA-256 of each member to a zip archive, as its last member."""
    with zipfile.ZipFile(path, "a") as archive:
        hashes = {name: sha256(archive.read(name)) for name in sorted(archive.namelist())}
        archive.writestr(SEAL_FILE, json.dumps(hashes, indent=1))


def check_archive(archive, name):
    """Reads a zip archive through, and raises a `ValueError` if it is not as it was sealed.

    One without a seal passes, if it is whole: it is of before, or of another library.

    Args:
        archive: `zipfile.ZipFile`, which `check_members` has passed.
        name: What to call it in the message.
    """
    names = archive.namelist()
    if SEAL_FILE not in names:
        if damaged := archive.testzip():
            raise _not_as_written(name, f"a whole {damaged!r}", "another checksum")
        return
    wanted = parse_json(archive.read(SEAL_FILE), f"{SEAL_FILE} of {name}")
    found = {other: sha256(archive.read(other)) for other in names if other != SEAL_FILE}
    if not isinstance(wanted, dict) or len(found) != len(names) - 1:
        raise _not_as_written(name, "each member once, and its hash", f"members {names}")
    for other in sorted({*wanted, *found}):
        if wanted.get(other) != found.get(other):
            raise _not_as_written(
                name,
                f"the SHA-256 of {other!r} that it says of itself, {wanted.get(other)!r}",
                f"{found.get(other)!r}. Without its member {SEAL_FILE!r} a changed one is read as "
                "it is",
            )


def _not_as_written(name, wanted, found):
    return ValueError(
        f"{name} is not as it was written: it was changed or damaged. Expected {wanted}. "
        f"Received: {found}"
    )


@contextlib.contextmanager
def made_again(argument, path, stored, expected):
    """Makes of the block, in which Keras makes a model of a stranger's file, a short story.

    Weights beyond what the file stores for all of them are refused before they are made, and
    whatever Keras raises becomes one sentence.

    Args:
        argument: The name of the argument that the file is, for the messages.
        path: The file.
        stored: int. The bytes of its weights.
        expected: What the file should hold, for the messages.

    Raises:
        ValueError: If the block raises, or would make more.
    """
    received = f"{argument}={str(path)!r}"
    try:
        with _weights_within(max(FREE, GROWTH * stored), stored, argument, received):
            yield
    except Exception as error:
        if is_own(error):
            raise
        unknown = re.search(r"Could not locate \w+ '([^']+)'", str(error))
        if unknown is not None:
            raise ValueError(
                f"`{argument}` holds a class that is not known here: {unknown[1]}. Expected every "
                "class to be registered: import the module that defines it first, with "
                "`@keras.saving.register_keras_serializable()` above the class. "
                f"Received: {received}"
            ) from error
        said = " ".join(str(error).split())[:300]
        raise ValueError(
            f"`{argument}` holds what no model can be made of ({type(error).__name__}: {said}). "
            f"Expected {expected}, whose config and weights fit each other. Received: {received}"
        ) from error


@contextlib.contextmanager
def _weights_within(allowed, stored, argument, received):
    """Refuses layers' weights beyond so many bytes, in this thread."""
    with LOADING:
        add_weight, here, made = keras.Layer.add_weight, threading.get_ident(), 0

        @functools.wraps(add_weight)
        def counted(layer, shape=None, *args, **kwargs):
            nonlocal made
            if threading.get_ident() == here:
                made += 4 * math.prod((shape or 1,) if isinstance(shape, int) else shape or ())
                if made > allowed:
                    raise ValueError(
                        f"`{argument}` declares more weights than it stores, and would fill the "
                        f"memory. Expected at most {GROWTH} times what is stored. Received: "
                        f"{received} with {stored:,} bytes stored, and {made:,} or more declared "
                        f"up to the layer {layer.name!r}"
                    )
            return add_weight(layer, shape, *args, **kwargs)

        keras.Layer.add_weight = counted
        try:
            yield
        finally:
            keras.Layer.add_weight = add_weight


def is_own(error):
    """Whether an error was raised here, and not by Keras or another library."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = "" if last is None else last.tb_frame.f_code.co_filename
    rooms = tuple(f"{HOUSE}{os.sep}{room}{os.sep}" for room in ROOMS)
    return isinstance(error, ValueError) and place.startswith(rooms)


@contextlib.contextmanager
def hdf5(source, name):
    """An `h5py.File` to read, held to what it declares; `source` is a path or a file object.

    Raises:
        ValueError: As `check_hdf5`, and if it is damaged.
    """
    try:
        file = h5py.File(source, "r")
    except OSError as error:
        raise _damaged(name, error) from None
    with file:
        check_hdf5(file, name)
        yield file


def _damaged(name, error):
    return ValueError(f"{name} is damaged. Expected an HDF5 file of weights. Received: {error}")


def check_sizes(declared, stored, name):
    """Raises a `ValueError` if a file declares far more bytes than are stored for them."""
    if declared > max(FREE, EXPANSION * stored):
        raise ValueError(
            f"{name} declares more than it stores, and would fill the memory. Expected at most "
            f"{EXPANSION} times what is stored. Received: {declared:,} bytes declared, "
            f"{stored:,} stored"
        )


def _datasets(group, name):
    """All data sets below an HDF5 group, of hard links alone, each group once."""
    seen, left = set(), [group]
    while left:
        parent = left.pop()
        try:
            for key in parent:
                link = parent.get(key, getlink=True)
                if not isinstance(link, h5py.HardLink):
                    raise ValueError(
                        f"{name} has a link that leads elsewhere. Expected groups and data sets "
                        f"alone. Received: {parent.name!r} with {key!r}, a {type(link).__name__}"
                    )
                child = parent[key]
                if isinstance(child, h5py.Group):
                    address = h5py.h5o.get_info(child.id).addr
                    if address not in seen:
                        seen.add(address)
                        left.append(child)
                elif isinstance(child, h5py.Dataset):
                    if child.external or child.is_virtual:
                        raise ValueError(
                            f"{name} has numbers that are kept in another place. Expected all of "
                            f"them in it. Received: {child.name!r}"
                        )
                    if child.shape is not None and math.prod(child.shape):
                        yield child
        except (KeyError, RuntimeError, OSError) as error:
            raise _damaged(name, error) from None
