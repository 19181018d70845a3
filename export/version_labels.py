"""`python -m export label`: names for versions, which a server's clients ask for by them."""

import re

from export import server_files
from zoo import exported, files
from zoo.files import as_path

LABEL = re.compile(r"[A-Za-z0-9._-]+")
LINE = re.compile(r'version_labels { key: "([^"]+)" value: ([0-9]+) }')


def check(**argument):
    """Raises a `ValueError` if the one argument is no name of letters, digits, `.`, `_`, `-`."""
    ((name, label),) = argument.items()
    if not LABEL.fullmatch(label):
        raise ValueError(
            f"`{name}` has a label that a URL does not take. Expected letters, digits, `.`, `_` "
            f"and `-`. Received: {label!r}"
        )


def given(directory):
    """The labels in the settings beside the versions, `{label: version}`; a server has no others.

    Args:
        directory: The folder of versions.
    """
    path = as_path(directory=directory) / server_files.MODELS
    said = path.read_text() if path.is_file() else ""
    return {label: int(version) for label, version in LINE.findall(said)}


def give(directory, labels):
    """Labels versions of a served model, in the place of those that were labelled before.

    A server then loads these versions and no other, and answers
    `/v1/models/NAME/labels/LABEL:predict`; without labels it serves the largest again. It reads
    `models.config` when it starts, and while it runs with
    `--model_config_file_poll_wait_seconds=60`.

    Args:
        directory: Folder of the versions.
        labels: dict of versions by labels: `{"stable": 1, "canary": 2}`, or `{}` for none.

    Returns:
        The path of `models.config`.

    Raises:
        FileNotFoundError: If the folder has no version.
        ValueError: If a label is no name of letters, digits, `.`, `_` and `-`, a version is not
            there, or `models.config` is not as `export.save` wrote it.

    Reference:
        - [TensorFlow Serving](https://www.tensorflow.org/tfx/serving/serving_config), "Assigning
          string labels to model versions".
    """
    directory = as_path(directory=directory)
    there = exported.versions(directory)
    if not there:
        raise FileNotFoundError(
            "`directory` has no version. Expected a folder that `export.save` wrote to. Received: "
            f"directory={str(directory)!r}"
        )
    for label, version in labels.items():
        check(labels=label)
        if version not in there:
            raise ValueError(
                f"`labels` name a version that is not there. Expected one of {there}. Received: "
                f"{label}={version!r}"
            )
    path, name = directory / server_files.MODELS, server_files.served_name(directory)
    if path.is_file():
        if path.read_text() != server_files.models_config(name, labels=given(directory)):
            raise ValueError(
                f"`directory` has a {server_files.MODELS} of your own. Expected that of "
                "`export.save`, or none; or write model_version_policy and version_labels into "
                f"yours. Received: {str(path)!r}"
            )
    files.write_text(path, server_files.models_config(name, labels=labels))
    return path
