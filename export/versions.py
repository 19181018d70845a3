"""The versions of a served model: folders named by numbers, each written whole or not at all."""

import contextlib
import errno
import os
import pathlib

from zoo import exported, files, validation

TAKEN = (errno.EEXIST, errno.ENOTEMPTY)
HIDDEN = ".version-"  # No number: a server passes over it.


def check(directory, version=None):
    """Raises unless a version can be written: see `write`."""
    directory = files.as_path(directory=directory)
    existing = directory
    while not os.path.lexists(existing):
        existing = existing.parent
    if not existing.is_dir():
        raise NotADirectoryError(
            f"`directory` cannot be made: {str(existing)!r} is not a folder. Expected a folder, or "
            f"a path where one can be made. Received: directory={str(directory)!r}"
        )
    if not files.can_write(existing):
        raise PermissionError(
            f"`directory` cannot be made: {str(existing)!r} is not yours to write in. Expected a "
            f"folder with write permission. Received: directory={str(directory)!r}"
        )
    if version is not None:
        validation.check_integer(1, exported.LARGEST, version=version)
        if version in exported.versions(directory):
            raise _exists(directory, version)
    else:
        _next(directory)


def write(directory, version, fill):
    """Has a version written into a hidden folder, and renames it.

    A polling server never sees half a version, and what it serves is never changed. A failure
    leaves nothing; what a killed process left is taken out. Of several processes that write at
    once, each gets the next number that is free.

    Args:
        directory: Folder of the versions, made as needed.
        version: Positive int below 2^63, or `None` for the next.
        fill: Function of the folder to write into. Files that it returns, as `{name: path}`, go
            into `directory` too, where there are none of these names: those are the user's.

    Returns:
        The path of the version.

    Raises:
        ValueError: If the version is no positive integer that a server can read.
        FileExistsError: If the version exists.
        NotADirectoryError, PermissionError: If nothing can be written in the directory.
        OSError: If the disk is full.
    """
    check(directory, version)
    directory = pathlib.Path(directory)
    with _folder(directory), files.working_folder(directory, HIDDEN) as temporary:
        written = temporary / "version"
        written.mkdir()
        with _room(directory):
            beside = fill(written) or {}
        path = _publish(written, directory, version)
        for name, source in beside.items():
            if not (directory / name).exists():
                os.replace(source, directory / name)
    return path


def _publish(written, directory, version):
    """Renames a folder to its version, or to the first number that nobody else has taken."""
    while True:
        path = directory / str(_next(directory) if version is None else version)
        try:
            os.rename(written, path)
            return path
        except OSError as error:
            if error.errno not in TAKEN:
                raise
            if version is not None:
                raise _exists(directory, version) from error


def _next(directory):
    last = max(exported.versions(directory), default=0)
    if last == exported.LARGEST:
        raise ValueError(
            "`version` has no next one: the largest that a server can read is taken. Expected a "
            f"smaller one to be given. Received: version=None, directory={str(directory)!r} with "
            f"{last}"
        )
    return last + 1


def _exists(directory, version):
    return FileExistsError(
        "`version` exists, and what is being served is never changed. Expected a version other "
        f"than {exported.versions(directory)}, or version=None for the next. "
        f"Received: version={version}, directory={str(directory)!r}"
    )


@contextlib.contextmanager
def _folder(directory):
    """Takes out the folders that were made for a version that then failed."""
    made = [path for path in (directory, *directory.parents) if not path.exists()]
    try:
        yield
    except BaseException:
        for path in made:
            with contextlib.suppress(OSError):  # Another process has put something in it.
                path.rmdir()
        raise


@contextlib.contextmanager
def _room(directory):
    """Turns what TensorFlow and others say of a full disk into one line."""
    try:
        yield
    except Exception as error:
        full = getattr(error, "errno", None) in files.FULL
        if not full and os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise OSError(
            errno.ENOSPC,
            f"{os.strerror(errno.ENOSPC)}: no version could be written in {str(directory)!r}, "
            "where all is as it was. Expected room for it on the disk",
        ) from error
