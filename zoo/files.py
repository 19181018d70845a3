"""Atomic writing of files, and their hashes."""

import contextlib
import hashlib
import os
import pathlib
import uuid


@contextlib.contextmanager
def replacing(path):
    """A temporary path beside `path`, which takes its place when nothing went wrong.

    Whoever reads `path` sees the old file or the new one. Folders are made as needed. The
    temporary name is hidden, and ends as `path` does, for what goes by the ending.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Writes a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text)


def sha256(*chunks):
    """The SHA-256, in hexadecimal, of bytes or arrays, one after the other."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def check_writable(directory, name):
    """Raises a `ValueError` if a folder cannot be written to, or not be made."""
    existing = pathlib.Path(directory).absolute()
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        what = "cannot be written to" if existing.is_dir() else "is a file"
        raise ValueError(
            f"`{name}` cannot be made: {existing} {what}. Expected a folder that can be written "
            f"to, or a path where one can be made. Received: {name}={str(directory)!r}"
        )
