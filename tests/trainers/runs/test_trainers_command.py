"""The command: stopped by a signal and started again, its help, its list, and wrong flags."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

import keras
import pytest

from trainers.runs.settings import Settings


def _command(*arguments, **kwargs):
    return subprocess.Popen(
        [sys.executable, "-m", "trainers", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_the_same_command_goes_on(tmp_path, number):
    arguments = ["--dataset=normal", "--generator=mlp", "--latent_dim=2", "--epochs=400"]
    arguments += ["--batch_size=1000", f"--output_dir={tmp_path}"]
    process = _command(*arguments)
    deadline = time.monotonic() + 120
    while not (tmp_path / "gan.keras").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "The same command goes on" in out and "Traceback" not in err
    steps = int(keras.saving.load_model(tmp_path / "gan.keras").steps)
    assert 100 <= steps < 40_000
    arguments[3] = f"--epochs={steps // 100 + 1}"
    out, err = _command(*arguments).communicate(timeout=120)
    gan = keras.saving.load_model(tmp_path / "gan.keras")
    assert int(gan.steps) == (steps // 100 + 1) * 100, err
    assert "samples.png" in out and "python -m export" in out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--help"], None),
        ([], "`--output_dir` is missing. Expected --output_dir=FOLDER"),
        (["--recipe=dcgan_mnist", "--epochs=3"], "`--recipe` decides everything"),
        (["--publish"], "`--recipe` decides everything. Expected --recipe=NAME"),
        (["--recipe=all"], "`--recipe=all` is only there to publish"),
        (["--output_dir=x", "--epoch=3"], "--epoch; did you mean 'epochs'"),
        (["--output_dir=x", "--schedule=both"], "alternating"),
        (["--output_dir=x", "--dataset=mnits"], "did you mean 'mnist'"),
        (["--output_dir=/dev/null/x"], "output_dir='/dev/null/x'"),
    ],
)
def test_help_and_wrong_flags(tmp_path, arguments, message):
    path = os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])
    process = _command(*arguments, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path})
    out, err = process.communicate(timeout=120)
    if message is None:
        assert process.returncode == 0 and "Usage: python -m trainers" in out
        for field in dataclasses.fields(Settings):
            assert f"{field.name}" in out
        assert not err
    else:
        assert process.returncode == 2
        assert message in err and err.startswith("error: ") and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_list_of_what_can_be_chosen(tmp_path):
    path = os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])
    process = _command("--list", cwd=tmp_path, env={**os.environ, "PYTHONPATH": path})
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and not err
    assert "f-divergences" in out and "dcgan_mnist" in out
    assert not list(tmp_path.iterdir())
