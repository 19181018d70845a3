"""What a server wants beside the versions of a model: its settings, and how to start it.

The files lie in the folder of the versions. A server passes over names that are no numbers.
"""

import json
import pathlib
import re
import shlex
import urllib.parse

import numpy as np

from export.warm_up import BATCHES

BATCHING = "batching_params.pbtxt"
MODELS, MONITORING, COMPOSE, README = (
    "models.config",
    "monitoring.config",
    "compose.yaml",
    "README.md",
)
FLAGS = ("--enable_batching", "--enable_per_model_batching_parameters", "--enable_model_warmup")
MONITORING_TEXT = """\
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""
PORT = 8501


def served_name(directory):
    """The name that a server knows a model by: its folder's, of what a URL takes as it is.

    Letters, digits, `.`, `_` and `-` stay; each run of others, as a space or a `:`, becomes `_`.
    """
    name = pathlib.Path(directory).resolve().name
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name) or "model"


def batching():
    """The settings by which a server merges requests: `batching_params.pbtxt` of a version.

    It waits for nobody (a timeout of 0): requests that come while others are computed are merged.
    """
    sizes = "\n".join(f"allowed_batch_sizes: {size}" for size in BATCHES)
    return f"""\
max_batch_size {{ value: {BATCHES[-1]} }}
batch_timeout_micros {{ value: 0 }}
max_enqueued_batches {{ value: 1000 }}
{sizes}
"""


def write(folder, directory, row, default="latents"):
    """Writes the files into a folder: `{name: path}`.

    Args:
        folder: Where to write them for now.
        directory: The folder of versions that they are for.
        row: A row of a request to `sample`, as `request` gives it.
        default: As of `export.save`.
    """
    name = served_name(directory)
    texts = {
        MODELS: models_config(name),
        MONITORING: MONITORING_TEXT,
        COMPOSE: _compose(name),
        README: f"# {name}\n\n{_readme(directory, row, default)}",
    }
    paths = {}
    for file, text in texts.items():
        paths[file] = pathlib.Path(folder) / file
        paths[file].write_text(text)
    return paths


def models_config(name, base="/models", labels=None):
    """The text of a server's `--model_config_file`.

    Args:
        name: What the server knows the model by.
        base: Folder of all models, where the server sees it.
        labels: dict, optional. Versions by the labels that a request may ask for; then these
            versions are served, else the largest.
    """
    lines = ""
    if labels:
        served = "".join(f" versions: {version}" for version in sorted(set(labels.values())))
        lines = f"    model_version_policy {{ specific {{{served} }} }}\n"
        for label, version in sorted(labels.items()):
            lines += f'    version_labels {{ key: "{label}" value: {version} }}\n'
    return f"""\
model_config_list {{
  config {{
    name: "{name}"
    base_path: "{base}/{name}"
    model_platform: "tensorflow"
{lines}  }}
}}
"""


def request(traits):
    """A row of a request to `sample`, for the traits of a generator: `{"seed": 1, "labels": 0}`."""
    told = traits.condition
    zero = {} if told is None else {told.name: np.zeros(told.shape, told.dtype).tolist()}
    return {"seed": 1, **zero}


def how_to_serve(directory, row, default="latents", named=False):
    """The lines that start a server on the folder of versions, and a request to send it.

    Args:
        directory: The folder of versions.
        row: As of `write`.
        default: As of `export.save`. A default of seeds is asked without its name.
        named: bool. Whether the request names its signature in any case.
    """
    folder = pathlib.Path(directory).resolve()
    name = served_name(folder)
    asked = "sample" if default == "latents" else default
    signature = {"signature_name": asked} if named or asked != default else {}
    body = json.dumps({**signature, "instances": [row]})
    target = f"/models/{name}"
    mount = f"-v {shlex.quote(f'{folder}:{target}')}"
    if ":" in str(folder):  # Which ends a path for -v.
        source = str(folder).replace('"', '""')
        mount = "--mount " + shlex.quote(f'type=bind,"source={source}",target={target}')
    return f"""\
Serve it, with Docker or with an installed server:
  docker run -p {PORT}:{PORT} {mount} -e MODEL_NAME={name} \\
    tensorflow/serving {" ".join(FLAGS)}
  tensorflow_model_server --rest_api_port={PORT} --model_name={name} \\
    --model_base_path={shlex.quote(str(folder))} \\
    {" ".join(FLAGS)}
Ask it for a sample:
  curl -d {shlex.quote(body)} \\
    http://localhost:{PORT}/v1/models/{urllib.parse.quote(name)}:predict"""


def _readme(directory, row, default):
    # Versions to come may have another default, and this file stays: so the request names its own.
    lines = how_to_serve(directory, row, default, named=True)
    lines = lines.replace("Serve it", "Or serve it").split("\n")
    commands = "\n".join(lines)
    return f"""\
Versions of a model for TensorFlow Serving. In this folder, with metrics for Prometheus:

    docker compose up

{_blocks(commands)}
A request without a `signature_name` is answered as `default` in the version's card says.
Each version has `assets.extra/card.json` (what it takes and gives), the requests that a server
warms up with, and where it was checked `PARITY.md` (how far its answers are from Python's). Whether
they still are:

    python -m export check {shlex.quote(str(pathlib.Path(directory).resolve()))}
"""


def _blocks(text):
    """Lines and the indented commands below them, as Markdown."""
    blocks = []
    for line in text.split("\n"):
        if line.startswith("  "):
            blocks.append(f"  {line}")
        else:
            blocks += ["", line, ""] if blocks else [line, ""]
    return "\n".join(blocks) + "\n"


def _compose(name):
    base = f"/models/{name}"
    flags = [
        f"--model_config_file={base}/{MODELS}",
        f"--monitoring_config_file={base}/{MONITORING}",
        "--allow_version_labels_for_unavailable_models",
        *FLAGS,
    ]
    listed = "\n".join(f"      - {json.dumps(flag)}" for flag in flags)
    return f"""\
services:
  model:
    image: tensorflow/serving
    ports:
      - "8500:8500"
      - "{PORT}:{PORT}"
    volumes:
      - ".:{base}:ro"
    command:
{listed}
"""
