"""`python -m export check`: right versions pass, and wrong or damaged ones do not."""

import json
import pathlib
import shutil

import numpy as np
import pytest

import export
from export import checking, questions
from tests.helpers import tiny_pair
from zoo import exported


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    generator, _ = tiny_pair(classes=3)
    return export.save(generator, tmp_path_factory.mktemp("served"), formats=("litert",))


@pytest.fixture
def copy(version, tmp_path):
    return pathlib.Path(shutil.copytree(version, tmp_path / "1"))


def test_a_version_answers_as_it_was_written(version, copy):
    for folder in (version, version.parent, copy):
        found = checking.check(folder)
        assert list(found) == ["litert"] and checking.is_good(found["litert"])
        assert found["litert"].count == questions.KEPT


@pytest.mark.parametrize("change", [lambda x: x + 0.1, lambda x: x * np.nan])
def test_other_answers_are_not_good(copy, change, monkeypatch):
    monkeypatch.setattr(checking.exported, "read", lambda folder: {})
    path = copy / questions.ANSWERS
    kept = [
        questions.Question(q.signature, q.inputs, {**q.truth, "images": change(q.truth["images"])})
        for q in questions.read(path)
        if q.signature == "serving_default"
    ]
    questions.write(path, kept)
    found = checking.check(copy)["litert"]
    assert not checking.is_good(found) and not found.exact
    assert "is WRONG in" in str(found)


@pytest.mark.parametrize("name", ["model.tflite", questions.ANSWERS])
def test_a_damaged_file_is_named(copy, name):
    path = copy / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"`directory` is damaged: {name} is another one"):
        checking.check(copy)
    path.unlink()
    with pytest.raises(ValueError, match=f"`directory` is damaged: {name} is missing"):
        checking.check(copy)


def test_a_card_that_says_something_else(copy):
    """It has a hash of its own, and whoever takes that away is still read as a stranger."""
    path = copy / exported.CARD
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "num_classes": 4}))
    with pytest.raises(ValueError, match="damaged card .*not as it was written"):
        checking.check(copy)
    del said["sha256"]
    path.write_text(json.dumps(said))
    assert checking.is_good(checking.check(copy)["litert"])
    path.write_text(json.dumps({"format": 1, "sha256": said["files"]}))  # As it once was.
    assert checking.is_good(checking.check(copy)["litert"])
    for text in ("[" * 100_000, "[1]", '{"files": 3}'):
        path.write_text(text)
        with pytest.raises(ValueError, match="damaged card"):
            checking.check(copy)


def test_questions_of_a_stranger(tmp_path):
    np.savez(tmp_path / "answers.npz", **{"0/sample/seed": np.zeros(2)})
    with pytest.raises(ValueError, match="other names.*'0/sample/seed'"):
        questions.read(tmp_path / "answers.npz")


def test_a_format_that_does_not_run_is_not_good(copy, monkeypatch):
    monkeypatch.setattr(checking.exported, "read", lambda folder: {})
    (copy / "model.tflite").write_bytes(b"nonsense")
    found = checking.check(copy)["litert"]
    assert isinstance(found, RuntimeError) and not checking.is_good(found)


def test_folders_that_hold_no_version(tmp_path, copy):
    with pytest.raises(FileNotFoundError, match="`directory` has no card"):
        checking.check(tmp_path / "nothing")
    (copy / "assets.extra" / "card.json").write_text("{")
    with pytest.raises(ValueError, match="`directory` has a damaged card"):
        checking.check(copy)
