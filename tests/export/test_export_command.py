"""`python -m export`: a file in, a served version out, and the lines that serve it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import export
import zoo
from export import __main__ as export_main
from tests.helpers import run_command, tiny_pair
from tests.zoo.test_saving import StandInTrainer
from zoo import saving


def python_m_export(*flags):
    return subprocess.run(
        [sys.executable, "-m", "export", *map(str, flags)],
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )


def test_a_trainers_file_becomes_a_served_version(tmp_path):
    trainer = StandInTrainer(*tiny_pair(classes=3), ema=True)
    path, served = tmp_path / "gan.keras", tmp_path / "serving" / "digits"
    saving.save(trainer, path)
    result = python_m_export(f"--model={path}", f"--output_dir={served}", "--version=7")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{served / '7'}: 0.")
    assert lines[1].startswith("check: serving_default differs by 0 at most, sample in 0 of 4160")
    assert f"docker run -p 8501:8501 -v {served}:/models/digits -e MODEL_NAME=digits" in lines[4]
    assert "--model_name=digits" in lines[6]
    assert '{"signature_name": "sample", "instances": [{"seed": 1, "labels": 0}]}' in lines[-2]
    signatures = tf.saved_model.load(served / "7").signatures
    assert "score" in signatures
    images = signatures["sample"](seed=tf.constant([4], "int64"), labels=tf.constant([2]))["images"]
    np.testing.assert_array_equal(images, trainer.sampler.sample(1, [2], seed=4))


def test_a_preset_is_served_by_its_name(tmp_path, capsys):
    """What `python -m zoo sample --model=NAME` prints works."""
    flags = ["--model=consensus_ring", f"--output_dir={tmp_path / 'ring'}", "--nocheck"]
    code, written = run(capsys, *flags)
    assert not code, written.err
    signatures = tf.saved_model.load(tmp_path / "ring" / "1").signatures
    points = zoo.from_preset("consensus_ring").sample(3, seed=[5, 6, 7])
    served = signatures["sample"](seed=tf.constant([5, 6, 7], "int64"))["samples"]
    np.testing.assert_allclose(served, points, rtol=1e-6, atol=1e-6)
    logits = zoo.from_preset("consensus_ring", "discriminator")(points)["logits"]
    scored = signatures["score"](samples=tf.constant(points))["logits"]
    np.testing.assert_allclose(scored, logits, rtol=1e-5, atol=1e-5)


def test_a_preset_without_a_discriminator():
    """An autoencoder has none."""
    generator, discriminator = export_main.players("mlp_mnist_vae")
    assert isinstance(generator, zoo.MLPGenerator) and discriminator is None


def run(capsys, *flags):
    return run_command(export_main, *flags), capsys.readouterr()


def test_all_formats_of_a_preset_and_a_check_later(tmp_path, capsys):
    served = tmp_path / "a ring"
    flags = ["--formats=saved_model,onnx,litert", "--weights=float16"]
    code, written = run(capsys, "--model=consensus_ring", f"--output_dir={served}", *flags)
    assert not code, written.err
    checks = [line for line in written.out.splitlines() if line.startswith("check: ")]
    assert len(checks) == 3 and checks[1].startswith("check: onnx: serving_default differs")
    card = json.loads((served / "1" / "assets.extra" / "card.json").read_text())
    assert card["preset"] == "consensus_ring" and card["scores"]
    code, written = run(capsys, "check", served)
    assert code == 0 and written.out.count(": good: ") == 3
    (served / "1" / "model.onnx").write_bytes(b"nonsense")
    code, written = run(capsys, "check", served)
    assert code == 2 and "`directory` is damaged: model.onnx is another one" in written.err


def test_a_default_of_seeds(tmp_path, capsys):
    flags = ["--formats=saved_model,onnx,litert", "--default=sample"]
    code, written = run(capsys, "--model=consensus_ring", f"--output_dir={tmp_path}", *flags)
    assert not code, written.err
    assert "check: decode differs by 0 at most, sample in 0 of 130 numbers" in written.out
    assert """curl -d '{"instances": [{"seed": 1}]}'""" in written.out
    signatures = tf.saved_model.load(tmp_path / "1").signatures
    points = zoo.from_preset("consensus_ring").sample(2, seed=[5, 6])
    answer = signatures["serving_default"](seed=tf.constant([5, 6], "int64"))["samples"]
    np.testing.assert_allclose(answer, points, rtol=1e-6, atol=1e-6)
    code, written = run(capsys, "check", tmp_path)
    assert code == 0 and written.out.count(": good: decode differs") == 3


def test_a_check_that_fails_has_an_exit_status(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(export_main.checking, "check", lambda _: {"onnx": RuntimeError("no way")})
    code, written = run(capsys, "check", tmp_path)
    assert code == 1 and written.out == "onnx: WRONG: no way\n"


def test_the_file_of_an_autoencoder_encodes(tmp_path):
    vae = zoo.VAE((4, 4, 1), latent_dim=2, units=(5,))
    vae.compile()
    saving.save(vae, tmp_path / "vae.keras")
    model, discriminator = export_main.players(tmp_path / "vae.keras")
    assert isinstance(model, zoo.VAE) and discriminator is None
    signatures = tf.saved_model.load(export.save(model, tmp_path / "served")).signatures
    given = np.random.default_rng(0).uniform(0, 1, (3, 4, 4, 1)).astype("float32")
    again = signatures["reconstruct"](images=tf.constant(given))["images"]
    np.testing.assert_allclose(again, vae(given), atol=1e-6)


def test_a_wrong_flag_names_the_nearest():
    result = python_m_export("--modle=x")
    assert result.returncode == 2 and not result.stdout
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: Unknown flag --modle; did you mean 'model'")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "flags, message",
    [
        ([], "`--model` is missing. Expected --model=PATH. Received: no --model"),
        (["--model=x.keras"], "`--output_dir` is missing. Expected --output_dir=PATH."),
        (["--model=x.keras", "--output_dir=y"], "`path` does not exist."),
        (["--model=dcgan_mnits", "--output_dir=y"], "`preset` is unknown."),
        (["--version=0"], "flag --version=0: 0 is not a positive integer"),
        (["x.keras"], "This command takes flags only."),
        (["check"], "`check` takes one folder. Expected python -m export check FOLDER."),
        (["check", "nowhere"], "`directory` has no card."),
        (["--default=png"], "flag --default=png: value should be one of <latents|sample|sample_pn"),
        (
            ["--model=consensus_ring", "--output_dir=y", "--formats=page", "--default=sample"],
            "`default` is what a SavedModel answers; the other formats are of latents.",
        ),
        (["check", "y", "--default=sample"], "`--default` is not a flag of `check`."),
        (["--weights=int4"], "flag --weights=int4: value should be one of"),
        (
            ["--model=consensus_ring", "--output_dir=y", "--formats=onxn"],
            "`formats` is unknown. Expected one of ['litert', 'onnx', 'page', 'saved_model']; did",
        ),
    ],
)
def test_errors_are_one_line(capsys, flags, message):
    code, written = run(capsys, *flags)
    assert code == 2
    assert written.err.startswith("error: " + message) and written.err.count("\n") == 1
    assert ("did you mean 'dcgan_mnist'" in written.err) == ("mnits" in written.err)
    assert not written.out


def test_help():
    result = python_m_export("--help")
    assert result.returncode == 0
    assert result.stdout.startswith("Usage: python -m export --model=FILE --output_dir=FOLDER")
    assert result.stdout.count("\n  --") == 13
    assert "--[no]check (default: true)" in result.stdout


@pytest.mark.parametrize(
    "preset, license",
    [
        ("dcgan_mnist", "CC BY-SA 3.0"),
        ("dcgan_fashion_mnist", "MIT"),
        ("dcgan_cifar10_jpeg", None),
        ("unrolled_ring", None),
    ],
)
def test_the_card_says_whose_the_data_are(preset, license):
    assert export_main.about(preset)["data_license"] == license
