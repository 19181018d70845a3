"""Files: replaced whole or not at all, their hash, and folders that cannot be made."""

import hashlib
import os
import pathlib

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
    monkeypatch.setattr(os, "access", lambda path, mode: pathlib.Path(path) != tmp_path)
    with pytest.raises(ValueError, match="cannot be written to.*Received: output_dir='.*/a'"):
        files.check_writable(tmp_path / "a", "output_dir")
