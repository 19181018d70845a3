"""Files: replaced whole or not at all, their hash, and folders that cannot be made."""

import errno
import hashlib
import os
import pathlib
import resource
from unittest import mock

import numpy as np
import pytest

from zoo import files


def test_a_file_is_replaced_when_all_went_well(tmp_path):
    path = tmp_path / "new" / "folder" / "notes.txt"
    for text in ("first", "second"):
        with files.replacing(path) as temporary:
            temporary.write_text(text)
            assert temporary.parent == path.parent and temporary != path
            assert temporary.name.startswith(".") and temporary.suffix == ".txt"
            assert not path.exists() or path.read_text() == "first"
        assert path.read_text() == text
    assert os.listdir(path.parent) == ["notes.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("written", [True, False])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, error, written):
    path = tmp_path / "notes.txt"
    path.write_text("old")
    with pytest.raises(error), files.replacing(path) as temporary:
        if written:
            temporary.write_text("half")
        raise error
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["notes.txt"]


def test_a_full_disk_is_said_with_the_file_that_stays(tmp_path):
    path = tmp_path / "weights.bin"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for there in (False, True):
        if there:
            path.write_text("old")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            with pytest.raises(OSError, match="weights.bin' could not be written, and") as caught:
                with files.replacing(path) as temporary:
                    temporary.write_bytes(bytes(5000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert ("stays as it was" if there else "is not there") in str(caught.value)
        assert caught.value.errno == errno.EFBIG
    assert os.listdir(tmp_path) == ["weights.bin"] and path.read_text() == "old"
    with pytest.raises(OSError, match="No space left on device: .*weights.bin' could not"):
        with files.replacing(path):  # As h5py says it.
            raise OSError("Can't write data (error message = 'No space left on device')")
    with pytest.raises(FileNotFoundError, match="elsewhere"), files.replacing(path):
        open(tmp_path / "elsewhere")


def test_two_writers_do_not_meet(tmp_path):
    path = tmp_path / "notes.txt"
    with files.replacing(path) as first, files.replacing(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # It was the last to be done.
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_text(tmp_path):
    files.write_text(tmp_path / "a" / "card.json", "{}\n")
    assert (tmp_path / "a" / "card.json").read_text() == "{}\n"
    assert os.listdir(tmp_path / "a") == ["card.json"]


def test_the_hash_is_of_one_piece_after_the_other():
    wanted = hashlib.sha256(b"one and two").hexdigest()
    assert files.sha256(b"one and two") == files.sha256(b"one ", b"and two") == wanted
    array = np.arange(5)
    assert files.sha256(array) == files.sha256(array.tobytes())


def test_folders_that_cannot_be_made_are_refused(tmp_path, monkeypatch):
    files.check_writable(tmp_path / "a" / "b", "output_dir")
    assert not (tmp_path / "a").exists()  # Nothing is made by asking.
    (tmp_path / "file").touch()
    message = "`output_dir` cannot be made: .*file is a file. Expected .*Received: output_dir='"
    with pytest.raises(ValueError, match=message):
        files.check_writable(tmp_path / "file" / "b", "output_dir")
    with pytest.raises(ValueError, match="/proc cannot be written to.*output_dir='/proc/a'"):
        files.check_writable("/proc/a", "output_dir")  # Where root may write, and nobody can.
    monkeypatch.setattr(files, "can_write", lambda path: pathlib.Path(path) != tmp_path)
    with pytest.raises(ValueError, match="cannot be written to.*Received: output_dir='.*/a'"):
        files.check_writable(tmp_path / "a", "output_dir")


def test_a_full_disk_is_told_by_what_writes(tmp_path, monkeypatch):
    for number, told in ((errno.ENOSPC, True), (errno.EROFS, False)):
        failing = OSError(number, "no file")
        monkeypatch.setattr(files.tempfile, "TemporaryFile", mock.Mock(side_effect=failing))
        assert files.can_write(tmp_path) is told


def test_a_folder_is_of_one_at_a_time(tmp_path):
    kept = [
        tmp_path / name for name in (".profile", ".a-b.txt", "a-0123abcd.txt", ".env-12345678x")
    ]
    left = [tmp_path / name for name in (".a-0123abcd.txt", ".gan-89abcdef.keras", ".b-01234567")]
    for path in (*kept, *left):
        path.write_text("x")
    with files.locked(tmp_path, "output_dir"):
        assert all(path.exists() for path in kept) and not any(path.exists() for path in left)
        with pytest.raises(ValueError, match="`output_dir` is in use by another.*output_dir='/"):
            with files.locked(tmp_path, "output_dir"):
                pass
    with files.locked(tmp_path, "output_dir"):
        pass


def _old(folder):
    folder.mkdir()
    os.utime(folder, (1e9, 1e9))
    return folder


def test_working_folders_of_killed_processes_go_and_what_they_had_alone_comes_back(tmp_path):
    killed, moved, other = (_old(tmp_path / name) for name in (".work-1", ".work-2", ".play-1"))
    for name in ("mine", "yours"):
        (moved / "old" / name).mkdir(parents=True)
        (moved / "old" / name / "text").write_text("old")
    os.utime(moved, (1e9, 1e9))
    (tmp_path / "yours").mkdir()
    with files.working_folder(tmp_path, ".work-") as folder:
        names = {path.name for path in tmp_path.iterdir()}
        assert names == {folder.name, other.name, "mine", "yours"} and not killed.exists()
        assert (tmp_path / "mine" / "text").exists() and not os.listdir(tmp_path / "yours")
        os.utime(folder, (1e9, 1e9))
        with files.working_folder(tmp_path, ".work-") as second:
            assert folder.exists() and second != folder  # It is at work.
    assert {path.name for path in tmp_path.iterdir()} == {other.name, "mine", "yours"}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("stop", [1, 2])
def test_a_folder_is_never_away(tmp_path, monkeypatch, at_once, stop):
    """Stopped at its first or second renaming, there is the old one or the new one."""
    for name in ("new", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "text").write_text(name)
    (tmp_path / "spare").mkdir()
    real, calls = os.replace, []

    def replace(*paths):
        calls.append(paths)
        if len(calls) == stop:
            raise KeyboardInterrupt
        real(*paths)

    monkeypatch.setattr(os, "replace", replace)
    if not at_once:
        monkeypatch.setattr(files, "_exchanged", lambda *_: False)
    try:
        files.replace_folder(tmp_path / "new", tmp_path / "mine", tmp_path / "spare")
    except KeyboardInterrupt:
        pass
    assert (tmp_path / "mine" / "text").read_text() == ("new" if at_once else "mine")
    if at_once and stop == 2:
        assert (tmp_path / "spare" / "mine" / "text").read_text() == "mine"


@pytest.mark.parametrize(
    "value", ["", None, 3, np.zeros(2), "a" * 256, "x/" + "é" * 128, "a\0b", "\ud800", b"x", ["x"]]
)
def test_no_path_is_told_so(value):
    with pytest.raises(ValueError, match="`output_dir` is no path. Expected a str"):
        files.as_path(output_dir=value)


@pytest.mark.parametrize("value", [".", "/", "é" * 127, pathlib.Path(), "a/" * 300 + "b"])
def test_a_path_is_taken_as_it_is(value):
    assert files.as_path(output_dir=value) == pathlib.Path(value)
