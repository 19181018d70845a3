"""Files from strangers: what they declare is held to what they store, before it is read.

An archive's member and an HDF5 data set say their sizes themselves, and are compressed: 5 KB may
declare 5 GB. What is larger than `FREE` may be at most `EXPANSION` times what is stored for it.
"""

import collections
import contextlib
import io
import json
import math
import zipfile

import h5py
import numpy as np

from zoo.files import sha256

FREE, EXPANSION = 1 << 26, 100  # 64 MiB.
SEAL = "sha256"
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
    stored = file.id.get_filesize()
    declared = 0
    for dataset in _datasets(file, name):
        declared += dataset.nbytes
        if dataset.dtype.kind not in NUMBERS:
            raise ValueError(
                f"{name} has what is no number. Expected weights. Received: {dataset.name!r} of "
                f"dtype {dataset.dtype}"
            )
    check_sizes(declared, stored, name)


def check_kinds(group, model, name):
    """Raises a `ValueError` if an HDF5 group has integers where a model has other weights.

    Args:
        group: `h5py.Group`, of a file that `check_hdf5` has passed.
        model: The built Keras model that the weights are for.
        name: What to call the file in the message.
    """
    optimizers = getattr(model, "optimizers", None) or [getattr(model, "optimizer", None)]
    variables = [*model.variables, *(v for each in optimizers if each for v in each.variables)]
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
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ValueError(
            f"{name} is damaged. Expected a .npz file of arrays. Received: {error}"
        ) from error


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
