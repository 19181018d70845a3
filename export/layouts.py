"""`python -m export layout`: a version as other servers and registries want their folders.

Each layout is a folder of its own with copies of a version's files and the one text file that its
reader asks for; the version stays as it is.
"""

import json
import pathlib
import re
import shutil

from export import card, formats, server_files, signatures, warm_up
from zoo import exported, files, model_cards
from zoo.files import as_path
from zoo.validation import check_choice

KINDS = {"float32": "TYPE_FP32", "int32": "TYPE_INT32", "int64": "TYPE_INT64"}
KEPT = "card.json"
LONGEST = 50  # Letters of a service's name, to which its server adds more before it has 63.


def layout(directory, target, output_dir):
    """Writes a version in the layout of another reader.

    | `target` | what is written | it wants |
    |---|---|---|
    | `"triton"` | `NAME/config.pbtxt`, `NAME/1/model.onnx`; one for each ONNX file | `onnx` |
    | `"mlflow"` | `MLmodel` with the signature, `model.onnx`, its requirements | `onnx` |
    | `"kserve"` | `inference_service.yaml`, `NAME/1/saved_model.pb` | `saved_model` |
    | `"huggingface"` | `README.md` with the metadata of the card, all of the version | any format |

    Args:
        directory: A version, or the folder of versions: then the largest.
        target: A name of the table.
        output_dir: Where to write. It must not be there yet, and lie outside of the version.

    Returns:
        The path of what was written, as `pathlib.Path`.

    Raises:
        FileNotFoundError: If there is no version that `export.save` wrote.
        FileExistsError: If there is something at `output_dir`.
        ValueError: If the target is unknown, the version is damaged, or lacks the format.

    Reference:
        - [Triton](https://docs.nvidia.com/deeplearning/triton-inference-server/), model repository
          and model configuration; [MLflow](https://mlflow.org/docs/latest/ml/model/), the MLmodel
          file; [KServe](https://kserve.github.io/website/), the InferenceService of TensorFlow;
          [Hugging Face](https://huggingface.co/docs/hub/model-cards), model cards.
    """
    check_choice(TARGETS, target=target)
    source = as_path(directory=directory)
    folder = exported.latest(source)
    name = server_files.served_name(folder.resolve().parent)
    said = exported.read(folder)
    _check_signatures(said, folder)
    write, wanted = TARGETS[target]
    there = formats.there(folder)
    if wanted is not None and wanted not in there:
        raise ValueError(
            f"`directory` has no {wanted!r}, which {target!r} wants. Expected a version with "
            f"--formats={','.join([*there, wanted])}. Received: {str(folder)!r} with {there}"
        )
    output_dir = as_path(output_dir=output_dir)
    if output_dir.exists():
        raise FileExistsError(
            f"`output_dir` is there. Expected a folder that is not. Received: {str(output_dir)!r}"
        )
    beside = output_dir.resolve()
    inside = folder.resolve() in beside.parents
    if inside or (beside.parent == folder.resolve().parent and beside.name.isdecimal()):
        raise ValueError(
            "`output_dir` would be a part of the served model. Expected a folder elsewhere. "
            f"Received: {str(output_dir)!r}, of {str(folder)!r}"
        )
    with files.working_folder(output_dir.parent, ".layout-") as work:
        made = pathlib.Path(work) / output_dir.name
        made.mkdir()
        write(folder, name, said, made)
        made.rename(output_dir)
    return output_dir


def _check_signatures(said, folder):
    """A card is anybody's: its signatures are looked at before they are written down."""
    try:
        inputs = [spec for own in said["signatures"].values() for spec in own.values()]
        known = all(spec["dtype"] in KINDS and isinstance(spec["shape"], list) for spec in inputs)
    except (AttributeError, KeyError, TypeError):
        known = False
    if not known or not {name for _, name in _onnx_files(folder, said)} <= set(said["signatures"]):
        raise ValueError(
            "`directory` has a card without the signatures of its files. Expected for each its "
            f"inputs, of {list(KINDS)}. Received: {str(folder / exported.CARD)!r}"
        )


def _onnx_files(folder, said):
    """Pairs of an ONNX file and the signature that it has."""
    decoder = signatures.decoder(said["signatures"])
    paths = formats.paths(folder, "onnx")
    return [(path, formats.signature_of(path, decoder)) for path in paths]


def _triton(folder, name, said, made):
    """A repository of models, each of one signature that has a file of its own."""
    for path, signature in _onnx_files(folder, said):
        own = name if path.name == formats.FILES["onnx"] else f"{name}_{path.stem}"
        (made / own / "1").mkdir(parents=True)
        shutil.copy(path, made / own / "1" / "model.onnx")
        inputs = said["signatures"][signature]
        (made / own / "config.pbtxt").write_text(_config(own, inputs))


