"""`python -m export label`, as the server's own protocol buffers read what it writes."""

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from export import __main__ as export_main
from export import server_files, version_labels
from tests.helpers import run_command


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "my digits"
    for version in (1, 2, 7):
        (folder / str(version)).mkdir(parents=True)
    server_files.write(folder, folder, {"seed": 1})
    return folder


def read(path):
    config = model_server_config_pb2.ModelServerConfig()
    (model,) = text_format.Parse(path.read_text(), config).model_config_list.config
    return model.name, list(model.model_version_policy.specific.versions), model.version_labels


def test_labelled_versions_are_those_that_are_served(served):
    path = version_labels.give(served, {"stable": 2, "canary": 7, "v1.0-x_y": 2})
    name, versions, labels = read(path)
    assert (name, versions) == ("my_digits", [2, 7])
    assert dict(labels) == {"stable": 2, "canary": 7, "v1.0-x_y": 2}
    assert read(version_labels.give(served, {"stable": 1}))[1:] == ([1], {"stable": 1})
    version_labels.give(served, {})
    assert path.read_text() == server_files.models_config("my_digits")
    path.unlink()
    assert dict(read(version_labels.give(served, {"stable": 7}))[2]) == {"stable": 7}


def test_what_cannot_be_labelled(served, tmp_path):
    for label in ("", "a b", 'a"', "a/b"):
        with pytest.raises(ValueError, match="`labels` has a label that a URL does not take"):
            version_labels.give(served, {label: 1})
    with pytest.raises(ValueError, match=r"not there. Expected one of \[1, 2, 7\].*stable=3"):
        version_labels.give(served, {"stable": 3})
    with pytest.raises(FileNotFoundError, match="`directory` has no version"):
        version_labels.give(tmp_path / "nothing", {})
    path = served / server_files.MODELS
    path.write_text(path.read_text() + "# mine")
    with pytest.raises(ValueError, match="models.config of your own"):
        version_labels.give(served, {"stable": 1})
    assert path.read_text().endswith("# mine")


@pytest.mark.parametrize(
    "given, status",
    [
        (["stable=2"], None),
        ([], 2),  # Not to take all away.
        (["stable=1", "stable=2"], 2),
        (["stable"], 2),
        (["=2"], 2),
        (["a=b"], 2),
    ],
)
def test_the_command(served, given, status, capsys):
    assert (run_command(export_main, "label", served, *given) or None) == status
    said = capsys.readouterr()
    if status:
        assert "Expected python -m export label FOLDER stable=1" in said.err
    else:
        assert said.out.startswith("model_config_list") and "stable" in said.out


def test_a_version_without_a_label_is_said(served, capsys):
    """A server with labels serves the labelled versions alone."""
    version_labels.give(served, {"stable": 1})
    flags = ("--model=unrolled_ring", f"--output_dir={served}", "--nocheck")
    assert run_command(export_main, *flags) == 0
    said = capsys.readouterr().out
    assert "serves labelled versions alone, not yet this one: {'stable': 1}" in said
