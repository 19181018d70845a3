"""Paths, atomic writing of files and folders, locks of folders, and hashes."""

import contextlib
import ctypes
import errno
import hashlib
import os
import pathlib
import re
import shutil
import tempfile
import time
import uuid

from zoo.validation import in_short

try:
    import fcntl
except ImportError:  # Not on Windows, where nothing is locked.
    fcntl = None

LOCK, OLD = ".lock", "old"
TEMPORARY = re.compile(r"\..+-[0-9a-f]{8}(\.\w+)?")  # A name that `replacing` gives.
NAME = 255  # Bytes of a file's name, as disks take them.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # No room for a file.
STALE = 60.0  # Seconds after which an unlocked working folder is one of a killed process.
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # Of renameat2(2).


@contextlib.contextmanager
def replacing(path):
    """A temporary path beside `path`, which takes its place when nothing went wrong.

    Whoever reads `path` sees the old file or the new one. Folders are made as needed. The
    temporary name is hidden, and ends as `path` does, for what goes by the ending. An `OSError` of
    a full disk says which file was not written.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.errno not in FULL and os.strerror(errno.ENOSPC) not in str(error):
            raise
        stays = "stays as it was" if path.exists() else "is not there"
        raise OSError(
            error.errno or errno.ENOSPC,
            f"{os.strerror(error.errno or errno.ENOSPC)}: {str(path)!r} could not be written, and "
            f"{stays}. Expected room for it on the disk; other files that were saved are safe",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Writes a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text)


@contextlib.contextmanager
def locked(directory, name):
    """Keeps a folder to this process, and takes out what killed ones left half written in it.

    The lock is the kernel's: it ends with its process, however that ends. Where the file system
    has no locks, none is taken.

    Args:
        directory: The folder; it is made as needed.
        name: The name of the argument that it is, for the message.

    Raises:
        ValueError: If another process has it.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / LOCK, "a+") as file:
        if _lock(file.fileno()) is False:
            raise ValueError(
                f"`{name}` is in use by another process that is still at work in it. Expected "
                f"another folder, or this one when that has ended. Received: {name}="
                f"{str(directory)!r}"
            )
        for path in directory.rglob(".*"):
            if TEMPORARY.fullmatch(path.name) and path.is_file():
                path.unlink(missing_ok=True)
        yield


@contextlib.contextmanager
def working_folder(parent, prefix):
    """A hidden folder in `parent` that is away afterwards; those of killed processes are too.

    Args:
        parent: The folder that it is made in, and made as needed.
        prefix: str. What its name begins with; others of it that nobody works in are taken out.
    """
    parent = pathlib.Path(parent)
    parent.mkdir(parents=True, exist_ok=True)
    for path in parent.glob(f"{prefix}*"):
        _take_out(path)
    folder = parent / f"{prefix}{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY) if fcntl is not None else None
    try:
        if descriptor is not None:
            _lock(descriptor)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def replace_folder(new, path, spare):
    """Puts a folder in the place of one that is there, which then is `spare/NAME`.

    On Linux the two change places at once, and whoever reads `path` sees one of them. Elsewhere
    there is a moment without; a failure then brings the old one back, and `working_folder` does
    where the process was killed.
    """
    new, path = pathlib.Path(new), pathlib.Path(path)
    kept = pathlib.Path(spare) / path.name
    if _exchanged(new, path):
        os.replace(new, kept)
        return
    try:
        os.replace(path, kept)
        os.replace(new, path)
    except BaseException:
        if not path.exists() and kept.exists():
            os.replace(kept, path)
        raise


def _lock(descriptor):
    """Whether this process has a file or a folder to itself; `None` where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # A file system without locks.
        return None
    return True


def _take_out(folder):
    """Takes out a working folder that nobody works in; what it held alone goes back."""
    try:
        if fcntl is None or time.time() - folder.stat().st_mtime < STALE:
            return
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Another process took it out.
        return
    try:
        if _lock(descriptor):
            for kept in (folder / OLD).glob("*"):
                if not (folder.parent / kept.name).exists():
                    os.replace(kept, folder.parent / kept.name)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _exchanged(one, other):
    """Whether two paths have changed places at once, which not every system can."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = [os.fsencode(path) for path in (one, other)]
    return rename(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0


def sha256(*chunks):
    """The SHA-256, in hexadecimal, of bytes or arrays, one after the other."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def as_path(**argument):
    """The one argument as a `pathlib.Path`.

    Raises:
        ValueError: If it is no path, an empty one, or one that no disk takes.
    """
    ((name, value),) = argument.items()
    try:
        path = pathlib.Path(value)
        sizes = [len(os.fsencode(part)) for part in path.parts]
    except (TypeError, UnicodeError):
        sizes = [0]
    empty = isinstance(value, str) and not value
    if empty or not all(0 < size <= NAME for size in sizes) or "\0" in str(path):
        raise ValueError(
            f"`{name}` is no path. Expected a str or a pathlib.Path, each name of 1 to {NAME} bytes"
            f" without \\0. Received: {name}={in_short(value)}"
        )
    return path


def can_write(folder):
    """Whether a file can be made in a folder, tried: a file system may take none from anybody.

    A full disk is for the writing itself to tell.
    """
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError as error:
        return error.errno in FULL


def check_writable(directory, name):
    """Raises a `ValueError` if a folder cannot be written to, or not be made."""
    existing = as_path(**{name: directory}).absolute()
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir() or not can_write(existing):
        what = "cannot be written to" if existing.is_dir() else "is a file"
        raise ValueError(
            f"`{name}` cannot be made: {existing} {what}. Expected a folder that can be written "
            f"to, or a path where one can be made. Received: {name}={str(directory)!r}"
        )
