"""Versions are written whole or not at all, and what is there never changes."""

import errno
import os
import pathlib
import subprocess
import threading

import pytest
import tensorflow as tf

import export
import zoo
from export import saved_model, versions
from tests.helpers import tiny_pair
from zoo import exported

LAST = 2**63 - 1
FULL_DISKS = {
    "of Python": OSError(errno.ENOSPC, "No space left on device"),
    "of TensorFlow": tf.errors.ResourceExhaustedError(None, None, "x; No space left on device"),
}


def fill(folder):
    (folder / "saved_model.pb").write_bytes(b"a model")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_versions_count_on_and_are_never_changed(tmp_path):
    assert [versions.write(tmp_path, None, fill).name for _ in range(2)] == ["1", "2"]
    assert versions.write(tmp_path, 9, fill).name == "9"
    (tmp_path / "notes").mkdir()
    assert versions.write(str(tmp_path), None, fill).name == "10"
    assert names(tmp_path) == ["1", "10", "2", "9", "notes"]
    before = (tmp_path / "2" / "saved_model.pb").stat().st_mtime_ns
    with pytest.raises(FileExistsError, match=r"than \[1, 2, 9, 10\].* Received: version=2,"):
        versions.write(tmp_path, 2, fill)
    assert (tmp_path / "2" / "saved_model.pb").stat().st_mtime_ns == before


def test_a_saved_model_is_a_version(tmp_path):
    generator, _ = tiny_pair()
    assert export.save(generator, tmp_path, version=LAST).name == str(LAST)
    with pytest.raises(FileExistsError):
        export.save(generator, tmp_path, version=LAST)


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_nothing(tmp_path, monkeypatch, failure):
    generator, _ = tiny_pair()
    seen = []

    def write(folder, *_):
        (pathlib.Path(folder) / "saved_model.pb").write_bytes(b"half")
        seen.append(str(folder).removeprefix(str(tmp_path / "new" / "served")))
        raise failure

    monkeypatch.setattr(saved_model, "write", write)
    with pytest.raises(failure):
        export.save(generator, tmp_path / "new" / "served")
    assert names(tmp_path) == []
    assert seen[0].startswith("/.version-")  # No integer: a server passes over it.
    (tmp_path / "new" / "served").mkdir(parents=True)
    with pytest.raises(failure):
        export.save(generator, tmp_path / "new" / "served")
    assert names(tmp_path / "new" / "served") == []


def test_the_version_that_another_process_wrote_meanwhile_stays(tmp_path):
    def slow(folder):
        fill(folder)
        (tmp_path / "1").mkdir(exist_ok=True)
        (tmp_path / "1" / "saved_model.pb").write_bytes(b"theirs")

    with pytest.raises(FileExistsError, match=r"`version` exists.* than \[1\]"):
        versions.write(tmp_path, 1, slow)
    assert names(tmp_path) == ["1"]
    assert versions.write(tmp_path, None, slow).name == "2"
    assert (tmp_path / "1" / "saved_model.pb").read_bytes() == b"theirs"


def test_three_exporters_at_once_get_three_numbers(tmp_path):
    together, written = threading.Barrier(3), []

    def slow(folder):
        fill(folder)
        together.wait(timeout=60)

    def write():
        written.append(versions.write(tmp_path / "new", None, slow).name)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(written) == names(tmp_path / "new") == ["1", "2", "3"]


def test_what_killed_exports_left_is_taken_out(tmp_path):
    left = tmp_path / ".version-0123abcd"
    (left / "version").mkdir(parents=True)
    (left / "version" / "saved_model.pb").write_bytes(b"half")
    os.utime(left, (0, 0))
    versions.write(tmp_path, None, fill)
    assert names(tmp_path) == ["1"]


@pytest.mark.parametrize("said", FULL_DISKS)
def test_a_full_disk_is_one_line(tmp_path, monkeypatch, said):
    def write(*_):
        raise FULL_DISKS[said]

    monkeypatch.setattr(saved_model, "write", write)
    with pytest.raises(OSError, match="No space left on device: no version could") as raised:
        export.save(tiny_pair()[0], tmp_path / "served")
    assert raised.value.errno == errno.ENOSPC and "\n" not in str(raised.value)
    assert names(tmp_path) == []


def test_a_disk_that_is_really_full(tmp_path, monkeypatch):
    """On a file system of one megabyte; where none can be mounted, of files that short."""
    generator = zoo.MLPGenerator((28, 28, 1), 8, (700,))
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:

        def short(path, content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        monkeypatch.setattr(pathlib.Path, "write_bytes", short)
    try:
        with pytest.raises(OSError, match="No space left on device: no version could be written"):
            export.save(generator, small / "served")
        assert names(small) == []
    finally:
        if mounted:
            subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize("version", [0, -1, 1.5, "2", True, 2**63])
def test_a_version_is_a_positive_integer(tmp_path, version):
    with pytest.raises(
        ValueError, match=f"Expected a positive integer.* Received: version={version!r}"
    ):
        export.save(tiny_pair()[0], tmp_path, version=version)
    assert names(tmp_path) == []


def test_numbers_that_no_server_reads_are_no_versions(tmp_path):
    """A server reads int64 and passes over other names."""
    for name in (str(2**63), "9" * 30, "²", "-1", "1.5"):
        (tmp_path / name).mkdir()
    assert exported.versions(tmp_path) == []
    assert versions.write(tmp_path, None, fill).name == "1"
    (tmp_path / str(LAST)).mkdir()
    with pytest.raises(ValueError, match=f"`version` has no next one.* with {LAST}"):
        versions.write(tmp_path, None, fill)
    assert versions.write(tmp_path, 2, fill).name == "2"


def test_the_users_own_files_stay(tmp_path):
    def with_notes(folder):
        fill(folder)
        (folder.parent / "new").write_text("ours")
        (folder.parent / "README.md").write_text("ours")
        return {name: folder.parent / name for name in ("new", "README.md")}

    (tmp_path / "README.md").write_text("theirs")
    versions.write(tmp_path, None, with_notes)
    assert (tmp_path / "README.md").read_text() == "theirs"
    assert (tmp_path / "new").read_text() == "ours"
    assert names(tmp_path) == ["1", "README.md", "new"]


def test_directories_that_cannot_be(tmp_path, monkeypatch):
    generator, _ = tiny_pair()
    file = tmp_path / "file"
    file.write_text("")
    for directory in (file, file / "below" / "it"):
        with pytest.raises(
            NotADirectoryError, match="`directory` .*/file' is not a folder. Expected.* Received:"
        ):
            export.save(generator, directory)
    monkeypatch.setattr(versions.files, "can_write", lambda _: False)
    with pytest.raises(
        PermissionError, match="`directory` .* Expected a folder with write permission. Received:"
    ):
        export.save(generator, tmp_path / "served")