def _config(name, inputs):
    """A model's configuration; what it answers, Triton reads from the file itself."""
    listed = ",\n".join(
        f"  {{\n    name: {json.dumps(key)}\n    data_type: {KINDS[value['dtype']]}\n"
        f"    dims: {value['shape'][1:] or [1]}\n{_rows_alone(value)}  }}"
        for key, value in inputs.items()
    )
    return f"""\
name: "{name}"
backend: "onnxruntime"
max_batch_size: {warm_up.BATCHES[-1]}
input [
{listed}
]
dynamic_batching {{ }}
"""


def _rows_alone(value):
    """Triton has no shape of nothing but the batch: one number a row is reshaped."""
    return "" if value["shape"][1:] else "    reshape: { shape: [ ] }\n"


def _mlflow(folder, name, said, made):
    """A model of MLflow's ONNX flavour, of the signature of latents.

    Without a signature its server would make float64 of the numbers in a request.
    """
    shutil.copy(folder / "model.onnx", made / "model.onnx")
    inputs = [
        {
            "type": "tensor",
            "name": key,
            "tensor-spec": {"dtype": value["dtype"], "shape": [-1, *value["shape"][1:]]},
        }
        for key, value in said["signatures"][signatures.decoder(said["signatures"])].items()
    ]
    (made / "MLmodel").write_text(f"""\
flavors:
  onnx:
    data: model.onnx
    providers:
    - CPUExecutionProvider
  python_function:
    data: model.onnx
    env:
      virtualenv: python_env.yaml
    loader_module: mlflow.onnx
signature:
  inputs: {_quoted(json.dumps(inputs))}
""")
    (made / "requirements.txt").write_text("mlflow\nonnx\nonnxruntime\n")
    (made / "python_env.yaml").write_text("dependencies:\n- -r requirements.txt\n")
    shutil.copy(folder / exported.CARD, made / KEPT)


def _kserve(folder, name, said, made):
    """A folder of versions, and the service that reads it from a volume."""
    _copy(folder, said, made / name / "1")
    service = _service(name)
    (made / "inference_service.yaml").write_text(f"""\
# The folder {name}/ belongs at the root of the volume (or the bucket) that storageUri names.
# Names of services have small letters, digits and -, here {LONGEST} at most: so {service}.
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {_quoted(service)}
spec:
  predictor:
    model:
      modelFormat:
        name: tensorflow
      storageUri: pvc://models/{name}
""")


def _service(name):
    """A name as Kubernetes takes it: small letters, digits and -, a letter first."""
    plain = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    named = plain if plain[:1].isalpha() else f"model-{plain}"
    return named[:LONGEST].strip("-")


def _huggingface(folder, name, said, made):
    """All of a version, and a model card whose metadata are those of its card."""
    _copy(folder, said, made)
    if said.get("weights") == "int8":  # The scores are of the model as it was.
        said = {**said, "scores": []}
    library = "onnx" if "onnx" in formats.there(folder) else None
    rows = "".join(
        f"| `{key}` | {', '.join(map(_told, *zip(*inputs.items(), strict=True)))} |\n"
        for key, inputs in said["signatures"].items()
    )
    (made / "README.md").write_text(f"""\
{model_cards.head(said, name, said.get("value_range") is not None, library)}
# {name}

{said.get("description") or "A generator of GAN Zoo, exported."}

{model_cards.data(said)}
| signature | inputs |
|---|---|
{rows}
{model_cards.scores(said)}{_of_weights(said)}
`assets.extra/card.json` has the rest: the prior, ranges, classes, and the SHA-256 of every file.
""")


def _of_weights(said):
    """A line on weights whose samples are not quite the model's."""
    if said.get("weights") != "int8":
        return ""
    return "The weights are in int8: `PARITY.md` has in how many pixels its samples are others.\n"


def _copy(folder, said, made):
    """All of a version but the trainer in it, which is for going on and not for giving away."""
    whole = not (folder / exported.TRAINER).is_file()
    left_out = None if whole else shutil.ignore_patterns(pathlib.Path(exported.TRAINER).name)
    shutil.copytree(folder, made, ignore=left_out, dirs_exist_ok=True)
    if not whole:
        card.write(made, {key: x for key, x in said.items() if key not in ("files", "sha256")})


def _told(name, value):
    shape = ", ".join(["n", *map(str, value["shape"][1:])])
    return f"`{name}` {value['dtype']} ({shape})"


def _quoted(text):
    """A text as YAML takes it, whatever is in it."""
    return "'" + str(text).replace("'", "''") + "'"


TARGETS = {
    "triton": (_triton, "onnx"),
    "mlflow": (_mlflow, "onnx"),
    "kserve": (_kserve, "saved_model"),
    "huggingface": (_huggingface, None),
}
