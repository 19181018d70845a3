"""The command: stopped by a signal and started again, its help, its list, and wrong flags."""

import dataclasses
import re
import subprocess
import sys
import time
import types

import keras
import pytest
import tensorflow as tf

import trainers.__main__ as trainers_main
from tests.trainers.runs.conftest import SIGNALS
from tests.trainers.runs.ring import written
from trainers.runs.settings import Settings


def _command(*arguments, **kwargs):
    return subprocess.Popen(
        [sys.executable, "-m", "trainers", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    )


def _stopped(arguments, file, number):
    """The steps that a command had taken when a signal came, after it had written its file anew."""
    before = file.stat().st_mtime_ns if file.exists() else None
    process = _command(*arguments)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if file.exists() and file.stat().st_mtime_ns != before:
            break
        time.sleep(0.1)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert err == f"interrupted: the same command goes on from {file}\n"
    return int(keras.saving.load_model(file).steps)


def test_ctrl_c_saves_and_the_same_command_goes_on(tmp_path):
    file = tmp_path / "gan.keras"
    arguments = ["--dataset=normal", "--generator=mlp", "--latent_dim=2", "--units=4"]
    arguments += ["--jit_compile=false", "--batch_size=1000", f"--output_dir={tmp_path}"]
    steps = [_stopped([*arguments, "--epochs=4000"], file, number) for number in SIGNALS]
    assert 100 <= steps[0] < steps[1] < steps[2] < 400_000
    epochs = steps[2] // 100 + 1
    out, err = _command(*arguments, f"--epochs={epochs}").communicate(timeout=120)
    assert int(keras.saving.load_model(file).steps) == epochs * 100, err
    assert "samples.png" in out and "python -m export" in out


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "`--output_dir` is missing. Expected --output_dir=FOLDER"),
        (["--publish"], "`--publish` is of a recipe. Expected --recipe=NAME"),
        (["--recipe=all"], "`--recipe=all` is only there to publish"),
        (["--recipe=all", "--publish", "--seed=2"], "`--recipe=all` is only there to publish"),
        (["--recipe=dcgan_mnits"], "did you mean 'dcgan_mnist'"),
        (
            ["--recipe=dcgan_mnist", "--epochs=3", "--publish"],
            "`--publish` is of a recipe as it stands.*Received: --epochs=3",
        ),
        (["--recipe=dcgan_mnist", "--epochs=3"], "`--output_dir` is missing: with other flags"),
        (["--recipe=dcgan_mnist", "--blocks=3"], "`--blocks` is no argument of what was chosen"),
        (["--output_dir=x", "--epoch=3"], "--epoch; did you mean 'epochs'"),
        (["--output_dir=x", "--epochs=many"], "flag --epochs=many"),
        (["--output_dir=x", "--epochs=0"], "`epochs` is out of range. Expected a positive"),
        (["--output_dir=x", "--steps=0"], "`steps` is out of range. Expected a positive"),
        (["--output_dir=x", "--sample_every_steps=0"], "`sample_every_steps` is out of range"),
        (["--output_dir=x", "--steps=3", "--steps_per_execution=2"], "`steps` are no whole exec"),
        (["--output_dir=x", "--units=a,b"], "flag --units=a,b"),
        (["--output_dir=x", "--clip=0.1"], "`--clip` is no argument.*one of wasserstein"),
        (["--output_dir=x", "--schedule=both"], "alternating"),
        (
            ["--output_dir=x", "--optimizer=adam:0.1:beta1=0.5"],
            "`optimizer` names 'beta1'.*'beta_1'",
        ),
        (["--output_dir=x", "--objective=wgan"], "did you mean 'wasserstein'"),
        (["--output_dir=x", "--trainer=unroled"], "did you mean 'unrolled'"),
        (["--output_dir=x", "--dataset=mnits"], "did you mean 'mnist'"),
        (["--output_dir=x", "--dataset=ring", "--generator=dcgan"], "`image_shape` does not"),
        (["--output_dir=/dev/null/x"], "output_dir='/dev/null/x'"),
    ],
)
def test_wrong_flags_are_one_line(in_process, tmp_path, arguments, message):
    code, out, err = in_process(*arguments)
    assert code == 2 and not out
    assert re.search(message, err) and err.startswith("error: ") and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_help_names_all_flags_in_80_columns(in_process):
    code, out, err = in_process("--help")
    assert code == 0 and not err and out.startswith("Usage: python -m trainers")
    assert max(map(len, out.splitlines())) <= 80
    for field in dataclasses.fields(Settings):
        assert f"{field.name}" in out
        if type(field.default) in (int, float):
            assert f"--{field.name} (default: {field.default})" in out
    words = out.split()
    for flag in map(trainers_main.FLAGS.__getitem__, trainers_main.FLAGS):
        assert {f"--{flag.name}", f"--[no]{flag.name}"} & set(words)
    # Words stay whole: a name with hyphens or underscores stands on one line.
    for word in ("f-divergences", "score/best.keras,", "relativistic_pairing,", "--epochs=10"):
        assert word in words


def test_a_recipe_with_other_flags_is_another_run(in_process, tmp_path, monkeypatch):
    """What is trained, where, and what its settings file is to say; without them, the recipe."""
    seen = []

    def train(settings, folder, details, origin):
        seen.append((settings, folder, details, origin))
        return types.SimpleNamespace(steps=tf.constant(1))

    monkeypatch.setattr(trainers_main, "train", train)
    monkeypatch.setattr(trainers_main.publish, "cook", lambda recipe, folder: folder)
    recipe = f"--recipe={written(tmp_path)}"
    code, out, err = in_process(recipe, "--steps=1", "--units=4", "--output_dir=run/")
    assert code == 0 and "Trained for 1 steps. In run:" in out, err
    ((settings, folder, details, origin),) = seen
    assert settings.steps == 1 and settings.score == "modes" and folder == "run"
    assert details.generator == details.discriminator == {"units": [4]}
    assert origin == {"recipe": "mine", "changed": "--steps=1, --units=(4,)"}
    code, out, err = in_process(recipe, "--batch_size=20000")  # As the recipe has it.
    assert code == 0 and "runs/recipes/mine has the run of the recipe mine" in out
    assert len(seen) == 1


def test_the_list_of_what_can_be_chosen(in_process, tmp_path):
    code, out, err = in_process("--list")
    assert code == 0 and not err
    assert "f-divergences" in out and "dcgan_mnist" in out
    assert not list(tmp_path.iterdir())
