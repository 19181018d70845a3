"""`python -m export layout`: folders of other servers, as their documentation has them."""

import json
import re
import shutil

import huggingface_hub
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

import export
import trainers
from export import __main__ as export_main
from export import layouts
from tests.helpers import tiny_pair
from zoo import command, exported, untrusted

ABOUT = {
    "description": "Small: one's own.",
    "dataset": "mnist",
    "data_license": "CC BY-SA 3.0",
    "scores": [
        {"name": "frechet_distance", "label": "frechet", "value": 1.25},
        1.5,
        {"label": "other"},
        {"value": 2.0},
    ],
}


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "digits of mine"
    generator, discriminator = tiny_pair(classes=3)
    formats = ("saved_model", "onnx")
    export.save(
        generator, folder, discriminator=discriminator, formats=formats, about=ABOUT, version=4
    )
    return folder, generator


def written(version, target, tmp_path):
    return layouts.layout(version[0], target, tmp_path / "made")


def pictures(path, generator):
    """What an ONNX file answers is what Python does."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    latents = np.random.default_rng(0).normal(size=(2, generator.latent_dim)).astype("float32")
    labels = np.array([0, 2], "int32")
    names = [output.name for output in session.get_outputs()]
    answers = dict(
        zip(names, session.run(None, {"latents": latents, "labels": labels}), strict=True)
    )
    made = (
        np.asarray(generator({"latents": latents, "labels": labels}, training=False)) + 1.0
    ) / 2.0
    np.testing.assert_allclose(answers["images"], made, atol=1e-5)


def test_triton_gets_a_model_a_signature(version, tmp_path):
    made = written(version, "triton", tmp_path)
    name = "digits_of_mine"
    models = [name, f"{name}_latents", f"{name}_latents_truncated", f"{name}_score"]
    assert sorted(path.name for path in made.iterdir()) == models
    assert all((made / model / "1" / "model.onnx").is_file() for model in models)
    pictures(made / name / "1" / "model.onnx", version[1])
    text = (made / name / "config.pbtxt").read_text()
    assert re.search(f'^name: "{name}"$', text, re.M) and 'backend: "onnxruntime"' in text
    found = re.findall(r'name: "(\w+)"\s+data_type: (\w+)\s+dims: (\[.*?\])(.*reshape)?', text)
    size = version[1].latent_dim
    assert [f[:3] for f in found] == [
        ("latents", "TYPE_FP32", f"[{size}]"),
        ("labels", "TYPE_INT32", "[1]"),
    ]
    assert text.count("reshape: { shape: [ ] }") == 1 and text.count("{") == text.count("}")


def test_mlflow_gets_a_signature(version, tmp_path):
    made = written(version, "mlflow", tmp_path)
    pictures(made / "model.onnx", version[1])
    (line,) = [x for x in (made / "MLmodel").read_text().splitlines() if "inputs:" in x]
    inputs = json.loads(line.split("inputs: ")[1].strip("'"))
    assert [(x["name"], x["tensor-spec"]["dtype"]) for x in inputs] == [
        ("latents", "float32"),
        ("labels", "int32"),
    ]
    assert [x["tensor-spec"]["shape"] for x in inputs] == [[-1, version[1].latent_dim], [-1]]


def test_another_default_is_laid_out_from_latents(tmp_path):
    generator, _ = tiny_pair(classes=3)
    formats = ("saved_model", "onnx")
    path = export.save(generator, tmp_path / "digits", formats=formats, default="sample")
    made = layouts.layout(path, "triton", tmp_path / "triton")
    drawn = ["digits_latents", "digits_latents_truncated"]
    assert sorted(folder.name for folder in made.iterdir()) == ["digits", *drawn]
    pictures(made / "digits" / "1" / "model.onnx", generator)
    assert 'name: "latents"' in (made / "digits" / "config.pbtxt").read_text()
    made = layouts.layout(path, "mlflow", tmp_path / "mlflow")
    assert '"name": "latents"' in (made / "MLmodel").read_text()


def test_kserve_gets_a_folder_of_versions(version, tmp_path):
    made = written(version, "kserve", tmp_path)
    answers = tf.saved_model.load(made / "digits_of_mine" / "1").signatures["sample"](
        seed=tf.constant([3], "int64"), labels=tf.constant([1])
    )
    np.testing.assert_array_equal(answers["images"], version[1].sample(1, [1], seed=3))
    text = (made / "inference_service.yaml").read_text()
    assert "  name: 'digits-of-mine'\n" in text and "here 50 at most: so digits-of-mine.\n" in text
    assert "storageUri: pvc://models/digits_of_mine\n" in text


@pytest.mark.parametrize(
    "name, service",
    [
        ("digits", "digits"),
        ("2024_Digits.v1", "model-2024-digits-v1"),
        ("_", "model"),
        ("null", "null"),
        ("a" * 60 + "-b", "a" * 50),
    ],
)
def test_a_name_that_kubernetes_takes(name, service):
    assert layouts._service(name) == service
    assert re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", service)


def test_hugging_face_gets_metadata(version, tmp_path):
    made = written(version, "huggingface", tmp_path)
    assert (made / "saved_model.pb").is_file() and (made / "model.onnx").is_file()
    text = (made / "README.md").read_text()
    data, body = huggingface_hub.ModelCard(text).data, text.split("---\n")[2]
    assert data.pipeline_tag == "unconditional-image-generation" and data.library_name == "onnx"
    assert data.datasets == ["ylecun/mnist"] and data.license is None
    (score,) = data.eval_results
    assert (score.metric_type, score.metric_value) == ("frechet_distance", 1.25)
    assert "`mnist` (data under CC BY-SA 3.0).\n" in body
    assert "Small: one's own." in body and "- frechet: 1.25\n" in body
    assert "| `sample` | `seed` int64 (n), `labels` int32 (n) |" in body
    assert layouts.layout(made, "kserve", tmp_path / "again").is_dir()  # It is a version still.


@pytest.mark.parametrize(
    "signatures",
    [3, {}, {"serving_default": []}, {"serving_default": {"latents": {"dtype": "x", "shape": []}}}],
)
def test_a_card_of_a_stranger(version, tmp_path, signatures):
    folder = tmp_path / "1"
    shutil.copytree(version[0] / "4", folder)
    said = json.loads((folder / exported.CARD).read_text())
    said["signatures"] = signatures
    (folder / exported.CARD).write_text(json.dumps(untrusted.sealed(said)))
    for target in layouts.TARGETS:
        with pytest.raises(ValueError, match="`directory` has a card without the signatures"):
            layouts.layout(folder, target, tmp_path / "made")


def test_what_cannot_be_laid_out(version, tmp_path, capsys):
    folder, _ = version
    with pytest.raises(ValueError, match="`target`.*triton"):
        layouts.layout(folder, "tritn", tmp_path / "made")
    with pytest.raises(FileNotFoundError, match="no card"):
        layouts.layout(tmp_path, "triton", tmp_path / "made")
    with pytest.raises(FileExistsError, match="`output_dir` is there"):
        layouts.layout(folder, "triton", tmp_path)
    plain = export.save(tiny_pair()[0], tmp_path / "plain")
    with pytest.raises(ValueError, match="no 'onnx'.*--formats=saved_model,onnx"):
        layouts.layout(plain, "triton", tmp_path / "made")
    assert not (tmp_path / "made").exists()
    for inside in (folder / "4" / "made", folder / "5"):
        with pytest.raises(ValueError, match="`output_dir` would be a part of the served model"):
            layouts.layout(folder, "kserve", inside)
    FLAGS = export_main.FLAGS
    FLAGS.unparse_flags()
    with pytest.raises(SystemExit) as stop:
        command.run(export_main.main, export_main.__doc__, FLAGS, ["export", "layout", str(folder)])
    assert stop.value.code == 2 and "--for=triton|" in capsys.readouterr().err
    FLAGS.unparse_flags()
    flags = ["layout", str(folder), "--for=kserve", f"--output_dir={tmp_path / 'made'}"]
    with pytest.raises(SystemExit) as stop:
        command.run(export_main.main, export_main.__doc__, FLAGS, ["export", *flags])
    assert not stop.value.code and (tmp_path / "made" / "inference_service.yaml").is_file()


@pytest.mark.parametrize("target", ["kserve", "huggingface"])
def test_a_trainer_is_not_given_away(tmp_path, target):
    gan = trainers.GAN(*tiny_pair())
    gan.compile()
    export.save(gan, tmp_path / "digits", resumable=True)
    made = layouts.layout(tmp_path / "digits", target, tmp_path / "made")
    (path,) = made.rglob("card.json")
    folder = path.parents[1]
    assert not (folder / exported.TRAINER).exists()
    said = exported.read(folder)  # It is a whole version still.
    assert exported.TRAINER not in said["files"] and said["latent_dim"] == 6


def test_scores_are_not_those_of_int8(tmp_path):
    about = {"scores": [{"name": "frechet", "value": 1.25}]}
    for weights in ("float32", "int8"):
        export.save(tiny_pair()[0], tmp_path / weights, weights=weights, about=about)
        made = layouts.layout(tmp_path / weights, "huggingface", tmp_path / f"{weights}_page")
        text = (made / "README.md").read_text()
        assert ("1.25" in text) == (weights == "float32")
        assert ("weights are in int8" in text) == (weights == "int8")
